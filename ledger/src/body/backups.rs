//! Backups.

use uuid::Uuid;

use super::Decimal;
use crate::hash::Digest;

members! {
    /// A backup was taken.
    BackupTaken {
        /// The backup's id.
        backup: Uuid,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// Whether it is encrypted.
        encrypted: bool,
        /// The number of entries that the ledger had in the state that was saved.
        ledger_size: u64,
        /// Where it is.
        location: String,
        /// How it was made.
        method: String,
        /// Its name.
        name: String,
        /// The SHA-256 of its bytes.
        sha256: Digest,
        /// The number of its bytes.
        size: Decimal,
    }

    /// A backup could not be taken.
    BackupFailed {
        /// What went wrong.
        error: String,
        /// The name it was to have.
        name: String,
    }

    /// A backup was found to be as it was recorded.
    BackupVerified {
        /// The backup's id.
        backup: Uuid,
    }

    /// The database was restored from a backup; the ledger went on.
    BackupRestored {
        /// The backup's id.
        backup: Uuid,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// The backup that was taken before.
        safety_backup: Option<Uuid>,
        /// The SHA-256 of the bytes that were restored.
        sha256: Digest,
    }

    /// A person has looked at the restored database.
    BackupAccepted {
        /// The backup's id.
        backup: Uuid,
        /// What the person found.
        reason: String,
    }

    /// A backup was deleted.
    BackupRemoved {
        /// The backup's id.
        backup: Uuid,
        /// Why.
        reason: String,
    }
}
