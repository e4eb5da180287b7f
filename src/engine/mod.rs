//! The one seam between the tool and databases.
//!
//! An [`Engine`] is a database that can be connected to; a [`Session`] is one connection to it. Both
//! are small traits of verbs: below policy, above SQL text. What differs between databases is *data*
//! ([`Capabilities`], [`LexRules`]) or the body of a verb; nothing outside this module asks which
//! database it talks to.

mod error;
mod interrupter;
mod mysql;
mod postgres;
pub mod sqlite;
mod url;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ledger::{Digest, Record};
use uuid::Uuid;

pub use self::error::{EngineError, Fault};
pub use self::interrupter::Interrupter;
pub use self::postgres::PostgresUrlError;
pub use self::url::{Address, UrlError, open};
use crate::adopt::{Lock, LockState, Table, TableName, Writing};
use crate::backup::Dump;
use crate::lint::{Dialect, Sizes};
use crate::migration::split::LexRules;
use crate::report::Granted;
use crate::request::Grantees;

/// What a kind of database can and cannot do, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The name recorded in `ledger.created` and shown to users: `sqlite`, `postgres`, `mysql`.
    pub name: &'static str,
    /// Schema changes take part in transactions, so a failed migration leaves nothing.
    pub transactional_ddl: bool,
    /// An open write transaction keeps every other writer out, so a heartbeat may find it busy.
    pub single_writer: bool,
    /// Foreign keys are enforced by the session and can be switched off for a table rebuild.
    pub switchable_foreign_keys: bool,
    /// What rules of `validate` need to know of its SQL.
    pub dialect: &'static Dialect,
    /// How it writes what the tables of other tools are made of.
    pub writing: &'static Writing,
}

/// Why a connection is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads only: creates no file, no table, and takes no lock.
    Read,
    /// May write.
    Write,
    /// May write, in the name of a run, which servers show beside the session.
    Run(Uuid),
}

/// A database that can be connected to.
#[async_trait]
pub trait Engine: fmt::Debug + Send + Sync {
    /// Returns what this kind of database can do.
    fn capabilities(&self) -> &'static Capabilities;

    /// Returns how scripts for this database are cut into statements.
    fn lex_rules(&self) -> &'static LexRules;

    /// Returns where the database is, without secrets.
    fn address(&self) -> &Address;

    /// Returns how the database is saved and restored.
    fn dump(&self) -> Box<dyn Dump>;

    /// Returns the database called `name` beside this one: on the same server, or a file in `folder`.
    fn beside(&self, name: &str, folder: &Path) -> Arc<dyn Engine>;

    /// Returns what gives each of `who` the rights that their work needs in the database of this name, and
    /// no more.
    fn grants(&self, database: &str, who: &Grantees) -> Granted;

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// [`Fault::Unreachable`] when nothing answers yet, [`Fault::Denied`] when signing in failed,
    /// [`Fault::NoDatabase`], [`Fault::NotADatabase`], [`Fault::ReadOnly`].
    async fn connect(&self, access: Access) -> Result<Box<dyn Session>, EngineError>;
}

/// What is found where the ledger's tables belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// None of the tables, views or guards is there.
    Absent,
    /// The tables are there and shaped as this version makes them.
    Present {
        /// How many guards and views there should be.
        guards: u64,
        /// Names of those that are missing or changed; empty when all are on.
        missing_guards: Vec<String>,
    },
    /// Some of the tables are there, and not all of them: a part was dropped.
    Damaged {
        /// Names of the tables that are missing.
        missing: Vec<String>,
    },
    /// None of the tables is there, and something that stood around them is: all were dropped. What is
    /// left is taken away by [`Session::create_store`].
    Remains {
        /// Names of the views and functions that are left.
        left: Vec<String>,
    },
    /// A table of one of our names is there and is not ours.
    Foreign {
        /// The table and what is wrong with it.
        reason: String,
    },
}

/// The database's own account of which database it is (docs/format.md section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What stays the same for the life of this database and differs in every other one.
    pub identity: String,
    /// The database's name, for people.
    pub name: String,
}

/// One row of the events table, columns as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The `seq` column.
    pub seq: i64,
    /// The `line` column: the event's bytes without the line feed.
    pub line: Vec<u8>,
    /// The `signature` column, 64 bytes where it is whole.
    pub signature: Vec<u8>,
    /// The `prev` column, 32 bytes where it is whole.
    pub prev: Vec<u8>,
    /// The `hash` column, 32 bytes where it is whole.
    pub hash: Vec<u8>,
}

/// A script's bytes, or what is known of them, under their SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// SHA-256 of the original bytes.
    pub digest: Digest,
    /// How many bytes the original has.
    pub size: u64,
    /// How `content` holds them.
    pub encoding: Encoding,
    /// The stored bytes; empty for [`Encoding::Absent`].
    pub content: Vec<u8>,
}

/// How an object's bytes are stored (docs/format.md section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    Raw,
    /// As one Zstandard frame (RFC 8878).
    Zstd,
    /// Not at all: too large, or redacted.
    Absent,
    /// In a way that this version does not know; never written.
    Unknown,
}

/// Who asks for the lease, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The token that every append of the run presents.
    pub token: Uuid,
    /// Who runs.
    pub actor: String,
    /// Where it runs.
    pub host: String,
    /// The run.
    pub run: Uuid,
    /// The process on its host, as [`crate::lease::this_process`] writes it.
    pub process: String,
    /// How long the lease lasts without renewal, by the database's clock.
    pub duration: Duration,
}

/// How a run proves, at the end of a transaction, that it still has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The token that the run holds the lease with.
    pub token: Uuid,
    /// How long the lease lasts from now; without it the lease is freed.
    pub keep: Option<Duration>,
}

/// The lease row as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The holder's token.
    pub token: Uuid,
    /// Who holds it.
    pub actor: String,
    /// Where the holder runs.
    pub host: String,
    /// The holder's run.
    pub run: Uuid,
    /// The holder's process on its host.
    pub process: String,
    /// The server's own name for the session that does the holder's work, where there is a server.
    pub session: Option<String>,
    /// Since when, milliseconds since 1970 by the database's clock.
    pub since_ms: i64,
    /// Until when, milliseconds since 1970 by the database's clock.
    pub expires_ms: i64,
    /// The database's clock at the time of reading.
    pub now_ms: i64,
}

/// How a transaction, or a statement outside of one, runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Begin {
    /// Enforce foreign keys while the script runs, where that can be chosen.
    pub enforce_foreign_keys: bool,
    /// How long to wait for the database's own locks; without it as the server, the role or the
    /// engine has it.
    pub lock_timeout: Option<Duration>,
    /// How long one statement may take, where the server can be told; without it as the server or the
    /// role has it.
    pub statement_timeout: Option<Duration>,
}

/// What a statement that succeeded had to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Executed {
    /// How many warnings the server gave.
    pub warnings: u64,
    /// The first of them, in the server's words.
    pub messages: Vec<String>,
}

/// A digest of the database's own definitions (docs/format.md section 9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFingerprint {
    /// The SHA-256 over the sorted definitions.
    pub digest: Digest,
    /// The version of what is put under the digest.
    pub format: u32,
    /// The server's major version.
    pub server: String,
    /// Rights that the user lacks, for want of which definitions may be missing from what was read.
    pub lacking: Vec<&'static str>,
}

/// One connection.
///
/// Verbs that append or touch the lease run inside the transaction that [`Session::begin`] opened;
/// reading verbs run inside or outside of one.
#[async_trait]
pub trait Session: Send {
    /// Returns what is found where the ledger's tables belong.
    async fn store(&mut self) -> Result<Store, EngineError>;

    /// Creates tables, guards and views, inside the open transaction.
    ///
    /// `identity` is the random id kept with the store, for databases that have none of their own.
    async fn create_store(&mut self, identity: &str) -> Result<(), EngineError>;

    /// Returns which database this is; the store must be present.
    async fn identity(&mut self) -> Result<Identity, EngineError>;

    /// Gives the database an identity of its own, inside the open transaction, and returns it: that of the
    /// server it is on now, or `random` where it has none or may not know it.
    ///
    /// A copy so stops to say that it is what it was copied from.
    async fn renew_identity(&mut self, random: &str) -> Result<Identity, EngineError>;

    /// Returns up to `limit` records with `seq >= from`, ordered by `seq`.
    async fn records(&mut self, from: u64, limit: u32) -> Result<Vec<StoredRecord>, EngineError>;

    /// Appends records that follow the stored head, inside the open transaction.
    ///
    /// # Errors
    ///
    /// [`Fault::Conflict`] when another append came first.
    async fn append(&mut self, records: &[Record]) -> Result<(), EngineError>;

    /// Stores an object unless its digest is there already, inside the open transaction.
    async fn put_object(&mut self, object: &Object) -> Result<(), EngineError>;

    /// Returns the object with this digest.
    async fn object(&mut self, digest: &Digest) -> Result<Option<Object>, EngineError>;

    /// Erases an object's bytes and keeps its digest and size, inside the open transaction.
    async fn redact_object(&mut self, digest: &Digest) -> Result<(), EngineError>;

    /// Returns the digests of up to `limit` objects above `after`, in ascending order.
    async fn object_digests(
        &mut self,
        after: Option<Digest>,
        limit: u32,
    ) -> Result<Vec<Digest>, EngineError>;

    /// Returns the lease where one is held, expired or not.
    async fn lease(&mut self) -> Result<Option<Lease>, EngineError>;

    /// Takes the lease if it is free, or held with the token `replacing`; says whether it did.
    async fn take_lease(
        &mut self,
        claim: &Claim,
        replacing: Option<Uuid>,
    ) -> Result<bool, EngineError>;

    /// Renews the lease for `duration` from now if it is held with `token`; says whether it was.
    ///
    /// Inside a transaction this is the fence: `false` means that the run has lost its place. The
    /// session that took the lease, or renews it here, is recorded as the one that does the work.
    async fn renew_lease(&mut self, token: Uuid, duration: Duration) -> Result<bool, EngineError>;

    /// Renews the lease from a session that does no work, outside of a transaction and without waiting.
    ///
    /// # Errors
    ///
    /// [`Fault::Busy`] when a transaction holds the row: the holder, or one that replaces it, is alive.
    async fn beat_lease(&mut self, token: Uuid, duration: Duration) -> Result<bool, EngineError>;

    /// Ends another session of the server, given as [`Lease::session`] has it, and waits until it is
    /// gone with all that it did not commit; says whether it is gone.
    ///
    /// Where a session ends with its process there is nothing to end.
    async fn end_session(&mut self, session: &str) -> Result<bool, EngineError>;

    /// Keeps other appends out until the open transaction ends, where it does not do so by itself.
    ///
    /// Every transaction that appends calls this (or touches the lease) before it reads the head.
    async fn lock_ledger(&mut self) -> Result<(), EngineError>;

    /// Frees the lease if it is held with `token`; says whether it was.
    async fn release_lease(&mut self, token: Uuid) -> Result<bool, EngineError>;

    /// Sets the limits for statements that run outside of a transaction, until the session is reset.
    async fn limit(&mut self, limits: &Begin) -> Result<(), EngineError>;

    /// Opens a transaction that may write, waiting for other writers up to the lock timeout.
    ///
    /// # Errors
    ///
    /// [`Fault::Busy`] when another writer did not finish in time.
    async fn begin(&mut self, begin: &Begin) -> Result<(), EngineError>;

    /// Ends a script's part of the open transaction: it is still the one that was begun, what the
    /// script deferred is checked, and settings, role and temporary objects are put back to how they
    /// were, as far as a transaction can.
    ///
    /// A server may be asked for it together with the next verb, whose error it then is.
    ///
    /// # Errors
    ///
    /// [`Fault::Deferred`] when that is refused, or the script ended the transaction.
    async fn settle(&mut self) -> Result<(), EngineError>;

    /// Renews or frees the lease inside the open transaction and returns up to `limit` records with
    /// `seq >= from`, ordered by `seq`; none at all when the lease is not held.
    ///
    /// # Errors
    ///
    /// As [`Session::settle`], [`Session::renew_lease`] and [`Session::records`].
    async fn fence(
        &mut self,
        fence: &Fence,
        from: u64,
        limit: u32,
    ) -> Result<Option<Vec<StoredRecord>>, EngineError> {
        let held = match fence.keep {
            Some(duration) => self.renew_lease(fence.token, duration).await?,
            None => self.release_lease(fence.token).await?,
        };
        if !held {
            return Ok(None);
        }
        self.records(from, limit).await.map(Some)
    }

    /// Stores objects, appends records and commits the open transaction.
    ///
    /// `next` is the transaction that will most likely be begun next: a server may be asked for it with
    /// the same message, and [`Session::begin`] finds it open.
    ///
    /// # Errors
    ///
    /// As [`Session::put_object`], [`Session::append`] and [`Session::commit`].
    async fn append_and_commit(
        &mut self,
        objects: &[Object],
        records: &[Record],
        _next: Option<&Begin>,
    ) -> Result<(), EngineError> {
        for object in objects {
            self.put_object(object).await?;
        }
        self.append(records).await?;
        crate::fault::reach("record::before-commit");
        self.commit().await
    }

    /// Commits the open transaction.
    ///
    /// # Errors
    ///
    /// [`Fault::Disconnected`] when the answer did not arrive: the log knows whether it was done.
    async fn commit(&mut self) -> Result<(), EngineError>;

    /// Rolls the open transaction back; succeeds when the database has already done so.
    ///
    /// A session whose connection broke is replaced by a new one, after the server has ended the old
    /// one: from then on nothing of it can take effect any more.
    async fn rollback(&mut self) -> Result<(), EngineError>;

    /// Says whether the transaction that [`Session::begin`] opened is still open.
    async fn in_transaction(&mut self) -> Result<bool, EngineError>;

    /// Executes one statement of a script; rows that it returns are dropped.
    ///
    /// # Errors
    ///
    /// [`Fault::Transient`] when the database proves that nothing happened and the whole transaction
    /// may be repeated; [`Fault::Partial`] when the statement ran outside of a transaction and failed,
    /// and something of it may be left.
    async fn execute(&mut self, sql: &str) -> Result<Executed, EngineError>;

    /// Says whether all that scripts write can be rolled back but for schema changes that commit by
    /// themselves: no table, nor any made by default, is outside of transactions.
    async fn tables_are_transactional(&mut self) -> Result<bool, EngineError>;

    /// Returns sentences about what is in the database of the objects that a statement names, for a
    /// person who must say whether it took effect.
    async fn examine(&mut self, sql: &str) -> Result<Vec<String>, EngineError>;

    /// Returns a table that another program keeps, whole; none where there is no such table.
    async fn table(&mut self, name: &TableName) -> Result<Option<Table>, EngineError>;

    /// Returns the names of the database and of the schema in which scripts find what they do not qualify.
    async fn whereabouts(&mut self) -> Result<(String, String), EngineError>;

    /// Asks for the locks of another tool, without waiting: whether somebody holds one.
    async fn lock_state(&mut self, locks: &[Lock]) -> Result<LockState, EngineError>;

    /// Runs a query that must give one row whose first column is true; says whether it did.
    ///
    /// # Errors
    ///
    /// [`Fault::Statement`] where the statement is one that writes: nothing of it is done.
    async fn holds(&mut self, sql: &str) -> Result<bool, EngineError>;

    /// Returns a description of each row that breaks a foreign key, sorted; where foreign keys
    /// cannot be switched off the list is empty.
    async fn foreign_key_violations(&mut self) -> Result<Vec<String>, EngineError>;

    /// Puts the session back to how it was when it was opened, whatever a script did to it.
    async fn reset(&mut self) -> Result<(), EngineError>;

    /// Returns the fingerprint of every definition but ours.
    async fn fingerprint(&mut self) -> Result<SchemaFingerprint, EngineError>;

    /// Returns about how large tables are, from what the database keeps of them anyway: their rows are not
    /// read, and who changes them is not waited for beyond a few seconds.
    ///
    /// `tables` are names as scripts write them, without a schema. What is not there, or of which nothing is
    /// known, is left out.
    ///
    /// # Errors
    ///
    /// [`Fault::Busy`] where another session keeps the catalogue, and what the database answers else.
    async fn table_sizes(&mut self, tables: &[String]) -> Result<Sizes, EngineError>;

    /// Returns how many tables there are but ours.
    async fn count_tables(&mut self) -> Result<u64, EngineError>;

    /// Returns what stops the statement this session is executing.
    fn interrupter(&self) -> Interrupter;

    /// Lets the session execute again after an interrupt.
    fn resume(&mut self);

    /// Opens a transaction that keeps seeing the database as it is now, and returns the name by which
    /// other sessions can see the same; none where there is no such name.
    async fn snapshot(&mut self) -> Result<Option<String>, EngineError> {
        Ok(None)
    }

    /// Closes the connection.
    async fn close(self: Box<Self>) -> Result<(), EngineError>;
}
