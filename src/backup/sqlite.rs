//! SQLite: `VACUUM INTO` a copy of one moment, and back out of it in one transaction.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;

use super::file::Writer;
use super::meter::Meter;
use super::reader::Reader;
use super::{Dump, Dumped, Job, Loaded, Replacement, failed, unwritable};
use crate::engine::{EngineError, Fault, sqlite};
use crate::error::Error;

/// How often the size of a copy under way is looked at.
const GLANCE: Duration = Duration::from_millis(500);

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

    async fn check(&self, _job: &Job) -> Result<(), Error> {
        Ok(())
    }

    async fn dump(&self, job: Job, writer: Writer) -> Result<Dumped, Error> {
        let copy = job.scratch.join("database");
        let copied = watched(&job.meter, &copy, sqlite::copy_into(&self.path, &copy));
        let ledger_size = copied
            .await
            .map_err(|error| told("copying the database", &error))?;
        let size = length(&copy);
        let mut writer = writer.metered(job.meter.of(size));
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

    async fn make_scratch(&self, _job: &Job, _name: &str) -> Result<(), Error> {
        // a file comes with what is written to it
        Ok(())
    }

    async fn load(&self, _job: Job, reader: Reader) -> Result<Loaded, Error> {
        reader.unpack(&self.path)?;
        Ok(Loaded { partly: false })
    }

    async fn drop_scratch(&self, _job: &Job, _name: &str) -> Result<(), Error> {
        // it goes with the folder that it is in
        Ok(())
    }
}

/// Tells, while `copying` goes on, how large the copy is.
async fn watched<T>(meter: &Meter, copy: &Path, copying: impl Future<Output = T>) -> T {
    let mut copying = std::pin::pin!(copying);
    loop {
        match tokio::time::timeout(GLANCE, &mut copying).await {
            Ok(copied) => return copied,
            Err(_) => meter.set(length(copy)),
        }
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |found| found.len())
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
