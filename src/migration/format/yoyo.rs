//! yoyo: `NAME.sql`, undone by `NAME.rollback.sql`. The version is made of the numbers that the name begins
//! with, so that those of one day stay in their order: `20240131_02_x7Kpq-orders` is `20240131.02`.

use std::fs;
use std::path::Path;

use super::super::folder::File;
use super::super::name::{Part, looks_like_sql};
use super::super::problem::Problem;
use super::super::style::Style;
use super::{Found, Reader};
use crate::migration::Version;

/// The form.
pub(super) struct Yoyo;

/// The ending of a script that undoes another.
const ROLLBACK: &str = ".rollback.sql";

impl Reader for Yoyo {
    fn name(&self) -> &'static str {
        "yoyo"
    }

    fn style(&self) -> Option<Style> {
        Some(Style::Plain)
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        name.ends_with(ROLLBACK) && path.is_file()
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        let (stem, part) = if let Some(stem) = name.strip_suffix(ROLLBACK) {
            (stem, Part::Down)
        } else if let Some(stem) = name.strip_suffix(".sql") {
            (stem, Part::Up)
        } else {
            return other(path, name);
        };
        if path.is_dir() || name.starts_with('.') {
            return other(path, name);
        }
        let Some((version, rest)) = divided(stem) else {
            return super::stray(
                path,
                name,
                "`NUMBER_name.sql` or `NUMBER_name.rollback.sql`",
            );
        };
        let up = path.with_file_name(format!("{stem}.sql"));
        match Head::read(&up).and_then(|head| head.follows(&up, &version).map(|()| head)) {
            Ok(head) => Found::Files(vec![File {
                path: path.to_owned(),
                version,
                name: rest.to_owned(),
                part,
                baseline: false,
                no_transaction: head.no_transaction,
                changeset: None,
                identity: None,
            }]),
            Err(problem) => Found::Wrong(problem),
        }
    }
}

/// Returns the version that a migration's name is, none where it begins with no number.
pub(crate) fn version(name: &str) -> Option<Version> {
    divided(name).map(|(version, _)| version)
}

/// `20240131_02_x7Kpq-orders` becomes `20240131.02` and `x7Kpq-orders`.
fn divided(name: &str) -> Option<(Version, &str)> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|one| one.is_ascii_digit());
    let (first, mut rest) = name.split_once('_').unwrap_or((name, ""));
    if !is_number(first) {
        return None;
    }
    let mut version = first.to_owned();
    if let Some((second, after)) = rest.split_once('_')
        && is_number(second)
    {
        version = format!("{first}.{second}");
        rest = after;
    }
    let rest = if rest.is_empty() { name } else { rest };
    Some((version.parse().ok()?, rest))
}

fn other(path: &Path, name: &str) -> Found {
    if path.is_dir() {
        return Found::Below;
    }
    if name.ends_with(".py") && !name.starts_with(['_', '.']) {
        return Found::Wrong(Problem::new(
            "name-invalid",
            path,
            "expected migrations in SQL, found one that is a program",
            "write it as SQL, or move it out of the folder once it is applied everywhere",
        ));
    }
    if looks_like_sql(name) {
        return super::stray(
            path,
            name,
            "`NUMBER_name.sql` or `NUMBER_name.rollback.sql`",
        );
    }
    Found::Nothing
}

/// What the comments before the first statement ask for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    no_transaction: bool,
    depends: Vec<String>,
}

impl Head {
    fn read(path: &Path) -> Result<Self, Problem> {
        // a script that is not there is found missing later on
        if !path.is_file() {
            return Ok(Self::default());
        }
        let bytes = fs::read(path).map_err(|error| {
            Problem::new(
                "file-unreadable",
                path,
                format!("the file cannot be read: {error}"),
                "check its permissions",
            )
        })?;
        let text = String::from_utf8_lossy(&bytes);
        // files of other forms may have names like these, and each of their sections would run
        match Style::marked(&text) {
            None => Ok(Self::of(&text)),
            Some(style) => Err(Problem::new(
                "format-mixed",
                path,
                format!(
                    "expected plain SQL, as a folder with `{ROLLBACK}` files has it, found the marks of {}",
                    style.name()
                ),
                "keep them in folders of their own; `format` in mledger.toml says which form holds",
            )),
        }
    }

    fn of(text: &str) -> Self {
        let mut head = Self::default();
        let comments = text
            .lines()
            .map(str::trim)
            .take_while(|line| line.is_empty() || line.starts_with("--"));
        for comment in comments {
            let Some((key, value)) = comment.trim_start_matches('-').split_once(':') else {
                continue;
            };
            match key.trim() {
                "transactional" => {
                    head.no_transaction = !value.trim().eq_ignore_ascii_case("true");
                }
                "depends" => head
                    .depends
                    .extend(value.split_whitespace().map(str::to_owned)),
                _ => {}
            }
        }
        head
    }

    /// Refuses what depends on a migration that does not come before it by its number.
    fn follows(&self, path: &Path, own: &Version) -> Result<(), Problem> {
        let late = self
            .depends
            .iter()
            .find(|name| version(name).is_none_or(|version| version >= *own));
        match late {
            None => Ok(()),
            Some(name) => Err(Problem::new(
                "format-unsupported",
                path,
                format!("expected dependencies with a lower number than `{own}`, found `{name}`"),
                "rename the files so that their numbers say the order in which they run",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_numbers_of_a_name_are_its_version() {
        for (name, found) in [
            (
                "20240131_02_x7Kpq-orders",
                Some(("20240131.02", "x7Kpq-orders")),
            ),
            ("0001_users", Some(("0001", "users"))),
            ("0001.users", None),
            ("7_2_1", Some(("7.2", "1"))),
            ("7", Some(("7", "7"))),
            ("users_1", None),
            ("", None),
        ] {
            let divided = divided(name).map(|(version, rest)| (version.to_string(), rest));
            let found = found.map(|(version, rest)| (version.to_owned(), rest));
            assert_eq!(divided, found, "{name}");
        }
    }

    #[test]
    fn comments_before_the_first_statement_are_read() {
        let text = "-- users\n\n-- depends: 1_a  2_b\n--transactional: FALSE\nSELECT 1;\n-- depends: 9_z\n";
        let head = Head::of(text);
        assert!(head.no_transaction);
        assert_eq!(head.depends, ["1_a", "2_b"]);
        assert_eq!(
            Head::of("SELECT 1;\n-- transactional: false"),
            Head::default()
        );
        let path = Path::new("3_c.sql");
        assert!(head.follows(path, &"3".parse().unwrap()).is_ok());
        for late in ["1", "2"] {
            let refused = head.follows(path, &late.parse().unwrap()).unwrap_err();
            assert_eq!(refused.code, "format-unsupported");
        }
    }
}
