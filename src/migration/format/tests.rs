//! Folders as other tools keep them, made from the tools' documentation.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "detection_tests.rs"]
mod detection;

use std::fs;

use super::super::source::{self, Options};
use super::super::split::{LexRules, MYSQL, POSTGRES, SQLITE};
use super::super::{Migration, ScriptFile};
use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn read_as(format: Format, files: &[(&str, &str)]) -> Result<Vec<Migration>, Vec<Problem>> {
    let options = Options {
        format,
        ..Options::default()
    };
    source::read(folder(files).path(), &options, &SQLITE)
}

fn code(format: Format, files: &[(&str, &str)]) -> &'static str {
    read_as(format, files)
        .err()
        .and_then(|problems| problems.first().map(|problem| problem.code))
        .unwrap_or_default()
}

fn statements(script: &ScriptFile, rules: &'static LexRules) -> Vec<String> {
    script
        .load()
        .unwrap()
        .statements(rules)
        .map(|statement| statement.unwrap().text.to_owned())
        .collect()
}

/// Version, name, up, down and whether the up script runs in no transaction.
type Seen = (String, String, Vec<String>, Option<Vec<String>>, bool);

fn seen(files: &[(&str, &str)], rules: &'static LexRules) -> Vec<Seen> {
    let folder = folder(files);
    source::read(folder.path(), &Options::default(), rules)
        .unwrap()
        .iter()
        .map(|migration| {
            (
                migration.version.as_str().to_owned(),
                migration.name.clone(),
                statements(&migration.up, rules),
                migration.down.as_ref().map(|down| statements(down, rules)),
                migration.up.directives.no_transaction,
            )
        })
        .collect()
}

fn one(version: &str, name: &str, up: &[&str], down: Option<&[&str]>, alone: bool) -> Seen {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    (
        version.to_owned(),
        name.to_owned(),
        owned(up),
        down.map(owned),
        alone,
    )
}

#[test]
fn goose_marks_its_halves_and_its_blocks() {
    let body =
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.b = 1; SET NEW.c = 2; END";
    let text = format!(
        "-- +goose Up\nCREATE TABLE a (b INT, c INT);\n-- +goose StatementBegin\n{body};\n-- +goose \
         StatementEnd\n\n-- +goose Down\n-- +goose StatementBegin\nDROP TABLE a;\n-- +goose StatementEnd\n"
    );
    assert_eq!(
        seen(
            &[
                ("20240101000000_a.sql", &text),
                (
                    "20240101000001_b.sql",
                    "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n"
                ),
            ],
            &MYSQL
        ),
        [
            one(
                "20240101000000",
                "a",
                &["CREATE TABLE a (b INT, c INT)", body],
                Some(&["DROP TABLE a"]),
                false
            ),
            one("20240101000001", "b", &["VACUUM"], None, true),
        ]
    );
    let goose = Format::Goose;
    assert_eq!(
        code(goose, &[("1_a.sql", "CREATE TABLE a (b);")]),
        "section-unexpected",
        "a file without marks is none of goose"
    );
    assert_eq!(
        code(
            goose,
            &[("1_a.sql", "-- +goose ENVSUB ON\n-- +goose Up\nA;")]
        ),
        "section-unexpected"
    );
    assert_eq!(code(goose, &[("1_a.go", "package a")]), "name-invalid");
}

#[test]
fn dbmate_says_beside_its_marks_what_runs_alone() {
    assert_eq!(
        seen(
            &[(
                "20240101000000_a.sql",
                "-- migrate:up transaction:false\nVACUUM;\n\n-- migrate:down\nSELECT 1;\n"
            )],
            &SQLITE
        ),
        [one(
            "20240101000000",
            "a",
            &["VACUUM"],
            Some(&["SELECT 1"]),
            true
        )]
    );
}

#[test]
fn sqlx_says_in_its_first_line_what_runs_alone() {
    assert_eq!(
        seen(
            &[
                ("1_a.sql", "-- no-transaction\nVACUUM;\n"),
                ("2_b.up.sql", "CREATE TABLE b (c);\n"),
                ("2_b.down.sql", "DROP TABLE b;\n"),
            ],
            &SQLITE
        ),
        [
            one("1", "a", &["VACUUM"], None, true),
            one(
                "2",
                "b",
                &["CREATE TABLE b (c)"],
                Some(&["DROP TABLE b"]),
                false
            ),
        ]
    );
}

#[test]
fn flyway_prefixes_its_names() {
    assert_eq!(
        seen(
            &[
                ("V1__a.sql", "-- DOWN\nCREATE TABLE a (b);\n"),
                ("V1_2__b.sql", "CREATE TABLE b (c);\n"),
                ("U1_2__b.sql", "DROP TABLE b;\n"),
                ("V1.10__c.sql", "VACUUM;\n"),
                ("V1.10__c.sql.conf", "# alone\nexecuteInTransaction=false\n"),
                ("README.md", "no migration"),
            ],
            &SQLITE
        ),
        [
            one("1", "a", &["CREATE TABLE a (b)"], None, false),
            one(
                "1.2",
                "b",
                &["CREATE TABLE b (c)"],
                Some(&["DROP TABLE b"]),
                false
            ),
            one("1.10", "c", &["VACUUM"], None, true),
        ]
    );
    let flyway = Format::Auto;
    let rich = [
        ("R__b_c.sql", "SELECT 1;"),
        ("V2__x.sql", "SELECT 1;"),
        ("B2__base.sql", "SELECT 1;"),
        ("R__a.sql", "SELECT 1;"),
    ];
    let found: Vec<(String, String, bool)> = read_as(flyway, &rich)
        .unwrap()
        .into_iter()
        .map(|one| (one.version.to_string(), one.name, one.baseline))
        .collect();
    let found: Vec<(&str, &str, bool)> = found
        .iter()
        .map(|(version, name, baseline)| (version.as_str(), name.as_str(), *baseline))
        .collect();
    assert_eq!(
        found,
        [
            ("2", "x", false),
            ("2", "base", true),
            ("R:a", "a", false),
            ("R:b_c", "b_c", false),
        ]
    );
    for name in ["R__views.sql", "B2__base.sql"] {
        assert_eq!(
            code(Format::Refinery, &[(name, "A;")]),
            "format-unsupported"
        );
    }
    assert_eq!(code(flyway, &[("R__\u{1}.sql", "A;")]), "name-invalid");
    assert_eq!(
        code(flyway, &[("V1__a.sql", "A;"), ("x.sql", "B;")]),
        "name-invalid"
    );
    assert_eq!(code(flyway, &[("U1__a.sql", "A;")]), "up-missing");
    let refinery = [("V1__a.sql", "SELECT 1;"), ("U2__b.sql", "SELECT 2;")];
    assert_eq!(
        read_as(Format::Refinery, &refinery).map(|all| all.len()),
        Ok(2),
        "there a `U` is a migration"
    );
}

#[test]
fn diesel_prisma_and_drizzle_keep_folders() {
    assert_eq!(
        seen(
            &[
                ("2024-01-31-120000_a/up.sql", "CREATE TABLE a (b);"),
                ("2024-01-31-120000_a/down.sql", "DROP TABLE a;"),
                ("2024-02-01-120000_b/up.sql", "VACUUM;"),
                (
                    "2024-02-01-120000_b/metadata.toml",
                    "run_in_transaction = false\n"
                ),
            ],
            &POSTGRES
        ),
        [
            one(
                "20240131120000",
                "a",
                &["CREATE TABLE a (b)"],
                Some(&["DROP TABLE a"]),
                false
            ),
            one("20240201120000", "b", &["VACUUM"], None, true),
        ]
    );
    assert_eq!(
        seen(
            &[
                ("migration_lock.toml", "provider = \"sqlite\""),
                (
                    "20240131120000_init/migration.sql",
                    "-- CreateTable\nCREATE TABLE a (b);"
                ),
            ],
            &SQLITE
        ),
        [one(
            "20240131120000",
            "init",
            &["CREATE TABLE a (b)"],
            None,
            false
        )]
    );
    assert_eq!(
        seen(
            &[
                ("meta/_journal.json", "{}"),
                (
                    "0000_tan_spot.sql",
                    "CREATE TABLE `a` (`b` text);\n--> statement-breakpoint\nCREATE TABLE `c` (`d` text);"
                ),
            ],
            &SQLITE
        ),
        [one(
            "0000",
            "tan_spot",
            &["CREATE TABLE `a` (`b` text)", "CREATE TABLE `c` (`d` text)"],
            None,
            false
        )]
    );
}

#[test]
fn sqitch_has_a_plan() {
    let plan = "%syntax-version=1.0.0\n%project=p\n\nb 2024-01-31T12:00:00Z M <m@e> # first\na [b] \
                2024-01-31T12:00:00Z M <m@e>\n@v1 2024-02-01T00:00:00Z M <m@e>\nb [b@v1] \
                2024-02-02T00:00:00Z M <m@e>\n";
    assert_eq!(
        seen(
            &[
                ("sqitch.plan", plan),
                ("sqitch.conf", "[core]"),
                ("deploy/b@v1.sql", "BEGIN;\nCREATE TABLE b (c);\nCOMMIT;\n"),
                ("revert/b@v1.sql", "DROP TABLE b;\n"),
                ("deploy/a.sql", "CREATE TABLE a (c);\n"),
                ("deploy/b.sql", "ALTER TABLE b ADD COLUMN d;\n"),
                ("verify/b.sql", "SELECT d FROM b;\n"),
            ],
            &SQLITE
        ),
        [
            one(
                "20240131120000",
                "b",
                &["BEGIN", "CREATE TABLE b (c)", "COMMIT"],
                Some(&["DROP TABLE b"]),
                false
            ),
            one(
                "20240131120000.1",
                "a",
                &["CREATE TABLE a (c)"],
                None,
                false
            ),
            one(
                "20240202000000",
                "b",
                &["ALTER TABLE b ADD COLUMN d"],
                None,
                false
            ),
        ]
    );
}

#[test]
fn yoyo_has_its_numbers_its_endings_and_its_head() {
    let files = [
        (
            "20240131_01_x7Kpq-a.sql",
            "-- transactional: false\nVACUUM;\n",
        ),
        (
            "20240131_01_x7Kpq-a.rollback.sql",
            "-- nothing to undo\nSELECT 1;\n",
        ),
        (
            "20240131_02_Qe3Fz-b.sql",
            "-- depends: 20240131_01_x7Kpq-a\n\nCREATE TABLE b (c);\n",
        ),
    ];
    assert_eq!(
        seen(&files, &SQLITE),
        [
            one(
                "20240131.01",
                "x7Kpq-a",
                &["VACUUM"],
                Some(&["SELECT 1"]),
                true
            ),
            one(
                "20240131.02",
                "Qe3Fz-b",
                &["CREATE TABLE b (c)"],
                None,
                false
            ),
        ]
    );
    let late = (
        "20240131_03_a-c.sql",
        "-- depends: 20240131_04_b-d\nSELECT 1;",
    );
    let program = ("20240131_04_b-d.py", "steps = []");
    let marked = ("20240131_03_a-c.sql", "-- UP\nA;\n-- DOWN\nB;\n");
    assert_eq!(
        code(Format::Auto, &[files[0], files[1], marked]),
        "format-mixed"
    );
    assert_eq!(code(Format::Yoyo, &[files[2], late]), "format-unsupported");
    assert_eq!(code(Format::Yoyo, &[files[2], program]), "name-invalid");
    assert_eq!(
        code(Format::Yoyo, &[files[2], ("b.sql", "A;")]),
        "name-invalid"
    );
}

#[test]
fn node_pg_migrate_and_db_migrate_have_their_marks() {
    let text = "-- Up Migration\nCREATE TABLE a (b);\n-- Down Migration\nDROP TABLE a;\n";
    let found = |version: &str| {
        one(
            version,
            "a",
            &["CREATE TABLE a (b)"],
            Some(&["DROP TABLE a"]),
            false,
        )
    };
    assert_eq!(
        seen(&[("1706702400000_a.sql", text)], &SQLITE),
        [found("1706702400000")]
    );
    assert_eq!(
        seen(
            &[
                ("20240131120000-a-up.sql", "CREATE TABLE a (b);\n"),
                ("20240131120000-a-down.sql", "DROP TABLE a;\n"),
            ],
            &SQLITE
        ),
        [found("20240131120000")]
    );
}

#[test]
fn the_form_of_a_folder_can_be_told() {
    for (file, text, form) in [
        ("1_a.sql", "-- +goose Up\nA;", Some(Format::Goose)),
        ("1_a.sql", "-- UP\nA;", Some(Format::Mledger)),
        ("V1__a.sql", "A;", Some(Format::Flyway)),
        ("2024_b/migration.sql", "A;", Some(Format::Prisma)),
        (
            "1.sql",
            "--liquibase formatted sql",
            Some(Format::Liquibase),
        ),
        ("README.md", "none", None),
    ] {
        assert_eq!(
            Format::Auto.found(folder(&[(file, text)]).path()),
            form,
            "{file}"
        );
    }
    let refinery = folder(&[("V1__a.sql", "A;")]);
    assert_eq!(
        Format::Refinery.found(refinery.path()),
        Some(Format::Refinery)
    );
}

#[test]
fn each_format_is_found_by_its_name() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(*format));
    }
    assert!("liquid".parse::<Format>().is_err());
}
