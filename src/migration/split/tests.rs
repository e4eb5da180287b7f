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
    let fixed = prop::sample::select(vec![
        ";",
        "--c;\n",
        "--c;",
        "# ;\n",
        "/*;*/",
        "/*",
        "*/",
        "/*!50003 ",
        "/*!999999\\- ' */",
        "/*M!100100",
        "';'",
        "'it''s;'",
        "'\\';'",
        "E'\\';'",
        "U&'\\'",
        "\";\"",
        "[;]",
        "`;`",
        "$$",
        "$a$;$a$",
        "a$b$c",
        "$1",
        "(",
        ")",
        "@a := 1",
        "@@a",
        " SELECT 1 ",
        " CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW BEGIN SELECT 1; END;",
        " CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;",
        " CREATE PROCEDURE p() BEGIN ",
        " IF a THEN ",
        " END IF;",
        " REPEAT ",
        " UNTIL a END REPEAT;",
        " x: LOOP ",
        " ELSE ",
        " CASE WHEN 1 THEN 2 END ",
        "BEGIN",
        " END ",
        "\nDELIMITER //\n",
        "\nDELIMITER ;\n",
        "//",
        "COPY t FROM STDIN;\n1;'\n\\.\n",
        "COPY t FROM stdin",
        "\n\\.\n",
        "\\restrict x'\n",
        "SET standard_conforming_strings = off;",
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES';",
        "LOCK TABLES t WRITE;",
        "UNLOCK TABLES;",
        "SET autocommit=0;",
        "SET autocommit=1;",
        "COMMIT;",
        "é😀",
        "\r\n",
    ]);
    prop_oneof![fixed.prop_map(str::to_owned), "[ -~\\n]{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_pieces_are_the_text(fragments in prop::collection::vec(fragment(), 0..24)) {
        let text = fragments.concat();
        for rules in [&SQLITE, &POSTGRES, &MYSQL] {
            let mut at = 0;
            let mut whole = true;
            for piece in Pieces::new(&text, 0..text.len(), rules) {
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

    /// What is executed by itself means by itself what it meant in the script.
    #[test]
    fn a_statement_alone_is_one_statement(fragments in prop::collection::vec(fragment(), 0..24)) {
        let text = fragments.concat();
        for rules in [&SQLITE, &POSTGRES, &MYSQL] {
            let pieces: Result<Vec<_>, _> = Pieces::new(&text, 0..text.len(), rules).collect();
            for piece in pieces.unwrap_or_default() {
                let Some(statement) = piece.statement.filter(|_| piece.unset) else {
                    continue;
                };
                let alone = &text[statement];
                let again: Vec<_> = Pieces::new(alone, 0..alone.len(), rules).collect();
                prop_assert_eq!(again.len(), 1, "{}", alone);
                let again = again[0].as_ref().unwrap();
                prop_assert_eq!(again.statement.clone(), Some(0..alone.len()));
                prop_assert_eq!(again.class, piece.class);
            }
        }
    }

    #[test]
    fn a_block_cut_again_is_its_statements(fragments in prop::collection::vec(fragment(), 0..24)) {
        let text = fragments.concat();
        // which begins a comment only at the end of a text
        prop_assume!(!text.contains("--#") && !text.contains("--/*"));
        let pieces: Vec<_> = Pieces::new(&text, 0..text.len(), &MYSQL).collect();
        let units: Result<Vec<_>, _> = Units::new(&text, 0..text.len(), &MYSQL).collect();
        let Ok(units) = units else {
            return Ok(());
        };
        let again: Vec<_> = units
            .into_iter()
            .flat_map(|(range, _)| {
                let part = &text[range.clone()];
                let pieces = Pieces::new(part, 0..part.len(), &MYSQL);
                let statements: Vec<_> = pieces
                    .filter_map(|piece| piece.ok().and_then(|piece| piece.statement))
                    .map(|statement| statement.start + range.start..statement.end + range.start)
                    .collect();
                statements
            })
            .collect();
        // a statement under another delimiter is never cut again
        if pieces.iter().flatten().all(|piece| piece.unset) {
            let statements = pieces.into_iter().flatten().filter_map(|piece| piece.statement);
            prop_assert_eq!(again, statements.collect::<Vec<_>>());
        }
    }
}
