//! Migrations that run again when their text changes, and those that stand for all older ones.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::adopt::Verdict;
use mledger::ledger::Body;
use mledger::report::State;
use mledger::request::{Adopt, Back, Baseline, Up};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

fn view(number: u8) -> String {
    format!("DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT {number} AS number;\n")
}

/// The versions that were applied, each time that they were.
async fn applied(shop: &Shop) -> Vec<String> {
    let mut versions = Vec::new();
    shop.events(|event| {
        if let Body::MigrationApplied(body) = &event.body {
            versions.push(body.version.clone());
        }
    })
    .await;
    versions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeatable_migration_runs_again_when_its_text_changes() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        shop.write("V1__a.sql", "CREATE TABLE a (id INTEGER);\n");
        shop.write("R__names.sql", &view(1));
        assert_eq!(shop.up().await.unwrap().applied, 2);
        assert_eq!(shop.up().await.unwrap().applied, 0);
        assert_eq!(shop.status().await.current.as_deref(), Some("1"));
        shop.write("V2__b.sql", "CREATE TABLE b (id INTEGER);\n");
        shop.write("U2__b.sql", "DROP TABLE b;\n");
        shop.write("R__names.sql", &view(2));
        assert_eq!(shop.state("R:names").await, Some(State::Pending));
        Shop::assert_intact(&shop.verify().await);
        let first = Up {
            to: Some("1".parse().unwrap()),
            ..Up::default()
        };
        let early = shop.migrator().up(&first).await.unwrap();
        assert_eq!(early.applied, 0, "it may need what 2 makes");
        assert_eq!(shop.up().await.unwrap().applied, 2);
        assert_eq!(applied(&shop).await, ["1", "R:names", "2", "R:names"]);
        assert_eq!(shop.ask("SELECT number FROM names").trim(), "2");
        let tagged = shop.status().await;
        assert_eq!((tagged.counts.applied, tagged.counts.pending), (3, 0));
        let back = shop.down(Back::Batch(None)).await.unwrap();
        assert_eq!(back.rolled_back, 1, "what repeats has no step back");
        assert_eq!(shop.state("R:names").await, Some(State::Applied));
        shop.write(
            "R__names.sql",
            "CREATE VIEW names AS SELECT nothing FROM nowhere;\n",
        );
        refused(shop.up().await, "migration-failed", 1);
        assert_eq!(shop.state("R:names").await, Some(State::Failed));
        shop.write("R__names.sql", &view(3));
        assert_eq!(shop.up().await.unwrap().applied, 1);
        assert_eq!(shop.ask("SELECT number FROM names").trim(), "3");
        shop.remove("R__names");
        assert_eq!(shop.state("R:names").await, Some(State::Missing));
        assert_eq!(shop.up().await.unwrap().applied, 0);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_script_stands_for_all_older_ones_on_an_empty_database() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        shop.write("V1__a.sql", "CREATE TABLE a (id INTEGER);\n");
        shop.write("V2__b.sql", "CREATE TABLE b (id INTEGER);\n");
        shop.write("V3__c.sql", "CREATE TABLE c (id INTEGER);\n");
        let older = Shop::new(kind.fresh());
        for file in ["V1__a.sql", "V2__b.sql"] {
            older.write(file, &shop.text(file));
        }
        assert_eq!(older.up().await.unwrap().applied, 2);
        let base = "CREATE TABLE a (id INTEGER);\nCREATE TABLE b (id INTEGER);\n";
        shop.write("B2__base.sql", base);
        assert_eq!(shop.up().await.unwrap().applied, 2);
        assert_eq!(applied(&shop).await, ["2", "3"]);
        shop.write("B3__base.sql", base);
        assert_eq!(
            shop.up().await.unwrap().applied,
            0,
            "it is no empty database"
        );
        let status = shop.status().await;
        assert_eq!((status.counts.applied, status.counts.pending), (2, 0));
        Shop::assert_intact(&shop.verify().await);
        shop.write("B2__base.sql", "SELECT 1;\n");
        refused(shop.up().await, "file-changed", 4);
        older.write("B2__base.sql", base);
        older.write("V3__c.sql", &shop.text("V3__c.sql"));
        assert_eq!(
            older.up().await.unwrap().applied,
            1,
            "what began without goes on so"
        );
        Shop::assert_intact(&older.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_flyway_repeated_and_began_with_is_taken_over() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        shop.write("V1__a.sql", "CREATE TABLE a (id INTEGER);\n");
        shop.write("V2__b.sql", "CREATE TABLE b (id INTEGER);\n");
        shop.write("B2__base.sql", "CREATE TABLE a (id INTEGER);\n");
        shop.write("V3__c.sql", "CREATE TABLE c (id INTEGER);\n");
        shop.write("R__names.sql", "CREATE TABLE a (id INTEGER);\n");
        shop.write("R__others.sql", &view(1));
        shop.database
            .run(
                "CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version \
                 VARCHAR(50), description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL, script \
                 VARCHAR(1000) NOT NULL, checksum INT, installed_on TIMESTAMP NOT NULL DEFAULT \
                 CURRENT_TIMESTAMP, success BOOLEAN NOT NULL);
                 INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, \
                 checksum, success) VALUES \
                 (1, '2', 'base', 'SQL_BASELINE', 'B2__base.sql', -59897099, TRUE), \
                 (2, NULL, 'names', 'SQL', 'more/R__names.sql', 1, TRUE), \
                 (3, NULL, 'names', 'SQL', 'more/R__names.sql', -59897099, TRUE), \
                 (4, NULL, 'others', 'SQL', 'R__others.sql', 7, TRUE), \
                 (5, NULL, 'gone', 'SQL', 'R__gone.sql', 7, TRUE);
                 CREATE TABLE a (id INTEGER);",
            )
            .unwrap();
        let report = shop.migrator().adopt(&Adopt::default()).await.unwrap();
        let verdicts: Vec<(&str, Verdict)> = report
            .migrations
            .iter()
            .map(|one| (one.version.as_str(), one.verdict))
            .collect();
        assert_eq!(
            verdicts,
            [
                ("2", Verdict::Match),
                ("R:gone", Verdict::FileMissing),
                ("R:names", Verdict::Match),
                ("R:others", Verdict::Changed),
            ]
        );
        assert_eq!(
            (report.marked, report.pending, report.through.as_deref()),
            (2, 2, Some("2"))
        );
        assert_eq!(shop.up().await.unwrap().applied, 2);
        assert_eq!(applied(&shop).await, ["3", "R:others"]);
        Shop::assert_intact(&shop.verify().await);
        let again = Baseline {
            version: "3".parse().unwrap(),
            reason: "again".to_owned(),
        };
        refused(shop.migrator().baseline(&again).await, "history-present", 3);
    })
    .await;
}
