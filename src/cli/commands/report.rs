//! `report`: what was changed in a period, in the form that was asked for.

use std::path::{Path, PathBuf};

use ledger::Severity;
use mledger::audit;
use mledger::compliance::{self, Asked, Enclosure, Framework, publish, sample};
use mledger::error::Error;
use mledger::request::Verify;
use serde::Serialize;

use super::super::app::App;
use super::super::args::{self, ReportCommand, ReportOptions, ReportOutput, ReportSample};
use super::super::failure::usage;
use super::super::output::{BAD, CARE, GOOD, Printer, paint};
use super::super::surroundings;
use super::super::words;
use super::verify;

/// The program that makes reports.
const TOOL: &str = concat!("mledger/", env!("CARGO_PKG_VERSION"));

/// Says whether neither a database nor a configuration is needed.
pub(super) fn is_offline(arguments: &args::Report) -> bool {
    let options = match &arguments.command {
        Some(ReportCommand::Sample(sample)) => &sample.options,
        None => &arguments.options,
    };
    options.bundle.is_some()
}

/// Reports on a live database.
pub(super) async fn report(app: &App, arguments: args::Report) -> Result<u8, Error> {
    let order = Order::of(arguments, &app.around.working)?;
    let opened = app.reader().await?;
    let report = opened.migrator.report(&order.verify, &order.asked).await;
    let enclosure = match (&report, order.output) {
        (Ok(report), Some(ReportOutput::Html)) => {
            opened.migrator.enclosure(report.verification.size).await
        }
        _ => Ok(Enclosure::default()),
    };
    opened.watcher.finish();
    order.deliver(report?, &enclosure?, &app.printer)
}

/// Reports on a bundle, where there is neither a database nor a configuration.
pub(super) fn bundle(
    global: &args::Global,
    arguments: args::Report,
    printer: &Printer,
) -> Result<u8, Error> {
    let folder = global.project.clone().unwrap_or_default();
    let order = Order::of(arguments, &folder)?;
    let path = folder.join(order.bundle.as_deref().unwrap_or(Path::new("")));
    let report = audit::report(&path, &order.verify, &order.asked, TOOL)?;
    let enclosure = match order.output {
        Some(ReportOutput::Html) => audit::enclosure(&path)?,
        _ => Enclosure::default(),
    };
    order.deliver(report, &enclosure, printer)
}

/// What was typed, and what it means.
struct Order {
    verify: Verify,
    asked: Asked,
    bundle: Option<PathBuf>,
    output: Option<ReportOutput>,
    out: Option<PathBuf>,
    /// The seed, and how many.
    sample: Option<(String, u64)>,
}

impl Order {
    fn of(arguments: args::Report, folder: &Path) -> Result<Self, Error> {
        let (options, sample) = match arguments.command {
            None => (arguments.options, None),
            Some(ReportCommand::Sample(ReportSample { n, seed, options })) => {
                (options, Some((seed, words::number(n))))
            }
        };
        let ReportOptions {
            period,
            framework,
            output,
            out,
            bundle,
            anchors,
        } = options;
        let nearby = |path: &Path| surroundings::nearby(&folder.join(path));
        Ok(Self {
            verify: verify::request(&anchors, nearby)?,
            asked: Asked {
                since: period.since,
                until: period.until,
                from: period.from,
                to: period.to,
                framework: framework.map(named),
            },
            bundle,
            output,
            out: out.as_deref().map(nearby),
            sample,
        })
    }

    /// Prints the report, or writes it to where it was asked for; the exit code says whether all was as
    /// recorded.
    fn deliver(
        self,
        report: compliance::Report,
        enclosure: &Enclosure,
        printer: &Printer,
    ) -> Result<u8, Error> {
        let report = match &self.sample {
            None => report,
            Some((seed, count)) => sample::draw(report, seed, *count),
        };
        let findings = &report.verification.findings;
        let mut findings = findings.iter();
        let intact = !findings.any(|finding| finding.severity == Severity::Error);
        let code = if intact { 0 } else { 4 };
        let output = match self.output {
            Some(output) => output,
            None if printer.is_json() && self.out.is_none() => ReportOutput::Json,
            None => ReportOutput::Markdown,
        };
        let Some(path) = &self.out else {
            let text = match output {
                // with `--json` stdout is one document
                _ if printer.is_json() => compliance::json(&report)?,
                ReportOutput::Json => compliance::json(&report)?,
                ReportOutput::Markdown => compliance::markdown(&report),
                ReportOutput::Html => compliance::html(&report, enclosure),
                ReportOutput::Csv | ReportOutput::Xlsx => return Err(no_place()),
            };
            printer.part(text.as_bytes());
            if !intact {
                printer.warn(BROKEN);
            }
            return Ok(code);
        };
        match output {
            ReportOutput::Json => publish::file(path, compliance::json(&report)?.as_bytes())?,
            ReportOutput::Markdown => {
                publish::file(path, compliance::markdown(&report).as_bytes())?
            }
            ReportOutput::Html => {
                publish::file(path, compliance::html(&report, enclosure).as_bytes())?;
            }
            ReportOutput::Xlsx => publish::file(path, &compliance::workbook(&report)?)?,
            ReportOutput::Csv => {
                let files = compliance::csv::files(&report);
                let files = files.iter().map(|(name, text)| (*name, text.as_bytes()));
                publish::folder(path, files)?;
            }
        }
        told(&report, path, intact, printer);
        Ok(code)
    }
}

const BROKEN: &str = "something is not what was recorded; the report says what";

fn told(report: &compliance::Report, path: &Path, intact: bool, printer: &Printer) {
    let written = Written {
        path: path.display().to_string(),
        changes: words::number(report.changes.len()),
        exceptions: words::number(report.exceptions.len()),
        intact,
    };
    if printer.is_json() {
        printer.plain_document(intact, &written);
        return;
    }
    let exceptions = words::count(written.exceptions, "exception", "exceptions");
    printer.answer(format!(
        "{}: {}, {}, in `{}`",
        paint(GOOD, "written"),
        words::count(written.changes, "change", "changes"),
        if written.exceptions == 0 {
            exceptions
        } else {
            paint(CARE, exceptions)
        },
        words::line(&written.path)
    ));
    if !intact {
        printer.answer(paint(BAD, BROKEN));
    }
}

#[derive(Serialize)]
struct Written {
    path: String,
    changes: u64,
    exceptions: u64,
    intact: bool,
}

fn named(framework: args::Framework) -> Framework {
    match framework {
        args::Framework::Soc2 => Framework::Soc2,
        args::Framework::Iso27001 => Framework::Iso27001,
        args::Framework::Pci => Framework::Pci,
        args::Framework::Sox => Framework::Sox,
        args::Framework::Nist => Framework::Nist,
    }
}

fn no_place() -> Error {
    usage(
        "report-needs-path",
        "expected `--out PATH` with a form of several files or of bytes that are no text"
            .to_owned(),
        "add `--out` with the name of a new folder (csv) or file (xlsx)",
    )
}
