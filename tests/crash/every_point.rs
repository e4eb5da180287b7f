//! Commands that leave nothing unknown: whatever happens, the next run settles it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use mledger::fault::POINTS;
use serde_json::json;

use crate::diary::Diary;
use crate::oracle::{Moment, assert_sound, bytes, facts, violations};
use crate::processes::KILLED;
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
    /// `up` of four migrations on a database that is not there yet.
    fn first_contact() -> Self {
        Self {
            name: "first_contact",
            before: Project::with_effects(4),
            command: &["up"],
            code: 0,
            mend: |_| {},
            again: &["up"],
            applied: &["1", "2", "3", "4"],
            beside: [&OF_FAILURES[..], &OF_LONE_APPENDS].concat(),
        }
    }

    /// `up` where two of the four are applied, and a table was there before.
    fn half_applied() -> Self {
        let before = Project::with_effects(4);
        before
            .sqlite("CREATE TABLE theirs (id INTEGER PRIMARY KEY); INSERT INTO theirs VALUES (7)");
        before.ok(&["up", "--count", "2"]);
        Self {
            name: "half_applied",
            before,
            beside: [&OF_FAILURES[..], &OF_LONE_APPENDS, &OF_FIRST_CONTACT].concat(),
            ..Self::first_contact()
        }
    }

    /// `down --all` of four migrations.
    fn down() -> Self {
        let before = Project::with_effects(4);
        before.ok(&["up"]);
        Self {
            name: "down",
            before,
            command: &["down", "--all", "--yes"],
            again: &["down", "--all", "--yes"],
            applied: &[],
            ..Self::half_applied()
        }
    }

    /// `redo` of the last of four.
    fn redo() -> Self {
        let before = Project::with_effects(4);
        before.ok(&["up"]);
        Self {
            name: "redo",
            before,
            command: &["redo"],
            ..Self::half_applied()
        }
    }

    /// `up` whose third migration fails at its last statement.
    fn failing() -> Self {
        let before = Project::with_effects(4);
        let wrong = effects(3).replace("\n-- DOWN", "\nINSERT INTO missing VALUES (1);\n-- DOWN");
        before.write("migrations/3_m3.sql", &wrong);
        Self {
            name: "failing",
            before,
            code: 1,
            mend: |project| project.write("migrations/3_m3.sql", &effects(3)),
            beside: [&OF_LONE_APPENDS[..], &["run::before-end"]].concat(),
            ..Self::first_contact()
        }
    }

    fn run(&self, project: &Project, faults: &str) -> Ended {
        project.run_with(self.command, &[("FAILPOINTS", faults)])
    }

    /// The run that must finish, what must be true then, and the run that must do nothing.
    fn finish(&self, project: &Project, what: &str) {
        (self.mend)(project);
        let again = project.run(self.again);
        assert_eq!(again.code, 0, "{what}: the next run: {again:#?}");
        assert_sound(project, Moment::AtRest, &what);
        assert_eq!(facts(project).applied(), self.applied, "{what}");
        let before = bytes(project);
        let idle = project.run(self.again);
        assert_eq!(idle.code, 0, "{what}: the run after it: {idle:#?}");
        assert!(idle.stdout.contains("nothing to do"), "{what}: {idle:#?}");
        assert!(before == bytes(project), "{what}: the idle run has written");
    }
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
    let mut diary = Diary::begin("crash", case.name);
    let mut died_at = BTreeSet::new();
    for point in POINTS {
        for passage in 1.. {
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
        .collect();
    assert_eq!(
        died_at, expected,
        "the points that `{}` comes by",
        case.name
    );
}

/// Dies, dies again at every point of the run that would recover, and is finished by the third run.
fn dies_twice(case: &Case, first: &str, recovery: &[&str]) {
    let mut diary = Diary::begin("crash", &format!("{}_twice", case.name));
    let once = case.before.copy();
    let faults = dies_at(first, 1);
    assert_eq!(case.run(&once, &faults).code, KILLED, "{faults}");
    let mut deaths = 0;
    for point in POINTS {
        for passage in 1..=2 {
            let project = once.copy();
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
    assert!(deaths > 10, "{deaths} deaths in the recovery of {faults}");
}

/// Dies at each passage of a point until no run comes there any more, or none gets further.
fn dies_for_ever(case: &Case) {
    let mut diary = Diary::begin("crash", &format!("{}_for_ever", case.name));
    for point in POINTS {
        let project = case.before.copy();
        let faults = format!("{point}=return(kill)");
        for run in 1..=6 {
            let ended = case.run(&project, &faults);
            diary.note(&json!({"faults": faults, "run": run, "code": ended.code}));
            assert_sound(&project, Moment::Interrupted, &(&faults, run));
            if ended.code != KILLED {
                assert_eq!(ended.code, case.code, "{faults}: {ended:#?}");
                break;
            }
        }
        case.finish(&project, &faults);
    }
}

#[test]
fn up_at_first_contact() {
    dies_everywhere(&Case::first_contact());
}

#[test]
fn up_of_the_rest() {
    dies_everywhere(&Case::half_applied());
}

#[test]
fn down_of_everything() {
    dies_everywhere(&Case::down());
}

#[test]
fn redo_of_the_last() {
    dies_everywhere(&Case::redo());
}

#[test]
fn up_that_fails() {
    dies_everywhere(&Case::failing());
}

#[test]
fn up_dies_again_while_it_recovers() {
    let case = Case::first_contact();
    for first in [
        "acquire::after-commit",
        "step::after-statement",
        "record::after-commit",
    ] {
        dies_twice(&case, first, &["up"]);
    }
}

#[test]
fn down_dies_again_while_it_recovers() {
    dies_twice(
        &Case::down(),
        "record::before-commit",
        &["down", "--all", "--yes"],
    );
}

#[test]
fn a_failure_dies_again_while_it_recovers() {
    let case = Case::failing();
    for first in OF_FAILURES {
        dies_twice(&case, first, &["up"]);
    }
}

#[test]
fn up_dies_for_ever() {
    dies_for_ever(&Case::first_contact());
}

#[test]
fn down_dies_for_ever() {
    dies_for_ever(&Case::down());
}

/// A database in a rollback-journal mode keeps it, and a hot journal is rolled back by whoever comes.
#[test]
fn up_in_a_rollback_journal() {
    for mode in ["delete", "truncate", "persist"] {
        let mut case = Case::first_contact();
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

/// What a table rebuild has done goes back whole, whichever of its statements was the last.
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
