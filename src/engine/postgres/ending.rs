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

/// Ends the session of `backend` and waits until it is gone; says whether it is.
///
/// With the number of a transaction only a session that is in it is ended, and it is the transaction
/// that must be over: behind a pooler the server process may serve somebody else by now.
pub(super) async fn end(
    database: &Postgres,
    backend: Backend,
    transaction: Option<i64>,
) -> Result<bool, EngineError> {
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
    let over = match transaction {
        Some(number) => {
            format!("pg_catalog.txid_status({number}) IS DISTINCT FROM 'in progress'")
        }
        None => "false".to_owned(),
    };
    // the view's answer stays the same within a transaction, and each message here is one of its own
    let sql = format!(
        "SELECT {over}, \
             (SELECT count(*) FROM pg_catalog.pg_stat_get_activity({pid}) \
              WHERE backend_start IS NULL), \
             (SELECT count(*) FROM pg_catalog.pg_stat_get_activity({pid}) \
              WHERE (EXTRACT(epoch FROM backend_start) * 1000000)::pg_catalog.int8 = {start})"
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    let row = rows.first().ok_or_else(|| {
        EngineError::new(Fault::Disconnected, "the server's answer could not be read")
    })?;
    let there = link::integer(row, 2)? != Some(0);
    Ok(if link::truth(row, 0)? {
        Seen::Gone
    } else if there {
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
    let only = match transaction {
        // the server shows the lower 32 bits
        Some(number) => format!(
            "AND backend_xid::pg_catalog.text = '{}'",
            number & i64::from(u32::MAX)
        ),
        None => String::new(),
    };
    let sql = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) \
         FROM pg_catalog.pg_stat_get_activity({pid}) \
         WHERE (EXTRACT(epoch FROM backend_start) * 1000000)::pg_catalog.int8 = {start} {only}"
    );
    link.run(&sql, Of::Ours).await
}
