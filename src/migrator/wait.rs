//! Waiting for another run, or for another writer, from a connection that is idle in between.

use std::time::Duration;

use tokio::time::Instant;

use super::Migrator;
use crate::context::Progress;
use crate::engine::{EngineError, Fault, Session};
use crate::error::Error;
use crate::lease;
use crate::report::LockView;

/// How long a waiter sleeps between two looks at the lease.
const POLL: Duration = Duration::from_millis(100);

/// Since when a run waits, and until when.
pub(super) struct Wait {
    began: Instant,
    /// When the command began, on the clock that is recorded.
    pub(super) began_ms: u64,
    deadline: Instant,
}

impl Migrator {
    pub(super) fn begin_to_wait(&self) -> Wait {
        let began = Instant::now();
        Wait {
            began,
            began_ms: self.context.source.ticks_ms(),
            deadline: began + self.settings.lease_wait,
        }
    }

    /// Returns how long the run has waited, as it is recorded.
    pub(super) fn waited_ms(&self, wait: &Wait) -> u64 {
        self.context.source.ticks_ms().saturating_sub(wait.began_ms)
    }

    /// Another process is writing: that is waited for like a lease.
    pub(super) fn wait_for_writer(&self, wait: &Wait, error: EngineError) -> Result<(), Error> {
        if !matches!(
            error.fault,
            Fault::Busy | Fault::Conflict | Fault::Transient
        ) {
            return Err(self.engine_error(error, "taking the lease"));
        }
        if Instant::now() >= wait.deadline {
            return Err(Error::Locked {
                holder: None,
                message: format!(
                    "another process has been writing to the database for {} s",
                    wait.began.elapsed().as_secs()
                ),
                done: Box::default(),
            });
        }
        Ok(())
    }

    /// Looks at the lease, from a connection that is idle in between, until it may be taken.
    pub(super) async fn wait_for_holder(
        &self,
        wait: &Wait,
        session: &mut dyn Session,
        mut holder: LockView,
    ) -> Result<(), Error> {
        loop {
            if Instant::now() >= wait.deadline {
                let message = format!(
                    "another run holds the lease: `{}` on `{}` since {}, and it was waited for {} s",
                    holder.actor,
                    holder.host,
                    holder.since,
                    wait.began.elapsed().as_secs()
                );
                return Err(Error::Locked {
                    holder: Some(Box::new(holder)),
                    message,
                    done: Box::default(),
                });
            }
            self.context.observer.observe(&Progress::Waiting {
                holder: &holder,
                waited_ms: self.waited_ms(wait),
            });
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                reason = self.context.stop.wait() => {
                    return Err(Error::Stopped { reason, done: Box::default() });
                }
            }
            match session.lease().await {
                Ok(None) => return Ok(()),
                Ok(Some(lease)) => {
                    holder = lease::view(&lease);
                    if lease::replaceable(&holder).is_some() {
                        return Ok(());
                    }
                }
                Err(error) if error.fault == Fault::Busy => {}
                Err(error) => return Err(self.engine_error(error, "waiting for the lease")),
            }
        }
    }
}
