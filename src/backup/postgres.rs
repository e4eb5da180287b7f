//! PostgreSQL: `pg_dump`, and `pg_restore` into one transaction of `psql`.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use async_trait::async_trait;

use super::file::{Writer, private};
use super::reader::Reader;
use super::tool::{Tool, suits, variable};
use super::{Dump, Dumped, Job, Loaded, Replacement, failed, unwritable};
use crate::error::Error;

/// Where the programs are.
const PACKAGE: &str = "postgresql-client";

/// What comes before the dump in its transaction: all that is there goes, but for the ledger, which is
/// put aside, since the dump makes its schema too.
const BEFORE: &str = include_str!("before_restore.sql");

/// What comes after it. Without the last word nothing of all that has happened, whoever is ended before.
const AFTER: &str =
    "\nDROP SCHEMA IF EXISTS mledger;\nALTER SCHEMA mledger_aside RENAME TO mledger;\nCOMMIT;\n";

/// How `psql` is alone with what it is given.
const ALONE: &[&str] = &[
    "--no-psqlrc",
    "--no-password",
    "--quiet",
    "--set=ON_ERROR_STOP=1",
];

/// Says whether the role may create databases, and who it is.
const MAY_CREATE: &str = "SELECT pg_catalog.concat(CASE WHEN rolcreatedb OR rolsuper THEN 'yes' ELSE 'no' \
     END, ' ', pg_catalog.quote_ident(rolname)) FROM pg_catalog.pg_roles WHERE rolname = current_user";

/// Writes the statement that creates a database as this one is.
const CREATE: &str = "SELECT pg_catalog.format('CREATE DATABASE NAME TEMPLATE template0 ENCODING %L \
     LC_COLLATE %L LC_CTYPE %L', pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype) \
     FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";

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

    async fn check(&self, job: &Job) -> Result<(), Error> {
        for program in ["pg_dump", "pg_restore", "psql"] {
            suits(&self.tool(program, job), &job.server, PACKAGE)?;
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
        let around = Around {
            options: &["--exclude-schema=mledger"],
            before: BEFORE,
            after: AFTER,
        };
        self.replay(job, reader, around).await
    }

    async fn make_scratch(&self, job: &Job, name: &str) -> Result<(), Error> {
        let may = self.answer(job, MAY_CREATE).await?;
        if let Some(role) = may.trim().strip_prefix("no ") {
            return Err(Error::Backup {
                code: "restore-test-not-permitted",
                message: format!("expected a role that may create databases, found {role}"),
                hint: format!(
                    "`ALTER ROLE {role} CREATEDB` permits it, or try it with another role; nothing was changed"
                ),
            });
        }
        let create = self.answer(job, &CREATE.replace("NAME", name)).await?;
        self.answer(job, create.trim()).await.map(drop)
    }

    async fn load(&self, job: Job, reader: Reader) -> Result<Loaded, Error> {
        let around = Around {
            options: &[],
            before: "BEGIN;\nSET client_min_messages = warning;\n",
            after: "\nCOMMIT;\n",
        };
        self.replay(job, reader, around).await?;
        Ok(Loaded { partly: false })
    }

    async fn drop_scratch(&self, job: &Job, name: &str) -> Result<(), Error> {
        // older servers cannot end the sessions in it
        let forced = job.server.parse::<u32>().is_ok_and(|major| major >= 13);
        let force = if forced { " WITH (FORCE)" } else { "" };
        self.answer(job, &format!("DROP DATABASE IF EXISTS {name}{force}"))
            .await
            .map(drop)
    }
}

/// What surrounds a dump on its way back.
struct Around {
    /// What `pg_restore` is told beside the form.
    options: &'static [&'static str],
    /// What opens the transaction.
    before: &'static str,
    /// What ends it.
    after: &'static str,
}

impl PostgresDump {
    /// Sends a dump to the database in one transaction.
    async fn replay(&self, job: Job, reader: Reader, around: Around) -> Result<(), Error> {
        let restore = self.tool("pg_restore", &job);
        let psql = self.signed_in("psql", &job)?;
        blocking(move || {
            let to_text: Vec<OsString> = ["--format=custom", "--file=-"]
                .iter()
                .chain(around.options)
                .map(OsString::from)
                .collect();
            let mut source = restore.between(&to_text, Box::new(reader), &job.stop)?;
            let alone: Vec<OsString> = ALONE
                .iter()
                .chain(&["--file=-"])
                .map(OsString::from)
                .collect();
            let mut sink = psql.writing(&alone, &job.stop)?;
            let fed = match source.take_output() {
                Some(output) => pour(around.before, BufReader::new(output), &mut sink),
                None => Ok(()),
            };
            // the transaction ends well only where all of the dump was there to the end
            match source.end(fed) {
                Ok(()) => match sink.feed(&mut around.after.as_bytes()) {
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

    /// Runs one statement, and returns what the server answers.
    async fn answer(&self, job: &Job, sql: &str) -> Result<String, Error> {
        let psql = self.signed_in("psql", job)?;
        let plain = ["--tuples-only", "--no-align"];
        let mut arguments: Vec<OsString> = ALONE.iter().chain(&plain).map(OsString::from).collect();
        arguments.push(format!("--command={sql}").into());
        let stop = job.stop.clone();
        blocking(move || {
            let mut said = Vec::new();
            psql.read(&arguments, &mut said, &stop)?;
            Ok(String::from_utf8_lossy(&said).into_owned())
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
    before: &str,
    mut script: impl BufRead,
    sink: &mut super::tool::Running,
) -> Result<(), Error> {
    sink.feed(&mut before.as_bytes())?;
    loop {
        let mut line = Vec::new();
        let read = script
            .read_until(b'\n', &mut line)
            .map_err(|error| unwritable("reading the dump", &error))?;
        if read == 0 || line.starts_with(b"-- Name: ") {
            sink.feed(&mut line.as_slice())?;
            break;
        }
        if !line.starts_with(b"SET transaction_timeout") {
            sink.feed(&mut line.as_slice())?;
        }
    }
    sink.feed(&mut script)
}

/// Does work that waits, away from the threads that must not.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(failed(error.to_string(), "run the command again")))
}
