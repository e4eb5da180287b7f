#![expect(clippy::unwrap_used, reason = "tests")]

use super::super::split::{MYSQL, POSTGRES, SQLITE};
use super::*;

fn layout(text: &str) -> Result<Layout, Problem> {
    read(
        text,
        Kind::Single,
        Style::Ours,
        Path::new("1_x.sql"),
        &SQLITE,
    )
}

fn layout_by(text: &str, rules: &'static LexRules) -> Result<Layout, Problem> {
    read(text, Kind::Single, Style::Ours, Path::new("1_x.sql"), rules)
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
    let down = |text: &str| {
        read(
            text,
            Kind::PairDown,
            Style::Ours,
            Path::new("1_x.down.sql"),
            &SQLITE,
        )
    };
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
    let whole = |text: &str| {
        read(
            text,
            Kind::PairUp,
            Style::Ours,
            Path::new("1_x.up.sql"),
            &SQLITE,
        )
    };
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

#[test]
fn commands_to_a_client_are_refused_with_their_line() {
    for (text, rules, client) in [
        ("A;\n\\i other.sql\n", &POSTGRES, "`psql`"),
        ("A;\n\\copy t FROM 'x'\n", &POSTGRES, "`psql`"),
        ("\\restrict a\n\\connect x\n", &POSTGRES, "`psql`"),
        ("SELECT 1\n\\gexec\n", &POSTGRES, "`psql`"),
        ("A;\nsource other.sql\n", &MYSQL, "`mariadb`"),
        ("A;\nSELECT 1\\G\n", &MYSQL, "`mariadb`"),
        ("A;\n\\. other.sql\n", &MYSQL, "`mariadb`"),
        ("A;\n.read other.sql\n", &SQLITE, "`sqlite3`"),
    ] {
        let problem = layout_by(text, rules).unwrap_err();
        assert_eq!(
            (problem.code, problem.line),
            ("client-command", Some(2)),
            "{text}"
        );
        assert!(problem.message.contains(client), "{problem}");
    }
    for (text, rules) in [
        ("\\restrict a\nA;\n\\unrestrict a\n", &POSTGRES),
        ("SELECT '\\i'; SELECT E'\\'', source FROM t;", &POSTGRES),
        ("DELIMITER //\nA;//\nSELECT \\N, source FROM t//", &MYSQL),
    ] {
        assert!(layout_by(text, rules).is_ok(), "{text}");
    }
}

#[test]
fn what_a_section_sets_about_its_reading_ends_with_it() {
    let text = "-- UP\nDELIMITER //\nA; B //\n-- DOWN\nC; D;\n";
    let down = layout_by(text, &MYSQL).unwrap().down.unwrap();
    assert_eq!(text[down.range].trim(), "C; D;");
    let text =
        "-- UP\nSET standard_conforming_strings = off;\nSELECT '\\'';\n-- DOWN\nSELECT '\\';\n";
    assert!(layout_by(text, &POSTGRES).unwrap().down.is_some());
    let text = "-- UP\nCREATE PROCEDURE p() BEGIN SELECT 1;\n-- DOWN\nA;";
    assert!(layout_by(text, &MYSQL).unwrap().down.is_some());
}

#[test]
fn data_hold_no_markers_and_lose_no_section_in_silence() {
    let text = "-- UP\nCOPY t FROM STDIN;\nit's\n-- DOWN\n\\.\nA;\n-- DOWN\nB;\n";
    let layout = layout_by(text, &POSTGRES).unwrap();
    assert_eq!(text[layout.down.unwrap().range].trim(), "B;");
    let text = "-- UP\nCOPY t FROM STDIN;\n1\n-- DOWN\nB;\n";
    let problem = layout_by(text, &POSTGRES).unwrap_err();
    assert_eq!((problem.code, problem.line), ("unterminated", Some(2)));
    assert!(problem.message.contains("`-- DOWN`"), "{problem}");
    assert!(layout_by("COPY t FROM STDIN;\n1\n", &POSTGRES).is_ok());
}
