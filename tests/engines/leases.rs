//! The lease: one holder at a time, by the database's own clock.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mledger::engine::{Claim, Session};
use uuid::Uuid;

use crate::place::{begin, on_every_engine, reader, with_store, writer};

fn claim(number: u128, seconds: u64) -> Claim {
    Claim {
        token: Uuid::from_u128(number),
        actor: "dana 🎉".to_owned(),
        host: "laptop".to_owned(),
        run: Uuid::from_u128(number + 1000),
        process: "boot/pid:[1]/42/99".to_owned(),
        duration: Duration::from_secs(seconds),
    }
}

/// Does one thing in a transaction of its own.
async fn take(session: &mut dyn Session, claim: &Claim, replacing: Option<Uuid>) -> bool {
    session.begin(&begin()).await.unwrap();
    let taken = session.take_lease(claim, replacing).await.unwrap();
    session.commit().await.unwrap();
    taken
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_is_freed() {
    on_every_engine(async |_, database| {
        let mut one = with_store(&*database).await;
        let mut other = writer(&*database).await;
        assert_eq!(one.lease().await.unwrap(), None);
        let mine = claim(1, 60);
        assert!(take(&mut *one, &mine, None).await);
        assert!(!take(&mut *other, &claim(2, 60), None).await);
        let wrong = Some(Uuid::from_u128(77));
        assert!(!take(&mut *other, &claim(2, 60), wrong).await);
        let held = reader(&*database).await.lease().await.unwrap().unwrap();
        assert_eq!((held.token, held.run), (mine.token, mine.run));
        assert_eq!(
            (held.actor, held.host, held.process),
            (mine.actor, mine.host, mine.process)
        );
        assert_eq!(held.expires_ms - held.since_ms, 60_000);
        assert!(held.since_ms <= held.now_ms && held.now_ms < held.expires_ms);
        for (token, freed) in [(2, false), (1, true), (1, false)] {
            one.begin(&begin()).await.unwrap();
            let released = one.release_lease(Uuid::from_u128(token)).await.unwrap();
            one.commit().await.unwrap();
            assert_eq!(released, freed);
        }
        assert_eq!(other.lease().await.unwrap(), None);
        assert!(take(&mut *other, &claim(2, 60), None).await);
    })
    .await;
}

#[tokio::test]
async fn a_holder_that_was_replaced_cannot_renew() {
    on_every_engine(async |_, database| {
        let mut old = with_store(&*database).await;
        let mut new = writer(&*database).await;
        assert!(take(&mut *old, &claim(1, 0), None).await);
        let held = new.lease().await.unwrap().unwrap();
        assert!(
            held.expires_ms <= held.now_ms,
            "it has run out and is still shown"
        );
        assert!(take(&mut *new, &claim(2, 60), Some(held.token)).await);
        old.begin(&begin()).await.unwrap();
        let renewed = old
            .renew_lease(held.token, Duration::from_secs(60))
            .await
            .unwrap();
        old.rollback().await.unwrap();
        assert!(!renewed, "the fence");
        new.begin(&begin()).await.unwrap();
        assert!(
            new.renew_lease(Uuid::from_u128(2), Duration::from_secs(600))
                .await
                .unwrap()
        );
        new.commit().await.unwrap();
        let held = old.lease().await.unwrap().unwrap();
        assert!(held.expires_ms - held.now_ms > 500_000);
    })
    .await;
}

#[tokio::test]
async fn what_is_rolled_back_was_never_taken() {
    on_every_engine(async |_, database| {
        let mut session = with_store(&*database).await;
        session.begin(&begin()).await.unwrap();
        assert!(session.take_lease(&claim(1, 60), None).await.unwrap());
        session.rollback().await.unwrap();
        assert_eq!(session.lease().await.unwrap(), None);
    })
    .await;
}
