//! What `health` answers, and how what was found is weighed.

use std::time::Duration;

use ledger::{Code, Finding, Severity, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::{BackupView, Counts, DatabaseView, LastFailure, LedgerView, LockView};
use crate::plan::{Blocker, BlockerKind, Settlement};

/// Whether a database and its ledger are as they should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The environment that the ledger was opened for, else the one asked for.
    pub environment: String,
    /// Which database.
    pub database: DatabaseView,
    /// When this was looked at.
    pub checked_at: Timestamp,
    /// The ledger, which was found to hold together; absent before the first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerHealth>,
    /// The lease, absent when free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockView>,
    /// The migration that the holder of the lease is running now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<String>,
    /// Counts by state, as `status` has them.
    pub counts: Counts,
    /// The folder of migrations was there; without it nothing is known of what is pending, changed or
    /// missing.
    pub folder: bool,
    /// The last failure, absent when what failed has succeeded since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The newest backup that was not removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<LastBackup>,
    /// The schema, compared with the one that the last run left.
    pub schema: SchemaHealth,
    /// What is not as it should be, the gravest first.
    pub problems: Vec<HealthProblem>,
}

/// The ledger, as far as it was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerHealth {
    /// Where it ends.
    #[serde(flatten)]
    pub view: LedgerView,
    /// From this event on signatures were checked now; those before had been when this machine
    /// remembered the head. Every line was hashed, and the chain followed from the first one.
    pub signatures_from: u64,
}

/// The newest backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastBackup {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When it was taken.
    pub time: Timestamp,
    /// How long ago, in milliseconds.
    pub age_ms: u64,
    /// A file of its name and size is there, seen from this machine.
    pub present: bool,
}

impl LastBackup {
    pub(crate) fn new(view: &BackupView, now: Timestamp) -> Self {
        let age = now.as_micros().saturating_sub(view.time.as_micros()) / 1000;
        Self {
            id: view.id,
            name: view.name.clone(),
            time: view.time,
            age_ms: u64::try_from(age).unwrap_or(0),
            present: view.present,
        }
    }
}

/// The schema, compared with the one that the last run left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaHealth {
    /// It is the same.
    AsLeft,
    /// It was changed out of band.
    Changed,
    /// It could not be read, as somebody is changing it.
    NotCompared,
    /// There is nothing to compare it with: no run has finished since, or one is under way.
    Unknown,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthProblem {
    /// An error is unhealthy; a warning is worth a look.
    pub severity: Severity,
    /// A stable kebab-case name, with a heading in `docs/errors.md`.
    pub code: &'static str,
    /// The exit code of an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// The migration it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What was expected and what was found.
    pub message: String,
    /// What to do next.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// What was found, before it is weighed.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What would stop `up`, but for what the holder of the lease has under way.
    pub(crate) blockers: Vec<Blocker>,
    /// Starts without an end that left nothing.
    pub(crate) settlements: Vec<Settlement>,
    /// Findings about the ledger, its guards, the files and the schema.
    pub(crate) findings: Vec<Finding>,
    /// Migrations whose last attempt failed and left nothing: version and the database's words.
    pub(crate) failed: Vec<(String, String)>,
}

impl Health {
    /// Returns the exit code: 4 where something is not what was recorded, 7 where a person must decide
    /// first, 1 where a migration or the backups failed, else 0.
    pub fn exit_code(&self) -> u8 {
        self.problems
            .iter()
            .find_map(|problem| problem.exit_code)
            .unwrap_or(0)
    }

    /// Says whether something is pending, or the schema differs from what the last run left.
    pub fn differs(&self) -> bool {
        self.counts.pending > 0 || self.schema == SchemaHealth::Changed
    }

    /// Weighs what was found; a backup older than `max_backup_age`, or none, is a problem too.
    pub(crate) fn weigh(&mut self, found: Found, max_backup_age: Option<Duration>) {
        let mut problems: Vec<HealthProblem> = Vec::new();
        problems.extend(found.blockers.into_iter().map(of_blocker));
        problems.extend(found.findings.into_iter().map(of_finding));
        problems.extend(found.failed.into_iter().map(of_failure));
        problems.extend(found.settlements.into_iter().map(of_settlement));
        problems.extend(self.lock.as_ref().and_then(left_behind));
        problems.extend(max_backup_age.and_then(|most| too_old(self.backup.as_ref(), most)));
        problems.sort_by_key(|problem| gravity(problem.exit_code));
        self.problems = problems;
    }
}

/// The order in which exit codes count, as for the reasons against a run.
fn gravity(exit_code: Option<u8>) -> u8 {
    match exit_code {
        Some(4) => 0,
        Some(7) => 1,
        Some(_) => 2,
        None => 3,
    }
}

fn of_blocker(blocker: Blocker) -> HealthProblem {
    let exit_code = match blocker.kind {
        BlockerKind::Integrity => Some(4),
        BlockerKind::Undecided => Some(7),
        // what a rule says of pending migrations makes no running system unhealthy
        BlockerKind::Policy => None,
    };
    HealthProblem {
        severity: severity(exit_code),
        code: blocker.refusal.code,
        exit_code,
        version: blocker.refusal.version,
        message: blocker.refusal.message,
        hint: blocker.refusal.hint,
    }
}

fn of_finding(finding: Finding) -> HealthProblem {
    // an owner has said so, and nothing can make it good: a probe that fails for good helps nobody
    let declared = finding.code == Code::KeyCompromised;
    let exit_code = (finding.severity == Severity::Error && !declared).then_some(4);
    let place = finding
        .seq
        .map_or_else(String::new, |seq| format!("event {seq}: "));
    HealthProblem {
        severity: severity(exit_code),
        code: finding.code.as_str(),
        exit_code,
        version: None,
        message: format!("{place}{}", finding.message),
        hint: "`mledger verify` shows all findings".to_owned(),
    }
}

fn of_failure((version, message): (String, String)) -> HealthProblem {
    HealthProblem {
        severity: Severity::Error,
        code: "migration-failed",
        exit_code: Some(1),
        message: format!("the last attempt at `{version}` failed and left nothing: {message}"),
        hint: "correct the file, then `mledger up`".to_owned(),
        version: Some(version),
    }
}

fn of_settlement(settlement: Settlement) -> HealthProblem {
    HealthProblem {
        severity: Severity::Warning,
        code: "migration-unfinished",
        exit_code: None,
        message: format!(
            "a run that began `{}` has ended without a word; nothing of it remains",
            settlement.version
        ),
        hint: "the next `mledger up` records that on its own".to_owned(),
        version: Some(settlement.version),
    }
}

fn left_behind(lock: &LockView) -> Option<HealthProblem> {
    let reason = crate::lease::replaceable(lock)?;
    Some(HealthProblem {
        severity: Severity::Warning,
        code: "lock-left-behind",
        exit_code: None,
        version: None,
        message: format!(
            "{reason}, and the lock is still that of `{}` on `{}`, since {}",
            lock.actor, lock.host, lock.since
        ),
        hint: "the next run takes it over; `mledger lock status` shows it".to_owned(),
    })
}

fn too_old(backup: Option<&LastBackup>, most: Duration) -> Option<HealthProblem> {
    let found = match backup {
        Some(backup) if u128::from(backup.age_ms) <= most.as_millis() => return None,
        Some(backup) => format!(
            "the newest, `{}`, was taken at {}",
            backup.name, backup.time
        ),
        None => "found none".to_owned(),
    };
    Some(HealthProblem {
        severity: Severity::Error,
        code: "backup-too-old",
        exit_code: Some(1),
        version: None,
        message: format!(
            "expected a backup that is at most {} s old, {found}",
            most.as_secs()
        ),
        hint: "`mledger backup create` takes one; look at why the planned one was not taken"
            .to_owned(),
    })
}

fn severity(exit_code: Option<u8>) -> Severity {
    if exit_code.is_some() {
        Severity::Error
    } else {
        Severity::Warning
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Refusal;

    const NOW: i64 = 1_800_000_000_000_000;

    fn health() -> Health {
        Health {
            environment: "production".to_owned(),
            database: DatabaseView {
                engine: "x".to_owned(),
                name: "x".to_owned(),
            },
            checked_at: Timestamp::from_micros(NOW),
            ledger: None,
            lock: None,
            running: None,
            counts: Counts::default(),
            folder: true,
            last_failure: None,
            backup: None,
            schema: SchemaHealth::Unknown,
            problems: Vec::new(),
        }
    }

    fn blocker(kind: BlockerKind) -> Blocker {
        Blocker {
            kind,
            refusal: Refusal {
                code: "undecided",
                version: Some("1".to_owned()),
                message: "m".to_owned(),
                hint: "h".to_owned(),
            },
        }
    }

    fn weighed(found: Found) -> Health {
        let mut health = health();
        health.weigh(found, None);
        health
    }

    #[test]
    fn the_gravest_problem_gives_the_exit_code() {
        assert_eq!(weighed(Found::default()).exit_code(), 0);
        let policy = weighed(Found {
            blockers: vec![blocker(BlockerKind::Policy)],
            ..Found::default()
        });
        assert_eq!((policy.exit_code(), policy.problems.len()), (0, 1));
        let failed = ("2".to_owned(), "no such table".to_owned());
        let mut found = Found {
            failed: vec![failed.clone()],
            ..Found::default()
        };
        assert_eq!(weighed(found).exit_code(), 1);
        found = Found {
            failed: vec![failed.clone()],
            blockers: vec![blocker(BlockerKind::Undecided)],
            ..Found::default()
        };
        assert_eq!(weighed(found).exit_code(), 7);
        found = Found {
            failed: vec![failed],
            blockers: vec![
                blocker(BlockerKind::Undecided),
                blocker(BlockerKind::Integrity),
            ],
            ..Found::default()
        };
        let all = weighed(found);
        assert_eq!(all.exit_code(), 4);
        let codes: Vec<Option<u8>> = all.problems.iter().map(|one| one.exit_code).collect();
        assert_eq!(codes, [Some(4), Some(7), Some(1)]);
    }

    #[test]
    fn a_finding_counts_by_its_severity() {
        let finding = |code, severity| Finding {
            code,
            severity,
            seq: Some(3),
            message: "m".to_owned(),
        };
        let found = |findings| Found {
            findings,
            ..Found::default()
        };
        let warned = weighed(found(vec![finding(Code::GuardMissing, Severity::Warning)]));
        assert_eq!(warned.exit_code(), 0);
        assert_eq!(warned.problems[0].message, "event 3: m");
        let broken = weighed(found(vec![finding(Code::KindUnknown, Severity::Error)]));
        assert_eq!(broken.exit_code(), 4);
        let declared = weighed(found(vec![finding(Code::KeyCompromised, Severity::Error)]));
        assert_eq!(
            (declared.exit_code(), declared.problems.len()),
            (0, 1),
            "it is known"
        );
    }

    #[test]
    fn a_backup_is_asked_for_only_with_an_age() {
        let hour = Duration::from_secs(3600);
        let judged = |age_ms: Option<u64>, most| {
            let mut health = health();
            health.backup = age_ms.map(|age_ms| LastBackup {
                id: Uuid::nil(),
                name: "nightly".to_owned(),
                time: Timestamp::from_micros(NOW),
                age_ms,
                present: true,
            });
            health.weigh(Found::default(), most);
            health.exit_code()
        };
        assert_eq!(judged(None, None), 0);
        assert_eq!(judged(None, Some(hour)), 1);
        assert_eq!(judged(Some(3_600_000), Some(hour)), 0);
        assert_eq!(judged(Some(3_600_001), Some(hour)), 1);
        assert_eq!(judged(Some(u64::MAX), None), 0);
    }

    #[test]
    fn a_lock_that_was_left_behind_is_a_warning() {
        let held = |expired, holder_gone| {
            let mut health = health();
            health.lock = Some(LockView {
                token: Uuid::nil(),
                actor: "dana".to_owned(),
                host: "ci".to_owned(),
                run: Uuid::nil(),
                since: Timestamp::from_micros(NOW),
                expires: Timestamp::from_micros(NOW),
                expired,
                holder_gone,
            });
            health.weigh(Found::default(), None);
            let codes: Vec<&str> = health.problems.iter().map(|one| one.code).collect();
            (health.exit_code(), codes)
        };
        assert_eq!(held(false, false), (0, vec![]));
        assert_eq!(held(true, false), (0, vec!["lock-left-behind"]));
        assert_eq!(held(false, true), (0, vec!["lock-left-behind"]));
    }
}
