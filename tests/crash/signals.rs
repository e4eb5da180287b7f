//! SIGINT, SIGTERM and time limits: not crashes, but ends that are recorded.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use crate::mend::until_done;
use crate::oracle::{Moment, assert_sound, facts};
use crate::processes::{Running, wait_for};
use crate::support::engines::Kind;
use crate::support::{Project, effects};

/// How long a run has to record its end and leave.
const GRACE: Duration = Duration::from_secs(5);

/// Two migrations; the second has done something when it begins its endless statement.
fn endless(kind: &Kind) -> Project {
    let project = Project::with_effects_on(kind, 2);
    let text = effects(2).replace("\n-- DOWN", &format!("\n{}\n-- DOWN", kind.endless));
    project.write("migrations/2_m2.sql", &text);
    project
}

fn started(project: &Project, version: &str) -> bool {
    let start = ("migration.started".to_owned(), version.to_owned());
    facts(project).events.contains(&start)
}

fn in_the_endless_statement(project: &Project, arguments: &[&str], faults: &str) -> Running {
    let running = Running::start(project, arguments, &[("FAILPOINTS", faults)]);
    wait_for("the second migration", || started(project, "2"));
    std::thread::sleep(Duration::from_millis(300));
    running
}

/// The last events, of which the end of a run consists.
fn last(project: &Project, count: usize) -> Vec<String> {
    let facts = facts(project);
    let kinds = facts.kinds();
    kinds[kinds.len() - count..]
        .iter()
        .map(|&kind| kind.to_owned())
        .collect()
}

/// The message of the last failure, as it is recorded.
fn failure(project: &Project) -> String {
    let facts = facts(project);
    let failures = facts.events.iter().zip(&facts.bodies);
    let mut failed = failures.filter(|((kind, _), _)| kind == "migration.failed");
    let (_, body) = failed.next_back().unwrap();
    body["error"]["message"].as_str().unwrap().to_owned()
}

fn goes_on(project: &Project) {
    project.write("migrations/2_m2.sql", &effects(2));
    let answers = until_done(project, &["up"], "the next run");
    assert!(answers.is_empty() || !project.kind.transactional);
    assert_sound(project, Moment::AtRest, &"the next run");
    assert_eq!(facts(project).applied(), ["1", "2"]);
}

/// F110
fn a_statement_is_interrupted_and_undone(kind: &Kind) {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let project = endless(kind);
        let mut running = in_the_endless_statement(&project, &["up"], "");
        running.signal(signal);
        let ended = running.ends_within(GRACE);
        assert_eq!(ended.code, code, "{ended:#?}");
        assert_sound(&project, Moment::AtRest, &signal);
        assert_eq!(facts(&project).applied(), ["1"]);
        assert_eq!(
            last(&project, 3),
            ["migration.failed", "run.finished", "lock.released"]
        );
        assert_eq!(
            failure(&project).trim(),
            format!("interrupted by SIG{signal}")
        );
        goes_on(&project);
    }
}

/// F110, F111
fn a_second_signal_leaves_at_once(kind: &Kind) {
    let project = endless(kind);
    let mut running =
        in_the_endless_statement(&project, &["up"], "failure::before-rollback=sleep(20000)");
    running.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    assert!(!running.has_ended(), "the clean-up is still under way");
    running.signal("TERM");
    let ended = running.ends_within(Duration::from_secs(2));
    assert_eq!(ended.code, 143, "{ended:#?}");
    assert_sound(&project, Moment::Interrupted, &"left at once");
    goes_on(&project);
}

/// F110
fn a_storm_of_signals_breaks_nothing(kind: &Kind) {
    let project = endless(kind);
    let mut running = in_the_endless_statement(&project, &["up"], "");
    for _ in 0..50 {
        if running.has_ended() {
            break;
        }
        running.signal("TERM");
    }
    assert_eq!(running.ends_within(GRACE).code, 143);
    assert_sound(&project, Moment::Interrupted, &"a storm");
    goes_on(&project);
}

/// The fault point holds the run up while the signal arrives.
fn signalled_at(kind: &Kind, point: &str, signal: &str) -> (Project, i32) {
    let project = Project::with_effects_on(kind, 3);
    let faults = format!("{point}=1*sleep(1500)");
    let mut running = Running::start(&project, &["up"], &[("FAILPOINTS", &faults)]);
    match point {
        "record::before-append" => wait_for("the first migration", || started(&project, "1")),
        _ => wait_for("the end of it", || facts(&project).applied() == ["1"]),
    }
    std::thread::sleep(Duration::from_millis(300));
    running.signal(signal);
    let code = running.ends_within(GRACE).code;
    assert_sound(&project, Moment::AtRest, &(point, signal));
    (project, code)
}

/// F110
fn between_two_migrations_the_run_ends(kind: &Kind) {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (project, ended) = signalled_at(kind, "step::after-commit", signal);
        assert_eq!(ended, code);
        assert_eq!(facts(&project).applied(), ["1"]);
        // the start of the second had ridden in the commit of the first, where it may
        let before = if kind.transactional {
            "migration.aborted"
        } else {
            "migration.applied"
        };
        assert_eq!(last(&project, 3), [before, "run.finished", "lock.released"]);
        project.ok(&["up"]);
        assert_eq!(facts(&project).applied(), ["1", "2", "3"]);
    }
}

/// F110
fn a_commit_that_has_begun_is_a_commit(kind: &Kind) {
    let (project, code) = signalled_at(kind, "record::before-append", "TERM");
    assert_eq!(code, 143);
    let recorded = match kind.transactional {
        true => "migration.applied",
        false => "migration.step_applied",
    };
    assert_eq!(facts(&project).count(recorded), 1);
    until_done(&project, &["up"], "a commit that has begun");
    assert_eq!(facts(&project).applied(), ["1", "2", "3"]);
}

fn a_wait_for_the_lease_is_given_up(kind: &Kind) {
    for (signal, code, point) in [
        // outside of a transaction, where the lease is what is waited for
        ("INT", 130, "step::before-begin"),
        ("TERM", 143, "step::before-begin"),
        // inside of one, where it is the database's own lock
        ("TERM", 143, "step::before-statement"),
    ] {
        let project = Project::with_effects_on(kind, 2);
        let faults = format!("{point}=1*return(stop)");
        let mut holder = Running::stopped_at(&project, &["up"], &faults);
        let before = facts(&project).events;
        let mut waiter = Running::start(&project, &["up"], &[]);
        std::thread::sleep(Duration::from_millis(1000));
        assert!(!waiter.has_ended(), "{point}: it waits");
        waiter.signal(signal);
        let ended = waiter.ends_within(GRACE);
        assert_eq!(ended.code, code, "{point}: {ended:#?}");
        assert_eq!(facts(&project).events, before, "{point}: it wrote nothing");
        holder.signal("CONT");
        assert_eq!(holder.ends().code, 0);
        assert_sound(&project, Moment::AtRest, &point);
    }
}

fn a_run_has_a_time_limit(kind: &Kind) {
    let project = endless(kind);
    let begun = Instant::now();
    let ended = project.run(&["up", "--timeout", "1"]);
    assert_eq!(ended.code, 1, "{ended:#?}");
    assert!(begun.elapsed() < GRACE + Duration::from_secs(1));
    assert_sound(&project, Moment::AtRest, &"--timeout");
    assert_eq!(facts(&project).applied(), ["1"]);
    assert_eq!(
        failure(&project).trim(),
        "interrupted: the run's time limit ran out"
    );
    goes_on(&project);
}

fn a_migration_has_a_time_limit(kind: &Kind) {
    let project = endless(kind);
    let text = effects(2).replace("-- UP", "-- UP\n-- mledger:timeout 1s");
    let text = text.replace("\n-- DOWN", &format!("\n{}\n-- DOWN", kind.endless));
    project.write("migrations/2_m2.sql", &text);
    let begun = Instant::now();
    let ended = project.run(&["up"]);
    assert_eq!(ended.code, 1, "{ended:#?}");
    assert!(begun.elapsed() < GRACE + Duration::from_secs(1));
    assert_sound(&project, Moment::AtRest, &"mledger:timeout");
    assert!(failure(&project).contains("time limit of 1s"));
    goes_on(&project);
}

/// F110: the statements that a stepwise migration has committed stay, and the failure says so.
fn an_interrupted_stepwise_migration_is_partial(kind: &Kind) {
    let project = Project::with_effects_on(kind, 2);
    let text = effects(2)
        .replace("-- UP", "-- UP\n-- mledger:no-transaction")
        .replace("\n-- DOWN", &format!("\n{}\n-- DOWN", kind.endless));
    project.write("migrations/2_m2.sql", &text);
    let mut running = Running::start(&project, &["up"], &[]);
    wait_for("the third step", || {
        let step = ("migration.step_applied".to_owned(), "2".to_owned());
        let events = facts(&project).events;
        events.iter().filter(|event| **event == step).count() == 3
    });
    std::thread::sleep(Duration::from_millis(300));
    running.signal("TERM");
    assert_eq!(running.ends_within(GRACE).code, 143);
    assert_sound(&project, Moment::AtRest, &"stepwise");
    assert_eq!(
        project.json(&["status"])["counts"]["partial"]
            .as_u64()
            .unwrap(),
        1
    );
    project.fails(7, &["up"]);
    let mended = effects(2).replace("-- UP", "-- UP\n-- mledger:no-transaction");
    project.write("migrations/2_m2.sql", &mended);
    project.ok(&[
        "resolve",
        "2",
        "--resume",
        "--reason",
        "the endless part is gone",
    ]);
    assert_sound(&project, Moment::AtRest, &"resumed");
    assert_eq!(facts(&project).applied(), ["1", "2"]);
    assert_eq!(facts(&project).effects[&("2".to_owned(), 2)], 1);
}

on_each_engine!(
    a_statement_is_interrupted_and_undone,
    a_second_signal_leaves_at_once,
    a_storm_of_signals_breaks_nothing,
    between_two_migrations_the_run_ends,
    a_commit_that_has_begun_is_a_commit,
    a_wait_for_the_lease_is_given_up,
    a_run_has_a_time_limit,
    a_migration_has_a_time_limit,
    an_interrupted_stepwise_migration_is_partial,
);
