//! What scripts run: their statements, and the traces they may leave in a session.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Error, Row, SqliteConnection, TypeInfo, ValueRef};

use super::{fault, locate};
use crate::engine::{EngineError, Fault};

/// Words without which a statement cannot change the session: settings, attached databases and
/// temporary objects all need one of them.
const SESSION_WORDS: [&str; 5] = ["pragma", "attach", "detach", "temp", "temporary"];

/// Executes one statement. Not a word more is exchanged with the connection's thread, since a script
/// may have millions of them.
pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: &str,
) -> Result<(), EngineError> {
    refuse_nul(sql)?;
    let executed = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut *connection)
        .await;
    match executed {
        Ok(_) => Ok(()),
        Err(error) => Err(locate::find(connection, sql, fault::from_driver(error)).await),
    }
}

/// Says whether the connection refuses every statement that writes.
pub(super) async fn is_query_only(connection: &mut SqliteConnection) -> Result<bool, EngineError> {
    sqlx::query_scalar("PRAGMA query_only")
        .fetch_one(connection)
        .await
        .map_err(fault::from_driver)
}

/// Makes the connection refuse every statement that writes, or take them again.
pub(super) async fn set_query_only(
    connection: &mut SqliteConnection,
    on: bool,
) -> Result<(), EngineError> {
    sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA query_only = {on}")))
        .execute(connection)
        .await
        .map(drop)
        .map_err(fault::from_driver)
}

/// Runs a query and says whether it gives one row whose first column is true for SQLite.
pub(super) async fn holds(
    connection: &mut SqliteConnection,
    sql: &str,
) -> Result<bool, EngineError> {
    refuse_nul(sql)?;
    let answer = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .fetch_all(&mut *connection)
        .await;
    let rows = match answer {
        Ok(rows) => rows,
        Err(error) => return Err(locate::find(connection, sql, fault::from_driver(error)).await),
    };
    let [row] = rows.as_slice() else {
        return Ok(false);
    };
    let truth = match first_value(row).map_err(fault::from_driver)? {
        First::Number(truth) => return Ok(truth),
        // what SQLite takes for a number at the start of a text decides
        First::Text(text) => sqlx::query_scalar("SELECT ?1 IS TRUE").bind(text),
        First::Bytes(bytes) => sqlx::query_scalar("SELECT ?1 IS TRUE").bind(bytes),
    };
    truth
        .fetch_one(connection)
        .await
        .map_err(fault::from_driver)
}

enum First {
    /// NULL or a number, and whether it is true.
    Number(bool),
    Text(String),
    Bytes(Vec<u8>),
}

fn first_value(row: &SqliteRow) -> Result<First, Error> {
    let kind = {
        let value = row.try_get_raw(0)?;
        if value.is_null() {
            return Ok(First::Number(false));
        }
        value.type_info().name().to_owned()
    };
    Ok(match kind.as_str() {
        "INTEGER" => First::Number(row.try_get_unchecked::<i64, _>(0)? != 0),
        "REAL" => First::Number(row.try_get_unchecked::<f64, _>(0)? != 0.0),
        "BLOB" => First::Bytes(row.try_get_unchecked(0)?),
        _ => First::Text(row.try_get_unchecked(0)?),
    })
}

/// Says whether a statement may change the session itself; wrong only to the safe side.
pub(super) fn may_change_session(sql: &str) -> bool {
    let is_word_byte = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    sql.as_bytes()
        .split(|byte| !is_word_byte(byte))
        .any(|word| {
            SESSION_WORDS
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        })
}

/// SQLite reads a statement up to a NUL and would leave out the rest in silence.
fn refuse_nul(sql: &str) -> Result<(), EngineError> {
    match sql.find('\0') {
        Some(offset) => Err(EngineError {
            fault: Fault::Statement,
            code: None,
            message: "the statement holds a NUL character, where SQLite would stop reading"
                .to_owned(),
            offset: Some(offset),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_may_change_the_session_are_recognised() {
        for sql in [
            "PRAGMA foreign_keys=ON",
            "/* x */ pragma/**/journal_mode",
            "CREATE TEMP TABLE t(x)",
            "create temporary view v as select 1",
            "INSERT INTO \"temp\".t VALUES (1)",
            "ATTACH 'x.db' AS x",
        ] {
            assert!(may_change_session(sql), "{sql}");
        }
        for sql in [
            "CREATE TABLE templates (temperature REAL)",
            "INSERT INTO attempts VALUES (1)",
            "UPDATE t SET x = 'attached'",
        ] {
            assert!(!may_change_session(sql), "{sql}");
        }
    }
}
