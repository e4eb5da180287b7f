//! Where a database is: URLs as people write them, and addresses that can be shown.
//!
//! No error of this module repeats what was typed, since a URL may hold a password.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Engine;
use super::mysql::{MySql, Target};
use super::postgres::{self, Postgres, PostgresUrlError};
use super::sqlite::{Opening, Sqlite};

/// A URL that names no database this version can open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not begin with the kind of database.
    #[error(
        "a database URL begins with its kind, found none; write `{suggestion}` for an SQLite file"
    )]
    NoScheme {
        /// What to write instead.
        suggestion: String,
    },
    /// It begins with something that is no kind of database.
    #[error(
        "the kind of database is unknown; a URL begins with `sqlite:`, `postgres:` or `mysql:`"
    )]
    UnknownScheme,
    /// It names no file.
    #[error("the SQLite URL names no file; write `sqlite:PATH`")]
    NoPath,
    /// It names a database that ends with the process.
    #[error(
        "a database in memory ends with the process, and its history with it; write `sqlite:PATH`"
    )]
    InMemory,
    /// It has a part that only database servers have.
    #[error("an SQLite URL has no user, password or host; write `sqlite:PATH`")]
    Authority,
    /// It has an option that is unknown.
    #[error("the SQLite URL has an unknown option; expected `mode=ro`, `mode=rw` or `mode=rwc`")]
    UnknownOption,
    /// It is a MySQL URL that cannot be read.
    #[error("the MySQL URL {0}")]
    MySql(&'static str),
    /// Its path is not text.
    #[error("the path of the database is not UTF-8, which SQLite needs")]
    NotText,
    /// It is a PostgreSQL URL that cannot be used.
    #[error(transparent)]
    Postgres(#[from] PostgresUrlError),
}

/// Where a database is, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    display: String,
    key: String,
}

impl Address {
    /// Describes the file at an absolute `path`.
    pub(super) fn of_file(path: &Path) -> Self {
        Self {
            display: format!("sqlite:{}", path.display()),
            key: format!("sqlite:{}", resolved(path).display()),
        }
    }

    /// Describes a database of a server; neither text holds a secret.
    pub(super) fn of_server(display: String, key: String) -> Self {
        Self { display, key }
    }

    /// Returns the address as people read it, the path absolute.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Returns a text that is the same for each way to write the address, for remembering what was
    /// seen there. Symbolic links are followed.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.display)
    }
}

/// Returns the engine for a database URL; connects to nothing.
///
/// `sqlite:PATH`, `sqlite://PATH` and `sqlite:///ABSOLUTE` name a file, with `%XX` for a byte of the
/// path (RFC 3986 section 2.1) and an option `?mode=ro` (never write), `rw` (never create) or `rwc`
/// (the default). A relative path is taken from the folder `base`.
///
/// # Errors
///
/// See [`UrlError`]; none repeats the URL.
pub fn open(url: &str, base: &Path) -> Result<Arc<dyn Engine>, UrlError> {
    let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| scheme.len() > 1) else {
        return Err(UrlError::NoScheme {
            suggestion: suggestion(url),
        });
    };
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite" | "sqlite3" => open_sqlite(rest, base),
        "postgres" | "postgresql" => open_postgres(rest, base),
        "mysql" | "mariadb" => open_mysql(rest, base),
        "file" => Err(UrlError::NoScheme {
            suggestion: suggestion(rest),
        }),
        _ => Err(UrlError::UnknownScheme),
    }
}

fn open_postgres(rest: &str, base: &Path) -> Result<Arc<dyn Engine>, UrlError> {
    let target = postgres::parse(rest, base)?;
    let address = Address::of_server(target.display(), target.key());
    Ok(Arc::new(Postgres::new(target, address)))
}

fn open_mysql(rest: &str, base: &Path) -> Result<Arc<dyn Engine>, UrlError> {
    let target = Target::parse(rest, base).map_err(UrlError::MySql)?;
    let address = Address::of_server(target.display(), target.key());
    Ok(Arc::new(MySql::new(target, address)))
}

fn open_sqlite(rest: &str, base: &Path) -> Result<Arc<dyn Engine>, UrlError> {
    let (location, query) = match rest.split_once('?') {
        Some((location, query)) => (location, Some(query)),
        None => (rest, None),
    };
    let opening = opening(query)?;
    let path = match location.strip_prefix("//") {
        // a password may hold any of `@:/#%`, so an `@` anywhere is taken for the end of one
        Some(path) if !path.starts_with('/') && path.contains('@') => {
            return Err(UrlError::Authority);
        }
        Some(path) => path,
        None => location,
    };
    let path = percent_decoded(path)?;
    if path.is_empty() {
        return Err(UrlError::NoPath);
    }
    if path == ":memory:" || path.starts_with("file:") {
        return Err(UrlError::InMemory);
    }
    let path = absolute(&base.join(path));
    if path.to_str().is_none_or(|text| text.contains('\0')) {
        return Err(UrlError::NotText);
    }
    let address = Address::of_file(&path);
    Ok(Arc::new(Sqlite::new(path, opening, address)))
}

fn opening(query: Option<&str>) -> Result<Opening, UrlError> {
    let mut opening = Opening::Create;
    for option in query.into_iter().flat_map(|query| query.split('&')) {
        opening = match option {
            "" => opening,
            "mode=ro" => Opening::ReadOnly,
            "mode=rw" => Opening::Existing,
            "mode=rwc" => Opening::Create,
            "mode=memory" => return Err(UrlError::InMemory),
            _ => return Err(UrlError::UnknownOption),
        };
    }
    Ok(opening)
}

/// What to write instead of a text without a scheme. Only what is plainly a file name is repeated.
fn suggestion(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let file = [".db", ".sqlite", ".sqlite3"]
        .iter()
        .any(|ending| text.ends_with(ending));
    if file && text.chars().all(plain) {
        format!("sqlite:{text}")
    } else {
        "sqlite:PATH".to_owned()
    }
}

pub(super) fn percent_decoded(text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let decoded = match (first, after) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        // a `%` that begins no pair of digits stands for itself
        if let Some((high, low)) = decoded {
            bytes.push(high << 4 | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).map_err(|_| UrlError::NotText)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Takes `.` and `..` out of a path and makes it absolute, without looking at the disk for links.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            // behind a symbolic link `..` is another folder than the text says
            Component::ParentDir if !clean.is_symlink() => {
                clean.pop();
            }
            _ => clean.push(component),
        }
    }
    clean
}

/// Follows links as far as the path exists, so that a file has one key before and after it is made.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(found) = fs::canonicalize(path) {
        return found;
    }
    match (path.parent().map(fs::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn refused(url: &str) -> UrlError {
        open(url, Path::new("/base")).unwrap_err()
    }

    fn shown(url: &str) -> String {
        open(url, Path::new("/base"))
            .unwrap()
            .address()
            .display()
            .to_owned()
    }

    #[test]
    fn all_forms_of_a_path_are_read() {
        assert_eq!(shown("sqlite:shop.db"), "sqlite:/base/shop.db");
        assert_eq!(shown("sqlite://data/shop.db"), "sqlite:/base/data/shop.db");
        assert_eq!(shown("sqlite:///var/shop.db"), "sqlite:/var/shop.db");
        assert_eq!(shown("sqlite:/var/shop.db"), "sqlite:/var/shop.db");
        assert_eq!(shown("SQLite:./a/../shop.db"), "sqlite:/base/shop.db");
        assert_eq!(shown("sqlite:my%20shop%.db"), "sqlite:/base/my shop%.db");
        assert_eq!(shown("sqlite:shop.db?mode=rwc"), "sqlite:/base/shop.db");
        assert_eq!(shown("sqlite:///srv/a@2/x.db"), "sqlite:/srv/a@2/x.db");
    }

    #[test]
    fn what_is_no_database_is_refused_with_what_to_write() {
        assert!(refused("shop.db").to_string().contains("`sqlite:shop.db`"));
        assert!(refused("data").to_string().contains("`sqlite:PATH`"));
        let file = refused("file:./dev.db").to_string();
        assert!(file.contains("`sqlite:./dev.db`"), "{file}");
        assert_eq!(refused("sqlite:"), UrlError::NoPath);
        assert_eq!(refused("sqlite::memory:"), UrlError::InMemory);
        assert_eq!(refused("sqlite://:memory:"), UrlError::InMemory);
        assert_eq!(refused("sqlite:x.db?mode=memory"), UrlError::InMemory);
        assert_eq!(refused("sqlite:x.db?cache=shared"), UrlError::UnknownOption);
        assert_eq!(refused("sqlite:a%00b"), UrlError::NotText);
        assert_eq!(refused("oracle:x"), UrlError::UnknownScheme);
        assert!(matches!(refused("mysql://h"), UrlError::MySql(_)));
    }

    #[test]
    fn no_error_repeats_a_user_password_or_query() {
        let secret = "S3cr3t-©-%40/#?:@";
        for scheme in ["postgres", "mysql", "sqlite", "orakel", "", "sqlite3"] {
            for url in [
                format!("{scheme}://canary:{secret}@host/db?key={secret}"),
                format!("{scheme}:canary:{secret}@host"),
                format!("canary:{secret}@host/{scheme}"),
                format!("canary{secret}"),
            ] {
                let Err(error) = open(&url, Path::new("/base")) else {
                    continue; // a file of that name is what an SQLite path may be
                };
                for text in [error.to_string(), format!("{error:?}")] {
                    assert!(!text.contains("S3cr3t"), "{text}");
                    assert!(!text.contains("canary"), "{text}");
                }
            }
        }
        assert_eq!(refused("sqlite://u:p/w@h/x.db"), UrlError::Authority);
    }

    #[cfg(unix)]
    #[test]
    fn one_file_has_one_key_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, folder.path().join("link")).unwrap();
        let key = |url: &str| open(url, folder.path()).unwrap().address().key().to_owned();

        let before = key("sqlite:real/x.db");
        assert_eq!(key("sqlite:link/x.db"), before);
        fs::write(real.join("x.db"), "").unwrap();
        assert_eq!(key("sqlite:./link/../real/x.db"), before);
    }
}
