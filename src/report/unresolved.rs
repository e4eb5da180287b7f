//! What a person is shown before deciding about a migration.

use ledger::Direction;
use serde::Serialize;

use super::State;

/// What the ledger and the database say about one migration that needs a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unresolved {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// What is known of it.
    pub state: State,
    /// Which script stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The first statement that is not known to be applied, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// How many statements the script has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// The line of that statement in its file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// That statement's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// Why the last attempt failed, in the database's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the database says about the objects that the statement names.
    pub database: Vec<String>,
    /// The answers that fit, as `resolve` takes them.
    pub answers: Vec<String>,
}
