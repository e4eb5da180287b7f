//! Backups: what comes back, what is refused, and what waits for a person.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use mledger::backup::encryption::Cipher;
use mledger::ledger::Body;
use mledger::report::{BackupView, State};
use mledger::request::{Settings, Up};
use mledger::{Error, Migrator};

use crate::place::on_every_engine;
use crate::shop::{DANA, Shop, refused};

pub(crate) const KEY: &str = "5f6c0e2b9a7d4c318e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f";
/// The same key as the tools of the age format write it.
const IDENTITY: &str = "AGE-SECRET-KEY-1TAKQU2U604XRRRS0RG4NCN27DACGRY4RKNZADELCPYDZK0ZDTEHSQQDU0Y";

const OTHER: &str = "006c0e2b9a7d4c318e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f";

const USERS: (&str, &str, &str) = (
    "1_users",
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20));\n\
     CREATE INDEX users_name ON users (name);\n\
     CREATE VIEW names AS SELECT name FROM users;\n\
     INSERT INTO users VALUES (1, 'ann'), (2, 'it''s bob');",
    "DROP VIEW names;\nDROP TABLE users;",
);

const ORDERS: (&str, &str, &str) = (
    "2_orders",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY);\nINSERT INTO users VALUES (3, 'cleo');",
    "DROP TABLE orders;",
);

/// A project with a folder of backups.
pub(crate) struct Safe {
    pub(crate) shop: Shop,
    folder: tempfile::TempDir,
}

impl Safe {
    pub(crate) fn new(shop: Shop) -> Self {
        Self {
            shop,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn settings(&self, key: Option<&str>) -> impl FnOnce(&mut Settings) + use<> {
        let folder = self.folder.path().join("backups");
        let cipher = Cipher::new(&[], key).unwrap();
        move |settings| {
            settings.backup.folder = folder;
            settings.backup.cipher = cipher;
            settings.backup.variables = vec![("PATH".into(), std::env::var_os("PATH").unwrap())];
        }
    }

    pub(crate) fn migrator(&self) -> Migrator {
        self.shop.migrator_of(DANA, self.settings(Some(KEY)))
    }

    pub(crate) async fn take(&self) -> BackupView {
        self.migrator().create_backup(None).await.unwrap()
    }

    /// What is in the folder of backups.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("backups")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

/// F71
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_brings_back_everything_but_the_ledger() {
    on_every_engine(async |kind, database| {
        let safe = Safe::new(Shop::with(database, &[USERS]));
        safe.shop.up().await.unwrap();
        let content = safe.shop.database.content();
        let taken = safe.take().await;
        assert!(taken.encrypted && taken.present, "{}", kind.name);
        safe.shop.migration(ORDERS.0, ORDERS.1, ORDERS.2);
        safe.shop.up().await.unwrap();
        safe.shop.ask("DELETE FROM users WHERE id = 1");
        let size = safe.shop.status().await.ledger.unwrap().size;

        let restored = safe.migrator().restore_backup("backup").await.unwrap();
        assert_eq!(restored.safety_backup.name, "before-restore");
        assert_eq!(safe.shop.database.content(), content, "{}", kind.name);
        let status = safe.shop.status().await;
        assert!(status.ledger.unwrap().size > size, "the ledger went on");
        let states = safe.shop.states().await;
        assert_eq!(states["1"], State::Applied);
        assert_eq!(states["2"], State::Pending);
        let waits = |code: &str| status.warnings.iter().any(|warning| warning.code == code);
        assert!(waits("restore-not-accepted"), "{:?}", status.warnings);
        refused(safe.shop.up().await, "restore-not-accepted", 7);
        let asked = mledger::request::Health::default();
        let health = safe.migrator().health(&asked).await.unwrap();
        assert_eq!(health.exit_code(), 7, "{:?}", health.problems);
        assert_eq!(health.problems[0].code, "restore-not-accepted");

        let id = taken.id.to_string();
        let migrator = safe.migrator();
        migrator.accept_backup(&id, "all there").await.unwrap();
        refused(
            migrator.accept_backup(&id, "again").await,
            "backup-not-waiting",
            2,
        );
        assert_eq!(safe.shop.up().await.unwrap().applied, 1);
        // the way back is as good as the way there
        migrator.restore_backup("before-restore").await.unwrap();
        assert_eq!(safe.shop.states().await["2"], State::Applied);
        assert_eq!(safe.shop.ask("SELECT count(*) FROM users"), "2\n");
        Shop::assert_intact(&safe.shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_tool_of_the_format_reads_a_backup() {
    on_every_engine(async |kind, database| {
        let safe = Safe::new(Shop::with(database, &[USERS]));
        safe.shop.up().await.unwrap();
        let taken = safe.take().await;
        let key = safe.folder.path().join("identity");
        fs::write(&key, IDENTITY).unwrap();
        let output = Command::new("age")
            .arg("--decrypt")
            .arg("--identity")
            .args([&key, Path::new(&taken.location)])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {output:?}", kind.name);
        // a Zstandard frame begins so (RFC 8878 section 3.1.1)
        assert_eq!(output.stdout[..4], [0x28, 0xb5, 0x2f, 0xfd]);
    })
    .await;
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// F71
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_was_recorded_is_refused_and_changes_nothing() {
    on_every_engine(async |kind, database| {
        let safe = Safe::new(Shop::with(database, &[USERS]));
        safe.shop.up().await.unwrap();
        let taken = safe.take().await;
        safe.shop.ask("DELETE FROM users WHERE id = 1");
        let content = safe.shop.database.content();
        let path = PathBuf::from(&taken.location);
        let whole = fs::read(&path).unwrap();
        let flip = |bytes: &mut Vec<u8>| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        };
        let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1);
        for changed in [&flip as &dyn Fn(&mut Vec<u8>), &cut] {
            change(&path, changed);
            let size = safe.shop.status().await.ledger.unwrap().size;
            let migrator = safe.migrator();
            refused(migrator.verify_backup("latest").await, "backup-mismatch", 4);
            refused(
                migrator.restore_backup("latest").await,
                "backup-mismatch",
                4,
            );
            assert_eq!(safe.shop.status().await.ledger.unwrap().size, size);
            fs::write(&path, &whole).unwrap();
        }
        let other = safe.shop.migrator_of(DANA, safe.settings(Some(OTHER)));
        refused(other.restore_backup("latest").await, "backup-key-wrong", 2);
        let none = safe.shop.migrator_of(DANA, safe.settings(None));
        refused(none.restore_backup("latest").await, "backup-key-missing", 2);
        assert_eq!(none.verify_backup("latest").await.unwrap().content, None);
        let checked = safe.migrator().verify_backup("latest").await.unwrap();
        assert!(checked.content.unwrap() > 0 && checked.backup.verified.is_some());
        fs::remove_file(&path).unwrap();
        refused(
            safe.migrator().verify_backup("latest").await,
            "backup-missing",
            4,
        );
        assert_eq!(safe.shop.database.content(), content, "{}", kind.name);
        assert_eq!(
            safe.files(),
            [] as [PathBuf; 0],
            "nothing half-written stays"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_program_a_server_is_not_saved_and_nothing_is_changed() {
    on_every_engine(async |_, database| {
        if database.files().is_some() {
            return;
        }
        let safe = Safe::new(Shop::with(database, &[USERS]));
        safe.shop.up().await.unwrap();
        let size = safe.shop.status().await.ledger.unwrap().size;
        let settings = safe.settings(None);
        let without = safe.shop.migrator_of(DANA, |to| {
            settings(to);
            to.backup.variables = vec![("PATH".into(), "/nowhere".into())];
        });
        let error = refused(without.create_backup(None).await, "dump-tool-missing", 1);
        assert!(format!("{error:?}").contains("-client"), "{error:?}");
        assert_eq!(safe.shop.status().await.ledger.unwrap().size, size);
    })
    .await;
}

/// F71: a program that is older than the server may leave out what it does not know.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_saves_nothing_and_nothing_is_changed() {
    on_every_engine(async |_, database| {
        if database.files().is_some() {
            return;
        }
        let safe = Safe::new(Shop::with(database, &[USERS]));
        safe.shop.up().await.unwrap();
        safe.shop.migration(ORDERS.0, ORDERS.1, ORDERS.2);
        let size = safe.shop.status().await.ledger.unwrap().size;
        let old = safe.folder.path().join("old");
        fs::create_dir(&old).unwrap();
        for (program, says) in [
            ("pg_dump", "pg_dump (PostgreSQL) 9.6.24"),
            (
                "mariadb-dump",
                "mariadb-dump  Ver 10.19 Distrib 10.1.48-MariaDB",
            ),
        ] {
            let path = old.join(program);
            fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let settings = safe.settings(None);
        let careful = safe.shop.migrator_of(DANA, |to| {
            settings(to);
            let path = std::env::var("PATH").unwrap();
            let path = format!("{}:{path}", old.display());
            to.backup.variables = vec![("PATH".into(), path.into())];
            to.backup.before_run = Some(true);
        });
        refused(careful.create_backup(None).await, "dump-tool-too-old", 1);
        let error = refused(careful.up(&Up::default()).await, "dump-tool-too-old", 1);
        assert!(format!("{error:?}").contains("-client"), "{error:?}");
        assert_eq!(safe.shop.status().await.ledger.unwrap().size, size);
        assert_eq!(safe.shop.state("2").await, Some(State::Pending));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_keeps_the_newest_and_the_way_back() {
    on_every_engine(async |_, database| {
        let safe = Safe::new(Shop::with(database, &[USERS]));
        safe.shop.up().await.unwrap();
        let (first, second) = (safe.take().await, safe.take().await);
        safe.shop.migration(ORDERS.0, ORDERS.1, ORDERS.2);
        safe.migrator().up(&Up::default()).await.unwrap();
        let third = safe.take().await;
        let pruned = safe.migrator().prune_backups(1).await.unwrap();
        let ids = |views: &[BackupView]| views.iter().map(|view| view.id).collect::<Vec<_>>();
        assert_eq!((ids(&pruned.removed), pruned.kept), (vec![first.id], 2));
        let left = safe.migrator().backups().await.unwrap();
        assert_eq!(ids(&left), [second.id, third.id]);
        assert_eq!(safe.files().len(), 2);
        let gone: Result<_, Error> = safe.migrator().verify_backup(&first.id.to_string()).await;
        refused(gone, "backup-unknown", 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_begins_with_a_backup_where_that_is_asked_for() {
    on_every_engine(async |_, database| {
        let safe = Safe::new(Shop::with(database, &[USERS]));
        safe.shop.up().await.unwrap();
        safe.shop.migration(ORDERS.0, ORDERS.1, ORDERS.2);
        let before = safe.shop.status().await.ledger.unwrap().size;
        let settings = safe.settings(Some(KEY));
        let careful = safe.shop.migrator_of(DANA, |to| {
            settings(to);
            to.backup.before_run = Some(true);
        });
        assert!(careful.plan_up(&Up::default()).await.unwrap().backup);
        let report = careful.up(&Up::default()).await.unwrap();
        let backups = careful.backups().await.unwrap();
        assert_eq!(backups.len(), 1);
        assert_eq!(report.backup, Some(backups[0].id.to_string()));
        assert_eq!(backups[0].ledger_size, before);
        let nothing = careful.up(&Up::default()).await.unwrap();
        assert_eq!(
            (nothing.backup, careful.backups().await.unwrap().len()),
            (None, 1)
        );
        safe.shop
            .migration("3_more", "CREATE TABLE more (id INTEGER);", "");
        let skipping = Up {
            skip_backup: true,
            ..Up::default()
        };
        assert_eq!(careful.up(&skipping).await.unwrap().backup, None);
        let mut forced = Vec::new();
        safe.shop
            .events(|event| {
                if let Body::RunStarted(body) = &event.body {
                    forced = body.forced.iter().map(|it| it.finding.clone()).collect();
                }
            })
            .await;
        assert_eq!(forced, ["backup-skipped"]);
    })
    .await;
}
