//! What `tag`, `release`, `releases` and `changelog --check` answer.

use ledger::{Digest, Timestamp};
use serde::Serialize;

use crate::release::next::Suggestion;

/// What `tag` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tagged {
    /// The release's name.
    pub release: String,
    /// The last migration that it holds.
    pub migration: String,
    /// How many migrations it holds.
    pub contains: u64,
    /// Those of them that the release before it did not hold.
    pub added: Vec<String>,
    /// One of those breaks what was there.
    pub breaking: bool,
    /// The schema's fingerprint, where the release is all that is applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Digest>,
    /// Where the event stands in the log.
    pub seq: u64,
    /// The entry hash of the last event.
    pub head: Digest,
}

/// What `release` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The release's name.
    pub release: String,
    /// The title.
    pub name: String,
    /// The digest of its notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Digest>,
    /// Where the event stands in the log.
    pub seq: u64,
    /// The entry hash of the last event.
    pub head: Digest,
}

/// What `releases` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleasesView {
    /// All releases, in the order in which they were tagged.
    pub releases: Vec<ReleaseView>,
    /// The one that is exactly what is applied now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// Applied migrations that the newest release in place does not hold.
    pub unreleased: Vec<String>,
    /// A name for the next one; absent where nothing has changed since the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Suggestion>,
}

/// One release as `releases` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseView {
    /// Its name.
    pub release: String,
    /// The title that it was published under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The digest of its notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Digest>,
    /// What was said when it was tagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was tagged.
    pub tagged_at: Timestamp,
    /// By whom.
    pub tagged_by: String,
    /// Where its event stands in the log.
    pub seq: u64,
    /// The last migration that it holds.
    pub migration: String,
    /// All that it holds, in the order in which it was applied.
    pub contains: Vec<String>,
    /// What of it the release before did not hold.
    pub added: Vec<String>,
    /// What the release before held and it does not: it was rolled back in between.
    pub removed: Vec<String>,
    /// Something breaks what was there: it says so of itself, or the release before had it.
    pub breaking: bool,
    /// All that it holds is applied.
    pub in_place: bool,
    /// The schema's fingerprint when it was tagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Digest>,
}

/// What `changelog --check` answers about a changelog that is what the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangelogChecked {
    /// The ledger that it was made from.
    pub ledger: Digest,
    /// The first event that it is about.
    pub first: u64,
    /// The last event that it was made from.
    pub last: u64,
    /// The Merkle root over all events up to the last one.
    pub root: Digest,
}
