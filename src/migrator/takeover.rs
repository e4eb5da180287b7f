//! Taking over from a run that is gone: what its session still does on the server ends first.

use ledger::{Body, Holder, LockBroken, Mode};

use super::Migrator;
use crate::context::Progress;
use crate::engine::{EngineError, Fault, Lease, Session};
use crate::error::Error;
use crate::journal::Fact;
use crate::lease;
use crate::log::Log;
use crate::report::Refusal;

impl Migrator {
    /// Ends the server's session of a holder that may be replaced; returns the session's name where it
    /// could not be ended.
    ///
    /// The row is read without waiting for it: a holder that was cut off at the end of a transaction
    /// keeps it locked until its session is gone.
    pub(super) async fn end_holder(
        &self,
        session: &mut dyn Session,
    ) -> Result<Option<String>, Error> {
        let fail = |error| self.engine_error(error, "ending the session of the last holder");
        let held = session.lease().await.map_err(fail)?;
        let Some(name) = held.as_ref().and_then(replaceable_session) else {
            return Ok(None);
        };
        let gone = session.end_session(name).await.map_err(fail)?;
        Ok((!gone).then(|| name.to_owned()))
    }

    /// Refuses to go on where a session that could not be ended may still be executing a statement that
    /// commits by itself. All else it could do is fenced by the lease.
    pub(super) fn check_alone(&self, log: &Log, running: Option<String>) -> Result<(), Error> {
        let Some(session) = running else {
            return Ok(());
        };
        let open = log.history().entries().find(|(_, entry)| {
            entry
                .open
                .as_ref()
                .is_some_and(|open| open.mode == Mode::Stepwise && !open.self_committing.is_empty())
        });
        match open {
            None => Ok(()),
            Some((_, entry)) => Err(Error::Undecided(vec![Refusal {
                code: "session-still-running",
                version: Some(entry.version.clone()),
                message: format!(
                    "the run that began `{}_{}` has lost its lease, but its session `{session}` on the \
                     server could not be ended and may still be executing a statement",
                    entry.version, entry.name
                ),
                hint: "end that session with a user that may do so, then run this command again"
                    .to_owned(),
            }])),
        }
    }

    /// Returns the fact that an unreleased lock of the log is broken, and tells the observer.
    pub(super) fn broken_lock(&self, log: &Log, held: Option<&Lease>) -> Option<Fact> {
        let open = log.verifier().lifecycle().lock()?;
        let view = held.map(lease::view);
        let reason = view
            .as_ref()
            .and_then(lease::replaceable)
            .unwrap_or("the lease row is free, but its release was never recorded");
        if let Some(view) = &view {
            self.context.observer.observe(&Progress::TakenOver {
                holder: view,
                reason,
            });
        }
        Some(Fact::success(Body::LockBroken(LockBroken {
            holder: Holder {
                actor: open.actor.clone(),
                host: open.host.clone(),
                run: open.run,
                since: open.since,
            },
            reason: reason.to_owned(),
            token: open.token,
        })))
    }
}

fn replaceable_session(held: &Lease) -> Option<&str> {
    lease::replaceable(&lease::view(held))?;
    held.session.as_deref()
}

/// Says whether an attempt that failed so may be made again from its beginning.
pub(super) fn passes(error: &Error) -> Option<&EngineError> {
    match error {
        Error::Engine { error, .. }
            if matches!(
                error.fault,
                Fault::Busy | Fault::Conflict | Fault::Transient
            ) =>
        {
            Some(error)
        }
        _ => None,
    }
}
