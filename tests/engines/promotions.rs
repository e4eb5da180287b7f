//! Promotion: what one environment has applied, before it is applied in the next one.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use mledger::compliance::Asked;
use mledger::ledger::Body;
use mledger::policy::Rules;
use mledger::promotion::{Promotion, Source};
use mledger::report::{Difference, PromotionReport, PromotionStanding};
use mledger::request::{Back, Down, Export, Promote, Settings, Up, Verify};
use mledger::{Error, Migrator};

use crate::place::on_every_engine;
use crate::shop::{Person, Shop};

const OPS: Person = Person(12, "ops");

/// A shop in the environment of this name; another key than the default one signs in it.
fn of(shop: &Shop, environment: &'static str) -> Migrator {
    shop.migrator_of(OPS, |settings| named(settings, environment))
}

fn named(settings: &mut Settings, environment: &str) {
    settings.environment = Some(environment.to_owned());
}

/// The shop that asks for promotion from `staging`, whose ledger is there.
fn asking(shop: &Shop, source: Option<&Path>) -> Migrator {
    shop.migrator_with(|settings| {
        named(settings, "live");
        let promotion = Promotion {
            from: "staging".to_owned(),
            source: source.map(|path| Source::Bundle(path.to_owned())),
            ledger: None,
        };
        let rules = Rules {
            promotion: Some(promotion),
            ..Rules::cautious("live")
        };
        settings.rules.insert("live".to_owned(), rules);
    })
}

const MIGRATIONS: [(&str, &str, &str); 3] = [
    (
        "1_goods",
        "CREATE TABLE goods (id INTEGER);",
        "DROP TABLE goods;\n-- VERIFY\nSELECT COUNT(*) = 0 FROM goods;",
    ),
    (
        "2_carts",
        "CREATE TABLE carts (id INTEGER);",
        "DROP TABLE carts;",
    ),
    (
        "3_notes",
        "CREATE TABLE notes (id INTEGER);",
        "DROP TABLE notes;",
    ),
];

async fn export(migrator: &Migrator, path: &Path) {
    let request = Export {
        path: path.to_owned(),
        record: false,
        asked: Asked::default(),
    };
    migrator.export(&request).await.unwrap();
}

async fn compare(migrator: &Migrator, source: Source) -> Result<PromotionReport, Error> {
    let request = Promote {
        from: Some(source),
        verify: Verify::default(),
    };
    migrator.promote(&request).await
}

fn standings(report: &PromotionReport) -> Vec<(&str, PromotionStanding, &[Difference])> {
    let rows = report.migrations.iter();
    rows.map(|row| (row.version.as_str(), row.there, row.differences.as_slice()))
        .collect()
}

fn to(version: &str) -> Up {
    Up {
        to: Some(version.parse().unwrap()),
        ..Up::default()
    }
}

#[tokio::test]
async fn production_takes_only_what_staging_has_applied() {
    on_every_engine(async |kind, database| {
        let staging = Shop::with(kind.fresh(), &MIGRATIONS);
        let live = Shop::with(database, &MIGRATIONS);
        let folder = tempfile::tempdir().unwrap();
        let bundle: PathBuf = folder.path().join("staging.tar.zst");
        let there = of(&staging, "staging");
        there.up(&to("2")).await.unwrap();
        export(&there, &bundle).await;

        let report = compare(&live.migrator(), Source::Bundle(bundle.clone()))
            .await
            .unwrap();
        assert_eq!(
            standings(&report),
            [
                ("1", PromotionStanding::Applied, &[][..]),
                ("2", PromotionStanding::Applied, &[]),
                ("3", PromotionStanding::Absent, &[Difference::OnlyHere]),
            ]
        );
        assert!(!report.promoted && report.from.environment == "staging");
        let first = report.migrations[0].applied.as_ref().unwrap();
        assert_eq!((first.position, first.verified), (1, Some(true)));

        // the plan says what `up` does
        let here = asking(&live, Some(&bundle));
        let plan = here.plan_up(&Up::default()).await.unwrap();
        let codes: Vec<&str> = plan.refusals.iter().map(|one| one.code).collect();
        assert_eq!(codes, ["promotion-missing"]);
        let view = plan.promotion.unwrap();
        assert_eq!((view.promoted.len(), view.missing), (2, vec!["3".to_owned()]));
        let refused = here.up(&Up::default()).await.unwrap_err();
        assert_eq!((refused.code(), refused.exit_code()), ("promotion-missing", 3));
        assert_eq!(here.up(&to("2")).await.unwrap().applied, 2);
        let mut relied = Vec::new();
        live.events(|event| {
            if let Body::CheckFinished(body) = &event.body {
                relied.push(format!("{} {}", body.name, body.detail.clone().unwrap()));
            }
        })
        .await;
        let from = &report.from;
        let expected = format!(
            "promotion from staging ledger {} size {} root {}: 1 by event",
            from.ledger, from.size, from.root
        );
        assert!(relied.len() == 1 && relied[0].starts_with(&expected), "{relied:?}");

        // a refusal is an event once there is a ledger; an edited file is not what was applied
        live.migration("3_notes", "CREATE TABLE notes (id INTEGER, body TEXT);", "");
        there.up(&Up::default()).await.unwrap();
        let newer = folder.path().join("newer");
        export(&there, &newer).await;
        let here = asking(&live, Some(&newer));
        assert_eq!(here.up(&Up::default()).await.unwrap_err().code(), "promotion-missing");
        let mut last = None;
        live.events(|event| last = Some(event.body.clone())).await;
        assert!(
            matches!(last, Some(Body::RunRefused(body)) if body.reasons.to_vec() == ["promotion-missing"])
        );
        live.migration(MIGRATIONS[2].0, MIGRATIONS[2].1, MIGRATIONS[2].2);
        assert_eq!(here.up(&Up::default()).await.unwrap().applied, 1);
        // the database itself tells the same as its bundle, and what was rolled back there is told
        let down = Down {
            back: Back::Steps(1),
            ticket: None,
            timeout: None,
        };
        there.down(&down).await.unwrap();
        let url = Source::parse(&staging.database.url(), Path::new("."));
        let report = compare(&live.migrator(), url).await.unwrap();
        assert_eq!(
            standings(&report)[2],
            ("3", PromotionStanding::RolledBack, &[Difference::RolledBack][..])
        );
    })
    .await;
}

/// A check stands between the lock and its release; a refusal has neither.
#[tokio::test]
async fn a_refusal_for_another_reason_records_no_check() {
    let kind = &crate::place::ENGINES[0];
    let staging = Shop::with(kind.fresh(), &MIGRATIONS);
    let live = Shop::with(kind.fresh(), &MIGRATIONS);
    for shop in [&staging, &live] {
        shop.write("4_no_notes.sql", "DROP TABLE notes;\n");
    }
    let there = staging.migrator_of(OPS, |settings| {
        named(settings, "staging");
        let rules = Rules {
            skip_validation: true,
            ..Rules::cautious("staging")
        };
        settings.rules.insert("staging".to_owned(), rules);
    });
    there.up(&Up::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("staging");
    export(&there, &bundle).await;
    let here = asking(&live, Some(&bundle));
    assert_eq!(here.up(&to("3")).await.unwrap().applied, 3);
    let error = here.up(&Up::default()).await.unwrap_err();
    assert_eq!(error.code(), "validation-failed");
    let kinds = live.kinds().await;
    assert_eq!(kinds.last().map(String::as_str), Some("run.refused"));
    let checks = kinds.iter().filter(|kind| *kind == "check.finished");
    assert_eq!(checks.count(), 1, "{kinds:?}");
    Shop::assert_intact(&live.verify().await);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_relied_on_refuses_the_run() {
    let kind = &crate::place::ENGINES[0];
    let live = Shop::with(kind.fresh(), &MIGRATIONS);
    let staging = Shop::with(kind.fresh(), &MIGRATIONS);
    let folder = tempfile::tempdir().unwrap();
    let code = async |source: Option<&Path>| {
        let error = asking(&live, source).up(&Up::default()).await.unwrap_err();
        (error.code(), error.exit_code())
    };
    assert_eq!(code(None).await, ("promotion-unreadable", 3));
    let nowhere = folder.path().join("nowhere");
    assert_eq!(code(Some(&nowhere)).await, ("promotion-unreadable", 3));

    let other = folder.path().join("other");
    let migrator = of(&staging, "quality");
    migrator.up(&Up::default()).await.unwrap();
    export(&migrator, &other).await;
    assert_eq!(code(Some(&other)).await, ("promotion-mismatch", 3));
    let own = compare(&migrator, Source::Bundle(other.clone())).await;
    assert_eq!(own.unwrap_err().code(), "promotion-mismatch");

    let lines = std::fs::read_to_string(other.join("events.jsonl")).unwrap();
    let forged = lines.replace("\"env\":\"quality\"", "\"env\":\"staging\"");
    std::fs::write(other.join("events.jsonl"), forged).unwrap();
    assert_eq!(code(Some(&other)).await, ("promotion-ledger-broken", 4));
    let compared = compare(&live.migrator(), Source::Bundle(other)).await;
    let error = compared.unwrap_err();
    assert_eq!(
        (error.code(), error.exit_code()),
        ("promotion-ledger-broken", 4)
    );
    assert!(matches!(error, Error::Integrity { findings, .. } if !findings.is_empty()));
}
