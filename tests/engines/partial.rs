//! Migrations of which a part is left, and what a person is shown and can say (F20, F21, F24).
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use mledger::Error;
use mledger::report::State;
use mledger::request::{Resolution, Up};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

/// Seven statements; the fifth is given.
fn seven(fifth: &str) -> String {
    format!(
        "CREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\nCREATE TABLE b (id INTEGER);\nSET @kept = \
         5;\n{fifth};\nINSERT INTO b VALUES (@kept);\nCREATE TABLE c (id INTEGER);"
    )
}

/// Where they take part in transactions nothing is left, which the other tests of failures show.
#[tokio::test(flavor = "multi_thread")]
async fn where_schema_changes_commit_by_themselves_a_failure_is_partial_and_goes_on() {
    on_every_engine(async |kind, database| {
        if kind.transactional {
            return;
        }
        let shop = Shop::new(database);
        shop.migration("1_seven", &seven("ALTER TABLE nowhere ADD x INTEGER"), "");
        let error = shop.up().await.unwrap_err();
        let Error::Failed { failure, clean, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (failure.statement, failure.line, *clean),
            (Some(5), Some(6), false)
        );
        let status = shop.status().await;
        let steps = status.migrations[0].steps.unwrap();
        assert_eq!(
            (status.migrations[0].state, steps.done, steps.of),
            (State::Partial, 4, 7)
        );
        refused(shop.up().await, "migration-partial", 7);

        let version = "1".parse().unwrap();
        let seen = shop.migrator().unresolved(&version).await.unwrap();
        assert_eq!((seen.step, seen.of, seen.line), (Some(5), Some(7), Some(6)));
        assert_eq!(
            seen.statement.as_deref(),
            Some("ALTER TABLE nowhere ADD x INTEGER")
        );
        assert!(seen.database.join("\n").contains("nowhere"), "{seen:#?}");

        // what ran must still be there as it ran
        let edited = seven("ALTER TABLE a ADD x INTEGER");
        let other = edited.replace("VALUES (1)", "VALUES (2)");
        shop.migration("1_seven", &other, "");
        let resumed = shop.resolve("1", Resolution::Resume).await;
        refused(resumed, "resume-prefix-changed", 7);
        // the rest is edited, and the variable that it needs is set again
        shop.migration("1_seven", &edited, "");
        shop.resolve("1", Resolution::Resume).await.unwrap();
        assert_eq!(shop.state("1").await, Some(State::Applied));
        assert_eq!(shop.ask("SELECT id FROM a"), "1\n", "nothing twice");
        assert_eq!(shop.ask("SELECT id FROM b"), "5\n");
        assert_eq!(shop.up().await.unwrap().applied, 0);
        Shop::assert_intact(&shop.verify().await);

        // a value that was computed cannot be had again
        let computed = seven("ALTER TABLE nowhere ADD x INTEGER")
            .replace("@kept = 5", "@kept = (SELECT 5)")
            .replace(" a ", " d ")
            .replace(" b ", " e ")
            .replace(" c ", " f ");
        shop.migration("2_seven", &computed, "");
        shop.up().await.unwrap_err();
        let resumed = shop.resolve("2", Resolution::Resume).await;
        let error = refused(resumed, "resume-needs-session", 7);
        assert!(error.to_string().contains("@kept"), "{error}");
    })
    .await;
}

/// Only PostgreSQL builds indexes while others write.
#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_an_index_that_stays_invalid_is_named_and_not_tried_again() {
    on_every_engine(async |kind, database| {
        if kind.name != "postgres" {
            return;
        }
        let shop = Shop::new(database);
        shop.migration(
            "1_t",
            "CREATE TABLE t (id INTEGER);\nINSERT INTO t VALUES (1), (1);",
            "",
        );
        let build = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS once ON t (id);";
        shop.migration("2_once", build, "");
        let error = shop.up().await.unwrap_err();
        assert!(
            matches!(&error, Error::Failed { clean: false, .. }),
            "{error:?}"
        );
        // with IF NOT EXISTS a second try would take the invalid index for a good one
        refused(
            shop.migrator().up(&Up::default()).await,
            "migration-partial",
            7,
        );
        let version = "2".parse().unwrap();
        let seen = shop.migrator().unresolved(&version).await.unwrap();
        let said = seen.database.join("\n");
        assert!(
            said.contains("INVALID") && said.contains("DROP INDEX CONCURRENTLY"),
            "{said}"
        );

        shop.database
            .run("DROP INDEX once; DELETE FROM t;")
            .unwrap();
        shop.resolve("2", Resolution::NotApplied).await.unwrap();
        assert_eq!(shop.up().await.unwrap().applied, 1);
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'once'::regclass";
        assert_eq!(shop.ask(valid), "t\n");
    })
    .await;
}
