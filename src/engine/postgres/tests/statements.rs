//! Statements of scripts: their errors, their places, and what they leave.

use super::{BEGIN, Place, all};
use crate::engine::Fault;

#[tokio::test]
async fn an_error_has_its_code_its_words_and_its_place() {
    let place = Place::new();
    let mut session = place.writer().await;
    let sql = "SELECT 'ä😀', nonsense";
    let error = session.execute(sql).await.unwrap_err();
    assert_eq!(error.fault, Fault::Statement);
    assert_eq!(error.code.as_deref(), Some("42703"));
    assert_eq!(error.offset, sql.find("nonsense"));
    assert_eq!(error.message, "column \"nonsense\" does not exist");

    all(
        &mut *session,
        &["CREATE TABLE t (x int UNIQUE)", "CREATE VIEW v AS TABLE t"],
    )
    .await;
    let error = session.execute("DROP TABLE t").await.unwrap_err();
    assert!(
        error.message.contains("view v depends on table t"),
        "{error}"
    );
    assert!(
        error.message.contains("hint: Use DROP ... CASCADE"),
        "{error}"
    );
    let error = session
        .execute("INSERT INTO t VALUES (4711), (4711)")
        .await
        .unwrap_err();
    assert!(error.message.contains("Key (x) already exists"), "{error}");
    assert!(!error.message.contains("4711"), "{error}");
    let block = "DO $$ BEGIN\n  PERFORM 1;\n  PERFORM missing();\nEND $$";
    let error = session.execute(block).await.unwrap_err();
    assert!(error.message.contains("line 3 at PERFORM"), "{error}");
    assert_eq!(error.offset, None);
    let error = session
        .execute("SELECT 1\0; DROP TABLE t")
        .await
        .unwrap_err();
    assert_eq!(error.offset, Some(8));
}

#[tokio::test]
async fn an_index_that_could_not_be_built_is_a_part_that_is_left() {
    let place = Place::new();
    let mut session = place.writer().await;
    all(
        &mut *session,
        &["CREATE TABLE t (x int)", "INSERT INTO t VALUES (1), (1)"],
    )
    .await;
    let build = "CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (x)";
    let told = session.examine(build).await.unwrap();
    assert_eq!(told, ["the index t_x is not there"]);
    let error = session.execute(build).await.unwrap_err();
    assert_eq!(error.fault, Fault::Partial);
    let told = session.examine(build).await.unwrap();
    assert_eq!(told.first().unwrap(), "the index t_x is there and INVALID");
    assert!(
        told[1].contains("`DROP INDEX CONCURRENTLY public.t_x`"),
        "{told:?}"
    );

    all(
        &mut *session,
        &["DROP INDEX CONCURRENTLY public.t_x", "DELETE FROM t"],
    )
    .await;
    session.execute(build).await.unwrap();
    assert_eq!(
        session.examine(build).await.unwrap(),
        ["the index t_x is there and valid"]
    );
    // nothing is left of what failed before it began
    let error = session.execute(build).await.unwrap_err();
    assert_eq!(error.fault, Fault::Statement);
}

#[tokio::test]
async fn what_a_statement_names_is_looked_for() {
    let place = Place::new();
    let mut session = place.writer().await;
    all(
        &mut *session,
        &[
            "CREATE TYPE mood AS ENUM ('it''s')",
            "CREATE SCHEMA \"Shop\"",
            "CREATE TABLE \"Shop\".\"T\" (x int)",
        ],
    )
    .await;
    let database = place.name.clone();
    for (sql, expected) in [
        (
            "ALTER TYPE mood ADD VALUE 'it''s'",
            "the value 'it''s' of the type mood is there",
        ),
        (
            "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'new'",
            "the value 'new' of the type mood is not there",
        ),
        (
            "DROP TABLE IF EXISTS \"Shop\".\"T\"",
            "the table \"Shop\".\"T\" is there",
        ),
        (
            "CREATE TABLE IF NOT EXISTS t (x int)",
            "the table t is not there",
        ),
        (
            "DROP INDEX CONCURRENTLY IF EXISTS \"Shop\".i",
            "the index \"Shop\".i is not there",
        ),
        (
            &format!("CREATE DATABASE {database}"),
            &format!("the database {database} is there"),
        ),
        (
            "CREATE DATABASE mledger_no_such",
            "the database mledger_no_such is not there",
        ),
    ] {
        assert_eq!(session.examine(sql).await.unwrap(), [expected], "{sql}");
    }
    for sql in ["VACUUM", "CALL p()", "'", "CREATE INDEX ON t (x)", "CREATE"] {
        assert_eq!(session.examine(sql).await.unwrap(), [""; 0], "{sql}");
    }
}

#[tokio::test]
async fn a_lock_that_is_not_had_in_time_lets_the_transaction_be_repeated() {
    let place = Place::new();
    let (mut one, mut other) = (place.writer().await, place.writer().await);
    one.execute("CREATE TABLE t (x int)").await.unwrap();
    one.begin(&BEGIN).await.unwrap();
    one.execute("LOCK TABLE t").await.unwrap();
    let short = crate::engine::Begin {
        lock_timeout: Some(std::time::Duration::from_millis(30)),
        ..BEGIN
    };
    other.begin(&short).await.unwrap();
    let error = other
        .execute("ALTER TABLE t ADD COLUMN y int")
        .await
        .unwrap_err();
    assert_eq!(error.fault, Fault::Transient);
    other.rollback().await.unwrap();
    one.rollback().await.unwrap();
}

#[tokio::test]
async fn warnings_of_the_server_are_passed_on_and_notices_are_not() {
    let place = Place::new();
    let mut session = place.writer().await;
    let block = "DO $$ BEGIN RAISE WARNING 'mind, %', 7; RAISE NOTICE 'by the way'; \
                 RAISE WARNING 'again'; END $$";
    let executed = session.execute(block).await.unwrap();
    assert_eq!(executed.warnings, 2);
    assert_eq!(executed.messages, ["mind, 7", "again"]);
    let executed = session.execute("SELECT 1").await.unwrap();
    assert_eq!(executed.warnings, 0);
}

/// F53
#[tokio::test]
async fn rows_that_follow_a_copy_are_sent_to_it() {
    let place = Place::new();
    let mut session = place.writer().await;
    session
        .execute("CREATE TABLE t (x int, y text)")
        .await
        .unwrap();
    session.begin(&BEGIN).await.unwrap();
    let rows: String = (3..100_000).map(|x| format!("{x}\tq; \\\\\n")).collect();
    let copy = format!("COPY t (x, y) FROM stdin;\n1\ta\n2\t\\N\n{rows}\\.");
    session.execute(&copy).await.unwrap();
    assert!(session.in_transaction().await.unwrap());
    let whole = "SELECT count(*) = 99999 AND count(y) = 99998 AND min(y) = 'a' \
                 AND max(y) = E'q; \\\\' FROM t";
    assert!(session.holds(whole).await.unwrap());
    session.rollback().await.unwrap();

    // what the server refuses leaves a connection that goes on
    session.begin(&BEGIN).await.unwrap();
    let copy = "COPY t (x, y) FROM stdin;\n1\ta\nnone\tb\n\\.";
    let error = session.execute(copy).await.unwrap_err();
    assert_eq!(error.fault, Fault::Statement);
    assert_eq!(error.code.as_deref(), Some("22P02"));
    assert!(
        error.message.contains("COPY t, line 2, column x"),
        "{error}"
    );
    session.rollback().await.unwrap();
    let missing = session.execute("COPY missing FROM stdin;\n\\.").await;
    assert_eq!(missing.unwrap_err().code.as_deref(), Some("42P01"));
    assert!(session.holds("SELECT count(*) = 0 FROM t").await.unwrap());
    // one that comes without its rows is given none
    session.execute("COPY t FROM stdin").await.unwrap();
    assert!(session.holds("SELECT count(*) = 0 FROM t").await.unwrap());
}
