//! `health`: one look for a person, one exit code for a probe.

use ledger::{Severity, Timestamp};
use mledger::error::Error;
use mledger::report::{Health, HealthProblem, LockView, SchemaHealth};
use mledger::request;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::args;
use super::super::output::{BAD, CARE, GOOD, HINT, Printer, STRONG, paint};
use super::super::words;
use super::status;

pub(super) async fn health(app: &App, arguments: &args::Health) -> Result<u8, Error> {
    let request = request::Health {
        max_backup_age: arguments.max_backup_age,
    };
    let health = app.reader().await?.migrator.health(&request).await?;
    let code = health.exit_code();
    if app.printer.is_json() {
        document(&app.printer, &health);
    } else {
        print(&app.printer, &health);
    }
    Ok(if code == 0 && arguments.exit_code && health.differs() {
        8
    } else {
        code
    })
}

fn document(printer: &Printer, health: &Health) {
    let gravest = health
        .problems
        .iter()
        .find(|problem| problem.exit_code.is_some());
    match gravest {
        None => printer.document(health),
        Some(problem) => printer.failure(&Unhealthy {
            error: json!({
                "code": problem.code,
                "message": problem.message,
                "hint": problem.hint,
                "exit_code": problem.exit_code,
            }),
            health,
        }),
    }
}

fn print(printer: &Printer, health: &Health) {
    let now = health.checked_at;
    let rows = [
        ("database", words::line(&health.database.name)),
        ("environment", words::line(&health.environment)),
        ("ledger", ledger(health)),
        ("lock", lock(health, now)),
        ("migrations", migrations(health)),
        ("backup", backup(health, now)),
        ("schema", schema(health.schema).to_owned()),
    ];
    for (name, value) in rows {
        printer.answer(format!("{} {value}", words::pad(name, 12)));
    }
    for problem in &health.problems {
        for line in lines(problem) {
            printer.answer(line);
        }
    }
    printer.answer(if health.exit_code() == 0 {
        paint(GOOD, "healthy")
    } else {
        paint(BAD, "not healthy")
    });
}

fn ledger(health: &Health) -> String {
    let Some(ledger) = &health.ledger else {
        return "not opened yet".to_owned();
    };
    let signatures = match ledger.signatures_from {
        0 => "all signatures checked".to_owned(),
        from if from >= ledger.view.size => "all signatures checked before".to_owned(),
        from => format!("signatures checked from event {from} on, those before it earlier"),
    };
    format!(
        "{} {}, {}, {signatures}",
        paint(GOOD, "holds together:"),
        words::short(&ledger.view.id),
        words::count(ledger.view.size, "event", "events")
    )
}

fn lock(health: &Health, now: Timestamp) -> String {
    let Some(lock) = &health.lock else {
        return "free".to_owned();
    };
    let LockView { actor, host, .. } = lock;
    let state = if lock.holder_gone || lock.expired {
        paint(CARE, "left behind")
    } else {
        "held".to_owned()
    };
    let running = health
        .running
        .as_ref()
        .map_or_else(String::new, |version| format!(", running `{version}`"));
    format!(
        "{state} by {}@{} since {}, {}{}",
        words::line(actor),
        words::line(host),
        words::time(lock.since),
        words::ago(now, lock.since),
        words::line(&running)
    )
}

fn migrations(health: &Health) -> String {
    if health.folder {
        return status::summary(&health.counts);
    }
    format!(
        "{}; the folder is not here, so what is pending is not known",
        paint(GOOD, format!("{} applied", health.counts.applied))
    )
}

fn backup(health: &Health, now: Timestamp) -> String {
    let Some(backup) = &health.backup else {
        return "none".to_owned();
    };
    let absent = if backup.present {
        ""
    } else {
        "; its file is not where this machine looks for it"
    };
    format!(
        "{}, {}{absent}",
        words::line(&backup.name),
        words::ago(now, backup.time)
    )
}

fn schema(schema: SchemaHealth) -> &'static str {
    match schema {
        SchemaHealth::AsLeft => "as the last run left it",
        SchemaHealth::Changed => "changed out of band",
        SchemaHealth::NotCompared => "not compared",
        SchemaHealth::Unknown => "nothing to compare it with",
    }
}

fn lines(problem: &HealthProblem) -> Vec<String> {
    let style = match problem.severity {
        Severity::Error => BAD,
        Severity::Warning => CARE,
    };
    let mut lines = vec![format!(
        "{} {}: {}",
        paint(style, problem.severity),
        paint(STRONG, problem.code),
        words::line(&problem.message)
    )];
    if !problem.hint.is_empty() {
        lines.push(format!("  {} {}", paint(HINT, "hint:"), problem.hint));
    }
    lines
}

#[derive(Serialize)]
struct Unhealthy<'a> {
    error: Value,
    #[serde(flatten)]
    health: &'a Health,
}
