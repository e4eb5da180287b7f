//! What a person does after a run that did not end as it should: run it again, and where the outcome of
//! a step is unknown, look into the database and say what is there.
#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each suite uses a part of it, and which part differs"
)]

use serde_json::Value;

use crate::oracle::{Moment, assert_sound, bytes, facts};
use crate::support::{Ended, Project};

/// How often a person tries before it counts as a failure.
const TRIES: usize = 12;

/// Migrations that wait for a person: version, state, and whether the way down is what is unknown.
fn waiting(project: &Project) -> Vec<(String, String, bool)> {
    let status = project.json(&["status"]);
    let migrations = status["migrations"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    migrations
        .iter()
        .map(|found| (text(&found["version"]), text(&found["state"])))
        .filter(|(_, state)| state == "unknown" || state == "partial")
        .map(|(version, state)| {
            let down = goes_down(project, &version);
            (version, state, down)
        })
        .collect()
}

/// Says whether the last start of a migration was of its way down.
fn goes_down(project: &Project, version: &str) -> bool {
    let facts = facts(project);
    let started = facts
        .events
        .iter()
        .zip(&facts.bodies)
        .rfind(|((kind, of), _)| kind == "migration.started" && of == version);
    started.is_some_and(|(_, body)| body["direction"] == "down")
}

/// The answer that the database gives for the one step of [`crate::support::effects`] that commits by
/// itself: its table is there, or it is not.
fn answer(project: &Project, version: &str, down: bool) -> &'static str {
    let table = match version {
        "1" => "effects".to_owned(),
        other => format!("t{other}"),
    };
    let there = project.kind.tables(&*project.place).contains(&table);
    match there != down {
        true => "--applied",
        false => "--not-applied",
    }
}

/// Runs `command` until it ends as it should, answering what it asks; returns the answers given.
pub(crate) fn until_done(project: &Project, command: &[&str], what: &str) -> Vec<String> {
    let mut answers = Vec::new();
    for _ in 0..TRIES {
        let ended = project.run(command);
        if ended.code == 0 {
            return answers;
        }
        assert_eq!(
            ended.code,
            7,
            "{what}: a person is asked: {ended:#?}\n{answers:?}\n{}",
            facts(project).story()
        );
        let waiting = waiting(project);
        assert_eq!(waiting.len(), 1, "{what}: {waiting:?}, {ended:#?}");
        let (version, state, down) = &waiting[0];
        let answer = match state.as_str() {
            "partial" => "--resume",
            _ => answer(project, version, *down),
        };
        let resolved = resolve(project, version, answer);
        assert_eq!(resolved.code, 0, "{what}, {answer}: {resolved:#?}");
        answers.push(answer.to_owned());
        assert_sound(project, Moment::AtRest, &(what, &answers));
    }
    unreachable!("{what}: it was never done: {answers:?}")
}

fn resolve(project: &Project, version: &str, answer: &str) -> Ended {
    let reason = "looked at the database";
    project.run(&["resolve", version, answer, "--reason", reason])
}

/// What must be true when all is done: it is, and doing it again writes nothing.
pub(crate) fn assert_done(project: &Project, command: &[&str], applied: &[&str], what: &str) {
    assert_sound(project, Moment::AtRest, &what);
    assert_eq!(facts(project).applied(), applied, "{what}");
    let before = bytes(project);
    let idle = project.run(command);
    assert_eq!(idle.code, 0, "{what}: the run after it: {idle:#?}");
    assert!(idle.stdout.contains("nothing to do"), "{what}: {idle:#?}");
    assert!(before == bytes(project), "{what}: the idle run has written");
}
