//! `analyze`: one migration, what it did and what it would do.

use ledger::{Direction, Mode, Timestamp};
use mledger::error::Error;
use mledger::report::{Analysis, Attempt, AttemptOutcome, PendingScript};

use super::super::app::App;
use super::super::args;
use super::super::output::{BAD, CARE, DIM, GOOD, HINT, Printer, STRONG, paint};
use super::super::words;
use super::{validate, version};

pub(super) async fn analyze(app: &App, arguments: &args::Analyze) -> Result<u8, Error> {
    let version = version(&arguments.version)?;
    let analysis = app.reader().await?.migrator.analyze(&version).await?;
    if app.printer.is_json() {
        app.printer.document(&analysis);
    } else {
        print(&app.printer, &analysis, app.source.now());
    }
    Ok(0)
}

fn print(printer: &Printer, analysis: &Analysis, now: Timestamp) {
    printer.answer(format!(
        "{}  {}",
        paint(
            STRONG,
            format!(
                "{} {}",
                words::line(&analysis.version),
                words::line(&analysis.name)
            )
        ),
        analysis.state.as_str().replace('_', " ")
    ));
    if let Some(description) = &analysis.description {
        printer.answer(format!("  {}", words::line(description)));
    }
    if let Some(release) = &analysis.release {
        printer.answer(format!("  part of {}", words::line(release)));
    }
    if let Some(duration) = duration(analysis) {
        printer.answer(duration);
    }
    if analysis.attempts.is_empty() {
        printer.answer("never started");
    }
    for attempt in &analysis.attempts {
        for line in attempt_lines(attempt, now) {
            printer.answer(line);
        }
    }
    for answer in &analysis.answers {
        printer.answer(format!(
            "{} {} by {}: {}  {}",
            paint(CARE, words::line(&answer.what)),
            words::time(answer.time),
            words::line(&answer.by),
            words::line(&answer.reason),
            paint(DIM, format!("`mledger show {}`", answer.seq))
        ));
    }
    if let Some(pending) = &analysis.pending {
        script(printer, pending);
    }
}

/// What was expected and what it was.
fn duration(analysis: &Analysis) -> Option<String> {
    let actual = analysis.actual_ms.map(words::duration);
    let estimated = analysis.estimated_ms.map(words::duration);
    match (actual, estimated) {
        (Some(actual), Some(estimated)) => {
            Some(format!("took {actual}, by its header {estimated}"))
        }
        (Some(actual), None) => Some(format!("took {actual}; its header has no estimate")),
        (None, Some(estimated)) => Some(format!("takes {estimated} by its header")),
        (None, None) => None,
    }
}

fn attempt_lines(attempt: &Attempt, now: Timestamp) -> Vec<String> {
    let (style, ended) = match attempt.outcome {
        AttemptOutcome::Applied => (GOOD, "applied"),
        AttemptOutcome::RolledBack => (GOOD, "rolled back"),
        AttemptOutcome::Failed if attempt.clean == Some(false) => (BAD, "failed, a part remains"),
        AttemptOutcome::Failed => (BAD, "failed, nothing remains"),
        AttemptOutcome::Aborted => (CARE, "aborted, nothing had happened"),
        AttemptOutcome::Unfinished => (CARE, "not ended"),
    };
    let took = attempt
        .duration_ms
        .map_or_else(String::new, |ms| format!(" in {}", words::duration(ms)));
    let direction = match attempt.direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    let mut lines = vec![format!(
        "{direction} {} {}, attempt {}: {}{took}",
        words::time(attempt.began),
        words::ago(now, attempt.began),
        attempt.attempt,
        paint(style, ended)
    )];
    let command = attempt
        .command
        .as_ref()
        .map_or_else(String::new, |command| {
            format!(" by `{}`", words::line(command))
        });
    let ticket = attempt.ticket.as_ref().map_or_else(String::new, |ticket| {
        format!(" for {}", words::line(ticket))
    });
    lines.push(paint(
        DIM,
        format!(
            "  {}@{}{command}{ticket}, run {}, {}, {}",
            words::line(&attempt.by),
            words::line(&attempt.host),
            attempt.run,
            words::count(attempt.statements, "statement", "statements"),
            mode(attempt.mode)
        ),
    ));
    if attempt.mode == Mode::Stepwise {
        let slowest = attempt.slowest.map_or_else(String::new, |slowest| {
            format!(
                ", the slowest was step {} with {}",
                slowest.step,
                words::duration(slowest.duration_ms)
            )
        });
        lines.push(format!(
            "  {} took effect one by one{slowest}",
            words::count(attempt.steps_applied, "statement", "statements")
        ));
    }
    if let Some(message) = &attempt.message {
        let line = attempt
            .line
            .map_or_else(String::new, |line| format!("at line {line}: "));
        lines.push(format!("  {line}{}", words::line(message)));
    }
    lines
}

fn script(printer: &Printer, pending: &PendingScript) {
    let how = pending.mode.map_or("cannot run as it is", mode);
    printer.answer(format!(
        "{} {}, {}, {how}",
        paint(STRONG, "would run"),
        words::line(&pending.path),
        words::count(
            words::number(pending.statements.len()),
            "statement",
            "statements"
        )
    ));
    let rows: Vec<Vec<String>> = pending
        .statements
        .iter()
        .map(|statement| {
            let what = if statement.what.is_empty() {
                words::line(&statement.begins)
            } else {
                statement.what.join(", ")
            };
            let alone = pending.self_committing.contains(&statement.statement);
            vec![
                format!("  line {}", statement.line),
                what,
                words::line(&statement.tables.join(", ")),
                if alone { "commits by itself" } else { "" }.to_owned(),
            ]
        })
        .collect();
    for line in words::columns(&rows) {
        printer.answer(line);
    }
    for table in &pending.tables {
        let rows = table
            .rows
            .map_or_else(String::new, |rows| format!("about {rows} rows in "));
        printer.answer(format!(
            "  {} has {rows}{}",
            words::line(&table.name),
            words::bytes(table.bytes)
        ));
    }
    if pending.estimated_by_size_ms > 0 {
        printer.answer(format!(
            "  by the sizes of the tables it takes about {}, roughly",
            words::duration(pending.estimated_by_size_ms)
        ));
    }
    for finding in &pending.findings {
        printer.answer(validate::finding_line(finding));
    }
    for refusal in &pending.refusals {
        printer.answer(format!(
            "{} {}",
            paint(BAD, "refused:"),
            words::line(&refusal.message)
        ));
        printer.answer(format!("  {} {}", paint(HINT, "hint:"), refusal.hint));
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Atomic => "one transaction",
        Mode::Stepwise => "statement by statement",
    }
}
