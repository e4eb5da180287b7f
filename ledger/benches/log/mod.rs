//! Ledgers of any length, for benchmarks.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "each benchmark uses a part of it"
)]

use std::collections::{BTreeMap, VecDeque};

use ledger::{
    Body, Cause, DatabaseId, Digest, Direction, Event, KeyGrant, LedgerCreated, LockAcquired,
    LockReleased, MigrationApplied, MigrationRolledBack, MigrationStarted, Mode, Outcome, Record,
    Role, RunFinished, RunStarted, Signer as _, SigningKey, Timestamp,
};
use uuid::Uuid;

/// The key that signs all of it.
pub fn key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

/// Returns a valid ledger of exactly `size` entries, each migration applied once, and a rest.
pub fn log(size: usize) -> Vec<Record> {
    Writer::new("7300000000000000001/shop", u64::MAX)
        .take(size)
        .collect()
}

/// Writes a valid ledger that never ends: runs of one migration each, which are rolled back when
/// there is no further version.
pub struct Writer {
    key: SigningKey,
    versions: u64,
    runs: u64,
    identity: String,
    ledger: Digest,
    prev: Digest,
    seq: u64,
    next: VecDeque<(Uuid, Body)>,
}

impl Writer {
    /// Begins the ledger of the database with this identity, with so many versions.
    pub fn new(identity: &str, versions: u64) -> Self {
        Self {
            key: key(),
            versions,
            runs: 0,
            identity: identity.to_owned(),
            ledger: Digest::ZERO,
            prev: Digest::ZERO,
            seq: 0,
            next: VecDeque::new(),
        }
    }

    /// All versions are applied one after another, then rolled back from the last to the first.
    fn one_run(&mut self) {
        let (round, place) = (self.runs / self.versions, self.runs % self.versions);
        self.runs += 1;
        let token = Uuid::from_u128(self.runs.into());
        let bodies = if round % 2 == 0 {
            up(token, &(place + 1).to_string(), self.runs)
        } else {
            down(token, &(self.versions - place).to_string())
        };
        self.next
            .extend(bodies.into_iter().map(|body| (token, body)));
    }
}

impl Iterator for Writer {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.seq == 0 {
            let body = created(&self.key, &self.identity).into();
            self.next.push_back((Uuid::nil(), body));
        } else if self.next.is_empty() {
            self.one_run();
        }
        let (run, body) = self.next.pop_front()?;
        let event = Event {
            actor: "ci@example.com".to_owned(),
            body,
            env: "production".to_owned(),
            host: "runner.example".to_owned(),
            key: self.key.public_key().fingerprint(),
            ledger: self.ledger,
            outcome: Outcome::Success,
            prev: self.prev,
            run,
            seq: self.seq,
            time: Timestamp::from_micros(1_800_000_000_000_000),
            tool: "mledger/0.1.0".to_owned(),
        };
        let record = Record::sign(&event, &self.key).unwrap();
        self.prev = record.hash();
        if self.seq == 0 {
            self.ledger = self.prev;
        }
        self.seq += 1;
        Some(record)
    }
}

fn created(key: &SigningKey, identity: &str) -> LedgerCreated {
    LedgerCreated {
        database: DatabaseId {
            engine: "sqlite".to_owned(),
            identity: identity.to_owned(),
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

fn up(token: Uuid, version: &str, batch: u64) -> Vec<Body> {
    let script = Digest::of(version.as_bytes());
    let mut bodies = start(token, "up", Some(batch), script);
    bodies.extend([
        started(Direction::Up, Some(batch), script, version),
        MigrationApplied {
            attempt: 1,
            batch,
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
    ]);
    end(bodies, token)
}

fn down(token: Uuid, version: &str) -> Vec<Body> {
    let script = Digest::of(version.as_bytes());
    let mut bodies = start(token, "down", None, script);
    bodies.extend([
        started(Direction::Down, None, script, version),
        MigrationRolledBack {
            cause: Cause::Requested,
            duration_ms: 12,
            name: "create_users".to_owned(),
            script,
            version: version.to_owned(),
        }
        .into(),
    ]);
    end(bodies, token)
}

fn start(token: Uuid, command: &str, batch: Option<u64>, plan: Digest) -> Vec<Body> {
    vec![
        LockAcquired { token, wait_ms: 0 }.into(),
        RunStarted {
            batch,
            ci: None,
            command: command.to_owned(),
            forced: vec![],
            plan,
            policy: plan,
            schema: None,
            steps: 1,
            ticket: Some("CHG-42".to_owned()),
        }
        .into(),
    ]
}

fn started(direction: Direction, batch: Option<u64>, script: Digest, version: &str) -> Body {
    MigrationStarted {
        attempt: 1,
        batch,
        checksum: script,
        direction,
        mode: Mode::Atomic,
        name: "create_users".to_owned(),
        script,
        self_committing: vec![].into(),
        statements: 1,
        version: version.to_owned(),
    }
    .into()
}

fn end(mut bodies: Vec<Body>, token: Uuid) -> Vec<Body> {
    bodies.push(
        RunFinished {
            done: 1,
            duration_ms: 40,
            failed: 0,
            schema: None,
        }
        .into(),
    );
    bodies.push(LockReleased { held_ms: 45, token }.into());
    bodies
}
