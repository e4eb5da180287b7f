//! What lies in a bundle: every file by its name and digest, read once and without trust.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use ledger::{Digest, Hasher};

use super::{MANIFEST, archive, is_name};

/// The most files that a bundle may have; each is remembered.
const MOST_FILES: usize = 1_000_000;

/// How many oddities are told one by one.
const MOST_ODDITIES: usize = 20;

/// How many bytes are read at a time.
const CHUNK: usize = 64 * 1024;

/// The files of a bundle.
#[derive(Debug)]
pub(super) struct Contents {
    path: PathBuf,
    is_archive: bool,
    /// Every file, by its name below the bundle's folder.
    pub(super) files: BTreeMap<String, Member>,
    /// What is in there and cannot be a file of a bundle.
    pub(super) oddities: Vec<String>,
}

/// One file of a bundle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// The SHA-256 of its bytes.
    pub(super) digest: Digest,
    /// How many there are.
    pub(super) size: u64,
    /// Where they begin, in an archive.
    offset: u64,
}

impl Contents {
    /// Reads every byte of a bundle and keeps names and digests.
    ///
    /// # Errors
    ///
    /// When it cannot be read to its end: a file that ends early, an archive that is none.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut contents = Self {
            path: path.to_owned(),
            is_archive: !fs::metadata(path)?.is_dir(),
            files: BTreeMap::new(),
            oddities: Vec::new(),
        };
        if contents.is_archive {
            contents.read_archive()?;
        } else {
            contents.read_folder(path, "")?;
        }
        Ok(contents)
    }

    /// Opens one file.
    ///
    /// # Errors
    ///
    /// When it is not there, or not any more what it was.
    pub(super) fn open(&self, name: &str) -> io::Result<Box<dyn Read>> {
        let member = self.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        if self.is_archive {
            Ok(Box::new(archive::part(
                &self.path,
                member.offset,
                member.size,
            )?))
        } else {
            Ok(Box::new(
                File::open(self.path.join(name))?.take(member.size),
            ))
        }
    }

    /// Returns the text of a small file; the inner error says why it cannot be one.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(super) fn text(&self, name: &str, most: u64) -> io::Result<Result<String, String>> {
        let size = self.files.get(name).map_or(0, |member| member.size);
        if size > most {
            return Ok(Err(format!(
                "expected `{name}` to have at most {most} bytes, found {size}"
            )));
        }
        let mut bytes = Vec::new();
        self.open(name)?.read_to_end(&mut bytes)?;
        Ok(String::from_utf8(bytes)
            .map_err(|_| format!("expected `{name}` to be UTF-8, found other bytes")))
    }

    fn read_folder(&mut self, folder: &Path, within: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let plain = entry.file_name().into_string().ok();
            let name = format!(
                "{within}{}",
                plain.unwrap_or_else(|| entry.file_name().to_string_lossy().into_owned())
            );
            let kind = entry.file_type()?;
            if kind.is_dir() && within.is_empty() {
                self.read_folder(&entry.path(), &format!("{name}/"))?;
            } else if kind.is_file() && is_name(&name) {
                let mut file = BufReader::new(File::open(entry.path())?);
                self.add(name, 0, &mut file)?;
            } else {
                self.odd(&name);
            }
        }
        Ok(())
    }

    fn read_archive(&mut self) -> io::Result<()> {
        let path = self.path.clone();
        let mut named = Vec::new();
        archive::read(&path, |member, bytes| {
            if member.is_folder {
                return Ok(());
            }
            if !member.is_file {
                self.odd(&member.name);
                return Ok(());
            }
            if named.len() >= MOST_FILES {
                return Err(too_many());
            }
            let (digest, size) = digest(bytes)?;
            if size < member.size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let offset = member.offset;
            named.push((
                member.name.clone(),
                Member {
                    digest,
                    size,
                    offset,
                },
            ));
            Ok(())
        })?;
        // an archive holds the folder itself, as `tar` would pack it, or only its files
        let root = named
            .iter()
            .filter_map(|(name, _)| name.strip_suffix(MANIFEST))
            .find(|root| root.matches('/').count() <= 1 && (root.is_empty() || root.ends_with('/')))
            .unwrap_or_default()
            .to_owned();
        for (name, member) in named {
            let below = name.strip_prefix(&root).filter(|name| is_name(name));
            match below {
                Some(below) if !self.files.contains_key(below) => {
                    self.files.insert(below.to_owned(), member);
                }
                _ => self.odd(&name),
            }
        }
        Ok(())
    }

    fn add(&mut self, name: String, offset: u64, bytes: &mut dyn Read) -> io::Result<()> {
        if self.files.len() >= MOST_FILES {
            return Err(too_many());
        }
        let (digest, size) = digest(bytes)?;
        let member = Member {
            digest,
            size,
            offset,
        };
        self.files.insert(name, member);
        Ok(())
    }

    fn odd(&mut self, name: &str) {
        if self.oddities.len() < MOST_ODDITIES {
            self.oddities.push(format!(
                "expected only the files of a bundle, each once, found `{}`",
                ledger::fit(name, 200).escape_debug()
            ));
        }
    }
}

fn too_many() -> io::Error {
    io::Error::other(format!("it has more than {MOST_FILES} files"))
}

fn digest(bytes: &mut dyn Read) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::new();
    let mut chunk = vec![0; CHUNK];
    let mut size = 0;
    loop {
        match bytes.read(&mut chunk) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(count) => {
                hasher.update(&chunk[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
