//! A history goes on with another tool, whose table is written.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::adopt::{LEAVING_FOR, Verdict};
use mledger::request::Up;

use crate::adopting::{from, three};
use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_for_another_tool_is_what_is_taken_over_from_it() {
    for tool in LEAVING_FOR {
        on_every_engine(async |_, database| {
            let shop = Shop::new(database);
            three(&shop);
            let two = Up {
                count: Some(2),
                ..Up::default()
            };
            shop.migrator().up(&two).await.unwrap();
            let before = shop.kinds().await.len();
            let left = shop.migrator().export_history(tool).await.unwrap();
            assert_eq!(left.tool, tool);
            let again = shop.migrator().export_history(tool).await;
            refused(again, "export-table-present", 2);
            let read = shop.migrator().plan_adopt(&from(tool)).await.unwrap();
            let versions: Vec<&str> = read
                .migrations
                .iter()
                .filter(|one| one.marked)
                .map(|one| one.version.as_str())
                .collect();
            assert_eq!(versions, ["1", "2"], "{tool}: {:?}", read.migrations);
            let mismatch = read
                .migrations
                .iter()
                .any(|one| one.verdict == Verdict::Mismatch);
            assert!(!mismatch, "{tool}");
            assert_eq!(
                shop.kinds().await[before..],
                [
                    "lock.acquired",
                    "run.started",
                    "note.added",
                    "run.finished",
                    "lock.released"
                ]
            );
            // the new table is our own change, now and for the next run
            Shop::assert_intact(&shop.verify().await);
            shop.migrator().up(&Up::default()).await.unwrap();
            Shop::assert_intact(&shop.verify().await);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_tools_table_cannot_say_is_not_written() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        three(&shop);
        shop.write("1.5_late.sql", "CREATE TABLE late (id INTEGER);\n");
        shop.remove("1_a");
        shop.up().await.unwrap();
        let migrator = shop.migrator();
        for tool in ["sqlx", "goose", "dbmate"] {
            refused(migrator.export_history(tool).await, "export-unsupported", 2);
        }
        shop.warnings();
        migrator.export_history("flyway").await.unwrap();
        let warned = shop.warnings();
        assert!(
            warned.iter().any(|one| one.contains("`V1__name.sql`")),
            "{warned:?}"
        );
        shop.write("1_a.sql", "CREATE TABLE a (id INTEGER);\n");
        let gap = migrator.export_history("golang-migrate").await;
        refused(gap, "export-unsupported", 2);
    })
    .await;
}
