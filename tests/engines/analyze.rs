//! What is told of one migration.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::report::{Analysis, AttemptOutcome, State};
use mledger::request::{Back, Resolution};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

async fn analyze(shop: &Shop, version: &str) -> Analysis {
    let version = version.parse().unwrap();
    shop.migrator().analyze(&version).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_told_and_what_a_pending_one_would_do() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let shop = Shop::with(
            database,
            &[(
                "1_notes",
                "CREATE TABLE notes (id INTEGER);",
                "DROP TABLE notes;",
            )],
        );
        shop.write(
            "2_fill.sql",
            "-- @metadata { \"estimatedDuration\": 1000, \"description\": \"fill\" }\n\n-- UP\n\
             UPDATE notes SET id = 7;\nINSERT INTO nowhere VALUES (1);\n",
        );
        let pending = analyze(&shop, "2").await;
        assert_eq!(pending.state, State::Pending, "{name}");
        assert_eq!(
            (pending.estimated_ms, pending.actual_ms),
            (Some(1000), None)
        );
        assert!(pending.attempts.is_empty());
        let script = pending.pending.unwrap();
        let what: Vec<&[&str]> = script.statements.iter().map(|one| &*one.what).collect();
        assert_eq!(what, [["update rows"], ["insert rows"]], "{name}");
        assert_eq!(script.statements[1].line, 5);
        assert_eq!(script.statements[0].tables, ["notes"]);
        let mut rules = script.findings.iter();
        assert!(
            rules.any(|finding| finding.rule == "update-everything"),
            "{name}"
        );
        assert!(script.mode.is_some() && script.refusals.is_empty());
        assert_eq!(script.tables, [], "{name}: the table is not there yet");

        shop.up().await.unwrap_err();
        if shop.state("2").await == Some(State::Partial) {
            shop.resolve("2", Resolution::NotApplied).await.unwrap();
        }
        let failed = analyze(&shop, "2").await;
        assert_eq!(failed.attempts[0].outcome, AttemptOutcome::Failed, "{name}");
        assert_eq!(failed.attempts[0].line, Some(5), "{name}");
        assert_eq!(failed.attempts[0].command.as_deref(), Some("up"));
        let script = failed.pending.unwrap();
        assert_eq!(
            script.tables[0].name, "notes",
            "{name}: {:?}",
            script.tables
        );

        shop.write(
            "2_fill.sql",
            "-- UP\nUPDATE notes SET id = 7;\n-- DOWN\nUPDATE notes SET id = 8;\n",
        );
        shop.up().await.unwrap();
        shop.down(Back::Steps(1)).await.unwrap();
        let story = analyze(&shop, "2").await;
        let outcomes: Vec<AttemptOutcome> = story
            .attempts
            .iter()
            .map(|attempt| attempt.outcome)
            .collect();
        assert_eq!(
            outcomes,
            [
                AttemptOutcome::Failed,
                AttemptOutcome::Applied,
                AttemptOutcome::RolledBack
            ],
            "{name}"
        );
        assert_eq!(story.state, State::RolledBack, "{name}");
        assert_eq!(story.actual_ms, Some(0), "{name}: the clock stands still");
        let runs: std::collections::BTreeSet<_> =
            story.attempts.iter().map(|attempt| attempt.run).collect();
        assert_eq!(runs.len(), 3, "{name}: {:?}", story.attempts);
        let first = analyze(&shop, "1").await;
        assert_eq!(
            (first.state, first.pending),
            (State::Applied, None),
            "{name}"
        );
        let unknown = shop.migrator().analyze(&"77".parse().unwrap()).await;
        refused(unknown, "migration-unknown", 2);
    })
    .await;
}
