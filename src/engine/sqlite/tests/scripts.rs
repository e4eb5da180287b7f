//! What scripts run: statements, transactions, interrupts, and the session afterwards.

use std::time::{Duration, Instant};

use super::{BEGIN, Place, all};
use crate::engine::{Begin, Fault};

const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                       SELECT count(*) FROM n";

#[tokio::test]
async fn errors_carry_code_and_place() {
    let place = Place::new();
    let mut session = place.writer().await;
    all(
        &mut *session,
        &["CREATE TABLE t (x UNIQUE)", "INSERT INTO t VALUES (1)"],
    )
    .await;
    let cases = [
        (
            "INSERT INTO t VALUES (1)",
            "SQLITE_CONSTRAINT_UNIQUE (2067)",
            None,
        ),
        (
            "SELECT 'é', emial FROM t",
            "SQLITE_ERROR (1)",
            Some("emial"),
        ),
        (
            "SELECT * FROM main.missing",
            "SQLITE_ERROR (1)",
            Some("missing"),
        ),
        (
            "INSERT INTO t (x, y) VALUES (1, 2)",
            "SQLITE_ERROR (1)",
            Some("y)"),
        ),
        ("SELEC 1", "SQLITE_ERROR (1)", Some("SELEC")),
        (
            "SELECT (1), (2)) FROM t WHERE (1)",
            "SQLITE_ERROR (1)",
            Some(") FROM"),
        ),
        (
            "SELECT x, x, , x FROM t",
            "SQLITE_ERROR (1)",
            Some(", x FROM"),
        ),
        // in doubt nothing is said
        ("SELECT y, y FROM t", "SQLITE_ERROR (1)", None),
    ];
    for (sql, code, place) in cases {
        let error = session.execute(sql).await.unwrap_err();
        assert_eq!(error.fault, Fault::Statement, "{sql}");
        assert_eq!(error.code.as_deref(), Some(code), "{sql}");
        assert_eq!(
            error.offset,
            place.and_then(|text| sql.rfind(text)),
            "{sql}: {error}"
        );
    }
    let unfinished = session.execute("SELECT (1").await.unwrap_err();
    assert_eq!(unfinished.message, "incomplete input");
    assert_eq!(unfinished.offset, Some(9));
}

#[tokio::test]
async fn a_nul_is_refused_instead_of_what_follows_being_left_out() {
    let place = Place::new();
    let mut session = place.writer().await;
    let refused = session
        .execute("CREATE TABLE a (x); \0 CREATE TABLE b (x)")
        .await
        .unwrap_err();
    assert_eq!(refused.offset, Some(20));
    assert!(
        session
            .holds("SELECT count(*) = 0 FROM sqlite_schema")
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_check_holds_where_its_one_row_begins_with_what_sqlite_takes_for_true() {
    let place = Place::new();
    let mut session = place.writer().await;
    for (sql, expected) in [
        ("SELECT 1", true),
        ("SELECT 0", false),
        ("SELECT -1, 0", true),
        ("SELECT 0.5", true),
        ("SELECT 0.0", false),
        ("SELECT NULL", false),
        ("SELECT '1'", true),
        ("SELECT 'true'", false),
        ("SELECT x'31'", true),
        ("SELECT 1 WHERE 0", false),
        ("SELECT 1 UNION ALL SELECT 1", false),
    ] {
        assert_eq!(session.holds(sql).await, Ok(expected), "{sql}");
    }
    assert!(session.holds("SELECT x FROM missing").await.is_err());
}

#[tokio::test]
async fn a_check_cannot_write_and_leaves_the_session_writing() {
    let place = Place::new();
    let mut session = place.writer().await;
    session.execute("CREATE TABLE t (x)").await.unwrap();
    session.begin(&BEGIN).await.unwrap();
    for sql in [
        "INSERT INTO t VALUES (1) RETURNING 1",
        "WITH one(x) AS (SELECT 1) INSERT INTO t SELECT x FROM one RETURNING 1",
        "CREATE TABLE u AS SELECT 1",
        "SELECT x FROM missing",
    ] {
        assert!(session.holds(sql).await.is_err(), "{sql}");
        assert!(session.in_transaction().await.unwrap(), "{sql}");
    }
    assert!(session.holds("SELECT count(*) = 0 FROM t").await.unwrap());
    session.execute("INSERT INTO t VALUES (1)").await.unwrap();
    session.commit().await.unwrap();
    let mut reader = place.reader().await;
    assert!(reader.holds("SELECT count(*) = 1 FROM t").await.unwrap());
    assert!(reader.execute("DELETE FROM t").await.is_err());
}

#[tokio::test]
async fn a_transaction_keeps_schema_and_data_together() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    all(
        &mut *session,
        &["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"],
    )
    .await;
    assert!(session.in_transaction().await.unwrap());
    session.rollback().await.unwrap();
    assert!(!session.in_transaction().await.unwrap());
    assert!(session.execute("SELECT * FROM t").await.is_err());
    session.rollback().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_a_script_ended_is_not_ours_any_more() {
    let place = Place::with_store().await;
    for script in [
        &["CREATE TABLE a (x)", "COMMIT"][..],
        &["CREATE TABLE b (x)", "COMMIT", "BEGIN IMMEDIATE"],
        &["CREATE TABLE c (x)", "ROLLBACK", "BEGIN"],
        &["CREATE TABLE d (x)", "ROLLBACK"],
    ] {
        let mut session = place.writer().await;
        session.begin(&BEGIN).await.unwrap();
        all(&mut *session, script).await;
        assert!(!session.in_transaction().await.unwrap(), "{script:?}");
        session.rollback().await.unwrap();
        session.begin(&BEGIN).await.unwrap();
        assert!(session.in_transaction().await.unwrap());
        all(
            &mut *session,
            &["SAVEPOINT s", "CREATE TABLE e (x)", "ROLLBACK TO s"],
        )
        .await;
        assert!(
            session.in_transaction().await.unwrap(),
            "a savepoint ends nothing"
        );
        session.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn an_error_that_rolls_the_transaction_back_is_noticed() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    all(&mut *session, &["CREATE TABLE t (x UNIQUE)"]).await;
    session.begin(&BEGIN).await.unwrap();
    all(&mut *session, &["INSERT INTO t VALUES (1)"]).await;
    let refused = session
        .execute("INSERT OR ROLLBACK INTO t VALUES (1)")
        .await;
    assert!(refused.is_err());
    assert!(!session.in_transaction().await.unwrap());
    session.rollback().await.unwrap();
    assert!(session.commit().await.is_err(), "nothing is left to commit");
}

#[tokio::test]
async fn a_long_statement_is_interrupted_and_the_session_goes_on() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    all(&mut *session, &["CREATE TABLE t (x)"]).await;
    let interrupter = session.interrupter();
    let (asked, when) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        interrupter.interrupt();
        asked.send(Instant::now()).unwrap();
    });
    let stopped = session.execute(ENDLESS).await.unwrap_err();
    assert_eq!(stopped.fault, Fault::Interrupted);
    assert!(when.await.unwrap().elapsed() < Duration::from_secs(1));

    // until it is resumed nothing of a script starts, and what is ours works
    let next = session.execute("SELECT 1").await.unwrap_err();
    assert_eq!(next.fault, Fault::Interrupted);
    session.rollback().await.unwrap();
    session.begin(&BEGIN).await.unwrap();
    super::append_note(&mut *session).await;
    session.commit().await.unwrap();
    session.resume();
    assert!(session.holds("SELECT 1").await.unwrap());
    assert!(session.execute("SELECT * FROM t").await.is_err());
}

/// F16
#[tokio::test]
async fn waiting_for_another_writer_is_bounded_and_interruptible() {
    let place = Place::with_store().await;
    let (mut one, mut other) = (place.writer().await, place.writer().await);
    one.begin(&BEGIN).await.unwrap();
    let bounded = Begin {
        lock_timeout: Some(Duration::from_millis(300)),
        ..BEGIN
    };
    let start = Instant::now();
    let busy = other.begin(&bounded).await.unwrap_err();
    assert_eq!(busy.fault, Fault::Busy);
    assert!(start.elapsed() >= Duration::from_millis(290));
    assert!(start.elapsed() < Duration::from_secs(3));

    other.interrupter().interrupt();
    let stopped = other.begin(&BEGIN).await.unwrap_err();
    assert_eq!(stopped.fault, Fault::Interrupted);
    other.resume();
    one.rollback().await.unwrap();
    other.begin(&bounded).await.unwrap();
}

#[tokio::test]
async fn a_dropped_session_frees_the_database() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut other = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    let cut = tokio::time::timeout(Duration::from_millis(200), session.execute(ENDLESS)).await;
    assert!(cut.is_err());
    drop(session);
    other.begin(&BEGIN).await.unwrap();
}

#[tokio::test]
async fn reset_forgets_whatever_a_script_did_to_the_session() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    for script in [
        &["PRAGMA foreign_keys = OFF"][..],
        &["PRAGMA query_only = ON"],
        &["PRAGMA recursive_triggers = ON", "PRAGMA synchronous = OFF"],
        &["PRAGMA locking_mode = EXCLUSIVE", "CREATE TABLE t (x)"],
        &["CREATE TEMP TABLE t (x)"],
        &["ATTACH ':memory:' AS extra"],
        &["BEGIN", "CREATE TABLE u (x)"],
        &["BEGIN", "PRAGMA defer_foreign_keys = ON"],
    ] {
        all(&mut *session, script).await;
        session.reset().await.unwrap();
        for check in [
            "SELECT foreign_keys = 1 FROM pragma_foreign_keys",
            "SELECT recursive_triggers = 0 FROM pragma_recursive_triggers",
            "SELECT synchronous = 2 FROM pragma_synchronous",
            "SELECT defer_foreign_keys = 0 FROM pragma_defer_foreign_keys",
            "SELECT timeout = 5000 FROM pragma_busy_timeout",
            "SELECT count(*) = 0 FROM sqlite_temp_schema",
            "SELECT count(*) = 0 FROM pragma_database_list WHERE name NOT IN ('main', 'temp')",
            "SELECT count(*) = 0 FROM sqlite_schema WHERE name = 'u'",
        ] {
            assert!(session.holds(check).await.unwrap(), "{script:?}: {check}");
        }
        all(&mut *session, &["CREATE TABLE v (x)", "DROP TABLE v"]).await;
        // others can write again
        let mut other = place.writer().await;
        other.begin(&BEGIN).await.unwrap();
        other.rollback().await.unwrap();
    }
    // the interrupter of before the reset still reaches the session
    let interrupter = session.interrupter();
    all(&mut *session, &["PRAGMA foreign_keys = OFF"]).await;
    session.reset().await.unwrap();
    interrupter.interrupt();
    let stopped = session.execute("SELECT 1").await.unwrap_err();
    assert_eq!(stopped.fault, Fault::Interrupted);
}
