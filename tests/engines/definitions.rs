//! The schema as it is, against what the ledger says of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::thread;
use std::time::{Duration, Instant};

use crate::support::engines::{ENGINES, Kind, MYSQL, POSTGRES};
use crate::support::{Ended, Project};

/// How long a command takes at most that does not wait for another session to end.
const A_FEW_SECONDS: Duration = Duration::from_secs(20);

fn applied(kind: &Kind) -> Project {
    let project = Project::with_effects_on(kind, 2);
    project.ok(&["up"]);
    project
}

/// The codes that `verify` or `status` tells.
fn codes(project: &Project, command: &[&str]) -> Vec<String> {
    let answer = project.json(command);
    let told = ["findings", "warnings"].map(|name| answer[name].as_array().cloned());
    let told = told.into_iter().flatten().flatten();
    told.map(|each| each["code"].as_str().unwrap().to_owned())
        .collect()
}

fn says(project: &Project, command: &[&str], code: &str) -> bool {
    codes(project, command).iter().any(|told| told == code)
}

/// F69
#[test]
fn what_was_changed_by_hand_is_told() {
    for kind in ENGINES {
        let project = applied(kind);
        for command in ["status", "verify"] {
            assert!(!says(&project, &[command], "schema-drift"), "{}", kind.name);
        }
        project.ask("CREATE TABLE by_hand (id INTEGER)");
        for command in ["status", "verify"] {
            project.ok(&[command]);
            assert!(says(&project, &[command], "schema-drift"), "{}", kind.name);
        }
        project.fails(4, &["verify", "--strict"]);
        project.ask("DROP TABLE by_hand");
        project.ok(&["verify", "--strict"]);
    }
}

/// The word of an owner that a change may stay: of the one that is there, and of one that a run has found.
#[test]
fn what_was_changed_by_hand_is_accepted_by_name() {
    for kind in ENGINES {
        let name = kind.name;
        let project = applied(kind);
        let left = project.json(&["drift"]);
        assert_eq!(left["schema"], "as_left", "{name}: {left}");
        let left = left["found"].as_str().unwrap().to_owned();
        let accept = |found: &str| {
            ["drift", "--accept", found, "--reason", "for the on-call"].map(str::to_owned)
        };
        let refused = |found: &str| {
            let accept = accept(found);
            let ended = project.fails(2, &accept.each_ref().map(String::as_str));
            assert!(
                ended.stderr.contains("that nobody has accepted yet"),
                "{ended:#?}"
            );
        };
        let accepted = |found: &str| {
            let accept = accept(found);
            project.ok(&accept.each_ref().map(String::as_str));
        };
        refused(&left);

        project.ask("CREATE TABLE by_hand (id INTEGER)");
        project.fails(8, &["drift", "--exit-code"]);
        let changed = project.json(&["drift"]);
        assert_eq!(changed["schema"], "changed", "{name}: {changed}");
        assert_eq!(changed["expected"]["digest"], left.as_str(), "{name}");
        let found = changed["found"].as_str().unwrap().to_owned();
        refused(&left);
        accepted(&found);
        project.ok(&["drift", "--exit-code"]);
        project.ok(&["verify", "--strict"]);
        assert!(!says(&project, &["status"], "schema-drift"), "{name}");
        refused(&found);

        // the next run begins with what was accepted, and finds what was not
        project.write_effects(3);
        project.ok(&["up"]);
        project.ok(&["verify", "--strict"]);
        project.ask("DROP TABLE by_hand");
        project.write_effects(4);
        project.ok(&["up"]);
        project.fails(4, &["verify", "--strict"]);
        project.fails(8, &["drift", "--exit-code"]);
        let drifts = project.json(&["drift"])["drifts"].clone();
        assert_eq!(drifts.as_array().unwrap().len(), 1, "{name}: {drifts}");
        let found = drifts[0]["found"]["digest"].as_str().unwrap().to_owned();
        accepted(&found);
        project.ok(&["drift", "--exit-code"]);
        project.ok(&["verify", "--strict"]);

        let report = project.json(&["report"]);
        let told: Vec<(&str, &str)> = report["exceptions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["kind"].as_str().unwrap().starts_with("drift"))
            .map(|one| {
                (
                    one["kind"].as_str().unwrap(),
                    one["detail"].as_str().unwrap(),
                )
            })
            .collect();
        let kinds: Vec<&str> = told.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(
            kinds,
            ["drift-accepted", "drift", "drift-accepted"],
            "{name}"
        );
        assert!(
            told[2].1.contains("for the on-call") && told[2].1.contains(&found),
            "{told:?}"
        );
    }
}

/// A session holds what others need in order to read the definitions, and may never end: all else is
/// looked at, and soon.
#[test]
fn what_cannot_be_read_now_is_not_compared_and_holds_up_nothing() {
    thread::scope(|scope| {
        for kind in [POSTGRES, MYSQL] {
            scope.spawn(move || held(&kind));
        }
    });
}

fn held(kind: &Kind) {
    let project = applied(kind);
    // what is found without the schema is found all the same
    project.write("migrations/2_m2.sql", "-- UP\nSELECT 1;\n");
    let timed = |command: &[&str]| -> (Ended, Duration) {
        let begun = Instant::now();
        (project.run(command), begun.elapsed())
    };
    let name = kind.name;
    thread::scope(|scope| {
        let holding = scope.spawn(|| project.ask(kind.holding.unwrap()));
        thread::sleep(Duration::from_millis(700));
        let status = scope.spawn(|| timed(&["status"]));
        let (verified, took) = timed(&["verify"]);
        assert_eq!(verified.code, 4, "{name}: {verified:#?}");
        assert!(verified.stdout.contains("file-changed"), "{verified:#?}");
        assert!(
            verified.stdout.contains("schema-not-compared"),
            "{verified:#?}"
        );
        assert!(!verified.stdout.contains("schema-drift"), "{verified:#?}");
        assert!(took < A_FEW_SECONDS, "{name}: {took:?}");
        let (status, took) = status.join().unwrap();
        assert_eq!(status.code, 0, "{name}: {status:#?}");
        let told = format!("{}{}", status.stdout, status.stderr);
        assert!(told.contains("was not compared"), "{name}: {status:#?}");
        assert!(took < A_FEW_SECONDS, "{name}: {took:?}");
        holding.join().unwrap();
    });
    for command in ["status", "verify"] {
        let codes = codes(&project, &[command]);
        let about_the_schema = codes.iter().find(|code| code.starts_with("schema-"));
        assert_eq!(about_the_schema, None, "{name}, {command}");
    }
}

/// F96: what was copied to another name is another database, and does not go on with the history of the
/// first.
#[test]
fn a_copy_of_a_database_is_not_the_database_of_its_ledger() {
    let project = applied(&POSTGRES);
    project.write(
        "migrations/3_m3.sql",
        "-- UP\nCREATE TABLE a (id INTEGER);\n",
    );
    let url = project.place.url();
    let (server, name) = url.rsplit_once('/').unwrap();
    let beside = POSTGRES.fresh();
    beside.ask(&format!("CREATE DATABASE {name}_copy TEMPLATE {name}"));
    let copy = format!("{server}/{name}_copy");
    let run = |command: &str| project.run_with(&[command], &[("DATABASE_URL", &copy)]);
    let (up, verified) = (run("up"), run("verify"));
    beside.ask(&format!("DROP DATABASE {name}_copy"));
    assert_eq!(up.code, 4, "{up:#?}");
    assert!(up.stderr.contains("belongs to the database"), "{up:#?}");
    assert_eq!(verified.code, 4, "{verified:#?}");
    assert!(verified.stdout.contains("ledger-mismatch"), "{verified:#?}");
    project.ok(&["up"]);
}
