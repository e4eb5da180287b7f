//! `up`, `down` and `redo`, and what they would do.

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::{Body, Digest, Direction, Role, RunRefused};
use tokio::task::JoinHandle;

use super::Migrator;
use super::acquire::Acquired;
use super::admit::Purpose;
use super::open::Opened;
use super::promote::Ground;
use super::work::{Decision, Work};
use crate::context::{Progress, Stop};
use crate::error::{Error, StopReason};
use crate::journal::Fact;
use crate::lease;
use crate::log::Log;
use crate::plan::order::Positions;
use crate::plan::{Step, examine};
use crate::report::{PlanReport, PlannedStatement, PlannedStep, RunReport};
use crate::request::{Back, Down, Up};

/// The most statements of one script that a plan spells out.
const STATEMENTS_SHOWN: usize = 1000;

/// The most bytes of one statement that a plan spells out.
const STATEMENT_SHOWN: usize = 64 * 1024;

/// Stops a run that takes too long, and is gone with it, also where the run is dropped half way: what is
/// asked to stop is shared by all runs of a context.
struct Timer(JoinHandle<()>);

impl Timer {
    fn start(limit: Duration, stop: Stop) -> Self {
        Self(tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            stop.request(StopReason::Timeout);
        }))
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Migrator {
    /// Applies pending migrations, each with its event in one transaction.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`]; [`Error::done`] tells what had been applied before.
    pub async fn up(&self, up: &Up) -> Result<RunReport, Error> {
        self.perform(Work::Up(up), up.timeout).await
    }

    /// Returns what `up` would do; writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Migrator::up`], except that refusals are part of the answer.
    pub async fn plan_up(&self, up: &Up) -> Result<PlanReport, Error> {
        self.foresee(Work::Up(up)).await
    }

    /// Rolls applied migrations back, newest application first.
    ///
    /// # Errors
    ///
    /// As [`Migrator::up`].
    pub async fn down(&self, down: &Down) -> Result<RunReport, Error> {
        self.perform(Work::Down(down), down.timeout).await
    }

    /// Returns what `down` would do; writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Migrator::plan_up`].
    pub async fn plan_down(&self, down: &Down) -> Result<PlanReport, Error> {
        self.foresee(Work::Down(down)).await
    }

    /// Rolls the last migration back by the script recorded then, and applies its file as it is now.
    ///
    /// # Errors
    ///
    /// As [`Migrator::up`].
    pub async fn redo(&self, timeout: Option<Duration>) -> Result<RunReport, Error> {
        self.perform(Work::Redo, timeout).await
    }

    /// Returns what `redo` would do; writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Migrator::plan_up`].
    pub async fn plan_redo(&self) -> Result<PlanReport, Error> {
        self.foresee(Work::Redo).await
    }

    /// Rolls every migration back, where the environment's rules allow it; the ledger stays.
    ///
    /// # Errors
    ///
    /// As [`Migrator::down`]; [`Error::Refused`] where the environment may not be reset.
    pub async fn reset(&self, down: &Down) -> Result<RunReport, Error> {
        let down = Down {
            back: Back::All,
            ..down.clone()
        };
        self.perform(Work::Reset(&down), down.timeout).await
    }

    /// Returns what `reset` would do; writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Migrator::plan_up`].
    pub async fn plan_reset(&self, down: &Down) -> Result<PlanReport, Error> {
        self.foresee(Work::Reset(down)).await
    }

    pub(super) async fn perform(
        &self,
        work: Work<'_>,
        timeout: Option<Duration>,
    ) -> Result<RunReport, Error> {
        let ground = Ground::new(self.files()?);
        let mut opened = self.open().await?;
        // also where there is nothing to do: who names the wrong database should hear of it
        self.may_write_to(&mut opened).await?;
        let mut decision = self
            .first_decision(&work, &ground, &mut opened, Purpose::Run)
            .await?;
        let mut waits = false;
        while matches!(decision.plan.refusal(), Some(Error::Undecided(_))) {
            if self.somebody_runs(&mut opened).await? {
                waits = true;
                break;
            }
            // the run that was half way through may have ended since the log was read
            let size = opened.log.size();
            opened = self.open().await?;
            if opened.log.size() == size {
                break;
            }
            decision = self
                .first_decision(&work, &ground, &mut opened, Purpose::Run)
                .await?;
        }
        for warning in &decision.plan.warnings {
            self.context.observer.observe(&Progress::Warning {
                message: &warning.message,
            });
        }
        match decision.plan.refusal() {
            // half way through a run that is alive nothing needs a person: it is waited for
            Some(Error::Undecided(_)) if waits => {}
            Some(refusal) => {
                self.record_refusal(&work, &opened.log, &decision).await;
                return Err(refusal);
            }
            None if decision.is_empty() => return Ok(RunReport::default()),
            None => {}
        }
        let limit = timeout.or(self.rules(&opened.log).max_duration);
        let _timer = limit.map(|limit| Timer::start(limit, self.context.stop.clone()));
        let saved = if decision.plan.steps.is_empty() {
            None
        } else {
            self.save_before(&work, &opened.log).await?
        };
        let mut report = self
            .acquire_and_execute(opened, work, &ground, decision)
            .await?;
        report.backup = saved;
        Ok(report)
    }

    async fn acquire_and_execute(
        &self,
        opened: Opened,
        work: Work<'_>,
        ground: &Ground,
        decision: Decision,
    ) -> Result<RunReport, Error> {
        match self.acquire(opened, work, ground, decision).await? {
            Acquired::Nothing(log) => {
                self.remember(&log);
                Ok(RunReport::default())
            }
            Acquired::Done(report) => Ok(*report),
            Acquired::Run(run) => match run.execute().await {
                Ok((report, log)) => {
                    self.remember(&log);
                    self.keep_checkpoint(&log);
                    Ok(report)
                }
                Err((error, log)) => {
                    self.remember(&log);
                    self.keep_checkpoint(&log);
                    Err(error)
                }
            },
        }
    }

    pub(super) async fn first_decision(
        &self,
        work: &Work<'_>,
        ground: &Ground,
        opened: &mut Opened,
        purpose: Purpose,
    ) -> Result<Decision, Error> {
        self.decide(
            work,
            ground,
            &opened.log,
            opened.session.as_deref_mut().map(|s| s as _),
            purpose,
        )
        .await
    }

    async fn foresee(&self, work: Work<'_>) -> Result<PlanReport, Error> {
        let ground = Ground::new(self.files()?);
        let mut opened = self.open().await?;
        let decision = self
            .first_decision(&work, &ground, &mut opened, Purpose::Show)
            .await?;
        let environment = self.environment(&opened.log);
        let policy = self.policy(&environment)?;
        let ledger = opened.log.id().unwrap_or(Digest::ZERO);
        let approvals = decision.approvals;
        let promotion = decision.promotion;
        let validation = decision.validation.unwrap_or_default();
        let plan = decision.plan;
        let object = plan.object(&environment, &ledger, &Digest::of(&policy))?;
        for warning in &plan.warnings {
            self.context.observer.observe(&Progress::Warning {
                message: &warning.message,
            });
        }
        let history = opened.log.history();
        let positions = Positions::new(&ground.files);
        let late: BTreeSet<&str> = ground
            .files
            .iter()
            .filter(|file| {
                history
                    .get(&file.version)
                    .is_none_or(|entry| entry.applied.is_none())
            })
            .filter(|file| positions.is_late(file, history.current()))
            .map(|file| file.version.as_str())
            .collect();
        let mut steps = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let mut planned = self.planned(step, &mut opened).await?;
            planned.out_of_order =
                planned.direction == Direction::Up && late.contains(planned.version.as_str());
            let of_step = validation.findings.iter();
            planned.findings = of_step
                .filter(|finding| finding.version == planned.version)
                .cloned()
                .collect();
            steps.push(planned);
        }
        Ok(PlanReport {
            plan: Digest::of(&object),
            steps,
            settles: plan
                .settlements
                .iter()
                .map(|settlement| settlement.version.clone())
                .collect(),
            refusals: plan
                .blockers
                .iter()
                .map(|blocker| blocker.refusal.clone())
                .collect(),
            approvals,
            backup: !plan.steps.is_empty() && self.asks_for_backup(&opened.log),
            promotion,
            object,
        })
    }

    async fn planned(&self, step: &Step, opened: &mut Opened) -> Result<PlannedStep, Error> {
        let candidate = &step.candidate;
        let session = opened.session.as_deref_mut().map(|s| s as _);
        let script = examine::read(candidate, self.engine.lex_rules(), session)
            .await
            .map_err(|error| self.engine_error(error, "reading a recorded script"))?;
        let mut statements = Vec::new();
        if let Ok(script) = script {
            let pieces = script.statements(self.engine.lex_rules()).flatten();
            for statement in pieces.take(STATEMENTS_SHOWN) {
                statements.push(PlannedStatement {
                    line: statement.line as u64,
                    sql: ledger::fit(statement.text, STATEMENT_SHOWN),
                });
            }
        }
        Ok(PlannedStep {
            version: candidate.version.clone(),
            name: candidate.name.clone(),
            direction: candidate.direction,
            mode: step.mode,
            path: candidate.script.label(),
            own_transaction: step.own_transaction,
            statements,
            statement_count: step.statements,
            findings: Vec::new(),
            estimated_ms: candidate.estimated_ms,
            out_of_order: false,
        })
    }

    /// Says whether a run holds the lease that nobody may take from it.
    async fn somebody_runs(&self, opened: &mut Opened) -> Result<bool, Error> {
        let Some(session) = opened.session.as_deref_mut() else {
            return Ok(false);
        };
        let held = session
            .lease()
            .await
            .map_err(|error| self.engine_error(error, "reading the lease"))?;
        Ok(held.is_some_and(|held| lease::replaceable(&lease::view(&held)).is_none()))
    }

    /// Appends `run.refused` where the ledger is open and the key may sign it. A refusal that cannot
    /// be recorded is a refusal all the same.
    pub(super) async fn record_refusal(&self, work: &Work<'_>, log: &Log, decision: &Decision) {
        self.record_denial(work.command(), log, decision).await;
    }

    /// As [`Migrator::record_refusal`], for a command that is no run.
    pub(super) async fn record_denial(&self, command: &str, log: &Log, decision: &Decision) {
        if log.is_empty() {
            return;
        }
        let mut reasons: Vec<String> = decision
            .plan
            .blockers
            .iter()
            .map(|blocker| blocker.refusal.code.to_owned())
            .collect();
        reasons.sort();
        reasons.dedup();
        // an auditor reads beside the refusal what the rules found
        let validation = decision.validation.as_ref();
        let (mut facts, objects) = match validation.filter(|report| report.errors > 0) {
            Some(_) => (decision.facts.clone(), decision.objects.as_slice()),
            None => (Vec::new(), [].as_slice()),
        };
        facts.push(Fact::denied(Body::RunRefused(RunRefused {
            command: command.to_owned(),
            plan: decision.digest,
            reasons,
        })));
        let roles = [Role::Operator];
        if let Err(error) = self.append_alone(&facts, objects, &roles).await {
            tracing::debug!(code = error.code(), "the refusal could not be recorded");
        }
    }
}
