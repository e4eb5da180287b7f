//! A migration statement by statement, for scripts that cannot run in one transaction.
//!
//! A statement that can run in a transaction commits together with its `migration.step_applied`. Only
//! a statement that commits by itself has its event after it; if the process dies in between, that one
//! step's outcome is unknown, and a person is asked.

use std::time::Duration;

use ledger::{Body, Digest, MigrationStepApplied};

use super::failure::StepFailure;
use super::{Run, atomic, script};
use crate::context::Progress;
use crate::fault;
use crate::journal::Fact;
use crate::migration::{Script, Statement, carried};
use crate::plan::Step;

/// How often the event of a statement that took effect is tried.
const TRIES: u32 = 6;

/// How old a renewal may be, by the session that is to execute a statement which cannot be undone, not
/// to be repeated right before it. Who takes the lease over ends that session first in any case.
const RECENT: Duration = Duration::from_millis(250);

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Executes step `index`, whose start is in the log, from the first statement that is not done.
pub(super) async fn run(run: &mut Run, index: usize, began_ms: u64) -> Result<(), StepFailure> {
    let step = run.steps[index].clone();
    run.ensure_started(index).await?;
    run.know_violations(&step).await?;
    let script = script::load(&mut *run.session, run.engine.lex_rules(), &step).await?;
    let deadline = script::deadline(step.timeout);
    let rules = run.engine.lex_rules();
    let done = step.candidate.done.len() as u64;
    let mut committed = false;
    run.carry(&step, &script).await?;
    let verified = script.verifications(rules).next().is_some();
    let mut number = 0;
    for statement in script.statements(rules) {
        let mut statement = statement.map_err(StepFailure::Changed)?;
        if step.own_transaction && statement.frames() {
            continue;
        }
        number += 1;
        statement.index = number;
        if number <= done {
            continue;
        }
        let last = statement.index == step.statements;
        let clock = Clock {
            step_began_ms: began_ms,
            statement_began_ms: run.context.source.ticks_ms(),
        };
        if step.self_committing.contains(&statement.index) {
            if last {
                // what cannot be undone comes after all that can be refused
                run.check_foreign_keys(&step).await?;
            }
            alone(run, &step, &script, &statement, deadline).await?;
            // its event comes before a query that could still refuse the migration
            committed = last && !verified;
            run.record_effect(index, &statement, &clock, committed)
                .await?;
        } else {
            run.begin_script(&step).await?;
            atomic::execute(run, &step, &script, &statement, deadline).await?;
            let fact = applied(&step, &statement, run.elapsed(&clock));
            if last {
                atomic::verify(run, &script, &step).await?;
                run.settle().await?;
                run.check_foreign_keys(&step).await?;
                run.commit_step(index, began_ms, vec![fact]).await?;
                committed = true;
            } else {
                run.record(vec![fact], Vec::new(), false).await?;
            }
        }
        run.context.observer.observe(&Progress::Statements {
            done: statement.index,
            of: step.statements,
        });
    }
    if !committed {
        // a script without statements, one whose statements were all done before, or one that is to be
        // verified behind a statement that committed by itself
        run.begin_script(&step).await?;
        atomic::verify(run, &script, &step).await?;
        run.commit_step(index, began_ms, Vec::new()).await?;
    }
    fault::reach("step::after-commit");
    Ok(())
}

/// Executes a statement that commits by itself, outside of any transaction, while the lease is held.
async fn alone(
    run: &mut Run,
    step: &Step,
    script: &Script,
    statement: &Statement<'_>,
    deadline: Option<tokio::time::Instant>,
) -> Result<(), StepFailure> {
    if run.renewed.is_none_or(|at| at.elapsed() > RECENT) {
        let held = run.session.renew_lease(run.token, run.lease).await;
        if !held.map_err(|error| StepFailure::engine(error, "renewing the lease"))? {
            return Err(StepFailure::LeaseLost);
        }
    }
    let limits = run.limits(step);
    if limits.lock_timeout.is_some() || limits.statement_timeout.is_some() {
        let limited = run.session.limit(&limits).await;
        limited.map_err(|error| StepFailure::engine(error, "setting a script's limits"))?;
    }
    atomic::execute(run, step, script, statement, deadline).await
}

/// When a step and its current statement began, on the clock that is recorded.
struct Clock {
    step_began_ms: u64,
    statement_began_ms: u64,
}

impl Run {
    /// Makes the session for the rest of a script what its first statements made of theirs.
    async fn carry(&mut self, step: &Step, script: &Script) -> Result<(), StepFailure> {
        let done = step.candidate.done.len() as u64;
        if done == 0 {
            return Ok(());
        }
        let again = carried(script, self.engine.lex_rules(), done).map_err(|(line, what)| {
            let mut failure = atomic::about(
                step,
                format!(
                    "the rest of the script may depend on {what}, which ended with its session"
                ),
            );
            failure.line = Some(line);
            StepFailure::Sql(Box::new(failure))
        })?;
        for statement in again {
            self.session
                .execute(&statement)
                .await
                .map_err(|error| StepFailure::engine(error, "setting the session up again"))?;
        }
        Ok(())
    }

    fn elapsed(&self, clock: &Clock) -> u64 {
        let now = self.context.source.ticks_ms();
        now.saturating_sub(clock.statement_began_ms)
    }

    /// Records that a statement which committed by itself took effect, with the migration's own event
    /// where it `closes` it. What took effect is recorded if it can be: the event is decided again
    /// as long as the lease is held.
    async fn record_effect(
        &mut self,
        index: usize,
        statement: &Statement<'_>,
        clock: &Clock,
        closes: bool,
    ) -> Result<(), StepFailure> {
        let step = self.steps[index].clone();
        let mut tries = 1;
        loop {
            let fact = applied(&step, statement, self.elapsed(clock));
            let failure = match self.try_to_record(index, clock, fact, closes).await {
                Ok(()) if tries == 1 => return Ok(()),
                Ok(()) => return self.go_on_recorded(index, &step, closes),
                Err(StepFailure::LeaseLost) => return Err(StepFailure::LeaseLost),
                Err(failure) => failure,
            };
            if tries == TRIES {
                let reason = self.error_of(failure).to_string();
                let message = format!("it took effect, and that could not be recorded: {reason}");
                return Err(StepFailure::Unknown {
                    step: statement.index,
                    failure: Box::new(atomic::about(&step, message)),
                });
            }
            tokio::time::sleep(PAUSE).await;
            tries += 1;
            if self.restore_session().await.is_ok()
                && self
                    .log
                    .catch_up(&mut *self.session, &mut |_| {})
                    .await
                    .is_ok()
                && (self.steps_done(&step.candidate) >= statement.index || !self.is_open(index))
            {
                return self.go_on_recorded(index, &step, closes);
            }
        }
    }

    async fn try_to_record(
        &mut self,
        index: usize,
        clock: &Clock,
        fact: Fact,
        closes: bool,
    ) -> Result<(), StepFailure> {
        self.begin_record("recording what was done").await?;
        if closes {
            self.commit_step(index, clock.step_began_ms, vec![fact])
                .await
        } else {
            self.record(vec![fact], Vec::new(), false).await
        }
    }

    /// The event was recorded, and its answer lost with the session. A script does not go on in a
    /// session that is not the one it set up.
    fn go_on_recorded(
        &mut self,
        index: usize,
        step: &Step,
        closes: bool,
    ) -> Result<(), StepFailure> {
        self.session_changed = false;
        if closes {
            let next = index + 1;
            self.started = (next < self.steps.len() && self.is_open(next)).then_some(next);
            return Ok(());
        }
        Err(StepFailure::Sql(Box::new(atomic::about(
            step,
            "the connection broke between two statements; what was done is recorded".to_owned(),
        ))))
    }
}

fn applied(step: &Step, statement: &Statement<'_>, duration_ms: u64) -> Fact {
    Fact::success(Body::MigrationStepApplied(MigrationStepApplied {
        direction: step.candidate.direction,
        duration_ms,
        statement: Digest::of(statement.text.as_bytes()),
        step: statement.index,
        version: step.candidate.version.clone(),
    }))
}
