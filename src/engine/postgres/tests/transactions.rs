//! Transactions: ours, what ends them, and what is left when their connection breaks.

use std::time::Duration;

use super::{BEGIN, Log, Place, all};
use crate::engine::{Begin, Fault};

#[tokio::test]
async fn our_transaction_is_known_by_more_than_that_one_is_open() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    assert!(!session.in_transaction().await.unwrap());
    session.begin(&BEGIN).await.unwrap();
    assert!(session.in_transaction().await.unwrap());
    session.execute("RESET ALL").await.unwrap();
    assert!(session.in_transaction().await.unwrap());
    // what the splitter refuses is noticed here as well
    session.execute("COMMIT").await.unwrap();
    assert!(!session.in_transaction().await.unwrap());
    session.execute("BEGIN").await.unwrap();
    session.execute("CREATE TABLE t (x int)").await.unwrap();
    assert!(
        !session.in_transaction().await.unwrap(),
        "it is another one"
    );
    let refused = session.commit().await.unwrap_err();
    assert_eq!(refused.fault, Fault::Statement);
    session.rollback().await.unwrap();
    session.reset().await.unwrap();
    assert_eq!(place.ask("SELECT to_regclass('t') IS NULL"), "t");
}

#[tokio::test]
async fn a_transaction_in_which_a_statement_failed_is_not_committed() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    session.execute("CREATE TABLE t (x int)").await.unwrap();
    session.execute("SELECT 1 / 0").await.unwrap_err();
    assert!(session.in_transaction().await.unwrap());
    let refused = session.commit().await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("25P02"));
    session.rollback().await.unwrap();
    session.begin(&BEGIN).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(place.ask("SELECT to_regclass('t') IS NULL"), "t");
}

#[tokio::test]
async fn a_deferred_constraint_fails_the_script_and_not_the_commit() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    all(
        &mut *session,
        &[
            "CREATE TABLE parent (id int PRIMARY KEY)",
            "CREATE TABLE child (p int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
        ],
    )
    .await;
    session.begin(&BEGIN).await.unwrap();
    session
        .execute("INSERT INTO child VALUES (4711)")
        .await
        .unwrap();
    session.settle().await.unwrap();
    let refused = session.lock_ledger().await.unwrap_err();
    assert_eq!(refused.fault, Fault::Deferred);
    assert_eq!(refused.code.as_deref(), Some("23503"));
    assert!(!refused.message.contains("4711"), "{refused}");
    session.rollback().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_a_script_made_read_only_is_refused() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    all(&mut *session, &["SET TRANSACTION READ ONLY"]).await;
    session.settle().await.unwrap();
    let refused = session.lock_ledger().await.unwrap_err();
    assert_eq!(refused.fault, Fault::Deferred);
    session.rollback().await.unwrap();
    // for the session it is only a default, and ours say what they are
    all(&mut *session, &["SET default_transaction_read_only = on"]).await;
    session.begin(&BEGIN).await.unwrap();
    session.append(&[Log::new().note()]).await.unwrap();
    session.commit().await.unwrap();
}

#[tokio::test]
async fn limits_hold_for_the_script_and_not_for_our_own_statements() {
    let mut place = Place::with_store().await;
    let role = place.role("app");
    place.ask(&format!(
        "ALTER ROLE {role} SUPERUSER; ALTER ROLE {role} SET statement_timeout = '77ms'; \
         ALTER ROLE {role} SET lock_timeout = '78ms'; \
         ALTER ROLE {role} SET idle_in_transaction_session_timeout = '70ms'"
    ));
    let mut session = place.as_role(&role).await;
    let none = Begin {
        enforce_foreign_keys: true,
        lock_timeout: None,
        statement_timeout: None,
    };
    let role_has = "SELECT current_setting('statement_timeout') = '77ms' \
                    AND current_setting('lock_timeout') = '78ms'";
    session.begin(&none).await.unwrap();
    assert!(session.holds(role_has).await.unwrap());
    session.settle().await.unwrap();
    session.lock_ledger().await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let ours = "SELECT current_setting('statement_timeout') = '0' \
                AND current_setting('lock_timeout') = '30s'";
    assert!(session.holds(ours).await.unwrap());
    session.lock_ledger().await.unwrap();
    session.append(&[Log::new().note()]).await.unwrap();
    session.commit().await.unwrap();

    let limits = Begin {
        lock_timeout: Some(Duration::from_millis(1500)),
        statement_timeout: Some(Duration::from_secs(2)),
        ..none
    };
    let asked = "SELECT current_setting('statement_timeout') = '2s' \
                 AND current_setting('lock_timeout') = '1500ms'";
    session.begin(&limits).await.unwrap();
    assert!(session.holds(asked).await.unwrap());
    session.rollback().await.unwrap();
    session.limit(&limits).await.unwrap();
    assert!(session.holds(asked).await.unwrap());
    session.reset().await.unwrap();
    assert!(session.holds(role_has).await.unwrap());
    let slow = session.execute("SELECT pg_sleep(5)").await.unwrap_err();
    assert_eq!(slow.fault, Fault::Statement);
    assert_eq!(slow.code.as_deref(), Some("57014"));
}

#[tokio::test]
async fn nothing_of_a_broken_connection_takes_effect_after_its_rollback() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    session.execute("CREATE TABLE t (x int)").await.unwrap();
    place.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let lost = session.execute("SELECT 1").await.unwrap_err();
    assert_eq!(lost.fault, Fault::Disconnected);
    assert_eq!(
        session.in_transaction().await.unwrap_err().fault,
        Fault::Disconnected
    );
    session.rollback().await.unwrap();
    assert!(!session.in_transaction().await.unwrap());
    assert_eq!(place.ask("SELECT to_regclass('t') IS NULL"), "t");
    session.begin(&BEGIN).await.unwrap();
    session.append(&[Log::new().note()]).await.unwrap();
    session.commit().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_is_stopped_before_the_next_transaction() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    session.execute("CREATE TABLE t (x int)").await.unwrap();
    let slow = session.execute("SELECT pg_sleep(60)");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), slow)
            .await
            .is_err()
    );
    let lost = session.execute("SELECT 1").await.unwrap_err();
    assert_eq!(lost.fault, Fault::Disconnected);
    session.rollback().await.unwrap();
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' \
                   AND pid <> pg_backend_pid() AND datname = current_database()";
    assert_eq!(place.ask(running), "0");
    session.begin(&BEGIN).await.unwrap();
    session.commit().await.unwrap();
}

/// F112
#[tokio::test]
async fn of_two_transactions_in_a_deadlock_one_may_be_repeated() {
    let place = Place::with_store().await;
    let (mut one, mut other) = (place.writer().await, place.writer().await);
    all(
        &mut *one,
        &[
            "CREATE TABLE t (x int PRIMARY KEY)",
            "INSERT INTO t VALUES (1), (2)",
        ],
    )
    .await;
    one.begin(&BEGIN).await.unwrap();
    other.begin(&BEGIN).await.unwrap();
    one.execute("UPDATE t SET x = x WHERE x = 1").await.unwrap();
    other
        .execute("UPDATE t SET x = x WHERE x = 2")
        .await
        .unwrap();
    let (first, second) = tokio::join!(
        one.execute("UPDATE t SET x = x WHERE x = 2"),
        other.execute("UPDATE t SET x = x WHERE x = 1"),
    );
    let failed = [first.err(), second.err()];
    let faults: Vec<Fault> = failed.iter().flatten().map(|error| error.fault).collect();
    assert_eq!(faults, [Fault::Transient]);
    one.rollback().await.unwrap();
    other.rollback().await.unwrap();
}
