//! Where a step's statements come from, and how one of them is executed under watch.

use std::time::Duration;

use super::failure::StepFailure;
use crate::context::Stop;
use crate::engine::{EngineError, Executed, Fault, Session};
use crate::error::StopReason;
use crate::migration::Script;
use crate::migration::split::LexRules;
use crate::object;
use crate::plan::{ScriptSource, Step};

/// Reads a step's script: the bytes are those whose digest the plan names, or it is refused.
pub(super) async fn load(
    session: &mut dyn Session,
    rules: &'static LexRules,
    step: &Step,
) -> Result<Script, StepFailure> {
    match &step.candidate.script {
        ScriptSource::File(file) => file.load().map_err(StepFailure::Changed),
        ScriptSource::Object {
            digest,
            form,
            label,
        } => {
            let bytes = object::bytes(session, digest)
                .await
                .map_err(|error| StepFailure::engine(error, "reading a recorded script"))?
                .map_err(StepFailure::Object)?;
            Script::recorded(bytes, label, *form, rules).map_err(StepFailure::Changed)
        }
    }
}

/// Why a statement came to no good end.
pub(super) enum Halt {
    /// The database refused it.
    Engine(EngineError),
    /// The run was asked to stop; where the statement was stopped half way, something may be left.
    Stopped(StopReason, Option<EngineError>),
    /// The migration's own time limit ran out; where the statement was stopped half way, something may
    /// be left.
    TimedOut(Option<EngineError>),
}

/// Executes one statement; a request to stop, or the end of the time limit, interrupts it and then
/// waits for the database to say that it has stopped.
pub(super) async fn execute(
    session: &mut dyn Session,
    sql: &str,
    stop: &Stop,
    deadline: Option<tokio::time::Instant>,
) -> Result<Executed, Halt> {
    if let Some(reason) = stop.requested() {
        return Err(Halt::Stopped(reason, None));
    }
    if deadline.is_some_and(|deadline| deadline <= tokio::time::Instant::now()) {
        return Err(Halt::TimedOut(None));
    }
    let interrupter = session.interrupter();
    let outcome = {
        let execution = session.execute(sql);
        tokio::pin!(execution);
        let reason = tokio::select! {
            biased;
            outcome = &mut execution => return outcome.map_err(Halt::Engine),
            reason = stop.wait() => Some(reason),
            () = until(deadline) => None,
        };
        interrupter.interrupt();
        // a statement that ended before the interrupt reached it has taken effect all the same
        execution
            .await
            .map_err(|error| match (error.fault, reason) {
                (Fault::Disconnected, _) => Halt::Engine(error),
                (Fault::Partial, Some(reason)) => Halt::Stopped(reason, Some(error)),
                (Fault::Partial, None) => Halt::TimedOut(Some(error)),
                (_, Some(reason)) => Halt::Stopped(reason, None),
                (_, None) => Halt::TimedOut(None),
            })
    };
    session.resume();
    outcome
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Returns when a time limit that begins now ends.
pub(super) fn deadline(limit: Option<Duration>) -> Option<tokio::time::Instant> {
    limit.map(|limit| tokio::time::Instant::now() + limit)
}
