//! Drizzle: `0000_name.sql` beside `meta/_journal.json`; there is no way back. The lines
//! `--> statement-breakpoint` between statements are comments.

use std::path::Path;

use super::super::folder::File;
use super::super::name::{Name, Part};
use super::super::style::Style;
use super::{Found, Reader, stray};

/// The form.
pub(super) struct Drizzle;

impl Reader for Drizzle {
    fn name(&self) -> &'static str {
        "drizzle"
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        name == "meta" && path.join("_journal.json").is_file()
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        match Name::of(name) {
            Name::Migration(version, name, Part::Both) => Found::Files(vec![File {
                path: path.to_owned(),
                version,
                name,
                part: Part::Up,
                baseline: false,
                no_transaction: false,
                changeset: None,
                identity: None,
            }]),
            _ if path.is_dir() => Found::Nothing,
            _ => stray(path, name, "`0000_name.sql`"),
        }
    }
}
