//! Flyway and refinery: `V1_2__name.sql`. With Flyway `U1_2__name.sql` undoes it, `R__name.sql` runs again
//! when its text changes, and `B2__name.sql` stands for all up to 2 on an empty database; with refinery a
//! `U` is a migration as well, and the others are none.

use std::fs;
use std::path::Path;

use super::super::folder::File;
use super::super::name::Part;
use super::super::problem::Problem;
use super::super::style::Style;
use super::{Found, Reader, stray};
use crate::migration::Version;

/// The form, as one of the two tools reads it.
pub(super) struct Prefixed {
    name: &'static str,
    /// What a `U` is.
    of_u: Part,
    /// There are `R` and `B` too.
    is_rich: bool,
}

pub(super) const FLYWAY: Prefixed = Prefixed {
    name: "flyway",
    of_u: Part::Down,
    is_rich: true,
};

pub(super) const REFINERY: Prefixed = Prefixed {
    name: "refinery",
    of_u: Part::Up,
    is_rich: false,
};

impl Reader for Prefixed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        path.is_file() && (parse(name).is_some() || repeatable(name).is_some())
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        if path.is_dir() {
            return Found::Below;
        }
        // settings of the script beside them
        if name.ends_with(".sql.conf") {
            return Found::Nothing;
        }
        let named = match repeatable(name) {
            Some(name) => Version::of_repeatable(name)
                .ok()
                .map(|version| ('R', version, name)),
            None => parse(name),
        };
        let Some((prefix, version, description)) = named else {
            return stray(path, name, self.expected());
        };
        if !self.is_rich && "RB".contains(prefix) {
            return Found::Wrong(Problem::new(
                "format-unsupported",
                path,
                format!("expected {}, found what refinery has not", self.expected()),
                "with `format = \"flyway\"` in mledger.toml it is read as Flyway reads it",
            ));
        }
        match no_transaction(path) {
            Ok(no_transaction) => Found::Files(vec![File {
                path: path.to_owned(),
                version,
                name: description.to_owned(),
                part: if prefix == 'U' { self.of_u } else { Part::Up },
                baseline: prefix == 'B',
                no_transaction,
                changeset: None,
                identity: None,
            }]),
            Err(problem) => Found::Wrong(problem),
        }
    }
}

impl Prefixed {
    fn expected(&self) -> &'static str {
        if self.is_rich {
            "`V1__name.sql`, `U1__name.sql`, `B1__name.sql` or `R__name.sql`"
        } else {
            "`V1__name.sql` or `U1__name.sql`"
        }
    }
}

/// Reads prefix, version and description.
fn parse(file_name: &str) -> Option<(char, Version, &str)> {
    let stem = file_name.strip_suffix(".sql")?;
    let prefix = stem.chars().next().filter(|first| "VUB".contains(*first))?;
    let (version, description) = stem[1..].split_once("__")?;
    let version = version.replace('_', ".").parse().ok()?;
    (!description.is_empty()).then_some((prefix, version, description))
}

/// Reads the name of a repeatable migration.
pub(crate) fn repeatable(file_name: &str) -> Option<&str> {
    file_name
        .strip_prefix("R__")?
        .strip_suffix(".sql")
        .filter(|name| !name.is_empty())
}

/// Reads what `NAME.sql.conf` says of the transaction.
fn no_transaction(path: &Path) -> Result<bool, Problem> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".conf");
    let beside = Path::new(&beside);
    let Ok(text) = fs::read_to_string(beside) else {
        return Ok(false);
    };
    let mut no_transaction = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        match (key.trim(), value.trim()) {
            ("executeInTransaction", "false") => no_transaction = true,
            ("executeInTransaction", "true") => {}
            _ => {
                return Err(Problem::new(
                    "format-unsupported",
                    beside,
                    format!("expected `executeInTransaction = true` or `false`, found `{line}`"),
                    "write into the script what the setting does",
                )
                .at_line(index + 1));
            }
        }
    }
    Ok(no_transaction)
}
