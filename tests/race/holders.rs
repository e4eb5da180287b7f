//! A holder that is alive: it is waited for, and nobody takes the lease from it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::thread;
use std::time::Duration;

use crate::oracle::{Moment, assert_sound, facts};
use crate::processes::{Running, wait_for};
use crate::support::engines::Kind;
use crate::support::{Project, effects};

fn token(project: &Project) -> String {
    project.ask(&format!("SELECT token FROM {}", project.kind.store.lease))
}

/// F09
fn a_waiter_that_gives_up_leaves_the_lease_alone(kind: &Kind) {
    let project = Project::with_effects_on(kind, 2);
    let faults = "step::before-begin=1*return(stop)";
    let mut holder = Running::stopped_at(&project, &["up"], faults);
    let (lease, events) = (token(&project), facts(&project).events);
    let patient = Running::start(&project, &["up"], &[]);
    let gave_up = project.fails(5, &["up", "--lease-wait", "1"]);
    assert!(gave_up.stderr.contains("dana@example.com"), "{gave_up:#?}");
    assert_eq!(token(&project), lease);
    assert_eq!(facts(&project).events, events);
    holder.signal("CONT");
    assert_eq!(holder.ends().code, 0);
    let patient = patient.ends();
    assert_eq!(patient.code, 0, "{patient:#?}");
    assert_sound(&project, Moment::AtRest, &"the patient one");
    assert_eq!(facts(&project).count("run.started"), 1);
}

/// In WAL mode and in a rollback-journal mode: an open transaction keeps others out by itself.
#[test]
fn a_holder_inside_a_transaction_is_waited_for_beyond_its_lease() {
    for mode in ["wal", "delete"] {
        for point in [
            "step::after-begin",
            "step::before-statement",
            "step::after-statement",
            "step::before-check",
            "record::before-fence",
            "record::before-append",
            "record::before-commit",
        ] {
            let what = format!("{point}, {mode}");
            let project = Project::with_effects(2);
            project.write("mledger.toml", "lease = \"1s\"\n");
            project.sqlite(&format!(
                "PRAGMA journal_mode = {mode}; CREATE TABLE theirs (id INTEGER)"
            ));
            let faults = format!("{point}=1*return(stop)");
            let mut holder = Running::stopped_at(&project, &["up"], &faults);
            thread::sleep(Duration::from_millis(1200));
            let events = facts(&project).events;
            let waiter = project.run(&["up", "--lease-wait", "1"]);
            assert_eq!(waiter.code, 5, "{what}: {waiter:#?}");
            assert_eq!(facts(&project).events, events, "{what}");
            holder.signal("CONT");
            let ended = holder.ends();
            assert_eq!(ended.code, 0, "{what}: {ended:#?}");
            assert_sound(&project, Moment::AtRest, &what);
            assert_eq!(facts(&project).count("lock.broken"), 0, "{what}");
        }
    }
}

/// F10
fn a_statement_longer_than_the_lease_keeps_the_lease(kind: &Kind) {
    let project = Project::with_effects_on(kind, 2);
    project.write("mledger.toml", "lease = \"1s\"\n");
    let text = effects(2).replace("\n-- DOWN", &format!("\n{}\n-- DOWN", kind.seconds));
    project.write("migrations/2_m2.sql", &text);
    let mut holder = Running::start(&project, &["up"], &[]);
    wait_for("the second migration", || {
        facts(&project).count("migration.started") == 2
    });
    thread::sleep(Duration::from_millis(1500));
    assert!(
        !holder.has_ended(),
        "the statement is longer than the lease"
    );
    let waiters = [(); 2].map(|()| Running::start(&project, &["up"], &[]));
    let ended = holder.ends();
    assert_eq!(ended.code, 0, "{ended:#?}");
    for waiter in waiters {
        let ended = waiter.ends();
        assert_eq!(ended.code, 0, "{ended:#?}");
    }
    assert_sound(&project, Moment::AtRest, &"a long statement");
    let facts = facts(&project);
    assert_eq!(
        (facts.count("run.started"), facts.count("lock.broken")),
        (1, 0)
    );
}

/// Between two transactions it is the heartbeat that keeps the lease.
fn a_holder_that_is_slow_between_transactions_keeps_the_lease(kind: &Kind) {
    let project = Project::with_effects_on(kind, 2);
    project.write("mledger.toml", "lease = \"1s\"\n");
    let faults = [("FAILPOINTS", "step::before-begin=1*sleep(4000)")];
    let holder = Running::start(&project, &["up"], &faults);
    wait_for("the lease", || facts(&project).count("lock.acquired") == 1);
    let waiter = project.run(&["up", "--lease-wait", "2"]);
    assert_eq!(waiter.code, 5, "{waiter:#?}");
    let ended = holder.ends();
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert_sound(&project, Moment::AtRest, &"a slow holder");
    assert_eq!(facts(&project).count("lock.broken"), 0);
}

/// Half way through a stepwise migration of a run that is alive nothing needs a person.
#[test]
fn a_stepwise_holder_is_waited_for() {
    for (point, passage) in [
        // partial: three steps are done
        ("step::before-begin", 4),
        // unknown, for all that the log tells: the third step commits by itself
        ("step::before-statement", 6),
    ] {
        let project = Project::with_effects(3);
        project.write(
            "migrations/2_m2.sql",
            "-- UP
-- mledger:no-transaction
CREATE TABLE t2 (id INTEGER PRIMARY KEY);
INSERT INTO effects VALUES ('2', 1);
VACUUM;
INSERT INTO effects VALUES ('2', 2);
",
        );
        let faults = format!("{point}={}*off->1*return(stop)", passage - 1);
        let mut holder = Running::stopped_at(&project, &["up"], &faults);
        assert!(
            facts(&project).count("migration.step_applied") > 0,
            "{point}"
        );
        let events = facts(&project).events;
        let health = project.json(&["health"]);
        assert_eq!(health["ok"], true, "{point}: {health}");
        assert_eq!(health["running"], "2", "{point}: {health}");
        let waiter = project.run(&["up", "--lease-wait", "1"]);
        assert_eq!(waiter.code, 5, "{point}: {waiter:#?}");
        assert_eq!(facts(&project).events, events, "{point}: it wrote nothing");
        let patient = Running::start(&project, &["up"], &[]);
        thread::sleep(Duration::from_millis(500));
        holder.signal("CONT");
        let ended = holder.ends();
        assert_eq!(ended.code, 0, "{point}: {ended:#?}");
        let ended = patient.ends();
        assert_eq!(ended.code, 0, "{point}: {ended:#?}");
        assert_sound(&project, Moment::AtRest, &point);
        let status = project.json(&["status"]);
        assert_eq!(status["counts"]["applied"].as_u64().unwrap(), 3);
    }
}

on_each_engine!(
    a_waiter_that_gives_up_leaves_the_lease_alone,
    a_statement_longer_than_the_lease_keeps_the_lease,
    a_holder_that_is_slow_between_transactions_keeps_the_lease,
);
