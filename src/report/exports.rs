//! What `checkpoint` and `export` answer.

use ledger::verify::Anchor;
use ledger::{Digest, Event, Finding, Fingerprint};
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

/// A proof that one event is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofView {
    /// The ledger id.
    pub ledger: Digest,
    /// The place of the event.
    pub seq: u64,
    /// Its entry hash.
    pub hash: Digest,
    /// The number of events that the checkpoint covers.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// The proof.
    pub proof: String,
}

/// What a proof shows, as far as it could be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofReport {
    /// The ledger id that the checkpoint names.
    pub ledger: Digest,
    /// The place of the event.
    pub seq: u64,
    /// Its entry hash.
    pub hash: Digest,
    /// The number of events that the checkpoint covers.
    pub size: u64,
    /// The Merkle root over them, to which the path leads.
    pub root: Digest,
    /// Whether the checkpoint is one that was kept.
    pub anchored_to: Anchor,
    /// The event's signature is one of a trusted key.
    pub trusted: bool,
    /// The trusted key that signed the checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// The event's line, byte for byte.
    #[serde(skip)]
    pub line: Vec<u8>,
    /// The event.
    #[serde(skip)]
    pub event: Event,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// A request for a timestamp over a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StampRequested {
    /// The ledger id.
    pub ledger: Digest,
    /// The number of events that the checkpoint covers.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// The SHA-256 of the checkpoint's bytes, over which the timestamp is asked for.
    pub imprint: Digest,
    /// Where the checkpoint is kept.
    pub checkpoint: String,
    /// The request (RFC 3161 section 2.4.1).
    #[serde(skip)]
    pub request: Vec<u8>,
}

/// A timestamp that was kept and recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stamped {
    /// The ledger id.
    pub ledger: Digest,
    /// The number of events that the checkpoint covers.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// When, as the authority says: RFC 3339, in UTC.
    pub time: String,
    /// The token's number, in hexadecimal.
    pub serial: String,
    /// The SHA-256 of the reply.
    pub digest: Digest,
    /// Where the checkpoint is kept.
    pub checkpoint: String,
    /// Where the reply is kept.
    pub token: String,
    /// Where the ledger says so.
    pub seq: u64,
}
