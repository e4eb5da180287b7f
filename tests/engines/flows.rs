//! Apply, roll back, apply again, plan, fail, resolve.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use mledger::Error;
use mledger::error::StopReason;
use mledger::ledger::{Body, Direction};
use mledger::report::State;
use mledger::request::{Back, Down, Resolution, Up};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

/// Four migrations that can be undone.
const FOUR: [(&str, &str, &str); 4] = [
    (
        "1_users",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\nINSERT INTO users VALUES (1, 'dana');",
        "DROP TABLE users;",
    ),
    (
        "2_orders",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY);",
        "DROP TABLE orders;",
    ),
    (
        "9_nine",
        "CREATE TABLE nine (id INTEGER);",
        "DROP TABLE nine;",
    ),
    (
        "10_ten",
        "CREATE TABLE ten (id INTEGER);",
        "DROP TABLE ten;",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pending_is_applied_once_and_rolled_back_newest_first() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &FOUR);
        let first = shop.up().await.unwrap();
        assert_eq!((first.applied, first.batch), (4, Some(1)));
        let order: Vec<&str> = first
            .migrations
            .iter()
            .map(|migration| migration.version.as_str())
            .collect();
        assert_eq!(order, ["1", "2", "9", "10"], "versions are numbers");
        let size = shop.status().await.ledger.unwrap().size;
        let again = shop.up().await.unwrap();
        assert_eq!((again.applied, again.run), (0, None));
        assert_eq!(
            shop.status().await.ledger.unwrap().size,
            size,
            "a run with nothing to do writes nothing"
        );
        let applied = shop.definitions(kind);
        let down = shop.down(Back::Steps(3)).await.unwrap();
        let order: Vec<&str> = down
            .migrations
            .iter()
            .map(|migration| migration.version.as_str())
            .collect();
        assert_eq!(order, ["10", "9", "2"]);
        assert_eq!(down.rolled_back, 3);
        assert_eq!(shop.state("2").await, Some(State::RolledBack));
        assert_eq!(shop.ask("SELECT name FROM users"), "dana\n");
        assert_eq!(shop.up().await.unwrap().batch, Some(2));
        assert_eq!(shop.definitions(kind), applied);
        shop.down(Back::All).await.unwrap();
        assert_eq!(shop.definitions(kind), "", "nothing of it is left");
        shop.up().await.unwrap();
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// F63
#[tokio::test(flavor = "multi_thread")]
async fn how_far_up_and_down_can_be_said() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &FOUR);
        let to = Up {
            to: Some("2".parse().unwrap()),
            ..Up::default()
        };
        assert_eq!(shop.migrator().up(&to).await.unwrap().applied, 2);
        let one = Up {
            count: Some(1),
            ..Up::default()
        };
        assert_eq!(shop.migrator().up(&one).await.unwrap().batch, Some(2));
        assert_eq!(shop.up().await.unwrap().batch, Some(3));
        let unknown = Up {
            to: Some("77".parse().unwrap()),
            ..Up::default()
        };
        refused(shop.migrator().up(&unknown).await, "migration-unknown", 2);
        let back = shop.down(Back::Batch(Some(1))).await.unwrap();
        assert_eq!(back.rolled_back, 2, "a batch in the middle");
        refused(shop.down(Back::Batch(Some(1))).await, "batch-unknown", 2);
        let options = Up {
            out_of_order: true,
            ..Up::default()
        };
        shop.migrator().up(&options).await.unwrap();
        let back = shop.down(Back::To("9".parse().unwrap())).await.unwrap();
        let order: Vec<&str> = back
            .migrations
            .iter()
            .map(|migration| migration.version.as_str())
            .collect();
        assert_eq!(
            order,
            ["2", "1", "10"],
            "the reverse of how they were applied, not of their versions"
        );
        refused(
            shop.down(Back::To("10".parse().unwrap())).await,
            "version-not-applied",
            2,
        );
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_would_run_and_writes_nothing() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &FOUR);
        let foreseen = shop.migrator().plan_up(&Up::default()).await.unwrap();
        assert_eq!(foreseen.steps.len(), 4);
        assert_eq!(foreseen.steps[0].statement_count, 2);
        assert_eq!(foreseen.steps[0].statements[1].line, 3);
        assert!(shop.status().await.ledger.is_none(), "no ledger was opened");
        shop.up().await.unwrap();
        let applied = shop.definitions(kind);
        let size = shop.status().await.ledger.unwrap().size;
        let down = Down {
            back: Back::All,
            ticket: None,
            timeout: None,
        };
        let back = shop.migrator().plan_down(&down).await.unwrap();
        let directions: Vec<Direction> = back.steps.iter().map(|step| step.direction).collect();
        assert_eq!(directions, [Direction::Down; 4]);
        let redo = shop.migrator().plan_redo().await.unwrap();
        assert_eq!(redo.steps.len(), 2);
        assert_eq!(
            shop.migrator().plan_up(&Up::default()).await.unwrap().steps,
            []
        );
        assert_eq!(shop.definitions(kind), applied);
        assert_eq!(shop.status().await.ledger.unwrap().size, size);
        // what ran is the plan that was foreseen once the ledger was there
        shop.migration("11_eleven", "CREATE TABLE eleven (id INTEGER);", "");
        let foreseen = shop.migrator().plan_up(&Up::default()).await.unwrap();
        assert_eq!(shop.up().await.unwrap().plan, Some(foreseen.plan));
    })
    .await;
}

/// F24
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_leaves_nothing_says_where_and_can_be_mended_where_schema_changes_roll_back() {
    on_every_engine(async |kind, database| {
        if !kind.transactional {
            return;
        }
        let shop = Shop::with(database, &FOUR[..2]);
        shop.migration(
            "3_wrong",
            "CREATE TABLE three (id INTEGER);\n\nINSERT INTO three\n  VALUES (nowhere);\nCREATE TABLE \
             four (id INTEGER);",
            "",
        );
        shop.migration("4_later", "CREATE TABLE later (id INTEGER);", "");
        let error = shop.up().await.unwrap_err();
        let Error::Failed {
            version,
            failure,
            clean,
            done,
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!((version.as_str(), *clean, done.applied), ("3", true, 2));
        assert_eq!((failure.statement, failure.line), (Some(2), Some(5)));
        assert_eq!(failure.column, Some(11), "{failure:#?}");
        assert_eq!(error.exit_code(), 1);
        assert_eq!(shop.state("3").await, Some(State::Failed));
        assert_eq!(shop.state("4").await, Some(State::Pending));
        assert!(!shop.definitions(kind).contains("three"), "nothing remains");
        assert_eq!(shop.status().await.last_failure.unwrap().version, "3");
        shop.migration("3_wrong", "CREATE TABLE three (id INTEGER);", "");
        assert_eq!(shop.up().await.unwrap().applied, 2);
        assert!(shop.status().await.last_failure.is_none());
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// F64
#[tokio::test(flavor = "multi_thread")]
async fn a_down_script_that_fails_leaves_the_migration_applied() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(
            database,
            &[
                ("1_one", "CREATE TABLE one (id INTEGER);", "DROP TABLE one;"),
                (
                    "2_two",
                    "CREATE TABLE two (id INTEGER);",
                    "DROP TABLE two;\nDROP TABLE nowhere;",
                ),
            ],
        );
        shop.up().await.unwrap();
        let before = shop.definitions(kind);
        refused(shop.down(Back::All).await, "migration-failed", 1);
        if kind.transactional {
            refused(shop.down(Back::All).await, "migration-failed", 1);
            assert_eq!(shop.definitions(kind), before);
            assert_eq!(shop.state("2").await, Some(State::Applied));
        } else {
            // its first statement cannot be taken back, so a person says how it goes on
            refused(shop.down(Back::All).await, "migration-partial", 7);
            assert!(!shop.definitions(kind).contains("two"));
            assert_eq!(shop.state("2").await, Some(State::Partial));
        }
        let kinds = shop.kinds().await;
        assert!(
            !kinds.contains(&"migration.rolled_back".to_owned()),
            "{kinds:?}"
        );
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_cannot_be_undone_stops_the_rollback_before_it_begins() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(
            database,
            &[
                ("1_one", "CREATE TABLE one (id INTEGER);", "DROP TABLE one;"),
                ("2_two", "CREATE TABLE two (id INTEGER);", ""),
                (
                    "3_three",
                    "CREATE TABLE three (id INTEGER);",
                    "DROP TABLE three;",
                ),
            ],
        );
        shop.up().await.unwrap();
        let before = shop.definitions(kind);
        refused(shop.down(Back::Steps(2)).await, "irreversible", 3);
        assert_eq!(shop.definitions(kind), before);
        assert_eq!(shop.down(Back::Steps(1)).await.unwrap().rolled_back, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redo_undoes_by_the_recorded_script_and_applies_the_edited_file() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &FOUR[..2]);
        shop.up().await.unwrap();
        shop.migration(
            "2_orders",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER);",
            "DROP TABLE no_such_table;",
        );
        assert_eq!(shop.state("2").await, Some(State::Changed));
        let redone = shop.migrator().redo(None).await.unwrap();
        assert_eq!((redone.rolled_back, redone.applied), (1, 1));
        assert_eq!(shop.state("2").await, Some(State::Applied));
        assert_eq!(shop.ask("SELECT total FROM orders"), "");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_say_what_was_done_by_hand() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &FOUR[..2]);
        shop.up().await.unwrap();
        shop.migration("3_by_hand", "CREATE TABLE by_hand (id INTEGER);", "");
        refused(
            shop.resolve("3", Resolution::NotApplied).await,
            "resolution-does-not-fit",
            2,
        );
        shop.resolve("3", Resolution::Applied).await.unwrap();
        assert_eq!(shop.state("3").await, Some(State::Applied));
        assert_eq!(shop.up().await.unwrap().applied, 0, "it does not run");
        refused(
            shop.resolve("3", Resolution::Applied).await,
            "resolution-does-not-fit",
            2,
        );
        shop.resolve("3", Resolution::NotApplied).await.unwrap();
        assert_eq!(shop.up().await.unwrap().applied, 1, "now it does");
        refused(
            shop.resolve("3", Resolution::Resume).await,
            "resolution-does-not-fit",
            2,
        );
        refused(
            shop.resolve("99", Resolution::Applied).await,
            "migration-unknown",
            2,
        );
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stepwise_script_that_fails_is_partial_until_it_is_resumed() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &FOUR[..1]);
        let script = |last: &str| {
            format!(
                "-- mledger:no-transaction\nCREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES \
                 (1);\n{last}"
            )
        };
        shop.migration(
            "2_steps",
            &script("INSERT INTO nowhere VALUES (1);"),
            "DROP TABLE a;",
        );
        refused(shop.up().await, "migration-failed", 1);
        assert_eq!(shop.state("2").await, Some(State::Partial));
        assert_eq!(
            shop.ask("SELECT id FROM a"),
            "1\n",
            "what was committed stays"
        );
        refused(shop.up().await, "migration-partial", 7);
        refused(shop.down(Back::Steps(1)).await, "migration-partial", 7);
        // what ran must stay as it was
        shop.migration(
            "2_steps",
            &script("INSERT INTO a VALUES (3);").replace("(1)", "(2)"),
            "DROP TABLE a;",
        );
        refused(
            shop.resolve("2", Resolution::Resume).await,
            "resume-prefix-changed",
            7,
        );
        shop.migration(
            "2_steps",
            &script("INSERT INTO a VALUES (3);\nINSERT INTO a VALUES (4);"),
            "DROP TABLE a;",
        );
        shop.resolve("2", Resolution::Resume).await.unwrap();
        assert_eq!(
            shop.ask("SELECT id FROM a ORDER BY id"),
            "1\n3\n4\n",
            "nothing twice"
        );
        assert_eq!(shop.state("2").await, Some(State::Applied));
        assert_eq!(shop.up().await.unwrap().applied, 0);
        assert_eq!(shop.down(Back::Steps(1)).await.unwrap().rolled_back, 1);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_does_not_hold_undoes_its_migration() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        let text = |wanted: u32| {
            format!(
                "-- UP\nCREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\n-- VERIFY\nSELECT \
                 count(*) = {wanted} FROM a;\n-- DOWN\nDROP TABLE a;\n"
            )
        };
        shop.write("1_checked.sql", &text(2));
        refused(shop.up().await, "migration-failed", 1);
        if kind.transactional {
            assert_eq!(shop.definitions(kind), "");
            shop.write("1_checked.sql", &text(1));
            assert_eq!(shop.up().await.unwrap().applied, 1);
        } else {
            // the row is taken back, its table cannot be
            assert_eq!(shop.ask("SELECT count(*) FROM a"), "0\n");
            assert_eq!(shop.state("1").await, Some(State::Partial));
            shop.write("1_checked.sql", &text(1));
            shop.resolve("1", Resolution::Resume).await.unwrap();
        }
        assert_eq!(shop.state("1").await, Some(State::Applied));
        assert_eq!(shop.ask("SELECT id FROM a"), "1\n");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_rolls_back_and_says_so() {
    on_every_engine(async |kind, database| {
        let mut shop = Shop::with(database, &FOUR[..1]);
        shop.migration("2_sink", "CREATE TABLE sink (x INTEGER);", "");
        shop.migration("3_slow", kind.slow, "");
        let (ended, ()) = tokio::join!(shop.up(), async {
            while !shop.has_started("3").await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            shop.stop.request(StopReason::Interrupt);
        });
        let error = ended.unwrap_err();
        assert_eq!(error.exit_code(), 130, "{error:?}");
        assert_eq!(error.done().unwrap().applied, 2);
        shop.stop = mledger::context::Stop::default();
        assert!(shop.status().await.lock.is_none(), "the lease is free");
        assert_eq!(shop.ask("SELECT count(*) FROM sink"), "0\n");
        let limited = Up {
            timeout: Some(Duration::from_millis(500)),
            ..Up::default()
        };
        let error = shop.migrator().up(&limited).await.unwrap_err();
        assert_eq!(
            (error.code(), error.exit_code()),
            ("timeout", 1),
            "{error:?}"
        );
        shop.stop = mledger::context::Stop::default();
        shop.migration("3_slow", "INSERT INTO sink VALUES (1);", "");
        shop.up().await.unwrap();
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_may_take_is_bounded_by_its_directive() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &FOUR[..1]);
        shop.migration("2_sink", "CREATE TABLE sink (x INTEGER);", "");
        shop.migration(
            "3_slow",
            &format!("-- mledger:timeout 1s\n{};", kind.slow),
            "",
        );
        let error = refused(shop.up().await, "migration-failed", 1);
        assert_eq!(error.done().unwrap().applied, 2);
        assert_eq!(shop.ask("SELECT count(*) FROM sink"), "0\n");
        assert_eq!(shop.state("3").await, Some(State::Failed));
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// Every command that was refused is in the log, and what it was refused for.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_recorded() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &[FOUR[0], FOUR[2]]);
        shop.up().await.unwrap();
        shop.migration("2_late", "CREATE TABLE late (id INTEGER);", "");
        refused(shop.up().await, "out-of-order", 3);
        shop.remove("2_late");
        shop.migration("1_users", "CREATE TABLE users (other INTEGER);", "");
        refused(shop.up().await, "file-changed", 4);
        let mut reasons = Vec::new();
        shop.events(|event| {
            if let Body::RunRefused(body) = &event.body {
                assert_eq!(event.outcome.as_str(), "denied");
                reasons.push((body.command.clone(), body.reasons.clone()));
            }
        })
        .await;
        let up = "up".to_owned();
        assert_eq!(
            reasons,
            [
                (up.clone(), vec!["out-of-order".to_owned()]),
                (up, vec!["file-changed".to_owned()]),
            ]
        );
    })
    .await;
}
