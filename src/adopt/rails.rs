//! ActiveRecord of Ruby on Rails: `schema_migrations`, a row for each applied version and nothing else. A
//! migration is a program in Ruby; `structure.sql` is the schema that they all make.

use super::program::{self, Divided, Entry};
use super::{Lock, Revision, Row, Table, Tool, Whereabouts, lock};
use crate::migration::Migration;

/// ActiveRecord.
#[derive(Debug)]
pub(super) struct Rails;

impl Tool for Rails {
    fn name(&self) -> &'static str {
        "rails"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "schema_migrations")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version"]
    }

    /// Other tools keep a table of this name too, with more columns.
    fn recognises(&self, table: &Table) -> bool {
        table.has("version") && table.columns.len() == 1
    }

    fn witness(&self) -> Option<&'static str> {
        Some("ar_internal_metadata")
    }

    fn rows(&self, table: &Table, files: &[Migration]) -> Result<Vec<Row>, String> {
        Ok(divided(table, files).rows)
    }

    fn revisions(&self, table: &Table, files: &[Migration]) -> Vec<Revision> {
        divided(table, files).revisions
    }

    fn locks(&self, at: &Whereabouts<'_>) -> Vec<Lock> {
        lock::rails(at)
    }
}

fn divided(table: &Table, files: &[Migration]) -> Divided {
    let entries = table
        .records()
        .map(|row| {
            let name = row.text("version").to_owned();
            Entry {
                version: name.parse().ok(),
                name,
                at: None,
            }
        })
        .collect();
    program::divide(entries, files)
}
