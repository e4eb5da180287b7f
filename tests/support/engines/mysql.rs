//! MySQL and MariaDB: a database of its own on the server that the suites are given.

use super::servers::Mysql;
use super::{Kind, Leak, Secured, Store, Wire};
use mledger::adopt::Lock;

pub const MYSQL: Kind = Kind {
    name: "mysql",
    fresh: || Box::new(Mysql::new()),
    of_project: |_| Box::new(Mysql::new()),
    transactional: false,
    slow: "INSERT INTO sink SELECT SLEEP(600)",
    seconds: "SELECT SLEEP(5);",
    endless: "INSERT INTO effects SELECT '2', 9 FROM (SELECT SLEEP(10000) AS n) AS slow WHERE n > 7;",
    leaks: &[
        Leak {
            name: "double quotes around names",
            script: "CREATE TABLE a (id INTEGER);\nSET sql_mode = 'ANSI_QUOTES';",
            later: "CREATE TABLE proof (x TEXT);\nINSERT INTO proof VALUES (\"text\");",
        },
        Leak {
            name: "no backslashes in strings",
            script: "CREATE TABLE a (id INTEGER);\nSET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES';",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT LENGTH('\\n');",
        },
        Leak {
            name: "another database",
            script: "CREATE TABLE a (id INTEGER);\nUSE information_schema;",
            later: "CREATE TABLE b (id INTEGER);",
        },
        Leak {
            name: "statements that do not commit",
            script: "CREATE TABLE a (id INTEGER);\nSET autocommit = 0;",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT @@autocommit;",
        },
        Leak {
            name: "a temporary table in the way of a real one",
            script: "CREATE TABLE a (id INTEGER);\nCREATE TEMPORARY TABLE b (wrong INTEGER);",
            later: "CREATE TABLE b (id INTEGER);\nINSERT INTO b (id) VALUES (1);",
        },
        Leak {
            name: "foreign keys that are not checked",
            script: "CREATE TABLE a (id INTEGER);\nSET foreign_key_checks = 0;",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT @@foreign_key_checks;",
        },
        Leak {
            name: "a variable",
            script: "CREATE TABLE a (id INTEGER);\nSET @left_over = 1;",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT @left_over IS NULL;",
        },
        Leak {
            name: "a lock by name",
            script: "CREATE TABLE a (id INTEGER);\nSELECT GET_LOCK(CONCAT(DATABASE(), '.left'), 0);",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\nINSERT INTO proof SELECT \
                    coalesce(IS_USED_LOCK(CONCAT(DATABASE(), '.left')) <> CONNECTION_ID(), 1);",
        },
        Leak {
            name: "another time zone",
            script: "CREATE TABLE a (id INTEGER);\nSET time_zone = '+05:00';",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT @@session.time_zone = @@global.time_zone;",
        },
        Leak {
            name: "transactions of another isolation",
            script: "CREATE TABLE a (id INTEGER);\n\
                     SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT @@session.tx_isolation = @@global.tx_isolation;",
        },
        Leak {
            name: "transactions that may only read",
            script: "CREATE TABLE a (id INTEGER);\nSET SESSION TRANSACTION READ ONLY;",
            later: "INSERT INTO a VALUES (1);",
        },
        Leak {
            name: "another encoding of text",
            script: "CREATE TABLE a (id INTEGER);\nSET NAMES latin1;",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT CHAR_LENGTH('ä');",
        },
        Leak {
            name: "a limit on the rows of every query",
            script: "CREATE TABLE a (id INTEGER);\nSET sql_select_limit = 1;",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT @@session.sql_select_limit = @@global.sql_select_limit;",
        },
    ],
    reaching: &[
        "DELETE FROM mledger_events;",
        "UPDATE mledger_events SET line = X'00';",
        "UPDATE mledger_lease SET token = NULL;",
    ],
    databases: Some("SELECT schema_name FROM information_schema.schemata ORDER BY 1"),
    drops_index: "DROP INDEX i ON a",
    unclosed: "CREATE TRIGGER t AFTER INSERT ON one FOR EACH ROW BEGIN SELECT 1;",
    wrappings: &[
        ("BEGIN;", "COMMIT;"),
        ("START TRANSACTION;", "COMMIT WORK;"),
        ("-- a comment\nBEGIN WORK;", "COMMIT;\n-- and another"),
        ("begin;", "commit"),
    ],
    end_commits: false,
    words_in_bodies: "CREATE TABLE a (id INTEGER, note VARCHAR(20) DEFAULT 'COMMIT;');
CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN
    SET new.note = CASE WHEN new.id > 0 THEN 'COMMIT; END;' ELSE '' END;
END;
INSERT INTO a (id) VALUES (2);",
    definitions: "
SELECT 'column', table_name, ordinal_position, column_name, column_type, is_nullable, column_key
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name NOT LIKE 'mledger\\_%'
UNION ALL
SELECT 'index', table_name, seq_in_index, index_name, column_name, non_unique, ''
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name NOT LIKE 'mledger\\_%'
UNION ALL
SELECT 'view', table_name, 0, '', '', '', '' FROM information_schema.views
WHERE table_schema = DATABASE() AND table_name NOT LIKE 'mledger\\_%'
UNION ALL
SELECT 'trigger', event_object_table, 0, trigger_name, '', '', '' FROM information_schema.triggers
WHERE trigger_schema = DATABASE() AND event_object_table NOT LIKE 'mledger\\_%'
UNION ALL
SELECT 'routine', routine_name, 0, routine_type, '', '', '' FROM information_schema.routines
WHERE routine_schema = DATABASE() AND routine_name NOT LIKE 'mledger\\_%'
ORDER BY 1, 2, 3, 4",
    tables: "SELECT table_name FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY 1",
    fixtures: "mysql",
    corpora: &["gophish-mysql"],
    store: Store {
        events: "mledger_events",
        objects: "mledger_objects",
        lease: "mledger_lease",
        rows: "SELECT seq, hex(line), hex(signature), hex(prev), hex(hash) FROM mledger_events \
               ORDER BY seq",
    },
    holding: Some("CREATE TABLE held AS SELECT SLEEP(7) AS n; DROP TABLE held;"),
    takes_lock: Some(|lock| match lock {
        Lock::Name(name) => Some(format!("SELECT GET_LOCK('{name}', 0)")),
        Lock::Number(_) | Lock::Row { .. } => None,
    }),
    wire: Some(Wire::Packets),
    secured: Some(Secured {
        fresh: || Box::new(Mysql::secured()),
        mode: "ssl-mode",
        authority: "ssl-ca",
        disabled: "disabled",
        required: "required",
        verify_authority: "verify-ca",
        verify_all: "verify-identity",
        proof: "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS \
                WHERE VARIABLE_NAME = 'Ssl_cipher'",
    }),
};
