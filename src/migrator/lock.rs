//! Looking at the lease, and breaking it on a person's word.

use ledger::{Body, Holder, LockBroken, Role};

use super::{Migrator, open};
use crate::engine::{Access, Begin};
use crate::error::Error;
use crate::fault;
use crate::journal::{Fact, Journal};
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
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(not_held());
        }
        self.may_write(&opened.log)?;
        let signing = self.keys.signer(false)?;
        let journal = Journal::new(
            self.context.clone(),
            signing,
            self.environment(&opened.log),
            self.context.source.id(),
        );
        journal.may_sign(&opened.log, &[Role::Operator])?;
        opened.session = None;
        let log = &mut opened.log;
        let fail = |error| self.engine_error(error, "breaking the lease");
        let mut session = self.engine.connect(Access::Write).await.map_err(fail)?;
        let begin = Begin {
            enforce_foreign_keys: true,
            lock_timeout: self.settings.lock_timeout,
        };
        session.begin(&begin).await.map_err(fail)?;
        log.catch_up(&mut *session, &mut |_| {})
            .await
            .map_err(fail)?;
        self.check(log, None)?;
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
        let staged = journal.stage(log, vec![fact])?;
        fault::reach("alone::before-append");
        let appended = staged.append(&mut *session).await.map_err(fail)?;
        fault::reach("alone::before-commit");
        let committed = appended.commit(&mut *session).await.map_err(fail)?;
        log.fold(&committed);
        self.remember(log);
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
