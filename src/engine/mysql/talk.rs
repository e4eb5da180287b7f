//! Sending statements of our own as text and reading what comes back as bytes, so that neither the
//! session's character set nor the server's choice of types matters, and nothing stays prepared.

use futures_util::TryStreamExt;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Column, Either, MySqlConnection, Row, TypeInfo, raw_sql};

use super::fault;
use crate::engine::{EngineError, Fault};

/// What a query ends in whose rows may be many: a script may have limited those of every query that
/// has no limit of its own.
pub(super) const ALL: &str = "LIMIT 18446744073709551615";

/// Executes statements parted by semicolons, of which the first that fails is the last executed;
/// returns how many rows they changed or found.
pub(super) async fn execute(
    connection: &mut MySqlConnection,
    sql: String,
) -> Result<u64, EngineError> {
    raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(fault::from_driver)
}

/// Returns all rows of all results of statements parted by semicolons.
pub(super) async fn rows(
    connection: &mut MySqlConnection,
    sql: String,
) -> Result<Vec<Values>, EngineError> {
    let rows = raw_sql(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .map_err(fault::from_driver)?;
    Ok(rows.into_iter().map(Values).collect())
}

/// Returns how many rows the statements changed or found, and all rows of all results.
pub(super) async fn changes_and_rows(
    connection: &mut MySqlConnection,
    sql: String,
) -> Result<(u64, Vec<Values>), EngineError> {
    let mut changed = 0;
    let mut rows = Vec::new();
    let mut answers = raw_sql(AssertSqlSafe(sql)).fetch_many(connection);
    while let Some(answer) = answers.try_next().await.map_err(fault::from_driver)? {
        match answer {
            Either::Left(done) => changed += done.rows_affected(),
            Either::Right(row) => rows.push(Values(row)),
        }
    }
    Ok((changed, rows))
}

/// Returns the first row, where there is one.
pub(super) async fn row(
    connection: &mut MySqlConnection,
    sql: String,
) -> Result<Option<Values>, EngineError> {
    Ok(rows(connection, sql).await?.into_iter().next())
}

/// Lets a request to stop that came too late hit a statement that does nothing.
pub(super) async fn absorb(connection: &mut MySqlConnection) -> Result<(), EngineError> {
    match execute(connection, "DO 0".to_owned()).await {
        Err(error) if error.fault != Fault::Interrupted => Err(error),
        _ => Ok(()),
    }
}

/// One row, its values as the server wrote them.
pub(super) struct Values(pub(super) MySqlRow);

impl Values {
    /// Returns a column's bytes; none for NULL.
    pub(super) fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, EngineError> {
        self.0.try_get_unchecked(column).map_err(fault::from_driver)
    }

    /// Returns a column's text; empty for NULL, and what is not UTF-8 replaced.
    pub(super) fn text(&self, column: usize) -> Result<String, EngineError> {
        let bytes = self.bytes(column)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns a column's whole number; none for NULL.
    pub(super) fn number(&self, column: usize) -> Result<Option<i64>, EngineError> {
        let Some(bytes) = self.bytes(column)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        text.parse().map(Some).map_err(|_| {
            let reason = format!("expected a number from the server, found `{text}`");
            EngineError::new(Fault::Statement, reason)
        })
    }

    /// Returns how many columns there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether a column is true for the server: a number, or the number a text begins with,
    /// that is not 0.
    pub(super) fn is_true(&self, column: usize) -> Result<bool, EngineError> {
        let Some(bytes) = self.bytes(column)? else {
            return Ok(false);
        };
        let kind = self.0.columns().get(column).map(|it| it.type_info().name());
        if kind == Some("BIT") {
            return Ok(bytes.iter().any(|byte| *byte != 0));
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(leading_number(text.trim_start()) != 0.0)
    }
}

fn leading_number(text: &str) -> f64 {
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let end = text.find(|c| !numeric(c)).unwrap_or(text.len());
    (1..=end)
        .rev()
        .find_map(|end| text.get(..end)?.parse().ok())
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "exact values")]

    use super::*;

    #[test]
    fn a_text_counts_by_the_number_it_begins_with() {
        for (text, number) in [
            ("1", 1.0),
            ("-0.50abc", -0.5),
            ("2e1e", 20.0),
            ("1e", 1.0),
            ("+.5", 0.5),
            ("", 0.0),
            ("true", 0.0),
            ("0x1", 0.0),
        ] {
            assert_eq!(leading_number(text), number, "{text}");
        }
    }
}
