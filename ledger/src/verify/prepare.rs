//! The part of a check that knows nothing of the entries before: reading, hashing, and the arithmetic
//! of the signature. It is nearly all of the work, and done on as many threads as there are.
//!
//! What may be done ahead is decided by what the verifier knew when the preparation began. A key that
//! was let in since then is not known here, and its signatures are verified when it is their turn. So
//! every finding is made in the one place and order in which a single thread would make it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::event::{Event, LineFault};
use crate::hash::Digest;
use crate::key::{Fingerprint, PublicKey, Signature};
use crate::record::{Record, entry_hash, line_digest};
use crate::sshsig::{self, EVENT_NAMESPACE};

/// How many entries a thread takes at a time: few enough that none waits long for the last one.
const SHARE: usize = 8;

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

/// An entry that was read, hashed and, where its key was known, had its signature verified.
#[derive(Debug)]
pub struct Prepared<E> {
    pub(super) entry: E,
    pub(super) worked: Worked,
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
    /// Prepares the entries that follow the first `position` ones, on as many threads.
    #[must_use]
    pub fn prepare<E: Entry>(
        &self,
        position: u64,
        entries: Vec<E>,
        threads: NonZeroUsize,
    ) -> Vec<Prepared<E>> {
        let shares = entries.len().div_ceil(SHARE);
        let threads = threads.get().min(shares);
        let worked: Vec<Worked> = if threads < 2 {
            self.work_on(position, &entries)
        } else {
            self.share_out(position, &entries, threads)
        };
        let both = entries.into_iter().zip(worked);
        both.map(|(entry, worked)| Prepared { entry, worked })
            .collect()
    }

    fn share_out<E: Entry>(&self, position: u64, entries: &[E], threads: usize) -> Vec<Worked> {
        let shares: Vec<&[E]> = entries.chunks(SHARE).collect();
        let next = AtomicUsize::new(0);
        let done: Mutex<BTreeMap<usize, Vec<Worked>>> = Mutex::default();
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(share) = shares.get(index) else {
                    return;
                };
                let worked = self.work_on(position + (index * SHARE) as u64, share);
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(index, worked);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.into_values().flatten().collect()
    }

    fn work_on<E: Entry>(&self, position: u64, entries: &[E]) -> Vec<Worked> {
        let places = position..;
        let placed = places.zip(entries);
        placed
            .map(|(place, entry)| {
                let mut worked = Worked::on(entry.line(), entry.signature());
                worked.verified = self.verified(place, entry, &worked);
                worked
            })
            .collect()
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
