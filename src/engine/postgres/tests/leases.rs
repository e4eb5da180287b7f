//! The lease: free, taken, renewed, expired, replaced; and the session of its holder.

use std::time::Duration;

use uuid::Uuid;

use super::{BEGIN, Place};
use crate::engine::{Claim, Fault};

fn claim(number: u128) -> Claim {
    Claim {
        token: Uuid::from_u128(number),
        actor: format!("actor ' {number}"),
        host: "hëre".to_owned(),
        run: Uuid::from_u128(number + 1000),
        process: "boot/pid/start".to_owned(),
        duration: Duration::from_secs(30),
    }
}

#[tokio::test]
async fn a_free_lease_is_taken_once() {
    let place = Place::with_store().await;
    let (mut one, mut other) = (place.writer().await, place.writer().await);
    assert_eq!(one.lease().await.unwrap(), None);
    assert!(one.take_lease(&claim(1), None).await.unwrap());
    assert!(!other.take_lease(&claim(2), None).await.unwrap());

    let held = other.lease().await.unwrap().unwrap();
    assert_eq!(held.token, claim(1).token);
    assert_eq!(held.actor, "actor ' 1");
    assert_eq!(held.host, "hëre");
    assert_eq!(held.run, claim(1).run);
    assert_eq!(held.process, "boot/pid/start");
    assert!((30_000..30_100).contains(&(held.expires_ms - held.since_ms)));
    assert!((held.since_ms..held.since_ms + 5_000).contains(&held.now_ms));
    assert!((1_577_836_800_000..4_102_444_800_000).contains(&held.now_ms));
    let session = place.ask(
        "SELECT pid || '/' || (extract(epoch FROM backend_start) * 1000000)::bigint \
         FROM pg_stat_activity, mledger.lease WHERE session LIKE pid || '/%'",
    );
    assert_eq!(held.session, Some(session));
}

#[tokio::test]
async fn only_the_holder_renews_and_releases() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let token = claim(1).token;
    let nine = Duration::from_secs(9);
    assert!(!session.renew_lease(token, nine).await.unwrap());
    assert!(session.take_lease(&claim(1), None).await.unwrap());
    let before = session.lease().await.unwrap().unwrap();
    let longer = Duration::from_secs(60);
    assert!(session.renew_lease(token, longer).await.unwrap());
    let after = session.lease().await.unwrap().unwrap();
    assert!(after.expires_ms >= before.expires_ms + 29_000);
    assert_eq!(after.since_ms, before.since_ms);

    let stranger = claim(2).token;
    assert!(!session.renew_lease(stranger, Duration::MAX).await.unwrap());
    assert!(!session.beat_lease(stranger, nine).await.unwrap());
    assert!(!session.release_lease(stranger).await.unwrap());
    assert!(session.release_lease(token).await.unwrap());
    assert!(!session.release_lease(token).await.unwrap());
    assert_eq!(session.lease().await.unwrap(), None);
}

#[tokio::test]
async fn an_expired_lease_is_replaced_by_its_token_and_fences_the_old_holder() {
    let place = Place::with_store().await;
    let (mut old, mut new) = (place.writer().await, place.writer().await);
    let short = Claim {
        duration: Duration::from_millis(20),
        ..claim(1)
    };
    assert!(old.take_lease(&short, None).await.unwrap());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let expired = new.lease().await.unwrap().unwrap();
    assert!(expired.expires_ms < expired.now_ms);

    let wrong = Some(Uuid::from_u128(77));
    assert!(!new.take_lease(&claim(2), wrong).await.unwrap());
    let token = Some(expired.token);
    assert!(new.take_lease(&claim(2), token).await.unwrap());
    assert!(
        !old.renew_lease(short.token, Duration::from_secs(9))
            .await
            .unwrap()
    );
    assert!(!old.take_lease(&claim(3), token).await.unwrap());
}

#[tokio::test]
async fn a_lease_taken_in_a_transaction_is_gone_with_it() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    assert!(session.take_lease(&claim(1), None).await.unwrap());
    session.rollback().await.unwrap();
    assert_eq!(session.lease().await.unwrap(), None);
}

#[tokio::test]
async fn a_heartbeat_beats_beside_a_long_transaction_and_finds_its_end_busy() {
    let place = Place::with_store().await;
    let (mut work, mut heart) = (place.writer().await, place.writer().await);
    let token = claim(1).token;
    let lease = Duration::from_secs(30);
    assert!(work.take_lease(&claim(1), None).await.unwrap());
    let session = work.lease().await.unwrap().unwrap().session;
    work.begin(&BEGIN).await.unwrap();
    work.execute("CREATE TABLE t (x int)").await.unwrap();
    assert!(heart.beat_lease(token, lease).await.unwrap());
    assert!(work.renew_lease(token, lease).await.unwrap());
    let busy = heart.beat_lease(token, lease).await.unwrap_err();
    assert_eq!(busy.fault, Fault::Busy);
    // reading goes on meanwhile
    assert_eq!(heart.lease().await.unwrap().unwrap().token, token);
    work.commit().await.unwrap();
    assert!(heart.beat_lease(token, lease).await.unwrap());
    assert_eq!(
        work.lease().await.unwrap().unwrap().session,
        session,
        "a heartbeat does no work"
    );
}

#[tokio::test]
async fn who_appends_alone_waits_for_a_transaction_that_has_the_lease() {
    let place = Place::with_store().await;
    let (mut one, mut other) = (place.writer().await, place.writer().await);
    one.begin(&BEGIN).await.unwrap();
    one.lock_ledger().await.unwrap();
    let short = crate::engine::Begin {
        lock_timeout: Some(Duration::from_millis(50)),
        ..BEGIN
    };
    other.begin(&short).await.unwrap();
    let busy = other.lock_ledger().await.unwrap_err();
    assert_eq!(busy.fault, Fault::Busy);
    other.rollback().await.unwrap();
    one.commit().await.unwrap();
    other.begin(&short).await.unwrap();
    other.lock_ledger().await.unwrap();
    other.commit().await.unwrap();
}

/// F111
#[tokio::test]
async fn the_session_of_another_run_is_ended_with_all_that_it_did_not_commit() {
    let place = Place::with_store().await;
    let (mut old, mut new) = (place.writer().await, place.writer().await);
    assert!(old.take_lease(&claim(1), None).await.unwrap());
    old.begin(&BEGIN).await.unwrap();
    old.execute("CREATE TABLE half (x int)").await.unwrap();
    let session = new.lease().await.unwrap().unwrap().session.unwrap();
    assert!(new.end_session(&session).await.unwrap());
    assert!(
        new.end_session(&session).await.unwrap(),
        "it is gone already"
    );
    assert_eq!(place.ask("SELECT to_regclass('half') IS NULL"), "t");
    let lost = old.execute("SELECT 1").await.unwrap_err();
    assert_eq!(lost.fault, Fault::Disconnected);
    // a process of that number that began at another time is another session
    let pid = place.ask("SELECT pg_backend_pid()");
    assert!(new.end_session(&format!("{pid}/1")).await.unwrap());
    assert!(!new.end_session("nothing of the kind").await.unwrap());
}

#[tokio::test]
async fn a_session_that_may_not_be_ended_is_not_said_to_be_gone() {
    let mut place = Place::with_store().await;
    let role = place.role("app");
    place.ask(&format!(
        "GRANT USAGE ON SCHEMA mledger TO {role}; GRANT SELECT ON mledger.lease TO {role}"
    ));
    let mut old = place.writer().await;
    assert!(old.take_lease(&claim(1), None).await.unwrap());
    let session = old.lease().await.unwrap().unwrap().session.unwrap();
    let mut weak = place.as_role(&role).await;
    assert!(!weak.end_session(&session).await.unwrap());
    assert!(old.lease().await.unwrap().is_some());
    place.ask(&format!("DROP OWNED BY {role}"));
}
