//! What an event costs: to sign, to verify, to hash, to read and to fold.

#![expect(clippy::unwrap_used, reason = "benchmarks")]

use std::collections::BTreeMap;

use divan::{Bencher, black_box};
use ledger::sshsig::{EVENT_NAMESPACE, preimage};
use ledger::{
    Body, DatabaseId, Digest, Direction, Event, Head, KeyGrant, LedgerCreated, Lifecycle,
    LockAcquired, LockReleased, MigrationApplied, MigrationStarted, Mode, Options, Outcome, Record,
    Role, RunFinished, RunStarted, SignatureCheck, Signer as _, SigningKey, Timestamp, Verifier,
    canonical,
};
use uuid::Uuid;

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

fn key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

/// Returns a valid ledger of exactly `size` entries: runs of one migration each, and a rest.
fn log(size: usize) -> Vec<Record> {
    let key = key();
    let mut writer = Writer {
        key: &key,
        ledger: Digest::ZERO,
        prev: Digest::ZERO,
        run: Uuid::nil(),
        records: Vec::with_capacity(size + 6),
    };
    writer.append(created(&key).into());
    writer.ledger = writer.prev;
    for number in 1_u128.. {
        if writer.records.len() >= size {
            break;
        }
        writer.run = Uuid::from_u128(number);
        for body in one_run(writer.run, &number.to_string()) {
            writer.append(body);
        }
    }
    writer.records.truncate(size);
    writer.records
}

struct Writer<'a> {
    key: &'a SigningKey,
    ledger: Digest,
    prev: Digest,
    run: Uuid,
    records: Vec<Record>,
}

impl Writer<'_> {
    fn append(&mut self, body: Body) {
        let event = Event {
            actor: "ci@example.com".to_owned(),
            body,
            env: "production".to_owned(),
            host: "runner.example".to_owned(),
            key: self.key.public_key().fingerprint(),
            ledger: self.ledger,
            outcome: Outcome::Success,
            prev: self.prev,
            run: self.run,
            seq: u64::try_from(self.records.len()).unwrap(),
            time: Timestamp::from_micros(1_800_000_000_000_000),
            tool: "mledger/0.1.0".to_owned(),
        };
        let record = Record::sign(&event, self.key).unwrap();
        self.prev = record.hash();
        self.records.push(record);
    }
}

fn created(key: &SigningKey) -> LedgerCreated {
    LedgerCreated {
        database: DatabaseId {
            engine: "postgres".to_owned(),
            identity: "7300000000000000001/shop".to_owned(),
            name: "shop".to_owned(),
        },
        key: KeyGrant {
            name: "ci@example.com".to_owned(),
            public: key.public_key().to_openssh(),
            roles: vec![Role::Owner].into(),
        },
        nonce: Digest::of(b"nonce"),
    }
}

fn one_run(token: Uuid, version: &str) -> [Body; 6] {
    let script = Digest::of(version.as_bytes());
    [
        LockAcquired { token, wait_ms: 0 }.into(),
        RunStarted {
            batch: Some(1),
            ci: None,
            command: "up".to_owned(),
            forced: vec![],
            plan: script,
            policy: script,
            schema: None,
            steps: 1,
            ticket: Some("CHG-42".to_owned()),
        }
        .into(),
        MigrationStarted {
            attempt: 1,
            batch: Some(1),
            checksum: script,
            direction: Direction::Up,
            mode: Mode::Atomic,
            name: "create_users".to_owned(),
            script,
            self_committing: vec![].into(),
            statements: 1,
            version: version.to_owned(),
        }
        .into(),
        MigrationApplied {
            attempt: 1,
            batch: 1,
            checksum: script,
            down_script: Some(script),
            duration_ms: 12,
            metadata: BTreeMap::from([
                ("author".to_owned(), "dana".into()),
                ("breaking_change".to_owned(), false.into()),
                ("tags".to_owned(), vec!["feature".into()].into()),
            ]),
            name: "create_users".to_owned(),
            script,
            statements: 1,
            version: version.to_owned(),
        }
        .into(),
        RunFinished {
            done: 1,
            duration_ms: 40,
            failed: 0,
            schema: None,
        }
        .into(),
        LockReleased { held_ms: 45, token }.into(),
    ]
}
