//! What the settings are, and where each of them came from.
//!
//! Pure: texts and values in, a [`Config`] out. Reading the file, the environment and `.env` is the
//! caller's part. Precedence: flag, then variable, then `.env`, then `mledger.toml` (its section for
//! the environment before its top level), then the default.

mod backup;
mod checkpoints;
mod file;
mod promotion;
mod resolve;
mod rules;
mod secret;
mod validation;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ledger::Digest;
use ledger::note::Witness;
use serde::Serialize;

pub use self::file::{File, Section, duration};
pub use self::resolve::{Flags, Input, VARIABLES, resolve};
pub use self::secret::{Secrets, mask, mask_in};
use crate::error::Error;
use crate::lint;
use crate::migration::format::Format;
use crate::policy::Rules;
use crate::request::Settings;

/// The name of the configuration file in the project folder.
pub const FILE_NAME: &str = "mledger.toml";

/// The environment of a new ledger when nobody named one.
pub const DEFAULT_ENVIRONMENT: &str = crate::policy::DEVELOPMENT;

/// Variables by name, of the process or of a `.env` file.
pub type Variables = BTreeMap<String, String>;

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// A stable kebab-case code.
    pub code: &'static str,
    /// What was expected and what was found.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl ConfigError {
    /// Creates an error from its three parts.
    pub fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Usage {
            code: error.code,
            message: error.message,
            hint: error.hint,
        }
    }
}

/// Where a setting's value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the process.
    Variable(&'static str),
    /// A variable of the project's `.env` file.
    DotEnv(&'static str),
    /// A key of `mledger.toml`, with its section.
    File(String),
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(formatter, "flag {name}"),
            Self::Variable(name) => write!(formatter, "variable {name}"),
            Self::DotEnv(name) => write!(formatter, ".env {name}"),
            Self::File(key) => write!(formatter, "{FILE_NAME} {key}"),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// Which signing key was named.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyChoice {
    /// Nobody named one: the default file of the user.
    Default,
    /// This file.
    File(PathBuf),
    /// The key's own text, from a variable.
    Text(String),
}

impl fmt::Debug for KeyChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("Default"),
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Text(_) => formatter.write_str("Text(***)"),
        }
    }
}

/// All settings of one command, each with its origin.
#[derive(Clone)]
pub struct Config {
    /// The project folder.
    pub project: PathBuf,
    /// The configuration file, where there is one.
    pub file: Option<PathBuf>,
    /// The database's URL; it may hold a password.
    pub database: Setting<String>,
    /// The folder that a relative path in the URL starts from.
    pub database_base: PathBuf,
    /// The environment that somebody named.
    pub environment: Setting<Option<String>>,
    /// The folder of migrations.
    pub migrations: Setting<PathBuf>,
    /// Its sub-folders count too.
    pub recursive: Setting<bool>,
    /// The form of the folder.
    pub format: Setting<Format>,
    /// The signing key.
    pub key: Setting<KeyChoice>,
    /// The program that signs for it, and its arguments; empty where there is none.
    pub signer: Setting<Vec<String>>,
    /// How long one signature of a program or an agent may take.
    pub signer_timeout: Setting<Duration>,
    /// Who acts, where somebody configured it.
    pub actor: Setting<Option<String>>,
    /// The ledger id that is pinned.
    pub ledger: Setting<Option<Digest>>,
    /// How long a lease lasts without renewal.
    pub lease: Setting<Duration>,
    /// How long to wait for another run's lease.
    pub lease_wait: Setting<Duration>,
    /// How long to wait for the database's own locks.
    pub lock_timeout: Setting<Option<Duration>>,
    /// How long one statement may take, where the server can be told.
    pub statement_timeout: Setting<Option<Duration>>,
    /// Apply what is older than the newest applied migration.
    pub out_of_order: Setting<bool>,
    /// Where checkpoints are kept, if they are.
    pub checkpoints: Setting<Option<crate::checkpoints::Settings>>,
    /// The witnesses whose cosignatures count.
    pub witnesses: Vec<Witness>,
    rules: BTreeMap<String, Rules>,
    validation: lint::Settings,
    validations: BTreeMap<String, lint::Settings>,
    rule_views: Vec<SettingView>,
    /// Where backups are kept, and how they are made.
    pub backup: crate::backup::Settings,
    backup_views: Vec<SettingView>,
}

impl Config {
    /// Returns the rules of the environment of this name.
    pub fn rules(&self, environment: &str) -> Rules {
        self.rules
            .get(environment)
            .cloned()
            .unwrap_or_else(|| Rules::cautious(environment))
    }

    /// Returns what the library needs of the configuration.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.migrations.value.clone());
        settings.environment = self.environment.value.clone();
        settings.rules = self.rules.clone();
        settings.validation = self.validation.clone();
        settings.validations = self.validations.clone();
        settings.ledger = self.ledger.value;
        settings.recursive = self.recursive.value;
        settings.format = self.format.value;
        settings.lease = self.lease.value;
        settings.lease_wait = self.lease_wait.value;
        settings.lock_timeout = self.lock_timeout.value;
        settings.statement_timeout = self.statement_timeout.value;
        settings.out_of_order = self.out_of_order.value;
        settings.checkpoints.clone_from(&self.checkpoints.value);
        settings.witnesses.clone_from(&self.witnesses);
        settings.project = Some(self.project.clone());
        settings.secrets = Secrets::of_url(&self.database.value);
        if let KeyChoice::Text(text) = &self.key.value {
            settings.secrets.extend([text.clone()]);
        }
        let promotions = self
            .rules
            .values()
            .filter_map(|rules| rules.promotion.as_ref());
        for url in promotions.filter_map(|promotion| promotion.source.as_ref()?.url()) {
            settings.secrets.add(Secrets::of_url(url));
        }
        settings.backup = self.backup.clone();
        settings
    }

    /// Lists every setting with its value as text and its origin; secrets are masked.
    pub fn list(&self) -> Vec<SettingView> {
        let key = match &self.key.value {
            KeyChoice::Default => "the user's own key".to_owned(),
            KeyChoice::File(path) => path.display().to_string(),
            KeyChoice::Text(_) => "***".to_owned(),
        };
        let none = || "(none)".to_owned();
        let seconds = |duration: Duration| format!("{}s", duration.as_secs());
        let limit = |limit: Option<Duration>| {
            limit.map_or_else(
                || "the database's own".to_owned(),
                |limit| format!("{limit:?}"),
            )
        };
        let mut views = vec![
            view(
                "database_url",
                mask(&self.database.value),
                &self.database.origin,
            ),
            view(
                "environment",
                self.environment
                    .value
                    .clone()
                    .unwrap_or_else(|| "the ledger's own".to_owned()),
                &self.environment.origin,
            ),
            view(
                "migrations",
                self.migrations.value.display().to_string(),
                &self.migrations.origin,
            ),
            view(
                "recursive",
                self.recursive.value.to_string(),
                &self.recursive.origin,
            ),
            view("format", self.format.value.to_string(), &self.format.origin),
            view("key", key, &self.key.origin),
            // arguments may hold a token
            view(
                "signer",
                self.signer.value.first().cloned().unwrap_or_else(none),
                &self.signer.origin,
            ),
            view(
                "signer_timeout",
                seconds(self.signer_timeout.value),
                &self.signer_timeout.origin,
            ),
            view(
                "actor",
                self.actor.value.clone().unwrap_or_else(none),
                &self.actor.origin,
            ),
            view(
                "ledger",
                self.ledger.value.map_or_else(none, |id| id.to_string()),
                &self.ledger.origin,
            ),
            view("lease", seconds(self.lease.value), &self.lease.origin),
            view(
                "lease_wait",
                seconds(self.lease_wait.value),
                &self.lease_wait.origin,
            ),
            view(
                "lock_timeout",
                limit(self.lock_timeout.value),
                &self.lock_timeout.origin,
            ),
            view(
                "statement_timeout",
                limit(self.statement_timeout.value),
                &self.statement_timeout.origin,
            ),
            view(
                "out_of_order",
                self.out_of_order.value.to_string(),
                &self.out_of_order.origin,
            ),
            checkpoints::view_of(&self.checkpoints),
            checkpoints::view_of_witnesses(&self.witnesses),
        ];
        views.extend(self.rule_views.iter().cloned());
        views.extend(self.backup_views.iter().cloned());
        views
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.list()).finish()
    }
}

/// A setting as `mledger config` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingView {
    /// The setting's name.
    pub name: &'static str,
    /// Its value, secrets masked.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

fn view(name: &'static str, value: String, origin: &Origin) -> SettingView {
    SettingView {
        name,
        value,
        origin: origin.to_string(),
    }
}
