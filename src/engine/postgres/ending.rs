//! Ending another session of the server, so that nothing of it can take effect any more.

use std::time::{Duration, Instant};

use super::Postgres;
use super::connect::{self, LOOK_AGAIN};
use super::fault::Of;
use super::link::{self, Backend, Link};
use crate::engine::{Access, EngineError, Fault};

/// How long to wait for a session to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The code for a right that is missing.
const DENIED: &str = "42501";

/// A role that stands in for the one that signed in may not see the sessions of that one.
pub(super) const AS_SIGNED_IN: &str = "SET LOCAL role TO NONE; ";

/// Ends the session of `backend` and waits until it is gone; says whether it is.
///
/// With the number of a transaction the session that is in it is ended, whichever it is, and it is the
/// transaction that must be over: behind a pooler the server process may serve somebody else by now.
pub(super) async fn end(
    database: &Postgres,
    backend: Backend,
    transaction: Option<i64>,
) -> Result<bool, EngineError> {
    if transaction.is_none() && backend == Backend::default() {
        return Ok(false);
    }
    let mut opened = connect::open(database, Access::Read).await?;
    let answer = end_over(&mut opened.link, backend, transaction).await;
    opened.link.close().await;
    answer
}

async fn end_over(
    link: &mut Link,
    backend: Backend,
    transaction: Option<i64>,
) -> Result<bool, EngineError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look(link, backend, transaction).await? {
            Seen::Gone => return Ok(true),
            Seen::Hidden => return Ok(false),
            Seen::There => match terminate(link, backend, transaction).await {
                Err(error) if error.code.as_deref() == Some(DENIED) => return Ok(false),
                answer => answer?,
            },
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

enum Seen {
    There,
    Gone,
    /// A session of that number is there, and the server does not tell this role whose it is.
    Hidden,
}

async fn look(
    link: &mut Link,
    backend: Backend,
    transaction: Option<i64>,
) -> Result<Seen, EngineError> {
    let Backend { pid, start } = backend;
    let sql = match transaction {
        Some(number) => format!(
            "SELECT (pg_catalog.txid_status({number}) IS NOT DISTINCT FROM 'in progress') \
                 ::pg_catalog.int4, 0"
        ),
        None => format!(
            "SELECT count(*) FILTER (WHERE {}), count(*) FILTER (WHERE backend_start IS NULL) \
             FROM pg_catalog.pg_stat_get_activity({pid})",
            began_at(start)
        ),
    };
    let rows = link.ask(&format!("{AS_SIGNED_IN}{sql}"), Of::Ours).await?;
    let row = rows.first().ok_or_else(|| {
        EngineError::new(Fault::Disconnected, "the server's answer could not be read")
    })?;
    Ok(if link::integer(row, 0)? != Some(0) {
        Seen::There
    } else if link::integer(row, 1)? != Some(0) {
        Seen::Hidden
    } else {
        Seen::Gone
    })
}

async fn terminate(
    link: &mut Link,
    backend: Backend,
    transaction: Option<i64>,
) -> Result<(), EngineError> {
    let Backend { pid, start } = backend;
    let which = match transaction {
        // the server shows the lower 32 bits
        Some(number) => format!(
            "pg_catalog.pg_stat_get_activity(NULL) WHERE backend_xid::pg_catalog.text = '{}'",
            number & i64::from(u32::MAX)
        ),
        None => format!(
            "pg_catalog.pg_stat_get_activity({pid}) WHERE {}",
            began_at(start)
        ),
    };
    let sql = format!("{AS_SIGNED_IN}SELECT pg_catalog.pg_terminate_backend(pid) FROM {which}");
    link.run(&sql, Of::Ours).await
}

/// A condition on a session: the start of its process, in microseconds.
pub(super) fn began_at(start: i64) -> String {
    format!("(EXTRACT(epoch FROM backend_start) * 1000000)::pg_catalog.int8 = {start}")
}
