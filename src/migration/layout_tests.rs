#![expect(clippy::unwrap_used, reason = "tests")]

use super::super::split::SQLITE;
use super::*;

fn layout(text: &str) -> Result<Layout, Problem> {
    read(text, Kind::Single, Path::new("1_x.sql"), &SQLITE)
}

fn parts(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let layout = layout(text).unwrap();
    (
        text[layout.up.range].trim(),
        layout.down.map(|down| text[down.range].trim()),
        layout.verify.map(|verify| text[verify].trim()),
    )
}

#[test]
fn sections_are_what_stands_between_their_markers() {
    assert_eq!(
        parts("-- intro\n-- UP\nA;\n-- DOWN\nB;\n-- VERIFY\nC;\n"),
        ("A;", Some("B;"), Some("C;"))
    );
    assert_eq!(parts("-- DOWN\r\nB;\r\n-- UP\r\nA;\r\n").0, "A;");
    assert_eq!(parts("A; -- only up\n"), ("A; -- only up", None, None));
    assert_eq!(parts(""), ("", None, None));
    assert_eq!(parts("-- nothing\n"), ("-- nothing", None, None));
}

#[test]
fn a_marker_in_a_string_is_data() {
    let text = "-- UP\nINSERT INTO a VALUES ('\n-- DOWN\n');\n/*\n-- DOWN\n*/\n";
    assert_eq!(parts(text).1, None);
}

#[test]
fn the_header_is_read_wherever_its_object_ends() {
    let text = "-- @metadata {\n--   \"author\": \"dana\",\n--   \"tags\": [\"x\"]\n-- }\n-- and prose {\n\n-- UP\nA;\n";
    let layout = layout(text).unwrap();
    assert_eq!(layout.metadata.author.as_deref(), Some("dana"));
    assert_eq!(layout.metadata.tags, ["x"]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, code, line) in [
        ("-- UP\nA;\n-- UP\nB;", "section-unexpected", 3),
        ("-- DOWN\nA;", "section-unexpected", 2),
        ("A;\n-- mledger:timeout 1s\n", "directive-misplaced", 2),
        (
            "-- UP\n-- mledger:no-transactions\nA;",
            "directive-invalid",
            2,
        ),
        (
            "-- UP\nA;\n-- VERIFY\n-- mledger:timeout 1s\n",
            "directive-invalid",
            4,
        ),
        ("-- UP\nSELECT 'a;\n", "unterminated", 2),
        (
            "-- @metadata {\n-- \"author\": dana\n-- }\n",
            "header-invalid",
            2,
        ),
        ("-- @metadata []\n", "header-invalid", 1),
        ("-- @metadata {\"risk\":\"none\"}\n", "header-invalid", 1),
        ("A;\n-- @metadata {}\n", "header-invalid", 2),
    ] {
        let problem = layout(text).unwrap_err();
        assert_eq!((problem.code, problem.line), (code, Some(line)), "{text}");
    }
}

#[test]
fn a_file_of_a_pair_is_one_script() {
    let whole = |text: &str| read(text, Kind::Whole, Path::new("1_x.up.sql"), &SQLITE);
    let text = "-- mledger:no-transaction\nVACUUM;\n-- VERIFY\nSELECT 1;";
    let layout = whole(text).unwrap();
    assert!(layout.up.directives.no_transaction);
    assert_eq!(text[layout.verify.unwrap()].trim(), "SELECT 1;");
    assert_eq!(
        whole("A;\n-- DOWN\nB;").unwrap_err().code,
        "section-unexpected"
    );
}

#[test]
fn an_unknown_member_is_a_warning() {
    let layout = layout("-- @metadata {\"reviewer\":\"omar\"}\nA;").unwrap();
    assert_eq!(layout.warnings.len(), 1);
    assert_eq!(layout.warnings[0].code, "metadata-unknown");
}
