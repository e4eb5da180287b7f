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
    /// What was found when it was restored into a database of its own; absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_test: Option<RestoreTest>,
}

/// What a trial restore found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RestoreTest {
    /// How many tables came back, but ours.
    pub tables: u64,
    /// How many entries the restored ledger has; its chain and signatures hold, and it ends as this one
    /// did then.
    pub ledger_size: u64,
    /// What the restored schema was compared with.
    pub schema: RestoredSchema,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What a restored schema was compared with, and is equal to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoredSchema {
    /// With the one that the last run before the backup recorded.
    AsRecorded,
    /// With the database as it is now; what was recorded is another one.
    AsNow,
    /// With nothing: the ledger had recorded none, or events of the scheduler were left out.
    NotCompared,
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
