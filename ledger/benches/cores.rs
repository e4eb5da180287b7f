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

use ledger::{Head, Options, Record, SignatureCheck, Signer as _, Verifier};

const EVENTS: usize = 20_000;
const ROUNDS: usize = 9;
const PAGE: usize = 1024;

fn main() {
    let records = log::log(EVENTS);
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
    let (mut whole, mut hashed, mut one) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rates, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let signatures = seconds(|| {
            for record in &records {
                assert!(black_box(record).is_signed_by(key.public_key()));
            }
        });
        let all = seconds(|| verify(Options::default(), &records, threads));
        let single = seconds(|| verify(Options::default(), &records, NonZeroUsize::MIN));
        let reading = seconds(|| {
            for record in &records {
                black_box((record.hash(), record.event().unwrap()));
            }
        });
        let after = seconds(|| verify(remembered.clone(), &records, threads));
        let cores = threads.get() as f64;
        whole.push(signatures / all / cores);
        one.push(signatures / single);
        hashed.push(reading / after / cores);
        rates.push(EVENTS as f64 / all);
        alone.push(EVENTS as f64 / signatures);
    }
    println!("{EVENTS} events, {threads} cores, median (least to most) of {ROUNDS} rounds");
    show("signatures alone, one core, a second", &mut alone, 0);
    show("whole verification, all cores, a second", &mut rates, 0);
    show("  of cores x signatures alone", &mut whole, 2);
    show(
        "whole verification, one core, of signatures alone",
        &mut one,
        2,
    );
    show(
        "from a remembered head, of cores x reading and hashing",
        &mut hashed,
        2,
    );
}

/// Verifies as a reader does: a page is prepared while the one before is taken in.
fn verify(options: Options, records: &[Record], threads: NonZeroUsize) {
    let mut verifier = Verifier::new(options);
    let mut position = 0;
    let mut ahead = Vec::new();
    for page in records.chunks(PAGE) {
        let (preparation, owned) = (verifier.preparation(), page.to_vec());
        let prepared = thread::scope(|scope| {
            let work = scope.spawn(move || preparation.prepare(position, owned, threads));
            for entry in std::mem::take(&mut ahead) {
                verifier.push_prepared(entry);
            }
            work.join().unwrap()
        });
        position += page.len() as u64;
        ahead = prepared;
    }
    for entry in ahead {
        verifier.push_prepared(entry);
    }
    assert!(!verifier.finish().has_errors());
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
