//! MySQL and MariaDB: `mysqldump` or `mariadb-dump`, and statement by statement back.
//!
//! A dump has two parts: everything but the ledger, of one moment as far as tables are transactional, and
//! then the ledger up to where it was before. A restore takes the first part only. Schema changes commit by
//! themselves here, so a restore that is cut off leaves a part of both states.

mod programs;

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Write};

use async_trait::async_trait;

pub(crate) use self::programs::Encryption;
use self::programs::Programs;
use super::file::{Writer, private};
use super::postgres::blocking;
use super::reader::Reader;
use super::{Dump, Dumped, Job, Loaded, Replacement, failed, unwritable};
use crate::error::Error;

/// The line between the two parts.
const LEDGER_FOLLOWS: &[u8] = b"-- the ledger follows\n";

/// The table of events, which is cut where the ledger was.
const EVENTS: &str = "mledger_events";

/// The statements that drop everything but ours, one a line.
const DROPS: &str = "\
SELECT CONCAT('DROP ', IF(table_type LIKE '%VIEW', 'VIEW', IF(table_type = 'SEQUENCE', 'SEQUENCE', \
'TABLE')), ' `', REPLACE(table_name, '`', '``'), '`;') FROM information_schema.tables \
WHERE table_schema = DATABASE() AND table_name NOT IN (OURS) \
UNION ALL SELECT CONCAT('DROP ', routine_type, ' `', REPLACE(routine_name, '`', '``'), '`;') \
FROM information_schema.routines WHERE routine_schema = DATABASE() \
UNION ALL SELECT CONCAT('DROP EVENT `', REPLACE(event_name, '`', '``'), '`;') \
FROM information_schema.events WHERE event_schema = DATABASE()";

/// The lines before the events of the scheduler, and before what follows them.
const EVENTS_FOLLOW: &[u8] = b"-- Dumping events for database ";
const ROUTINES_FOLLOW: &[u8] = b"-- Dumping routines for database ";

/// Writes the statement that creates a database as this one is.
const CREATE: &str = "\
SELECT CONCAT('CREATE DATABASE `NAME` CHARACTER SET ', default_character_set_name, ' COLLATE ', \
default_collation_name) FROM information_schema.schemata WHERE schema_name = DATABASE()";

/// How a server says that a user may not (`ER_DBACCESS_DENIED_ERROR`).
const NOT_PERMITTED: &str = "ERROR 1044";

/// How the programs reach the server.
#[derive(Clone)]
pub(crate) struct Client {
    /// Lines of an option file's section `[client]`, the password among them; none says how much is encrypted.
    pub(crate) options: Vec<(&'static str, String)>,
    /// How much is encrypted.
    pub(crate) encryption: Encryption,
    /// The schema.
    pub(crate) database: String,
    /// The tables of the ledger, then its views, in the order in which they can be made.
    pub(crate) tables: Vec<&'static str>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Saves and restores a schema of a server.
#[derive(Debug)]
pub(crate) struct MySqlDump(Client);

/// How a program of the server is run.
struct Call {
    programs: Programs,
    /// The first argument of each: the file with all that is needed to sign in.
    options: OsString,
}

impl Call {
    /// Returns the arguments of the client, which answers with one line a row.
    fn batch(&self, database: &str, statement: Option<&str>) -> Vec<OsString> {
        let batch = "--batch --raw --skip-column-names --default-character-set=utf8mb4";
        std::iter::once(self.options.clone())
            .chain(batch.split(' ').map(OsString::from))
            .chain(statement.map(|sql| format!("--execute={sql}").into()))
            .chain([database.into()])
            .collect()
    }
}

impl MySqlDump {
    /// Takes how to reach the server.
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    /// Writes the file with all that is needed to sign in, and makes sure that what must be encrypted is.
    fn call(&self, job: &Job) -> Result<Call, Error> {
        let programs = Programs::find(job)?;
        let path = job.scratch.join("options");
        let written = path.exists();
        if !written {
            let write = || -> std::io::Result<()> {
                let mut file = private(&path)?;
                writeln!(file, "[client]")?;
                for line in programs.encryption(self.0.encryption) {
                    writeln!(file, "{line}")?;
                }
                for (name, value) in &self.0.options {
                    writeln!(file, "{name}={}", quoted(value))?;
                }
                file.sync_all()
            };
            write().map_err(|error| unwritable("writing the option file", &error))?;
        }
        let mut options = OsString::from("--defaults-file=");
        options.push(&path);
        let call = Call { programs, options };
        if !written && call.programs.must_ask(self.0.encryption) {
            call.programs.ask(&call.batch("", None), job)?;
        }
        Ok(call)
    }

    /// Runs one statement, and returns what the server answers.
    fn answer(&self, job: &Job, sql: &str) -> Result<String, Error> {
        let call = self.call(job)?;
        let mut said = Vec::new();
        let arguments = call.batch(&self.0.database, Some(sql));
        call.programs
            .client(job)
            .read(&arguments, &mut said, &job.stop)?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    }
}

/// A value of an option file (MySQL's manual, section "Using Option Files").
fn quoted(value: &str) -> String {
    let escaped = value
        .replace('\\', "\\\\")
        // one that is not escaped ends the value for whoever looks for a comment
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    format!("\"{escaped}\"")
}

#[async_trait]
impl Dump for MySqlDump {
    fn method(&self) -> &'static str {
        "mysqldump"
    }

    fn extension(&self) -> &'static str {
        "sql"
    }

    fn replacement(&self) -> Replacement {
        Replacement::Stepwise
    }

    fn is_of_one_moment(&self) -> bool {
        false
    }

    async fn check(&self, job: &Job) -> Result<(), Error> {
        let programs = Programs::find(job)?;
        // what a schema's fingerprint has is too short for this
        let (dump, copy) = (Self(self.0.clone()), job.clone());
        let version = blocking(move || dump.answer(&copy, "SELECT VERSION()")).await?;
        programs.check(&version, job)
    }

    async fn dump(&self, job: Job, mut writer: Writer) -> Result<Dumped, Error> {
        let dump = Self(self.0.clone());
        blocking(move || {
            let call = dump.call(&job)?;
            let client = &dump.0;
            let tool = call.programs.dump(&job);
            let always = [
                "--single-transaction",
                "--quick",
                "--hex-blob",
                "--skip-dump-date",
                "--default-character-set=utf8mb4",
            ];
            let with = |more: Vec<String>| -> Vec<OsString> {
                std::iter::once(call.options.clone())
                    .chain(always.iter().map(OsString::from))
                    .chain(call.programs.options().iter().map(OsString::from))
                    .chain(more.into_iter().map(OsString::from))
                    .collect()
            };
            let mut content: Vec<String> = ["--routines", "--events", "--triggers"]
                .map(str::to_owned)
                .into();
            content.extend(
                client
                    .tables
                    .iter()
                    .map(|table| format!("--ignore-table={}.{table}", client.database)),
            );
            content.push(client.database.clone());
            tool.read(&with(content), &mut writer, &job.stop)?;
            writer
                .write_all(LEDGER_FOLLOWS)
                .map_err(|error| unwritable("writing the backup", &error))?;
            let events = vec![
                format!("--where=seq < {}", job.ledger_size),
                client.database.clone(),
                EVENTS.to_owned(),
            ];
            tool.read(&with(events), &mut writer, &job.stop)?;
            let mut rest = vec![client.database.clone()];
            let others = client.tables.iter().filter(|table| **table != EVENTS);
            rest.extend(others.map(|table| (*table).to_owned()));
            tool.read(&with(rest), &mut writer, &job.stop)?;
            Ok(Dumped {
                writer,
                ledger_size: job.ledger_size,
            })
        })
        .await
    }

    async fn restore(&self, job: Job, reader: Reader) -> Result<(), Error> {
        let dump = Self(self.0.clone());
        blocking(move || {
            let call = dump.call(&job)?;
            let client = &dump.0;
            let tool = call.programs.client(&job);
            let ours: Vec<String> = client.tables.iter().map(|it| format!("'{it}'")).collect();
            let mut drops = b"SET FOREIGN_KEY_CHECKS = 0;\n".to_vec();
            let list = DROPS.replace("OURS", &ours.join(", "));
            tool.read(
                &call.batch(&client.database, Some(&list)),
                &mut drops,
                &job.stop,
            )?;
            let mut running = tool.writing(&call.batch(&client.database, None), &job.stop)?;
            let fed = running
                .feed(&mut drops.as_slice())
                .and_then(|()| pour(reader, &mut running, Part::Content));
            running.end(fed.map(drop))
        })
        .await
    }

    async fn make_scratch(&self, job: &Job, name: &str) -> Result<(), Error> {
        let (dump, job) = (Self(self.0.clone()), job.clone());
        let create = CREATE.replace("NAME", name);
        blocking(move || {
            let create = dump.answer(&job, &create)?;
            dump.answer(&job, &create).map(drop).map_err(not_permitted)
        })
        .await
    }

    async fn load(&self, job: Job, reader: Reader) -> Result<Loaded, Error> {
        let dump = Self(self.0.clone());
        blocking(move || {
            let call = dump.call(&job)?;
            let tool = call.programs.client(&job);
            let mut running = tool.writing(&call.batch(&dump.0.database, None), &job.stop)?;
            let mut partly = false;
            let fed = pour(reader, &mut running, Part::AllButEvents);
            let fed = fed.map(|left_out| partly = left_out);
            running.end(fed)?;
            Ok(Loaded { partly })
        })
        .await
    }

    async fn drop_scratch(&self, job: &Job, name: &str) -> Result<(), Error> {
        let (dump, job) = (Self(self.0.clone()), job.clone());
        let sql = format!("DROP DATABASE IF EXISTS `{name}`");
        blocking(move || dump.answer(&job, &sql).map(drop)).await
    }
}

fn not_permitted(error: Error) -> Error {
    match error {
        Error::Backup { message, .. } if message.contains(NOT_PERMITTED) => Error::Backup {
            code: "restore-test-not-permitted",
            message: format!("expected a user who may create databases: {message}"),
            hint: "``GRANT ALL ON `mledger\\_restore\\_test\\_%`.* TO USER`` permits it for such names \
                   alone; nothing was changed"
                .to_owned(),
        },
        other => other,
    }
}

/// What of a backup is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What comes before the ledger.
    Content,
    /// All but the events of the scheduler, which a server would act on.
    AllButEvents,
}

/// Hands on a part of a backup, and says whether it had events that were left out.
fn pour(reader: Reader, sink: &mut super::tool::Running, part: Part) -> Result<bool, Error> {
    let mut script = BufReader::new(reader);
    let mut line = Vec::new();
    let (mut ledger_seen, mut among_events, mut left_out) = (false, false, false);
    loop {
        line.clear();
        let read = script
            .read_until(b'\n', &mut line)
            .map_err(|error| unwritable("reading the backup", &error))?;
        if line == LEDGER_FOLLOWS {
            if part == Part::Content {
                return Ok(false);
            }
            ledger_seen = true;
        }
        if read == 0 {
            if ledger_seen {
                return Ok(left_out);
            }
            return Err(failed(
                "the backup ends before the ledger",
                "compare it with `mledger backup verify`",
            ));
        }
        if part == Part::AllButEvents && !ledger_seen {
            if line.starts_with(EVENTS_FOLLOW) {
                among_events = true;
            } else if line.starts_with(ROUTINES_FOLLOW) {
                among_events = false;
            }
            if among_events {
                left_out |= line.windows(7).any(|word| word == b" EVENT ");
                continue;
            }
        }
        sink.feed(&mut line.as_slice())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_written_as_an_option_file_reads_it() {
        assert_eq!(quoted(r#"a\"b#'c"#), r#""a\\\"b#'c""#);
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
    }
}
