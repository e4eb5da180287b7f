//! Files and folders that appear whole or not at all, and never replace what is there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::error::Error;

/// How the name begins of what is being written.
const TEMPORARY: &str = ".mledger-report-";

/// Writes one file.
///
/// # Errors
///
/// [`Error::Refused`] when there is something at `path`, [`Error::Usage`] when it cannot be written.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let publish = || {
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempfile_in(parent(path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        File::open(parent(path))?.sync_all()
    };
    publish().map_err(|error| unwritten(path, &error))
}

/// Writes a folder of files.
///
/// # Errors
///
/// [`Error::Refused`] when there is something at `path`, [`Error::Usage`] when it cannot be written.
pub fn folder<'a>(
    path: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), Error> {
    let publish = || {
        // renaming replaces an empty folder
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let folder = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempdir_in(parent(path))?;
        for (name, bytes) in files {
            let mut file = File::create_new(folder.path().join(name))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        File::open(folder.path())?.sync_all()?;
        fs::rename(folder.path(), path)?;
        // it has another name now, so there is nothing to clear away
        let _moved = folder.keep();
        File::open(parent(path))?.sync_all()
    };
    publish().map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Error::refused(
            "report-exists",
            format!(
                "expected nothing at `{}`, found a file or folder",
                path.display()
            ),
            "name another place; a report never replaces anything",
        );
    }
    Error::Usage {
        code: "file-not-written",
        message: format!("cannot write the report `{}`: {error}", path.display()),
        hint: "check the folder that it goes to, its permissions and the free space".to_owned(),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
