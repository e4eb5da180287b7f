//! Liquibase's formatted SQL: files that begin with `--liquibase formatted sql`, each with changesets. A
//! changeset's version is the number in its file's name and its place in the file
//! (docs/decisions/0032-changesets-by-their-place.md).

use std::fs::File as Opened;
use std::io::Read as _;
use std::path::Path;

use super::super::changeset::{self, Changeset};
use super::super::folder::{self, File};
use super::super::name::Part;
use super::super::problem::Problem;
use super::super::script::utf8;
use super::super::style::Style;
use super::{Found, Reader, stray};
use crate::migration::Version;

/// Liquibase.
pub(super) struct Liquibase;

/// How much of a file says what it is.
const HEAD: u64 = 4096;

/// The other forms of a changelog, which are no SQL.
const OTHER_FORMS: [&str; 4] = [".xml", ".yaml", ".yml", ".json"];

impl Reader for Liquibase {
    fn name(&self) -> &'static str {
        "liquibase"
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        (name.ends_with(".sql") && changeset::is_formatted(&head(path)))
            || is_other_form(path, name)
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        if path.is_dir() {
            return Found::Below;
        }
        if is_other_form(path, name) {
            return Found::Wrong(Problem::new(
                "format-unsupported",
                path,
                "expected changelogs in formatted SQL, found one that is no SQL",
                "`liquibase update-sql` shows what it does: write that into a file that begins with \
                 `--liquibase formatted sql`; a changelog that only includes others may go, as the \
                 folder's files follow their numbers",
            ));
        }
        if !name.ends_with(".sql") || !changeset::is_formatted(&head(path)) {
            return stray(
                path,
                name,
                "a changelog that begins with `--liquibase formatted sql`",
            );
        }
        let read = folder::bytes(path)
            .and_then(|bytes| utf8(bytes, path))
            .and_then(|text| changeset::read(&text, path));
        match read {
            Ok(changesets) => {
                let number = number(name);
                Found::Files(
                    changesets
                        .into_iter()
                        .filter_map(|changeset| file(path, &number, changeset))
                        .collect(),
                )
            }
            Err(problem) => Found::Wrong(problem),
        }
    }

    fn check(&self, files: &[File]) -> Option<Problem> {
        let numbered = || files.iter().filter(|file| !file.version.is_repeatable());
        let parts = |file: &File| file.version.as_str().split('.').count();
        let first = numbered().next()?;
        let other = numbered().find(|file| parts(file) != parts(first))?;
        Some(Problem::new(
            "version-duplicate",
            &other.path,
            format!(
                "expected the names of all changelogs to have numbers of as many parts as `{}`, found \
                 another",
                first.path.display()
            ),
            "a changeset's version is its file's number and its place: give the files numbers that can be \
             compared, as `1.0`, `1.1`, `2.0`",
        ))
    }
}

fn file(path: &Path, number: &str, changeset: Changeset) -> Option<File> {
    let name = format!("{}:{}", changeset.author, changeset.id);
    let version = if changeset.on_change {
        Version::of_repeatable(&name)
    } else {
        format!("{number}.{}", changeset.position).parse()
    };
    Some(File {
        path: path.to_owned(),
        version: version.ok()?,
        name,
        part: Part::Both,
        baseline: false,
        no_transaction: changeset.no_transaction,
        changeset: Some(changeset),
        identity: None,
    })
}

/// Returns the first number in a file's name, whose parts may be joined by `.`, `-` or `_`; 1 where there
/// is none.
fn number(name: &str) -> String {
    let stem = name.strip_suffix(".sql").unwrap_or(name);
    let from = stem.find(|character: char| character.is_ascii_digit());
    let mut parts = Vec::new();
    for part in stem[from.unwrap_or(stem.len())..].split(['.', '-', '_']) {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        match part.find(|character: char| !character.is_ascii_digit()) {
            None if digits && !part.is_empty() => parts.push(part),
            Some(end) if parts.is_empty() => {
                parts.push(&part[..end]);
                break;
            }
            _ => break,
        }
    }
    if parts.is_empty() {
        return "1".to_owned();
    }
    parts.join(".")
}

fn is_other_form(path: &Path, name: &str) -> bool {
    OTHER_FORMS.iter().any(|ending| name.ends_with(ending))
        && head(path).contains("databaseChangeLog")
}

/// Returns the first characters of a file; nothing of one that cannot be read, which is a problem that is
/// found where it is read whole.
fn head(path: &Path) -> String {
    let mut bytes = Vec::new();
    let regular = path.is_file();
    let opened = regular.then(|| Opened::open(path).ok()).flatten();
    let read = opened.map(|file| file.take(HEAD).read_to_end(&mut bytes));
    match read {
        Some(Ok(_)) => String::from_utf8_lossy(&bytes).into_owned(),
        Some(Err(_)) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_file_is_the_first_in_its_name() {
        for (name, expected) in [
            ("001-init.sql", "001"),
            ("db.changelog-1.2.sql", "1.2"),
            ("2024-01-31-users.sql", "2024.01.31"),
            ("v12abc.sql", "12"),
            ("1_2fa.sql", "1"),
            ("changelog.sql", "1"),
        ] {
            assert_eq!(number(name), expected, "{name}");
        }
    }
}
