//! Flyway and refinery: `V1_2__name.sql`. With Flyway `U1_2__name.sql` undoes it; with refinery a `U` is
//! a migration as well.

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
}

pub(super) const FLYWAY: Prefixed = Prefixed {
    name: "flyway",
    of_u: Part::Down,
};

pub(super) const REFINERY: Prefixed = Prefixed {
    name: "refinery",
    of_u: Part::Up,
};

impl Reader for Prefixed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        path.is_file() && (parse(name).is_some() || is_repeatable(name))
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        if path.is_dir() {
            return Found::Below;
        }
        // settings of the script beside them
        if name.ends_with(".sql.conf") {
            return Found::Nothing;
        }
        if is_repeatable(name) {
            return unsupported(
                path,
                "a repeatable one",
                "write its text into a new version each time that it changes",
            );
        }
        let Some((prefix, version, description)) = parse(name) else {
            return stray(path, name, "`V1__name.sql` or `U1__name.sql`");
        };
        let part = match prefix {
            'V' => Part::Up,
            'U' => self.of_u,
            _ => {
                return unsupported(
                    path,
                    "a baseline",
                    "name it `V…` and mark it with `mledger baseline` where the database has it already",
                );
            }
        };
        match no_transaction(path) {
            Ok(no_transaction) => Found::Files(vec![File {
                path: path.to_owned(),
                version,
                name: description.to_owned(),
                part,
                no_transaction,
            }]),
            Err(problem) => Found::Wrong(problem),
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

fn is_repeatable(file_name: &str) -> bool {
    file_name
        .strip_prefix("R__")
        .is_some_and(|rest| rest.len() > ".sql".len() && rest.ends_with(".sql"))
}

fn unsupported(path: &Path, found: &str, hint: &str) -> Found {
    Found::Wrong(Problem::new(
        "format-unsupported",
        path,
        format!("expected a versioned migration, found {found}, which cannot be read"),
        hint,
    ))
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
