//! Where in a statement an error is. The driver does not pass SQLite's own offset on, so the place
//! is found through SQLite's message and, where that leaves several, through its parser.

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, SqliteConnection};

use super::fault;
use crate::engine::{EngineError, Fault};

/// How many places of one word are tried; each costs a parse of the text before it.
const PLACES: usize = 32;

/// Statements above this size are not searched, in bytes.
const SEARCHED: usize = 1 << 20;

/// Adds the offset to an error of `sql`, where it can be told for certain.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    sql: &str,
    mut error: EngineError,
) -> EngineError {
    if error.fault == Fault::Statement && sql.len() <= SEARCHED {
        error.offset = offset(connection, sql, &error.message).await;
    }
    error
}

async fn offset(connection: &mut SqliteConnection, sql: &str, message: &str) -> Option<usize> {
    if message == "incomplete input" {
        return Some(sql.trim_end().len());
    }
    if let Some(token) = between(message, "near \"", "\": syntax error") {
        return syntax_error(connection, sql, token, message).await;
    }
    let places = places(sql, named(message)?);
    match places.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// Finds the token at which the parser gave up: the text that ends with it is the shortest that fails
/// in this way, since up to the token before it the statement could still have been completed.
async fn syntax_error(
    connection: &mut SqliteConnection,
    sql: &str,
    token: &str,
    message: &str,
) -> Option<usize> {
    let places = places(sql, token);
    if let [only] = places.as_slice() {
        return Some(*only);
    }
    for place in places.into_iter().take(PLACES) {
        let beginning = sql.get(..place + token.len())?.to_owned();
        let parsed = connection
            .prepare(AssertSqlSafe(beginning).into_sql_str())
            .await;
        let same = parsed
            .err()
            .is_some_and(|error| fault::from_driver(error).message == message);
        if same {
            return Some(place);
        }
    }
    None
}

/// The name that a message is about: `no such column: t.c` is about `c`.
fn named(message: &str) -> Option<&str> {
    if let Some((_, column)) = message.split_once(" has no column named ") {
        return Some(column);
    }
    if let Some(token) = between(message, "unrecognized token: \"", "\"") {
        return Some(token);
    }
    let (what, name) = message.split_once(": ")?;
    let about_a_name = what.starts_with("no such ")
        || matches!(what, "ambiguous column name" | "duplicate column name");
    let name = name.rsplit('.').next()?;
    (about_a_name && !name.is_empty()).then_some(name)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

/// Where `word` stands in `sql` as a word of its own, in any case.
fn places(sql: &str, word: &str) -> Vec<usize> {
    let (text, word) = (sql.as_bytes(), word.as_bytes());
    let in_word = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii())
    };
    let mut places = Vec::new();
    for (start, window) in text.windows(word.len().max(1)).enumerate() {
        if !window.eq_ignore_ascii_case(word) {
            continue;
        }
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        let cut_off = (in_word(before) && in_word(word.first()))
            || (in_word(text.get(start + word.len())) && in_word(word.last()));
        if !cut_off {
            places.push(start);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_and_in_any_case() {
        assert_eq!(places("select a, ab, A", "a"), [7, 14]);
        assert_eq!(places("select 1 ) )", ")"), [9, 11]);
        assert_eq!(places("x", "longer than the text"), Vec::<usize>::new());
    }

    #[test]
    fn the_name_in_question_is_read_from_the_message() {
        assert_eq!(named("no such column: t.emial"), Some("emial"));
        assert_eq!(named("no such table: main.users"), Some("users"));
        assert_eq!(named("table t has no column named x"), Some("x"));
        assert_eq!(named("UNIQUE constraint failed: t.x"), None);
    }
}
