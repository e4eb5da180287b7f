//! Diesel: `__diesel_schema_migrations`, a row for each applied version; there is no checksum. Versions
//! are the names of folders up to the first `_`, without hyphens.

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
        table
            .rows
            .iter()
            .map(|row| {
                let found = table.cell(row, "version").text().unwrap_or_default();
                Ok(Row {
                    version: diesel::version(found).ok_or_else(|| {
                        format!(
                            "expected a version that begins with digits in each row of `{}`, found `{found}`",
                            table.name
                        )
                    })?,
                    name: String::new(),
                    said: Said::Applied,
                    checksum: None,
                    at: table.cell(row, "run_on").text().map(str::to_owned),
                })
            })
            .collect()
    }
}
