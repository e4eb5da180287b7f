//! `validate`: what the rules found, in the form that was asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::Severity;
use mledger::error::Error;
use mledger::lint::fix::{self, Mended};
use mledger::lint::{Finding, Report, output};
use mledger::report::SqlFailure;
use mledger::request::Validate;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::args::{self, Output};
use super::super::excerpt::excerpt;
use super::super::failure::usage;
use super::super::output::{BAD, CARE, DIM, GOOD, HINT, Printer, STRONG, paint};
use super::super::words;

/// How many statements that were not analysed are named.
const NAMED: usize = 10;

pub(super) async fn validate(app: &App, arguments: args::Validate) -> Result<u8, Error> {
    let migrator = app.reader().await?.migrator;
    let request = match &arguments.new_only {
        None => Validate::All,
        Some(None) => Validate::Pending,
        Some(Some(base)) => Validate::Files(changed_since(app, base)?),
    };
    if arguments.fix {
        // what is applied must stay as it is: the ledger has its checksum
        let pending = migrator.validate(&Validate::Pending).await?;
        for file in fix::mend(&pending, &app.around.actor()) {
            mend(&app.printer, &file)?;
        }
    }
    let report = migrator.validate(&request).await?;
    let code = if report.errors > 0 { 3 } else { 0 };
    let wanted = match arguments.output {
        _ if app.printer.is_json() => Output::Json,
        wanted => wanted,
    };
    match wanted {
        Output::Text => text(app, &report),
        Output::Json => app.printer.plain_document(code == 0, &Answer::of(&report)),
        Output::Sarif => {
            let log = output::sarif(&report, env!("CARGO_PKG_VERSION"));
            app.printer.value(&log);
        }
        Output::Github => app.printer.part(output::github(&report).as_bytes()),
        Output::Gitlab => app.printer.value(&output::gitlab(&report)),
    }
    Ok(code)
}

/// The JSON document; with an error in it where a run would be refused.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(flatten)]
    report: &'a Report,
}

impl<'a> Answer<'a> {
    fn of(report: &'a Report) -> Self {
        let first = report.findings.iter().find(|finding| finding.is_error());
        let error = first.map(|finding| {
            json!({
                "code": finding.rule,
                "message": format!("{}: {}", finding.file, finding.message),
                "hint": finding.steps.join("; "),
                "exit_code": 3,
            })
        });
        Self { error, report }
    }
}

fn text(app: &App, report: &Report) {
    let printer = &app.printer;
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    for finding in report.findings.iter().filter(|one| one.waived.is_none()) {
        for line in lines(finding, explained.insert(finding.rule)) {
            printer.answer(line);
        }
    }
    for finding in &report.findings {
        if let Some(reason) = &finding.waived {
            printer.answer(format!(
                "{} {} {}: {}",
                paint(DIM, "waived"),
                finding.rule,
                words::line(&finding.file),
                words::line(reason)
            ));
        }
    }
    for skipped in report.not_analysed.iter().take(NAMED) {
        printer.note(format!(
            "{} {}:{} {}",
            paint(DIM, "not analysed:"),
            words::line(&skipped.file),
            skipped.line,
            words::line(&skipped.begins)
        ));
    }
    printer.answer(summary(report));
}

fn summary(report: &Report) -> String {
    let mut parts = vec![
        words::count(report.errors, "error", "errors"),
        words::count(report.warnings, "warning", "warnings"),
    ];
    if report.waived > 0 {
        parts.push(format!("{} waived", report.waived));
    }
    if !report.not_analysed.is_empty() {
        let number = words::number(report.not_analysed.len());
        parts.push(format!(
            "{} not analysed",
            words::count(number, "statement", "statements")
        ));
    }
    let verdict = if report.errors > 0 {
        paint(BAD, "not valid")
    } else {
        paint(GOOD, "valid")
    };
    format!(
        "{verdict}: {}, {}: {}",
        words::count(report.migrations, "migration", "migrations"),
        words::count(report.statements, "statement", "statements"),
        parts.join(", ")
    )
}

/// Returns a finding as one line.
pub(super) fn finding_line(finding: &Finding) -> String {
    let style = match (&finding.waived, finding.severity) {
        (Some(_), _) => DIM,
        (None, Severity::Error) => BAD,
        (None, Severity::Warning) => CARE,
    };
    let weight = match &finding.waived {
        Some(_) => "waived",
        None => finding.severity.as_str(),
    };
    let line = finding
        .line
        .map_or_else(String::new, |line| format!(" at line {line}"));
    format!(
        "  {} {}{line}: {}",
        paint(style, weight),
        paint(STRONG, finding.rule),
        words::line(&finding.message)
    )
}

/// Returns a finding as a person reads it; the safe way is told once for each rule.
fn lines(finding: &Finding, explain: bool) -> Vec<String> {
    let style = match finding.severity {
        Severity::Error => BAD,
        Severity::Warning => CARE,
    };
    let mut lines = vec![format!(
        "{} {}: {}",
        paint(style, finding.severity),
        paint(STRONG, finding.rule),
        words::line(&finding.message)
    )];
    lines.extend(excerpt(&SqlFailure {
        path: words::line(&finding.file),
        statement: finding.statement,
        line: finding.line,
        column: finding.column,
        text: finding.text.clone(),
        message: finding.message.clone(),
        code: None,
    }));
    if explain {
        lines.push(format!("  {} {}", paint(DIM, "why:"), finding.why));
        for (index, step) in finding.steps.iter().enumerate() {
            let label = if index == 0 { "safe:" } else { "then:" };
            lines.push(format!("  {} {step}", paint(HINT, label)));
        }
    }
    lines.push(String::new());
    lines
}

/// Returns the files that were added since a commit of git, from the project's folder.
fn changed_since(app: &App, base: &str) -> Result<Vec<PathBuf>, Error> {
    let failed = |found: String| {
        usage(
            "git-failed",
            format!("expected git to list what was added since `{base}`, found: {found}"),
            "check the name of the commit or branch, and that the project is in a git repository",
        )
    };
    if base.starts_with('-') {
        return Err(failed("a name that begins with `-`".to_owned()));
    }
    let folder = &app.around.config.migrations.value;
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            let message = String::from_utf8_lossy(&output.stderr);
            let first = message.lines().next().unwrap_or("no answer");
            Err(failed(first.to_owned()))
        }
    };
    // what was committed since the branch began, and what is not committed yet
    let range = format!("{base}...HEAD");
    let mut listed = git(&["diff", "--name-only", "-z", "--relative", &range, "--", "."])?;
    listed.extend(git(&[
        "diff",
        "--name-only",
        "-z",
        "--relative",
        "HEAD",
        "--",
        ".",
    ])?);
    listed.extend(git(&[
        "ls-files",
        "-z",
        "--others",
        "--exclude-standard",
        "--",
        ".",
    ])?);
    let nearby = super::super::surroundings::nearby(folder);
    Ok(listed
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| nearby.join(String::from_utf8_lossy(name).as_ref()))
        .collect())
}

/// Mends a file, and shows what was changed.
fn mend(printer: &Printer, file: &Mended) -> Result<(), Error> {
    if !file.path.exists() {
        return Ok(());
    }
    let unwritten = |path: &Path, error: String| {
        usage(
            "file-not-written",
            format!("cannot mend `{}`: {error}", path.display()),
            "check the folder and its permissions",
        )
    };
    let failed = |error: std::io::Error| unwritten(&file.path, error.to_string());
    let text = fs::read_to_string(&file.path).map_err(failed)?;
    if let Some(after) = file.renamed.as_ref().filter(|after| after.exists()) {
        let message = format!("`{}` is there already", after.display());
        return Err(unwritten(&file.path, message));
    }
    for line in file.diff(&text).lines() {
        let style = match line.chars().next() {
            Some('+') => GOOD,
            Some('-') => BAD,
            _ => DIM,
        };
        printer.note(paint(style, words::line(line)));
    }
    let mended = file.apply(&text);
    if mended != text {
        let folder = file.path.parent().unwrap_or(Path::new("."));
        let mut whole = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        std::io::Write::write_all(&mut whole, mended.as_bytes()).map_err(failed)?;
        let permissions = fs::metadata(&file.path).map_err(failed)?.permissions();
        whole
            .as_file()
            .set_permissions(permissions)
            .map_err(failed)?;
        whole
            .persist(&file.path)
            .map_err(|error| failed(error.error))?;
    }
    if let Some(after) = &file.renamed {
        fs::rename(&file.path, after).map_err(failed)?;
    }
    Ok(())
}
