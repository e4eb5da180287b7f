//! What `analyze` answers: what one migration did and cost, or what it would do.

use ledger::{Cause, Direction, Mode, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::{Refusal, State};
use crate::lint::{Finding, Statement, TableView};

/// One migration, across all runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Analysis {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// What is known of it.
    pub state: State,
    /// The release that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Its description, from the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long it takes by its header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_ms: Option<u64>,
    /// How long it took when it was applied last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_ms: Option<u64>,
    /// Every start of it, oldest first.
    pub attempts: Vec<Attempt>,
    /// What people said of it, oldest first.
    pub answers: Vec<Answer>,
    /// What its up script would do; absent where it is applied, or has no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingScript>,
}

/// One start of a migration, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The event that began it.
    pub seq: u64,
    /// The event that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<u64>,
    /// The run.
    pub run: Uuid,
    /// The command that was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The change's ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Which attempt it was, since it was last applied or rolled back.
    pub attempt: u64,
    /// Which way.
    pub direction: Direction,
    /// How its statements were committed.
    pub mode: Mode,
    /// Who.
    pub by: String,
    /// Where.
    pub host: String,
    /// When it began, by the clock of the machine that ran it.
    pub began: Timestamp,
    /// How long it took: as measured where it succeeded, else between the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How many statements the script has.
    pub statements: u64,
    /// How many of them took effect one by one in this attempt.
    pub steps_applied: u64,
    /// The step of these that took longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest: Option<SlowStep>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// Why it was rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Why it failed, or what proves that nothing of it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The line of the file where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Nothing of an attempt that failed remains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean: Option<bool>,
}

/// A step, and what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SlowStep {
    /// The step, from 1.
    pub step: u64,
    /// How long it took.
    pub duration_ms: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// It took effect.
    Applied,
    /// It was undone.
    RolledBack,
    /// It failed.
    Failed,
    /// It was closed later, as nothing of it had happened.
    Aborted,
    /// Nothing has been said yet: it is running, or its run has ended without a word.
    Unfinished,
}

/// What a person said about a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The event that says so.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub by: String,
    /// What, in a few words.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// What an up script would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PendingScript {
    /// Its file.
    pub path: String,
    /// How it would run; absent where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The statements that would commit by themselves.
    pub self_committing: Vec<u64>,
    /// Its statements, and what each does.
    pub statements: Vec<Statement>,
    /// The tables that it changes and does not make, where the database says how large they are.
    pub tables: Vec<TableView>,
    /// How long it takes by the sizes of these tables, roughly: see docs/rules.md. Zero where nothing reads
    /// or writes a whole table of known size.
    pub estimated_by_size_ms: u64,
    /// What the rules say of it.
    pub findings: Vec<Finding>,
    /// Why the script cannot run as it is.
    pub refusals: Vec<Refusal>,
}
