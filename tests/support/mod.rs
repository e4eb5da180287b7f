//! What the suites share: a project in a temporary folder, and the program as its user starts it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    unused_macros,
    clippy::allow_attributes,
    reason = "each suite uses a part of it, and which part differs"
)]

#[macro_use]
pub mod engines;

pub mod bare;
pub mod browser;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use self::engines::{Database, Kind, SQLITE};

/// A project folder with a configuration and a state folder of its own, and no key yet.
pub struct Project {
    folder: tempfile::TempDir,
    pub kind: Kind,
    /// Its database, as clients that are not ours come to it.
    pub place: Box<dyn Database>,
    /// How it came to be as it is, where it is to be copied.
    prepared: Option<fn(&Self)>,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    pub fn new() -> Self {
        Self::on(&SQLITE)
    }

    /// A project whose database is of a kind, and empty.
    pub fn on(kind: &Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("migrations")).unwrap();
        Self {
            place: kind.of_project(folder.path()),
            kind: *kind,
            folder,
            prepared: None,
        }
    }

    /// A project of which copies are to be made: `prepare` writes its files and brings its database to
    /// where it is.
    pub fn prepared(kind: &Kind, prepare: fn(&Self)) -> Self {
        let mut project = Self::on(kind);
        prepare(&project);
        project.prepared = Some(prepare);
        project
    }

    /// A project whose migrations count their effects: `count` of them with three statements each.
    pub fn with_effects(count: usize) -> Self {
        Self::with_effects_on(&SQLITE, count)
    }

    /// The same on another kind of database.
    pub fn with_effects_on(kind: &Kind, count: usize) -> Self {
        let project = Self::on(kind);
        project.write_effects(count);
        project
    }

    /// Writes `count` migrations that count their effects.
    pub fn write_effects(&self, count: usize) {
        for number in 1..=count {
            let name = format!("migrations/{number}_m{number}.sql");
            self.write(&name, &effects(number));
        }
    }

    /// A second project that is as this one is now, but for what is remembered of its database, which
    /// is remembered by its address.
    ///
    /// A database on a server is prepared anew, since a copy of it would know that it is another one
    /// than its ledger tells of; without a preparation it is empty.
    pub fn copy(&self) -> Self {
        if let (Some(prepare), true) = (self.prepared, self.place.server_url().is_some()) {
            return Self::prepared(&self.kind, prepare);
        }
        let folder = tempfile::tempdir().unwrap();
        copy(self.path(), folder.path());
        Self {
            place: self.kind.of_project(folder.path()),
            kind: self.kind,
            prepared: self.prepared,
            folder,
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn database(&self) -> PathBuf {
        self.path().join("mledger.db")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    /// The program in this project, without any variable of the surrounding process but `PATH`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mledger"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path().join("home"))
            .env("XDG_CONFIG_HOME", self.path().join("home/config"))
            .env("XDG_STATE_HOME", self.path().join("home/state"))
            .env("MLEDGER_ACTOR", "dana@example.com")
            .envs(self.place.server_url().map(|url| ("DATABASE_URL", url)))
            .current_dir(self.path())
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).output().unwrap())
    }

    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        ended(command.output().unwrap())
    }

    /// Starts the program with its output captured.
    pub fn start(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Child {
        let mut command = self.command(arguments);
        command
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs a command that must succeed.
    pub fn ok(&self, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(
            ended.code,
            0,
            "`mledger {}`: {ended:#?}",
            arguments.join(" ")
        );
        ended
    }

    /// Runs a command that must end with `code`.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(
            ended.code,
            code,
            "`mledger {}`: {ended:#?}",
            arguments.join(" ")
        );
        ended
    }

    /// Runs a command with `--json` and returns its document, whatever its exit code.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let ended = self.run(&all);
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("`mledger {}`: {error}: {ended:#?}", all.join(" ")))
    }

    /// Asks the database with a client that is not ours.
    #[track_caller]
    pub fn ask(&self, sql: &str) -> String {
        self.place.ask(sql)
    }

    /// Runs SQL with the `sqlite3` shell, which is not ours.
    pub fn sqlite(&self, sql: &str) -> String {
        sqlite(&self.database(), sql)
    }

    /// What the ledger says is applied, in order of version.
    pub fn applied(&self) -> Vec<String> {
        let status = self.json(&["status"]);
        status["migrations"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|migration| migration["state"] == "applied")
            .map(|migration| migration["version"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The invariants that hold after every command, however it ended: the log verifies, and what it
    /// says is applied is what the database's own rows say.
    pub fn assert_invariants(&self) {
        let verified = self.run(&["verify"]);
        assert_eq!(verified.code, 0, "the ledger verifies: {verified:#?}");
        let applied = self.applied();
        let mut expected = String::new();
        for version in &applied {
            for statement in 1..=2 {
                writeln!(expected, "{version}|{statement}|1").unwrap();
            }
        }
        let found = if self
            .sqlite("SELECT count(*) FROM sqlite_schema WHERE name = 'effects'")
            .trim()
            == "1"
        {
            self.sqlite(
                "SELECT migration, statement, count(*) FROM effects GROUP BY 1, 2 ORDER BY \
                 CAST(migration AS INTEGER), 2",
            )
        } else {
            String::new()
        };
        assert_eq!(
            found, expected,
            "the effects are those of the applied migrations"
        );
    }
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

/// A migration that leaves a trace of each of its statements.
pub fn effects(number: usize) -> String {
    let (create, drop) = if number == 1 {
        (
            "CREATE TABLE effects (migration TEXT, statement INTEGER);".to_owned(),
            "DROP TABLE effects;".to_owned(),
        )
    } else {
        (
            format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY);"),
            format!("DELETE FROM effects WHERE migration = '{number}';\nDROP TABLE t{number};"),
        )
    };
    format!(
        "-- UP\n{create}\nINSERT INTO effects VALUES ('{number}', 1);\nINSERT INTO effects VALUES \
         ('{number}', 2);\n-- DOWN\n{drop}\n"
    )
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

pub fn ended(output: Output) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    Ended {
        code: output
            .status
            .code()
            .unwrap_or_else(|| -output.status.signal().unwrap_or(0)),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs SQL with the `sqlite3` shell.
pub fn sqlite(database: &Path, sql: &str) -> String {
    let output = Command::new("sqlite3")
        // a connection that was dropped may still be closing
        .args(["-batch", "-cmd", ".timeout 5000"])
        .arg(database)
        .arg(sql)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "sqlite3: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
