//! `up`, `down` and `redo`.

use ledger::Direction;
use mledger::error::Error;
use mledger::migration::Version;
use mledger::report::{RunMigration, RunReport, StepOutcome};
use mledger::request::{Back, Down, ReleaseName, Up};

use super::super::app::App;
use super::super::args;
use super::super::output::{BAD, CARE, DIM, GOOD, Printer, paint};
use super::super::words;
use super::{Target, plan, target};

pub(super) async fn up(app: &App, arguments: args::Up) -> Result<u8, Error> {
    let (to, release) = reach(arguments.to.as_deref())?;
    let request = Up {
        to,
        release,
        count: arguments.count,
        out_of_order: arguments.out_of_order,
        ticket: arguments.ticket,
        timeout: arguments.timeout,
        skip_backup: arguments.skip_backup,
        force: arguments.force,
        plan: match &arguments.plan {
            Some(path) => Some(plan::read(app, path)?),
            None => None,
        },
        ..Up::default()
    };
    if arguments.dry_run {
        let report = app.reader().await?.migrator.plan_up(&request).await?;
        return Ok(plan::print(&app.printer, &report));
    }
    let opened = app.writer().await?;
    let report = opened.migrator.up(&request).await;
    opened.watcher.finish();
    print(&app.printer, &report?);
    Ok(0)
}

/// Reads how far `up` goes: to a version or to a release.
pub(super) fn reach(to: Option<&str>) -> Result<(Option<Version>, Option<ReleaseName>), Error> {
    Ok(match to.map(target).transpose()? {
        None => (None, None),
        Some(Target::Version(version)) => (Some(version), None),
        Some(Target::Release(release)) => (None, Some(release)),
    })
}

pub(super) async fn down(app: &App, arguments: args::Down) -> Result<u8, Error> {
    let back = match (arguments.batch, &arguments.to) {
        (Some(batch), _) => Back::Batch(batch),
        (None, Some(to)) => match target(to)? {
            Target::Version(version) => Back::To(version),
            Target::Release(release) => Back::Release(release),
        },
        (None, None) if arguments.all => Back::All,
        (None, None) => Back::Steps(arguments.steps.unwrap_or(1)),
    };
    let everything = back == Back::All;
    let request = Down {
        back,
        ticket: arguments.ticket,
        timeout: arguments.timeout,
    };
    if arguments.dry_run {
        let report = app.reader().await?.migrator.plan_down(&request).await?;
        return Ok(plan::print(&app.printer, &report));
    }
    let opened = app.reader().await?;
    app.confirm_destruction(&opened, "down").await?;
    if everything && app.global.confirm.is_none() {
        let question = "roll back every applied migration";
        app.prompt.confirm(&app.printer, question, "--yes")?;
    }
    app.signals.work_begins();
    let report = opened.migrator.down(&request).await;
    opened.watcher.finish();
    print(&app.printer, &report?);
    Ok(0)
}

pub(super) async fn redo(app: &App, arguments: args::Redo) -> Result<u8, Error> {
    let opened = app.reader().await?;
    if arguments.dry_run {
        let report = opened.migrator.plan_redo().await?;
        return Ok(plan::print(&app.printer, &report));
    }
    app.confirm_destruction(&opened, "redo").await?;
    app.signals.work_begins();
    let report = opened.migrator.redo(arguments.timeout).await;
    opened.watcher.finish();
    print(&app.printer, &report?);
    Ok(0)
}

pub(super) async fn reset(app: &App, arguments: args::Reset) -> Result<u8, Error> {
    let request = Down {
        back: Back::All,
        ticket: None,
        timeout: arguments.timeout,
    };
    let opened = app.reader().await?;
    if arguments.dry_run {
        let report = opened.migrator.plan_reset(&request).await?;
        return Ok(plan::print(&app.printer, &report));
    }
    app.confirm_destruction(&opened, "reset").await?;
    if app.global.confirm.is_none() {
        let question = "roll back every applied migration";
        app.prompt.confirm(&app.printer, question, "--yes")?;
    }
    app.signals.work_begins();
    let report = opened.migrator.reset(&request).await;
    opened.watcher.finish();
    print(&app.printer, &report?);
    Ok(0)
}

fn print(printer: &Printer, report: &RunReport) {
    if printer.is_json() {
        printer.document(report);
        return;
    }
    for migration in &report.migrations {
        printer.answer(line(migration));
    }
    printer.answer(summary(report));
}

/// Returns what one migration of a run came to.
pub(in super::super) fn line(migration: &RunMigration) -> String {
    let (mark, style, word) = match (migration.outcome, migration.direction) {
        (StepOutcome::Applied, _) => ("✓", GOOD, "applied"),
        (StepOutcome::RolledBack, _) => ("↩", CARE, "rolled back"),
        (StepOutcome::Failed, Direction::Up) => ("✗", BAD, "failed"),
        (StepOutcome::Failed, Direction::Down) => ("✗", BAD, "rollback failed"),
        (StepOutcome::Interrupted, _) => ("■", CARE, "interrupted"),
        (StepOutcome::Unknown, _) => ("?", CARE, "unknown"),
    };
    format!(
        "{} {} {}  {}",
        paint(style, mark),
        words::line(&migration.version),
        words::line(&migration.name),
        paint(
            DIM,
            format!("{word} in {}", words::duration(migration.duration_ms))
        )
    )
}

/// Returns what a run came to, on one line.
pub(in super::super) fn summary(report: &RunReport) -> String {
    let mut parts = Vec::new();
    if report.applied > 0 {
        let batch = report
            .batch
            .map_or_else(String::new, |batch| format!(" in batch {batch}"));
        parts.push(format!("{} applied{batch}", report.applied));
    }
    if report.rolled_back > 0 {
        parts.push(format!("{} rolled back", report.rolled_back));
    }
    if report.settled > 0 {
        parts.push(format!("{} settled", report.settled));
    }
    if parts.is_empty() {
        return "nothing to do".to_owned();
    }
    format!(
        "{}, {}",
        parts.join(" · "),
        words::duration(report.duration_ms)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_summed_up_in_one_line() {
        assert_eq!(summary(&RunReport::default()), "nothing to do");
        let report = RunReport {
            applied: 2,
            rolled_back: 1,
            batch: Some(4),
            duration_ms: 1_500,
            ..RunReport::default()
        };
        assert_eq!(
            summary(&report),
            "2 applied in batch 4 · 1 rolled back, 1.5 s"
        );
    }
}
