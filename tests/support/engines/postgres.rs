//! PostgreSQL: a database of its own on the server that the suites are given.

use super::servers::Postgres;
use super::{Kind, Leak, Secured, Store, Wire};
use mledger::adopt::Lock;

pub const POSTGRES: Kind = Kind {
    name: "postgres",
    fresh: || Box::new(Postgres::new()),
    of_project: |_| Box::new(Postgres::new()),
    transactional: true,
    slow: "INSERT INTO sink SELECT 1 FROM pg_sleep(600)",
    seconds: "SELECT pg_sleep(5);",
    endless: "SELECT pg_sleep(10000);",
    leaks: &[
        Leak {
            name: "another search path",
            script: "CREATE TABLE a (id INTEGER);\nSET search_path = pg_catalog;",
            later: "CREATE TABLE b (id INTEGER);\nINSERT INTO public.b VALUES (1);",
        },
        Leak {
            name: "no search path, as a dump sets it",
            script: "CREATE TABLE a (id INTEGER);\n\
                     SELECT pg_catalog.set_config('search_path', '', false);",
            later: "CREATE TABLE b (id INTEGER);",
        },
        Leak {
            name: "a search path set inside a block",
            script: "DO $$ BEGIN\n    PERFORM set_config('search_path', 'nowhere', false);\nEND $$;",
            later: "CREATE TABLE b (id INTEGER);",
        },
        Leak {
            name: "a search path set statement by statement",
            script: "-- mledger:no-transaction\nCREATE TABLE a (id INTEGER);\n\
                     SET search_path = nowhere;",
            later: "CREATE TABLE b (id INTEGER);",
        },
        Leak {
            name: "another role",
            script: "CREATE TABLE a (id INTEGER);\nSET ROLE pg_read_all_data;",
            later: "CREATE TABLE b (id INTEGER);",
        },
        Leak {
            name: "another session's authorization",
            script: "CREATE TABLE a (id INTEGER);\nSET SESSION AUTHORIZATION pg_read_all_data;",
            later: "CREATE TABLE b (id INTEGER);",
        },
        Leak {
            name: "a temporary table in the way of a real one",
            script: "CREATE TABLE a (id INTEGER);\nCREATE TEMP TABLE b (wrong INTEGER);",
            later: "CREATE TABLE b (id INTEGER);\nINSERT INTO b (id) VALUES (1);",
        },
        Leak {
            name: "an advisory lock",
            script: "CREATE TABLE a (id INTEGER);\nSELECT pg_advisory_lock(4711);",
            later: "CREATE TABLE proof (x BIGINT CHECK (x = 0));\nINSERT INTO proof SELECT count(*) \
                    FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND pid = \
                    pg_backend_pid();",
        },
        Leak {
            name: "a channel that is listened to",
            script: "CREATE TABLE a (id INTEGER);\nLISTEN shop;",
            later: "CREATE TABLE proof (x BIGINT CHECK (x = 0));\n\
                    INSERT INTO proof SELECT count(*) FROM pg_listening_channels();",
        },
        Leak {
            name: "backslashes in strings",
            script: "CREATE TABLE a (id INTEGER);\nSET standard_conforming_strings = off;",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 3));\n\
                    INSERT INTO proof SELECT length('a\\b');",
        },
        Leak {
            name: "transactions that may only read",
            script: "CREATE TABLE a (id INTEGER);\nSET default_transaction_read_only = on;",
            later: "CREATE TABLE b (id INTEGER);",
        },
        Leak {
            name: "transactions of another isolation",
            script: "CREATE TABLE a (id INTEGER);\n\
                     SET default_transaction_isolation = 'serializable';",
            later: "CREATE TABLE proof (x TEXT CHECK (x = 'read committed'));\nINSERT INTO proof \
                    SELECT current_setting('default_transaction_isolation');",
        },
        Leak {
            name: "a time limit on every statement",
            script: "CREATE TABLE a (id INTEGER);\nSET statement_timeout = '1ms';",
            later: "SELECT pg_sleep(0.05);",
        },
        Leak {
            name: "a prepared statement",
            script: "CREATE TABLE a (id INTEGER);\nPREPARE left_over AS SELECT 1;",
            later: "PREPARE left_over AS SELECT 2;\nDEALLOCATE left_over;",
        },
        Leak {
            name: "a cursor that outlives its transaction",
            script: "CREATE TABLE a (id INTEGER);\nDECLARE left_over CURSOR WITH HOLD FOR SELECT 1;",
            later: "DECLARE left_over CURSOR WITH HOLD FOR SELECT 2;\nCLOSE left_over;",
        },
        Leak {
            name: "triggers that do not fire",
            script: "CREATE TABLE a (id INTEGER);\nSET session_replication_role = replica;",
            later: "CREATE TABLE proof (x TEXT CHECK (x = 'origin'));\nINSERT INTO proof \
                    SELECT current_setting('session_replication_role');",
        },
        Leak {
            name: "another encoding of text",
            script: "CREATE TABLE a (id INTEGER);\nSET client_encoding = 'LATIN1';",
            later: "CREATE TABLE proof (x INTEGER CHECK (x = 1));\n\
                    INSERT INTO proof SELECT length('ä');",
        },
        Leak {
            name: "another form of bytes, dates and numbers",
            script: "CREATE TABLE a (id INTEGER);\nSET bytea_output = 'escape';\n\
                     SET DateStyle = 'German';\nSET TimeZone = 'Asia/Tokyo';",
            later: "CREATE TABLE proof (x TEXT CHECK (x = 'hex'));\n\
                    INSERT INTO proof SELECT current_setting('bytea_output');",
        },
    ],
    reaching: &[
        "DELETE FROM mledger.events;",
        "UPDATE mledger.events SET line = '\\x00';",
        "TRUNCATE mledger.events CASCADE;",
        "DROP TABLE mledger.events CASCADE;",
        "DROP TABLE mledger.lease CASCADE;",
        "DROP SCHEMA mledger CASCADE;",
        "UPDATE mledger.lease SET token = NULL;",
    ],
    databases: Some("SELECT datname FROM pg_database ORDER BY 1"),
    drops_index: "DROP INDEX i",
    unclosed: "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS $$ SELECT 1;",
    wrappings: &[
        ("BEGIN;", "COMMIT;"),
        ("BEGIN TRANSACTION;", "COMMIT TRANSACTION;"),
        (
            "-- a comment\nBEGIN ISOLATION LEVEL SERIALIZABLE;",
            "END;\n-- and another",
        ),
        ("start transaction;", "commit work"),
    ],
    end_commits: true,
    words_in_bodies: "CREATE TABLE a (id INTEGER, note TEXT DEFAULT 'COMMIT;');
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    new.note := CASE WHEN new.id > 0 THEN 'COMMIT; END;' ELSE '' END;
    RETURN new;
END;
$body$;
CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
INSERT INTO a (id) VALUES (2);",
    definitions: "
SELECT 'relation', n.nspname, c.relname, c.relkind,
    coalesce(string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull), ', ' ORDER BY a.attnum), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname NOT IN ('mledger', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
GROUP BY n.nspname, c.relname, c.relkind
UNION ALL
SELECT 'function', n.nspname, p.proname, p.prokind, pg_get_function_identity_arguments(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('mledger', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY 1, 2, 3, 4, 5",
    tables: "SELECT schemaname, tablename FROM pg_tables \
             WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2",
    fixtures: "postgres",
    corpora: &["atuin-server", "minder", "graph-node"],
    store: Store {
        events: "mledger.events",
        objects: "mledger.objects",
        lease: "mledger.lease",
        rows: "SELECT seq, encode(line, 'hex'), encode(signature, 'hex'), encode(prev, 'hex'), \
               encode(hash, 'hex') FROM mledger.events ORDER BY seq",
    },
    holding: Some(
        "BEGIN; ALTER TABLE t2 ADD COLUMN held INTEGER; SELECT pg_sleep(7); \
         ROLLBACK;",
    ),
    takes_lock: Some(|lock| match lock {
        Lock::Number(number) => Some(format!("SELECT pg_advisory_lock({number})")),
        Lock::Name(_) | Lock::Row { .. } => None,
    }),
    wire: Some(Wire::Letters),
    secured: Some(Secured {
        fresh: || Box::new(Postgres::secured()),
        mode: "sslmode",
        authority: "sslrootcert",
        disabled: "disable",
        required: "require",
        verify_authority: "verify-ca",
        verify_all: "verify-full",
        proof: "SELECT ssl::INTEGER FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    }),
};
