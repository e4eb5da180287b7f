//! What `fork`, `move` and `rewind` answer.

use ledger::Digest;
use serde::Serialize;

/// A ledger that goes on in another way than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reopened {
    /// What was recorded, one sentence.
    pub message: String,
    /// The environment that the ledger goes on for.
    pub environment: String,
    /// The ledger's id from now on.
    pub ledger: Digest,
    /// The ids of the chain, first to last.
    pub lineage: Vec<Digest>,
    /// The heads that were declared lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostHead>,
    /// Where the event stands in the log.
    pub seq: u64,
    /// The entry hash of the last event.
    pub head: Digest,
}

/// One head that is known to be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LostHead {
    /// How many events there were.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
}
