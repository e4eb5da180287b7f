//! What `verify` answers, of a database or of a bundle.

use ledger::verify::Verdict;
use ledger::{Code, Digest, Finding};
use serde::Serialize;

/// What `verify` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The ledger ids of this chain, first to last.
    pub lineage: Vec<Digest>,
    /// How many events were checked.
    pub size: u64,
    /// The Merkle tree root over them.
    pub root: Digest,
    /// The entry hash of the last one.
    pub head: Digest,
    /// What completeness is anchored to.
    pub anchored_to: ledger::verify::Anchor,
    /// How many events that anchor covers.
    pub anchored_size: u64,
    /// The first key was known from outside; it was taken on trust otherwise.
    pub trusted: bool,
    /// How many of each thing were checked.
    pub checked: Checked,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Returns what a verifier has found of a log, with what else was looked at.
    pub(crate) fn new(verdict: Verdict, checked: Checked) -> Self {
        Self {
            lineage: verdict.lineage,
            size: verdict.size,
            root: verdict.root,
            head: verdict.head,
            anchored_to: verdict.anchored_to,
            anchored_size: verdict.anchored_size,
            trusted: verdict.trusted,
            checked,
            findings: verdict.findings,
        }
    }
}

/// How many of each thing `verify` has looked at; zero says that it did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Events: form, chain, lifecycle.
    pub events: u64,
    /// Signatures.
    pub signatures: u64,
    /// Stored objects: bytes against digests.
    pub objects: u64,
    /// Files of applied migrations.
    pub files: u64,
    /// Guards of the store.
    pub guards: u64,
    /// Schema fingerprints: of this moment, and between runs.
    pub schemas: u64,
    /// Files of a bundle: bytes against the manifest.
    #[serde(skip_serializing_if = "is_zero")]
    pub bundle_files: u64,
}

impl Checked {
    /// Returns what was looked at in a log of `size` events with these findings: one whose line or key
    /// is unknown has a signature that nobody can check.
    pub(crate) fn of_log(size: u64, findings: &[Finding]) -> Self {
        let unchecked = findings
            .iter()
            .filter(|finding| {
                matches!(
                    finding.code,
                    Code::KeyUnknown | Code::LineNotCanonical | Code::VersionUnknown
                )
            })
            .count();
        Self {
            events: size,
            signatures: size.saturating_sub(unchecked as u64),
            ..Self::default()
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
