//! Releases: what they hold, how a database gets from one to another, and what is told of them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mledger::ledger::{Body, Role};
use mledger::release::{self, Asked, Output};
use mledger::report::{ReleasesView, State, Tagged};
use mledger::request::{Authorize, Back, Publish, ReleaseName, Tag, Up};
use mledger::{Error, Migrator};

use crate::place::on_every_engine;
use crate::shop::{Person, Shop, refused};

const RITA: Person = Person(11, "rita");
const OPS: Person = Person(12, "ops");

fn migration(shop: &Shop, version: &str, name: &str, metadata: &str, up: &str) {
    let text = format!("-- @metadata {{ {metadata} }}\n-- UP\n{up}\n-- DOWN\nDROP TABLE {name};\n");
    shop.write(&format!("{version}_{name}.sql"), &text);
}

fn table(shop: &Shop, version: &str, name: &str, metadata: &str) {
    let up = format!("CREATE TABLE {name} (id INTEGER);");
    migration(shop, version, name, metadata, &up);
}

async fn tag(migrator: &Migrator, release: &str, at: Option<&str>) -> Result<Tagged, Error> {
    let request = Tag {
        release: release::parse(release)?,
        at: at.map(|at| at.parse().unwrap()),
        message: Some(format!("the release {release}")),
    };
    migrator.tag(&request).await
}

fn named(release: &str) -> ReleaseName {
    ReleaseName {
        name: release.to_owned(),
        or_version: release.parse().ok(),
    }
}

fn only(release: &str) -> ReleaseName {
    ReleaseName {
        name: release.to_owned(),
        or_version: None,
    }
}

async fn up_to(shop: &Shop, release: ReleaseName) -> Result<u64, Error> {
    let up = Up {
        release: Some(release),
        ..Up::default()
    };
    Ok(shop.migrator().up(&up).await?.applied)
}

async fn down_to(shop: &Shop, release: ReleaseName) -> Result<u64, Error> {
    Ok(shop.down(Back::Release(release)).await?.rolled_back)
}

async fn releases(shop: &Shop) -> ReleasesView {
    shop.migrator().releases().await.unwrap()
}

/// How many events there are.
async fn size(shop: &Shop) -> u64 {
    shop.status().await.ledger.unwrap().size
}

async fn current(shop: &Shop) -> Option<String> {
    releases(shop).await.current
}

/// Three releases, a failed attempt and a hotfix out of order; 1.0.0, 2.0.0, 2.0.1 and 2.1.0.
async fn story(shop: &Shop) {
    table(
        shop,
        "1",
        "users",
        r#""author":"dana", "description":"users | *of* <b>the shop</b>", "tags":["feature"], "risk":"low""#,
    );
    table(shop, "2", "orders", r#""author":"lee", "ticket":"OPS-1""#);
    shop.up().await.unwrap();
    tag(&shop.migrator(), "1.0.0", None).await.unwrap();
    let breaking = r#""breakingChange":true, "requiresDowntime":true, "risk":"high""#;
    migration(
        shop,
        "4",
        "prices",
        breaking,
        "INSERT INTO nowhere VALUES (1);",
    );
    refused(shop.up().await, "migration-failed", 1);
    refused(
        tag(&shop.migrator(), "2.0.0", Some("4")).await,
        "version-not-applied",
        2,
    );
    table(shop, "4", "prices", breaking);
    shop.up().await.unwrap();
    tag(&shop.migrator(), "2.0.0", None).await.unwrap();
    table(shop, "3", "stock", r#""tags":["hotfix"]"#);
    let hotfix = Up {
        out_of_order: true,
        ticket: Some("INC-7".to_owned()),
        ..Up::default()
    };
    shop.migrator().up(&hotfix).await.unwrap();
    tag(&shop.migrator(), "2.0.1", None).await.unwrap();
    table(shop, "5", "notes", r#""type":"ddl""#);
    shop.up().await.unwrap();
    tag(&shop.migrator(), "2.1.0", None).await.unwrap();
}

/// A changelog without what differs between databases: places in the log, hashes, the server's words.
fn levelled(page: &str) -> String {
    let mut lines = Vec::new();
    for line in page.lines() {
        let mut out = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, number) = rest.split_at(at);
            let end = number.find(|c: char| !c.is_ascii_digit());
            let (number, after) = number.split_at(end.unwrap_or(number.len()));
            out.push_str(before);
            let is_place = [
                "event ",
                "event-",
                "\"seq\": ",
                "</a>",
                "event-N\"><td>",
                "events=",
                "..",
            ]
            .iter()
            .any(|begin| out.ends_with(begin));
            out.push_str(if is_place { "N" } else { number });
            rest = after;
        }
        out.push_str(rest);
        for begin in ["ledger=", "root="] {
            if let Some(at) = out.find(begin) {
                let hash = at + begin.len()..at + begin.len() + 64;
                if out.is_char_boundary(hash.end) {
                    out.replace_range(hash, "HASH");
                }
            }
        }
        // the words of the server end the line
        let said = "example.com: ";
        if let Some(at) = out.rfind(said).filter(|_| out.contains("failed 2026")) {
            out.truncate(at + said.len());
            out.push_str("WORDS");
        }
        if out.contains("\"detail\": ") && !out.contains("request") {
            out = "          \"detail\": WORDS".to_owned();
        }
        lines.push(out);
    }
    format!("{}\n", lines.join("\n"))
}

/// Compares with a file of the suite, which `MLEDGER_WRITE_DOCS=1` writes anew.
#[track_caller]
fn assert_snapshot(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/engines/snapshots")
        .join(name);
    if std::env::var_os("MLEDGER_WRITE_DOCS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{name}");
}

async fn print(shop: &Shop, asked: &Asked) -> String {
    let changelog = shop.migrator().changelog(asked).await.unwrap();
    release::print(&changelog).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_goes_from_release_to_release_exactly() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        story(&shop).await;
        assert_eq!(current(&shop).await.as_deref(), Some("2.1.0"));
        assert_eq!(down_to(&shop, named("2.0.1")).await.unwrap(), 1);
        assert_eq!(current(&shop).await.as_deref(), Some("2.0.1"));
        assert_eq!(
            down_to(&shop, named("2.0.1")).await.unwrap(),
            0,
            "it is there"
        );
        assert_eq!(
            down_to(&shop, only("1")).await.unwrap(),
            2,
            "also out of order"
        );
        assert_eq!(current(&shop).await.as_deref(), Some("1.0.0"));
        refused(
            down_to(&shop, only("2.0.0")).await,
            "release-out-of-reach",
            3,
        );
        assert_eq!(up_to(&shop, named("2.0.1")).await.unwrap(), 2);
        assert_eq!(current(&shop).await.as_deref(), Some("2.0.1"));
        // 3 is applied, and 2.0.0 does not hold it
        refused(up_to(&shop, only("2.0.0")).await, "release-out-of-reach", 3);
        assert_eq!(down_to(&shop, only("2.0.0")).await.unwrap(), 1);
        assert_eq!(current(&shop).await.as_deref(), Some("2.0.0"));
        let before = size(&shop).await;
        table(&shop, "5", "notes", r#""type":"function""#);
        refused(
            up_to(&shop, named("2.1.0")).await,
            "release-out-of-reach",
            3,
        );
        table(&shop, "5", "notes", r#""type":"ddl""#);
        // 3 is older than what is applied, which up refuses unless it was said
        refused(up_to(&shop, named("2.1.0")).await, "out-of-order", 3);
        assert_eq!(shop.state("5").await, Some(State::RolledBack));
        let refusals = size(&shop).await - before;
        assert!(refusals <= 2, "nothing but refusals was recorded");
        let out_of_order = Up {
            release: Some(named("2.1.0")),
            out_of_order: true,
            ..Up::default()
        };
        assert_eq!(shop.migrator().up(&out_of_order).await.unwrap().applied, 2);
        assert_eq!(current(&shop).await.as_deref(), Some("2.1.0"));
        for migration in shop.status().await.migrations {
            let release = migration.release.unwrap();
            let expected = ["1.0.0", "1.0.0", "2.0.1", "2.0.0", "2.1.0"];
            let at = migration.version.parse::<usize>().unwrap() - 1;
            assert_eq!(release, expected[at], "{}", migration.version);
        }
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// F103: one snapshot holds for every engine, and nothing in it depends on when or where it was made.
#[tokio::test(flavor = "multi_thread")]
async fn a_changelog_is_made_from_the_ledger_and_proven_by_it() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        story(&shop).await;
        let publish = Publish {
            release: "2.1".to_owned(),
            name: "Summer".to_owned(),
            notes: Some(b"all about summer".to_vec()),
        };
        let published = shop.migrator().publish(&publish).await.unwrap();
        let notes = shop.migrator().object(&published.notes.unwrap()).await;
        assert_eq!(notes.unwrap().unwrap(), b"all about summer");
        refused(
            shop.migrator().publish(&publish).await,
            "release-published",
            3,
        );
        down_to(&shop, only("2.0.0")).await.unwrap();
        table(&shop, "6", "refunds", r#""type":"dml""#);
        let up = Up {
            to: Some("6".parse().unwrap()),
            only: Some(BTreeSet::from(["6".parse().unwrap()])),
            ..Up::default()
        };
        shop.migrator().up(&up).await.unwrap();
        for (output, name) in [
            (Output::Markdown, "changelog.md"),
            (Output::Html, "changelog.html"),
            (Output::Json, "changelog.json"),
        ] {
            let asked = Asked {
                full: true,
                output,
                ..Asked::default()
            };
            let page = print(&shop, &asked).await;
            assert_eq!(
                print(&shop, &asked).await,
                page,
                "the same log, the same bytes"
            );
            assert_snapshot(name, &levelled(&page));
        }
        let asked = Asked {
            from: Some("1.0.0".to_owned()),
            to: Some("2.0.1".to_owned()),
            ..Asked::default()
        };
        let page = print(&shop, &asked).await;
        assert_snapshot("changelog_of_a_range.md", &levelled(&page));
        // what comes later is no reason to doubt it
        tag(&shop.migrator(), "2.0.2", None).await.unwrap();
        let checked = shop
            .migrator()
            .check_changelog(page.as_bytes(), None)
            .await
            .unwrap();
        assert!(checked.first > 0 && checked.last < size(&shop).await);
        let changed = page.replace("hotfix", "feature").replace("INC-7", "INC-8");
        let check = shop
            .migrator()
            .check_changelog(changed.as_bytes(), None)
            .await;
        refused(check, "changelog-mismatch", 4);
        refused(
            shop.migrator()
                .check_changelog(b"# Changelog\n", None)
                .await,
            "changelog-mismatch",
            4,
        );
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_release_cannot_be_is_refused() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        table(&shop, "5", "users", "");
        refused(
            tag(&shop.migrator(), "1.0.0", None).await,
            "ledger-missing",
            2,
        );
        shop.migrator().init(None).await.unwrap();
        refused(
            tag(&shop.migrator(), "1.0.0", None).await,
            "release-empty",
            3,
        );
        shop.up().await.unwrap();
        refused(
            tag(&shop.migrator(), "1.0", None).await,
            "release-invalid",
            2,
        );
        let tagged = tag(&shop.migrator(), "5.0.0", None).await.unwrap();
        assert!(tagged.schema.is_some(), "it is the state of this moment");
        refused(
            tag(&shop.migrator(), "5.0.0", None).await,
            "release-exists",
            3,
        );
        refused(
            tag(&shop.migrator(), "4.0.0", None).await,
            "release-backwards",
            3,
        );
        // the same text is a release and a version
        refused(down_to(&shop, named("5.0.0")).await, "target-ambiguous", 2);
        refused(up_to(&shop, named("5.0.0")).await, "target-ambiguous", 2);
        assert_eq!(down_to(&shop, only("5.0.0")).await.unwrap(), 0);
        refused(down_to(&shop, named("6.0.0")).await, "release-unknown", 2);
        tag(&shop.migrator(), "5.1.0", None).await.unwrap();
        refused(down_to(&shop, only("5")).await, "release-ambiguous", 2);
        let both = Up {
            release: Some(only("5.1.0")),
            count: Some(1),
            ..Up::default()
        };
        refused(shop.migrator().up(&both).await, "usage", 2);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_releaser_tags_and_nobody_else_and_one_name_once() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        table(&shop, "1", "users", "");
        shop.up().await.unwrap();
        let of = |person| shop.migrator_of(person, |_| {});
        for (person, role) in [(RITA, Role::Releaser), (OPS, Role::Operator)] {
            let request = Authorize {
                proof: of(person).prove_key(None).await.unwrap(),
                name: person.1.to_owned(),
                roles: vec![role],
            };
            shop.migrator().authorize_key(&request).await.unwrap();
        }
        refused(tag(&of(OPS), "1.0.0", None).await, "key-not-authorised", 3);
        let (rita, dana) = (of(RITA), shop.migrator());
        let (one, other) = tokio::join!(tag(&rita, "1.0.0", None), tag(&dana, "1.0.0", None));
        let refusal = match (one, other) {
            (Ok(_), refusal) | (refusal, Ok(_)) => refusal,
            (one, other) => unreachable!("one of the two is first: {one:?} {other:?}"),
        };
        refused(refusal, "release-exists", 3);
        let mut tags = 0;
        shop.events(|event| tags += usize::from(matches!(event.body, Body::VersionTagged(_))))
            .await;
        assert_eq!(tags, 1);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}
