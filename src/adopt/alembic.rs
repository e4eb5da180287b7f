//! Alembic: `alembic_version`, which has the revision that holds and nothing of those before it. A revision
//! is a text without an order, and its migration a program in Python.

use super::program::{self, Divided, Entry};
use super::{Revision, Row, Said, Table, Tool};
use crate::migration::Migration;

/// Alembic.
#[derive(Debug)]
pub(super) struct Alembic;

impl Tool for Alembic {
    fn name(&self) -> &'static str {
        "alembic"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "alembic_version")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version_num"]
    }

    fn rows(&self, table: &Table, files: &[Migration]) -> Result<Vec<Row>, String> {
        let through = |row| Row {
            said: Said::AppliedThrough,
            ..row
        };
        Ok(divided(table, files)
            .rows
            .into_iter()
            .map(through)
            .collect())
    }

    fn revisions(&self, table: &Table, files: &[Migration]) -> Vec<Revision> {
        divided(table, files).revisions
    }
}

/// A file `0007_1f2e3d4c5b6a_orders.sql` carries the revision `1f2e3d4c5b6a`.
fn divided(table: &Table, files: &[Migration]) -> Divided {
    // of two branches neither says what else is there
    let is_one = table.rows.len() == 1;
    let carries = |file: &Migration, revision: &str| {
        let rest = file.name.strip_prefix(revision);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let entries = table
        .records()
        .map(|row| {
            let name = row.text("version_num").to_owned();
            let file = files
                .iter()
                .find(|file| is_one && !name.is_empty() && carries(file, &name));
            Entry {
                version: file.map(|file| file.version.clone()),
                name,
                at: None,
            }
        })
        .collect();
    program::divide(entries, files)
}
