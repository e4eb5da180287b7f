//! Drizzle: `__drizzle_migrations`, with SHA-256 over the script. A row does not name its migration: the
//! order of the rows is that of the files.

use ledger::Digest;

use super::{File, Row, Said, Table, Tool};
use crate::migration::Migration;

/// Drizzle Kit and the migrators of Drizzle ORM.
#[derive(Debug)]
pub(super) struct Drizzle;

impl Tool for Drizzle {
    fn name(&self) -> &'static str {
        "drizzle"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[
            (Some("drizzle"), "__drizzle_migrations"),
            (None, "__drizzle_migrations"),
        ]
    }

    fn columns(&self) -> &'static [&'static str] {
        &["hash", "created_at"]
    }

    fn rows(&self, table: &Table, files: &[Migration]) -> Result<Vec<Row>, String> {
        let mut rows = Vec::with_capacity(table.rows.len());
        for row in table.records() {
            rows.push((row.number("created_at")?, row.some("hash")));
        }
        rows.sort();
        if rows.len() > files.len() {
            return Err(format!(
                "expected at most the {} migrations of the folder in `{}`, found {} rows, which do not \
                 name their files",
                files.len(),
                table.name,
                rows.len()
            ));
        }
        Ok(rows
            .into_iter()
            .zip(files)
            .map(|((created, hash), file)| Row {
                name: file.name.clone(),
                checksum: hash,
                at: Some(format!("{created} ms after 1970, as the file was made")),
                ..Row::of(file.version.clone(), Said::Applied)
            })
            .collect())
    }

    fn checksums(&self, file: &File<'_>) -> Vec<String> {
        vec![Digest::of(file.text).to_string()]
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_checksum_is_sha_256() {
        let version = "0".parse().unwrap();
        let sum = |text: &[u8]| {
            Drizzle.checksums(&File {
                version: &version,
                name: "a",
                text,
            })
        };
        // of the three bytes that FIPS 180-4 takes as its example
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sum(b"abc"), [known]);
        assert_ne!(sum(b"abd"), [known]);
    }
}
