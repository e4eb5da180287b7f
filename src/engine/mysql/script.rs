//! What scripts run: their statements, and what the server says of them.

use sqlx::{AssertSqlSafe, MySqlConnection, raw_sql};

use super::talk::Values;
use super::{fault, talk};
use crate::engine::{EngineError, Executed, Fault};

/// How many warnings of one statement are repeated.
const WARNINGS_SHOWN: usize = 3;

/// Executes one statement; all its results are read, and an error in any of them is its error.
pub(super) async fn execute(
    connection: &mut MySqlConnection,
    sql: &str,
) -> Result<(), EngineError> {
    raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(|error| located(sql, of_script(fault::from_driver(error))))
}

/// Returns what is executed before and after the query of a check, so that what functions which it calls
/// have written is undone: in the transaction that is open, or in one that only reads.
pub(super) fn around_check(begun: bool) -> (&'static str, &'static str) {
    if begun {
        (
            "SAVEPOINT `mledger check`",
            "ROLLBACK TO SAVEPOINT `mledger check`",
        )
    } else {
        ("START TRANSACTION READ ONLY", "ROLLBACK")
    }
}

/// Runs a query and says whether it gives one row whose first column is true.
pub(super) async fn holds(
    connection: &mut MySqlConnection,
    sql: &str,
) -> Result<bool, EngineError> {
    let answer = raw_sql(AssertSqlSafe(sql.to_owned()))
        .fetch_all(connection)
        .await
        .map_err(|error| located(sql, of_script(fault::from_driver(error))));
    let mut rows = answer?.into_iter().map(Values);
    match (rows.next(), rows.next()) {
        (Some(row), None) => row.is_true(0),
        _ => Ok(false),
    }
}

/// Refuses what the server would answer by closing the connection.
pub(super) fn fits(sql: &str, longest_message: usize) -> Result<(), EngineError> {
    // the server counts one byte for the kind of the message
    if sql.len() < longest_message {
        return Ok(());
    }
    Err(EngineError::new(
        Fault::Statement,
        format!(
            "the statement has {} bytes, and the server takes messages of at most {longest_message} \
             (`max_allowed_packet`); raise the server's setting, or split the statement",
            sql.len()
        ),
    ))
}

/// Returns what the server warns of after a statement; notes are not counted.
pub(super) async fn warnings(connection: &mut MySqlConnection) -> Result<Executed, EngineError> {
    let counted = talk::row(connection, "SHOW COUNT(*) WARNINGS".to_owned()).await?;
    let counted = counted.map(|row| row.number(0)).transpose()?.flatten();
    let Some(counted) = counted.and_then(|count| u64::try_from(count).ok()) else {
        return Ok(Executed::default());
    };
    if counted == 0 {
        return Ok(Executed::default());
    }
    let mut notes = 0;
    let mut messages = Vec::new();
    for row in talk::rows(connection, "SHOW WARNINGS".to_owned()).await? {
        let level = row.text(0)?;
        if level == "Note" {
            notes += 1;
        } else {
            messages.push(format!("{level} {}: {}", row.text(1)?, row.text(2)?));
        }
    }
    // the server keeps no more than some of them and counts all
    let warnings = if messages.is_empty() {
        0
    } else {
        counted.saturating_sub(notes)
    };
    messages.truncate(WARNINGS_SHOWN);
    Ok(Executed { warnings, messages })
}

/// Says whether a statement that failed outside of a transaction has left nothing for certain: one
/// change of the schema is done whole or not at all, and what could not be read was not begun.
pub(super) fn left_nothing(sql: &str, error: &EngineError) -> bool {
    let words: Vec<String> = sql
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .take(2)
        .map(str::to_ascii_uppercase)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // a routine may have done much before, and an error of reading may be one of a text in it
        ["CALL" | "EXECUTE" | "LOAD", ..] => false,
        _ if fault::number(error) == fault::UNREADABLE => true,
        ["DROP", ..] => !sql.contains(','),
        [
            "ALTER" | "TRUNCATE" | "SET" | "USE" | "PREPARE" | "START" | "BEGIN",
            ..,
        ] => true,
        // `CREATE TABLE … SELECT` in an engine without transactions keeps its rows only with its table
        ["CREATE", ..] => true,
        _ => false,
    }
}

/// A statement of a script says nothing of the connection, whatever its error may mean elsewhere.
fn of_script(mut error: EngineError) -> EngineError {
    if matches!(
        error.fault,
        Fault::Unreachable | Fault::Denied | Fault::NoDatabase | Fault::Conflict
    ) {
        error.fault = Fault::Statement;
    }
    error
}

/// Takes "at line N" from a message, which counts within the statement, and turns it into the place
/// where the text begins that the server quotes; or else into the beginning of that line.
fn located(sql: &str, mut error: EngineError) -> EngineError {
    let found = error.message.rsplit_once(" at line ");
    let Some((before, line)) = found.filter(|(_, line)| line.parse::<usize>().is_ok()) else {
        return error;
    };
    let line: usize = line.parse().unwrap_or(1);
    let start = start_of_line(sql, line);
    let quoted = before
        .rsplit_once("near '")
        .and_then(|(_, rest)| rest.strip_suffix('\''));
    let offset = match quoted {
        Some("") => sql.trim_end().len(),
        Some(quoted) => sql
            .get(start..)
            .and_then(|rest| rest.find(quoted))
            .map_or(start, |at| start + at),
        None => start,
    };
    error.message = before.to_owned();
    error.offset = Some(offset);
    error
}

fn start_of_line(sql: &str, line: usize) -> usize {
    let mut starts = sql.match_indices('\n').map(|(at, _)| at + 1);
    match line.checked_sub(2) {
        Some(nth) => starts.nth(nth).unwrap_or(0),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(sql: &str, message: &str) -> (Option<usize>, String) {
        let error = located(sql, EngineError::new(Fault::Statement, message));
        (error.offset, error.message)
    }

    #[test]
    fn the_line_in_a_message_becomes_a_place_in_the_statement() {
        let sql = "CREATE TABLE a (\n  b INT,\n  c INTT\n)";
        assert_eq!(
            place(sql, "error near 'INTT\n)' at line 3"),
            (Some(30), "error near 'INTT\n)'".to_owned())
        );
        // the server shortens what it quotes; what is not found is taken for the line
        assert_eq!(place(sql, "error near 'XX' at line 2").0, Some(17));
        assert_eq!(place(sql, "error near '' at line 4").0, Some(sql.len()));
        assert_eq!(place(sql, "error at line 1").0, Some(0));
        assert_eq!(place(sql, "error at line 99").0, Some(0));
        let kept = "Duplicate entry 'at line x' for key";
        assert_eq!(place(sql, kept), (None, kept.to_owned()));
    }

    #[test]
    fn a_message_that_the_server_would_not_take_is_refused_before() {
        assert!(fits("SELECT 1", 9).is_ok());
        let refused = fits("SELECT 1", 8);
        assert!(refused.is_err_and(|error| error.message.contains("max_allowed_packet")));
    }
}
