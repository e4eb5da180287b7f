//! Why a step did not end well, and how the run ends then.

use std::time::Duration;

use ledger::{
    Body, Cause, Digest, Direction, ErrorDetail, MigrationAborted, MigrationFailed, Mode,
};

use super::Run;
use crate::context::Progress;
use crate::engine::{EngineError, Fault};
use crate::error::{Error, StopReason};
use crate::fault;
use crate::journal::{Fact, engine_error};
use crate::migration::Problem;
use crate::object::Unusable;
use crate::plan::{Candidate, Step};
use crate::report::{Refusal, SqlFailure, StepOutcome};

/// The longest message of a database that an event keeps, in bytes.
const MESSAGE_LIMIT: usize = 8 * 1024;

/// Why a step did not end well.
#[derive(Debug)]
pub(crate) enum StepFailure {
    /// A statement, a check or a verification query failed.
    Sql(Box<SqlFailure>),
    /// The database proved that nothing of the step's transaction happened; it may be repeated.
    Transient(Box<SqlFailure>),
    /// A statement that commits by itself has no known outcome, or one that could not be recorded.
    Unknown {
        /// Which statement of the script.
        step: u64,
        /// What is known of it.
        failure: Box<SqlFailure>,
    },
    /// The file is not what was planned.
    Changed(Problem),
    /// The recorded script cannot be used.
    Object(Unusable),
    /// The lease is somebody else's.
    LeaseLost,
    /// The database failed outside of a statement.
    Engine {
        /// Its words.
        error: EngineError,
        /// What was being done.
        doing: &'static str,
    },
    /// The run was asked to stop.
    Stopped(StopReason),
    /// The migration's own time limit ran out.
    TimedOut(Duration),
    /// Signing failed.
    Library(Error),
}

impl StepFailure {
    /// Wraps what the database answered.
    pub(crate) fn engine(error: EngineError, doing: &'static str) -> Self {
        Self::Engine { error, doing }
    }
}

impl Run {
    /// Ends the run after a step that failed: rolls back, records, releases, and says why.
    pub(super) async fn end_failed(
        &mut self,
        step: &Step,
        failure: StepFailure,
        duration_ms: u64,
    ) -> Error {
        if let StepFailure::Unknown { step: at, failure } = failure {
            return self.end_unknown(step, at, *failure, duration_ms);
        }
        fault::reach("failure::before-rollback");
        if let StepFailure::Stopped(reason) = &failure {
            self.context
                .observer
                .observe(&Progress::Stopping { reason: *reason });
        }
        let restored = self.restore_session().await;
        fault::reach("failure::after-rollback");
        let outcome = match failure {
            StepFailure::Stopped(_) => StepOutcome::Interrupted,
            _ => StepOutcome::Failed,
        };
        let mut shown = self.shown(step, &failure);
        let clean = self.is_clean(step);
        let mut goes_back = false;
        let recorded = match (restored, &failure) {
            // whoever holds the lease now settles this start as aborted
            (_, StepFailure::LeaseLost) => Ok(()),
            (Err(error), _) => Err(StepFailure::engine(error, "rolling back")),
            (Ok(()), _) => {
                goes_back = self.takes_the_rest_back(step, &failure);
                self.record_failure(step, &shown, !goes_back).await
            }
        };
        if let Err(StepFailure::LeaseLost) = recorded {
            // what failed met the effects of the run that has the lease now, and says nothing else
            shown = self.shown(step, &StepFailure::LeaseLost);
            self.note(step, StepOutcome::Failed, duration_ms, Some(shown));
            self.note_end();
            return self.error_of(StepFailure::LeaseLost);
        }
        self.note(step, outcome, duration_ms, Some(shown.clone()));
        if goes_back
            && recorded.is_ok()
            && let Some(graver) = self.go_back(Cause::Failure, 1).await
        {
            return graver;
        }
        self.note_end();
        if let Err(unrecorded) = recorded {
            let reason = self.error_of(unrecorded);
            shown.message = format!(
                "{}; the failure could not be recorded ({reason}), so the next run settles it",
                shown.message
            );
        }
        match failure {
            StepFailure::Stopped(reason) => Error::Stopped {
                reason,
                done: Box::new(self.report.clone()),
            },
            StepFailure::Sql(_) | StepFailure::Transient(_) | StepFailure::TimedOut(_) => {
                Error::Failed {
                    version: step.candidate.version.clone(),
                    failure: Box::new(shown),
                    clean,
                    done: Box::new(self.report.clone()),
                }
            }
            other => self.error_of(other),
        }
    }

    /// Puts the session back to where a transaction can begin.
    pub(super) async fn restore_session(&mut self) -> Result<(), EngineError> {
        self.renewed = None;
        self.session.resume();
        self.session.rollback().await?;
        self.session.reset().await
    }

    /// Says whether nothing of a failed step remains.
    pub(super) fn is_clean(&self, step: &Step) -> bool {
        match step.mode {
            Mode::Atomic => true,
            Mode::Stepwise => !self.left && self.steps_done(&step.candidate) == 0,
        }
    }

    /// Returns how many steps of a script the log knows to be done.
    pub(super) fn steps_done(&self, candidate: &Candidate) -> u64 {
        self.digests_done(candidate).len() as u64
    }

    /// Returns the digests of the steps that the log knows to be done.
    pub(super) fn digests_done(&self, candidate: &Candidate) -> Vec<Digest> {
        candidate
            .version
            .parse()
            .ok()
            .and_then(|version| self.log.history().get(&version))
            .map_or_else(Vec::new, |entry| {
                entry.steps(candidate.direction).done.clone()
            })
    }

    /// Ends the run with everything as it is: the start stays open, the lease stays taken, and the next
    /// run, or a person, finds out.
    fn end_unknown(
        &mut self,
        step: &Step,
        at: u64,
        failure: SqlFailure,
        duration_ms: u64,
    ) -> Error {
        self.note(
            step,
            StepOutcome::Unknown,
            duration_ms,
            Some(failure.clone()),
        );
        self.note_end();
        let candidate = &step.candidate;
        Error::Undecided(vec![Refusal {
            code: "unresolved-step",
            version: Some(candidate.version.clone()),
            message: format!(
                "the outcome of statement {at} in the {} script of `{}_{}` is not known: {}",
                candidate.direction, candidate.version, candidate.name, failure.message
            ),
            hint: format!(
                "`mledger resolve {}` shows what the database says; then answer with \
                 --applied|--not-applied --reason TEXT",
                candidate.version
            ),
        }])
    }

    /// Records the failure of a step, and the end of the run where it ends with it.
    async fn record_failure(
        &mut self,
        step: &Step,
        shown: &SqlFailure,
        ends: bool,
    ) -> Result<(), StepFailure> {
        let mut facts = Vec::new();
        let mut failed = 0;
        if self.started.is_some() {
            failed = 1;
            let clean = self.is_clean(step);
            facts.push(Fact::failure(Body::MigrationFailed(MigrationFailed {
                clean,
                direction: step.candidate.direction,
                error: detail(shown),
                steps_applied: if clean {
                    0
                } else {
                    self.steps_done(&step.candidate)
                },
                version: step.candidate.version.clone(),
            })));
        }
        self.begin_record("recording how the run ended").await?;
        if ends {
            facts.extend(self.closing(failed).await?);
        }
        self.left = false;
        self.started = None;
        self.record(facts, Vec::new(), ends).await
    }

    /// Records that the run ends before its next step.
    pub(super) async fn record_stop(&mut self) -> Result<(), StepFailure> {
        let mut facts = Vec::new();
        if let Some(index) = self.started {
            let candidate = &self.steps[index].candidate;
            facts.push(aborted(
                &candidate.version,
                candidate.direction,
                "stopped on request before its first statement",
            ));
        }
        self.begin_record("recording how the run ended").await?;
        let closing = self.closing(0).await?;
        facts.extend(closing);
        self.record(facts, Vec::new(), true).await
    }

    /// Returns the failure in the form that is shown and recorded.
    fn shown(&self, step: &Step, failure: &StepFailure) -> SqlFailure {
        let message = match failure {
            StepFailure::Sql(failure)
            | StepFailure::Transient(failure)
            | StepFailure::Unknown { failure, .. } => return (**failure).clone(),
            StepFailure::Changed(problem) => problem.to_string(),
            StepFailure::Object(reason) => unusable(reason),
            StepFailure::LeaseLost => "the lease was lost".to_owned(),
            StepFailure::Engine { error, doing } => format!("{doing}: {error}"),
            StepFailure::Stopped(StopReason::Interrupt) => "interrupted by SIGINT".to_owned(),
            StepFailure::Stopped(StopReason::Terminate) => "interrupted by SIGTERM".to_owned(),
            StepFailure::Stopped(StopReason::Timeout) => {
                "interrupted: the run's time limit ran out".to_owned()
            }
            StepFailure::TimedOut(limit) => {
                format!("interrupted: the migration's time limit of {limit:?} ran out")
            }
            StepFailure::Library(error) => error.to_string(),
        };
        SqlFailure {
            path: step.candidate.script.label(),
            statement: None,
            line: None,
            column: None,
            text: None,
            message,
            code: None,
        }
    }

    /// Turns a failure that is not a migration's own into the library's error.
    pub(super) fn error_of(&self, failure: StepFailure) -> Error {
        match failure {
            StepFailure::LeaseLost => Error::Locked {
                holder: None,
                message:
                    "this run lost its lease to another one while it was paused or cut off; it \
                          has committed nothing since"
                        .to_owned(),
                done: Box::new(self.report.clone()),
            },
            StepFailure::Engine { error, doing } => engine_error(error, doing, &self.report),
            StepFailure::Library(error) => error,
            StepFailure::Changed(problem) => Error::Integrity {
                code: "script-changed-while-running",
                message: problem.to_string(),
                hint: "run again when nothing writes to the folder".to_owned(),
                findings: Vec::new(),
            },
            StepFailure::Object(reason) => Error::Integrity {
                code: "object-unusable",
                message: unusable(&reason),
                hint: "put the down script's file back, as it was when the migration was applied"
                    .to_owned(),
                findings: Vec::new(),
            },
            StepFailure::Stopped(reason) => Error::Stopped {
                reason,
                done: Box::new(self.report.clone()),
            },
            StepFailure::TimedOut(_) => Error::Stopped {
                reason: StopReason::Timeout,
                done: Box::new(self.report.clone()),
            },
            StepFailure::Sql(failure)
            | StepFailure::Transient(failure)
            | StepFailure::Unknown { failure, .. } => Error::Engine {
                error: EngineError::new(Fault::Statement, failure.message),
                doing: "executing a statement",
                done: Box::new(self.report.clone()),
            },
        }
    }
}

/// Returns the fact that an unfinished start left nothing.
pub(crate) fn aborted(version: &str, direction: Direction, reason: &str) -> Fact {
    Fact::success(Body::MigrationAborted(MigrationAborted {
        direction,
        reason: reason.to_owned(),
        version: version.to_owned(),
    }))
}

pub(super) fn detail(shown: &SqlFailure) -> ErrorDetail {
    ErrorDetail {
        code: shown.code.clone(),
        column: shown.column,
        line: shown.line,
        message: ledger::fit(&ledger::clean(&shown.message), MESSAGE_LIMIT),
        statement: shown.statement,
    }
}

fn unusable(reason: &Unusable) -> String {
    match reason {
        Unusable::Missing(digest) => {
            format!("expected the recorded script `{digest}` in the ledger's objects, found none")
        }
        Unusable::Absent(digest) => format!(
            "the recorded script `{digest}` was too large to be kept, or was redacted: only its \
             digest is there"
        ),
        Unusable::Mismatch(digest) => {
            format!("the object `{digest}` holds other bytes than its digest says")
        }
    }
}
