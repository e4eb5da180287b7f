//! A history begins in a database that has a past: another tool's table, or nothing that anybody kept.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use mledger::Error;
use mledger::adopt::{TOOLS, Verdict};
use mledger::ledger::{Body, Marked};
use mledger::report::{AdoptionReport, State};
use mledger::request::{Adopt, Back, Baseline, Up};

use crate::place::{Kind, on_every_engine};
use crate::shop::{Shop, refused};

/// What a tool left in a database, as a script of the fixtures has it.
pub(crate) fn left_by(tool: &str, kind: &Kind) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/engines/fixtures/tools")
        .join(tool)
        .join(format!("{}.sql", kind.fixtures));
    fs::read_to_string(path).unwrap()
}

/// Three migrations in the form of sqlx, of which the fixture has two applied.
pub(crate) fn three(shop: &Shop) {
    for (file, table) in [("1_a.sql", "a"), ("2_b.sql", "b"), ("3_c.sql", "c")] {
        shop.write(file, &format!("CREATE TABLE {table} (id INTEGER);\n"));
    }
}

pub(crate) async fn adopt(shop: &Shop, request: &Adopt) -> Result<AdoptionReport, Error> {
    shop.migrator().adopt(request).await
}

pub(crate) fn from(tool: &str) -> Adopt {
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

pub(crate) fn verdicts(report: &AdoptionReport) -> Vec<(&str, Verdict)> {
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
        if kind.transactional {
            // who tries `up` first finds what is there in the way, and has spoilt nothing
            refused(shop.up().await, "migration-failed", 1);
        }
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
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        let elsewhere = Shop::new(kind.fresh());
        elsewhere.database.run(&left_by("sqlx", kind)).unwrap();
        let no_files = adopt(&elsewhere, &from("sqlx")).await;
        refused(no_files, "adoption-no-files", 2);
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

/// What a tool left, of two migrations `a` and `b` of three, with the checksum of `b` changed.
struct Past {
    tool: &'static str,
    /// The names of the three files.
    files: [&'static str; 3],
    table: &'static str,
    rows: &'static str,
    /// The verdicts on the first two.
    verdicts: [Verdict; 2],
}

/// Tables and rows as the tools' documentation and sources have them; the checksums of refinery were made
/// by refinery-core 0.10.1.
const PASTS: &[Past] = &[
    Past {
        tool: "flyway",
        files: ["V1__a.sql", "V1.1__b.sql", "V2__c.sql"],
        table: "CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version \
                VARCHAR(50), description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL, script \
                VARCHAR(1000) NOT NULL, checksum INT, installed_by VARCHAR(100) NOT NULL, installed_on \
                TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, execution_time INT NOT NULL, success BOOLEAN \
                NOT NULL)",
        rows: "INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, \
               checksum, installed_by, execution_time, success) VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', \
               -59897099, 'app', 3, TRUE), (2, '1.1', 'b', 'SQL', 'V1.1__b.sql', -317497203, 'app', 3, TRUE)",
        verdicts: [Verdict::Match, Verdict::Mismatch],
    },
    Past {
        tool: "refinery",
        files: ["V1__a.sql", "V2__b.sql", "V3__c.sql"],
        table: "CREATE TABLE refinery_schema_history (version INT PRIMARY KEY, name VARCHAR(255), applied_on \
                VARCHAR(255), checksum VARCHAR(255))",
        rows: "INSERT INTO refinery_schema_history VALUES (1, 'a', '2024-01-31T12:00:00Z', \
               '17196726377047707148'), (2, 'b', '2024-01-31T12:00:00Z', '6514673243638069028')",
        verdicts: [Verdict::Match, Verdict::Mismatch],
    },
    Past {
        tool: "diesel",
        files: [
            "2024-01-31-120000_a/up.sql",
            "2024-01-31-120001_b/up.sql",
            "2024-01-31-120002_c/up.sql",
        ],
        table: "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on \
                TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
        rows: "INSERT INTO __diesel_schema_migrations (version) VALUES ('20240131120000'), \
               ('20240131120001')",
        verdicts: [Verdict::NoChecksum, Verdict::NoChecksum],
    },
    Past {
        tool: "prisma",
        files: [
            "20240131120000_a/migration.sql",
            "20240131120001_b/migration.sql",
            "20240131120002_c/migration.sql",
        ],
        table: "CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) \
                NOT NULL, finished_at VARCHAR(40), migration_name VARCHAR(255) NOT NULL, logs TEXT, \
                rolled_back_at VARCHAR(40), started_at VARCHAR(40) NOT NULL, applied_steps_count INTEGER NOT \
                NULL DEFAULT 0)",
        rows: "INSERT INTO _prisma_migrations VALUES ('1', '55b5db57dee6d81a9fdc1aefc06250ac686ca61587be00ef8a1f6e2510f1f821', '2024-01-31', '20240131120000_a', NULL, \
               NULL, '2024-01-31', 1), ('2', 'x', NULL, '20240131120001_b', 'it failed', '2024-01-31', \
               '2024-01-31', 0), ('3', '0f3e2fe80676b44ae163c29ace27f0b181a9012e4af24c40487e5786637341ba', '2024-01-31', '20240131120001_b', NULL, NULL, \
               '2024-01-31', 1)",
        verdicts: [Verdict::Match, Verdict::Mismatch],
    },
    Past {
        tool: "drizzle",
        files: ["0000_a.sql", "0001_b.sql", "0002_c.sql"],
        table: "CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash VARCHAR(64) NOT NULL, \
                created_at BIGINT)",
        rows: "INSERT INTO __drizzle_migrations VALUES (1, '55b5db57dee6d81a9fdc1aefc06250ac686ca61587be00ef8a1f6e2510f1f821', 1706702400000), (2, '0f3e2fe80676b44ae163c29ace27f0b181a9012e4af24c40487e5786637341ba', \
               1706702401000)",
        verdicts: [Verdict::Match, Verdict::Mismatch],
    },
    Past {
        tool: "goose",
        files: ["1_a.sql", "2_b.sql", "3_c.sql"],
        table: "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY, version_id BIGINT NOT NULL, is_applied \
                BOOLEAN NOT NULL, tstamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP)",
        rows: "INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (1, 0, TRUE), (2, 1, TRUE), \
               (3, 2, TRUE)",
        verdicts: [Verdict::NoChecksum, Verdict::NoChecksum],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn each_tool_has_its_table_its_checksums_and_its_folder() {
    for past in PASTS {
        on_every_engine(async |_, database| {
            let shop = Shop::new(database);
            for (file, table) in past.files.iter().zip(["a", "b", "c"]) {
                let marks = if past.tool == "goose" {
                    "-- +goose Up\n"
                } else {
                    ""
                };
                shop.write(
                    file,
                    &format!("{marks}CREATE TABLE {table} (id INTEGER);\n"),
                );
            }
            if past.tool == "drizzle" {
                shop.write("meta/_journal.json", "{}");
            }
            let script = format!(
                "{};\n{};\nCREATE TABLE a (id INTEGER);\nCREATE TABLE b (id INTEGER);",
                past.table, past.rows
            );
            shop.database.run(&script).unwrap();
            let report = shop.migrator().plan_adopt(&Adopt::default()).await.unwrap();
            assert_eq!(report.tool, past.tool, "found by its table");
            let found: Vec<Verdict> = report.migrations.iter().map(|one| one.verdict).collect();
            assert_eq!(found, past.verdicts, "{}", past.tool);
            let report = adopt(&shop, &forced(past.tool)).await.unwrap();
            assert_eq!((report.marked, report.pending), (2, 1), "{}", past.tool);
            assert_eq!(shop.up().await.unwrap().applied, 1, "{}", past.tool);
            Shop::assert_intact(&shop.verify().await);
        })
        .await;
    }
}

/// Every tool's table, where it has another's columns.
#[tokio::test(flavor = "multi_thread")]
async fn the_columns_of_a_table_are_the_tools_own_or_nothing_is_taken_over() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        three(&shop);
        let migrator = shop.migrator();
        for tool in TOOLS {
            let Some((_, table)) = tool.places().iter().find(|(schema, _)| schema.is_none()) else {
                continue;
            };
            let define = format!("CREATE TABLE {table} (id INTEGER, note VARCHAR(20));");
            shop.database.run(&define).unwrap();
            let asked = migrator.plan_adopt(&from(tool.name())).await;
            let error = refused(asked, "adoption-unreadable", 2).to_string();
            assert!(error.contains("found `id`, `note`"), "{error}");
            for column in tool.columns() {
                assert!(error.contains(&format!("`{column}`")), "{error}");
            }
            refused(
                adopt(&shop, &forced(tool.name())).await,
                "adoption-unreadable",
                2,
            );
            shop.database.run(&format!("DROP TABLE {table};")).unwrap();
        }
        assert!(shop.status().await.ledger.is_none(), "nothing was written");
    })
    .await;
}

/// A ledger with migrations of its own takes over no other history, whatever the reason given.
#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_its_own_stays_the_only_one() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        three(&shop);
        shop.up().await.unwrap();
        let before = shop.kinds().await;
        shop.database
            .run(
                "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL);
                 INSERT INTO schema_migrations VALUES (2, FALSE);",
            )
            .unwrap();
        let tool = "golang-migrate";
        refused(adopt(&shop, &forced(tool)).await, "history-present", 3);
        let shown = shop.migrator().plan_adopt(&from(tool)).await.unwrap();
        assert_eq!(shown.refusals[0].code, "history-present");
        let after = shop.kinds().await;
        assert_eq!(after[..before.len()], before);
        assert_eq!(after[before.len()..], ["run.refused"]);
    })
    .await;
}
