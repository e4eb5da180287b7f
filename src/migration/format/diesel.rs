//! Diesel: a folder for each migration, `2024-01-31-120000_name/`, with `up.sql`, `down.sql` and perhaps
//! `metadata.toml`.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::super::folder::File;
use super::super::name::Part;
use super::super::problem::Problem;
use super::super::style::Style;
use super::{Found, Reader, named_folder, stray};

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
        named_folder(name).is_some() && path.join("up.sql").is_file()
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
        let Some((version, name)) = named_folder(name) else {
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
                        no_transaction,
                    })
                    .collect(),
            ),
            Err(problem) => Found::Wrong(problem),
        }
    }
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
