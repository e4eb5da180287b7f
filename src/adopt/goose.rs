//! goose: `goose_db_version`, where the newest row of a version holds. Older releases add a row when
//! they roll back, newer ones take the row away. There is no checksum.

use std::collections::BTreeMap;

use super::{Lock, Row, Said, Table, Tool, Whereabouts};
use crate::migration::{Migration, Version};

/// `goose` of pressly.
#[derive(Debug)]
pub(super) struct Goose;

impl Tool for Goose {
    fn name(&self) -> &'static str {
        "goose"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "goose_db_version")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &["id", "version_id", "is_applied"]
    }

    fn rows(&self, table: &Table, _files: &[Migration]) -> Result<Vec<Row>, String> {
        let mut newest: BTreeMap<Version, (i64, Row)> = BTreeMap::new();
        for row in table.records() {
            // the first row of each table is of the version 0, which is no migration
            if row.text("version_id") == "0" {
                continue;
            }
            let id = row.number("id")?;
            let version = row.version("version_id")?;
            let said = if row.truth("is_applied")? {
                Said::Applied
            } else {
                Said::Undone
            };
            if newest.get(&version).is_some_and(|(later, _)| *later > id) {
                continue;
            }
            let row = Row {
                at: row.some("tstamp"),
                ..Row::of(version.clone(), said)
            };
            newest.insert(version, (id, row));
        }
        Ok(newest.into_values().map(|(_, row)| row).collect())
    }

    /// Only a program that was told to takes it.
    fn locks(&self, _at: &Whereabouts<'_>) -> Vec<Lock> {
        vec![Lock::Number(4_097_083_626)]
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::Cell;
    use super::*;

    #[test]
    fn the_newest_row_of_a_version_holds() {
        let row = |id: &str, version: &str, applied: &str| {
            [id, version, applied]
                .map(|text| Cell::Text(text.to_owned()))
                .to_vec()
        };
        let table = Table {
            name: "goose_db_version".parse().unwrap(),
            columns: ["id", "version_id", "is_applied"]
                .map(str::to_owned)
                .to_vec(),
            rows: vec![
                row("4", "2", "f"),
                row("10", "3", "t"),
                row("9", "3", "f"),
                row("1", "0", "t"),
                row("2", "1", "t"),
                row("3", "2", "t"),
            ],
        };
        let said: Vec<(String, Said)> = Goose
            .rows(&table, &[])
            .unwrap()
            .into_iter()
            .map(|row| (row.version.to_string(), row.said))
            .collect();
        assert_eq!(
            said,
            [
                ("1".to_owned(), Said::Applied),
                ("2".to_owned(), Said::Undone),
                ("3".to_owned(), Said::Applied),
            ]
        );
    }
}
