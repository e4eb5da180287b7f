//! What `grants` answers.

use serde::Serialize;

/// The rights of each who works with a ledger, as the database is told them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Granted {
    /// What a person should know before running it, a sentence each.
    pub notes: Vec<String>,
    /// For whom what is granted.
    pub grants: Vec<Grant>,
}

/// The rights of one user or role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// What they do: `runner`, `approver` or `auditor`.
    pub work: &'static str,
    /// The user or role.
    pub name: String,
    /// The statements that give them their rights, without semicolons.
    pub statements: Vec<String>,
}
