//! Ledgers that were copied, cut back, or whose keys changed hands.

use ledger::merkle::{self, TreeHead};
use ledger::note::{COSIGNATURE, SignatureLine, Witness, key_hash};
use ledger::{
    Anchor, Body, Checkpoint, Code, Consistency, Digest, Head, KeyRetired, LedgerForked,
    LedgerRewound, Lost, Options, Role, SignatureCheck, Signer as _, Verifier,
};

use crate::support::bodies::note;
use crate::support::{Log, OWNER, database, grant, key};

fn leaves(log: &Log) -> Vec<Digest> {
    log.records.iter().map(ledger::Record::hash).collect()
}

/// A checkpoint over the first `size` entries, signed by the owner.
fn checkpoint(log: &Log, ledger: Digest, size: usize) -> (Checkpoint, String) {
    let checkpoint = Checkpoint {
        ledger,
        size: u64::try_from(size).unwrap(),
        root: merkle::root(&leaves(log)[..size]),
    };
    let note = checkpoint.sign(&key(OWNER)).unwrap();
    (checkpoint, note.to_string())
}

fn noted(count: usize) -> Log {
    let mut log = Log::opened();
    for number in 0..count {
        log.append(OWNER, 1, note(&number.to_string()));
    }
    log
}

fn rewound(lost: Vec<Lost>) -> LedgerRewound {
    LedgerRewound {
        lost,
        reason: "restored".to_owned(),
    }
}

fn codes(log: &Log, options: Options) -> Vec<Code> {
    log.verdict(options)
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect()
}

/// A log that was cut back to 5 entries and rewound; the full one before, and its checkpoint.
fn cut_back() -> (Log, Log, Checkpoint, String) {
    let full = noted(9);
    let (head, text) = checkpoint(&full, full.ledger, 10);
    let mut log = full.clone();
    log.records.truncate(5);
    log.append(
        OWNER,
        2,
        rewound(vec![Lost {
            root: head.root,
            size: head.size,
        }]),
    );
    (log, full, head, text)
}

#[test]
fn a_rewind_excuses_the_checkpoints_that_it_names() {
    let (mut log, full, _, text) = cut_back();
    let options = Options {
        checkpoints: vec![text],
        ledger: Some(full.ledger),
        ..Options::default()
    };
    let expected = [Code::HistoryRewound, Code::HistoryRewound];
    assert_eq!(codes(&log, options.clone()), expected);
    // the same when the log has grown past the checkpoint's size
    for number in 0..10 {
        log.append(OWNER, 3, note(&number.to_string()));
    }
    let verdict = log.verdict(options.clone());
    assert!(!verdict.has_errors());
    assert_eq!(
        (verdict.anchored_to, verdict.anchored_size),
        (Anchor::Nothing, 0)
    );
    assert_eq!(verdict.lineage.len(), 2);
    // a rewind that names nothing excuses nothing
    let mut other = full.clone();
    other.records.truncate(5);
    other.append(OWNER, 2, rewound(vec![]));
    assert_eq!(
        codes(&other, options),
        [Code::HistoryRewound, Code::Truncated]
    );
}

#[test]
fn what_can_be_declared_lost_is_what_does_not_fit_and_was_once_of_this_log() {
    let full = noted(9);
    let (head, text) = checkpoint(&full, full.ledger, 10);
    let (_, earlier) = checkpoint(&full, full.ledger, 4);
    let elsewhere = Checkpoint {
        ledger: Digest::of(b"another ledger"),
        ..head
    };
    let elsewhere = elsewhere.sign(&key(8)).unwrap().to_string();
    let lost = |log: &Log, texts: &[&String]| {
        let mut verifier = Verifier::new(Options {
            checkpoints: texts.iter().map(ToString::to_string).collect(),
            ..Options::default()
        });
        for record in &log.records {
            verifier.push(record);
        }
        verifier.lost_checkpoints()
    };
    let mut cut = full.clone();
    cut.records.truncate(5);
    assert_eq!(lost(&full, &[&text, &earlier]), Ok(vec![]));
    assert_eq!(lost(&cut, &[&text, &earlier]), Ok(vec![head.head()]));
    assert!(lost(&cut, &[&elsewhere]).is_err());
    // what a rewind has named is lost already
    cut.append(
        OWNER,
        2,
        rewound(vec![Lost {
            root: head.root,
            size: head.size,
        }]),
    );
    assert_eq!(lost(&cut, &[&text]), Ok(vec![]));
}

#[test]
fn a_consistency_proof_ties_an_earlier_checkpoint_to_a_named_one() {
    let (log, full, head, _) = cut_back();
    let (earlier, text) = checkpoint(&full, full.ledger, 7);
    let mut options = Options {
        checkpoints: vec![text],
        ..log.trusted()
    };
    assert_eq!(
        codes(&log, options.clone()),
        [Code::HistoryRewound, Code::Truncated]
    );
    let path = merkle::consistency_proof(&leaves(&full), 7).unwrap();
    let new = TreeHead {
        size: 10,
        root: head.root,
    };
    options.consistency = vec![Consistency {
        old: earlier.head(),
        new,
        path,
    }];
    assert_eq!(
        codes(&log, options.clone()),
        [Code::HistoryRewound, Code::HistoryRewound]
    );
    options.consistency[0].path.pop();
    assert_eq!(
        codes(&log, options),
        [Code::HistoryRewound, Code::Truncated]
    );
}

#[test]
fn a_remembered_head_is_excused_only_with_every_signature_verified() {
    let (log, full, ..) = cut_back();
    let mut options = Options {
        remembered: Some(Head {
            size: 10,
            hash: full.records[9].hash(),
        }),
        ..log.trusted()
    };
    assert_eq!(
        codes(&log, options.clone()),
        [Code::HistoryRewound, Code::HistoryRewound]
    );
    options.signatures = SignatureCheck::After(10);
    assert_eq!(
        codes(&log, options),
        [Code::HistoryRewound, Code::Truncated]
    );
}

#[test]
fn a_rewind_that_no_owner_signed_excuses_nothing() {
    let (_, full, head, text) = cut_back();
    let mut log = Log::opened();
    log.add_key(2, &[Role::Operator]);
    log.append(
        2,
        2,
        rewound(vec![Lost {
            root: head.root,
            size: head.size,
        }]),
    );
    let options = Options {
        checkpoints: vec![text],
        ledger: Some(full.ledger),
        ..Options::default()
    };
    let found = codes(&log, options);
    assert!(found.contains(&Code::KeyNotAuthorised), "{found:?}");
    assert!(found.contains(&Code::Truncated), "{found:?}");
}

#[test]
fn ids_may_be_followed_by_rewinds_and_not_by_forks() {
    let (mut log, full, ..) = cut_back();
    let with_first_id = Options {
        ledger: Some(full.ledger),
        ..Options::default()
    };
    assert_eq!(codes(&log, with_first_id.clone()), [Code::HistoryRewound]);
    log.append(
        OWNER,
        3,
        LedgerForked {
            database: database("copy"),
            key: None,
            reason: "staging".to_owned(),
        },
    );
    assert!(codes(&log, with_first_id).contains(&Code::LedgerMismatch));
    assert_eq!(codes(&log, log.trusted()), [Code::HistoryRewound]);
}

fn fork_by(number: u8) -> LedgerForked {
    LedgerForked {
        database: database("copy"),
        key: Some(grant(number, &[Role::Owner])),
        reason: "staging".to_owned(),
    }
}

#[test]
fn a_fork_signed_by_the_key_it_names_ends_all_earlier_roles() {
    let mut log = noted(2);
    let first = log.ledger;
    log.append(7, 2, fork_by(7));
    log.append(7, 3, note("mine"));
    let found: Vec<_> = log
        .verdict(Options::default())
        .findings
        .iter()
        .map(|finding| (finding.code, finding.seq))
        .collect();
    assert_eq!(
        found,
        [
            (Code::FirstKeyNotTrusted, Some(0)),
            (Code::FirstKeyNotTrusted, Some(3))
        ]
    );
    // the new id vouches for the whole chain, the old one only for what it opened
    assert_eq!(log.findings(), []);
    let (_, text) = checkpoint(&log, first, 2);
    let options = Options {
        checkpoints: vec![text],
        ..Options::default()
    };
    assert_eq!(codes(&log, options), [Code::FirstKeyNotTrusted]);

    log.append(OWNER, 4, note("no more"));
    assert_eq!(log.findings(), [("key-not-authorised".to_owned(), Some(5))]);
}

#[test]
fn a_fork_by_an_owner_may_name_another_key_and_keeps_the_earlier_ones() {
    let mut log = noted(1);
    log.append(OWNER, 2, fork_by(7));
    log.append(7, 3, note("mine"));
    log.append(OWNER, 3, note("mine as well"));
    assert_eq!(log.findings(), []);
}

#[test]
fn a_fork_by_a_stranger_is_refused() {
    let mut log = noted(1);
    log.append(8, 2, fork_by(7));
    assert_eq!(log.findings(), [("key-unknown".to_owned(), Some(2))]);
    let mut log = noted(1);
    let mut fork = fork_by(7);
    fork.key = Some(grant(7, &[Role::Operator]));
    log.append(7, 2, fork);
    assert_eq!(log.findings(), [("key-not-authorised".to_owned(), Some(2))]);
}

#[test]
fn keys_count_by_position() {
    let mut log = Log::opened();
    let added = log.next(OWNER, 0, log.key_added(2, &[Role::Auditor]));
    log.append(2, 1, note("too early"));
    assert_eq!(log.findings(), [("key-unknown".to_owned(), Some(1))]);

    let mut log = Log::opened();
    log.append_event(OWNER, &added);
    log.append(2, 1, note("in time"));
    let retired = KeyRetired {
        compromised_from: None,
        fingerprint: key(2).public_key().fingerprint(),
        reason: "left".to_owned(),
    };
    log.append(OWNER, 1, retired.clone());
    assert_eq!(log.findings(), []);
    log.append(2, 1, note("too late"));
    assert_eq!(log.findings(), [("key-not-authorised".to_owned(), Some(4))]);
    log.records.pop();
    // let in again, it counts again
    log.add_key(2, &[Role::Auditor]);
    log.append(2, 1, note("again"));
    assert_eq!(log.findings(), []);
    log.append(OWNER, 1, retired.clone())
        .append(OWNER, 1, retired);
    assert_eq!(log.findings(), [("lifecycle-broken".to_owned(), Some(7))]);
}

#[test]
fn an_owner_may_sign_its_own_retirement_but_not_the_last_one() {
    let retire = |number: u8| KeyRetired {
        compromised_from: None,
        fingerprint: key(number).public_key().fingerprint(),
        reason: "left".to_owned(),
    };
    let mut log = Log::opened();
    log.append(OWNER, 1, retire(OWNER));
    assert_eq!(log.findings(), [("lifecycle-broken".to_owned(), Some(1))]);
    let mut log = Log::opened();
    log.add_key(2, &[Role::Owner]);
    log.append(OWNER, 1, retire(OWNER));
    log.append(2, 1, note("goes on"));
    assert_eq!(log.findings(), []);
    log.append(OWNER, 1, note("does not"));
    assert_eq!(log.findings(), [("key-not-authorised".to_owned(), Some(4))]);
}

#[test]
fn what_a_compromised_key_signed_is_suspect() {
    let with = |compromised_from| {
        let mut log = Log::opened();
        log.add_key(2, &[Role::Auditor]);
        log.append(2, 1, note("at seq 2"));
        let retired = KeyRetired {
            compromised_from: Some(compromised_from),
            fingerprint: key(2).public_key().fingerprint(),
            reason: "stolen".to_owned(),
        };
        log.append(OWNER, 1, retired);
        log.append(2, 1, note("too late"));
        log.findings()
    };
    let late = ("key-not-authorised".to_owned(), Some(4));
    assert_eq!(
        with(2),
        [("key-compromised".to_owned(), Some(3)), late.clone()]
    );
    // nothing was signed since then
    assert_eq!(with(3), [late]);
}

#[test]
fn a_witness_makes_a_checkpoint_that_came_along_an_anchor() {
    let log = noted(4);
    let (checkpoint, _) = checkpoint(&log, log.ledger, 5);
    let witness = Witness {
        name: "witness.example".to_owned(),
        key: key(9).public_key().clone(),
    };
    let mut signed = checkpoint.sign(&key(OWNER)).unwrap();
    let message = format!("cosignature/v1\ntime 1800000000\n{}", signed.text);
    let signature = key(9).sign(message.as_bytes()).unwrap();
    signed.signatures.push(SignatureLine {
        name: witness.name.clone(),
        key_hash: key_hash(&witness.name, COSIGNATURE, &witness.key),
        signature: [&1_800_000_000_u64.to_be_bytes()[..], signature.as_bytes()].concat(),
    });
    let options = |text: String, witnesses: Vec<Witness>| Options {
        own_checkpoints: vec![text],
        witnesses,
        ..log.trusted()
    };
    let verdict = log.verdict(options(signed.to_string(), vec![witness.clone()]));
    assert_eq!(
        (verdict.anchored_to, verdict.anchored_size),
        (Anchor::Checkpoint, 5)
    );
    let verdict = log.verdict(options(signed.to_string(), vec![]));
    assert_eq!(verdict.anchored_to, Anchor::Nothing);
    // it proves completeness, not whose the first key is
    let verdict = log.verdict(Options {
        ledger: None,
        ..options(signed.to_string(), vec![witness.clone()])
    });
    assert!(!verdict.trusted);

    signed.signatures[1].signature[7] ^= 1;
    assert_eq!(
        codes(&log, options(signed.to_string(), vec![witness])),
        [Code::CheckpointInvalid]
    );
}

#[test]
fn witnesses_are_read_from_their_verifier_keys() {
    use base64::Engine as _;
    let key = key(9).public_key().clone();
    let hash = u32::from_be_bytes(key_hash("w.example", COSIGNATURE, &key));
    let blob = [&[COSIGNATURE], key.as_bytes().as_slice()].concat();
    let base64 = base64::engine::general_purpose::STANDARD.encode(blob);
    let witness = Witness::parse(&format!("w.example+{hash:08x}+{base64}")).unwrap();
    assert_eq!((witness.name.as_str(), witness.key), ("w.example", key));
    assert!(Witness::parse(&format!("v.example+{hash:08x}+{base64}")).is_err());
}

#[test]
fn an_unknown_kind_is_checked_and_reported() {
    let mut log = noted(1);
    let body = ledger::canonical::Value::object([("x", ledger::canonical::Value::from(1))]);
    log.append(
        OWNER,
        1,
        Body::Unknown {
            kind: "moon.landed".to_owned(),
            body,
        },
    );
    log.append(OWNER, 1, note("after"));
    assert_eq!(log.findings(), [("kind-unknown".to_owned(), Some(2))]);
}

#[test]
fn a_clock_that_goes_back_is_a_warning() {
    let mut log = noted(3);
    let mut event = log.next(OWNER, 1, note("back"));
    event.time = ledger::Timestamp::from_micros(0);
    log.append_event(OWNER, &event);
    assert_eq!(log.findings(), [("clock-went-back".to_owned(), Some(4))]);
    assert!(!log.verdict(log.trusted()).has_errors());
}
