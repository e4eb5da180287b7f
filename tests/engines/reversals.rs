//! Checks of an environment, and what a run takes back when one of them or a migration fails.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mledger::ledger::{Body, Cause, When};
use mledger::policy::{Check, Probe, Rules};
use mledger::report::{RunReport, State};
use mledger::request::{Settings, Up};
use mledger::{Error, Migrator};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

const TWO: [(&str, &str, &str); 2] = [
    (
        "1_users",
        "CREATE TABLE users (id INTEGER);",
        "DROP TABLE users;",
    ),
    (
        "2_orders",
        "CREATE TABLE orders (id INTEGER);\nINSERT INTO orders VALUES (1);",
        "DELETE FROM orders;\nDROP TABLE orders;",
    ),
];

fn check(name: &str, program: &str) -> Check {
    Check {
        name: name.to_owned(),
        probe: Probe::Command(vec![program.to_owned()]),
        timeout: Duration::from_secs(10),
    }
}

fn under(shop: &Shop, change: impl FnOnce(&mut Rules)) -> Migrator {
    let mut rules = Rules::cautious("development");
    change(&mut rules);
    shop.migrator_with(|settings: &mut Settings| {
        settings.rules.insert("development".to_owned(), rules);
    })
}

/// What was rolled back and why, the checks, and how runs ended, in the order of the log.
async fn story(shop: &Shop) -> Vec<String> {
    let mut lines = Vec::new();
    shop.events(|event| match &event.body {
        Body::MigrationApplied(body) => lines.push(format!("applied {}", body.version)),
        Body::MigrationFailed(body) => lines.push(format!("failed {}", body.version)),
        Body::MigrationRolledBack(body) => {
            let cause = match body.cause {
                Cause::Failure => "failure",
                Cause::Check => "check",
                Cause::Requested => "requested",
            };
            lines.push(format!("rolled back {} for {cause}", body.version));
        }
        Body::CheckFinished(body) => {
            let side = if body.when == When::Before {
                "before"
            } else {
                "after"
            };
            lines.push(format!("check {} {side}: {}", body.name, event.outcome));
        }
        Body::RunFinished(body) => {
            lines.push(format!(
                "finished {} done, {} failed: {}",
                body.done, body.failed, event.outcome
            ));
        }
        Body::LockReleased(_) => lines.push("released".to_owned()),
        _ => {}
    })
    .await;
    lines
}

fn done(error: &Error) -> &RunReport {
    error.done().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_takes_the_migrations_before_it_back_where_that_is_asked_for() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &TWO);
        shop.migration("3_wrong", "INSERT INTO nowhere VALUES (1);", "");
        let migrator = under(&shop, |rules| rules.auto_rollback = true);
        let failed = migrator.up(&Up::default()).await;
        let error = refused(failed, "migration-failed", 1);
        assert_eq!((done(&error).applied, done(&error).rolled_back), (2, 2));
        assert_eq!(shop.definitions(kind), "", "nothing of the run is left");
        assert_eq!(
            story(&shop).await,
            [
                "applied 1",
                "applied 2",
                "failed 3",
                "rolled back 2 for failure",
                "rolled back 1 for failure",
                "finished 2 done, 1 failed: failure",
                "released"
            ]
        );
        assert_eq!(shop.state("1").await, Some(State::RolledBack));
        Shop::assert_intact(&shop.verify().await);
        shop.remove("3_wrong");
        let again = migrator.up(&Up::default()).await.unwrap();
        assert_eq!((again.applied, again.rolled_back), (2, 0));
        // what earlier runs have applied stays
        shop.migration("3_wrong", "INSERT INTO nowhere VALUES (1);", "");
        refused(migrator.up(&Up::default()).await, "migration-failed", 1);
        assert_eq!(shop.state("2").await, Some(State::Applied));
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_back_that_cannot_be_taken_back_whole() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &TWO);
        shop.migration("1.5_for_ever", "CREATE TABLE forever (id INTEGER);", "");
        shop.migration("3_wrong", "INSERT INTO nowhere VALUES (1);", "");
        let migrator = under(&shop, |rules| rules.auto_rollback = true);
        let error = refused(migrator.up(&Up::default()).await, "migration-failed", 1);
        assert_eq!((done(&error).applied, done(&error).rolled_back), (3, 0));
        let warnings = shop.warnings().join("\n");
        assert!(
            warnings.contains("nothing of this run is rolled back"),
            "{warnings}"
        );
        assert_eq!(shop.state("2").await, Some(State::Applied));
        assert!(shop.status().await.lock.is_none(), "the lock is free");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_left_is_not_pulled_the_ground_from_under() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &TWO);
        shop.migration(
            "3_wrong",
            "CREATE TABLE third (id INTEGER);\nCREATE TABLE third (id INTEGER);",
            "DROP TABLE third;",
        );
        let migrator = under(&shop, |rules| rules.auto_rollback = true);
        let error = refused(migrator.up(&Up::default()).await, "migration-failed", 1);
        let whole = shop.state("3").await != Some(State::Partial);
        let taken_back = if whole { 2 } else { 0 };
        assert_eq!(done(&error).rolled_back, taken_back);
        assert_eq!(shop.definitions(kind).is_empty(), whole);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_stand_before_the_first_migration_and_after_the_last() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &TWO);
        let bad_start = under(&shop, |rules| {
            rules.checks.before = vec![check("disk", "true"), check("load", "false")];
        });
        let error = refused(bad_start.up(&Up::default()).await, "check-failed", 1);
        assert!(error.to_string().contains("`load` before"), "{error}");
        assert_eq!(
            story(&shop).await,
            [
                "check disk before: success",
                "check load before: failure",
                "finished 0 done, 0 failed: failure",
                "released"
            ]
        );
        assert_eq!(shop.definitions(kind), "", "nothing was applied");
        let good = under(&shop, |rules| {
            rules.checks.before = vec![check("disk", "true")];
            rules.checks.after = vec![check("shop", "true")];
        });
        assert_eq!(good.up(&Up::default()).await.unwrap().applied, 2);
        let nothing = good.up(&Up::default()).await.unwrap();
        assert_eq!(nothing.run, None, "without work there is nothing to check");
        shop.down(mledger::request::Back::All).await.unwrap();
        assert_eq!(
            story(&shop).await[4..],
            [
                "check disk before: success",
                "applied 1",
                "applied 2",
                "check shop after: success",
                "finished 2 done, 0 failed: success",
                "released",
                "rolled back 2 for requested",
                "rolled back 1 for requested",
                "finished 2 done, 0 failed: success",
                "released"
            ]
        );
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_afterwards_takes_the_run_back_where_that_is_asked_for() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &TWO);
        let strict = under(&shop, |rules| {
            rules.checks.after = vec![check("shop", "false"), check("never", "true")];
            rules.auto_rollback = true;
        });
        let error = refused(strict.up(&Up::default()).await, "check-failed", 1);
        assert_eq!((done(&error).applied, done(&error).rolled_back), (2, 2));
        assert_eq!(shop.definitions(kind), "");
        assert_eq!(
            story(&shop).await,
            [
                "applied 1",
                "applied 2",
                "check shop after: failure",
                "rolled back 2 for check",
                "rolled back 1 for check",
                "finished 2 done, 0 failed: failure",
                "released"
            ]
        );
        let lenient = under(&shop, |rules| {
            rules.checks.after = vec![check("shop", "false")];
        });
        let error = refused(lenient.up(&Up::default()).await, "check-failed", 1);
        assert_eq!((done(&error).applied, done(&error).rolled_back), (2, 0));
        assert_eq!(shop.state("2").await, Some(State::Applied));
        assert!(shop.status().await.lock.is_none(), "the lock is free");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}
