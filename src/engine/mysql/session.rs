//! One connection, as the seam has it.

mod finish;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ledger::{Digest, Record};
use sqlx::MySqlConnection;
use uuid::Uuid;

use super::address::Target;
use super::details::Details;
use super::kill::{self, StopOnDrop, Switch};
use super::transaction::{self, Beginning, Limits};
use super::{
    connect, events, examine, fault, lease, literal, objects, schema, script, sizes, store, tables,
    talk, turn,
};
use crate::adopt::{Lock, LockState, Table, TableName};
use crate::engine::{
    Access, Begin, Claim, EngineError, Executed, Fault, Fence, Identity, Interrupter, Lease,
    Object, SchemaFingerprint, Session, Store, StoredRecord,
};
use crate::lint::Sizes;
use crate::migration::split::MYSQL;

/// A connection to a schema of a server.
#[derive(Debug)]
pub(super) struct MySqlSession {
    // dropped before the connection, so that what it still executes is stopped
    switch: StopOnDrop,
    target: Target,
    /// The schema's name, quoted.
    schema: String,
    access: Access,
    /// None once a new one could not be opened.
    connection: Option<MySqlConnection>,
    details: Details,
    /// A transaction was begun and neither committed nor rolled back by its verb.
    begun: bool,
    /// The statements that begin it and are not sent yet: they go with the next message.
    beginning: Option<Beginning>,
    /// A transaction that was opened with the commit of the one before, for a [`Session::begin`] that
    /// asks for the same.
    ahead: Option<Begin>,
    /// The limits that the connection was given.
    limits: Limits,
    /// The lock is held under which the tables are made.
    creating: bool,
    /// A statement of a script was executed since the connection was opened: what it, or a function or
    /// trigger behind it, has set in the session is not looked for.
    used: bool,
}

impl MySqlSession {
    /// Opens a session.
    pub(super) async fn open(target: Target, access: Access) -> Result<Self, EngineError> {
        let (connection, details) = connect::open(&target, access).await?;
        let switch = Switch::new(target.clone(), details.id);
        Ok(Self {
            switch: StopOnDrop(switch),
            schema: literal::name(target.database()),
            target,
            access,
            connection: Some(connection),
            details,
            begun: false,
            beginning: None,
            ahead: None,
            limits: Limits::default(),
            creating: false,
            used: false,
        })
    }

    fn connection(&mut self) -> Result<&mut MySqlConnection, EngineError> {
        self.connection
            .as_mut()
            .ok_or_else(|| EngineError::new(Fault::Disconnected, "the connection is closed"))
    }

    /// Returns the connection, with the transaction begun that was asked for.
    async fn ready(&mut self) -> Result<&mut MySqlConnection, EngineError> {
        let sql = self.outstanding();
        if !sql.is_empty() {
            talk::execute(self.connection()?, sql).await?;
        }
        self.connection()
    }

    /// Returns what a message begins with that touches the lease: the beginning of the transaction, or
    /// the proof that the one which was begun is still the one that is open.
    fn before_fence(&mut self) -> String {
        let sql = self.outstanding();
        if sql.is_empty() && self.begun {
            return format!("{}; ", transaction::PROVE);
        }
        sql
    }

    /// Takes the statements, each with its semicolon, that are still to be sent before anything else.
    fn outstanding(&mut self) -> String {
        let ended = self.ahead.take().map_or("", |_| "ROLLBACK; ");
        let begun = self.beginning.take();
        begun.map_or_else(|| ended.to_owned(), |begun| format!("{ended}{}", begun.sql))
    }

    /// Returns the statements that open a transaction.
    fn beginning_of(&self, begin: &Begin) -> String {
        let flavour = self.details.flavour;
        let limits = Limits::of(begin).since(self.limits, flavour);
        transaction::beginning(&(transaction::silence(flavour) + &limits))
    }

    /// Replaces the connection by a fresh one, once the old one is gone with all that it did.
    async fn replace(&mut self) -> Result<(), EngineError> {
        match self.connection.take() {
            // a statement is still with the server; a close in good order would wait for its end
            Some(connection) if self.switch.0.is_armed() => drop(connection),
            // one that is broken cannot be closed in good order, and need not be
            Some(connection) => drop(connect::close(connection).await),
            None => {}
        }
        let (mut fresh, details) = connect::open(&self.target, self.access).await?;
        let old = self.details.session();
        // until this is known the old session is the one to be ended, also by another attempt
        if !kill::end(&mut fresh, &details, &old).await? {
            return Err(EngineError::new(
                Fault::Disconnected,
                format!(
                    "the connection broke, and the server still lists its session `{old}`: what was \
                     sent last may yet take effect"
                ),
            ));
        }
        self.switch.0.follow(details.id);
        self.details = details;
        self.connection = Some(fresh);
        self.begun = false;
        self.beginning = None;
        self.ahead = None;
        self.limits = Limits::default();
        self.creating = false;
        self.used = false;
        Ok(())
    }

    /// Gives up the lock under which the tables are made, if it is held.
    async fn end_creating(&mut self) {
        if !std::mem::take(&mut self.creating) {
            return;
        }
        let sql = format!(
            "DO RELEASE_LOCK('{}'); SET SESSION wait_timeout = DEFAULT",
            turn::lock_name(self.target.database())
        );
        if let Ok(connection) = self.connection()
            && let Err(error) = talk::execute(connection, sql).await
        {
            // it ends with the session
            tracing::debug!(%error, "the lock under which tables are made was not released");
        }
    }

    fn renewing(&self, token: Uuid, duration: Duration) -> String {
        lease::renewing(&self.schema, &self.details.session(), token, duration)
    }

    /// Judges the error of a script's statement by the transaction that it ran in.
    async fn judge(&mut self, sql: &str, mut error: EngineError) -> EngineError {
        if !self.begun {
            let refused = matches!(
                error.fault,
                Fault::Statement | Fault::Interrupted | Fault::Full
            );
            if refused && !script::left_nothing(sql, &error) {
                error.fault = Fault::Partial;
            }
            return error;
        }
        match fault::number(&error) {
            fault::DEADLOCK => error.fault = Fault::Transient,
            fault::LOCK_WAIT => {
                // the server keeps what came before the statement
                let gone = match self.connection() {
                    Ok(connection) => transaction::rollback(connection).await,
                    Err(closed) => Err(closed),
                };
                if gone.is_ok() {
                    error.fault = Fault::Transient;
                }
            }
            _ => {}
        }
        error
    }
}

#[async_trait]
impl Session for MySqlSession {
    async fn store(&mut self) -> Result<Store, EngineError> {
        let database = self.target.database().to_owned();
        store::inspect(self.ready().await?, &database).await
    }

    async fn create_store(&mut self, identity: &str) -> Result<(), EngineError> {
        let database = self.target.database().to_owned();
        self.creating = true;
        store::create(self.ready().await?, &database, identity).await
    }

    async fn identity(&mut self) -> Result<Identity, EngineError> {
        let database = self.target.database().to_owned();
        store::identity(self.ready().await?, &database).await
    }

    async fn renew_identity(&mut self, random: &str) -> Result<Identity, EngineError> {
        let schema = self.schema.clone();
        store::keep_identity(self.ready().await?, &schema, random).await?;
        self.identity().await
    }

    async fn records(&mut self, from: u64, limit: u32) -> Result<Vec<StoredRecord>, EngineError> {
        let schema = self.schema.clone();
        events::read(self.ready().await?, &schema, from, limit).await
    }

    async fn append(&mut self, records: &[Record]) -> Result<(), EngineError> {
        let schema = self.schema.clone();
        events::append(self.ready().await?, &schema, records).await
    }

    async fn put_object(&mut self, object: &Object) -> Result<(), EngineError> {
        let (schema, longest) = (self.schema.clone(), self.details.longest_message);
        objects::put(self.ready().await?, &schema, longest, object).await
    }

    async fn object(&mut self, digest: &Digest) -> Result<Option<Object>, EngineError> {
        let schema = self.schema.clone();
        objects::find(self.ready().await?, &schema, digest).await
    }

    async fn redact_object(&mut self, digest: &Digest) -> Result<(), EngineError> {
        let schema = self.schema.clone();
        objects::redact(self.ready().await?, &schema, digest).await
    }

    async fn object_digests(
        &mut self,
        after: Option<Digest>,
        limit: u32,
    ) -> Result<Vec<Digest>, EngineError> {
        let schema = self.schema.clone();
        objects::digests(self.ready().await?, &schema, after, limit).await
    }

    async fn lease(&mut self) -> Result<Option<Lease>, EngineError> {
        let schema = self.schema.clone();
        lease::read(self.ready().await?, &schema).await
    }

    async fn take_lease(
        &mut self,
        claim: &Claim,
        replacing: Option<Uuid>,
    ) -> Result<bool, EngineError> {
        let (schema, session) = (self.schema.clone(), self.details.session());
        lease::take(self.ready().await?, &schema, &session, claim, replacing).await
    }

    async fn renew_lease(&mut self, token: Uuid, duration: Duration) -> Result<bool, EngineError> {
        let sql = self.before_fence() + &self.renewing(token, duration);
        lease::did(self.ready().await?, sql).await
    }

    async fn beat_lease(&mut self, token: Uuid, duration: Duration) -> Result<bool, EngineError> {
        let schema = self.schema.clone();
        lease::beat(self.ready().await?, &schema, token, duration).await
    }

    async fn end_session(&mut self, session: &str) -> Result<bool, EngineError> {
        kill::end_session(&self.target, session).await
    }

    async fn lock_ledger(&mut self) -> Result<(), EngineError> {
        let schema = self.schema.clone();
        lease::lock(self.ready().await?, &schema).await
    }

    async fn release_lease(&mut self, token: Uuid) -> Result<bool, EngineError> {
        let sql = self.before_fence() + &lease::releasing(&self.schema, token);
        lease::did(self.ready().await?, sql).await
    }

    async fn limit(&mut self, limits: &Begin) -> Result<(), EngineError> {
        let asked = Limits::of(limits);
        let sql = asked.since(self.limits, self.details.flavour);
        if !sql.is_empty() {
            talk::execute(self.ready().await?, sql).await?;
            self.limits = asked;
        }
        Ok(())
    }

    async fn begin(&mut self, begin: &Begin) -> Result<(), EngineError> {
        self.connection()?;
        self.begun = true;
        if self.ahead == Some(*begin) {
            self.ahead = None;
            return Ok(());
        }
        self.beginning = Some(Beginning {
            sql: self.beginning_of(begin),
            limits: self.limits,
        });
        self.limits = Limits::of(begin);
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), EngineError> {
        // nothing is deferred here, our own statements depend on no setting of the session, and the
        // fence begins with the proof that the transaction is the one that was begun
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
        transaction::commit(self.ready().await?).await?;
        self.begun = false;
        self.end_creating().await;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), EngineError> {
        if self.switch.0.is_armed() {
            return self.replace().await;
        }
        self.ahead = None;
        if let Some(beginning) = self.beginning.take() {
            self.begun = false;
            self.limits = beginning.limits;
        }
        let rolled_back = match self.connection() {
            Ok(connection) => transaction::rollback(connection).await,
            Err(closed) => Err(closed),
        };
        match rolled_back {
            Err(error) if error.fault == Fault::Disconnected => self.replace().await,
            Err(error) => Err(error),
            Ok(()) => {
                self.begun = false;
                self.end_creating().await;
                Ok(())
            }
        }
    }

    async fn in_transaction(&mut self) -> Result<bool, EngineError> {
        if !self.begun || self.beginning.is_some() {
            return Ok(self.begun);
        }
        transaction::is_open(self.ready().await?).await
    }

    async fn execute(&mut self, sql: &str) -> Result<Executed, EngineError> {
        script::fits(sql, self.details.longest_message)?;
        self.ready().await?;
        self.switch.0.arm()?;
        self.used = true;
        let executed = script::execute(self.ready().await?, sql).await;
        if self.switch.0.disarm().await {
            // a request to stop that came after the end would stop the next statement instead
            talk::absorb(self.ready().await?).await?;
        }
        match executed {
            // a warning that cannot be read any more does not undo what succeeded
            Ok(()) => Ok(script::warnings(self.ready().await?)
                .await
                .unwrap_or_default()),
            Err(error) => Err(self.judge(sql, error).await),
        }
    }

    async fn tables_are_transactional(&mut self) -> Result<bool, EngineError> {
        let database = self.target.database().to_owned();
        schema::is_transactional(self.ready().await?, &database).await
    }

    async fn examine(&mut self, sql: &str) -> Result<Vec<String>, EngineError> {
        let database = self.target.database().to_owned();
        examine::examine(self.ready().await?, &database, sql).await
    }

    async fn table(&mut self, name: &TableName) -> Result<Option<Table>, EngineError> {
        let database = self.target.database().to_owned();
        tables::read(self.ready().await?, &database, name).await
    }

    async fn whereabouts(&mut self) -> Result<(String, String), EngineError> {
        let database = self.target.database();
        Ok((database.to_owned(), database.to_owned()))
    }

    async fn lock_state(&mut self, locks: &[Lock]) -> Result<LockState, EngineError> {
        tables::lock_state(self.ready().await?, locks).await
    }

    async fn holds(&mut self, sql: &str) -> Result<bool, EngineError> {
        script::fits(sql, self.details.longest_message)?;
        if !MYSQL.only_reads(sql) {
            return Err(EngineError::new(
                Fault::Statement,
                "expected a query that only reads",
            ));
        }
        let (before, after) = script::around_check(self.begun);
        talk::execute(self.ready().await?, before.to_owned()).await?;
        let answer = match self.switch.0.arm() {
            Ok(()) => {
                self.used = true;
                let answer = script::holds(self.ready().await?, sql).await;
                if self.switch.0.disarm().await {
                    talk::absorb(self.ready().await?).await?;
                }
                answer
            }
            Err(stopped) => Err(stopped),
        };
        talk::execute(self.ready().await?, after.to_owned()).await?;
        answer
    }

    async fn foreign_key_violations(&mut self) -> Result<Vec<String>, EngineError> {
        // foreign keys are the server's, whatever the tool asks for
        Ok(Vec::new())
    }

    async fn reset(&mut self) -> Result<(), EngineError> {
        if self.used || self.connection.is_none() || self.switch.0.is_armed() {
            return self.replace().await;
        }
        self.rollback().await
    }

    async fn fingerprint(&mut self) -> Result<SchemaFingerprint, EngineError> {
        let (database, details) = (self.target.database().to_owned(), self.details.clone());
        let access = self.access;
        schema::fingerprint(self.ready().await?, access, &database, &details).await
    }

    async fn table_sizes(&mut self, tables: &[String]) -> Result<Sizes, EngineError> {
        let (database, flavour) = (self.target.database().to_owned(), self.details.flavour);
        sizes::table_sizes(self.ready().await?, flavour, &database, tables).await
    }

    async fn count_tables(&mut self) -> Result<u64, EngineError> {
        let database = self.target.database().to_owned();
        schema::count_tables(self.ready().await?, &database).await
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
            Some(connection) => connect::close(connection).await,
            None => Ok(()),
        }
    }
}
