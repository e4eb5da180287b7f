//! The same command from many processes: one does the work, the others find nothing to do.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::thread;
use std::time::Duration;

use crate::oracle::{Moment, assert_sound, facts};
use crate::processes::Running;
use crate::support::engines::{Kind, POSTGRES, SQLITE};
use crate::support::{Ended, Project};

const MIGRATIONS: usize = 20;

/// Where a process waits that has seen an empty ledger and not begun to write.
const BARRIER: &str = "acquire::before-begin=1*return(stop)";

/// How the processes come together.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// As fast as they can be started.
    Together,
    /// All of them have decided already when the first one may begin.
    AtTheBarrier,
}

fn herd(project: &Project, processes: usize, arguments: &[&str], start: Start) -> Vec<Ended> {
    let faults = match start {
        Start::Together => "",
        Start::AtTheBarrier => BARRIER,
    };
    let mut herd: Vec<Running> = (0..processes)
        .map(|_| Running::start(project, arguments, &[("FAILPOINTS", faults)]))
        .collect();
    if let Start::AtTheBarrier = start {
        herd.iter_mut().for_each(Running::wait_until_stopped);
        thread::scope(|scope| {
            for running in &mut herd {
                scope.spawn(|| running.signal("CONT"));
            }
        });
    }
    herd.into_iter()
        .map(|running| running.ends_within(Duration::from_secs(120)))
        .collect()
}

/// Rounds on a fresh database each: no file, no key, no ledger.
fn first_contact(kind: &Kind, processes: usize, rounds: usize, prepare: fn(&Project)) {
    let template = Project::with_effects_on(kind, MIGRATIONS);
    for round in 0..rounds {
        let start = if round % 2 == 0 {
            Start::AtTheBarrier
        } else {
            Start::Together
        };
        let project = template.copy();
        prepare(&project);
        let herd = herd(&project, processes, &["up"], start);
        let what = format!("{processes} processes, round {round}, {start:?}");
        for ended in &herd {
            assert_eq!(ended.code, 0, "{what}: {ended:#?}");
        }
        assert_sound(&project, Moment::AtRest, &what);
        let facts = facts(&project);
        assert_eq!(facts.count("ledger.created"), 1, "{what}");
        assert_eq!(facts.count("migration.applied"), MIGRATIONS, "{what}");
        assert_eq!(facts.count("run.started"), 1, "{what}");
        let idle = herd
            .iter()
            .filter(|ended| ended.stdout.contains("nothing to do"))
            .count();
        assert_eq!(idle, processes - 1, "{what}: all but one were idle");
        let made = herd
            .iter()
            .filter(|ended| ended.stderr.contains("made a signing key"))
            .count();
        assert_eq!(made, 1, "{what}: one key");
    }
}

/// F01, F02
fn thirty_two_processes(kind: &Kind) {
    first_contact(kind, 32, 2, |_| {});
}

/// F01
fn eight_processes(kind: &Kind) {
    first_contact(kind, 8, 6, |_| {});
}

/// F01
fn two_processes(kind: &Kind) {
    first_contact(kind, 2, 16, |_| {});
}

on_each_engine!(
    thirty_two_processes,
    eight_processes,
    two_processes,
    first_contact_of_every_sort,
    down_of_everything_by_eight,
);

/// F15
#[test]
fn eight_processes_on_a_rollback_journal() {
    first_contact(&SQLITE, 8, 4, |project| {
        project.sqlite("PRAGMA journal_mode = delete; CREATE TABLE theirs (id INTEGER)");
    });
}

/// F06: behind a pooler a session changes its server process with each transaction.
#[test]
fn eight_processes_behind_a_pooler() {
    let Ok(pooler) = std::env::var("MLEDGER_TEST_PGBOUNCER_URL") else {
        unreachable!("`./scripts/test` starts a pooler, and runs every suite")
    };
    for round in 0..2 {
        let project = Project::with_effects_on(&POSTGRES, MIGRATIONS);
        let url = project.place.url();
        let (_, name) = url.rsplit_once('/').unwrap();
        let (pooler, _) = pooler.rsplit_once('/').unwrap();
        let url = format!("{pooler}/{name}");
        let herd: Vec<Running> = (0..8)
            .map(|_| Running::start(&project, &["up"], &[("DATABASE_URL", &url)]))
            .collect();
        for running in herd {
            let ended = running.ends_within(Duration::from_secs(120));
            assert_eq!(ended.code, 0, "round {round}: {ended:#?}");
        }
        assert_sound(&project, Moment::AtRest, &round);
        let facts = facts(&project);
        assert_eq!(facts.count("migration.applied"), MIGRATIONS);
        assert_eq!(facts.count("run.started"), 1, "round {round}");
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                     (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(project.ask(locks).trim(), "0", "nothing rests on a session");
    }
}

/// F02: `init`, and commands that only read, on a database that nobody has opened yet.
fn first_contact_of_every_sort(kind: &Kind) {
    for round in 0..8 {
        let project = Project::with_effects_on(kind, 2);
        let commands: [&[&str]; 8] = [
            &["init"],
            &["status"],
            &["up"],
            &["verify"],
            &["init"],
            &["plan"],
            &["lock", "status"],
            &["up"],
        ];
        let herd: Vec<Running> = commands
            .iter()
            .map(|command| Running::start(&project, command, &[]))
            .collect();
        for (running, command) in herd.into_iter().zip(commands) {
            let ended = running.ends();
            // there may be nothing to verify yet, and that is what `verify` says then
            let nothing = ended.code == 2 && ended.stderr.contains("none was opened");
            let nothing = nothing && command == ["verify"];
            assert!(
                ended.code == 0 || nothing,
                "round {round}, {command:?}: {ended:#?}"
            );
        }
        assert_sound(&project, Moment::AtRest, &round);
        assert_eq!(facts(&project).applied(), ["1", "2"]);
    }
}

/// F01: everybody rolls back at once: one does, the others find nothing left.
fn down_of_everything_by_eight(kind: &Kind) {
    let template = Project::with_effects_on(kind, 6);
    for round in 0..4 {
        let project = template.copy();
        project.ok(&["up"]);
        let start = Start::AtTheBarrier;
        for ended in herd(&project, 8, &["down", "--all", "--yes"], start) {
            assert_eq!(ended.code, 0, "round {round}: {ended:#?}");
        }
        assert_sound(&project, Moment::AtRest, &round);
        assert_eq!(facts(&project).count("migration.rolled_back"), 6);
    }
}
