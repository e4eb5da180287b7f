//! What `approve`, `approvals` and `plan` answer about approvals.

use ledger::{Digest, Timestamp};
use serde::Serialize;

/// Approvals that a plan needs and has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ApprovalsView {
    /// How many are needed.
    pub required: u64,
    /// Who gave one.
    pub granted: Vec<String>,
}

/// What `approve` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approved {
    /// The plan.
    pub plan: Digest,
    /// When the approval ends; absent where approvals were taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// How many approvals the plan needs, and who gave one that counts now.
    pub approvals: ApprovalsView,
    /// Where the event stands in the log.
    pub seq: u64,
    /// The entry hash of the last event.
    pub head: Digest,
}

/// One approval as `approvals` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApprovalView {
    /// The plan.
    pub plan: Digest,
    /// The name of the key that signed it.
    pub by: String,
    /// Its fingerprint.
    pub key: String,
    /// Where its event stands in the log.
    pub seq: u64,
    /// When it was given.
    pub time: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// What its giver said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `open`, `expired`, `spent`, `revoked`, `void` or `renewed`.
    pub state: &'static str,
    /// The versions that the plan applies or rolls back, where its text is stored.
    pub versions: Vec<String>,
}
