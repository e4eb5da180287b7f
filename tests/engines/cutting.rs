//! Our statements against those that the plain clients send: the clients print each of them before it is
//! executed, and go on where the server finds it wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::{Command, Stdio};

use mledger::migration::split::{LexRules, MYSQL, POSTGRES, Pieces, copy_data};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection};

use crate::corpora::{fixtures, pairs};
use crate::support::engines::{self, Database};

/// Comments and white space are left out of what is compared; these are the comments.
const COMMENTS: &[&str] = &["-- c;'\n", "/* c;\" */ ", "# c;`\n", "/* c /* ;' */ ; */ "];

/// `psql` takes notice of a setting with the next line.
const POSTGRES_FRAGMENTS: &[&str] = &[
    ";",
    "\n",
    COMMENTS[0],
    COMMENTS[1],
    COMMENTS[3],
    "SELECT 1",
    " , 2 ",
    "';'",
    "'it''s;'",
    " E'\\';'",
    " U&'d;'",
    " N'a'",
    "\";\"\"\"",
    " $$;'$$",
    " $a$;$$;$a$",
    " a$b$c ",
    " $1 ",
    "(;)",
    "((1;),2;)",
    "CASE WHEN 1 THEN 2 END ",
    "\n;CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE 1 WHEN 2 THEN 3 END; END ",
    "\n;CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT 1;END;",
    "\n;COPY t FROM STDIN;\nit's;\t$$\n\\\\.\n -- (\n\\.\n",
    "\n;copy t (a, b) from stdin with (format csv);\n'(,/*\n\\.\n",
    "\n;SET standard_conforming_strings = off;\n'\\';'",
    "\n;SET standard_conforming_strings TO on;\n'\\'",
    "\n;\\restrict a'\n",
    "\n;\\unrestrict a'\n",
    "é",
    "\r\n",
];

const MYSQL_FRAGMENTS: &[&str] = &[
    ";",
    "\n",
    COMMENTS[0],
    COMMENTS[1],
    COMMENTS[2],
    "SELECT 1",
    " , 2 ",
    " 3--4 ",
    "';'",
    "'it''s;'",
    "'\\';'",
    "\"\\\";\"",
    "`;\\`",
    " // ",
    " $$ ",
    " | ",
    "/*!50003 SELECT 5 */ ",
    "/*M!100000 , ';' */ ",
    " CREATE PROCEDURE p() BEGIN SELECT 6",
    " END",
    "é",
    "\r\n",
];

fn cut(text: &str, rules: &'static LexRules) -> Option<Vec<String>> {
    let pieces: Result<Vec<_>, _> = Pieces::new(text, 0..text.len(), rules).collect();
    let statements = pieces.ok()?.into_iter().filter_map(|piece| piece.statement);
    let statements = statements.map(|range| match copy_data(&text[range.clone()]) {
        Some((command, _)) if *rules == POSTGRES => command,
        _ => &text[range],
    });
    Some(compared(statements))
}

/// What of the statements is compared: all but what the clients treat as they like.
fn compared<'a>(statements: impl Iterator<Item = &'a str>) -> Vec<String> {
    statements
        .map(|text| {
            let mut text = text.replace("\r\n", "\n");
            for comment in COMMENTS {
                text = text.replace(comment, "");
                text = text.replace(comment.trim_end(), "");
            }
            text.retain(|one| !one.is_whitespace());
            text.trim_end_matches(';').to_owned()
        })
        .filter(|text| !text.is_empty())
        .collect()
}

fn printed(command: &mut Command) -> String {
    let output = command.stderr(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn script(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, text).unwrap();
    file
}

fn sent_by_psql(text: &str, database: &dyn Database) -> Vec<String> {
    const BEFORE: &str = "***(Single step mode: verify command)*";
    const AFTER: &str = "***(press return to proceed or enter x and return to cancel)*";
    let file = script(text);
    let output = printed(
        Command::new("psql")
            .args(["-X", "-s", "-q", "-o", "/dev/null", "-f"])
            .arg(file.path())
            .arg(database.url())
            .stdin(Stdio::null()),
    );
    let statements = output.split(BEFORE).skip(1).map(|part| {
        let part = part.split_once('\n').unwrap().1;
        part.split_once(AFTER).unwrap().0
    });
    compared(statements)
}

fn sent_by_mariadb(text: &str, database: &dyn Database) -> Vec<String> {
    const RULE: &str = "--------------\n";
    let file = script(text);
    let output = printed(
        Command::new("mariadb")
            .args(["--no-defaults", "--force", "-vvv"])
            .args(mariadb_place(database))
            .stdin(fs::File::open(file.path()).unwrap()),
    );
    let statements = output.split(RULE).skip(1).step_by(2);
    compared(statements)
}

fn mariadb_place(database: &dyn Database) -> [String; 5] {
    let url = database.url();
    let place = url.rsplit_once('@').unwrap().1;
    let (server, name) = place.split_once('/').unwrap();
    let (host, port) = server.split_once(':').unwrap();
    [
        "--user=root".to_owned(),
        "--default-character-set=utf8mb4".to_owned(),
        format!("--host={host}"),
        format!("--port={port}"),
        name.to_owned(),
    ]
}

fn scripts(fragments: &'static [&'static str]) -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(fragments);
    prop::collection::vec(fragment, 0..16).prop_map(|fragments| fragments.concat())
}

/// Scripts under delimiters of their own choice.
fn delimited() -> impl Strategy<Value = String> {
    let delimiter = prop::sample::select(&["", "", "//", "$$", ";;", "|"][..]);
    let section = (delimiter, scripts(MYSQL_FRAGMENTS)).prop_map(|(delimiter, script)| {
        if delimiter.is_empty() {
            // the client needs another delimiter around a body, and we do not
            format!("{};\n", script.replace(" CREATE PROCEDURE", ""))
        } else {
            format!("DELIMITER {delimiter}\n{script} {delimiter}\ndelimiter ;\n")
        }
    });
    prop::collection::vec(section, 1..4).prop_map(|sections| sections.concat())
}

fn cases(usual: u32) -> TestRunner {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(usual);
    TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    })
}

/// F51
#[test]
fn psql_sends_the_statements_that_we_cut() {
    let database = engines::POSTGRES.fresh();
    database.run("CREATE TABLE t (a text, b text);").unwrap();
    let mut texts: Vec<String> = Vec::new();
    for (_, up, down) in pairs(&fixtures(&engines::POSTGRES)) {
        texts.extend([up, down.unwrap_or_default()]);
    }
    for text in texts {
        let text = text.trim_start_matches('\u{feff}');
        let (cut, sent) = (
            cut(text, &POSTGRES).unwrap(),
            sent_by_psql(text, &*database),
        );
        assert_eq!(cut.len(), sent.len(), "{cut:#?}\n{sent:#?}");
        // comments around a statement are sent with it
        let differs = cut
            .iter()
            .zip(&sent)
            .find(|(cut, sent)| !sent.contains(*cut));
        assert_eq!(differs, None);
    }
    cases(48)
        .run(&scripts(POSTGRES_FRAGMENTS), |text| {
            if let Some(statements) = cut(&text, &POSTGRES) {
                prop_assert_eq!(statements, sent_by_psql(&text, &*database));
            }
            Ok(())
        })
        .unwrap();
}

/// F51
#[test]
fn mariadb_sends_the_statements_that_we_cut() {
    let database = engines::MYSQL.fresh();
    cases(48)
        .run(&delimited(), |text| {
            if let Some(statements) = cut(&text, &MYSQL) {
                prop_assert_eq!(statements, sent_by_mariadb(&text, &*database));
            }
            Ok(())
        })
        .unwrap();
}

const PROGRAMS: &str = "
CREATE TABLE a (id INT PRIMARY KEY, b TEXT) ENGINE=InnoDB;
INSERT INTO a VALUES (1, 'it\\'s; -- \"'), (2, 'DELIMITER //'), (3, '*/ /*!'), (4, 'é\\\\');
CREATE VIEW v AS SELECT id, CASE WHEN id > 1 THEN 'x;' END AS `end` FROM a;
DELIMITER //
CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW
BEGIN IF NEW.b IS NULL THEN SET NEW.b = 'x;'; END IF; END//
CREATE PROCEDURE p(IN n INT) COMMENT 'a; b'
l: BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END;
  REPEAT SET n = n - 1; UNTIL n < IF(1, 2, 3) END REPEAT;
  CASE n WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE;
END//
CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN CASE WHEN 1 THEN 2 END//
CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO BEGIN DELETE FROM a; DELETE FROM a; END//
DELIMITER ;
";

/// F57: a dump, executed statement by statement as it is cut, makes the database that was dumped.
#[tokio::test]
async fn a_dump_is_read_as_mariadb_reads_it() {
    let original = engines::MYSQL.fresh();
    original.run(PROGRAMS).unwrap();
    for options in [
        &["--routines", "--triggers", "--events"][..],
        &[
            "--routines",
            "--triggers",
            "--events",
            "--no-autocommit",
            "--skip-extended-insert",
        ],
        &[
            "--routines",
            "--triggers",
            "--events",
            "--skip-opt",
            "--compact",
        ],
    ] {
        let mut command = Command::new("mariadb-dump");
        command.arg("--no-defaults").args(options);
        let dump = printed(command.args(mariadb_place(&*original)));
        assert!(
            dump.contains("CREATE TABLE") && dump.contains("PROCEDURE"),
            "{dump}"
        );
        let copy = engines::MYSQL.fresh();
        let mut connection = MySqlConnection::connect(&copy.url()).await.unwrap();
        for statement in cut_whole(&dump, &MYSQL) {
            let executed = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection);
            executed
                .await
                .unwrap_or_else(|error| unreachable!("{error}: {statement}"));
        }
        assert_eq!(copy.content(), original.content());
    }
}

/// F51, F52, F53
#[tokio::test]
async fn a_dump_is_read_as_psql_reads_it() {
    let original = engines::POSTGRES.fresh();
    original
        .run(
            "CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY, b text);
             INSERT INTO a (b) VALUES ('it''s; -- \"$$'), (E'\\\\.'), (E'a\\nb\\t\\\\'), (NULL), ('\\.');
             CREATE TABLE b (id int);
             CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE a WHEN 1 THEN 2 END; END;
             CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $x$ BEGIN PERFORM $$;$$; END $x$;
             CREATE RULE r AS ON DELETE TO b DO (SELECT 1; SELECT 2);
             COMMENT ON TABLE a IS 'it''s; \\';",
        )
        .unwrap();
    let dump = printed(Command::new("pg_dump").arg(original.url()));
    assert!(
        dump.contains("FROM stdin;") && dump.contains("BEGIN ATOMIC"),
        "{dump}"
    );
    let copy = engines::POSTGRES.fresh();
    let mut connection = PgConnection::connect(&copy.url()).await.unwrap();
    for statement in cut_whole(&dump, &POSTGRES) {
        if let Some((command, data)) = copy_data(&statement) {
            let mut sink = connection.copy_in_raw(command).await.unwrap();
            sink.send(data.as_bytes()).await.unwrap();
            sink.finish().await.unwrap();
            continue;
        }
        let executed = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection);
        executed
            .await
            .unwrap_or_else(|error| unreachable!("{error}: {statement}"));
    }
    assert_eq!(copy.content(), original.content());
}

fn cut_whole(text: &str, rules: &'static LexRules) -> Vec<String> {
    Pieces::new(text, 0..text.len(), rules)
        .map(|piece| piece.unwrap())
        .filter_map(|piece| piece.statement)
        .map(|range| text[range].to_owned())
        .collect()
}
