//! Many threads find what one finds, in the same order.

use std::num::NonZeroUsize;

use crate::support::{golden, golden_keys, read_text};
use proptest::prelude::*;

use ledger::verify::{Entry, Pending, Pipeline};
use ledger::{Digest, Head, Options, Record, SignatureCheck, Signer as _, Verdict, Verifier};

/// What may be done to a log.
#[derive(Clone, Debug)]
enum Tamper {
    Flip { byte: usize, bit: u8 },
    FlipSignature { byte: usize, bit: u8 },
    Remove,
    Repeat,
    Swap,
    Resign { key: usize },
}

fn tampering() -> impl Strategy<Value = Tamper> {
    prop_oneof![
        (0_usize..2_000, 0_u8..8).prop_map(|(byte, bit)| Tamper::Flip { byte, bit }),
        (0_usize..64, 0_u8..8).prop_map(|(byte, bit)| Tamper::FlipSignature { byte, bit }),
        Just(Tamper::Remove),
        Just(Tamper::Repeat),
        Just(Tamper::Swap),
        (0_usize..4).prop_map(|key| Tamper::Resign { key }),
    ]
}

fn tamper(records: &mut Vec<Record>, at: usize, tamper: &Tamper) {
    let at = at % records.len();
    match tamper {
        Tamper::Flip { byte, bit } => {
            let line = &mut records[at].line;
            let byte = byte % line.len();
            line[byte] ^= 1 << bit;
        }
        Tamper::FlipSignature { byte, bit } => {
            let mut bytes = *records[at].signature.as_bytes();
            bytes[*byte] ^= 1 << bit;
            records[at].signature = ledger::Signature::from_bytes(bytes);
        }
        Tamper::Remove => drop(records.remove(at)),
        Tamper::Repeat => records.insert(at, records[at].clone()),
        Tamper::Swap => {
            let other = (at + 1) % records.len();
            records.swap(at, other);
        }
        Tamper::Resign { key } => {
            let keys = golden_keys();
            let key = &keys[key % keys.len()];
            if let Ok(mut event) = records[at].event() {
                event.key = key.public_key().fingerprint();
                records[at] = Record::sign(&event, key).unwrap();
            }
        }
    }
}

fn one_by_one(options: Options, records: &[Record]) -> Verdict {
    let mut verifier = Verifier::new(options);
    for record in records {
        verifier.push(record);
    }
    verifier.finish()
}

/// As a reader does: entries are prepared while those before are taken in.
fn in_pages(options: Options, records: &[Record], page: usize, threads: usize) -> Verdict {
    let mut verifier = Verifier::new(options);
    let mut pipeline = Pipeline::new(0, NonZeroUsize::new(threads).unwrap());
    for page in records.chunks(page) {
        pipeline.submit(verifier.preparation(), page.to_vec());
        let surplus = pipeline.surplus().into_iter().flat_map(Pending::wait);
        for entry in surplus {
            verifier.push_prepared(entry);
        }
    }
    for entry in pipeline.rest().wait() {
        verifier.push_prepared(entry);
    }
    verifier.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_verdict_does_not_depend_on_threads(
        tampers in prop::collection::vec((0_usize..64, tampering()), 0..5),
        page in 1_usize..40,
        threads in 1_usize..5,
        remembered in prop::option::of(1_u64..26),
        checkpoint in any::<bool>(),
    ) {
        let mut records = golden();
        let head = remembered.map(|size| Head {
            size,
            hash: records[usize::try_from(size).unwrap() - 1].hash(),
        });
        for (at, change) in &tampers {
            tamper(&mut records, *at, change);
        }
        let mut options = Options {
            remembered: head,
            signatures: head.map_or(SignatureCheck::All, |head| SignatureCheck::After(head.size)),
            ..Options::default()
        };
        if checkpoint {
            options.checkpoints = vec![read_text("golden/checkpoint")];
        }
        let expected = one_by_one(options.clone(), &records);
        prop_assert_eq!(expected, in_pages(options, &records, page, threads));
    }
}

/// A key that comes into the log within a page signs in the same page.
#[test]
fn a_log_that_lets_keys_in_is_whole_in_one_page() {
    let records = golden();
    let expected = one_by_one(Options::default(), &records);
    for threads in [1, 2, 7, 64] {
        let verdict = in_pages(Options::default(), &records, records.len(), threads);
        assert_eq!(verdict, expected, "{threads}");
        assert!(!verdict.has_errors());
        assert_ne!(verdict.head, Digest::ZERO);
    }
    assert_eq!(
        in_pages(Options::default(), &[], 1, 1),
        one_by_one(Options::default(), &[])
    );
}

/// An entry that cannot be read without a panic.
#[derive(Debug)]
struct Cursed;

impl Entry for Cursed {
    fn line(&self) -> &[u8] {
        panic!("cursed")
    }

    fn signature(&self) -> &[u8] {
        &[]
    }
}

#[test]
#[should_panic(expected = "cursed")]
fn no_entry_is_lost_where_a_thread_panics() {
    let mut pipeline = Pipeline::new(1, NonZeroUsize::MIN);
    let verifier = Verifier::new(Options::default());
    pipeline.submit(verifier.preparation(), (0..100).map(|_| Cursed).collect());
    let pending = pipeline.rest();
    drop(pipeline);
    assert!(!pending.is_here());
    assert_eq!(pending.wait().count(), 100);
}

/// What was submitted is prepared, also where nobody holds the pipeline any more.
#[test]
fn a_pipeline_ends_with_all_that_it_was_given() {
    let records = golden();
    for copies in [1, 2, 9] {
        let submitted: Vec<Record> = (0..copies).flat_map(|_| records.clone()).collect();
        let mut pipeline = Pipeline::new(0, NonZeroUsize::new(3).unwrap());
        let verifier = Verifier::new(Options::default());
        pipeline.submit(verifier.preparation(), submitted.clone());
        let pending = pipeline.rest();
        drop(pipeline);
        let prepared: Vec<Record> = pending.wait().map(|one| one.entry().clone()).collect();
        assert_eq!(prepared, submitted);
    }
}
