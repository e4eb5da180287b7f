//! Transactions: begun as writing ones, and known by more than SQLite's word that one is open.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::connect::BUSY_TIMEOUT;
use super::fault;
use super::switch::Switch;
use crate::engine::{Begin, EngineError, Fault};

/// How long a transaction waits for other writers where nothing else was asked for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// How long SQLite waits on its own before the wait looks at the switch again.
const SLICE: Duration = Duration::from_millis(100);

/// Takes back what a script may have set: that its session only reads.
const WRITABLE: &str = "PRAGMA query_only = false";

/// Opens a transaction that may write.
///
/// Never a deferred one: its first write after a read would be refused at once where another writer
/// came in between, whatever the timeout.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    switch: &Switch,
    begin: &Begin,
) -> Result<(), EngineError> {
    let wait = begin.lock_timeout.unwrap_or(LOCK_TIMEOUT);
    let deadline = Instant::now().checked_add(wait);
    // a commit in a rollback-journal mode waits for readers, also where the start was not to wait
    let afterwards = wait.max(BUSY_TIMEOUT);
    loop {
        let left = deadline.map_or(SLICE, |end| end.saturating_duration_since(Instant::now()));
        // sent as one text, which SQLite leaves at the first statement that fails; inside a
        // transaction the pragma on foreign keys would do nothing and say nothing
        let attempt = format!(
            "{WRITABLE}; PRAGMA foreign_keys = {}; {}; BEGIN IMMEDIATE; {}",
            begin.enforce_foreign_keys,
            waiting_at_most(left.min(SLICE)),
            waiting_at_most(afterwards),
        );
        match execute(connection, attempt).await {
            Err(busy) if busy.fault == Fault::Busy => {
                if switch.is_stopped() {
                    return Err(EngineError::new(
                        Fault::Interrupted,
                        "stopped while waiting for another writer",
                    ));
                }
                if deadline.is_some_and(|end| Instant::now() >= end) {
                    wait_at_most(connection, BUSY_TIMEOUT).await?;
                    return Err(busy);
                }
            }
            answer => return answer,
        }
    }
}

/// Lets the session write, whatever a script has set.
pub(super) async fn writable(connection: &mut SqliteConnection) -> Result<(), EngineError> {
    execute(connection, WRITABLE.to_owned()).await
}

/// Commits; an error leaves the transaction open or rolled back, never half of each.
pub(super) async fn commit(connection: &mut SqliteConnection) -> Result<(), EngineError> {
    execute(connection, "COMMIT".to_owned()).await
}

/// Rolls back; there being no transaction is no error.
pub(super) async fn rollback(connection: &mut SqliteConnection) -> Result<(), EngineError> {
    match execute(connection, "ROLLBACK".to_owned()).await {
        Err(error) if error.message.contains("no transaction is active") => Ok(()),
        answer => answer,
    }
}

/// Says whether a transaction is open, by trying to open one.
pub(super) async fn is_open(connection: &mut SqliteConnection) -> Result<bool, EngineError> {
    match execute(connection, "BEGIN".to_owned()).await {
        Err(error) if error.message.contains("within a transaction") => Ok(true),
        Err(error) => Err(error),
        // a deferred transaction that did nothing holds no lock
        Ok(()) => execute(connection, "ROLLBACK".to_owned())
            .await
            .map(|()| false),
    }
}

/// Ends what is open and puts back the settings that [`begin`] changes.
pub(super) async fn settle(connection: &mut SqliteConnection) -> Result<(), EngineError> {
    rollback(connection).await?;
    wait_at_most(connection, BUSY_TIMEOUT).await?;
    execute(connection, "PRAGMA foreign_keys = true".to_owned()).await
}

async fn wait_at_most(
    connection: &mut SqliteConnection,
    wait: Duration,
) -> Result<(), EngineError> {
    execute(connection, waiting_at_most(wait)).await
}

fn waiting_at_most(wait: Duration) -> String {
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    format!("PRAGMA busy_timeout = {wait}")
}

async fn execute(connection: &mut SqliteConnection, sql: String) -> Result<(), EngineError> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(drop)
        .map_err(fault::from_driver)
}
