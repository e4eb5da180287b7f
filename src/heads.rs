//! Heads that were seen, remembered in files outside the database.
//!
//! A remembered head is what makes truncation visible on this machine: a log that is shorter than
//! it was, or differs at that size, was tampered with. One JSON file for each address, named by the
//! address's SHA-256; each is replaced whole, under a lock that dies with its holder.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ledger::{Digest, Head};
use serde::{Deserialize, Serialize};

use crate::context::{Heads, Remembered};
use crate::fault;

/// How long another process that writes a head is waited for: no longer, since a process that was
/// suspended there must not hold up the others.
const PATIENCE: Duration = Duration::from_secs(1);

/// Remembers heads in a folder, which is made when there is something to remember.
#[derive(Debug, Clone)]
pub struct FileHeads {
    folder: PathBuf,
}

impl FileHeads {
    /// Remembers heads in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Returns the file in which the head of this address is kept.
    pub fn file(&self, address: &str) -> PathBuf {
        self.folder
            .join(format!("{}.json", Digest::of(address.as_bytes())))
    }

    fn lock(&self, address: &str) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.file(address).with_extension("lock"))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Heads for FileHeads {
    fn recall(&self, address: &str) -> Result<Option<Remembered>, String> {
        read(&self.file(address), address)
    }

    fn remember(&self, address: &str, seen: &Remembered) -> Result<(), String> {
        let path = self.file(address);
        if read(&path, address)?.is_some_and(|kept| keeps(&kept, seen)) {
            return Ok(());
        }
        let unwritten = |error: io::Error| unwritten(&path, &error);
        let lock = self.lock(address).map_err(unwritten)?;
        // another process may have written between the first look and the lock
        if let Some(kept) = read(&path, address)? {
            if keeps(&kept, seen) {
                return Ok(());
            }
            if kept.lineage == seen.lineage && kept.head.size == seen.head.size {
                return Err(format!(
                    "expected the remembered head `{}` at size {} in `{}`, found `{}`",
                    kept.head.hash,
                    kept.head.size,
                    path.display(),
                    seen.head.hash
                ));
            }
        }
        replace(&self.folder, &path, &Kept::new(address, seen)).map_err(unwritten)?;
        drop(lock);
        Ok(())
    }

    fn forget(&self, address: &str) -> Result<(), String> {
        let path = self.file(address);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!(
                "cannot remove the remembered head `{}`: {error}",
                path.display()
            )),
            _ => Ok(()),
        }
    }
}

/// Says whether `kept` already covers `seen`: the same ledger, as far or further on.
///
/// A rewind makes the log shorter and its lineage longer, so the longer lineage is the newer one.
fn keeps(kept: &Remembered, seen: &Remembered) -> bool {
    if kept.lineage == seen.lineage {
        kept.head == seen.head || kept.head.size > seen.head.size
    } else {
        kept.lineage.starts_with(&seen.lineage)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    v: u64,
    address: String,
    lineage: Vec<Digest>,
    size: u64,
    hash: Digest,
    root: Digest,
}

impl Kept {
    fn new(address: &str, seen: &Remembered) -> Self {
        Self {
            v: 1,
            address: address.to_owned(),
            lineage: seen.lineage.clone(),
            size: seen.head.size,
            hash: seen.head.hash,
            root: seen.root,
        }
    }
}

fn read(path: &Path, address: &str) -> Result<Option<Remembered>, String> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(format!(
                "cannot read the remembered head `{}`: {error}",
                path.display()
            ));
        }
    };
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| {
        format!(
            "expected a remembered head in `{}`, found something else: {error}",
            path.display()
        )
    })?;
    if kept.v != 1 || kept.address != address {
        return Err(format!(
            "expected the head of `{address}` in form 1 in `{}`, found that of `{}` in form {}",
            path.display(),
            kept.address,
            kept.v
        ));
    }
    Ok(Some(Remembered {
        lineage: kept.lineage,
        head: Head {
            size: kept.size,
            hash: kept.hash,
        },
        root: kept.root,
    }))
}

fn replace(folder: &Path, path: &Path, kept: &Kept) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".mledger-")
        .tempfile_in(folder)?;
    serde_json::to_writer_pretty(&mut file, kept)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    fault::reach("heads::before-replace");
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

fn unwritten(path: &Path, error: &io::Error) -> String {
    format!(
        "cannot write the remembered head `{}`: {error}",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const ADDRESS: &str = "sqlite:/srv/shop.db";

    fn seen(lineage: &[&str], size: u64) -> Remembered {
        Remembered {
            lineage: lineage.iter().map(|id| Digest::of(id.as_bytes())).collect(),
            head: Head {
                size,
                hash: Digest::of(&size.to_be_bytes()),
            },
            root: Digest::of(b"root"),
        }
    }

    #[test]
    fn a_smaller_head_never_replaces_a_larger_one() {
        let folder = tempfile::tempdir().unwrap();
        let heads = FileHeads::new(folder.path().join("heads"));
        assert_eq!(heads.recall(ADDRESS), Ok(None));
        assert!(
            !folder.path().join("heads").exists(),
            "reading makes nothing"
        );
        heads.remember(ADDRESS, &seen(&["a"], 9)).unwrap();
        heads.remember(ADDRESS, &seen(&["a"], 7)).unwrap();
        assert_eq!(heads.recall(ADDRESS), Ok(Some(seen(&["a"], 9))));
        heads.remember(ADDRESS, &seen(&["a"], 12)).unwrap();
        assert_eq!(heads.recall(ADDRESS), Ok(Some(seen(&["a"], 12))));
        assert_eq!(heads.recall("sqlite:/srv/other.db"), Ok(None));
    }

    #[test]
    fn a_rewound_ledger_is_newer_though_it_is_shorter() {
        let folder = tempfile::tempdir().unwrap();
        let heads = FileHeads::new(folder.path());
        heads.remember(ADDRESS, &seen(&["a"], 12)).unwrap();
        heads.remember(ADDRESS, &seen(&["a", "b"], 5)).unwrap();
        heads.remember(ADDRESS, &seen(&["a"], 13)).unwrap();
        assert_eq!(heads.recall(ADDRESS), Ok(Some(seen(&["a", "b"], 5))));
        heads.remember(ADDRESS, &seen(&["c"], 1)).unwrap();
        assert_eq!(heads.recall(ADDRESS), Ok(Some(seen(&["c"], 1))));
        heads.forget(ADDRESS).unwrap();
        heads.forget(ADDRESS).unwrap();
        assert_eq!(heads.recall(ADDRESS), Ok(None));
    }

    #[test]
    fn two_hashes_of_one_size_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let heads = FileHeads::new(folder.path());
        heads.remember(ADDRESS, &seen(&["a"], 3)).unwrap();
        let mut other = seen(&["a"], 3);
        other.head.hash = Digest::of(b"other");
        assert!(
            heads
                .remember(ADDRESS, &other)
                .unwrap_err()
                .contains("at size 3")
        );
    }

    #[test]
    fn the_largest_of_many_writers_stays() {
        let folder = tempfile::tempdir().unwrap();
        let heads = FileHeads::new(folder.path());
        thread::scope(|scope| {
            for writer in 0..8_u64 {
                let heads = &heads;
                scope.spawn(move || {
                    for round in 0..20 {
                        heads
                            .remember(ADDRESS, &seen(&["a"], 1 + round * 8 + writer))
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(heads.recall(ADDRESS), Ok(Some(seen(&["a"], 160))));
    }

    #[test]
    fn a_writer_that_does_not_go_on_holds_up_nobody_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let heads = FileHeads::new(folder.path());
        let lock = heads.lock(ADDRESS).unwrap();
        let error = heads.remember(ADDRESS, &seen(&["a"], 3)).unwrap_err();
        assert!(error.contains("cannot write"), "{error}");
        drop(lock);
        heads.remember(ADDRESS, &seen(&["a"], 3)).unwrap();
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let heads = FileHeads::new(folder.path());
        heads.remember(ADDRESS, &seen(&["a"], 3)).unwrap();
        let file = heads.file(ADDRESS);
        for damage in ["", "{}", "{\"v\":1", "[1]"] {
            fs::write(&file, damage).unwrap();
            let error = heads.recall(ADDRESS).unwrap_err();
            assert!(error.contains(file.to_str().unwrap()), "{error}");
            assert!(
                heads.remember(ADDRESS, &seen(&["a"], 4)).is_err(),
                "{damage}"
            );
        }
    }
}
