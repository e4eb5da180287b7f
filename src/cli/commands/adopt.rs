//! `adopt` and `baseline`: how a history begins in a database that has a past; `export-history`: how
//! another tool goes on with it.

use mledger::adopt::Revision;
use mledger::error::Error;
use mledger::migration::format::Format;
use mledger::report::{AdoptedMigration, AdoptionReport, Baselined, Refusal};
use mledger::request::{Adopt, Baseline};

use super::super::app::App;
use super::super::args;
use super::super::output::{BAD, CARE, DIM, GOOD, Printer, paint};
use super::super::words;
use super::version;

pub(super) async fn adopt(app: &App, arguments: args::Adopt) -> Result<u8, Error> {
    let request = Adopt {
        tool: arguments.from,
        table: arguments.table,
        registry: arguments.registry,
        through: arguments.through.as_deref().map(version).transpose()?,
        force: arguments.force,
    };
    if arguments.dry_run {
        let report = app.reader().await?.migrator.plan_adopt(&request).await?;
        print(&app.printer, &report);
        return Ok(if report.refusals.is_empty() { 0 } else { 3 });
    }
    let opened = app.writer().await?;
    let report = opened.migrator.adopt(&request).await;
    opened.watcher.finish();
    print(&app.printer, &report?);
    Ok(0)
}

pub(super) async fn baseline(app: &App, arguments: args::Baseline) -> Result<u8, Error> {
    let request = Baseline {
        version: version(&arguments.version)?,
        reason: arguments.reason,
    };
    let opened = app.writer().await?;
    let answer = opened.migrator.baseline(&request).await;
    opened.watcher.finish();
    let answer = answer?;
    if app.printer.is_json() {
        app.printer.document(&answer);
        return Ok(0);
    }
    let Baselined {
        marked, pending, ..
    } = &answer;
    app.printer.answer(format!(
        "{} recorded as applied without being run, up to `{}` · {pending} pending",
        marked.len(),
        request.version
    ));
    Ok(0)
}

pub(super) async fn export_history(
    app: &App,
    arguments: &args::ExportHistory,
) -> Result<u8, Error> {
    let opened = app.writer().await?;
    let answer = opened.migrator.export_history(&arguments.to).await;
    opened.watcher.finish();
    let left = answer?;
    if app.printer.is_json() {
        app.printer.document(&left);
    } else {
        app.printer.answer(format!(
            "{} written to `{}` for {}",
            words::count(left.rows, "row", "rows"),
            words::line(&left.table),
            words::line(&left.tool)
        ));
    }
    Ok(0)
}

fn print(printer: &Printer, report: &AdoptionReport) {
    if printer.is_json() {
        printer.document(report);
        return;
    }
    printer.answer(format!(
        "history of {} in the table `{}`, {}{}",
        paint(GOOD, words::line(&report.tool)),
        words::line(&report.table),
        words::count(report.rows, "row", "rows"),
        report
            .format
            .filter(|format| *format != Format::Mledger.as_str())
            .map_or_else(String::new, |format| format!(
                ", and files in the form of {format}"
            ))
    ));
    for migration in &report.migrations {
        printer.answer(line(migration));
    }
    if let Some(text) = unmatched(&report.unmatched) {
        printer.answer(text);
    }
    let in_use = |refusal: &Refusal| refusal.code == "adoption-in-use";
    if !report.lock_free && !report.refusals.iter().any(in_use) {
        printer.answer(paint(
            CARE,
            format!(
                "no lock of {} is known here: see to it that it is not at work",
                words::line(&report.tool)
            ),
        ));
    }
    for refusal in &report.refusals {
        printer.answer(format!(
            "{} {}: {}",
            paint(BAD, "refused"),
            refusal.code,
            words::line(&refusal.message)
        ));
        printer.answer(paint(DIM, format!("  hint: {}", refusal.hint)));
    }
    let done = if report.run.is_some() {
        "taken over"
    } else {
        "would be taken over"
    };
    let through = report
        .through
        .as_ref()
        .map_or_else(String::new, |version| format!(", up to `{version}`"));
    printer.answer(format!(
        "{} {done}{through} · {} pending",
        report.marked, report.pending
    ));
    printer.answer(paint(
        DIM,
        format!("rows and verdicts: {}", words::short(&report.digest)),
    ));
}

/// What no file of the folder carries the name of: the first and the last by name, since a program may
/// have thousands.
fn unmatched(revisions: &[Revision]) -> Option<String> {
    let name = |revision: &Revision| format!("`{}`", words::line(&revision.name));
    let (first, last) = (revisions.first()?, revisions.last()?);
    let names = match revisions.len() {
        1 => name(first),
        2 => format!("{} and {}", name(first), name(last)),
        _ => format!("{} … {}", name(first), name(last)),
    };
    Some(format!(
        "{} {} without a file of that name: {names}",
        paint(CARE, "·"),
        words::count(revisions.len() as u64, "revision", "revisions")
    ))
}

fn line(migration: &AdoptedMigration) -> String {
    let (mark, style) = if migration.marked {
        ("✓", GOOD)
    } else {
        ("·", CARE)
    };
    let at = migration
        .applied_at
        .as_ref()
        .map_or_else(String::new, |at| format!(", {}", words::line(at)));
    format!(
        "{} {} {}  {}",
        paint(style, mark),
        words::line(&migration.version),
        words::line(&migration.name),
        paint(DIM, format!("{}{at}", migration.verdict.as_str()))
    )
}
