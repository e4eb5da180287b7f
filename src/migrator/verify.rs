//! The full verification of a live database: log, objects, files, guards, schema.

use std::collections::BTreeMap;

use ledger::verify::{Options, SignatureCheck};
use ledger::{Code, Digest, Event, Finding, Severity};

use super::{Migrator, open, status};
use crate::audit;
use crate::audit::objects::{Named, erased};
use crate::context::Remembered;
use crate::engine::{Object, Session, Store};
use crate::error::Error;
use crate::log::Log;
use crate::migration::{Migration, Version};
use crate::object::{self, Unusable};
use crate::plan::baseline;
use crate::plan::up::is_due;
use crate::projection::history::History;
use crate::report::{Checked, VerifyReport};
use crate::request::Verify;

/// How many digests are fetched at a time.
const PAGE: u32 = 256;

impl Migrator {
    /// Verifies everything that can be verified and returns what was found; writes nothing.
    ///
    /// Every signature is checked, also those before a remembered head. The answer names what
    /// completeness is anchored to, and counts what was looked at.
    ///
    /// # Errors
    ///
    /// Only what keeps it from looking: the database's answers, a trust file that cannot be read, and
    /// [`Error::Integrity`] where there is no ledger to verify. What is wrong with a ledger is a finding.
    pub async fn verify(&self, request: &Verify) -> Result<VerifyReport, Error> {
        self.verify_telling(request, &mut |_| {}).await
    }

    /// As [`Migrator::verify`]; `each` is told every event that can be read, whatever was found about it.
    pub(super) async fn verify_telling(
        &self,
        request: &Verify,
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> Result<VerifyReport, Error> {
        let remembered = self.recall()?;
        let mut options = self.options_of(request, remembered.as_ref())?;
        let shelf = self.shelf()?;
        options.kept = shelf.notes();
        let mut log = Log::empty(options);
        // asked before anything is read: what others remember meanwhile is not missing here
        let seen_before = remembered.is_some();
        let mut session = self.connect_to_verify(seen_before).await?;
        let mut found = Found::default();
        self.verify_store(&mut *session, seen_before, &mut log, &mut found, each)
            .await?;
        found.checked = Checked {
            guards: found.checked.guards,
            ..Checked::of_log(log.size(), log.findings())
        };
        if let Some(message) = remembered
            .as_ref()
            .and_then(|seen| open::another(&log, seen))
        {
            found.add(Code::LedgerMismatch, message);
        }
        self.look_for_strangers(&shelf, &log)?;
        self.verify_identity(&mut *session, log.history(), &mut found)
            .await?;
        self.verify_objects(&mut *session, &mut found).await?;
        self.verify_files(log.history(), &mut found)?;
        self.verify_schema(&mut *session, &log, request.strict, &mut found)
            .await?;
        let to_remember = log.to_remember();
        let (mut verdict, _) = log.finish();
        verdict.findings.extend(found.findings);
        if !verdict.has_errors()
            && let Some(seen) = to_remember
        {
            // a failure to remember is told by the commands that work every day
            let _ = self
                .context
                .heads
                .remember(self.engine.address().key(), &seen);
        }
        Ok(VerifyReport::new(verdict, found.checked))
    }

    /// Returns the options of a verification that takes nothing as checked before.
    pub(super) fn options_of(
        &self,
        request: &Verify,
        remembered: Option<&Remembered>,
    ) -> Result<Options, Error> {
        let mut options = self.options(remembered);
        options.signatures = SignatureCheck::All;
        options.checkpoints.clone_from(&request.checkpoints);
        options.witnesses.extend(request.witnesses.iter().cloned());
        // an id that the configuration pins was obtained some other way, too
        options.ledger = request.ledger.or(self.settings.ledger);
        options.trust = audit::trust(request)?;
        Ok(options)
    }

    async fn connect_to_verify(&self, seen_before: bool) -> Result<Box<dyn Session>, Error> {
        match self.engine.connect(crate::engine::Access::Read).await {
            Ok(session) => Ok(session),
            Err(error) if error.fault == crate::engine::Fault::NoDatabase => {
                Err(nothing_to_verify(seen_before))
            }
            Err(error) => Err(self.engine_error(error, "connecting")),
        }
    }

    async fn verify_store(
        &self,
        session: &mut dyn Session,
        seen_before: bool,
        log: &mut Log,
        found: &mut Found,
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> Result<(), Error> {
        let fail = |error| self.engine_error(error, "reading the ledger");
        match session.store().await.map_err(fail)? {
            Store::Absent => return Err(nothing_to_verify(seen_before)),
            Store::Present {
                guards,
                missing_guards,
            } => {
                found.checked.guards = guards;
                for guard in &missing_guards {
                    found.findings.push(status::missing_guard(guard));
                }
            }
            other => return Err(open::unusable_store(&other)),
        }
        let objects = &mut found.objects;
        let mut tell = |event: &Event| {
            objects.collect(&event.body);
            each(event);
        };
        log.catch_up(session, &mut tell).await.map_err(fail)?;
        if log.is_empty() {
            return Err(open::no_event());
        }
        if let Some((seq, reason)) = log.unreadable() {
            found.findings.push(Finding {
                code: Code::LifecycleBroken,
                severity: Severity::Error,
                seq: Some(seq),
                message: reason.to_owned(),
            });
        }
        Ok(())
    }

    /// Compares the database's own identity with the one that its ledger was opened for.
    async fn verify_identity(
        &self,
        session: &mut dyn Session,
        history: &History,
        found: &mut Found,
    ) -> Result<(), Error> {
        let here = session
            .identity()
            .await
            .map_err(|error| self.engine_error(error, "reading the database's identity"))?;
        if let Some(recorded) = history.database()
            && recorded.identity != here.identity
        {
            found.add(
                Code::LedgerMismatch,
                format!(
                    "the ledger belongs to the database `{}`, but this one says that it is `{}`",
                    recorded.identity, here.identity
                ),
            );
        }
        Ok(())
    }

    /// Compares the bytes of every object with its digest, and looks for those that events name.
    async fn verify_objects(
        &self,
        session: &mut dyn Session,
        found: &mut Found,
    ) -> Result<(), Error> {
        let fail = |error| self.engine_error(error, "reading the objects");
        let mut after = None;
        loop {
            let page = session.object_digests(after, PAGE).await.map_err(fail)?;
            for digest in &page {
                found.checked.objects += 1;
                found.objects.needed.remove(digest);
                let object = session.object(digest).await.map_err(fail)?;
                found.object(digest, object.as_ref());
            }
            after = page.last().copied();
            if page.len() < PAGE as usize {
                break;
            }
        }
        for digest in std::mem::take(&mut found.objects.needed) {
            found.object(&digest, None);
        }
        Ok(())
    }

    /// Compares the files of applied migrations with what was applied.
    fn verify_files(&self, history: &History, found: &mut Found) -> Result<(), Error> {
        if !self.settings.migrations.is_dir() {
            return Ok(());
        }
        let files = self.files()?;
        let files = baseline::seen(&files, history, None);
        let by_version: BTreeMap<&Version, &Migration> =
            files.iter().map(|file| (&file.version, file)).collect();
        for (version, entry, applied) in history.applied() {
            let Some(recorded) = applied.checksum else {
                continue;
            };
            let file = by_version.get(version).copied();
            // another text is to run, and what it made outlives its file
            if version.is_repeatable() && file.is_none_or(|file| is_due(file, Some(entry))) {
                continue;
            }
            found.checked.files += 1;
            let name = format!("{}_{}", entry.version, entry.name);
            found.file(&name, file, recorded, applied.script, applied.seq);
        }
        Ok(())
    }

    /// Compares the schema with the one that the last run left, and runs with their predecessors.
    async fn verify_schema(
        &self,
        session: &mut dyn Session,
        log: &Log,
        strict: bool,
        found: &mut Found,
    ) -> Result<(), Error> {
        let history = log.history();
        let severity = if strict {
            Severity::Error
        } else {
            Severity::Warning
        };
        for drift in history.schemas().drifts() {
            found.checked.schemas += 1;
            if drift.accepted.is_some() {
                continue;
            }
            let (left, began) = (&drift.left, &drift.began);
            found.findings.push(Finding {
                code: Code::SchemaDrift,
                severity,
                seq: Some(began.seq),
                message: format!(
                    "the schema changed out of band between the events {} and {}",
                    left.seq, began.seq
                ),
            });
        }
        let mut finding = self.drift(session, log).await?;
        let compared = match &mut finding {
            Some(finding) if finding.code == Code::SchemaDrift => {
                finding.severity = severity;
                true
            }
            Some(_) => false,
            None => history.last_schema().is_some(),
        };
        found.checked.schemas += u64::from(compared);
        found.findings.extend(finding);
        Ok(())
    }
}

/// What was looked at and found outside of the log itself.
#[derive(Debug, Default)]
struct Found {
    checked: Checked,
    findings: Vec<Finding>,
    objects: Named,
}

impl Found {
    fn add(&mut self, code: Code, message: String) {
        self.findings.push(Finding {
            code,
            severity: Severity::Error,
            seq: None,
            message,
        });
    }

    fn object(&mut self, digest: &Digest, object: Option<&Object>) {
        let bytes = object.map_or(Err(Unusable::Missing(*digest)), object::unpack);
        // whoever can write to the database can call an object absent; an event or its size must say so
        let too_large = object.is_some_and(|object| object.size > object::LIMIT as u64);
        let explained = too_large || self.objects.redacted.contains(digest);
        let (code, severity, message) = match bytes {
            Ok(_) => return,
            Err(Unusable::Absent(_)) if !explained => (
                Code::ObjectMissing,
                Severity::Error,
                format!("the bytes of the object `{digest}` were erased, and no event says so"),
            ),
            Err(Unusable::Missing(_)) => (
                Code::ObjectMissing,
                Severity::Error,
                format!("the object `{digest}`, which events name, is not stored"),
            ),
            Err(Unusable::Absent(_)) if self.objects.redacted.contains(digest) => {
                (Code::ObjectMissing, Severity::Warning, erased(digest))
            }
            Err(Unusable::Absent(_)) => (
                Code::ObjectMissing,
                Severity::Warning,
                format!("of the object `{digest}` only digest and size are kept"),
            ),
            Err(Unusable::Mismatch(_)) => (
                Code::ObjectMismatch,
                Severity::Error,
                format!("the object `{digest}` holds other bytes than its digest says"),
            ),
        };
        self.findings.push(Finding {
            code,
            severity,
            seq: None,
            message,
        });
    }

    fn file(
        &mut self,
        name: &str,
        file: Option<&Migration>,
        recorded: Digest,
        script: Option<Digest>,
        seq: u64,
    ) {
        let (code, severity, message) = match file {
            None => (
                Code::FileMissing,
                Severity::Error,
                format!("`{name}` is applied, and its file is not in the folder"),
            ),
            Some(file) if file.checksum != recorded => (
                Code::FileChanged,
                Severity::Error,
                format!(
                    "`{}` is not what was applied: expected the checksum `{recorded}`, found `{}`",
                    file.up.path.display(),
                    file.checksum
                ),
            ),
            Some(file) if script.is_some_and(|script| script != file.up.digest) => (
                Code::LineEndingsDiffer,
                Severity::Warning,
                format!(
                    "`{}` differs in its line ends alone",
                    file.up.path.display()
                ),
            ),
            Some(_) => return,
        };
        self.findings.push(Finding {
            code,
            severity,
            seq: Some(seq),
            message,
        });
    }
}

fn nothing_to_verify(seen_before: bool) -> Error {
    if seen_before {
        return open::lost("one was seen at this address, and now there is none".to_owned());
    }
    Error::Usage {
        code: "ledger-missing",
        message: "expected a ledger to verify, but none was opened in this database".to_owned(),
        hint: "`mledger init` opens one, and so does the first `mledger up`".to_owned(),
    }
}
