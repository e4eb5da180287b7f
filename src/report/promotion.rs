//! What `promote` answers, and what a plan says of promotion.

use ledger::verify::Anchor;
use ledger::{Digest, Finding, Timestamp};
use serde::Serialize;

use super::State;

/// The ledger of another environment, as it was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherLedger {
    /// Where it was found, without secrets.
    pub source: String,
    /// The environment that it was opened for.
    pub environment: String,
    /// Its id.
    pub ledger: Digest,
    /// How many events it has.
    pub size: u64,
    /// The Merkle tree root over them.
    pub root: Digest,
    /// What completeness is anchored to.
    pub anchored_to: Anchor,
    /// How many events that anchor covers.
    pub anchored_size: u64,
    /// Its first key is known from outside; it was taken on trust otherwise.
    pub trusted: bool,
    /// What the verifier found and is no error.
    pub findings: Vec<Finding>,
}

/// What `promote` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromotionReport {
    /// The other ledger.
    pub from: OtherLedger,
    /// The environment here.
    pub environment: String,
    /// All that is here was applied there, with the same bytes.
    pub promoted: bool,
    /// How many migrations stand how.
    pub counts: PromotionCounts,
    /// All migrations of either side, by version.
    pub migrations: Vec<PromotedMigration>,
}

/// How many migrations stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PromotionCounts {
    /// Here, and the same bytes are applied there.
    pub promoted: u64,
    /// Here, and the same bytes are not applied there.
    pub not_promoted: u64,
    /// Applied there, and not here.
    pub only_there: u64,
    /// Applied there in another order than here.
    pub other_order: u64,
}

/// How a migration stands in the other environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The same bytes are applied there.
    Applied,
    /// Other bytes are applied there.
    OtherBytes,
    /// It is applied there by a person's word alone.
    Marked,
    /// It was applied there, and rolled back.
    RolledBack,
    /// Its last attempt there has no good end.
    Unfinished,
    /// It is not applied there.
    Absent,
}

impl Standing {
    /// Returns the word that `--json` writes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::OtherBytes => "other_bytes",
            Self::Marked => "marked",
            Self::RolledBack => "rolled_back",
            Self::Unfinished => "unfinished",
            Self::Absent => "absent",
        }
    }
}

/// What differs between the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Another text was applied there.
    OtherBytes,
    /// The text is the same but for its line ends.
    LineEndings,
    /// The down script known there is another one.
    OtherDownScript,
    /// It was applied there in another order.
    OtherOrder,
    /// It is here, and not there.
    OnlyHere,
    /// It is applied there, and not here.
    OnlyThere,
    /// It was rolled back there.
    RolledBack,
    /// Its last attempt there has no good end.
    Unfinished,
    /// No script ran there: a person said that it is applied.
    NotRun,
    /// A check of its run there did not hold.
    CheckFailed,
}

impl Difference {
    /// Returns the difference in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::OtherBytes => "other bytes",
            Self::LineEndings => "other line ends",
            Self::OtherDownScript => "another down script",
            Self::OtherOrder => "another order",
            Self::OnlyHere => "only here",
            Self::OnlyThere => "only there",
            Self::RolledBack => "rolled back there",
            Self::Unfinished => "unfinished there",
            Self::NotRun => "marked, not run",
            Self::CheckFailed => "a check failed",
        }
    }
}

/// One migration as `promote` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromotedMigration {
    /// Its version, as here, or as there where it is only there.
    pub version: String,
    /// Its name.
    pub name: String,
    /// How it stands here; absent where it is only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub here: Option<State>,
    /// How it stands there.
    pub there: Standing,
    /// What differs.
    pub differences: Vec<Difference>,
    /// How the script in force there ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<AppliedThere>,
    /// How often it went back or wrong there.
    pub past: PastThere,
}

/// How a script ran in the other environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedThere {
    /// Where the event stands in that log.
    pub seq: u64,
    /// Which one it was of all that are applied there, from 1.
    pub position: u64,
    /// When.
    pub applied_at: Timestamp,
    /// By whom.
    pub applied_by: String,
    /// How long it took.
    pub duration_ms: u64,
    /// Which attempt it was.
    pub attempt: u64,
    /// The checksum of the text that ran.
    pub checksum: Digest,
    /// The digest of the exact bytes.
    pub script: Digest,
    /// Its own queries were asked and held; absent where it has none, or its text is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// The checks of its run.
    pub checks: Vec<CheckThere>,
    /// What validation found before its run; absent where it found nothing, or was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationThere>,
    /// Who had approved the plan of its run.
    pub approved_by: Vec<String>,
    /// The plan of its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// The change's ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// A check of a run in the other environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckThere {
    /// Its name.
    pub name: String,
    /// `before` the first migration, or `after` the last one.
    pub when: &'static str,
    /// It held.
    pub holds: bool,
}

/// What validation found before a run in the other environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ValidationThere {
    /// Errors; they let nothing run.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
}

/// How often a migration went back or wrong in the other environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PastThere {
    /// Attempts to apply it that failed.
    pub failed: u64,
    /// How often it was rolled back.
    pub rolled_back: u64,
    /// Attempts to roll it back that failed.
    pub rollback_failed: u64,
    /// The down script that is here was tried there and went well.
    pub rollback_tried: bool,
}

/// What a plan relies on, where its environment asks for promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromotionView {
    /// The environment that must have applied the same bytes.
    pub required_from: String,
    /// Its ledger; absent where it could not be read or is not what it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<OtherLedger>,
    /// The steps whose bytes are applied there.
    pub promoted: Vec<String>,
    /// The steps whose bytes are not.
    pub missing: Vec<String>,
}
