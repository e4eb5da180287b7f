//! Tools whose migrations are programs, which no folder of scripts has: what their rows call what they
//! applied, and which files carry those names.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Row, Said};
use crate::migration::{Migration, Version};

/// What a tool applied, by its own name for it, where no file of the folder carries that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Revision {
    /// What the tool calls it.
    pub name: String,
    /// When it was applied, in the words of the other tool's table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<String>,
}

/// One row of such a tool.
#[derive(Debug)]
pub(super) struct Entry {
    /// What the tool calls it.
    pub(super) name: String,
    /// The version that its name is, where it is one.
    pub(super) version: Option<Version>,
    /// When it was applied.
    pub(super) at: Option<String>,
}

/// The rows of such a tool, divided.
#[derive(Debug, Default)]
pub(super) struct Divided {
    /// Those that a file of the folder carries the version of, and those after the newest of these.
    pub(super) rows: Vec<Row>,
    /// The others, in the order of their names.
    pub(super) revisions: Vec<Revision>,
}

/// Divides entries. One that is older than the newest that has a file needs none of its own: a script of
/// the schema, saved under the newest version, holds what it did. One that is newer did what no file does.
pub(super) fn divide(entries: Vec<Entry>, files: &[Migration]) -> Divided {
    let there: BTreeSet<&Version> = files.iter().map(|file| &file.version).collect();
    let newest = entries
        .iter()
        .filter_map(|entry| entry.version.as_ref())
        .filter(|version| there.contains(version))
        .max()
        .cloned();
    let mut divided = Divided::default();
    for entry in entries {
        let own = |version: &Version| {
            there.contains(version) || newest.as_ref().is_some_and(|newest| version > newest)
        };
        match entry.version.filter(own) {
            Some(version) => divided.rows.push(Row {
                name: entry.name,
                at: entry.at,
                ..Row::of(version, Said::Applied)
            }),
            None => divided.revisions.push(Revision {
                name: entry.name,
                applied_at: entry.at,
            }),
        }
    }
    divided.revisions.sort();
    divided
}

/// Returns the version of a name such as `20240131120000_users.js`: the digits that it begins with.
pub(super) fn leading_version(name: &str) -> Option<Version> {
    let end = name
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(name.len());
    name.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::migration::source;
    use crate::migration::split::SQLITE;

    fn divided(names: &[&str], files: &[&str]) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for version in files {
            let path = folder.path().join(format!("{version}_a.sql"));
            std::fs::write(path, "SELECT 1;\n").unwrap();
        }
        let files = source::read(folder.path(), &source::Options::default(), &SQLITE).unwrap();
        let entries = names
            .iter()
            .map(|name| Entry {
                name: (*name).to_owned(),
                version: leading_version(name),
                at: None,
            })
            .collect();
        let Divided { rows, revisions } = divide(entries, &files);
        (
            rows.into_iter()
                .map(|row| row.version.to_string())
                .collect(),
            revisions.into_iter().map(|one| one.name).collect(),
        )
    }

    #[test]
    fn what_is_older_than_the_newest_with_a_file_needs_none() {
        let names = ["2_b.js", "1_a.js", "4_d.js", "first"];
        for (files, rows, revisions) in [
            (&[] as &[&str], &[] as &[&str], &names[..]),
            (&["3"], &[], &names),
            (&["2"], &["2", "4"], &["1_a.js", "first"]),
            (&["4"], &["4"], &["1_a.js", "2_b.js", "first"]),
            (&["1", "2", "3", "4"], &["2", "1", "4"], &["first"]),
        ] {
            let mut revisions: Vec<&str> = revisions.to_vec();
            revisions.sort_unstable();
            let (found_rows, found_revisions) = divided(&names, files);
            assert_eq!(found_rows, rows, "{files:?}");
            assert_eq!(found_revisions, revisions, "{files:?}");
        }
    }
}
