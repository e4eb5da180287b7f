//! SQLite: a file, and the `sqlite3` shell.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Database, Kind, Leak, Store};

pub const SQLITE: Kind = Kind {
    name: "sqlite",
    fresh: || Box::new(SqliteFile::new()),
    of_project: |folder| {
        Box::new(SqliteFile {
            file: folder.join("mledger.db"),
            _folder: None,
        })
    },
    transactional: true,
    slow: "INSERT INTO sink WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
           SELECT x FROM n WHERE x < 0",
    seconds: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40000000) INSERT INTO effects SELECT '2', 9 FROM n WHERE i < 0;",
    endless: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO effects SELECT '2', 9 FROM n WHERE i < 0;",
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
    reaching: &[
        "DELETE FROM mledger_events;",
        "UPDATE mledger_events SET line = X'00';",
        "DROP TABLE mledger_events;",
        "DROP TABLE mledger_lease;",
        "DROP TRIGGER mledger_events_no_delete;\nDELETE FROM mledger_events;",
        "UPDATE mledger_lease SET token = NULL;",
        "DROP VIEW mledger_append;",
    ],
    databases: None,
    drops_index: "DROP INDEX i",
    unclosed: "CREATE TRIGGER t AFTER INSERT ON one BEGIN SELECT 1;",
    wrappings: &[
        ("BEGIN;", "COMMIT;"),
        ("BEGIN TRANSACTION;", "COMMIT TRANSACTION;"),
        ("-- a comment\nBEGIN IMMEDIATE;", "END;\n-- and another"),
        ("begin;", "commit"),
    ],
    end_commits: true,
    words_in_bodies: "CREATE TABLE a (id INTEGER, note TEXT DEFAULT 'COMMIT;');
CREATE TRIGGER t AFTER INSERT ON a BEGIN
    UPDATE a SET note = 'COMMIT; END;' WHERE id = CASE WHEN new.id > 0 THEN new.id ELSE 0 END;
END;
INSERT INTO a (id) VALUES (2);",
    definitions: "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'mledger%' \
                  AND name NOT LIKE 'sqlite_autoindex_mledger%' ORDER BY 1, 2",
    tables: "SELECT name FROM sqlite_schema WHERE type = 'table'",
    fixtures: "sqlite",
    corpora: &["atuin-client", "gophish-sqlite"],
    store: Store {
        events: "mledger_events",
        objects: "mledger_objects",
        lease: "mledger_lease",
        rows: "SELECT seq, hex(line), hex(signature), hex(prev), hex(hash) FROM mledger_events \
               ORDER BY seq",
    },
    holding: None,
    takes_lock: None,
    wire: None,
    secured: None,
};

/// A file, and the folder that goes with it where it is its own.
struct SqliteFile {
    file: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl SqliteFile {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            file: folder.path().join("shop.db"),
            _folder: Some(folder),
        }
    }
}

impl SqliteFile {
    /// Brings what is still in the log into the file: a connection that was dropped may not have done so yet.
    fn fold_log(&self) {
        if self.file.exists() {
            self.ask("PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }
}

impl Database for SqliteFile {
    fn url(&self) -> String {
        format!("sqlite:{}", self.file.display())
    }

    fn server_url(&self) -> Option<String> {
        None
    }

    fn exists(&self) -> bool {
        self.file.exists()
    }

    fn integrity(&self) -> String {
        self.ask("PRAGMA integrity_check").trim_end().to_owned()
    }

    fn files(&self) -> Option<Vec<Vec<u8>>> {
        let bytes = ["", "-wal", "-journal"].map(|end| {
            let path = format!("{}{end}", self.file.display());
            fs::read(path).unwrap_or_default()
        });
        Some(bytes.into())
    }

    fn attempt(&self, sql: &str) -> Result<String, String> {
        // a connection that was dropped may still be closing
        let timeout = ["-batch", "-bail", "-cmd", ".timeout 5000"];
        shell(
            Command::new("sqlite3")
                .args(timeout)
                .arg(&self.file)
                .arg(sql),
        )
    }

    fn run(&self, script: &str) -> Result<(), String> {
        let text = script.strip_prefix('\u{feff}').unwrap_or(script);
        // as an argument, since the shell takes carriage returns out of what it reads
        let whole = format!("PRAGMA foreign_keys = OFF; BEGIN;\n{text}\n;COMMIT;");
        let mut command = Command::new("sqlite3");
        let command = command.args(["-batch", "-bail"]).arg(&self.file);
        shell(command.arg(whole)).map(drop)
    }

    fn schema(&self) -> String {
        self.ask(SQLITE.definitions)
    }

    // the whole file, which the ledger is a part of
    fn save_ledger(&self) -> Vec<u8> {
        self.fold_log();
        fs::read(&self.file).unwrap()
    }

    fn load_ledger(&self, saved: &[u8]) {
        self.fold_log();
        for end in ["-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(format!("{}{end}", self.file.display()));
        }
        fs::write(&self.file, saved).unwrap();
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

fn shell(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
