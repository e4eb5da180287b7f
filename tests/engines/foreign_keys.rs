//! Foreign keys in databases that have rows: a table rebuilt under its children, and rows left without
//! a parent.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::report::State;
use mledger::request::{Back, Resolution};

use crate::place::{Database, Kind, on_every_engine};
use crate::shop::{Shop, refused};

const PARENTS_AND_CHILDREN: &str = "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE child (
    id INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL REFERENCES parent (id) ON DELETE CASCADE
);
INSERT INTO parent VALUES (1, 'one'), (2, 'two');
INSERT INTO child VALUES (11, 1), (12, 1), (21, 2);";

/// Runs `test` where foreign keys can be switched off for a rebuild, with rows in the tables.
async fn where_they_can_be_switched(test: impl AsyncFn(&Kind, Shop)) {
    on_every_engine(async |kind, database: Box<dyn Database>| {
        if !database.engine().capabilities().switchable_foreign_keys {
            return;
        }
        let shop = Shop::with(
            database,
            &[(
                "1_family",
                PARENTS_AND_CHILDREN,
                "DROP TABLE child;\nDROP TABLE parent;",
            )],
        );
        shop.up().await.unwrap();
        test(kind, shop).await;
    })
    .await;
}

fn children(shop: &Shop) -> String {
    shop.ask("SELECT id, parent FROM child ORDER BY id")
}

const ALL_CHILDREN: &str = "11|1\n12|1\n21|2\n";

/// Twelve steps of a rebuild as the database's own manual gives them.
fn rebuild(before: &str, after: &str) -> String {
    format!(
        "{before}CREATE TABLE parent_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '');
INSERT INTO parent_new SELECT id, name FROM parent;
DROP TABLE parent;
ALTER TABLE parent_new RENAME TO parent;{after}"
    )
}

/// F119
#[tokio::test(flavor = "multi_thread")]
async fn children_survive_a_rebuild_of_their_parent() {
    for (before, after) in [
        ("", ""),
        (
            "PRAGMA foreign_keys = OFF;\n",
            "\nPRAGMA foreign_keys = ON;",
        ),
        (
            "PRAGMA foreign_keys = OFF;\nBEGIN;\n",
            "\nPRAGMA foreign_key_check;\nCOMMIT;\nPRAGMA foreign_keys = ON;",
        ),
        ("BEGIN;\n", "\nCOMMIT;"),
        ("PRAGMA foreign_keys = ON;\n", ""),
    ] {
        where_they_can_be_switched(async |_, shop| {
            shop.migration("2_rebuild", &rebuild(before, after), "SELECT 1;");
            let outcome = shop.up().await;
            // what cannot be run as it stands is refused, and refused means that nothing ran
            if let Err(error) = outcome {
                assert_eq!(error.code(), "transaction-control", "{before}: {error:?}");
                assert_eq!(shop.state("2").await, Some(State::Pending));
                shop.remove("2_rebuild");
            }
            assert_eq!(children(&shop), ALL_CHILDREN, "{before}");
            Shop::assert_intact(&shop.verify().await);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn children_survive_a_rebuild_that_is_rolled_back() {
    where_they_can_be_switched(async |kind, shop| {
        let before = shop.definitions(kind);
        let script = rebuild("", "\nINSERT INTO nowhere VALUES (1);");
        shop.migration("2_rebuild", &script, "");
        refused(shop.up().await, "migration-failed", 1);
        assert_eq!(children(&shop), ALL_CHILDREN);
        assert_eq!(shop.definitions(kind), before);
        shop.migration("2_rebuild", &rebuild("", ""), &rebuild("", ""));
        shop.up().await.unwrap();
        shop.down(Back::Steps(1)).await.unwrap();
        assert_eq!(children(&shop), ALL_CHILDREN, "and one on the way down");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_leaves_a_row_without_its_parent_is_undone() {
    where_they_can_be_switched(async |_, shop| {
        for script in [
            "INSERT INTO child VALUES (99, 7);",
            "DELETE FROM parent WHERE id = 2;",
            "UPDATE parent SET id = 3 WHERE id = 2;",
            "DROP TABLE parent;",
        ] {
            shop.migration("2_orphans", script, "");
            let error = refused(shop.up().await, "migration-failed", 1);
            assert!(error.to_string().contains("child"), "{script}: {error}");
            assert_eq!(children(&shop), ALL_CHILDREN, "{script}");
            assert_eq!(shop.ask("SELECT count(*) FROM parent"), "2\n", "{script}");
        }
        shop.migration("2_orphans", "SELECT 1;", "");
        shop.up().await.unwrap();
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stepwise_script_that_leaves_a_row_without_its_parent_is_not_applied() {
    where_they_can_be_switched(async |_, shop| {
        let script = |sql: &str| format!("-- mledger:no-transaction\n{sql}");
        shop.migration(
            "2_orphans",
            &script("INSERT INTO child VALUES (99, 7);"),
            "",
        );
        refused(shop.up().await, "migration-failed", 1);
        assert_eq!(children(&shop), ALL_CHILDREN);
        // a rebuild breaks them for a while and not in the end
        shop.migration("2_orphans", &script(&rebuild("", "")), "");
        shop.up().await.unwrap();
        assert_eq!(children(&shop), ALL_CHILDREN);
        shop.migration(
            "3_partial",
            &script("DELETE FROM parent WHERE id = 2;\nSELECT 1;\nSELECT 2;"),
            "",
        );
        refused(shop.up().await, "migration-failed", 1);
        assert_eq!(
            shop.state("3").await,
            Some(State::Partial),
            "a person decides"
        );
        shop.resolve("3", Resolution::NotApplied).await.unwrap();
        let report = shop.verify().await;
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.severity.as_str() != "error")
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_broken_before_stop_nobody_and_new_ones_do() {
    for table in ["child", "unkeyed"] {
        where_they_can_be_switched(async |_, shop| {
            shop.ask(
                "CREATE TABLE unkeyed (
                     id INTEGER, parent INTEGER REFERENCES parent (id), PRIMARY KEY (id)
                 ) WITHOUT ROWID",
            );
            shop.ask(&format!("INSERT INTO {table} VALUES (98, 7)"));
            shop.migration("2_other", "CREATE TABLE other (id INTEGER);", "");
            shop.up().await.unwrap();
            shop.migration(
                "3_worse",
                &format!("INSERT INTO {table} VALUES (99, 8);"),
                "",
            );
            refused(shop.up().await, "migration-failed", 1);
            let count = shop.ask(&format!("SELECT count(*) FROM {table} WHERE id > 90"));
            assert_eq!(count, "1\n", "a second broken row in `{table}`");
            shop.migration(
                "3_worse",
                &format!("DELETE FROM {table} WHERE id = 98;"),
                "",
            );
            shop.up().await.unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_relies_on_cascades_gets_them() {
    where_they_can_be_switched(async |_, shop| {
        shop.migration(
            "2_cascade",
            "-- mledger:foreign-keys on\nDELETE FROM parent WHERE id = 1;",
            "",
        );
        shop.up().await.unwrap();
        assert_eq!(children(&shop), "21|2\n");
        // and the next script runs as all others do
        shop.migration("3_rebuild", &rebuild("", ""), "");
        shop.up().await.unwrap();
        assert_eq!(children(&shop), "21|2\n");
        shop.migration(
            "4_refused",
            "-- mledger:foreign-keys on\nINSERT INTO child VALUES (99, 7);",
            "",
        );
        let error = refused(shop.up().await, "migration-failed", 1);
        assert!(
            error.to_string().to_lowercase().contains("foreign key"),
            "{error}"
        );
        shop.remove("4_refused");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_scripts_of_one_run_keep_apart() {
    where_they_can_be_switched(async |_, shop| {
        shop.migration("2_rebuild", &rebuild("", ""), "");
        shop.migration(
            "3_cascade",
            "-- mledger:foreign-keys on\nDELETE FROM parent WHERE id = 1;",
            "",
        );
        shop.migration("4_rebuild", &rebuild("", ""), "");
        shop.migration("5_orphan", "INSERT INTO child VALUES (99, 7);", "");
        let error = refused(shop.up().await, "migration-failed", 1);
        assert_eq!(error.done().unwrap().applied, 3);
        assert_eq!(children(&shop), "21|2\n");
    })
    .await;
}
