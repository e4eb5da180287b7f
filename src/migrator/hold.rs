//! The run of a command that applies no migration and changes the database all the same: a restore, the table
//! of another tool. It holds the lease from `run.started` to `run.finished`, each in a transaction of its own.

use ledger::{Body, Digest, LockAcquired, LockReleased, RunFinished, RunStarted, SchemaState};
use uuid::Uuid;

use super::Migrator;
use crate::engine::{Access, Begin, Session};
use crate::error::Error;
use crate::executor::{RECORD_WAIT, schema_state};
use crate::journal::{Fact, Journal};
use crate::lease;
use crate::log::Log;
use crate::object;
use crate::plan::Plan;

/// What such a run holds.
pub(super) struct Held {
    pub(super) session: Box<dyn Session>,
    log: Log,
    pub(super) journal: Journal,
    pub(super) token: Uuid,
    began_ms: u64,
}

/// Whether the schema is recorded with which a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// What follows replaces it.
    Unknown,
    /// It is what the run before left, or was changed by other means since.
    Recorded,
}

impl Migrator {
    /// Takes the lease and records that the run of `command` begins.
    pub(super) async fn begin_to_hold(
        &self,
        command: &str,
        journal: Journal,
        before: Before,
    ) -> Result<Held, Error> {
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
        let held = session.lease().await.map_err(fail)?;
        if let Some(holder) = held.as_ref().map(lease::view)
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
        let replacing = held.as_ref().map(|held| held.token);
        let claim = self.claim(token, journal.run());
        if !session.take_lease(&claim, replacing).await.map_err(fail)? {
            return Err(lost_lease());
        }
        let schema = match before {
            Before::Unknown => None,
            Before::Recorded => Some(self.schema_of(&mut *session).await?),
        };
        let policy = self.policy(journal.environment())?;
        let ledger = log.id().unwrap_or(Digest::ZERO);
        let plan = Plan::default().object(journal.environment(), &ledger, &Digest::of(&policy))?;
        for bytes in [&plan, &policy] {
            let object = object::pack(Digest::of(bytes), bytes);
            session.put_object(&object).await.map_err(fail)?;
        }
        let broken = self.broken_lock(&log, held.as_ref());
        let mut facts: Vec<Fact> = broken.into_iter().collect();
        facts.push(Fact::success(Body::LockAcquired(LockAcquired {
            token,
            wait_ms: 0,
        })));
        facts.push(Fact::success(Body::RunStarted(RunStarted {
            batch: None,
            ci: self.context.ci.clone(),
            command: command.to_owned(),
            forced: Vec::new(),
            plan: Digest::of(&plan),
            policy: Digest::of(&policy),
            schema,
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

    /// Opens the transaction that ends the run, still under its lease.
    pub(super) async fn begin_to_end(&self, held: &mut Held) -> Result<(), Error> {
        let fail = |error| self.engine_error(error, "recording the end of the run");
        let session = &mut *held.session;
        session.begin(&quickly()).await.map_err(fail)?;
        let renewed = session.renew_lease(held.token, self.settings.lease);
        if !renewed.await.map_err(fail)? {
            return Err(lost_lease());
        }
        session.lock_ledger().await.map_err(fail)?;
        let read = held.log.catch_up(session, &mut |_| {}).await;
        read.map(drop).map_err(fail)
    }

    /// Ends the run with what became of it, in the open transaction.
    pub(super) async fn end_held(&self, mut held: Held, facts: Vec<Fact>) -> Result<Log, Error> {
        let fail = |error| self.engine_error(error, "recording the end of the run");
        let session = &mut *held.session;
        session.release_lease(held.token).await.map_err(fail)?;
        let staged = held.journal.stage(&held.log, facts)?;
        let appended = staged.append(session).await.map_err(fail)?;
        let committed = appended.commit(session).await.map_err(fail)?;
        held.log.fold(&committed);
        self.remember(&held.log);
        self.keep_checkpoint(&held.log);
        Ok(held.log)
    }

    /// Records that the run failed, and whether a part of it may be left; where that cannot be recorded, it
    /// stays without an end.
    pub(super) async fn end_held_failed(
        &self,
        mut held: Held,
        leaves_a_part: bool,
        schema: Option<SchemaState>,
    ) {
        let duration_ms = self.held_ms(&held);
        let facts = vec![
            Fact::failure(Body::RunFinished(RunFinished {
                done: 0,
                duration_ms,
                failed: u64::from(leaves_a_part),
                schema,
            })),
            Fact::success(Body::LockReleased(LockReleased {
                held_ms: duration_ms,
                token: held.token,
            })),
        ];
        let ended = match self.begin_to_end(&mut held).await {
            Ok(()) => self.end_held(held, facts).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::debug!(code = error.code(), "the failure could not be recorded");
        }
    }

    /// Returns the schema's fingerprint as events record it.
    pub(super) async fn schema_of(&self, session: &mut dyn Session) -> Result<SchemaState, Error> {
        let schema = session.fingerprint().await;
        schema
            .map(|schema| schema_state(&schema))
            .map_err(|error| self.engine_error(error, "reading the schema"))
    }

    /// Returns how long the run has held the lease.
    pub(super) fn held_ms(&self, held: &Held) -> u64 {
        self.context.source.ticks_ms().saturating_sub(held.began_ms)
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
