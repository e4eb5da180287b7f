//! What the tool answers: plain data that a printer shows and `--json` serialises.
//!
//! Member names are the contract of the JSON documents; fields are added, never renamed.

mod adoption;
mod analysis;
mod approvals;
mod backups;
mod drift;
mod exports;
mod grants;
mod health;
mod openings;
mod promotion;
mod releases;
mod timeline;
mod unresolved;
mod verification;

use crate::lint;
use ledger::{Digest, Direction, Mode, Timestamp};
use serde::Serialize;
use uuid::Uuid;

pub use self::adoption::{AdoptedMigration, AdoptionReport, Baselined, Left};
pub use self::analysis::{Analysis, Answer, Attempt, AttemptOutcome, PendingScript, SlowStep};
pub use self::approvals::{ApprovalView, ApprovalsView, Approved};
pub use self::backups::{BackupChecked, BackupView, Pruned, RestoreTest, Restored, RestoredSchema};
pub use self::drift::{AcceptanceView, DriftReport, DriftView, SchemaAt};
pub use self::exports::{
    CheckpointView, Exported, ProofReport, ProofView, StampRequested, Stamped,
};
pub use self::grants::{Grant, Granted};
pub(crate) use self::health::Found;
pub use self::health::{Health, HealthProblem, LastBackup, LedgerHealth, SchemaHealth};
pub use self::openings::{LostHead, Reopened};
pub use self::promotion::{
    AppliedThere, CheckThere, Difference, OtherLedger, PastThere, PromotedMigration,
    PromotionCounts, PromotionReport, PromotionView, Standing as PromotionStanding,
    ValidationThere,
};
pub use self::releases::{ChangelogChecked, Published, ReleaseView, ReleasesView, Tagged};
pub use self::timeline::{AsOfView, HistoryTotals, HistoryView, TimelineEntry, TimelineOutcome};
pub use self::unresolved::Unresolved;
pub use self::verification::{Checked, VerifyReport};

/// Where the log ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerView {
    /// The ledger id, 64 hex digits (docs/format.md section 5).
    pub id: Digest,
    /// How many events there are.
    pub size: u64,
    /// The entry hash of the last event.
    pub head: Digest,
}

/// Which database was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatabaseView {
    /// The kind of database.
    pub engine: String,
    /// Its address without secrets.
    pub name: String,
}

/// The state of one migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Applied, and the file is as it was.
    Applied,
    /// Never applied.
    Pending,
    /// Never applied, and older than one that is.
    OutOfOrder,
    /// The last attempt failed and left nothing behind.
    Failed,
    /// The last attempt failed and left a part behind.
    Partial,
    /// A step's outcome is unknown; a person must decide.
    Unknown,
    /// Applied, and the file has changed since.
    Changed,
    /// Applied, and the file is gone.
    Missing,
    /// Applied once and rolled back since.
    RolledBack,
}

impl State {
    /// Returns the state's name as `--json` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::OutOfOrder => "out_of_order",
            Self::Failed => "failed",
            Self::Partial => "partial",
            Self::Unknown => "unknown",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// One migration as `status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationView {
    /// The version as in the file name, or as recorded where the file is gone.
    pub version: String,
    /// The name as in the file name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// The batch that applied it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// When it was applied, by the clock of the machine that ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Timestamp>,
    /// How long applying it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The checksum of the file, or of the applied text where the file is gone.
    pub checksum: Digest,
    /// Who applied it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_by: Option<String>,
    /// The release that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Its description, from the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many attempts there were since it was last applied or rolled back.
    pub attempts: u64,
    /// How far the script came that stopped in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<StepsView>,
    /// The versions that must be applied first, as its header has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
}

/// How far a script came that stopped in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StepsView {
    /// How many of its statements are done.
    pub done: u64,
    /// How many it has.
    pub of: u64,
}

/// How many migrations are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "one count for each `State` of the same name")]
pub struct Counts {
    pub applied: u64,
    /// Includes rolled back, failed without trace and out of order.
    pub pending: u64,
    pub failed: u64,
    pub partial: u64,
    pub unknown: u64,
    pub changed: u64,
    pub missing: u64,
    pub out_of_order: u64,
}

/// Who holds the lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockView {
    /// The fencing token.
    pub token: Uuid,
    /// Who.
    pub actor: String,
    /// Where.
    pub host: String,
    /// Which run.
    pub run: Uuid,
    /// Since when, by the database's clock.
    pub since: Timestamp,
    /// Until when unless renewed, by the database's clock.
    pub expires: Timestamp,
    /// The lease has run out.
    pub expired: bool,
    /// The holder's process is known to be gone (same host only).
    pub holder_gone: bool,
}

/// The failure that was recorded last, while it still matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastFailure {
    /// The event's place in the log.
    pub seq: u64,
    /// The migration.
    pub version: String,
    /// Which way it ran.
    pub direction: Direction,
    /// When.
    pub time: Timestamp,
    /// The database's message.
    pub message: String,
    /// The database's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The line of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// What `status` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The environment that the ledger was opened for, else the one asked for.
    pub environment: String,
    /// Which database.
    pub database: DatabaseView,
    /// The form of the folder, absent where it has no migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// The ledger, absent before the first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerView>,
    /// The version that is applied with the highest order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// Counts by state.
    pub counts: Counts,
    /// All migrations, by version.
    pub migrations: Vec<MigrationView>,
    /// The lease, absent when free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockView>,
    /// The last failure, absent when what failed has succeeded since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// Warnings, of the files and of the log.
    pub warnings: Vec<Notice>,
    /// The moment that it is about; absent for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<AsOfView>,
}

/// Something that a person should know and that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// A stable kebab-case name.
    pub code: &'static str,
    /// The event that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// One sentence.
    pub message: String,
}

/// How one migration of a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It took effect.
    Applied,
    /// It was undone.
    RolledBack,
    /// It failed.
    Failed,
    /// It was stopped on request.
    Interrupted,
    /// One of its statements may or may not have taken effect.
    Unknown,
}

/// Where and why a statement failed, in a form that can be shown under the file's own line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SqlFailure {
    /// The file.
    pub path: String,
    /// Which statement of the script, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<u64>,
    /// The line of the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The text of that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The database's message, or the tool's.
    pub message: String,
    /// The database's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// One migration of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunMigration {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Which way it ran.
    pub direction: Direction,
    /// How it ended.
    pub outcome: StepOutcome,
    /// How long it took.
    pub duration_ms: u64,
    /// How many statements its script has.
    pub statements: u64,
    /// How many warnings the server gave.
    pub warnings: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SqlFailure>,
}

/// What `up`, `down`, `redo` and `reset` answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// The run's id, absent when there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// The batch that was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// The plan's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// What was done, in order.
    pub migrations: Vec<RunMigration>,
    /// How many were applied.
    pub applied: u64,
    /// How many were rolled back.
    pub rolled_back: u64,
    /// How many unfinished starts of an earlier run were settled.
    pub settled: u64,
    /// The backup that was taken first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// The entry hash of the last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
    /// How long the run took.
    pub duration_ms: u64,
}

/// One statement of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStatement {
    /// The line of the file, from 1.
    pub line: u64,
    /// The SQL.
    pub sql: String,
}

/// One step of a plan, with what a person wants to read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Which way it will run.
    pub direction: Direction,
    /// How it will run.
    pub mode: Mode,
    /// The file, or the object, that its SQL comes from.
    pub path: String,
    /// The script's own BEGIN and COMMIT are left out: it runs in the tool's transaction.
    pub own_transaction: bool,
    /// Its statements, at most the first thousand.
    pub statements: Vec<PlannedStatement>,
    /// How many statements there are in all.
    pub statement_count: u64,
    /// What the rules say of it.
    pub findings: Vec<lint::Finding>,
    /// The header's estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_ms: Option<u64>,
    /// It is older than what is applied, and than all that it waits for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub out_of_order: bool,
}

/// What `plan` and `--dry-run` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanReport {
    /// The plan's digest.
    pub plan: Digest,
    /// What would run, in order.
    pub steps: Vec<PlannedStep>,
    /// Unfinished starts of an earlier run that would be settled first.
    pub settles: Vec<String>,
    /// Why it would not run.
    pub refusals: Vec<Refusal>,
    /// Approvals.
    pub approvals: ApprovalsView,
    /// A backup would be taken first.
    pub backup: bool,
    /// What is relied on, where the environment asks for promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionView>,
    /// The plan in its canonical form, whose SHA-256 is the digest.
    #[serde(skip)]
    pub object: Vec<u8>,
}

/// One reason why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// A stable kebab-case name, with a heading in `docs/errors.md`.
    pub code: &'static str,
    /// The migration it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What was expected and what was found.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Refusal {
    /// Creates one that is about no migration in particular.
    pub fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            version: None,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// What `init` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opened {
    /// The ledger.
    pub ledger: LedgerView,
    /// The ledger was opened now; it was there already otherwise.
    pub created: bool,
}

/// One event as `events` and `show` print it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    /// The event.
    pub event: ledger::Event,
    /// The stored line, without the line feed.
    pub line: Vec<u8>,
    /// The entry hash.
    pub hash: Digest,
    /// The signature, as stored.
    pub signature: ledger::Signature,
    /// Chain and signature were checked in this command, or lie before a remembered head.
    pub verified: bool,
}

/// A key as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Its name.
    pub name: String,
    /// Its fingerprint as `ssh-keygen -lf` prints it.
    pub fingerprint: String,
    /// Its public form.
    pub public: String,
    /// What it may sign.
    pub roles: Vec<String>,
    /// The event that added it.
    pub added: u64,
    /// The event that retired it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<u64>,
    /// The first place in the log from which on what it signed is suspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compromised_from: Option<u64>,
}

/// What `resolve` and `lock break` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// What was recorded, one sentence.
    pub message: String,
    /// Where the event stands in the log.
    pub seq: u64,
    /// The entry hash of the last event.
    pub head: Digest,
}
