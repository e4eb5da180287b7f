//! How PostgreSQL's scripts are cut.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn statements(text: &str) -> Vec<&str> {
    Pieces::new(text, 0..text.len(), &POSTGRES)
        .filter_map(|piece| piece.unwrap().statement)
        .map(|range| &text[range])
        .collect()
}

fn class(text: &str) -> Class {
    let mut pieces = Pieces::new(text, 0..text.len(), &POSTGRES);
    let class = pieces.next().unwrap().unwrap().class;
    assert!(pieces.next().is_none(), "one statement: {text}");
    class
}

#[track_caller]
fn is_one(text: &str) {
    assert_eq!(
        statements(&format!("{text};\nSELECT 1")),
        [text, "SELECT 1"]
    );
}

#[test]
fn comments_nest() {
    assert_eq!(
        statements("/* a /* ; */ ; */ SELECT 1 /* /*/ */ ; */; -- ;\nSELECT 2"),
        ["SELECT 1", "SELECT 2"]
    );
    is_one("SELECT 1 --1;\n + 2 # 3");
}

#[test]
fn strings_between_dollar_signs_hide_all() {
    is_one("SELECT $$a;'$$");
    is_one("DO $do$ BEGIN PERFORM $$;$$, $x$ $do $ ; $x$; END $do$");
    is_one("SELECT $é$;$é$");
    is_one("SELECT a$b$c, d$$");
    is_one("EXECUTE x($1, $2)");
    assert_eq!(statements("SELECT $1$;$1$"), ["SELECT $1$", "$1$"]);
    // inside of a comment it opens nothing
    assert_eq!(statements("/* $$ */ SELECT 1; -- $$\nSELECT 2").len(), 2);
}

#[test]
fn backslashes_escape_where_the_string_says_so() {
    is_one(r"SELECT E'\';', e'a\\', '\', 'b;'");
    is_one(r"SELECT U&'\', N'\', B'1;', X'3b;', U&'d\0061t;'");
    is_one("SELECT E'a'\n  -- ;\n '\\';'");
    is_one(r"SELECT te'a\', ';'");
}

#[test]
fn backslashes_escape_where_the_script_says_so() {
    for off in [
        "SET standard_conforming_strings = off",
        "set session standard_conforming_strings to 'off'",
        "SET LOCAL \"standard_conforming_strings\" = 'false'",
    ] {
        let text = format!(
            "{off}; SELECT '\\';'; SET standard_conforming_strings = on; SELECT '\\'; SELECT 2"
        );
        assert_eq!(statements(&text).len(), 5, "{text}");
        let text = format!("{off}; RESET ALL; SELECT '\\'; SELECT 2");
        assert_eq!(statements(&text).len(), 4, "{text}");
    }
}

#[test]
fn what_is_in_parentheses_ends_nothing() {
    is_one("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2;)");
    let open = "SELECT 1; SELECT (2; SELECT 3";
    let last = Pieces::new(open, 0..open.len(), &POSTGRES).last().unwrap();
    assert_eq!(last.unwrap_err().offset, 17);
}

#[test]
fn a_body_that_begins_atomic_is_part_of_its_statement() {
    is_one(
        "CREATE FUNCTION f(a int) RETURNS int\nBEGIN ATOMIC\n SELECT 1 AS end; SELECT CASE WHEN a > 1 \
         THEN (CASE a WHEN 2 THEN 3 END) END;\n SELECT t.case FROM t; /* END */ END",
    );
    is_one(
        "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (1); END",
    );
    is_one("CREATE FUNCTION f() RETURNS int RETURN 1");
    is_one("CREATE FUNCTION fn_atomic() RETURNS int AS 'SELECT 1 AS pending' LANGUAGE sql");
    let open = "SELECT 1; CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;";
    let last = Pieces::new(open, 0..open.len(), &POSTGRES).last().unwrap();
    assert_eq!(last.unwrap_err().offset, 10);
}

#[test]
fn data_are_part_of_the_statement_before_them() {
    let data = "1\tit's; $$\n-- DOWN\n\\\\.\n \\.\n(/*\n";
    for (command, end) in [
        ("COPY public.t (a, \"from\") FROM stdin", "\n"),
        ("copy t from STDIN with (format csv, delimiter ';')", "\r\n"),
    ] {
        let copy = format!("{command};{end}{data}\\.");
        let text = format!("-- x\n{copy}{end}\nSELECT 2;\n");
        assert_eq!(statements(&text), [copy.as_str(), "SELECT 2"]);
        assert_eq!(copy_data(&copy), Some((command, data)));
    }
    assert_eq!(
        copy_data("COPY t FROM STDIN ;\n\\."),
        Some(("COPY t FROM STDIN", ""))
    );
    assert_eq!(
        copy_data("COPY t FROM STDIN"),
        Some(("COPY t FROM STDIN", ""))
    );
    let open = "COPY t FROM STDIN;\n1\n2\n";
    assert_eq!(statements(open), [open]);
    assert_eq!(copy_data(open), Some(("COPY t FROM STDIN", "1\n2\n")));
    for other in [
        "COPY t TO STDOUT",
        "COPY t FROM 'stdin'",
        "COPY (SELECT 1 FROM stdin) TO STDOUT",
        "SELECT 1 FROM stdin",
    ] {
        is_one(other);
        assert_eq!(copy_data(other), None, "{other}");
    }
    let behind = "COPY t FROM STDIN; SELECT 1;\n1\n\\.\n";
    assert!(Pieces::new(behind, 0..behind.len(), &POSTGRES).any(|piece| piece.is_err()));
}

#[test]
fn what_dumps_say_to_psql_is_left_out() {
    assert_eq!(
        statements("\\restrict aB'c\n\nSELECT 1;\n\\unrestrict aB'c\n"),
        ["SELECT 1"]
    );
}

#[test]
fn first_words_tell_about_transactions() {
    use Control::{Begin, Commit, Release, Rollback, Savepoint};
    for (text, control) in [
        ("BEGIN ISOLATION LEVEL SERIALIZABLE", Begin),
        ("start transaction", Begin),
        ("COMMIT WORK", Commit),
        ("END", Commit),
        ("COMMIT AND NO CHAIN", Commit),
        ("COMMIT AND CHAIN", Rollback),
        ("END TRANSACTION AND CHAIN", Rollback),
        ("ABORT", Rollback),
        ("ROLLBACK TO a", Rollback),
        ("PREPARE TRANSACTION 'a'", Rollback),
        ("COMMIT PREPARED 'a'", Rollback),
        ("ROLLBACK PREPARED 'a'", Rollback),
        ("SAVEPOINT a", Savepoint),
        ("RELEASE a", Release),
    ] {
        assert_eq!(class(text), Class::TransactionControl(control), "{text}");
    }
}

#[test]
fn first_words_tell_what_cannot_run_in_a_transaction() {
    for text in [
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "create unique index concurrently if not exists i on t (a)",
        "DROP INDEX CONCURRENTLY IF EXISTS i",
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
        "REINDEX (VERBOSE) DATABASE d",
        "REINDEX SCHEMA s",
        "VACUUM FULL t",
        "CREATE DATABASE d",
        "DROP TABLESPACE s",
        "ALTER SYSTEM SET a = 1",
        "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
        "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
        "ALTER DATABASE d SET TABLESPACE t",
        "CLUSTER",
        "CLUSTER VERBOSE",
        "ALTER TABLE ONLY s.t DETACH PARTITION s.p CONCURRENTLY",
    ] {
        assert_eq!(class(text), Class::NotInTransaction, "{text}");
    }
    for text in [
        "CREATE INDEX \"concurrently\" ON t (a)",
        "DROP INDEX i",
        "REINDEX TABLE t",
        "CREATE DATABASES",
        "ALTER DATABASE d SET a = 1",
        "CLUSTER t USING i",
        "ALTER TABLE t DETACH PARTITION p",
        "ALTER TABLE t DETACH PARTITION p FINALIZE",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "ALTER TYPE t ADD VALUE 'a'",
        "CHECKPOINT",
        "LOCK TABLE t",
        "COPY t FROM STDIN",
        "EXPLAIN VACUUM",
        "CALL p()",
    ] {
        assert_eq!(class(text), Class::Ordinary, "{text}");
    }
}

#[test]
fn words_tell_what_changes_the_session() {
    for text in [
        "SET search_path = a",
        "SET ROLE r",
        "SET SESSION AUTHORIZATION r",
        "SET TRANSACTION READ ONLY",
        "RESET ALL",
        "DISCARD TEMP",
        "CREATE TEMP TABLE t (a int)",
        "create local temporary table t (a int)",
        "CREATE OR REPLACE TEMP VIEW v AS SELECT 1",
        "CREATE TABLE pg_temp.t (a int)",
        "SELECT 1 INTO TEMP t",
        "PREPARE p AS SELECT 1",
        "DEALLOCATE p",
        "LISTEN a",
        "LOAD 'x'",
        "DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT 1",
        "SELECT pg_catalog.set_config('search_path', '', false)",
        "SELECT pg_advisory_lock(1)",
        "DO $$ BEGIN PERFORM set_config('a.b', 'c', false); END $$",
    ] {
        assert_eq!(class(text), Class::Session, "{text}");
    }
    assert_eq!(class("DISCARD ALL"), Class::SessionNotInTransaction);
    for text in [
        "SET LOCAL search_path = a",
        "SET CONSTRAINTS ALL DEFERRED",
        "DECLARE c CURSOR FOR SELECT 1",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT 'set_config'",
        "CREATE TABLE temp (a int)",
        "CREATE FUNCTION f() RETURNS void BEGIN ATOMIC SELECT set_config('a.b', 'c', false); END",
        "DO $$ BEGIN PERFORM 1; END $$",
    ] {
        assert_eq!(class(text), Class::Ordinary, "{text}");
    }
}

#[test]
fn queries_are_told_from_what_writes() {
    for query in [
        "SELECT 1",
        "TABLE t",
        "VALUES (1)",
        "WITH a AS MATERIALIZED (SELECT 1) SELECT * FROM a",
        "SELECT (SELECT 1 FROM t)",
    ] {
        assert!(POSTGRES.only_reads(query), "{query}");
    }
    for other in [
        "WITH a AS (SELECT 1) MERGE INTO t USING a ON true WHEN MATCHED THEN DELETE",
        "WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a",
        "WITH a AS NOT MATERIALIZED (INSERT INTO t VALUES (1) RETURNING 1) TABLE a",
        "SELECT 1 INTO t",
        "CALL p()",
        "SET a = 1",
    ] {
        assert!(!POSTGRES.only_reads(other), "{other}");
    }
}
