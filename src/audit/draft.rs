//! A bundle that is being written: under a temporary name, until it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ledger::{Digest, Hasher};
use tempfile::TempDir;

use super::archive;
use super::manifest::Manifest;
use super::{MANIFEST, MANIFEST_SIGNATURE, OBJECTS};

/// How the name of a bundle begins that is being written.
const TEMPORARY: &str = ".mledger-export-";

/// The folder under construction; it is gone when this is dropped before it was published.
#[derive(Debug)]
pub(crate) struct Draft {
    folder: TempDir,
    target: PathBuf,
    files: Manifest,
}

/// One file that is being written and hashed.
pub(crate) struct Part {
    name: String,
    file: BufWriter<File>,
    hasher: Hasher,
}

/// A bundle whose bytes are on the disk and that only lacks its name.
#[derive(Debug)]
pub(crate) struct Finished {
    place: Place,
    target: PathBuf,
    /// The digest of its manifest.
    pub(crate) manifest: Digest,
    /// How many files it has.
    pub(crate) files: u64,
}

#[derive(Debug)]
enum Place {
    Folder(TempDir),
    Archive(tempfile::NamedTempFile),
}

impl Draft {
    /// Begins beside the place that the bundle will have.
    pub(crate) fn begin(target: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempdir_in(parent(target))?;
        fs::create_dir(folder.path().join(OBJECTS))?;
        Ok(Self {
            folder,
            target: target.to_owned(),
            files: Manifest::default(),
        })
    }

    /// Begins one file, in a folder that may have to be made.
    pub(crate) fn part(&self, name: &str) -> io::Result<Part> {
        let path = self.folder.path().join(name);
        fs::create_dir_all(parent(&path))?;
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Part {
            name: name.to_owned(),
            file: BufWriter::new(file),
            hasher: Hasher::new(),
        })
    }

    /// Ends one file.
    pub(crate) fn close(&mut self, part: Part) -> io::Result<()> {
        let file = part
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        self.files.0.insert(part.name, part.hasher.finish());
        Ok(())
    }

    /// Writes one file.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut part = self.part(name)?;
        part.write_all(bytes)?;
        self.close(part)
    }

    /// Returns the list of the files so far.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.files
    }

    /// Adds the list of all files and its signature, and makes sure that all bytes are on the disk.
    ///
    /// Where the target ends in `.tar.zst`, the files become one. `time` is what that file says of
    /// when they were written, in seconds.
    pub(crate) fn finish(mut self, signature: &str, time: u64) -> io::Result<Finished> {
        let manifest = self.files.to_string();
        self.write(MANIFEST, manifest.as_bytes())?;
        self.write(MANIFEST_SIGNATURE, signature.as_bytes())?;
        for folder in [self.folder.path().join(OBJECTS), self.folder.path().into()] {
            File::open(folder)?.sync_all()?;
        }
        let place = if archive::is_archive(&self.target) {
            let mut file = tempfile::Builder::new()
                .prefix(TEMPORARY)
                .tempfile_in(parent(&self.target))?;
            let names = self.files.0.keys();
            let root = archive::root_for(&self.target);
            archive::write(file.as_file_mut(), self.folder.path(), &root, names, time)?;
            file.as_file().sync_all()?;
            Place::Archive(file)
        } else {
            Place::Folder(self.folder)
        };
        Ok(Finished {
            place,
            target: self.target,
            manifest: Digest::of(manifest.as_bytes()),
            files: self.files.0.len() as u64,
        })
    }
}

impl Finished {
    /// Gives the bundle its name; an existing file or folder is never replaced.
    pub(crate) fn publish(self) -> io::Result<()> {
        match self.place {
            Place::Archive(file) => {
                file.persist_noclobber(&self.target)
                    .map_err(|error| error.error)?;
            }
            Place::Folder(folder) => {
                // renaming replaces an empty folder
                if self.target.symlink_metadata().is_ok() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                fs::rename(folder.path(), &self.target)?;
                // it has another name now, so there is nothing to clear away
                let _moved = folder.keep();
            }
        }
        File::open(parent(&self.target))?.sync_all()
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
