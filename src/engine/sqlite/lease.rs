//! The lease row. All times are the database's own clock.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};
use uuid::Uuid;

use super::fault;
use crate::engine::{Claim, EngineError, Fault, Lease};

/// Returns the lease where one is held, expired or not.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Option<Lease>, EngineError> {
    let found = sqlx::query(
        "SELECT token, actor, host, run, process, since_ms, expires_ms, \
             CAST(round(unixepoch('subsec') * 1000) AS INTEGER) \
         FROM main.mledger_lease WHERE token IS NOT NULL",
    )
    .fetch_optional(connection)
    .await
    .map_err(fault::from_driver)?;
    found.as_ref().map(lease).transpose()
}

fn lease(row: &SqliteRow) -> Result<Lease, EngineError> {
    let text = |column: usize| -> Result<String, EngineError> {
        row.try_get::<Option<String>, _>(column)
            .map(Option::unwrap_or_default)
            .map_err(fault::from_driver)
    };
    let time = |column: usize| -> Result<i64, EngineError> {
        row.try_get::<Option<i64>, _>(column)
            .map(Option::unwrap_or_default)
            .map_err(fault::from_driver)
    };
    Ok(Lease {
        token: id(&text(0)?)?,
        actor: text(1)?,
        host: text(2)?,
        run: id(&text(3)?)?,
        process: text(4)?,
        session: None,
        since_ms: time(5)?,
        expires_ms: time(6)?,
        now_ms: time(7)?,
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
    connection: &mut SqliteConnection,
    claim: &Claim,
    replacing: Option<Uuid>,
) -> Result<bool, EngineError> {
    let taken = sqlx::query(
        "UPDATE main.mledger_lease SET \
             token = ?1, actor = ?2, host = ?3, run = ?4, process = ?5, \
             since_ms = CAST(round(unixepoch('subsec') * 1000) AS INTEGER), \
             expires_ms = CAST(round(unixepoch('subsec') * 1000) AS INTEGER) + ?6 \
         WHERE token IS NULL OR token = ?7",
    )
    .bind(claim.token.to_string())
    .bind(claim.actor.as_str())
    .bind(claim.host.as_str())
    .bind(claim.run.to_string())
    .bind(claim.process.as_str())
    .bind(milliseconds(claim.duration))
    .bind(replacing.map(|token| token.to_string()))
    .execute(connection)
    .await;
    did(taken.map(|done| done.rows_affected()))
}

/// Renews the lease where it is held with `token`; says whether it was.
pub(super) async fn renew(
    connection: &mut SqliteConnection,
    token: Uuid,
    duration: Duration,
) -> Result<bool, EngineError> {
    let renewed = sqlx::query(
        "UPDATE main.mledger_lease SET \
             expires_ms = CAST(round(unixepoch('subsec') * 1000) AS INTEGER) + ?1 \
         WHERE token = ?2",
    )
    .bind(milliseconds(duration))
    .bind(token.to_string())
    .execute(connection)
    .await;
    did(renewed.map(|done| done.rows_affected()))
}

/// Frees the lease where it is held with `token`; says whether it was.
pub(super) async fn release(
    connection: &mut SqliteConnection,
    token: Uuid,
) -> Result<bool, EngineError> {
    let released = sqlx::query(
        "UPDATE main.mledger_lease SET \
             token = NULL, actor = NULL, host = NULL, run = NULL, process = NULL, \
             since_ms = NULL, expires_ms = NULL \
         WHERE token = ?1",
    )
    .bind(token.to_string())
    .execute(connection)
    .await;
    did(released.map(|done| done.rows_affected()))
}

fn did(rows: Result<u64, Error>) -> Result<bool, EngineError> {
    rows.map(|rows| rows == 1).map_err(fault::from_driver)
}

fn milliseconds(duration: Duration) -> i64 {
    // some three hundred years are long enough for a lease
    i64::try_from(duration.as_millis())
        .map_or(i64::MAX / 1_000_000, |ms| ms.min(i64::MAX / 1_000_000))
}
