//! The lease row. All times are the server's own clock, not that of a transaction's start.

use std::time::Duration;

use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::fault::Of;
use super::link::{self, Backend, Link};
use super::literal;
use crate::engine::{Claim, EngineError, Fault, Lease};

/// The server's clock in milliseconds since 1970.
const NOW: &str = "pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp())\
     ::pg_catalog.numeric * 1000)::pg_catalog.int8";

/// Returns the lease where one is held, expired or not.
pub(super) async fn read(link: &mut Link, prefix: &str) -> Result<Option<Lease>, EngineError> {
    let coded =
        |column| format!("pg_catalog.encode(pg_catalog.convert_to({column}, 'UTF8'), 'hex')");
    let sql = format!(
        "{prefix}SELECT {}, {}, {}, {}, {}, {}, since_ms, expires_ms, {NOW} \
         FROM mledger.lease WHERE token IS NOT NULL",
        coded("token"),
        coded("actor"),
        coded("host"),
        coded("run"),
        coded("process"),
        coded("session"),
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    rows.first().map(lease).transpose()
}

fn lease(row: &PgRow) -> Result<Lease, EngineError> {
    let text = |column| link::coded_text(row, column).map(Option::unwrap_or_default);
    let time = |column| link::integer(row, column).map(Option::unwrap_or_default);
    Ok(Lease {
        token: id(&text(0)?)?,
        actor: text(1)?,
        host: text(2)?,
        run: id(&text(3)?)?,
        process: text(4)?,
        session: link::coded_text(row, 5)?,
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
    link: &mut Link,
    prefix: &str,
    backend: Backend,
    claim: &Claim,
    replacing: Option<Uuid>,
) -> Result<bool, EngineError> {
    let replaced = replacing.map_or_else(String::new, |token| {
        format!(" OR token = {}", literal::id(token))
    });
    let sql = format!(
        "{prefix}UPDATE mledger.lease SET token = {}, actor = {}, host = {}, run = {}, \
             process = {}, session = {}, since_ms = {NOW}, expires_ms = {NOW} + {} \
         WHERE token IS NULL{replaced} RETURNING 1",
        literal::id(claim.token),
        literal::text(&claim.actor),
        literal::text(&claim.host),
        literal::id(claim.run),
        literal::text(&claim.process),
        backend.expression(),
        literal::milliseconds(claim.duration),
    );
    did(link, &sql).await
}

/// Returns the statement that renews the lease where it is held with `token`, as the session that does
/// the work and that the expression `session` names, and answers with one row where it was.
pub(super) fn renewing(session: &str, token: Uuid, duration: Duration) -> String {
    format!(
        "UPDATE mledger.lease SET session = {session}, expires_ms = {NOW} + {} \
         WHERE token = {} RETURNING 1",
        literal::milliseconds(duration),
        literal::id(token),
    )
}

/// Renews the lease without waiting for a transaction that has its row.
pub(super) async fn beat(
    link: &mut Link,
    prefix: &str,
    token: Uuid,
    duration: Duration,
) -> Result<bool, EngineError> {
    let sql = format!(
        "{prefix}WITH held AS MATERIALIZED \
             (SELECT id FROM mledger.lease WHERE token = {} FOR UPDATE NOWAIT) \
         UPDATE mledger.lease SET expires_ms = {NOW} + {} \
         WHERE id IN (SELECT id FROM held) RETURNING 1",
        literal::id(token),
        literal::milliseconds(duration),
    );
    did(link, &sql).await
}

/// Returns the statement that frees the lease where it is held with `token`, and answers with one row
/// where it was.
pub(super) fn releasing(token: Uuid) -> String {
    format!(
        "UPDATE mledger.lease SET token = NULL, actor = NULL, host = NULL, run = NULL, \
             process = NULL, session = NULL, since_ms = NULL, expires_ms = NULL \
         WHERE token = {} RETURNING 1",
        literal::id(token),
    )
}

/// Keeps the row until the transaction ends.
pub(super) async fn lock(link: &mut Link, prefix: &str) -> Result<(), EngineError> {
    link.run(
        &format!("{prefix}SELECT id FROM mledger.lease FOR UPDATE"),
        Of::Ours,
    )
    .await
}

/// Executes a statement that answers with one row where it did something; says whether it did.
pub(super) async fn did(link: &mut Link, sql: &str) -> Result<bool, EngineError> {
    Ok(link.ask(sql, Of::Ours).await?.len() == 1)
}
