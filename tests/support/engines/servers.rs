//! Databases of their own on the servers that the suites are given.
//!
//! `scripts/test` starts private servers and names them in variables. A suite whose server is
//! missing fails; it is never left out in silence.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Database;

/// Returns the URL of a server, or says how to come by one.
fn server(variable: &str) -> String {
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => url,
        _ => panic!(
            "`{variable}` names no server; `./scripts/test` starts private servers and runs every suite"
        ),
    }
}

/// A name that no other database of the server has.
fn unused_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let process = std::process::id();
    format!("mledger_test_{:x}_{process}_{number}", now.as_micros())
}

/// Runs a client, gives it `input`, and returns what it printed, or its error.
fn client(command: &mut Command, input: &str) -> Result<String, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // a client that gives up early closes its end, which is no failure of ours
    let writer = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A database on a PostgreSQL server.
pub(super) struct Postgres {
    server: String,
    name: String,
}

impl Postgres {
    pub(super) fn new() -> Self {
        Self::on("MLEDGER_TEST_POSTGRES_URL")
    }

    /// On the server that speaks TLS.
    pub(super) fn secured() -> Self {
        Self::on("MLEDGER_TEST_TLS_POSTGRES_URL")
    }

    fn on(variable: &str) -> Self {
        let database = Self {
            server: server(variable),
            name: unused_name(),
        };
        let name = &database.name;
        // copying files is quicker than logging every page where nothing is flushed anyway
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy;");
        psql(&database.server, &["-q"], &create).unwrap();
        database
    }
}

/// Runs `psql` without anybody's settings, up to the first error.
fn psql(url: &str, options: &[&str], script: &str) -> Result<String, String> {
    let mut command = Command::new("psql");
    command
        .args(["--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file=-"])
        .arg(format!("--dbname={url}"))
        .args(options)
        .env("PGOPTIONS", "--client-min-messages=warning");
    client(&mut command, script)
}

impl Database for Postgres {
    fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    fn attempt(&self, sql: &str) -> Result<String, String> {
        let options = ["-q", "--no-align", "--tuples-only", "--field-separator=|"];
        psql(&self.url(), &options, sql)
    }

    fn run(&self, script: &str) -> Result<(), String> {
        let text = script.strip_prefix('\u{feff}').unwrap_or(script);
        let whole = psql(&self.url(), &["-q", "--single-transaction"], text);
        match whole {
            Err(error) if error.contains("cannot run inside a transaction block") => {
                psql(&self.url(), &["-q"], text).map(drop)
            }
            other => other.map(drop),
        }
    }

    fn content(&self) -> String {
        self.dump(&[])
    }

    fn schema(&self) -> String {
        self.dump(&["--schema-only"])
    }

    fn save_ledger(&self) -> Vec<u8> {
        let mut command = Command::new("pg_dump");
        command.arg(format!("--dbname={}", self.url()));
        let dump = client(command.arg("--schema=mledger"), "").unwrap();
        dump.into_bytes()
    }

    fn load_ledger(&self, saved: &[u8]) {
        let dump = str::from_utf8(saved).unwrap();
        let script = format!("DROP SCHEMA IF EXISTS mledger CASCADE;\n{dump}");
        psql(&self.url(), &["-q", "--output=/dev/null"], &script).unwrap();
    }
}

impl Postgres {
    fn dump(&self, options: &[&str]) -> String {
        let mut command = Command::new("pg_dump");
        command
            .arg(format!("--dbname={}", self.url()))
            .arg("--exclude-schema=mledger")
            .args(options);
        let dump = client(&mut command, "").unwrap();
        // comments name versions, and the restricted mode has another key each time
        dump.lines()
            .filter(|line| !line.is_empty() && !line.starts_with("--"))
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .map(|line| format!("{line}\n"))
            .collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE);", self.name);
        let dropped = psql(&self.server, &["-q"], &drop_it);
        assert!(dropped.is_ok() || thread::panicking(), "{dropped:?}");
    }
}

/// Names the tables and views of the ledger.
const OURS: &str = "SELECT table_name FROM information_schema.tables \
                    WHERE table_schema = DATABASE() AND table_name LIKE 'mledger\\_%'";

/// A database on a MySQL or MariaDB server.
pub(super) struct Mysql {
    server: String,
    name: String,
}

impl Mysql {
    pub(super) fn new() -> Self {
        Self::on("MLEDGER_TEST_MYSQL_URL")
    }

    /// On the server that speaks TLS.
    pub(super) fn secured() -> Self {
        Self::on("MLEDGER_TEST_TLS_MYSQL_URL")
    }

    fn on(variable: &str) -> Self {
        let database = Self {
            server: server(variable),
            name: unused_name(),
        };
        let create = format!("CREATE DATABASE {} CHARACTER SET utf8mb4;", database.name);
        client(&mut mariadb("mariadb", &database.server), &create).unwrap();
        database
    }

    fn shell(&self, options: &[&str], script: &str) -> Result<String, String> {
        let mut command = mariadb("mariadb", &self.server);
        command
            .arg(format!("--database={}", self.name))
            .args(options);
        client(&mut command, script)
    }
}

/// A client of the MariaDB family for a server, without anybody's settings.
fn mariadb(program: &str, url: &str) -> Command {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("root", authority));
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, port) = host.rsplit_once(':').unwrap_or((host, "3306"));
    let mut command = Command::new(program);
    command
        .args(["--no-defaults", "--protocol=tcp"])
        .args([format!("--host={host}"), format!("--port={port}")])
        .arg(format!("--user={user}"))
        .arg("--default-character-set=utf8mb4");
    if !password.is_empty() {
        command.env("MYSQL_PWD", password);
    }
    command
}

impl Database for Mysql {
    fn url(&self) -> String {
        let (scheme, rest) = self.server.split_once("://").unwrap();
        let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
        format!("{scheme}://{authority}/{}", self.name)
    }

    fn attempt(&self, sql: &str) -> Result<String, String> {
        let options = ["--batch", "--raw", "--skip-column-names"];
        Ok(self.shell(&options, sql)?.replace('\t', "|"))
    }

    fn run(&self, script: &str) -> Result<(), String> {
        let text = script.strip_prefix('\u{feff}').unwrap_or(script);
        // without it the client takes carriage returns out of what it reads
        self.shell(&["--batch", "--comments", "--binary-mode"], text)
            .map(drop)
    }

    fn content(&self) -> String {
        self.dump(&[])
    }

    fn schema(&self) -> String {
        self.dump(&["--no-data"])
    }

    fn save_ledger(&self) -> Vec<u8> {
        let ours = self.ask(OURS);
        let mut command = mariadb("mariadb-dump", &self.server);
        command
            .args(["--skip-comments", "--hex-blob", "--single-transaction"])
            .arg(&self.name)
            .args(ours.lines());
        client(&mut command, "").unwrap().into_bytes()
    }

    fn load_ledger(&self, saved: &[u8]) {
        self.run(str::from_utf8(saved).unwrap()).unwrap();
    }
}

impl Mysql {
    fn dump(&self, options: &[&str]) -> String {
        let ours = self.ask(OURS);
        let mut command = mariadb("mariadb-dump", &self.server);
        command
            .args([
                "--routines",
                "--events",
                "--skip-comments",
                "--single-transaction",
            ])
            .args(["--skip-extended-insert", "--hex-blob"])
            .args(options)
            .args(
                ours.lines()
                    .map(|table| format!("--ignore-table={}.{table}", self.name)),
            )
            .arg(&self.name);
        let dump = client(&mut command, "").unwrap();
        dump.replace(&self.name, "this_database")
    }
}

impl Drop for Mysql {
    /// Ends what sessions are left in the database, and drops it.
    ///
    /// A session whose client is gone may still make a table in it or hold
    /// back the removal of a dropped one's file. A database that stays after
    /// all goes with its server, and says nothing of the tool.
    fn drop(&mut self) {
        let left = format!(
            "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE db = '{}'",
            self.name
        );
        let drop_it = format!("DROP DATABASE IF EXISTS {};", self.name);
        for _ in 0..20 {
            if client(&mut mariadb("mariadb", &self.server), &drop_it).is_ok() {
                return;
            }
            let kill = client(
                mariadb("mariadb", &self.server).args(["--batch", "--skip-column-names"]),
                &left,
            );
            // one that ended by itself meanwhile refuses to be ended
            drop(client(
                mariadb("mariadb", &self.server).arg("--force"),
                &kill.unwrap_or_default(),
            ));
            thread::sleep(Duration::from_millis(200));
        }
    }
}
