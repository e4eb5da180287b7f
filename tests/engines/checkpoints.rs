//! Checkpoints kept beside the migrations: what a database forgets, the project remembers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use mledger::checkpoints;
use mledger::ledger::note::{COSIGNATURE, Witness, key_hash};
use mledger::ledger::verify::Anchor;
use mledger::ledger::{Checkpoint, Role, Severity, Signer as _, SigningKey};
use mledger::request::{Authorize, Export, Rewind, Settings, Tag, Up, Verify};
use mledger::{Error, Migrator};

use crate::place::on_every_engine;
use crate::shop::{DANA, Person, Shop, refused};

const LEE: Person = Person(8, "lee@example.com");

fn kept_in(folder: &Path, environment: &str) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.environment = Some(environment.to_owned());
        settings.checkpoints = Some(checkpoints::Settings {
            folder: folder.join("checkpoints"),
            in_development: false,
        });
    }
}

/// Someone who has the project and has never seen the database.
fn anybody(shop: &Shop, folder: &Path) -> Migrator {
    shop.migrator_with(kept_in(folder, "staging"))
}

/// The files that are kept.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder.join("checkpoints")) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Checkpoint {
    Checkpoint::parse(&fs::read_to_string(path).unwrap())
        .unwrap()
        .0
}

fn migrations() -> [(&'static str, &'static str, &'static str); 2] {
    [
        ("1_a", "CREATE TABLE a (id INTEGER);", "DROP TABLE a;"),
        ("2_b", "CREATE TABLE b (id INTEGER);", "DROP TABLE b;"),
    ]
}

fn one() -> Up {
    Up {
        count: Some(1),
        ..Up::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_restored_to_an_older_state_is_found_by_the_project() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let shop = Shop::with(database, &migrations());
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        anybody(&shop, folder).up(&one()).await.unwrap();
        let file = files(folder).pop().unwrap();
        let first = read(&file);
        let older = shop.database.save_ledger();
        let status = anybody(&shop, folder).status().await.unwrap();
        assert_eq!(first.size, status.ledger.unwrap().size, "{name}: all of it");

        anybody(&shop, folder).up(&Up::default()).await.unwrap();
        let second = read(&file);
        assert!(second.size > first.size, "{name}");
        assert_eq!(
            files(folder),
            std::slice::from_ref(&file),
            "{name}: one file"
        );
        let report = anybody(&shop, folder).verify(&Verify::default()).await;
        let report = report.unwrap();
        assert_eq!(report.anchored_to, Anchor::Checkpoint, "{name}");
        assert_eq!(report.anchored_size, second.size);
        assert!(!report.trusted, "{name}: its writer took the key on trust");
        Shop::assert_intact(&report);

        shop.database.load_ledger(&older);
        let events = format!("SELECT count(*) FROM {}", kind.store.events);
        let untouched = shop.ask(&events);
        let migrator = anybody(&shop, folder);
        refused(migrator.up(&Up::default()).await, "truncated", 4);
        refused(migrator.status().await, "truncated", 4);
        let tag = Tag {
            release: "1.0.0".parse().unwrap(),
            at: None,
            message: None,
        };
        refused(migrator.tag(&tag).await, "truncated", 4);
        let report = migrator.verify(&Verify::default()).await.unwrap();
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|one| one.code.as_str())
            .collect();
        assert!(found.contains(&"truncated"), "{name}: {found:?}");
        assert!(
            shop.ask(&events) == untouched && read(&file) == second,
            "{name}: nothing was written"
        );
        // who does not look at the folder cannot know; where only the ledger was put back, the table
        // is still there
        shop.ask("DROP TABLE IF EXISTS b");
        assert_eq!(shop.up().await.unwrap().applied, 1);
        let error = refused(migrator.up(&Up::default()).await, "checkpoint-mismatch", 4);
        assert!(error.to_string().contains("staging-"), "{error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_environments_keep_theirs_in_one_folder() {
    on_every_engine(async |kind, database| {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let staging = Shop::with(database, &migrations());
        let other = Shop::with(kind.fresh(), &migrations());
        anybody(&staging, folder).up(&one()).await.unwrap();
        let live = other.migrator_with(kept_in(folder, "qa"));
        live.up(&Up::default()).await.unwrap();
        anybody(&staging, folder).up(&one()).await.unwrap();
        let names: Vec<String> = files(folder)
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names[0].starts_with("qa-") && names[1].starts_with("staging-"));
        for migrator in [anybody(&staging, folder), live] {
            let report = migrator.verify(&Verify::default()).await.unwrap();
            assert_eq!(report.anchored_size, report.size, "{}", kind.name);
            Shop::assert_intact(&report);
        }
        let mut warnings = staging.warnings();
        warnings.extend(other.warnings());
        assert!(warnings.is_empty(), "{warnings:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_ledger_in_the_same_environment_is_told_and_an_error_where_one_is_pinned() {
    on_every_engine(async |kind, database| {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let shop = Shop::with(database, &migrations());
        anybody(&shop, folder).up(&one()).await.unwrap();
        let id = shop.status().await.ledger.unwrap().id;
        let replaced = Shop::with(kind.fresh(), &migrations());
        replaced.skip_an_id();
        let pinned = replaced.migrator_with(|settings| {
            kept_in(folder, "staging")(settings);
            settings.ledger = Some(id);
        });
        refused(pinned.status().await, "ledger-lost", 4);
        let theirs = replaced.migrator_of(LEE, kept_in(folder, "staging"));
        theirs.up(&one()).await.unwrap();
        theirs.status().await.unwrap();
        let warnings = replaced.warnings();
        assert!(
            warnings.iter().any(|told| told.contains("another ledger")),
            "{}: {warnings:?}",
            kind.name
        );
        refused(pinned.status().await, "ledger-mismatch", 4);
        assert_eq!(files(folder).len(), 2);
    })
    .await;
}

fn sqlite_shop() -> (Shop, tempfile::TempDir) {
    let shop = Shop::with(crate::support::engines::SQLITE.fresh(), &migrations());
    (shop, tempfile::tempdir().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_checkpoint_any_more_stops_every_command() {
    let (shop, folder) = sqlite_shop();
    let folder = folder.path();
    anybody(&shop, folder).up(&one()).await.unwrap();
    let file = files(folder).pop().unwrap();
    let older = fs::read_to_string(&file).unwrap();
    anybody(&shop, folder).up(&Up::default()).await.unwrap();
    let newer = fs::read_to_string(&file).unwrap();
    let migrator = anybody(&shop, folder);

    let both = format!("<<<<<<< HEAD\n{older}=======\n{newer}>>>>>>> topic\n");
    fs::write(&file, both).unwrap();
    let error = refused(migrator.up(&Up::default()).await, "checkpoint-invalid", 4);
    assert!(error.to_string().contains("merge conflict"), "{error}");
    for (damage, said) in [
        (String::new(), "signed note"),
        (newer.replacen("\u{2014} ", "- ", 1), "signature"),
        (newer.replacen("mledger/", "mledger/0", 1), "mledger/"),
        (
            newer.replacen("\u{2014} mledger", "\u{2014} other", 1),
            "signed by",
        ),
    ] {
        fs::write(&file, damage).unwrap();
        let error = refused(migrator.status().await, "checkpoint-invalid", 4);
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
    // an older one of this ledger is true as well, and so is one that version control has rewritten
    fs::write(&file, &older).unwrap();
    migrator.status().await.unwrap();
    fs::write(&file, newer.replace('\n', "\r\n")).unwrap();
    let report = migrator.verify(&Verify::default()).await.unwrap();
    assert_eq!(report.anchored_to, Anchor::Checkpoint);
    Shop::assert_intact(&report);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_told_and_stops_nothing() {
    let (shop, folder) = sqlite_shop();
    // also the superuser cannot make a folder where a file is
    fs::write(folder.path().join("taken"), "").unwrap();
    let migrator = shop.migrator_with(|settings| {
        kept_in(folder.path(), "staging")(settings);
        let kept = settings.checkpoints.as_mut().unwrap();
        kept.folder = folder.path().join("taken/checkpoints");
    });
    let outcome = migrator.up(&Up::default()).await;
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, Error::Usage { .. }),
        "it cannot be read either: {error:?}"
    );
    fs::remove_file(folder.path().join("taken")).unwrap();
    fs::create_dir(folder.path().join("checkpoints")).unwrap();
    anybody(&shop, folder.path()).up(&one()).await.unwrap();
    let file = files(folder.path()).pop().unwrap();
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    // a folder of that name is no checkpoint of ours
    refused(
        anybody(&shop, folder.path()).status().await,
        "checkpoint-invalid",
        4,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_witness_has_cosigned_is_kept_and_anchors_a_bundle() {
    let (shop, folder) = sqlite_shop();
    let folder = folder.path();
    anybody(&shop, folder).up(&one()).await.unwrap();
    let file = files(folder).pop().unwrap();
    let key = SigningKey::from_seed([9; 32]);
    let witness = Witness {
        name: "witness.example".to_owned(),
        key: key.public_key().clone(),
    };
    let own = fs::read_to_string(&file).unwrap();
    let text = own.split_once("\n\n").unwrap().0;
    let signed = format!("cosignature/v1\ntime 1800000000\n{text}\n");
    let signature = key.sign(signed.as_bytes()).unwrap();
    let cosigned = |time: u64| {
        let hash = key_hash(&witness.name, COSIGNATURE, &witness.key);
        let blob = [&hash[..], &time.to_be_bytes(), signature.as_bytes()].concat();
        let line = base64::engine::general_purpose::STANDARD.encode(blob);
        format!("{own}\u{2014} {} {line}\n", witness.name)
    };
    let configured = || {
        let witness = witness.clone();
        shop.migrator_with(move |settings| {
            kept_in(folder, "staging")(settings);
            settings.witnesses = vec![witness];
        })
    };
    fs::write(&file, cosigned(1_800_000_001)).unwrap();
    let error = refused(configured().status().await, "checkpoint-invalid", 4);
    assert!(error.to_string().contains("witness.example"), "{error}");
    // who does not know the witness is not bothered
    anybody(&shop, folder).status().await.unwrap();
    fs::write(&file, cosigned(1_800_000_000)).unwrap();
    configured().up(&Up::default()).await.unwrap();
    assert_eq!(files(folder).len(), 2, "the one that was cosigned stays");

    let path = folder.join("bundle");
    let request = Export {
        path: path.clone(),
        record: false,
        asked: mledger::compliance::Asked::default(),
    };
    configured().export(&request).await.unwrap();
    let knowing = Verify {
        witnesses: vec![witness.clone()],
        ..Verify::default()
    };
    let size = Checkpoint::parse(&own).unwrap().0.size;
    for (request, anchored, covered) in [
        (Verify::default(), Anchor::Nothing, 0),
        (knowing, Anchor::Checkpoint, size),
    ] {
        let report = mledger::audit::verify(&path, &request).unwrap();
        assert_eq!(
            (report.anchored_to, report.anchored_size),
            (anchored, covered)
        );
        assert!(!report.trusted);
        Shop::assert_intact(&report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn development_leaves_no_file_unless_it_is_asked_for() {
    let (shop, folder) = sqlite_shop();
    let settings = |in_development| {
        let folder = folder.path().join("checkpoints");
        move |settings: &mut Settings| {
            settings.checkpoints = Some(checkpoints::Settings {
                folder,
                in_development,
            });
        }
    };
    shop.migrator_with(settings(false))
        .up(&one())
        .await
        .unwrap();
    assert!(files(folder.path()).is_empty());
    shop.migrator_with(settings(true)).up(&one()).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_sign_a_checkpoint_leaves_the_older_one() {
    let (shop, folder) = sqlite_shop();
    let folder = folder.path();
    let dana = shop.migrator_of(DANA, kept_in(folder, "staging"));
    dana.up(&Up::default()).await.unwrap();
    let request = Authorize {
        proof: shop.migrator_of(LEE, |_| {}).prove_key(None).await.unwrap(),
        name: "lee".to_owned(),
        roles: vec![Role::Releaser],
    };
    dana.authorize_key(&request).await.unwrap();
    let file = files(folder).pop().unwrap();
    let before = fs::read_to_string(&file).unwrap();
    let lee = shop.migrator_of(LEE, kept_in(folder, "staging"));
    let tag = Tag {
        release: "1.0.0".parse().unwrap(),
        at: None,
        message: None,
    };
    lee.tag(&tag).await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    assert!(shop.warnings().is_empty());
    let report = lee.verify(&Verify::default()).await.unwrap();
    assert_eq!(
        report.anchored_size,
        report.size - 1,
        "and it still anchors what it covers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_project_keeps_is_declared_lost_by_a_rewind() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let shop = Shop::with(database, &[]);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let dana = anybody(&shop, folder);
        dana.init(None).await.unwrap();
        let older = shop.database.save_ledger();
        let lee = shop.migrator_of(LEE, kept_in(folder, "staging"));
        let request = Authorize {
            proof: lee.prove_key(None).await.unwrap(),
            name: "lee".to_owned(),
            roles: vec![Role::Auditor],
        };
        dana.authorize_key(&request).await.unwrap();
        let file = files(folder).pop().unwrap();
        let (text, kept) = (fs::read_to_string(&file).unwrap(), read(&file));
        shop.database.load_ledger(&older);
        refused(dana.status().await, "truncated", 4);
        let rewound = Rewind {
            reason: "the dump of Monday".to_owned(),
            checkpoints: Vec::new(),
            confirmed: None,
        };
        let rewound = dana.rewind(&rewound).await.unwrap();
        let lost: Vec<u64> = rewound.lost.iter().map(|head| head.size).collect();
        assert_eq!(lost, [kept.size], "{name}");
        assert_eq!(
            read(&file).ledger,
            rewound.ledger,
            "{name}: it was replaced"
        );
        dana.status().await.unwrap();
        // another clone of the project still has the old file
        fs::write(&file, text).unwrap();
        dana.status().await.unwrap();
        let report = dana.verify(&Verify::default()).await.unwrap();
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.severity == Severity::Warning),
            "{name}: {:?}",
            report.findings
        );
        assert_eq!(report.anchored_to, Anchor::Nothing, "{name}");
    })
    .await;
}
