//! The forms in which folders of migrations are kept: ours, and those of other tools.
//!
//! Each is one file behind `Reader`, which says of every name in a folder what it is; all of them
//! yield the same [`super::Migration`]. A folder is in one form.

mod db_migrate;
pub(crate) mod diesel;
mod drizzle;
pub(crate) mod flyway;
mod liquibase;
mod numbered;
mod prisma;
mod sqitch;
pub(crate) mod yoyo;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::folder::File;
use super::problem::Problem;
use super::style::Style;

/// The form of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The one that its files have.
    #[default]
    Auto,
    /// `VERSION_name.sql` with our own markers, or pairs.
    Mledger,
    /// `VERSION_name.sql`, or pairs.
    Sqlx,
    /// Pairs.
    GolangMigrate,
    /// `VERSION_name.sql` with `-- +goose Up`.
    Goose,
    /// `VERSION_name.sql` with `-- migrate:up`.
    Dbmate,
    /// `V1__name.sql`, undone by `U1__name.sql`.
    Flyway,
    /// `V1__name.sql` and `U1__name.sql`, which are two kinds of migration.
    Refinery,
    /// `VERSION_name/up.sql` and `down.sql`.
    Diesel,
    /// `VERSION_name/migration.sql`.
    Prisma,
    /// `0000_name.sql` beside `meta/_journal.json`.
    Drizzle,
    /// Files that begin with `--liquibase formatted sql`.
    Liquibase,
    /// `sqitch.plan` beside `deploy/name.sql` and `revert/name.sql`.
    Sqitch,
    /// `NUMBER_name.sql`, undone by `NUMBER_name.rollback.sql`.
    Yoyo,
    /// `VERSION_name.sql` with `-- Up Migration`.
    NodePgMigrate,
    /// `sqls/VERSION-name-up.sql` and `sqls/VERSION-name-down.sql`.
    DbMigrate,
}

impl Format {
    /// Every format, [`Format::Auto`] first.
    pub const ALL: &[Self] = &[
        Self::Auto,
        Self::Mledger,
        Self::Sqlx,
        Self::GolangMigrate,
        Self::Goose,
        Self::Dbmate,
        Self::Flyway,
        Self::Refinery,
        Self::Diesel,
        Self::Prisma,
        Self::Drizzle,
        Self::Liquibase,
        Self::Sqitch,
        Self::Yoyo,
        Self::NodePgMigrate,
        Self::DbMigrate,
    ];

    /// Returns the name by which it is configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Mledger => "mledger",
            Self::Sqlx => "sqlx",
            Self::GolangMigrate => "golang-migrate",
            Self::Goose => "goose",
            Self::Dbmate => "dbmate",
            Self::Flyway => "flyway",
            Self::Refinery => "refinery",
            Self::Diesel => "diesel",
            Self::Prisma => "prisma",
            Self::Drizzle => "drizzle",
            Self::Liquibase => "liquibase",
            Self::Sqitch => "sqitch",
            Self::Yoyo => "yoyo",
            Self::NodePgMigrate => "node-pg-migrate",
            Self::DbMigrate => "db-migrate",
        }
    }

    /// Returns what reads it; for [`Format::Auto`] what the names in the folder ask for.
    pub(super) fn reader(self, folder: &Path) -> Result<&'static dyn Reader, Problem> {
        Ok(match self {
            Self::Auto => return detect(folder),
            Self::Mledger | Self::Sqlx => &numbered::OURS,
            Self::GolangMigrate => &numbered::GOLANG_MIGRATE,
            Self::Goose => &numbered::GOOSE,
            Self::Dbmate => &numbered::DBMATE,
            Self::Flyway => &flyway::FLYWAY,
            Self::Refinery => &flyway::REFINERY,
            Self::Diesel => &diesel::Diesel,
            Self::Prisma => &prisma::Prisma,
            Self::Drizzle => &drizzle::Drizzle,
            Self::Liquibase => &liquibase::Liquibase,
            Self::Sqitch => &sqitch::Sqitch,
            Self::Yoyo => &yoyo::Yoyo,
            Self::NodePgMigrate => &numbered::NODE_PG_MIGRATE,
            Self::DbMigrate => &db_migrate::DbMigrate,
        })
    }

    /// Returns the form that holds for a folder: for [`Format::Auto`] the one that its files have, none where
    /// it has no migration or more than one form.
    pub fn found(self, folder: &Path) -> Option<Self> {
        if self != Self::Auto {
            return Some(self);
        }
        let reader = self.reader(folder).ok()?;
        let files = super::folder::list(folder, true, reader).0;
        (!files.is_empty() || reader.name() != numbered::ANY.name())
            .then(|| self.of(reader, &files))
    }

    /// Returns the form of these files; for [`Format::Auto`] that of their reader, or of their marks.
    pub(super) fn of(self, reader: &dyn Reader, files: &[File]) -> Self {
        let marks = || match reader.pairs_by_version(files) {
            true => Some(Self::GolangMigrate),
            false => numbered::marks(files).name().parse().ok(),
        };
        match self {
            Self::Auto => reader
                .name()
                .parse()
                .ok()
                .or_else(marks)
                .unwrap_or(Self::Mledger),
            told => told,
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|format| format.as_str() == text);
        found.copied().ok_or_else(|| {
            let names: Vec<String> = Self::ALL
                .iter()
                .map(|format| format!("`{}`", format.as_str()))
                .collect();
            format!("expected one of {}, found `{text}`", names.join(", "))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a name in a folder is.
#[derive(Debug)]
pub(super) enum Found {
    /// No migration.
    Nothing,
    /// A folder that may have migrations below it.
    Below,
    /// The files of a migration, or one of them.
    Files(Vec<File>),
    /// Something like a migration.
    Wrong(Problem),
}

/// Reads one form.
pub(super) trait Reader: Sync {
    /// Returns the name of the form, for messages.
    fn name(&self) -> &'static str;

    /// Returns the marks inside of its files; none where each file says so itself.
    fn style(&self) -> Option<Style>;

    /// Says whether the name of an entry is one that this form alone has.
    fn claims(&self, path: &Path, name: &str) -> bool;

    /// Says what an entry of the folder is.
    fn find(&self, path: &Path, name: &str) -> Found;

    /// Says whether two of these files that have one version are a pair although their names differ.
    fn pairs_by_version(&self, _files: &[File]) -> bool {
        false
    }

    /// Says what is wrong with the files taken together.
    fn check(&self, _files: &[File]) -> Option<Problem> {
        None
    }
}

/// What looks for migrations where nobody said in which form they are.
const DETECTED: [&dyn Reader; 6] = [
    &flyway::FLYWAY,
    &db_migrate::DbMigrate,
    &diesel::Diesel,
    &prisma::Prisma,
    &sqitch::Sqitch,
    &numbered::ANY,
];

fn detect(folder: &Path) -> Result<&'static dyn Reader, Problem> {
    let mut claimed: Vec<(&'static dyn Reader, PathBuf)> = Vec::new();
    // a folder that cannot be listed is a problem that the reader of any form finds
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let named = || {
        paths.iter().filter_map(|path| {
            let name = path.file_name().and_then(|name| name.to_str())?;
            Some((path, name))
        })
    };
    // one file of theirs says what the others are, which are called as those of any other
    for reader in [&drizzle::Drizzle as &dyn Reader, &yoyo::Yoyo] {
        let sign = named().find(|(path, name)| reader.claims(path, name));
        claimed.extend(sign.map(|(path, _)| (reader, path.clone())));
    }
    let is_said = !claimed.is_empty();
    for (path, name) in named() {
        // its files may be called as those of any other
        let readers: &[&dyn Reader] = if liquibase::Liquibase.claims(path, name) {
            &[&liquibase::Liquibase]
        } else {
            &DETECTED
        };
        for reader in readers {
            let known = claimed
                .iter()
                .any(|(known, _)| known.name() == reader.name());
            // their scripts have no marks: both halves of another's would run as one
            let is_theirs =
                is_said && reader.name() == numbered::ANY.name() && !numbered::is_marked(path);
            if !known && !is_theirs && reader.claims(path, name) {
                claimed.push((*reader, path.clone()));
            }
        }
    }
    match claimed.as_slice() {
        [] => Ok(&numbered::ANY),
        [(reader, _)] => Ok(*reader),
        [(first, of_first), (second, of_second), ..] => {
            Err(mixed((first.name(), of_first), (second.name(), of_second)))
        }
    }
}

/// Returns the problem of a folder in two forms.
pub(super) fn mixed(first: (&str, &Path), second: (&str, &Path)) -> Problem {
    let shown = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    Problem::new(
        "format-mixed",
        second.1,
        format!(
            "expected a folder in one form, found `{}` in that of {} and `{}` in that of {}",
            shown(first.1),
            first.0,
            shown(second.1),
            second.0
        ),
        "keep them in folders of their own; `format` in mledger.toml says which form holds",
    )
}

/// Reads `VERSION_name`, the name of a folder that is a migration.
fn named_folder(name: &str) -> Option<(super::Version, String)> {
    let (version, name) = name.split_once('_')?;
    let version = version.parse().ok()?;
    (!name.is_empty()).then(|| (version, name.to_owned()))
}

/// Says what a script is that stands where this form has none.
fn stray(path: &Path, name: &str, expected: &str) -> Found {
    if name.starts_with('.') || !super::name::looks_like_sql(name) {
        return Found::Nothing;
    }
    Found::Wrong(Problem::new(
        "name-invalid",
        path,
        format!("expected {expected}, found another name"),
        "rename the file, or move it out of the folder",
    ))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
