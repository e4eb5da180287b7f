//! The file of a backup read back: decrypted and expanded, to its end.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use age::stream::StreamReader;
use age::{DecryptError, Decryptor};

use super::encryption::Cipher;
use super::file::private;
use super::meter::Meter;
use super::{failed, unwritable};
use crate::error::Error;

/// Reads a backup's file back: decrypts and expands.
pub struct Reader(zstd::Decoder<'static, BufReader<Box<dyn Read + Send>>>);

impl std::fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Reader")
    }
}

impl Reader {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where it is encrypted for others, [`Error::Backup`] where it cannot be read.
    pub fn open(
        path: &Path,
        encrypted: bool,
        cipher: &Cipher,
        meter: &Meter,
    ) -> Result<Self, Error> {
        let doing = format!("reading the backup `{}`", path.display());
        let open = || -> io::Result<Metered> {
            let file = File::open(path)?;
            let meter = meter.of(file.metadata()?.len());
            Ok(Metered { file, meter })
        };
        let file = open().map_err(|error| unwritable(&doing, &error))?;
        let source: Box<dyn Read + Send> = if encrypted {
            Box::new(decrypted(file, cipher, &doing)?)
        } else {
            Box::new(file)
        };
        zstd::Decoder::new(source)
            .map(Self)
            .map_err(|error| unwritable(&doing, &error))
    }

    /// Reads to the end, and returns how many bytes there were.
    ///
    /// # Errors
    ///
    /// What is wrong with the content.
    pub fn drain(mut self) -> io::Result<u64> {
        io::copy(&mut self, &mut io::sink())
    }

    /// Writes everything to a file that only its owner may read.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`].
    pub(super) fn unpack(mut self, path: &Path) -> Result<(), Error> {
        let mut unpack = || -> io::Result<()> {
            let mut file = private(path)?;
            io::copy(&mut self, &mut file)?;
            file.sync_all()
        };
        unpack().map_err(|error| unwritable("unpacking the backup", &error))
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// A file that tells how much of it was read.
struct Metered {
    file: File,
    meter: Meter,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.meter.add(count as u64);
        Ok(count)
    }
}

fn decrypted(
    file: Metered,
    cipher: &Cipher,
    doing: &str,
) -> Result<StreamReader<BufReader<Metered>>, Error> {
    let Some(identity) = cipher.identity() else {
        return Err(Error::Usage {
            code: "backup-key-missing",
            message: format!("{doing}: it is encrypted, and no key is given"),
            hint: "give the key in the variable BACKUP_ENCRYPTION_KEY".to_owned(),
        });
    };
    let refused = |error: DecryptError| match error {
        DecryptError::NoMatchingKeys => Error::Usage {
            code: "backup-key-wrong",
            message: format!("{doing}: it is encrypted for another key than the one given"),
            hint: "give the key that it was made with, or that of a recipient, in the variable \
                   BACKUP_ENCRYPTION_KEY"
                .to_owned(),
        },
        DecryptError::Io(error) => unwritable(doing, &error),
        // the library's own words would tell how to use another program
        _ => failed(
            format!("{doing}: it is not a file of the age format, or was changed"),
            "compare it with `mledger backup verify`",
        ),
    };
    Decryptor::new_buffered(BufReader::new(file))
        .and_then(|decryptor| decryptor.decrypt(std::iter::once(identity as _)))
        .map_err(refused)
}
