//! Bringing a backup back: everything but the ledger, which goes on.
//!
//! What happens, in this order: the file is compared with what was recorded and read to its end; a safety
//! backup is taken; the lease is taken and `run.started` committed; the content is replaced; and
//! `backup.restored` is committed with the end of the run. Cut off before the content was replaced or after
//! it, the log has a restore without an end, and nothing runs until one has been finished.

use ledger::{
    BackupRestored, Body, Digest, LockAcquired, LockReleased, Role, RunFinished, RunStarted,
};
use uuid::Uuid;

use super::Migrator;
use super::backup::no_ledger;
use crate::backup::Replacement;
use crate::context::Progress;
use crate::engine::{Access, Begin, Session};
use crate::error::Error;
use crate::executor::{Closing, RECORD_WAIT, facts_to_close};
use crate::fault;
use crate::journal::{Fact, Journal};
use crate::lease::{self, Heartbeat};
use crate::log::Log;
use crate::object;
use crate::plan::Plan;
use crate::projection::backups::{Backup, RESTORE};
use crate::report::{BackupView, Restored};

/// The name of the backup that is taken before.
const SAFETY: &str = "before-restore";

/// What the run of a restore holds.
struct Held {
    session: Box<dyn Session>,
    log: Log,
    journal: Journal,
    token: Uuid,
    began_ms: u64,
}

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
        let mut held = self.begin_restore(journal).await?;
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
            self.end_failed(held).await;
            return Err(told);
        }
        let duration_ms = self.since(held.began_ms);
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
        let log = self.end(held, facts).await?;
        Ok(Restored {
            backup: self.view(self.find_backup(&log, &backup.taken.backup.to_string())?),
            safety_backup: safety,
            duration_ms,
            head: log.head(),
        })
    }

    /// Takes the lease and records that a restore begins.
    async fn begin_restore(&self, journal: Journal) -> Result<Held, Error> {
        let fail = |error| self.engine_error(error, "taking the lease");
        let began_ms = self.context.source.ticks_ms();
        let mut log = Log::empty(self.options(self.recall()?.as_ref()));
        let run = Access::Run(journal.run());
        let mut session = self.engine.connect(run).await.map_err(fail)?;
        session.begin(&quickly()).await.map_err(fail)?;
        let running = self.end_holder(&mut *session).await?;
        session.lock_ledger().await.map_err(fail)?;
        log.catch_up(&mut *session, &mut |_| {})
            .await
            .map_err(fail)?;
        self.check(&log, None)?;
        self.check_alone(&log, running)?;
        let before = session.lease().await.map_err(fail)?;
        if let Some(holder) = before.as_ref().map(lease::view)
            && lease::replaceable(&holder).is_none()
        {
            session.rollback().await.map_err(fail)?;
            return Err(Error::Locked {
                message: format!(
                    "another run holds the lease: `{}` on `{}` since {}",
                    holder.actor, holder.host, holder.since
                ),
                holder: Some(Box::new(holder)),
                done: Box::default(),
            });
        }
        let token = self.context.source.id();
        let replacing = before.as_ref().map(|held| held.token);
        let claim = self.claim(token, journal.run());
        if !session.take_lease(&claim, replacing).await.map_err(fail)? {
            return Err(lost_lease());
        }
        let policy = self.policy(journal.environment())?;
        let ledger = log.id().unwrap_or(Digest::ZERO);
        let plan = Plan::default().object(journal.environment(), &ledger, &Digest::of(&policy))?;
        for bytes in [&plan, &policy] {
            let object = object::pack(Digest::of(bytes), bytes);
            session.put_object(&object).await.map_err(fail)?;
        }
        let mut facts: Vec<Fact> = self
            .broken_lock(&log, before.as_ref())
            .into_iter()
            .collect();
        facts.push(Fact::success(Body::LockAcquired(LockAcquired {
            token,
            wait_ms: 0,
        })));
        facts.push(Fact::success(Body::RunStarted(RunStarted {
            batch: None,
            ci: self.context.ci.clone(),
            command: RESTORE.to_owned(),
            forced: Vec::new(),
            plan: Digest::of(&plan),
            policy: Digest::of(&policy),
            schema: None,
            steps: 0,
            ticket: None,
        })));
        let staged = journal.stage(&log, facts)?;
        let appended = staged.append(&mut *session).await.map_err(fail)?;
        let committed = appended.commit(&mut *session).await.map_err(fail)?;
        log.fold(&committed);
        self.remember(&log);
        Ok(Held {
            session,
            log,
            journal,
            token,
            began_ms,
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

    /// Ends the run with what became of it, still under its lease.
    async fn end(&self, mut held: Held, facts: Vec<Fact>) -> Result<Log, Error> {
        let fail = |error| self.engine_error(error, "recording the end of the restore");
        let session = &mut *held.session;
        session.begin(&quickly()).await.map_err(fail)?;
        let renewed = session.renew_lease(held.token, self.settings.lease);
        if !renewed.await.map_err(fail)? {
            return Err(lost_lease());
        }
        session.lock_ledger().await.map_err(fail)?;
        held.log
            .catch_up(session, &mut |_| {})
            .await
            .map_err(fail)?;
        session.release_lease(held.token).await.map_err(fail)?;
        let staged = held.journal.stage(&held.log, facts)?;
        let appended = staged.append(session).await.map_err(fail)?;
        let committed = appended.commit(session).await.map_err(fail)?;
        held.log.fold(&committed);
        self.remember(&held.log);
        self.keep_checkpoint(&held.log);
        Ok(held.log)
    }

    /// Records that the restore failed; where that cannot be done, it stays without an end.
    async fn end_failed(&self, held: Held) {
        let stepwise = self.engine.dump().replacement() == Replacement::Stepwise;
        let duration_ms = self.since(held.began_ms);
        let token = held.token;
        let facts = vec![
            Fact::failure(Body::RunFinished(RunFinished {
                done: 0,
                duration_ms,
                failed: u64::from(stepwise),
                schema: None,
            })),
            Fact::success(Body::LockReleased(LockReleased {
                held_ms: duration_ms,
                token,
            })),
        ];
        if let Err(error) = self.end(held, facts).await {
            tracing::debug!(code = error.code(), "the failure could not be recorded");
        }
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

    fn since(&self, began_ms: u64) -> u64 {
        self.context.source.ticks_ms().saturating_sub(began_ms)
    }
}

fn quickly() -> Begin {
    Begin {
        enforce_foreign_keys: true,
        lock_timeout: Some(RECORD_WAIT),
        statement_timeout: None,
    }
}

fn lost_lease() -> Error {
    Error::Locked {
        holder: None,
        message: "another run took the lease meanwhile".to_owned(),
        done: Box::default(),
    }
}
