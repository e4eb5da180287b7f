//! db-migrate with `--sql-file`: `sqls/VERSION-name-up.sql` and `sqls/VERSION-name-down.sql`. The programs
//! beside the folder `sqls`, or above it, do no more than read these.

use std::path::Path;

use super::super::folder::File;
use super::super::name::Part;
use super::super::style::Style;
use super::{Found, Reader};
use crate::migration::Version;

/// The form.
pub(super) struct DbMigrate;

impl Reader for DbMigrate {
    fn name(&self) -> &'static str {
        "db-migrate"
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        parse(name).is_some() && path.is_file()
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        if path.is_dir() {
            return Found::Below;
        }
        match parse(name) {
            Some((version, name, part)) => Found::Files(vec![File {
                path: path.to_owned(),
                version,
                name: name.to_owned(),
                part,
                baseline: false,
                no_transaction: false,
                changeset: None,
                identity: None,
            }]),
            None => super::stray(
                path,
                name,
                "`VERSION-name-up.sql` or `VERSION-name-down.sql`",
            ),
        }
    }
}

/// Reads version, name and half.
fn parse(file_name: &str) -> Option<(Version, &str, Part)> {
    let stem = file_name.strip_suffix(".sql")?;
    let (stem, part) = match stem.strip_suffix("-up") {
        Some(stem) => (stem, Part::Up),
        None => (stem.strip_suffix("-down")?, Part::Down),
    };
    let (version, name) = stem.split_once('-')?;
    let is_number = !version.is_empty() && version.bytes().all(|one| one.is_ascii_digit());
    (is_number && !name.is_empty()).then_some((version.parse().ok()?, name, part))
}
