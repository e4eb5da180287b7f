//! Looking at the lease, and breaking it on a person's word.

use ledger::{Body, Holder, LockBroken, Role};

use super::{Migrator, open};
use crate::error::Error;
use crate::journal::Fact;
use crate::lease;
use crate::report::{Decided, LockView};

impl Migrator {
    /// Returns who holds the lease.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger.
    pub async fn lock(&self) -> Result<Option<LockView>, Error> {
        let mut opened = self.open().await?;
        let Some(session) = opened.session.as_deref_mut() else {
            return Ok(None);
        };
        if opened.log.is_empty() {
            return Ok(None);
        }
        let lease = session
            .lease()
            .await
            .map_err(|error| self.engine_error(error, "reading the lease"))?;
        Ok(lease.as_ref().map(lease::view))
    }

    /// Breaks the lease, whoever holds it: a holder that is still alive cannot commit any more.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when nobody holds it.
    pub async fn break_lock(&self, reason: &str) -> Result<Decided, Error> {
        if self.open().await?.log.is_empty() {
            return Err(not_held());
        }
        let mut append = self.begin_append(&[Role::Operator]).await?;
        let fail = |error| self.engine_error(error, "breaking the lease");
        let session = &mut *append.session;
        let Some(held) = session.lease().await.map_err(fail)? else {
            session.rollback().await.map_err(fail)?;
            return Err(not_held());
        };
        if !session.release_lease(held.token).await.map_err(fail)? {
            return Err(open::integrity(
                "append-conflict",
                "the lease changed while it was being broken".to_owned(),
                "run the command again",
            ));
        }
        let view = lease::view(&held);
        let fact = Fact::success(Body::LockBroken(LockBroken {
            holder: Holder {
                actor: held.actor.clone(),
                host: held.host.clone(),
                run: held.run,
                since: view.since,
            },
            reason: ledger::clean(reason),
            token: held.token,
        }));
        let log = self.finish_append(append, vec![fact]).await?;
        Ok(Decided {
            message: format!(
                "the lease of `{}` on `{}`, held since {}, is broken",
                held.actor, held.host, view.since
            ),
            seq: log.size() - 1,
            head: log.head(),
        })
    }
}

fn not_held() -> Error {
    Error::Usage {
        code: "lock-not-held",
        message: "expected a run that holds the lease, but it is free".to_owned(),
        hint: "nothing needs to be done; `mledger lock status` shows it".to_owned(),
    }
}
