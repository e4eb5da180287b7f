//! A history told event by event, for the tests of what is reported of one.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use ledger::canonical::{self, Value};
use ledger::{
    ApprovalGranted, Body, Cause, DatabaseId, Digest, Direction, ErrorDetail, Event, Forced,
    KeyAdded, KeyGrant, LedgerCreated, MigrationApplied, MigrationFailed, MigrationRolledBack,
    MigrationStarted, Mode, Outcome, Role, RunFinished, RunStarted, SchemaState, Signature, Signer,
    SigningKey, Sorted, Timestamp, VersionTagged,
};
use uuid::Uuid;

use super::{Asked, Collector, Evidence, Report};
use crate::error::Error;
use crate::report::{Checked, VerifyReport};

pub(super) type Person = (u8, &'static str);

pub(super) const DANA: Person = (7, "dana");
pub(super) const LEE: Person = (8, "lee");
pub(super) const OPS: Person = (9, "ops");

/// A log told event by event, an hour apart, and the objects that it names.
#[derive(Default)]
pub(super) struct Log {
    pub(super) events: Vec<Event>,
    pub(super) objects: BTreeMap<Digest, Vec<u8>>,
    pub(super) run: u128,
    /// Minutes by which the next events are late.
    pub(super) late: i64,
}

pub(super) fn key((seed, _): Person) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn schema(text: &str) -> Option<SchemaState> {
    Some(SchemaState {
        digest: Digest::of(text.as_bytes()),
        format: 1,
        server: "3".to_owned(),
    })
}

impl Log {
    pub(super) fn begin() -> Self {
        let mut log = Self::default();
        let public = |person| key(person).public_key().to_openssh();
        let created = LedgerCreated {
            database: DatabaseId {
                engine: "sqlite".to_owned(),
                identity: "x".to_owned(),
                name: "shop".to_owned(),
            },
            key: KeyGrant {
                name: DANA.1.to_owned(),
                public: public(DANA),
                roles: [Role::Owner].into_iter().collect(),
            },
            nonce: Digest::ZERO,
        };
        log.say(DANA, Outcome::Success, created);
        for (person, role) in [(LEE, Role::Approver), (OPS, Role::Operator)] {
            let added = KeyAdded {
                name: person.1.to_owned(),
                proof: Signature::from_bytes([0; 64]),
                public: public(person),
                roles: [role].into_iter().collect(),
            };
            log.say(DANA, Outcome::Success, added);
        }
        log
    }

    pub(super) fn say(&mut self, person: Person, outcome: Outcome, body: impl Into<Body>) -> u64 {
        let seq = self.events.len() as u64;
        let start: Timestamp = "2026-01-01T00:00:00.000000Z".parse().unwrap();
        let minutes = i64::try_from(seq).unwrap() + self.late;
        self.events.push(Event {
            actor: person.1.to_owned(),
            body: body.into(),
            env: "production".to_owned(),
            host: "laptop".to_owned(),
            key: key(person).public_key().fingerprint(),
            ledger: Digest::ZERO,
            outcome,
            prev: Digest::ZERO,
            run: Uuid::from_u128(self.run),
            seq,
            time: Timestamp::from_micros(start.as_micros() + minutes * 60_000_000),
            tool: "mledger/0.1.0".to_owned(),
        });
        seq
    }

    pub(super) fn keep(&mut self, value: &Value) -> Digest {
        let bytes = canonical::write(value).unwrap();
        let digest = Digest::of(&bytes);
        self.objects.insert(digest, bytes);
        digest
    }

    /// A plan that names the scripts of these versions.
    pub(super) fn plan(&mut self, versions: &[&str]) -> Digest {
        let text = |text: &str| Value::from(text);
        let digest = |text: &str| Value::Text(Digest::of(text.as_bytes()).to_string());
        let steps = versions.iter().map(|version| {
            Value::object([
                ("direction", text("up")),
                ("down_script", digest(&format!("down {version}"))),
                ("mode", text("atomic")),
                ("script", digest(version)),
                ("version", text(version)),
            ])
        });
        let plan = Value::object([
            ("env", text("production")),
            ("ledger", Value::Text(Digest::ZERO.to_string())),
            ("policy", Value::Text(Digest::ZERO.to_string())),
            ("steps", Value::List(steps.collect())),
            ("v", Value::Integer(1)),
        ]);
        self.keep(&plan)
    }

    pub(super) fn approve(&mut self, person: Person, plan: Digest) {
        let granted = ApprovalGranted {
            comment: None,
            expires: None,
            plan,
        };
        self.say(person, Outcome::Success, granted);
    }

    pub(super) fn run(&mut self, plan: Digest, before: &str, forced: &[&str]) {
        self.run_under(&[("approvals", 1)], plan, before, forced);
    }

    /// A run that is held to these rules.
    pub(super) fn run_under(
        &mut self,
        rules: &[(&str, i64)],
        plan: Digest,
        before: &str,
        forced: &[&str],
    ) {
        self.run += 1;
        let mut policy = vec![("protected", Value::Bool(true)), ("v", Value::Integer(1))];
        policy.extend(
            rules
                .iter()
                .map(|(name, rule)| (*name, Value::Integer(*rule))),
        );
        let policy = self.keep(&Value::object(policy));
        let forced = forced.iter().map(|reason| Forced {
            finding: "slow".to_owned(),
            reason: (*reason).to_owned(),
        });
        let started = RunStarted {
            batch: Some(1),
            ci: None,
            command: "up".to_owned(),
            forced: forced.collect(),
            plan,
            policy,
            schema: schema(before),
            steps: 1,
            ticket: None,
        };
        self.say(OPS, Outcome::Success, started);
    }

    pub(super) fn finish(&mut self, outcome: Outcome, after: &str) {
        let finished = RunFinished {
            done: 1,
            duration_ms: 1,
            failed: 0,
            schema: schema(after),
        };
        self.say(OPS, outcome, finished);
    }

    pub(super) fn start(&mut self, version: &str, direction: Direction, script: &str) {
        let started = MigrationStarted {
            attempt: 1,
            batch: Some(1),
            checksum: Digest::ZERO,
            direction,
            mode: Mode::Atomic,
            name: format!("change_{version}"),
            script: Digest::of(script.as_bytes()),
            self_committing: Sorted::default(),
            statements: 1,
            version: version.to_owned(),
        };
        self.say(OPS, Outcome::Success, started);
    }

    pub(super) fn apply(&mut self, version: &str, script: &str, header: &[(&str, &str)]) -> u64 {
        self.start(version, Direction::Up, script);
        let metadata = header.iter();
        let applied = MigrationApplied {
            attempt: 1,
            batch: 1,
            checksum: Digest::ZERO,
            down_script: None,
            duration_ms: 60_000,
            metadata: metadata
                .map(|(name, text)| ((*name).to_owned(), Value::from(*text)))
                .collect(),
            name: format!("change_{version}"),
            script: Digest::of(script.as_bytes()),
            statements: 1,
            version: version.to_owned(),
        };
        self.say(OPS, Outcome::Success, applied)
    }

    pub(super) fn fail(&mut self, version: &str, message: &str) {
        self.start(version, Direction::Up, version);
        let failed = MigrationFailed {
            clean: true,
            direction: Direction::Up,
            error: ErrorDetail {
                code: None,
                column: None,
                line: None,
                message: message.to_owned(),
                statement: None,
            },
            steps_applied: 0,
            version: version.to_owned(),
        };
        self.say(OPS, Outcome::Failure, failed);
    }

    pub(super) fn roll_back(&mut self, version: &str) {
        let script = format!("down {version}");
        self.start(version, Direction::Down, &script);
        let body = MigrationRolledBack {
            cause: Cause::Requested,
            duration_ms: 60_000,
            name: format!("change_{version}"),
            script: Digest::of(script.as_bytes()),
            version: version.to_owned(),
        };
        self.say(OPS, Outcome::Success, body);
    }

    pub(super) fn tag(&mut self, release: &str, migration: &str) -> u64 {
        let tagged = VersionTagged {
            message: None,
            migration: migration.to_owned(),
            release: release.to_owned(),
            schema: None,
        };
        self.say(DANA, Outcome::Success, tagged)
    }

    pub(super) fn report(&self, asked: &Asked) -> Report {
        self.try_to_report(asked).unwrap()
    }

    pub(super) fn try_to_report(&self, asked: &Asked) -> Result<Report, Error> {
        let mut collector = Collector::default();
        for event in &self.events {
            collector.apply(event);
        }
        let evidence = Evidence {
            verification: VerifyReport {
                lineage: vec![Digest::ZERO],
                size: self.events.len() as u64,
                root: Digest::ZERO,
                head: Digest::ZERO,
                anchored_to: ledger::Anchor::Nothing,
                anchored_size: 0,
                trusted: false,
                checked: Checked::default(),
                findings: Vec::new(),
            },
            objects: self.objects.clone(),
            tool: "mledger/0.1.0".to_owned(),
        };
        collector.report(asked, evidence)
    }

    pub(super) fn all(&self) -> Report {
        self.report(&Asked::default())
    }
}
