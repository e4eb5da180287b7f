//! A holder that is gone, or was suspended for too long: the lease is taken over, and what comes back
//! commits nothing.

use std::thread;
use std::time::{Duration, Instant};

use crate::mend::until_done;
use crate::oracle::{Facts, Moment, assert_sound, facts, violations};
use crate::processes::{KILLED, Running};
use crate::support::engines::Kind;
use crate::support::{Ended, Project};

/// Points at which no transaction of the holder is open, so that others may write.
const OUTSIDE: [&str; 5] = [
    "acquire::after-commit",
    "heads::before-replace",
    "step::before-begin",
    "record::after-commit",
    "step::after-commit",
];

/// Points at which one is open, or a statement may be under way that commits by itself.
const INSIDE: [&str; 5] = [
    "step::after-begin",
    "step::before-statement",
    "step::after-statement",
    "record::before-fence",
    "record::before-append",
];

fn project(kind: &Kind) -> Project {
    let project = Project::with_effects_on(kind, 4);
    project.write("mledger.toml", "lease = \"1s\"\n");
    project
}

/// Suspends a run beyond its lease, lets another one finish the work, and wakes the first one up.
fn suspended(project: &Project, faults: &str) -> (Facts, Ended) {
    let mut holder = Running::stopped_at(project, &["up"], faults);
    let answers = until_done(project, &["up"], faults);
    assert!(answers.is_empty() || !project.kind.transactional);
    assert_sound(project, Moment::AtRest, &faults);
    let after = facts(project);
    assert_eq!(after.applied(), ["1", "2", "3", "4"], "{faults}");
    holder.signal("CONT");
    (after, holder.ends())
}

fn order(facts: &Facts, kind: &str) -> Option<usize> {
    facts.kinds().iter().rposition(|found| *found == kind)
}

/// F10
fn a_suspended_holder_commits_nothing(kind: &Kind) {
    // an open transaction keeps others out only where the database has one writer
    let inside: &[&str] = match kind.wire {
        None => &[],
        Some(_) => &INSIDE,
    };
    for point in OUTSIDE.iter().chain(inside) {
        let project = project(kind);
        let (after, ended) = suspended(&project, &format!("{point}=1*return(stop)"));
        // it cannot know what became of a statement that commits by itself, and says so
        let asks = ended.code == 7 && !kind.transactional;
        assert!(ended.code == 5 || asks, "{point}: {ended:#?}");
        assert_eq!(facts(&project).events, after.events, "{point}");
        assert_sound(&project, Moment::AtRest, &point);
        assert_eq!(after.count("lock.broken"), 1, "{point}");
        assert!(
            order(&after, "lock.broken") < order(&after, "lock.acquired"),
            "{point}"
        );
    }
}

/// With `--json` the same, in a document that programs read.
fn a_lost_lease_has_a_code(kind: &Kind) {
    let project = project(kind);
    let faults = "step::before-begin=1*return(stop)";
    let mut holder = Running::stopped_at(&project, &["up", "--json"], faults);
    until_done(&project, &["up"], "another run");
    holder.signal("CONT");
    let ended = holder.ends();
    assert_eq!(ended.code, 5, "{ended:#?}");
    assert!(ended.stdout.contains("\"code\": \"locked\""), "{ended:#?}");
}

/// F10: the negative control: without the fence, the oracle that finds nothing above finds something.
fn without_the_fence_the_oracle_sees_it(kind: &Kind) {
    for point in ["step::before-begin", "step::after-commit"] {
        let project = project(kind);
        let faults = format!("{point}=1*return(stop);lease::unfenced=return");
        let (after, ended) = suspended(&project, &faults);
        assert!(
            facts(&project).events.len() > after.events.len(),
            "{ended:#?}"
        );
        let found = violations(&project, Moment::AtRest);
        assert!(!found.is_empty(), "{point}: {ended:#?}");
    }
}

/// F07: on one host nobody waits for the lease of a process that has ended.
fn the_lease_of_a_dead_process_is_taken_at_once(kind: &Kind) {
    for point in [
        "acquire::after-commit",
        "step::after-statement",
        "step::after-commit",
    ] {
        let project = Project::with_effects_on(kind, 4);
        let faults = format!("{point}=1*return(kill)");
        let died = project.run_with(&["up"], &[("FAILPOINTS", &faults)]);
        assert_eq!(died.code, KILLED, "{point}: {died:#?}");
        let begun = Instant::now();
        let next = project.run(&["up", "--lease-wait", "0"]);
        assert!(begun.elapsed() < Duration::from_secs(10), "{point}");
        let asks = next.code == 7 && !kind.transactional;
        let told = next.code == 0 && next.stderr.contains("process has ended");
        assert!(told || asks, "{point}: {next:#?}");
        until_done(&project, &["up"], point);
        assert_sound(&project, Moment::AtRest, &point);
        let facts = facts(&project);
        assert_eq!(facts.count("lock.broken"), 1, "{point}");
        assert!(
            order(&facts, "lock.broken") < order(&facts, "lock.acquired"),
            "{point}"
        );
    }
}

/// Many who wait for one that dies: one of them takes over, once.
fn one_of_many_waiters_takes_over(kind: &Kind) {
    for round in 0..3 {
        let project = Project::with_effects_on(kind, 4);
        let faults = "step::before-begin=1*off->1*return(stop)";
        let mut holder = Running::stopped_at(&project, &["up"], faults);
        let waiters = [(); 6].map(|()| Running::start(&project, &["up"], &[]));
        thread::sleep(Duration::from_millis(500));
        holder.signal("KILL");
        assert_eq!(holder.ends().code, KILLED);
        for waiter in waiters {
            let ended = waiter.ends();
            let asks = ended.code == 7 && !kind.transactional;
            assert!(ended.code == 0 || asks, "round {round}: {ended:#?}");
        }
        until_done(&project, &["up"], "after the waiters");
        assert_sound(&project, Moment::AtRest, &round);
        let facts = facts(&project);
        assert_eq!(facts.count("lock.broken"), 1, "round {round}");
        assert_eq!(facts.count("migration.applied"), 4, "round {round}");
    }
}

/// A person breaks the lock of a run that is suspended; the run cannot commit any more.
fn a_broken_lock_fences_its_holder(kind: &Kind) {
    let project = Project::with_effects_on(kind, 2);
    let faults = "step::before-begin=1*return(stop)";
    let mut holder = Running::stopped_at(&project, &["up"], faults);
    project.ok(&["lock", "break", "--reason", "it hangs"]);
    let events = facts(&project).events;
    holder.signal("CONT");
    let ended = holder.ends();
    assert_eq!(ended.code, 5, "{ended:#?}");
    assert_eq!(facts(&project).events, events);
    until_done(&project, &["up"], "after a broken lock");
    assert_sound(&project, Moment::AtRest, &"after a broken lock");
    assert_eq!(facts(&project).applied(), ["1", "2"]);
}

on_each_engine!(
    a_lost_lease_has_a_code,
    the_lease_of_a_dead_process_is_taken_at_once,
    one_of_many_waiters_takes_over,
    a_broken_lock_fences_its_holder,
    a_suspended_holder_commits_nothing,
    without_the_fence_the_oracle_sees_it,
);
