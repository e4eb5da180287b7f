//! What `history` and `status --as-of` answer.

use ledger::{Direction, Timestamp};
use serde::Serialize;
use uuid::Uuid;

/// What `history` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryView {
    /// The environment that the ledger was opened for.
    pub environment: String,
    /// The first event that it is about.
    pub first: u64,
    /// The last event that it is about.
    pub last: u64,
    /// How many attempts ended how, and how long they took.
    pub totals: HistoryTotals,
    /// What changed, oldest first.
    pub changes: Vec<TimelineEntry>,
}

/// How many attempts ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct HistoryTotals {
    /// Took effect.
    pub applied: u64,
    /// Were undone.
    pub rolled_back: u64,
    /// Failed.
    pub failed: u64,
    /// What took effect took so long.
    pub duration_ms: u64,
    /// What its headers said it would take, of those that said so.
    pub estimated_ms: u64,
    /// How long those took.
    pub of_estimated_ms: u64,
}

/// How an attempt ended, or what a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineOutcome {
    /// It took effect.
    Applied,
    /// It was undone.
    RolledBack,
    /// It failed.
    Failed,
    /// It was closed later, as nothing of it had happened.
    Aborted,
    /// It has no end.
    Unfinished,
    /// A person said that it is applied.
    MarkedApplied,
    /// A person said that it is not applied.
    MarkedPending,
    /// A person accepted another text of it.
    Accepted,
    /// It is gone: the database was restored to before it.
    Restored,
    /// It is applied again: the database was restored to before it was undone.
    Returned,
}

impl TimelineOutcome {
    /// Returns the outcome in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::RolledBack => "rolled back",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::Unfinished => "unfinished",
            Self::MarkedApplied => "marked applied",
            Self::MarkedPending => "marked pending",
            Self::Accepted => "change accepted",
            Self::Restored => "gone by a restore",
            Self::Returned => "back by a restore",
        }
    }
}

/// One attempt at a migration, or one word of a person about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// The event that began it.
    pub seq: u64,
    /// The event that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<u64>,
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Which way it ran; absent where nothing ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// How it ended.
    pub outcome: TimelineOutcome,
    /// When it began.
    pub time: Timestamp,
    /// Who.
    pub by: String,
    /// Where.
    pub host: String,
    /// In which run.
    pub run: Uuid,
    /// In which batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// The change's ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// How long it took: as measured where it succeeded, else between the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What its header says it would take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_ms: Option<u64>,
    /// How long it took against that, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent_of_estimate: Option<u64>,
    /// Why it failed or was rolled back, or what the person said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Which moment of the log a status is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AsOfView {
    /// The last event that is looked at; absent where there is none so early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When that was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The release that was exactly what was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}
