//! What `drift` answers.

use ledger::{Digest, Timestamp};
use serde::Serialize;

use super::SchemaHealth;

/// The schema as it is against the one that the ledger tells of, and what runs have found before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriftReport {
    /// The environment.
    pub environment: String,
    /// What came of the comparison.
    pub schema: SchemaHealth,
    /// The fingerprint that the last run left, or that was accepted since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<SchemaAt>,
    /// The fingerprint as it is now, where it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Digest>,
    /// Why it was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The changes by other means that runs have found, oldest first.
    pub drifts: Vec<DriftView>,
    /// What was accepted, oldest first.
    pub acceptances: Vec<AcceptanceView>,
}

/// A fingerprint of the schema, and the event that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SchemaAt {
    /// The event.
    pub seq: u64,
    /// The fingerprint.
    pub digest: Digest,
}

/// A change that no run made, as the run after it found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriftView {
    /// The schema before.
    pub expected: SchemaAt,
    /// The schema with which a run began.
    pub found: SchemaAt,
    /// The event by which an owner has accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<u64>,
}

/// The word of an owner that a schema is as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AcceptanceView {
    /// The event that says so.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub actor: String,
    /// The fingerprint that was accepted.
    pub found: Digest,
    /// Why.
    pub reason: String,
}

impl DriftReport {
    /// Says whether something was changed by other means that nobody has accepted.
    pub fn is_open(&self) -> bool {
        self.schema == SchemaHealth::Changed
            || self.drifts.iter().any(|drift| drift.accepted.is_none())
    }
}
