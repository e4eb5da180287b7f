//! Prisma: `_prisma_migrations`, a row for each attempt, with SHA-256 over the script.

use std::collections::BTreeMap;

use ledger::Digest;

use super::{Cell, File, Lock, Row, Said, Table, Tool, Whereabouts};
use crate::migration::{Migration, Version};

/// Prisma Migrate.
#[derive(Debug)]
pub(super) struct Prisma;

impl Tool for Prisma {
    fn name(&self) -> &'static str {
        "prisma"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "_prisma_migrations")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &[
            "checksum",
            "finished_at",
            "migration_name",
            "rolled_back_at",
            "started_at",
        ]
    }

    fn rows(&self, table: &Table, _files: &[Migration]) -> Result<Vec<Row>, String> {
        let mut found: BTreeMap<Version, Row> = BTreeMap::new();
        for row in table.records() {
            let folder = row.text("migration_name");
            let parts = folder.split_once('_');
            let parsed = parts.and_then(|(version, name)| Some((version.parse().ok()?, name)));
            let (version, name): (Version, &str) = parsed.ok_or_else(|| {
                format!(
                    "expected `VERSION_name` in the column `migration_name` of `{}`, found `{folder}`",
                    table.name
                )
            })?;
            // an attempt that a person declared rolled back leaves room for another
            if *row.cell("rolled_back_at") != Cell::Null {
                continue;
            }
            let finished = row.some("finished_at");
            let said = if finished.is_some() {
                Said::Applied
            } else {
                Said::Failed("`finished_at` is empty")
            };
            let row = Row {
                name: name.to_owned(),
                checksum: row.some("checksum"),
                at: finished,
                ..Row::of(version.clone(), said)
            };
            if found.insert(version, row).is_some() {
                return Err(format!(
                    "expected one attempt that holds of `{folder}` in `{}`, found two",
                    table.name
                ));
            }
        }
        Ok(found.into_values().collect())
    }

    fn checksums(&self, file: &File<'_>) -> Vec<String> {
        vec![Digest::of(file.text).to_string()]
    }

    fn locks(&self, _at: &Whereabouts<'_>) -> Vec<Lock> {
        vec![
            Lock::Number(72_707_369),
            Lock::Name("prisma_migrate".to_owned()),
        ]
    }
}
