//! Writers and readers of every sort at once; what a reader has seen of the log stays in it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::oracle::{Moment, assert_sound, facts};
use crate::support::Project;
use crate::support::engines::Kind;

/// How long the writers go on.
const TIME: Duration = Duration::from_secs(12);

/// A size of the log, and the hash of its last event then.
type Head = (u64, String);

/// Asks for the status again and again; returns every head that was told, in order.
fn watch(project: &Project, done: &AtomicBool) -> Vec<Head> {
    let mut heads: Vec<Head> = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let status = project.json(&["status"]);
        assert_eq!(status["ok"], true, "{status:#}");
        // what a run changes between two looks of a reader is no change out of band
        assert_eq!(status["warnings"], json!([]), "{status:#}");
        let ledger = &status["ledger"];
        if *ledger == Value::Null {
            continue;
        }
        let head = ledger["head"].as_str().unwrap().to_owned();
        heads.push((ledger["size"].as_u64().unwrap(), head));
    }
    heads
}

fn again(project: &Project, command: &[&str], done: &AtomicBool) -> usize {
    let mut rounds = 0;
    while !done.load(Ordering::Relaxed) {
        let ended = project.run(command);
        // while a run goes statement by statement, a migration is there in part
        let partly = ended.code == 3 && command == ["plan"] && !project.kind.transactional;
        let well = ended.code == 0 || partly;
        assert!(well, "`{}`: {ended:#?}", command.join(" "));
        rounds += 1;
    }
    rounds
}

fn mixed(project: &Project) {
    project.ok(&["init"]);
    let done = AtomicBool::new(false);
    let writers: [&[&str]; 4] = [
        &["up"],
        &["up", "--count", "2"],
        &["down", "--steps", "3"],
        &["down", "--all", "--yes"],
    ];
    let readers: [&[&str]; 4] = [
        &["verify", "--strict"],
        &["events"],
        &["lock", "status"],
        &["plan"],
    ];
    let heads = thread::scope(|scope| {
        let watchers = [(); 2].map(|()| scope.spawn(|| watch(project, &done)));
        let others: Vec<_> = writers
            .iter()
            .chain(&readers)
            .map(|command| scope.spawn(|| again(project, command, &done)))
            .collect();
        let begun = Instant::now();
        while begun.elapsed() < TIME && others.iter().all(|other| !other.is_finished()) {
            thread::sleep(Duration::from_millis(50));
        }
        done.store(true, Ordering::Relaxed);
        for other in others {
            assert!(other.join().unwrap() > 0);
        }
        watchers.map(|watcher| watcher.join().unwrap())
    });
    assert_sound(project, Moment::AtRest, &"mixed");
    assert!(facts(project).count("migration.rolled_back") > 0);
    let hashes = facts(project).hashes;
    for seen in heads {
        assert!(seen.len() > 1, "a reader saw {} heads", seen.len());
        assert!(seen.is_sorted_by_key(|(size, _)| *size), "a head went back");
        for (size, head) in seen {
            let index = usize::try_from(size).unwrap() - 1;
            assert_eq!(hashes[index], head, "the head at size {size}");
        }
    }
}

fn up_and_down_and_readers(kind: &Kind) {
    mixed(&Project::with_effects_on(kind, 6));
}

on_each_engine!(up_and_down_and_readers);

#[test]
fn up_and_down_and_readers_on_a_rollback_journal() {
    let project = Project::with_effects(6);
    project.sqlite("PRAGMA journal_mode = delete; CREATE TABLE theirs (id INTEGER)");
    mixed(&project);
}
