//! Behind PgBouncer in transaction mode, which gives each transaction another connection of the server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{BEGIN, Log, Place, append};
use crate::engine::{Access, Claim, Engine, Fault, Store, open};

/// The place behind the pooler that `MLEDGER_TEST_PGBOUNCER_URL` names.
fn pooled(place: &Place) -> Arc<dyn Engine> {
    let pooler = std::env::var("MLEDGER_TEST_PGBOUNCER_URL").unwrap_or_else(|_| {
        panic!(
            "`MLEDGER_TEST_PGBOUNCER_URL` names no pooler; `./scripts/test` starts a private one and \
             runs every suite"
        )
    });
    let (pooler, _) = pooler.rsplit_once('/').unwrap();
    open(&format!("{pooler}/{}", place.name), Path::new("/")).unwrap()
}

/// F06
#[tokio::test]
async fn a_ledger_is_made_and_written_through_a_pooler() {
    let place = Place::new();
    let engine = pooled(&place);
    let mut session = engine.connect(Access::Write).await.unwrap();
    let mut other = engine.connect(Access::Write).await.unwrap();
    session.begin(&BEGIN).await.unwrap();
    session.create_store("x").await.unwrap();
    session.commit().await.unwrap();
    let mut log = Log::new();
    let lease = Duration::from_secs(30);
    let claim = Claim {
        token: Uuid::from_u128(1),
        actor: "dana".to_owned(),
        host: "here".to_owned(),
        run: Uuid::from_u128(2),
        process: String::new(),
        duration: lease,
    };
    assert!(session.take_lease(&claim, None).await.unwrap());
    for round in 0..20 {
        session.begin(&BEGIN).await.unwrap();
        session
            .execute(&format!("CREATE TABLE t_{round} (x int)"))
            .await
            .unwrap();
        // another transaction needs another connection of the server meanwhile
        other.begin(&BEGIN).await.unwrap();
        assert!(other.in_transaction().await.unwrap());
        assert!(session.in_transaction().await.unwrap());
        other.commit().await.unwrap();
        session
            .execute("SET search_path = pg_catalog")
            .await
            .unwrap();
        session.settle().await.unwrap();
        assert!(session.renew_lease(claim.token, lease).await.unwrap());
        session.append(&[log.note()]).await.unwrap();
        session.commit().await.unwrap();
        assert!(other.beat_lease(claim.token, lease).await.unwrap());
    }
    assert_eq!(other.records(0, 100).await.unwrap().len(), 20);
    assert!(matches!(
        other.store().await.unwrap(),
        Store::Present { missing_guards, .. } if missing_guards.is_empty()
    ));
    session.fingerprint().await.unwrap();
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_statement_is_stopped_and_a_transaction_ended_through_a_pooler() {
    let place = Place::new();
    let engine = pooled(&place);
    let mut session = engine.connect(Access::Write).await.unwrap();
    session.begin(&BEGIN).await.unwrap();
    session.create_store("x").await.unwrap();
    session.commit().await.unwrap();
    session.begin(&BEGIN).await.unwrap();
    let interrupter = session.interrupter();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        interrupter.interrupt();
    });
    let stopped = session.execute("SELECT pg_sleep(60)").await.unwrap_err();
    assert_eq!(stopped.fault, Fault::Interrupted);
    session.resume();
    session.rollback().await.unwrap();

    session.begin(&BEGIN).await.unwrap();
    session.execute("CREATE TABLE half (x int)").await.unwrap();
    let slow = session.execute("SELECT pg_sleep(60)");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), slow)
            .await
            .is_err()
    );
    session.rollback().await.unwrap();
    assert_eq!(place.ask("SELECT to_regclass('half') IS NULL"), "t");
    append(&mut *session, &[Log::new().note()]).await.unwrap();
}
