//! What the commands of `backup` answer.

use ledger::{Digest, Timestamp};
use serde::Serialize;
use uuid::Uuid;

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When it was taken.
    pub time: Timestamp,
    /// Where it is.
    pub location: String,
    /// The number of its bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// How it was made.
    pub method: String,
    /// How many entries the ledger had in the state that was saved.
    pub ledger_size: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// When it was last found to be as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Timestamp>,
    /// When it was last restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<Timestamp>,
    /// A file of its name and size is there.
    pub present: bool,
}

/// What `backup verify` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupChecked {
    /// The backup.
    pub backup: BackupView,
    /// How many bytes the dump inside has; absent where no key is given to read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<u64>,
}

/// What `backup restore` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The backup that was restored.
    pub backup: BackupView,
    /// The one that was taken before, for the way back.
    pub safety_backup: BackupView,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The entry hash of the last event.
    pub head: Digest,
}

/// What `backup prune` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// What was removed.
    pub removed: Vec<BackupView>,
    /// How many stay.
    pub kept: u64,
}
