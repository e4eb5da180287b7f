//! Sqitch: `sqitch.plan`, which names changes in order, and `deploy/NAME.sql` and `revert/NAME.sql`. A
//! change has no number: its version is the time at which it was planned, to the second.

mod identity;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use self::identity::{Entry, Project};
use super::super::folder::File;
use super::super::name::Part;
use super::super::problem::Problem;
use super::super::style::Style;
use super::{Found, Reader};
use crate::migration::Version;

/// The plan's name.
const PLAN: &str = "sqitch.plan";

/// The form.
pub(super) struct Sqitch;

impl Reader for Sqitch {
    fn name(&self) -> &'static str {
        "sqitch"
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        name == PLAN && path.is_file()
    }

    /// The plan says which two belong together, and they lie in two folders.
    fn pairs_by_version(&self, _files: &[File]) -> bool {
        true
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        if !self.claims(path, name) {
            return Found::Nothing;
        }
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return Found::Wrong(Problem::new(
                    "file-unreadable",
                    path,
                    format!("the plan cannot be read: {error}"),
                    "check its permissions and its encoding, which is UTF-8",
                ));
            }
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        match changes(&text) {
            Ok(changes) => Found::Files(
                changes
                    .iter()
                    .flat_map(|change| change.files(folder))
                    .collect(),
            ),
            Err((line, message)) => Found::Wrong(
                Problem::new(
                    "format-unsupported",
                    path,
                    message,
                    "correct the plan; `sqitch plan` shows how it is read there",
                )
                .at_line(line),
            ),
        }
    }
}

/// A change of the plan.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    name: String,
    version: Version,
    /// The tags behind it up to the next change of this name; empty for the last one.
    tags: Vec<String>,
    /// Its id.
    identity: String,
}

impl Change {
    fn files(&self, folder: &Path) -> Vec<File> {
        let deploy = folder.join("deploy");
        let names: Vec<String> = match self.tags.as_slice() {
            [] => vec![self.name.clone()],
            tags => tags
                .iter()
                .map(|tag| format!("{}{tag}", self.name))
                .collect(),
        };
        // the scripts of a change that was reworked carry one of the tags between the two
        let name = names
            .iter()
            .find(|name| script(&deploy, name).is_file())
            .or(names.first());
        let Some(name) = name else {
            return Vec::new();
        };
        let file = |part, path: PathBuf| File {
            path,
            version: self.version.clone(),
            name: self.name.clone(),
            part,
            baseline: false,
            no_transaction: false,
            changeset: None,
            identity: Some(self.identity.clone()),
        };
        let revert = script(&folder.join("revert"), name);
        let mut files = vec![file(Part::Up, script(&deploy, name))];
        if revert.is_file() {
            files.push(file(Part::Down, revert));
        }
        files
    }
}

fn script(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.sql"))
}

/// Reads a plan: the changes in order, or the line that cannot be read and why.
fn changes(text: &str) -> Result<Vec<Change>, (usize, String)> {
    let mut changes: Vec<Change> = Vec::new();
    let mut last_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut tags: Vec<(usize, String)> = Vec::new();
    let mut project = Project::default();
    for (index, line) in text.lines().enumerate() {
        let refused = |message: String| (index + 1, message);
        let (line, note) = line.split_once('#').unwrap_or((line, ""));
        let line = line.trim();
        if let Some(pragma) = line.strip_prefix('%') {
            project.take(pragma);
            continue;
        }
        if line.is_empty() {
            continue;
        }
        if let Some(tag) = line.strip_prefix('@') {
            let tag = tag.split_whitespace().next().unwrap_or_default();
            tags.push((changes.len(), format!("@{tag}")));
            continue;
        }
        if line.starts_with('-') {
            return Err(refused(
                "expected changes that are deployed, found one that is reverted".to_owned(),
            ));
        }
        let line = line.strip_prefix('+').unwrap_or(line).trim_start();
        let name = line
            .split(|one: char| one.is_whitespace() || one == '[')
            .next()
            .unwrap_or_default();
        let planned = line.split_whitespace().find_map(stamp).ok_or_else(|| {
            refused(format!(
                "expected a time such as `2024-01-31T12:00:00Z` after `{name}`, found none"
            ))
        })?;
        let version = after(&planned, changes.last().map(|change| &change.version))
            .ok_or_else(|| refused(format!("expected a time as version, found `{planned}`")))?;
        if let Some(earlier) = last_of.insert(name.to_owned(), changes.len()) {
            let between = tags
                .iter()
                .filter(|(at, _)| *at > earlier)
                .map(|(_, tag)| tag.clone());
            changes[earlier].tags = between.collect();
            if changes[earlier].tags.is_empty() {
                return Err(refused(format!(
                    "expected a tag between two changes of the name `{name}`, found none"
                )));
            }
        }
        let entry = Entry::read(line, name, note);
        let identity = project.identity(&entry, changes.last().map(|one| one.identity.as_str()));
        changes.push(Change {
            name: name.to_owned(),
            version,
            tags: Vec::new(),
            identity,
        });
    }
    Ok(changes)
}

/// `2024-01-31T12:00:00Z` becomes `20240131120000`.
fn stamp(word: &str) -> Option<String> {
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let shaped = word.len() == 20 && word.ends_with('Z') && word.as_bytes().get(10) == Some(&b'T');
    (shaped && digits.len() == 14).then_some(digits)
}

/// Returns the version of what was planned then, after the one before it: changes that were planned in
/// one second, or against the clock, are counted.
fn after(planned: &str, before: Option<&Version>) -> Option<Version> {
    let version: Version = planned.parse().ok()?;
    let Some(before) = before.filter(|before| **before >= version) else {
        return Some(version);
    };
    let (base, count) = match before.as_str().split_once('.') {
        Some((base, count)) => (base, count.parse::<u64>().ok()?),
        None => (before.as_str(), 0),
    };
    format!("{base}.{}", count + 1).parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const TEXT: &str = "\
%syntax-version=1.0.0
%project=flipr

schema 2013-12-30T23:19:45Z Marge <marge@example.com> # the schema
users [schema] 2013-12-31T00:00:00Z Marge <marge@example.com> # [not a dependency]
+lists [schema users] 2013-12-31T00:00:00Z Marge <marge@example.com>
@v1.0 2014-01-01T00:00:00Z Marge <marge@example.com> # a tag

users [users@v1.0] 2014-01-02T00:00:00Z Marge <marge@example.com>
";

    #[test]
    fn a_plan_gives_versions_in_its_order() {
        let found: Vec<(String, String, Vec<String>)> = changes(TEXT)
            .unwrap()
            .into_iter()
            .map(|change| (change.name, change.version.to_string(), change.tags))
            .collect();
        let none = Vec::new;
        assert_eq!(
            found,
            [
                ("schema".to_owned(), "20131230231945".to_owned(), none()),
                (
                    "users".to_owned(),
                    "20131231000000".to_owned(),
                    vec!["@v1.0".to_owned()]
                ),
                ("lists".to_owned(), "20131231000000.1".to_owned(), none()),
                ("users".to_owned(), "20140102000000".to_owned(), none()),
            ]
        );
    }

    /// The ids are those of `sqitch plan --format raw`, of Sqitch 1.3.1.
    #[test]
    fn the_ids_are_those_of_the_tool() {
        let plan = "\
%syntax-version=1.0.0
%project=shop
%uri=HTTPS://Example.org:443

users 2024-01-01T00:00:00Z Dana é <dana@example.org> # the users\\nof the shop \\\\ all
orders [users] 2024-01-02T00:00:00Z Dana é <dana@example.org>
@v1 2024-01-02T00:00:00Z Dana é <dana@example.org> # first
index [shop:orders users@v1 !bad other:thing] 2024-01-03T00:00:00Z  Dana  Scully  <dana@example.org> # n # m
users [users@v1] 2024-01-03T00:00:00Z Dana é <dana@example.org>   #   again  
";
        let found: Vec<String> = changes(plan)
            .unwrap()
            .into_iter()
            .map(|change| change.identity)
            .collect();
        assert_eq!(
            found,
            [
                "a3a52591635c2ca2d90553994ac415c3eb61e33c",
                "be9679ba2143f521590579b55b0f650d95773ea0",
                "6c7477e3136d3141f1c1467049969e68213b9c68",
                "35d9af0ba3fdf68ca0f3c16fa3238a10c0a896f3",
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_names_its_line() {
        for (text, line) in [
            ("schema Marge <m@example.com>", 1),
            ("\n-schema 2013-12-30T23:19:45Z M <m@e>", 2),
            (
                "a 2013-12-30T23:19:45Z M <m@e>\na 2013-12-30T23:19:46Z M <m@e>",
                2,
            ),
        ] {
            assert_eq!(changes(text).unwrap_err().0, line, "{text}");
        }
    }
}
