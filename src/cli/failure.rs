//! From an error to words, a JSON document and an exit code: the one place where that is done.

use ledger::{Direction, Finding};
use mledger::error::{Error, StopReason};
use mledger::migration::Problem;
use mledger::report::{Refusal, RunReport};
use serde_json::{Map, Value, json};

use super::commands::{runs, verify};
use super::excerpt::excerpt;
use super::output::{BAD, HINT, Printer, STRONG, paint};
use super::words;

/// Creates the error of something that was typed or configured.
pub(crate) fn usage(
    code: &'static str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Error {
    Error::Usage {
        code,
        message: message.into(),
        hint: hint.into(),
    }
}

/// Prints an error, to stdout as JSON or to stderr as words, and returns the exit code.
pub(crate) fn report(printer: &Printer, error: &Error) -> u8 {
    if printer.is_json() {
        printer.failure(&json!({ "error": document(error) }));
    } else {
        for line in text(error) {
            printer.error(line);
        }
    }
    error.exit_code()
}

/// Returns the `error` member of the JSON document.
pub(crate) fn document(error: &Error) -> Value {
    let mut members = Map::new();
    members.insert("code".to_owned(), error.code().into());
    members.insert("message".to_owned(), message(error).into());
    if let Some(hint) = hint(error) {
        members.insert("hint".to_owned(), hint.into());
    }
    members.insert("exit_code".to_owned(), error.exit_code().into());
    match error {
        Error::Failed {
            version,
            failure,
            clean,
            ..
        } => {
            members.insert("version".to_owned(), version.as_str().into());
            members.insert("clean".to_owned(), (*clean).into());
            members.insert("failure".to_owned(), json!(failure));
        }
        Error::Check {
            name,
            before,
            detail,
            ..
        } => {
            let when = if *before { "before" } else { "after" };
            let check = json!({ "name": name, "when": when, "detail": detail });
            members.insert("check".to_owned(), check);
        }
        Error::Files(problems) => {
            let problems: Vec<Value> = problems.iter().map(problem).collect();
            members.insert("problems".to_owned(), problems.into());
        }
        Error::Refused(refusals) | Error::Undecided(refusals) => {
            members.insert("refusals".to_owned(), json!(refusals));
        }
        Error::Integrity { findings, .. } => {
            members.insert("findings".to_owned(), json!(findings));
        }
        Error::Locked {
            holder: Some(holder),
            ..
        } => {
            members.insert("holder".to_owned(), json!(holder));
        }
        Error::Engine { error, doing, .. } => {
            members.insert("doing".to_owned(), (*doing).into());
            if let Some(code) = &error.code {
                members.insert("database_code".to_owned(), code.as_str().into());
            }
        }
        _ => {}
    }
    if let Some(done) = error.done().filter(|done| began(done)) {
        members.insert("done".to_owned(), json!(done));
    }
    Value::Object(members)
}

/// Returns the lines that a person reads.
pub(crate) fn text(error: &Error) -> Vec<String> {
    let mut lines = vec![format!("{} {}", paint(BAD, "error:"), message(error))];
    match error {
        Error::Failed { failure, clean, .. } => {
            lines.extend(excerpt(failure));
            lines.push(if *clean {
                "  nothing of this migration remains in the database".to_owned()
            } else {
                "  a part of this migration remains in the database".to_owned()
            });
        }
        Error::Files(problems) if problems.len() > 1 => {
            lines.extend(problems.iter().flat_map(|found| {
                let hint = (!found.hint.is_empty()).then(|| hint_line(&found.hint));
                std::iter::once(format!("  {}", words::line(&found.to_string()))).chain(hint)
            }));
        }
        Error::Refused(refusals) | Error::Undecided(refusals) if refusals.len() > 1 => {
            lines.extend(refusals.iter().flat_map(|refusal| {
                [format!("  {}", sentence(refusal)), hint_line(&refusal.hint)]
            }));
        }
        Error::Integrity { findings, .. } => {
            lines.extend(findings.iter().map(verify::finding_line));
        }
        Error::Locked {
            holder: Some(holder),
            ..
        } => lines.push(format!(
            "  held by {}@{} since {}, run {}",
            words::line(&holder.actor),
            words::line(&holder.host),
            words::time(holder.since),
            holder.run
        )),
        _ => {}
    }
    if let Some(done) = error.done().filter(|done| began(done)) {
        let done_before = if done.applied + done.rolled_back + done.settled == 0 {
            "nothing".to_owned()
        } else {
            runs::summary(done)
        };
        lines.push(format!("{} {done_before}", paint(STRONG, "done before:")));
        lines.extend(done.migrations.iter().map(runs::line));
    }
    if let Some(hint) = hint(error) {
        lines.push(format!("{} {hint}", paint(HINT, "hint:")));
    }
    lines
}

fn message(error: &Error) -> String {
    match error {
        Error::Failed {
            version, failure, ..
        } => {
            let statement = failure
                .statement
                .map_or_else(String::new, |number| format!(" at statement {number}"));
            let code = failure
                .code
                .as_ref()
                .map_or_else(String::new, |code| format!(" ({code})"));
            let words = words::line(&failure.message);
            format!("migration `{version}` failed{statement}: {words}{code}")
        }
        Error::Check { .. } => words::line(&error.to_string()),
        Error::Usage { message, .. }
        | Error::Backup { message, .. }
        | Error::Integrity { message, .. }
        | Error::Locked { message, .. }
        | Error::Signing { message, .. } => message.clone(),
        Error::Files(problems) => match problems.as_slice() {
            [] => "the migrations folder cannot be used".to_owned(),
            [one] => words::line(&one.to_string()),
            found => format!(
                "{} in the migrations folder",
                words::count(words::number(found.len()), "problem", "problems")
            ),
        },
        Error::Refused(refusals) | Error::Undecided(refusals) => match refusals.as_slice() {
            [] => "refused".to_owned(),
            [one] => sentence(one),
            more => format!(
                "{} against it",
                words::count(words::number(more.len()), "reason", "reasons")
            ),
        },
        Error::Stopped { reason, .. } => match reason {
            StopReason::Interrupt => "interrupted (SIGINT); stopped cleanly".to_owned(),
            StopReason::Terminate => "interrupted (SIGTERM); stopped cleanly".to_owned(),
            StopReason::Timeout => "the time limit is over; stopped cleanly".to_owned(),
        },
        Error::Engine { error, doing, .. } => {
            format!(
                "the database failed while {doing}: {}",
                words::line(&error.to_string())
            )
        }
    }
}

fn hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::Usage { hint, .. }
        | Error::Backup { hint, .. }
        | Error::Integrity { hint, .. }
        | Error::Signing { hint, .. } => hint.clone(),
        Error::Failed {
            version,
            clean: false,
            ..
        } => format!(
            "look at the database, then say what is true with `mledger resolve {version} --applied`, \
             `--not-applied` or `--resume`, and `--reason TEXT`"
        ),
        // the down script that runs is the recorded one, so a corrected file must be signed for first
        Error::Failed { version, done, .. } if fell_back(done, version) => format!(
            "correct the down script, `mledger resolve {version} --accept-change --reason TEXT`, then \
             run the command again"
        ),
        Error::Failed { .. } => "correct the file, then run the command again".to_owned(),
        Error::Check { before: true, .. } => {
            "nothing was applied; make the check hold, then run the command again".to_owned()
        }
        Error::Check { done, .. } if done.rolled_back > 0 => {
            "what the run had applied was rolled back; look at what the check found".to_owned()
        }
        Error::Check { .. } => {
            "what the run applied stays; look at what the check found, and roll back \
                                with `mledger down --batch` if it must"
                .to_owned()
        }
        Error::Refused(refusals) | Error::Undecided(refusals) => match refusals.as_slice() {
            [one] => one.hint.clone(),
            _ => String::new(),
        },
        Error::Files(problems) => match problems.as_slice() {
            [one] => one.hint.clone(),
            _ => String::new(),
        },
        Error::Locked { .. } => {
            "wait for it, allow more time with `--lease-wait SECS`, or look with \
             `mledger lock status`"
                .to_owned()
        }
        Error::Stopped { .. } => "run the command again to go on".to_owned(),
        Error::Engine { .. } => engine_hint(error.code()).to_owned(),
    };
    (!hint.is_empty()).then_some(hint)
}

fn engine_hint(code: &str) -> &'static str {
    match code {
        "database-unreachable" => {
            "check the URL and the server; `--wait` waits for one that is starting"
        }
        "database-missing" => {
            "check the URL, or create the database with `mledger init` or `mledger up`"
        }
        "not-a-database" => "check the URL; if the path is right, restore the file from a backup",
        "database-read-only" => "check the rights of the file, its folder and the account",
        "database-busy" => "another program writes to the database: wait, or raise `lock_timeout`",
        "append-conflict" => "another run appended first: run the command again",
        "disk-full" => "make room where the database is stored, then run the command again",
        "database-io" => "check the disk and the connection, then look with `mledger status`",
        _ => "",
    }
}

fn sentence(refusal: &Refusal) -> String {
    match &refusal.version {
        Some(version) if !refusal.message.contains(version.as_str()) => {
            format!("migration `{version}`: {}", refusal.message)
        }
        _ => refusal.message.clone(),
    }
}

fn hint_line(hint: &str) -> String {
    format!("    {} {hint}", paint(HINT, "hint:"))
}

fn problem(found: &Problem) -> Value {
    let mut members = Map::new();
    members.insert("code".to_owned(), found.code.into());
    members.insert("path".to_owned(), found.path.display().to_string().into());
    for (name, place) in [("line", found.line), ("column", found.column)] {
        members.extend(place.map(|place| (name.to_owned(), place.into())));
    }
    members.insert("message".to_owned(), found.message.as_str().into());
    members.insert("hint".to_owned(), found.hint.as_str().into());
    Value::Object(members)
}

fn began(done: &RunReport) -> bool {
    done.run.is_some() || !done.migrations.is_empty() || done.settled > 0
}

/// Says whether a finding alone makes a command fail.
pub(crate) fn is_error(finding: &Finding) -> bool {
    finding.severity == ledger::Severity::Error
}

/// Says whether the migration failed while it was being rolled back.
fn fell_back(done: &RunReport, version: &str) -> bool {
    done.migrations
        .iter()
        .rfind(|migration| migration.version == version)
        .is_some_and(|migration| migration.direction == Direction::Down)
}

#[cfg(test)]
mod tests {
    use mledger::report::SqlFailure;

    use super::*;

    fn failure(text: &str, column: u64) -> SqlFailure {
        SqlFailure {
            path: "migrations/2_b.sql".to_owned(),
            statement: Some(3),
            line: Some(12),
            column: Some(column),
            text: Some(text.to_owned()),
            message: "near \"TABEL\": syntax error".to_owned(),
            code: Some("SQLITE_ERROR (1)".to_owned()),
        }
    }

    fn plain(lines: Vec<String>) -> Vec<String> {
        lines
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect()
    }

    #[test]
    fn a_failure_says_what_where_and_what_was_done() {
        let mut done = RunReport {
            applied: 1,
            ..RunReport::default()
        };
        done.migrations.push(mledger::report::RunMigration {
            version: "1".to_owned(),
            name: "a".to_owned(),
            direction: Direction::Up,
            outcome: mledger::report::StepOutcome::Applied,
            duration_ms: 4,
            statements: 1,
            warnings: 0,
            error: None,
        });
        let error = Error::Failed {
            version: "2".to_owned(),
            failure: Box::new(failure("CREATE TABEL orders (", 8)),
            clean: true,
            done: Box::new(done),
        };
        let lines = plain(text(&error)).join("\n");
        for part in [
            "error: migration `2` failed at statement 3: near \"TABEL\": syntax error (SQLITE_ERROR (1))",
            "done before: 1 applied",
            "nothing of this migration remains",
            "hint: correct the file",
        ] {
            assert!(lines.contains(part), "{part} in {lines}");
        }
        let document = document(&error);
        assert_eq!(document["code"], "migration-failed");
        assert_eq!(document["exit_code"], 1);
        assert_eq!(document["failure"]["line"], 12);
        assert_eq!(document["done"]["applied"], 1);
    }
}
