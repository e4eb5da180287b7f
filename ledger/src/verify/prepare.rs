//! The part of a check that knows nothing of the entries before: reading, hashing, and the arithmetic
//! of the signature. It is nearly all of the work, and can be done on as many threads as there are.
//!
//! What may be done ahead is decided by what the verifier knew when the preparation began. A key that
//! was let in since then is not known here, and its signatures are verified when it is their turn. So
//! every finding is made in the one place and order in which a single thread would make it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{Event, LineFault};
use crate::hash::Digest;
use crate::key::{Fingerprint, PublicKey, Signature};
use crate::record::{Record, entry_hash, line_digest};
use crate::sshsig::{self, EVENT_NAMESPACE};

/// The columns that a store keeps beside the line.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// The place.
    pub seq: i64,
    /// The hash of the entry before.
    pub prev: &'a [u8],
    /// The hash of the entry.
    pub hash: &'a [u8],
}

/// An entry in the form in which somebody keeps it.
pub trait Entry: Send + Sync {
    /// Returns the line without its line feed.
    fn line(&self) -> &[u8];

    /// Returns the signature, which is 64 bytes where it is whole.
    fn signature(&self) -> &[u8];

    /// Returns what is kept beside them and must fit.
    fn columns(&self) -> Option<Columns<'_>> {
        None
    }
}

impl Entry for Record {
    fn line(&self) -> &[u8] {
        &self.line
    }

    fn signature(&self) -> &[u8] {
        self.signature.as_bytes()
    }
}

impl<E: Entry + ?Sized> Entry for &E {
    fn line(&self) -> &[u8] {
        (**self).line()
    }

    fn signature(&self) -> &[u8] {
        (**self).signature()
    }

    fn columns(&self) -> Option<Columns<'_>> {
        (**self).columns()
    }
}

/// An entry that was read, hashed and, where its key was known, had its signature verified.
#[derive(Debug)]
pub struct Prepared<E> {
    pub(super) entry: E,
    pub(super) worked: Worked,
}

impl<E> Prepared<E> {
    /// Returns the entry as it was kept.
    pub const fn entry(&self) -> &E {
        &self.entry
    }
}

/// What was worked out about one entry alone.
#[derive(Debug)]
pub(super) struct Worked {
    pub(super) hash: Digest,
    pub(super) event: Result<Event, LineFault>,
    /// A key that the entry names, and whether the signature is its.
    pub(super) verified: Option<(PublicKey, bool)>,
}

/// What a verifier lets others prepare: which keys there are, and from where on signatures count.
#[derive(Clone, Debug, Default)]
pub struct Preparation {
    pub(super) keys: Arc<BTreeMap<Fingerprint, PublicKey>>,
    /// How many entries of the keyring are among them.
    pub(super) entries: usize,
    pub(super) signatures_from: u64,
}

impl Preparation {
    /// Prepares the entries that follow the first `position` ones, on this thread.
    #[must_use]
    pub fn prepare<E: Entry>(&self, position: u64, entries: Vec<E>) -> Vec<Prepared<E>> {
        let read = |entry: E| {
            let worked = Worked::on(entry.line(), entry.signature());
            Prepared { entry, worked }
        };
        let mut prepared: Vec<_> = entries.into_iter().map(read).collect();
        // signatures after one another: the processor keeps at hand what their arithmetic needs
        for (place, Prepared { entry, worked }) in (position..).zip(&mut prepared) {
            worked.verified = self.verified(place, entry, worked);
        }
        prepared
    }

    /// Has signatures of this key verified, too.
    pub(super) fn expect_key(&mut self, key: &PublicKey) {
        let fingerprint = key.fingerprint();
        if !self.keys.contains_key(&fingerprint) {
            Arc::make_mut(&mut self.keys).insert(fingerprint, key.clone());
        }
    }

    fn verified<E: Entry>(
        &self,
        place: u64,
        entry: &E,
        worked: &Worked,
    ) -> Option<(PublicKey, bool)> {
        if place < self.signatures_from {
            return None;
        }
        let event = worked.event.as_ref().ok()?;
        let key = self.keys.get(&event.key)?;
        let signature = Signature::try_from(entry.signature()).ok()?;
        Some((key.clone(), verifies(key, entry.line(), &signature)))
    }
}

impl Worked {
    pub(super) fn on(line: &[u8], signature: &[u8]) -> Self {
        Self {
            hash: entry_hash(line, signature),
            event: Event::parse(line),
            verified: None,
        }
    }
}

/// Tells whether the signature over a line is one of this key.
pub(super) fn verifies(key: &PublicKey, line: &[u8], signature: &Signature) -> bool {
    let preimage = sshsig::preimage_of(EVENT_NAMESPACE, &line_digest(line));
    key.verify(&preimage, signature)
}
