//! `status`: where things stand, and what to do next.

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use mledger::error::Error;
use mledger::report::{Counts, MigrationView, State, Status};

use super::super::app::App;
use super::super::args::StatusArgs;
use super::super::output::{BAD, CARE, DIM, GOOD, HINT, Printer, STRONG, paint};
use super::super::words;
use ledger::Timestamp;

/// Below this many columns a table with borders is harder to read than lines.
const NARROW: usize = 72;

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
    if !status.migrations.is_empty() {
        match printer.width() {
            Some(width) if width >= NARROW => {
                printer.answer(table(&status.migrations, now, verbose, width));
            }
            _ => rows(printer, &status.migrations, now, verbose),
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

fn table(migrations: &[MigrationView], now: Timestamp, verbose: bool, width: usize) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .enforce_styling();
    let header = titles(verbose)
        .into_iter()
        .map(|title| Cell::new(title).add_attribute(Attribute::Bold));
    table.set_header(header);
    for migration in migrations {
        let cells = cells(migration, now, verbose)
            .into_iter()
            .enumerate()
            .map(|(index, text)| {
                let cell = Cell::new(text);
                if index == STATE {
                    cell.fg(color(migration.state))
                } else {
                    cell
                }
            });
        table.add_row(cells);
    }
    table.to_string()
}

fn rows(printer: &Printer, migrations: &[MigrationView], now: Timestamp, verbose: bool) {
    let titles = titles(verbose).into_iter().map(str::to_uppercase).collect();
    let mut rows: Vec<Vec<String>> = vec![titles];
    rows.extend(migrations.iter().map(|migration| {
        let mut cells = cells(migration, now, verbose);
        for cell in &mut cells {
            if cell.is_empty() {
                "-".clone_into(cell);
            }
        }
        cells
    }));
    for line in words::columns(&rows) {
        printer.answer(line);
    }
}

/// The place of the column that is coloured.
const STATE: usize = 2;

fn titles(verbose: bool) -> Vec<&'static str> {
    let mut titles = vec!["Version", "Name", "State", "Batch", "Applied", "Took", "By"];
    if verbose {
        titles.extend(["Checksum", "Description"]);
    }
    titles
}

fn cells(migration: &MigrationView, now: Timestamp, verbose: bool) -> Vec<String> {
    let applied = migration.applied_at.map_or_else(String::new, |time| {
        format!("{}, {}", words::ago(now, time), words::time(time))
    });
    let mut cells = vec![
        words::line(&migration.version),
        words::line(&migration.name),
        migration.state.as_str().replace('_', " "),
        migration
            .batch
            .map_or_else(String::new, |batch| batch.to_string()),
        applied,
        migration
            .duration_ms
            .map_or_else(String::new, words::duration),
        words::line(migration.applied_by.as_deref().unwrap_or_default()),
    ];
    if verbose {
        cells.push(words::short(&migration.checksum));
        cells.push(words::line(
            migration.description.as_deref().unwrap_or_default(),
        ));
    }
    cells
}

fn color(state: State) -> Color {
    match state {
        State::Applied => Color::Green,
        State::Pending | State::RolledBack => Color::Yellow,
        State::OutOfOrder => Color::Magenta,
        State::Failed | State::Partial | State::Unknown | State::Changed | State::Missing => {
            Color::Red
        }
    }
}

/// Returns the counts that are not zero; applied and pending always.
fn summary(counts: &Counts) -> String {
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
    if out_of_order > 0 && out_of_order == pending {
        return Some("`mledger up --out-of-order` applies what was added late".to_owned());
    }
    if pending > 0 {
        let migrations = words::count(pending, "migration", "migrations");
        return Some(format!("`mledger up` applies {migrations}"));
    }
    if status.migrations.is_empty() {
        return Some("`mledger new NAME` writes the first migration".to_owned());
    }
    None
}

#[cfg(test)]
mod tests;
