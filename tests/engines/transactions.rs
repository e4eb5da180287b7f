//! Transactions, statements that fail, and statements that are stopped.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use mledger::engine::{Begin, Fault};

use crate::place::{begin, on_every_engine, reader, writer};

#[tokio::test]
async fn definitions_and_rows_are_committed_or_rolled_back_together() {
    on_every_engine(async |_, database| {
        if !database.engine().capabilities().transactional_ddl {
            return;
        }
        let mut session = writer(&*database).await;
        session.begin(&begin()).await.unwrap();
        session
            .execute("CREATE TABLE a (id INTEGER)")
            .await
            .unwrap();
        session
            .execute("INSERT INTO a VALUES (1), (2)")
            .await
            .unwrap();
        assert!(session.in_transaction().await.unwrap());
        session.rollback().await.unwrap();
        assert!(!session.in_transaction().await.unwrap());
        session.begin(&begin()).await.unwrap();
        session
            .execute("CREATE TABLE a (id INTEGER)")
            .await
            .unwrap();
        session.execute("INSERT INTO a VALUES (3)").await.unwrap();
        session.commit().await.unwrap();
        assert_eq!(database.ask("SELECT id FROM a"), "3\n");
        session.rollback().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_fails_says_why_and_can_be_rolled_back() {
    on_every_engine(async |_, database| {
        let mut session = writer(&*database).await;
        session
            .execute("CREATE TABLE a (id INTEGER)")
            .await
            .unwrap();
        session.begin(&begin()).await.unwrap();
        session.execute("INSERT INTO a VALUES (1)").await.unwrap();
        let error = session
            .execute("INSERT INTO nowhere VALUES (1)")
            .await
            .unwrap_err();
        assert_eq!(error.fault, Fault::Statement);
        assert!(error.message.contains("nowhere"), "{error}");
        assert!(error.code.is_some(), "{error:?}");
        session.rollback().await.unwrap();
        assert_eq!(database.ask("SELECT count(*) FROM a"), "0\n");
        session.begin(&begin()).await.unwrap();
        session.execute("INSERT INTO a VALUES (2)").await.unwrap();
        session.commit().await.unwrap();
        assert_eq!(database.ask("SELECT id FROM a"), "2\n");
    })
    .await;
}

#[tokio::test]
async fn a_check_holds_only_for_one_true_row() {
    on_every_engine(async |_, database| {
        let mut session = writer(&*database).await;
        session
            .execute("CREATE TABLE a (id INTEGER)")
            .await
            .unwrap();
        for (sql, holds) in [
            ("SELECT 1 = 1", true),
            ("SELECT count(*) = 0 FROM a", true),
            ("SELECT 1 = 2", false),
            ("SELECT NULL", false),
            ("SELECT id FROM a", false),
            ("SELECT 1 UNION ALL SELECT 1", false),
        ] {
            assert_eq!(session.holds(sql).await.unwrap(), holds, "{sql}");
        }
        assert_eq!(
            session
                .holds("SELECT * FROM nowhere")
                .await
                .unwrap_err()
                .fault,
            Fault::Statement
        );
    })
    .await;
}

#[tokio::test]
async fn a_second_writer_waits_no_longer_than_it_was_told() {
    on_every_engine(async |_, database| {
        if !database.engine().capabilities().single_writer {
            return;
        }
        let mut first = writer(&*database).await;
        first.begin(&begin()).await.unwrap();
        first.execute("CREATE TABLE a (id INTEGER)").await.unwrap();
        let mut second = writer(&*database).await;
        let impatient = Begin {
            lock_timeout: Some(Duration::from_millis(200)),
            statement_timeout: None,
            ..begin()
        };
        let began = Instant::now();
        let busy = second.begin(&impatient).await.unwrap_err();
        assert_eq!(busy.fault, Fault::Busy);
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        // who reads is not kept out
        assert!(reader(&*database).await.holds("SELECT 1").await.unwrap());
        first.commit().await.unwrap();
        second.begin(&impatient).await.unwrap();
        second.rollback().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_can_be_stopped_from_another_task() {
    on_every_engine(async |kind, database| {
        let mut session = writer(&*database).await;
        session
            .execute("CREATE TABLE sink (x INTEGER)")
            .await
            .unwrap();
        session.begin(&begin()).await.unwrap();
        session
            .execute("INSERT INTO sink VALUES (1)")
            .await
            .unwrap();
        let interrupter = session.interrupter();
        let stopper = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            interrupter.interrupt();
        });
        let began = Instant::now();
        let stopped = session.execute(kind.slow).await.unwrap_err();
        assert_eq!(stopped.fault, Fault::Interrupted, "{stopped}");
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{:?}",
            began.elapsed()
        );
        stopper.await.unwrap();
        let still = session.execute("INSERT INTO sink VALUES (2)").await;
        assert_eq!(
            still.unwrap_err().fault,
            Fault::Interrupted,
            "until it is resumed"
        );
        session.resume();
        session.rollback().await.unwrap();
        assert_eq!(database.ask("SELECT count(*) FROM sink"), "0\n");
        session
            .execute("INSERT INTO sink VALUES (3)")
            .await
            .unwrap();
        assert_eq!(database.ask("SELECT x FROM sink"), "3\n");
    })
    .await;
}
