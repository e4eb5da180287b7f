//! Every message of an `up` and of a `down`, and everything that can happen at it (F22, F23, F11).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::diary::Diary;
use crate::mend::{assert_done, until_done};
use crate::oracle::{Moment, assert_sound};
use crate::processes::{KILLED, Running, wait_for};
use crate::proxy::{Act, At, Proxy};
use crate::support::engines::Kind;
use crate::support::{Ended, Project};

/// How many runs are looked at side by side; they wait more than they compute, and those that follow a
/// silence do nothing else until the server ends it.
const AT_ONCE: usize = 4;
const AT_ONCE_IN_SILENCE: usize = 12;

/// How long a run may take to notice that its connection is gone, and to end.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long a run that hears nothing any more is left alone before its host dies.
const SILENCE: Duration = Duration::from_millis(300);

/// The server's address in a URL, and what stands before and behind it.
pub(crate) fn parts(url: &str) -> (String, SocketAddr, String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let (user, host) = authority.rsplit_once('@').unwrap();
    let address = host.to_socket_addrs().unwrap().next().unwrap();
    (format!("{scheme}://{user}@"), address, format!("/{path}"))
}

/// A run of the program through a proxy, which is in its way at one message.
pub(crate) struct Broken {
    pub(crate) ended: Ended,
    /// What the message said, or nothing where the run was over before.
    pub(crate) message: Option<String>,
    /// What is swallowed stays swallowed as long as this is kept.
    proxy: Proxy,
}

/// Runs a command with a proxy in its way.
pub(crate) fn broken(project: &Project, command: &[&str], at: At, act: Act) -> Broken {
    let (before, server, behind) = parts(&project.place.url());
    let proxy = Proxy::start(server, project.kind.wire.unwrap(), at, act);
    let url = format!("{before}{}{behind}", proxy.address());
    let mut running = Running::start(project, command, &[("DATABASE_URL", &url)]);
    if act == Act::Swallow {
        wait_for("the connection to fall silent", || {
            proxy.has_struck() || running.has_ended()
        });
        thread::sleep(SILENCE);
        if !running.has_ended() {
            running.signal("KILL");
        }
    }
    let broken = Broken {
        ended: running.ends_within(PATIENCE),
        message: proxy.has_struck().then(|| proxy.message()),
        proxy,
    };
    // a server that was told nothing keeps the session of the dead client, and the locks that it has
    if act != Act::Swallow && broken.message.is_some() {
        assert_sound(project, Moment::Interrupted, &broken.message);
    }
    broken
}

/// A command, and the project that it is run in.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    prepare: fn(&Kind) -> Project,
    command: &'static [&'static str],
    applied: fn(&Kind) -> &'static [&'static str],
}

/// What goes statement by statement sends twice as many messages a migration.
fn count(kind: &Kind) -> usize {
    if kind.transactional { 3 } else { 2 }
}

const UP: Case = Case {
    name: "up",
    prepare: |kind| Project::with_effects_on(kind, count(kind)),
    command: &["up"],
    applied: |kind| &["1", "2", "3"][..count(kind)],
};

const DOWN: Case = Case {
    name: "down",
    prepare: |kind| {
        let project = Project::with_effects_on(kind, 2);
        project.ok(&["up"]);
        project
    },
    command: &["down", "--all", "--yes"],
    applied: |_| &[],
};

/// Goes through the messages until a run ends before the one that is looked for.
fn every_message(kind: &Kind, case: Case, act: Act) {
    let diary = Mutex::new(Diary::begin(
        "netcut",
        &format!("{}_{}_{act:?}", kind.name, case.name),
    ));
    // half an answer is a lost one to all but what parses it, so a third of them will do
    let (stride, at_once) = match act {
        Act::HalveTheAnswer => (3, AT_ONCE),
        // what it leaves differs by what was locked before it, which not every message changes
        Act::Swallow => (2, AT_ONCE_IN_SILENCE),
        _ => (1, AT_ONCE),
    };
    let next = AtomicUsize::new(1);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let number = next.fetch_add(stride, Ordering::SeqCst);
                    if one_message(kind, case, act, number, &diary) {
                        over.store(true, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let seen = next.load(Ordering::SeqCst);
    assert!(seen > 15, "only {seen} messages were looked at");
}

/// Says whether the run was over before that message.
fn one_message(kind: &Kind, case: Case, act: Act, number: usize, diary: &Mutex<Diary>) -> bool {
    let project = (case.prepare)(kind);
    project.write("mledger.toml", "lease = \"2s\"\n");
    let begun = Instant::now();
    let broken = broken(&project, case.command, At::Message(number), act);
    let what = format!("{act:?} at message {number}: {:?}", broken.message);
    let code = broken.ended.code;
    let seconds = begun.elapsed().as_secs_f64();
    let told = json!({"at": number, "message": broken.message, "code": code, "seconds": seconds});
    diary.lock().unwrap().note(&told);
    if broken.message.is_none() {
        assert_eq!(code, 0, "{what}: nothing happened: {:#?}", broken.ended);
        return true;
    }
    // it was done in spite of all, or failed, or could not connect, or does not know
    let known = [0, 1, 5, 6, 7, KILLED];
    assert!(known.contains(&code), "{what}: {:#?}", broken.ended);
    let begun = Instant::now();
    let answers = until_done(&project, case.command, &what);
    let seconds = begun.elapsed().as_secs_f64();
    let told = json!({"at": number, "answers": answers, "seconds": seconds});
    diary.lock().unwrap().note(&told);
    assert!(
        answers.is_empty() || !kind.transactional,
        "{what}: nobody need be asked here: {answers:?}"
    );
    assert_done(&project, case.command, (case.applied)(kind), &what);
    drop(broken.proxy);
    false
}

/// Every message is small enough to be looked at in a test of its own.
macro_rules! acts {
    ($($test:ident: $case:ident, $act:ident;)+) => {
        $(fn $test(kind: &Kind) {
            every_message(kind, $case, Act::$act);
        })+
        on_each_server!($($test),+);
    };
}

acts! {
    up_is_cut_before_a_message: UP, CutBefore;
    up_loses_an_answer: UP, LoseTheAnswer;
    up_hears_half_an_answer: UP, HalveTheAnswer;
    up_falls_silent: UP, Swallow;
    down_is_cut_before_a_message: DOWN, CutBefore;
    down_loses_an_answer: DOWN, LoseTheAnswer;
    down_falls_silent: DOWN, Swallow;
}
