//! What a report says, whatever form it is printed in.
//!
//! Member names are the contract of the JSON document; fields are added, never renamed.

use std::collections::BTreeMap;

use ledger::{Digest, Direction, Fingerprint, Outcome, Role, Timestamp, When};
use serde::Serialize;
use uuid::Uuid;

use super::control::Framework;
use super::period::Period;
use super::sample::Sample;
use crate::report::VerifyReport;

/// What a ledger says of the changes of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What it is about.
    pub subject: Subject,
    /// Which part of the log was asked for.
    pub period: Period,
    /// What was verified, and what completeness is anchored to.
    pub verification: VerifyReport,
    /// How many changes there are, and how they were selected.
    pub population: Population,
    /// What an auditor should look at first.
    pub exceptions: Vec<Exception>,
    /// Every change of the period, by the event that ended it.
    pub changes: Vec<Change>,
    /// Every key that the ledger ever let in, whatever the period.
    pub keys: Vec<Key>,
    /// Who did what in the period.
    pub duties: Vec<Duties>,
    /// Backups that were taken, tested, restored or removed in the period.
    pub backups: Vec<Backup>,
    /// The framework whose controls the sections name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<Framework>,
    /// How the changes were drawn from the population; absent where all of them are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// Which ledger, of which database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The environment that the ledger was opened for.
    pub environment: String,
    /// The kind of database.
    pub engine: String,
    /// The database's name, as its ledger recorded it.
    pub database: String,
    /// The ledger's id.
    pub ledger: Digest,
    /// The number of events that the report was made from.
    pub events: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// The time that the first event claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_event_at: Option<Timestamp>,
    /// The time that the newest event claims: the report knows no other clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_event_at: Option<Timestamp>,
    /// The program that made the report.
    pub tool: String,
}

/// The full population of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Population {
    /// How many changes the report lists.
    pub changes: u64,
    /// How many changes the whole ledger has.
    pub in_ledger: u64,
    /// The event of the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seq: Option<u64>,
    /// The event of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<u64>,
    /// How many ended in which way; what never happened is left out.
    pub outcomes: BTreeMap<ChangeOutcome, u64>,
    /// How many exceptions there are of which sort; what never happened is left out.
    pub exceptions: BTreeMap<ExceptionKind, u64>,
}

/// Defines an enum of words with the sentence that explains each of them.
macro_rules! sorts {
    ($($(#[$about:meta])* $name:ident { $($variant:ident $code:literal $text:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $code, "`: ", $text, ".")] $variant,)+
        }

        impl $name {
            /// Every word, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word as programs read it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Returns the word as people read it.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+};
}

sorts! {
    /// How a change ended.
    ChangeOutcome {
        Applied "applied" "applied",
        RolledBack "rolled_back" "rolled back",
        Failed "failed" "failed",
        Aborted "aborted" "given up before it changed anything",
        Unfinished "unfinished" "not ended",
        MarkedApplied "marked_applied" "marked as applied by a person, nothing ran",
        MarkedPending "marked_pending" "marked as not applied by a person, nothing ran",
    }

    /// What is out of the ordinary.
    ExceptionKind {
        NotVerified "not-verified" "something is not what was recorded",
        NoApproval "no-approval" "ran without an approval of its plan",
        SelfApproved "self-approved" "approved by the person who wrote or ran it",
        Forced "forced" "went on in spite of a finding",
        ScriptDiffers "script-differs" "the script that ran is not the one that was planned",
        Failed "failed" "failed",
        RolledBack "rolled-back" "rolled back",
        Unfinished "unfinished" "begun and not ended",
        Marked "marked" "declared by a person, without anything having run",
        Answered "answered" "a person said whether a step took effect",
        ScriptAccepted "script-accepted" "a person accepted another text of an applied migration",
        CheckFailed "check-failed" "a check did not hold",
        Refused "refused" "refused before it began",
        Emergency "emergency" "tagged as an emergency change by its author",
        Drift "drift" "the schema was changed by other means",
        DriftAccepted "drift-accepted" "an owner accepted a schema that was changed by other means",
        Restored "restored" "the database was restored from a backup",
        LockBroken "lock-broken" "the lock was taken from its holder",
        SuspectKey "suspect-key" "a key signed while it is said to have been in other hands",
        Rewound "rewound" "an owner declared a part of the history lost",
        Forked "forked" "the ledger of a copy went its own way",
        Moved "moved" "the ledger went on upon another server",
        Adopted "adopted" "the history of another tool was taken over",
        Squashed "squashed" "older files were replaced by one",
        Redacted "redacted" "the bytes of an object were erased",
        ClockBack "clock-back" "the clock went back",
        ClockJumped "clock-jumped" "the clock and the measured duration disagree",
    }
}

/// One thing out of the ordinary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// What sort of thing.
    pub kind: ExceptionKind,
    /// The event that says so; absent for what no single event says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When, as that event claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The change that it is about, by its event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
    /// That change's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What was recorded of it, reasons as they were given.
    pub detail: String,
}

/// One change: an attempt to apply a migration or to roll it back, or a person's word that it counts as
/// either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The event that ended it, or that began it where nothing ended it.
    pub seq: u64,
    /// The migration's version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Its description, as its header has it.
    pub description: String,
    /// Who wrote it, as its header says; empty where the ledger does not know.
    pub author: String,
    /// The ticket of its run, or the one of its header.
    pub ticket: String,
    /// The environment.
    pub environment: String,
    /// Which way it ran.
    pub direction: Direction,
    /// How it ended.
    pub outcome: ChangeOutcome,
    /// What was recorded of how it ended.
    pub detail: String,
    /// Who approved its plan, of those approvals that were in force when its run began.
    pub approvals: Vec<Approval>,
    /// How many approvals the rules in force asked for; absent where those rules are not at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals_required: Option<u64>,
    /// What was tried and looked at in its run.
    pub tests: Tests,
    /// Who ran it, and from where.
    pub ran: Ran,
    /// The scripts.
    pub scripts: Scripts,
    /// When it began; absent where nothing ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended; absent where nothing ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How long it took, as it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The change that rolled it back, by its event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_back_by: Option<u64>,
    /// What its run went on in spite of, with the reasons that were given.
    pub forced: Vec<ForcedFinding>,
    /// Its author tagged it as an emergency change.
    pub emergency: bool,
    /// The backup that its run took first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<Uuid>,
    /// The schema's fingerprint before its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_before: Option<Digest>,
    /// The schema's fingerprint after its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_after: Option<Digest>,
    /// What is out of the ordinary about it.
    pub exceptions: Vec<ExceptionKind>,
}

/// An approval of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The event that says so.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// The name that the ledger knows the key by.
    pub by: String,
    /// Who acted, as the holder of the key says.
    pub actor: String,
    /// The key.
    pub key: Fingerprint,
    /// What was said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What was tried and looked at in the run of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tests {
    /// How the validation of its files ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
    /// The checks that were made.
    pub checks: Vec<Check>,
}

/// How a validation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// The event that says so.
    pub seq: u64,
    /// The digest of its findings.
    pub digest: Digest,
    /// How many errors it found.
    pub errors: u64,
    /// How many warnings it found.
    pub warnings: u64,
}

/// One check of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The event that says so.
    pub seq: u64,
    /// Its name.
    pub name: String,
    /// On which side of the migrations it stands.
    pub when: When,
    /// How it ended.
    pub outcome: Outcome,
}

/// Who ran a change, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// Who acted, as they say themselves.
    pub actor: String,
    /// The name that the ledger knows the key by.
    pub by: String,
    /// The key that signed.
    pub key: Fingerprint,
    /// The computer.
    pub host: String,
    /// The command that it was part of.
    pub run: Uuid,
    /// That command's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The plan that it carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// The pipeline, as it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Pipeline>,
}

/// A pipeline, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pipeline {
    /// Its provider.
    pub provider: String,
    /// The commit that it ran for.
    pub commit: String,
    /// Where its log is.
    pub url: String,
}

/// The scripts of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scripts {
    /// The digest that the plan names; absent where the plan is not at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<Digest>,
    /// The digest of the bytes that ran; absent where nothing ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Digest>,
    /// They are the same; absent where one of them is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agree: Option<bool>,
}

/// A finding that a run went on in spite of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForcedFinding {
    /// The finding's code.
    pub finding: String,
    /// Why, in a person's words.
    pub reason: String,
}

/// A key that was let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Whose it is.
    pub name: String,
    /// The key.
    pub fingerprint: Fingerprint,
    /// What it may sign.
    pub roles: Vec<Role>,
    /// The event that let it in.
    pub added_seq: u64,
    /// When.
    pub added_at: Timestamp,
    /// By whom.
    pub added_by: String,
    /// The event that ended its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_seq: Option<u64>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The first event whose signature by it is suspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspect_from: Option<u64>,
    /// How many events of the ledger it signed.
    pub signatures: u64,
}

/// What one person did in the period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Duties {
    /// The person: the name of their key, or the one that a header gives.
    pub person: String,
    /// What their keys may sign, at the end of the log.
    pub roles: Vec<Role>,
    /// How many changes they wrote.
    pub authored: u64,
    /// How many changes ran under their approval.
    pub approved: u64,
    /// How many changes they ran.
    pub ran: u64,
    /// How many releases they tagged or published.
    pub released: u64,
    /// How many exports, anchors and notes they made.
    pub audited: u64,
    /// The changes that they approved and also wrote or ran, by their events.
    pub conflicts: Vec<u64>,
    /// Their keys may both run and approve.
    pub may_run_and_approve: bool,
}

/// A backup, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The event that says that it was taken.
    pub seq: u64,
    /// When.
    pub taken_at: Timestamp,
    /// By whom.
    pub taken_by: String,
    /// How many bytes it has.
    pub size: u64,
    /// It is encrypted.
    pub encrypted: bool,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
    /// When it was last found to be as recorded, or tried by a restore elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// When the database was last restored from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<Timestamp>,
    /// It was deleted.
    pub removed: bool,
}
