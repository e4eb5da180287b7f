//! `drift`: changes of the schema by other means than migrations.

use mledger::error::Error;
use mledger::report::{DriftReport, SchemaHealth};

use super::super::app::App;
use super::super::args;
use super::super::output::{CARE, DIM, GOOD, HINT, STRONG, paint};
use super::super::words;
use super::decide;

pub(super) async fn drift(app: &App, arguments: args::Drift) -> Result<u8, Error> {
    if let (Some(found), Some(reason)) = (arguments.accept, arguments.reason) {
        let opened = app.writer().await?;
        let decided = opened.migrator.accept_drift(&found, &reason).await;
        opened.watcher.finish();
        decide::print(&app.printer, &decided?);
        return Ok(0);
    }
    let report = app.reader().await?.migrator.drifts().await?;
    if app.printer.is_json() {
        app.printer.document(&report);
    } else {
        print(app, &report);
    }
    Ok(if arguments.exit_code && report.is_open() {
        8
    } else {
        0
    })
}

fn print(app: &App, report: &DriftReport) {
    let printer = &app.printer;
    match (report.schema, &report.expected, &report.found) {
        (SchemaHealth::AsLeft, Some(expected), _) => printer.answer(format!(
            "{} with event {}, fingerprint {}",
            paint(GOOD, "the schema is as it was left"),
            expected.seq,
            expected.digest
        )),
        (SchemaHealth::Changed, Some(expected), Some(found)) => {
            printer.answer(format!(
                "{} since event {}",
                paint(CARE, "the schema was changed by other means"),
                expected.seq
            ));
            printer.answer(format!("expected  {}", expected.digest));
            printer.answer(format!("found     {found}"));
        }
        (SchemaHealth::NotCompared, ..) => {
            printer.answer(paint(CARE, report.reason.as_deref().unwrap_or_default()));
        }
        _ => printer.answer(
            "there is nothing to compare the schema with: no run has finished, or one is under way",
        ),
    }
    found_by_runs(app, report);
    for accepted in &report.acceptances {
        printer.answer(format!(
            "event {}: {} accepted {} at {}: {}",
            accepted.seq,
            words::line(&accepted.actor),
            words::short(&accepted.found),
            words::time(accepted.time),
            words::line(&accepted.reason)
        ));
    }
    if report.is_open() {
        printer.note(format!(
            "{} undo it or write a migration for it; `mledger drift --accept FINGERPRINT --reason TEXT` records \
             that it stays",
            paint(HINT, "hint:")
        ));
    }
}

fn found_by_runs(app: &App, report: &DriftReport) {
    for drift in &report.drifts {
        let line = format!(
            "between events {} and {}: fingerprint {}",
            drift.expected.seq, drift.found.seq, drift.found.digest
        );
        app.printer.answer(match drift.accepted {
            Some(seq) => paint(DIM, format!("{line}, accepted with event {seq}")),
            None => paint(STRONG, format!("{line}, open")),
        });
    }
}
