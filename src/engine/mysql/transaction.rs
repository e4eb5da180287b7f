//! Transactions, and how to tell that the one that is open is still the one that was begun.
//!
//! The driver does not notice that a schema change has committed; a savepoint set right after the
//! beginning ends with its transaction, so that its being there proves that the transaction is.

use std::time::Duration;

use sqlx::MySqlConnection;

use super::details::Flavour;
use super::{fault, talk};
use crate::engine::{Begin, EngineError, Fault};

/// Proves that the open transaction is the one that was begun; an error otherwise.
pub(super) const PROVE: &str = "RELEASE SAVEPOINT `mledger own`; SAVEPOINT `mledger own`";

/// How long a transaction may be silent, in seconds.
pub(super) const SILENCE_S: u32 = 10;

/// The longest wait for a lock that both servers take, in seconds.
const LONGEST_WAIT: u64 = 31_536_000;

/// A transaction that the server is still to be asked for.
#[derive(Debug)]
pub(super) struct Beginning {
    /// Statements, each with its semicolon.
    pub(super) sql: String,
    /// The limits that the connection has until then.
    pub(super) limits: Limits,
}

/// The limits that a session has been given, which are not sent again: a script may have set its own
/// since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    lock: Option<u64>,
    statement_ms: Option<u128>,
}

impl Limits {
    /// Returns the limits that `begin` asks for, in the units of the server.
    pub(super) fn of(begin: &Begin) -> Self {
        Self {
            lock: begin.lock_timeout.map(seconds),
            statement_ms: begin
                .statement_timeout
                .map(|limit| limit.as_millis().clamp(1, 1 << 31)),
        }
    }

    /// Returns the statements, each with its semicolon, that change a session from `before`.
    pub(super) fn since(self, before: Self, flavour: Flavour) -> String {
        let mut sql = String::new();
        if self.lock != before.lock {
            let value = self.lock.map_or("DEFAULT".to_owned(), |s| s.to_string());
            sql += &format!(
                "SET SESSION innodb_lock_wait_timeout = {value}, SESSION lock_wait_timeout = {value}; "
            );
        }
        if self.statement_ms != before.statement_ms {
            let (name, value) = match flavour {
                Flavour::MariaDb => (
                    "max_statement_time",
                    self.statement_ms
                        .map(|ms| format!("{}.{:03}", ms / 1000, ms % 1000)),
                ),
                // counts for statements that only read; MySQL has no limit for others
                Flavour::MySql => (
                    "max_execution_time",
                    self.statement_ms.map(|ms| ms.to_string()),
                ),
            };
            let value = value.unwrap_or_else(|| "DEFAULT".to_owned());
            sql += &format!("SET SESSION {name} = {value}; ");
        }
        sql
    }
}

/// Returns the statement, with its semicolon, that lets the server end a transaction which falls silent:
/// what it has locked keeps all others waiting, and its client may never speak again. MySQL itself
/// cannot be told.
pub(super) fn silence(flavour: Flavour) -> String {
    match flavour {
        Flavour::MariaDb => format!("SET SESSION idle_transaction_timeout = {SILENCE_S}; "),
        Flavour::MySql => String::new(),
    }
}

/// The whole seconds that are no shorter than `limit`.
fn seconds(limit: Duration) -> u64 {
    let rounded = limit
        .as_secs()
        .saturating_add(u64::from(limit.subsec_nanos() > 0));
    rounded.clamp(1, LONGEST_WAIT)
}

/// Returns statements, each with its semicolon, that open a transaction which may write, whatever a
/// script has set; `limits` are statements before it.
pub(super) fn beginning(limits: &str) -> String {
    format!(
        "SET autocommit = 1; {limits}\
         SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; \
         START TRANSACTION; SAVEPOINT `mledger own`; "
    )
}

/// Commits.
pub(super) async fn commit(connection: &mut MySqlConnection) -> Result<(), EngineError> {
    talk::execute(connection, "COMMIT".to_owned())
        .await
        .map(drop)
        .map_err(fault::of_ours)
}

/// Rolls back; there being no transaction is no error.
pub(super) async fn rollback(connection: &mut MySqlConnection) -> Result<(), EngineError> {
    talk::execute(connection, "ROLLBACK".to_owned())
        .await
        .map(drop)
}

/// Says whether the transaction that was begun is still open.
pub(super) async fn is_open(connection: &mut MySqlConnection) -> Result<bool, EngineError> {
    match talk::execute(connection, PROVE.to_owned()).await {
        Ok(_) => Ok(true),
        Err(error) if fault::number(&error) == fault::DOES_NOT_EXIST => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says of an error of a statement that began with [`PROVE`] what it means.
pub(super) fn ended(error: EngineError) -> EngineError {
    if fault::number(&error) == fault::DOES_NOT_EXIST {
        return EngineError::new(
            Fault::Deferred,
            "the script ended the transaction that it ran in",
        );
    }
    fault::of_ours(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_sent_in_whole_seconds() {
        let none = Limits::default();
        let asked = Limits::of(&Begin {
            enforce_foreign_keys: true,
            lock_timeout: Some(Duration::from_millis(1500)),
            statement_timeout: Some(Duration::from_millis(2050)),
        });
        assert_eq!(none.since(none, Flavour::MySql), "");
        assert_eq!(asked.since(asked, Flavour::MySql), "");
        assert_eq!(
            asked.since(none, Flavour::MariaDb),
            "SET SESSION innodb_lock_wait_timeout = 2, SESSION lock_wait_timeout = 2; \
             SET SESSION max_statement_time = 2.050; "
        );
        assert_eq!(
            none.since(asked, Flavour::MySql),
            "SET SESSION innodb_lock_wait_timeout = DEFAULT, SESSION lock_wait_timeout = DEFAULT; \
             SET SESSION max_execution_time = DEFAULT; "
        );
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::MAX), LONGEST_WAIT);
    }
}
