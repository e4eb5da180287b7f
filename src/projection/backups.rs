//! Which backups there are, what became of them, and what a restore left for a person to do.

use std::collections::BTreeMap;

use ledger::{BackupTaken, Body, Event, Outcome, Timestamp};
use uuid::Uuid;

/// How a restore names itself in `run.started`.
pub const RESTORE: &str = "backup restore";

/// One backup.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// The event that says so.
    pub seq: u64,
    /// When it was taken.
    pub time: Timestamp,
    /// What was recorded of it.
    pub taken: BackupTaken,
    /// When it was last found to be as recorded.
    pub verified: Option<Timestamp>,
    /// When it was last restored.
    pub restored: Option<Timestamp>,
    /// It was deleted.
    pub removed: bool,
}

/// Why nothing may run before a person has acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// This backup was restored, and nobody has looked yet.
    NotAccepted(Uuid),
    /// A restore was begun and not finished: the database may hold a part of what it had and a part of what
    /// it was to get.
    Unfinished,
}

/// A fold over all events about backups.
#[derive(Debug, Clone, Default)]
pub struct Backups {
    all: BTreeMap<Uuid, Backup>,
    waiting: Option<Uuid>,
    restoring: Option<Uuid>,
}

impl Backups {
    /// Folds the next event.
    pub fn apply(&mut self, event: &Event) {
        match &event.body {
            Body::BackupTaken(body) => {
                self.all.insert(
                    body.backup,
                    Backup {
                        seq: event.seq,
                        time: event.time,
                        taken: body.clone(),
                        verified: None,
                        restored: None,
                        removed: false,
                    },
                );
            }
            Body::BackupVerified(body) => {
                if let Some(backup) = self.all.get_mut(&body.backup) {
                    backup.verified = Some(event.time);
                }
            }
            Body::BackupRestored(body) => {
                self.waiting = Some(body.backup);
                self.restoring = None;
                if let Some(backup) = self.all.get_mut(&body.backup) {
                    backup.restored = Some(event.time);
                }
            }
            Body::BackupAccepted(_) => self.waiting = None,
            Body::BackupRemoved(body) => {
                if let Some(backup) = self.all.get_mut(&body.backup) {
                    backup.removed = true;
                }
            }
            Body::RunStarted(body) if body.command == RESTORE => self.restoring = Some(event.run),
            // one that failed and left nothing says so: no step of it remains
            Body::RunFinished(body)
                if self.restoring == Some(event.run)
                    && (event.outcome == Outcome::Success || body.failed == 0) =>
            {
                self.restoring = None;
            }
            _ => {}
        }
    }

    /// Returns all backups that were ever taken, by their ids.
    pub fn all(&self) -> impl Iterator<Item = &Backup> {
        self.all.values()
    }

    /// Returns the backups that were not removed, oldest first.
    pub fn kept(&self) -> Vec<&Backup> {
        let mut kept: Vec<&Backup> = self.all.values().filter(|backup| !backup.removed).collect();
        kept.sort_by_key(|backup| backup.seq);
        kept
    }

    /// Returns why nothing may run before a person has acted.
    pub fn hold(&self) -> Option<Hold> {
        match (self.restoring, self.waiting) {
            (Some(_), _) => Some(Hold::Unfinished),
            (None, Some(backup)) => Some(Hold::NotAccepted(backup)),
            (None, None) => None,
        }
    }

    /// Returns which backups go so that the newest `keep` stay: never the newest, nor the last one before
    /// the migration that was applied last, whose event is `applied`.
    pub fn to_prune(&self, keep: u64, applied: Option<u64>) -> Vec<&Backup> {
        let kept = self.kept();
        let keep = usize::try_from(keep).unwrap_or(usize::MAX).max(1);
        let way_back = applied.and_then(|applied| {
            kept.iter()
                .rev()
                .find(|backup| backup.taken.ledger_size <= applied)
                .map(|backup| backup.seq)
        });
        let count = kept.len().saturating_sub(keep);
        kept.into_iter()
            .take(count)
            .filter(|backup| Some(backup.seq) != way_back)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(sizes: &[u64]) -> Backups {
        let mut backups = Backups::default();
        for (index, size) in sizes.iter().enumerate() {
            let id = Uuid::from_u128(index as u128 + 1);
            backups.all.insert(
                id,
                Backup {
                    seq: *size,
                    time: Timestamp::from_micros(0),
                    taken: BackupTaken {
                        backup: id,
                        duration_ms: 1,
                        encrypted: false,
                        ledger_size: *size,
                        location: "x".to_owned(),
                        method: "m".to_owned(),
                        name: "n".to_owned(),
                        sha256: ledger::Digest::ZERO,
                        size: 1.into(),
                    },
                    verified: None,
                    restored: None,
                    removed: false,
                },
            );
        }
        backups
    }

    fn pruned(sizes: &[u64], keep: u64, applied: Option<u64>) -> Vec<u64> {
        let backups = with(sizes);
        let found = backups.to_prune(keep, applied);
        found.iter().map(|backup| backup.seq).collect()
    }

    #[test]
    fn the_newest_and_the_way_back_stay() {
        assert_eq!(pruned(&[1, 5, 9], 2, None), [1]);
        assert_eq!(pruned(&[1, 5, 9], 0, None), [1, 5]);
        assert_eq!(pruned(&[1, 5, 9], 1, Some(7)), [1]);
        assert_eq!(pruned(&[1, 5, 9], 1, Some(20)), [1, 5]);
        assert_eq!(pruned(&[5], 0, Some(3)), [] as [u64; 0]);
    }
}
