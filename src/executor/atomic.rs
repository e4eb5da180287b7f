//! A migration in one transaction: its effects and the event that says so are committed together.

use ledger::{Cause, Mode};

use super::Run;
use super::failure::StepFailure;
use super::record::{fact_of_success, fact_to_start, objects_of};
use super::script::{self, Halt};
use crate::context::Progress;
use crate::engine::{EngineError, Fault};
use crate::fault;
use crate::journal::Fact;
use crate::migration::split::Pieces;
use crate::migration::{Class, Script, Statement};
use crate::plan::Step;
use crate::report::SqlFailure;

/// Statements between two reports of progress.
const PROGRESS_EVERY: u64 = 64;

/// The most rows that a message about foreign keys names.
const ROWS_NAMED: usize = 5;

/// Executes step `index`, whose start is in the log, and starts the next one with its commit.
pub(super) async fn run(run: &mut Run, index: usize, began_ms: u64) -> Result<(), StepFailure> {
    let step = run.steps[index].clone();
    run.ensure_started(index).await?;
    let script = script::load(&mut *run.session, run.engine.lex_rules(), &step).await?;
    run.know_violations(&step).await?;
    run.begin_script(&step).await?;
    execute_all(run, &step, &script).await?;
    fault::reach("step::before-check");
    // the script's queries see the session as its statements left it
    verify(run, &script, &step).await?;
    run.settle().await?;
    run.check_foreign_keys(&step).await?;
    drop(script);
    run.commit_step(index, began_ms, Vec::new()).await?;
    fault::reach("step::after-commit");
    Ok(())
}

async fn execute_all(run: &mut Run, step: &Step, script: &Script) -> Result<(), StepFailure> {
    let deadline = script::deadline(step.timeout);
    let rules = run.engine.lex_rules();
    let mut done = 0;
    for statement in script.statements(rules) {
        let statement = statement.map_err(StepFailure::Changed)?;
        if step.own_transaction && statement.frames() {
            continue;
        }
        execute(run, step, script, &statement, deadline).await?;
        done += 1;
        if done % PROGRESS_EVERY == 0 || done == step.statements {
            run.context.observer.observe(&Progress::Statements {
                done,
                of: step.statements,
            });
        }
    }
    Ok(())
}

/// What runs in the step's transaction must leave it open: the event that says so belongs into it.
async fn still_open(run: &mut Run, step: &Step, what: &str) -> Result<(), StepFailure> {
    let open = run.session.in_transaction().await;
    if open.map_err(|error| StepFailure::engine(error, "checking the transaction"))? {
        return Ok(());
    }
    Err(StepFailure::Sql(Box::new(about(
        step,
        format!("{what} ended the transaction that it ran in"),
    ))))
}

/// Returns what is found more often than before; both are sorted. Rows of a table that does not number
/// them have one description.
fn added<'a>(before: &[String], found: &'a [String]) -> Vec<&'a String> {
    let mut before = before.iter().peekable();
    found
        .iter()
        .filter(|row| {
            while before.next_if(|known| *known < *row).is_some() {}
            before.next_if(|known| known == row).is_none()
        })
        .collect()
}

/// Executes one statement under watch; its failure is the step's, with its place in the file.
pub(super) async fn execute(
    run: &mut Run,
    step: &Step,
    script: &Script,
    statement: &Statement<'_>,
    deadline: Option<tokio::time::Instant>,
) -> Result<(), StepFailure> {
    fault::reach("step::before-statement");
    if statement.class == Class::Block {
        let whole = 0..statement.text.len();
        let mut begun = false;
        for piece in Pieces::new(statement.text, whole, run.engine.lex_rules()) {
            // the block was cut before, when the script was read
            let Some(range) = piece.ok().and_then(|piece| piece.statement) else {
                continue;
            };
            let part = Statement {
                text: &statement.text[range.clone()],
                offset: statement.offset + range.start,
                ..*statement
            };
            let executed = execute_one(run, step, script, &part, deadline).await;
            // those before it have committed, or may have
            run.left |= begun && executed.is_err();
            executed?;
            begun = true;
        }
    } else {
        execute_one(run, step, script, statement, deadline).await?;
    }
    fault::reach("step::after-statement");
    Ok(())
}

async fn execute_one(
    run: &mut Run,
    step: &Step,
    script: &Script,
    statement: &Statement<'_>,
    deadline: Option<tokio::time::Instant>,
) -> Result<(), StepFailure> {
    let executed = script::execute(
        &mut *run.session,
        statement.text,
        &run.context.stop,
        deadline,
    )
    .await
    .map_err(|halt| halted(run, step, script, statement, halt))?;
    run.note_warnings(step, statement, executed);
    Ok(())
}

/// Turns the end of a statement into the failure of its step, with its place in the file.
fn halted(
    run: &mut Run,
    step: &Step,
    script: &Script,
    statement: &Statement<'_>,
    halt: Halt,
) -> StepFailure {
    match halt {
        Halt::Stopped(reason, left) => {
            run.note_left(left);
            StepFailure::Stopped(reason)
        }
        Halt::TimedOut(left) => {
            run.note_left(left);
            StepFailure::TimedOut(step.timeout.unwrap_or_default())
        }
        Halt::Engine(error) if error.fault == Fault::Interrupted && run.heartbeat.lost() => {
            StepFailure::LeaseLost
        }
        Halt::Engine(error) => {
            let failure = Box::new(located(step, script, statement, &error));
            match error.fault {
                Fault::Transient => StepFailure::Transient(failure),
                Fault::Disconnected if step.self_committing.contains(&statement.index) => {
                    StepFailure::Unknown {
                        step: statement.index,
                        failure,
                    }
                }
                Fault::Partial => {
                    run.left = true;
                    StepFailure::Sql(failure)
                }
                _ => StepFailure::Sql(failure),
            }
        }
    }
}

/// Says where in the file the database found its error: at the offset it gave, else at the statement.
fn located(
    step: &Step,
    script: &Script,
    statement: &Statement<'_>,
    error: &EngineError,
) -> SqlFailure {
    let offset = statement.offset + error.offset.unwrap_or(0).min(statement.text.len());
    let place = script.line_of(offset);
    SqlFailure {
        path: step.candidate.script.label(),
        statement: Some(statement.index),
        line: Some(place.line as u64),
        column: Some(place.column as u64),
        text: Some(place.text.to_owned()),
        message: error.message.clone(),
        code: error.code.clone(),
    }
}

pub(super) fn about(step: &Step, message: String) -> SqlFailure {
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

/// Each query of the VERIFY section must return one row whose first column is true.
pub(super) async fn verify(run: &mut Run, script: &Script, step: &Step) -> Result<(), StepFailure> {
    let rules = run.engine.lex_rules();
    let mut asked = false;
    for query in script.verifications(rules) {
        let query = query.map_err(StepFailure::Changed)?;
        if !asked {
            still_open(run, step, "the script").await?;
        }
        asked = true;
        let message = match run.session.holds(query.text).await {
            Ok(true) => continue,
            Ok(false) => {
                "expected the verification query to return one row whose first column is true"
                    .to_owned()
            }
            Err(error) => {
                let mut failure = located(step, script, &query, &error);
                failure.statement = None;
                return Err(StepFailure::Sql(Box::new(failure)));
            }
        };
        let error = EngineError::new(Fault::Statement, message);
        let mut failure = located(step, script, &query, &error);
        failure.statement = None;
        return Err(StepFailure::Sql(Box::new(failure)));
    }
    if asked {
        still_open(run, step, "a verification query").await?;
    }
    Ok(())
}

impl Run {
    /// Remembers that a statement which was stopped may have left something, and shows what.
    fn note_left(&mut self, left: Option<EngineError>) {
        if let Some(error) = left {
            self.left = true;
            self.context.observer.observe(&Progress::Warning {
                message: &error.message,
            });
        }
    }

    /// Starts the step now, if its start did not ride in the commit before.
    pub(super) async fn ensure_started(&mut self, index: usize) -> Result<(), StepFailure> {
        if self.started == Some(index) {
            return Ok(());
        }
        let step = self.steps[index].clone();
        self.begin_record("starting a migration").await?;
        let objects = objects_of(&step)?;
        self.record(vec![fact_to_start(&step, self.batch)], objects, false)
            .await?;
        self.started = Some(index);
        Ok(())
    }

    /// Commits a step's effects with the event that says so, and with what comes next: the start of
    /// the following step where nothing can come between, or the end of the run. `facts` come first.
    pub(super) async fn commit_step(
        &mut self,
        index: usize,
        began_ms: u64,
        mut facts: Vec<Fact>,
    ) -> Result<(), StepFailure> {
        let step = self.steps[index].clone();
        let duration_ms = self.context.source.ticks_ms().saturating_sub(began_ms);
        let cause = self
            .back
            .map_or(Cause::Requested, |reversal| reversal.cause);
        facts.push(fact_of_success(&step, self.batch, duration_ms, cause));
        let Some(next) = self.steps.get(index + 1).cloned() else {
            if self.has_checks_after() {
                self.record(facts, Vec::new(), false).await?;
                self.started = None;
                return Ok(());
            }
            self.finishing = true;
            let closing = self.closing(0).await;
            self.finishing = false;
            facts.extend(closing?);
            self.record(facts, Vec::new(), true).await?;
            self.started = None;
            return Ok(());
        };
        let rides = self.context.stop.requested().is_none() && next.may_ride();
        let mut objects = Vec::new();
        let mut begin = None;
        if rides {
            facts.push(fact_to_start(&next, self.batch));
            objects = objects_of(&next)?;
            let same_session = !self.session_changed && !step.changes_session;
            begin = (same_session && next.mode == Mode::Atomic).then(|| self.limits(&next));
        }
        self.record_before(facts, objects, false, begin).await?;
        self.started = rides.then_some(index + 1);
        Ok(())
    }

    /// Ends the script's part of the open transaction; what it deferred may be refused now.
    pub(super) async fn settle(&mut self) -> Result<(), StepFailure> {
        let settled = self.session.settle().await;
        settled.map_err(|error| StepFailure::engine(error, "ending a script"))
    }

    /// Learns which rows break a foreign key already, before the first script that could add one.
    pub(super) async fn know_violations(&mut self, step: &Step) -> Result<(), StepFailure> {
        if step.enforce_foreign_keys || self.violations.is_some() {
            return Ok(());
        }
        let found = self.session.foreign_key_violations().await;
        self.violations =
            Some(found.map_err(|error| StepFailure::engine(error, "checking foreign keys"))?);
        Ok(())
    }

    /// Refuses the commit of a script that ran without enforcement and left rows without a parent.
    pub(super) async fn check_foreign_keys(&mut self, step: &Step) -> Result<(), StepFailure> {
        if step.enforce_foreign_keys {
            self.violations = None;
            return Ok(());
        }
        let found = self
            .session
            .foreign_key_violations()
            .await
            .map_err(|error| StepFailure::engine(error, "checking foreign keys"))?;
        let before = self.violations.take().unwrap_or_default();
        let added = added(&before, &found);
        if added.is_empty() {
            self.violations = Some(found);
            return Ok(());
        }
        let named: Vec<&str> = added
            .iter()
            .take(ROWS_NAMED)
            .map(|row| row.as_str())
            .collect();
        let more = added.len().saturating_sub(ROWS_NAMED);
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Err(StepFailure::Sql(Box::new(about(
            step,
            format!(
                "the script leaves rows that break a foreign key: {}{rest}",
                named.join(", ")
            ),
        ))))
    }
}
