//! `plan`, and what `--dry-run` prints.

use std::fs;
use std::path::Path;

use ledger::{Direction, Mode};
use mledger::error::Error;
use mledger::report::{PlanReport, PlannedStep, PromotionView};
use mledger::request::Up;
use serde::Serialize;

use super::super::app::App;
use super::super::args;
use super::super::failure::{self, usage};
use super::super::output::{BAD, CARE, DIM, FORMAT_VERSION, HINT, Printer, STRONG, paint};
use super::super::words;
use super::{runs, validate};

pub(super) async fn plan(app: &App, arguments: args::Plan) -> Result<u8, Error> {
    let (to, release) = runs::reach(arguments.to.as_deref())?;
    let request = Up {
        to,
        release,
        count: arguments.count,
        out_of_order: arguments.out_of_order,
        ..Up::default()
    };
    let report = app.reader().await?.migrator.plan_up(&request).await?;
    if let Some(path) = &arguments.out {
        let path = app.around.working.join(path);
        let document = Document {
            format_version: FORMAT_VERSION,
            ok: true,
            plan: &report,
            object: &String::from_utf8_lossy(&report.object),
        };
        let written = serde_json::to_string_pretty(&document)
            .map_err(std::io::Error::from)
            .and_then(|text| fs::write(&path, format!("{text}\n")));
        written.map_err(|error| {
            usage(
                "file-not-written",
                format!("cannot write the plan to `{}`: {error}", path.display()),
                "check the folder and its permissions",
            )
        })?;
    }
    let code = print(&app.printer, &report);
    let something = !report.steps.is_empty() || !report.settles.is_empty();
    Ok(if code == 0 && arguments.exit_code && something {
        8
    } else {
        code
    })
}

/// Reads the plan's canonical form out of a file that `plan --out` wrote.
pub(super) fn read(app: &App, path: &Path) -> Result<Vec<u8>, Error> {
    let path = app.around.working.join(path);
    let invalid = |message: String| {
        usage(
            "plan-invalid",
            message,
            "`mledger plan --out FILE` writes such a file",
        )
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        invalid(format!(
            "cannot read the plan `{}`: {error}",
            path.display()
        ))
    })?;
    let document: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        invalid(format!(
            "expected a plan in `{}`, found another text: {error}",
            path.display()
        ))
    })?;
    let object = document.get("object").and_then(serde_json::Value::as_str);
    let object = object.ok_or_else(|| {
        invalid(format!(
            "expected a plan with its member `object` in `{}`, found none",
            path.display()
        ))
    })?;
    Ok(object.as_bytes().to_vec())
}

/// Prints a plan; the exit code says whether it could run.
pub(super) fn print(printer: &Printer, report: &PlanReport) -> u8 {
    let code = if report.refusals.is_empty() { 0 } else { 3 };
    if printer.is_json() {
        if code == 0 {
            printer.document(report);
        } else {
            let error = failure::document(&Error::Refused(report.refusals.clone()));
            printer.failure(&Refused {
                error,
                plan: report,
            });
        }
        return code;
    }
    for version in &report.settles {
        printer.answer(format!("settles the unfinished start of `{version}` first"));
    }
    for step in &report.steps {
        print_step(printer, step);
    }
    for refusal in &report.refusals {
        printer.answer(format!("{} {}", paint(BAD, "refused:"), refusal.message));
        printer.answer(format!("  {} {}", paint(HINT, "hint:"), refusal.hint));
    }
    if report.approvals.required > 0 {
        printer.answer(format!(
            "approvals: {} of {}",
            report.approvals.granted.len(),
            report.approvals.required
        ));
        for name in &report.approvals.granted {
            printer.answer(format!("  approved by {}", words::line(name)));
        }
    }
    if let Some(promotion) = &report.promotion {
        printer.answer(promoted(promotion));
    }
    if report.backup {
        printer.answer("a backup is taken first");
    }
    if report.steps.is_empty() {
        if report.refusals.is_empty() {
            printer.answer("nothing to do");
        }
        return code;
    }
    let estimate: u64 = report
        .steps
        .iter()
        .filter_map(|step| step.estimated_ms)
        .sum();
    let estimate = if estimate > 0 {
        format!(", estimated {}", words::duration(estimate))
    } else {
        String::new()
    };
    printer.answer(format!(
        "{}{estimate}",
        words::count(words::number(report.steps.len()), "step", "steps")
    ));
    printer.answer(format!("plan {}", report.plan));
    code
}

fn promoted(promotion: &PromotionView) -> String {
    let all = promotion.promoted.len() + promotion.missing.len();
    let ledger = promotion.from.as_ref().map_or_else(String::new, |from| {
        format!(
            ", whose ledger {} has {}",
            words::short(&from.ledger),
            words::count(from.size, "event", "events")
        )
    });
    format!(
        "promotion: {} of {all} applied in {}{ledger}",
        promotion.promoted.len(),
        words::line(&promotion.required_from)
    )
}

fn print_step(printer: &Printer, step: &PlannedStep) {
    let direction = match step.direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    let mode = match step.mode {
        Mode::Atomic => "one transaction",
        Mode::Stepwise => "statement by statement",
    };
    printer.answer(format!(
        "{} {}",
        paint(
            STRONG,
            format!(
                "{} {} {direction}",
                words::line(&step.version),
                words::line(&step.name)
            )
        ),
        paint(
            DIM,
            format!(
                "{}, {mode}, {}",
                words::count(step.statement_count, "statement", "statements"),
                step.path
            )
        )
    ));
    if step.own_transaction {
        printer.answer(paint(
            CARE,
            "  its own BEGIN and COMMIT are left out: it runs in the tool's transaction",
        ));
    }
    if step.out_of_order {
        printer.answer(paint(
            CARE,
            "  out of order: it is older than what is applied",
        ));
    }
    for finding in &step.findings {
        printer.answer(validate::finding_line(finding));
    }
    let widest = step
        .statements
        .iter()
        .map(|statement| last_line(statement.line, &statement.sql))
        .max();
    let margin = widest.unwrap_or(1).to_string().len();
    for statement in &step.statements {
        for (offset, text) in statement.sql.lines().enumerate() {
            let number = statement.line + words::number(offset);
            let number = paint(DIM, format!("{number:>margin$} |"));
            printer.answer(format!("  {number} {}", clean(text)));
        }
    }
    let shown = words::number(step.statements.len());
    if step.statement_count > shown {
        printer.answer(paint(
            DIM,
            format!(
                "  … and {} more",
                words::count(step.statement_count - shown, "statement", "statements")
            ),
        ));
    }
    printer.answer("");
}

fn last_line(line: u64, sql: &str) -> u64 {
    line + words::number(sql.lines().count()).saturating_sub(1)
}

fn clean(text: &str) -> String {
    text.split('\t')
        .map(words::line)
        .collect::<Vec<_>>()
        .join("\t")
}

#[derive(Serialize)]
struct Refused<'a> {
    error: serde_json::Value,
    #[serde(flatten)]
    plan: &'a PlanReport,
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    ok: bool,
    #[serde(flatten)]
    plan: &'a PlanReport,
    /// The plan in its canonical form, byte for byte: its SHA-256 is the digest.
    object: &'a str,
}
