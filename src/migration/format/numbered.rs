//! `VERSION_name.sql`, in sections or in pairs: our own form, and that of sqlx, golang-migrate, goose,
//! dbmate and node-pg-migrate, which differ in their marks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::Version;
use super::super::folder::File;
use super::super::name::{Name, Part};
use super::super::problem::Problem;
use super::super::style::Style;
use super::{Found, Reader};

/// The form with one sort of marks, or any.
pub(super) struct Numbered {
    name: &'static str,
    style: Option<Style>,
    /// Another ending of migrations that are programs.
    program: Option<&'static str>,
    /// When two files are a pair by their version alone.
    loose: Loose,
}

/// When the names of two files of one version do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loose {
    Never,
    /// Where the folder shows that it is one of golang-migrate: pairs alone, of which some have one name.
    Shown,
    Always,
}

pub(super) const ANY: Numbered = Numbered {
    name: "numbered files",
    style: None,
    program: None,
    loose: Loose::Shown,
};

pub(super) const OURS: Numbered = Numbered {
    name: "mledger",
    style: Some(Style::Ours),
    program: None,
    loose: Loose::Never,
};

pub(super) const GOLANG_MIGRATE: Numbered = Numbered {
    name: "golang-migrate",
    style: Some(Style::Ours),
    program: None,
    loose: Loose::Always,
};

pub(super) const GOOSE: Numbered = Numbered {
    name: "goose",
    style: Some(Style::Goose),
    program: Some(".go"),
    loose: Loose::Never,
};

pub(super) const DBMATE: Numbered = Numbered {
    name: "dbmate",
    style: Some(Style::Dbmate),
    program: None,
    loose: Loose::Never,
};

pub(super) const NODE_PG_MIGRATE: Numbered = Numbered {
    name: "node-pg-migrate",
    style: Some(Style::NodePgMigrate),
    program: None,
    loose: Loose::Never,
};

/// Says whether a file has a mark of a form that keeps both scripts in one file.
pub(super) fn is_marked(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| Style::marked(&text).is_some())
}

/// Returns the marks of the first file that may have any.
pub(super) fn marks(files: &[File]) -> Style {
    let one = files.iter().find(|file| file.part == Part::Both);
    let text = one.and_then(|file| fs::read_to_string(&file.path).ok());
    text.map_or(Style::Ours, |text| Style::of(&text))
}

/// Says whether files are those of a folder in which the version makes a pair: halves alone, never more
/// than two of a version, with one name in some of the pairs and two in others.
fn shows_pairs_by_version(files: &[File]) -> bool {
    let mut versions: BTreeMap<&Version, [Option<&File>; 2]> = BTreeMap::new();
    for file in files {
        let halves = versions.entry(&file.version).or_default();
        let half = match file.part {
            Part::Both => return false,
            Part::Up => &mut halves[0],
            Part::Down => &mut halves[1],
        };
        if half.replace(file).is_some() {
            return false;
        }
    }
    let (mut alike, mut unlike) = (false, false);
    for halves in versions.values() {
        if let [Some(up), Some(down)] = halves {
            alike |= up.name == down.name;
            unlike |= up.name != down.name;
            if up.path.parent() != down.path.parent() {
                return false;
            }
        }
    }
    alike && unlike
}

impl Reader for Numbered {
    fn name(&self) -> &'static str {
        self.name
    }

    fn style(&self) -> Option<Style> {
        self.style
    }

    fn claims(&self, path: &Path, name: &str) -> bool {
        matches!(Name::of(name), Name::Migration(..)) && path.is_file()
    }

    fn pairs_by_version(&self, files: &[File]) -> bool {
        match self.loose {
            Loose::Never => false,
            Loose::Shown => shows_pairs_by_version(files),
            Loose::Always => true,
        }
    }

    fn find(&self, path: &Path, name: &str) -> Found {
        if let Some(ending) = self.program
            && let Some(stem) = name.strip_suffix(ending)
            && stem.starts_with(|first: char| first.is_ascii_digit())
            && !stem.ends_with("_test")
        {
            return Found::Wrong(Problem::new(
                "name-invalid",
                path,
                "expected migrations in SQL, found one that is a program",
                "write it as SQL, or move it out of the folder once it is applied everywhere",
            ));
        }
        match Name::of(name) {
            Name::Migration(version, name, part) => Found::Files(vec![File {
                path: path.to_owned(),
                version,
                name,
                part,
                baseline: false,
                no_transaction: false,
                changeset: None,
                identity: None,
            }]),
            _ if path.is_dir() => Found::Below,
            Name::Other => Found::Nothing,
            Name::Invalid(found, hint) => Found::Wrong(Problem::new(
                "name-invalid",
                path,
                format!(
                    "expected `VERSION_name.sql`, `VERSION_name.up.sql` or `VERSION_name.down.sql`, \
                     found {found}"
                ),
                hint,
            )),
        }
    }
}
