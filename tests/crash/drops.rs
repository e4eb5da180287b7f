//! The library inside another program, which drops the future of a run at any of its await points: what
//! is left is what a crash leaves, and whoever comes next finishes it (F124).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as Waker, Poll};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mledger::context::{Context, Forgetful, Silent, Source, Stop};
use mledger::keystore::{self, Keystore, Person, Place};
use mledger::ledger::{Digest, Severity, Timestamp};
use mledger::request::{Back, Down, Resolution, Resolve, Settings, Up, Verify};
use mledger::{Error, Migrator};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use crate::diary::Diary;
use crate::mend::{assert_done, until_done};
use crate::support::engines::{Kind, SQLITE};
use crate::support::{Project, effects};

/// The process that held the lease is this one and alive, so the next run waits until it has expired.
const LEASE: Duration = Duration::from_millis(300);

/// How many projects are looked at side by side; they wait more than they compute.
const AT_ONCE: usize = 4;

/// How many await points of a command are looked at; what happens on a server takes longer.
fn points(kind: &Kind) -> usize {
    match kind.wire {
        None => 120,
        Some(_) => 30,
    }
}

/// What the library is asked.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Up,
    Down,
    Resume,
}

struct Case {
    ask: Ask,
    prepare: fn(&Project),
    /// The command that finishes what was asked.
    again: &'static [&'static str],
    applied: &'static [&'static str],
}

const UP: Case = Case {
    ask: Ask::Up,
    prepare: |project| {
        keep_a_key(project);
        project.write_effects(2);
    },
    again: &["up"],
    applied: &["1", "2"],
};

const DOWN: Case = Case {
    ask: Ask::Down,
    prepare: |project| {
        (UP.prepare)(project);
        project.ok(&["up"]);
    },
    again: &["down", "--all", "--yes"],
    applied: &[],
};

/// Of the second migration the first statement is done, and a person lets it go on.
const RESUME: Case = Case {
    ask: Ask::Resume,
    prepare: |project| {
        (UP.prepare)(project);
        let stepwise = effects(2).replace("-- UP\n", "-- UP\n-- mledger:no-transaction\n");
        let wrong = stepwise.replacen("INTO effects VALUES", "INTO missing VALUES", 1);
        project.write("migrations/2_m2.sql", &wrong);
        project.fails(1, &["up"]);
        project.write("migrations/2_m2.sql", &stepwise);
    },
    ..UP
};

/// A clock and ids that are those of the system.
struct System;

impl Source for System {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap())
    }

    fn id(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn nonce(&self) -> Digest {
        Digest::of(Uuid::now_v7().as_bytes())
    }

    fn ticks_ms(&self) -> u64 {
        0
    }
}

struct Nobody;

impl Person for Nobody {
    fn passphrase(&self, _: &str) -> Result<String, String> {
        Err("nobody is there".to_owned())
    }

    fn made(&self, _: &Path) {}
}

/// Where the program looks for its key, so that it and the library sign with the same one.
const KEY: &str = "home/config/mledger/id_ed25519";

fn keep_a_key(project: &Project) {
    assert!(keystore::create(&project.path().join(KEY), "dana@example.com").unwrap());
}

fn migrator(project: &Project, stop: &Stop) -> Migrator {
    let mut settings = Settings::new(project.path().join("migrations"));
    settings.lease = LEASE;
    settings.lease_wait = Duration::from_secs(20);
    let context = Context {
        actor: "dana@example.com".to_owned(),
        host: "laptop".to_owned(),
        process: mledger::lease::this_process(),
        ci: None,
        tool: "mledger/0.1.0".to_owned(),
        source: Arc::new(System),
        observer: Arc::new(Silent),
        stop: stop.clone(),
        heads: Arc::new(Forgetful),
    };
    let key = Place::Named(project.path().join(KEY));
    let keys = Keystore::new(key, "dana@example.com", Err("a test"), Arc::new(Nobody));
    Migrator::new(project.place.engine(), settings, context, Arc::new(keys))
}

async fn ask(migrator: &Migrator, ask: Ask) -> Result<(), Error> {
    match ask {
        Ask::Up => migrator.up(&Up::default()).await.map(drop),
        Ask::Down => {
            let down = Down {
                back: Back::All,
                ticket: None,
                timeout: None,
            };
            migrator.down(&down).await.map(drop)
        }
        Ask::Resume => {
            let resolve = Resolve {
                version: "2".parse().unwrap(),
                resolution: Resolution::Resume,
                reason: "the name is right now".to_owned(),
            };
            migrator.resolve(&resolve).await.map(drop)
        }
    }
}

/// A future that is given up when it has been found pending so many times.
struct GivenUp<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    left: usize,
    seen: &'a AtomicUsize,
}

impl<T> Future for GivenUp<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, waker: &mut Waker<'_>) -> Poll<Option<T>> {
        if let Poll::Ready(output) = self.future.as_mut().poll(waker) {
            return Poll::Ready(Some(output));
        }
        self.seen.fetch_add(1, Ordering::SeqCst);
        self.left -= 1;
        match self.left {
            0 => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Drops the future of a command at its `number`th await point; returns its result where it was over
/// before, and how many it came by.
fn dropped(
    runtime: &Runtime,
    migrator: &Migrator,
    what: Ask,
    number: usize,
) -> (Option<Result<(), Error>>, usize) {
    let seen = AtomicUsize::new(0);
    let result = runtime.block_on(GivenUp {
        future: Box::pin(ask(migrator, what)),
        left: number,
        seen: &seen,
    });
    (result, seen.into_inner())
}

fn dropped_everywhere(kind: &Kind, case: &Case) {
    let name = format!("{}_{:?}", kind.name, case.ask);
    let diary = Mutex::new(Diary::begin("drops", &name));
    let before = Project::prepared(kind, case.prepare);
    // an answer that is there at once is not waited for: the fullest of three runs is taken
    let awaits = (0..3).map(|_| awaits_of(&before, case)).max().unwrap();
    assert!(awaits > 20, "only {awaits} await points");
    let stride = awaits.div_ceil(points(kind));
    let next = AtomicUsize::new(1);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let number = next.fetch_add(stride, Ordering::SeqCst);
                    if dropped_at(&before, case, number, &diary) {
                        over.store(true, Ordering::SeqCst);
                    }
                }
            });
        }
    });
}

/// Lets a command come to its end; returns how many await points it came by.
fn awaits_of(before: &Project, case: &Case) -> usize {
    let project = before.copy();
    let migrator = migrator(&project, &Stop::default());
    let (result, awaits) = dropped(&runtime(), &migrator, case.ask, usize::MAX);
    result.unwrap().unwrap();
    awaits
}

/// Says whether the command was over before that await point.
fn dropped_at(before: &Project, case: &Case, number: usize, diary: &Mutex<Diary>) -> bool {
    let project = before.copy();
    let what = format!("{:?}, dropped at {number}", case.ask);
    // the other program lives on, and so does what was spawned into its runtime
    let runtime = runtime();
    let stop = Stop::default();
    let begun = Instant::now();
    let (result, _) = dropped(&runtime, &migrator(&project, &stop), case.ask, number);
    if let Some(result) = result {
        result.unwrap();
        return true;
    }
    let fresh = migrator(&project, &stop);
    assert_verifies(&runtime, &fresh, &what);
    let again = match case.ask {
        Ask::Resume => Ask::Up,
        other => other,
    };
    let second = runtime.block_on(ask(&fresh, again));
    let asked = second.as_ref().err().map(Error::code);
    let told = json!({"at": number, "asked": asked, "seconds": begun.elapsed().as_secs_f64()});
    diary.lock().unwrap().note(&told);
    if let Err(error) = second {
        let stepwise = !project.kind.transactional || matches!(case.ask, Ask::Resume);
        assert!(stepwise && error.exit_code() == 7, "{what}: {error:#?}");
    }
    until_done(&project, case.again, &what);
    assert_done(&project, case.again, case.applied, &what);
    assert_verifies(&runtime, &fresh, &what);
    assert!(stop.requested().is_none(), "{what}");
    false
}

/// What there is of a ledger is whole.
fn assert_verifies(runtime: &Runtime, migrator: &Migrator, what: &str) {
    match runtime.block_on(migrator.verify(&Verify::default())) {
        Ok(report) => {
            let mut findings = report.findings.iter();
            let broken = findings.find(|finding| finding.severity == Severity::Error);
            assert!(broken.is_none(), "{what}: {broken:#?}");
        }
        Err(error) => assert_eq!(error.code(), "ledger-missing", "{what}: {error:#?}"),
    }
}

fn up_is_dropped(kind: &Kind) {
    dropped_everywhere(kind, &UP);
}

fn down_is_dropped(kind: &Kind) {
    dropped_everywhere(kind, &DOWN);
}

fn resume_is_dropped(kind: &Kind) {
    dropped_everywhere(kind, &RESUME);
}

on_each_engine!(up_is_dropped, down_is_dropped, resume_is_dropped);

/// Runs of one context share what asks them to stop, and a run that is gone has no say in the others.
#[test]
fn the_time_limit_of_a_run_is_dropped_with_it() {
    let project = Project::prepared(&SQLITE, UP.prepare);
    let runtime = runtime();
    let stop = Stop::default();
    let limit = Duration::from_secs(1);
    let up = Up {
        timeout: Some(limit),
        ..Up::default()
    };
    let migrator = migrator(&project, &stop);
    let seen = AtomicUsize::new(0);
    for number in [5, 10, 20, 30] {
        runtime.block_on(GivenUp {
            future: Box::pin(migrator.up(&up)),
            left: number,
            seen: &seen,
        });
    }
    runtime.block_on(async { tokio::time::sleep(limit).await });
    assert!(stop.requested().is_none());
}
