//! Automatic rollback: what a run has applied is undone again, newest first, because a later migration
//! of it or a check after it failed.
//!
//! Only what the log knows to be applied is undone, by the scripts recorded then. Where any of them
//! cannot be, or a part of the failed migration is left, nothing is: a person decides.

use ledger::{Cause, Direction};

use super::Run;
use super::failure::StepFailure;
use crate::context::Progress;
use crate::error::Error;
use crate::plan::{Step, down, examine};
use crate::request::Back;

/// Why a run undoes what it has done, and what it had done until then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reversal {
    /// Why.
    pub(super) cause: Cause,
    /// How many steps of the plan were done.
    pub(super) done: u64,
    /// How many had failed.
    pub(super) failed: u64,
}

impl Run {
    /// Says whether a failure of this step takes what the run has applied before with it.
    pub(super) fn takes_the_rest_back(&self, step: &Step, failure: &StepFailure) -> bool {
        let of_the_script = matches!(
            failure,
            StepFailure::Sql(_) | StepFailure::Transient(_) | StepFailure::TimedOut(_)
        );
        of_the_script
            && self.rules.auto_rollback
            && self.back.is_none()
            && step.candidate.direction == Direction::Up
            && self.report.applied > 0
    }

    /// Undoes what this run has applied, and ends it. Returns what is graver than the failure that led
    /// here: a step of unknown outcome, or a lost lease.
    pub(super) async fn go_back(&mut self, cause: Cause, failed: u64) -> Option<Error> {
        self.back = Some(Reversal {
            cause,
            done: self.report.applied + self.report.rolled_back,
            failed,
        });
        self.started = None;
        self.violations = None;
        match self.steps_back().await {
            Ok(steps) if !steps.is_empty() => self.undo(steps).await,
            Ok(_) => self.close_without_reversal().await,
            Err(reason) => {
                self.warn(&format!(
                    "nothing of this run is rolled back: {reason}; `mledger down` rolls back step by \
                     step"
                ));
                self.close_without_reversal().await
            }
        }
    }

    async fn undo(&mut self, steps: Vec<Step>) -> Option<Error> {
        let count = steps.len();
        self.steps = steps;
        for index in 0..count {
            let step = self.steps[index].clone();
            self.observe_start(index, &step);
            let began = self.context.source.ticks_ms();
            let outcome = self.perform(index, began).await;
            let duration_ms = self.context.source.ticks_ms().saturating_sub(began);
            match outcome {
                Ok(()) => self.note_done(&step, duration_ms),
                Err(failure) => {
                    let error = Box::pin(self.end_failed(&step, failure, duration_ms)).await;
                    self.warn(&format!("the rollback of this run stopped: {error}"));
                    return matches!(error, Error::Undecided(_) | Error::Locked { .. })
                        .then_some(error);
                }
            }
        }
        None
    }

    /// Returns the steps that undo what this run has applied.
    async fn steps_back(&mut self) -> Result<Vec<Step>, String> {
        // without files the recorded scripts are taken, which are those that ran
        let selection = down::select(&[], self.log.history(), &Back::Batch(Some(self.batch)));
        let plan = examine::examine(
            selection,
            self.engine.capabilities(),
            self.engine.lex_rules(),
            Some(&mut *self.session),
        )
        .await
        .map_err(|error| format!("reading a recorded script: {error}"))?;
        match plan.refusal() {
            Some(refusal) => Err(refusal.to_string()),
            None => Ok(plan.steps),
        }
    }

    async fn close_without_reversal(&mut self) -> Option<Error> {
        match self.close().await {
            Ok(()) => None,
            Err(failure) => {
                let error = self.error_of(failure);
                self.warn(&format!(
                    "the end of the run could not be recorded: {error}"
                ));
                matches!(error, Error::Locked { .. }).then_some(error)
            }
        }
    }

    async fn close(&mut self) -> Result<(), StepFailure> {
        self.begin_record("recording how the run ended").await?;
        let closing = self.closing(0).await?;
        self.record(closing, Vec::new(), true).await
    }

    fn warn(&self, message: &str) {
        self.context
            .observer
            .observe(&Progress::Warning { message });
    }
}
