//! Appends without the lease: a refusal, and a lock that a person breaks.

use serde_json::json;

use crate::diary::Diary;
use crate::every_point::dies_at;
use crate::mend::until_done;
use crate::oracle::{Moment, assert_sound, facts};
use crate::processes::{KILLED, Running};
use crate::support::engines::Kind;
use crate::support::{Project, effects};

const POINTS: [&str; 3] = [
    "alone::before-append",
    "alone::before-commit",
    "heads::before-replace",
];

fn a_refusal_is_recorded_whole_or_not_at_all(kind: &Kind) {
    let mut diary = Diary::begin("crash", &format!("refusals_{}", kind.name));
    let before = Project::prepared(kind, |project| {
        project.write("migrations/2_m2.sql", &effects(1));
        project.ok(&["up"]);
        let late = "-- UP\nCREATE TABLE late (id INTEGER);\n";
        project.write("migrations/1_late.sql", late);
    });
    for point in POINTS {
        let project = before.copy();
        let ended = project.run_with(&["up"], &[("FAILPOINTS", &dies_at(point, 1))]);
        diary.note(&json!({"faults": point, "code": ended.code}));
        assert_eq!(ended.code, KILLED, "{point}: {ended:#?}");
        // what is remembered of the head is written before or after, whichever is known
        let recorded = facts(&project).count("run.refused");
        assert!(recorded == 0 || point.starts_with("heads"), "{point}");
        project.fails(3, &["up"]);
        let recorded = facts(&project).count("run.refused") - recorded;
        assert_eq!(recorded, 1, "{point}");
        assert_eq!(project.run(&["verify"]).code, 0, "{point}");
    }
}

fn a_lock_is_broken_whole_or_not_at_all(kind: &Kind) {
    for point in POINTS.iter().take(2) {
        let project = Project::with_effects_on(kind, 2);
        let faults = "step::before-begin=1*return(stop)";
        let holder = Running::stopped_at(&project, &["up"], faults);
        let command = ["lock", "break", "--reason", "it is suspended"];
        let ended = project.run_with(&command, &[("FAILPOINTS", &dies_at(point, 1))]);
        assert_eq!(ended.code, KILLED, "{point}: {ended:#?}");
        assert_sound(&project, Moment::Interrupted, point);
        assert_eq!(facts(&project).count("lock.broken"), 0, "{point}");
        project.ok(&command);
        assert_sound(&project, Moment::Interrupted, point);
        assert_eq!(facts(&project).count("lock.broken"), 1, "{point}");
        drop(holder);
        until_done(&project, &["up"], point);
        assert_sound(&project, Moment::AtRest, point);
    }
}

fn a_fork_is_recorded_whole_or_not_at_all(kind: &Kind) {
    let command = ["fork", "--env", "staging", "--reason", "a copy"];
    for point in POINTS.iter().take(2) {
        let project = Project::with_effects_on(kind, 1);
        project.ok(&["up"]);
        let ended = project.run_with(&command, &[("FAILPOINTS", &dies_at(point, 1))]);
        assert_eq!(ended.code, KILLED, "{point}: {ended:#?}");
        assert_eq!(facts(&project).count("ledger.forked"), 0, "{point}");
        // neither is the database another one than before
        assert_sound(&project, Moment::AtRest, point);
        project.ok(&["down", "--env", "development"]);
        project.ok(&command);
        assert_eq!(facts(&project).count("ledger.forked"), 1, "{point}");
        project.ok(&["up", "--env", "staging"]);
        assert_eq!(project.run(&["verify"]).code, 0, "{point}");
    }
}

on_each_engine!(
    a_refusal_is_recorded_whole_or_not_at_all,
    a_lock_is_broken_whole_or_not_at_all,
    a_fork_is_recorded_whole_or_not_at_all,
);
