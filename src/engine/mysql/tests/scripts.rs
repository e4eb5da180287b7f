//! Statements of scripts: what is said of their errors, how they are stopped, and what becomes of the
//! transaction around them.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn an_error_has_its_place_in_the_statement() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    let sql = "CREATE TABLE a (\n  id INT,\n  name VARCHAR 10\n)";
    let error = session.execute(sql).await.unwrap_err();
    assert_eq!(error.fault, Fault::Statement);
    assert_eq!(error.offset, sql.find("10\n"), "{error}");
    assert!(!error.message.contains("at line"), "{error}");
    assert_eq!(error.code.as_deref(), Some("1064 (42000)"));
    let unfinished = "CREATE TABLE a (\n  id INT";
    let error = session.execute(unfinished).await.unwrap_err();
    assert_eq!(error.offset, Some(unfinished.len()), "{error}");
}

#[tokio::test]
async fn warnings_are_counted_and_notes_are_not() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    all(
        &mut *session,
        &[
            "SET SESSION sql_mode = ''",
            "CREATE TABLE t (x TINYINT, y VARCHAR(2))",
        ],
    )
    .await;
    let many = vec!["(1000, 'abc')"; 50].join(", ");
    let done = session
        .execute(&format!("INSERT INTO t VALUES {many}"))
        .await
        .unwrap();
    assert_eq!(done.warnings, 100);
    assert_eq!(done.messages.len(), 3);
    assert!(done.messages[0].starts_with("Warning 1264: "), "{done:?}");
    let noted = session
        .execute("DROP TABLE IF EXISTS nothing")
        .await
        .unwrap();
    assert_eq!(noted, crate::engine::Executed::default());
}

/// F24
#[tokio::test]
async fn an_error_behind_the_first_result_is_an_error() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    let procedure = "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; SELECT * FROM nowhere; END";
    all(&mut *session, &[procedure]).await;
    let error = session.execute("CALL p()").await.unwrap_err();
    assert_eq!(error.fault, Fault::Partial, "it may have done something");
    assert!(error.message.contains("nowhere"), "{error}");
    assert!(session.holds("SELECT 1").await.unwrap(), "in step");
}

#[tokio::test]
async fn what_a_failed_statement_may_have_left_is_told_apart() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    all(
        &mut *session,
        &["CREATE TABLE a (id INT)", "CREATE TABLE b (id INT)"],
    )
    .await;
    for (sql, fault) in [
        ("DROP TABLE a, missing", Fault::Partial),
        ("CREATE TABLE b (id INT)", Fault::Statement),
        ("ALTER TABLE b ADD id INT", Fault::Statement),
        ("DROP TABLE missing", Fault::Statement),
        ("DELTE FROM b", Fault::Statement),
    ] {
        let error = session.execute(sql).await.unwrap_err();
        assert_eq!(error.fault, fault, "{sql}: {error}");
    }
    assert!(
        session.execute("SELECT * FROM a").await.is_err(),
        "half done"
    );
    session.begin(&BEGIN).await.unwrap();
    let error = session.execute("INSERT INTO missing VALUES (1)").await;
    assert_eq!(error.unwrap_err().fault, Fault::Statement, "rolled back");
}

#[tokio::test]
async fn a_commit_in_between_is_noticed() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    for sql in [
        "CREATE TABLE a (id INT)",
        "COMMIT",
        "START TRANSACTION",
        "SET autocommit = 1",
    ] {
        session.begin(&BEGIN).await.unwrap();
        assert!(session.in_transaction().await.unwrap());
        all(&mut *session, &["SELECT 1", sql]).await;
        let still = session.in_transaction().await.unwrap();
        assert_eq!(still, sql.starts_with("SET"), "{sql}");
        let fenced = session
            .renew_lease(uuid::Uuid::nil(), Duration::from_secs(1))
            .await;
        assert_eq!(fenced.is_ok(), still, "{sql}");
        session.rollback().await.unwrap();
        assert!(!session.in_transaction().await.unwrap());
    }
}

#[tokio::test]
async fn a_statement_is_stopped_and_the_next_one_is_not() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    for _ in 0..5 {
        session.begin(&BEGIN).await.unwrap();
        let interrupter = session.interrupter();
        let began = Instant::now();
        let stopped = {
            let execution = session.execute("SELECT SLEEP(60)");
            tokio::pin!(execution);
            tokio::select! {
                _ = &mut execution => panic!("expected the statement to go on"),
                () = tokio::time::sleep(Duration::from_millis(30)) => interrupter.interrupt(),
            }
            execution.await
        };
        // SLEEP answers 1 where it is stopped; others fail with the server's words
        assert!(
            stopped.is_ok_and(|done| done.messages.is_empty()) || began.elapsed().as_secs() < 10
        );
        assert!(began.elapsed() < Duration::from_secs(10));
        let refused = session.execute("SELECT 1").await.unwrap_err();
        assert_eq!(refused.fault, Fault::Interrupted, "until it is resumed");
        session.resume();
        session.append(&[log.note()]).await.unwrap();
        session.commit().await.unwrap();
        all(&mut *session, &["SELECT 1", "DO SLEEP(0.05)"]).await;
    }
    assert_eq!(session.records(0, 10).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_statement_that_writes_is_stopped_with_the_servers_words() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    all(&mut *session, &["CREATE TABLE t (x INT) ENGINE = InnoDB"]).await;
    session.begin(&BEGIN).await.unwrap();
    let interrupter = session.interrupter();
    let stopped = {
        let execution = session.execute(
            "INSERT INTO t SELECT SLEEP(0.2) FROM \
            (SELECT 1 FROM information_schema.COLUMNS LIMIT 300) AS many",
        );
        tokio::pin!(execution);
        tokio::select! {
            _ = &mut execution => panic!("expected the statement to go on"),
            () = tokio::time::sleep(Duration::from_millis(100)) => interrupter.interrupt(),
        }
        execution.await
    };
    assert_eq!(stopped.unwrap_err().fault, Fault::Interrupted);
    session.resume();
    assert!(session.in_transaction().await.unwrap());
    session.rollback().await.unwrap();
}

/// F111
#[tokio::test]
async fn a_statement_that_nobody_waits_for_ends_with_its_session() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    let marked = format!("SELECT SLEEP(50) AS {}", place.name);
    {
        let execution = session.execute(&marked);
        tokio::pin!(execution);
        tokio::select! {
            _ = &mut execution => panic!("expected the statement to go on"),
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    }
    drop(session);
    let mut watcher = administrator().await;
    let listed = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
         WHERE INFO LIKE 'SELECT SLEEP(50) AS {}'",
        place.name
    );
    let deadline = Instant::now() + Duration::from_secs(10);
    while ask(&mut watcher, &listed).await != "0" {
        assert!(Instant::now() < deadline, "the statement goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_deadlock_and_a_wait_leave_nothing_of_the_transaction() {
    let place = Place::new().await;
    let mut one = place.writer().await;
    let mut other = place.writer().await;
    all(
        &mut *one,
        &[
            "CREATE TABLE t (id INT PRIMARY KEY, x INT) ENGINE = InnoDB",
            "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0)",
        ],
    )
    .await;
    one.begin(&BEGIN).await.unwrap();
    other.begin(&BEGIN).await.unwrap();
    all(&mut *one, &["UPDATE t SET x = 1 WHERE id IN (1, 3, 4)"]).await;
    all(&mut *other, &["UPDATE t SET x = 2 WHERE id = 2"]).await;
    let waiting = tokio::spawn(async move {
        let answer = one.execute("UPDATE t SET x = 1 WHERE id = 2").await;
        (one, answer)
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let victim = other.execute("UPDATE t SET x = 2 WHERE id = 1").await;
    assert_eq!(victim.unwrap_err().fault, Fault::Transient);
    other.rollback().await.unwrap();
    let (mut one, answer) = waiting.await.unwrap();
    answer.unwrap();
    // one still holds its locks
    let short = Begin {
        lock_timeout: Some(Duration::from_secs(1)),
        ..BEGIN
    };
    all(&mut *other, &["CREATE TABLE u (x INT) ENGINE = InnoDB"]).await;
    other.begin(&short).await.unwrap();
    all(&mut *other, &["INSERT INTO u VALUES (1)"]).await;
    let late = other.execute("UPDATE t SET x = 3 WHERE id = 1").await;
    assert_eq!(late.unwrap_err().fault, Fault::Transient);
    assert!(!other.in_transaction().await.unwrap(), "rolled back whole");
    other.rollback().await.unwrap();
    assert!(other.holds("SELECT COUNT(*) = 0 FROM u").await.unwrap());
    one.commit().await.unwrap();
    assert!(
        other
            .holds("SELECT x = 1 FROM t WHERE id = 2")
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_rollback_replaces_a_connection_that_broke() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut raw = place.raw().await;
    session.begin(&BEGIN).await.unwrap();
    session.append(&[Log::new().note()]).await.unwrap();
    let find = format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{0}' AND ID <> CONNECTION_ID()",
        place.name
    );
    let id = ask(&mut raw, &find).await;
    run(&mut raw, &format!("KILL CONNECTION {id}")).await;
    let error = session.execute("SELECT 1").await.unwrap_err();
    assert_eq!(error.fault, Fault::Disconnected, "{error}");
    session.rollback().await.unwrap();
    assert_eq!(session.records(0, 10).await.unwrap(), []);
    append(&mut *session, &[Log::new().note()]).await.unwrap();
}

#[tokio::test]
async fn what_the_server_would_not_take_is_refused_before_it_is_sent() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    let limit = ask(&mut place.raw().await, "SELECT @@max_allowed_packet").await;
    let limit: usize = limit.parse().unwrap();
    let sql = format!("SELECT '{}'", "x".repeat(limit));
    let error = session.execute(&sql).await.unwrap_err();
    assert!(error.message.contains("max_allowed_packet"), "{error}");
    all(&mut *session, &["SELECT 1"]).await;
}

#[tokio::test]
async fn a_verification_is_one_row_that_is_true_and_writes_nothing() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    all(
        &mut *session,
        &[
            "CREATE TABLE t (x INT) ENGINE = InnoDB",
            "CREATE TABLE bits (flag BIT(2)) AS SELECT b'10' AS flag",
            "CREATE FUNCTION f() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO t VALUES (1); \
             RETURN 1; END",
        ],
    )
    .await;
    for begun in [true, false] {
        if begun {
            session.begin(&BEGIN).await.unwrap();
        }
        for (sql, expected) in [
            ("SELECT 1", true),
            ("SELECT '2abc'", true),
            ("SELECT flag FROM bits", true),
            ("SELECT 0.5", true),
            ("SELECT 0.0", false),
            ("SELECT NULL", false),
            ("SELECT 'yes'", false),
            ("SELECT 1 UNION ALL SELECT 1", false),
            ("SELECT 1 FROM t", false),
            ("WITH one AS (SELECT 1 AS x) SELECT x FROM one", true),
        ] {
            assert_eq!(session.holds(sql).await.unwrap(), expected, "{sql}");
        }
        let write = session.holds("DELETE FROM t").await.unwrap_err();
        assert_eq!(write.fault, Fault::Statement);
        let hidden = session.holds("SELECT f()").await;
        assert_eq!(
            hidden.is_ok(),
            begun,
            "a transaction that only reads refuses"
        );
        assert!(session.holds("SELECT COUNT(*) = 0 FROM t").await.unwrap());
        assert_eq!(session.in_transaction().await.unwrap(), begun);
        session.rollback().await.unwrap();
    }
}
