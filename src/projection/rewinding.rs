//! What versions were before, so that a restored backup can bring their state back.

use std::collections::{BTreeMap, VecDeque};

use ledger::{BackupTaken, Body};
use uuid::Uuid;

use super::history::Entry;
use crate::migration::Version;

/// Changes that are kept even when no backup needs them: one that is being taken names the size that the
/// ledger had a little before.
const KEPT: usize = 1024;

/// One change: where, of which version, and what it was before.
#[derive(Debug, Clone)]
struct Change {
    seq: u64,
    version: Version,
    before: Option<Entry>,
}

/// The changes since the oldest backup that can be restored.
#[derive(Debug, Clone, Default)]
pub(super) struct Rewinding {
    changes: VecDeque<Change>,
    sizes: BTreeMap<Uuid, u64>,
}

impl Rewinding {
    /// Keeps what a version was before a change.
    pub(super) fn note(&mut self, seq: u64, version: Version, before: Option<Entry>) {
        self.changes.push_back(Change {
            seq,
            version,
            before,
        });
        // twice the limit, so that forgetting is rare
        if self.changes.len() < 2 * KEPT {
            return;
        }
        let oldest = self.sizes.values().min().copied();
        while self.changes.len() > KEPT
            && self
                .changes
                .front()
                .is_some_and(|change| oldest.is_none_or(|oldest| change.seq < oldest))
        {
            self.changes.pop_front();
        }
    }

    /// Keeps the size that the ledger had in a backup.
    pub(super) fn take(&mut self, taken: &BackupTaken) {
        self.sizes.insert(taken.backup, taken.ledger_size);
    }

    /// Forgets a backup.
    pub(super) fn remove(&mut self, backup: &Uuid) {
        self.sizes.remove(backup);
    }

    /// Brings back what every version was when the backup was taken, as a change at `seq`.
    pub(super) fn rewind(
        &mut self,
        seq: u64,
        backup: &Uuid,
        entries: &mut BTreeMap<Version, Entry>,
    ) {
        // the verifier has said already what is wrong with one that is not known
        let Some(size) = self.sizes.get(backup).copied() else {
            return;
        };
        let mut earlier: BTreeMap<Version, Option<Entry>> = BTreeMap::new();
        for change in self.changes.iter().rev() {
            if change.seq < size {
                break;
            }
            earlier.insert(change.version.clone(), change.before.clone());
        }
        for (version, before) in earlier {
            let now = match before {
                Some(entry) => entries.insert(version.clone(), entry),
                None => entries.remove(&version),
            };
            self.note(seq, version, now);
        }
    }
}

/// Returns the version whose state an event changes.
pub(super) fn about(body: &Body) -> Option<&str> {
    Some(match body {
        Body::MigrationStarted(body) => &body.version,
        Body::MigrationStepApplied(body) => &body.version,
        Body::MigrationStepResolved(body) => &body.version,
        Body::MigrationApplied(body) => &body.version,
        Body::MigrationRolledBack(body) => &body.version,
        Body::MigrationFailed(body) => &body.version,
        Body::MigrationAborted(body) => &body.version,
        Body::MigrationMarked(body) => &body.version,
        Body::MigrationAccepted(body) => &body.version,
        _ => return None,
    })
}
