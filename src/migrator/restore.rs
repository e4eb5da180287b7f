//! Bringing a backup back: everything but the ledger, which goes on.
//!
//! What happens, in this order: the file is compared with what was recorded and read to its end; a safety
//! backup is taken; the lease is taken and `run.started` committed; the content is replaced; and
//! `backup.restored` is committed with the end of the run. Cut off before the content was replaced or after
//! it, the log has a restore without an end, and nothing runs until one has been finished.

use ledger::{BackupRestored, Body, Role};

use super::Migrator;
use super::backup::no_ledger;
use super::hold::Before;
use crate::backup::Replacement;
use crate::context::Progress;
use crate::error::Error;
use crate::executor::{Closing, facts_to_close};
use crate::fault;
use crate::journal::Fact;
use crate::lease::Heartbeat;
use crate::projection::backups::{Backup, RESTORE};
use crate::report::{BackupView, Restored};

/// The name of the backup that is taken before.
const SAFETY: &str = "before-restore";

impl Migrator {
    /// Replaces everything but the ledger by what a backup holds; `up` waits until a person has accepted it.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] where the file is not what was recorded, [`Error::Locked`] while another run holds
    /// the lease, [`Error::Backup`] where the database or its program failed; the message says what is left.
    pub async fn restore_backup(&self, which: &str) -> Result<Restored, Error> {
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        self.may_write_to(&mut opened).await?;
        let journal = self.journal(self.keys.signer(false)?, &opened.log);
        journal.may_sign(&opened.log, &[Role::Operator])?;
        let backup = self.find_backup(&opened.log, which)?.clone();
        drop(opened);
        self.compare_backup(&backup)?;
        // also what is as it was recorded may not be readable with the key of today
        self.reader(&backup)?;
        self.read_content(&backup)?;
        let safety = self.save(SAFETY).await?;
        let server = self.living_schema().await?.server;
        let mut held = self
            .begin_to_hold(RESTORE, journal, Before::Unknown)
            .await?;
        let heartbeat = Heartbeat::start(
            self.engine.clone(),
            held.journal.run(),
            held.token,
            self.settings.lease,
            held.session.interrupter(),
        );
        fault::reach("restore::before-content");
        let replaced = self.replace_content(&backup, server).await;
        fault::reach("restore::after-content");
        drop(heartbeat);
        if let Err(error) = replaced {
            let told = self.left(error, &safety);
            let stepwise = self.engine.dump().replacement() == Replacement::Stepwise;
            self.end_held_failed(held, stepwise, None).await;
            return Err(told);
        }
        let duration_ms = self.held_ms(&held);
        let schema = held
            .session
            .fingerprint()
            .await
            .map_err(|error| self.engine_error(error, "reading the schema"))?;
        let mut facts = vec![Fact::success(Body::BackupRestored(BackupRestored {
            backup: backup.taken.backup,
            duration_ms,
            safety_backup: Some(safety.id),
            sha256: backup.taken.sha256,
        }))];
        facts.extend(facts_to_close(&Closing {
            token: held.token,
            done: 0,
            failed: 0,
            duration_ms,
            schema: &schema,
            whole: true,
        }));
        self.begin_to_end(&mut held).await?;
        let log = self.end_held(held, facts).await?;
        Ok(Restored {
            backup: self.view(self.find_backup(&log, &backup.taken.backup.to_string())?),
            safety_backup: safety,
            duration_ms,
            head: log.head(),
        })
    }

    async fn replace_content(&self, backup: &Backup, server: String) -> Result<(), Error> {
        self.context.observer.observe(&Progress::Backup {
            doing: "restoring the database",
        });
        let draft = self.draft()?;
        let job = self.job(draft.path(), server, None, backup.taken.ledger_size);
        self.engine.dump().restore(job, self.reader(backup)?).await
    }

    /// Says what a failed restore left.
    fn left(&self, error: Error, safety: &BackupView) -> Error {
        let (code, message) = match error {
            Error::Backup { code, message, .. } => (code, message),
            other => return other,
        };
        let hint = match self.engine.dump().replacement() {
            Replacement::Atomic => {
                "the database is as it was; correct what it says, then run the command again"
                    .to_owned()
            }
            Replacement::Stepwise => format!(
                "the database may hold a part of what it had and a part of the backup, and nothing runs \
                 until a restore is finished: run the command again, or go back with `mledger backup \
                 restore {}`",
                safety.id
            ),
        };
        Error::Backup {
            code,
            message,
            hint,
        }
    }
}
