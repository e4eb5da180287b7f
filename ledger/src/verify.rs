//! Verification: everything that a log claims, re-derived from its bytes (format section 12).
//!
//! [`Verifier`] takes records one by one and keeps no more of them than versions, keys and open
//! items. It checks form, place, chain, ledger, key, role, signature and lifecycle of each, and
//! the log as a whole against what comes from outside of it. The same verifier serves a writer,
//! which pushes what it appended.

mod anchors;
mod list;
mod options;
mod pipeline;
mod prepare;

use std::sync::Arc;

use crate::body::Body;
use crate::event::{Event, LineFault};
use crate::finding::{Code, Finding};
use crate::hash::Digest;
use crate::key::{PublicKey, Signature};
use crate::lifecycle::Lifecycle;
use crate::merkle::{Tree, TreeHead};
use crate::record::Record;
use crate::time::Timestamp;
use crate::trust::Keyring;

use anchors::Anchors;
use list::Findings;
use prepare::{Worked, verifies};

pub use pipeline::{Pending, Pipeline};
pub use prepare::{Columns, Entry, Preparation, Prepared};

pub use options::{Anchor, Consistency, Head, Kept, Options, SignatureCheck, Verdict};

/// How a ledger was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// By its first entry.
    Created,
    /// As a copy of a database that went its own way.
    Forked,
    /// After entries were lost.
    Rewound,
}

/// An entry whose own signature is all that vouches for its key.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// Its seq.
    pub(crate) seq: u64,
    /// Its key.
    pub(crate) key: PublicKey,
    /// How many openings stand up to it, itself included.
    pub(crate) openings: usize,
}

/// Checks a log, record by record.
#[derive(Clone, Debug)]
pub struct Verifier {
    options: Options,
    /// Signatures before this position were checked when the remembered head was.
    signatures_from: u64,
    tree: Tree,
    head: Digest,
    next_seq: u64,
    last_time: Option<Timestamp>,
    lineage: Vec<Digest>,
    openings: Vec<Opening>,
    roots: Vec<Root>,
    keyring: Keyring,
    lifecycle: Lifecycle,
    anchors: Anchors,
    findings: Findings,
    preparation: Preparation,
}

impl Verifier {
    /// Starts before the first record.
    #[must_use]
    pub fn new(options: Options) -> Self {
        // only a remembered head says that earlier signatures were checked
        let signatures_from = match (options.signatures, options.remembered) {
            (SignatureCheck::After(size), Some(head)) => size.min(head.size),
            _ => 0,
        };
        let mut findings = Findings::default();
        let anchors = Anchors::new(&options, &mut findings);
        Self {
            options,
            signatures_from,
            tree: Tree::new(),
            head: Digest::ZERO,
            next_seq: 0,
            last_time: None,
            lineage: Vec::new(),
            openings: Vec::new(),
            roots: Vec::new(),
            keyring: Keyring::new(),
            lifecycle: Lifecycle::new(),
            anchors,
            findings,
            preparation: Preparation {
                signatures_from,
                ..Preparation::default()
            },
        }
    }

    /// Checks the next entry, also against what is kept beside it, and returns its event, also where there were findings; `None`
    /// where the line cannot be read.
    pub fn push(&mut self, entry: &dyn Entry) -> Option<Event> {
        let worked = Worked::on(entry.line(), entry.signature());
        self.take(entry, worked)
    }

    /// Checks a record that the caller has just made with [`Record::sign`], which has verified the
    /// signature with `key`: all but this is checked as [`Verifier::push`] does.
    pub fn push_signed(&mut self, record: &Record, key: &PublicKey) -> Option<Event> {
        let mut worked = Worked::on(record.line(), record.signature());
        worked.verified = Some((key.clone(), true));
        self.take(record, worked)
    }

    /// Returns what it takes to prepare entries behind those taken so far, on other threads.
    #[must_use]
    pub fn preparation(&self) -> Preparation {
        self.preparation.clone()
    }

    /// Checks the next entry, which was prepared before, as [`Verifier::push`] does.
    pub fn push_prepared<E: Entry>(&mut self, prepared: Prepared<E>) -> Option<Event> {
        self.take(&prepared.entry, prepared.worked)
    }

    /// Returns the number of records so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Returns the hash of the last entry; zero before the first.
    #[must_use]
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// Returns the Merkle root over the entries so far.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.tree.root()
    }

    /// Returns the id that the next entry must carry; `None` before the first.
    #[must_use]
    pub fn ledger_id(&self) -> Option<Digest> {
        self.lineage.last().copied()
    }

    /// Returns the ids of the chain, first to last.
    #[must_use]
    pub fn lineage(&self) -> &[Digest] {
        &self.lineage
    }

    /// Tells whether `id` is the current id, or was followed by rewinds alone.
    #[must_use]
    pub fn only_rewound_since(&self, id: &Digest) -> bool {
        self.lineage
            .iter()
            .position(|known| known == id)
            .and_then(|place| self.openings.get(place + 1..))
            .is_some_and(|later| later.iter().all(|opening| *opening == Opening::Rewound))
    }

    /// Tells whether the log has the remembered head at its size; `false` where none was given.
    #[must_use]
    pub fn holds_remembered(&self) -> bool {
        self.anchors.holds_remembered()
    }

    /// Returns the heads of the checkpoints given that this log does not hold, as if it ended here, but for
    /// those that a rewind excuses: what an owner can declare lost.
    ///
    /// # Errors
    ///
    /// A sentence about a checkpoint that was never one of this log: no known key has signed it and no id of
    /// the lineage is its origin, or a known key's signature is wrong.
    pub fn lost_checkpoints(&self) -> Result<Vec<TreeHead>, String> {
        self.anchors.lost(&self.whole())
    }

    /// Returns the keys.
    #[must_use]
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Returns the state that the next event must fit.
    #[must_use]
    pub const fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// Returns the time that the last readable event claims.
    #[must_use]
    pub const fn last_time(&self) -> Option<Timestamp> {
        self.last_time
    }

    /// Drops the kept checkpoints whose label `own` does not know as one of this log's: which log it
    /// is may be known only once it was read.
    pub fn retain_kept(&mut self, own: impl Fn(&str) -> bool) {
        self.anchors.retain_kept(&own);
    }

    /// Returns what was found in the records so far. What the end of the log decides (a log that
    /// is too short, who was trusted) is in [`Verifier::verdict`].
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.findings.as_slice()
    }

    /// Tells whether anything is wrong that is an error, as if the log ended here.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.has_errors() || self.concluded().0.has_errors()
    }

    /// Returns the verdict on the records so far, as if the log ended here.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let (end, conclusion) = self.concluded();
        Verdict {
            lineage: self.lineage.clone(),
            size: self.size(),
            root: self.root(),
            head: self.head,
            anchored_to: conclusion.anchor,
            anchored_size: conclusion.size,
            trusted: conclusion.trusted,
            findings: self.findings.all(&end),
        }
    }

    /// Ends the log and returns the verdict.
    #[must_use]
    pub fn finish(self) -> Verdict {
        self.verdict()
    }

    fn concluded(&self) -> (Findings, anchors::Conclusion) {
        let mut end = Findings::default();
        let conclusion = self.anchors.conclude(&self.whole(), &mut end);
        (end, conclusion)
    }

    fn whole(&self) -> anchors::Log<'_> {
        anchors::Log {
            options: &self.options,
            head: TreeHead {
                size: self.size(),
                root: self.root(),
            },
            lineage: &self.lineage,
            openings: &self.openings,
            roots: &self.roots,
            keyring: &self.keyring,
            all_signatures: self.signatures_from == 0,
        }
    }

    fn take(&mut self, entry: &dyn Entry, worked: Worked) -> Option<Event> {
        let position = self.size();
        let hash = worked.hash;
        let event = match worked.event {
            Ok(event) => Some(event),
            Err(fault) => {
                let code = match fault {
                    LineFault::VersionUnknown(_) => Code::VersionUnknown,
                    _ => Code::LineNotCanonical,
                };
                self.report(code, position, fault.to_string());
                None
            }
        };
        if let Some(columns) = entry.columns() {
            self.check_columns(position, &columns, event.as_ref(), &hash);
        }
        match &event {
            Some(event) => self.check(position, event, entry, worked.verified.as_ref(), hash),
            None => self.next_seq = self.next_seq.saturating_add(1),
        }
        self.head = hash;
        self.tree.push(hash);
        self.anchors
            .reached(&self.tree, hash, self.lineage.last(), &self.keyring);
        event
    }

    fn check(
        &mut self,
        position: u64,
        event: &Event,
        entry: &dyn Entry,
        verified: Option<&(PublicKey, bool)>,
        hash: Digest,
    ) {
        self.check_place(position, event);
        let sound = self.check_signature(position, event, entry, verified);
        self.keyring.note_signature(position, &event.key);
        if sound {
            self.fold_key(position, event);
        }
        if let Err(message) = self.lifecycle.apply(event) {
            self.report(Code::LifecycleBroken, position, message);
        }
        if let Body::Unknown { kind, .. } = &event.body {
            let message = format!("expected a kind that this version knows, found `{kind}`");
            self.report(Code::KindUnknown, position, message);
        }
        self.open_ledger(position, event, hash, sound);
    }

    fn check_place(&mut self, position: u64, event: &Event) {
        if event.seq != self.next_seq {
            let message = format!("expected seq {}, found {}", self.next_seq, event.seq);
            self.report(Code::SeqGap, position, message);
        }
        // what follows a gap is judged by what it follows, so one gap is one finding
        self.next_seq = event.seq.saturating_add(1);
        if event.prev != self.head {
            let message = format!(
                "expected the entry to follow `{}`, found that it follows `{}`",
                self.head, event.prev
            );
            self.report(Code::PrevMismatch, position, message);
        }
        let ledger = self.ledger_id().unwrap_or(Digest::ZERO);
        if event.ledger != ledger {
            let message = format!(
                "expected an entry of ledger `{ledger}`, found `{}`",
                event.ledger
            );
            self.report(Code::LedgerMismatch, position, message);
        }
        if let Some(last) = self.last_time
            && event.time < last
        {
            let message = format!(
                "the entry before was written at `{last}`, this at `{}`",
                event.time
            );
            self.report(Code::ClockWentBack, position, message);
        }
        self.last_time = Some(event.time);
    }

    /// Returns whether the entry is signed, or was found so before, by a key that may.
    fn check_signature(
        &mut self,
        position: u64,
        event: &Event,
        entry: &dyn Entry,
        verified: Option<&(PublicKey, bool)>,
    ) -> bool {
        let (key, fault) = self.keyring.signer(position, event);
        let mut sound = fault.is_none();
        if let Some(fault) = fault {
            self.report(fault.code, position, fault.message);
        }
        let Ok(signature) = Signature::try_from(entry.signature()) else {
            let message = format!("expected 64 bytes, found {}", entry.signature().len());
            self.report(Code::SignatureInvalid, position, message);
            return false;
        };
        let Some(key) = key else {
            return false;
        };
        if position >= self.signatures_from {
            // what was found out ahead counts for the key that it was found out with
            let genuine = match verified {
                Some((with, genuine)) if *with == key => *genuine,
                _ => verifies(&key, entry.line(), &signature),
            };
            if !genuine {
                let message = format!(
                    "the signature is not one of key `{}` over this line",
                    event.key
                );
                self.report(Code::SignatureInvalid, position, message);
                sound = false;
            }
        }
        sound
    }

    fn fold_key(&mut self, position: u64, event: &Event) {
        let takeover = self.keyring.is_takeover(position, event);
        let check_proof = position >= self.signatures_from;
        if let Err(fault) = self.keyring.apply(position, event, check_proof) {
            self.report(fault.code, position, fault.message);
        }
        let new = self.keyring.entries().get(self.preparation.entries..);
        for entry in new.unwrap_or_default() {
            self.preparation.entries += 1;
            let keys = Arc::make_mut(&mut self.preparation.keys);
            keys.insert(entry.fingerprint, entry.public.clone());
        }
        if (position == 0 || takeover)
            && let Some(entry) = self.keyring.find(&event.key)
        {
            self.roots.push(Root {
                seq: position,
                key: entry.public.clone(),
                openings: self.openings.len() + 1,
            });
        }
    }

    /// The id changes with each opening, whatever else was found about it: what follows must
    /// carry it, and a finding was made already.
    fn open_ledger(&mut self, position: u64, event: &Event, hash: Digest, sound: bool) {
        let opening = match &event.body {
            Body::LedgerCreated(_) if position == 0 => Opening::Created,
            Body::LedgerForked(_) => Opening::Forked,
            Body::LedgerRewound(body) => {
                if sound {
                    self.anchors.rewound(&body.lost);
                }
                let message = format!(
                    "an owner declared lost what followed the first {position} entries; heads named: {}",
                    body.lost.len()
                );
                self.report(Code::HistoryRewound, position, message);
                Opening::Rewound
            }
            _ => return,
        };
        self.lineage.push(hash);
        self.openings.push(opening);
    }

    fn check_columns(
        &mut self,
        position: u64,
        columns: &Columns,
        event: Option<&Event>,
        hash: &Digest,
    ) {
        let seq = event.map_or(position, |event| event.seq);
        if u64::try_from(columns.seq) != Ok(seq) {
            let message = format!("column `seq` is {}, the line's is {seq}", columns.seq);
            self.report(Code::ColumnMismatch, position, message);
        }
        let prev = event.map_or(self.head, |event| event.prev);
        for (name, column, expected) in
            [("prev", columns.prev, &prev), ("hash", columns.hash, hash)]
        {
            if column != expected.as_bytes() {
                let message = format!("column `{name}` is not the line's `{expected}`");
                self.report(Code::ColumnMismatch, position, message);
            }
        }
    }

    fn report(&mut self, code: Code, position: u64, message: String) {
        self.findings.push(Finding::new(code, position, message));
    }
}
