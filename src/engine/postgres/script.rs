//! What scripts run: their statements, and the queries of their checks.

use sqlx::postgres::PgRow;
use sqlx::{Row, TypeInfo, ValueRef};

use super::fault::Of;
use super::link::{self, Link};
use super::words;
use crate::engine::{EngineError, Fault};
use crate::migration::split::copy_data;

/// Types of which a value other than zero is true.
const NUMBERS: [&str; 6] = ["INT2", "INT4", "INT8", "NUMERIC", "FLOAT4", "FLOAT8"];

/// Executes one statement.
pub(super) async fn execute(link: &mut Link, sql: &str) -> Result<(), EngineError> {
    refuse_nul(sql)?;
    match copy_data(sql) {
        Some((command, data)) => link.copy(command, data, Of::Script(sql)).await,
        None => link.run(sql, Of::Script(sql)).await,
    }
}

/// Says of an error of a statement that ran outside of a transaction what may be left of it.
pub(super) fn outside(sql: &str, error: EngineError) -> EngineError {
    let code = error.code.as_deref().unwrap_or_default();
    let fault = match error.fault {
        Fault::Statement | Fault::Transient | Fault::Interrupted
            if words::may_leave_a_part(sql, code) =>
        {
            Fault::Partial
        }
        fault => fault,
    };
    EngineError { fault, ..error }
}

/// Runs a query in which nothing can be written, and says whether it gives one row whose first column
/// is true: a boolean that is true, a number that is not zero, or a text that reads `t` or `true`.
pub(super) async fn holds(
    link: &mut Link,
    sql: &str,
    in_transaction: bool,
) -> Result<bool, EngineError> {
    refuse_nul(sql)?;
    let (before, after) = if in_transaction {
        (
            "SAVEPOINT mledger_check; SET TRANSACTION READ ONLY",
            "ROLLBACK TO SAVEPOINT mledger_check; RELEASE SAVEPOINT mledger_check",
        )
    } else {
        ("BEGIN READ ONLY", "ROLLBACK")
    };
    link.run(before, Of::Ours).await?;
    let answer = link.ask(sql, Of::Script(sql)).await;
    if link.is_broken() {
        return answer.map(|_| false);
    }
    let restored = link.run(after, Of::Script("")).await;
    let rows = answer.map_err(|error| match error.fault {
        // of all that a check may do only this is certain to be the script's own mistake
        Fault::ReadOnly => EngineError {
            fault: Fault::Statement,
            ..error
        },
        _ => error,
    })?;
    restored?;
    match rows.as_slice() {
        [row] => is_true(row),
        _ => Ok(false),
    }
}

fn is_true(row: &PgRow) -> Result<bool, EngineError> {
    if row.is_empty() {
        return Ok(false);
    }
    let Some(text) = link::text(row, 0)? else {
        return Ok(false);
    };
    let kind = row
        .try_get_raw(0)
        .map(|value| value.type_info().name().to_owned())
        .unwrap_or_default();
    if NUMBERS.contains(&kind.as_str()) {
        // NaN counts as a number that is not zero, as it does for the server
        return Ok(text.parse::<f64>().is_ok_and(|number| number != 0.0));
    }
    Ok(text.eq_ignore_ascii_case("t") || text.eq_ignore_ascii_case("true"))
}

/// The protocol ends a statement at a NUL, so the rest would be left out in silence.
fn refuse_nul(sql: &str) -> Result<(), EngineError> {
    match sql.find('\0') {
        Some(offset) => Err(EngineError {
            fault: Fault::Statement,
            code: None,
            message: "the statement holds a NUL character, which PostgreSQL cannot read".to_owned(),
            offset: Some(offset),
        }),
        None => Ok(()),
    }
}
