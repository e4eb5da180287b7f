//! SQLite: `VACUUM INTO` a copy of one moment, and back out of it in one transaction.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::file::{Reader, Writer};
use super::{Dump, Dumped, Job, Replacement, failed, unwritable};
use crate::engine::{EngineError, Fault, sqlite};
use crate::error::Error;

/// Saves and restores the database in a file.
#[derive(Debug)]
pub(crate) struct SqliteDump {
    path: PathBuf,
}

impl SqliteDump {
    /// Names the database's file.
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }
}

#[async_trait]
impl Dump for SqliteDump {
    fn method(&self) -> &'static str {
        "VACUUM INTO"
    }

    fn extension(&self) -> &'static str {
        "db"
    }

    fn replacement(&self) -> Replacement {
        Replacement::Atomic
    }

    fn is_of_one_moment(&self) -> bool {
        true
    }

    async fn check(&self, _server: &str, _job: &Job) -> Result<(), Error> {
        Ok(())
    }

    async fn dump(&self, job: Job, mut writer: Writer) -> Result<Dumped, Error> {
        let copy = job.scratch.join("database");
        let ledger_size = sqlite::copy_into(&self.path, &copy)
            .await
            .map_err(|error| told("copying the database", &error))?;
        super::file::hand_over(&copy, &mut writer, &job.stop)?;
        fs::remove_file(&copy).map_err(|error| unwritable("removing the copy", &error))?;
        Ok(Dumped {
            writer,
            ledger_size,
        })
    }

    async fn restore(&self, job: Job, reader: Reader) -> Result<(), Error> {
        let copy = job.scratch.join("database");
        reader.unpack(&copy)?;
        sqlite::replace_content(&self.path, &copy)
            .await
            .map_err(|error| told("restoring the database", &error))
    }
}

fn told(doing: &str, error: &EngineError) -> Error {
    if error.fault == Fault::Full {
        return unwritable(doing, &io::Error::from(io::ErrorKind::StorageFull));
    }
    failed(
        format!("{doing}: {error}"),
        "the database is as it was; correct what it says, then run the command again",
    )
}
