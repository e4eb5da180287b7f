//! Bodies with what a test does not care about filled in.

use ledger::{
    ApprovalGranted, ApprovalRevoked, BackupAccepted, BackupRemoved, BackupRestored, BackupTaken,
    Cause, Digest, Direction, ErrorDetail, Holder, LockAcquired, LockBroken, LockReleased, Marked,
    MigrationAborted, MigrationApplied, MigrationFailed, MigrationMarked, MigrationRolledBack,
    MigrationStarted, MigrationStepApplied, MigrationStepResolved, Mode, NoteAdded, RunFinished,
    RunStarted, StepResolution, Timestamp,
};
use uuid::Uuid;

use super::run_id;

/// Returns the token of the lease of a run.
pub(crate) fn token(run: u64) -> Uuid {
    Uuid::from_u128(run_id(run).as_u128() | 0xf000_0000)
}

pub(crate) fn acquired(run: u64) -> LockAcquired {
    LockAcquired {
        token: token(run),
        wait_ms: 0,
    }
}

pub(crate) fn released(run: u64) -> LockReleased {
    LockReleased {
        held_ms: 9,
        token: token(run),
    }
}

pub(crate) fn broken(run: u64) -> LockBroken {
    LockBroken {
        holder: Holder {
            actor: "key 2".to_owned(),
            host: "host".to_owned(),
            run: run_id(run),
            since: Timestamp::from_micros(0),
        },
        reason: "expired".to_owned(),
        token: token(run),
    }
}

pub(crate) fn run_started(plan: &str) -> RunStarted {
    RunStarted {
        batch: Some(1),
        ci: None,
        command: "up".to_owned(),
        forced: vec![],
        plan: Digest::of(plan.as_bytes()),
        policy: Digest::of(b"policy"),
        schema: None,
        steps: 1,
        ticket: None,
    }
}

pub(crate) fn run_finished(failed: u64) -> RunFinished {
    RunFinished {
        done: 1,
        duration_ms: 5,
        failed,
        schema: None,
    }
}

pub(crate) fn started(version: &str, direction: Direction) -> MigrationStarted {
    MigrationStarted {
        attempt: 1,
        batch: Some(1),
        checksum: Digest::of(version.as_bytes()),
        direction,
        mode: Mode::Stepwise,
        name: "name".to_owned(),
        script: Digest::of(version.as_bytes()),
        self_committing: vec![2].into(),
        statements: 3,
        version: version.to_owned(),
    }
}

pub(crate) fn started_atomic(version: &str, direction: Direction) -> MigrationStarted {
    MigrationStarted {
        mode: Mode::Atomic,
        self_committing: vec![].into(),
        ..started(version, direction)
    }
}

pub(crate) fn step(version: &str, direction: Direction, step: u64) -> MigrationStepApplied {
    MigrationStepApplied {
        direction,
        duration_ms: 1,
        statement: Digest::of(b"statement"),
        step,
        version: version.to_owned(),
    }
}

pub(crate) fn resolved(version: &str, step: u64, answer: StepResolution) -> MigrationStepResolved {
    MigrationStepResolved {
        r#as: answer,
        direction: Direction::Up,
        reason: "looked".to_owned(),
        statement: Digest::of(b"statement"),
        step,
        version: version.to_owned(),
    }
}

pub(crate) fn applied(version: &str) -> MigrationApplied {
    applied_as(version, version)
}

pub(crate) fn applied_as(version: &str, text: &str) -> MigrationApplied {
    MigrationApplied {
        attempt: 1,
        batch: 1,
        checksum: Digest::of(text.as_bytes()),
        down_script: None,
        duration_ms: 4,
        metadata: ledger::Metadata::new(),
        name: "name".to_owned(),
        script: Digest::of(text.as_bytes()),
        statements: 3,
        version: version.to_owned(),
    }
}

pub(crate) fn rolled_back(version: &str) -> MigrationRolledBack {
    MigrationRolledBack {
        cause: Cause::Requested,
        duration_ms: 3,
        name: "name".to_owned(),
        script: Digest::of(version.as_bytes()),
        version: version.to_owned(),
    }
}

pub(crate) fn failed(version: &str, direction: Direction, clean: bool) -> MigrationFailed {
    MigrationFailed {
        clean,
        direction,
        error: ErrorDetail {
            code: Some("42P01".to_owned()),
            column: None,
            line: Some(1),
            message: "no such table".to_owned(),
            statement: Some(1),
        },
        steps_applied: 0,
        version: version.to_owned(),
    }
}

pub(crate) fn aborted(version: &str, direction: Direction) -> MigrationAborted {
    MigrationAborted {
        direction,
        reason: "nothing is there".to_owned(),
        version: version.to_owned(),
    }
}

pub(crate) fn marked(version: &str, r#as: Marked) -> MigrationMarked {
    MigrationMarked {
        r#as,
        checksum: None,
        reason: "baseline".to_owned(),
        version: version.to_owned(),
    }
}

pub(crate) fn approved(plan: &str) -> ApprovalGranted {
    ApprovalGranted {
        comment: None,
        expires: None,
        plan: Digest::of(plan.as_bytes()),
    }
}

pub(crate) fn revoked(plan: &str) -> ApprovalRevoked {
    ApprovalRevoked {
        plan: Digest::of(plan.as_bytes()),
        reason: "changed".to_owned(),
    }
}

pub(crate) fn backup_taken(backup: u64, ledger_size: u64) -> BackupTaken {
    BackupTaken {
        backup: run_id(backup),
        duration_ms: 100,
        encrypted: false,
        ledger_size,
        location: "backups/1".to_owned(),
        method: "copy".to_owned(),
        name: "nightly".to_owned(),
        sha256: Digest::of(b"backup"),
        size: 1_000_000_u64.into(),
    }
}

pub(crate) fn backup_restored(backup: u64) -> BackupRestored {
    BackupRestored {
        backup: run_id(backup),
        duration_ms: 100,
        safety_backup: None,
        sha256: Digest::of(b"backup"),
    }
}

pub(crate) fn backup_accepted(backup: u64) -> BackupAccepted {
    BackupAccepted {
        backup: run_id(backup),
        reason: "looked".to_owned(),
    }
}

pub(crate) fn backup_removed(backup: u64) -> BackupRemoved {
    BackupRemoved {
        backup: run_id(backup),
        reason: "old".to_owned(),
    }
}

pub(crate) fn note(text: &str) -> NoteAdded {
    NoteAdded {
        about: None,
        text: text.to_owned(),
    }
}
