//! Commands that leave nothing unknown: whatever happens, the next run settles it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use mledger::fault::POINTS;
use serde_json::json;

use crate::diary::Diary;
use crate::mend::{assert_done, until_done};
use crate::oracle::{Moment, assert_sound, violations};
use crate::processes::KILLED;
use crate::support::engines::{Kind, SQLITE};
use crate::support::{Ended, Project, effects};

/// Points that only a failure comes by.
const OF_FAILURES: [&str; 2] = ["failure::before-rollback", "failure::after-rollback"];

/// Points that only the first contact with a database comes by.
const OF_FIRST_CONTACT: [&str; 1] = ["key::before-publish"];

/// Points that only an append without the lease comes by.
const OF_LONE_APPENDS: [&str; 2] = ["alone::before-append", "alone::before-commit"];

/// A command, where it begins, and how it ends where nobody dies.
struct Case {
    name: &'static str,
    /// The project as it is before the command.
    before: Project,
    command: &'static [&'static str],
    code: i32,
    /// What a person does before the next run, where there is something to do.
    mend: fn(&Project),
    /// The run that must finish what was begun.
    again: &'static [&'static str],
    /// What is applied then.
    applied: &'static [&'static str],
    /// Points that this command does not come by.
    beside: Vec<&'static str>,
}

impl Case {
    /// `up` of all migrations on a database that is not there yet.
    fn first_contact(kind: &Kind) -> Self {
        Self {
            name: "first_contact",
            before: Project::prepared(kind, |project| project.write_effects(count(project))),
            command: &["up"],
            code: 0,
            mend: |_| {},
            again: &["up"],
            applied: &["1", "2", "3", "4"][..count_on(kind)],
            beside: [&OF_FAILURES[..], &OF_LONE_APPENDS].concat(),
        }
    }

    /// `up` where two are applied, and a table was there before.
    fn half_applied(kind: &Kind) -> Self {
        Self {
            name: "half_applied",
            before: Project::prepared(kind, |project| {
                project.write_effects(count(project));
                project.ask(
                    "CREATE TABLE theirs (id INTEGER PRIMARY KEY); INSERT INTO theirs VALUES (7)",
                );
                project.ok(&["up", "--count", "2"]);
            }),
            beside: [&OF_FAILURES[..], &OF_LONE_APPENDS, &OF_FIRST_CONTACT].concat(),
            ..Self::first_contact(kind)
        }
    }

    /// `down --all` of all migrations.
    fn down(kind: &Kind) -> Self {
        Self {
            name: "down",
            before: Project::prepared(kind, all_applied),
            command: &["down", "--all", "--yes"],
            again: &["down", "--all", "--yes"],
            applied: &[],
            ..Self::half_applied(kind)
        }
    }

    /// `redo` of the last one.
    fn redo(kind: &Kind) -> Self {
        Self {
            name: "redo",
            before: Project::prepared(kind, all_applied),
            command: &["redo"],
            ..Self::half_applied(kind)
        }
    }

    /// `up` whose third migration fails at its last statement.
    fn failing(kind: &Kind) -> Self {
        Self {
            name: "failing",
            before: Project::prepared(kind, |project| {
                project.write_effects(count(project));
                let wrong = "\nINSERT INTO missing VALUES (1);\n-- DOWN";
                let wrong = effects(3).replace("\n-- DOWN", wrong);
                project.write("migrations/3_m3.sql", &wrong);
            }),
            code: 1,
            mend: |project| project.write("migrations/3_m3.sql", &effects(3)),
            beside: [&OF_LONE_APPENDS[..], &["run::before-end"]].concat(),
            ..Self::first_contact(kind)
        }
    }

    fn name_of_diary(&self) -> String {
        format!("{}_{}", self.name, self.before.kind.name)
    }

    fn run(&self, project: &Project, faults: &str) -> Ended {
        project.run_with(self.command, &[("FAILPOINTS", faults)])
    }

    /// The run that must finish, what must be true then, and the run that must do nothing.
    fn finish(&self, project: &Project, what: &str) {
        (self.mend)(project);
        let answers = until_done(project, self.again, what);
        assert!(
            answers.is_empty() || !project.kind.transactional,
            "{what}: nobody need be asked here: {answers:?}"
        );
        assert_done(project, self.again, self.applied, what);
    }
}

/// A run on a server takes longer, and there is no more to be seen in more migrations.
fn count_on(kind: &Kind) -> usize {
    match kind.wire {
        None => 4,
        Some(_) => 3,
    }
}

/// How often at most a run is let come by a point before it dies; on a server a migration and the
/// beginning of the next are past by then.
fn passages(kind: &Kind) -> usize {
    match kind.wire {
        None => usize::MAX,
        Some(_) => 4,
    }
}

fn count(project: &Project) -> usize {
    count_on(&project.kind)
}

fn all_applied(project: &Project) {
    project.write_effects(count(project));
    project.ok(&["up"]);
}

/// `N-1` passages without a fault, then death.
pub(crate) fn dies_at(point: &str, passage: usize) -> String {
    match passage - 1 {
        0 => format!("{point}=1*return(kill)"),
        before => format!("{point}={before}*off->1*return(kill)"),
    }
}

/// Dies at every point and in every passage, and is finished by the next run.
fn dies_everywhere(case: &Case) {
    let mut diary = Diary::begin("crash", &case.name_of_diary());
    let mut died_at = BTreeSet::new();
    for point in POINTS {
        for passage in 1..=passages(&case.before.kind) {
            let project = case.before.copy();
            let faults = dies_at(point, passage);
            let ended = case.run(&project, &faults);
            diary.note(&json!({"faults": faults, "code": ended.code}));
            if ended.code != KILLED {
                assert_eq!(ended.code, case.code, "{faults}: {ended:#?}");
                break;
            }
            died_at.insert(*point);
            assert_sound(&project, Moment::Interrupted, &faults);
            case.finish(&project, &faults);
        }
    }
    let expected: BTreeSet<_> = POINTS
        .iter()
        .copied()
        .filter(|point| !case.beside.contains(point))
        // what goes statement by statement is not checked as a whole
        .filter(|point| case.before.kind.transactional || *point != "step::before-check")
        // a server is sent the events and the commit at once
        .filter(|point| case.before.kind.wire.is_none() || *point != "record::before-commit")
        .collect();
    assert_eq!(
        died_at, expected,
        "the points that `{}` comes by",
        case.name
    );
}

/// Dies, dies again at every point of the run that would recover, and is finished by the third run.
fn dies_twice(case: &Case, first: &str, recovery: &[&str]) {
    let mut diary = Diary::begin("crash", &format!("{}_twice", case.name_of_diary()));
    let faults = dies_at(first, 1);
    let mut deaths = 0;
    for point in POINTS {
        for passage in 1..=2 {
            let project = case.before.copy();
            assert_eq!(case.run(&project, &faults).code, KILLED, "{faults}");
            let again = format!("{faults}, then {}", dies_at(point, passage));
            let ended = project.run_with(recovery, &[("FAILPOINTS", &dies_at(point, passage))]);
            diary.note(&json!({"faults": again, "code": ended.code}));
            if ended.code != KILLED {
                break;
            }
            deaths += 1;
            assert_sound(&project, Moment::Interrupted, &again);
            case.finish(&project, &again);
        }
    }
    // where a person is asked first, there is little that could die
    let least = if case.before.kind.transactional {
        10
    } else {
        2
    };
    assert!(
        deaths >= least,
        "{deaths} deaths in the recovery of {faults}"
    );
}

/// Dies at each passage of a point until no run comes there any more, or none gets further.
fn dies_for_ever(case: &Case) {
    let mut diary = Diary::begin("crash", &format!("{}_for_ever", case.name_of_diary()));
    for point in POINTS {
        let project = case.before.copy();
        let faults = format!("{point}=return(kill)");
        for run in 1..=6 {
            let ended = case.run(&project, &faults);
            diary.note(&json!({"faults": faults, "run": run, "code": ended.code}));
            assert_sound(&project, Moment::Interrupted, &(&faults, run));
            if ended.code != KILLED {
                let asks = ended.code == 7 && !project.kind.transactional;
                assert!(asks || ended.code == case.code, "{faults}: {ended:#?}");
                break;
            }
        }
        case.finish(&project, &faults);
    }
}

/// F22
fn up_at_first_contact(kind: &Kind) {
    dies_everywhere(&Case::first_contact(kind));
}

/// F22
fn up_of_the_rest(kind: &Kind) {
    dies_everywhere(&Case::half_applied(kind));
}

/// F22
fn down_of_everything(kind: &Kind) {
    dies_everywhere(&Case::down(kind));
}

/// F22
fn redo_of_the_last(kind: &Kind) {
    dies_everywhere(&Case::redo(kind));
}

/// F22
fn up_that_fails(kind: &Kind) {
    dies_everywhere(&Case::failing(kind));
}

fn up_dies_again_while_it_recovers(kind: &Kind) {
    let case = Case::first_contact(kind);
    for first in [
        "acquire::after-commit",
        "step::after-statement",
        "record::after-commit",
    ] {
        dies_twice(&case, first, &["up"]);
    }
}

fn down_dies_again_while_it_recovers(kind: &Kind) {
    dies_twice(
        &Case::down(kind),
        "record::before-append",
        &["down", "--all", "--yes"],
    );
}

fn a_failure_dies_again_while_it_recovers(kind: &Kind) {
    let case = Case::failing(kind);
    for first in OF_FAILURES {
        dies_twice(&case, first, &["up"]);
    }
}

fn up_dies_for_ever(kind: &Kind) {
    dies_for_ever(&Case::first_contact(kind));
}

fn down_dies_for_ever(kind: &Kind) {
    dies_for_ever(&Case::down(kind));
}

on_each_engine!(
    up_at_first_contact,
    up_of_the_rest,
    down_of_everything,
    redo_of_the_last,
    up_that_fails,
    up_dies_again_while_it_recovers,
    down_dies_again_while_it_recovers,
    a_failure_dies_again_while_it_recovers,
    up_dies_for_ever,
    down_dies_for_ever,
);

/// A database in a rollback-journal mode keeps it, and a hot journal is rolled back by whoever comes.
#[test]
fn up_in_a_rollback_journal() {
    for mode in ["delete", "truncate", "persist"] {
        let mut case = Case::first_contact(&SQLITE);
        case.before.sqlite(&format!(
            "PRAGMA journal_mode = {mode}; CREATE TABLE theirs (id INTEGER PRIMARY KEY)"
        ));
        case.name = "rollback_journal";
        for point in [
            "acquire::before-commit",
            "step::after-statement",
            "record::before-commit",
        ] {
            let project = case.before.copy();
            let ended = case.run(&project, &dies_at(point, 1));
            assert_eq!(ended.code, KILLED, "{mode}, {point}: {ended:#?}");
            let what = format!("{mode}, {point}");
            assert_sound(&project, Moment::Interrupted, &what);
            case.finish(&project, &what);
            if mode != "persist" {
                assert_eq!(project.sqlite("PRAGMA journal_mode").trim(), "delete");
            }
        }
    }
}

/// F32: what a table rebuild has done goes back whole, whichever of its statements was the last.
#[test]
fn a_table_rebuild_goes_back_whole() {
    const REBUILD: &str = "-- UP
CREATE TABLE parents_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO parents_new SELECT id, 'parent ' || id FROM parents;
DROP TABLE parents;
ALTER TABLE parents_new RENAME TO parents;
CREATE INDEX parents_name ON parents (name);
-- DOWN
DROP INDEX parents_name;
";
    let before = Project::new();
    before.write(
        "migrations/1_family.sql",
        "-- UP
CREATE TABLE parents (id INTEGER PRIMARY KEY);
CREATE TABLE children (parent INTEGER NOT NULL REFERENCES parents ON DELETE CASCADE);
INSERT INTO parents VALUES (1), (2);
INSERT INTO children VALUES (1), (1), (2);
",
    );
    before.ok(&["up"]);
    before.write("migrations/2_rebuild.sql", REBUILD);
    let dump = |project: &Project| {
        project.sqlite(
            "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'mledger%' ORDER BY 2;
             SELECT * FROM parents; SELECT * FROM children",
        )
    };
    let old = dump(&before);
    for statement in 1..=5 {
        let project = before.copy();
        let faults = dies_at("step::after-statement", statement);
        let ended = project.run_with(&["up"], &[("FAILPOINTS", &faults)]);
        assert_eq!(ended.code, KILLED, "{faults}: {ended:#?}");
        assert_eq!(dump(&project), old, "{faults}");
        project.ok(&["up"]);
        let children = project.sqlite("SELECT count(*) FROM children JOIN parents ON id = parent");
        assert_eq!(children.trim(), "3", "{faults}");
        assert_eq!(
            project.json(&["status"])["counts"]["applied"]
                .as_u64()
                .unwrap(),
            2
        );
    }
}

/// The negative control: where effects and ledger differ, the oracle says so.
#[test]
fn the_oracle_sees_what_differs() {
    let before = Project::with_effects(3);
    before.ok(&["up"]);
    assert_eq!(violations(&before, Moment::AtRest), Vec::<String>::new());
    for lie in [
        "DELETE FROM effects WHERE migration = '2' AND statement = 2",
        "INSERT INTO effects VALUES ('2', 1)",
        "INSERT INTO effects VALUES ('4', 1)",
        "UPDATE mledger_lease SET token = 'x', actor = 'x', host = 'x', run = 'x', process = 'x', \
         since_ms = 1, expires_ms = 1",
        "DROP TRIGGER mledger_events_no_delete; DELETE FROM mledger_events WHERE seq = 3",
    ] {
        let project = before.copy();
        project.sqlite(lie);
        assert!(!violations(&project, Moment::AtRest).is_empty(), "{lie}");
    }
}
