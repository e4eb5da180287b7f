//! A person's answer, turned into facts.

use std::ops::ControlFlow;

use ledger::{
    Body, Digest, Direction, ErrorDetail, Marked, MigrationAccepted, MigrationFailed,
    MigrationMarked, MigrationStepResolved, StepResolution,
};

use super::Migrator;
use super::work::Work;
use crate::engine::Object;
use crate::error::Error;
use crate::executor::aborted;
use crate::journal::Fact;
use crate::migration::split::LexRules;
use crate::migration::{Migration, ScriptFile, carried};
use crate::object;
use crate::plan::{Blocker, BlockerKind, ScriptSource, Selection, Step, down, up};
use crate::projection::history::{Applied, Entry, History, Standing};
use crate::report::{Decided, Refusal};
use crate::request::{Back, EventFilter, Resolution, Resolve};

/// What an answer amounts to.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// What is recorded.
    pub(super) facts: Vec<Fact>,
    /// What the facts refer to.
    pub(super) objects: Vec<Object>,
    /// What runs afterwards.
    pub(super) selection: Selection,
}

impl Migrator {
    /// Records a person's answer about one migration, and goes on with it where that was the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when the answer does not fit the migration's state.
    pub async fn resolve(&self, request: &Resolve) -> Result<Decided, Error> {
        let report = self.perform(Work::Resolve(request), None).await?;
        let filter = EventFilter {
            run: report.run,
            ..EventFilter::default()
        };
        let mut decided = Decided {
            message: sentence(request),
            seq: 0,
            head: Digest::ZERO,
        };
        self.events(&filter, &mut |view| {
            if answers(&view.event.body) {
                decided.seq = view.event.seq;
            }
            decided.head = view.hash;
            ControlFlow::Continue(())
        })
        .await?;
        Ok(decided)
    }
}

/// Says whether an event is the record of a person's answer, or of what came of it.
fn answers(body: &Body) -> bool {
    matches!(
        body,
        Body::MigrationMarked(_)
            | Body::MigrationAccepted(_)
            | Body::MigrationStepResolved(_)
            | Body::MigrationApplied(_)
            | Body::MigrationRolledBack(_)
    )
}

fn sentence(request: &Resolve) -> String {
    let version = &request.version;
    match request.resolution {
        Resolution::Applied => format!("`{version}` is recorded as applied"),
        Resolution::NotApplied => format!("`{version}` is recorded as not applied"),
        Resolution::AcceptChange => format!("the change of `{version}` is accepted"),
        Resolution::Resume => format!("`{version}` was resumed and is whole"),
    }
}

/// Returns what an answer amounts to, or why it does not fit.
pub(super) fn answer(
    request: &Resolve,
    files: &[Migration],
    history: &History,
) -> Result<Answer, Error> {
    let file = files.iter().find(|file| file.version == request.version);
    let entry = history.get(&request.version);
    if file.is_none() && entry.is_none() {
        return Err(Error::Usage {
            code: "migration-unknown",
            message: format!(
                "expected a version of the folder or the ledger, found `{}`",
                request.version
            ),
            hint: "`mledger status` lists the versions".to_owned(),
        });
    }
    let nothing = Entry {
        version: request.version.as_str().to_owned(),
        name: file.map(|file| file.name.clone()).unwrap_or_default(),
        ..Entry::default()
    };
    let entry = entry.unwrap_or(&nothing);
    let answer = match request.resolution {
        Resolution::AcceptChange => accept(request, file, entry)?,
        Resolution::Applied => applied(request, file, entry)?,
        Resolution::NotApplied => not_applied(request, entry)?,
        Resolution::Resume => resume(files, file, entry, history)?,
    };
    Ok(answer)
}

fn accept(request: &Resolve, file: Option<&Migration>, entry: &Entry) -> Result<Answer, Error> {
    let (Some(file), Some(applied)) = (file, &entry.applied) else {
        return Err(misfit(
            entry,
            "expected an applied migration whose file is there",
        ));
    };
    let Some(old) = applied.checksum else {
        return Err(misfit(
            entry,
            "expected a recorded checksum to compare with",
        ));
    };
    let mut answer = Answer::default();
    if file.checksum != old {
        answer.accept(request, entry, (old, file.checksum), &file.up)?;
    }
    if let Some(down) = &file.down
        && down.digest != file.up.digest
        && applied.down_script != Some(down.digest)
    {
        // equal checksums say that it is the down script that is accepted
        answer.accept(request, entry, (file.checksum, file.checksum), down)?;
    }
    if answer.facts.is_empty() {
        return Err(misfit(
            entry,
            "expected a file that differs from what was applied",
        ));
    }
    Ok(answer)
}

impl Answer {
    fn accept(
        &mut self,
        request: &Resolve,
        entry: &Entry,
        (old_checksum, new_checksum): (Digest, Digest),
        script: &ScriptFile,
    ) -> Result<(), Error> {
        let loaded = script
            .load()
            .map_err(|problem| Error::Files(vec![problem]))?;
        self.objects
            .push(object::pack(script.digest, loaded.bytes()));
        self.facts
            .push(Fact::success(Body::MigrationAccepted(MigrationAccepted {
                new_checksum,
                old_checksum,
                reason: ledger::clean(&request.reason),
                script: script.digest,
                version: entry.version.clone(),
            })));
        Ok(())
    }
}

fn applied(request: &Resolve, file: Option<&Migration>, entry: &Entry) -> Result<Answer, Error> {
    if let Standing::Unknown(direction, step) = entry.standing() {
        return Ok(step_resolved(
            request,
            entry,
            direction,
            step,
            StepResolution::Applied,
        ));
    }
    if entry.applied.is_some() {
        return Err(misfit(entry, "expected a migration that is not applied"));
    }
    let Some(file) = file else {
        return Err(misfit(
            entry,
            "expected its file, whose checksum is recorded",
        ));
    };
    let mut facts = close_open(entry);
    facts.push(marked(request, entry, Marked::Applied, Some(file.checksum)));
    Ok(Answer {
        facts,
        ..Answer::default()
    })
}

fn not_applied(request: &Resolve, entry: &Entry) -> Result<Answer, Error> {
    if let Standing::Unknown(direction, step) = entry.standing() {
        return Ok(step_resolved(
            request,
            entry,
            direction,
            step,
            StepResolution::NotApplied,
        ));
    }
    let partial = matches!(entry.standing(), Standing::Partial(..));
    if entry.applied.is_none() && !partial {
        return Err(misfit(
            entry,
            "expected a migration that is applied, wholly or in part",
        ));
    }
    let mut facts = close_open(entry);
    facts.push(marked(request, entry, Marked::Pending, None));
    Ok(Answer {
        facts,
        ..Answer::default()
    })
}

fn marked(request: &Resolve, entry: &Entry, mark: Marked, checksum: Option<Digest>) -> Fact {
    Fact::success(Body::MigrationMarked(MigrationMarked {
        r#as: mark,
        checksum,
        reason: ledger::clean(&request.reason),
        version: entry.version.clone(),
    }))
}

/// The answer about one step, and then the end of the attempt that it belonged to.
fn step_resolved(
    request: &Resolve,
    entry: &Entry,
    direction: Direction,
    step: u64,
    resolution: StepResolution,
) -> Answer {
    let mut facts = vec![Fact::success(Body::MigrationStepResolved(
        MigrationStepResolved {
            r#as: resolution,
            direction,
            reason: ledger::clean(&request.reason),
            statement: Digest::ZERO,
            step,
            version: entry.version.clone(),
        },
    ))];
    let before = entry.steps(direction).done.len() as u64;
    let done = before + u64::from(resolution == StepResolution::Applied);
    if done == 0 {
        facts.push(aborted(
            &entry.version,
            direction,
            "its first statement did not take effect, as a person has found",
        ));
    } else {
        facts.push(ended(entry, direction, done));
    }
    Answer {
        facts,
        ..Answer::default()
    }
}

/// Ends an attempt that a run left open.
fn close_open(entry: &Entry) -> Vec<Fact> {
    let Some(open) = &entry.open else {
        return Vec::new();
    };
    let done = entry.steps(open.direction).done.len() as u64;
    vec![if done == 0 {
        aborted(
            &entry.version,
            open.direction,
            "the run that started it ended without committing it",
        )
    } else {
        ended(entry, open.direction, done)
    }]
}

fn ended(entry: &Entry, direction: Direction, done: u64) -> Fact {
    Fact::failure(Body::MigrationFailed(MigrationFailed {
        clean: false,
        direction,
        error: ErrorDetail {
            code: None,
            column: None,
            line: None,
            message: format!("the run ended after statement {done}"),
            statement: None,
        },
        steps_applied: done,
        version: entry.version.clone(),
    }))
}

fn resume(
    files: &[Migration],
    file: Option<&Migration>,
    entry: &Entry,
    history: &History,
) -> Result<Answer, Error> {
    let Standing::Partial(direction, _) = entry.standing() else {
        return Err(misfit(
            entry,
            "expected a migration of which a part is applied",
        ));
    };
    let mut selection = match direction {
        Direction::Up => {
            let Some(file) = file else {
                return Err(misfit(entry, "expected its file, to go on with the rest"));
            };
            Selection {
                candidates: vec![up::candidate(file, Some(entry))],
                ..Selection::default()
            }
        }
        Direction::Down => {
            let mut selection = down::select(files, history, &Back::All);
            selection
                .candidates
                .retain(|candidate| candidate.version == entry.version);
            selection
                .blockers
                .retain(|blocker| blocker.refusal.version.as_deref() == Some(&entry.version));
            selection
        }
    };
    // what this answer is about is not in its own way
    selection
        .blockers
        .retain(|blocker| blocker.kind != BlockerKind::Undecided);
    selection.settlements = Vec::new();
    Ok(Answer {
        facts: close_open(entry),
        selection,
        ..Answer::default()
    })
}

/// Compares the statements that are done with those of the script as it is now.
pub(super) fn check_prefix(step: &Step, rules: &'static LexRules) -> Vec<Blocker> {
    let candidate = &step.candidate;
    let ScriptSource::File(file) = &candidate.script else {
        return Vec::new();
    };
    let refuse = |message: String| {
        vec![Blocker {
            kind: BlockerKind::Undecided,
            refusal: Refusal {
                code: "resume-prefix-changed",
                version: Some(candidate.version.clone()),
                message,
                hint: "put the statements that ran back as they were, and edit only the rest"
                    .to_owned(),
            },
        }]
    };
    let Ok(script) = file.load() else {
        return refuse(format!("`{}` cannot be read", file.path.display()));
    };
    let mut statements = script
        .statements(rules)
        .flatten()
        .filter(|statement| !step.own_transaction || !statement.frames());
    for (index, done) in candidate.done.iter().enumerate() {
        let Some(statement) = statements.next() else {
            return refuse(format!(
                "statement {} of `{}` was applied and is not in the file any more",
                index + 1,
                file.path.display()
            ));
        };
        // a step that a person resolved was not recorded with its text
        if *done != Digest::ZERO && Digest::of(statement.text.as_bytes()) != *done {
            return refuse(format!(
                "statement {} of `{}`, line {}, was applied and has been edited since",
                index + 1,
                file.path.display(),
                statement.line
            ));
        }
    }
    match carried(&script, rules, candidate.done.len() as u64) {
        Ok(_) => Vec::new(),
        Err((line, what)) => vec![Blocker {
            kind: BlockerKind::Undecided,
            refusal: Refusal {
                code: "resume-needs-session",
                version: Some(candidate.version.clone()),
                message: format!(
                    "`{}`, line {line}: the rest of the script may depend on {what}, which ended with \
                     the session that made it",
                    file.path.display()
                ),
                hint: format!(
                    "let the rest do without it; or do the rest by hand, then `mledger resolve {} \
                     --applied --reason TEXT`",
                    candidate.version
                ),
            },
        }],
    }
}

fn misfit(entry: &Entry, expected: &str) -> Error {
    let found = match (entry.standing(), &entry.applied) {
        (Standing::Unknown(_, step), _) => {
            format!("the outcome of its statement {step} is unknown")
        }
        (Standing::Partial(_, done), _) => format!("a part is applied, up to statement {done}"),
        (_, Some(Applied { .. })) => "it is applied".to_owned(),
        (_, None) => "it is not applied".to_owned(),
    };
    Error::Usage {
        code: "resolution-does-not-fit",
        message: format!("{expected}, but of `{}` {found}", entry.version),
        hint: "`mledger status` shows the state of every migration".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_answer_that_does_not_fit_says_what_was_found() {
        let history = History::default();
        let request = Resolve {
            version: "7".parse().unwrap(),
            resolution: Resolution::NotApplied,
            reason: "x".to_owned(),
        };
        let error = answer(&request, &[], &history).err();
        assert_eq!(error.map(|error| error.code()), Some("migration-unknown"));
    }
}
