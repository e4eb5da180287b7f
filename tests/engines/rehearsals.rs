//! Backups that are tried: what comes back is looked at, and nothing of the trial stays.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::thread;
use std::time::{Duration, Instant};

use mledger::report::RestoredSchema;

use crate::backups::{KEY, Safe};
use crate::place::{Database, Kind, on_every_engine};
use crate::shop::{DANA, Shop, refused};
use crate::support::Project;
use crate::support::engines::{MYSQL, POSTGRES};

const SHOP: (&str, &str, &str) = (
    "1_shop",
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x');\n\
     CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer INTEGER REFERENCES users (id));\n\
     CREATE INDEX users_name ON users (name);\n\
     CREATE VIEW names AS SELECT name FROM users;\n\
     INSERT INTO users VALUES (1, 'ann'), (2, 'it''s bob');",
    "DROP VIEW names;\nDROP TABLE orders;\nDROP TABLE users;",
);

/// The databases that were made to try a backup in.
fn scratches(kind: &Kind, database: &dyn Database) -> Vec<String> {
    let Some(databases) = kind.databases else {
        return Vec::new();
    };
    let all = database.ask(databases);
    let scratch = |name: &&str| name.starts_with("mledger_restore_test_");
    all.lines().filter(scratch).map(str::to_owned).collect()
}

/// Those of other tests go too, so none may stay for long.
#[track_caller]
fn assert_no_scratch_stays(kind: &Kind, database: &dyn Database) {
    let seen = scratches(kind, database);
    let begun = Instant::now();
    while scratches(kind, database).iter().any(|it| seen.contains(it)) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "some of these stayed: {seen:?}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_tried_in_a_database_of_its_own() {
    on_every_engine(async |kind, database| {
        let safe = Safe::new(Shop::with(database, &[SHOP]));
        safe.shop.up().await.unwrap();
        let taken = safe.take().await;
        let files = safe.files();
        safe.shop.ask("INSERT INTO users VALUES (3, 'cleo')");
        let content = safe.shop.database.content();
        let checked = safe.migrator().rehearse_backup("latest").await.unwrap();
        let tested = checked.restore_test.unwrap();
        assert_eq!(tested.tables, 2, "{}", kind.name);
        assert_eq!(tested.ledger_size, taken.ledger_size);
        assert_eq!(tested.schema, RestoredSchema::AsRecorded, "{}", kind.name);
        assert!(checked.backup.verified.is_some() && checked.content.is_some());
        assert_eq!(safe.shop.database.content(), content);
        assert_eq!(safe.files(), files);
        assert_no_scratch_stays(kind, &*safe.shop.database);

        // what was changed out of band is in the backup too; it is known as long as it is still there
        safe.shop.ask("CREATE TABLE aside (id INTEGER)");
        safe.take().await;
        let checked = safe.migrator().rehearse_backup("latest").await.unwrap();
        let tested = checked.restore_test.unwrap();
        assert_eq!((tested.tables, tested.schema), (3, RestoredSchema::AsNow));
        safe.shop.ask("DROP TABLE aside");
        let differs = safe.migrator().rehearse_backup("latest").await;
        refused(differs, "restored-schema-differs", 4);
        assert_no_scratch_stays(kind, &*safe.shop.database);
        assert_eq!(safe.shop.database.content(), content);

        // without a key, or with a file that is another one, nothing is tried
        let none = safe.shop.migrator_of(DANA, safe.settings(None));
        refused(
            none.rehearse_backup("latest").await,
            "backup-key-missing",
            2,
        );
        let newest = safe.migrator().backups().await.unwrap().pop().unwrap();
        std::fs::write(&newest.location, "something else").unwrap();
        let changed = safe.migrator().rehearse_backup("latest").await;
        refused(changed, "backup-mismatch", 4);
        Shop::assert_intact(&safe.shop.verify().await);
    })
    .await;
}

/// A server would begin at once to do what its scheduler is told.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_would_do_by_itself_is_left_out_of_a_trial() {
    let shop = Shop::with(MYSQL.fresh(), &[SHOP]);
    shop.migration(
        "2_daily",
        "CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders;\n\
         CREATE PROCEDURE clear_away() DELETE FROM orders;",
        "",
    );
    let safe = Safe::new(shop);
    safe.shop.up().await.unwrap();
    safe.take().await;
    let checked = safe.migrator().rehearse_backup("latest").await.unwrap();
    let tested = checked.restore_test.unwrap();
    assert_eq!(
        (tested.tables, tested.schema),
        (2, RestoredSchema::NotCompared)
    );
}

/// A user who may do everything in one database and nothing beside it.
struct Lesser {
    kind: Kind,
    make: &'static [&'static str],
    drop: &'static [&'static str],
    told: &'static str,
}

const LESSER: [Lesser; 2] = [
    Lesser {
        kind: POSTGRES,
        make: &[
            "CREATE ROLE WHO LOGIN",
            "GRANT pg_read_all_data TO WHO",
            "GRANT pg_write_all_data TO WHO",
        ],
        drop: &["DROP ROLE WHO"],
        told: "ALTER ROLE WHO CREATEDB",
    },
    Lesser {
        kind: MYSQL,
        make: &["CREATE USER WHO", "GRANT ALL ON `DATABASE`.* TO WHO"],
        drop: &["DROP USER WHO"],
        told: "GRANT ALL ON",
    },
];

#[test]
fn who_may_make_no_database_is_told_what_is_missing() {
    for lesser in LESSER {
        let project = Project::on(&lesser.kind);
        project.write("migrations/1_shop.sql", &format!("-- UP\n{}\n", SHOP.1));
        let key = [("BACKUP_ENCRYPTION_KEY", KEY)];
        for arguments in [&["up"][..], &["backup", "create"]] {
            assert_eq!(project.run_with(arguments, &key).code, 0);
        }
        let url = project.place.url();
        let (server, database) = url.rsplit_once('/').unwrap();
        let user = format!("lesser_{}", std::process::id());
        let told = |sql: &str| sql.replace("WHO", &user).replace("DATABASE", database);
        for sql in lesser.make {
            project.ask(&told(sql));
        }
        let (scheme, host) = server.split_once("://").unwrap();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let url = format!("{scheme}://{user}@{host}/{database}");
        let trial = ["backup", "verify", "latest", "--restore-test"];
        let ended = project.run_with(&trial, &[key[0], ("DATABASE_URL", &url)]);
        for sql in lesser.drop {
            project.ask(&told(sql));
        }
        assert_eq!(ended.code, 1, "{ended:#?}");
        assert!(ended.stderr.contains(&told(lesser.told)), "{ended:#?}");
        let whole = project.run_with(&trial, &key);
        assert_eq!(whole.code, 0, "{whole:#?}");
        assert!(whole.stdout.contains("2 tables"), "{whole:#?}");
    }
}
