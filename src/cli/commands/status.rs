//! `status`: where things stand, and what to do next.

mod graph;
mod table;

use mledger::error::Error;
use mledger::migration::format::Format;
use mledger::report::{AsOfView, Counts, State, Status};

use super::super::app::App;
use super::super::args::StatusArgs;
use super::super::output::{BAD, CARE, DIM, GOOD, HINT, Printer, STRONG, paint};
use super::super::words;
use ledger::Timestamp;

pub(super) async fn status(app: &App, arguments: &StatusArgs) -> Result<u8, Error> {
    let migrator = app.reader().await?.migrator;
    let status = match &arguments.as_of {
        None => migrator.status().await?,
        Some(moment) => migrator.status_as_of(moment).await?,
    };
    if app.printer.is_json() {
        app.printer.document(&status);
    } else if arguments.graph {
        for line in graph::lines(&status.migrations, arguments.output) {
            app.printer.answer(line);
        }
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
    if let Some(moment) = &status.as_of {
        printer.answer(paint(CARE, as_of(moment)));
    }
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

/// Says which moment is shown.
fn as_of(moment: &AsOfView) -> String {
    let release = moment
        .release
        .as_ref()
        .map_or_else(String::new, |release| format!(", the release {release}"));
    match (moment.seq, moment.time) {
        (Some(seq), Some(time)) => {
            format!("as of event {seq}, {}{release}", words::time(time))
        }
        _ => "as of a time before the first event".to_owned(),
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
    let form = status
        .format
        .filter(|format| *format != Format::Mledger.as_str())
        .map_or_else(String::new, |format| {
            format!("\nfiles in the form of {format}")
        });
    format!(
        "{}  {}\n{ledger}{form}",
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
    if status.as_of.is_some() {
        return None;
    }
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
