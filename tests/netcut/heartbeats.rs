//! The two connections of a run part company: the heartbeat's is gone while the work goes on, or the
//! work's while the heart beats (F04).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::thread;
use std::time::Duration;

use crate::every_message::parts;
use crate::mend::{assert_done, until_done};
use crate::oracle::{Moment, assert_sound, facts};
use crate::processes::{Running, wait_for};
use crate::proxy::{Act, At, Proxy};
use crate::support::engines::Kind;
use crate::support::{Project, effects};

/// What only a heartbeat says.
const BEAT: &str = "FOR UPDATE NOWAIT";

/// What only the long statement of the second migration says.
const LONG: &str = "SLEEP(5";

const APPLIED: [&str; 3] = ["1", "2", "3"];

/// How long a run may take that is not disturbed, and one that must notice first that it is.
const PATIENCE: Duration = Duration::from_secs(40);

/// A run behind a proxy.
struct Holder {
    project: Project,
    proxy: Proxy,
    running: Running,
}

/// Starts a run whose second migration takes five times as long as the lease.
fn holder(kind: &Kind, at: At, act: Act) -> Holder {
    let project = Project::with_effects_on(kind, 3);
    project.write("mledger.toml", "lease = \"1s\"\n");
    let text = effects(2).replace("\n-- DOWN", &format!("\n{}\n-- DOWN", kind.seconds));
    project.write("migrations/2_m2.sql", &text);
    let (before, server, behind) = parts(&project.place.url());
    let proxy = Proxy::start(server, kind.wire.unwrap(), at, act);
    let url = format!("{before}{}{behind}", proxy.address());
    let running = Running::start(&project, &["up"], &[("DATABASE_URL", &url)]);
    wait_for("the connection to be disturbed", || proxy.has_struck());
    Holder {
        project,
        proxy,
        running,
    }
}

/// One connection of the heartbeat is lost: it opens another one in time, and nobody takes the lease.
fn a_heartbeat_that_lost_its_connection_connects_again(kind: &Kind) {
    thread::scope(|scope| {
        for act in [Act::CutBefore, Act::LoseTheAnswer, Act::Swallow] {
            scope.spawn(move || {
                let holder = holder(kind, At::Text(BEAT, 2), act);
                let waiter = Running::start(&holder.project, &["up"], &[]);
                let ended = holder.running.ends_within(PATIENCE);
                assert_eq!(ended.code, 0, "{act:?}: {ended:#?}");
                assert!(holder.proxy.matching() > 4, "{act:?}: it went on to beat");
                let waited = waiter.ends_within(PATIENCE);
                assert_eq!(waited.code, 0, "{act:?}: {waited:#?}");
                let facts = facts(&holder.project);
                assert_eq!(facts.count("lock.broken"), 0, "{act:?}");
                assert_eq!(facts.count("run.started"), 1, "{act:?}");
                assert_done(&holder.project, &["up"], &APPLIED, &format!("{act:?}"));
            });
        }
    });
}

/// No heartbeat arrives any more, and nobody else wants to run: the run finishes its work.
fn without_a_heartbeat_and_a_rival_the_run_succeeds(kind: &Kind) {
    thread::scope(|scope| {
        for act in [Act::CutBefore, Act::Swallow] {
            scope.spawn(move || {
                let holder = holder(kind, At::EachText(BEAT, 1), act);
                let ended = holder.running.ends_within(PATIENCE);
                assert_eq!(ended.code, 0, "{act:?}: {ended:#?}");
                assert_done(&holder.project, &["up"], &APPLIED, &format!("{act:?}"));
            });
        }
    });
}

/// No heartbeat arrives any more, and another run waits. It ends the session of the first one, which then
/// records its failure and frees the lease, or comes too late for that and commits nothing any more.
fn without_a_heartbeat_a_rival_gets_its_turn_and_only_one_applies(kind: &Kind) {
    thread::scope(|scope| {
        for act in [Act::CutBefore, Act::Swallow] {
            scope.spawn(move || {
                let holder = holder(kind, At::EachText(BEAT, 1), act);
                let what = format!("{act:?}");
                let answers = until_done(&holder.project, &["up"], &what);
                assert!(answers.is_empty() || !kind.transactional, "{answers:?}");
                let ended = holder.running.ends_within(PATIENCE);
                let facts = facts(&holder.project);
                let code = match facts.count("lock.broken") {
                    0 => 1,
                    _ => 5,
                };
                // it cannot know what became of a statement that commits by itself, and says so
                let asks = ended.code == 7 && !kind.transactional;
                assert!(ended.code == code || asks, "{what}: {ended:#?}");
                for version in APPLIED {
                    let applied = ("migration.applied".to_owned(), version.to_owned());
                    let times = facts.events.iter().filter(|event| **event == applied);
                    assert_eq!(times.count(), 1, "{what}: {}", facts.story());
                }
                assert_done(&holder.project, &["up"], &APPLIED, &what);
            });
        }
    });
}

/// The connection of the work is cut in the middle of a statement, which the server goes on with: it is
/// ended there before anything is tried again.
fn work_that_is_cut_off_is_ended_on_the_server_before_it_is_repeated(kind: &Kind) {
    let holder = holder(kind, At::Text(LONG, 1), Act::CutMeanwhile);
    let ended = holder.running.ends_within(PATIENCE);
    let asks = ended.code == 7 && !kind.transactional;
    assert!([0, 1, 6].contains(&ended.code) || asks, "{ended:#?}");
    assert_sound(&holder.project, Moment::Interrupted, &ended);
    until_done(&holder.project, &["up"], "work that was cut off");
    let facts = facts(&holder.project);
    assert_eq!(facts.count("lock.broken"), 0, "the holder freed its lease");
    assert_done(&holder.project, &["up"], &APPLIED, "work that was cut off");
}

/// The connection of the work falls silent while the heart beats: nobody else begins, and when the
/// connection breaks at last the work is finished as after any other failure.
fn work_that_falls_silent_is_left_alone_while_the_heart_beats(kind: &Kind) {
    let holder = holder(kind, At::Text(LONG, 1), Act::Swallow);
    let events = facts(&holder.project).events;
    let rival = holder.project.run(&["up", "--lease-wait", "3"]);
    assert_eq!(rival.code, 5, "{rival:#?}");
    assert_eq!(facts(&holder.project).events, events);
    drop(holder.proxy);
    // what has fallen silent was all of the network that the run had
    let ended = holder.running.ends_within(PATIENCE);
    let asks = ended.code == 7 && !kind.transactional;
    assert!([0, 1, 5, 6].contains(&ended.code) || asks, "{ended:#?}");
    until_done(&holder.project, &["up"], "work that fell silent");
    assert_done(&holder.project, &["up"], &APPLIED, "work that fell silent");
}

on_each_server!(
    a_heartbeat_that_lost_its_connection_connects_again,
    without_a_heartbeat_and_a_rival_the_run_succeeds,
    without_a_heartbeat_a_rival_gets_its_turn_and_only_one_applies,
    work_that_is_cut_off_is_ended_on_the_server_before_it_is_repeated,
    work_that_falls_silent_is_left_alone_while_the_heart_beats,
);
