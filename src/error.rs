//! What can go wrong, and who is at fault.
//!
//! Each error has a stable kebab-case code with a heading in `docs/errors.md`, a message that says what
//! was expected and what was found, and a hint that says what to do next. The exit code follows from
//! the variant, in one place ([`Error::exit_code`]).

use std::fmt;

use ledger::Finding;

use crate::engine::{EngineError, Fault};
use crate::migration::Problem;
use crate::report::{LockView, Refusal, RunReport, SqlFailure};

/// Who asked the run to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// SIGINT, usually Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The run's own time limit.
    Timeout,
}

/// An error of the library; [`Error::done`] tells what had been done before it.
#[derive(Debug)]
pub enum Error {
    /// A migration's SQL, its checks, or the time limit failed. Exit code 1.
    Failed {
        /// The version.
        version: String,
        /// Where and why.
        failure: Box<SqlFailure>,
        /// Nothing of the migration remains.
        clean: bool,
        /// What the run did before.
        done: Box<RunReport>,
    },
    /// A check of the environment does not hold. Exit code 1.
    Check {
        /// Its name.
        name: String,
        /// It stands before the first migration, else after the last one.
        before: bool,
        /// What was found.
        detail: String,
        /// What the run did.
        done: Box<RunReport>,
    },
    /// A backup or a restore did not succeed. Exit code 1.
    Backup {
        /// A stable code.
        code: &'static str,
        /// What was expected and found.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// What was typed or configured cannot be used. Exit code 2.
    Usage {
        /// A stable code.
        code: &'static str,
        /// What was expected and found.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// Files of the migrations folder cannot be used. Exit code 2.
    Files(Vec<Problem>),
    /// Refused by a rule. Exit code 3.
    Refused(Vec<Refusal>),
    /// The ledger, a script or the database is not what was recorded. Exit code 4.
    Integrity {
        /// A stable code.
        code: &'static str,
        /// What was expected and found.
        message: String,
        /// What to do next.
        hint: String,
        /// What the verifier found.
        findings: Vec<Finding>,
    },
    /// Another run holds the lease. Exit code 5.
    Locked {
        /// Who, if it is still there.
        holder: Option<Box<LockView>>,
        /// What was waited for, and how long.
        message: String,
        /// What the run did before it lost its place.
        done: Box<RunReport>,
    },
    /// A person must decide first. Exit code 7.
    Undecided(Vec<Refusal>),
    /// The run was stopped on request. Exit code 130 or 143; after a time limit 1.
    Stopped {
        /// By whom.
        reason: StopReason,
        /// What the run did before.
        done: Box<RunReport>,
    },
    /// The database failed. Exit code 6 when it cannot be reached, 5 when busy, else 1 or 4.
    Engine {
        /// The database's words.
        error: EngineError,
        /// What was being done.
        doing: &'static str,
        /// What the run did before.
        done: Box<RunReport>,
    },
    /// The key or the signature program failed. Exit code 2.
    Signing {
        /// What was expected and found.
        message: String,
        /// What to do next.
        hint: String,
    },
}

impl Error {
    /// Returns the error of what a rule forbids, of no migration in particular: its stable code, what
    /// was expected and found, and what to do next.
    pub fn refused(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Refused(vec![Refusal::new(code, message, hint)])
    }

    /// Returns the documented exit code of a command that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed { .. } | Self::Check { .. } | Self::Backup { .. } => 1,
            Self::Usage { .. } | Self::Files(_) | Self::Signing { .. } => 2,
            Self::Refused(_) => 3,
            Self::Integrity { .. } => 4,
            Self::Locked { .. } => 5,
            Self::Undecided(_) => 7,
            Self::Stopped { reason, .. } => match reason {
                StopReason::Interrupt => 130,
                StopReason::Terminate => 143,
                StopReason::Timeout => 1,
            },
            Self::Engine { error, .. } => match error.fault {
                Fault::Unreachable | Fault::Denied | Fault::NoDatabase | Fault::ReadOnly => 6,
                Fault::Busy => 5,
                Fault::NotADatabase => 4,
                _ => 1,
            },
        }
    }

    /// Returns the stable kebab-case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "migration-failed",
            Self::Check { .. } => "check-failed",
            Self::Usage { code, .. } | Self::Backup { code, .. } | Self::Integrity { code, .. } => {
                code
            }
            Self::Files(problems) => problems.first().map_or("files-invalid", |first| first.code),
            Self::Refused(reasons) => reasons.first().map_or("refused", |first| first.code),
            Self::Locked { .. } => "locked",
            Self::Undecided(reasons) => reasons.first().map_or("undecided", |first| first.code),
            Self::Stopped { reason, .. } => match reason {
                StopReason::Interrupt | StopReason::Terminate => "interrupted",
                StopReason::Timeout => "timeout",
            },
            Self::Engine { error, .. } => match error.fault {
                Fault::Unreachable => "database-unreachable",
                Fault::Denied => "database-denied",
                Fault::NoDatabase => "database-missing",
                Fault::NotADatabase => "not-a-database",
                Fault::ReadOnly => "database-read-only",
                Fault::Busy => "database-busy",
                Fault::Conflict => "append-conflict",
                Fault::Interrupted => "interrupted",
                Fault::Full => "disk-full",
                Fault::Statement | Fault::Partial | Fault::Deferred => "statement-failed",
                Fault::Transient => "database-conflict",
                Fault::Disconnected => "connection-lost",
                Fault::Io => "database-io",
            },
            Self::Signing { .. } => "signing-failed",
        }
    }

    /// Returns what had been done before the error, where a run was under way.
    pub fn done(&self) -> Option<&RunReport> {
        match self {
            Self::Failed { done, .. }
            | Self::Check { done, .. }
            | Self::Locked { done, .. }
            | Self::Stopped { done, .. }
            | Self::Engine { done, .. } => Some(done),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed {
                version, failure, ..
            } => write!(
                formatter,
                "migration `{version}` failed: {}",
                failure.message
            ),
            Self::Check {
                name,
                before,
                detail,
                ..
            } => {
                let side = if *before { "before" } else { "after" };
                write!(
                    formatter,
                    "the check `{name}` {side} the migrations does not hold: {detail}"
                )
            }
            Self::Usage { message, .. }
            | Self::Backup { message, .. }
            | Self::Integrity { message, .. }
            | Self::Locked { message, .. }
            | Self::Signing { message, .. } => formatter.write_str(message),
            Self::Files(problems) => list(formatter, problems),
            Self::Refused(refusals) | Self::Undecided(refusals) => {
                list(formatter, refusals.iter().map(|refusal| &refusal.message))
            }
            Self::Stopped { reason, .. } => formatter.write_str(match reason {
                StopReason::Interrupt => "interrupted by SIGINT",
                StopReason::Terminate => "interrupted by SIGTERM",
                StopReason::Timeout => "the run's time limit ran out",
            }),
            Self::Engine { error, doing, .. } => write!(formatter, "{doing}: {error}"),
        }
    }
}

impl std::error::Error for Error {}

fn list<T: fmt::Display>(
    formatter: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            formatter.write_str("; ")?;
        }
        write!(formatter, "{item}")?;
    }
    Ok(())
}
