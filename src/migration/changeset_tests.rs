//! What the line-by-line reading of formatted SQL makes of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

const FILE: &str = "\
--liquibase formatted sql
-- the shop

--changeset dana:1 labels:first,second
--comment: the table of users
CREATE TABLE users (id INT);
--rollback DROP TABLE users;

-- what follows is new
-- changeset \"dana w\":names runOnChange:true runInTransaction:false endDelimiter:\\nGO
CREATE VIEW names AS SELECT 1;
GO
CREATE INDEX é ON users (id);
GO
/* liquibase rollback
DROP VIEW names;
*/
--changeset dana:3 ignore:true
DROP TABLE users;
--changeset dana:4 endDelimiter:// splitStatements:false
SELECT 1 //
SELECT 2//
--rollback not required
";

fn all() -> Vec<Changeset> {
    read(FILE, Path::new("1.sql")).unwrap()
}

fn refused(text: &str) -> String {
    let text = format!("--liquibase formatted sql\n{text}\n");
    read(&text, Path::new("1.sql")).unwrap_err().to_string()
}

#[test]
fn changesets_have_their_place_and_their_own_text() {
    let all = all();
    let seen: Vec<(&str, &str, usize, usize)> = all
        .iter()
        .map(|one| (one.author.as_str(), one.id.as_str(), one.position, one.line))
        .collect();
    assert_eq!(
        seen,
        [
            ("dana", "1", 1, 4),
            ("dana w", "names", 2, 10),
            ("dana", "4", 4, 20)
        ]
    );
    assert_eq!(all[0].labels, ["first", "second"]);
    assert_eq!(all[0].comment.as_deref(), Some("the table of users"));
    assert!(all[0].text.ends_with("users;\n\n-- what follows is new"));
    assert!(all[1].on_change && all[1].no_transaction && all[1].has_rollback);
    assert!(begins(&all[2].text) && !begins(FILE) && is_formatted(FILE));
    let shorter = FILE.split("\n--changeset dana:3").next().unwrap();
    let alone = read(shorter, Path::new("1.sql")).unwrap();
    assert_eq!(alone[1].text, all[1].text, "a file may grow");
}

#[test]
fn a_half_is_the_file_with_all_else_blank() {
    let all = all();
    let seen = |index: usize, wanted| {
        let text = half(FILE, &all[index].range, wanted);
        assert_eq!(text.len(), FILE.len());
        assert_eq!(text.lines().count(), FILE.lines().count());
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.join(" ")
    };
    assert_eq!(
        seen(0, Half::Up),
        "CREATE TABLE users (id INT); -- what follows is new"
    );
    assert_eq!(seen(0, Half::Down), "DROP TABLE users;");
    assert_eq!(
        seen(1, Half::Up),
        "CREATE VIEW names AS SELECT 1; ; CREATE INDEX é ON users (id); ;"
    );
    assert_eq!(seen(1, Half::Down), "DROP VIEW names;");
    assert_eq!(seen(2, Half::Up), "SELECT 1 ; SELECT 2;");
    assert_eq!(seen(2, Half::Down), "", "nothing is to be undone");
}

#[test]
fn what_decides_elsewhere_what_runs_is_refused() {
    for (text, part) in [
        ("--changeset dana", "AUTHOR:ID"),
        ("--changeset dana:1 context:test", "context:test"),
        ("--changeset dana:1 dbms:oracle", "dbms:oracle"),
        ("--changeset dana:1 runAlways:true", "runAlways:true"),
        ("--changeset dana:1 failOnError:false", "failOnError:false"),
        ("--changeset dana:1 runOrder:last", "runOrder:last"),
        ("--changeset dana:1 runOnChange:often", "runOnChange:often"),
        ("--changeset dana:1 endDelimiter:\\d+", "pattern"),
        ("--property name:value", "--property"),
        (
            "--changeset dana:1\n--preconditions onFail:HALT",
            "preconditions",
        ),
        (
            "--changeset dana:1\n--rollback changesetId:2",
            "another one",
        ),
        ("--changeset dana:1\n--changeset dana:1", "again"),
        (
            "SELECT 1;\n--changeset dana:1",
            "before the first statement",
        ),
    ] {
        let message = refused(text);
        assert!(message.contains(part), "{message}");
    }
    let allowed =
        "--changeset dana:1 runAlways:false failOnError:true logicalFilePath:x\nSELECT 1;";
    let text = format!("--liquibase formatted sql\n/* by\nus */\n{allowed}\n");
    assert_eq!(read(&text, Path::new("1.sql")).unwrap().len(), 1);
}
