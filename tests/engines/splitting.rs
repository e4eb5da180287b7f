//! Our statements against SQLite's own: as many of them, and the same effects one by one as all at
//! once.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mledger::migration::split::{Pieces, SQLITE};
use proptest::prelude::*;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

/// The texts of the statements; their pieces are the whole text.
fn cut(text: &str) -> Vec<String> {
    let pieces: Vec<_> = Pieces::new(text, 0..text.len(), &SQLITE)
        .collect::<Result<_, _>>()
        .unwrap();
    let mut at = 0;
    for piece in &pieces {
        assert_eq!(piece.range.start, at, "every byte is in a piece: {text}");
        at = piece.range.end;
    }
    assert_eq!(at, text.len(), "every byte is in a piece: {text}");
    pieces
        .into_iter()
        .filter_map(|piece| piece.statement)
        .map(|range| text[range].to_owned())
        .collect()
}

/// Executes a text, whatever number of statements SQLite finds in it.
async fn execute(connection: &mut SqliteConnection, text: &str) {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| unreachable!("{error}: {text}"));
}

/// How many statements SQLite's own shell executes; its profile has a line for each.
fn counted_by_the_shell(text: &str) -> usize {
    let mut shell = Command::new("sqlite3")
        .args(["-batch", "-bail", ":memory:"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = format!("PRAGMA foreign_keys = OFF;\n.trace stdout --profile\n{text}\n");
    let mut stdin = shell.stdin.take().unwrap();
    // the shell answers while it reads
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = shell.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{text}");
    let profile = String::from_utf8_lossy(&output.stdout);
    let mut statements = 0;
    let mut rest = &*profile;
    while let Some(at) = rest.find("; -- ") {
        let (statement, after) = (&rest[..at], &rest[at + 5..]);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && after[digits..].starts_with(" ns\n") {
            // a full-text index executes statements of its own, on tables that it names in this way
            statements += usize::from(!statement.contains("'main'"));
            rest = &after[digits..];
        } else {
            rest = after;
        }
    }
    statements
}

/// Every definition and every row.
async fn content(connection: &mut SqliteConnection) -> Vec<String> {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, (SELECT group_concat(printf('quote(\"%w\")', c.name), ' || '','' || ') \
         FROM pragma_table_info(t.name) c) FROM pragma_table_list t \
         WHERE schema <> 'temp' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite%' ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut content: Vec<String> =
        sqlx::query_scalar("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY type, name")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    for (table, columns) in tables {
        let sql = format!(
            "SELECT {columns} AS row FROM \"{}\" ORDER BY row",
            table.replace('"', "\"\"")
        );
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        content.push(table);
        content.extend(rows);
    }
    content
}

/// Executes a text at once and piece by piece, each on its own database, and compares.
struct Twins {
    whole: SqliteConnection,
    pieces: SqliteConnection,
    /// All texts so far, and how many statements we found in them.
    script: String,
    statements: usize,
}

impl Twins {
    async fn new() -> Self {
        let mut twins = Self {
            whole: SqliteConnection::connect("sqlite::memory:").await.unwrap(),
            pieces: SqliteConnection::connect("sqlite::memory:").await.unwrap(),
            script: String::new(),
            statements: 0,
        };
        for connection in [&mut twins.whole, &mut twins.pieces] {
            execute(connection, "PRAGMA foreign_keys = OFF").await;
        }
        twins
    }

    async fn execute(&mut self, text: &str) -> usize {
        let statements = cut(text);
        execute(&mut self.whole, text).await;
        for statement in &statements {
            execute(&mut self.pieces, statement).await;
        }
        assert_eq!(
            content(&mut self.pieces).await,
            content(&mut self.whole).await,
            "{statements:#?} of {text}"
        );
        self.script += text;
        // one that is not closed would go on in the next script
        self.script += "\n;\n";
        self.statements += statements.len();
        assert_eq!(
            counted_by_the_shell(&self.script),
            self.statements,
            "{statements:#?} of {text}"
        );
        statements.len()
    }
}

/// The scripts of a folder in order: those for the way up, then those for the way down, newest first.
fn scripts(folder: &Path) -> Vec<String> {
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    names.sort_unstable();
    let (down, up): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|path| path.to_str().unwrap().ends_with(".down.sql"));
    up.into_iter()
        .chain(down.into_iter().rev())
        .map(|path| fs::read_to_string(path).unwrap())
        .map(|text| text.trim_start_matches('\u{feff}').to_owned())
        .collect()
}

#[tokio::test]
async fn the_fixtures_are_cut_as_sqlite_cuts_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/fixtures/sqlite");
    let mut twins = Twins::new().await;
    let mut statements = 0;
    for script in scripts(&folder) {
        statements += twins.execute(&script).await;
    }
    assert!(statements > 50, "{statements}");
}

/// The markers of sections are comments for SQLite, so a whole file is a script too.
#[tokio::test]
async fn the_example_is_cut_as_sqlite_cuts_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop/migrations");
    let mut twins = Twins::new().await;
    let mut statements = 0;
    for script in scripts(&folder) {
        let end = script.find("\n-- DOWN").unwrap_or(script.len());
        let end = script[..end].find("\n-- VERIFY").unwrap_or(end);
        statements += twins.execute(&script[..end]).await;
    }
    assert!(statements > 20, "{statements}");
}

/// A text in which everything looks like the end of something.
fn noise() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(";"),
        Just("BEGIN"),
        Just("END;"),
        Just("CASE"),
        Just("--"),
        Just("/*"),
        Just("*/"),
        Just("\n"),
        Just("\r\n"),
        Just("COMMIT;"),
        Just("''"),
        Just("\""),
        Just("]"),
        Just("`"),
        Just("é"),
        Just("🎉"),
        Just(" "),
        Just("x"),
        Just("$$"),
        Just("\\"),
        Just("CREATE TRIGGER"),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(" ".to_owned()),
        1 => Just("\n\t".to_owned()),
        1 => noise().prop_map(|text| format!(" --{}\n", text.replace(['\n', '\r'], " "))),
        1 => noise().prop_map(|text| format!(" /*{}*/ ", text.replace("*/", "* /"))),
    ]
}

fn literal() -> impl Strategy<Value = String> {
    noise().prop_map(|text| {
        let inner = text.replace("''", "").replace('\'', "");
        format!("'{inner}'")
    })
}

fn identifier(number: usize) -> impl Strategy<Value = String> {
    (noise(), 0..4_u8).prop_map(move |(text, quote)| {
        let text = text.replace(['"', ']', '`', '\n', '\r', '\''], "");
        match quote {
            0 => format!("\"{text}{number}\""),
            1 => format!("[{text}{number}]"),
            2 => format!("`{text}{number}`"),
            _ => format!("t{number}"),
        }
    })
}

/// Statements about one table of their own.
fn statements(number: usize) -> impl Strategy<Value = Vec<String>> {
    let texts = prop::collection::vec(literal(), 4);
    let spaces = prop::collection::vec(space(), 6);
    (identifier(number), texts, spaces, 0..6_u8).prop_map(move |(table, texts, s, which)| {
        let [a, b, c, d] = &texts[..] else {
            unreachable!("four texts")
        };
        let mut all = vec![format!(
            "CREATE{}TABLE{}{table} (\"end\" TEXT DEFAULT{}{a}, \"begin\" TEXT)",
            s[0], s[1], s[2]
        )];
        all.push(match which {
            0 => format!("INSERT INTO {table}{}VALUES ({b},{}{c})", s[3], s[4]),
            1 => format!(
                "CREATE{}TRIGGER trigger{number} AFTER INSERT ON {table}{}BEGIN{}UPDATE {table} SET \
                 \"end\" = CASE{}\"begin\" WHEN {b} THEN {c} ELSE{}CASE WHEN 1 THEN {d} END END;{}END",
                s[0], s[1], s[2], s[3], s[4], s[5]
            ),
            2 => format!(
                "CREATE TEMP{}TRIGGER trigger{number}{}BEFORE DELETE ON {table} WHEN {b} = {c}{}BEGIN \
                 DELETE FROM {table} WHERE 0;{}SELECT 1;{}END",
                s[0], s[1], s[2], s[3], s[4]
            ),
            3 => format!(
                "CREATE VIEW{}view{number} AS{}SELECT CASE WHEN {b} THEN {c} END AS \"commit\"{}FROM \
                 {table}",
                s[0], s[1], s[2]
            ),
            4 => format!("EXPLAIN{}QUERY PLAN{}SELECT {b} FROM{}{table}", s[0], s[1], s[2]),
            _ => format!("WITH begin{}AS (SELECT {b}) INSERT INTO{}{table} SELECT {c}, * FROM begin", s[0], s[1]),
        });
        all.push(format!("INSERT INTO {table} (\"begin\"){}VALUES ({d})", s[5]));
        all
    })
}

fn script() -> impl Strategy<Value = String> {
    let groups = (1..4_usize).prop_flat_map(|count| (0..count).map(statements).collect::<Vec<_>>());
    let between = prop::collection::vec(
        (
            space(),
            prop_oneof![3 => Just(";"), 1 => Just(";;\n;")],
            space(),
        ),
        12,
    );
    (groups, between, any::<bool>()).prop_map(|(groups, between, closed)| {
        let all: Vec<String> = groups.into_iter().flatten().collect();
        let last = all.len() - 1;
        let mut text = String::new();
        for (index, (statement, (before, end, after))) in
            all.iter().zip(between.iter().cycle()).enumerate()
        {
            text += before;
            text += statement;
            if index < last || closed {
                text += end;
                text += after;
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_scripts_are_cut_as_sqlite_cuts_them(script in script()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            Twins::new().await.execute(&script).await;
        });
    }
}
