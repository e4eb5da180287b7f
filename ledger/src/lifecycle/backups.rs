//! Backups that can be restored, and the one that waits to be accepted.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::body::BackupTaken;

#[derive(Clone, Debug, Default)]
pub(super) struct Backups {
    sizes: BTreeMap<Uuid, u64>,
    /// The same, by size, so that the oldest is at hand.
    by_size: BTreeSet<(u64, Uuid)>,
    waiting: Option<Uuid>,
}

impl Backups {
    pub(super) const fn waiting(&self) -> Option<Uuid> {
        self.waiting
    }

    pub(super) fn oldest_size(&self) -> Option<u64> {
        self.by_size.first().map(|(size, _)| *size)
    }

    pub(super) fn size_of(&self, backup: &Uuid) -> Result<u64, String> {
        self.sizes.get(backup).copied().ok_or_else(|| {
            format!("expected a backup that was taken and not removed, found `{backup}`")
        })
    }

    pub(super) fn take(&mut self, seq: u64, body: &BackupTaken) -> Result<(), String> {
        if body.ledger_size > seq {
            return Err(format!(
                "expected backup `{}` to hold at most {seq} entries, found {}",
                body.backup, body.ledger_size
            ));
        }
        if self.sizes.contains_key(&body.backup) {
            return Err(format!("backup `{}` is taken twice", body.backup));
        }
        self.sizes.insert(body.backup, body.ledger_size);
        self.by_size.insert((body.ledger_size, body.backup));
        Ok(())
    }

    pub(super) fn restored(&mut self, backup: Uuid) {
        self.waiting = Some(backup);
    }

    pub(super) fn accept(&mut self, backup: &Uuid) -> Result<(), String> {
        if self.waiting.as_ref() != Some(backup) {
            return Err(format!(
                "backup `{backup}` is accepted, which is not the one that was restored last"
            ));
        }
        self.waiting = None;
        Ok(())
    }

    pub(super) fn remove(&mut self, backup: &Uuid) -> Result<(), String> {
        let size = self.size_of(backup)?;
        self.sizes.remove(backup);
        self.by_size.remove(&(size, *backup));
        Ok(())
    }
}
