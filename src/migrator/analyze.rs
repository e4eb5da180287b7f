//! `analyze`: what one migration did and cost, or what it would do.

use ledger::Event;
use ledger::canonical::Value;

use super::Migrator;
use super::open::Opened;
use super::status::views;
use super::unresolved::state;
use crate::error::Error;
use crate::log::PAGE;
use crate::migration::{Migration, Version};
use crate::plan::up::is_due;
use crate::plan::{Selection, baseline, examine, up};
use crate::projection::attempts::Attempts;
use crate::projection::history::Entry;
use crate::report::{Analysis, AttemptOutcome, PendingScript};

impl Migrator {
    /// Returns what one migration did across its runs and, where it is not applied, what its up script would
    /// do; writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a version that neither the folder nor the ledger knows, and those of reading both.
    pub async fn analyze(&self, version: &Version) -> Result<Analysis, Error> {
        let files = self.files()?;
        let mut opened = self.open().await?;
        let files = baseline::seen(&files, opened.log.history(), None);
        let entry = opened.log.history().get(version).cloned();
        let file = files.iter().find(|file| file.version == *version);
        let recorded = match (&entry, file) {
            (Some(entry), _) => entry.version.clone(),
            (None, Some(file)) => file.version.as_str().to_owned(),
            (None, None) => {
                return Err(Error::Usage {
                    code: "migration-unknown",
                    message: format!(
                        "expected a version of the folder or the ledger, found `{version}`"
                    ),
                    hint: "`mledger status` lists the versions".to_owned(),
                });
            }
        };
        let mut attempts = Attempts::of(&recorded);
        self.each_event(&mut opened, &mut |event| attempts.apply(event))
            .await?;
        let (attempts, answers) = attempts.finish();
        let known = entry.as_ref();
        let pending = match file.filter(|file| is_due(file, known)) {
            Some(file) => Some(self.pending(&mut opened, &files, file, known).await?),
            None => None,
        };
        let view = views(&files, opened.log.history(), opened.log.releases())
            .into_iter()
            .find(|view| {
                view.version == recorded
                    || file.is_some_and(|file| view.version == file.version.as_str())
            });
        Ok(Analysis {
            name: file.map_or_else(
                || known.map_or_else(String::new, |entry| entry.name.clone()),
                |file| file.name.clone(),
            ),
            state: match (&view, known) {
                (Some(view), _) => view.state,
                (None, Some(entry)) => state(entry),
                (None, None) => crate::report::State::Pending,
            },
            release: view.as_ref().and_then(|view| view.release.clone()),
            description: view.and_then(|view| view.description),
            estimated_ms: estimate(file, known),
            actual_ms: attempts
                .iter()
                .rev()
                .find(|attempt| attempt.outcome == AttemptOutcome::Applied)
                .and_then(|attempt| attempt.duration_ms),
            attempts,
            answers,
            pending,
            version: recorded,
        })
    }

    /// Hands on every event that was verified, oldest first.
    pub(super) async fn each_event(
        &self,
        opened: &mut Opened,
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> Result<(), Error> {
        let size = opened.log.size();
        let Some(session) = opened.session.as_deref_mut() else {
            return Ok(());
        };
        let mut next = 0;
        while next < size {
            let page = session
                .records(next, PAGE)
                .await
                .map_err(|error| self.engine_error(error, "reading the ledger"))?;
            if page.is_empty() {
                break;
            }
            for stored in page {
                next += 1;
                // what was appended since the log was verified is left for the next look
                if next <= size
                    && let Ok(event) = Event::parse(&stored.line)
                {
                    each(&event);
                }
            }
        }
        Ok(())
    }

    async fn pending(
        &self,
        opened: &mut Opened,
        files: &[Migration],
        file: &Migration,
        entry: Option<&Entry>,
    ) -> Result<PendingScript, Error> {
        let selection = Selection {
            candidates: vec![up::candidate(file, entry)],
            ..Selection::default()
        };
        let session = opened.session.as_deref_mut().map(|s| s as _);
        let plan = examine::examine(
            selection,
            self.engine.capabilities(),
            self.engine.lex_rules(),
            session,
        )
        .await
        .map_err(|error| self.engine_error(error, "reading a recorded script"))?;
        let review = self.review(files, &|version| *version == file.version)?;
        let sizes = self.sizes(&review.tables()).await;
        let environment = self.environment(&opened.log);
        let report = self.judge(&review, Some(environment), &sizes);
        let step = plan.steps.into_iter().next();
        Ok(PendingScript {
            path: file.up.path.display().to_string(),
            mode: step.as_ref().map(|step| step.mode),
            self_committing: step.map_or_else(Vec::new, |step| step.self_committing),
            statements: review.statements(&file.version),
            tables: report.tables,
            estimated_by_size_ms: report.estimated_ms,
            findings: report.findings,
            refusals: plan
                .blockers
                .into_iter()
                .map(|blocker| blocker.refusal)
                .collect(),
        })
    }
}

/// How long it takes by its header: as it is in the file, else as it was recorded.
fn estimate(file: Option<&Migration>, entry: Option<&Entry>) -> Option<u64> {
    let stated = file.and_then(|file| file.metadata.estimated_duration);
    stated.or_else(|| {
        let metadata = &entry?.applied.as_ref()?.metadata;
        match metadata.get("estimated_duration") {
            Some(Value::Integer(number)) => u64::try_from(*number).ok(),
            _ => None,
        }
    })
}
