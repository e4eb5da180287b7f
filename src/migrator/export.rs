//! Signed heads and bundles of the whole ledger (docs/format.md sections 8 and 11).
//!
//! A bundle covers the events that were there when the export began. Its own `history.exported` comes
//! behind them, and so into the next bundle. The event is appended when every byte of the bundle is on
//! the disk and before the bundle gets its name: there is no bundle that the ledger does not know of,
//! unless it was asked not to record.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use ledger::note::Note;
use ledger::trust::KeyEntry;
use ledger::verify::SignatureCheck;
use ledger::{Body, Checkpoint, HistoryExported, Record, Role, Signature, Signer, Verifier};

use super::Migrator;
use super::approve::no_ledger;
use super::keep::CHECKPOINT_ROLES;
use super::open::{self, Opened};
use crate::audit::draft::Draft;
use crate::audit::{self, manifest, readme};
use crate::compliance::csv::Sheet;
use crate::compliance::{self, Collector, Enclosure, Evidence};
use crate::engine::{Encoding, Session, StoredRecord};
use crate::error::Error;
use crate::journal::Fact;
use crate::log::{Log, PAGE};
use crate::object::{self, Unusable};
use crate::report::{Checked, CheckpointView, Exported, VerifyReport};
use crate::request::Export;

impl Migrator {
    /// Signs the head of the log; writes nothing to the database.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger, [`Error::Refused`] when this command's key may not, and
    /// [`Error::Signing`] when it fails.
    pub async fn checkpoint(&self) -> Result<CheckpointView, Error> {
        let log = self.open().await?.log;
        let signer = self.signer_of(&log, CHECKPOINT_ROLES)?;
        let (checkpoint, note) = sign_head(&log, &*signer)?;
        Ok(CheckpointView {
            ledger: checkpoint.ledger,
            size: checkpoint.size,
            root: checkpoint.root,
            key: signer.public_key().fingerprint(),
            note: note.to_string(),
        })
    }

    /// Writes the whole ledger and all that it names to a folder or a file that can be checked offline.
    ///
    /// Memory grows with the number of changes (docs/decisions/0034), not with the number or the size of
    /// events and objects, but for those events that a page has room for.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the path is taken or this command's key may not, [`Error::Usage`] when it
    /// cannot be written or a release of its period is not known, [`Error::Integrity`] when the ledger is
    /// not what was recorded. Then there is no bundle.
    pub async fn export(&self, request: &Export) -> Result<Exported, Error> {
        let path = &request.path;
        if path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
        let opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        // told before anything is copied
        let _period = request.asked.period(opened.log.releases())?;
        if request.record {
            self.may_write(&opened.log)?;
        }
        let signer = self.signer_of(&opened.log, manifest::ROLES)?;
        let Opened { session, log, .. } = opened;
        let mut session = session.ok_or_else(no_ledger)?;
        let mut draft = Draft::begin(path).map_err(|error| unwritable(path, &error))?;
        let copied = self.copy_log(&mut *session, &log, path, &mut draft).await?;
        let (objects, absent) = self.copy_objects(&mut *session, path, &mut draft).await?;
        let evidence = Evidence {
            verification: copied.verification,
            objects: self
                .objects(&mut *session, &copied.collector.objects())
                .await?,
            tool: self.context.tool.clone(),
        };
        drop(session);
        let (checkpoint, note) = sign_head(&log, &*signer)?;
        let (collector, mut enclosure) = (copied.collector, copied.enclosure);
        enclosure.add_checkpoint(&note.to_string());
        let report = collector.report(&request.asked, evidence)?;
        drop(collector);
        self.write_reports(&report, &enclosure, path, &mut draft)?;
        drop((report, enclosure));
        let entries = log.verifier().keyring().entries();
        let earlier = self.copy_checkpoints(&log, path, &mut draft)?;
        let page = readme::readme(&self.facts(&log, &*signer, !absent.is_empty(), earlier));
        let mut texts = vec![
            (audit::CHECKPOINT, note.to_string()),
            (audit::ALLOWED_SIGNERS, audit::allowed_signers(entries)),
            (audit::VERIFIER, audit::VERIFIER_TEXT.to_owned()),
            (audit::README, page),
        ];
        if !absent.is_empty() {
            texts.push((audit::ABSENT, absent));
        }
        for (name, text) in texts {
            draft
                .write(name, text.as_bytes())
                .map_err(|error| unwritable(path, &error))?;
        }
        let signature = draft
            .manifest()
            .sign(&*signer)
            .map_err(|error| not_signed(&error))?;
        let seconds = self.context.source.now().as_micros() / 1_000_000;
        let finished = draft
            .finish(&signature, u64::try_from(seconds).unwrap_or(0))
            .map_err(|error| unwritable(path, &error))?;
        let recorded = if request.record {
            let fact = Fact::success(Body::HistoryExported(HistoryExported {
                manifest: finished.manifest,
                root: checkpoint.root,
                size: checkpoint.size,
            }));
            let log = self.append_alone(&[fact], &[], manifest::ROLES).await?;
            Some(log.size() - 1)
        } else {
            None
        };
        let exported = Exported {
            path: path.display().to_string(),
            ledger: checkpoint.ledger,
            size: checkpoint.size,
            root: checkpoint.root,
            head: log.head(),
            manifest: finished.manifest,
            files: finished.files,
            objects,
            recorded,
        };
        finished.publish().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(path),
            _ => unwritable(path, &error),
        })?;
        Ok(exported)
    }

    pub(super) fn signer_of(
        &self,
        log: &Log,
        roles: &[Role],
    ) -> Result<std::sync::Arc<dyn Signer>, Error> {
        if log.is_empty() {
            return Err(no_ledger());
        }
        let journal = self.journal(self.keys.signer(false)?, log);
        journal.may_sign(log, roles)?;
        Ok(std::sync::Arc::clone(&journal.signing().signer))
    }

    /// Copies lines and signatures as they are stored, and makes sure that they are those of `log`.
    ///
    /// Every signature is checked once more, so that the report says what was verified of these bytes.
    async fn copy_log(
        &self,
        session: &mut dyn Session,
        log: &Log,
        path: &Path,
        draft: &mut Draft,
    ) -> Result<Copied, Error> {
        let fail = |error: &io::Error| unwritable(path, error);
        let mut events = draft.part(audit::EVENTS).map_err(|error| fail(&error))?;
        let mut signatures = draft
            .part(audit::SIGNATURES)
            .map_err(|error| fail(&error))?;
        let mut options = self.options(self.recall()?.as_ref());
        options.signatures = SignatureCheck::All;
        options.ledger = self.settings.ledger;
        let mut verifier = Verifier::new(options);
        let mut collector = Collector::default();
        let mut enclosure = Enclosure::default();
        while verifier.size() < log.size() {
            let page = session
                .records(verifier.size(), PAGE)
                .await
                .map_err(|error| self.engine_error(error, "reading the ledger"))?;
            if page.is_empty() {
                return Err(changed_meanwhile());
            }
            for stored in page {
                if verifier.size() == log.size() {
                    break;
                }
                let record = record(stored).ok_or_else(changed_meanwhile)?;
                if let Some(event) = verifier.push(&record) {
                    collector.apply(&event);
                }
                enclosure.push(&record.line, record.signature.as_bytes());
                events
                    .write_all(&record.line)
                    .and_then(|()| events.write_all(b"\n"))
                    .and_then(|()| writeln!(signatures, "{}", record.signature))
                    .map_err(|error| fail(&error))?;
            }
        }
        if verifier.root() != log.verifier().root() {
            return Err(changed_meanwhile());
        }
        for part in [events, signatures] {
            draft.close(part).map_err(|error| fail(&error))?;
        }
        let verdict = verifier.finish();
        let checked = Checked::of_log(verdict.size, &verdict.findings);
        let verification = VerifyReport::new(verdict, checked);
        Ok(Copied {
            collector,
            verification,
            enclosure,
        })
    }

    /// Writes the report in the forms that an auditor works with.
    fn write_reports(
        &self,
        report: &compliance::Report,
        enclosure: &Enclosure,
        path: &Path,
        draft: &mut Draft,
    ) -> Result<(), Error> {
        let mut write = |name: &str, form: &dyn Fn(&mut dyn Write) -> io::Result<()>| {
            let mut part = draft.part(&format!("{}{name}", audit::REPORTS))?;
            form(&mut part)?;
            draft.close(part)
        };
        let written = write("report.html", &|out| {
            compliance::write_html(report, enclosure, out)
        })
        .and_then(|()| write("report.json", &|out| compliance::write_json(report, out)))
        .and_then(|()| {
            let mut sheets = Sheet::of(report).into_iter();
            sheets.try_for_each(|sheet| write(sheet.file(), &|out| sheet.write(report, out)))
        });
        written.map_err(|error| unwritable(path, &error))
    }

    /// Copies every object; returns how many there are, and the list of those that have no bytes.
    async fn copy_objects(
        &self,
        session: &mut dyn Session,
        path: &Path,
        draft: &mut Draft,
    ) -> Result<(u64, String), Error> {
        let fail = |error| self.engine_error(error, "reading the objects");
        let (mut count, mut absent, mut after) = (0, String::new(), None);
        loop {
            let digests = session.object_digests(after, PAGE).await.map_err(fail)?;
            for digest in &digests {
                let Some(object) = session.object(digest).await.map_err(fail)? else {
                    continue;
                };
                match object::unpack(&object) {
                    Ok(bytes) => {
                        let name = format!("{}{digest}", audit::OBJECTS);
                        draft
                            .write(&name, &bytes)
                            .map_err(|error| unwritable(path, &error))?;
                        count += 1;
                    }
                    Err(Unusable::Absent(_)) if object.encoding == Encoding::Absent => {
                        absent.push_str(&format!("{digest} {}\n", object.size));
                    }
                    Err(_) => {
                        return Err(open::integrity(
                            "object-mismatch",
                            format!("the object `{digest}` holds other bytes than its digest says"),
                            "run `mledger verify` for all findings; nothing was exported",
                        ));
                    }
                }
            }
            after = digests.last().copied();
            if digests.len() < PAGE as usize {
                return Ok((count, absent));
            }
        }
    }

    /// Copies the checkpoints that are kept of this ledger, and their timestamps; says which have one.
    fn copy_checkpoints(
        &self,
        log: &Log,
        path: &Path,
        draft: &mut Draft,
    ) -> Result<BTreeMap<u64, bool>, Error> {
        let mut earlier = BTreeMap::new();
        for kept in self.kept_of(log) {
            // those of a future that a rewind has given up say nothing about these events
            if kept.size >= log.size() || earlier.contains_key(&kept.size) {
                continue;
            }
            let name = format!("{}{}", audit::CHECKPOINTS, kept.size);
            let mut parts = vec![(name.clone(), kept.note.into_bytes())];
            earlier.insert(kept.size, kept.stamp.is_some());
            parts.extend(kept.stamp.map(|stamp| (format!("{name}.tsr"), stamp)));
            for (name, bytes) in parts {
                draft
                    .write(&name, &bytes)
                    .map_err(|error| unwritable(path, &error))?;
            }
        }
        Ok(earlier)
    }

    fn facts(
        &self,
        log: &Log,
        signer: &dyn Signer,
        absent: bool,
        earlier: BTreeMap<u64, bool>,
    ) -> readme::Facts {
        let verifier = log.verifier();
        let fingerprint = signer.public_key().fingerprint();
        let name = |entry: Option<&KeyEntry>| entry.map(audit::principal).unwrap_or_default();
        let first = verifier.keyring().entries().first();
        let text = first.map_or_else(String::new, |entry| entry.public.to_openssh());
        readme::Facts {
            ledger: verifier.ledger_id().unwrap_or(ledger::Digest::ZERO),
            size: verifier.size(),
            head: verifier.head(),
            root: verifier.root(),
            environment: self.environment(log),
            made: self.context.source.now(),
            tool: self.context.tool.clone(),
            signer: name(verifier.keyring().find(&fingerprint)),
            first: name(first),
            first_key: text.split(' ').nth(1).unwrap_or_default().to_owned(),
            absent,
            earlier,
        }
    }
}

/// What is known of a log when it has been copied.
struct Copied {
    collector: Collector,
    verification: VerifyReport,
    enclosure: Enclosure,
}

pub(super) fn sign_head(log: &Log, signer: &dyn Signer) -> Result<(Checkpoint, Note), Error> {
    let verifier = log.verifier();
    let checkpoint = Checkpoint {
        ledger: verifier.ledger_id().ok_or_else(no_ledger)?,
        size: verifier.size(),
        root: verifier.root(),
    };
    let note = checkpoint
        .sign(signer)
        .map_err(|error| not_signed(&error))?;
    Ok((checkpoint, note))
}

pub(super) fn record(stored: StoredRecord) -> Option<Record> {
    Some(Record {
        signature: Signature::from_bytes(stored.signature.as_slice().try_into().ok()?),
        line: stored.line,
    })
}

pub(super) fn changed_meanwhile() -> Error {
    open::integrity(
        "checkpoint-mismatch",
        "expected the events that were just verified, found others when they were copied"
            .to_owned(),
        "somebody changes the ledger right now; run `mledger verify`. Nothing was exported",
    )
}

fn taken(path: &Path) -> Error {
    Error::refused(
        "export-exists",
        format!(
            "expected nothing at `{}`, found a file or folder",
            path.display()
        ),
        "name another place; an export never replaces anything",
    )
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::Usage {
        code: "file-not-written",
        message: format!("cannot write the bundle `{}`: {error}", path.display()),
        hint: "check the folder that it goes to, its permissions and the free space".to_owned(),
    }
}

fn not_signed(error: &ledger::SignError) -> Error {
    Error::Signing {
        message: format!("the export could not be signed: {error}"),
        hint: "check the key that --key, MLEDGER_KEY_FILE or MLEDGER_KEY names".to_owned(),
    }
}
