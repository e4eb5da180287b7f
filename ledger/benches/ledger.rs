//! What an event costs: to sign, to verify, to hash, to read and to fold.

#![expect(clippy::unwrap_used, reason = "benchmarks")]

mod log;

use divan::{Bencher, black_box};
use ledger::sshsig::{EVENT_NAMESPACE, preimage};
use ledger::{
    Event, Head, Lifecycle, Options, Record, SignatureCheck, Signer as _, Verifier, canonical,
};

use log::{key, log};

fn main() {
    divan::main();
}

#[divan::bench]
fn sign_one(bencher: Bencher) {
    let key = key();
    let event = log(1_000).pop().unwrap().event().unwrap();
    bencher.bench_local(|| Record::sign(black_box(&event), &key).unwrap());
}

#[divan::bench]
fn verify_one_signature(bencher: Bencher) {
    let key = key();
    let record = log(1_000).pop().unwrap();
    bencher.bench_local(|| assert!(black_box(&record).is_signed_by(key.public_key())));
}

#[divan::bench]
fn hash_one(bencher: Bencher) {
    let record = log(1_000).pop().unwrap();
    bencher.bench_local(|| black_box(&record).hash());
}

#[divan::bench]
fn preimage_of_one(bencher: Bencher) {
    let record = log(1_000).pop().unwrap();
    bencher.bench_local(|| preimage(EVENT_NAMESPACE, black_box(&record.line)));
}

#[divan::bench]
fn read_one_canonical(bencher: Bencher) {
    let record = log(1_000).pop().unwrap();
    bencher.bench_local(|| canonical::read(black_box(&record.line)).unwrap());
}

#[divan::bench]
fn read_one_event(bencher: Bencher) {
    let record = log(1_000).pop().unwrap();
    bencher.bench_local(|| black_box(&record).event().unwrap());
}

#[divan::bench(args = [1_000, 20_000])]
fn fold_lifecycle(bencher: Bencher, size: usize) {
    let events: Vec<Event> = log(size)
        .iter()
        .map(|record| record.event().unwrap())
        .collect();
    bencher.counter(size).bench_local(|| {
        let mut lifecycle = Lifecycle::new();
        for event in &events {
            lifecycle.apply(event).unwrap();
        }
        lifecycle
    });
}

/// What each run pays: every line hashed, read and folded, no signature verified again.
#[divan::bench(args = [1_000, 20_000], sample_count = 10)]
fn verify_after_remembered_head(bencher: Bencher, size: usize) {
    let records = log(size);
    let remembered = Head {
        size: u64::try_from(size).unwrap(),
        hash: records[size - 1].hash(),
    };
    let options = Options {
        remembered: Some(remembered),
        signatures: SignatureCheck::After(remembered.size),
        ..Options::default()
    };
    bencher
        .counter(size)
        .bench_local(|| run(&options, &records));
}

#[divan::bench(args = [1_000, 20_000], sample_count = 3)]
fn verify_everything(bencher: Bencher, size: usize) {
    let records = log(size);
    bencher
        .counter(size)
        .bench_local(|| run(&Options::default(), &records));
}

fn run(options: &Options, records: &[Record]) {
    let mut verifier = Verifier::new(options.clone());
    for record in records {
        verifier.push(record);
    }
    assert!(!verifier.finish().has_errors());
}
