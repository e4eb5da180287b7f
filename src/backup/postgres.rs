//! PostgreSQL: `pg_dump`, and `pg_restore` into one transaction of `psql`.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use async_trait::async_trait;

use super::file::{Reader, Writer, private};
use super::tool::{Tool, suits, variable};
use super::{Dump, Dumped, Job, Replacement, failed, unwritable};
use crate::context::Stop;
use crate::error::Error;

/// Where the programs are.
const PACKAGE: &str = "postgresql-client";

/// What comes before the dump in its transaction: all that is there goes, but for the ledger, which is
/// put aside, since the dump makes its schema too.
const BEFORE: &str = include_str!("before_restore.sql");

/// What comes after it. Without the last word nothing of all that has happened, whoever is ended before.
const AFTER: &str =
    "\nDROP SCHEMA IF EXISTS mledger;\nALTER SCHEMA mledger_aside RENAME TO mledger;\nCOMMIT;\n";

/// How the programs reach the server: libpq's variables, and the password apart.
#[derive(Clone)]
pub(crate) struct Client {
    /// `PGHOST` and its like.
    pub(crate) variables: Vec<(&'static str, OsString)>,
    /// The password; empty where there is none.
    pub(crate) password: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("variables", &self.variables)
            .finish_non_exhaustive()
    }
}

/// Saves and restores a database of a server.
#[derive(Debug)]
pub(crate) struct PostgresDump(Client);

impl PostgresDump {
    /// Takes how to reach the server.
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    fn tool(&self, program: &str, job: &Job) -> Tool {
        Tool::new(program, &job.variables)
    }

    /// The same with all that is needed to sign in; the password is in a file (libpq's manual, section
    /// "The Password File").
    fn signed_in(&self, program: &str, job: &Job) -> Result<Tool, Error> {
        let path = job.scratch.join("pass");
        if !path.exists() {
            write_password(&path, &self.0.password)
                .map_err(|error| unwritable("writing the password file", &error))?;
        }
        let mut more: Vec<_> = self
            .0
            .variables
            .iter()
            .map(|(name, value)| variable(name, value))
            .collect();
        more.push(variable("PGPASSFILE", &path));
        Ok(self.tool(program, job).with(more))
    }
}

fn write_password(path: &Path, password: &str) -> std::io::Result<()> {
    let escaped = password.replace('\\', "\\\\").replace(':', "\\:");
    let mut file = private(path)?;
    if !escaped.is_empty() {
        writeln!(file, "*:*:*:*:{escaped}")?;
    }
    file.sync_all()
}

#[async_trait]
impl Dump for PostgresDump {
    fn method(&self) -> &'static str {
        "pg_dump"
    }

    fn extension(&self) -> &'static str {
        "pgdump"
    }

    fn replacement(&self) -> Replacement {
        Replacement::Atomic
    }

    fn is_of_one_moment(&self) -> bool {
        true
    }

    async fn check(&self, server: &str, job: &Job) -> Result<(), Error> {
        for program in ["pg_dump", "pg_restore", "psql"] {
            suits(&self.tool(program, job), server, PACKAGE)?;
        }
        Ok(())
    }

    async fn dump(&self, job: Job, mut writer: Writer) -> Result<Dumped, Error> {
        let tool = self.signed_in("pg_dump", &job)?;
        let mut arguments: Vec<OsString> = [
            "--no-password",
            "--format=custom",
            "--compress=0",
            "--blobs",
        ]
        .map(OsString::from)
        .into();
        if let Some(snapshot) = &job.snapshot {
            arguments.push(format!("--snapshot={snapshot}").into());
        }
        blocking(move || {
            tool.read(&arguments, &mut writer, &job.stop)?;
            Ok(Dumped {
                writer,
                ledger_size: job.ledger_size,
            })
        })
        .await
    }

    async fn restore(&self, job: Job, reader: Reader) -> Result<(), Error> {
        let restore = self.tool("pg_restore", &job);
        let psql = self.signed_in("psql", &job)?;
        blocking(move || {
            let to_text =
                ["--format=custom", "--file=-", "--exclude-schema=mledger"].map(OsString::from);
            let mut source = restore.between(&to_text, Box::new(reader))?;
            let alone = [
                "--no-psqlrc",
                "--no-password",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--file=-",
            ]
            .map(OsString::from);
            let mut sink = psql.writing(&alone)?;
            let fed = match source.take_output() {
                Some(output) => pour(BufReader::new(output), &mut sink, &job.stop),
                None => Ok(()),
            };
            // the transaction ends well only where all of the dump was there to the end
            match source.end(fed) {
                Ok(()) => match sink.feed(&mut AFTER.as_bytes(), &job.stop) {
                    Ok(()) => sink.end(Ok(())),
                    Err(error) => Err(sink.abandon(error)),
                },
                Err(error) => {
                    let stopped = matches!(error, Error::Stopped { .. });
                    let told = sink.abandon(error);
                    Err(if stopped { told } else { undone(told) })
                }
            }
        })
        .await
    }
}

fn undone(error: Error) -> Error {
    match error {
        Error::Backup { code, message, .. } => Error::Backup {
            code,
            message,
            hint: "the database is as it was; correct what it says, then run the command again"
                .to_owned(),
        },
        other => other,
    }
}

/// Hands the script on, without what an older server does not know: the settings at its head.
fn pour(
    mut script: impl BufRead,
    sink: &mut super::tool::Running,
    stop: &Stop,
) -> Result<(), Error> {
    sink.feed(&mut BEFORE.as_bytes(), stop)?;
    loop {
        let mut line = Vec::new();
        let read = script
            .read_until(b'\n', &mut line)
            .map_err(|error| unwritable("reading the dump", &error))?;
        if read == 0 || line.starts_with(b"-- Name: ") {
            sink.feed(&mut line.as_slice(), stop)?;
            break;
        }
        if !line.starts_with(b"SET transaction_timeout") {
            sink.feed(&mut line.as_slice(), stop)?;
        }
    }
    sink.feed(&mut script, stop)
}

/// Does work that waits, away from the threads that must not.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(failed(error.to_string(), "run the command again")))
}
