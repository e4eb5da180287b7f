//! refinery: `refinery_schema_history`, with SipHash-1-3 over name, version and script.

use super::checksum::siphash13;
use super::record::Record;
use super::{File, Row, Said, Table, Tool};
use crate::migration::Migration;

/// `refinery`.
#[derive(Debug)]
pub(super) struct Refinery;

impl Tool for Refinery {
    fn name(&self) -> &'static str {
        "refinery"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "refinery_schema_history")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version", "name", "applied_on", "checksum"]
    }

    fn rows(&self, table: &Table, _files: &[Migration]) -> Result<Vec<Row>, String> {
        let row = |row: Record<'_>| {
            Ok(Row {
                name: row.text("name").to_owned(),
                checksum: row.some("checksum"),
                at: row.some("applied_on"),
                ..Row::of(row.version("version")?, Said::Applied)
            })
        };
        table.records().map(row).collect()
    }

    /// As Rust hashes a text, a whole number and a text one after the other. The number has 32 bits, or 64
    /// where the tool was built so.
    fn checksums(&self, file: &File<'_>) -> Vec<String> {
        let Ok(version) = file.version.as_str().parse::<i64>() else {
            return Vec::new();
        };
        let short = i32::try_from(version).map(|short| sum(file, &short.to_le_bytes()));
        let long = sum(file, &version.to_le_bytes());
        short.into_iter().chain([long]).collect()
    }
}

fn sum(file: &File<'_>, version: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(file.name.len() + file.text.len() + 10);
    bytes.extend_from_slice(file.name.as_bytes());
    bytes.push(0xff);
    bytes.extend_from_slice(version);
    bytes.extend_from_slice(file.text);
    bytes.push(0xff);
    siphash13(&bytes).to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_checksum_is_what_the_tool_records() {
        let version = "7".parse().unwrap();
        let sums = |text: &str| {
            Refinery.checksums(&File {
                version: &version,
                name: "add_users",
                text: text.as_bytes(),
            })
        };
        // made by refinery-core 0.10.1
        let recorded = "8237712714456737076".to_owned();
        assert!(sums("CREATE TABLE users (id INTEGER);").contains(&recorded));
        assert!(!sums("CREATE TABLE users (ID INTEGER);").contains(&recorded));
    }
}
