//! The lock, the run under it, and the approvals that runs spend.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::body::{ApprovalGranted, LockAcquired, LockBroken, LockReleased, Outcome, RunStarted};
use crate::event::Event;
use crate::hash::Digest;
use crate::key::Fingerprint;
use crate::time::Timestamp;

/// The lock as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLock {
    /// The lease's token.
    pub token: Uuid,
    /// The run that holds it.
    pub run: Uuid,
    /// The holder's actor.
    pub actor: String,
    /// The holder's host.
    pub host: String,
    /// Since when, as the holder says.
    pub since: Timestamp,
    /// The seq of its `lock.acquired`.
    pub seq: u64,
}

/// An approval that can still be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who granted it.
    pub key: Fingerprint,
    /// The seq of its `approval.granted`.
    pub seq: u64,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Locks {
    held: Option<HeldLock>,
    run: Option<OpenRun>,
    approvals: BTreeMap<Digest, Vec<Approval>>,
}

#[derive(Clone, Debug)]
struct OpenRun {
    run: Uuid,
    plan: Digest,
}

impl Locks {
    pub(super) const fn held(&self) -> Option<&HeldLock> {
        self.held.as_ref()
    }

    pub(super) fn open_run(&self) -> Option<Uuid> {
        self.run.as_ref().map(|open| open.run)
    }

    pub(super) fn approvals(&self, plan: &Digest) -> &[Approval] {
        self.approvals.get(plan).map_or(&[], Vec::as_slice)
    }

    pub(super) fn require(&self, event: &Event) -> Result<(), String> {
        let kind = event.body.kind();
        match &self.held {
            Some(lock) if lock.run == event.run => Ok(()),
            Some(lock) => Err(format!(
                "`{kind}` of run `{}` stands in the lock of run `{}`",
                event.run, lock.run
            )),
            None => Err(format!(
                "`{kind}` of run `{}` stands outside of any lock",
                event.run
            )),
        }
    }

    pub(super) fn acquire(&mut self, event: &Event, body: &LockAcquired) -> Result<(), String> {
        self.run = None;
        let before = self.held.replace(HeldLock {
            token: body.token,
            run: event.run,
            actor: event.actor.clone(),
            host: event.host.clone(),
            since: event.time,
            seq: event.seq,
        });
        match before {
            Some(lock) => Err(format!(
                "the lock is acquired while run `{}` holds it since seq {}",
                lock.run, lock.seq
            )),
            None => Ok(()),
        }
    }

    pub(super) fn release(&mut self, event: &Event, body: &LockReleased) -> Result<(), String> {
        match &self.held {
            Some(lock) if lock.run == event.run && lock.token == body.token => {
                self.held = None;
                self.run = None;
                Ok(())
            }
            Some(lock) => Err(format!(
                "expected the release of token `{}` by run `{}`, found token `{}` by run `{}`",
                lock.token, lock.run, body.token, event.run
            )),
            None => Err("a lock is released that is not held".to_owned()),
        }
    }

    /// Ends the lock that the token names. A lease whose holder died before it appended
    /// anything is broken without ever having stood in the log.
    pub(super) fn break_open(&mut self, body: &LockBroken) {
        if self
            .held
            .as_ref()
            .is_some_and(|lock| lock.token == body.token)
        {
            self.held = None;
            self.run = None;
        }
    }

    pub(super) fn start_run(&mut self, event: &Event, body: &RunStarted) -> Result<(), String> {
        if self.run.is_some() {
            return Err(format!(
                "run `{}` is started again before it finished",
                event.run
            ));
        }
        self.run = Some(OpenRun {
            run: event.run,
            plan: body.plan,
        });
        Ok(())
    }

    pub(super) fn finish_run(&mut self, event: &Event) -> Result<(), String> {
        let open = self
            .run
            .take()
            .ok_or_else(|| format!("run `{}` is finished that was not started", event.run))?;
        if event.outcome == Outcome::Success {
            self.approvals.remove(&open.plan);
        }
        Ok(())
    }

    pub(super) fn approve(&mut self, event: &Event, body: &ApprovalGranted) {
        let approvals = self.approvals.entry(body.plan).or_default();
        // who approves twice has approved once, until the later end
        approvals.retain(|approval| approval.key != event.key);
        approvals.push(Approval {
            key: event.key,
            seq: event.seq,
            expires: body.expires,
        });
    }

    pub(super) fn revoke(&mut self, plan: &Digest) {
        self.approvals.remove(plan);
    }

    pub(super) fn void_approvals_since(&mut self, size: u64) {
        self.approvals.retain(|_, approvals| {
            approvals.retain(|approval| approval.seq < size);
            !approvals.is_empty()
        });
    }
}
