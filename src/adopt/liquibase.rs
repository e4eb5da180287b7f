//! Liquibase: `DATABASECHANGELOG`, with MD5 over the script without its white space. A row names its
//! changeset by author, id and file.

use std::collections::BTreeMap;

use md5::{Digest as _, Md5};

use super::table::hex;
use super::{File, Lock, Row, Said, Table, TableName, Tool, Whereabouts};
use crate::migration::{Migration, Version, changeset_sql};

/// Liquibase.
#[derive(Debug)]
pub(super) struct Liquibase;

/// How the checksums begin that Liquibase has made since 4.22.
const NINTH: &str = "9:";

impl Tool for Liquibase {
    fn name(&self) -> &'static str {
        "liquibase"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(None, "DATABASECHANGELOG"), (None, "databasechangelog")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &[
            "id",
            "author",
            "filename",
            "orderexecuted",
            "exectype",
            "md5sum",
        ]
    }

    fn rows(&self, table: &Table, files: &[Migration]) -> Result<Vec<Row>, String> {
        let mut by_name: BTreeMap<&str, Vec<&Migration>> = BTreeMap::new();
        for file in files {
            by_name.entry(&file.name).or_default().push(file);
        }
        let mut newest: BTreeMap<Version, Row> = BTreeMap::new();
        for row in table.records() {
            let text = |column| row.text(column);
            let name = format!("{}:{}", text("author"), text("id"));
            let candidates = by_name.get(name.as_str()).map_or(&[][..], Vec::as_slice);
            let file = pick(candidates, text("filename")).ok_or_else(|| {
                format!(
                    "expected the changeset `{name}` of `{}`, which is in `{}`, once in the folder, found \
                     {} of this author and id",
                    text("filename"),
                    table.name,
                    candidates.len()
                )
            })?;
            let said = match text("exectype") {
                "EXECUTED" | "RERAN" | "MARK_RAN" => Said::Applied,
                "SKIPPED" => Said::Undone,
                _ => Said::Failed("`exectype` says so"),
            };
            let row = Row {
                name,
                checksum: Some(text("md5sum"))
                    .filter(|sum| sum.starts_with(NINTH))
                    .map(str::to_owned),
                at: row.some("dateexecuted"),
                ..Row::of(file.version.clone(), said)
            };
            newest.insert(file.version.clone(), row);
        }
        Ok(newest.into_values().collect())
    }

    /// Over the sums of the changes of a changeset, of which formatted SQL has one.
    fn checksums(&self, file: &File<'_>) -> Vec<String> {
        let Ok(text) = std::str::from_utf8(file.text) else {
            return Vec::new();
        };
        let sql: Vec<u8> = changeset_sql(text)
            .bytes()
            .filter(|byte| !b" \n\r\t".contains(byte))
            .collect();
        let change = format!("{NINTH}{}", hex(&Md5::digest(&sql)));
        vec![format!(
            "{NINTH}{}",
            hex(&Md5::digest(format!("{change}:")))
        )]
    }

    fn locks(&self, at: &Whereabouts<'_>) -> Vec<Lock> {
        let name = format!("{}LOCK", at.table.name);
        let name = if at.table.name.chars().any(char::is_lowercase) {
            name.to_lowercase()
        } else {
            name
        };
        vec![Lock::Row {
            table: TableName {
                schema: at.table.schema.clone(),
                name,
            },
            column: "locked",
        }]
    }
}

/// Returns the changeset of this file: Liquibase keeps the path as it was given then, of which the last
/// part is compared, and a file that was renamed is known by the changeset alone.
fn pick<'a>(candidates: &[&'a Migration], recorded: &str) -> Option<&'a Migration> {
    let last = |path: &str| path.rsplit(['/', '\\']).next().map(str::to_owned);
    let same = |file: &&&Migration| {
        file.up.path.file_name().and_then(|name| name.to_str()) == last(recorded).as_deref()
    };
    let mut of_file = candidates.iter().filter(same);
    match (of_file.next(), of_file.next(), candidates) {
        (Some(one), None, _) | (None, _, [one]) => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn sum(text: &str) -> Vec<String> {
        let version = "1".parse().unwrap();
        Liquibase.checksums(&File {
            version: &version,
            name: "a",
            text: text.as_bytes(),
        })
    }

    #[test]
    fn a_checksum_is_what_the_tool_recorded() {
        // recorded by Liquibase 4.28.1 of these changesets
        for (text, recorded) in [
            (
                "--changeset dana:1 labels:first\n--comment: the table of users\n-- a remark\nCREATE TABLE \
                 users (\n\tid INTEGER,\n  name TEXT -- the name\n);\n--rollback DROP TABLE users;\n",
                "9:d61020de9d0286ea44befd7b68dcb4bf",
            ),
            (
                "--changeset dana:2 splitStatements:false\nCREATE TABLE a (id INTEGER);\n/* a block\n   \
                 comment */\n--rollback DROP TABLE a;\n\n-- between",
                "9:29b25e1e751753c3df20f3e442139bfa",
            ),
            (
                "--changeset \"dana w\":three endDelimiter:GO\nCREATE TABLE b (id INTEGER)\nGO\nCREATE \
                 TABLE c (id INTEGER)\nGO",
                "9:76008f36aefc0a1a53155ff2c5c0ab78",
            ),
            (
                "--changeset dana:view runOnChange:true\nDROP VIEW IF EXISTS v;\nCREATE VIEW v AS SELECT 1 \
                 AS \"é\";\n--rollback DROP VIEW v;",
                "9:c4a3ffc4209c37649c6fc64d753a22fb",
            ),
            (
                "--changeset dana:4\r\nCREATE TABLE d (\r\n id INTEGER);\r\n",
                "9:417fde1c7e6a9a0f2b45b24433432b0a",
            ),
        ] {
            assert_eq!(sum(text), [recorded], "{text}");
        }
    }
}
