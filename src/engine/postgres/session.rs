//! One connection, as the seam has it.

mod finish;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ledger::{Digest, Record};
use sqlx::postgres::PgRow;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::connect::{self, Opened};
use super::fault::Of;
use super::interrupt::Switch;
use super::link::{Backend, Link};
use super::notices::Notices;
use super::transaction::Open;
use super::{
    Postgres, ending, events, examine, lease, objects, schema, script, sizes, store, tables,
    transaction,
};
use crate::adopt::{Lock, LockState, Table, TableName};
use crate::engine::{
    Access, Begin, Claim, EngineError, Executed, Fault, Fence, Identity, Interrupter, Lease,
    Object, SchemaFingerprint, Session, Store, StoredRecord,
};
use crate::lint::Sizes;

/// The code for a statement that was cancelled.
const CANCELLED: &str = "57014";

/// A connection to a PostgreSQL database.
#[derive(Debug)]
pub(super) struct PostgresSession {
    switch: Arc<Switch>,
    database: Postgres,
    access: Access,
    link: Link,
    backend: Backend,
    /// Statements that put the session's settings to how they were when it was opened.
    settings: String,
    /// The transaction that [`Session::begin`] opened.
    open: Option<Open>,
    /// A transaction that was opened with the commit of the one before, for a [`Session::begin`] that
    /// asks for the same.
    ahead: Option<(Begin, Open)>,
    /// A script may have changed the session since it was opened.
    changed: bool,
    notices: Notices,
}

impl PostgresSession {
    /// Connects for `access`.
    pub(super) async fn open(database: Postgres, access: Access) -> Result<Self, EngineError> {
        let Opened {
            link,
            backend,
            settings,
            ..
        } = connect::open(&database, access).await?;
        let switch = Switch::new(database.clone());
        switch.set_backend(backend);
        Ok(Self {
            switch,
            database,
            access,
            link,
            backend,
            settings,
            open: None,
            ahead: None,
            changed: false,
            notices: Notices::new(),
        })
    }

    /// Returns what our own statements begin with: nothing, where their settings are in force already.
    async fn prefix(&mut self) -> Result<String, EngineError> {
        self.give_up_ahead().await?;
        self.settle_with("").await?;
        Ok(match &self.open {
            None => transaction::ours_alone(),
            Some(open) if open.ours => String::new(),
            Some(open) => transaction::ours(open.lock_timeout_ms),
        })
    }

    /// Ends a transaction that was opened ahead and is not what is wanted.
    async fn give_up_ahead(&mut self) -> Result<(), EngineError> {
        match self.ahead.take() {
            Some(_) => transaction::rollback(&mut self.link).await,
            None => Ok(()),
        }
    }

    /// Settles the open transaction if that is still to be done, with the message in which `after` is
    /// asked; returns the rows of `after`, or nothing where there was nothing to settle.
    async fn settle_with(&mut self, after: &str) -> Result<Option<Vec<PgRow>>, EngineError> {
        let Some(open) = self.open.filter(|open| open.unsettled) else {
            return Ok(None);
        };
        let settings = self.settings.clone();
        let rows = self
            .stoppable(async |link: &mut Link| {
                transaction::settle(link, &open, &settings, after).await
            })
            .await?;
        if let Some(open) = &mut self.open {
            open.unsettled = false;
            open.ours = true;
        }
        Ok(Some(rows))
    }

    /// Returns an expression that names the session: a transaction stays with the server process that it
    /// began with.
    fn named(&self) -> String {
        match self.open {
            Some(_) => self.backend.known(),
            None => self.backend.expression(),
        }
    }

    /// Notes that our settings are in force in the open transaction.
    fn now_ours(&mut self) {
        if let Some(open) = &mut self.open {
            open.ours = true;
        }
    }

    /// Does something of a script's that can be stopped.
    async fn stoppable<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Link) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        // marked before it is looked whether to stop, so that no request falls between the two
        let running = self.switch.running();
        if self.switch.is_stopped() {
            running.end().await;
            return Err(EngineError::new(Fault::Interrupted, "interrupted"));
        }
        let answer = work(&mut self.link).await;
        running.end().await;
        answer.map_err(|error| {
            let cancelled = error.code.as_deref() == Some(CANCELLED);
            if cancelled && self.switch.is_stopped() {
                EngineError {
                    fault: Fault::Interrupted,
                    ..error
                }
            } else {
                error
            }
        })
    }

    /// Replaces a connection that broke, after the server has ended the session behind it.
    async fn replace(&mut self) -> Result<(), EngineError> {
        let ahead = self.ahead.map(|(_, open)| open);
        let number = self.open.or(ahead).map(|open| open.number);
        if !ending::end(&self.database, self.backend, number).await? {
            return Err(EngineError::new(
                Fault::Disconnected,
                format!(
                    "the connection broke, and the server has not ended the session behind it \
                     (process {}) within 10 seconds",
                    self.backend.pid
                ),
            ));
        }
        let opened = connect::open(&self.database, self.access).await?;
        self.link = opened.link;
        self.backend = opened.backend;
        self.settings = opened.settings;
        self.switch.set_backend(opened.backend);
        self.open = None;
        self.ahead = None;
        self.changed = false;
        Ok(())
    }
}

fn nothing_to_commit() -> EngineError {
    EngineError::new(Fault::Statement, "there is no transaction to commit")
}

#[async_trait]
impl Session for PostgresSession {
    async fn store(&mut self) -> Result<Store, EngineError> {
        let prefix = self.prefix().await?;
        let store = store::inspect(&mut self.link, &prefix).await?;
        self.now_ours();
        Ok(store)
    }

    async fn create_store(&mut self, identity: &str) -> Result<(), EngineError> {
        let prefix = self.prefix().await?;
        let system = store::system(&mut self.link, &prefix).await?;
        let identity = system.as_deref().unwrap_or(identity);
        store::create(&mut self.link, &prefix, identity).await?;
        self.now_ours();
        Ok(())
    }

    async fn identity(&mut self) -> Result<Identity, EngineError> {
        let prefix = self.prefix().await?;
        store::identity(&mut self.link, &prefix).await
    }

    async fn renew_identity(&mut self, random: &str) -> Result<Identity, EngineError> {
        let prefix = self.prefix().await?;
        store::renew_identity(&mut self.link, &prefix, random).await?;
        store::identity(&mut self.link, &prefix).await
    }

    async fn records(&mut self, from: u64, limit: u32) -> Result<Vec<StoredRecord>, EngineError> {
        let prefix = self.prefix().await?;
        events::read(&mut self.link, &prefix, from, limit).await
    }

    async fn append(&mut self, records: &[Record]) -> Result<(), EngineError> {
        let prefix = self.prefix().await?;
        events::append(&mut self.link, &prefix, records).await?;
        self.now_ours();
        Ok(())
    }

    async fn put_object(&mut self, object: &Object) -> Result<(), EngineError> {
        let prefix = self.prefix().await?;
        objects::put(&mut self.link, &prefix, object).await?;
        self.now_ours();
        Ok(())
    }

    async fn object(&mut self, digest: &Digest) -> Result<Option<Object>, EngineError> {
        let prefix = self.prefix().await?;
        objects::find(&mut self.link, &prefix, digest).await
    }

    async fn redact_object(&mut self, digest: &Digest) -> Result<(), EngineError> {
        let prefix = self.prefix().await?;
        objects::redact(&mut self.link, &prefix, digest).await
    }

    async fn object_digests(
        &mut self,
        after: Option<Digest>,
        limit: u32,
    ) -> Result<Vec<Digest>, EngineError> {
        let prefix = self.prefix().await?;
        objects::digests(&mut self.link, &prefix, after, limit).await
    }

    async fn lease(&mut self) -> Result<Option<Lease>, EngineError> {
        let prefix = self.prefix().await?;
        lease::read(&mut self.link, &prefix).await
    }

    async fn take_lease(
        &mut self,
        claim: &Claim,
        replacing: Option<Uuid>,
    ) -> Result<bool, EngineError> {
        let prefix = self.prefix().await?;
        let taken = lease::take(&mut self.link, &prefix, self.backend, claim, replacing).await?;
        self.now_ours();
        Ok(taken)
    }

    async fn renew_lease(&mut self, token: Uuid, duration: Duration) -> Result<bool, EngineError> {
        let prefix = self.prefix().await?;
        let renewing = lease::renewing(&self.named(), token, duration);
        let held = lease::did(&mut self.link, &(prefix + &renewing)).await?;
        self.now_ours();
        Ok(held)
    }

    async fn beat_lease(&mut self, token: Uuid, duration: Duration) -> Result<bool, EngineError> {
        let prefix = self.prefix().await?;
        lease::beat(&mut self.link, &prefix, token, duration).await
    }

    async fn end_session(&mut self, session: &str) -> Result<bool, EngineError> {
        match Backend::parse(session) {
            Some(backend) => ending::end(&self.database, backend, None).await,
            None => Ok(false),
        }
    }

    async fn lock_ledger(&mut self) -> Result<(), EngineError> {
        let prefix = self.prefix().await?;
        lease::lock(&mut self.link, &prefix).await?;
        self.now_ours();
        Ok(())
    }

    async fn release_lease(&mut self, token: Uuid) -> Result<bool, EngineError> {
        let prefix = self.prefix().await?;
        let held = lease::did(&mut self.link, &(prefix + &lease::releasing(token))).await?;
        self.now_ours();
        Ok(held)
    }

    async fn limit(&mut self, limits: &Begin) -> Result<(), EngineError> {
        let sql = transaction::limits("SET", limits);
        if sql.is_empty() {
            return Ok(());
        }
        self.give_up_ahead().await?;
        self.changed = true;
        self.link.run(&sql, Of::Ours).await
    }

    async fn begin(&mut self, begin: &Begin) -> Result<(), EngineError> {
        self.open = None;
        match self.ahead.take() {
            Some((asked, open)) if asked == *begin => {
                self.open = Some(open);
                return Ok(());
            }
            Some(_) => transaction::rollback(&mut self.link).await?,
            None => {}
        }
        let (open, backend) = transaction::begin(&mut self.link, begin, self.backend).await?;
        self.open = Some(open);
        self.backend = backend;
        self.switch.set_backend(backend);
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), EngineError> {
        let changed = self.changed;
        if let Some(open) = &mut self.open {
            open.unsettled = changed;
        }
        Ok(())
    }

    async fn fence(
        &mut self,
        fence: &Fence,
        from: u64,
        limit: u32,
    ) -> Result<Option<Vec<StoredRecord>>, EngineError> {
        self.fence_and_read(fence, from, limit).await
    }

    async fn append_and_commit(
        &mut self,
        objects: &[Object],
        records: &[Record],
        next: Option<&Begin>,
    ) -> Result<(), EngineError> {
        self.append_commit_and_begin(objects, records, next).await
    }

    async fn commit(&mut self) -> Result<(), EngineError> {
        self.settle_with("").await?;
        let open = self.open.ok_or_else(nothing_to_commit)?;
        transaction::commit(&mut self.link, &open).await?;
        self.open = None;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), EngineError> {
        if !self.link.is_broken() {
            // without a transaction the server only warns, and a script may have left one open
            if self.open.is_none() && self.ahead.take().is_none() && !self.changed {
                return Ok(());
            }
            match transaction::rollback(&mut self.link).await {
                Err(_) if self.link.is_broken() => {}
                answer => {
                    self.open = None;
                    return answer;
                }
            }
        }
        self.replace().await
    }

    async fn in_transaction(&mut self) -> Result<bool, EngineError> {
        match self.open {
            Some(open) => transaction::is_open(&mut self.link, &open).await,
            None => Ok(false),
        }
    }

    async fn execute(&mut self, sql: &str) -> Result<Executed, EngineError> {
        self.give_up_ahead().await?;
        self.settle_with("").await?;
        self.changed = true;
        let inside = self.open.is_some();
        let notices = self.notices.clone();
        let execution = self.stoppable(async |link: &mut Link| script::execute(link, sql).await);
        match notices.during(execution).await {
            (Ok(()), executed) => Ok(executed),
            (Err(error), _) if inside => Err(error),
            (Err(error), _) => Err(script::outside(sql, error)),
        }
    }

    async fn tables_are_transactional(&mut self) -> Result<bool, EngineError> {
        Ok(true)
    }

    async fn examine(&mut self, sql: &str) -> Result<Vec<String>, EngineError> {
        let prefix = self.prefix().await?;
        examine::examine(&mut self.link, &prefix, sql).await
    }

    async fn table(&mut self, name: &TableName) -> Result<Option<Table>, EngineError> {
        let prefix = self.prefix().await?;
        tables::read(&mut self.link, &prefix, name).await
    }

    async fn whereabouts(&mut self) -> Result<(String, String), EngineError> {
        let prefix = self.prefix().await?;
        tables::whereabouts(&mut self.link, &prefix).await
    }

    async fn lock_state(&mut self, locks: &[Lock]) -> Result<LockState, EngineError> {
        let prefix = self.prefix().await?;
        tables::lock_state(&mut self.link, &prefix, locks).await
    }

    async fn holds(&mut self, sql: &str) -> Result<bool, EngineError> {
        self.give_up_ahead().await?;
        self.settle_with("").await?;
        self.changed = true;
        let inside = self.open.is_some();
        self.stoppable(async |link: &mut Link| script::holds(link, sql, inside).await)
            .await
    }

    async fn foreign_key_violations(&mut self) -> Result<Vec<String>, EngineError> {
        // they cannot be switched off but by a superuser, table by table
        Ok(Vec::new())
    }

    async fn reset(&mut self) -> Result<(), EngineError> {
        if self.link.is_broken() {
            return self.replace().await;
        }
        if self.open.is_some() || self.ahead.is_some() {
            self.rollback().await?;
        }
        if self.changed {
            match transaction::reset(&mut self.link, &self.settings).await {
                Ok(()) => self.changed = false,
                // whatever it is that cannot be put back, a new session does not have it
                Err(_) => self.replace().await?,
            }
        }
        Ok(())
    }

    async fn fingerprint(&mut self) -> Result<SchemaFingerprint, EngineError> {
        let mut prefix = self.prefix().await?;
        if self.open.is_none() {
            prefix.push_str(schema::SHORT_WAIT);
        }
        schema::fingerprint(&mut self.link, &prefix).await
    }

    async fn table_sizes(&mut self, tables: &[String]) -> Result<Sizes, EngineError> {
        let prefix = self.prefix().await?;
        sizes::table_sizes(&mut self.link, &prefix, tables).await
    }

    async fn count_tables(&mut self) -> Result<u64, EngineError> {
        let prefix = self.prefix().await?;
        schema::count_tables(&mut self.link, &prefix).await
    }

    fn interrupter(&self) -> Interrupter {
        let switch = Arc::clone(&self.switch);
        let runtime = Handle::try_current().ok();
        Interrupter::new(move || switch.stop(runtime.as_ref()))
    }

    fn resume(&mut self) {
        self.switch.resume();
    }

    async fn snapshot(&mut self) -> Result<Option<String>, EngineError> {
        transaction::snapshot(&mut self.link).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), EngineError> {
        self.switch.settle().await;
        self.link.close().await;
        Ok(())
    }
}
