//! What a verification is told, and what it answers.

use crate::finding::{Finding, Severity};
use crate::hash::Digest;
use crate::merkle::TreeHead;
use crate::note::Witness;
use crate::trust::AllowedSigners;

/// What comes from outside of the log.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The ledger id that the log must have; only rewinds may follow it.
    pub ledger: Option<Digest>,
    /// The keys that are trusted; the first key must be among them.
    pub trust: Option<AllowedSigners>,
    /// The signed notes of checkpoints that were kept elsewhere; they anchor completeness.
    pub checkpoints: Vec<String>,
    /// The signed notes of checkpoints that came with the log; checked, but they anchor only by
    /// the cosignature of one of `witnesses`.
    pub own_checkpoints: Vec<String>,
    /// The checkpoints that earlier commands kept by themselves, outside the log. They anchor
    /// completeness, but who kept them had taken the first key on trust.
    pub kept: Vec<Kept>,
    /// The witnesses whose cosignatures count (C2SP tlog-cosignature).
    pub witnesses: Vec<Witness>,
    /// Proofs that tie a checkpoint that does not fit to a head that a rewind names.
    pub consistency: Vec<Consistency>,
    /// The head that was seen last time.
    pub remembered: Option<Head>,
    /// Which signatures are verified.
    pub signatures: SignatureCheck,
}

/// A checkpoint under a label, by which [`super::Verifier::retain_kept`] tells this log's from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What findings call it.
    pub label: String,
    /// Its signed note, or why there is none to be read.
    pub note: Result<String, String>,
}

/// A head of the chain: the hash of the last of `size` entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of entries.
    pub size: u64,
    /// The hash of the last one.
    pub hash: Digest,
}

/// A proof that the log of `new` extended that of `old` (RFC 6962 section 2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// The earlier head.
    pub old: TreeHead,
    /// The later head.
    pub new: TreeHead,
    /// The proof's hashes.
    pub path: Vec<Digest>,
}

/// Which signatures are verified. Form, chain, roles and lifecycle always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureCheck {
    /// Every one.
    #[default]
    All,
    /// Those of entries from this seq on, and never fewer than those after the remembered head.
    After(u64),
}

/// What completeness is anchored to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Nothing: entries may be missing at the end.
    #[default]
    Nothing,
    /// The head that was seen last time.
    RememberedHead,
    /// A checkpoint that was kept elsewhere, or that a witness cosigned.
    Checkpoint,
}

impl Anchor {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::RememberedHead => "remembered_head",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The ids of the chain, first to last.
    pub lineage: Vec<Digest>,
    /// The number of entries.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// The hash of the last one; zero where there is none.
    pub head: Digest,
    /// What completeness is anchored to.
    pub anchored_to: Anchor,
    /// The number of entries that the anchor covers.
    pub anchored_size: u64,
    /// Whether the first key is known from outside.
    pub trusted: bool,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Tells whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }
}
