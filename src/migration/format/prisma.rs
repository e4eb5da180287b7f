//! Prisma: a folder for each migration, `20240131120000_name/`, with `migration.sql`; there is no way
//! back.

use std::path::Path;

use super::super::folder::File;
use super::super::name::Part;
use super::super::problem::Problem;
use super::super::style::Style;
use super::{Found, Reader, named_folder, stray};

/// The script's name in each folder.
const SCRIPT: &str = "migration.sql";

/// The form.
pub(super) struct Prisma;

impl Reader for Prisma {
    fn name(&self) -> &'static str {
        "prisma"
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        named_folder(name).is_some() && path.join(SCRIPT).is_file()
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        if !path.is_dir() {
            return stray(path, name, "a folder `VERSION_name` with `migration.sql`");
        }
        let script = path.join(SCRIPT);
        if !script.is_file() {
            return Found::Below;
        }
        match named_folder(name) {
            Some((version, name)) => Found::Files(vec![File {
                path: script,
                version,
                name,
                part: Part::Up,
                baseline: false,
                no_transaction: false,
                changeset: None,
                identity: None,
            }]),
            None => Found::Wrong(Problem::new(
                "name-invalid",
                path,
                "expected a folder `VERSION_name`, found another name",
                "rename the folder, or move it out",
            )),
        }
    }
}
