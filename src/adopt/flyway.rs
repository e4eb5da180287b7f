//! Flyway: `flyway_schema_history`, with a CRC-32 over the lines without their ends.

use std::collections::BTreeMap;

use super::checksum::crc32;
use super::record::Record;
use super::{Cell, File, Lock, Row, Said, Table, Tool, Whereabouts, lock};
use crate::migration::format::flyway;
use crate::migration::{Migration, Version};

/// Flyway.
#[derive(Debug)]
pub(super) struct Flyway;

impl Tool for Flyway {
    fn name(&self) -> &'static str {
        "flyway"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "flyway_schema_history"), (None, "schema_version")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &[
            "installed_rank",
            "version",
            "description",
            "type",
            "script",
            "checksum",
            "installed_on",
            "success",
        ]
    }

    /// The row with the highest rank holds: Flyway undoes and deletes by adding rows.
    fn rows(&self, table: &Table, _files: &[Migration]) -> Result<Vec<Row>, String> {
        let mut ranked = Vec::with_capacity(table.rows.len());
        for row in table.records() {
            ranked.push((row.number("installed_rank")?, row));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        let mut newest: BTreeMap<Version, Row> = BTreeMap::new();
        for (_, row) in ranked {
            let kind = row.text("type");
            // repeatable migrations and the mark of a schema that Flyway made have no version
            let version = match row.cell("version") {
                Cell::Null if kind == "SCHEMA" => continue,
                Cell::Null => repeatable(table, row)?,
                _ => row.version("version")?,
            };
            let succeeded = row.truth("success")?;
            let said = match kind {
                _ if !succeeded => Said::Failed("`success` is false"),
                "DELETE" => {
                    newest.remove(&version);
                    continue;
                }
                "BASELINE" => Said::Baseline,
                "SQL_BASELINE" => Said::AppliedForOlder,
                kind if kind.starts_with("UNDO") => Said::Undone,
                _ => Said::Applied,
            };
            let row = Row {
                name: row.text("description").to_owned(),
                checksum: match said {
                    Said::Applied | Said::AppliedForOlder => row.some("checksum"),
                    _ => None,
                },
                at: row.some("installed_on"),
                ..Row::of(version.clone(), said)
            };
            newest.insert(version, row);
        }
        Ok(newest.into_values().collect())
    }

    /// The number is written as a signed one.
    fn checksums(&self, file: &File<'_>) -> Vec<String> {
        let text = String::from_utf8_lossy(file.text);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let sum = crc32(lines(text));
        vec![i32::from_ne_bytes(sum.to_ne_bytes()).to_string()]
    }

    fn locks(&self, at: &Whereabouts<'_>) -> Vec<Lock> {
        lock::flyway(at)
    }
}

/// The version of a row without one: the name of its script, which may lie in a folder.
fn repeatable(table: &Table, row: Record<'_>) -> Result<Version, String> {
    let script = row.text("script");
    let file_name = script.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = flyway::repeatable(file_name).unwrap_or(row.text("description"));
    Version::of_repeatable(name).map_err(|_| {
        format!(
            "expected a version in each row of `{}`, or the name of a repeatable migration, found the \
             script `{script}`",
            table.name
        )
    })
}

/// The lines as Java reads them: an end is LF, CR, or both, and nothing follows the last one.
fn lines(text: &str) -> Vec<&str> {
    let text = text
        .strip_suffix("\r\n")
        .or_else(|| text.strip_suffix(['\n', '\r']))
        .unwrap_or(text);
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn sum(text: &str) -> Vec<String> {
        let version = "1".parse().unwrap();
        let file = File {
            version: &version,
            name: "a",
            text: text.as_bytes(),
        };
        Flyway.checksums(&file)
    }

    #[test]
    fn a_checksum_sees_lines_and_not_their_ends() {
        // the CRC-32 of `123456789`, whose check value is public, as a signed number
        assert_eq!(sum("12345\n6789\n"), ["-873187034"]);
        assert_eq!(sum("\u{feff}12345\r\n6789"), ["-873187034"]);
        assert_ne!(sum("12345\n6788\n"), ["-873187034"], "one byte");
    }

    #[test]
    fn the_newest_row_of_a_version_holds() {
        let row = |cells: [&str; 5]| {
            let [rank, version, kind, checksum, success] = cells;
            [rank, version, "a", kind, "a.sql", checksum, "2024", success]
                .map(|text| match text {
                    "" => Cell::Null,
                    text => Cell::Text(text.to_owned()),
                })
                .to_vec()
        };
        let table = |rows: Vec<Vec<Cell>>| Table {
            name: "flyway_schema_history".parse().unwrap(),
            columns: Flyway
                .columns()
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
            rows,
        };
        let rows = vec![
            row(["0", "", "SCHEMA", "", "1"]),
            row(["10", "3", "DELETE", "", "1"]),
            row(["1", "1", "BASELINE", "", "1"]),
            row(["2", "2", "SQL", "7", "1"]),
            row(["3", "2.1", "SQL", "8", "1"]),
            row(["4", "2.1", "UNDO_SQL", "", "1"]),
            row(["5", "3", "SQL", "9", "0"]),
            row(["6", "", "SQL", "5", "1"]),
            row(["11", "", "SQL", "6", "1"]),
            row(["12", "2.2", "SQL_BASELINE", "4", "1"]),
        ];
        let said: Vec<(String, Said, Option<String>)> = Flyway
            .rows(&table(rows), &[])
            .unwrap()
            .into_iter()
            .map(|row| (row.version.to_string(), row.said, row.checksum))
            .collect();
        assert_eq!(
            said,
            [
                ("1".to_owned(), Said::Baseline, None),
                ("2".to_owned(), Said::Applied, Some("7".to_owned())),
                ("2.1".to_owned(), Said::Undone, None),
                (
                    "2.2".to_owned(),
                    Said::AppliedForOlder,
                    Some("4".to_owned())
                ),
                ("R:a".to_owned(), Said::Applied, Some("6".to_owned())),
            ]
        );
        let mut nameless = row(["1", "", "SQL", "7", "1"]);
        nameless[2] = Cell::Null;
        assert!(Flyway.rows(&table(vec![nameless]), &[]).is_err());
    }
}
