//! Beginning in a database that has a past: another tool's history, or none that anybody kept.
//!
//! Both only record. All marks are appended in the one transaction that opens and closes the run, so
//! that a process which dies leaves either all of them or none.

use std::sync::Mutex;

use ledger::{Body, Digest, HistoryAdopted, Marked, MigrationMarked};

use super::Migrator;
use super::admit::Purpose;
use super::adopt_find::{nothing_found, unknown};
use super::adopt_lock::in_use;
use super::open::Opened;
use super::promote::Ground;
use super::work::{Decision, Work};
use crate::adopt::{self, Adoption, Judged, LockState, Table, Tool, Unreadable, Verdict, judge};
use crate::engine::Session;
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::migration::{Migration, Version};
use crate::object;
use crate::plan::{Blocker, BlockerKind, Plan, baseline, canonical};
use crate::projection::history::Standing;
use crate::report::{AdoptedMigration, AdoptionReport, Baselined, Refusal, RunReport};
use crate::request::{Adopt, Baseline};

/// What `adopt` is asked, and what it found when it decided last.
#[derive(Debug)]
pub(super) struct Adopting<'a> {
    request: &'a Adopt,
    found: Mutex<Option<(Adoption, LockState)>>,
}

impl<'a> Adopting<'a> {
    fn new(request: &'a Adopt) -> Self {
        Self {
            request,
            found: Mutex::default(),
        }
    }

    fn keep(&self, adoption: Adoption, state: LockState) {
        *self.found.lock().unwrap_or_else(|held| held.into_inner()) = Some((adoption, state));
    }

    fn take(&self) -> Option<(Adoption, LockState)> {
        self.found
            .lock()
            .unwrap_or_else(|held| held.into_inner())
            .take()
    }
}

impl Migrator {
    /// Takes over another tool's history: what it says is applied counts as applied from here on.
    ///
    /// The other tool's table is read and left as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where there is no such history, or its table is not as expected;
    /// [`Error::Refused`] where the ledger has a history of its own, or a row and its file differ and
    /// nobody gave a reason to go on.
    pub async fn adopt(&self, request: &Adopt) -> Result<AdoptionReport, Error> {
        let adopting = Adopting::new(request);
        let report = self.perform(Work::Adopt(&adopting), None).await?;
        let Some(found) = adopting.take() else {
            return Err(nothing_found(request));
        };
        view(&found, request, self.form(), Vec::new(), Some(&report))
    }

    /// Returns what `adopt` would do; writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Migrator::adopt`], except that refusals are part of the answer.
    pub async fn plan_adopt(&self, request: &Adopt) -> Result<AdoptionReport, Error> {
        let adopting = Adopting::new(request);
        let ground = Ground::new(self.files()?);
        let mut opened: Opened = self.open().await?;
        let work = Work::Adopt(&adopting);
        let decision = self
            .first_decision(&work, &ground, &mut opened, Purpose::Show)
            .await?;
        let refusals = decision
            .plan
            .blockers
            .into_iter()
            .map(|blocker| blocker.refusal)
            .collect();
        let Some(found) = adopting.take() else {
            return Err(nothing_found(request));
        };
        view(&found, request, self.form(), refusals, None)
    }

    /// Records that the database has all migrations up to a version; nothing runs.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where the folder has no such version, [`Error::Refused`] where the ledger has a
    /// history already.
    pub async fn baseline(&self, request: &Baseline) -> Result<Baselined, Error> {
        let report = self.perform(Work::Baseline(request), None).await?;
        let files = self.files()?;
        let opened = self.open().await?;
        let files = baseline::seen(&files, opened.log.history(), None);
        let (marked, pending): (Vec<_>, Vec<_>) = files
            .iter()
            .partition(|file| file.version <= request.version);
        Ok(Baselined {
            marked: marked
                .iter()
                .map(|file| file.version.as_str().to_owned())
                .collect(),
            pending: pending.len() as u64,
            run: report.run,
            head: report.head,
        })
    }

    /// Decides what can be taken over, from the table as it is now.
    pub(super) async fn decide_adopt(
        &self,
        adopting: &Adopting<'_>,
        files: &[Migration],
        log: &Log,
        session: Option<&mut (dyn Session + '_)>,
    ) -> Result<Decision, Error> {
        let request = adopting.request;
        let asked = match &request.tool {
            None => None,
            Some(name) => Some(adopt::find(name).ok_or_else(|| unknown(name))?),
        };
        let Some(session) = session else {
            return Err(nothing_found(request));
        };
        if let Some(through) = &request.through {
            known(through, files)?;
        }
        let (tool, table) = self.find_history(request, asked, session).await?;
        // what programs applied has no file in any folder
        let has_files = tool.revisions(&table, files).is_empty();
        if files.is_empty() && has_files && !table.rows.is_empty() {
            return Err(self.no_files(tool, &table));
        }
        // before the table is read for good, so that nothing is added to it
        let state = self.lock_state(tool, &table, session).await?;
        let table = match session.table(&table.name).await {
            Ok(again) => again.unwrap_or(table),
            Err(error) => return Err(self.engine_error(error, "reading another tool's table")),
        };
        let mut text = |file: &Migration| file.up.load().map(|script| script.bytes().to_vec());
        let adoption = judge(tool, &table, files, request.through.as_ref(), &mut text).map_err(
            |unreadable| match unreadable {
                Unreadable::Rows(message) => Error::Usage {
                    code: "adoption-unreadable",
                    message,
                    hint: format!(
                        "check that the table is the one of `{}`; `--table NAME` names another",
                        tool.name()
                    ),
                },
                Unreadable::File(problem) => Error::Files(vec![*problem]),
            },
        )?;
        let forced = request.force.is_some();
        let mut decision = Decision::default();
        decision.plan.blockers.extend(history_present(log, "adopt"));
        decision.plan.blockers.extend(in_use(tool, state));
        decision
            .plan
            .blockers
            .extend(unmatched(&adoption, forced, files));
        if !forced {
            decision
                .plan
                .blockers
                .extend(adoption.judged.iter().filter_map(differs));
        }
        let Some(through) = adoption.through(forced).cloned() else {
            if !decision.plan.blockers.is_empty() {
                adopting.keep(adoption, state);
                return Ok(decision);
            }
            return Err(Error::Usage {
                code: "adoption-empty",
                message: format!(
                    "expected migrations that `{}` has applied, found none in `{}`",
                    tool.name(),
                    adoption.table
                ),
                hint: "there is nothing to take over: `mledger up` applies all of the folder"
                    .to_owned(),
            });
        };
        let kept = canonical(&adoption.report)?;
        let digest = Digest::of(&kept);
        decision.objects.push(object::pack(digest, &kept));
        for judged in adoption.marked(forced) {
            decision.facts.push(mark(
                judged.version.as_str(),
                judged.checksum,
                &reason(&adoption, judged, request.force.as_deref()),
            ));
        }
        decision
            .facts
            .push(Fact::success(Body::HistoryAdopted(HistoryAdopted {
                digest,
                rows: adoption.rows,
                table: ledger::clean(&adoption.table.to_string()),
                through: through.as_str().to_owned(),
                tool: adoption.tool.to_owned(),
            })));
        adopting.keep(adoption, state);
        Ok(decision)
    }

    /// Why no row can be judged: most likely another folder has the files.
    fn no_files(&self, tool: &dyn Tool, table: &Table) -> Error {
        Error::Usage {
            code: "adoption-no-files",
            message: format!(
                "expected the migrations of `{}` in `{}`, found none, and rows in its table `{}`",
                tool.name(),
                self.settings.migrations.display(),
                table.name
            ),
            hint: "`--migrations DIR`, or `migrations` in mledger.toml, names the folder that has them"
                .to_owned(),
        }
    }
}

/// Decides what a baseline records.
pub(super) fn decide_baseline(
    request: &Baseline,
    files: &[Migration],
    log: &Log,
) -> Result<Decision, Error> {
    known(&request.version, files)?;
    let facts = files
        .iter()
        .filter(|file| file.version <= request.version)
        .map(|file| {
            mark(
                file.version.as_str(),
                Some(file.checksum),
                &format!("baseline: {}", request.reason),
            )
        })
        .collect();
    Ok(Decision {
        plan: Plan {
            blockers: history_present(log, "baseline").into_iter().collect(),
            ..Plan::default()
        },
        facts,
        ..Decision::default()
    })
}

/// Refuses a version that the folder has not.
fn known(version: &Version, files: &[Migration]) -> Result<(), Error> {
    if files.iter().any(|file| file.version == *version) {
        return Ok(());
    }
    Err(Error::Usage {
        code: "migration-unknown",
        message: format!(
            "expected a version of the folder that the database has, found `{version}`"
        ),
        hint: "`mledger status` lists the versions".to_owned(),
    })
}

fn mark(version: &str, checksum: Option<Digest>, reason: &str) -> Fact {
    Fact::success(Body::MigrationMarked(MigrationMarked {
        r#as: Marked::Applied,
        checksum,
        reason: ledger::clean(reason),
        version: version.to_owned(),
    }))
}

/// What is recorded of why a migration counts as applied.
fn reason(adoption: &Adoption, judged: &Judged, force: Option<&str>) -> String {
    let tool = adoption.tool;
    let mut text = match judged.verdict {
        Verdict::Match => format!("`{tool}` applied it, and the file has its checksum"),
        Verdict::LineEndsDiffer => {
            format!("`{tool}` applied it, and the file has its checksum but for line ends")
        }
        Verdict::Mismatch => {
            format!("`{tool}` applied it, with another text than the file has now")
        }
        Verdict::Declared => {
            format!("a person said that the database has it, where `{tool}` has no row of it")
        }
        Verdict::Assumed => format!("`{tool}` says that all up to a later one were applied"),
        _ => format!("`{tool}` applied it, and records no checksum"),
    };
    if let Some(at) = &judged.at {
        text += &format!("; applied {at}");
    }
    if let (Verdict::Mismatch, Some(force)) = (judged.verdict, force) {
        text += &format!("; taken over all the same: {force}");
    }
    ledger::fit(&text, REASON_LONGEST)
}

/// The most bytes of a reason: what another tool's table says is of any length.
const REASON_LONGEST: usize = 4096;

/// Refuses to begin where the ledger tells of migrations already.
fn history_present(log: &Log, command: &str) -> Option<Blocker> {
    // an attempt that left nothing is no history: most likely it was made before this was thought of
    let entries = log
        .history()
        .entries()
        .filter(|(_, entry)| {
            entry.applied.is_some() || entry.rolled_back || entry.standing() != Standing::Clear
        })
        .count();
    (entries > 0).then(|| Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal::new(
            "history-present",
            format!(
                "expected a ledger without migrations, found {entries} that it tells of: `{command}` is \
                 how a history begins"
            ),
            "`mledger status` shows them; one by one, `mledger resolve VERSION --applied --reason TEXT` \
             says that a migration is there",
        ),
    })
}

/// Refuses to take over the names of programs where no file stands for any of them.
fn unmatched(adoption: &Adoption, forced: bool, files: &[Migration]) -> Option<Blocker> {
    let last = adoption.revisions.last()?;
    if adoption.marked(forced).next().is_some() {
        return None;
    }
    let tool = adoption.tool;
    let example = files
        .first()
        .map_or("VERSION", |file| file.version.as_str());
    Some(Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal::new(
            "adoption-unmatched",
            format!(
                "expected a file of the folder for what `{tool}` applied, found none that carries the \
                 name of one of {} revisions, such as `{}`",
                adoption.revisions.len(),
                last.name
            ),
            format!(
                "save the schema that the database has as the first migration; `mledger adopt --from \
                 {tool} --through {example}` then says that the database has it, and keeps the rows"
            ),
        ),
    })
}

/// Says what speaks against taking over a row.
fn differs(judged: &Judged) -> Option<Blocker> {
    let version = judged.version.as_str();
    let detail = judged.detail.as_deref().unwrap_or_default();
    let (code, message, hint) = match judged.verdict {
        Verdict::Mismatch => (
            "adoption-checksum-mismatch",
            format!("the file of `{version}` is not the one that was applied: {detail}"),
            "put the file back as it was; `--force REASON` takes the file as it is now for what was \
             applied",
        ),
        // what it made stays, and nothing of it is pending
        Verdict::FileMissing if judged.version.is_repeatable() => return None,
        Verdict::FileMissing => (
            "adoption-file-missing",
            format!("`{version}` was applied, but there is no file of this version"),
            "put the file back; `--force REASON` keeps its row in the report, and no mark",
        ),
        Verdict::Failed => (
            "adoption-failed-state",
            format!("`{version}` failed half way, or was never finished: {detail}"),
            "bring the database in order with the tool that left it so; `--force REASON` takes over the \
             others, and leaves this one pending",
        ),
        _ => return None,
    };
    Some(Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code,
            version: Some(version.to_owned()),
            message,
            hint: hint.to_owned(),
        },
    })
}

fn view(
    (adoption, state): &(Adoption, LockState),
    request: &Adopt,
    format: Option<&'static str>,
    refusals: Vec<Refusal>,
    done: Option<&RunReport>,
) -> Result<AdoptionReport, Error> {
    let forced = request.force.is_some();
    let marked = adoption.marked(forced).count();
    Ok(AdoptionReport {
        tool: adoption.tool.to_owned(),
        format,
        table: adoption.table.to_string(),
        rows: adoption.rows,
        lock_free: *state == LockState::Free,
        migrations: AdoptedMigration::of(adoption, forced),
        unmatched: adoption.revisions.clone(),
        marked: marked as u64,
        pending: adoption.pending(forced) as u64,
        through: adoption
            .through(forced)
            .map(|version| version.as_str().to_owned()),
        refusals,
        digest: Digest::of(&canonical(&adoption.report)?),
        run: done.and_then(|done| done.run),
        head: done.and_then(|done| done.head),
    })
}
