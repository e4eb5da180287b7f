//! Backups: a database's own dump, compressed, encrypted where a key is given, in a file that is there
//! whole or not at all.
//!
//! A [`Dump`] is what a kind of database can do: write itself into a stream, and come back out of one. The
//! file is the same for all: the dump, compressed (RFC 8878), inside an age file (age-encryption.org/v1)
//! where there are recipients. [`mod@file`] writes it, [`reader`] reads it, [`encryption`] holds the keys, and [`tool`]
//! runs the databases' own programs, which see no secret in their arguments.

pub mod encryption;
pub mod file;
pub mod meter;
pub mod mysql;
pub mod postgres;
pub mod reader;
pub mod sqlite;
pub mod tool;

use std::ffi::OsString;
use std::path::PathBuf;

use async_trait::async_trait;

use self::encryption::Cipher;
use self::file::Writer;
use self::meter::Meter;
use self::reader::Reader;
use crate::context::Stop;
use crate::error::Error;

/// Where backups are kept, and how they are made.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The folder they are in.
    pub folder: PathBuf,
    /// For whom they are encrypted, and who can read them here.
    pub cipher: Cipher,
    /// A run that has something to do takes one first, unless the environment needs none; where nobody says,
    /// as the environment's name suggests.
    pub before_run: Option<bool>,
    /// How many `backup prune` keeps where nobody says.
    pub keep: Option<u64>,
    /// The variables that the databases' own programs are started with; no others.
    pub variables: Vec<(OsString, OsString)>,
}

/// How a restore that is cut off leaves the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// As it was before.
    Atomic,
    /// With a part of what it had and a part of what it gets.
    Stepwise,
}

/// What one dump is made of and given.
#[derive(Debug, Clone)]
pub struct Job {
    /// An empty folder of its own.
    pub scratch: PathBuf,
    /// The product and version of the server, as a schema's fingerprint has them.
    pub server: String,
    /// The name of the state to save, where sessions can share one.
    pub snapshot: Option<String>,
    /// How many entries the ledger has in the state to save.
    pub ledger_size: u64,
    /// The variables for the database's own programs.
    pub variables: Vec<(OsString, OsString)>,
    /// How it is asked to stop.
    pub stop: Stop,
    /// Who is told how far it has come.
    pub meter: Meter,
}

/// A dump that was written.
#[derive(Debug)]
pub struct Dumped {
    /// What it was written to, to be finished.
    pub writer: Writer,
    /// How many entries the ledger has in the state that was saved.
    pub ledger_size: u64,
}

/// A backup that was brought into an empty database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Some of the definitions were left out, since the server would act on them by itself.
    pub partly: bool,
}

/// How a kind of database is saved and restored.
#[async_trait]
pub trait Dump: Send + Sync {
    /// Returns how it is done, as it is recorded.
    fn method(&self) -> &'static str;

    /// Returns how the dump's file ends.
    fn extension(&self) -> &'static str;

    /// Returns how a restore that is cut off leaves the database.
    fn replacement(&self) -> Replacement;

    /// Says whether what was saved is known to be of one moment, whatever runs do meanwhile.
    fn is_of_one_moment(&self) -> bool;

    /// Checks that the programs it needs are there and not older than the server; changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] that names the package.
    async fn check(&self, job: &Job) -> Result<(), Error>;

    /// Writes the database into `writer`.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] with what the database or the disk said, [`Error::Stopped`].
    async fn dump(&self, job: Job, writer: Writer) -> Result<Dumped, Error>;

    /// Replaces everything but the ledger by what `reader` gives.
    ///
    /// # Errors
    ///
    /// As [`Dump::dump`]; [`Dump::replacement`] says what an error leaves.
    async fn restore(&self, job: Job, reader: Reader) -> Result<(), Error>;

    /// Makes an empty database called `name` beside this one, to try a backup in.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] that names the right which the user lacks, or with what the database said.
    async fn make_scratch(&self, job: &Job, name: &str) -> Result<(), Error>;

    /// Brings all of a backup into this database, which is empty: the ledger too.
    ///
    /// # Errors
    ///
    /// As [`Dump::dump`].
    async fn load(&self, job: Job, reader: Reader) -> Result<Loaded, Error>;

    /// Removes the database called `name` beside this one, with all that is in it.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] with what the database said.
    async fn drop_scratch(&self, job: &Job, name: &str) -> Result<(), Error>;
}

/// Creates the error of a backup or a restore that did not succeed.
pub(crate) fn failed(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Backup {
        code: "backup-failed",
        message: message.into(),
        hint: hint.into(),
    }
}

/// Creates the error of a file or folder that could not be written or read.
pub(crate) fn unwritable(doing: &str, error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::Backup {
            code: "disk-full",
            message: format!("{doing}: {error}"),
            hint:
                "make room, or name another folder under `[backup]`; nothing half-written remains"
                    .to_owned(),
        };
    }
    failed(
        format!("{doing}: {error}"),
        "check the folder of the backups and its permissions",
    )
}
