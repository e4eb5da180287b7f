//! What `[rules]` and `[naming]` say, at the top level and in an environment's section.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::file::{File, Section};
use super::{ConfigError, FILE_NAME, Origin, SettingView, view};
use crate::lint::naming::{Case, Pattern};
use crate::lint::{Level, Settings, rule};

/// How much findings of a rule weigh, as a file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LevelText {
    /// They are not looked for.
    Off,
    /// They are shown.
    Warning,
    /// They stop a run.
    Error,
}

/// How things are named, as a file says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamingText {
    tables: Option<String>,
    indexes: Option<String>,
    foreign_keys: Option<String>,
}

/// Returns what holds for validation where no environment says otherwise, and in each that the file has
/// a section for.
///
/// # Errors
///
/// [`ConfigError`] for a rule that does not exist, or names that cannot be followed.
pub(super) fn settings(file: &File) -> Result<(Settings, BTreeMap<String, Settings>), ConfigError> {
    let base = layer(&Settings::default(), &file.top(), "")?;
    let sections = file.environments.iter().map(|(name, section)| {
        let prefix = format!("[environments.{name}] ");
        Ok((name.clone(), layer(&base, section, &prefix)?))
    });
    let sections = sections.collect::<Result<_, ConfigError>>()?;
    Ok((base, sections))
}

/// Returns what is shown of them.
pub(super) fn views(file: &File, environment: &str, settings: &Settings) -> Vec<SettingView> {
    let section = file.environments.get(environment);
    let top = file.top();
    let origin = |name: &str, has: fn(&Section) -> bool| {
        if section.is_some_and(has) {
            Origin::File(format!("[environments.{environment}] {name}"))
        } else if has(&top) {
            Origin::File(name.to_owned())
        } else {
            Origin::Default
        }
    };
    let levels: Vec<String> = settings
        .levels
        .iter()
        .map(|(code, level)| {
            let level = match level {
                Level::Off => "off",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            format!("{code} {level}")
        })
        .collect();
    let levels = if levels.is_empty() {
        "each rule's own severity".to_owned()
    } else {
        levels.join(", ")
    };
    let naming = &settings.naming;
    let of_naming = |name: &'static str, value: &str, has: fn(&Section) -> bool| {
        view(name, value.to_owned(), &origin(name, has))
    };
    vec![
        view("rules", levels, &origin("rules", |one| one.rules.is_some())),
        of_naming("naming.tables", naming.tables.as_str(), |one| {
            one.naming.as_ref().is_some_and(|one| one.tables.is_some())
        }),
        of_naming("naming.indexes", naming.indexes.as_str(), |one| {
            one.naming.as_ref().is_some_and(|one| one.indexes.is_some())
        }),
        of_naming("naming.foreign_keys", naming.foreign_keys.as_str(), |one| {
            one.naming
                .as_ref()
                .is_some_and(|one| one.foreign_keys.is_some())
        }),
    ]
}

fn layer(base: &Settings, section: &Section, prefix: &str) -> Result<Settings, ConfigError> {
    let mut settings = base.clone();
    for (code, level) in section.rules.iter().flatten() {
        if rule::named(code).is_none() {
            return Err(ConfigError::new(
                "config-invalid",
                format!(
                    "{FILE_NAME} {prefix}rules: expected the code of a rule, found `{}`",
                    code.escape_debug()
                ),
                "docs/rules.md lists the rules",
            ));
        }
        let level = match level {
            LevelText::Off => Level::Off,
            LevelText::Warning => Level::Warning,
            LevelText::Error => Level::Error,
        };
        settings.levels.insert(code.clone(), level);
    }
    let Some(naming) = &section.naming else {
        return Ok(settings);
    };
    let wrong = |key: &str, message: String| {
        ConfigError::new(
            "config-invalid",
            format!("{FILE_NAME} {prefix}naming.{key}: {message}"),
            "docs/rules.md shows what names may follow",
        )
    };
    if let Some(text) = &naming.tables {
        settings.naming.tables = Case::parse(text).map_err(|error| wrong("tables", error))?;
    }
    if let Some(text) = &naming.indexes {
        settings.naming.indexes = Pattern::parse(text).map_err(|error| wrong("indexes", error))?;
    }
    if let Some(text) = &naming.foreign_keys {
        settings.naming.foreign_keys =
            Pattern::parse(text).map_err(|error| wrong("foreign_keys", error))?;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Result<(Settings, BTreeMap<String, Settings>), ConfigError> {
        settings(&File::parse(text, Path::new("mledger.toml")).unwrap())
    }

    #[test]
    fn an_environment_says_what_differs() {
        let (base, sections) = read(
            "[rules]\ndrop-table = 'error'\nname-index = 'off'\n[naming]\ntables = 'any'\n\
             [environments.production.rules]\ndrop-table = 'warning'\n",
        )
        .unwrap();
        assert_eq!(base.levels["drop-table"], Level::Error);
        assert_eq!(base.naming.tables, Case::Any);
        let production = &sections["production"];
        assert_eq!(production.levels["drop-table"], Level::Warning);
        assert_eq!(production.levels["name-index"], Level::Off);
        assert_eq!(production.naming.tables, Case::Any);
    }

    #[test]
    fn what_does_not_exist_is_named() {
        for (text, message) in [
            (
                "[rules]\ndrop-tables = 'off'\n",
                "rules: expected the code of a rule, found `drop-tables`",
            ),
            (
                "[naming]\ntables = 'snake'\n",
                "naming.tables: expected `lower_snake_case`",
            ),
            (
                "[naming]\nindexes = 'ix {table}'\n",
                "naming.indexes: expected a pattern",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message.contains(message), "{error}");
        }
        let loud = File::parse("[rules]\ndrop-table = 'loud'\n", Path::new("mledger.toml"));
        assert!(loud.unwrap_err().message.contains(":2:"));
    }
}
