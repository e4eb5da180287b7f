//! The environment's checkpoint beside the migrations: looked at by every command that reads the
//! ledger, replaced by every command that writes to it (docs/format.md section 8).

use std::fs;
use std::path::PathBuf;

use ledger::note::Note;
use ledger::{Checkpoint, Digest, Role, Signer};

use super::timestamp::ANSWERED;
use super::{Migrator, open};
use crate::checkpoints::{self, Shelf};
use crate::context::Progress;
use crate::error::Error;
use crate::log::Log;
use crate::policy::DEVELOPMENT;

/// The roles that may sign a checkpoint, beside `owner`.
pub(super) const CHECKPOINT_ROLES: &[Role] = &[Role::Auditor, Role::Operator];

/// A checkpoint that is kept, and what an authority has said of it.
pub(super) struct Earlier {
    pub(super) size: u64,
    pub(super) note: String,
    pub(super) stamp: Option<Vec<u8>>,
}

impl Migrator {
    /// Reads the checkpoints that are kept; none where they are turned off.
    pub(super) fn shelf(&self) -> Result<Shelf, Error> {
        let Some(settings) = &self.settings.checkpoints else {
            return Ok(Shelf::default());
        };
        Shelf::read(&settings.folder).map_err(|message| Error::Usage {
            code: "folder-unreadable",
            message,
            hint: "check the folder's permissions, or turn it off with `checkpoints = false`"
                .to_owned(),
        })
    }

    /// Warns of checkpoints that say that this environment has another ledger than the one that was
    /// read; an error where the configuration pins the ledger and nothing of it is left.
    pub(super) fn look_for_strangers(&self, shelf: &Shelf, log: &Log) -> Result<(), Error> {
        let pinned = self.settings.ledger;
        let Some(first) = log.verifier().lineage().first().copied() else {
            return match pinned.and_then(|pinned| shelf.about(&pinned)) {
                Some(name) => Err(open::lost(format!(
                    "the configuration pins one of which a checkpoint is kept, `{name}`, and there \
                     is none"
                ))),
                None => Ok(()),
            };
        };
        if pinned.is_some() {
            // that the ledger read is the one pinned was checked already
            return Ok(());
        }
        let environment = self.environment(log);
        for name in shelf.strangers(&environment, &first) {
            self.context.observer.observe(&Progress::Warning {
                message: &format!(
                    "the checkpoint `{name}` is one of another ledger, but this database's is \
                     `{}`; if it was given up on purpose, remove the file",
                    short(&first)
                ),
            });
        }
        Ok(())
    }

    /// Remembers a log in which a run has just begun, and keeps its checkpoint where that was all of it.
    pub(super) fn note_begun(&self, log: &Log, whole: bool) {
        self.remember(log);
        if whole {
            self.keep_checkpoint(log);
        }
    }

    /// Signs the head of a log that was just written and keeps it; a failure to do so is a warning.
    ///
    /// A key that may not sign checkpoints leaves the older one, which covers less and is as true.
    pub(super) fn keep_checkpoint(&self, log: &Log) {
        let Some(settings) = &self.settings.checkpoints else {
            return;
        };
        let environment = self.environment(log);
        let wanted = settings.in_development || environment != DEVELOPMENT;
        let Some(first) = log.verifier().lineage().first().filter(|_| wanted) else {
            return;
        };
        let path = checkpoints::file(&settings.folder, &environment, first);
        let kept = self.sign_kept(log).and_then(|signed| match signed {
            Some((checkpoint, note)) => checkpoints::keep(&path, &checkpoint, &note.to_string())
                .map(drop)
                .map_err(|error| error.to_string()),
            None => Ok(()),
        });
        if let Err(reason) = kept {
            self.context.observer.observe(&Progress::Warning {
                message: &format!("cannot keep the checkpoint `{}`: {reason}", path.display()),
            });
        }
    }

    /// Returns the checkpoints that are kept of this ledger and environment, those under their size
    /// first: only they can have a timestamp.
    pub(super) fn kept_of(&self, log: &Log) -> Vec<Earlier> {
        let (Some(settings), Some(first)) =
            (&self.settings.checkpoints, log.verifier().lineage().first())
        else {
            return Vec::new();
        };
        let newest = checkpoints::file(&settings.folder, &self.environment(log), first);
        let mut paths = checkpoints::beside(&newest, "checkpoint");
        paths.sort_by_key(|path| *path == newest);
        let read = |path: PathBuf| {
            let note = checkpoints::note(&path).ok()?;
            Some(Earlier {
                size: Checkpoint::parse(&note).ok()?.0.size,
                note,
                stamp: fs::read(path.with_extension(ANSWERED)).ok(),
            })
        };
        paths.into_iter().filter_map(read).collect()
    }

    fn sign_kept(&self, log: &Log) -> Result<Option<(Checkpoint, Note)>, String> {
        let told = |error: Error| error.to_string();
        let journal = self.journal(self.keys.signer(false).map_err(told)?, log);
        if journal.may_sign(log, CHECKPOINT_ROLES).is_err() {
            return Ok(None);
        }
        let signer: &dyn Signer = &*journal.signing().signer;
        super::export::sign_head(log, signer)
            .map(Some)
            .map_err(told)
    }
}

/// Returns as much of an id as names a checkpoint.
fn short(id: &Digest) -> String {
    let mut text = id.to_string();
    text.truncate(8);
    text
}
