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

use mledger::adopt::Lock;
use mledger::engine::{Engine, open};

pub use self::mysql::MYSQL;
pub use self::postgres::POSTGRES;
pub use self::sqlite::SQLITE;

/// Every engine.
pub const ENGINES: &[Kind] = &[SQLITE, POSTGRES, MYSQL];

/// A kind of database, and what differs between them.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The name that `ledger.created` records.
    pub name: &'static str,
    /// Makes a database that has nothing in it yet.
    fresh: fn() -> Box<dyn Database>,
    /// Makes the database of the project in a folder.
    of_project: fn(&Path) -> Box<dyn Database>,
    /// A failed script leaves nothing, also of schema changes.
    pub transactional: bool,
    /// A statement that takes minutes unless it is stopped; it writes to the table `sink`.
    pub slow: &'static str,
    /// A statement that takes some seconds and changes nothing.
    pub seconds: &'static str,
    /// One that takes hours, with its semicolon, and changes nothing.
    pub endless: &'static str,
    /// What scripts leave behind in their session, and how a later script would notice.
    pub leaks: &'static [Leak],
    /// Statements of a script that reach for the ledger's own tables.
    pub reaching: &'static [&'static str],
    /// A query that lists the definitions of the database but ours.
    pub definitions: &'static str,
    /// A query that lists every table, ours too.
    pub tables: &'static str,
    /// A query that lists the databases of the server, where there is one.
    pub databases: Option<&'static str>,
    /// A statement that drops the index `i` of the table `a`.
    pub drops_index: &'static str,
    /// A statement whose body never ends.
    pub unclosed: &'static str,
    /// Statements that begin and commit a transaction around all of a script.
    pub wrappings: &'static [(&'static str, &'static str)],
    /// `END` ends a transaction.
    pub end_commits: bool,
    /// A script that makes a table `a (id, note)` with the words of a transaction in texts and in a body
    /// that makes the note of the row 2 `COMMIT; END;`.
    pub words_in_bodies: &'static str,
    /// The folder of this kind's own scripts under `tests/engines/fixtures`.
    pub fixtures: &'static str,
    /// The real histories of this kind, where they are at hand.
    pub corpora: &'static [&'static str],
    /// The tables of the ledger.
    pub store: Store,
    /// Statements during which nobody else can read the definitions of the database; they take seconds
    /// and leave nothing.
    pub holding: Option<&'static str>,
    /// Writes the query with which a tool takes a lock of this kind of database, where it has such locks.
    pub takes_lock: Option<fn(&Lock) -> Option<String>>,
    /// How messages between the program and a server are told apart.
    pub wire: Option<Wire>,
    /// The server that also speaks TLS, where there are servers.
    pub secured: Option<Secured>,
}

/// A server that speaks TLS with whoever wants to, and the words in which a URL says how.
#[derive(Debug, Clone, Copy)]
pub struct Secured {
    /// Makes a database there that has nothing in it yet.
    pub fresh: fn() -> Box<dyn Database>,
    /// The parameter that names the mode.
    pub mode: &'static str,
    /// The parameter that names the file of the authority.
    pub authority: &'static str,
    pub disabled: &'static str,
    pub required: &'static str,
    pub verify_authority: &'static str,
    pub verify_all: &'static str,
    /// A query whose one row is 1 where its session is encrypted and 0 where it is not.
    pub proof: &'static str,
}

/// How messages are framed on the way to a server and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// A letter, a length of four bytes that counts itself, and the rest; the first ones of a client
    /// have no letter.
    Letters,
    /// A length of three bytes, a number, and the rest.
    Packets,
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

    /// The same where it is on a server; a file is found in its project without being told.
    fn server_url(&self) -> Option<String> {
        Some(self.url())
    }

    /// Says whether it is there already; a file comes with the first connection.
    fn exists(&self) -> bool {
        true
    }

    /// Returns what the database's own check says of its files, `ok` where it has none of its own.
    fn integrity(&self) -> String {
        "ok".to_owned()
    }

    /// Returns the bytes of the files it consists of, where it does.
    fn files(&self) -> Option<Vec<Vec<u8>>> {
        None
    }

    /// Asks with a client that is not ours: a line a row, columns parted by `|`. The error is the
    /// client's.
    fn attempt(&self, sql: &str) -> Result<String, String>;

    /// Runs a script with that client, in one transaction where that is possible; the error is the
    /// client's.
    fn run(&self, script: &str) -> Result<(), String>;

    /// All definitions and rows but ours, as that client writes them.
    fn content(&self) -> String;

    /// The definitions alone.
    fn schema(&self) -> String;

    /// Returns the ledger's own tables as the database's own tool keeps them.
    fn save_ledger(&self) -> Vec<u8>;

    /// Puts them in the place of what is there of them.
    fn load_ledger(&self, saved: &[u8]);

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

/// A test for each engine, named after it, in a module of the test's name.
macro_rules! on_each_engine {
    ($($test:ident),+ $(,)?) => {
        $(mod $test {
            #[test]
            fn sqlite() {
                super::$test(&crate::support::engines::SQLITE);
            }

            #[test]
            fn postgres() {
                super::$test(&crate::support::engines::POSTGRES);
            }

            #[test]
            fn mysql() {
                super::$test(&crate::support::engines::MYSQL);
            }
        })+
    };
}

/// The same for the engines that are reached over a network.
macro_rules! on_each_server {
    ($($test:ident),+ $(,)?) => {
        $(mod $test {
            #[test]
            fn postgres() {
                super::$test(&crate::support::engines::POSTGRES);
            }

            #[test]
            fn mysql() {
                super::$test(&crate::support::engines::MYSQL);
            }
        })+
    };
}

impl Kind {
    /// The database of the project in `folder`.
    pub fn of_project(&self, folder: &Path) -> Box<dyn Database> {
        (self.of_project)(folder)
    }

    /// Says which tables there are, ours too, as statements name them.
    pub fn tables(&self, database: &dyn Database) -> Vec<String> {
        let tables = database.ask(self.tables).replace('|', ".");
        let named = |line: &str| line.strip_prefix("public.").unwrap_or(line).to_owned();
        tables.lines().map(named).collect()
    }

    /// A database that has nothing in it yet.
    pub fn fresh(&self) -> Box<dyn Database> {
        (self.fresh)()
    }
}
