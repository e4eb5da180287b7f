//! The rules of each environment, from the file's sections and the defaults for its name.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::file::{Section, optional_duration};
use super::{ConfigError, Origin, SettingView, view};
use crate::policy::{Check, Checks, Probe, Rules};

/// How long a check may take where it does not say so.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

/// What a section says of checks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecksText {
    #[serde(default)]
    before: Vec<CheckText>,
    #[serde(default)]
    after: Vec<CheckText>,
}

/// What a section says of one check.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckText {
    name: String,
    command: Option<Vec<String>>,
    url: Option<String>,
    status: Option<u16>,
    #[serde(default, deserialize_with = "optional_duration")]
    timeout: Option<Duration>,
}

impl std::fmt::Debug for CheckText {
    // arguments and addresses may hold secrets
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("CheckText")
            .field(&self.name)
            .finish()
    }
}

/// Returns the rules of the environment `name`, and each with where it came from.
///
/// # Errors
///
/// [`ConfigError`] for a check that asks nothing, or more than one thing.
pub(super) fn rules(
    name: &str,
    section: Option<&Section>,
) -> Result<(Rules, Vec<SettingView>), ConfigError> {
    let mut rules = Rules::cautious(name);
    let mut views = Vec::new();
    let empty = Section::default();
    let section = section.unwrap_or(&empty);
    let origin = |key: &str, said: bool| {
        if said {
            Origin::File(format!("[environments.{name}] {key}"))
        } else {
            Origin::Default
        }
    };
    let mut flag = |key: &'static str, said: Option<bool>, rule: &mut bool| {
        *rule = said.unwrap_or(*rule);
        views.push(view(key, rule.to_string(), &origin(key, said.is_some())));
    };
    flag("protected", section.protected, &mut rules.protected);
    flag(
        "author_may_approve",
        section.author_may_approve,
        &mut rules.author_may_approve,
    );
    flag("allow_reset", section.allow_reset, &mut rules.allow_reset);
    flag(
        "auto_rollback",
        section.auto_rollback,
        &mut rules.auto_rollback,
    );
    flag("skip_backup", section.skip_backup, &mut rules.skip_backup);
    flag(
        "skip_validation",
        section.skip_validation,
        &mut rules.skip_validation,
    );
    flag(
        "refuse_warnings",
        section.refuse_warnings,
        &mut rules.refuse_warnings,
    );
    let said = section.require_approval;
    rules.require_approval = said.map_or(rules.require_approval, u64::from);
    views.push(view(
        "require_approval",
        rules.require_approval.to_string(),
        &origin("require_approval", said.is_some()),
    ));
    let said = section.approval_lasts;
    rules.approval_lasts = said.unwrap_or(rules.approval_lasts);
    views.push(view(
        "approval_lasts",
        format!("{}s", rules.approval_lasts.as_secs()),
        &origin("approval_lasts", said.is_some()),
    ));
    rules.max_duration = section.max_duration;
    views.push(view(
        "max_duration",
        rules
            .max_duration
            .map_or_else(|| "(none)".to_owned(), |limit| format!("{limit:?}")),
        &origin("max_duration", section.max_duration.is_some()),
    ));
    if let Some(text) = &section.checks {
        rules.checks = Checks {
            before: checks(name, &text.before)?,
            after: checks(name, &text.after)?,
        };
    }
    for (key, found) in [
        ("checks.before", &rules.checks.before),
        ("checks.after", &rules.checks.after),
    ] {
        let names: Vec<&str> = found.iter().map(|check| check.name.as_str()).collect();
        let shown = match names.as_slice() {
            [] => "(none)".to_owned(),
            names => names.join(", "),
        };
        views.push(view(key, shown, &origin(key, !names.is_empty())));
    }
    Ok((rules, views))
}

fn checks(environment: &str, texts: &[CheckText]) -> Result<Vec<Check>, ConfigError> {
    let mut names = BTreeSet::new();
    texts
        .iter()
        .map(|text| {
            let wrong = |message: &str| {
                ConfigError::new(
                    "config-invalid",
                    format!(
                        "[environments.{environment}] checks: `{}`: {message}",
                        text.name
                    ),
                    "write `{ name = \"smoke\", command = [\"./smoke.sh\"] }` or `{ name = \
                     \"health\", url = \"http://localhost/health\", status = 200 }`",
                )
            };
            if text.name.trim().is_empty() {
                return Err(wrong("expected a name, found none"));
            }
            if !names.insert(text.name.as_str()) {
                return Err(wrong("expected one check of a name, found two"));
            }
            let probe = match (&text.command, &text.url) {
                (Some(words), None) if text.status.is_some() => {
                    let _ = words;
                    return Err(wrong(
                        "expected `status` only beside `url`, found `command`",
                    ));
                }
                (Some(words), None) if words.first().is_some_and(|word| !word.is_empty()) => {
                    Probe::Command(words.clone())
                }
                (Some(_), None) => return Err(wrong("expected a program, found no words")),
                (None, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {
                    Probe::Url {
                        url: url.clone(),
                        status: text.status.unwrap_or(200),
                    }
                }
                (None, Some(_)) => {
                    return Err(wrong(
                        "expected an address that begins with `http://` or `https://`",
                    ));
                }
                (Some(_), Some(_)) => {
                    return Err(wrong("expected one of `command` and `url`, found both"));
                }
                (None, None) => {
                    return Err(wrong("expected `command` or `url`, found neither"));
                }
            };
            Ok(Check {
                name: text.name.clone(),
                probe,
                timeout: text.timeout.unwrap_or(CHECK_TIMEOUT),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use super::super::File;
    use super::*;

    fn of(text: &str) -> Result<Rules, ConfigError> {
        let file = File::parse(text, Path::new("mledger.toml"))?;
        rules("live", file.environments.get("live")).map(|(rules, _)| rules)
    }

    #[test]
    fn a_section_says_what_differs_from_the_defaults() {
        let rules = of(
            "[environments.live]\nprotected = true\nrequire_approval = 2\nauthor_may_approve = true\n\
             approval_lasts = '4h'\nauto_rollback = true\nmax_duration = '10m'\n\
             checks = { before = [{ name = 'disk', command = ['df', '-h'] }], after = [{ name = 'shop', \
             url = 'http://localhost:1/health', status = 204, timeout = '5s' }] }\n",
        )
        .unwrap();
        assert!(rules.protected && rules.author_may_approve && rules.auto_rollback);
        assert_eq!(rules.require_approval, 2);
        assert_eq!(rules.max_duration, Some(Duration::from_secs(600)));
        assert_eq!(rules.checks.before[0].timeout, CHECK_TIMEOUT);
        assert_eq!(
            rules.checks.after[0].probe,
            Probe::Url {
                url: "http://localhost:1/health".to_owned(),
                status: 204
            }
        );
    }

    #[test]
    fn a_check_asks_one_thing() {
        for wrong in [
            "{ name = 'a' }",
            "{ name = '', command = ['x'] }",
            "{ name = 'a', command = [] }",
            "{ name = 'a', command = ['x'], status = 200 }",
            "{ name = 'a', command = ['x'], url = 'http://x' }",
            "{ name = 'a', url = 'ftp://x' }",
            "{ name = 'a', command = ['x'] }, { name = 'a', command = ['y'] }",
            "{ name = 'a', command = ['x'], shell = true }",
        ] {
            let text = format!("[environments.live]\nchecks = {{ before = [{wrong}] }}\n");
            assert_eq!(of(&text).unwrap_err().code, "config-invalid", "{wrong}");
        }
    }
}
