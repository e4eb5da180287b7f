//! New migrations: a file of its own, with a version that no other has.

mod form;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ledger::Timestamp;
use serde_json::{Map, Value as Json};

use super::Version;
use super::folder::list;
use super::format::Format;
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
    /// Versions that are taken though no file has them: the ledger knows them.
    pub taken: Vec<Version>,
}

/// Writes the files of a new migration and returns their paths.
///
/// They are in the form of the folder. The version is the time `now` to the second, or the next second that
/// no file of the folder or of a folder below has, and none of `taken`; in a folder of another tool that
/// counts it is the next number. Files appear whole or not at all, and none is ever overwritten; a pair has
/// both its files or, after an error, none.
///
/// # Errors
///
/// A [`Problem`] when the name has no letter or digit, the form is one that nothing can be added to, or a
/// file cannot be written.
pub fn create(
    folder: &Path,
    format: Format,
    new: &New,
    now: Timestamp,
) -> Result<Vec<PathBuf>, Problem> {
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
    let unwritable = |error: io::Error, path: &Path| {
        Problem::new(
            "file-unwritable",
            path,
            format!("the file cannot be written: {error}"),
            "check the folder and its permissions",
        )
    };
    let _turn = Turn::take(folder).map_err(|error| unwritable(error, folder))?;
    // sub-folders count too, so that reading them later finds no version twice
    let reader = format.reader(folder)?;
    let files = list(folder, true, reader).0;
    let form = format.of(reader, &files);
    let mut new = new.clone();
    new.pair |= form == Format::Mledger && form::has_pairs(&files);
    let taken = files
        .iter()
        .map(|file| &file.version)
        .chain(&new.taken)
        .collect();
    let version = form::version(form, &taken, now);
    let texts = form::files(form, folder, &new, (&version, &name), &header(&new))?;
    write_all(folder, texts).map_err(|error| unwritable(error, folder))
}

/// The right to choose a version: an advisory lock on the folder, which ends with the process, so that
/// two processes that look at the same time do not find the same version free. Where the system cannot
/// lock a folder, files are still never overwritten.
struct Turn {
    _folder: Option<File>,
}

impl Turn {
    fn take(folder: &Path) -> Result<Self, io::Error> {
        let Ok(folder) = File::open(folder) else {
            return Ok(Self { _folder: None });
        };
        match folder.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => folder.lock()?,
            Err(TryLockError::Error(_)) => return Ok(Self { _folder: None }),
        }
        Ok(Self {
            _folder: Some(folder),
        })
    }
}

fn write_all(folder: &Path, texts: Vec<(String, String)>) -> Result<Vec<PathBuf>, io::Error> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for (file_name, text) in texts {
        let path = folder.join(file_name);
        let beside = path.parent().unwrap_or(folder);
        let written = fs::create_dir_all(beside).and_then(|()| write(beside, &path, &text));
        if let Err(error) = written {
            for half in &paths {
                // the first error is the one to tell
                drop(fs::remove_file(half));
            }
            return Err(error);
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Writes a file that appears whole or not at all, and replaces none.
fn write(folder: &Path, path: &Path, text: &str) -> Result<(), io::Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-migration-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // as any other source file: what the process's mask leaves of it
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
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
        let one = create(
            folder.path(),
            Format::Auto,
            &new("Add user's  preferences!"),
            now,
        )
        .unwrap();
        assert!(one[0].ends_with("20261120080910_add_user_s_preferences.sql"));
        let pair = New {
            pair: true,
            requires: vec!["20261120080910".to_owned()],
            ..new("second")
        };
        let two = create(folder.path(), Format::Auto, &pair, now).unwrap();
        assert!(two[1].ends_with("20261120080911_second.down.sql"));
        let migrations = source::read(folder.path(), &source::Options::default(), &SQLITE).unwrap();
        assert_eq!(migrations.len(), 2);
        assert_eq!(migrations[0].metadata.author.as_deref(), Some("dana \"d\""));
        assert_eq!(migrations[1].metadata.dependencies, ["20261120080910"]);
        assert!(create(folder.path(), Format::Auto, &new(" -- "), now).is_err());
    }

    /// Writes a file of a form, then a new migration beside it, and returns what is there in the end.
    fn beside(file: &str, text: &str, format: Format, pair: bool) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        let wanted = New {
            pair,
            requires: vec!["1".to_owned()],
            ..new("b")
        };
        let now = "2026-11-20T08:09:10.000000Z".parse().unwrap();
        let made =
            create(folder.path(), format, &wanted, now).map_err(|problem| problem.message)?;
        let options = source::Options {
            format,
            ..source::Options::default()
        };
        let read = source::read(folder.path(), &options, &SQLITE).unwrap();
        assert_eq!(read.len(), 2, "{made:?}");
        assert_eq!(read[1].name, "b");
        assert_eq!(read[1].metadata.dependencies, ["1"], "{made:?}");
        Ok(made
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap())
            .map(|path| path.display().to_string())
            .collect())
    }

    #[test]
    fn a_new_migration_is_in_the_form_of_its_folder() {
        let goose = "-- +goose Up\nSELECT 1;\n";
        for (file, text, format, pair, made) in [
            (
                "00001_a.sql",
                goose,
                Format::Auto,
                false,
                vec!["00002_b.sql"],
            ),
            (
                "20250101000000_a.sql",
                goose,
                Format::Auto,
                false,
                vec!["20261120080910_b.sql"],
            ),
            (
                "1_a.sql",
                "-- migrate:up\nA;\n",
                Format::Dbmate,
                false,
                vec!["2_b.sql"],
            ),
            (
                "V1_9__a.sql",
                "A;",
                Format::Auto,
                true,
                vec!["V1.10__b.sql", "U1.10__b.sql"],
            ),
            (
                "V7__a.sql",
                "A;",
                Format::Refinery,
                false,
                vec!["V8__b.sql"],
            ),
            (
                "009_a.up.sql",
                "A;",
                Format::GolangMigrate,
                false,
                vec!["010_b.up.sql", "010_b.down.sql"],
            ),
            ("1_a.sql", "A;", Format::Sqlx, false, vec!["2_b.sql"]),
            (
                "1_a.up.sql",
                "A;",
                Format::Auto,
                false,
                vec!["20261120080910_b.up.sql", "20261120080910_b.down.sql"],
            ),
            (
                "2024-01-31-120000_a/up.sql",
                "A;",
                Format::Auto,
                false,
                vec!["2026-11-20-080910_b/up.sql", "2026-11-20-080910_b/down.sql"],
            ),
        ] {
            assert_eq!(beside(file, text, format, pair).unwrap(), made, "{file}");
        }
        for (file, text, pair, part) in [
            ("1_a.sql", goose, true, "no pairs"),
            ("2024_b/migration.sql", "A;", false, "prisma"),
            (
                "1.sql",
                "--liquibase formatted sql\n--changeset a:1\nA;",
                false,
                "liquibase",
            ),
        ] {
            let message = beside(file, text, Format::Auto, pair).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
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
                        create(path, Format::Auto, &new(&format!("t{thread} {index}")), now)
                            .unwrap();
                    }
                });
            }
        });
        let migrations = source::read(folder.path(), &source::Options::default(), &SQLITE).unwrap();
        assert_eq!(migrations.len(), 48);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 48);
    }

    #[test]
    fn versions_of_folders_below_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("older");
        fs::create_dir(&below).unwrap();
        fs::write(below.join("20261120080910_a.sql"), "").unwrap();
        // what an earlier version left after a crash claims nothing
        fs::write(folder.path().join(".20261120080911.new"), "").unwrap();
        let now = "2026-11-20T08:09:10.000000Z".parse().unwrap();
        let paths = create(folder.path(), Format::Auto, &new("b"), now).unwrap();
        assert!(paths[0].ends_with("20261120080911_b.sql"), "{paths:?}");
        // nor is one taken that the ledger knows, whose file is gone
        let known = New {
            taken: vec!["20261120080912".parse().unwrap()],
            ..new("c")
        };
        let paths = create(folder.path(), Format::Auto, &known, now).unwrap();
        assert!(paths[0].ends_with("20261120080913_c.sql"), "{paths:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        let now = "2026-11-20T08:09:10.000000Z".parse().unwrap();
        let paths = create(folder.path(), Format::Auto, &new("b"), now).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&paths[0]), mode(&other));
    }

    #[test]
    fn an_error_leaves_no_half_of_a_pair() {
        let folder = tempfile::tempdir().unwrap();
        let half = folder.path().join("7_x.down.sql");
        fs::write(&half, "SELECT 1;").unwrap();
        let pair = ["7_x.up.sql", "7_x.down.sql"].map(|name| (name.to_owned(), String::new()));
        let error = write_all(folder.path(), pair.to_vec()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&half).unwrap(), b"SELECT 1;");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
