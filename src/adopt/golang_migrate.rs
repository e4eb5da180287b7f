//! golang-migrate: `schema_migrations`, one row that says how far the database is, and whether the last
//! migration came to its end. There is no checksum and no history.

use super::record::Record;
use super::{Lock, Row, Said, Table, Tool, Whereabouts, lock};
use crate::migration::Migration;

/// `migrate` of golang-migrate.
#[derive(Debug)]
pub(super) struct GolangMigrate;

impl Tool for GolangMigrate {
    fn name(&self) -> &'static str {
        "golang-migrate"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "schema_migrations")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version", "dirty"]
    }

    fn rows(&self, table: &Table, _files: &[Migration]) -> Result<Vec<Row>, String> {
        if table.rows.len() > 1 {
            return Err(format!(
                "expected one row in `{}`, found {}",
                table.name,
                table.rows.len()
            ));
        }
        let row = |row: Record<'_>| {
            let said = if row.truth("dirty")? {
                Said::FailedAfter("`dirty` is true")
            } else {
                Said::AppliedThrough
            };
            Ok(Row::of(row.version("version")?, said))
        };
        table.records().map(row).collect()
    }

    fn locks(&self, at: &Whereabouts<'_>) -> Vec<Lock> {
        lock::golang_migrate(at)
    }
}
