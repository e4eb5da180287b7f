//! What was, or would be, taken over of another tool's history.

use ledger::Digest;
use serde::Serialize;
use uuid::Uuid;

use super::Refusal;
use crate::adopt::{Adoption, Revision, Verdict};

/// The answer of `adopt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdoptionReport {
    /// The tool whose history it is.
    pub tool: String,
    /// The form of the folder, absent where it has no migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// The table that it was read from.
    pub table: String,
    /// How many rows that has.
    pub rows: u64,
    /// The tool's own lock was asked for, and nobody held it; false where it is not known to take one, or
    /// where somebody does.
    pub lock_free: bool,
    /// What was found of each migration.
    pub migrations: Vec<AdoptedMigration>,
    /// What else the tool applied, of which no file of the folder carries the name; in order of names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<Revision>,
    /// How many count as applied from here on.
    pub marked: u64,
    /// How many of the folder `up` would apply next.
    pub pending: u64,
    /// The newest version that counts as applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// What refuses it; empty once it is done.
    pub refusals: Vec<Refusal>,
    /// The digest under which the rows and the verdicts are kept.
    pub digest: Digest,
    /// The run; absent where it was only shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// The log's head afterwards; absent where it was only shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
}

/// One migration of the other tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdoptedMigration {
    /// The version.
    pub version: String,
    /// The name.
    pub name: String,
    /// What was found.
    pub verdict: Verdict,
    /// It counts as applied from here on.
    pub marked: bool,
    /// What was expected and found, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When the other tool applied it, in the words of its table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<String>,
}

impl AdoptedMigration {
    /// Returns the migrations of an adoption, in order of version.
    pub(crate) fn of(adoption: &Adoption, forced: bool) -> Vec<Self> {
        adoption
            .judged
            .iter()
            .map(|judged| Self {
                version: judged.version.as_str().to_owned(),
                name: judged.name.clone(),
                verdict: judged.verdict,
                marked: judged.verdict.marks(forced),
                detail: judged.detail.clone(),
                applied_at: judged.at.clone(),
            })
            .collect()
    }
}

/// The answer of `baseline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Baselined {
    /// The versions that count as applied from here on, in order.
    pub marked: Vec<String>,
    /// How many of the folder `up` would apply next.
    pub pending: u64,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// The log's head afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
}

/// The answer of `export-history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The tool whose table was written.
    pub tool: String,
    /// The table.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// The log's head afterwards.
    pub head: Digest,
}
