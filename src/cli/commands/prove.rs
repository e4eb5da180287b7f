//! `prove` and `verify --proof`: one event, and that it is in the ledger.

use std::path::Path;

use ledger::verify::Anchor;
use mledger::audit;
use mledger::checkpoints;
use mledger::error::Error;
use mledger::report::{ProofReport, ProofView};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::args;
use super::super::failure::is_error;
use super::super::output::{BAD, DIM, GOOD, Printer, paint};
use super::super::surroundings;
use super::super::words;
use super::audit::write;
use super::verify::{finding_line, read, request};

pub(super) async fn prove(app: &App, arguments: args::Prove) -> Result<u8, Error> {
    let at = |path: &Path| surroundings::nearby(&app.around.working.join(path));
    let under = match &arguments.checkpoint {
        Some(path) => Some(checkpoints::line_feeds(&read(&at(path))?)),
        None => None,
    };
    let migrator = app.reader().await?.migrator;
    let proven = migrator.prove(arguments.seq, under.as_deref()).await?;
    let file = arguments.out.as_deref().map(at);
    if let Some(path) = &file {
        write("proof", path, &proven.proof)?;
    }
    if app.printer.is_json() {
        app.printer.document(&Proven {
            proof: proven,
            file: file.map(|file| file.display().to_string()),
        });
        return Ok(0);
    }
    match file {
        None => app.printer.part(proven.proof.as_bytes()),
        Some(file) => app.printer.answer(format!(
            "wrote the proof of event {} among {} to `{}`",
            proven.seq,
            words::count(proven.size, "event", "events"),
            file.display()
        )),
    }
    app.printer.note(paint(
        DIM,
        "`mledger verify --proof FILE --trust FILE` checks it, with the ledger's allowed signers; it \
         needs no database",
    ));
    Ok(0)
}

/// Verifies a proof where there is neither a database nor a configuration.
pub(super) fn verify(
    global: &args::Global,
    arguments: &args::Verify,
    printer: &Printer,
) -> Result<u8, Error> {
    let folder = global.project.clone().unwrap_or_default();
    let request = request(&arguments.anchors, |path| folder.join(path))?;
    let path = folder.join(arguments.proof.as_deref().unwrap_or(Path::new("")));
    let report = audit::verify_proof(&read(&path)?, &request)?;
    Ok(print(printer, &report))
}

fn print(printer: &Printer, report: &ProofReport) -> u8 {
    let first = report.findings.iter().find(|finding| is_error(finding));
    let code = if first.is_some() { 4 } else { 0 };
    let event: Value = serde_json::from_slice(&report.line).unwrap_or_default();
    if printer.is_json() {
        let error = first.map(|first| {
            json!({
                "code": first.code.as_str(),
                "message": first.message,
                "exit_code": code,
            })
        });
        let document = Checked {
            error,
            event,
            report,
        };
        if code == 0 {
            printer.document(&document);
        } else {
            printer.failure(&document);
        }
        return code;
    }
    let claimed = &report.event;
    let size = words::count(report.size, "event", "events");
    printer.answer(format!(
        "event     {} {} at {} by {}",
        report.seq,
        words::line(claimed.body.kind()),
        claimed.time,
        words::line(&claimed.actor)
    ));
    printer.answer(format!("hash      {}", report.hash));
    printer.answer(format!("ledger    {}", report.ledger));
    printer.answer(format!(
        "included  in the tree of {size} with the root {}",
        report.root
    ));
    printer.answer(format!("signed    {}", signed(report)));
    printer.answer(format!("head      {}", head(report)));
    printer.answer(
        "unknown   whether its key held the role for it, and what else is in the ledger: that takes the \
         whole of it",
    );
    for finding in &report.findings {
        printer.answer(finding_line(finding));
    }
    printer.answer(if code == 0 {
        format!(
            "{}: event {} is in this ledger, as it was signed",
            paint(GOOD, "proven"),
            report.seq
        )
    } else {
        format!("{}: see above", paint(BAD, "not proven"))
    });
    code
}

/// Never says more than was checked (docs/format.md, third promise).
fn signed(report: &ProofReport) -> String {
    if report.trusted {
        format!("by the trusted key {}", report.event.key)
    } else {
        format!(
            "as it says by the key {}, which was not checked",
            report.event.key
        )
    }
}

fn head(report: &ProofReport) -> String {
    let kept = match report.anchored_to {
        Anchor::Checkpoint => "is the one that was kept",
        Anchor::Nothing | Anchor::RememberedHead => "was compared with none that was kept",
    };
    match &report.signed_by {
        Some(key) => format!("{kept}, and is signed by the trusted key {key}"),
        None => format!("{kept}; no trusted key was seen to have signed it"),
    }
}

#[derive(Serialize)]
struct Proven {
    #[serde(flatten)]
    proof: ProofView,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

#[derive(Serialize)]
struct Checked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    event: Value,
    #[serde(flatten)]
    report: &'a ProofReport,
}
