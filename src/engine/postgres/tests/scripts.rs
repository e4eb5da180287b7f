//! What scripts do to their session, and that nothing of it is left.

use std::time::{Duration, Instant};

use super::{BEGIN, Log, Place, all};
use crate::engine::{Fault, Session};

/// Statements that change their session, and a query that is true where nothing was changed.
const LEAKS: [(&str, &str); 17] = [
    (
        "SET search_path = pg_catalog",
        "SELECT current_setting('search_path') LIKE '%public'",
    ),
    (
        "SET LOCAL search_path = pg_catalog",
        "SELECT current_setting('search_path') LIKE '%public'",
    ),
    ("SET ROLE pg_monitor", "SELECT current_user = session_user"),
    (
        "SET SESSION AUTHORIZATION pg_monitor",
        "SELECT session_user <> 'pg_monitor'",
    ),
    (
        "CREATE TEMP TABLE scratch (x int)",
        "SELECT to_regclass('scratch') IS NULL",
    ),
    (
        "SELECT pg_advisory_lock(4711)",
        "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    ),
    (
        "LISTEN shop",
        "SELECT count(*) = 0 FROM pg_listening_channels()",
    ),
    (
        "PREPARE p AS SELECT 1",
        "SELECT count(*) = 0 FROM pg_prepared_statements",
    ),
    (
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "SELECT count(*) = 0 FROM pg_cursors WHERE name = 'c'",
    ),
    (
        "SET session_replication_role = replica",
        "SELECT current_setting('session_replication_role') = 'origin'",
    ),
    (
        "SET standard_conforming_strings = off",
        "SELECT length('a\\b') = 3",
    ),
    (
        "SET TimeZone = 'Asia/Tokyo'",
        "SELECT current_setting('TimeZone') = 'Europe/Paris'",
    ),
    (
        "SET DateStyle = 'German'",
        "SELECT current_setting('DateStyle') = 'ISO, MDY'",
    ),
    (
        "SET statement_timeout = '1ms'",
        "SELECT pg_sleep(0.02) IS NOT NULL",
    ),
    (
        "SET default_transaction_isolation = serializable",
        "SELECT current_setting('default_transaction_isolation') = 'read committed'",
    ),
    ("SET client_encoding = LATIN1", "SELECT length('ä') = 1"),
    (
        "SET tcp_keepalives_idle = 7",
        "SELECT current_setting('tcp_keepalives_idle') = '30'",
    ),
];

async fn place_and_session() -> (Place, Box<dyn Session>) {
    let place = Place::with_store().await;
    place.ask(&format!(
        "ALTER DATABASE {} SET TimeZone = 'Europe/Paris'",
        place.name
    ));
    let session = place.writer().await;
    (place, session)
}

#[tokio::test]
async fn what_a_script_did_to_its_session_ends_with_its_part_of_the_transaction() {
    let (_place, mut session) = place_and_session().await;
    let mut log = Log::new();
    for (leak, clean) in LEAKS {
        session.begin(&BEGIN).await.unwrap();
        session.execute(leak).await.unwrap();
        session
            .settle()
            .await
            .unwrap_or_else(|error| panic!("{leak}: {error}"));
        let path = "SET LOCAL search_path TO DEFAULT";
        session.execute(path).await.unwrap();
        session
            .execute("SET LOCAL statement_timeout = 0")
            .await
            .unwrap();
        assert!(
            session.holds(clean).await.unwrap(),
            "{leak}, in its transaction"
        );
        session.append(&[log.note()]).await.unwrap();
        session.commit().await.unwrap();
        assert!(
            session.holds(clean).await.unwrap(),
            "{leak}, after its commit"
        );
    }
}

#[tokio::test]
async fn what_a_script_did_to_its_session_outside_of_a_transaction_ends_with_a_reset() {
    let (_place, mut session) = place_and_session().await;
    for (leak, clean) in LEAKS {
        session.execute(leak).await.unwrap();
        session
            .reset()
            .await
            .unwrap_or_else(|error| panic!("{leak}: {error}"));
        assert!(session.holds(clean).await.unwrap(), "{leak}");
    }
}

#[tokio::test]
async fn nothing_that_a_script_set_keeps_us_from_recording() {
    let (place, mut session) = place_and_session().await;
    let mut log = Log::new();
    place.ask("CREATE SCHEMA evil; CREATE TABLE evil.events (seq bigint)");
    for leak in LEAKS.iter().map(|(leak, _)| *leak).chain([
        "SET search_path = evil, pg_catalog",
        "SET row_security = off",
        "SET default_transaction_read_only = on",
        "SET bytea_output = escape",
        "SET lock_timeout = '1ms'",
    ]) {
        session.begin(&BEGIN).await.unwrap();
        session.execute(leak).await.unwrap();
        let record = log.note();
        session
            .append(&[record])
            .await
            .unwrap_or_else(|error| panic!("{leak}: {error}"));
        session.commit().await.unwrap();
        let read = session.records(0, 1000).await.unwrap();
        assert_eq!(read.len() as u64, log.seq, "{leak}");
        assert!(session.lease().await.unwrap().is_none());
        session.reset().await.unwrap();
    }
}

#[tokio::test]
async fn a_check_that_writes_is_refused_and_nothing_of_it_is_done() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    all(
        &mut *session,
        &["CREATE TABLE t (x int)", "INSERT INTO t VALUES (1)"],
    )
    .await;
    for inside in [true, false] {
        if inside {
            session.begin(&BEGIN).await.unwrap();
        }
        let refused = session
            .holds("DELETE FROM t RETURNING true")
            .await
            .unwrap_err();
        assert_eq!(refused.fault, Fault::Statement, "{refused}");
        for (query, expected) in [
            ("SELECT count(*) = 1 FROM t", true),
            ("SELECT count(*) FROM t", true),
            ("SELECT 0", false),
            ("SELECT 0.0::float8", false),
            ("SELECT 'true'", true),
            ("SELECT 'yes'", false),
            ("SELECT false", false),
            ("SELECT NULL", false),
            ("SELECT true UNION ALL SELECT true", false),
            ("SELECT true WHERE false", false),
        ] {
            assert_eq!(session.holds(query).await.unwrap(), expected, "{query}");
        }
        let wrong = session.holds("SELECT é FROM t").await.unwrap_err();
        assert_eq!(wrong.offset, Some(7));
        if inside {
            assert!(session.in_transaction().await.unwrap());
            // the transaction writes on
            session.execute("INSERT INTO t VALUES (2)").await.unwrap();
            session.rollback().await.unwrap();
        }
    }
    // a check that commits ends the transaction, and that is noticed
    session.begin(&BEGIN).await.unwrap();
    session.holds("COMMIT").await.unwrap_err();
    assert!(!session.in_transaction().await.unwrap());
    session.rollback().await.unwrap();
}

#[tokio::test]
async fn a_statement_is_interrupted_and_the_next_one_runs() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    for inside in [true, false] {
        if inside {
            session.begin(&BEGIN).await.unwrap();
        }
        let interrupter = session.interrupter();
        let began = Instant::now();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            interrupter.interrupt();
        });
        let stopped = session.execute("SELECT pg_sleep(60)").await.unwrap_err();
        assert_eq!(stopped.fault, Fault::Interrupted, "{stopped}");
        assert!(began.elapsed() < Duration::from_secs(20));
        // until it is resumed nothing of a script's starts
        let refused = session.execute("SELECT 1").await.unwrap_err();
        assert_eq!(refused.fault, Fault::Interrupted);
        session.resume();
        session.rollback().await.unwrap();
        session.execute("SELECT 1").await.unwrap();
    }
}

#[tokio::test]
async fn an_interrupt_that_comes_late_stops_nothing_of_ours() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    for round in 0..20 {
        let interrupter = session.interrupter();
        session.begin(&BEGIN).await.unwrap();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(round));
            interrupter.interrupt();
        });
        let executed = session.execute("SELECT pg_sleep(0.01)").await;
        thread.join().unwrap();
        session.resume();
        if executed.is_ok() {
            session.append(&[log.note()]).await.unwrap();
            session.commit().await.unwrap();
        } else {
            session.rollback().await.unwrap();
        }
        assert!(session.lease().await.unwrap().is_none());
    }
}
