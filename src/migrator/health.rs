//! `health`: everything a probe wants to know, read once and weighed by a pure function.

use ledger::{Code, Finding};

use super::Migrator;
use super::drift::compared;
use super::init::ledger_view;
use super::status::{count, last_failure, missing_guard, views};
use super::work::held_back;
use crate::engine::{EngineError, Fault};
use crate::error::Error;
use crate::lease;
use crate::log::Log;
use crate::migration::Migration;
use crate::plan::{Blocker, BlockerKind, Selection, baseline, up};
use crate::projection::backups::Hold;
use crate::projection::history::{History, Standing};
use crate::report::{
    DatabaseView, Found, Health, LastBackup, LedgerHealth, LockView, SchemaHealth, State,
};
use crate::request;

impl Migrator {
    /// Looks at the database, its ledger, the lease, the migrations, the backups and the schema; writes
    /// nothing.
    ///
    /// What is wrong with one of them is a problem of the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] where the database cannot be reached or is not there, [`Error::Integrity`] where
    /// the ledger does not hold together, as nothing that it says could be believed then, and
    /// [`Error::Files`] where the folder cannot be read.
    pub async fn health(&self, request: &request::Health) -> Result<Health, Error> {
        let folder = self.settings.migrations.is_dir();
        let files = if folder { self.files()? } else { Vec::new() };
        let signatures_from = self.recall()?.map_or(0, |seen| seen.head.size);
        let mut opened = self.open().await?;
        let checked_at = self.context.source.now();
        let Some(session) = opened.session.as_deref_mut() else {
            return Err(self.engine_error(no_database(), "connecting"));
        };
        let log = &opened.log;
        let mut lock = None;
        let mut schema = (SchemaHealth::Unknown, None);
        if !log.is_empty() {
            let held = session
                .lease()
                .await
                .map_err(|error| self.engine_error(error, "reading the lease"))?;
            lock = held.as_ref().map(lease::view);
            let drift = self.drift(session, log).await?;
            schema = (compared(log, drift.as_ref()), drift);
        }
        let history = log.history();
        let files = baseline::seen(&files, history, None);
        let running = running(history, lock.as_ref());
        let mut migrations = views(&files, history, log.releases());
        migrations.retain(|view| running.as_ref() != Some(&view.version));
        if !folder {
            // nothing is missing from a folder that nobody has shown
            migrations.retain(|view| view.state != State::Missing);
        }
        let mut found = self.found(&files, folder, log, lock.as_ref());
        let guards = opened.missing_guards.iter();
        found
            .findings
            .extend(guards.map(|guard| missing_guard(guard)));
        found.findings.extend(schema.1);
        let newest = log.backups().kept().last().map(|backup| self.view(backup));
        let mut health = Health {
            environment: self.environment(log),
            database: DatabaseView {
                engine: self.engine.capabilities().name.to_owned(),
                name: self.engine.address().display().to_owned(),
            },
            checked_at,
            ledger: ledger_view(log).map(|view| LedgerHealth {
                view,
                signatures_from,
            }),
            lock,
            running,
            counts: count(&migrations),
            folder,
            last_failure: last_failure(history),
            backup: newest.map(|view| LastBackup::new(&view, checked_at)),
            schema: schema.0,
            problems: Vec::new(),
        };
        if !folder {
            let applied = history.applied().len();
            health.counts.applied = u64::try_from(applied).unwrap_or(u64::MAX);
        }
        health.weigh(found, request.max_backup_age);
        Ok(health)
    }

    fn found(
        &self,
        files: &[Migration],
        folder: bool,
        log: &Log,
        lock: Option<&LockView>,
    ) -> Found {
        let history = log.history();
        let everything = request::Up::default();
        let selection = up::select(files, history, &everything, self.settings.out_of_order);
        let Selection {
            settlements,
            blockers,
            warnings,
            ..
        } = selection;
        let run = alive(lock);
        let under_way = |version: &str| {
            let entry = version
                .parse()
                .ok()
                .and_then(|version| history.get(&version));
            let open = entry.and_then(|entry| entry.open.as_ref());
            run.is_some() && open.map(|open| open.run) == run
        };
        let of_files = |finding: &Finding| folder || finding.code != Code::FileMissing;
        let findings = log
            .findings()
            .iter()
            .filter(|finding| finding.code != Code::FirstKeyNotTrusted);
        let failed = history.entries().filter_map(|(_, entry)| {
            let failed = entry.failed.as_ref().filter(|failed| failed.clean)?;
            let clear = entry.standing() == Standing::Clear;
            clear.then(|| (entry.version.clone(), failed.error.message.clone()))
        });
        Found {
            blockers: blockers
                .into_iter()
                .filter(|blocker| !concerns(blocker, &under_way))
                .chain(held(log, run.is_some()))
                .collect(),
            settlements: settlements
                .into_iter()
                .filter(|settlement| !under_way(&settlement.version))
                .collect(),
            findings: warnings
                .into_iter()
                .filter(of_files)
                .chain(findings.cloned())
                .collect(),
            failed: failed.collect(),
        }
    }
}

/// The run that holds the lease and is not known to have ended.
fn alive(lock: Option<&LockView>) -> Option<uuid::Uuid> {
    lock.filter(|lock| lease::replaceable(lock).is_none())
        .map(|lock| lock.run)
}

/// The migration that the holder of the lease has started and not ended.
fn running(history: &History, lock: Option<&LockView>) -> Option<String> {
    let run = alive(lock)?;
    history.entries().find_map(|(_, entry)| {
        let open = entry.open.as_ref()?;
        (open.run == run).then(|| entry.version.clone())
    })
}

/// Says whether a blocker is only that a migration has no end yet, while it is being run.
fn concerns(blocker: &Blocker, under_way: &dyn Fn(&str) -> bool) -> bool {
    let version = blocker.refusal.version.as_deref();
    blocker.kind == BlockerKind::Undecided && version.is_some_and(under_way)
}

/// A restore that is being done now has no end yet, and needs no person.
fn held(log: &Log, running: bool) -> Option<Blocker> {
    let restoring = running && log.backups().hold() == Some(Hold::Unfinished);
    held_back(log).filter(|_| !restoring)
}

fn no_database() -> EngineError {
    EngineError::new(Fault::NoDatabase, "there is no database at this address")
}
