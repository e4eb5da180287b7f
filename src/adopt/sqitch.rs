//! Sqitch: `changes` in a schema `sqitch` of its own, on SQLite a file, with the id of each change in the
//! plan and SHA-1 over the deploy script.

use std::collections::{BTreeMap, BTreeSet};

use sha1::{Digest as _, Sha1};

use super::table::hex;
use super::{File, Lock, Row, Said, Table, Tool, Whereabouts};
use crate::migration::{Migration, Version};

/// Sqitch.
#[derive(Debug)]
pub(super) struct Sqitch;

/// A row, as far as it is taken over.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deployed<'a> {
    at: Option<&'a str>,
    id: &'a str,
    hash: Option<&'a str>,
}

impl Deployed<'_> {
    fn row(self, file: &Migration, differs: Option<String>) -> Row {
        Row {
            name: file.name.clone(),
            checksum: self.hash.map(str::to_owned),
            at: self.at.map(str::to_owned),
            differs,
            ..Row::of(file.version.clone(), Said::Applied)
        }
    }
}

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
        let by_id: BTreeMap<&str, &Migration> = files
            .iter()
            .filter_map(|file| Some((file.identity.as_deref()?, file)))
            .collect();
        let mut rows = Vec::with_capacity(table.rows.len());
        let mut odd: BTreeMap<&str, Vec<Deployed<'_>>> = BTreeMap::new();
        let mut taken: BTreeSet<&Version> = BTreeSet::new();
        for row in table.records() {
            let project = row.text("project");
            if !projects.contains(&project) {
                projects.push(project);
            }
            let id = row.text("change_id");
            let deployed = Deployed {
                at: row.cell("committed_at").text(),
                id,
                // a registry that was upgraded has the id where it had no sum
                hash: row.cell("script_hash").text().filter(|hash| *hash != id),
            };
            match by_id.get(id) {
                Some(file) => {
                    taken.insert(&file.version);
                    rows.push(deployed.row(file, None));
                }
                None => odd.entry(row.text("change")).or_default().push(deployed),
            }
        }
        if projects.len() > 1 {
            return Err(format!(
                "expected the changes of one project in `{}`, found those of `{}`",
                table.name,
                projects.join("`, `")
            ));
        }
        for (change, mut deployed) in odd {
            deployed.sort_unstable();
            let planned: Vec<&Migration> = files
                .iter()
                .filter(|file| file.name == change && !taken.contains(&file.version))
                .collect();
            if planned.len() < deployed.len() {
                return Err(format!(
                    "expected the change `{change}` of `{}` {} times more in the plan, found it {} times",
                    table.name,
                    deployed.len(),
                    planned.len()
                ));
            }
            for (file, deployed) in planned.into_iter().zip(deployed) {
                let differs = file.identity.as_ref().map(|id| {
                    format!(
                        "expected the change `{}` that was deployed, found `{id}`: its line of the plan, or \
                         one before it, is another",
                        deployed.id
                    )
                });
                rows.push(deployed.row(file, differs));
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

    use super::super::{Cell, Verdict, judge};
    use super::*;
    use crate::migration::source;
    use crate::migration::split::SQLITE;

    /// What Sqitch 1.3.1 keeps of the two changes of the plan.
    const ROWS: [[&str; 5]; 2] = [
        [
            "79331121778598616449cd8a0b2dd2dba91a4623",
            "9e0a4d0fb0b37c10c7aec3cf82d2cb626d10f31e",
            "users",
            "shop",
            "2024-01-03 10:00:00",
        ],
        [
            "1495c872ef36827d509f0d47fcb7de9707ceed3a",
            "e9b7440d60eea0631aaf079b9c0a5acd61add8dd",
            "orders",
            "shop",
            "2024-01-03 10:00:01",
        ],
    ];

    /// The verdicts on the folder, whose plan has `note` behind its first change.
    fn verdicts(note: &str, orders: &str) -> Vec<(Verdict, Option<String>)> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "sqitch.plan",
            &format!(
                "%syntax-version=1.0.0\n%project=shop\n\nusers 2024-01-01T00:00:00Z Dana \
                 <dana@example.org> # {note}\norders [users] 2024-01-02T00:00:00Z Dana \
                 <dana@example.org>\n"
            ),
        );
        write("deploy/users.sql", "CREATE TABLE users (id INTEGER);\n");
        write("deploy/orders.sql", orders);
        let files = source::read(folder.path(), &source::Options::default(), &SQLITE).unwrap();
        let table = Table {
            name: "sqitch.changes".parse().unwrap(),
            columns: Sqitch
                .columns()
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
            rows: ROWS
                .iter()
                .map(|row| row.map(|text| Cell::Text(text.to_owned())).to_vec())
                .collect(),
        };
        let mut text = |file: &Migration| Ok(std::fs::read(&file.up.path).unwrap());
        let adoption = judge(&Sqitch, &table, &files, None, &mut text).unwrap();
        let found = adoption.judged.into_iter();
        found.map(|one| (one.verdict, one.detail)).collect()
    }

    #[test]
    fn a_change_is_known_by_its_id_and_its_script() {
        let orders = "CREATE TABLE orders (id INTEGER);\n";
        assert_eq!(
            verdicts("the users", orders),
            [(Verdict::Match, None), (Verdict::Match, None)]
        );
        let found = verdicts("the users", "SELECT 1;\n");
        assert_eq!(
            found
                .iter()
                .map(|(verdict, _)| *verdict)
                .collect::<Vec<_>>(),
            [Verdict::Match, Verdict::Mismatch]
        );
        let detail = found[1].1.as_ref().unwrap();
        assert!(detail.contains(ROWS[1][1]), "{detail}");
        // the id of the second is made of that of the first
        let changed = verdicts("other words", orders);
        for ((verdict, detail), row) in changed.iter().zip(ROWS) {
            assert_eq!(*verdict, Verdict::Mismatch);
            assert!(detail.as_ref().unwrap().contains(row[0]), "{detail:?}");
        }
    }

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
