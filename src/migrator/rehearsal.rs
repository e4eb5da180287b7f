//! Trying a backup: it is restored into a database made for that, looked at, and the database removed.
//!
//! Here all of it comes back, the ledger too, as it would for somebody who has lost the server.

use std::path::Path;

use ledger::Digest;

use super::{Migrator, open};
use crate::backup::Dump;
use crate::context::{Progress, Stop};
use crate::engine::{Access, Engine, SchemaFingerprint, Session};
use crate::error::Error;
use crate::log::Log;
use crate::projection::backups::Backup;
use crate::report::{BackupChecked, RestoreTest, RestoredSchema};

/// How the databases begin that are made for a trial.
const SCRATCH: &str = "mledger_restore_test_";

impl Migrator {
    /// Verifies a backup, and restores it into a scratch database, which is removed again whatever happens.
    ///
    /// # Errors
    ///
    /// As [`Migrator::verify_backup`]; [`Error::Backup`] where no database may be made or the restore fails,
    /// [`Error::Integrity`] where what comes back is not what was saved.
    pub async fn rehearse_backup(&self, which: &str) -> Result<BackupChecked, Error> {
        let mut opened = self.open().await?;
        let backup = self.find_backup(&opened.log, which)?.clone();
        let head = match opened.session.as_deref_mut() {
            Some(session) => self.head_at(session, backup.taken.ledger_size).await?,
            None => None,
        };
        drop(opened);
        self.compare_backup(&backup)?;
        // without a key there is nothing to try
        self.reader(&backup)?;
        let content = self.read_content(&backup)?;
        let tested = self.rehearse(&backup, head).await?;
        self.record_verified(&backup, content, Some(tested)).await
    }

    /// The hash of the last of the first `size` entries.
    async fn head_at(&self, session: &mut dyn Session, size: u64) -> Result<Option<Digest>, Error> {
        let Some(last) = size.checked_sub(1) else {
            return Ok(None);
        };
        let records = session
            .records(last, 1)
            .await
            .map_err(|error| self.engine_error(error, "reading the ledger"))?;
        let hash = records
            .first()
            .and_then(|record| record.hash.as_slice().try_into().ok());
        Ok(hash.map(Digest::from_bytes))
    }

    async fn rehearse(&self, backup: &Backup, head: Option<Digest>) -> Result<RestoreTest, Error> {
        let began_ms = self.context.source.ticks_ms();
        let now = self.living_schema().await?;
        let draft = self.draft()?;
        let job = self.job(
            draft.path(),
            now.server.clone(),
            None,
            backup.taken.ledger_size,
        );
        let dump = self.engine.dump();
        dump.check(&job).await?;
        let name = scratch_name(draft.path());
        let scratch = self.engine.beside(&name, draft.path());
        self.context.observer.observe(&Progress::Backup {
            doing: "restoring into a scratch database",
        });
        let tried = match dump.make_scratch(&job, &name).await {
            Ok(()) => {
                let loaded = scratch.dump().load(job.clone(), self.reader(backup)?).await;
                match loaded {
                    Ok(loaded) => {
                        let expected = Expected {
                            size: backup.taken.ledger_size,
                            head,
                            now,
                            whole: !loaded.partly,
                        };
                        self.look_at(&*scratch, expected).await
                    }
                    Err(error) => Err(error),
                }
            }
            // it was not made, so there is nothing to remove
            Err(error @ Error::Backup { .. }) => return Err(error),
            Err(error) => Err(error),
        };
        let cleaning = crate::backup::Job {
            // who has asked to stop wants this done
            stop: Stop::default(),
            ..job
        };
        self.remove(&*dump, &cleaning, &name).await;
        let (tables, ledger_size, schema) = tried?;
        Ok(RestoreTest {
            tables,
            ledger_size,
            schema,
            duration_ms: self.context.source.ticks_ms().saturating_sub(began_ms),
        })
    }

    async fn remove(&self, dump: &dyn Dump, job: &crate::backup::Job, name: &str) {
        if let Err(error) = dump.drop_scratch(job, name).await {
            self.context.observer.observe(&Progress::Warning {
                message: &format!(
                    "the scratch database `{name}` could not be removed and has to be dropped by hand: \
                     {error}"
                ),
            });
        }
    }

    pub(super) async fn living_schema(&self) -> Result<SchemaFingerprint, Error> {
        let fail = |error| self.engine_error(error, "looking at the database");
        let mut session = self.engine.connect(Access::Read).await.map_err(fail)?;
        let found = session.fingerprint().await.map_err(fail)?;
        session.close().await.map_err(fail)?;
        Ok(found)
    }

    /// Compares what came back with what was saved.
    async fn look_at(
        &self,
        scratch: &dyn Engine,
        expected: Expected,
    ) -> Result<(u64, u64, RestoredSchema), Error> {
        let fail = |error| self.engine_error(error, "looking at the restored database");
        let mut session = scratch.connect(Access::Read).await.map_err(fail)?;
        let mut log = Log::empty(self.options(None));
        log.catch_up(&mut *session, &mut |_| {})
            .await
            .map_err(fail)?;
        let found = session.fingerprint().await.map_err(fail)?;
        let tables = session.count_tables().await.map_err(fail)?;
        session.close().await.map_err(fail)?;
        if log.has_errors()
            || log.size() != expected.size
            || expected.head.is_some_and(|head| head != log.head())
        {
            return Err(open::integrity(
                "restored-ledger-differs",
                format!(
                    "expected the backup to hold the first {} events of this ledger, found {} that {}",
                    expected.size,
                    log.size(),
                    if log.has_errors() {
                        "do not verify"
                    } else {
                        "end with another hash"
                    }
                ),
                "it cannot be trusted: keep it apart, and use another one of `mledger backup list`",
            ));
        }
        let schema = compared(&log, &found, &expected)?;
        Ok((tables, log.size(), schema))
    }
}

/// What a restored database must be like.
struct Expected {
    size: u64,
    head: Option<Digest>,
    now: SchemaFingerprint,
    whole: bool,
}

fn compared(
    log: &Log,
    found: &SchemaFingerprint,
    expected: &Expected,
) -> Result<RestoredSchema, Error> {
    let recorded = log.history().last_schema().map(|mark| &mark.schema);
    let comparable = recorded.filter(|recorded| {
        expected.whole
            && recorded.format == u64::from(found.format)
            && recorded.server == found.server
    });
    let Some(recorded) = comparable else {
        return Ok(RestoredSchema::NotCompared);
    };
    if recorded.digest == found.digest {
        return Ok(RestoredSchema::AsRecorded);
    }
    // what was changed out of band was saved too
    if expected.now.digest == found.digest {
        return Ok(RestoredSchema::AsNow);
    }
    Err(open::integrity(
        "restored-schema-differs",
        format!(
            "expected a schema with the fingerprint `{}`, as the last run before the backup left it, found \
             `{}`",
            recorded.digest, found.digest
        ),
        "`mledger verify` says whether the schema was changed out of band about that time; if it was not, \
         use another one of `mledger backup list`",
    ))
}

/// The folder's name is one that nothing else has.
fn scratch_name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let own: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let own = own.strip_prefix("partial").unwrap_or(&own);
    format!("{SCRATCH}{own}")
}
