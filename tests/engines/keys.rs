//! Keys that are retired, and what they signed before.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::ledger::{Code, Role};
use mledger::request::{Authorize, Compromised, Health, Retire, Up, Verify};

use crate::place::on_every_engine;
use crate::shop::{DANA, Person, Shop, refused};

const LEE: Person = Person(8, "lee@example.com");

/// A ledger in which lee, let in by dana, has applied the first migration.
async fn with_lee(shop: &Shop) {
    let dana = shop.migrator();
    dana.init(None).await.unwrap();
    let request = Authorize {
        proof: shop.migrator_of(LEE, |_| {}).prove_key(None).await.unwrap(),
        name: "lee".to_owned(),
        roles: vec![Role::Operator],
    };
    dana.authorize_key(&request).await.unwrap();
    let lee = shop.migrator_of(LEE, |_| {});
    assert_eq!(lee.up(&Up::default()).await.unwrap().applied, 1);
}

fn retire(compromised: Option<Compromised>) -> Retire {
    Retire {
        key: "lee".to_owned(),
        reason: "the laptop is gone".to_owned(),
        compromised,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_key_signed_is_suspect_and_the_ledger_goes_on() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let shop = Shop::with(database, &[("1_a", "CREATE TABLE a (id INTEGER);", "")]);
        with_lee(&shop).await;
        let dana = shop.migrator();
        let size = shop.status().await.ledger.unwrap().size;
        let too_far = retire(Some(Compromised::From(size + 1)));
        refused(dana.retire_key(&too_far).await, "event-unknown", 2);
        // the clock of these tests stands still, so every event is as late as the first
        let since = Compromised::Since("2026-11-20T19:59:00.000000Z".parse().unwrap());
        let decided = dana.retire_key(&retire(Some(since))).await.unwrap();
        assert!(decided.message.contains("are suspect"), "{decided:?}");
        let report = dana.verify(&Verify::default()).await.unwrap();
        let found: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.code == Code::KeyCompromised)
            .collect();
        assert_eq!(found.len(), 1, "{name}: {:?}", report.findings);
        assert_eq!(found[0].seq, Some(decided.seq));
        let keys = dana.keys().await.unwrap();
        assert_eq!(keys[1].compromised_from, Some(0), "{name}");

        shop.migration("2_b", "CREATE TABLE b (id INTEGER);", "");
        let lee = shop.migrator_of(LEE, |_| {}).up(&Up::default()).await;
        assert!(lee.is_err(), "{name}: a retired key signs nothing");
        assert_eq!(dana.up(&Up::default()).await.unwrap().applied, 1);
        let health = dana.health(&Health::default()).await.unwrap();
        assert_eq!(health.exit_code(), 0, "{name}");
        assert_eq!(health.problems[0].code, "key-compromised");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_signed_nothing_since_leaves_nothing_suspect() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &[("1_a", "CREATE TABLE a (id INTEGER);", "")]);
        with_lee(&shop).await;
        let dana = shop.migrator();
        let size = shop.status().await.ledger.unwrap().size;
        let later = Compromised::Since("2026-11-20T20:00:01.000000Z".parse().unwrap());
        let decided = dana.retire_key(&retire(Some(later))).await.unwrap();
        assert!(
            decided.message.contains("no event is suspect"),
            "{decided:?}"
        );
        assert_eq!(decided.seq, size);
        let keys = dana.keys().await.unwrap();
        assert_eq!(keys[1].compromised_from, Some(size), "{}", kind.name);
        Shop::assert_intact(&shop.verify().await);
        refused(dana.retire_key(&retire(None)).await, "key-unknown", 2);
        let last = Retire {
            key: DANA.1.to_owned(),
            ..retire(None)
        };
        refused(dana.retire_key(&last).await, "last-owner", 3);
    })
    .await;
}
