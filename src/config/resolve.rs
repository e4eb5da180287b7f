//! From what was typed, exported and written to one value for each setting.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::Digest;

use super::backup::{Place, backups};
use super::checkpoints;
use super::file::{File, Section};
use super::promotion::{self, promotion};
use super::rules::rules;
use super::validation;
use super::{
    Config, ConfigError, DEFAULT_ENVIRONMENT, FILE_NAME, KeyChoice, Origin, Setting, Variables,
};
use crate::migration::format::Format;
use crate::policy::Rules;

/// The variables that settings are read from.
pub const VARIABLES: [&str; 8] = [
    "DATABASE_URL",
    "MLEDGER_ENV",
    "MLEDGER_KEY_FILE",
    "MLEDGER_KEY",
    "MLEDGER_SIGNER",
    "MLEDGER_ACTOR",
    "BACKUP_ENCRYPTION_KEY",
    promotion::SOURCE,
];

/// The shortest lease: its holder renews it four times in this time.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// How long one signature of a program or an agent may take; a person may have to touch something.
const SIGNATURE: Duration = Duration::from_secs(30);

/// What was typed.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--database`.
    pub database: Option<String>,
    /// `--env`.
    pub environment: Option<String>,
    /// `--migrations`.
    pub migrations: Option<PathBuf>,
    /// `--key`.
    pub key: Option<PathBuf>,
    /// `--lease-wait`.
    pub lease_wait: Option<Duration>,
    /// `--out-of-order`.
    pub out_of_order: bool,
}

/// Everything that settings are resolved from.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Where typed paths start from: the working folder, or the folder given with `-C`.
    pub working: PathBuf,
    /// Where all other paths start from.
    pub project: PathBuf,
    /// The configuration file and its text.
    pub file: Option<(PathBuf, String)>,
    /// What was typed.
    pub flags: Flags,
    /// Variables of the process.
    pub variables: Variables,
    /// Variables of the project's `.env` file.
    pub dotenv: Variables,
}

/// Resolves every setting.
///
/// # Errors
///
/// [`ConfigError`] for a configuration file that cannot be read, a ledger id that is not one, an
/// environment that the file does not know while it names others, or two keys at once.
pub fn resolve(input: Input) -> Result<Config, ConfigError> {
    let file = match &input.file {
        Some((path, text)) => File::parse(text, path)?,
        None => File::default(),
    };
    let environment = environment(&input, &file);
    let named = environment.value.as_deref();
    known(named, &file)?;
    let speaking_of = named.unwrap_or(DEFAULT_ENVIRONMENT);
    let layers = layers(&file, speaking_of);
    let at_project = |path: &Path| input.project.join(path);
    let flags = &input.flags;

    let database = typed(flags.database.clone(), "--database")
        .or_else(|| exported(&input, "DATABASE_URL"))
        .or_else(|| layers.find("database_url", |section| section.database_url.clone()));
    let from_flag = matches!(
        &database,
        Some(Setting {
            origin: Origin::Flag(_),
            ..
        })
    );
    let ledger = match layers.find("ledger", |section| section.ledger.clone()) {
        Some(found) => Setting {
            value: Some(ledger_id(&found)?),
            origin: found.origin,
        },
        None => default(None),
    };
    let (validation, validations) = validation::settings(&file)?;
    let mut rule_views = rules(speaking_of, file.environments.get(speaking_of))?.1;
    let of_environment = validations.get(speaking_of).unwrap_or(&validation);
    rule_views.extend(validation::views(&file, speaking_of, of_environment));
    let migrations = typed(
        flags
            .migrations
            .as_ref()
            .map(|path| input.working.join(path)),
        "--migrations",
    )
    .or_else(|| {
        layers.find("migrations", |section| {
            section.migrations.as_deref().map(at_project)
        })
    })
    .unwrap_or_else(|| default(at_project(Path::new("migrations"))));
    let places = [
        (
            &input.variables,
            Origin::Variable as fn(&'static str) -> Origin,
        ),
        (&input.dotenv, Origin::DotEnv),
    ];
    let (backup, backup_views) = backups(&file, speaking_of, &input.project, places)?;
    rule_views.extend(promotion(speaking_of, &file, &input.project, places)?.1);
    let rules = all_rules(&file, &input.project, places)?;
    Ok(Config {
        backup,
        backup_views,
        database_base: if from_flag {
            input.working.clone()
        } else {
            input.project.clone()
        },
        database: database.unwrap_or_else(|| default("sqlite:mledger.db".to_owned())),
        checkpoints: checkpoints::resolve(
            layers.find("checkpoints", |section| section.checkpoints.clone()),
            &migrations.value,
            &input.project,
        ),
        witnesses: checkpoints::witnesses(&file.witness)?,
        migrations,
        recursive: layers
            .find("recursive", |section| section.recursive)
            .unwrap_or_else(|| default(false)),
        format: format(&layers)?,
        key: key(&input, &layers)?,
        signer: signer(&input, &layers)?,
        signer_timeout: layers
            .find("signer_timeout", |section| section.signer_timeout)
            .unwrap_or_else(|| default(SIGNATURE)),
        actor: exported(&input, "MLEDGER_ACTOR")
            .or_else(|| layers.find("actor", |section| section.actor.clone()))
            .map_or_else(
                || default(None),
                |found| Setting {
                    value: Some(found.value),
                    origin: found.origin,
                },
            ),
        ledger,
        lease: lease(&layers)?,
        lease_wait: typed(flags.lease_wait, "--lease-wait")
            .or_else(|| layers.find("lease_wait", |section| section.lease_wait))
            .unwrap_or_else(|| default(Duration::from_secs(300))),
        lock_timeout: layers
            .find("lock_timeout", |section| section.lock_timeout.map(Some))
            .unwrap_or_else(|| default(None)),
        statement_timeout: layers
            .find("statement_timeout", |section| {
                section.statement_timeout.map(Some)
            })
            .unwrap_or_else(|| default(None)),
        out_of_order: typed(flags.out_of_order.then_some(true), "--out-of-order")
            .or_else(|| layers.find("out_of_order", |section| section.out_of_order))
            .unwrap_or_else(|| default(false)),
        rules,
        rule_views,
        validation,
        validations,
        project: input.project,
        file: input.file.map(|(path, _)| path),
        environment,
    })
}

/// The rules of every environment that the file has a section for.
fn all_rules(
    file: &File,
    project: &Path,
    places: [Place<'_>; 2],
) -> Result<BTreeMap<String, Rules>, ConfigError> {
    file.environments
        .iter()
        .map(|(name, section)| {
            let mut rules = rules(name, Some(section))?.0;
            rules.promotion = promotion(name, file, project, places)?.0;
            Ok((name.clone(), rules))
        })
        .collect()
}

fn environment(input: &Input, file: &File) -> Setting<Option<String>> {
    typed(input.flags.environment.clone(), "--env")
        .or_else(|| exported(input, "MLEDGER_ENV"))
        .or_else(|| {
            file.environment.clone().map(|value| Setting {
                value,
                origin: Origin::File("environment".to_owned()),
            })
        })
        .map_or_else(
            || default(None),
            |found| Setting {
                value: Some(found.value),
                origin: found.origin,
            },
        )
}

/// A file that lists environments lists all of them: a name with a typing error must not fall back
/// to the top level's database.
fn known(named: Option<&str>, file: &File) -> Result<(), ConfigError> {
    let Some(name) = named else {
        return Ok(());
    };
    let listed = name == DEFAULT_ENVIRONMENT || file.environments.contains_key(name);
    if file.environments.is_empty() || listed {
        return Ok(());
    }
    let names: Vec<String> = file
        .environments
        .keys()
        .map(|name| format!("`{name}`"))
        .collect();
    Err(ConfigError::new(
        "environment-unknown",
        format!(
            "expected an environment that {FILE_NAME} has a section for ({}), found `{name}`",
            names.join(", ")
        ),
        format!("check the name, or add `[environments.{name}]` to {FILE_NAME}"),
    ))
}

fn key(input: &Input, layers: &Layers) -> Result<Setting<KeyChoice>, ConfigError> {
    if let Some(path) = &input.flags.key {
        return Ok(Setting {
            value: KeyChoice::File(input.working.join(path)),
            origin: Origin::Flag("--key"),
        });
    }
    for (variables, origin) in [
        (
            &input.variables,
            Origin::Variable as fn(&'static str) -> Origin,
        ),
        (&input.dotenv, Origin::DotEnv),
    ] {
        match (
            stated(variables, "MLEDGER_KEY_FILE"),
            stated(variables, "MLEDGER_KEY"),
        ) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::new(
                    "key-ambiguous",
                    "expected one of `MLEDGER_KEY_FILE` and `MLEDGER_KEY`, found both",
                    "unset one of them",
                ));
            }
            (Some(path), None) => {
                return Ok(Setting {
                    value: KeyChoice::File(input.project.join(path)),
                    origin: origin("MLEDGER_KEY_FILE"),
                });
            }
            (None, Some(text)) => {
                return Ok(Setting {
                    value: KeyChoice::Text(text.to_owned()),
                    origin: origin("MLEDGER_KEY"),
                });
            }
            (None, None) => {}
        }
    }
    Ok(layers
        .find("key_file", |section| {
            let path = section.key_file.as_deref()?;
            Some(KeyChoice::File(input.project.join(path)))
        })
        .unwrap_or_else(|| default(KeyChoice::Default)))
}

/// The program that signs, cut into words.
fn signer(input: &Input, layers: &Layers) -> Result<Setting<Vec<String>>, ConfigError> {
    let found = exported(input, "MLEDGER_SIGNER")
        .or_else(|| layers.find("signer", |section| section.signer.clone()));
    let Some(found) = found else {
        return Ok(default(Vec::new()));
    };
    match words(&found.value) {
        Some(value) if !value.is_empty() => Ok(Setting {
            value,
            origin: found.origin,
        }),
        _ => Err(ConfigError::new(
            "config-invalid",
            format!(
                "{}: expected a program and its arguments, found no words or a quote that is not closed",
                found.origin
            ),
            "write it as in `signer = \"./sign-with-kms --key 'release key'\"`; no shell reads it",
        )),
    }
}

/// Cuts a line into words at white space outside of quotes; nothing else has a meaning.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    for character in line.chars() {
        match quote {
            Some(closing) if character == closing => quote = None,
            None if character.is_whitespace() => words.extend(word.take()),
            None if matches!(character, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn ledger_id(found: &Setting<String>) -> Result<Digest, ConfigError> {
    found.value.parse().map_err(|_| {
        ConfigError::new(
            "config-invalid",
            format!(
                "{}: expected a ledger id of 64 lower-case hex digits, found `{}`",
                found.origin, found.value
            ),
            "copy the id from `mledger status --json`",
        )
    })
}

fn format(layers: &Layers) -> Result<Setting<Format>, ConfigError> {
    let Some(found) = layers.find("format", |section| section.format.clone()) else {
        return Ok(default(Format::Auto));
    };
    let value = found.value.parse().map_err(|message: String| {
        ConfigError::new(
            "config-invalid",
            format!("{}: {message}", found.origin),
            "without it the form is the one that the files have",
        )
    })?;
    Ok(Setting {
        value,
        origin: found.origin,
    })
}

/// A lease that is over before its holder can renew it would protect nothing.
fn lease(layers: &Layers) -> Result<Setting<Duration>, ConfigError> {
    let found = layers
        .find("lease", |section| section.lease)
        .unwrap_or_else(|| default(Duration::from_secs(60)));
    if found.value >= SHORTEST_LEASE {
        return Ok(found);
    }
    Err(ConfigError::new(
        "config-invalid",
        format!(
            "{}: expected a lease of at least {SHORTEST_LEASE:?}, found {:?}",
            found.origin, found.value
        ),
        "use a minute, unless a test needs less",
    ))
}

/// The file's section for the environment, then its top level.
struct Layers(Vec<(String, Section)>);

impl Layers {
    fn find<T>(&self, key: &str, pick: impl Fn(&Section) -> Option<T>) -> Option<Setting<T>> {
        self.0.iter().find_map(|(prefix, section)| {
            pick(section).map(|value| Setting {
                value,
                origin: Origin::File(format!("{prefix}{key}")),
            })
        })
    }
}

fn layers(file: &File, environment: &str) -> Layers {
    let mut layers = Vec::with_capacity(2);
    if let Some(section) = file.environments.get(environment) {
        layers.push((format!("[environments.{environment}] "), section.clone()));
    }
    layers.push((String::new(), file.top()));
    Layers(layers)
}

fn typed<T>(value: Option<T>, flag: &'static str) -> Option<Setting<T>> {
    value.map(|value| Setting {
        value,
        origin: Origin::Flag(flag),
    })
}

fn exported(input: &Input, name: &'static str) -> Option<Setting<String>> {
    let found = |variables, origin| {
        stated(variables, name).map(|value| Setting {
            value: value.to_owned(),
            origin,
        })
    };
    found(&input.variables, Origin::Variable(name))
        .or_else(|| found(&input.dotenv, Origin::DotEnv(name)))
}

/// Pipelines export variables they have no value for as empty.
fn stated<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables
        .get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

fn default<T>(value: T) -> Setting<T> {
    Setting {
        value,
        origin: Origin::Default,
    }
}

#[cfg(test)]
mod tests;
