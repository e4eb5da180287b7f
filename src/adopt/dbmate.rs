//! dbmate: `schema_migrations`, a row for each applied version and nothing else.

use super::record::Record;
use super::{Row, Said, Table, Tool};
use crate::migration::Migration;

/// `dbmate`.
#[derive(Debug)]
pub(super) struct Dbmate;

impl Tool for Dbmate {
    fn name(&self) -> &'static str {
        "dbmate"
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

    fn rows(&self, table: &Table, _files: &[Migration]) -> Result<Vec<Row>, String> {
        let row = |row: Record<'_>| Ok(Row::of(row.version("version")?, Said::Applied));
        table.records().map(row).collect()
    }
}
