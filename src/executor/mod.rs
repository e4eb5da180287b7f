//! Effects, in order: executes the steps of a plan under a lease and records what happened.
//!
//! A [`Run`] exists only while the lease is held. Its first step has been started in the transaction
//! that took the lease; each further one is started in the transaction that commits the one before
//! it, where nothing can stop the run in between. The closing events ride in the last commit.

mod again;
mod atomic;
mod back;
mod checks;
mod failure;
mod record;
mod script;
mod stepwise;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ledger::Direction;
use tokio::time::Instant;
use uuid::Uuid;

pub(crate) use self::back::Reversal;
pub(crate) use self::failure::{StepFailure, aborted};
pub(crate) use self::record::{Closing, fact_to_start, facts_to_close, objects_of, schema_state};
use crate::config::Secrets;
use crate::context::{Context, Progress};
use crate::engine::{Engine, Executed, Session};
use crate::error::{Error, StopReason};
use crate::fault;
use crate::journal::Journal;
use crate::lease::Heartbeat;
use crate::log::Log;
use crate::migration::Statement;
use crate::plan::Step;
use crate::policy::Rules;
use crate::report::{RunMigration, RunReport, StepOutcome};

/// How long a transaction of ours, which holds events alone, waits for others that append.
pub(crate) const RECORD_WAIT: Duration = Duration::from_secs(30);

/// A run that holds the lease.
pub(crate) struct Run {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) session: Box<dyn Session>,
    pub(crate) log: Log,
    pub(crate) journal: Journal,
    pub(crate) context: Context,
    pub(crate) steps: Vec<Step>,
    pub(crate) report: RunReport,
    pub(crate) token: Uuid,
    pub(crate) lease: Duration,
    /// How scripts wait for the database's locks, and how long their statements may take, where they
    /// do not say so themselves.
    pub(crate) lock_timeout: Option<Duration>,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) batch: u64,
    pub(crate) began_ms: u64,
    pub(crate) heartbeat: Heartbeat,
    /// The step whose start is in the log and whose end is not.
    pub(crate) started: Option<usize>,
    /// The closing events being made ride in the commit of the last step.
    pub(crate) finishing: bool,
    /// A script changed the session, which is put back before the next one.
    pub(crate) session_changed: bool,
    /// A statement of the current step failed and may have left something.
    pub(crate) left: bool,
    /// How many warnings the current step has drawn.
    pub(crate) warnings: u64,
    /// When the session that does the work last renewed the lease, in a transaction that it committed.
    pub(crate) renewed: Option<Instant>,
    /// The rules of the environment.
    pub(crate) rules: Rules,
    /// What is kept out of what a check finds.
    pub(crate) secrets: Secrets,
    /// The folder that the programs of checks run in.
    pub(crate) project: Option<PathBuf>,
    /// The plan applies something, so the environment's checks are made.
    pub(crate) applies: bool,
    /// A check does not hold.
    pub(crate) check_failed: bool,
    /// The run undoes what it has done.
    pub(crate) back: Option<Reversal>,
    /// Rows that broke a foreign key before the step, once they are known.
    pub(crate) violations: Option<Vec<String>>,
}

impl Run {
    /// Executes the steps and closes the run.
    pub(crate) async fn execute(mut self) -> Result<(RunReport, Log), (Error, Log)> {
        if let Err(error) = self.check_before().await {
            return Err((error, self.log));
        }
        for index in 0..self.steps.len() {
            if let Some(reason) = self.context.stop.requested() {
                let error = self.stop_between(reason).await;
                return Err((error, self.log));
            }
            let step = self.steps[index].clone();
            self.observe_start(index, &step);
            let began = self.context.source.ticks_ms();
            let outcome = self.perform(index, began).await;
            let duration_ms = self.context.source.ticks_ms().saturating_sub(began);
            match outcome {
                Ok(()) => self.note_done(&step, duration_ms),
                Err(failure) => {
                    let error = self.end_failed(&step, failure, duration_ms).await;
                    return Err((error, self.log));
                }
            }
        }
        if let Err(error) = self.check_after().await {
            return Err((error, self.log));
        }
        fault::reach("run::before-end");
        self.note_end();
        let Self {
            session,
            report,
            log,
            ..
        } = self;
        if let Err(error) = session.close().await {
            tracing::warn!(%error, "the connection did not close cleanly");
        }
        Ok((report, log))
    }

    /// Puts the session back to how it was opened, if a script before has changed it.
    pub(super) async fn clean_session(&mut self) -> Result<(), StepFailure> {
        if !self.session_changed {
            return Ok(());
        }
        self.renewed = None;
        self.session
            .reset()
            .await
            .map_err(|error| StepFailure::engine(error, "resetting the session"))?;
        self.session_changed = false;
        Ok(())
    }

    fn observe_start(&self, index: usize, step: &Step) {
        self.context.observer.observe(&Progress::StepStarted {
            index: index + 1,
            steps: self.steps.len(),
            version: &step.candidate.version,
            name: &step.candidate.name,
            direction: step.candidate.direction,
            statements: step.statements,
        });
    }

    fn note_done(&mut self, step: &Step, duration_ms: u64) {
        let outcome = match step.candidate.direction {
            Direction::Up => {
                self.report.applied += 1;
                StepOutcome::Applied
            }
            Direction::Down => {
                self.report.rolled_back += 1;
                StepOutcome::RolledBack
            }
        };
        self.note(step, outcome, duration_ms, None);
    }

    fn note(
        &mut self,
        step: &Step,
        outcome: StepOutcome,
        duration_ms: u64,
        error: Option<crate::report::SqlFailure>,
    ) {
        let candidate = &step.candidate;
        self.context.observer.observe(&Progress::StepFinished {
            version: &candidate.version,
            name: &candidate.name,
            direction: candidate.direction,
            outcome,
            duration_ms,
        });
        self.report.migrations.push(RunMigration {
            version: candidate.version.clone(),
            name: candidate.name.clone(),
            direction: candidate.direction,
            outcome,
            duration_ms,
            statements: step.statements,
            warnings: std::mem::take(&mut self.warnings),
            error,
        });
    }

    /// Counts what the server warned of, and shows the first warnings.
    fn note_warnings(&mut self, step: &Step, statement: &Statement<'_>, executed: Executed) {
        self.warnings += executed.warnings;
        for message in &executed.messages {
            self.context.observer.observe(&Progress::Warning {
                message: &format!(
                    "`{}`, line {}: the server warns: {message}",
                    step.candidate.script.label(),
                    statement.line
                ),
            });
        }
    }

    fn note_end(&mut self) {
        self.report.head = Some(self.log.head());
        self.report.duration_ms = self.context.source.ticks_ms().saturating_sub(self.began_ms);
    }

    /// Ends the run before its next step, which may have been started already.
    async fn stop_between(&mut self, reason: StopReason) -> Error {
        self.context
            .observer
            .observe(&Progress::Stopping { reason });
        if let Err(failure) = self.record_stop().await {
            return self.error_of(failure);
        }
        self.note_end();
        Error::Stopped {
            reason,
            done: Box::new(self.report.clone()),
        }
    }
}
