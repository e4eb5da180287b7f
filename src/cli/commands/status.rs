//! `status`: where things stand, and what to do next.

mod table;

use mledger::error::Error;
use mledger::report::{Counts, State, Status};

use super::super::app::App;
use super::super::args::StatusArgs;
use super::super::output::{BAD, CARE, DIM, GOOD, HINT, Printer, STRONG, paint};
use super::super::words;
use ledger::Timestamp;

pub(super) async fn status(app: &App, arguments: &StatusArgs) -> Result<u8, Error> {
    let status = app.reader().await?.migrator.status().await?;
    if app.printer.is_json() {
        app.printer.document(&status);
    } else {
        print(&app.printer, &status, app.source.now(), arguments.verbose);
    }
    Ok(if arguments.exit_code && differs(&status.counts) {
        8
    } else {
        0
    })
}

fn differs(counts: &Counts) -> bool {
    [
        counts.pending,
        counts.failed,
        counts.partial,
        counts.unknown,
        counts.changed,
        counts.missing,
    ]
    .iter()
    .any(|count| *count > 0)
}

fn print(printer: &Printer, status: &Status, now: Timestamp, verbose: bool) {
    printer.answer(heading(status, verbose));
    let bordered = printer
        .width()
        .and_then(|width| table::bordered(&status.migrations, now, verbose, width));
    match bordered {
        _ if status.migrations.is_empty() => {}
        Some(table) => printer.answer(table),
        None => {
            for line in table::plain(&status.migrations, now, verbose) {
                printer.answer(line);
            }
        }
    }
    for notice in &status.warnings {
        let place = notice
            .seq
            .map_or_else(String::new, |seq| format!(" at event {seq}"));
        printer.answer(format!(
            "{} {}{place}: {}",
            paint(CARE, "warning"),
            paint(STRONG, notice.code),
            words::line(&notice.message)
        ));
    }
    if let Some(lock) = &status.lock {
        let state = if lock.holder_gone || lock.expired {
            "left behind"
        } else {
            "held"
        };
        printer.answer(format!(
            "{} by {}@{} since {}, {}",
            paint(CARE, format!("lock {state}")),
            words::line(&lock.actor),
            words::line(&lock.host),
            words::time(lock.since),
            words::ago(now, lock.since)
        ));
    }
    if let Some(failure) = &status.last_failure {
        let line = failure
            .line
            .map_or_else(String::new, |line| format!(" at line {line}"));
        printer.answer(format!(
            "{} `{}` {}{line}: {}  {}",
            paint(BAD, "last failure:"),
            words::line(&failure.version),
            words::ago(now, failure.time),
            words::line(&failure.message),
            paint(DIM, format!("`mledger show {}`", failure.seq))
        ));
    }
    printer.answer(summary(&status.counts));
    if let Some(next) = next(status) {
        printer.answer(format!("{} {next}", paint(HINT, "next:")));
    }
}

fn heading(status: &Status, verbose: bool) -> String {
    let ledger = match &status.ledger {
        None => "no ledger yet".to_owned(),
        Some(ledger) if verbose => format!(
            "ledger {}\nhead {} ({})",
            ledger.id,
            ledger.head,
            words::count(ledger.size, "event", "events")
        ),
        Some(ledger) => format!(
            "ledger {} ({})",
            words::short(&ledger.id),
            words::count(ledger.size, "event", "events")
        ),
    };
    format!(
        "{}  {}\n{ledger}",
        paint(STRONG, words::line(&status.environment)),
        words::line(&status.database.name)
    )
}

/// Returns the counts that are not zero; applied and pending always.
pub(super) fn summary(counts: &Counts) -> String {
    let mut parts = vec![
        paint(GOOD, format!("{} applied", counts.applied)),
        paint(
            if counts.pending > 0 { CARE } else { DIM },
            format!("{} pending", counts.pending),
        ),
    ];
    for (count, word) in [
        (counts.out_of_order, "out of order"),
        (counts.failed, "failed"),
        (counts.partial, "partial"),
        (counts.unknown, "unknown"),
        (counts.changed, "changed"),
        (counts.missing, "missing"),
    ] {
        if count > 0 {
            parts.push(paint(BAD, format!("{count} {word}")));
        }
    }
    parts.join(" · ")
}

/// Returns what a person would do next, the most pressing thing first.
fn next(status: &Status) -> Option<String> {
    let first = |wanted: State| {
        status
            .migrations
            .iter()
            .find(|migration| migration.state == wanted)
    };
    if let Some(migration) = first(State::Unknown).or_else(|| first(State::Partial)) {
        return Some(format!(
            "look at the database, then `mledger resolve {} --applied`, `--not-applied` or `--resume`",
            migration.version
        ));
    }
    if let Some(migration) = first(State::Changed) {
        return Some(format!(
            "put the file of `{0}` back, or `mledger resolve {0} --accept-change --reason TEXT`",
            migration.version
        ));
    }
    if first(State::Missing).is_some() {
        return Some("put the missing files back".to_owned());
    }
    let Counts {
        pending,
        out_of_order,
        ..
    } = status.counts;
    if pending > 0 {
        let migrations = words::count(pending, "migration", "migrations");
        if out_of_order > 0 {
            return Some(format!(
                "`mledger up --out-of-order` applies {migrations}, older ones than the newest included"
            ));
        }
        return Some(format!("`mledger up` applies {migrations}"));
    }
    if status.migrations.is_empty() {
        return Some("`mledger new NAME` writes the first migration".to_owned());
    }
    None
}

#[cfg(test)]
mod tests;
