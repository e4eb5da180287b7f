//! SIGINT and SIGTERM while a migration runs.

#![expect(clippy::expect_used, reason = "tests")]

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::project::{Ended, Project};

const ENDLESS: &str = "CREATE TABLE slow AS WITH RECURSIVE n(i) AS \
    (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n;";

/// Starts an `up` that does not end, and returns once its migration runs.
fn endless(project: &Project, arguments: &[&str]) -> Child {
    project.migration("3_slow", ENDLESS, "DROP TABLE slow;");
    let child = project.start(arguments);
    // the lock is taken before the statement begins
    let begun = within(Duration::from_secs(30), || {
        project
            .run(&["lock", "status", "--json"])
            .json()
            .get("lock")
            .is_some()
    });
    thread::sleep(Duration::from_millis(300));
    assert!(begun, "no run began");
    child
}

fn within(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

fn end(child: Child) -> Ended {
    child.wait_with_output().expect("the program ends").into()
}

#[test]
fn the_first_signal_stops_cleanly_and_says_so() {
    for (signal, code, name) in [("-INT", 130, "SIGINT"), ("-TERM", 143, "SIGTERM")] {
        let project = Project::with_two_migrations();
        let child = endless(&project, &["up"]);
        let begun = Instant::now();
        send(signal, &child);
        let ended = end(child);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "stopping took {:?}",
            begun.elapsed()
        );
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(&format!("{name}: stopping")),
            "{}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains("done before: 2 applied"),
            "{}",
            ended.stderr
        );

        assert_eq!(
            project.run(&["lock", "status"]).stdout,
            "the lock is free\n"
        );
        let status = project.run(&["status", "--json"]).json();
        assert_eq!(status["counts"]["applied"], 2);
        assert_eq!(status["counts"]["pending"], 1);
        let verified = project.run(&["verify"]);
        assert_eq!(verified.code, Some(0), "{}", verified.stdout);
    }
}

#[test]
fn an_interrupted_run_answers_in_json_too() {
    let project = Project::with_two_migrations();
    let child = endless(&project, &["up", "--json"]);
    send("-TERM", &child);
    let ended = end(child);
    let answer = ended.json();
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["error"]["code"], "interrupted");
    assert_eq!(answer["error"]["exit_code"], 143);
    assert_eq!(answer["error"]["done"]["applied"], 2);
}

#[test]
fn following_ends_on_a_signal_with_a_whole_document() {
    let project = Project::with_two_migrations();
    assert_eq!(project.run(&["up"]).code, Some(0));
    let child = project.start(&["events", "--follow", "--json"]);
    thread::sleep(Duration::from_millis(700));
    send("-INT", &child);
    let ended = end(child);
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    let answer = ended.json();
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["events"][0]["kind"], "ledger.created");
}

#[test]
fn a_time_limit_stops_cleanly_and_is_a_failure() {
    let project = Project::with_two_migrations();
    project.migration("3_slow", ENDLESS, "DROP TABLE slow;");
    let ended = project.run(&["up", "--timeout", "1"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("the time limit is over"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        project.run(&["lock", "status"]).stdout,
        "the lock is free\n"
    );
}
