//! How much of the processor a verification gets out: all of it on every core, compared in the same
//! moments with nothing but the arithmetic of the signatures on one.
//!
//! Each round takes all measurements one after another, so that a machine that is busy with other
//! things is busy for all of them; what counts is the median of the rounds' ratios.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "benchmarks"
)]

mod log;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Instant;

use ledger::sshsig::{self, EVENT_NAMESPACE};
use ledger::verify::{Pending, Pipeline};
use ledger::{Head, Options, Record, Signature, SignatureCheck, Signer as _, Verifier};

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 20_000;
const ROUNDS: usize = 9;
const PAGE: usize = 512;

fn main() {
    let records: &'static [Record] = log::log(EVENTS).leak();
    let key = log::key();
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let head = Head {
        size: u64::try_from(EVENTS).unwrap(),
        hash: records[EVENTS - 1].hash(),
    };
    let remembered = Options {
        remembered: Some(head),
        signatures: SignatureCheck::After(head.size),
        ..Options::default()
    };
    let signed: Vec<(Vec<u8>, Signature)> = records.iter().map(preimage).collect();
    let arithmetic = |part: &[(Vec<u8>, Signature)]| {
        for (preimage, signature) in part {
            assert!(key.public_key().verify(black_box(preimage), signature));
        }
    };
    let (mut whole, mut hashed, mut one) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rates, mut alone, mut together) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let signatures = seconds(|| arithmetic(&signed));
        let on_all = seconds(|| {
            thread::scope(|scope| {
                for part in signed.chunks(EVENTS.div_ceil(threads.get())) {
                    scope.spawn(|| arithmetic(part));
                }
            });
        });
        let all = seconds(|| verify(Options::default(), records, threads));
        let single = seconds(|| one_by_one(records));
        let reading = seconds(|| {
            for record in records {
                black_box((record.hash(), record.event().unwrap()));
            }
        });
        let after = seconds(|| verify(remembered.clone(), records, threads));
        let cores = threads.get() as f64;
        whole.push(signatures / all / cores);
        one.push(signatures / single);
        hashed.push(reading / after);
        rates.push(EVENTS as f64 / all);
        alone.push(EVENTS as f64 / signatures);
        together.push(signatures / on_all / cores);
    }
    println!("{EVENTS} events, {threads} cores, median (least to most) of {ROUNDS} rounds");
    show("signatures alone, one core, a second", &mut alone, 0);
    show("  on all cores, of cores x that", &mut together, 2);
    show("whole verification, all cores, a second", &mut rates, 0);
    show("  of cores x signatures alone", &mut whole, 2);
    show("one thread, of signatures alone", &mut one, 2);
    show(
        "from a remembered head, of reading and hashing on one core",
        &mut hashed,
        2,
    );
}

/// Returns what is signed, and the signature.
fn preimage(record: &Record) -> (Vec<u8>, Signature) {
    let line = [record.line.as_slice(), b"\n"].concat();
    let preimage = sshsig::preimage(EVENT_NAMESPACE, &line);
    (preimage, record.signature)
}

fn one_by_one(records: &[Record]) {
    let mut verifier = Verifier::new(Options::default());
    for record in records {
        verifier.push(record);
    }
    assert!(!verifier.finish().has_errors());
}

/// Verifies as a reader does: entries are prepared while those before are taken in.
fn verify(options: Options, records: &'static [Record], threads: NonZeroUsize) {
    let mut verifier = Verifier::new(options);
    let mut pipeline = Pipeline::new(0, threads);
    for page in records.chunks(PAGE) {
        pipeline.submit(verifier.preparation(), page.iter().collect());
        if let Some(pending) = pipeline.surplus() {
            take(&mut verifier, pending);
        }
    }
    take(&mut verifier, pipeline.rest());
    assert!(!verifier.finish().has_errors());
}

fn take(verifier: &mut Verifier, pending: Pending<&Record>) {
    for entry in pending.wait() {
        verifier.push_prepared(entry);
    }
}

fn seconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

fn show(what: &str, values: &mut [f64], digits: usize) {
    values.sort_by(f64::total_cmp);
    println!(
        "{what:<56} {:>10.digits$} ({:.digits$} to {:.digits$})",
        values[values.len() / 2],
        values[0],
        values[values.len() - 1]
    );
}
