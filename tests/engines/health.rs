//! What a probe is told.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mledger::report::{self, SchemaHealth};
use mledger::request::Health;

use crate::place::on_every_engine;
use crate::shop::Shop;

const NOTES: (&str, &str, &str) = (
    "1_notes",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY);",
    "DROP TABLE notes;",
);

async fn health(shop: &Shop) -> report::Health {
    shop.migrator().health(&Health::default()).await.unwrap()
}

fn codes(health: &report::Health) -> Vec<&str> {
    health.problems.iter().map(|problem| problem.code).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn health_follows_what_happens_and_writes_nothing() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let shop = Shop::with(database, &[NOTES]);
        match shop.migrator().health(&Health::default()).await {
            Ok(before) => {
                assert_eq!((before.exit_code(), before.ledger), (0, None), "{name}");
                assert_eq!(before.counts.pending, 1);
            }
            Err(error) => assert_eq!(
                (error.code(), error.exit_code(), shop.database.exists()),
                ("database-missing", 6, false),
                "{name}"
            ),
        }
        shop.up().await.unwrap();
        let healthy = health(&shop).await;
        assert_eq!(codes(&healthy), [""; 0], "{name}");
        assert_eq!((healthy.exit_code(), healthy.differs()), (0, false));
        assert_eq!(healthy.schema, SchemaHealth::AsLeft);
        let size = healthy.ledger.unwrap().view.size;

        shop.migration("2_wrong", "INSERT INTO nowhere VALUES (1);", "");
        let pending = health(&shop).await;
        assert_eq!((pending.exit_code(), pending.differs()), (0, true));
        shop.up().await.unwrap_err();
        let failed = health(&shop).await;
        assert_eq!(codes(&failed), ["migration-failed"], "{name}");
        assert_eq!(failed.exit_code(), 1);
        assert_eq!(failed.counts.failed, 1);
        shop.migration("2_wrong", "INSERT INTO notes VALUES (1);", "");
        shop.up().await.unwrap();
        assert_eq!(health(&shop).await.exit_code(), 0, "made good: {name}");

        shop.ask("CREATE TABLE by_hand (id INTEGER)");
        let drifted = health(&shop).await;
        assert_eq!(codes(&drifted), ["schema-drift"], "{name}");
        assert_eq!((drifted.exit_code(), drifted.differs()), (0, true));
        shop.migration(NOTES.0, "CREATE TABLE notes (id INTEGER);", NOTES.2);
        let edited = health(&shop).await;
        assert_eq!(codes(&edited)[0], "file-changed", "{name}");
        assert_eq!(edited.exit_code(), 4);
        let now = health(&shop).await.ledger.unwrap().view.size;
        let of_runs = shop.kinds().await.len();
        assert_eq!(now, of_runs as u64);
        assert!(now > size, "the runs, and only they, were recorded");
    })
    .await;
}

/// A probe that runs where the files are not knows less, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_folder_nothing_is_missing() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &[NOTES]);
        shop.up().await.unwrap();
        let elsewhere = shop.migrator_with(|settings| {
            settings.migrations = settings.migrations.join("not_here");
        });
        let asked = Health {
            max_backup_age: Some(Duration::from_secs(60)),
        };
        let found = elsewhere.health(&asked).await.unwrap();
        assert!(!found.folder);
        assert_eq!((found.counts.applied, found.counts.missing), (1, 0));
        assert_eq!(codes(&found), ["backup-too-old"], "{}", kind.name);
        assert_eq!(found.exit_code(), 1);
    })
    .await;
}
