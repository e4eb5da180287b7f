//! Transactions: begun as ones that may write, and known by their number.

use sqlx::postgres::PgRow;

use super::fault::Of;
use super::link::{self, Backend, Link, THIS_BACKEND};
use super::literal;
use crate::engine::{Begin, EngineError, Fault};

/// The code for a division by zero, by which our own statements say that an assumption is wrong.
const ASSUMPTION: &str = "22012";

/// The code for a statement in a transaction in which one has failed.
const FAILED: &str = "25P02";

/// How many rows the statements answer that settle a transaction.
const SETTLED: usize = 3;

/// How long our own statements wait for a lock where nothing else was asked for.
const LOCK_TIMEOUT_MS: i64 = 30_000;

/// How long our part of a transaction may be silent before the server ends it, in milliseconds. What it
/// has locked then keeps all others waiting, and a client that fell silent may never speak again.
const SILENCE_MS: i64 = 10_000;

/// An open transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    /// The server's number for it, which no other transaction of the server ever has.
    pub(super) number: i64,
    /// How long our own statements in it wait for locks, in milliseconds.
    pub(super) lock_timeout_ms: i64,
    /// Our settings are in force in it, not those of a script.
    pub(super) ours: bool,
    /// A script's part of it has ended, and what it did to its session is still to be undone.
    pub(super) unsettled: bool,
}

/// Opens a transaction that may write, whatever a script has set for its session.
///
/// Returns the server process that serves it: the `known` one, unless a pooler has changed it.
pub(super) async fn begin(
    link: &mut Link,
    begin: &Begin,
    known: Backend,
) -> Result<(Open, Backend), EngineError> {
    let rows = link.ask(&beginning(begin), Of::Ours).await?;
    let row = rows.first().ok_or_else(no_answer)?;
    begun(link, row, begin, known).await
}

/// Opens a transaction that keeps seeing the database as it is now, and returns the name by which other
/// sessions can see the same.
pub(super) async fn snapshot(link: &mut Link) -> Result<Option<String>, EngineError> {
    let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
               SET LOCAL idle_in_transaction_session_timeout = 0; \
               SELECT pg_catalog.pg_export_snapshot()";
    let rows = link.ask(sql, Of::Ours).await?;
    rows.first().map_or(Ok(None), |row| link::text(row, 0))
}

/// Returns the statements that open a transaction, and answer with one row.
fn beginning(begin: &Begin) -> String {
    let limits = limits("SET LOCAL", begin);
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE; {limits}\
         SELECT pg_catalog.pg_backend_pid(), pg_catalog.txid_current()"
    )
}

/// Reads what [`beginning`] answers.
async fn begun(
    link: &mut Link,
    row: &PgRow,
    begin: &Begin,
    known: Backend,
) -> Result<(Open, Backend), EngineError> {
    let number = link::integer(row, 1)?;
    let backend = if link::integer(row, 0)? == Some(i64::from(known.pid)) {
        Some(known)
    } else {
        // a pooler's process that does not tell its start is one that is not known
        let rows = link
            .ask(&format!("SELECT {THIS_BACKEND}"), Of::Ours)
            .await?;
        let named = rows.first().map(|row| link::text(row, 0)).transpose()?;
        named.flatten().as_deref().and_then(Backend::parse)
    };
    let open = Open {
        number: number.ok_or_else(no_answer)?,
        lock_timeout_ms: begin
            .lock_timeout
            .map_or(LOCK_TIMEOUT_MS, at_least_a_millisecond),
        ours: false,
        unsettled: false,
    };
    Ok((open, backend.unwrap_or_default()))
}

/// Returns statements that set the limits that were asked for; those that were not asked for stay as
/// the server, the role or the script has them.
pub(super) fn limits(set: &str, begin: &Begin) -> String {
    let mut sql = String::new();
    if let Some(wait) = begin.lock_timeout {
        sql.push_str(&format!(
            "{set} lock_timeout = {}; ",
            at_least_a_millisecond(wait)
        ));
    }
    if let Some(wait) = begin.statement_timeout {
        let wait = at_least_a_millisecond(wait);
        sql.push_str(&format!("{set} statement_timeout = {wait}; "));
    }
    sql
}

/// 0 would be without a limit.
fn at_least_a_millisecond(wait: std::time::Duration) -> i64 {
    literal::milliseconds(wait).clamp(1, i64::from(i32::MAX))
}

/// Returns statements, for the beginning of a message, that make the session ours until its
/// transaction ends: the role that signed in, no limit of a script, and nothing that changes how
/// definitions are written.
pub(super) fn ours(lock_timeout_ms: i64) -> String {
    format!(
        "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL role TO DEFAULT; \
         SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {lock_timeout_ms}; \
         SET LOCAL idle_in_transaction_session_timeout = {SILENCE_MS}; SET LOCAL row_security = on; \
         SET LOCAL quote_all_identifiers = off; \
         SET LOCAL search_path = ''; SET LOCAL synchronous_commit TO DEFAULT; "
    )
}

/// Returns expressions that do the same to a session whose role and settings were just reset.
fn ours_after_reset(lock_timeout_ms: i64) -> String {
    [
        ("statement_timeout", "0"),
        ("lock_timeout", &lock_timeout_ms.to_string()),
        (
            "idle_in_transaction_session_timeout",
            &SILENCE_MS.to_string(),
        ),
        ("row_security", "on"),
        ("quote_all_identifiers", "off"),
        ("search_path", ""),
    ]
    .map(|(name, value)| literal::setting(name, value, true))
    .join(", ")
}

/// The same, outside of a transaction: for the statements of one message.
pub(super) fn ours_alone() -> String {
    ours(LOCK_TIMEOUT_MS)
}

/// Says whether the transaction is still open; one in which a statement has failed is.
pub(super) async fn is_open(link: &mut Link, open: &Open) -> Result<bool, EngineError> {
    let sql = "SELECT pg_catalog.txid_current_if_assigned()";
    match link.ask(sql, Of::Ours).await {
        Ok(rows) => {
            let row = rows.first().ok_or_else(no_answer)?;
            Ok(link::integer(row, 0)? == Some(open.number))
        }
        Err(error) if error.code.as_deref() == Some(FAILED) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Returns a statement that fails with [`ASSUMPTION`] unless the open transaction is this one; it
/// answers with one row.
fn is_still(open: &Open) -> String {
    assumption(&format!(
        "pg_catalog.txid_current_if_assigned() IS NOT DISTINCT FROM {}",
        open.number
    ))
}

/// Returns a statement that fails with [`ASSUMPTION`] unless `condition` is true, and answers with one
/// row where it is.
pub(super) fn assumption(condition: &str) -> String {
    format!("SELECT 1 / ({condition})::pg_catalog.int4; ")
}

/// Says whether an error is that of an [`assumption`].
fn is_assumption(error: &EngineError) -> bool {
    error.code.as_deref() == Some(ASSUMPTION)
}

/// Commits the transaction. The server answers a COMMIT without a transaction, or of one that has
/// failed, without an error, so the same message first makes sure that it is there and sound.
pub(super) async fn commit(link: &mut Link, open: &Open) -> Result<(), EngineError> {
    let sql = format!("{}COMMIT", is_still(open));
    link.run(&sql, Of::Ours).await.map_err(ended)
}

fn ended(error: EngineError) -> EngineError {
    if is_assumption(&error) {
        return EngineError::new(
            Fault::Statement,
            "the transaction was ended before its commit",
        );
    }
    error
}

/// Writes `statements`, which end in one row that says whether they did what they should, commits, and
/// opens the `next` transaction, with one message; `undone` is the error when they did not.
pub(super) async fn commit_with(
    link: &mut Link,
    open: &Open,
    statements: &str,
    undone: EngineError,
    next: Option<&Begin>,
    known: Backend,
) -> Result<Option<(Open, Backend)>, EngineError> {
    let begin = next.map(beginning).unwrap_or_default();
    let sql = format!("{statements}{}COMMIT; {begin}", is_still(open));
    let rows = match link.ask_in_order(&sql, |_| Of::Ours).await {
        Ok(rows) => rows,
        Err((0, error)) if is_assumption(&error) => return Err(undone),
        Err((_, error)) => return Err(ended(error)),
    };
    match (next, rows.last()) {
        (Some(begin), Some(row)) => begun(link, row, begin, known).await.map(Some),
        _ => Ok(None),
    }
}

/// Rolls back; there being no transaction is no error.
pub(super) async fn rollback(link: &mut Link) -> Result<(), EngineError> {
    link.run("ROLLBACK", Of::Ours).await
}

/// Ends a script's part of the open transaction with the message that begins with this: the transaction
/// is the one that was begun, what the script deferred is checked, and what it did to its session is
/// undone. `after` are statements behind it, whose rows are returned.
pub(super) async fn settle(
    link: &mut Link,
    open: &Open,
    settings: &str,
    after: &str,
) -> Result<Vec<PgRow>, EngineError> {
    let sql = format!(
        "{}SET CONSTRAINTS ALL IMMEDIATE; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; \
         CLOSE ALL; DEALLOCATE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES; \
         SELECT {settings}, {}, pg_catalog.pg_advisory_unlock_all(); {}{after}",
        is_still(open),
        ours_after_reset(open.lock_timeout_ms),
        assumption("pg_catalog.current_setting('transaction_read_only') = 'off'"),
    );
    let of = |rows| {
        if rows < SETTLED {
            Of::Script("")
        } else {
            Of::Ours
        }
    };
    match link.ask_in_order(&sql, of).await {
        Ok(rows) => Ok(rows.into_iter().skip(SETTLED).collect()),
        Err((SETTLED.., error)) => Err(error),
        Err((before, error)) => Err(match error.fault {
            Fault::Statement if is_assumption(&error) && before == 0 => EngineError::new(
                Fault::Deferred,
                "the script ended the transaction that it ran in",
            ),
            Fault::Statement if is_assumption(&error) && before == SETTLED - 1 => EngineError::new(
                Fault::Deferred,
                "the script made its transaction one that only reads, so nothing can be recorded in \
                 it",
            ),
            Fault::Statement => EngineError {
                fault: Fault::Deferred,
                ..error
            },
            _ => error,
        }),
    }
}

/// Puts a session outside of a transaction back to how it was opened.
pub(super) async fn reset(link: &mut Link, settings: &str) -> Result<(), EngineError> {
    // it must be the only statement of its message
    link.run("DISCARD ALL", Of::Ours).await?;
    link.run(&format!("RESET ROLE; SELECT {settings}"), Of::Ours)
        .await
}

fn no_answer() -> EngineError {
    EngineError::new(Fault::Disconnected, "the server's answer could not be read")
}
