//! The engines under test, as data: one list for every suite.
//!
//! An engine is one line in [`ENGINES`] and one file beside this one. Databases are made, asked and
//! dumped by the plain clients, which are not ours.

mod mysql;
mod postgres;
mod servers;
mod sqlite;

use std::path::Path;
use std::sync::Arc;

use mledger::engine::{Engine, open};

pub use self::mysql::MYSQL;
pub use self::postgres::POSTGRES;
pub use self::sqlite::SQLITE;

/// Every engine.
pub const ENGINES: &[Kind] = &[SQLITE];

/// A kind of database, and what differs between them.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The name that `ledger.created` records.
    pub name: &'static str,
    /// Makes a database that has nothing in it yet.
    fresh: fn() -> Box<dyn Database>,
    /// A failed script leaves nothing, also of schema changes.
    pub transactional: bool,
    /// A statement that takes minutes unless it is stopped; it writes to the table `sink`.
    pub slow: &'static str,
    /// What scripts leave behind in their session, and how a later script would notice.
    pub leaks: &'static [Leak],
    /// Statements of a script that reach for the ledger's own tables.
    pub reaching: &'static [&'static str],
    /// A query that lists the definitions of the database but ours.
    pub definitions: &'static str,
    /// A query that lists every table, ours too.
    pub tables: &'static str,
    /// The folder of this kind's own scripts under `tests/engines/fixtures`.
    pub fixtures: &'static str,
    /// The real histories of this kind, where they are at hand.
    pub corpora: &'static [&'static str],
    /// The tables of the ledger.
    pub store: Store,
}

/// The tables of the ledger, as a client that is not ours names and reads them.
#[derive(Debug, Clone, Copy)]
pub struct Store {
    pub events: &'static str,
    pub objects: &'static str,
    pub lease: &'static str,
    /// A query for the events in order: seq, then line, signature, prev and hash in hexadecimal.
    pub rows: &'static str,
}

/// Something that a script does to its session.
#[derive(Debug, Clone, Copy)]
pub struct Leak {
    pub name: &'static str,
    /// The whole up script.
    pub script: &'static str,
    /// A statement that works only where nothing was left behind.
    pub later: &'static str,
}

/// A database of its own, gone when it is dropped.
pub trait Database: Send + Sync {
    /// Where it is, as the program is told.
    fn url(&self) -> String;

    /// Asks with a client that is not ours: a line a row, columns parted by `|`. The error is the
    /// client's.
    fn attempt(&self, sql: &str) -> Result<String, String>;

    /// Runs a script with that client, in one transaction where that is possible; the error is the
    /// client's.
    fn run(&self, script: &str) -> Result<(), String>;

    /// All definitions and rows but ours, as that client writes them.
    fn content(&self) -> String;

    /// Opens it as the program does.
    fn engine(&self) -> Arc<dyn Engine> {
        match open(&self.url(), Path::new("/")) {
            Ok(engine) => engine,
            Err(error) => unreachable!("a test database can be opened: {error}"),
        }
    }

    /// Asks what can be answered.
    #[track_caller]
    fn ask(&self, sql: &str) -> String {
        match self.attempt(sql) {
            Ok(answer) => answer,
            Err(error) => unreachable!("{sql}: {error}"),
        }
    }
}

impl Kind {
    /// A database that has nothing in it yet.
    pub fn fresh(&self) -> Box<dyn Database> {
        (self.fresh)()
    }
}
