//! The one-file form of a bundle: POSIX ustar in Zstandard (RFC 8878).

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use tar::{Archive, Builder, EntryType, Header};

/// How the name of the one-file form ends.
const ENDING: &str = ".tar.zst";

/// How hard it is compressed: as Zstandard does by itself.
const LEVEL: i32 = 3;

/// The folder in the archive where its own name is no plain one.
const ROOT: &str = "bundle";

/// How many bytes may follow the archive's end: `tar` fills its last block of 10 KiB with zeros, and
/// some fill larger ones.
const PADDING: u64 = 1 << 20;

/// Says whether a bundle of this name is one file.
pub(super) fn is_archive(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.len() > ENDING.len() && name.ends_with(ENDING))
}

/// Returns the folder that an archive of this name unpacks to.
pub(super) fn root_for(path: &Path) -> String {
    let stem = path
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.strip_suffix(ENDING))
        .unwrap_or(ROOT);
    if stem.len() <= 80 && !stem.contains('/') && super::is_name(stem) {
        stem.to_owned()
    } else {
        ROOT.to_owned()
    }
}

/// Writes the files of these names into an archive, below the folder `root`.
pub(super) fn write<'a>(
    file: &mut File,
    folder: &Path,
    root: &str,
    names: impl Iterator<Item = &'a String>,
    time: u64,
) -> io::Result<()> {
    let mut encoder = zstd::Encoder::new(file, LEVEL)?;
    encoder.include_checksum(true)?;
    let mut builder = Builder::new(encoder);
    for name in names {
        let file = File::open(folder.join(name))?;
        let mut header = Header::new_ustar();
        header.set_size(file.metadata()?.len());
        header.set_mode(0o644);
        header.set_mtime(time);
        builder.append_data(&mut header, format!("{root}/{name}"), BufReader::new(file))?;
    }
    builder.into_inner()?.finish()?.flush()
}

/// One file of an archive.
pub(super) struct Member {
    /// Its name, as it stands there.
    pub(super) name: String,
    /// It is a plain file.
    pub(super) is_file: bool,
    /// It is a folder.
    pub(super) is_folder: bool,
    /// Where its bytes begin in what the archive unpacks to.
    pub(super) offset: u64,
    /// How many there are.
    pub(super) size: u64,
}

/// Hands each member to `each`, with its bytes, and reads the archive to its end.
///
/// Nothing of what a member claims is believed: no name is used as a path, no size as a capacity, and
/// the forms that change the meaning of other members are handed on as what they are.
pub(super) fn read(
    path: &Path,
    mut each: impl FnMut(&Member, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = Archive::new(open(path)?);
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let member = Member {
            name: String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
            is_file: matches!(kind, EntryType::Regular),
            is_folder: kind.is_dir(),
            offset: entry.raw_file_position(),
            size: entry.size(),
        };
        each(&member, &mut entry)?;
        let left = io::copy(&mut entry, &mut io::sink())?;
        let _ = left;
    }
    let mut rest = archive.into_inner();
    let mut padding = Vec::new();
    rest.by_ref().take(PADDING + 1).read_to_end(&mut padding)?;
    if padding.len() as u64 > PADDING || padding.iter().any(|byte| *byte != 0) {
        return Err(io::Error::other("there is something behind its end"));
    }
    Ok(())
}

/// Opens one member by its place.
pub(super) fn part(path: &Path, offset: u64, size: u64) -> io::Result<impl Read + use<>> {
    let mut unpacked = open(path)?;
    let skipped = io::copy(&mut unpacked.by_ref().take(offset), &mut io::sink())?;
    if skipped < offset {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(unpacked.take(size))
}

fn open(path: &Path) -> io::Result<zstd::Decoder<'static, BufReader<File>>> {
    zstd::Decoder::new(File::open(path)?)
}
