//! `verify`: what was checked, what was found, and what completeness is anchored to.

use std::fs;
use std::path::{Path, PathBuf};

use ledger::verify::Anchor;
use ledger::{Finding, Severity};
use mledger::checkpoints;
use mledger::error::Error;
use mledger::report::{Checked, VerifyReport};
use mledger::request::Verify;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::args;
use super::super::failure::{is_error, usage};
use super::super::output::{BAD, CARE, GOOD, Printer, STRONG, paint};
use super::super::surroundings;
use super::super::words;

pub(super) async fn verify(app: &App, arguments: args::Verify) -> Result<u8, Error> {
    let near = |path: &Path| surroundings::nearby(&app.around.working.join(path));
    let request = Verify {
        strict: arguments.strict,
        ..request(&arguments.anchors, near)?
    };
    let opened = app.reader().await?;
    let report = opened.migrator.verify(&request).await;
    opened.watcher.finish();
    Ok(print(&app.printer, &report?))
}

/// Reads the files that are named; `at` says where they are.
pub(super) fn request(
    arguments: &args::Anchors,
    at: impl Fn(&Path) -> PathBuf,
) -> Result<Verify, Error> {
    let trust = arguments.trust.as_ref();
    Ok(Verify {
        ledger: arguments.ledger,
        trust: trust.map(|path| read(&at(path))).transpose()?,
        checkpoints: notes(&arguments.checkpoint, at)?,
        witnesses: arguments.witness.clone(),
        strict: false,
    })
}

/// Reads checkpoints, also those whose line ends were changed on the way.
pub(super) fn notes(
    paths: &[PathBuf],
    at: impl Fn(&Path) -> PathBuf,
) -> Result<Vec<String>, Error> {
    let note = |path: &PathBuf| read(&at(path)).map(|note| checkpoints::line_feeds(&note));
    paths.iter().map(note).collect()
}

pub(super) fn print(printer: &Printer, report: &VerifyReport) -> u8 {
    let first = report.findings.iter().find(|finding| is_error(finding));
    let code = if first.is_some() { 4 } else { 0 };
    if printer.is_json() {
        match first {
            None => printer.document(report),
            Some(first) => printer.failure(&Broken {
                error: json!({
                    "code": first.code.as_str(),
                    "message": first.message,
                    "exit_code": code,
                }),
                report,
            }),
        }
        return code;
    }
    if let Some(id) = report.lineage.last() {
        printer.answer(format!("ledger    {id}"));
    }
    if let Some(lineage) = words::lineage(&report.lineage) {
        printer.answer(format!("lineage   {lineage}"));
    }
    printer.answer(format!("head      {}", report.head));
    printer.answer(format!("root      {}", report.root));
    printer.answer(format!("checked   {}", checked(&report.checked)));
    printer.answer(format!(
        "complete  {}",
        completeness(report.anchored_to, report.anchored_size)
    ));
    printer.answer(format!("trust     {}", trust(report.trusted)));
    for finding in &report.findings {
        printer.answer(finding_line(finding));
    }
    let warnings = report
        .findings
        .iter()
        .filter(|finding| !is_error(finding))
        .count();
    let errors = report.findings.len() - warnings;
    let counts = format!(
        "{}, {}",
        words::count(words::number(errors), "error", "errors"),
        words::count(words::number(warnings), "warning", "warnings")
    );
    printer.answer(if errors == 0 {
        format!(
            "{}: the tamper-evident history of {} is what was signed; {counts}",
            paint(GOOD, "intact"),
            words::count(report.size, "event", "events")
        )
    } else {
        format!(
            "{}: something is not what was recorded; {counts}",
            paint(BAD, "not intact")
        )
    });
    code
}

/// Returns a finding as one line.
pub(in super::super) fn finding_line(finding: &Finding) -> String {
    let style = match finding.severity {
        Severity::Error => BAD,
        Severity::Warning => CARE,
    };
    let place = finding
        .seq
        .map_or_else(String::new, |seq| format!(" at event {seq}"));
    format!(
        "  {} {}{place}: {}",
        paint(style, finding.severity),
        paint(STRONG, finding.code),
        words::line(&finding.message)
    )
}

fn checked(checked: &Checked) -> String {
    let offline = checked.bundle_files > 0;
    let parts: Vec<String> = [
        (checked.events, "event", "events"),
        (checked.signatures, "signature", "signatures"),
        (checked.objects, "stored script", "stored scripts"),
        (checked.files, "file", "files"),
        (checked.guards, "guard", "guards"),
        (checked.schemas, "schema fingerprint", "schema fingerprints"),
        (
            checked.bundle_files,
            "file of the bundle",
            "files of the bundle",
        ),
    ]
    .into_iter()
    .enumerate()
    // what a bundle has nothing of was not looked at, and a database has no files of a bundle
    .filter(|(place, (number, ..))| *number > 0 || (!offline && *place < 6))
    .map(|(_, part)| part)
    .map(|(number, one, many)| words::count(number, one, many))
    .collect();
    parts.join(", ")
}

/// Never says more than is known (docs/format.md, third promise).
pub(super) fn completeness(anchored_to: Anchor, size: u64) -> String {
    let size = words::count(size, "event", "events");
    match anchored_to {
        Anchor::Nothing => {
            "anchored to nothing: events may be missing at the end without a trace; \
             compare with a checkpoint that was kept elsewhere"
                .to_owned()
        }
        Anchor::RememberedHead => {
            format!("anchored to the head that this machine remembers, {size}")
        }
        Anchor::Checkpoint => format!("anchored to a checkpoint from outside, {size}"),
    }
}

pub(super) fn trust(trusted: bool) -> &'static str {
    if trusted {
        "the ledger's first key is known from outside"
    } else {
        "the ledger's first key was taken on trust; `--ledger ID` or `--trust FILE` says whose it is"
    }
}

pub(super) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| {
        usage(
            "file-unreadable",
            format!("cannot read `{}`: {error}", path.display()),
            "check the path and its permissions",
        )
    })
}

#[derive(Serialize)]
struct Broken<'a> {
    error: Value,
    #[serde(flatten)]
    report: &'a VerifyReport,
}
