//! `history`: what changed between two moments, who changed it, and how long it took.

use mledger::error::Error;
use mledger::report::{HistoryView, TimelineEntry, TimelineOutcome};
use mledger::request::HistoryFilter;

use super::super::app::App;
use super::super::args;
use super::super::output::{BAD, CARE, DIM, GOOD, Printer, STRONG, paint};
use super::super::words;

pub(super) async fn history(app: &App, arguments: args::History) -> Result<u8, Error> {
    let filter = HistoryFilter {
        from: arguments.from,
        to: arguments.to,
        since: arguments.since,
        until: arguments.until,
        by: arguments.by,
    };
    let view = app.reader().await?.migrator.history(&filter).await?;
    if app.printer.is_json() {
        app.printer.document(&view);
    } else {
        print(&app.printer, &view);
    }
    Ok(0)
}

fn print(printer: &Printer, view: &HistoryView) {
    if view.changes.is_empty() {
        printer.answer("nothing changed");
        return;
    }
    let titles = [
        "EVENT", "WHEN", "WHAT", "VERSION", "NAME", "TOOK", "ESTIMATE", "BY", "TICKET", "WHY",
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    rows.extend(view.changes.iter().map(row));
    for (index, line) in words::columns(&rows).into_iter().enumerate() {
        let change = index.checked_sub(1).and_then(|at| view.changes.get(at));
        printer.answer(match change.map(|change| change.outcome) {
            None => paint(STRONG, line),
            Some(TimelineOutcome::Failed) => paint(BAD, line),
            Some(TimelineOutcome::RolledBack | TimelineOutcome::Restored) => paint(CARE, line),
            Some(_) => line,
        });
    }
    let totals = &view.totals;
    printer.answer(format!(
        "{} · {} · {}{}",
        paint(GOOD, format!("{} applied", totals.applied)),
        paint(
            if totals.rolled_back > 0 { CARE } else { DIM },
            format!("{} rolled back", totals.rolled_back)
        ),
        paint(
            if totals.failed > 0 { BAD } else { DIM },
            format!("{} failed", totals.failed)
        ),
        match totals
            .of_estimated_ms
            .saturating_mul(100)
            .checked_div(totals.estimated_ms)
        {
            Some(percent) => format!(
                " · took {}, {percent} % of what was estimated",
                words::duration(totals.duration_ms)
            ),
            None => format!(" · took {}", words::duration(totals.duration_ms)),
        }
    ));
}

fn row(change: &TimelineEntry) -> Vec<String> {
    let dash = || "-".to_owned();
    let what = match (change.outcome, change.direction) {
        (TimelineOutcome::Failed, Some(ledger::Direction::Down)) => "rollback failed",
        (outcome, _) => outcome.words(),
    };
    let estimate = match (change.estimated_ms, change.percent_of_estimate) {
        (Some(estimated), Some(percent)) => {
            format!("{} ({percent} %)", words::duration(estimated))
        }
        (Some(estimated), None) => words::duration(estimated),
        (None, _) => dash(),
    };
    vec![
        change.ended_by.unwrap_or(change.seq).to_string(),
        words::time(change.time),
        what.to_owned(),
        words::line(&change.version),
        words::line(&change.name),
        change.duration_ms.map_or_else(dash, words::duration),
        estimate,
        words::line(&change.by),
        change.ticket.as_deref().map_or_else(dash, words::line),
        change.detail.as_deref().map_or_else(dash, words::line),
    ]
}
