//! Writing the table of another tool, for those who leave.

use std::collections::BTreeMap;

use ledger::{Body, NoteAdded, Role};

use super::Migrator;
use super::approve::no_ledger;
use super::hold::{Before, Held};
use crate::adopt::{Departure, LEAVING_FOR, Leaving, TableName, Unfit, leave, unread_by};
use crate::context::Progress;
use crate::engine::Session;
use crate::error::Error;
use crate::executor::{Closing, facts_to_close};
use crate::journal::Fact;
use crate::log::Log;
use crate::migration::format::Format;
use crate::migration::{Migration, Version};
use crate::plan::baseline;
use crate::projection::history::History;
use crate::report::Left;

/// How the run names itself in `run.started`.
const COMMAND: &str = "export-history";

/// What is where the table shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nothing,
    Empty,
}

impl Migrator {
    /// Writes the table in which another tool keeps its history, so that it takes what is applied here
    /// for applied. It is a run of its own, so that the new table is no change by other means; the ledger
    /// notes it.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a tool whose table cannot be written, where that table has rows already, or
    /// where the folder has not the files that were applied; [`Error::Refused`] where the key may not run or
    /// not take notes, [`Error::Locked`] while another run holds the lease.
    pub async fn export_history(&self, tool: &str) -> Result<Left, Error> {
        let files = self.files()?;
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        let files = baseline::seen(&files, opened.log.history(), None);
        let applied = leaving(&files, opened.log.history())?;
        let pending = pending(&files, opened.log.history());
        let writing = self.engine.capabilities().writing;
        let departure =
            leave(tool, &applied, &pending, writing).map_err(|unfit| refused(tool, unfit))?;
        // who may not is refused before anything is written
        self.may_write_to(&mut opened).await?;
        let journal = self.journal(self.keys.signer(false)?, &opened.log);
        for role in [Role::Operator, Role::Auditor] {
            journal.may_sign(&opened.log, &[role])?;
        }
        if let Some(session) = opened.session.as_deref_mut() {
            self.is_free(&departure.table, session).await?;
        }
        self.warn_of_form(tool, &files);
        drop(opened);
        let mut held = self
            .begin_to_hold(COMMAND, journal, Before::Recorded)
            .await?;
        let head = match self.write_table(&departure, &mut held).await {
            Ok(()) => {
                let told = format!(
                    "the history was written to the table `{}` of `{tool}`: {} migrations",
                    departure.table,
                    applied.len()
                );
                self.end_leaving(told, held).await?.head()
            }
            Err(error) => {
                // a statement that failed may have left its transaction open; the schema is read without it
                let _ended = held.session.rollback().await;
                let schema = self.schema_of(&mut *held.session).await.ok();
                self.end_held_failed(held, false, schema).await;
                return Err(error);
            }
        };
        Ok(Left {
            tool: tool.to_owned(),
            table: departure.table.to_string(),
            rows: departure.rows.len() as u64,
            head,
        })
    }

    /// Makes the table where there is none, and writes its rows into the transaction that ends the run.
    async fn write_table(&self, departure: &Departure, held: &mut Held) -> Result<(), Error> {
        let fail = |error| self.engine_error(error, "writing another tool's table");
        let session = &mut *held.session;
        // where such a statement commits by itself, the table is there and empty until the next one
        if self.is_free(&departure.table, session).await? == Place::Nothing {
            session.execute(&departure.create).await.map_err(fail)?;
        }
        self.begin_to_end(held).await?;
        let session = &mut *held.session;
        self.is_free(&departure.table, session).await?;
        for row in &departure.rows {
            session.execute(row).await.map_err(fail)?;
        }
        session.settle().await.map_err(fail)
    }

    async fn end_leaving(&self, told: String, mut held: Held) -> Result<Log, Error> {
        let schema = held.session.fingerprint().await;
        let schema = schema.map_err(|error| self.engine_error(error, "reading the schema"))?;
        let note = Fact::success(Body::NoteAdded(NoteAdded {
            about: None,
            text: told,
        }));
        let mut facts = vec![note];
        facts.extend(facts_to_close(&Closing {
            token: held.token,
            done: 0,
            failed: 0,
            duration_ms: self.held_ms(&held),
            schema: &schema,
            whole: true,
        }));
        self.end_held(held, facts).await
    }

    /// Refuses a table that has rows.
    async fn is_free(&self, table: &TableName, session: &mut dyn Session) -> Result<Place, Error> {
        match self.table_of(table, session).await? {
            None => Ok(Place::Nothing),
            Some(0) => Ok(Place::Empty),
            Some(rows) => Err(present(table, rows)),
        }
    }

    /// Warns where the tool that goes on does not read the folder as it is.
    fn warn_of_form(&self, tool: &str, files: &[Migration]) {
        let found = self.settings.format.found(&self.settings.migrations);
        let format = found.unwrap_or(Format::Mledger);
        if let Some(read) = unread_by(tool, format, files) {
            self.context.observer.observe(&Progress::Warning {
                message: &format!(
                    "`{tool}` reads {read}, and the folder is in the form of `{format}`: write its files \
                     anew before `{tool}` runs, with the same versions"
                ),
            });
        }
    }

    async fn table_of(
        &self,
        name: &TableName,
        session: &mut dyn Session,
    ) -> Result<Option<usize>, Error> {
        let table = session.table(name).await;
        let table =
            table.map_err(|error| self.engine_error(error, "reading another tool's table"))?;
        Ok(table.map(|table| table.rows.len()))
    }
}

/// Why nothing is written.
fn refused(tool: &str, unfit: Unfit) -> Error {
    let (code, message, hint) = match unfit {
        Unfit::Tool => (
            "tool-unknown",
            format!(
                "expected one of the tools `{}`, found `{tool}`",
                LEAVING_FOR.join("`, `")
            ),
            "the tables of the others cannot be written",
        ),
        Unfit::Version(version) => (
            "export-unsupported",
            format!("expected versions that `{tool}` has, found `{version}`"),
            "another tool may have it: `flyway` has versions with dots and repeatable migrations",
        ),
        Unfit::Gap(version) => (
            "export-unsupported",
            format!(
                "expected all up to the newest applied migration to be applied, which is what the table \
                 of `{tool}` says, found `{version}` pending"
            ),
            "apply it with `mledger up --out-of-order`, or give it a newer version",
        ),
    };
    Error::Usage {
        code,
        message,
        hint: hint.to_owned(),
    }
}

/// The versions of the folder that are not applied.
fn pending(files: &[Migration], history: &History) -> Vec<Version> {
    let is_pending = |file: &&Migration| {
        let entry = history.get(&file.version);
        entry.is_none_or(|entry| entry.applied.is_none())
    };
    let pending = files.iter().filter(is_pending);
    pending.map(|file| file.version.clone()).collect()
}

/// What is applied, in order of version, with the files as they were applied.
fn leaving(files: &[Migration], history: &History) -> Result<Vec<Leaving>, Error> {
    let by_version: BTreeMap<&Version, &Migration> =
        files.iter().map(|file| (&file.version, file)).collect();
    let mut leaving = Vec::new();
    for (version, entry) in history.entries() {
        let Some(applied) = &entry.applied else {
            continue;
        };
        let file = by_version
            .get(version)
            .filter(|file| {
                applied
                    .checksum
                    .is_none_or(|checksum| checksum == file.checksum)
            })
            .ok_or_else(|| Error::Usage {
                code: "export-file-differs",
                message: format!(
                    "expected the file of `{version}` as it was applied, found another or none"
                ),
                hint: "put the file back: the other tool compares it with what its table says"
                    .to_owned(),
            })?;
        let script = file
            .up
            .load()
            .map_err(|problem| Error::Files(vec![problem]))?;
        leaving.push(Leaving {
            version: file.version.clone(),
            name: file.name.clone(),
            file: file
                .up
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            text: script.bytes().to_vec(),
            baseline: file.baseline,
            at: applied.time,
            duration_ms: applied.duration_ms,
            actor: applied.actor.clone(),
        });
    }
    Ok(leaving)
}

fn present(table: &TableName, rows: usize) -> Error {
    Error::Usage {
        code: "export-table-present",
        message: format!(
            "expected no table `{table}`, or an empty one, found one with {rows} rows"
        ),
        hint: "it holds a history already; rename it where that is no longer needed".to_owned(),
    }
}
