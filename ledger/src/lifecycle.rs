//! What may follow what: locks, runs, migrations, approvals and backups (format section 7).

mod backups;
mod locks;
mod migrations;
mod versions;

use uuid::Uuid;

use crate::body::{Body, Direction, Outcome};
use crate::event::Event;
use crate::hash::Digest;

use backups::Backups;
use locks::Locks;
use versions::Versions;

pub use locks::{Approval, HeldLock};
pub use versions::OpenStart;

/// The state that the events so far leave, as far as the next ones must fit it.
///
/// An event costs time logarithmic in what is kept: distinct versions, backups that are not
/// removed, approvals that are not spent, and changes of versions since the oldest such backup.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    begun: bool,
    locks: Locks,
    versions: Versions,
    backups: Backups,
}

impl Lifecycle {
    /// Starts before the first event.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Folds the next event.
    ///
    /// # Errors
    ///
    /// When it cannot follow from those before it; the text says why. Then nothing is changed,
    /// but that a newer lock takes the place of an older one, since what follows is its own.
    pub fn apply(&mut self, event: &Event) -> Result<(), String> {
        let first = !std::mem::replace(&mut self.begun, true);
        match &event.body {
            Body::LedgerCreated(_) if !first => {
                return Err("`ledger.created` stands only in the first entry".to_owned());
            }
            body if first && !matches!(body, Body::LedgerCreated(_)) => {
                return Err(format!(
                    "expected `ledger.created` in the first entry, found `{}`",
                    body.kind()
                ));
            }
            _ => {}
        }
        check_outcome(event)?;
        if stands_in_lock(&event.body) {
            self.locks.require(event)?;
        }
        self.fold(event)
    }

    /// Returns the lock that is held.
    #[must_use]
    pub const fn lock(&self) -> Option<&HeldLock> {
        self.locks.held()
    }

    /// Returns the run that has begun and not finished under the held lock.
    #[must_use]
    pub fn open_run(&self) -> Option<Uuid> {
        self.locks.open_run()
    }

    /// Tells whether a version counts as applied.
    #[must_use]
    pub fn is_applied(&self, version: &str) -> bool {
        self.versions.is_applied(version)
    }

    /// Returns the open start of a version.
    #[must_use]
    pub fn open_start(&self, version: &str) -> Option<&OpenStart> {
        self.versions.open_start(version)
    }

    /// Returns every version with an open start.
    pub fn open_starts(&self) -> impl Iterator<Item = (&str, &OpenStart)> {
        self.versions.open_starts()
    }

    /// Returns the number of consecutive steps that are done.
    #[must_use]
    pub fn steps_done(&self, version: &str, direction: Direction) -> u64 {
        self.versions.steps_done(version, direction)
    }

    /// Returns the approvals of a plan that are neither spent, revoked nor void.
    #[must_use]
    pub fn approvals(&self, plan: &Digest) -> &[Approval] {
        self.locks.approvals(plan)
    }

    /// Returns the backup that was restored and waits for `backup.accepted`.
    #[must_use]
    pub const fn restored(&self) -> Option<Uuid> {
        self.backups.waiting()
    }

    fn fold(&mut self, event: &Event) -> Result<(), String> {
        let seq = event.seq;
        match &event.body {
            Body::LockAcquired(body) => self.locks.acquire(event, body),
            Body::LockReleased(body) => self.locks.release(event, body),
            Body::LockBroken(body) => {
                self.locks.break_open(body);
                Ok(())
            }
            Body::RunStarted(body) => self.locks.start_run(event, body),
            Body::RunFinished(_) => self.locks.finish_run(event),
            Body::ApprovalGranted(body) => {
                self.locks.approve(event, body);
                Ok(())
            }
            Body::ApprovalRevoked(body) => {
                self.locks.revoke(&body.plan);
                Ok(())
            }
            Body::MigrationStarted(body) => {
                if body.direction == Direction::Up
                    && let Some(backup) = self.backups.waiting()
                {
                    return Err(format!(
                        "version `{}` is started before the restored backup `{backup}` is accepted",
                        body.version
                    ));
                }
                self.versions.start(seq, body)
            }
            Body::MigrationStepApplied(body) => self.versions.step(seq, body),
            Body::MigrationStepResolved(body) => self.versions.resolve(seq, body),
            Body::MigrationApplied(body) => self.versions.applied(seq, body),
            Body::MigrationRolledBack(body) => self.versions.rolled_back(seq, body),
            Body::MigrationFailed(body) => self.versions.failed(seq, body),
            Body::MigrationAborted(body) => self.versions.aborted(seq, body),
            Body::MigrationMarked(body) => {
                self.versions.marked(seq, body);
                Ok(())
            }
            Body::MigrationAccepted(body) => {
                self.versions.accepted(seq, body);
                Ok(())
            }
            Body::HistorySquashed(body) => {
                self.versions.squashed(seq, body);
                Ok(())
            }
            Body::HistoryAdopted(body) => {
                self.versions.adopted(seq, body);
                Ok(())
            }
            Body::BackupTaken(body) => self.backups.take(seq, body),
            Body::BackupRestored(body) => {
                let size = self.backups.size_of(&body.backup)?;
                self.versions.rewind(seq, size)?;
                self.locks.void_approvals_since(size);
                self.backups.restored(body.backup);
                Ok(())
            }
            Body::BackupAccepted(body) => self.backups.accept(&body.backup),
            Body::BackupRemoved(body) => {
                self.backups.remove(&body.backup)?;
                self.versions.keep_since(self.backups.oldest_size());
                Ok(())
            }
            _ => Ok(()),
        }?;
        self.versions.keep_since(self.backups.oldest_size());
        Ok(())
    }
}

/// The kinds that stand between `lock.acquired` and `lock.released` of their run.
const fn stands_in_lock(body: &Body) -> bool {
    matches!(
        body,
        Body::RunStarted(_)
            | Body::RunFinished(_)
            | Body::MigrationStarted(_)
            | Body::MigrationStepApplied(_)
            | Body::MigrationStepResolved(_)
            | Body::MigrationApplied(_)
            | Body::MigrationRolledBack(_)
            | Body::MigrationFailed(_)
            | Body::MigrationAborted(_)
            | Body::MigrationMarked(_)
            | Body::MigrationAccepted(_)
            | Body::HistoryAdopted(_)
            | Body::CheckFinished(_)
            | Body::BackupRestored(_)
    )
}

/// Three kinds have one outcome by what they say (format section 6).
fn check_outcome(event: &Event) -> Result<(), String> {
    let expected = match event.body {
        Body::RunRefused(_) => Outcome::Denied,
        Body::MigrationFailed(_) | Body::DriftDetected(_) => Outcome::Failure,
        _ => return Ok(()),
    };
    if event.outcome == expected {
        return Ok(());
    }
    Err(format!(
        "expected `{}` with outcome `{expected}`, found `{}`",
        event.body.kind(),
        event.outcome
    ))
}
