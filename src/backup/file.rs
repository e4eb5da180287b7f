//! The file of a backup: written under a temporary name, and published whole; [`super::reader`] reads it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use age::Encryptor;
use age::stream::StreamWriter;
use ledger::Digest;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::encryption::Cipher;
use super::meter::Meter;
use super::unwritable;
use crate::context::Stop;
use crate::error::Error;
use crate::fault;

/// How the folder of a backup under way is named; what is left of one is cleared away later.
const DRAFT: &str = ".partial-";

/// The file in it that is locked as long as somebody writes there.
const LOCK: &str = "lock";

/// How hard it is compressed: as Zstandard does by itself.
const LEVEL: i32 = 3;

/// How many bytes are handed on at a time.
const CHUNK: usize = 64 * 1024;

/// A folder for what is being written, gone when it is dropped.
#[derive(Debug)]
pub struct Draft {
    folder: TempDir,
    _lock: File,
}

impl Draft {
    /// Makes the folder of backups where there is none, clears away what died half-written, and begins.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] where the folder cannot be written.
    pub fn begin(within: &Path) -> Result<Self, Error> {
        let doing = format!("writing into the folder of backups `{}`", within.display());
        let begin = || -> io::Result<Self> {
            make_private(within)?;
            clear_away(within)?;
            let folder = tempfile::Builder::new().prefix(DRAFT).tempdir_in(within)?;
            let lock = File::create(folder.path().join(LOCK))?;
            lock.lock()?;
            Ok(Self {
                folder,
                _lock: lock,
            })
        };
        begin().map_err(|error| unwritable(&doing, &error))
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the backup's file.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] where it cannot be written.
    pub fn writer(&self, cipher: &Cipher) -> Result<Writer, Error> {
        let path = self.folder.path().join("file");
        Writer::create(&path, cipher).map_err(|error| unwritable("starting the backup", &error))
    }

    /// Gives the finished file its name; from then on it is there, also after a crash.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] where that cannot be done: then there is no file of this name.
    pub fn publish(self, writer: Writer, target: &Path) -> Result<Written, Error> {
        let publish = || -> io::Result<Written> {
            let written = writer.finish()?;
            fault::reach("backup::before-publish");
            fs::rename(self.folder.path().join("file"), target)?;
            if let Some(folder) = target.parent() {
                File::open(folder)?.sync_all()?;
            }
            Ok(written)
        };
        let doing = format!("writing the backup `{}`", target.display());
        publish().map_err(|error| unwritable(&doing, &error))
    }
}

/// Only its owner may look into a folder of backups.
fn make_private(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Removes the drafts that nobody writes to any more: their lock is free.
fn clear_away(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_draft = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(DRAFT));
        // without its lock a draft is just being made
        let Some(lock) = is_draft
            .then(|| File::open(entry.path().join(LOCK)).ok())
            .flatten()
        else {
            continue;
        };
        if lock.try_lock().is_ok() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The SHA-256 of the file.
    pub sha256: Digest,
    /// How many bytes it has.
    pub size: u64,
}

/// Compresses, encrypts, hashes and writes.
pub struct Writer {
    encoder: zstd::Encoder<'static, Seal>,
    meter: Meter,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Writer")
    }
}

enum Seal {
    Open(Hashing),
    Age(Box<StreamWriter<Hashing>>),
}

impl Writer {
    fn create(path: &Path, cipher: &Cipher) -> io::Result<Self> {
        let file = private(path)?;
        let hashing = Hashing {
            file,
            hash: Sha256::new(),
            size: 0,
        };
        let seal = if cipher.encrypts() {
            let recipients = cipher.recipients().iter().map(|to| to as _);
            let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
            Seal::Age(Box::new(encryptor.wrap_output(hashing)?))
        } else {
            Seal::Open(hashing)
        };
        let mut encoder = zstd::Encoder::new(seal, LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self {
            encoder,
            meter: Meter::default(),
        })
    }

    /// Tells `meter` of every byte that is written, as it was before it is compressed.
    #[must_use]
    pub fn metered(self, meter: Meter) -> Self {
        Self { meter, ..self }
    }

    fn finish(self) -> io::Result<Written> {
        let hashing = match self.encoder.finish()? {
            Seal::Open(hashing) => hashing,
            Seal::Age(stream) => stream.finish()?,
        };
        hashing.file.sync_all()?;
        Ok(Written {
            sha256: digest(hashing.hash),
            size: hashing.size,
        })
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.encoder.write(bytes)?;
        self.meter.add(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

impl Write for Seal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(hashing) => hashing.write(bytes),
            Self::Age(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(hashing) => hashing.flush(),
            Self::Age(stream) => stream.flush(),
        }
    }
}

struct Hashing {
    file: File,
    hash: Sha256,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::reach("backup::while-writing");
        let count = self.file.write(bytes)?;
        if let Some(written) = bytes.get(..count) {
            self.hash.update(written);
            self.size += written.len() as u64;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Creates a file that only its owner may read.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

fn digest(hash: Sha256) -> Digest {
    Digest::from_bytes(hash.finalize().into())
}

/// Hands a file on to what is being written.
///
/// # Errors
///
/// [`Error::Backup`], [`Error::Stopped`].
pub(super) fn hand_over(path: &Path, writer: &mut Writer, stop: &Stop) -> Result<(), Error> {
    let fail = |error| unwritable("writing the backup", &error);
    let mut file = File::open(path).map_err(fail)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        if let Some(reason) = stop.requested() {
            return Err(Error::Stopped {
                reason,
                done: Box::default(),
            });
        }
        let count = file.read(&mut chunk).map_err(fail)?;
        let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(());
        };
        writer.write_all(read).map_err(fail)?;
    }
}

/// Returns what a file is now.
///
/// # Errors
///
/// What the disk said.
pub fn measure(path: &Path, each: &mut dyn FnMut(u64)) -> io::Result<Written> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk)?;
        let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else {
            break;
        };
        hash.update(read);
        size += read.len() as u64;
        each(size);
    }
    Ok(Written {
        sha256: digest(hash),
        size,
    })
}

/// Returns the file of a backup: where it was written, or under the same name in the folder of today.
pub fn locate(location: &str, folder: &Path) -> PathBuf {
    let recorded = PathBuf::from(location);
    let moved = recorded.file_name().map(|name| folder.join(name));
    match moved {
        Some(moved) if !recorded.is_file() && moved.is_file() => moved,
        _ => recorded,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::reader::Reader;
    use super::*;

    const KEY: &str = "5f6c0e2b9a7d4c318e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f";
    const OTHER: &str = "006c0e2b9a7d4c318e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f";

    fn write(folder: &Path, cipher: &Cipher, content: &[u8]) -> (PathBuf, Written) {
        let draft = Draft::begin(folder).unwrap();
        let mut writer = draft.writer(cipher).unwrap();
        writer.write_all(content).unwrap();
        let path = folder.join("a.zst");
        let written = draft.publish(writer, &path).unwrap();
        (path, written)
    }

    #[test]
    fn what_is_written_is_read_back_and_measured() {
        let content = b"CREATE TABLE t (x);\n".repeat(20_000);
        for key in [None, Some(KEY)] {
            let folder = tempfile::tempdir().unwrap();
            let cipher = Cipher::new(&[], key).unwrap();
            let (path, written) = write(folder.path(), &cipher, &content);
            assert_eq!(measure(&path, &mut |_| {}).unwrap(), written);
            assert!(written.size < content.len() as u64 / 10);
            let mut back = Vec::new();
            let mut reader =
                Reader::open(&path, key.is_some(), &cipher, &Meter::default()).unwrap();
            reader.read_to_end(&mut back).unwrap();
            assert!(back == content);
            let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
            assert_eq!(left.len(), 1, "only the backup stays");
        }
    }

    #[test]
    fn another_key_and_a_changed_byte_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let cipher = Cipher::new(&[], Some(KEY)).unwrap();
        let (path, _) = write(folder.path(), &cipher, &[7; 100_000]);
        let wrong = Cipher::new(&[], Some(OTHER)).unwrap();
        let refused = Reader::open(&path, true, &wrong, &Meter::default()).unwrap_err();
        assert_eq!(refused.code(), "backup-key-wrong");
        let none = Reader::open(&path, true, &Cipher::default(), &Meter::default()).unwrap_err();
        assert_eq!(none.code(), "backup-key-missing");
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(
            Reader::open(&path, true, &cipher, &Meter::default())
                .unwrap()
                .drain()
                .is_err()
        );
        fs::write(&path, &bytes[..last]).unwrap();
        assert!(
            Reader::open(&path, true, &cipher, &Meter::default())
                .unwrap()
                .drain()
                .is_err()
        );
    }

    #[test]
    fn what_died_half_written_is_cleared_away_and_what_lives_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let alive = Draft::begin(folder.path()).unwrap();
        let dead = folder.path().join(".partial-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("file"), "half").unwrap();
        drop(Draft::begin(folder.path()).unwrap());
        assert!(alive.path().is_dir());
        assert!(!dead.exists());
    }
}
