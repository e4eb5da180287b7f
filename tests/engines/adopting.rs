//! A history begins in a database that has a past: another tool's table, or nothing that anybody kept.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use mledger::Error;
use mledger::adopt::Verdict;
use mledger::ledger::{Body, Marked};
use mledger::report::{AdoptionReport, State};
use mledger::request::{Adopt, Back, Baseline, Up};

use crate::place::{Kind, on_every_engine};
use crate::shop::{Shop, refused};

/// What a tool left in a database, as a script of the fixtures has it.
fn left_by(tool: &str, kind: &Kind) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/engines/fixtures/tools")
        .join(tool)
        .join(format!("{}.sql", kind.fixtures));
    fs::read_to_string(path).unwrap()
}

/// Three migrations in the form of sqlx, of which the fixture has two applied.
fn three(shop: &Shop) {
    for (file, table) in [("1_a.sql", "a"), ("2_b.sql", "b"), ("3_c.sql", "c")] {
        shop.write(file, &format!("CREATE TABLE {table} (id INTEGER);\n"));
    }
}

async fn adopt(shop: &Shop, request: &Adopt) -> Result<AdoptionReport, Error> {
    shop.migrator().adopt(request).await
}

fn from(tool: &str) -> Adopt {
    Adopt {
        tool: Some(tool.to_owned()),
        ..Adopt::default()
    }
}

fn forced(tool: &str) -> Adopt {
    Adopt {
        force: Some("looked at it".to_owned()),
        ..from(tool)
    }
}

fn verdicts(report: &AdoptionReport) -> Vec<(&str, Verdict)> {
    report
        .migrations
        .iter()
        .map(|migration| (migration.version.as_str(), migration.verdict))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_sqlx_is_taken_over_and_the_rest_applied() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        three(&shop);
        shop.database.run(&left_by("sqlx", kind)).unwrap();
        let before = shop.ask("SELECT version, description FROM _sqlx_migrations ORDER BY version");
        let shown = shop.migrator().plan_adopt(&Adopt::default()).await.unwrap();
        assert_eq!(shown.tool, "sqlx", "found by its table");
        assert_eq!(
            verdicts(&shown),
            [("1", Verdict::Match), ("2", Verdict::Match)]
        );
        assert!(shop.status().await.ledger.is_none(), "nothing was written");
        let report = adopt(&shop, &from("sqlx")).await.unwrap();
        assert_eq!((report.rows, report.marked, report.pending), (2, 2, 1));
        assert_eq!(report.digest, shown.digest);
        assert_eq!(shop.state("2").await, Some(State::Applied));
        assert_eq!(shop.state("3").await, Some(State::Pending));
        let mut marks = Vec::new();
        let mut adopted = Vec::new();
        shop.events(|event| match &event.body {
            Body::MigrationMarked(body) => {
                marks.push((body.version.clone(), body.r#as, body.reason.clone()))
            }
            Body::HistoryAdopted(body) => adopted.push(body.clone()),
            _ => {}
        })
        .await;
        assert_eq!(marks.len(), 2);
        assert_eq!((marks[0].0.as_str(), marks[0].1), ("1", Marked::Applied));
        assert!(
            marks[0]
                .2
                .contains("has its checksum; applied 2026-11-21 10:"),
            "{}",
            marks[0].2
        );
        assert_eq!(adopted.len(), 1);
        assert_eq!(
            (
                adopted[0].tool.as_str(),
                adopted[0].through.as_str(),
                adopted[0].digest
            ),
            ("sqlx", "2", report.digest)
        );
        let run = shop.up().await.unwrap();
        assert_eq!(run.applied, 1, "only what is pending runs");
        assert_eq!(
            shop.ask("SELECT version, description FROM _sqlx_migrations ORDER BY version"),
            before,
            "the other tool's table is as it was"
        );
        Shop::assert_intact(&shop.verify().await);
        refused(adopt(&shop, &from("sqlx")).await, "history-present", 3);
        let first = Baseline {
            version: "3".parse().unwrap(),
            reason: "again".to_owned(),
        };
        refused(shop.migrator().baseline(&first).await, "history-present", 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_refused_until_somebody_says_why() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        three(&shop);
        shop.database.run(&left_by("sqlx", kind)).unwrap();
        shop.write("1_a.sql", "CREATE TABLE a (id INTEGER);\r\n");
        shop.write("2_b.sql", "CREATE TABLE B (id INTEGER);\n");
        let shown = shop.migrator().plan_adopt(&from("sqlx")).await.unwrap();
        assert_eq!(
            verdicts(&shown),
            [("1", Verdict::LineEndsDiffer), ("2", Verdict::Mismatch)]
        );
        refused(
            adopt(&shop, &from("sqlx")).await,
            "adoption-checksum-mismatch",
            3,
        );
        assert!(shop.status().await.ledger.is_none(), "nothing was written");
        shop.remove("2_b");
        let missing = adopt(&shop, &from("sqlx")).await;
        refused(missing, "adoption-file-missing", 3);
        shop.write("2_b.sql", "CREATE TABLE b (id INTEGER);\n");
        shop.database
            .run("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 2;")
            .unwrap();
        let failed = adopt(&shop, &from("sqlx")).await;
        refused(failed, "adoption-failed-state", 3);
        let report = adopt(&shop, &forced("sqlx")).await.unwrap();
        assert_eq!(report.marked, 1);
        assert_eq!(shop.state("1").await, Some(State::Applied));
        assert_eq!(shop.state("2").await, Some(State::Pending));
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_the_tools_own_is_refused() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        three(&shop);
        refused(
            adopt(&shop, &Adopt::default()).await,
            "adoption-nothing-found",
            2,
        );
        refused(adopt(&shop, &from("alembic-ish")).await, "tool-unknown", 2);
        shop.database
            .run("CREATE TABLE _sqlx_migrations (version BIGINT, note TEXT);")
            .unwrap();
        let error = refused(adopt(&shop, &from("sqlx")).await, "adoption-unreadable", 2);
        let Error::Usage { message, .. } = error else {
            unreachable!("a usage error")
        };
        assert!(
            message.contains("`checksum`") && message.contains("found `version`, `note`"),
            "{message}"
        );
        assert!(shop.status().await.ledger.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_without_checksums_are_taken_over_by_their_versions() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        three(&shop);
        shop.database
            .run(
                "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL);
                 INSERT INTO schema_migrations VALUES (2, TRUE);
                 CREATE TABLE a (id INTEGER);",
            )
            .unwrap();
        let dirty = adopt(&shop, &from("golang-migrate")).await;
        refused(dirty, "adoption-failed-state", 3);
        let wrong = adopt(&shop, &from("dbmate")).await;
        refused(wrong, "adoption-unreadable", 2);
        let report = adopt(&shop, &forced("golang-migrate")).await.unwrap();
        assert_eq!(
            verdicts(&report),
            [("1", Verdict::Assumed), ("2", Verdict::Failed)],
            "one row stands for all before it"
        );
        assert_eq!(shop.up().await.unwrap().applied, 2);
        let back = shop.down(Back::Steps(2)).await;
        refused(back, "irreversible", 3);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        three(&shop);
        shop.database
            .run(
                "CREATE TABLE schema_migrations (version VARCHAR(128) PRIMARY KEY);
                 INSERT INTO schema_migrations VALUES ('1'), ('3');",
            )
            .unwrap();
        let report = adopt(&shop, &Adopt::default()).await.unwrap();
        assert_eq!(report.tool, "dbmate");
        assert_eq!(
            verdicts(&report),
            [("1", Verdict::NoChecksum), ("3", Verdict::NoChecksum)]
        );
        assert_eq!(shop.state("2").await, Some(State::OutOfOrder));
        let late = Up {
            out_of_order: true,
            ..Up::default()
        };
        assert_eq!(shop.migrator().up(&late).await.unwrap().applied, 1);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_marks_what_is_there_and_runs_nothing() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        three(&shop);
        let request = Baseline {
            version: "2".parse().unwrap(),
            reason: "made from a dump".to_owned(),
        };
        let unknown = Baseline {
            version: "7".parse().unwrap(),
            ..request.clone()
        };
        let migrator = shop.migrator();
        refused(migrator.baseline(&unknown).await, "migration-unknown", 2);
        let done = migrator.baseline(&request).await.unwrap();
        assert_eq!(
            (done.marked.as_slice(), done.pending),
            (&["1".to_owned(), "2".to_owned()][..], 1)
        );
        assert_eq!(shop.definitions(kind), "", "nothing ran");
        assert_eq!(shop.up().await.unwrap().applied, 1);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}
