//! Diesel: `__diesel_schema_migrations`, a row for each applied version; there is no checksum. Versions
//! are the names of folders up to the first `_`, without hyphens.

use super::record::Record;
use super::{Row, Said, Table, Tool};
use crate::migration::Migration;
use crate::migration::format::diesel;

/// Diesel.
#[derive(Debug)]
pub(super) struct Diesel;

impl Tool for Diesel {
    fn name(&self) -> &'static str {
        "diesel"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "__diesel_schema_migrations")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version", "run_on"]
    }

    fn rows(&self, table: &Table, _files: &[Migration]) -> Result<Vec<Row>, String> {
        let row = |row: Record<'_>| {
            let found = row.text("version");
            let version = diesel::version(found).ok_or_else(|| {
                format!(
                    "expected a version that begins with digits in each row of `{}`, found `{found}`",
                    table.name
                )
            })?;
            Ok(Row {
                at: row.some("run_on"),
                ..Row::of(version, Said::Applied)
            })
        };
        table.records().map(row).collect()
    }
}
