//! The engines under test, as data.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mledger::engine::{Access, Begin, Engine, Session, open};

use crate::support::sqlite;

/// A kind of database, and what differs between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// The name that `ledger.created` records.
    pub(crate) name: &'static str,
    /// Makes a database that has nothing in it yet.
    fresh: fn() -> Box<dyn Database>,
    /// A statement that takes minutes unless it is stopped.
    pub(crate) slow: &'static str,
    /// What scripts leave behind in their session, and how a later script would notice.
    pub(crate) leaks: &'static [Leak],
    /// Queries that list the definitions of the database but ours: name and text.
    pub(crate) definitions: &'static str,
    /// A query that lists every table, ours too.
    pub(crate) tables: &'static str,
    /// The folder of this kind's own scripts under `fixtures`.
    pub(crate) fixtures: &'static str,
    /// The real histories of this kind, where they are at hand.
    pub(crate) corpora: &'static [&'static str],
}

/// Something that a script does to its session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leak {
    pub(crate) name: &'static str,
    /// The whole up script.
    pub(crate) script: &'static str,
    /// A statement that works only where nothing was left behind.
    pub(crate) later: &'static str,
}

/// A database of its own, gone when it is dropped.
pub(crate) trait Database: Send + Sync {
    fn engine(&self) -> Arc<dyn Engine>;

    /// Asks with a client that is not ours: a line a row, columns parted by `|`.
    fn ask(&self, sql: &str) -> String;

    /// Runs a script with that client, in one transaction; the error is the client's.
    fn run(&self, script: &str) -> Result<(), String>;

    /// All definitions and rows but ours, as that client writes them.
    fn content(&self) -> String;
}

/// Every engine. Another one is one line, and its data below.
pub(crate) const ENGINES: &[Kind] = &[SQLITE];

const SQLITE: Kind = Kind {
    name: "sqlite",
    fresh: || Box::new(SqliteFile::new()),
    slow: "INSERT INTO sink WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
           SELECT x FROM n WHERE x < 0",
    leaks: &[
        Leak {
            name: "foreign keys switched on",
            script: "CREATE TABLE a (id INTEGER PRIMARY KEY);\nPRAGMA foreign_keys = ON;",
            later: "CREATE TABLE probe AS SELECT foreign_keys AS x FROM pragma_foreign_keys;\n\
                    CREATE TABLE proof (x CHECK (x = 0));\nINSERT INTO proof SELECT x FROM probe;",
        },
        Leak {
            name: "an attached database",
            script: "-- mledger:no-transaction\nATTACH ':memory:' AS beside;\nCREATE TABLE a (id);",
            later: "CREATE TABLE proof (x CHECK (x = 0));\n\
                    INSERT INTO proof SELECT count(*) FROM pragma_database_list WHERE name = 'beside';",
        },
        Leak {
            name: "a temporary table in the way of a real one",
            script: "CREATE TABLE a (id);\nCREATE TEMP TABLE b (wrong);",
            later: "CREATE TABLE b (id);\nINSERT INTO b (id) VALUES (1);",
        },
        Leak {
            name: "a temporary trigger on a table of the schema",
            script: "CREATE TABLE a (id);\n\
                     CREATE TEMP TRIGGER t BEFORE INSERT ON main.a BEGIN SELECT raise(ABORT, 'left'); END;",
            later: "INSERT INTO a VALUES (1);",
        },
        Leak {
            name: "a temporary view over a table of the ledger",
            script: "CREATE TABLE a (id);\nCREATE TEMP VIEW mledger_events AS SELECT 1 AS seq;",
            later: "INSERT INTO a VALUES (1);",
        },
        Leak {
            name: "LIKE made sensitive to case",
            script: "CREATE TABLE a (id);\nPRAGMA case_sensitive_like = ON;",
            later: "CREATE TABLE proof (x CHECK (x = 1));\nINSERT INTO proof SELECT 'A' LIKE 'a';",
        },
        Leak {
            name: "constraints ignored",
            script: "CREATE TABLE a (id CHECK (id > 0));\nPRAGMA ignore_check_constraints = ON;",
            later: "INSERT OR IGNORE INTO a VALUES (-1);\nCREATE TABLE proof (x CHECK (x = 0));\n\
                    INSERT INTO proof SELECT count(*) FROM a;",
        },
        Leak {
            name: "recursive triggers, another cache and no locking",
            script: "CREATE TABLE a (id);\nPRAGMA recursive_triggers = ON;\nPRAGMA query_only = OFF;\n\
                     PRAGMA defer_foreign_keys = ON;",
            later: "CREATE TABLE proof (x CHECK (x = 0));\n\
                    INSERT INTO proof SELECT recursive_triggers FROM pragma_recursive_triggers;",
        },
        Leak {
            name: "a session that may only read, in the tool's transaction",
            script: "CREATE TABLE a (id INTEGER);\nPRAGMA query_only = ON;",
            later: "INSERT INTO a VALUES (1);",
        },
        Leak {
            name: "a session that may only read",
            script: "-- mledger:no-transaction\nCREATE TABLE a (id);\nPRAGMA query_only = ON;",
            later: "INSERT INTO a VALUES (1);",
        },
    ],
    definitions: "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'mledger%' \
                  AND name NOT LIKE 'sqlite_autoindex_mledger%' ORDER BY 1, 2",
    tables: "SELECT name FROM sqlite_schema WHERE type = 'table'",
    fixtures: "sqlite",
    corpora: &["atuin-client", "gophish-sqlite"],
};

/// A file in a folder of its own.
struct SqliteFile {
    folder: tempfile::TempDir,
}

impl SqliteFile {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }
}

impl Database for SqliteFile {
    fn engine(&self) -> Arc<dyn Engine> {
        open("sqlite:shop.db", self.folder.path()).unwrap()
    }

    fn ask(&self, sql: &str) -> String {
        sqlite(&self.file(), sql)
    }

    fn run(&self, script: &str) -> Result<(), String> {
        let text = script.strip_prefix('\u{feff}').unwrap_or(script);
        // as an argument, since the shell takes carriage returns out of what it reads
        let output = Command::new("sqlite3")
            .args(["-batch", "-bail"])
            .arg(self.file())
            .arg(format!(
                "PRAGMA foreign_keys = OFF; BEGIN;\n{text}\n;COMMIT;"
            ))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn content(&self) -> String {
        // what a module keeps for itself is no content, and differs between its versions
        let tables = self.ask(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' \
             AND type <> 'view' AND name NOT LIKE 'mledger%' AND name NOT LIKE 'sqlite%' ORDER BY name",
        );
        let mut content = self.ask(SQLITE.definitions);
        for table in tables.lines() {
            let name = table.replace('\'', "''");
            let columns = self.ask(&format!(
                "SELECT group_concat(printf('quote(\"%w\")', name), ' || '', '' || ') \
                 FROM pragma_table_info('{name}')"
            ));
            let quoted = table.replace('"', "\"\"");
            let rows = self.ask(&format!(
                "SELECT {columns} AS row FROM \"{quoted}\" ORDER BY row"
            ));
            content += &format!("{table}:\n{rows}");
        }
        content
    }
}

impl Kind {
    pub(crate) fn fresh(&self) -> Box<dyn Database> {
        (self.fresh)()
    }
}

/// Runs `test` on a fresh database of every engine.
pub(crate) async fn on_every_engine(test: impl AsyncFn(&Kind, Box<dyn Database>)) {
    for kind in ENGINES {
        test(kind, kind.fresh()).await;
    }
}

/// How transactions of these tests begin.
pub(crate) fn begin() -> Begin {
    Begin {
        enforce_foreign_keys: false,
        lock_timeout: Some(Duration::from_secs(10)),
        statement_timeout: None,
    }
}

pub(crate) async fn writer(database: &dyn Database) -> Box<dyn Session> {
    database.engine().connect(Access::Write).await.unwrap()
}

pub(crate) async fn reader(database: &dyn Database) -> Box<dyn Session> {
    database.engine().connect(Access::Read).await.unwrap()
}

/// A writing session on a database that has the ledger's store.
pub(crate) async fn with_store(database: &dyn Database) -> Box<dyn Session> {
    let mut session = writer(database).await;
    session.begin(&begin()).await.unwrap();
    session.create_store("the identity").await.unwrap();
    session.commit().await.unwrap();
    session
}
