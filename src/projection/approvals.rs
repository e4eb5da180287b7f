//! Who approved which plan, and what became of it (docs/format.md section 7).

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Body, Digest, Event, Fingerprint, Outcome, Timestamp};
use uuid::Uuid;

/// An approval, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The event that says so.
    pub seq: u64,
    /// The plan.
    pub plan: Digest,
    /// The key that signed it.
    pub key: Fingerprint,
    /// Who acted, as that key's holder says.
    pub actor: String,
    /// When.
    pub time: Timestamp,
    /// When it ends, if its giver said so.
    pub expires: Option<Timestamp>,
    /// What its giver says about it.
    pub comment: Option<String>,
    /// Why it can be used no more.
    pub end: Option<End>,
}

/// Why an approval can be used no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A run of its plan finished with success: that event.
    Spent(u64),
    /// It was taken back: that event.
    Revoked(u64),
    /// The database was restored to before it: that event.
    Void(u64),
    /// The same key approved the same plan again: that event.
    Renewed(u64),
}

/// A fold over all events: approvals, and the plans that runs have begun.
#[derive(Debug, Clone, Default)]
pub struct Approvals {
    grants: Vec<Grant>,
    running: Option<(Uuid, Digest)>,
    begun: BTreeSet<Digest>,
    backups: BTreeMap<Uuid, u64>,
}

impl Approvals {
    /// Folds the next event.
    pub fn apply(&mut self, event: &Event) {
        let seq = event.seq;
        match &event.body {
            Body::ApprovalGranted(body) => {
                let key = event.key;
                self.end(End::Renewed(seq), |grant| {
                    grant.plan == body.plan && grant.key == key
                });
                self.grants.push(Grant {
                    seq,
                    plan: body.plan,
                    key,
                    actor: event.actor.clone(),
                    time: event.time,
                    expires: body.expires,
                    comment: body.comment.clone(),
                    end: None,
                });
            }
            Body::ApprovalRevoked(body) => {
                self.end(End::Revoked(seq), |grant| grant.plan == body.plan);
            }
            Body::RunStarted(body) => {
                self.running = Some((event.run, body.plan));
                self.begun.insert(body.plan);
            }
            Body::RunFinished(_) => {
                let Some((run, plan)) = self.running.take() else {
                    return;
                };
                if run == event.run && event.outcome == Outcome::Success {
                    self.begun.remove(&plan);
                    self.end(End::Spent(seq), |grant| grant.plan == plan);
                }
            }
            Body::BackupTaken(body) => {
                self.backups.insert(body.backup, body.ledger_size);
            }
            Body::BackupRestored(body) => {
                let size = self.backups.get(&body.backup).copied().unwrap_or(0);
                self.end(End::Void(seq), |grant| grant.seq >= size);
            }
            _ => {}
        }
    }

    /// Returns all approvals, in the order in which they were given.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Returns the approvals of a plan, whatever became of them.
    pub fn of(&self, plan: Digest) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.plan == plan)
    }

    /// Says whether a run of this plan has begun and none has finished it since.
    pub fn is_begun(&self, plan: &Digest) -> bool {
        self.begun.contains(plan)
    }

    fn end(&mut self, end: End, which: impl Fn(&Grant) -> bool) {
        for grant in &mut self.grants {
            if grant.end.is_none() && which(grant) {
                grant.end = Some(end);
            }
        }
    }
}
