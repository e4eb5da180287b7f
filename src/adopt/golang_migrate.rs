//! golang-migrate: `schema_migrations`, one row that says how far the database is, and whether the last
//! migration came to its end. There is no checksum and no history.

use super::{Row, Said, Table, Tool, truth, version};
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
        let rows: Vec<Row> = table
            .rows
            .iter()
            .map(|row| {
                let dirty = truth(table, "dirty", table.cell(row, "dirty"))?;
                Ok(Row {
                    version: version(table, table.cell(row, "version"))?,
                    name: String::new(),
                    said: if dirty {
                        Said::FailedAfter("`dirty` is true")
                    } else {
                        Said::AppliedThrough
                    },
                    checksum: None,
                    at: None,
                })
            })
            .collect::<Result<_, String>>()?;
        if rows.len() > 1 {
            return Err(format!(
                "expected one row in `{}`, found {}",
                table.name,
                rows.len()
            ));
        }
        Ok(rows)
    }
}
