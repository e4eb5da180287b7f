//! A migration statement by statement, for scripts that cannot run in one transaction.
//!
//! A statement that can run in a transaction commits together with its `migration.step_applied`. Only
//! a statement that commits by itself has its event after it; if the process dies in between, that one
//! step's outcome is unknown, and a person is asked.

use ledger::{Body, Digest, MigrationStepApplied};

use super::failure::StepFailure;
use super::{Run, atomic, script};
use crate::context::Progress;
use crate::fault;
use crate::journal::Fact;
use crate::migration::{Script, Statement};
use crate::plan::Step;

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
    for statement in script.statements(rules) {
        let statement = statement.map_err(StepFailure::Changed)?;
        if statement.index <= done {
            continue;
        }
        let last = statement.index == step.statements;
        let statement_began_ms = run.context.source.ticks_ms();
        if step.self_committing.contains(&statement.index) {
            if last {
                // what cannot be undone comes after all that can be refused
                run.check_foreign_keys(&step).await?;
            }
            alone(run, &step, &script, &statement, deadline).await?;
            // the event follows at once, and with the last one the migration's own
            run.begin_script(&step).await?;
        } else {
            run.begin_script(&step).await?;
            atomic::execute(run, &step, &script, &statement, deadline).await?;
            if last {
                run.check_foreign_keys(&step).await?;
            }
        }
        let elapsed_ms = run
            .context
            .source
            .ticks_ms()
            .saturating_sub(statement_began_ms);
        let fact = applied(&step, &statement, elapsed_ms);
        if last {
            atomic::verify(run, &script, &step).await?;
            run.commit_step(index, began_ms, vec![fact]).await?;
            committed = true;
        } else {
            run.record(vec![fact], Vec::new(), false).await?;
        }
        run.context.observer.observe(&Progress::Statements {
            done: statement.index,
            of: step.statements,
        });
    }
    if !committed {
        // a script without statements, or one whose statements were all done before
        run.begin_script(&step).await?;
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
    let held = run.session.renew_lease(run.token, run.lease).await;
    if !held.map_err(|error| StepFailure::engine(error, "renewing the lease"))? {
        return Err(StepFailure::LeaseLost);
    }
    atomic::execute(run, step, script, statement, deadline).await
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
