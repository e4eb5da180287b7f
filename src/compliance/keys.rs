//! Keys over time, and the names of those who sign with them.

use std::collections::BTreeMap;

use ledger::{Body, Event, Fingerprint, Keyring, Timestamp};

use super::model::Key;

/// A fold over events about keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    ring: Keyring,
    /// What openings and events about keys say of themselves, by their place.
    told: BTreeMap<u64, Told>,
    /// How many events each key signed, by the place of the event that let it in.
    signatures: BTreeMap<u64, u64>,
}

#[derive(Debug)]
struct Told {
    time: Timestamp,
    by: String,
    reason: Option<String>,
}

impl Keys {
    /// Folds the next event.
    pub(super) fn apply(&mut self, event: &Event) {
        let reason = match &event.body {
            Body::LedgerCreated(_) | Body::KeyAdded(_) => Some(None),
            Body::LedgerForked(body) => Some(Some(body.reason.clone())),
            Body::KeyRetired(body) => Some(Some(body.reason.clone())),
            _ => None,
        };
        if let Some(reason) = reason {
            // what is wrong with it is a finding of the verifier
            let _finding = self.ring.apply(event.seq, event, false);
            let told = Told {
                time: event.time,
                by: self.name(event),
                reason,
            };
            self.told.insert(event.seq, told);
        }
        if let Some(entry) = self.ring.find(&event.key) {
            *self.signatures.entry(entry.added).or_default() += 1;
        }
    }

    /// Returns the name that the ledger knows an event's key by, or who acted where it knows none.
    pub(super) fn name(&self, event: &Event) -> String {
        self.name_of(&event.key).unwrap_or(&event.actor).to_owned()
    }

    /// Returns the name that the ledger knows a key by.
    pub(super) fn name_of(&self, key: &Fingerprint) -> Option<&str> {
        self.ring.find(key).map(|entry| entry.name.as_str())
    }

    /// Returns whether an event that a key signed is suspect.
    pub(super) fn is_suspect(&self, key: &Fingerprint, seq: u64) -> bool {
        let from = self.ring.find(key).and_then(|entry| entry.compromised_from);
        from.is_some_and(|from| seq >= from)
    }

    /// Returns the keys as they are at the end of the log.
    pub(super) fn ring(&self) -> &Keyring {
        &self.ring
    }

    /// Returns every key, in the order in which they were let in.
    pub(super) fn list(&self) -> Vec<Key> {
        let told = |seq: u64| self.told.get(&seq);
        let entries = self.ring.entries().iter();
        entries
            .filter_map(|entry| {
                let added = told(entry.added)?;
                let retired = entry.retired.and_then(told);
                Some(Key {
                    name: entry.name.clone(),
                    fingerprint: entry.fingerprint,
                    roles: entry.roles.to_vec(),
                    added_seq: entry.added,
                    added_at: added.time,
                    added_by: added.by.clone(),
                    retired_seq: entry.retired,
                    retired_at: retired.map(|told| told.time),
                    retired_by: retired.map(|told| told.by.clone()),
                    reason: retired.and_then(|told| told.reason.clone()),
                    suspect_from: entry.compromised_from,
                    signatures: self.signatures.get(&entry.added).copied().unwrap_or(0),
                })
            })
            .collect()
    }
}
