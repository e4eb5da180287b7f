//! A ledger of a million events, verified by the program as its user starts it: how long, and in how
//! much memory.
//!
//!     cargo bench --bench long_ledger                       a million events, about two minutes
//!     cargo bench --bench long_ledger -- --events 100000

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "benchmarks"
)]

#[path = "../ledger/benches/log/mod.rs"]
mod log;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mledger::engine::{Access, Begin, Encoding, Object, open};
use mledger::ledger::{Digest, Record};

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// So many versions are applied and rolled back, again and again: what is kept of a log grows with
/// them, and with nothing else.
const VERSIONS: u64 = 10;

/// How many events are read at a time, as the program does.
const PAGE: u32 = 512;

/// How many events are stored in one transaction.
const TOGETHER: usize = 10_000;

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--events");
    let events = arguments
        .nth(1)
        .map_or(1_000_000, |text| text.parse().unwrap());
    let project = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let database = project.path().join("mledger.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(write(&database, events));
    println!(
        "{events} events written in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores");
    let begun = Instant::now();
    runtime.block_on(read(&database, events));
    let alone = begun.elapsed().as_secs_f64();
    println!(
        "{:<32} {alone:>8.2} s {:>10.0} events/s",
        "reading and hashing alone",
        events as f64 / alone
    );
    for (what, command) in [
        ("verify, never seen before", &["verify"] as &[&str]),
        ("show, from a remembered head", &["show", "0"]),
        ("verify again: every signature", &["verify"]),
    ] {
        let (seconds, kibibytes) = run(project.path(), command);
        println!(
            "{what:<32} {seconds:>8.2} s {:>10.0} events/s {:>8.1} MiB at most, {:.1} x reading and hashing",
            events as f64 / seconds,
            kibibytes as f64 / 1024.0,
            seconds / alone
        );
    }
}

/// Stores the ledger and the scripts that its events name.
async fn write(path: &Path, events: usize) {
    let url = format!("sqlite:{}", path.display());
    let engine = open(&url, Path::new("/")).unwrap();
    let mut session = engine.connect(Access::Write).await.unwrap();
    let begin = Begin::default();
    session.begin(&begin).await.unwrap();
    session.create_store("a long ledger").await.unwrap();
    for version in 1..=VERSIONS {
        let content = version.to_string().into_bytes();
        let object = Object {
            digest: Digest::of(&content),
            size: content.len() as u64,
            encoding: Encoding::Raw,
            content,
        };
        session.put_object(&object).await.unwrap();
    }
    session.commit().await.unwrap();
    let mut writer = log::Writer::new("a long ledger", VERSIONS).take(events);
    loop {
        let records: Vec<_> = writer.by_ref().take(TOGETHER).collect();
        if records.is_empty() {
            return;
        }
        session.begin(&begin).await.unwrap();
        session.append(&records).await.unwrap();
        session.commit().await.unwrap();
    }
}

/// Reads and hashes each record, one after another, and does nothing else with them.
async fn read(path: &Path, events: usize) {
    let url = format!("sqlite:{}", path.display());
    let engine = open(&url, Path::new("/")).unwrap();
    let mut session = engine.connect(Access::Read).await.unwrap();
    let (mut read, mut last) = (0, Digest::ZERO);
    while read < events {
        let page = session.records(read as u64, PAGE).await.unwrap();
        read += page.len();
        for stored in page {
            let record = Record {
                line: stored.line,
                signature: stored.signature.as_slice().try_into().unwrap(),
            };
            last = record.hash();
            assert_eq!(last.as_bytes().as_slice(), stored.hash);
        }
    }
    assert_ne!(last, Digest::ZERO);
}

/// Runs the program; returns how long it took and how much memory it held at most, in KiB.
fn run(project: &Path, command: &[&str]) -> (f64, u64) {
    let home = project.join("home");
    fs::create_dir_all(&home).unwrap();
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mledger"))
        .args(command)
        .current_dir(project)
        .env("HOME", &home)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_STATE_HOME")
        .env_remove("DATABASE_URL")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        // the highest so far, as the system has counted it
        let about = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = about.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        most = most.max(now.unwrap_or(0));
        thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{command:?}: {status}");
    (begun.elapsed().as_secs_f64(), most)
}
