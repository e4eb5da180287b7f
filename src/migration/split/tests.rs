#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn statements(text: &str) -> Vec<&str> {
    Pieces::new(text, 0..text.len(), &SQLITE)
        .filter_map(|piece| piece.unwrap().statement)
        .map(|range| &text[range])
        .collect()
}

fn class(text: &str) -> Class {
    Pieces::new(text, 0..text.len(), &SQLITE)
        .next()
        .unwrap()
        .unwrap()
        .class
}

#[test]
fn statements_come_without_what_surrounds_them() {
    assert_eq!(
        statements("-- first\nSELECT 1; /* second */ SELECT 2 -- end\n;\n\n;;SELECT 3"),
        ["SELECT 1", "SELECT 2", "SELECT 3"]
    );
    assert!(statements("").is_empty());
    assert!(statements("\u{feff} -- only a comment").is_empty());
    assert!(statements(";;;").is_empty());
}

#[test]
fn quotes_and_comments_hide_semicolons() {
    assert_eq!(
        statements(
            "SELECT ';''--', \"a;\"\"b\", `c;`, [d;], x'3b' -- ;\n, 1 /* ; /* */ ; SELECT 2"
        ),
        [
            "SELECT ';''--', \"a;\"\"b\", `c;`, [d;], x'3b' -- ;\n, 1",
            "SELECT 2"
        ]
    );
    assert_eq!(
        statements("SELECT 1 /* never closed; SELECT 2"),
        ["SELECT 1"]
    );
}

#[test]
fn a_trigger_is_one_statement() {
    let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET b = CASE WHEN b > 1 THEN 2 \
                   ELSE 3 END;\n  SELECT CASE 1 WHEN 1 THEN 2 END; /* x */ -- y\nEND";
    let text = format!("{trigger};\nSELECT 1;");
    assert_eq!(statements(&text), [trigger, "SELECT 1"]);
    for form in ["TEMP ", "temporary ", ""] {
        let text = format!(
            "create {form}trigger if not exists x after delete on y begin select 1; end ; select 2"
        );
        assert_eq!(statements(&text).len(), 2, "{text}");
    }
    let explained = "EXPLAIN CREATE TRIGGER x AFTER DELETE ON y BEGIN SELECT 1; END";
    assert_eq!(statements(explained), [explained]);
}

#[test]
fn names_that_look_like_keywords_open_nothing() {
    assert_eq!(
        statements(
            "CREATE TABLE x(\"end\" TEXT, trigger_end TEXT); CREATE TABLE trigger (a); SELECT 1 AS \"end\"; SELECT 2"
        ),
        [
            "CREATE TABLE x(\"end\" TEXT, trigger_end TEXT)",
            "CREATE TABLE trigger (a)",
            "SELECT 1 AS \"end\"",
            "SELECT 2"
        ]
    );
    assert_eq!(statements("CREATE INDEX \"x\" trigger; SELECT 1").len(), 2);
}

#[test]
fn what_is_never_closed_is_an_error_with_its_place() {
    for (text, offset) in [
        ("SELECT 1; SELECT 'abc", 17),
        ("SELECT \"abc;", 7),
        ("SELECT [abc", 7),
        (
            "SELECT 1; CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;",
            10,
        ),
    ] {
        let last = Pieces::new(text, 0..text.len(), &SQLITE).last().unwrap();
        assert_eq!(last.unwrap_err().offset, offset, "{text}");
    }
}

#[test]
fn first_words_tell_what_a_statement_does() {
    assert_eq!(class("SELECT 1"), Class::Ordinary);
    assert_eq!(
        class("begin immediate"),
        Class::TransactionControl(Control::Begin)
    );
    assert_eq!(
        class("/* x */ End;"),
        Class::TransactionControl(Control::Commit)
    );
    assert_eq!(
        class("ROLLBACK TO a"),
        Class::TransactionControl(Control::Rollback)
    );
    assert_eq!(class("vacuum"), Class::NotInTransaction);
    assert_eq!(
        class("PRAGMA journal_mode = wal"),
        Class::SessionNotInTransaction
    );
    assert_eq!(class("PRAGMA foreign_keys = off"), Class::ForeignKeys);
    assert_eq!(class("PRAGMA foreign_keys"), Class::Ordinary);
    assert_eq!(class("CREATE TEMP TABLE x (a)"), Class::Session);
    assert_eq!(class("\"begin\" x"), Class::Ordinary);
    assert_eq!(class("EXPLAIN VACUUM"), Class::Ordinary);
}

/// Fragments whose nesting is where cutters go wrong.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(";".to_owned()),
        Just("--c;\n".to_owned()),
        Just("/*;*/".to_owned()),
        Just("';'".to_owned()),
        Just("'it''s;'".to_owned()),
        Just("\";\"".to_owned()),
        Just("[;]".to_owned()),
        Just("`;`".to_owned()),
        Just(" SELECT 1 ".to_owned()),
        Just(" CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;".to_owned()),
        Just(" CASE WHEN 1 THEN 2 END ".to_owned()),
        Just("BEGIN".to_owned()),
        Just(" END ".to_owned()),
        Just("é😀".to_owned()),
        "[ -~\\n]{0,6}",
    ]
}

proptest! {
    #[test]
    fn the_pieces_are_the_text(fragments in prop::collection::vec(fragment(), 0..24)) {
        let text = fragments.concat();
        let mut at = 0;
        let mut whole = true;
        for piece in Pieces::new(&text, 0..text.len(), &SQLITE) {
            let Ok(piece) = piece else {
                whole = false;
                break;
            };
            prop_assert_eq!(piece.range.start, at);
            prop_assert!(piece.range.end > at);
            at = piece.range.end;
            if let Some(statement) = piece.statement {
                prop_assert!(piece.range.start <= statement.start);
                prop_assert!(statement.end <= piece.range.end);
                prop_assert!(!text[statement].is_empty());
            }
        }
        if whole {
            prop_assert_eq!(at, text.len());
        }
    }
}
