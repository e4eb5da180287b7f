//! What a command that writes intends, decided anew each time the log has moved.

use std::borrow::Cow;

use ledger::{Digest, Direction, Forced};

use super::admit::Purpose;
use super::adopt::{self, Adopting};
use super::promote::Ground;
use super::{Migrator, reach, resolve};
use crate::engine::{Object, Session};
use crate::error::Error;
use crate::journal::Fact;
use crate::lint::Report;
use crate::log::Log;
use crate::migration::{Migration, Version};
use crate::plan::{Blocker, BlockerKind, Plan, baseline, down, examine, up};
use crate::policy::PlanText;
use crate::projection::backups::Hold;
use crate::projection::history::History;
use crate::report::{ApprovalsView, PromotionView, Refusal};
use crate::request::{Back, Baseline, Down, Resolve, Up};

/// A command that writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work<'a> {
    Up(&'a Up),
    Down(&'a Down),
    Redo,
    Reset(&'a Down),
    Resolve(&'a Resolve),
    Adopt(&'a Adopting<'a>),
    Baseline(&'a Baseline),
}

/// What the command would do with the log as it is.
#[derive(Debug, Default)]
pub(super) struct Decision {
    /// The steps, settlements and blockers.
    pub(super) plan: Plan,
    /// What is recorded besides, before the first step.
    pub(super) facts: Vec<Fact>,
    /// What these facts refer to.
    pub(super) objects: Vec<Object>,
    /// The digest of the plan, where a rule had to know it.
    pub(super) digest: Option<Digest>,
    /// The plan that a run has begun before, and of which this is all the rest.
    pub(super) under: Option<Digest>,
    /// What the run goes on in spite of, since somebody forces it.
    pub(super) forced: Vec<Forced>,
    /// What the rules of `validate` found in what would be applied.
    pub(super) validation: Option<Report>,
    /// The approvals that the plan needs and has.
    pub(super) approvals: ApprovalsView,
    /// That what runs was applied elsewhere; recorded by the run that relies on it, and by no refusal.
    pub(super) evidence: Option<Fact>,
    /// What is relied on, where the environment asks for promotion.
    pub(super) promotion: Option<PromotionView>,
}

impl Decision {
    /// Says whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.plan.is_empty() && self.facts.is_empty()
    }
}

impl Work<'_> {
    /// Returns the command's name, as recorded.
    pub(super) fn command(&self) -> &'static str {
        match self {
            Self::Up(_) => "up",
            Self::Down(_) => "down",
            Self::Redo => "redo",
            Self::Reset(_) => "reset",
            Self::Resolve(_) => "resolve",
            Self::Adopt(_) => "adopt",
            Self::Baseline(_) => "baseline",
        }
    }

    /// Returns the reference to the change's ticket.
    pub(super) fn ticket(&self) -> Option<String> {
        match self {
            Self::Up(up) => up.ticket.clone(),
            Self::Down(down) | Self::Reset(down) => down.ticket.clone(),
            Self::Redo | Self::Resolve(_) | Self::Adopt(_) | Self::Baseline(_) => None,
        }
    }

    /// Returns the plan that must run and no other, in its canonical form.
    pub(super) fn exact_plan(&self) -> Option<&[u8]> {
        match self {
            Self::Up(up) => up.plan.as_deref(),
            _ => None,
        }
    }

    /// Says whether a person wants no backup first.
    pub(super) fn skips_backup(&self) -> bool {
        matches!(self, Self::Up(up) if up.skip_backup)
    }

    /// Says whether it runs scripts that no plan before has named: what rolls back runs the scripts
    /// that were known, and approved, when they were applied.
    pub(super) fn runs_new_scripts(&self) -> bool {
        match self {
            Self::Up(_) | Self::Redo | Self::Resolve(_) => true,
            Self::Down(_) | Self::Reset(_) | Self::Adopt(_) | Self::Baseline(_) => false,
        }
    }

    /// Says whether it is decided by more than the log and the folder: by tables that others may write.
    pub(super) fn reads_tables(&self) -> bool {
        matches!(self, Self::Adopt(_))
    }
}

impl Migrator {
    /// Decides what `work` would do with the log as it is.
    pub(super) async fn decide(
        &self,
        work: &Work<'_>,
        ground: &Ground,
        log: &Log,
        mut session: Option<&mut (dyn Session + '_)>,
        purpose: Purpose,
    ) -> Result<Decision, Error> {
        let files = &*seen(work, &ground.files, log.history());
        let mut decision = self
            .choose(work, files, log, session.as_deref_mut().map(|s| s as _))
            .await?;
        // also where nothing is pending: what is half restored is not as it should be
        decision.plan.blockers.extend(held_back(log));
        self.admit(work, &mut decision, log, session, purpose)
            .await?;
        self.require_promotion(work, ground, log, &mut decision)
            .await?;
        if let Work::Up(up) = work {
            let force = up.force.as_deref();
            self.validate_plan(files, log, &mut decision, purpose, force)
                .await?;
        }
        Ok(decision)
    }

    async fn choose(
        &self,
        work: &Work<'_>,
        files: &[Migration],
        log: &Log,
        session: Option<&mut (dyn Session + '_)>,
    ) -> Result<Decision, Error> {
        let history = log.history();
        let selection = match work {
            Work::Up(up) => {
                let up = &reach::up(&within_plan(up)?, files, log)?;
                if let Some(to) = up.to.as_ref().filter(|_| up.plan.is_none()) {
                    known(files, log, to)?;
                }
                up::select(files, history, up, self.settings.out_of_order)
            }
            Work::Down(down) | Work::Reset(down) => {
                let back = &reach::back(&down.back, files, log)?;
                check_target(files, log, back)?;
                down::select(files, history, back)
            }
            Work::Redo => redo(files, log)?,
            Work::Resolve(resolve) => {
                return self.decide_resolve(resolve, files, log, session).await;
            }
            Work::Adopt(adopting) => {
                return self.decide_adopt(adopting, files, log, session).await;
            }
            Work::Baseline(baseline) => return adopt::decide_baseline(baseline, files, log),
        };
        let engine = &self.engine;
        let plan = examine::examine(
            selection,
            engine.capabilities(),
            engine.lex_rules(),
            session,
        )
        .await
        .map_err(|error| self.engine_error(error, "reading a recorded script"))?;
        Ok(Decision {
            plan,
            ..Decision::default()
        })
    }

    async fn decide_resolve(
        &self,
        request: &Resolve,
        files: &[Migration],
        log: &Log,
        session: Option<&mut (dyn Session + '_)>,
    ) -> Result<Decision, Error> {
        let answer = resolve::answer(request, files, log.history())?;
        let engine = &self.engine;
        let mut plan = examine::examine(
            answer.selection,
            engine.capabilities(),
            engine.lex_rules(),
            session,
        )
        .await
        .map_err(|error| self.engine_error(error, "reading a recorded script"))?;
        for step in &plan.steps {
            plan.blockers
                .extend(resolve::check_prefix(step, engine.lex_rules()));
        }
        Ok(Decision {
            plan,
            facts: answer.facts,
            objects: answer.objects,
            ..Decision::default()
        })
    }
}

/// Returns the folder with the baselines that count for this command.
fn seen<'a>(work: &Work<'_>, files: &'a [Migration], history: &History) -> Cow<'a, [Migration]> {
    match work {
        Work::Up(up) => baseline::seen(files, history, up.to.as_ref()),
        Work::Baseline(request) => baseline::seen(files, history, Some(&request.version)),
        // the other tool's table says which
        Work::Adopt(_) => Cow::Borrowed(files),
        Work::Down(_) | Work::Redo | Work::Reset(_) | Work::Resolve(_) => {
            baseline::seen(files, history, None)
        }
    }
}

/// Says why nothing may run after a restore that nobody has looked at, or that has no end.
pub(super) fn held_back(log: &Log) -> Option<Blocker> {
    let (code, message, hint) = match log.backups().hold()? {
        Hold::NotAccepted(backup) => (
            "restore-not-accepted",
            format!("the backup `{backup}` was restored, and nobody has accepted it yet"),
            format!(
                "look at the database, then `mledger backup accept {backup} --reason TEXT`"
            ),
        ),
        Hold::Unfinished => (
            "restore-unfinished",
            "a restore was begun and has no end: the database is as it was, or as the backup has it, or \
             where schema changes commit by themselves a part of both"
                .to_owned(),
            "finish it with `mledger backup restore ID`, of the same backup or of the one named \
             `before-restore`"
                .to_owned(),
        ),
    };
    Some(Blocker {
        kind: BlockerKind::Undecided,
        refusal: Refusal::new(code, message, hint),
    })
}

/// Where an exact plan must run, nothing after its last step is looked at.
fn within_plan(up: &Up) -> Result<Up, Error> {
    let mut up = up.clone();
    if let Some(bytes) = &up.plan {
        let text = PlanText::parse(bytes).map_err(|reason| super::admit::unreadable(&reason))?;
        let versions = text
            .steps
            .iter()
            .filter_map(|step| step.version.parse().ok());
        up.to = versions.max();
    }
    Ok(up)
}

/// The last applied migration, down by the script recorded then and up by the file as it is now.
fn redo(files: &[Migration], log: &Log) -> Result<crate::plan::Selection, Error> {
    let history = log.history();
    // without files the recorded down script is taken: an edited file is what `redo` is for
    let mut selection = down::select(&[], history, &Back::Steps(1));
    let Some(candidate) = selection.candidates.first() else {
        return Ok(selection);
    };
    let wanted = candidate.version.clone();
    let file = files
        .iter()
        .find(|file| {
            wanted
                .parse::<Version>()
                .is_ok_and(|version| version == file.version)
        })
        .ok_or_else(|| Error::Usage {
            code: "migration-unknown",
            message: format!(
                "expected a file of the version `{wanted}` to apply again, found none"
            ),
            hint: "put the file back, or use `mledger down`".to_owned(),
        })?;
    let mut again = up::candidate(file, None);
    again.done = Vec::new();
    selection.candidates.push(again);
    Ok(selection)
}

pub(super) fn known(files: &[Migration], log: &Log, version: &Version) -> Result<(), Error> {
    let in_files = files.iter().any(|file| file.version == *version);
    if in_files || log.history().get(version).is_some() {
        return Ok(());
    }
    Err(Error::Usage {
        code: "migration-unknown",
        message: format!("expected a version of the folder or the ledger, found `{version}`"),
        hint: "`mledger status` lists the versions".to_owned(),
    })
}

fn check_target(files: &[Migration], log: &Log, back: &Back) -> Result<(), Error> {
    let history = log.history();
    match back {
        Back::To(version) => {
            known(files, log, version)?;
            let applied = history
                .get(version)
                .is_some_and(|entry| entry.applied.is_some());
            if applied {
                return Ok(());
            }
            Err(Error::Usage {
                code: "version-not-applied",
                message: format!(
                    "expected an applied version to go back to, but `{version}` is not applied"
                ),
                hint: "`mledger status` shows which are; `down --all` rolls back everything"
                    .to_owned(),
            })
        }
        Back::Batch(Some(batch)) => {
            let any = history
                .applied()
                .iter()
                .any(|(.., applied)| applied.batch == Some(*batch));
            if any {
                return Ok(());
            }
            Err(Error::Usage {
                code: "batch-unknown",
                message: format!(
                    "expected a batch with applied migrations, found none in batch {batch}"
                ),
                hint: "`mledger status` shows the batches".to_owned(),
            })
        }
        Back::Steps(_) | Back::Batch(None) | Back::All | Back::Release(_) | Back::Except(_) => {
            Ok(())
        }
    }
}

/// Says whether a plan applies anything, and so makes a batch.
pub(super) fn makes_batch(plan: &Plan) -> bool {
    plan.steps
        .iter()
        .any(|step| step.candidate.direction == Direction::Up)
}
