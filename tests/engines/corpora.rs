//! Whole histories: what the tool makes of them is what the database's plain client makes of the same
//! files.
//!
//! Our own fixtures always; real projects' histories in addition, where they lie beside the repository.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use mledger::migration::{ScriptFile, source};
use mledger::request::{Back, Down, Up, Verify};

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

/// A history: as its project keeps it, and as the plain client takes it.
struct Past<'a> {
    own: &'a Path,
    pairs: &'a Path,
    /// How many migrations a run applies where they are not applied all at once.
    at_a_time: usize,
    /// What of a database is compared.
    content: fn(&dyn Database) -> String,
}

/// Applies a history bit by bit and rolls it back one by one, beside the plain client; then all at once,
/// and up again. Returns how many migrations it has, and how many of them can be undone.
async fn compare(kind: &Kind, past: &Past<'_>) -> (usize, usize) {
    let content = past.content;
    let history = pairs(past.pairs);
    let reference = kind.fresh();
    let shop = Shop::new(kind.fresh());
    let migrator =
        |shop: &Shop| shop.migrator_with(|settings| settings.migrations = past.own.to_owned());
    for (number, several) in history.chunks(past.at_a_time).enumerate() {
        for (name, up, _) in several {
            assert_eq!(reference.run(up), Ok(()), "{name}");
        }
        let next = Up {
            count: Some(several.len()),
            ..Up::default()
        };
        let applied = migrator(&shop).up(&next).await.unwrap();
        assert_eq!(applied.applied, several.len() as u64);
        if is_looked_at(number) {
            assert_eq!(
                content(&*shop.database),
                content(&*reference),
                "after `{}`",
                several[several.len() - 1].0
            );
        }
    }
    let whole = content(&*reference);
    assert_eq!(content(&*shop.database), whole, "all of it");
    let mut undone = 0;
    let mut left = whole.clone();
    for (name, _, down) in history.iter().rev() {
        let Some(down) = down else { break };
        let found = migrator(&shop).down(&back(1)).await;
        // a transaction that is opened and never ended is undone by a client that goes away
        if matches!(&found, Err(error) if error.code() == "transaction-control") {
            break;
        }
        let expected = reference.run(down);
        // some real projects' down scripts are broken: then both fail, and leave all as it was where that
        // is possible
        let Ok(report) = found else {
            assert!(expected.is_err(), "`{name}` fails here alone: {found:?}");
            break;
        };
        assert_eq!(expected, Ok(()), "`{name}` fails in the plain client alone");
        assert_eq!(report.rolled_back, 1);
        undone += 1;
        if is_looked_at(undone) || !kind.transactional {
            left = content(&*reference);
            assert_eq!(content(&*shop.database), left, "after undoing `{name}`");
        }
    }
    if kind.transactional {
        left = content(&*reference);
        assert_eq!(content(&*shop.database), left, "all that can be undone");
    }
    Shop::assert_intact(&migrator(&shop).verify(&Verify::default()).await.unwrap());
    at_once(kind, past, &*reference, &whole, (undone, &left)).await;
    (history.len(), undone)
}

/// A dump takes a second where there is much to dump.
fn is_looked_at(number: usize) -> bool {
    number < 8 || number.is_multiple_of(16)
}

/// All in one run, back in one run, and up again.
async fn at_once(
    kind: &Kind,
    past: &Past<'_>,
    reference: &dyn Database,
    whole: &str,
    (undone, left): (usize, &str),
) {
    let content = past.content;
    let shop = Shop::new(kind.fresh());
    let migrator = shop.migrator_with(|settings| settings.migrations = past.own.to_owned());
    migrator.up(&Up::default()).await.unwrap();
    assert_eq!(content(&*shop.database), whole, "all at once");
    let status = migrator.status().await.unwrap();
    assert_eq!(status.counts.pending, 0);
    assert_eq!(status.counts.applied, pairs(past.pairs).len() as u64);
    assert_eq!(migrator.up(&Up::default()).await.unwrap().applied, 0);
    Shop::assert_intact(&migrator.verify(&Verify::default()).await.unwrap());
    if undone == 0 {
        return;
    }
    let report = migrator.down(&back(undone)).await.unwrap();
    assert_eq!(report.rolled_back, undone as u64);
    assert_eq!(content(&*shop.database), left, "back at once");
    // what was undone by a script that does nothing cannot be done again: then both fail
    let history = pairs(past.pairs);
    let again = &history[history.len() - undone..];
    let refused = again
        .iter()
        .find_map(|(name, up, _)| Some((name, reference.run(up).err()?)));
    let found = migrator.up(&Up::default()).await;
    assert_eq!(found.is_err(), refused.is_some(), "{found:?}, {refused:?}");
    if let Ok(report) = found {
        assert_eq!(report.applied, undone as u64);
    }
    assert_eq!(content(&*shop.database), content(reference), "up again");
    Shop::assert_intact(&migrator.verify(&Verify::default()).await.unwrap());
}

fn back(steps: usize) -> Down {
    Down {
        back: Back::Steps(steps),
        ticket: None,
        timeout: None,
    }
}

/// The real projects' histories: no part of this repository. They lie beside it, or where
/// `MLEDGER_TEST_CORPORA` says; the fixtures above never fail to run.
#[expect(clippy::print_stderr, reason = "a test that compares nothing says so")]
fn corpora() -> Option<PathBuf> {
    let told = std::env::var_os("MLEDGER_TEST_CORPORA").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let folder = told.clone().unwrap_or_else(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    assert_eq!(told, None, "`MLEDGER_TEST_CORPORA` names no folder");
    eprintln!(
        "no real histories in {}: nothing is compared; `MLEDGER_TEST_CORPORA` names another folder",
        folder.display()
    );
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_history_is_what_the_plain_client_makes_of_it() {
    for kind in ENGINES {
        let folder = fixtures(kind);
        let past = Past {
            own: &folder,
            pairs: &folder,
            at_a_time: 1,
            content: |database| database.content(),
        };
        let (all, undone) = compare(kind, &past).await;
        assert!(all >= 6 && undone == all, "{}", kind.name);
    }
}

/// Real scripts write what is new each time (random ids, the time of day), so definitions are compared.
#[tokio::test(flavor = "multi_thread")]
async fn real_histories_are_what_the_plain_client_makes_of_them() {
    let Some(corpora) = corpora() else { return };
    for kind in ENGINES {
        for name in kind.corpora {
            let folder = corpora.join(name);
            let past = Past {
                own: &folder.join("original"),
                pairs: &folder.join("pairs"),
                at_a_time: 8,
                content: |database| database.schema(),
            };
            let (all, _) = compare(kind, &past).await;
            assert!(all > 10, "{name}");
        }
    }
}

/// What a folder's migrations are in their order, whatever its form: the statements of both scripts.
fn told(folder: &Path, database: &dyn Database) -> Vec<(Vec<String>, Vec<String>)> {
    let rules = database.engine().lex_rules();
    let statements = |script: &ScriptFile| -> Vec<String> {
        let script = script.load().unwrap();
        let statements = script.statements(rules);
        // some of the scripts are really broken
        statements
            .map(|one| one.map_or_else(|problem| problem.message, |one| one.text.to_owned()))
            .collect()
    };
    source::read(folder, &source::Options::default(), rules)
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
    let Some(corpora) = corpora() else { return };
    for kind in ENGINES {
        let database = kind.fresh();
        for name in kind.corpora {
            let folder = corpora.join(name);
            let own = told(&folder.join("original"), &*database);
            assert!(own.len() > 10, "{name}");
            assert_eq!(own, told(&folder.join("pairs"), &*database), "{name}");
        }
    }
}
