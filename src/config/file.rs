//! The text of `mledger.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

use super::ConfigError;
use super::checkpoints::{CheckpointsText, WitnessText};
use super::rules::ChecksText;
use super::validation::{LevelText, NamingText};

/// What `mledger.toml` says: its top level, and a section for each environment it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The environment to use when nobody names one.
    pub environment: Option<String>,
    database_url: Option<String>,
    migrations: Option<PathBuf>,
    recursive: Option<bool>,
    format: Option<String>,
    key_file: Option<PathBuf>,
    signer: Option<String>,
    #[serde(default, deserialize_with = "optional_duration")]
    signer_timeout: Option<Duration>,
    actor: Option<String>,
    ledger: Option<String>,
    #[serde(default, deserialize_with = "optional_duration")]
    lease: Option<Duration>,
    #[serde(default, deserialize_with = "optional_duration")]
    lease_wait: Option<Duration>,
    #[serde(default, deserialize_with = "optional_duration")]
    lock_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "optional_duration")]
    statement_timeout: Option<Duration>,
    out_of_order: Option<bool>,
    checkpoints: Option<CheckpointsText>,
    /// The sections `[[witness]]`.
    #[serde(default)]
    pub witness: Vec<WitnessText>,
    rules: Option<BTreeMap<String, LevelText>>,
    naming: Option<NamingText>,
    /// The section `[backup]`.
    #[serde(default)]
    pub backup: Backups,
    /// The sections `[environments.NAME]`.
    #[serde(default)]
    pub environments: BTreeMap<String, Section>,
}

/// What the file says of backups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backups {
    /// The folder they are kept in.
    pub folder: Option<PathBuf>,
    /// For whom they are encrypted: `age1…`.
    pub recipients: Option<Vec<String>>,
    /// How many `backup prune` keeps.
    pub keep: Option<u64>,
    /// A run that has something to do takes one first.
    pub before_run: Option<bool>,
}

impl Backups {
    /// Returns these, with what they leave out from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            folder: self.folder.or(other.folder),
            recipients: self.recipients.or(other.recipients),
            keep: self.keep.or(other.keep),
            before_run: self.before_run.or(other.before_run),
        }
    }
}

/// Settings that hold for one environment, or at the top level for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The database's URL.
    pub database_url: Option<String>,
    /// The folder of migrations.
    pub migrations: Option<PathBuf>,
    /// Its sub-folders count too.
    pub recursive: Option<bool>,
    /// The form of the folder.
    pub format: Option<String>,
    /// The file of the signing key.
    pub key_file: Option<PathBuf>,
    /// The program that signs for it, and its arguments.
    pub signer: Option<String>,
    /// How long one signature of a program or an agent may take.
    #[serde(default, deserialize_with = "optional_duration")]
    pub signer_timeout: Option<Duration>,
    /// Who acts.
    pub actor: Option<String>,
    /// The ledger id that is pinned.
    pub ledger: Option<String>,
    /// How long a lease lasts without renewal.
    #[serde(default, deserialize_with = "optional_duration")]
    pub lease: Option<Duration>,
    /// How long to wait for another run's lease.
    #[serde(default, deserialize_with = "optional_duration")]
    pub lease_wait: Option<Duration>,
    /// How long to wait for the database's own locks.
    #[serde(default, deserialize_with = "optional_duration")]
    pub lock_timeout: Option<Duration>,
    /// How long one statement may take, where the server can be told.
    #[serde(default, deserialize_with = "optional_duration")]
    pub statement_timeout: Option<Duration>,
    /// Apply what is older than the newest applied migration.
    pub out_of_order: Option<bool>,
    /// Whether checkpoints are kept beside the migrations, or the folder in which they are.
    pub checkpoints: Option<CheckpointsText>,
    /// How much findings of `validate` weigh, by the code of their rule.
    pub rules: Option<BTreeMap<String, LevelText>>,
    /// How things are named.
    pub naming: Option<NamingText>,
    /// Writes must state this environment, and destructive commands confirm it.
    pub protected: Option<bool>,
    /// How many people must approve a plan before it runs.
    pub require_approval: Option<u32>,
    /// Who wrote a migration, and who runs the plan, may be one of them.
    pub author_may_approve: Option<bool>,
    /// How long an approval can be used, at most.
    #[serde(default, deserialize_with = "optional_duration")]
    pub approval_lasts: Option<Duration>,
    /// `reset` may roll everything back.
    pub allow_reset: Option<bool>,
    /// A migration that fails takes those before it in its run with it.
    pub auto_rollback: Option<bool>,
    /// What differs of backups.
    pub backup: Option<Backups>,
    /// A run needs no backup.
    pub skip_backup: Option<bool>,
    /// A run needs no validation.
    pub skip_validation: Option<bool>,
    /// Warnings of the validation refuse a run, too.
    pub refuse_warnings: Option<bool>,
    /// A run is stopped after so long.
    #[serde(default, deserialize_with = "optional_duration")]
    pub max_duration: Option<Duration>,
    /// The name of the environment that must have applied what is applied here.
    pub require_promotion_from: Option<String>,
    /// Where that environment's ledger is found: a bundle, or a database's URL.
    pub promotion_source: Option<String>,
    /// The id that its ledger must have.
    pub promotion_ledger: Option<String>,
    /// What must hold before the first migration of a run, and after its last one.
    pub checks: Option<ChecksText>,
}

impl File {
    /// Parses the text of a file; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with line and column for text that is not TOML 1.0, an unknown key, or a value
    /// of the wrong kind.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let place = error.span().map_or_else(String::new, |span| {
                let (line, column) = position(text, span.start);
                format!(":{line}:{column}")
            });
            ConfigError::new(
                "config-invalid",
                format!("{}{place}: {}", path.display(), words(error.message())),
                "correct the file; `mledger config` lists every setting and where it comes from",
            )
        })
    }

    /// Returns the top level in the form of a section.
    pub fn top(&self) -> Section {
        Section {
            database_url: self.database_url.clone(),
            migrations: self.migrations.clone(),
            recursive: self.recursive,
            format: self.format.clone(),
            key_file: self.key_file.clone(),
            signer: self.signer.clone(),
            signer_timeout: self.signer_timeout,
            actor: self.actor.clone(),
            ledger: self.ledger.clone(),
            lease: self.lease,
            lease_wait: self.lease_wait,
            lock_timeout: self.lock_timeout,
            statement_timeout: self.statement_timeout,
            out_of_order: self.out_of_order,
            checkpoints: self.checkpoints.clone(),
            rules: self.rules.clone(),
            naming: self.naming.clone(),
            ..Section::default()
        }
    }
}

/// Reads a duration: whole seconds, or a number with `ms`, `s`, `m` or `h`.
///
/// # Errors
///
/// A sentence that says which forms there are.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let wrong = || format!("expected a duration such as `30s`, `5m` or `300`, found `{text}`");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = |factor: u64| number.checked_mul(factor).ok_or_else(wrong);
    match unit.trim_start() {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" | "min" => seconds(60).map(Duration::from_secs),
        "h" => seconds(3600).map(Duration::from_secs),
        _ => Err(wrong()),
    }
}

/// serde speaks of fields and structs; people wrote keys.
fn words(message: &str) -> String {
    message
        .replace("unknown field", "unknown key")
        .replace("duplicate field", "duplicate key")
        .replace('\n', " ")
        .trim_end()
        .to_owned()
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(1, |rest| rest.chars().count() + 1);
    (line, column)
}

pub(super) fn optional_duration<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<Duration>, D::Error> {
    struct Words;

    impl Visitor<'_> for Words {
        type Value = Duration;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a duration such as \"30s\", \"5m\" or whole seconds")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Duration, E> {
            u64::try_from(value)
                .map(Duration::from_secs)
                .map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<Duration, E> {
            duration(value).map_err(E::custom)
        }
    }

    input.deserialize_any(Words).map(Some)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn parse(text: &str) -> Result<File, ConfigError> {
        File::parse(text, Path::new("mledger.toml"))
    }

    #[test]
    fn reads_every_key() {
        let file = parse(
            "database_url = 'sqlite:a.db'\nenvironment = 'staging'\nmigrations = 'sql'\n\
             recursive = true\nkey_file = 'key'\nactor = 'dana'\nledger = 'aa'\nlease_wait = '5m'\n\
             lock_timeout = 10\nout_of_order = true\n[environments.staging]\nprotected = true\n",
        )
        .unwrap();
        assert_eq!(file.environment.as_deref(), Some("staging"));
        assert_eq!(file.top().lease_wait, Some(Duration::from_secs(300)));
        assert_eq!(file.top().lock_timeout, Some(Duration::from_secs(10)));
        assert_eq!(file.environments["staging"].protected, Some(true));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let error = parse("recursive = true\n\n  migration = 'x'\n").unwrap_err();
        assert!(
            error
                .message
                .starts_with("mledger.toml:3:3: unknown key `migration`"),
            "{error}"
        );
        let error = parse("[environments.production]\nprotect = true\n").unwrap_err();
        assert!(
            error
                .message
                .starts_with("mledger.toml:2:1: unknown key `protect`"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        let error = parse("lease_wait = '5 days'\n").unwrap_err();
        assert!(error.message.contains(":1:14:"), "{error}");
        assert!(error.message.contains("`5 days`"), "{error}");
        assert!(parse("lease_wait = -1\n").is_err());
        assert!(parse("recursive = 'yes'\n").is_err());
        assert!(parse("recursive = \n").unwrap_err().message.contains(":1:"));
    }

    #[test]
    fn durations_have_few_forms() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in [
            "",
            "s",
            "1d",
            "-1",
            "1.5s",
            "99999999999999999999",
            "18446744073709551615h",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
