//! The files of a folder that are migrations by their names, and their bytes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Version;
use super::changeset::Changeset;
use super::format::{Found, Reader};
use super::name::Part;
use super::problem::Problem;

/// A file that is a migration, or half of one, by its name.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) version: Version,
    pub(super) name: String,
    pub(super) part: Part,
    /// It stands for all up to its version.
    pub(super) baseline: bool,
    /// What stands beside the file asks for no transaction.
    pub(super) no_transaction: bool,
    /// The part of the file that is the migration, where it is not all of it.
    pub(super) changeset: Option<Changeset>,
    /// What the tool of its form knows it by, where that is more than version and name.
    pub(super) identity: Option<String>,
}

/// Lists the migrations of a folder in no order, and what is wrong with names and folders.
pub(super) fn list(
    folder: &Path,
    recursive: bool,
    reader: &dyn Reader,
) -> (Vec<File>, Vec<Problem>) {
    let mut listing = Listing {
        reader,
        recursive,
        seen: BTreeSet::new(),
        files: Vec::new(),
        problems: Vec::new(),
    };
    listing.walk(folder);
    (listing.files, listing.problems)
}

/// Reads a file whole; only a regular one, since a pipe or a device might never end.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        return Err(irregular(path));
    }
    fs::read(path).map_err(|error| unreadable(path, &error))
}

struct Listing<'a> {
    reader: &'a dyn Reader,
    recursive: bool,
    /// The folders that were walked, without symbolic links.
    seen: BTreeSet<PathBuf>,
    files: Vec<File>,
    problems: Vec<Problem>,
}

impl Listing<'_> {
    fn walk(&mut self, folder: &Path) {
        // a link that leads back to a folder above it is walked once
        if let Ok(real) = folder.canonicalize()
            && !self.seen.insert(real)
        {
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.problems.push(Problem::new(
                    "folder-unreadable",
                    folder,
                    format!("expected a folder of migrations: {error}"),
                    "`mledger init` makes one, and `--migrations DIR` names another",
                ));
                return;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.take(&entry.path()),
                Err(error) => self.problems.push(Problem::new(
                    "folder-unreadable",
                    folder,
                    format!("the folder cannot be listed: {error}"),
                    "check its permissions",
                )),
            }
        }
    }

    fn take(&mut self, path: &Path) {
        let file_name = path.file_name().unwrap_or_default();
        let hidden = file_name.as_encoded_bytes().starts_with(b".");
        let Some(name) = file_name.to_str() else {
            self.problems.push(Problem::new(
                "name-invalid",
                path,
                "expected a file name in UTF-8",
                "rename the file",
            ));
            return;
        };
        match self.reader.find(path, name) {
            Found::Nothing => {}
            Found::Below => {
                if self.recursive && !hidden {
                    self.walk(path);
                }
            }
            Found::Files(files) => self.files.extend(files),
            Found::Wrong(problem) => self.problems.push(problem),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(
        "file-unreadable",
        path,
        format!("the file cannot be read: {error}"),
        "check its permissions",
    )
}

fn irregular(path: &Path) -> Problem {
    Problem::new(
        "file-unreadable",
        path,
        "expected a regular file, found a folder, a pipe or a device",
        "rename it, or move it out of the folder",
    )
}
