//! Which form a folder has, and which forms do not go together.

use super::*;

/// A migration in each form, of which no two go together.
const ONE_OF_EACH: [(&str, &[(&str, &str)]); 13] = [
    (
        "mledger",
        &[("1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n")],
    ),
    (
        "goose",
        &[(
            "2_b.sql",
            "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n",
        )],
    ),
    (
        "dbmate",
        &[(
            "3_c.sql",
            "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n",
        )],
    ),
    ("flyway", &[("V4__d.sql", "SELECT 1;\n")]),
    ("diesel", &[("2024-05-01-000000_e/up.sql", "SELECT 1;\n")]),
    (
        "prisma",
        &[("20240601000000_f/migration.sql", "SELECT 1;\n")],
    ),
    (
        "drizzle",
        &[("meta/_journal.json", "{}"), ("0000_g.sql", "SELECT 1;\n")],
    ),
    (
        "liquibase",
        &[(
            "008.sql",
            "--liquibase formatted sql\n--changeset d:1\nSELECT 1;\n",
        )],
    ),
    (
        "sqitch",
        &[
            (
                "sqitch.plan",
                "%project=p\n\ni 2024-09-01T00:00:00Z M <m@e> # i\n",
            ),
            ("deploy/i.sql", "SELECT 1;\n"),
        ],
    ),
    (
        "node-pg-migrate",
        &[(
            "11_k.sql",
            "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n",
        )],
    ),
    (
        "db-migrate",
        &[
            ("12-l-up.sql", "SELECT 1;\n"),
            ("12-l-down.sql", "SELECT 2;\n"),
        ],
    ),
    (
        "yoyo",
        &[
            ("13_m.sql", "SELECT 1;\n"),
            ("13_m.rollback.sql", "SELECT 2;\n"),
        ],
    ),
    ("plain SQL", &[("14_n.sql", "SELECT 1;\n")]),
];

#[test]
fn a_folder_is_in_one_form() {
    for (at, (first, files)) in ONE_OF_EACH.iter().enumerate() {
        assert_eq!(code(Format::Auto, files), "", "{first} alone");
        for (second, others) in &ONE_OF_EACH[at + 1..] {
            // a script without marks is all of it the up script, in our form and in these
            if *second == "plain SQL" && ["mledger", "drizzle", "yoyo"].contains(first) {
                continue;
            }
            let both = [*files, *others].concat();
            assert_eq!(
                code(Format::Auto, &both),
                "format-mixed",
                "{first} and {second}"
            );
        }
    }
    let goose = ONE_OF_EACH[1].1[0];
    let half = ("3_b.up.sql", "SELECT 1;\n");
    assert_eq!(code(Format::Auto, &[goose, half]), "format-mixed");
}

#[test]
fn golang_migrate_pairs_files_by_their_version_alone() {
    let files = [
        ("72_kinds.up.sql", "SELECT 1;"),
        ("72_kind.down.sql", "SELECT 2;"),
    ];
    assert_eq!(code(Format::Auto, &files), "version-duplicate");
    let read = read_as(Format::GolangMigrate, &files).unwrap();
    assert_eq!((read.len(), read[0].name.as_str()), (1, "kinds"));
    assert!(read[0].down.is_some());
    assert!(read[0].warnings.is_empty(), "it was told");
}

#[test]
fn a_folder_of_pairs_shows_that_their_versions_are_enough() {
    let unlike = [
        ("72_kinds.up.sql", "SELECT 1;"),
        ("72_kind.down.sql", "SELECT 2;"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&unlike[..], more].concat();
    let shown = with(&[
        ("71_a.up.sql", "SELECT 3;"),
        ("71_a.down.sql", "SELECT 4;"),
        ("73_c.up.sql", "SELECT 5;"),
    ]);
    let read = read_as(Format::Auto, &shown).unwrap();
    let warned: Vec<Vec<&str>> = read
        .iter()
        .map(|one| one.warnings.iter().map(|problem| problem.code).collect())
        .collect();
    assert_eq!(warned, [vec![], vec!["pair-names-differ"], vec![]]);
    let found = |files: &[(&str, &str)]| Format::Auto.found(folder(files).path());
    assert_eq!(found(&shown), Some(Format::GolangMigrate));
    assert_eq!(found(&shown[2..]), Some(Format::Mledger));
    // two migrations of one version, and no pair
    for more in [
        &[("73_c.sql", "SELECT 3;")][..],
        &[("72_b.up.sql", "SELECT 3;")],
        &[("73_c.up.sql", "SELECT 3;")],
        &[
            ("71_a.up.sql", "SELECT 3;"),
            ("71_a.down.sql", "SELECT 4;"),
            ("72_x.down.sql", "SELECT 5;"),
        ],
    ] {
        assert_eq!(
            code(Format::Auto, &with(more)),
            "version-duplicate",
            "{more:?}"
        );
    }
}
