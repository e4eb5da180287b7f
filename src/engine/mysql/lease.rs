//! The lease row. All times are the server's own clock.

use std::time::Duration;

use sqlx::MySqlConnection;
use uuid::Uuid;

use super::talk::Values;
use super::{fault, literal, talk, transaction};
use crate::engine::{Claim, EngineError, Fault, Lease};

/// Milliseconds since 1970, at the moment a row is reached rather than at the statement's start, which
/// may lie a long wait before. `SYSDATE` is the one clock that scripts cannot set; what lies between it
/// and the statement's start is added to the latter in UTC, since local time repeats itself once a
/// year.
const NOW: &str = "((TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) \
                   + TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6))) DIV 1000)";

/// The one row by its key, without which a session that is careful with updates makes none.
const ROW: &str = "`only` = 1";

/// Returns the lease where one is held, expired or not.
pub(super) async fn read(
    connection: &mut MySqlConnection,
    schema: &str,
) -> Result<Option<Lease>, EngineError> {
    // bytes, which no character set of a session changes on their way
    let text = |column: &str| format!("CONVERT({column} USING binary)");
    let columns = ["token", "actor", "host", "run", "process", "session"].map(text);
    let sql = format!(
        "SELECT {}, since_ms, expires_ms, {NOW} \
         FROM {schema}.mledger_lease WHERE token IS NOT NULL",
        columns.join(", ")
    );
    let found = talk::row(connection, sql).await.map_err(fault::of_ours)?;
    found.as_ref().map(lease).transpose()
}

fn lease(row: &Values) -> Result<Lease, EngineError> {
    let time = |column| row.number(column).map(Option::unwrap_or_default);
    Ok(Lease {
        token: id(&row.text(0)?)?,
        actor: row.text(1)?,
        host: row.text(2)?,
        run: id(&row.text(3)?)?,
        process: row.text(4)?,
        session: Some(row.text(5)?).filter(|session| !session.is_empty()),
        since_ms: time(6)?,
        expires_ms: time(7)?,
        now_ms: time(8)?,
    })
}

fn id(text: &str) -> Result<Uuid, EngineError> {
    Uuid::parse_str(text).map_err(|_| {
        let reason = format!("expected a UUID in the lease row, found `{text}`");
        EngineError::new(Fault::NotADatabase, reason)
    })
}

/// Takes the lease where it is free or held with the token `replacing`; says whether it did.
pub(super) async fn take(
    connection: &mut MySqlConnection,
    schema: &str,
    session: &str,
    claim: &Claim,
    replacing: Option<Uuid>,
) -> Result<bool, EngineError> {
    let token = claim.token;
    let held = replacing.map_or_else(String::new, |token| format!(" OR token = '{token}'"));
    let sql = format!(
        "UPDATE {schema}.mledger_lease SET \
             token = '{}', actor = {}, host = {}, run = '{}', process = {}, session = {}, \
             since_ms = {NOW} \
         WHERE {ROW} AND (token IS NULL{held}); \
         UPDATE {schema}.mledger_lease SET expires_ms = since_ms + {} \
         WHERE {ROW} AND token = '{token}'",
        token,
        literal::text(&claim.actor),
        literal::text(&claim.host),
        claim.run,
        literal::text(&claim.process),
        literal::text(session),
        milliseconds(claim.duration),
    );
    // both statements find the row, or none does
    let taken = talk::execute(connection, sql).await;
    taken.map(|rows| rows == 2).map_err(fault::of_ours)
}

/// Returns the statement that renews the lease where it is held with `token`, in the name of `session`,
/// and finds one row where it was.
pub(super) fn renewing(schema: &str, session: &str, token: Uuid, duration: Duration) -> String {
    format!(
        "UPDATE {schema}.mledger_lease SET expires_ms = {NOW} + {}, session = {} \
         WHERE {ROW} AND token = '{token}'",
        milliseconds(duration),
        literal::text(session),
    )
}

/// Renews the lease where it is held with `token`, in a transaction of its own and without waiting;
/// says whether it was.
pub(super) async fn beat(
    connection: &mut MySqlConnection,
    schema: &str,
    token: Uuid,
    duration: Duration,
) -> Result<bool, EngineError> {
    let sql = format!(
        "SET SESSION lock_wait_timeout = 1; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; \
         START TRANSACTION; \
         SELECT token = '{token}' FROM {schema}.mledger_lease WHERE {ROW} FOR UPDATE NOWAIT; \
         UPDATE {schema}.mledger_lease SET expires_ms = {NOW} + {} \
         WHERE {ROW} AND token = '{token}'; COMMIT",
        milliseconds(duration),
    );
    let beaten = talk::row(connection, sql).await;
    if let Err(error) = &beaten
        && error.fault != Fault::Disconnected
    {
        transaction::rollback(connection).await?;
    }
    match beaten.map_err(fault::of_ours)? {
        Some(row) => row.is_true(0),
        None => Ok(false),
    }
}

/// Returns the statement that frees the lease where it is held with `token`, and finds one row where it
/// was.
pub(super) fn releasing(schema: &str, token: Uuid) -> String {
    format!(
        "UPDATE {schema}.mledger_lease SET \
             token = NULL, actor = NULL, host = NULL, run = NULL, process = NULL, session = NULL, \
             since_ms = NULL, expires_ms = NULL \
         WHERE {ROW} AND token = '{token}'"
    )
}

/// Keeps other transactions that append waiting until this one ends.
pub(super) async fn lock(
    connection: &mut MySqlConnection,
    schema: &str,
) -> Result<(), EngineError> {
    let sql = format!("SELECT 1 FROM {schema}.mledger_lease WHERE {ROW} FOR UPDATE");
    talk::execute(connection, sql)
        .await
        .map(drop)
        .map_err(fault::of_ours)
}

/// Executes a statement that finds one row where it did something; says whether it did. The driver
/// counts rows that were found, also where they were as they should be already.
pub(super) async fn did(
    connection: &mut MySqlConnection,
    sql: String,
) -> Result<bool, EngineError> {
    let found = talk::execute(connection, sql).await;
    found.map(|rows| rows == 1).map_err(transaction::ended)
}

fn milliseconds(duration: Duration) -> i64 {
    // some three hundred years are long enough for a lease
    i64::try_from(duration.as_millis())
        .map_or(i64::MAX / 1_000_000, |ms| ms.min(i64::MAX / 1_000_000))
}
