//! What the rules of an environment stop or allow: how long a run may take, and `reset`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use mledger::Migrator;
use mledger::context::Stop;
use mledger::ledger::{Body, Outcome};
use mledger::policy::Rules;
use mledger::report::State;
use mledger::request::{Back, Down, Settings, Up};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

fn under(shop: &Shop, change: impl FnOnce(&mut Rules)) -> Migrator {
    let mut rules = Rules::cautious("development");
    change(&mut rules);
    shop.migrator_with(|settings: &mut Settings| {
        settings.rules.insert("development".to_owned(), rules);
    })
}

fn all() -> Down {
    Down {
        back: Back::All,
        ticket: None,
        timeout: None,
    }
}

/// It is stopped as by a signal: what was applied stays, what was under way is undone and recorded.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_longer_than_allowed_is_stopped() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let mut shop = Shop::with(
            database,
            &[
                (
                    "1_sink",
                    "CREATE TABLE sink (x INTEGER);",
                    "DROP TABLE sink;",
                ),
                ("2_slow", kind.slow, ""),
                ("3_never", "CREATE TABLE never (x INTEGER);", ""),
            ],
        );
        let bounded = under(&shop, |rules| {
            rules.max_duration = Some(Duration::from_secs(2));
        });
        let begun = Instant::now();
        let error = refused(bounded.up(&Up::default()).await, "timeout", 1);
        assert!(begun.elapsed() < Duration::from_secs(30), "{name}");
        assert_eq!(error.done().unwrap().applied, 1, "{name}: {error:?}");
        shop.stop = Stop::default();
        let status = shop.status().await;
        assert!(status.lock.is_none(), "{name}: the lease is free");
        assert_eq!(status.counts.applied, 1, "{name}");
        assert_eq!(shop.ask("SELECT count(*) FROM sink"), "0\n", "{name}");
        assert_eq!(shop.state("3").await, Some(State::Pending), "{name}");
        let mut ended = Vec::new();
        shop.events(|event| match &event.body {
            Body::MigrationFailed(body) => ended.push((body.version.clone(), event.outcome)),
            Body::RunFinished(_) => ended.push(("run".to_owned(), event.outcome)),
            _ => {}
        })
        .await;
        let failed = |what: &str| (what.to_owned(), Outcome::Failure);
        assert_eq!(ended, [failed("2"), failed("run")], "{name}");

        // what was asked for this run comes before what the environment allows
        shop.migration("2_slow", "INSERT INTO sink VALUES (1);", "");
        let strict = under(&shop, |rules| {
            rules.max_duration = Some(Duration::from_nanos(1));
        });
        let patient = Up {
            timeout: Some(Duration::from_secs(60)),
            ..Up::default()
        };
        assert_eq!(strict.up(&patient).await.unwrap().applied, 2, "{name}");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// Everything is rolled back, the ledger keeps what happened, and the environment begins again.
#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_may_be_reset_is() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let shop = Shop::with(
            database,
            &[
                (
                    "1_users",
                    "CREATE TABLE users (id INTEGER);",
                    "DROP TABLE users;",
                ),
                (
                    "2_items",
                    "CREATE TABLE items (id INTEGER);",
                    "DROP TABLE items;",
                ),
            ],
        );
        shop.up().await.unwrap();
        let size = shop.status().await.ledger.unwrap().size;
        let forbidding = under(&shop, |rules| rules.allow_reset = false);
        refused(forbidding.reset(&all()).await, "reset-forbidden", 3);
        assert_eq!(shop.status().await.counts.applied, 2, "{name}");

        let allowing = under(&shop, |rules| rules.allow_reset = true);
        let planned = allowing.plan_reset(&all()).await.unwrap();
        let versions: Vec<&str> = planned.steps.iter().map(|step| &*step.version).collect();
        assert_eq!(versions, ["2", "1"], "{name}: newest first");
        let report = allowing.reset(&all()).await.unwrap();
        assert_eq!(report.rolled_back, 2, "{name}");
        assert_eq!(shop.definitions(kind), "", "{name}");
        let status = shop.status().await;
        assert!(status.ledger.unwrap().size > size, "the ledger stays");
        assert_eq!((status.counts.applied, status.counts.pending), (0, 2));
        let mut commands = Vec::new();
        shop.events(|event| {
            if let Body::RunStarted(body) = &event.body {
                commands.push(body.command.clone());
            }
        })
        .await;
        assert_eq!(commands, ["up", "reset"], "{name}");
        let nothing = allowing.reset(&all()).await.unwrap();
        assert_eq!((nothing.run, nothing.rolled_back), (None, 0), "{name}");
        assert_eq!(shop.up().await.unwrap().applied, 2, "{name}");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}
