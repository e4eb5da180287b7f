//! What is applied and what is not.

use std::collections::BTreeMap;

use ledger::canonical::Value;
use ledger::{Code, Digest, Finding};

use super::Migrator;
use super::init::ledger_view;
use super::unresolved;
use crate::engine::{Fault, SchemaFingerprint, Session};
use crate::error::Error;
use crate::lease;
use crate::log::Log;
use crate::migration::{Migration, Version};
use crate::plan::baseline;
use crate::plan::order::Positions;
use crate::plan::up::is_due;
use crate::projection::history::{Applied, Entry, History, Standing};
use crate::projection::releases::Releases;
use crate::report::{
    Counts, DatabaseView, LastFailure, MigrationView, Notice, State, Status, StepsView,
};

impl Migrator {
    /// Returns the state of every migration of the folder and of the log; writes nothing.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger and the folder.
    pub async fn status(&self) -> Result<Status, Error> {
        let files = self.files()?;
        let mut opened = self.open().await?;
        let mut lock = None;
        let mut warnings: Vec<Notice> = opened
            .log
            .findings()
            .iter()
            .filter(|finding| finding.code != Code::FirstKeyNotTrusted)
            .map(notice)
            .collect();
        if let Some(session) = opened.session.as_deref_mut()
            && !opened.log.is_empty()
        {
            let held = session
                .lease()
                .await
                .map_err(|error| self.engine_error(error, "reading the lease"))?;
            lock = held.as_ref().map(lease::view);
            let drift = self.drift(session, &opened.log).await?;
            warnings.extend(drift.as_ref().map(notice));
        }
        warnings.extend(
            opened
                .missing_guards
                .iter()
                .map(|guard| notice(&missing_guard(guard))),
        );
        warnings.extend(files.iter().flat_map(header_warnings));
        warnings.extend(super::work::held_back(&opened.log).map(|blocker| Notice {
            code: blocker.refusal.code,
            seq: None,
            message: format!("{}: {}", blocker.refusal.message, blocker.refusal.hint),
        }));
        let history = opened.log.history();
        let files = baseline::seen(&files, history, None);
        let migrations = views(&files, history, opened.log.releases());
        Ok(Status {
            environment: self.environment(&opened.log),
            database: DatabaseView {
                engine: self.engine.capabilities().name.to_owned(),
                name: self.engine.address().display().to_owned(),
            },
            format: self.form(),
            ledger: ledger_view(&opened.log),
            current: history.current().map(|version| {
                history
                    .get(version)
                    .map_or_else(|| version.to_string(), |entry| entry.version.clone())
            }),
            counts: count(&migrations),
            last_failure: last_failure(history),
            migrations,
            lock,
            warnings,
            as_of: None,
        })
    }

    /// Compares the schema as it is with the one that the last run left; says so where it could not.
    pub(super) async fn drift(
        &self,
        session: &mut dyn Session,
        log: &Log,
    ) -> Result<Option<Finding>, Error> {
        Ok(self.compare_schema(session, log).await?.1)
    }

    /// As [`Migrator::drift`], with the fingerprint that was found; there is none where nothing was read.
    pub(super) async fn compare_schema(
        &self,
        session: &mut dyn Session,
        log: &Log,
    ) -> Result<(Option<SchemaFingerprint>, Option<Finding>), Error> {
        let fail = |error| self.engine_error(error, "reading the schema");
        // reading definitions waits for whoever changes them, so it is done only to compare
        if log.history().last_schema().is_none() {
            return Ok((None, None));
        }
        let now = match session.fingerprint().await {
            Ok(now) => now,
            // all else is looked at all the same while somebody else changes the schema
            Err(error) if error.fault == Fault::Busy => {
                return Ok((None, Some(not_compared(&error.message))));
            }
            Err(error) => return Err(fail(error)),
        };
        let mut found = drift(log.history(), &now);
        if found
            .as_ref()
            .is_some_and(|found| found.code == Code::SchemaDrift)
        {
            // the schema was read after the log: what a run did in between is no change out of band
            let later = session.records(log.size(), 1).await.map_err(fail)?;
            found = found.filter(|_| later.is_empty());
        }
        Ok((Some(now), found))
    }
}

pub(super) fn drift(history: &History, now: &SchemaFingerprint) -> Option<Finding> {
    let left = history.last_schema()?;
    let then = &left.schema;
    if then.format != u64::from(now.format) || then.server != now.server {
        return Some(not_compared(&format!(
            "that was read on the server version {}, in form {}, and this is {}, in form {}",
            then.server, then.format, now.server, now.format
        )));
    }
    if then.digest == now.digest {
        return None;
    }
    if !now.lacking.is_empty() {
        return Some(not_compared(&format!(
            "this user may not see all of it; with {} on the database, it could be told",
            now.lacking.join(", ")
        )));
    }
    Some(Finding {
        code: Code::SchemaDrift,
        severity: ledger::Severity::Warning,
        seq: Some(left.seq),
        message: "the schema is not the one that the last run left: it was changed out of band"
            .to_owned(),
    })
}

fn not_compared(reason: &str) -> Finding {
    Finding {
        code: Code::SchemaNotCompared,
        severity: ledger::Severity::Warning,
        seq: None,
        message: format!(
            "the schema was not compared with the one that the last run left: {reason}"
        ),
    }
}

pub(super) fn missing_guard(guard: &str) -> Finding {
    Finding {
        code: Code::GuardMissing,
        severity: ledger::Severity::Warning,
        seq: None,
        message: format!("the guard `{guard}` is missing or is not the one that was made"),
    }
}

fn notice(finding: &Finding) -> Notice {
    Notice {
        code: finding.code.as_str(),
        seq: finding.seq,
        message: finding.message.clone(),
    }
}

fn header_warnings(file: &Migration) -> impl Iterator<Item = Notice> + '_ {
    file.warnings.iter().map(|problem| Notice {
        code: problem.code,
        seq: None,
        message: problem.to_string(),
    })
}

pub(super) fn views(
    files: &[Migration],
    history: &History,
    releases: &Releases,
) -> Vec<MigrationView> {
    let mut rows: BTreeMap<&Version, (Option<&Migration>, Option<&Entry>)> = files
        .iter()
        .map(|file| (&file.version, (Some(file), None)))
        .collect();
    for (version, entry) in history.entries() {
        rows.entry(version).or_insert((None, None)).1 = Some(entry);
    }
    let newest = history.current();
    let positions = Positions::new(files);
    rows.into_iter()
        .filter_map(|(version, (file, entry))| {
            let is_pending = entry.is_none_or(|entry| entry.applied.is_none());
            let is_late = is_pending && file.is_some_and(|file| positions.is_late(file, newest));
            let mut view = view(version, file, entry, state(file, entry, is_late)?);
            let applied = entry.and_then(|entry| entry.applied.as_ref());
            view.release = release(version, applied, releases);
            Some(view)
        })
        .collect()
}

/// Returns what the log alone says of a version; `None` for one that had come to nothing.
pub(super) fn past_view(
    version: &Version,
    entry: &Entry,
    releases: &Releases,
) -> Option<MigrationView> {
    let state = unresolved::state(entry);
    if state == State::Pending {
        return None;
    }
    let mut view = view(version, None, Some(entry), state);
    view.release = release(version, entry.applied.as_ref(), releases);
    Some(view)
}

/// Returns the release that a migration is in since it was applied.
fn release(version: &Version, applied: Option<&Applied>, releases: &Releases) -> Option<String> {
    let release = releases.first_with(version, applied?)?;
    Some(release.release.to_string())
}

fn view(
    version: &Version,
    file: Option<&Migration>,
    entry: Option<&Entry>,
    state: State,
) -> MigrationView {
    let applied = entry.and_then(|entry| entry.applied.as_ref());
    let recorded = applied.and_then(|applied| applied.checksum);
    MigrationView {
        version: match (entry.filter(|_| applied.is_some()), file) {
            (Some(entry), _) => entry.version.clone(),
            (None, Some(file)) => file.version.as_str().to_owned(),
            (None, None) => version.as_str().to_owned(),
        },
        name: file.map_or_else(
            || entry.map_or_else(String::new, |entry| entry.name.clone()),
            |file| file.name.clone(),
        ),
        state,
        batch: applied.and_then(|applied| applied.batch),
        applied_at: applied.map(|applied| applied.time),
        duration_ms: applied
            .filter(|applied| applied.batch.is_some())
            .map(|applied| applied.duration_ms),
        checksum: file
            .map(|file| file.checksum)
            .or(recorded)
            .unwrap_or(Digest::ZERO),
        applied_by: applied.map(|applied| applied.actor.clone()),
        release: None,
        description: description(file, entry),
        attempts: entry.map_or(0, |entry| entry.attempts),
        steps: entry.and_then(steps),
        dependencies: dependencies(file, entry),
    }
}

fn steps(entry: &Entry) -> Option<StepsView> {
    let (Standing::Partial(direction, _) | Standing::Unknown(direction, _)) = entry.standing()
    else {
        return None;
    };
    let steps = entry.steps(direction);
    Some(StepsView {
        done: steps.done.len() as u64,
        of: steps.of,
    })
}

/// What a version waits for, by the header of its file or by the one that was recorded.
fn dependencies(file: Option<&Migration>, entry: Option<&Entry>) -> Vec<String> {
    if let Some(file) = file {
        return file.metadata.dependencies.clone();
    }
    let metadata = entry
        .and_then(|entry| entry.applied.as_ref())
        .map(|applied| &applied.metadata);
    let recorded = metadata
        .and_then(|metadata| metadata.get("dependencies"))
        .and_then(Value::as_list);
    recorded
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_text)
        .map(str::to_owned)
        .collect()
}

fn description(file: Option<&Migration>, entry: Option<&Entry>) -> Option<String> {
    if let Some(file) = file {
        return file.metadata.description.clone();
    }
    match entry?.applied.as_ref()?.metadata.get("description") {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Returns the state of a version, or `None` for one that is neither applied nor a file.
fn state(file: Option<&Migration>, entry: Option<&Entry>, is_late: bool) -> Option<State> {
    match entry.map(Entry::standing) {
        Some(Standing::Unknown(..)) => return Some(State::Unknown),
        Some(Standing::Partial(..)) => return Some(State::Partial),
        _ => {}
    }
    let due = file.is_some_and(|file| file.version.is_repeatable() && is_due(file, entry));
    if let Some(applied) = entry.and_then(|entry| entry.applied.as_ref())
        && !due
    {
        return Some(match (file, applied.checksum) {
            (None, _) => State::Missing,
            (Some(file), Some(recorded)) if file.checksum != recorded => State::Changed,
            _ => State::Applied,
        });
    }
    file?;
    let failed = entry.is_some_and(|entry| entry.failed.is_some());
    let rolled_back = entry.is_some_and(|entry| entry.rolled_back);
    Some(if failed {
        State::Failed
    } else if is_late {
        State::OutOfOrder
    } else if rolled_back {
        State::RolledBack
    } else {
        State::Pending
    })
}

pub(super) fn count(migrations: &[MigrationView]) -> Counts {
    let mut counts = Counts::default();
    for migration in migrations {
        match migration.state {
            State::Applied => counts.applied += 1,
            State::Changed => {
                counts.applied += 1;
                counts.changed += 1;
            }
            State::Missing => {
                counts.applied += 1;
                counts.missing += 1;
            }
            State::Partial => counts.partial += 1,
            State::Unknown => counts.unknown += 1,
            State::Pending | State::RolledBack => counts.pending += 1,
            State::Failed => {
                counts.pending += 1;
                counts.failed += 1;
            }
            State::OutOfOrder => {
                counts.pending += 1;
                counts.out_of_order += 1;
            }
        }
    }
    counts
}

pub(super) fn last_failure(history: &History) -> Option<LastFailure> {
    let (entry, failed) = history
        .entries()
        .filter_map(|(_, entry)| Some((entry, entry.failed.as_ref()?)))
        .max_by_key(|(_, failed)| failed.seq)?;
    Some(LastFailure {
        seq: failed.seq,
        version: entry.version.clone(),
        direction: failed.direction,
        time: failed.time,
        message: failed.error.message.clone(),
        code: failed.error.code.clone(),
        line: failed.error.line,
    })
}
