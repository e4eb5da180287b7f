//! Writing the table of another tool, for those who leave.

use std::collections::BTreeMap;

use ledger::{Body, NoteAdded, Role};

use super::Migrator;
use crate::adopt::{LEAVING_FOR, Leaving, TableName, leave};
use crate::engine::{Access, Session};
use crate::error::Error;
use crate::journal::Fact;
use crate::migration::{Migration, Version};
use crate::plan::baseline;
use crate::projection::history::History;
use crate::report::Left;

impl Migrator {
    /// Writes the table in which another tool keeps its history, so that it takes what is applied here
    /// for applied; the ledger notes it.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a tool whose table cannot be written, where that table has rows already, or
    /// where the folder has not the files that were applied.
    pub async fn export_history(&self, tool: &str) -> Result<Left, Error> {
        let files = self.files()?;
        let opened = self.open().await?;
        let files = baseline::seen(&files, opened.log.history(), None);
        let applied = leaving(&files, opened.log.history())?;
        let writing = self.engine.capabilities().writing;
        let Some(departure) = leave(tool, &applied, writing) else {
            return Err(Error::Usage {
                code: "tool-unknown",
                message: format!(
                    "expected one of the tools `{}`, found `{tool}`",
                    LEAVING_FOR.join("`, `")
                ),
                hint: "the tables of the others cannot be written".to_owned(),
            });
        };
        drop(opened);
        let note = Fact::success(Body::NoteAdded(NoteAdded {
            about: None,
            text: format!(
                "the history was written to the table `{}` of `{tool}`: {} migrations",
                departure.table,
                applied.len()
            ),
        }));
        // who may not note it is refused before anything is written
        let append = self.begin_append(&[Role::Auditor]).await?;
        drop(append);
        let fail = |error| self.engine_error(error, "writing another tool's table");
        let mut session = self.engine.connect(Access::Write).await.map_err(fail)?;
        match self.table_of(&departure.table, &mut *session).await? {
            Some(0) => {}
            Some(rows) => return Err(present(&departure.table, rows)),
            // where such a statement commits by itself, the table is there and empty until the next one
            None => {
                session.execute(&departure.create).await.map_err(fail)?;
            }
        }
        session.close().await.map_err(fail)?;
        let mut append = self.begin_append(&[Role::Auditor]).await?;
        if let Some(rows) = self
            .table_of(&departure.table, &mut *append.session)
            .await?
            .filter(|rows| *rows > 0)
        {
            return Err(present(&departure.table, rows));
        }
        for row in &departure.rows {
            append.session.execute(row).await.map_err(fail)?;
        }
        append.session.settle().await.map_err(fail)?;
        let log = self.finish_append(append, vec![note]).await?;
        Ok(Left {
            tool: tool.to_owned(),
            table: departure.table.to_string(),
            rows: departure.rows.len() as u64,
            head: log.head(),
        })
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
