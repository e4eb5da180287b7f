//! A project in a temporary folder, and the program run in it.

#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ledger::SigningKey;
use tempfile::TempDir;

pub(crate) const KEY_VARIABLE: &str = "MLEDGER_KEY";

/// Variables by which a pipeline that runs the tests would change what is recorded.
pub(crate) const SILENCED: [&str; 14] = [
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "BUILDKITE",
    "CIRCLECI",
    "DATABASE_URL",
    "MLEDGER_ENV",
    "MLEDGER_KEY_FILE",
    "MLEDGER_SIGNER",
    "SSH_AUTH_SOCK",
    "RUST_LOG",
    "NO_COLOR",
    "CLICOLOR_FORCE",
];

/// Returns a signing key in OpenSSH's form, always the same.
pub(crate) fn key() -> String {
    let text = SigningKey::from_seed([7; 32]).to_openssh("test");
    text.expect("a key can be written").to_string()
}

/// A project folder with a home of its own.
pub(crate) struct Project {
    folder: TempDir,
    home: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Returns stdout as the one JSON document that it must be.
    pub(crate) fn json(&self) -> serde_json::Value {
        let document = serde_json::from_str(&self.stdout);
        assert!(
            document.is_ok(),
            "{document:?} in {}\n{}",
            self.stdout,
            self.stderr
        );
        document.unwrap_or_default()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output in UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Project {
    /// Makes an empty project.
    pub(crate) fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a temporary folder");
        let project = Self {
            folder: folder(),
            home: folder(),
        };
        fs::create_dir(project.path("migrations")).expect("a folder of migrations");
        project
    }

    /// Makes a project with two migrations.
    pub(crate) fn with_two_migrations() -> Self {
        let project = Self::new();
        project.migration(
            "1_users",
            "CREATE TABLE users (id INTEGER);",
            "DROP TABLE users;",
        );
        project.migration(
            "2_orders",
            "CREATE TABLE orders (id INTEGER);",
            "DROP TABLE orders;",
        );
        project
    }

    /// Writes a migration.
    pub(crate) fn migration(&self, name: &str, up: &str, down: &str) {
        let text = format!("-- UP\n{up}\n\n-- DOWN\n{down}\n");
        self.write(&format!("migrations/{name}.sql"), &text);
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file of the project");
    }

    /// Returns the path of a file of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the folder of what the tool keeps for its user.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns the program, ready to run in the project with a key.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mledger"));
        for name in SILENCED {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .env("XDG_CONFIG_HOME", self.home())
            .env("XDG_STATE_HOME", self.home())
            .env("HOME", self.home())
            .env("MLEDGER_ACTOR", "dana")
            .env(KEY_VARIABLE, key());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments)
            .output()
            .expect("the program runs")
            .into()
    }

    /// Starts the program with its output in pipes.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }
}
