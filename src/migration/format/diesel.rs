//! Diesel: a folder for each migration, `2024-01-31-120000_name/`, with `up.sql`, `down.sql` and perhaps
//! `metadata.toml`.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::super::folder::File;
use super::super::name::Part;
use super::super::problem::Problem;
use super::super::style::Style;
use super::{Found, Reader, stray};
use crate::migration::Version;

/// The form.
pub(super) struct Diesel;

/// What `metadata.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default = "in_transaction")]
    run_in_transaction: bool,
}

fn in_transaction() -> bool {
    true
}

impl Reader for Diesel {
    fn name(&self) -> &'static str {
        "diesel"
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        named(name).is_some() && path.join("up.sql").is_file()
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        if !path.is_dir() {
            return stray(
                path,
                name,
                "a folder `VERSION_name` with `up.sql` and `down.sql`",
            );
        }
        let parts = [(Part::Up, "up.sql"), (Part::Down, "down.sql")]
            .map(|(part, file)| (part, path.join(file)));
        if !parts.iter().any(|(_, file)| file.is_file()) {
            return Found::Below;
        }
        let Some((version, name)) = named(name) else {
            return Found::Wrong(Problem::new(
                "name-invalid",
                path,
                "expected a folder `VERSION_name`, found another name",
                "rename the folder, or move it out",
            ));
        };
        match no_transaction(path) {
            Ok(no_transaction) => Found::Files(
                parts
                    .into_iter()
                    .filter(|(_, file)| file.is_file())
                    .map(|(part, path)| File {
                        path,
                        version: version.clone(),
                        name: name.clone(),
                        part,
                        baseline: false,
                        no_transaction,
                        changeset: None,
                        identity: None,
                    })
                    .collect(),
            ),
            Err(problem) => Found::Wrong(problem),
        }
    }
}

/// How many digits a time has.
const TIME: usize = "20240131120000".len();

/// Returns the version of a folder, or of a row of Diesel's table, which has no hyphens.
///
/// Diesel compares versions as texts, and some have more or fewer digits than a time: what is missing is
/// filled up with zeros, what is too much is a part of its own. A number that is no date stays as it is.
pub(crate) fn version(name: &str) -> Option<Version> {
    let digits: String = name
        .chars()
        .take_while(|one| one.is_ascii_digit() || *one == '-')
        .filter(char::is_ascii_digit)
        .collect();
    let text = match digits.len() {
        length if length > TIME => format!("{}.{}", &digits[..TIME], &digits[TIME..]),
        length if length >= "20240131".len() => format!("{digits:0<TIME$}"),
        _ => digits,
    };
    text.parse().ok()
}

/// Reads version and name of a folder; the name begins after the first `_`, else after the version.
fn named(folder: &str) -> Option<(Version, String)> {
    let version = version(folder)?;
    let name = match folder.split_once('_') {
        Some((_, name)) => name,
        None => folder.trim_start_matches(|one: char| one.is_ascii_digit() || one == '-'),
    };
    (!name.is_empty()).then(|| (version, name.to_owned()))
}

fn no_transaction(folder: &Path) -> Result<bool, Problem> {
    let path = folder.join("metadata.toml");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(false);
    };
    match toml::from_str::<Settings>(&text) {
        Ok(settings) => Ok(!settings.run_in_transaction),
        Err(error) => Err(Problem::new(
            "format-unsupported",
            path,
            format!(
                "expected `run_in_transaction = true` or `false`, found another text: {}",
                error.message()
            ),
            "correct the file",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_ordered_as_diesel_orders_them() {
        let folders = [
            ("00000000000000_diesel_initial_setup", "00000000000000"),
            ("2020-12-7-190800_a", "20201271908000"),
            ("2023-05-23-1715-update-name", "20230523171500"),
            ("2025-12-18-104956-0001_b", "20251218104956.0001"),
            ("2025-12-18-104957_c", "20251218104957"),
        ];
        let mut last: Option<Version> = None;
        for (folder, expected) in folders {
            let found = version(folder);
            let hyphens = folder.split('_').next().map(|text| text.replace('-', ""));
            assert_eq!(found.as_ref().map(Version::as_str), Some(expected));
            assert_eq!(hyphens.as_deref().and_then(version), found, "{folder}");
            assert!(last < found, "{folder}");
            last = found;
        }
        assert_eq!(
            version("1_a").map(|one| one.to_string()).as_deref(),
            Some("1")
        );
        let name = named("2023-05-23-1715-update-name").map(|(_, name)| name);
        assert_eq!(name.as_deref(), Some("update-name"));
    }
}
