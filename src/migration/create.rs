//! New migrations: a file of its own, with a version that no other has.

use std::io::Write;
use std::path::{Path, PathBuf};

use ledger::Timestamp;
use serde_json::{Map, Value as Json};

use super::problem::Problem;

/// What a new migration is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct New {
    /// Its name; other characters than letters, digits and `_` become `_`.
    pub name: String,
    /// `ddl`, `dml` or `function`.
    pub kind: Option<String>,
    /// It breaks what runs against the schema before it.
    pub breaking: bool,
    /// Two files instead of one.
    pub pair: bool,
    /// One sentence.
    pub description: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Versions that must be applied first.
    pub requires: Vec<String>,
}

/// Writes the files of a new migration and returns their paths.
///
/// The version is the time `now` to the second, or the next second that no file has. A file that
/// another process makes at the same moment is never overwritten.
///
/// # Errors
///
/// A [`Problem`] when the name has no letter or digit, or a file cannot be written.
pub fn create(folder: &Path, new: &New, now: Timestamp) -> Result<Vec<PathBuf>, Problem> {
    let name = sanitise(&new.name);
    if name.is_empty() {
        return Err(Problem::new(
            "name-invalid",
            folder,
            format!(
                "expected a name with a letter or a digit, found `{}`",
                new.name
            ),
            "say in a few words what the migration does",
        ));
    }
    let unwritable = |error: std::io::Error, path: &Path| {
        Problem::new(
            "file-unwritable",
            path,
            format!("the file cannot be written: {error}"),
            "check the folder and its permissions",
        )
    };
    let mut micros = now.as_micros();
    loop {
        let version = version_at(Timestamp::from_micros(micros));
        micros += 1_000_000;
        // the lock is a file of the version alone, so that two names cannot share a version
        let claim = folder.join(format!(".{version}.new"));
        let claimed = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&claim);
        match claimed {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(unwritable(error, folder)),
        }
        let written = if taken(folder, &version) {
            Ok(None)
        } else {
            write_all(folder, new, &version, &name).map(Some)
        };
        let removed = std::fs::remove_file(&claim);
        match written {
            Ok(None) => {}
            Ok(Some(paths)) => {
                removed.map_err(|error| unwritable(error, &claim))?;
                return Ok(paths);
            }
            Err(error) => return Err(unwritable(error, folder)),
        }
    }
}

/// `2026-11-20T08:09:10…Z` becomes `20261120080910`.
fn version_at(time: Timestamp) -> String {
    time.to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect()
}

fn taken(folder: &Path, version: &str) -> bool {
    let prefix = format!("{version}_");
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
    })
}

fn write_all(
    folder: &Path,
    new: &New,
    version: &str,
    name: &str,
) -> Result<Vec<PathBuf>, std::io::Error> {
    let header = header(new);
    let texts = if new.pair {
        vec![
            (format!("{version}_{name}.up.sql"), format!("{header}\n")),
            (format!("{version}_{name}.down.sql"), String::new()),
        ]
    } else {
        vec![(
            format!("{version}_{name}.sql"),
            format!("{header}\n-- UP\n\n-- DOWN\n"),
        )]
    };
    let mut paths = Vec::new();
    for (file_name, text) in texts {
        let path = folder.join(file_name);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        readable_by_all(file.as_file())?;
        file.persist_noclobber(&path)?;
        paths.push(path);
    }
    Ok(paths)
}

/// A temporary file is its owner's alone; a migration is as readable as any other source file.
#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> Result<(), std::io::Error> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::File) -> Result<(), std::io::Error> {
    Ok(())
}

fn header(new: &New) -> String {
    let mut members = Map::new();
    let mut text = |name: &str, value: &str| {
        members.insert(name.to_owned(), Json::String(value.to_owned()));
    };
    text("author", new.author.as_deref().unwrap_or_default());
    let spoken = new.name.trim().replace(['_', '-'], " ");
    text("description", new.description.as_deref().unwrap_or(&spoken));
    if let Some(kind) = &new.kind {
        text("type", kind);
    }
    members.insert("breakingChange".to_owned(), Json::Bool(new.breaking));
    members.insert("risk".to_owned(), Json::String("low".to_owned()));
    if !new.requires.is_empty() {
        let requires = new.requires.iter().cloned().map(Json::String).collect();
        members.insert("dependencies".to_owned(), Json::Array(requires));
    }
    let lines: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("--   \"{name}\": {value}"))
        .collect();
    format!("-- @metadata {{\n{}\n-- }}\n", lines.join(",\n"))
}

fn sanitise(name: &str) -> String {
    let mut clean = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            clean.push(character.to_ascii_lowercase());
        } else if !clean.is_empty() && !clean.ends_with('_') {
            clean.push('_');
        }
    }
    clean.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::source;
    use super::super::split::SQLITE;
    use super::*;

    fn new(name: &str) -> New {
        New {
            name: name.to_owned(),
            author: Some("dana \"d\"".to_owned()),
            ..New::default()
        }
    }

    #[test]
    fn what_is_made_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-11-20T08:09:10.000000Z".parse().unwrap();
        let one = create(folder.path(), &new("Add user's  preferences!"), now).unwrap();
        assert!(one[0].ends_with("20261120080910_add_user_s_preferences.sql"));
        let pair = New {
            pair: true,
            requires: vec!["20261120080910".to_owned()],
            ..new("second")
        };
        let two = create(folder.path(), &pair, now).unwrap();
        assert!(two[1].ends_with("20261120080911_second.down.sql"));
        let migrations = source::read(folder.path(), &source::Options::default(), &SQLITE).unwrap();
        assert_eq!(migrations.len(), 2);
        assert_eq!(migrations[0].metadata.author.as_deref(), Some("dana \"d\""));
        assert_eq!(migrations[1].metadata.dependencies, ["20261120080910"]);
        assert!(create(folder.path(), &new(" -- "), now).is_err());
    }

    #[test]
    fn many_at_one_moment_get_versions_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-20T08:09:10.000000Z".parse().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let path = folder.path();
                scope.spawn(move || {
                    for index in 0..6 {
                        create(path, &new(&format!("t{thread} {index}")), now).unwrap();
                    }
                });
            }
        });
        let migrations = source::read(folder.path(), &source::Options::default(), &SQLITE).unwrap();
        assert_eq!(migrations.len(), 48);
    }
}
