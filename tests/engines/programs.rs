//! The histories of tools whose migrations are programs: what their rows name is kept, and what of it the
//! folder has is marked.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::Error;
use mledger::adopt::Verdict;
use mledger::report::{AdoptionReport, State};
use mledger::request::Adopt;

use crate::adopting::{adopt, from, left_by, verdicts};
use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

/// What a tool left that had applied `a` and `b`, and a folder that goes on from there.
struct Past {
    tool: &'static str,
    /// The file of the schema, named so that a row says it is there; none where no name can.
    schema: Option<&'static str>,
    /// The names of the rows that no file carries.
    unmatched: &'static [&'static str],
    verdict: Verdict,
    /// A file that comes later.
    next: &'static str,
}

const PASTS: &[Past] = &[
    Past {
        tool: "alembic",
        schema: Some("1_7a8b9c0d1e2f_schema.sql"),
        unmatched: &[],
        verdict: Verdict::Assumed,
        next: "2_c.sql",
    },
    Past {
        tool: "rails",
        schema: Some("20240131120001_schema.sql"),
        unmatched: &["20240131120000"],
        verdict: Verdict::NoChecksum,
        next: "20240131120002_c.sql",
    },
    Past {
        tool: "knex",
        schema: Some("20240131120001_schema.sql"),
        unmatched: &["20240131120000_a.js"],
        verdict: Verdict::NoChecksum,
        next: "20240131120002_c.sql",
    },
    Past {
        tool: "db-migrate",
        schema: Some("20261121172345-b-up.sql"),
        unmatched: &["/20261121172343-a"],
        verdict: Verdict::NoChecksum,
        next: "20261121172346-c-up.sql",
    },
    Past {
        tool: "yoyo",
        schema: Some("20240131.02_schema.sql"),
        unmatched: &["20240131_01_x7Kpq-a"],
        verdict: Verdict::NoChecksum,
        next: "20240131.03_c.sql",
    },
];

fn folder(shop: &Shop, past: &Past, schema: &str) {
    shop.write(
        schema,
        "CREATE TABLE a (id INTEGER);\nCREATE TABLE b (id INTEGER);\n",
    );
    shop.write(past.next, "CREATE TABLE c (id INTEGER);\n");
}

fn unmatched(report: &AdoptionReport) -> Vec<&str> {
    let names = report.unmatched.iter().map(|one| one.name.as_str());
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_carries_a_name_stands_for_what_came_before_it() {
    for past in PASTS {
        on_every_engine(async |kind, database| {
            let shop = Shop::new(database);
            folder(&shop, past, past.schema.unwrap());
            shop.database.run(&left_by(past.tool, kind)).unwrap();
            let report = adopt(&shop, &Adopt::default()).await.unwrap();
            assert_eq!(report.tool, past.tool, "found by its table");
            assert_eq!(unmatched(&report), past.unmatched, "{}", past.tool);
            let found: Vec<Verdict> = report.migrations.iter().map(|one| one.verdict).collect();
            assert_eq!(found, [past.verdict], "{}", past.tool);
            assert_eq!((report.marked, report.pending), (1, 1), "{}", past.tool);
            assert_eq!(shop.up().await.unwrap().applied, 1, "{}", past.tool);
            Shop::assert_intact(&shop.verify().await);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_file_carries_a_name_a_person_says_what_is_there() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        let past = &PASTS[0];
        folder(&shop, past, "1_schema.sql");
        shop.database.run(&left_by(past.tool, kind)).unwrap();
        let shown = shop.migrator().plan_adopt(&Adopt::default()).await.unwrap();
        assert_eq!(unmatched(&shown), ["7a8b9c0d1e2f"]);
        assert_eq!((shown.marked, shown.through.as_deref()), (0, None));
        let error = refused(
            adopt(&shop, &from("alembic")).await,
            "adoption-unmatched",
            3,
        );
        let hints: Vec<String> = match error {
            Error::Refused(refusals) => refusals.into_iter().map(|one| one.hint).collect(),
            _ => Vec::new(),
        };
        assert!(
            hints[0].contains("--from alembic --through 1`"),
            "{hints:?}"
        );
        assert!(shop.status().await.ledger.is_none(), "nothing was written");
        let through = |version: &str| Adopt {
            through: Some(version.parse().unwrap()),
            ..from("alembic")
        };
        refused(adopt(&shop, &through("7")).await, "migration-unknown", 2);
        let report = adopt(&shop, &through("1")).await.unwrap();
        assert_eq!(verdicts(&report), [("1", Verdict::Declared)]);
        assert_eq!(shop.state("1").await, Some(State::Applied));
        assert_eq!(shop.up().await.unwrap().applied, 1);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_did_after_the_newest_file_is_missed() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        shop.write(
            "20240131120000_schema.sql",
            "CREATE TABLE a (id INTEGER);\n",
        );
        shop.database.run(&left_by("rails", kind)).unwrap();
        let missing = adopt(&shop, &Adopt::default()).await;
        refused(missing, "adoption-file-missing", 3);
        // a tool with a table of the same name and column, which is told apart by the other table alone
        shop.database
            .run("DROP TABLE ar_internal_metadata;")
            .unwrap();
        let shown = shop.migrator().plan_adopt(&Adopt::default()).await.unwrap();
        assert_eq!(shown.tool, "dbmate");
        let named = shop.migrator().plan_adopt(&from("rails")).await.unwrap();
        assert_eq!(named.tool, "rails");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_a_row_is_looked_at() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        folder(&shop, &PASTS[2], "20240131120001_schema.sql");
        shop.database.run(&left_by("knex", kind)).unwrap();
        let shown = shop.migrator().plan_adopt(&from("knex")).await.unwrap();
        assert!(shown.lock_free);
        shop.database
            .run("UPDATE knex_migrations_lock SET is_locked = 1;")
            .unwrap();
        refused(adopt(&shop, &from("knex")).await, "adoption-in-use", 3);
    })
    .await;
}
