//! The lease under a session that works, one that beats, and one that takes over.

use std::time::Instant;

use uuid::Uuid;

use super::*;
use crate::engine::Claim;

fn claim(number: u128) -> Claim {
    Claim {
        token: Uuid::from_u128(number),
        actor: "O'Neill \\ 🎉".to_owned(),
        host: "laptop".to_owned(),
        run: Uuid::from_u128(number + 1000),
        process: "boot/pid:[1]/42/99".to_owned(),
        duration: MINUTE,
    }
}

const MINUTE: Duration = Duration::from_secs(60);

async fn take(session: &mut dyn Session, number: u128) {
    session.begin(&BEGIN).await.unwrap();
    assert!(session.take_lease(&claim(number), None).await.unwrap());
    session.commit().await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_never_waits_and_names_no_session() {
    let place = Place::with_store().await;
    let mut worker = place.writer().await;
    take(&mut *worker, 1).await;
    let before = worker.lease().await.unwrap().unwrap();
    let mut heart = place.writer().await;
    let token = claim(1).token;
    assert!(heart.beat_lease(token, 2 * MINUTE).await.unwrap());
    let after = worker.lease().await.unwrap().unwrap();
    assert!(after.expires_ms > before.expires_ms + 50_000);
    assert!(before.session.is_some());
    assert_eq!(after.session, before.session, "the work is done elsewhere");
    assert!(!heart.beat_lease(Uuid::from_u128(9), MINUTE).await.unwrap());
    // the holder commits just now
    worker.begin(&BEGIN).await.unwrap();
    assert!(worker.renew_lease(token, MINUTE).await.unwrap());
    let began = Instant::now();
    let busy = heart.beat_lease(token, MINUTE).await.unwrap_err();
    assert_eq!(busy.fault, Fault::Busy);
    assert!(began.elapsed() < Duration::from_millis(900));
    worker.commit().await.unwrap();
    assert!(heart.beat_lease(token, MINUTE).await.unwrap());
}

#[tokio::test]
async fn the_fence_waits_for_the_row_up_to_the_limit_and_is_busy_then() {
    let place = Place::with_store().await;
    let mut holder = place.writer().await;
    holder.begin(&BEGIN).await.unwrap();
    holder.lock_ledger().await.unwrap();
    let mut other = place.writer().await;
    let short = Begin {
        lock_timeout: Some(Duration::from_millis(500)),
        ..BEGIN
    };
    other.begin(&short).await.unwrap();
    let error = other.lock_ledger().await.unwrap_err();
    assert_eq!(error.fault, Fault::Busy, "{error}");
    other.rollback().await.unwrap();
    // reading does not wait
    assert_eq!(other.lease().await.unwrap(), None);
}

/// F111
#[tokio::test]
async fn ending_a_session_ends_what_it_does() {
    let place = Place::with_store().await;
    let mut worker = place.writer().await;
    take(&mut *worker, 1).await;
    worker.begin(&BEGIN).await.unwrap();
    assert!(worker.renew_lease(claim(1).token, MINUTE).await.unwrap());
    let work = tokio::spawn(async move {
        let outcome = worker.execute("DO SLEEP(60)").await;
        (worker, outcome)
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut next = place.writer().await;
    let name = next.lease().await.unwrap().unwrap().session.unwrap();
    assert!(next.end_session(&name).await.unwrap());
    // its transaction is gone with it, so the row is free to be locked
    next.begin(&BEGIN).await.unwrap();
    next.lock_ledger().await.unwrap();
    next.commit().await.unwrap();
    assert!(next.end_session(&name).await.unwrap(), "it is gone already");
    let (mut worker, outcome) = work.await.unwrap();
    assert_eq!(outcome.unwrap_err().fault, Fault::Disconnected);
    worker.rollback().await.unwrap();
    assert!(
        worker.lease().await.unwrap().is_some(),
        "another connection"
    );
    let elsewhere = format!("{}elsewhere", name);
    assert!(!next.end_session(&elsewhere).await.unwrap());
    let (id, rest) = name.split_once('@').unwrap();
    let (started, server) = rest.split_once('/').unwrap();
    let started: i64 = started.parse().unwrap();
    let earlier = format!("{id}@{}/{server}", started - 500);
    assert!(next.end_session(&earlier).await.unwrap());
}

#[tokio::test]
async fn the_clock_is_the_servers_whatever_a_script_has_set() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    take(&mut *session, 1).await;
    let held = session.lease().await.unwrap().unwrap();
    let here = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let here = i64::try_from(here.as_millis()).unwrap();
    assert!((held.now_ms - here).abs() < 5000, "{held:?}, here {here}");
    for script in ["SET time_zone = '+05:30'", "SET TIMESTAMP = 1000000000"] {
        session.execute(script).await.unwrap();
        let now = session.lease().await.unwrap().unwrap().now_ms;
        assert!((now - held.now_ms).abs() < 5000, "{script}: {now}");
    }
}
