//! Ledgers made by hand, event by event.

use ledger::{
    Body, DatabaseId, Digest, Event, KeyAdded, KeyGrant, LedgerCreated, Options, Outcome, Record,
    Role, Signer as _, SigningKey, Timestamp, Verdict, Verifier,
};
use uuid::Uuid;

/// Returns the key of the given number.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

/// Returns the id of the run of the given number.
pub(crate) fn run_id(number: u64) -> Uuid {
    Uuid::from_u128(0x0193_a000_0000_7000_8000_0000_0000_0000 | u128::from(number))
}

/// The owner's key in every log made here.
pub(crate) const OWNER: u8 = 1;

/// A ledger that grows.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) records: Vec<Record>,
    pub(crate) ledger: Digest,
}

impl Log {
    /// Opens a ledger with the owner's key.
    pub(crate) fn opened() -> Self {
        let mut log = Self {
            records: Vec::new(),
            ledger: Digest::ZERO,
        };
        log.append(
            OWNER,
            0,
            LedgerCreated {
                database: database("first"),
                key: grant(OWNER, &[Role::Owner]),
                nonce: Digest::of(b"nonce"),
            },
        );
        log
    }

    /// Appends an event signed by the given key in the given run.
    pub(crate) fn append(&mut self, by: u8, run: u64, body: impl Into<Body>) -> &mut Self {
        let event = self.next(by, run, body);
        self.append_event(by, &event)
    }

    /// Signs and appends an event as it is.
    pub(crate) fn append_event(&mut self, by: u8, event: &Event) -> &mut Self {
        let record = Record::sign(event, &key(by)).unwrap();
        if matches!(
            event.body,
            Body::LedgerCreated(_) | Body::LedgerForked(_) | Body::LedgerRewound(_)
        ) {
            self.ledger = record.hash();
        }
        self.records.push(record);
        self
    }

    /// Lets a key in.
    pub(crate) fn add_key(&mut self, number: u8, roles: &[Role]) -> &mut Self {
        let body = self.key_added(number, roles);
        self.append(OWNER, 0, body)
    }

    /// Returns the body that lets a key in here.
    pub(crate) fn key_added(&self, number: u8, roles: &[Role]) -> KeyAdded {
        let key = key(number);
        let public = key.public_key();
        let message = ledger::key_proof_message(&self.ledger, &public.fingerprint());
        let preimage = ledger::sshsig::preimage(ledger::sshsig::KEY_PROOF_NAMESPACE, &message);
        KeyAdded {
            name: format!("key {number}"),
            proof: key.sign(&preimage).unwrap(),
            public: public.to_openssh(),
            roles: roles.iter().copied().collect(),
        }
    }

    /// Returns the event that would come next.
    pub(crate) fn next(&self, by: u8, run: u64, body: impl Into<Body>) -> Event {
        let body = body.into();
        let seq = u64::try_from(self.records.len()).unwrap();
        let outcome = match &body {
            Body::RunRefused(_) => Outcome::Denied,
            Body::MigrationFailed(_) | Body::DriftDetected(_) => Outcome::Failure,
            Body::RunFinished(body) if body.failed > 0 => Outcome::Failure,
            _ => Outcome::Success,
        };
        Event {
            actor: format!("key {by}"),
            body,
            env: "test".to_owned(),
            host: "host".to_owned(),
            key: key(by).public_key().fingerprint(),
            ledger: self.ledger,
            outcome,
            prev: self.records.last().map_or(Digest::ZERO, Record::hash),
            run: run_id(run),
            seq,
            time: Timestamp::from_micros(
                1_800_000_000_000_000 + i64::try_from(seq).unwrap() * 1_000_001,
            ),
            tool: "mledger/0.1.0".to_owned(),
        }
    }

    /// Returns the verdict on all records.
    pub(crate) fn verdict(&self, options: Options) -> Verdict {
        let mut verifier = Verifier::new(options);
        for record in &self.records {
            verifier.push(record);
        }
        verifier.finish()
    }

    /// Returns options that trust this log's first key by its id.
    pub(crate) fn trusted(&self) -> Options {
        Options {
            ledger: Some(self.ledger),
            ..Options::default()
        }
    }

    /// Returns the codes and places of all findings.
    pub(crate) fn findings(&self) -> Vec<(String, Option<u64>)> {
        self.verdict(self.trusted())
            .findings
            .iter()
            .map(|finding| (finding.code.to_string(), finding.seq))
            .collect()
    }
}

/// Returns a database of the given name.
pub(crate) fn database(name: &str) -> DatabaseId {
    DatabaseId {
        engine: "sqlite".to_owned(),
        identity: format!("identity of {name}"),
        name: name.to_owned(),
    }
}

/// Returns a key with roles.
pub(crate) fn grant(number: u8, roles: &[Role]) -> KeyGrant {
    KeyGrant {
        name: format!("key {number}"),
        public: key(number).public_key().to_openssh(),
        roles: roles.iter().copied().collect(),
    }
}
