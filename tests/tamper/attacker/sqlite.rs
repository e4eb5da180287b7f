//! Against SQLite: whoever has the file has the definitions, too.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Attacker, Column, ValueKind};
use crate::records::unhex;
use crate::support::engines::Database;

pub(super) struct Sqlite;

impl Attacker for Sqlite {
    fn words(&self, sql: &str) -> String {
        sql.to_owned()
    }

    fn columns(&self, table: &str) -> String {
        format!("SELECT name, type FROM pragma_table_info('{table}')")
    }

    fn tables(&self) -> &'static str {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'mledger%'"
    }

    fn shown(&self, column: &Column) -> String {
        match column.kind {
            ValueKind::Integer => format!("\"{}\"", column.name),
            ValueKind::Text | ValueKind::Bytes => {
                format!("hex(\"{0}\") || substr(\"{0}\", 1, 0)", column.name)
            }
        }
    }

    fn unguarded(&self, place: &dyn Database, sql: &str) -> Result<(), String> {
        let Definitions { weaken, mend } = Definitions::of(place);
        // a process each: SQLite reads the definitions when it opens the file
        place.ask(&weaken);
        let changed = place.attempt(&format!(
            "PRAGMA ignore_check_constraints = ON; BEGIN; {sql}; COMMIT;"
        ));
        place.ask(&format!(
            "PRAGMA writable_schema = ON; BEGIN; {mend} COMMIT;"
        ));
        changed.map(drop)
    }

    fn removable(&self) -> &'static str {
        "SELECT name, 'DROP ' || type || ' ' || name FROM sqlite_schema \
         WHERE type IN ('trigger', 'view') AND name LIKE 'mledger%' ORDER BY 1"
    }

    fn hollow(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "mledger_events_no_update",
                "DROP TRIGGER mledger_events_no_update;
                 CREATE TRIGGER mledger_events_no_update BEFORE UPDATE ON mledger_events
                 BEGIN SELECT 1; END",
            ),
            (
                "mledger_migration_history",
                "DROP VIEW mledger_migration_history;
                 CREATE VIEW mledger_migration_history AS SELECT 'all is well' AS outcome",
            ),
        ]
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "UPDATE OR REPLACE mledger_events SET seq = 2 WHERE seq = 3",
            "REPLACE INTO mledger_events SELECT * FROM mledger_events WHERE seq = 3",
            "INSERT OR REPLACE INTO mledger_events SELECT * FROM mledger_events",
            "REPLACE INTO mledger_append SELECT * FROM mledger_events WHERE seq = 3",
            "INSERT INTO mledger_append SELECT * FROM mledger_events WHERE seq = 3",
            "UPDATE mledger_append SET line = line",
            "DELETE FROM mledger_append",
            "REPLACE INTO mledger_objects SELECT digest, 1, 'raw', X'00' FROM mledger_objects",
            "INSERT OR REPLACE INTO mledger_objects
                SELECT digest, 1, 'raw', X'00' FROM mledger_objects",
            "REPLACE INTO mledger_lease (only, identity) VALUES (1, 'another')",
        ]
    }

    fn dropping(&self, tables: &[&str]) -> String {
        tables
            .iter()
            .map(|table| format!("DROP TABLE {table};"))
            .collect()
    }

    fn dropping_the_rest(&self) -> &'static str {
        "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name LIKE 'mledger%'; \
         PRAGMA writable_schema = RESET; VACUUM"
    }

    fn swallowing(&self) -> &'static str {
        "CREATE TRIGGER swallow INSTEAD OF INSERT ON mledger_append BEGIN SELECT 1; END;
         DROP TRIGGER mledger_append_event"
    }

    fn harmless(&self) -> &'static [&'static str] {
        &[
            "VACUUM",
            "REINDEX",
            "ANALYZE",
            "PRAGMA journal_mode = DELETE",
            "PRAGMA journal_mode = WAL",
            "PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM",
            "PRAGMA auto_vacuum = FULL; VACUUM",
            "PRAGMA user_version = 7; PRAGMA application_id = 7",
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "PRAGMA incremental_vacuum; PRAGMA optimize",
        ]
    }
}

/// What takes constraints and guards away, and what puts them back.
pub(crate) struct Definitions {
    /// A script of its own.
    pub(crate) weaken: String,
    /// Statements for a transaction of a connection with `writable_schema`.
    pub(crate) mend: String,
}

impl Definitions {
    /// Reads them from a database where they are whole.
    pub(crate) fn of(place: &dyn Database) -> Self {
        let triggers = definitions(place, "trigger");
        let mut weaken = String::from("PRAGMA writable_schema = ON; BEGIN;\n");
        let mut mend = String::new();
        for (name, text) in definitions(place, "table") {
            let weak = text.replace("NOT NULL", "").replace("STRICT", "");
            let set = |text: &str| {
                let text = text.replace('\'', "''");
                format!("UPDATE sqlite_schema SET sql = '{text}' WHERE name = '{name}';\n")
            };
            weaken += &set(&weak);
            mend += &set(&text);
        }
        for (name, text) in &triggers {
            weaken += &format!("DROP TRIGGER {name};\n");
            mend += &format!("{text};\n");
        }
        weaken += "COMMIT;";
        Self { weaken, mend }
    }
}

fn definitions(place: &dyn Database, kind: &str) -> Vec<(String, String)> {
    let sql = format!(
        "SELECT name || '|' || hex(sql) FROM sqlite_schema WHERE type = '{kind}' \
         AND name LIKE 'mledger%' ORDER BY rowid"
    );
    place
        .ask(&sql)
        .lines()
        .map(|line| {
            let (name, text) = line.split_once('|').unwrap();
            (name.to_owned(), String::from_utf8(unhex(text)).unwrap())
        })
        .collect()
}
