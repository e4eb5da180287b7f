//! How a run writes: one transaction ends with the fence, the events, and the commit, in that order.

use tokio::time::Instant;

use ledger::{
    Body, Cause, Direction, LockReleased, MigrationApplied, MigrationRolledBack, MigrationStarted,
    RunFinished, SchemaState,
};

use super::failure::StepFailure;
use super::{RECORD_WAIT, Run};
use crate::engine::{Begin, Fence, Object, SchemaFingerprint};
use crate::fault;
use crate::journal::Fact;
use crate::log;
use crate::object;
use crate::plan::{ScriptSource, Step};

impl Run {
    /// Opens the transaction that a script, or one of its statements, runs in.
    pub(super) async fn begin_script(&mut self, step: &Step) -> Result<(), StepFailure> {
        fault::reach("step::before-begin");
        let begin = self.limits(step);
        self.session
            .begin(&begin)
            .await
            .map_err(|error| StepFailure::engine(error, "beginning a script's transaction"))?;
        fault::reach("step::after-begin");
        Ok(())
    }

    /// Returns how the statements of a step run.
    pub(super) fn limits(&self, step: &Step) -> Begin {
        Begin {
            enforce_foreign_keys: step.enforce_foreign_keys,
            lock_timeout: step.lock_timeout.or(self.lock_timeout),
            statement_timeout: self.statement_timeout,
        }
    }

    /// Opens a transaction for events alone.
    pub(super) async fn begin_record(&mut self, doing: &'static str) -> Result<(), StepFailure> {
        let begin = Begin {
            lock_timeout: Some(self.lock_timeout.unwrap_or(RECORD_WAIT)),
            ..Begin::default()
        };
        self.session
            .begin(&begin)
            .await
            .map_err(|error| StepFailure::engine(error, doing))
    }

    /// Ends the open transaction: the lease is checked and renewed (or released), what others
    /// appended meanwhile is read, the facts are appended, and all of it is committed or none.
    pub(super) async fn record(
        &mut self,
        facts: Vec<Fact>,
        objects: Vec<Object>,
        release: bool,
    ) -> Result<(), StepFailure> {
        self.record_before(facts, objects, release, None).await
    }

    /// Does as [`Run::record`]; `next` is the transaction that will most likely be begun next.
    pub(super) async fn record_before(
        &mut self,
        facts: Vec<Fact>,
        objects: Vec<Object>,
        release: bool,
        next: Option<Begin>,
    ) -> Result<(), StepFailure> {
        fault::reach("record::before-fence");
        let fail = |error| StepFailure::engine(error, "recording what was done");
        let session = &mut *self.session;
        let fence = Fence {
            token: self.token,
            keep: (!release).then_some(self.lease),
        };
        let tail = session.fence(&fence, self.log.size(), log::PAGE).await;
        let known = match tail.map_err(fail)? {
            Some(page) => self.log.take_in(&page, &mut |_| {}),
            None if fault::without("lease::unfenced") => false,
            None => return Err(StepFailure::LeaseLost),
        };
        if !known {
            let read = self.log.catch_up(session, &mut |_| {}).await;
            read.map_err(fail)?;
        }
        if self.log.has_errors() {
            return Err(StepFailure::Library(crate::migrator::broken(&self.log)));
        }
        let staged = self
            .journal
            .stage(&self.log, facts)
            .map_err(StepFailure::Library)?;
        fault::reach("record::before-append");
        let committed = staged
            .append_and_commit(session, &objects, next.as_ref())
            .await;
        let committed = committed.map_err(fail)?;
        fault::reach("record::after-commit");
        self.renewed = (!release).then(Instant::now);
        self.log.fold(&committed);
        self.report.head = Some(self.log.head());
        Ok(())
    }

    /// Returns the facts that close the run, with the schema as the open transaction sees it.
    pub(super) async fn closing(&mut self, failed: u64) -> Result<Vec<Fact>, StepFailure> {
        let schema = self
            .session
            .fingerprint()
            .await
            .map_err(|error| StepFailure::engine(error, "reading the schema"))?;
        let now = self.report.applied + self.report.rolled_back + u64::from(self.finishing);
        // what undoes the plan's steps is none of them
        let (done, failed) = match &self.back {
            Some(back) => (back.done, back.failed + failed),
            None => (now, failed),
        };
        let duration_ms = self.context.source.ticks_ms().saturating_sub(self.began_ms);
        let whole = self.back.is_none()
            && !self.check_failed
            && failed == 0
            && done == self.steps.len() as u64;
        Ok(facts_to_close(&Closing {
            token: self.token,
            done,
            failed,
            duration_ms,
            schema: &schema,
            whole,
        }))
    }
}

/// What the closing events of a run say.
pub(crate) struct Closing<'a> {
    pub(crate) token: uuid::Uuid,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) duration_ms: u64,
    pub(crate) schema: &'a SchemaFingerprint,
    pub(crate) whole: bool,
}

/// Returns `run.finished` and `lock.released`.
pub(crate) fn facts_to_close(closing: &Closing<'_>) -> Vec<Fact> {
    let finished = Body::RunFinished(RunFinished {
        done: closing.done,
        duration_ms: closing.duration_ms,
        failed: closing.failed,
        schema: Some(schema_state(closing.schema)),
    });
    let released = Body::LockReleased(LockReleased {
        held_ms: closing.duration_ms,
        token: closing.token,
    });
    let finished = if closing.whole {
        Fact::success(finished)
    } else {
        Fact::failure(finished)
    };
    vec![finished, Fact::success(released)]
}

/// Returns a fingerprint as events record it.
pub(crate) fn schema_state(schema: &SchemaFingerprint) -> SchemaState {
    SchemaState {
        digest: schema.digest,
        format: u64::from(schema.format),
        server: schema.server.clone(),
    }
}

/// Returns `migration.started`.
pub(crate) fn fact_to_start(step: &Step, batch: u64) -> Fact {
    let candidate = &step.candidate;
    Fact::success(Body::MigrationStarted(MigrationStarted {
        attempt: candidate.attempt,
        batch: (candidate.direction == Direction::Up).then_some(batch),
        checksum: candidate.checksum,
        direction: candidate.direction,
        mode: step.mode,
        name: candidate.name.clone(),
        script: candidate.digest,
        self_committing: step.self_committing.clone().into(),
        statements: step.statements,
        version: candidate.version.clone(),
    }))
}

/// Returns `migration.applied` or `migration.rolled_back`.
pub(super) fn fact_of_success(step: &Step, batch: u64, duration_ms: u64, cause: Cause) -> Fact {
    let candidate = &step.candidate;
    Fact::success(match candidate.direction {
        Direction::Up => Body::MigrationApplied(MigrationApplied {
            attempt: candidate.attempt,
            batch,
            checksum: candidate.checksum,
            down_script: candidate.down.as_ref().map(|down| down.digest),
            duration_ms,
            metadata: candidate.metadata.clone(),
            name: candidate.name.clone(),
            script: candidate.digest,
            statements: step.statements,
            version: candidate.version.clone(),
        }),
        Direction::Down => Body::MigrationRolledBack(MigrationRolledBack {
            cause,
            duration_ms,
            name: candidate.name.clone(),
            script: candidate.digest,
            version: candidate.version.clone(),
        }),
    })
}

/// Returns the objects that are stored when a step is started: its script, and on the way up the down
/// script known now.
pub(crate) fn objects_of(step: &Step) -> Result<Vec<Object>, StepFailure> {
    // what comes from an object is stored already
    let ScriptSource::File(file) = &step.candidate.script else {
        return Ok(Vec::new());
    };
    let script = file.load().map_err(StepFailure::Changed)?;
    let mut objects = vec![object::pack(step.candidate.digest, script.bytes())];
    drop(script);
    if let Some(down) = &step.candidate.down
        && down.digest != step.candidate.digest
    {
        let script = down.load().map_err(StepFailure::Changed)?;
        objects.push(object::pack(down.digest, script.bytes()));
    }
    Ok(objects)
}
