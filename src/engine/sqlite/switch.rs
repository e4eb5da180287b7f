//! What is shared with the connection's own thread: whether to stop, and what became of the
//! transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sqlx::SqliteConnection;

use super::fault;
use crate::engine::EngineError;

/// Virtual machine instructions between two looks at the switch; well under a millisecond.
const INSTRUCTIONS_PER_LOOK: i32 = 1000;

/// Stops statements, and counts the transactions that have ended.
///
/// Only what a script runs is stopped: the ledger's own statements are short, and a rollback must
/// work in any case.
#[derive(Debug, Default)]
pub(super) struct Switch {
    stop: AtomicBool,
    armed: AtomicBool,
    transactions_ended: AtomicU64,
}

impl Switch {
    /// Makes `connection` obey the switch.
    pub(super) async fn install(
        self: &Arc<Self>,
        connection: &mut SqliteConnection,
    ) -> Result<(), EngineError> {
        let mut handle = connection.lock_handle().await.map_err(fault::from_driver)?;
        let switch = Arc::clone(self);
        handle.set_progress_handler(INSTRUCTIONS_PER_LOOK, move || !switch.stops());
        let switch = Arc::clone(self);
        handle.set_commit_hook(move || {
            switch.count_end();
            true
        });
        let switch = Arc::clone(self);
        handle.set_rollback_hook(move || switch.count_end());
        Ok(())
    }

    /// Asks that the script's statement be stopped, now and until [`Switch::resume`].
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Lets statements run again.
    pub(super) fn resume(&self) {
        self.stop.store(false, Ordering::Release);
    }

    /// Says whether a stop was asked for.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Puts what the connection executes next under the switch, or takes it out.
    pub(super) fn arm(&self, armed: bool) {
        self.armed.store(armed, Ordering::Release);
    }

    /// Returns how many transactions that wrote have ended on the connection, by whatever means.
    pub(super) fn transactions_ended(&self) -> u64 {
        self.transactions_ended.load(Ordering::Acquire)
    }

    fn stops(&self) -> bool {
        self.armed.load(Ordering::Acquire) && self.is_stopped()
    }

    fn count_end(&self) {
        self.transactions_ended.fetch_add(1, Ordering::AcqRel);
    }
}

/// Stops what still runs when the session goes away without having been closed, so that a cancelled
/// statement does not hold the database's locks to its end.
#[derive(Debug)]
pub(super) struct StopOnDrop(pub(super) Arc<Switch>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.arm(true);
        self.0.stop();
    }
}
