//! What `checkpoint` and `export` answer.

use ledger::{Digest, Fingerprint};
use serde::Serialize;

/// A signed statement of how many events there are, and their root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointView {
    /// The ledger id.
    pub ledger: Digest,
    /// The number of events.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// The key that signed it.
    pub key: Fingerprint,
    /// The signed note.
    pub note: String,
}

/// A bundle that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Where it is.
    pub path: String,
    /// The ledger id.
    pub ledger: Digest,
    /// The number of events in it.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// The hash of the last one.
    pub head: Digest,
    /// The SHA-256 of its manifest.
    pub manifest: Digest,
    /// The number of its files.
    pub files: u64,
    /// The number of objects in it.
    pub objects: u64,
    /// Where the ledger says that it was exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<u64>,
}
