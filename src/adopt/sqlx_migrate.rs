//! sqlx: `_sqlx_migrations`, with SHA-384 over the up file as it is.

use sha2::{Digest as _, Sha384};

use super::record::Record;
use super::table::hex;
use super::{Cell, File, Lock, Row, Said, Table, Tool, Whereabouts, lock};
use crate::migration::Migration;

/// The migrations of the crate `sqlx` and its command line.
#[derive(Debug)]
pub(super) struct Sqlx;

impl Tool for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "_sqlx_migrations")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version", "description", "success", "checksum"]
    }

    fn rows(&self, table: &Table, _files: &[Migration]) -> Result<Vec<Row>, String> {
        let row = |row: Record<'_>| {
            let said = if row.truth("success")? {
                Said::Applied
            } else {
                Said::Failed("`success` is false")
            };
            Ok(Row {
                name: row.text("description").to_owned(),
                checksum: match row.cell("checksum") {
                    Cell::Bytes(bytes) => Some(hex(bytes)),
                    Cell::Text(_) | Cell::Null => None,
                },
                at: row.some("installed_on"),
                ..Row::of(row.version("version")?, said)
            })
        };
        table.records().map(row).collect()
    }

    fn checksums(&self, file: &File<'_>) -> Vec<String> {
        vec![hex(&Sha384::digest(file.text))]
    }

    fn locks(&self, at: &Whereabouts<'_>) -> Vec<Lock> {
        lock::sqlx(at)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_checksum_is_what_the_tool_recorded() {
        // written by sqlx-cli 0.9.0 for a file of these bytes
        let recorded = "6b80cb02f9855755e04189618c876d0dae543211118397f3c7168e844cc1183ef5f078698673186f575d5f5055ff90e9";
        let version = "1".parse().unwrap();
        let sum = |text: &[u8]| {
            Sqlx.checksums(&File {
                version: &version,
                name: "a",
                text,
            })
        };
        assert_eq!(sum(b"CREATE TABLE a (id INTEGER);\n"), [recorded]);
        assert_ne!(
            sum(b"CREATE TABLE b (id INTEGER);\n"),
            [recorded],
            "one byte makes a difference"
        );
    }
}
