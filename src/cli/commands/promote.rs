//! `promote`: what another environment's ledger says of the migrations here.

use ledger::Code;
use mledger::error::Error;
use mledger::promotion::Source;
use mledger::report::{
    AppliedThere, Difference, PromotedMigration, PromotionReport, PromotionStanding,
};
use mledger::request::Promote;

use super::super::app::App;
use super::super::args;
use super::super::output::{BAD, CARE, DIM, GOOD, Printer, STRONG, paint};
use super::super::surroundings;
use super::super::words;
use super::verify;

pub(super) async fn promote(app: &App, arguments: args::Promote) -> Result<u8, Error> {
    let working = &app.around.working;
    let request = Promote {
        from: arguments
            .from
            .as_deref()
            .map(|text| Source::parse(text, working)),
        verify: verify::request(&arguments.anchors, |path| {
            surroundings::nearby(&working.join(path))
        })?,
    };
    let report = app.reader().await?.migrator.promote(&request).await?;
    if app.printer.is_json() {
        app.printer.document(&report);
    } else {
        print(&app.printer, &report);
    }
    Ok(if arguments.exit_code && !report.promoted {
        8
    } else {
        0
    })
}

fn print(printer: &Printer, report: &PromotionReport) {
    let from = &report.from;
    printer.answer(format!(
        "{} → {}",
        paint(STRONG, words::line(&from.environment)),
        paint(STRONG, words::line(&report.environment))
    ));
    printer.answer(format!(
        "ledger {} ({}), root {}, from {}",
        words::short(&from.ledger),
        words::count(from.size, "event", "events"),
        words::short(&from.root),
        words::line(&from.source)
    ));
    printer.answer(paint(
        DIM,
        format!(
            "{}; {}",
            verify::completeness(from.anchored_to, from.anchored_size),
            verify::trust(from.trusted)
        ),
    ));
    let worth_a_look = from
        .findings
        .iter()
        .filter(|finding| finding.code != Code::FirstKeyNotTrusted);
    for finding in worth_a_look {
        printer.answer(verify::finding_line(finding));
    }
    for line in table(&report.migrations) {
        printer.answer(line);
    }
    let counts = &report.counts;
    let mut parts = vec![
        paint(GOOD, format!("{} promoted", counts.promoted)),
        paint(
            if counts.not_promoted > 0 { BAD } else { DIM },
            format!("{} not", counts.not_promoted),
        ),
    ];
    for (count, word) in [
        (counts.only_there, "only there"),
        (counts.other_order, "in another order"),
    ] {
        if count > 0 {
            parts.push(paint(CARE, format!("{count} {word}")));
        }
    }
    printer.answer(parts.join(" · "));
}

fn table(migrations: &[PromotedMigration]) -> Vec<String> {
    if migrations.is_empty() {
        return Vec::new();
    }
    let titles = [
        "VERSION", "NAME", "HERE", "THERE", "APPLIED", "BY", "CHECKS", "ROLLBACK", "APPROVED",
        "DIFFERS",
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    rows.extend(migrations.iter().map(row));
    words::columns(&rows)
}

fn row(migration: &PromotedMigration) -> Vec<String> {
    let dash = || "-".to_owned();
    let applied = migration.applied.as_ref();
    let here = migration
        .here
        .map_or_else(dash, |state| state.as_str().replace('_', " "));
    let there = match (applied, migration.there) {
        (Some(applied), PromotionStanding::Applied) => format!("applied #{}", applied.position),
        (_, there) => there.as_str().replace('_', " "),
    };
    let approved = applied
        .filter(|applied| !applied.approved_by.is_empty())
        .map_or_else(dash, |applied| words::line(&applied.approved_by.join(", ")));
    let differences: Vec<&str> = migration
        .differences
        .iter()
        .copied()
        .map(Difference::words)
        .collect();
    vec![
        words::line(&migration.version),
        words::line(&migration.name),
        here,
        there,
        applied.map_or_else(dash, |applied| words::time(applied.applied_at)),
        applied.map_or_else(dash, |applied| words::line(&applied.applied_by)),
        applied.map_or_else(dash, checks),
        rollback(migration),
        approved,
        if differences.is_empty() {
            dash()
        } else {
            differences.join(", ")
        },
    ]
}

/// What was checked of a script or its run, and how it came out.
fn checks(applied: &AppliedThere) -> String {
    let mut parts = Vec::new();
    if applied.verified == Some(true) {
        parts.push("verified".to_owned());
    }
    let held = applied.checks.iter().filter(|check| check.holds).count();
    if !applied.checks.is_empty() {
        parts.push(format!("{held} of {} held", applied.checks.len()));
    }
    if let Some(validation) = applied.validation {
        parts.push(words::count(validation.warnings, "warning", "warnings"));
    }
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(", ")
    }
}

fn rollback(migration: &PromotedMigration) -> String {
    let past = &migration.past;
    let mut parts = Vec::new();
    if past.rollback_tried {
        parts.push("tried".to_owned());
    } else if past.rolled_back > 0 {
        parts.push("another was tried".to_owned());
    }
    for (count, word) in [
        (past.rollback_failed, "rollback failed"),
        (past.failed, "attempt failed"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(", ")
    }
}
