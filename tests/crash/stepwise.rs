//! A migration whose statements commit one by one, with one among them that cannot run in a
//! transaction: if the process dies around that one, its outcome is unknown, and a person is asked.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::fault::POINTS;
use serde_json::json;

use crate::diary::Diary;
use crate::every_point::dies_at;
use crate::oracle::{Moment, assert_sound, bytes, facts};
use crate::processes::KILLED;
use crate::support::{Project, effects};

/// `VACUUM INTO` commits by itself, leaves a trace, and fails where its trace is there already: a wrong
/// answer of the person would show.
const STEPWISE: &str = "-- UP
-- mledger:no-transaction
CREATE TABLE t2 (id INTEGER PRIMARY KEY);
INSERT INTO effects VALUES ('2', 1);
VACUUM INTO 'trace.db';
INSERT INTO effects VALUES ('2', 2);
-- DOWN
-- mledger:no-transaction
DELETE FROM effects WHERE migration = '2' AND statement = 2;
VACUUM;
DELETE FROM effects WHERE migration = '2';
DROP TABLE t2;
";

/// Where the statement stands that commits by itself.
const ALONE: u64 = 3;

fn project() -> Project {
    let project = Project::new();
    project.write("migrations/1_m1.sql", &effects(1));
    project.write("migrations/2_m2.sql", STEPWISE);
    project.write("migrations/3_m3.sql", &effects(3));
    project
}

/// What the program says of the second migration.
fn state(project: &Project) -> String {
    let status = project.json(&["status"]);
    let migrations = status["migrations"].as_array().unwrap();
    let second = migrations.iter().find(|found| found["version"] == "2");
    second.unwrap()["state"].as_str().unwrap().to_owned()
}

/// Steps that are recorded as done, and not undone by what followed.
fn steps_done(project: &Project) -> u64 {
    let events = project.sqlite(
        "SELECT json_extract(CAST(line AS TEXT), '$.kind'), json_extract(CAST(line AS TEXT), \
         '$.body.as') FROM mledger_events WHERE json_extract(CAST(line AS TEXT), '$.body.version') \
         = '2' ORDER BY seq",
    );
    let mut done = 0;
    for line in events.lines() {
        match line.split_once('|').unwrap() {
            ("migration.step_applied", _) | ("migration.step_resolved", "applied") => done += 1,
            ("migration.applied" | "migration.rolled_back", _) => done = 0,
            _ => {}
        }
    }
    done
}

/// On the way up: the statements that the ledger says are done are done, and no others, except for
/// the one whose outcome is unknown.
fn assert_steps(project: &Project, what: &str) {
    if facts(project).events.is_empty() {
        return;
    }
    let done = steps_done(project);
    if facts(project).applied().contains(&"2".to_owned()) {
        return;
    }
    let effects = facts(project).effects;
    let effect = |statement: u32| effects.get(&("2".to_owned(), statement)).copied();
    assert_eq!(effect(1), (done >= 2).then_some(1), "{what}: statement 2");
    assert_eq!(effect(2), (done >= 4).then_some(1), "{what}: statement 4");
    let trace = project.path().join("trace.db").exists();
    let may_be_unknown = done == ALONE - 1;
    assert!(
        may_be_unknown || trace == (done >= ALONE),
        "{what}: the trace"
    );
    match (state(project).as_str(), done) {
        ("unknown", done) => assert_eq!(done, ALONE - 1, "{what}"),
        ("partial", done) => assert!(done > 0, "{what}"),
        (other, done) => assert_eq!(done, 0, "{what}: `{other}`"),
    }
}

/// Answers as a person would who looks at the database, until there is nothing left to answer.
fn finish(project: &Project, what: &str) -> Vec<String> {
    let mut answers = Vec::new();
    for _ in 0..4 {
        let trace = project.path().join("trace.db").exists();
        let answer = match (state(project).as_str(), trace) {
            ("unknown", true) => "--applied",
            ("unknown", false) => "--not-applied",
            ("partial", _) => "--resume",
            _ => break,
        };
        project.fails(7, &["up"]);
        project.ok(&["resolve", "2", answer, "--reason", "looked at the database"]);
        answers.push(answer.to_owned());
        assert_sound(project, Moment::AtRest, &what);
    }
    project.ok(&["up"]);
    assert_sound(project, Moment::AtRest, &what);
    assert_eq!(facts(project).applied(), ["1", "2", "3"], "{what}");
    assert_eq!(facts(project).effects[&("2".to_owned(), 2)], 1, "{what}");
    let before = bytes(project);
    project.ok(&["up"]);
    assert!(before == bytes(project), "{what}: the idle run has written");
    answers
}

/// F22
#[test]
fn up_statement_by_statement() {
    let mut diary = Diary::begin("crash", "stepwise_up");
    let before = project();
    let mut answers = Vec::new();
    for point in POINTS {
        for passage in 1.. {
            let project = before.copy();
            let faults = dies_at(point, passage);
            let ended = project.run_with(&["up"], &[("FAILPOINTS", &faults)]);
            diary.note(&json!({"faults": faults, "code": ended.code}));
            if ended.code != KILLED {
                assert_eq!(ended.code, 0, "{faults}: {ended:#?}");
                break;
            }
            assert_sound(&project, Moment::Interrupted, &faults);
            assert_steps(&project, &faults);
            answers.extend(finish(&project, &faults));
        }
    }
    for answer in ["--applied", "--not-applied", "--resume"] {
        assert!(answers.iter().any(|given| given == answer), "{answer}");
    }
}

/// The answers themselves die, and are given again.
#[test]
fn answers_die_too() {
    let mut diary = Diary::begin("crash", "stepwise_answers");
    let before = project();
    for (first, passage) in [("step::before-statement", 6), ("step::after-statement", 6)] {
        let once = before.copy();
        let faults = dies_at(first, passage);
        let ended = once.run_with(&["up"], &[("FAILPOINTS", &faults)]);
        assert_eq!(ended.code, KILLED, "{faults}: {ended:#?}");
        assert_eq!(state(&once), "unknown", "{faults}");
        let answer = match once.path().join("trace.db").exists() {
            true => "--applied",
            false => "--not-applied",
        };
        let resolve = ["resolve", "2", answer, "--reason", "looked at the database"];
        let resume = ["resolve", "2", "--resume", "--reason", "go on"];
        for point in POINTS {
            for command in [&resolve, &resume] {
                let project = once.copy();
                if command[2] == "--resume" {
                    project.ok(&resolve);
                }
                for passage in 1.. {
                    let project = project.copy();
                    let again = format!("{faults}, {}: {}", command[2], dies_at(point, passage));
                    let variables = [("FAILPOINTS", dies_at(point, passage))];
                    let variables = [(variables[0].0, variables[0].1.as_str())];
                    let ended = project.run_with(command, &variables);
                    diary.note(&json!({"faults": again, "code": ended.code}));
                    if ended.code != KILLED {
                        assert_eq!(ended.code, 0, "{again}: {ended:#?}");
                        break;
                    }
                    assert_sound(&project, Moment::Interrupted, &again);
                    assert_steps(&project, &again);
                    finish(&project, &again);
                }
            }
        }
    }
}

/// On the way down the same holds; `VACUUM` may be repeated, so any answer is right.
#[test]
fn down_statement_by_statement() {
    let mut diary = Diary::begin("crash", "stepwise_down");
    let before = project();
    before.ok(&["up"]);
    let mut unknown = 0;
    for point in POINTS {
        for passage in 1.. {
            let project = before.copy();
            let faults = dies_at(point, passage);
            let command = ["down", "--steps", "2"];
            let ended = project.run_with(&command, &[("FAILPOINTS", &faults)]);
            diary.note(&json!({"faults": faults, "code": ended.code}));
            if ended.code != KILLED {
                assert_eq!(ended.code, 0, "{faults}: {ended:#?}");
                break;
            }
            let verified = project.run(&["verify"]);
            assert_eq!(verified.code, 0, "{faults}: {verified:#?}");
            if state(&project) == "unknown" {
                unknown += 1;
                project.fails(7, &["down"]);
                let answer = ["--applied", "--not-applied"][passage % 2];
                project.ok(&["resolve", "2", answer, "--reason", "it may be repeated"]);
            }
            if state(&project) == "partial" {
                project.fails(7, &["down"]);
                project.ok(&["resolve", "2", "--resume", "--reason", "go on"]);
            }
            project.ok(&["down", "--all", "--yes"]);
            assert_sound(&project, Moment::AtRest, &faults);
            assert!(facts(&project).applied().is_empty(), "{faults}");
        }
    }
    assert!(unknown > 1, "{unknown} unknown outcomes");
}
