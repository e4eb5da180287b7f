#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use super::super::split::SQLITE;
use super::*;

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn read_in(folder: &tempfile::TempDir) -> Result<Vec<Migration>, Vec<Problem>> {
    read(folder.path(), &Options::default(), &SQLITE)
}

fn codes(files: &[(&str, &[u8])]) -> Vec<&'static str> {
    let folder = folder(files);
    let problems = read_in(&folder).err().unwrap_or_default();
    problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn both_forms_are_read_in_the_order_of_their_versions() {
    let folder = folder(&[
        ("10_ten.sql", b"-- UP\nSELECT 10;\n-- DOWN\nSELECT -10;\n"),
        ("9_nine.up.sql", b"SELECT 9;"),
        ("9_nine.down.sql", b"SELECT -9;"),
        ("0011_create-events.sql", b"SELECT 11;"),
        ("README.md", b"not a migration"),
        (".12_hidden.sql.swp", b"\xff"),
        ("shop.sqlite3", b"\xff"),
        ("sub/13_below.sql", b"SELECT 13;"),
        (".git/14_hidden.sql", b"SELECT 14;"),
    ]);
    let migrations = read_in(&folder).unwrap();
    let seen: Vec<_> = migrations
        .iter()
        .map(|one| {
            (
                one.version.as_str(),
                one.name.as_str(),
                one.form,
                one.down.is_some(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("9", "nine", Form::Pair, true),
            ("10", "ten", Form::Single, true),
            ("0011", "create-events", Form::Single, false),
        ]
    );
    let single = &migrations[1];
    assert_eq!(single.up.digest, single.down.as_ref().unwrap().digest);
    assert_eq!(single.up.digest, single.checksum);
    let script = single.down.as_ref().unwrap().load().unwrap();
    let down: Vec<_> = script
        .statements(&SQLITE)
        .map(|one| one.unwrap().text.to_owned())
        .collect();
    assert_eq!(down, ["SELECT -10"]);
    let recursive = Options {
        recursive: true,
        ..Options::default()
    };
    assert_eq!(read(folder.path(), &recursive, &SQLITE).unwrap().len(), 4);
}

#[test]
fn a_name_that_looks_like_a_migration_and_is_none_is_a_problem() {
    assert_eq!(codes(&[("1_x.SQL", b"SELECT 1;")]), ["name-invalid"]);
    assert_eq!(codes(&[(".1_x.sql", b"SELECT 1;")]), ["name-invalid"]);
    assert_eq!(
        codes(&[("118_7__a.sql", b"A;"), ("118_8__b.sql", b"B;")]),
        ["name-invalid", "name-invalid"]
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_never_read() {
    let folder = folder(&[("1_a.sql/notes.txt", b"")]);
    // a null device ends at once, and is refused all the same
    std::os::unix::fs::symlink("/dev/null", folder.path().join("2_b.sql")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("3_c.sql"))
        .status();
    assert!(made.unwrap().success());
    let problems = read_in(&folder).unwrap_err();
    let found: Vec<_> = problems.iter().map(|one| one.code).collect();
    assert_eq!(found, ["file-unreadable"; 3]);
}

/// F39
#[test]
fn two_migrations_of_one_version_are_a_problem_that_names_both() {
    for (left, right) in [
        ("7_a.sql", "7_b.sql"),
        ("007_a.sql", "7_b.sql"),
        ("1.0_a.sql", "1_a.sql"),
        ("7_a.up.sql", "7_b.down.sql"),
        ("7_a.sql", "7_a.up.sql"),
        ("07_a.up.sql", "7_a.down.sql"),
    ] {
        let folder = folder(&[(left, b"SELECT 1;"), (right, b"SELECT 2;")]);
        let problems = read_in(&folder).unwrap_err();
        assert_eq!(problems.len(), 1, "{left} {right}");
        assert_eq!(problems[0].code, "version-duplicate");
        assert!(problems[0].message.contains(left) && problems[0].message.contains(right));
    }
}

#[test]
fn all_problems_are_told_at_once() {
    assert_eq!(
        codes(&[
            ("1_a.sql", b"\xff\xfeS\0"),
            ("2_b.sql", b"-- \xe9"),
            ("3_c.sql", b"SELECT 1;\0"),
            ("4_d.down.sql", b"SELECT 1;"),
            ("5_e.sql", b"-- UP\n-- mledger:retry\nSELECT 1;"),
            ("6_f.sql", b"SELECT 1;"),
        ]),
        [
            "encoding-invalid",
            "encoding-invalid",
            "encoding-invalid",
            "up-missing",
            "directive-invalid"
        ]
    );
    assert_eq!(
        read(Path::new("/nowhere/at/all"), &Options::default(), &SQLITE).unwrap_err()[0].code,
        "folder-unreadable"
    );
}

#[test]
fn empty_scripts_are_a_warning() {
    let warnings = |files: &[(&str, &str)]| {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| (*name, text.as_bytes()))
            .collect();
        let migrations = read_in(&folder(&files)).unwrap();
        let warnings = migrations[0].warnings.iter();
        warnings
            .map(|one| (one.code, one.line, one.message.clone()))
            .collect::<Vec<_>>()
    };
    let empty = |line, which: &str| {
        let message = format!("the {which} script has no statement");
        ("script-empty", Some(line), message)
    };
    for text in [
        "",
        "\u{feff}",
        "-- only a comment\n",
        "/* x */",
        ";;;",
        "-- UP\n-- DOWN\nSELECT 1;",
        "-- UP\n-- DOWN\n",
    ] {
        assert_eq!(warnings(&[("1_a.sql", text)]), [empty(1, "up")], "{text:?}");
    }
    assert_eq!(
        warnings(&[("1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\n")]),
        [empty(3, "down")]
    );
    assert_eq!(
        warnings(&[("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", "-- later\n")]),
        [empty(1, "down")]
    );
}

#[test]
fn the_problems_of_both_files_of_a_pair_are_told() {
    assert_eq!(
        codes(&[
            ("1_a.up.sql", b"-- mledger:retry\nSELECT 1;"),
            ("1_a.down.sql", b"-- mledger:retry\nSELECT 1;"),
        ]),
        ["directive-invalid", "directive-invalid"]
    );
}

#[test]
fn a_down_script_that_cannot_be_cut_is_a_warning_until_it_is_to_run() {
    let folder = folder(&[
        ("1_a.up.sql", b"SELECT 1;"),
        ("1_a.down.sql", b"SELECT 'a;"),
    ]);
    let migrations = read_in(&folder).unwrap();
    let warned: Vec<&str> = migrations[0]
        .warnings
        .iter()
        .map(|found| found.code)
        .collect();
    assert_eq!(warned, ["unterminated"]);
    let down = migrations[0].down.as_ref().unwrap().load().unwrap();
    assert_eq!(down.check(&SQLITE).unwrap_err().code, "unterminated");
}

#[test]
fn a_file_that_changes_after_it_was_hashed_is_not_run() {
    let folder = folder(&[("1_a.sql", b"SELECT 1;")]);
    let migrations = read_in(&folder).unwrap();
    fs::write(folder.path().join("1_a.sql"), b"SELECT 2;").unwrap();
    assert_eq!(
        migrations[0].up.load().unwrap_err().code,
        "file-changed-while-running"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_walked_once() {
    let folder = folder(&[("sub/1_a.sql", b"SELECT 1;")]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/again")).unwrap();
    let recursive = Options {
        recursive: true,
        ..Options::default()
    };
    assert_eq!(read(folder.path(), &recursive, &SQLITE).unwrap().len(), 1);
    std::os::unix::fs::symlink("nowhere", folder.path().join("2_b.sql")).unwrap();
    let problems = read(folder.path(), &recursive, &SQLITE).unwrap_err();
    assert_eq!(problems[0].code, "file-unreadable");
}
