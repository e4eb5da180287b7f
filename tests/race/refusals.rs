//! Appends without the lease, from many processes at once.

use crate::oracle::facts;
use crate::processes::Running;
use crate::support::Project;
use crate::support::engines::Kind;

const LATE: &str = "-- UP\nCREATE TABLE late (id INTEGER);\n";

/// A project whose next `up` is refused: a file is older than what is applied.
fn out_of_order(kind: &Kind) -> Project {
    let project = Project::with_effects_on(kind, 3);
    project.ok(&["up"]);
    project.write("migrations/0.5_late.sql", LATE);
    project
}

/// F85: eight processes have decided on what they saw before any of them appended.
fn each_refusal_is_recorded_once(kind: &Kind) {
    for round in 0..3 {
        let project = out_of_order(kind);
        let herd: Vec<Running> = (0..8)
            .map(|_| Running::start(&project, &["up"], &[]))
            .collect();
        for running in herd {
            let ended = running.ends();
            assert_eq!(ended.code, 3, "round {round}: {ended:#?}");
        }
        let facts = facts(&project);
        assert_eq!(facts.count("run.refused"), 8, "round {round}");
        assert_eq!(project.run(&["verify"]).code, 0, "round {round}");
    }
}

/// F85: a refusal is appended while a run holds the lease, and the run goes on behind it.
fn a_refusal_slips_in_between_the_commits_of_a_run(kind: &Kind) {
    let project = Project::with_effects_on(kind, 3);
    project.ok(&["up", "--count", "1"]);
    let faults = "step::after-commit=1*return(stop)";
    let mut holder = Running::stopped_at(&project, &["up"], faults);
    project.write("migrations/0.5_late.sql", LATE);
    project.fails(3, &["up"]);
    assert_eq!(facts(&project).count("run.refused"), 1);
    holder.signal("CONT");
    let ended = holder.ends();
    assert_eq!(ended.code, 0, "{ended:#?}");
    let facts = facts(&project);
    assert_eq!(facts.applied(), ["1", "2", "3"]);
    let place = |kind: &str| facts.kinds().iter().rposition(|found| *found == kind);
    assert!(place("run.refused") < place("lock.released"));
    assert_eq!(project.run(&["verify"]).code, 0);
}

on_each_engine!(
    each_refusal_is_recorded_once,
    a_refusal_slips_in_between_the_commits_of_a_run,
);
