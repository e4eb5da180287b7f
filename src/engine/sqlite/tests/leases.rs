//! The lease: free, taken, renewed, expired, replaced.

use std::time::Duration;

use uuid::Uuid;

use super::{BEGIN, Place};
use crate::engine::{Begin, Claim, Fault};

fn claim(number: u128) -> Claim {
    Claim {
        token: Uuid::from_u128(number),
        actor: format!("actor {number}"),
        host: "here".to_owned(),
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
    assert_eq!(held.actor, "actor 1");
    assert_eq!(held.run, claim(1).run);
    assert_eq!(held.process, "boot/pid/start");
    assert_eq!(held.expires_ms - held.since_ms, 30_000);
    assert!((held.since_ms..held.since_ms + 5_000).contains(&held.now_ms));
    // the database's clock is this machine's here: 2020 to 2100
    assert!((1_577_836_800_000..4_102_444_800_000).contains(&held.now_ms));
}

#[tokio::test]
async fn only_the_holder_renews_and_releases() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let token = claim(1).token;
    assert!(
        !session
            .renew_lease(token, Duration::from_secs(9))
            .await
            .unwrap()
    );
    assert!(session.take_lease(&claim(1), None).await.unwrap());
    let before = session.lease().await.unwrap().unwrap();
    assert!(
        session
            .renew_lease(token, Duration::from_secs(60))
            .await
            .unwrap()
    );
    let after = session.lease().await.unwrap().unwrap();
    assert!(after.expires_ms >= before.expires_ms + 30_000);
    assert_eq!(after.since_ms, before.since_ms);

    let stranger = claim(2).token;
    assert!(!session.renew_lease(stranger, Duration::MAX).await.unwrap());
    assert!(!session.release_lease(stranger).await.unwrap());
    assert!(session.release_lease(token).await.unwrap());
    assert!(!session.release_lease(token).await.unwrap());
    assert_eq!(session.lease().await.unwrap(), None);
    assert_eq!(session.identity().await.unwrap().identity, "identity");
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
    assert!(
        new.take_lease(&claim(2), Some(expired.token))
            .await
            .unwrap()
    );
    assert!(
        !old.renew_lease(short.token, Duration::from_secs(9))
            .await
            .unwrap()
    );
    assert!(
        !old.take_lease(&claim(3), Some(expired.token))
            .await
            .unwrap()
    );
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
async fn a_heartbeat_finds_an_open_write_transaction_busy() {
    let place = Place::with_store().await;
    let (mut work, mut heart) = (place.writer().await, place.writer().await);
    assert!(work.take_lease(&claim(1), None).await.unwrap());
    work.begin(&BEGIN).await.unwrap();
    let at_once = Begin {
        enforce_foreign_keys: true,
        lock_timeout: Some(Duration::ZERO),
        statement_timeout: None,
    };
    let busy = heart.begin(&at_once).await.unwrap_err();
    assert_eq!(busy.fault, Fault::Busy);
    // reading goes on meanwhile
    assert_eq!(heart.lease().await.unwrap().unwrap().token, claim(1).token);
    work.commit().await.unwrap();
    heart.begin(&at_once).await.unwrap();
    assert!(
        heart
            .renew_lease(claim(1).token, Duration::from_secs(30))
            .await
            .unwrap()
    );
    heart.commit().await.unwrap();
}
