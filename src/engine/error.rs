//! What a database answered when a verb could not be done.

use std::fmt;

/// What kind of failure it was; decides the exit code and whether a retry is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing answers at the address, or the server is still starting.
    Unreachable,
    /// The server answers and does not let this user in, or not this way.
    Denied,
    /// There is no database at the address yet.
    NoDatabase,
    /// The file at the address is not a database of this kind, or is damaged.
    NotADatabase,
    /// The database or its file cannot be written.
    ReadOnly,
    /// Another writer holds the database's own lock.
    Busy,
    /// Another append came first: read, fold and decide again.
    Conflict,
    /// The statement was stopped on request.
    Interrupted,
    /// No space is left where the database is stored.
    Full,
    /// The database rejected a statement.
    Statement,
    /// The database rejected a statement that commits by itself and may have kept a part of it.
    Partial,
    /// What a script left to the end of its transaction was refused, or it ended the transaction itself.
    Deferred,
    /// The database proved that nothing of the transaction happened; it may be repeated.
    Transient,
    /// The connection broke: what was sent last may or may not have taken effect.
    Disconnected,
    /// The disk failed in the middle.
    Io,
}

/// An error of a database, in the database's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    /// What kind of failure it was.
    pub fault: Fault,
    /// The database's own code.
    pub code: Option<String>,
    /// The database's own message, without secrets.
    pub message: String,
    /// Where in the statement that was sent, in bytes from 0, if the database said.
    pub offset: Option<usize>,
}

impl EngineError {
    /// Creates an error that carries no code and no position.
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self {
            fault,
            code: None,
            message: message.into(),
            offset: None,
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(formatter, " (code {code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for EngineError {}
