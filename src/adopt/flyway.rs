//! Flyway: `flyway_schema_history`, with a CRC-32 over the lines without their ends.

use std::collections::BTreeMap;

use super::checksum::crc32;
use super::{Cell, File, Row, Said, Table, Tool, truth, version};
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
        for row in &table.rows {
            let rank = table.cell(row, "installed_rank").number().ok_or_else(|| {
                format!(
                    "expected a number in the column `installed_rank` of `{}`, found another value",
                    table.name
                )
            })?;
            ranked.push((rank, row));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        let mut newest: BTreeMap<Version, Row> = BTreeMap::new();
        for (_, row) in ranked {
            let cell = |column| table.cell(row, column);
            let kind = cell("type").text().unwrap_or_default();
            // repeatable migrations and the mark of a schema that Flyway made have no version
            if *cell("version") == Cell::Null {
                if kind == "SCHEMA" {
                    continue;
                }
                return Err(format!(
                    "expected versioned migrations in `{}`, found the repeatable one `{}`, which cannot be \
                     taken over",
                    table.name,
                    cell("script").text().unwrap_or_default()
                ));
            }
            let version = version(table, cell("version"))?;
            let succeeded = truth(table, "success", cell("success"))?;
            let said = match kind {
                _ if !succeeded => Said::Failed("`success` is false"),
                "DELETE" => {
                    newest.remove(&version);
                    continue;
                }
                "BASELINE" => Said::Baseline,
                kind if kind.starts_with("UNDO") => Said::Undone,
                _ => Said::Applied,
            };
            let row = Row {
                version: version.clone(),
                name: cell("description").text().unwrap_or_default().to_owned(),
                checksum: match said {
                    Said::Applied => cell("checksum").text().map(str::to_owned),
                    _ => None,
                },
                said,
                at: cell("installed_on").text().map(str::to_owned),
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
            ]
        );
        let repeatable = table(vec![row(["1", "", "SQL", "7", "1"])]);
        assert!(Flyway.rows(&repeatable, &[]).is_err());
    }
}
