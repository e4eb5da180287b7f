//! Whose turn it is to make the ledger's tables, which commit one by one here.

use ledger::Digest;
use sqlx::MySqlConnection;

use super::{fault, talk, transaction};
use crate::engine::{EngineError, Fault};

/// How long the making of the tables waits for another process that makes them, in seconds.
const PATIENCE: u32 = 10;

/// Waits until no other process makes the tables of this schema. Where the server has no such locks
/// (Galera), the tables' own keys refuse the second one.
pub(super) async fn take(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<(), EngineError> {
    // a transaction that has looked at the tables keeps them from being changed, and one that waits for
    // its turn meanwhile would be a deadlock
    let name = lock_name(database);
    // a process that falls silent while it makes them is not waited for any longer than others
    let silence = transaction::SILENCE_S;
    let sql = format!(
        "COMMIT; SET SESSION wait_timeout = {silence}; SELECT GET_LOCK('{name}', {PATIENCE})"
    );
    match talk::row(connection, sql).await.map_err(fault::of_ours) {
        Ok(Some(row)) if row.number(0)? == Some(0) => Err(EngineError::new(
            Fault::Busy,
            format!("another process has been making the ledger's tables for {PATIENCE} s"),
        )),
        Ok(_) => Ok(()),
        Err(error) if error.fault == Fault::Statement => Ok(()),
        Err(error) => Err(error),
    }
}

/// The name of the lock under which a schema's tables are made; such names are the server's, and
/// short.
pub(super) fn lock_name(database: &str) -> String {
    let digest = Digest::of(database.as_bytes()).to_string();
    let short = digest
        .rsplit(':')
        .next()
        .and_then(|hex| hex.get(..32))
        .unwrap_or("creating");
    format!("mledger:{short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_short_and_differs() {
        let long = "d".repeat(64);
        assert!(lock_name(&long).len() <= 64);
        assert_ne!(lock_name("shop"), lock_name("shop_test"));
        assert_eq!(lock_name("shop").len(), "mledger:".len() + 32);
    }
}
