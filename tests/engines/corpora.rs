//! Whole histories: what the tool makes of them is what the database's plain client makes of the same
//! files.
//!
//! Our own fixtures always; real projects' histories in addition, where they lie beside the repository.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use mledger::migration::format::Format;
use mledger::migration::{ScriptFile, source};
use mledger::request::{Back, Up};

use crate::place::{Database, ENGINES, Kind};
use crate::shop::Shop;

pub(crate) fn fixtures(kind: &Kind) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/engines/fixtures")
        .join(kind.fixtures)
}

/// The files of a history in pairs, in order: name, up script, down script.
pub(crate) fn pairs(folder: &Path) -> Vec<(String, String, Option<String>)> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".up.sql").map(str::to_owned))
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| {
            let up = fs::read_to_string(folder.join(format!("{name}.up.sql"))).unwrap();
            let down = fs::read_to_string(folder.join(format!("{name}.down.sql"))).ok();
            (name, up, down)
        })
        .collect()
}

/// Applies a history whole and rolls it back step by step, beside the plain client.
async fn compare(kind: &Kind, folder: &Path, content: fn(&dyn Database) -> String) -> usize {
    let history = pairs(folder);
    let reference = kind.fresh();
    let shop = Shop::new(kind.fresh());
    for (number, (name, up, down)) in history.iter().enumerate() {
        shop.write(&format!("{name}.up.sql"), up);
        if let Some(down) = down {
            shop.write(&format!("{name}.down.sql"), down);
        }
        reference
            .run(up)
            .unwrap_or_else(|error| unreachable!("{name}: {error}"));
        let next = Up {
            count: Some(1),
            ..Up::default()
        };
        let applied = shop.migrator().up(&next).await.unwrap();
        assert_eq!(applied.applied, 1, "{name}");
        // a dump takes a second where there is much to dump
        if number < 8 || number % 16 == 0 {
            assert_eq!(
                content(&*shop.database),
                content(&*reference),
                "after `{name}`"
            );
        }
    }
    assert_eq!(content(&*shop.database), content(&*reference), "all of it");
    let whole = content(&*reference);
    for (name, _, down) in history.iter().rev() {
        let Some(down) = down else { break };
        let before = content(&*shop.database);
        let expected = reference.run(down);
        let found = shop.down(Back::Steps(1)).await;
        // some real projects' down scripts are broken: then both fail, and ours leaves all as it was
        let Ok(report) = found else {
            // a transaction that is opened and never ended is undone by a client that goes away
            let endless = matches!(&found, Err(error) if error.code() == "transaction-control");
            assert!(
                expected.is_err() || endless,
                "`{name}` fails here alone: {found:?}"
            );
            if kind.transactional {
                assert_eq!(content(&*shop.database), before, "`{name}`");
            }
            break;
        };
        assert_eq!(expected, Ok(()), "`{name}` fails in the plain client alone");
        assert_eq!(report.rolled_back, 1);
        assert_eq!(
            content(&*shop.database),
            content(&*reference),
            "after undoing `{name}`"
        );
    }
    Shop::assert_intact(&shop.verify().await);
    // all in one run
    let at_once = Shop::new(kind.fresh());
    for (name, up, _) in &history {
        at_once.write(&format!("{name}.up.sql"), up);
    }
    at_once.up().await.unwrap();
    assert_eq!(content(&*at_once.database), whole, "all at once");
    Shop::assert_intact(&at_once.verify().await);
    history.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_history_is_what_the_plain_client_makes_of_it() {
    for kind in ENGINES {
        assert!(
            compare(kind, &fixtures(kind), |database| database.content()).await >= 6,
            "{}",
            kind.name
        );
    }
}

/// Real scripts write what is new each time (random ids, the time of day), so definitions are compared.
/// The histories are no part of this repository; the fixtures above never fail to run.
#[tokio::test(flavor = "multi_thread")]
async fn real_histories_are_what_the_plain_client_makes_of_them() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    for kind in ENGINES {
        for name in kind.corpora {
            let folder = beside.join(name).join("pairs");
            if folder.is_dir() {
                assert!(
                    compare(kind, &folder, |database| database.schema()).await > 10,
                    "{name}"
                );
            }
        }
    }
}

/// What a folder's migrations are in their order, whatever its form: the statements of both scripts.
fn told(folder: &Path, format: Format, database: &dyn Database) -> Vec<(Vec<String>, Vec<String>)> {
    let rules = database.engine().lex_rules();
    let statements = |script: &ScriptFile| -> Vec<String> {
        let script = script.load().unwrap();
        let statements = script.statements(rules);
        // some of the scripts are really broken
        statements
            .map(|one| one.map_or_else(|problem| problem.message, |one| one.text.to_owned()))
            .collect()
    };
    let options = source::Options {
        format,
        ..source::Options::default()
    };
    source::read(folder, &options, rules)
        .unwrap()
        .iter()
        .map(|migration| {
            (
                statements(&migration.up),
                migration.down.as_ref().map(statements).unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn real_histories_are_the_same_in_the_form_of_their_own_tool() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    for kind in ENGINES {
        let database = kind.fresh();
        for name in kind.corpora {
            let folder = beside.join(name);
            if folder.is_dir() {
                // one of the histories pairs two files whose names differ
                let format = match *name {
                    "minder" => Format::GolangMigrate,
                    _ => Format::Auto,
                };
                let own = told(&folder.join("original"), format, &*database);
                let pairs = told(&folder.join("pairs"), format, &*database);
                assert!(own.len() > 10, "{name}");
                assert_eq!(own, pairs, "{name}");
            }
        }
    }
}
