//! The rules for `migration.*` and `history.*` events.

use super::versions::{Applied, OpenStart, Progress, Versions};
use crate::body::{
    Direction, HistoryAdopted, HistorySquashed, Marked, MigrationAborted, MigrationAccepted,
    MigrationApplied, MigrationFailed, MigrationMarked, MigrationRolledBack, MigrationStarted,
    MigrationStepApplied, MigrationStepResolved, Mode, StepResolution,
};

/// Versions of migrations that run again when their text changes begin so.
const REPEATABLE: &str = "R:";

impl Versions {
    pub(super) fn start(&mut self, seq: u64, body: &MigrationStarted) -> Result<(), String> {
        if let Some(open) = self.open_start(&body.version) {
            return Err(format!(
                "version `{}` is started while its start at seq {} is open",
                body.version, open.seq
            ));
        }
        self.change(seq, &body.version, |state| {
            state.open = Some(OpenStart {
                direction: body.direction,
                mode: body.mode,
                seq,
            });
        });
        Ok(())
    }

    pub(super) fn step(&mut self, seq: u64, body: &MigrationStepApplied) -> Result<(), String> {
        let open = self.require_open(&body.version, body.direction)?;
        if open.mode != Mode::Stepwise {
            return Err(format!(
                "a step of version `{}` is applied, whose start at seq {} is atomic",
                body.version, open.seq
            ));
        }
        self.require_next(&body.version, body.direction, body.step)?;
        self.change(seq, &body.version, |state| {
            state.progress_mut(body.direction).done = body.step;
        });
        Ok(())
    }

    pub(super) fn resolve(&mut self, seq: u64, body: &MigrationStepResolved) -> Result<(), String> {
        let partial = self
            .state(&body.version)
            .is_some_and(|state| state.progress(body.direction).partial);
        if !partial {
            self.require_open(&body.version, body.direction)?;
        }
        self.require_next(&body.version, body.direction, body.step)?;
        self.change(seq, &body.version, |state| {
            if body.r#as == StepResolution::Applied {
                state.progress_mut(body.direction).done = body.step;
            }
        });
        Ok(())
    }

    pub(super) fn applied(&mut self, seq: u64, body: &MigrationApplied) -> Result<(), String> {
        let version = &body.version;
        self.require_open(version, Direction::Up)?;
        // an adopted history says through where it went, not which of the older ones it holds
        if let Some(Applied::Yes(checksum)) = self.state(version).map(|state| state.applied) {
            if !version.starts_with(REPEATABLE) {
                return Err(format!("version `{version}` is applied that is applied"));
            }
            if checksum == Some(body.checksum) {
                return Err(format!(
                    "repeatable `{version}` is applied again with the checksum it has"
                ));
            }
        }
        self.change(seq, version, |state| {
            state.open = None;
            state.settle(Applied::Yes(Some(body.checksum)));
        });
        Ok(())
    }

    pub(super) fn rolled_back(
        &mut self,
        seq: u64,
        body: &MigrationRolledBack,
    ) -> Result<(), String> {
        self.require_open(&body.version, Direction::Down)?;
        if !self.is_applied(&body.version) {
            return Err(format!(
                "version `{}` is rolled back that is not applied",
                body.version
            ));
        }
        self.change(seq, &body.version, |state| {
            state.open = None;
            state.settle(Applied::No);
        });
        Ok(())
    }

    pub(super) fn failed(&mut self, seq: u64, body: &MigrationFailed) -> Result<(), String> {
        self.require_open(&body.version, body.direction)?;
        self.change(seq, &body.version, |state| {
            state.open = None;
            let progress = state.progress_mut(body.direction);
            if body.clean {
                *progress = Progress::default();
            } else {
                progress.partial = true;
            }
        });
        Ok(())
    }

    pub(super) fn aborted(&mut self, seq: u64, body: &MigrationAborted) -> Result<(), String> {
        self.require_open(&body.version, body.direction)?;
        let done = self.steps_done(&body.version, body.direction);
        if done > 0 {
            return Err(format!(
                "version `{}` is aborted, of which {done} steps are done",
                body.version
            ));
        }
        self.change(seq, &body.version, |state| state.open = None);
        Ok(())
    }

    pub(super) fn marked(&mut self, seq: u64, body: &MigrationMarked) {
        let applied = match body.r#as {
            Marked::Applied => Applied::Yes(body.checksum),
            Marked::Pending => Applied::No,
        };
        self.change(seq, &body.version, |state| state.settle(applied));
    }

    pub(super) fn accepted(&mut self, seq: u64, body: &MigrationAccepted) {
        self.change(seq, &body.version, |state| {
            if let Applied::Yes(checksum) = &mut state.applied {
                *checksum = Some(body.new_checksum);
            }
        });
    }

    /// The one that replaces the older ones stands for them, so it counts as applied.
    pub(super) fn squashed(&mut self, seq: u64, body: &HistorySquashed) {
        self.change(seq, &body.into, |state| state.settle(Applied::Yes(None)));
    }

    pub(super) fn adopted(&mut self, seq: u64, body: &HistoryAdopted) {
        self.change(seq, &body.through, |state| state.adopted = true);
    }

    fn require_open(&self, version: &str, direction: Direction) -> Result<&OpenStart, String> {
        match self.open_start(version) {
            Some(open) if open.direction == direction => Ok(open),
            Some(open) => Err(format!(
                "expected an open start `{direction}` of version `{version}`, found `{}` at seq {}",
                open.direction, open.seq
            )),
            None => Err(format!(
                "expected an open start `{direction}` of version `{version}`, found none"
            )),
        }
    }

    fn require_next(&self, version: &str, direction: Direction, step: u64) -> Result<(), String> {
        let next = self.steps_done(version, direction) + 1;
        if step == next {
            return Ok(());
        }
        Err(format!(
            "expected step {next} of version `{version}`, found step {step}"
        ))
    }
}
