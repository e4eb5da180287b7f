#![expect(clippy::unwrap_used, reason = "tests")]

use super::super::split::SQLITE;
use super::*;

fn layout(text: &str) -> Result<Layout, Problem> {
    read(text, Kind::Single, Path::new("1_x.sql"), &SQLITE)
}

fn parts(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let layout = layout(text).unwrap();
    (
        text[layout.own.range].trim(),
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
        ("-- DOWN\nA;", "section-unexpected", 1),
        ("A;\n-- UP\nB;", "section-unexpected", 1),
        ("-- mledger:timeout 1s\n-- UP\nA;", "directive-misplaced", 1),
        ("-- UP\nA; -- DOWN\nB;", "section-unexpected", 2),
        ("-- UP\nA (\n-- DOWN\nB);", "section-unexpected", 3),
        ("-- UP\nA;\n.read other.sql\nB;", "client-command", 3),
        ("-- UP\n\\connect shop\nB;", "client-command", 2),
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
        ("-- @metadata {}\n-- @metadata {}\n", "header-invalid", 2),
        ("-- @metadata {} and more\n", "header-invalid", 1),
        (
            "-- @metadata {\n-- \"risk\": \"low\"\nA;",
            "header-invalid",
            1,
        ),
        ("-- @metadata: {}\nA;", "header-invalid", 1),
        (
            "-- @metadata {\n-- \"author\": \"a\",\n-- \"author\": \"b\" }\n",
            "header-invalid",
            3,
        ),
        (
            "-- @metadata {\n-- \"author\": \"a\",\n--\n-- \"risk\": \"none\"\n-- }\n",
            "header-invalid",
            4,
        ),
        (
            "-- @metadata {\n-- \"dependencies\": [\"x\"]\n-- }\n",
            "header-invalid",
            2,
        ),
    ] {
        let problem = layout(text).unwrap_err();
        assert_eq!((problem.code, problem.line), (code, Some(line)), "{text}");
    }
}

#[test]
fn a_marker_that_is_written_otherwise_is_named_in_its_right_form() {
    for (text, line, expected) in [
        ("-- UP\nA;\n-- Down\nB;", 3, "-- DOWN"),
        ("-- up\nA;\n-- down\nB;", 1, "-- UP"),
        ("-- UP\nA;\n--DOWN\nB;", 3, "-- DOWN"),
        ("-- UP\nA;\n-- DOWN:\nB;", 3, "-- DOWN"),
        ("-- UP\nA;\n-- verify\nB;", 3, "-- VERIFY"),
        ("-- +goose Up\nA;\n-- +goose Down\nB;", 1, "-- UP"),
        ("-- migrate:up\nA;\n-- migrate:down\nB;", 1, "-- UP"),
        ("A;\n-- +migrate Down\nB;", 2, "-- DOWN"),
        ("A;\n--//@UNDO\nB;", 2, "-- DOWN"),
    ] {
        let problem = layout(text).unwrap_err();
        assert_eq!(
            (problem.code, problem.line),
            ("section-unexpected", Some(line)),
            "{text}"
        );
        let expected = format!("expected the marker `{expected}`");
        assert!(problem.message.starts_with(&expected), "{problem}");
    }
    assert!(layout("-- UP\n-- clean up\nA;\n-- DOWN\n-- goes down\nB;").is_ok());
}

#[test]
fn an_open_comment_loses_no_section_in_silence() {
    let problem = layout("-- UP\nA;\n/* note\n-- DOWN\nB;\n").unwrap_err();
    assert_eq!((problem.code, problem.line), ("unterminated", Some(3)));
    assert!(problem.message.contains("`-- DOWN`"), "{problem}");
    assert_eq!(
        layout("A;\n/*\n  -- +goose Down\nB;").unwrap_err().code,
        "unterminated"
    );
    for text in ["-- UP\nA;\n-- DOWN\nB; /* note", "A; /*/", "A; /* note *"] {
        let warnings = layout(text).unwrap().warnings;
        assert_eq!(warnings.len(), 1, "{text}");
        assert_eq!(warnings[0].code, "comment-not-closed", "{text}");
    }
    assert!(layout("A; /* note */").unwrap().warnings.is_empty());
    assert!(layout("A; /**/").unwrap().warnings.is_empty());
}

#[test]
fn a_change_of_the_direction_of_text_is_a_warning() {
    let warnings = layout("A;\nSELECT '\u{202e}';").unwrap().warnings;
    assert_eq!(
        (warnings[0].code, warnings[0].line),
        ("text-direction", Some(2))
    );
    assert!(layout("SELECT 'é\u{200f}';").unwrap().warnings.is_empty());
}

#[test]
fn the_down_file_of_a_pair_holds_one_script_and_nothing_else() {
    let down = |text: &str| read(text, Kind::PairDown, Path::new("1_x.down.sql"), &SQLITE);
    for (text, code) in [
        ("A;\n-- VERIFY\nSELECT 1;", "section-unexpected"),
        ("-- UP\nA;", "section-unexpected"),
        ("-- +goose Up\nA;", "section-unexpected"),
        ("-- @metadata {}\nA;", "header-invalid"),
    ] {
        assert_eq!(down(text).unwrap_err().code, code, "{text}");
    }
    let text = "-- mledger down\n-- DOWN\n-- mledger:timeout 1s\nA;";
    let layout = down(text).unwrap();
    assert!(layout.own.directives.timeout.is_some());
    assert!(text[layout.own.range].ends_with("A;"));
}

#[test]
fn the_up_file_of_a_pair_is_one_script() {
    let whole = |text: &str| read(text, Kind::PairUp, Path::new("1_x.up.sql"), &SQLITE);
    let text = "-- mledger:no-transaction\nVACUUM;\n-- VERIFY\nSELECT 1;";
    let layout = whole(text).unwrap();
    assert!(layout.own.directives.no_transaction);
    assert_eq!(text[layout.verify.unwrap()].trim(), "SELECT 1;");
    assert_eq!(
        whole("A;\n-- DOWN\nB;").unwrap_err().code,
        "section-unexpected"
    );
    assert_eq!(
        whole("-- migrate:up\nA;\n-- migrate:down\nB;")
            .unwrap_err()
            .line,
        Some(3)
    );
}

#[test]
fn an_unknown_member_is_a_warning() {
    let layout = layout("-- @metadata {\"reviewer\":\"omar\"}\nA;").unwrap();
    assert_eq!(layout.warnings.len(), 1);
    assert_eq!(layout.warnings[0].code, "metadata-unknown");
}
