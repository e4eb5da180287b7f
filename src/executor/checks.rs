//! The checks of an environment: before the first migration of a run, and after its last one.

use ledger::{Body, CheckFinished, When};

use super::Run;
use super::failure::StepFailure;
use crate::context::Progress;
use crate::error::{Error, StopReason};
use crate::journal::Fact;
use crate::probe;

/// The longest finding that an event keeps, in bytes.
const DETAIL_LIMIT: usize = 4 * 1024;

/// How the checks of one side came out.
enum Came {
    /// All hold.
    Held,
    /// This one does not, for this reason.
    Failed(String, String),
    /// The run was asked to stop.
    Stopped(StopReason),
}

impl Run {
    /// Says whether checks come between the last migration and the end of the run.
    pub(super) fn has_checks_after(&self) -> bool {
        self.back.is_none() && !self.rules.checks.after.is_empty() && self.applies
    }

    /// Makes the checks before the first migration; one that fails ends the run.
    pub(super) async fn check_before(&mut self) -> Result<(), Error> {
        if self.rules.checks.before.is_empty() || !self.applies {
            return Ok(());
        }
        let (came, facts) = self.make(When::Before).await;
        let ends = !matches!(came, Came::Held);
        if let Err(failure) = self.record_checks(facts, ends).await {
            return Err(self.error_of(failure));
        }
        self.end_of(came, When::Before)
    }

    /// Makes the checks after the last migration, and ends the run. Where one fails, the environment
    /// says whether the run's migrations are rolled back.
    pub(super) async fn check_after(&mut self) -> Result<(), Error> {
        if !self.has_checks_after() {
            return Ok(());
        }
        let (came, facts) = self.make(When::After).await;
        let goes_back = matches!(came, Came::Failed(..)) && self.rules.auto_rollback;
        let recorded = self.record_checks(facts, !goes_back).await;
        if let Err(failure) = recorded {
            return Err(self.error_of(failure));
        }
        if goes_back && let Some(graver) = self.go_back(ledger::Cause::Check, 0).await {
            return Err(graver);
        }
        self.end_of(came, When::After)
    }

    async fn make(&mut self, when: When) -> (Came, Vec<Fact>) {
        let checks = match when {
            When::Before => self.rules.checks.before.clone(),
            When::After => self.rules.checks.after.clone(),
        };
        let mut facts = Vec::new();
        for check in checks {
            let (stop, folder) = (&self.context.stop, self.project.as_deref());
            let answer = probe::ask(&check, folder, stop, &self.secrets).await;
            let (holds, detail, stopped) = match answer {
                Ok(answer) => (answer.holds, answer.detail, None),
                Err(reason) => (false, "interrupted".to_owned(), Some(reason)),
            };
            self.context.observer.observe(&Progress::Checked {
                name: &check.name,
                before: when == When::Before,
                holds,
                detail: &detail,
            });
            let body = Body::CheckFinished(CheckFinished {
                detail: Some(ledger::fit(&ledger::clean(&detail), DETAIL_LIMIT)),
                name: ledger::clean(&check.name),
                when,
            });
            if holds {
                facts.push(Fact::success(body));
                continue;
            }
            facts.push(Fact::failure(body));
            self.check_failed = true;
            let came = match stopped {
                Some(reason) => Came::Stopped(reason),
                None => Came::Failed(check.name, detail),
            };
            return (came, facts);
        }
        (Came::Held, facts)
    }

    /// Records what was checked; with the end of the run where it ends here.
    async fn record_checks(&mut self, mut facts: Vec<Fact>, ends: bool) -> Result<(), StepFailure> {
        self.begin_record("recording what was checked").await?;
        if ends {
            facts.extend(self.closing(0).await?);
        }
        self.record(facts, Vec::new(), ends).await
    }

    fn end_of(&mut self, came: Came, when: When) -> Result<(), Error> {
        if !matches!(came, Came::Held) {
            self.note_end();
        }
        match came {
            Came::Held => Ok(()),
            Came::Stopped(reason) => Err(Error::Stopped {
                reason,
                done: Box::new(self.report.clone()),
            }),
            Came::Failed(name, detail) => Err(Error::Check {
                name,
                before: when == When::Before,
                detail,
                done: Box::new(self.report.clone()),
            }),
        }
    }
}
