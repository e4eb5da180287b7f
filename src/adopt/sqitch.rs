//! Sqitch: `changes` in a schema `sqitch` of its own, with SHA-1 over the deploy script. A row names its
//! change; the order of those of one name is that of the plan.

use std::collections::BTreeMap;

use sha1::{Digest as _, Sha1};

use super::table::hex;
use super::{File, Lock, Row, Said, Table, Tool, Whereabouts};
use crate::migration::Migration;

/// Sqitch.
#[derive(Debug)]
pub(super) struct Sqitch;

/// When a change was deployed, and the sum of its script.
type Deployed<'a> = (Option<&'a str>, Option<&'a str>);

impl Tool for Sqitch {
    fn name(&self) -> &'static str {
        "sqitch"
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        &[(Some("sqitch"), "changes")]
    }

    fn columns(&self) -> &'static [&'static str] {
        &[
            "change_id",
            "script_hash",
            "change",
            "project",
            "committed_at",
        ]
    }

    fn rows(&self, table: &Table, files: &[Migration]) -> Result<Vec<Row>, String> {
        let mut projects: Vec<&str> = Vec::new();
        let mut of_change: BTreeMap<&str, Vec<Deployed>> = BTreeMap::new();
        for row in table.records() {
            let text = |column| row.cell(column).text();
            let project = row.text("project");
            if !projects.contains(&project) {
                projects.push(project);
            }
            of_change
                .entry(row.text("change"))
                .or_default()
                .push((text("committed_at"), text("script_hash")));
        }
        if projects.len() > 1 {
            return Err(format!(
                "expected the changes of one project in `{}`, found those of `{}`",
                table.name,
                projects.join("`, `")
            ));
        }
        let mut rows = Vec::with_capacity(table.rows.len());
        for (change, mut deployed) in of_change {
            deployed.sort_unstable();
            let planned: Vec<&Migration> =
                files.iter().filter(|file| file.name == change).collect();
            if planned.len() < deployed.len() {
                return Err(format!(
                    "expected the change `{change}` of `{}` {} times in the plan, found it {} times",
                    table.name,
                    deployed.len(),
                    planned.len()
                ));
            }
            for (file, (at, hash)) in planned.into_iter().zip(deployed) {
                rows.push(Row {
                    name: change.to_owned(),
                    checksum: hash.map(str::to_owned),
                    at: at.map(str::to_owned),
                    ..Row::of(file.version.clone(), Said::Applied)
                });
            }
        }
        Ok(rows)
    }

    fn checksums(&self, file: &File<'_>) -> Vec<String> {
        vec![hex(&Sha1::digest(file.text))]
    }

    /// Of releases since 1.2, which take it on PostgreSQL.
    fn locks(&self, _at: &Whereabouts<'_>) -> Vec<Lock> {
        vec![Lock::Number(75_474_063)]
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_checksum_is_sha_1() {
        let version = "1".parse().unwrap();
        let sum = |text: &[u8]| {
            Sqitch.checksums(&File {
                version: &version,
                name: "a",
                text,
            })
        };
        // of the three bytes that FIPS 180-4 takes as its example
        let known = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(sum(b"abc"), [known]);
        assert_ne!(sum(b"abd"), [known]);
    }
}
