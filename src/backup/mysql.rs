//! MySQL and MariaDB: `mysqldump` or `mariadb-dump`, and statement by statement back.
//!
//! A dump has two parts: everything but the ledger, of one moment as far as tables are transactional, and
//! then the ledger up to where it was before. A restore takes the first part only. Schema changes commit by
//! themselves here, so a restore that is cut off leaves a part of both states.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Write};

use async_trait::async_trait;

use super::file::{Reader, Writer, private};
use super::postgres::blocking;
use super::tool::{Tool, suits};
use super::{Dump, Dumped, Job, Replacement, failed, unwritable};
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

/// How the programs reach the server.
#[derive(Clone)]
pub(crate) struct Client {
    /// Lines of an option file's section `[client]`, the password among them.
    pub(crate) options: Vec<(&'static str, String)>,
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

/// The programs of one of the two products.
struct Programs {
    dump: &'static str,
    client: &'static str,
    package: &'static str,
    more: &'static [&'static str],
}

const MARIADB: Programs = Programs {
    dump: "mariadb-dump",
    client: "mariadb",
    package: "mariadb-client",
    more: &[],
};

const MYSQL: Programs = Programs {
    dump: "mysqldump",
    client: "mysql",
    package: "mysql-client",
    more: &["--set-gtid-purged=OFF", "--no-tablespaces"],
};

impl MySqlDump {
    /// Takes how to reach the server.
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    /// The file with all that is needed to sign in, as the first argument of each program.
    fn options(&self, job: &Job) -> Result<OsString, Error> {
        let path = job.scratch.join("options");
        if !path.exists() {
            let write = || -> std::io::Result<()> {
                let mut file = private(&path)?;
                writeln!(file, "[client]")?;
                for (name, value) in &self.0.options {
                    writeln!(file, "{name}={}", quoted(value))?;
                }
                file.sync_all()
            };
            write().map_err(|error| unwritable("writing the option file", &error))?;
        }
        let mut argument = OsString::from("--defaults-file=");
        argument.push(&path);
        Ok(argument)
    }
}

/// A value of an option file (MySQL's manual, section "Using Option Files").
fn quoted(value: &str) -> String {
    let escaped = value
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    format!("\"{escaped}\"")
}

/// Which programs are those of the server's product, where they are there.
fn programs(job: &Job) -> &'static Programs {
    let there = |name: &str| Tool::new(name, &job.variables).version().is_some();
    if there(MARIADB.dump) || !there(MYSQL.dump) {
        &MARIADB
    } else {
        &MYSQL
    }
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

    async fn check(&self, server: &str, job: &Job) -> Result<(), Error> {
        let (product, version) = server.split_once(' ').unwrap_or(("", server));
        let programs = if product == "MySQL" { &MYSQL } else { &MARIADB };
        for program in [programs.dump, programs.client] {
            suits(
                &Tool::new(program, &job.variables),
                version,
                programs.package,
            )?;
        }
        Ok(())
    }

    async fn dump(&self, job: Job, mut writer: Writer) -> Result<Dumped, Error> {
        let programs = programs(&job);
        let tool = Tool::new(programs.dump, &job.variables);
        let mut always = vec![self.options(&job)?];
        let flags = [
            "--single-transaction",
            "--quick",
            "--hex-blob",
            "--skip-dump-date",
            "--default-character-set=utf8mb4",
        ];
        always.extend(flags.iter().chain(programs.more).map(OsString::from));
        let client = self.0.clone();
        blocking(move || {
            let with = |more: Vec<String>| -> Vec<OsString> {
                always
                    .iter()
                    .cloned()
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
        let tool = Tool::new(programs(&job).client, &job.variables);
        let options = self.options(&job)?;
        let client = self.0.clone();
        blocking(move || {
            let ours: Vec<String> = client.tables.iter().map(|it| format!("'{it}'")).collect();
            let batch = "--batch --raw --skip-column-names --default-character-set=utf8mb4";
            let arguments = |more: Option<String>| -> Vec<OsString> {
                std::iter::once(options.clone())
                    .chain(batch.split(' ').map(OsString::from))
                    .chain(more.map(|sql| format!("--execute={sql}").into()))
                    .chain([client.database.clone().into()])
                    .collect()
            };
            let mut drops = b"SET FOREIGN_KEY_CHECKS = 0;\n".to_vec();
            let list = DROPS.replace("OURS", &ours.join(", "));
            tool.read(&arguments(Some(list)), &mut drops, &job.stop)?;
            let mut running = tool.writing(&arguments(None))?;
            let fed = running
                .feed(&mut drops.as_slice(), &job.stop)
                .and_then(|()| pour(reader, &mut running, &job));
            running.end(fed)
        })
        .await
    }
}

/// Hands on what comes before the ledger.
fn pour(reader: Reader, sink: &mut super::tool::Running, job: &Job) -> Result<(), Error> {
    let mut script = BufReader::new(reader);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = script
            .read_until(b'\n', &mut line)
            .map_err(|error| unwritable("reading the backup", &error))?;
        if line == LEDGER_FOLLOWS {
            return Ok(());
        }
        if read == 0 {
            return Err(failed(
                "the backup ends before the ledger",
                "compare it with `mledger backup verify`",
            ));
        }
        sink.feed(&mut line.as_slice(), &job.stop)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_written_as_an_option_file_reads_it() {
        assert_eq!(quoted(r#"a\"b#'c"#), r#""a\\"b#'c""#);
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
    }
}
