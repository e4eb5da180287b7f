//! File names: which are migrations, which are not, and which only look like one.

use super::Version;

/// Which script of a migration a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Both, in sections.
    Both,
    /// The up script.
    Up,
    /// The down script.
    Down,
}

/// What a file's name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Not a migration, and nothing like one.
    Other,
    Migration(Version, String, Part),
    /// Something like a migration: what was found, and how to name it.
    Invalid(String, String),
}

const RENAME: &str = "rename the file, or move it out of the folder";

impl Name {
    /// Reads the name of a file, without its folder.
    pub(super) fn of(file_name: &str) -> Self {
        if !looks_like_sql(file_name) {
            return Self::Other;
        }
        if let Some(visible) = file_name.strip_prefix('.') {
            // other hidden files are an editor's or the system's
            return match parse(visible) {
                Self::Migration(..) => Self::Invalid(
                    "a dot, which hides the file, before the version".to_owned(),
                    format!("name it `{visible}`, or move it out of the folder"),
                ),
                _ => Self::Other,
            };
        }
        parse(file_name)
    }
}

/// Says whether `.sql` ends the name or a part of it: `x.sql`, `x.SQL`, `x.sql.bak`, `x.sql~`; not
/// `x.sqlite`.
pub(super) fn looks_like_sql(file_name: &str) -> bool {
    let lower = file_name.to_ascii_lowercase();
    lower.match_indices(".sql").any(|(at, part)| {
        !lower[at + part.len()..].starts_with(|next: char| next.is_alphanumeric())
    })
}

fn parse(file_name: &str) -> Name {
    let invalid = |found: &str| Name::Invalid(found.to_owned(), RENAME.to_owned());
    let Some(stem) = file_name.strip_suffix(".sql") else {
        return invalid("another ending");
    };
    let (stem, part) = if let Some(stem) = stem.strip_suffix(".up") {
        (stem, Part::Up)
    } else if let Some(stem) = stem.strip_suffix(".down") {
        (stem, Part::Down)
    } else {
        (stem, Part::Both)
    };
    let lower = stem.to_ascii_lowercase();
    if [".up", ".down", ".sql"]
        .iter()
        .any(|end| lower.ends_with(end))
    {
        return invalid("a second ending, or one in capitals, before `.sql`");
    }
    if let Some(dotted) = underscored_version(stem) {
        return Name::Invalid(
            "a version whose parts are joined by `_`, of which only the first would count"
                .to_owned(),
            format!(
                "join the parts by dots: `{dotted}{}`",
                &file_name[dotted.len() + 1..]
            ),
        );
    }
    let Some((version, name)) = stem.split_once('_') else {
        return invalid("no `_` between version and name");
    };
    let Ok(version) = version.parse() else {
        return invalid("no number before the `_`");
    };
    let name = name.strip_prefix('_').unwrap_or(name);
    if name.is_empty() {
        return invalid("no name after the version");
    }
    let valid = |character: char| character.is_alphanumeric() || "_-.+".contains(character);
    if let Some(other) = name.chars().find(|character| !valid(*character)) {
        return invalid(&format!(
            "`{}` in the name, which has letters, digits, `_`, `-`, `+` and `.`",
            other.escape_default()
        ));
    }
    Name::Migration(version, name.to_owned(), part)
}

/// `118_7__name`, as other tools write the version 118.7: returns `118.7`.
fn underscored_version(stem: &str) -> Option<String> {
    let (version, _) = stem.split_once("__")?;
    let parts = version.contains('_')
        && version
            .split('_')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    parts.then(|| version.replace('_', "."))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_of_migrations_are_read() {
        for (file_name, version, name, part) in [
            ("1_x.sql", "1", "x", Part::Both),
            ("007_a.up.sql", "007", "a", Part::Up),
            ("1.10_b-c.down.sql", "1.10", "b-c", Part::Down),
            ("17.1__x.sql", "17.1", "x", Part::Both),
            ("118__x_y.sql", "118", "x_y", Part::Both),
            (
                "20160131153104_0.1.2_add.sql",
                "20160131153104",
                "0.1.2_add",
                Part::Both,
            ),
            (
                "20160131153104_0_1_2_add.up.sql",
                "20160131153104",
                "0_1_2_add",
                Part::Up,
            ),
            ("3_größe.sql", "3", "größe", Part::Both),
            ("0_init+seed.sql", "0", "init+seed", Part::Both),
        ] {
            let expected = Name::Migration(version.parse().unwrap(), name.to_owned(), part);
            assert_eq!(Name::of(file_name), expected, "{file_name}");
        }
    }

    #[test]
    fn what_looks_like_a_migration_and_is_none_is_refused() {
        for file_name in [
            "1-x.SQL",
            "1_x.SQL",
            "1_x.sql.bak",
            "1_x.sql~",
            "#1_x.sql#",
            "1_x .sql",
            "1_ x.sql",
            "1_\u{202e}x.sql",
            "x.sql",
            "_x.sql",
            "1_.sql",
            "1__.sql",
            "V1__x.sql",
            "R__views.sql",
            "1_x.sql.orig",
            "1.sql",
            "1._x.sql",
            "up.sql",
            "1_x.UP.sql",
            "2_b.Down.sql",
            "1_x.sql.sql",
            "1_x.up.up.sql",
            "1_x.down.up.sql",
            "1_x.up.sql.gz",
            ".1_x.sql",
            ".1_x.up.sql",
            "118_7__a.sql",
        ] {
            let name = Name::of(file_name);
            assert!(matches!(name, Name::Invalid(..)), "{file_name}: {name:?}");
        }
        let hint = |file_name: &str| match Name::of(file_name) {
            Name::Invalid(_, hint) => Some(hint),
            _ => None,
        };
        assert_eq!(
            hint("118_7__a.up.sql"),
            Some("join the parts by dots: `118.7_a.up.sql`".to_owned())
        );
        assert!(hint(".1_x.sql").is_some_and(|hint| hint.contains("`1_x.sql`")));
    }

    #[test]
    fn what_is_something_else_is_passed_over() {
        for file_name in [
            "README.md",
            ".gitkeep",
            "shop.sqlite",
            "shop.sqlite3",
            "shop.sqlite3-wal",
            "x.db",
            "1_x.py",
            ".1_x.sql.swp",
            ".#1_x.sql",
            "._1_x.sql",
            "mysql",
            "sql",
        ] {
            assert_eq!(Name::of(file_name), Name::Other, "{file_name}");
        }
    }
}
