//! Folders that are not what was applied: edited, incomplete, out of order, behind, of other line ends.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::Error;
use mledger::report::{RunReport, State};
use mledger::request::{Back, Resolution, Up};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

const THREE: [(&str, &str, &str); 3] = [
    ("1_one", "CREATE TABLE one (id INTEGER);", "DROP TABLE one;"),
    (
        "3_three",
        "CREATE TABLE three (id INTEGER);",
        "DROP TABLE three;",
    ),
    (
        "5_five",
        "CREATE TABLE five (id INTEGER);",
        "DROP TABLE five;",
    ),
];

/// F38
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_late_waits_for_a_person() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &THREE);
        shop.up().await.unwrap();
        shop.migration("2_two", "CREATE TABLE two (id INTEGER);", "DROP TABLE two;");
        shop.migration("6_six", "CREATE TABLE six (id INTEGER);", "DROP TABLE six;");
        assert_eq!(shop.state("2").await, Some(State::OutOfOrder));
        refused(shop.up().await, "out-of-order", 3);
        assert_eq!(
            shop.state("6").await,
            Some(State::Pending),
            "and nothing else runs"
        );
        let allowed = Up {
            out_of_order: true,
            ..Up::default()
        };
        assert_eq!(shop.migrator().up(&allowed).await.unwrap().applied, 2);
        let back = shop.down(Back::Steps(2)).await.unwrap();
        let order: Vec<&str> = back
            .migrations
            .iter()
            .map(|migration| migration.version.as_str())
            .collect();
        assert_eq!(order, ["6", "2"], "the last ones that were applied");
        let by_setting = shop.migrator_with(|settings| settings.out_of_order = true);
        assert_eq!(by_setting.up(&Up::default()).await.unwrap().applied, 2);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_missing_in_the_middle_stops_and_one_missing_at_the_end_does_not() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &THREE);
        shop.up().await.unwrap();
        let before = shop.definitions(kind);
        shop.remove("3_three");
        assert_eq!(shop.state("3").await, Some(State::Missing));
        refused(shop.up().await, "file-missing", 4);
        shop.migration("3_three", THREE[1].1, THREE[1].2);
        // an older release of the program starts after a newer one
        shop.remove("5_five");
        assert_eq!(shop.up().await.unwrap().applied, 0);
        let told = shop.warnings().join("\n");
        assert!(told.contains("ahead"), "{told}");
        shop.remove("3_three");
        shop.remove("1_one");
        assert_eq!(shop.up().await.unwrap().applied, 0, "an empty folder");
        assert_eq!(
            shop.definitions(kind),
            before,
            "and nothing is rolled back by itself"
        );
        // all of it can be undone from what the ledger keeps
        assert_eq!(shop.down(Back::All).await.unwrap().rolled_back, 3);
        assert_eq!(shop.definitions(kind), "");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_file_stops_until_the_edit_is_accepted() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &THREE);
        shop.up().await.unwrap();
        shop.migration(
            "3_three",
            "CREATE TABLE three (id INTEGER, late INTEGER);",
            THREE[1].2,
        );
        assert_eq!(shop.state("3").await, Some(State::Changed));
        shop.migration("6_six", "CREATE TABLE six (id INTEGER);", "DROP TABLE six;");
        refused(shop.up().await, "file-changed", 4);
        assert!(
            shop.verify()
                .await
                .findings
                .iter()
                .any(|found| found.code.as_str() == "file-changed")
        );
        refused(
            shop.resolve("1", Resolution::AcceptChange).await,
            "resolution-does-not-fit",
            2,
        );
        shop.resolve("3", Resolution::AcceptChange).await.unwrap();
        assert_eq!(shop.state("3").await, Some(State::Applied));
        assert_eq!(shop.up().await.unwrap().applied, 1);
        Shop::assert_intact(&shop.verify().await);
        // another edit is another question
        shop.migration("3_three", "CREATE TABLE three (other INTEGER);", THREE[1].2);
        refused(shop.up().await, "file-changed", 4);
    })
    .await;
}

/// F67
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_down_script_never_runs_unasked() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        shop.write("1_one.up.sql", "CREATE TABLE one (id INTEGER);\n");
        shop.write("1_one.down.sql", "DROP TABLE one;\n");
        shop.up().await.unwrap();
        let before = shop.definitions(kind);
        shop.write("1_one.down.sql", "SELECT 'as if';\n");
        refused(shop.down(Back::Steps(1)).await, "down-script-changed", 4);
        assert_eq!(shop.definitions(kind), before);
        assert_eq!(
            shop.up().await.unwrap().applied,
            0,
            "the way up is what it was"
        );
        shop.resolve("1", Resolution::AcceptChange).await.unwrap();
        shop.down(Back::Steps(1)).await.unwrap();
        assert_eq!(
            shop.definitions(kind),
            before,
            "the accepted script did nothing, as it says"
        );
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// F67
#[tokio::test(flavor = "multi_thread")]
async fn a_down_script_whose_file_is_gone_comes_from_the_ledger() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &THREE[..1]);
        shop.write("3_pair.up.sql", "CREATE TABLE pair (id INTEGER);\n");
        shop.write("3_pair.down.sql", "DROP TABLE pair;\n");
        shop.up().await.unwrap();
        shop.remove("1_one");
        shop.remove("3_pair.up");
        shop.remove("3_pair.down");
        assert_eq!(shop.down(Back::All).await.unwrap().rolled_back, 2);
        assert_eq!(shop.definitions(kind), "");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// F36: the same text with other line ends is the same migration: a warning, never a stop.
#[tokio::test(flavor = "multi_thread")]
async fn other_line_ends_are_a_warning() {
    let unix = "-- UP\nCREATE TABLE one (\n    id INTEGER,\n    note VARCHAR(9) DEFAULT 'a\nb'\n);\n\
                INSERT INTO one (id) VALUES (1);\n-- DOWN\nDROP TABLE one;\n";
    let dos = unix.replace('\n', "\r\n");
    let marked = format!("\u{feff}{unix}");
    let marked_dos = format!("\u{feff}{dos}");
    for first in [unix, &dos, &marked, &marked_dos] {
        for then in [unix, &dos, &marked, &marked_dos] {
            on_every_engine(async |kind, database| {
                let shop = Shop::new(database);
                shop.write("1_one.sql", first);
                shop.up().await.unwrap();
                // a literal's bytes are executed as they are in the file
                let length = shop.ask("SELECT length(note) FROM one");
                let expected = if first.contains('\r') { "4\n" } else { "3\n" };
                assert_eq!(length, expected);
                shop.write("1_one.sql", then);
                shop.warnings();
                assert_eq!(shop.up().await.unwrap().applied, 0);
                let told = shop.warnings().join("\n");
                assert_eq!(told.contains("line ends"), first != then, "{told}");
                let found: Vec<_> = shop
                    .verify()
                    .await
                    .findings
                    .iter()
                    .map(|finding| (finding.code.as_str(), finding.severity.as_str()))
                    .filter(|(code, _)| *code != "first-key-not-trusted")
                    .collect();
                let expected = if first == then {
                    vec![]
                } else {
                    vec![("line-endings-differ", "warning")]
                };
                assert_eq!(found, expected);
                shop.down(Back::All).await.unwrap();
                assert_eq!(shop.definitions(kind), "");
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_comes_first_and_leaves_last() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &THREE[..1]);
        let needs = |version: &str| {
            format!(
                "-- @metadata {{\n--   \"dependencies\": [\"{version}\"]\n-- }}\n\n-- UP\nCREATE TABLE \
                 two (id INTEGER);\n-- DOWN\nDROP TABLE two;\n"
            )
        };
        shop.write("2_two.sql", &needs("7"));
        refused(shop.up().await, "dependency-missing", 3);
        shop.write("2_two.sql", &needs("1"));
        shop.up().await.unwrap();
        refused(shop.down(Back::Batch(Some(9))).await, "batch-unknown", 2);
        shop.migration("3_three", THREE[1].1, THREE[1].2);
        shop.up().await.unwrap();
        shop.down(Back::All).await.unwrap();
        let up = Up {
            to: Some("1".parse().unwrap()),
            ..Up::default()
        };
        shop.migrator().up(&up).await.unwrap();
        let first_batch = shop.status().await.migrations[0].batch;
        shop.up().await.unwrap();
        refused(shop.down(Back::Batch(first_batch)).await, "dependant-applied", 3);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_runs_first_also_where_it_is_newer() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        let write = |version: &str, needs: &str| {
            let text = format!(
                "-- @metadata {{ \"dependencies\": [{needs}] }}\n-- UP\nCREATE TABLE t{version} (id \
                 INTEGER);\n-- DOWN\nDROP TABLE t{version};\n"
            );
            shop.write(&format!("{version}_change.sql"), &text);
        };
        write("1", "");
        write("2", "\"4\"");
        write("3", "");
        write("4", "\"2\"");
        let circle = refused(shop.up().await, "dependency-circle", 3);
        assert!(circle.to_string().ends_with("2 → 4 → 2"), "{circle}");
        write("4", "");
        let first = Up {
            count: Some(3),
            ..Up::default()
        };
        let order = |report: RunReport| -> Vec<String> {
            let migrations = report.migrations.into_iter();
            migrations.map(|migration| migration.version).collect()
        };
        assert_eq!(order(shop.migrator().up(&first).await.unwrap()), ["1", "3", "4"]);
        // 2 is older than 4, and waited for it
        assert_eq!(order(shop.up().await.unwrap()), ["2"]);
        let floor = Back::Except(["1", "2", "3"].map(|kept| kept.parse().unwrap()).into());
        let refusal = refused(shop.down(floor).await, "dependant-applied", 3);
        assert!(refusal.to_string().contains("`2_change`"), "{refusal}");
        assert_eq!(shop.down(Back::All).await.unwrap().rolled_back, 4);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// Whatever is wrong with the folder is named before anything runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_read_runs_nothing() {
    for (name, bytes) in [
        ("2_two.SQL", &b"SELECT 1;"[..]),
        ("2-two.sql", b"SELECT 1;"),
        ("two.sql", b"SELECT 1;"),
        ("2_two .sql", b"SELECT 1;"),
        ("01_again.sql", b"SELECT 1;"),
        ("1_again.up.sql", b"SELECT 1;"),
        ("2_two.down.sql", b"SELECT 1;"),
        ("2_two.sql", b"SELECT '\xff';"),
        ("2_two.sql", b"\xff\xfeS\0E\0L\0E\0C\0T\0 \x001\0"),
        ("2_two.sql", b"SELECT 1;\0SELECT 2;"),
        ("2_two.sql", b"SELECT 'never ends;"),
        ("2_two.sql", b"-- mledger:no-such-directive\nSELECT 1;"),
        ("99999999999999999999x_two.sql", b"SELECT 1;"),
    ] {
        on_every_engine(async |kind, database| {
            let shop = Shop::with(database, &THREE[..1]);
            shop.write_bytes(name, bytes);
            let refused = shop.up().await;
            let Err(Error::Files(problems)) = &refused else {
                unreachable!("`{name}` with {bytes:?}: {refused:?}")
            };
            let named = problems.iter().any(|problem| {
                problem.to_string().contains("two") || problem.to_string().contains("again")
            });
            assert!(named, "{problems:?}");
            assert_eq!(refused.unwrap_err().exit_code(), 2);
            assert!(
                shop.database_is_untouched(kind),
                "`{name}`: not even a ledger"
            );
        })
        .await;
    }
}

/// A body that never ends is found when the statements are cut, which is before any of them runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_runs_nothing() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &THREE[..1]);
        shop.migration("2_two", kind.unclosed, "");
        let error = shop.up().await.unwrap_err();
        assert_eq!(error.code(), "unterminated", "{error:?}");
        assert!(shop.database_is_untouched(kind), "not even a ledger");
    })
    .await;
}

/// A script that has nothing to execute is applied as what it is.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_without_statements_are_applied() {
    for script in [
        "",
        "\u{feff}",
        "\n\n",
        "-- nothing\n",
        "/* nothing */",
        ";;;",
        " ; -- a\n;\r\n",
    ] {
        on_every_engine(async |_, database| {
            let shop = Shop::new(database);
            shop.write("1_nothing.up.sql", script);
            shop.write("1_nothing.down.sql", script);
            let report = shop.up().await.unwrap();
            assert_eq!(report.migrations[0].statements, 0, "{script:?}");
            assert_eq!(shop.state("1").await, Some(State::Applied));
            shop.down(Back::All).await.unwrap();
            Shop::assert_intact(&shop.verify().await);
        })
        .await;
    }
}
