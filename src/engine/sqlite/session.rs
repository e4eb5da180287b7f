//! One connection, as the seam has it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ledger::{Digest, Record};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::switch::{StopOnDrop, Switch};
use super::{
    Sqlite, connect, events, fault, lease, objects, schema, script, sizes, store, tables,
    transaction,
};
use crate::adopt::{Lock, LockState, Table, TableName};
use crate::engine::{
    Access, Begin, Claim, EngineError, Executed, Fault, Identity, Interrupter, Lease, Object,
    SchemaFingerprint, Session, Store, StoredRecord,
};
use crate::lint::Sizes;

/// A connection to an SQLite database.
#[derive(Debug)]
pub(super) struct SqliteSession {
    // dropped before the connection, so that what it still executes is stopped
    switch: StopOnDrop,
    database: Sqlite,
    access: Access,
    /// None once a reset could not open the file again.
    connection: Option<SqliteConnection>,
    /// How many transactions had ended when ours began; none is ours before the first.
    began_after: Option<u64>,
    /// A script may have changed the session since it was opened.
    changed: bool,
}

impl SqliteSession {
    /// Makes a session of a connection that was just opened.
    pub(super) async fn start(
        database: Sqlite,
        access: Access,
        mut connection: SqliteConnection,
    ) -> Result<Self, EngineError> {
        let switch = Arc::new(Switch::default());
        switch.install(&mut connection).await?;
        Ok(Self {
            switch: StopOnDrop(switch),
            database,
            access,
            connection: Some(connection),
            began_after: None,
            changed: false,
        })
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, EngineError> {
        self.connection
            .as_mut()
            .ok_or_else(|| EngineError::new(Fault::Io, "the connection is closed"))
    }

    /// Names the file in errors that are about it.
    fn named<T>(&self, answer: Result<T, EngineError>) -> Result<T, EngineError> {
        answer.map_err(|error| fault::at(&self.database.path, error))
    }

    /// Undoes what a script may have done to keep the session from writing; the lease comes first of all
    /// that is written at the end of a transaction.
    async fn make_writable(&mut self) -> Result<(), EngineError> {
        if !self.changed {
            return Ok(());
        }
        let answer = transaction::writable(self.connection()?).await;
        self.named(answer)
    }

    /// Refuses to start what was asked to stop, and puts what follows under the switch.
    fn arm(&self) -> Result<(), EngineError> {
        if self.switch.0.is_stopped() {
            return Err(EngineError::new(Fault::Interrupted, "interrupted"));
        }
        self.switch.0.arm(true);
        Ok(())
    }

    fn disarm(&self) {
        self.switch.0.arm(false);
    }

    /// Asks a query on a connection that refuses to write.
    async fn holds_read_only(&mut self, sql: &str) -> Result<bool, EngineError> {
        self.arm()?;
        let answer = match self.connection() {
            Ok(connection) => script::holds(connection, sql).await,
            Err(closed) => Err(closed),
        };
        self.disarm();
        answer
    }

    /// Replaces the connection by a fresh one. The old one is closed first, since a script may have
    /// made it lock the file for itself.
    async fn replace(&mut self) -> Result<(), EngineError> {
        if let Some(connection) = self.connection.take() {
            connect::close(connection).await?;
        }
        let mut fresh =
            connect::open(&self.database.path, self.database.opening, self.access).await?;
        self.switch.0.install(&mut fresh).await?;
        self.connection = Some(fresh);
        self.changed = false;
        Ok(())
    }
}

#[async_trait]
impl Session for SqliteSession {
    async fn store(&mut self) -> Result<Store, EngineError> {
        let answer = store::inspect(self.connection()?).await;
        self.named(answer)
    }

    async fn create_store(&mut self, identity: &str) -> Result<(), EngineError> {
        let answer = store::create(self.connection()?, identity).await;
        self.named(answer)
    }

    async fn identity(&mut self) -> Result<Identity, EngineError> {
        let path = self.database.path.clone();
        let answer = store::identity(self.connection()?, &path).await;
        self.named(answer)
    }

    async fn renew_identity(&mut self, random: &str) -> Result<Identity, EngineError> {
        let answer = store::keep_identity(self.connection()?, random).await;
        self.named(answer)?;
        self.identity().await
    }

    async fn records(&mut self, from: u64, limit: u32) -> Result<Vec<StoredRecord>, EngineError> {
        let answer = events::read(self.connection()?, from, limit).await;
        self.named(answer)
    }

    async fn append(&mut self, records: &[Record]) -> Result<(), EngineError> {
        let answer = events::append(self.connection()?, records).await;
        self.named(answer)
    }

    async fn put_object(&mut self, object: &Object) -> Result<(), EngineError> {
        let answer = objects::put(self.connection()?, object).await;
        self.named(answer)
    }

    async fn object(&mut self, digest: &Digest) -> Result<Option<Object>, EngineError> {
        let answer = objects::find(self.connection()?, digest).await;
        self.named(answer)
    }

    async fn redact_object(&mut self, digest: &Digest) -> Result<(), EngineError> {
        let answer = objects::redact(self.connection()?, digest).await;
        self.named(answer)
    }

    async fn object_digests(
        &mut self,
        after: Option<Digest>,
        limit: u32,
    ) -> Result<Vec<Digest>, EngineError> {
        let answer = objects::digests(self.connection()?, after, limit).await;
        self.named(answer)
    }

    async fn lease(&mut self) -> Result<Option<Lease>, EngineError> {
        let answer = lease::read(self.connection()?).await;
        self.named(answer)
    }

    async fn take_lease(
        &mut self,
        claim: &Claim,
        replacing: Option<Uuid>,
    ) -> Result<bool, EngineError> {
        let answer = lease::take(self.connection()?, claim, replacing).await;
        self.named(answer)
    }

    async fn renew_lease(&mut self, token: Uuid, duration: Duration) -> Result<bool, EngineError> {
        self.make_writable().await?;
        let answer = lease::renew(self.connection()?, token, duration).await;
        self.named(answer)
    }

    async fn beat_lease(&mut self, token: Uuid, duration: Duration) -> Result<bool, EngineError> {
        self.renew_lease(token, duration).await
    }

    async fn end_session(&mut self, _session: &str) -> Result<bool, EngineError> {
        // a session of a file ends with its process
        Ok(true)
    }

    async fn lock_ledger(&mut self) -> Result<(), EngineError> {
        // an open transaction keeps every other writer out
        Ok(())
    }

    async fn release_lease(&mut self, token: Uuid) -> Result<bool, EngineError> {
        self.make_writable().await?;
        let answer = lease::release(self.connection()?, token).await;
        self.named(answer)
    }

    async fn limit(&mut self, _limits: &Begin) -> Result<(), EngineError> {
        Ok(())
    }

    async fn begin(&mut self, begin: &Begin) -> Result<(), EngineError> {
        let switch = Arc::clone(&self.switch.0);
        let answer = transaction::begin(self.connection()?, &switch, begin).await;
        if answer.is_ok() {
            self.began_after = Some(switch.transactions_ended());
        }
        self.named(answer)
    }

    async fn settle(&mut self) -> Result<(), EngineError> {
        if !self.in_transaction().await? {
            return Err(EngineError::new(
                Fault::Deferred,
                "the script ended the transaction that it ran in",
            ));
        }
        self.make_writable().await
    }

    async fn commit(&mut self) -> Result<(), EngineError> {
        let answer = transaction::commit(self.connection()?).await;
        match &answer {
            Ok(()) => self.began_after = None,
            // SQLite tells the hook of a commit that readers then keep from happening; the
            // transaction is open and still ours
            Err(error) if error.fault == Fault::Busy => {
                self.began_after = Some(self.switch.0.transactions_ended());
            }
            Err(_) => {}
        }
        self.named(answer)
    }

    async fn rollback(&mut self) -> Result<(), EngineError> {
        self.began_after = None;
        let answer = transaction::rollback(self.connection()?).await;
        self.named(answer)
    }

    async fn in_transaction(&mut self) -> Result<bool, EngineError> {
        // a script that ends the transaction and begins one leaves one open that is not ours
        if self.began_after != Some(self.switch.0.transactions_ended()) {
            return Ok(false);
        }
        let answer = transaction::is_open(self.connection()?).await;
        self.named(answer)
    }

    async fn execute(&mut self, sql: &str) -> Result<Executed, EngineError> {
        self.changed = self.changed || script::may_change_session(sql);
        self.arm()?;
        let connection = self.connection()?;
        let answer = script::execute(connection, sql).await;
        self.disarm();
        self.named(answer).map(|()| Executed::default())
    }

    async fn tables_are_transactional(&mut self) -> Result<bool, EngineError> {
        Ok(true)
    }

    async fn examine(&mut self, _sql: &str) -> Result<Vec<String>, EngineError> {
        // what commits by itself here (VACUUM, PRAGMA) leaves no object behind
        Ok(Vec::new())
    }

    async fn table(&mut self, name: &TableName) -> Result<Option<Table>, EngineError> {
        let answer = tables::read(self.connection()?, name).await;
        self.named(answer)
    }

    async fn whereabouts(&mut self) -> Result<(String, String), EngineError> {
        Ok(("main".to_owned(), "main".to_owned()))
    }

    async fn lock_state(&mut self, _locks: &[Lock]) -> Result<LockState, EngineError> {
        // whoever writes holds the one lock of the file, which our own transaction waits for
        Ok(LockState::Free)
    }

    async fn holds(&mut self, sql: &str) -> Result<bool, EngineError> {
        self.changed = self.changed || script::may_change_session(sql);
        let before = script::is_query_only(self.connection()?).await;
        let before = self.named(before)?;
        let refused = script::set_query_only(self.connection()?, true).await;
        self.named(refused)?;
        let answer = self.holds_read_only(sql).await;
        // what the run writes next needs it, also after a query that failed or was interrupted
        let restored = script::set_query_only(self.connection()?, before).await;
        self.named(restored)?;
        self.named(answer)
    }

    async fn foreign_key_violations(&mut self) -> Result<Vec<String>, EngineError> {
        self.arm()?;
        let connection = self.connection()?;
        let answer = schema::foreign_key_violations(connection).await;
        self.disarm();
        self.named(answer)
    }

    async fn reset(&mut self) -> Result<(), EngineError> {
        self.began_after = None;
        let answer = match self.connection.as_mut() {
            Some(connection) if !self.changed => transaction::settle(connection).await,
            _ => self.replace().await,
        };
        self.named(answer)
    }

    async fn fingerprint(&mut self) -> Result<SchemaFingerprint, EngineError> {
        let answer = schema::fingerprint(self.connection()?).await;
        self.named(answer)
    }

    async fn table_sizes(&mut self, tables: &[String]) -> Result<Sizes, EngineError> {
        let answer = sizes::table_sizes(self.connection()?, tables).await;
        self.named(answer)
    }

    async fn count_tables(&mut self) -> Result<u64, EngineError> {
        let answer = schema::count_tables(self.connection()?).await;
        self.named(answer)
    }

    fn interrupter(&self) -> Interrupter {
        let switch = Arc::clone(&self.switch.0);
        Interrupter::new(move || switch.stop())
    }

    fn resume(&mut self) {
        self.switch.0.resume();
    }

    async fn close(mut self: Box<Self>) -> Result<(), EngineError> {
        match self.connection.take() {
            Some(connection) => {
                let answer = connect::close(connection).await;
                self.named(answer)
            }
            None => Ok(()),
        }
    }
}
