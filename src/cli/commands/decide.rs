//! `resolve` and `lock`: what a person decides.

use mledger::error::Error;
use mledger::report::{Decided, LockView};
use mledger::request::{Resolution, Resolve};
use serde::Serialize;

use super::super::app::App;
use super::super::args;
use super::super::output::{CARE, DIM, GOOD, Printer, paint};
use super::super::words;
use super::version;

pub(super) async fn resolve(app: &App, arguments: args::Resolve) -> Result<u8, Error> {
    let resolution = if arguments.applied {
        Resolution::Applied
    } else if arguments.not_applied {
        Resolution::NotApplied
    } else if arguments.resume {
        Resolution::Resume
    } else if arguments.accept_change {
        Resolution::AcceptChange
    } else {
        return show(app, &arguments).await;
    };
    let request = Resolve {
        version: version(&arguments.version)?,
        resolution,
        reason: arguments.reason.unwrap_or_default(),
    };
    let opened = app.writer().await?;
    let decided = opened.migrator.resolve(&request).await;
    opened.watcher.finish();
    print(&app.printer, &decided?);
    Ok(0)
}

/// Shows what is known, for a person who has no answer yet.
async fn show(app: &App, arguments: &args::Resolve) -> Result<u8, Error> {
    let version = version(&arguments.version)?;
    let found = app.reader().await?.migrator.unresolved(&version).await?;
    if app.printer.is_json() {
        app.printer.document(&found);
        return Ok(0);
    }
    let name = format!("{}_{}", found.version, found.name);
    let place = match (found.step, found.of) {
        (Some(step), Some(of)) => format!(", statement {step} of {of}"),
        _ => String::new(),
    };
    app.printer.answer(format!(
        "`{name}` is {}{place}",
        paint(CARE, found.state.as_str())
    ));
    if let Some(statement) = &found.statement {
        let line = found.line.unwrap_or_default();
        app.printer.answer(paint(DIM, format!("line {line}")));
        for line in statement.lines() {
            app.printer.answer(format!("    {}", words::line(line)));
        }
    }
    if let Some(error) = &found.error {
        app.printer
            .answer(format!("the last attempt failed: {}", words::line(error)));
    }
    for sentence in &found.database {
        app.printer
            .answer(format!("the database says: {}", words::line(sentence)));
    }
    if found.answers.is_empty() {
        app.printer.answer("nothing about it needs a decision");
    } else {
        app.printer.answer(format!(
            "answer with `mledger resolve {} {} --reason TEXT`",
            found.version,
            found.answers.join("|")
        ));
    }
    Ok(0)
}

pub(super) async fn lock_status(app: &App) -> Result<u8, Error> {
    let lock = app.reader().await?.migrator.lock().await?;
    if app.printer.is_json() {
        app.printer.document(&LockAnswer { lock });
        return Ok(0);
    }
    let Some(lock) = lock else {
        app.printer.answer(paint(GOOD, "the lock is free"));
        return Ok(0);
    };
    app.printer.answer(format!(
        "{} by {}@{}, run {}",
        paint(CARE, "the lock is held"),
        words::line(&lock.actor),
        words::line(&lock.host),
        lock.run
    ));
    let now = app.source.now();
    app.printer.answer(format!(
        "since    {}  {}",
        words::time(lock.since),
        words::ago(now, lock.since)
    ));
    app.printer.answer(format!(
        "expires  {}  {}",
        words::time(lock.expires),
        words::ago(now, lock.expires)
    ));
    if lock.holder_gone {
        app.printer
            .answer("the holder's process is gone: the next run takes the lock over");
    } else if lock.expired {
        app.printer
            .answer("it has expired: the next run takes the lock over");
    }
    Ok(0)
}

pub(super) async fn lock_break(app: &App, arguments: &args::LockBreak) -> Result<u8, Error> {
    let opened = app.reader().await?;
    app.confirm_destruction(&opened, "lock break").await?;
    app.signals.work_begins();
    let decided = opened.migrator.break_lock(&arguments.reason).await?;
    print(&app.printer, &decided);
    Ok(0)
}

pub(super) fn print(printer: &Printer, decided: &Decided) {
    if printer.is_json() {
        printer.document(decided);
        return;
    }
    printer.answer(&decided.message);
    printer.answer(paint(
        DIM,
        format!(
            "recorded as event {}, head {}",
            decided.seq,
            words::short(&decided.head)
        ),
    ));
}

#[derive(Serialize)]
struct LockAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<LockView>,
}
