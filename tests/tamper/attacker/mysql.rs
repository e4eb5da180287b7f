//! Against MySQL and MariaDB: a user with all rights on the database.

use super::{Attacker, Column, ValueKind};
use crate::support::engines::Database;

pub(super) struct Mysql;

/// What is not stored as it is asked for is stored as the server likes; MariaDB can be told to make no
/// checks.
const WEAKEN: &str = "SET foreign_key_checks = 0, sql_mode = 'NO_BACKSLASH_ESCAPES';
/*M!100200 SET check_constraint_checks = 0 */;
";

/// How triggers are made: a trigger keeps the mode in which it was made.
const MODE: &str = "ROLLBACK; SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';\n";

impl Attacker for Mysql {
    fn words(&self, sql: &str) -> String {
        sql.replace('"', "`")
    }

    fn columns(&self, table: &str) -> String {
        format!(
            "SELECT column_name, data_type FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = '{table}' ORDER BY ordinal_position"
        )
    }

    fn tables(&self) -> &'static str {
        // the table that keeps TRUNCATE away is a guard: nothing is ever in it
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() \
         AND table_type = 'BASE TABLE' AND table_name LIKE 'mledger%' \
         AND table_name <> 'mledger_no_truncate'"
    }

    fn shown(&self, column: &Column) -> String {
        match column.kind {
            ValueKind::Integer => format!("\"{}\"", column.name),
            ValueKind::Text | ValueKind::Bytes => format!("hex(\"{}\")", column.name),
        }
    }

    fn unguarded(&self, place: &dyn Database, sql: &str) -> Result<(), String> {
        let tables = "'mledger_events', 'mledger_objects', 'mledger_lease'";
        let triggers = place.ask(&format!(
            "SELECT trigger_name FROM information_schema.triggers \
             WHERE trigger_schema = DATABASE() AND event_object_table IN ({tables})"
        ));
        let touched = |name: &&str| {
            let table: Vec<&str> = name.splitn(3, '_').take(2).collect();
            sql.contains(&table.join("_"))
        };
        let triggers: Vec<&str> = triggers.lines().filter(touched).collect();
        let names: Vec<String> = triggers.iter().map(|name| format!("'{name}'")).collect();
        let definitions = place.ask(&format!(
            "SELECT CONCAT('CREATE TRIGGER ', trigger_name, ' ', action_timing, ' ', \
             event_manipulation, ' ON ', event_object_table, ' FOR EACH ROW ', action_statement, '$$') \
             FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
             AND trigger_name IN ({}, '')",
            names.join(", ")
        ));
        let drops: String = triggers
            .iter()
            .map(|name| format!("DROP TRIGGER IF EXISTS {name};\n"))
            .collect();
        let mend = format!("{MODE}DELIMITER $$\n{definitions}DELIMITER ;\n");
        let changed = place.run(&format!("{WEAKEN}{drops}BEGIN;\n{sql};\nCOMMIT;\n{mend}"));
        if changed.is_err() {
            let mended = place.run(&format!("{drops}{mend}"));
            assert_eq!(mended, Ok(()), "the guards are put back");
        }
        changed
    }

    fn removable(&self) -> &'static str {
        "SELECT trigger_name, CONCAT('DROP TRIGGER ', trigger_name) FROM information_schema.triggers \
         WHERE trigger_schema = DATABASE() \
         UNION ALL \
         SELECT table_name, CONCAT('DROP VIEW ', table_name) FROM information_schema.views \
         WHERE table_schema = DATABASE() \
         UNION ALL SELECT 'mledger_no_truncate', 'DROP TABLE mledger_no_truncate'"
    }

    fn hollow(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "mledger_events_no_update",
                "DROP TRIGGER mledger_events_no_update;
                 CREATE TRIGGER mledger_events_no_update BEFORE UPDATE ON mledger_events
                 FOR EACH ROW SET @nothing = 1",
            ),
            (
                // the right words at a time when nothing happens
                "mledger_lease_no_delete",
                "DROP TRIGGER mledger_lease_no_delete;
                 DELIMITER $$
                 CREATE TRIGGER mledger_lease_no_delete BEFORE INSERT ON mledger_lease FOR EACH ROW
BEGIN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the row of mledger_lease is freed, never deleted';
END$$
                 DELIMITER ;",
            ),
            (
                "mledger_no_truncate",
                "DROP TABLE mledger_no_truncate;
                 CREATE TABLE mledger_no_truncate (
                     event BIGINT, object VARBINARY(32), lease TINYINT) ENGINE = InnoDB",
            ),
            (
                "mledger_events (unique key `prev`)",
                "ALTER TABLE mledger_events DROP INDEX prev, ADD INDEX (prev)",
            ),
            (
                "mledger_objects (3 checks, expected 4)",
                "ALTER TABLE mledger_objects MODIFY size BIGINT NOT NULL",
            ),
            (
                "mledger_migration_history",
                "CREATE OR REPLACE VIEW mledger_migration_history AS SELECT 'all is well' AS outcome",
            ),
        ]
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "TRUNCATE mledger_events",
            "TRUNCATE mledger_objects",
            "TRUNCATE mledger_lease",
            "DROP TABLE mledger_events",
            "REPLACE INTO mledger_events SELECT * FROM mledger_events WHERE seq = 3",
            "UPDATE IGNORE mledger_events SET signature = REPEAT(X'00', 64)",
            "INSERT INTO mledger_events SELECT * FROM mledger_events WHERE seq = 3
             ON DUPLICATE KEY UPDATE line = X''",
            "REPLACE INTO mledger_objects SELECT digest, 1, 'raw', X'00' FROM mledger_objects",
            "INSERT INTO mledger_objects SELECT digest, 1, 'raw', X'00' FROM mledger_objects
             ON DUPLICATE KEY UPDATE content = X'00'",
            "REPLACE INTO mledger_lease (`only`, identity) VALUES (1, 'another')",
            "DELETE mledger_events FROM mledger_events JOIN mledger_lease ON 1 = 1",
            "SET sql_log_bin = 0, foreign_key_checks = 0, unique_checks = 0, sql_mode = '';
             DELETE FROM mledger_events",
        ]
    }

    fn dropping(&self, tables: &[&str]) -> String {
        format!(
            "SET foreign_key_checks = 0; DROP TABLE {};",
            tables.join(", ")
        )
    }

    fn dropping_the_rest(&self) -> &'static str {
        "SET foreign_key_checks = 0; DROP TABLE mledger_no_truncate; \
         DROP VIEW mledger_backup_history, mledger_migration_audit_log, mledger_migration_history, \
         mledger_migration_locks, mledger_migration_rollback_history, mledger_migration_versions"
    }

    fn swallowing(&self) -> &'static str {
        "CREATE TRIGGER a_swallow BEFORE INSERT ON mledger_events FOR EACH ROW SET NEW.line = X'00'"
    }

    fn harmless(&self) -> &'static [&'static str] {
        &[
            "OPTIMIZE TABLE mledger_events, mledger_objects, mledger_lease",
            "ANALYZE TABLE mledger_events",
            "ALTER TABLE mledger_events ROW_FORMAT = COMPRESSED",
            "ALTER TABLE mledger_events FORCE",
            "ALTER TABLE mledger_events DEFAULT CHARACTER SET latin1",
        ]
    }
}
