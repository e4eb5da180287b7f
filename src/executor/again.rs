//! What follows a step that did not end well: the log is asked where an answer was lost, and a
//! transaction of which the database proved that nothing happened is repeated as a new attempt.

use std::time::Duration;

use ledger::{Body, MigrationFailed, Mode};

use super::Run;
use super::failure::{StepFailure, detail};
use super::{atomic, stepwise};
use crate::context::Progress;
use crate::engine::{EngineError, Fault};
use crate::fault;
use crate::journal::Fact;
use crate::report::SqlFailure;

/// How often a step is repeated.
const REPEATS: u32 = 4;

/// The pause before the first repetition; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

impl Run {
    /// Executes step `index`, again where that is safe.
    pub(super) async fn perform(&mut self, index: usize, began_ms: u64) -> Result<(), StepFailure> {
        let mut repeats = 0;
        loop {
            let failure = match self.attempt(index, began_ms).await {
                Ok(()) => return Ok(()),
                Err(failure) => self.of_step(index, failure),
            };
            let shown = match failure {
                StepFailure::Transient(shown) => shown,
                StepFailure::Engine { error, .. } if error.fault == Fault::Disconnected => {
                    return self.ask_the_log(index, error).await;
                }
                other => return Err(other),
            };
            if repeats == REPEATS || self.context.stop.requested().is_some() {
                return Err(StepFailure::Sql(shown));
            }
            self.record_attempt(index, &shown).await?;
            let pause = PAUSE * 2_u32.pow(repeats);
            self.context.observer.observe(&Progress::Warning {
                message: &format!(
                    "`{}` is tried again: {}",
                    self.steps[index].candidate.script.label(),
                    shown.message
                ),
            });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                reason = self.context.stop.wait() => return Err(StepFailure::Stopped(reason)),
            }
            repeats += 1;
        }
    }

    async fn attempt(&mut self, index: usize, began_ms: u64) -> Result<(), StepFailure> {
        self.clean_session().await?;
        let step = &self.steps[index];
        let (mode, changes_session) = (step.mode, step.changes_session);
        let outcome = match mode {
            Mode::Atomic => atomic::run(self, index, began_ms).await,
            Mode::Stepwise => stepwise::run(self, index, began_ms).await,
        };
        self.session_changed |= changes_session;
        outcome
    }

    /// What the database proved undone while our own statements ran is the step's failure too, and so
    /// is what it refused of the script at its end.
    fn of_step(&self, index: usize, failure: StepFailure) -> StepFailure {
        let shown = |code, message| {
            Box::new(SqlFailure {
                code,
                ..atomic::about(&self.steps[index], message)
            })
        };
        match failure {
            StepFailure::Engine { error, doing } => match error.fault {
                Fault::Transient => {
                    let message = format!("{doing}: {}", error.message);
                    StepFailure::Transient(shown(error.code, message))
                }
                Fault::Deferred => StepFailure::Sql(shown(error.code, error.message)),
                _ => StepFailure::Engine { error, doing },
            },
            other => other,
        }
    }

    /// Records that an attempt failed and left nothing of its transaction; the next one is started by
    /// the step itself.
    async fn record_attempt(
        &mut self,
        index: usize,
        shown: &SqlFailure,
    ) -> Result<(), StepFailure> {
        self.restore_session()
            .await
            .map_err(|error| StepFailure::engine(error, "rolling back"))?;
        self.session_changed = false;
        if self.started != Some(index) {
            return Ok(());
        }
        let step = self.steps[index].clone();
        let clean = self.is_clean(&step);
        let failed = Fact::failure(Body::MigrationFailed(MigrationFailed {
            clean,
            direction: step.candidate.direction,
            error: detail(shown),
            steps_applied: if clean {
                0
            } else {
                self.steps_done(&step.candidate)
            },
            version: step.candidate.version.clone(),
        }));
        self.begin_record("recording an attempt that failed")
            .await?;
        self.record(vec![failed], Vec::new(), false).await?;
        fault::reach("again::after-record");
        self.started = None;
        let done = self.digests_done(&step.candidate);
        let candidate = &mut self.steps[index].candidate;
        candidate.attempt += 1;
        candidate.done = done;
        Ok(())
    }

    /// An answer did not arrive. Once the server has ended the old session, the log knows whether the
    /// step was done; what it does not know to be done was not, and a step whose start never reached
    /// the log was not even begun.
    async fn ask_the_log(&mut self, index: usize, error: EngineError) -> Result<(), StepFailure> {
        let lost = |error| StepFailure::engine(error, "asking the ledger what was done");
        if self.restore_session().await.is_err() {
            return Err(lost(error));
        }
        self.session_changed = false;
        let was_begun = self.started == Some(index);
        self.log
            .catch_up(&mut *self.session, &mut |_| {})
            .await
            .map_err(lost)?;
        self.report.head = Some(self.log.head());
        let is_open = self.is_open(index);
        if is_open || !was_begun {
            self.started = is_open.then_some(index);
            return Err(lost(error));
        }
        self.started =
            (index + 1 < self.steps.len() && self.is_open(index + 1)).then_some(index + 1);
        Ok(())
    }

    /// Says whether the log holds a start of this step, in this run, that has not ended.
    pub(super) fn is_open(&self, index: usize) -> bool {
        let candidate = &self.steps[index].candidate;
        candidate
            .version
            .parse()
            .ok()
            .and_then(|version| self.log.history().get(&version))
            .and_then(|entry| entry.open.as_ref())
            .is_some_and(|open| {
                open.run == self.journal.run() && open.direction == candidate.direction
            })
    }
}
