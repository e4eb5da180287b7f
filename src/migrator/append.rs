//! Appending without the lease: read the log, decide, sign, insert; and again when others were first.
//!
//! A long migration does not hold this up where the database has more than one writer; where it has
//! one, the append waits for it as long as for any lock of the database.

use ledger::Role;

use super::Migrator;
use super::Signing;
use crate::engine::{Access, Begin, Fault, Object, Session};
use crate::error::Error;
use crate::executor::RECORD_WAIT;
use crate::fault;
use crate::journal::{Fact, Journal};
use crate::log::Log;

/// How often others may be first before it is given up.
const ATTEMPTS: usize = 16;

/// An open transaction that has read the whole log.
pub(super) struct Append {
    pub(super) session: Box<dyn Session>,
    pub(super) log: Log,
    pub(super) journal: Journal,
}

impl Migrator {
    /// Appends facts that are true whatever others append meanwhile, and stores what they refer to.
    pub(super) async fn append_alone(
        &self,
        facts: &[Fact],
        objects: &[Object],
        roles: &[Role],
    ) -> Result<Log, Error> {
        let decide = |_: &Log| Ok(facts.to_vec());
        self.append_decided(&decide, objects, roles).await
    }

    /// Appends what `decide` says of the log as it is, and decides again where others were first.
    pub(super) async fn append_decided(
        &self,
        decide: &(dyn Fn(&Log) -> Result<Vec<Fact>, Error> + Sync),
        objects: &[Object],
        roles: &[Role],
    ) -> Result<Log, Error> {
        let mut attempt = 1;
        loop {
            let mut append = self.begin_append(roles).await?;
            let facts = decide(&append.log)?;
            for object in objects {
                let put = append.session.put_object(object).await;
                put.map_err(|error| self.engine_error(error, "storing what is recorded"))?;
            }
            match self.finish_append(append, facts).await {
                Err(Error::Engine { error, .. })
                    if error.fault == Fault::Conflict && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Opens a transaction for a key that holds one of `roles`, and reads the log inside of it.
    pub(super) async fn begin_append(&self, roles: &[Role]) -> Result<Append, Error> {
        let opened = self.open().await?;
        self.may_write(&opened.log)?;
        let mut log = opened.log;
        let journal = self.journal(self.keys.signer(false)?, &log);
        journal.may_sign(&log, roles)?;
        drop(opened.session);
        let mut session = self.lock_log(&mut log).await?;
        self.check(&log, None)?;
        self.same_database(&mut *session, &log).await?;
        Ok(Append {
            session,
            log,
            journal,
        })
    }

    /// Opens a transaction in which nobody else appends, and reads what the log has gained until then.
    pub(super) async fn lock_log(&self, log: &mut Log) -> Result<Box<dyn Session>, Error> {
        let mut session = self.begin_write().await?;
        session
            .lock_ledger()
            .await
            .map_err(|error| self.engine_error(error, "waiting to append"))?;
        log.catch_up(&mut *session, &mut |_| {})
            .await
            .map_err(|error| self.engine_error(error, "reading the ledger"))?;
        Ok(session)
    }

    /// Signs and inserts the facts, commits, and returns the log with them.
    pub(super) async fn finish_append(
        &self,
        append: Append,
        facts: Vec<Fact>,
    ) -> Result<Log, Error> {
        self.finish_append_after(append, None, facts).await
    }

    /// The same, after a fact that opens a ledger, if there is one.
    pub(super) async fn finish_append_after(
        &self,
        mut append: Append,
        opening: Option<Fact>,
        facts: Vec<Fact>,
    ) -> Result<Log, Error> {
        let fail = |error| self.engine_error(error, "appending to the ledger");
        let staged = append
            .journal
            .stage_after(&append.log, opening, |_| Ok(facts))?;
        fault::reach("alone::before-append");
        let session = &mut *append.session;
        let appended = staged.append(session).await.map_err(fail)?;
        fault::reach("alone::before-commit");
        let committed = appended.commit(session).await.map_err(fail)?;
        append.log.fold(&committed);
        self.remember(&append.log);
        self.keep_checkpoint(&append.log);
        Ok(append.log)
    }

    /// Connects and opens a transaction that may write.
    pub(super) async fn begin_write(&self) -> Result<Box<dyn Session>, Error> {
        let fail = |error| self.engine_error(error, "beginning to write");
        let mut session = self.engine.connect(Access::Write).await.map_err(fail)?;
        let begin = Begin {
            enforce_foreign_keys: true,
            lock_timeout: Some(self.settings.lock_timeout.unwrap_or(RECORD_WAIT)),
            statement_timeout: None,
        };
        session.begin(&begin).await.map_err(fail)?;
        Ok(session)
    }

    /// Returns the journal of a new run.
    pub(super) fn journal(&self, signing: Signing, log: &Log) -> Journal {
        Journal::new(
            self.context.clone(),
            signing,
            self.environment(log),
            self.context.source.id(),
        )
    }
}
