//! Taking, listing, verifying, accepting and removing backups.

use std::fs;
use std::path::Path;

use ledger::{
    BackupAccepted, BackupFailed, BackupRemoved, BackupTaken, BackupVerified, Body, Forced, Role,
};
use uuid::Uuid;

use super::work::Work;
use super::{Migrator, open};
use crate::backup::file::{self, Draft, Written};
use crate::backup::meter::Meter;
use crate::backup::reader::Reader;
use crate::backup::{Dump, Job, failed, unwritable};
use crate::context::Progress;
use crate::engine::Access;
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::policy::saves_first;
use crate::projection::backups::{Backup, Hold};
use crate::report::{BackupChecked, BackupView, Decided, Pruned, RestoreTest};

/// The longest name of a backup; it is a part of a file's name.
const LONGEST_NAME: usize = 80;

impl Migrator {
    /// Saves the database, and records the file.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] where it did not succeed, which is recorded too; [`Error::Stopped`].
    pub async fn create_backup(&self, name: Option<&str>) -> Result<BackupView, Error> {
        let name = name.unwrap_or("backup");
        check_name(name)?;
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        self.may_write_to(&mut opened).await?;
        let journal = self.journal(self.keys.signer(false)?, &opened.log);
        journal.may_sign(&opened.log, &[Role::Operator])?;
        drop(opened.session);
        self.save(name).await
    }

    /// Returns the backups that were not removed, oldest first.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger.
    pub async fn backups(&self) -> Result<Vec<BackupView>, Error> {
        let opened = self.open().await?;
        let kept = opened.log.backups().kept();
        Ok(kept.into_iter().map(|backup| self.view(backup)).collect())
    }

    /// Reads a backup's file to its end, and records that it is what was recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] where the file is gone or has other bytes, [`Error::Usage`] where there is no such
    /// backup or the key is another one.
    pub async fn verify_backup(&self, which: &str) -> Result<BackupChecked, Error> {
        let opened = self.open().await?;
        let backup = self.find_backup(&opened.log, which)?.clone();
        drop(opened.session);
        self.compare_backup(&backup)?;
        let content = self.read_content(&backup)?;
        self.record_verified(&backup, content, None).await
    }

    pub(super) async fn record_verified(
        &self,
        backup: &Backup,
        content: Option<u64>,
        restore_test: Option<RestoreTest>,
    ) -> Result<BackupChecked, Error> {
        let id = backup.taken.backup;
        let fact = Fact::success(Body::BackupVerified(BackupVerified { backup: id }));
        let log = self.append_alone(&[fact], &[], &[Role::Operator]).await?;
        let verified = self.find_backup(&log, &id.to_string())?;
        Ok(BackupChecked {
            backup: self.view(verified),
            content,
            restore_test,
        })
    }

    /// Records that a person has looked at the restored database, so that runs may go on.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where no such backup waits for it.
    pub async fn accept_backup(&self, which: &str, reason: &str) -> Result<Decided, Error> {
        let append = self.begin_append(&[Role::Operator]).await?;
        let backup = self.find_backup(&append.log, which)?.taken.backup;
        if append.log.backups().hold() != Some(Hold::NotAccepted(backup)) {
            return Err(Error::Usage {
                code: "backup-not-waiting",
                message: format!(
                    "expected the backup that was restored last and not accepted yet, found `{backup}`"
                ),
                hint: "`mledger status` says what waits for a person".to_owned(),
            });
        }
        let fact = Fact::success(Body::BackupAccepted(BackupAccepted {
            backup,
            reason: ledger::clean(reason),
        }));
        let log = self.finish_append(append, vec![fact]).await?;
        Ok(Decided {
            message: format!("the restored backup `{backup}` is accepted: `up` may go on"),
            seq: log.size() - 1,
            head: log.head(),
        })
    }

    /// Removes backups so that the newest `keep` stay; never the newest, nor the last one before the migration
    /// that was applied last.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] where a file cannot be deleted.
    pub async fn prune_backups(&self, keep: u64) -> Result<Pruned, Error> {
        let opened = self.open().await?;
        let applied = opened.log.history().applied();
        let last = applied.last().map(|(.., applied)| applied.seq);
        let going: Vec<Backup> = opened
            .log
            .backups()
            .to_prune(keep, last)
            .into_iter()
            .cloned()
            .collect();
        let kept = opened.log.backups().kept().len() - going.len();
        drop(opened.session);
        let mut removed = Vec::with_capacity(going.len());
        for backup in going {
            let view = self.view(&backup);
            let fact = Fact::success(Body::BackupRemoved(BackupRemoved {
                backup: backup.taken.backup,
                reason: format!("pruned: the newest {keep} are kept"),
            }));
            // recorded first: a file that stays is a nuisance, one that is missing is an alarm
            self.append_alone(&[fact], &[], &[Role::Operator]).await?;
            let path = file::locate(&view.location, &self.settings.backup.folder);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    let doing = format!("deleting the backup `{}`", path.display());
                    return Err(unwritable(&doing, &error));
                }
                _ => removed.push(view),
            }
        }
        Ok(Pruned {
            removed,
            kept: kept as u64,
        })
    }

    /// Says whether a run of the environment begins with a backup, where there is something to save.
    pub(super) fn asks_for_backup(&self, log: &Log) -> bool {
        let asked = self.settings.backup.before_run;
        let asks = asked.unwrap_or_else(|| saves_first(&self.environment(log)));
        asks && !self.rules(log).skip_backup && !log.is_empty()
    }

    /// Returns what a run records that goes without the backup that it should begin with.
    pub(super) fn skipped_backup(&self, work: &Work<'_>, log: &Log) -> Vec<Forced> {
        let skipped = self.asks_for_backup(log) && work.skips_backup();
        let forced = skipped.then(|| Forced {
            finding: "backup-skipped".to_owned(),
            reason: "asked for with `--skip-backup`".to_owned(),
        });
        forced.into_iter().collect()
    }

    /// Takes the backup of a run that is about to begin, where the environment asks for one.
    pub(super) async fn save_before(
        &self,
        work: &Work<'_>,
        log: &Log,
    ) -> Result<Option<String>, Error> {
        if !self.asks_for_backup(log) || work.skips_backup() {
            return Ok(None);
        }
        let saved = self.save("before-run").await?;
        Ok(Some(saved.id.to_string()))
    }

    /// Takes a backup and records it, or that it failed.
    pub(super) async fn save(&self, name: &str) -> Result<BackupView, Error> {
        let dump = self.engine.dump();
        let draft = self.draft()?;
        let (server, snapshot, session, size) = self.moment().await?;
        let job = self.job(draft.path(), server, snapshot, size);
        dump.check(&job).await?;
        self.context.observer.observe(&Progress::Backup {
            doing: "saving the database",
        });
        let began = self.context.source.ticks_ms();
        let id = self.context.source.id();
        let saved = self.write(&*dump, draft, job, name, id).await;
        drop(session);
        let (written, target, ledger_size) = match saved {
            Ok(saved) => saved,
            Err(error) => {
                self.record_failure(name, &error).await;
                return Err(error);
            }
        };
        let fact = Fact::success(Body::BackupTaken(BackupTaken {
            backup: id,
            duration_ms: self.context.source.ticks_ms().saturating_sub(began),
            encrypted: self.settings.backup.cipher.encrypts(),
            ledger_size,
            location: target,
            method: dump.method().to_owned(),
            name: name.to_owned(),
            sha256: written.sha256,
            size: written.size.into(),
        }));
        let log = self.append_alone(&[fact], &[], &[Role::Operator]).await?;
        Ok(self.view(self.find_backup(&log, &id.to_string())?))
    }

    /// The moment to save: the server's version, its name, a session that keeps it, and the ledger's size.
    async fn moment(
        &self,
    ) -> Result<(String, Option<String>, Box<dyn crate::engine::Session>, u64), Error> {
        let fail = |error| self.engine_error(error, "looking at the database");
        let mut session = self.engine.connect(Access::Read).await.map_err(fail)?;
        let server = session.fingerprint().await.map_err(fail)?.server;
        let snapshot = session.snapshot().await.map_err(fail)?;
        let mut log = Log::empty(self.options(self.recall()?.as_ref()));
        log.catch_up(&mut *session, &mut |_| {})
            .await
            .map_err(fail)?;
        Ok((server, snapshot, session, log.size()))
    }

    /// Begins to write into the folder of backups.
    pub(super) fn draft(&self) -> Result<Draft, Error> {
        let folder = &self.settings.backup.folder;
        if folder.as_os_str().is_empty() {
            return Err(Error::Usage {
                code: "backup-folder-missing",
                message: "expected a folder for backups, found none".to_owned(),
                hint: "name one; or say with `skip_backup` that runs need none".to_owned(),
            });
        }
        Draft::begin(folder)
    }

    pub(super) fn job(
        &self,
        scratch: &Path,
        server: String,
        snapshot: Option<String>,
        size: u64,
    ) -> Job {
        Job {
            scratch: scratch.to_owned(),
            server,
            meter: self.meter(),
            snapshot,
            ledger_size: size,
            variables: self.settings.backup.variables.clone(),
            stop: self.context.stop.clone(),
        }
    }

    async fn write(
        &self,
        dump: &dyn Dump,
        draft: Draft,
        job: Job,
        name: &str,
        id: Uuid,
    ) -> Result<(Written, String, u64), Error> {
        let settings = &self.settings.backup;
        let before = job.ledger_size;
        let writer = draft.writer(&settings.cipher)?.metered(job.meter.clone());
        let dumped = dump.dump(job, writer).await?;
        if !dump.is_of_one_moment() {
            self.check_moment(before).await?;
        }
        let sealed = if settings.cipher.encrypts() {
            ".age"
        } else {
            ""
        };
        let target = settings
            .folder
            .join(format!("{name}_{id}.{}.zst{sealed}", dump.extension()));
        let written = draft.publish(dumped.writer, &target)?;
        Ok((written, target.display().to_string(), dumped.ledger_size))
    }

    /// Refuses a dump during which a run changed the schema, where that could be half in it.
    async fn check_moment(&self, before: u64) -> Result<(), Error> {
        let fail = |error| self.engine_error(error, "looking at the database");
        let mut session = self.engine.connect(Access::Read).await.map_err(fail)?;
        let mut log = Log::empty(self.options(self.recall()?.as_ref()));
        let mut changed = false;
        log.catch_up(&mut *session, &mut |event| {
            changed |= event.seq >= before && event.body.kind().starts_with("migration.");
        })
        .await
        .map_err(fail)?;
        if changed {
            return Err(failed(
                "a run changed the schema while the backup was taken, so it is of no one moment",
                "take it when no run is under way",
            ));
        }
        Ok(())
    }

    async fn record_failure(&self, name: &str, error: &Error) {
        let fact = Fact::failure(Body::BackupFailed(BackupFailed {
            error: ledger::clean(&error.to_string()),
            name: name.to_owned(),
        }));
        if let Err(error) = self.append_alone(&[fact], &[], &[Role::Operator]).await {
            tracing::debug!(code = error.code(), "the failure could not be recorded");
        }
    }

    /// Finds a backup by its id, the beginning of it, its name, or `latest`.
    pub(super) fn find_backup<'a>(&self, log: &'a Log, which: &str) -> Result<&'a Backup, Error> {
        let kept = log.backups().kept();
        let by_id = |backup: &&&Backup| backup.taken.backup.to_string() == which;
        let found: Vec<&&Backup> = if which == "latest" {
            kept.last().into_iter().collect()
        } else if let Some(exact) = kept.iter().find(by_id) {
            vec![exact]
        } else {
            let like = |backup: &&&Backup| {
                backup.taken.name == which
                    || which.len() >= 4 && backup.taken.backup.to_string().ends_with(which)
            };
            kept.iter().filter(like).collect()
        };
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(unknown(format!(
                "expected a backup of this ledger, found `{which}`"
            ))),
            several => Err(unknown(format!(
                "expected one backup, but `{which}` names {}",
                several.len()
            ))),
        }
    }

    /// Compares a backup's file with what was recorded.
    pub(super) fn compare_backup(&self, backup: &Backup) -> Result<(), Error> {
        let taken = &backup.taken;
        let path = file::locate(&taken.location, &self.settings.backup.folder);
        self.context.observer.observe(&Progress::Backup {
            doing: "comparing the backup with what was recorded",
        });
        let hint =
            "it cannot be trusted: keep it apart, and use another one of `mledger backup list`";
        let of = fs::metadata(&path).map_or(0, |found| found.len());
        let meter = self.meter().of(of);
        let found = match file::measure(&path, &mut |done| meter.set(done)) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(open::integrity(
                    "backup-missing",
                    format!("expected the backup `{}`, found no file", path.display()),
                    "put it back, or name the folder it is in under `[backup]`",
                ));
            }
            Err(error) => return Err(unwritable("reading the backup", &error)),
        };
        if found.size != taken.size.0 || found.sha256 != taken.sha256 {
            return Err(open::integrity(
                "backup-mismatch",
                format!(
                    "expected `{}` to have {} bytes with the SHA-256 `{}`, found {} with `{}`",
                    path.display(),
                    taken.size.0,
                    taken.sha256,
                    found.size,
                    found.sha256
                ),
                hint,
            ));
        }
        Ok(())
    }

    /// Reads the dump inside to its end; none where it is encrypted and no key is given.
    pub(super) fn read_content(&self, backup: &Backup) -> Result<Option<u64>, Error> {
        if backup.taken.encrypted && !self.settings.backup.cipher.decrypts() {
            return Ok(None);
        }
        let doing = "reading the backup to its end";
        self.context.observer.observe(&Progress::Backup { doing });
        self.reader(backup)?
            .drain()
            .map(Some)
            .map_err(|error| unwritable(doing, &error))
    }

    pub(super) fn reader(&self, backup: &Backup) -> Result<Reader, Error> {
        let settings = &self.settings.backup;
        let path = file::locate(&backup.taken.location, &settings.folder);
        let encrypted = backup.taken.encrypted;
        Reader::open(&path, encrypted, &settings.cipher, &self.meter())
    }

    fn meter(&self) -> Meter {
        Meter::new(self.context.observer.clone())
    }

    pub(super) fn view(&self, backup: &Backup) -> BackupView {
        let taken = &backup.taken;
        let path = file::locate(&taken.location, &self.settings.backup.folder);
        BackupView {
            id: taken.backup,
            name: taken.name.clone(),
            time: backup.time,
            location: taken.location.clone(),
            size: taken.size.0,
            sha256: taken.sha256,
            encrypted: taken.encrypted,
            method: taken.method.clone(),
            ledger_size: taken.ledger_size,
            duration_ms: taken.duration_ms,
            verified: backup.verified,
            restored: backup.restored,
            present: fs::metadata(path).is_ok_and(|found| found.len() == taken.size.0),
        }
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with('.')
        && name != "latest"
        && name.chars().all(plain)
    {
        return Ok(());
    }
    Err(Error::Usage {
        code: "backup-name-invalid",
        message: format!(
            "expected a name of at most {LONGEST_NAME} letters, digits, `-`, `_` and `.`, found `{name}`"
        ),
        hint: "choose such a name, or none".to_owned(),
    })
}

fn unknown(message: String) -> Error {
    Error::Usage {
        code: "backup-unknown",
        message,
        hint: "`mledger backup list` shows them with their ids".to_owned(),
    }
}

pub(super) fn no_ledger() -> Error {
    Error::Usage {
        code: "ledger-missing",
        message: "expected a ledger in this database, found none".to_owned(),
        hint: "open it with `mledger init`".to_owned(),
    }
}
