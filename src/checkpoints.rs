//! Checkpoints kept beside the migrations, one file an environment (docs/format.md section 8).
//!
//! `<environment>-<first 8 digits of the first ledger id>.checkpoint` is replaced whole by every
//! command that writes, and is meant to be committed: whoever cuts events off in the database
//! cannot cut them out of the project's history as well. A note that others have signed too is kept
//! as `<environment>-<id>-<size>.checkpoint` when the next one takes its place.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use ledger::{Checkpoint, Digest, Kept};

/// How the names of the files end.
const EXTENSION: &str = ".checkpoint";

/// The most bytes that a file is read of; a note cannot be longer.
const LONGEST: u64 = 1 << 20;

/// Where checkpoints are kept, and in which environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder, which is made when there is something to keep.
    pub folder: PathBuf,
    /// They are kept for databases of development too, which come and go.
    pub in_development: bool,
}

/// The folder as it was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(Vec<Kept>);

impl Shelf {
    /// Reads the notes of a folder; one that is not there holds none.
    ///
    /// # Errors
    ///
    /// A sentence about a folder that cannot be listed. A *file* that cannot be read matters only to
    /// the ledger that it belongs to, and is told to that.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let refused = |error: io::Error| {
            format!(
                "cannot read the folder of checkpoints `{}`: {error}",
                folder.display()
            )
        };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(refused(error)),
        };
        let mut kept = Vec::new();
        for entry in entries {
            let path = entry.map_err(refused)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(name) = name.filter(|name| Label::parse(name).is_some()) {
                kept.push(Kept {
                    label: name.to_owned(),
                    note: note(&path),
                });
            }
        }
        kept.sort_by(|one, other| one.label.cmp(&other.label));
        Ok(Self(kept))
    }

    /// Returns what a verification is told.
    pub(crate) fn notes(&self) -> Vec<Kept> {
        self.0.clone()
    }

    /// Returns the names of the files that say of another ledger that it is this environment's.
    pub(crate) fn strangers(&self, environment: &str, first: &Digest) -> Vec<String> {
        let own = Label::of(environment, first);
        self.0
            .iter()
            .filter(|kept| {
                Label::parse(&kept.label).is_some_and(|label| {
                    label.environment == own.environment && label.ledger != own.ledger
                })
            })
            .map(|kept| kept.label.clone())
            .collect()
    }

    /// Returns a file of this environment's that is about one of the ids: there was such a ledger.
    pub(crate) fn about(&self, ledger: &Digest) -> Option<String> {
        let origin = |kept: &&Kept| {
            kept.note.as_deref().is_ok_and(
                |text| matches!(Checkpoint::parse(text), Ok((found, _)) if found.ledger == *ledger),
            )
        };
        self.0.iter().find(origin).map(|kept| kept.label.clone())
    }
}

/// Tells whether the file of this name is about this environment of this ledger.
pub(crate) fn is_own(label: &str, environment: &str, first: &Digest) -> bool {
    let own = Label::of(environment, first);
    Label::parse(label)
        .is_some_and(|label| label.environment == own.environment && label.ledger == own.ledger)
}

/// Returns the file of an environment's newest checkpoint.
pub(crate) fn file(folder: &Path, environment: &str, first: &Digest) -> PathBuf {
    let Label {
        environment,
        ledger,
    } = Label::of(environment, first);
    folder.join(format!("{environment}-{ledger}{EXTENSION}"))
}

/// Puts `text`, the note of `checkpoint`, in the place of an older one; says whether it did.
///
/// # Errors
///
/// What the file system answered.
pub(crate) fn keep(path: &Path, checkpoint: &Checkpoint, text: &str) -> io::Result<bool> {
    if let Ok(old) = note(path)
        && let Ok((found, signed)) = Checkpoint::parse(&old)
    {
        // what another run of this ledger has kept meanwhile says more
        if found.ledger == checkpoint.ledger && found.size >= checkpoint.size {
            return Ok(false);
        }
        if signed.signatures.len() > 1 {
            write(&earlier(path, found.size), old.as_bytes())?;
        }
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    write(path, text.as_bytes())?;
    Ok(true)
}

/// Returns where an earlier checkpoint is kept for the sake of who else has signed it.
pub(crate) fn earlier(path: &Path, size: u64) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{size}{EXTENSION}"))
}

/// Returns the files that lie beside an environment's newest checkpoint for its sake or that of an
/// earlier one, and whose names end so; none where the folder cannot be read.
pub(crate) fn beside(newest: &Path, extension: &str) -> Vec<PathBuf> {
    let own = newest.file_name().and_then(|name| name.to_str());
    let (Some(folder), Some(own)) = (newest.parent(), own.and_then(Label::parse)) else {
        return Vec::new();
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .filter(|path| {
            let name = path.with_extension("checkpoint");
            let name = name.file_name().and_then(|name| name.to_str());
            name.and_then(Label::parse)
                .is_some_and(|label| label == own)
        })
        .collect();
    found.sort();
    found
}

/// Writes a file whole or not at all, in the place of one that may be there; others may read it.
///
/// # Errors
///
/// What the file system answered.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".mledger-")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

/// What a file's name says.
#[derive(Debug, PartialEq, Eq)]
struct Label {
    /// The environment as it stands in names of files.
    environment: String,
    /// The first 8 digits of the first ledger id.
    ledger: String,
}

impl Label {
    fn of(environment: &str, first: &Digest) -> Self {
        let mut escaped = String::with_capacity(environment.len());
        for byte in environment.bytes() {
            // an environment may be called as no file can
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => escaped.push(byte.into()),
                _ => _ = write!(escaped, "%{byte:02x}"),
            }
        }
        let mut ledger = first.to_string();
        ledger.truncate(8);
        Self {
            environment: escaped,
            ledger,
        }
    }

    /// Reads `<environment>-<8 hex digits>.checkpoint`, or with `-<size>` before the dot.
    fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(EXTENSION)?;
        let is_id = |text: &str| {
            text.len() == 8
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let (mut rest, mut ledger) = stem.rsplit_once('-')?;
        let numbered = ledger
            .parse::<u64>()
            .is_ok_and(|size| size.to_string() == ledger);
        if numbered
            && let Some((before, id)) = rest.rsplit_once('-')
            && is_id(id)
        {
            (rest, ledger) = (before, id);
        }
        (is_id(ledger) && !rest.is_empty()).then(|| Self {
            environment: rest.to_owned(),
            ledger: ledger.to_owned(),
        })
    }
}

/// Reads a note, whatever line ends version control has given it.
pub(crate) fn note(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read it: {error}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| "expected a signed note, found no UTF-8".to_owned())?;
    let text = line_feeds(&text);
    let conflict = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    if text.lines().any(conflict) {
        return Err(
            "expected one checkpoint, found both sides of a merge conflict; keep the side with the \
             larger size, whole"
                .to_owned(),
        );
    }
    Ok(text)
}

/// Returns a signed note as it was written where version control has turned its line feeds into the
/// line ends of another system: no line of a note can end in a carriage return.
#[must_use]
pub fn line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use ledger::{Signer as _, SigningKey};

    use super::*;

    fn signed(size: u64) -> (Checkpoint, String) {
        let checkpoint = Checkpoint {
            ledger: Digest::of(b"a ledger"),
            size,
            root: Digest::of(&size.to_be_bytes()),
        };
        let note = checkpoint.sign(&SigningKey::from_seed([7; 32])).unwrap();
        (checkpoint, note.to_string())
    }

    #[test]
    fn a_name_tells_environment_and_ledger() {
        let first = Digest::of(b"a ledger");
        let id = first.to_string();
        for environment in ["production", "prod-eu", "a/b c", "..", "x-12345678"] {
            let path = file(Path::new("kept"), environment, &first);
            assert_eq!(path.parent(), Some(Path::new("kept")));
            for path in [path.clone(), earlier(&path, 12), earlier(&path, 12_345_678)] {
                let label = path.file_name().unwrap().to_str().unwrap();
                assert!(is_own(label, environment, &first), "{label}");
                assert!(!is_own(label, "prod", &first), "{label}");
                assert!(!is_own(label, environment, &Digest::of(b"another")));
            }
        }
        for other in ["production", "-12345678", "production-1234", "README", ""] {
            assert_eq!(
                Label::parse(&format!("{other}{EXTENSION}")),
                None,
                "{other}"
            );
        }
        let name = format!("staging-{}", &id[..8]);
        assert!(is_own(&format!("{name}{EXTENSION}"), "staging", &first));
        assert!(!is_own(&format!("{name}.tsr"), "staging", &first));
    }

    #[test]
    fn only_a_newer_checkpoint_takes_the_place_of_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = folder.path().join("checkpoints");
        assert!(Shelf::read(&shelf).unwrap().notes().is_empty());
        let path = file(&shelf, "production", &Digest::of(b"a ledger"));
        for (size, written) in [(3, true), (3, false), (2, false), (4, true)] {
            let (checkpoint, text) = signed(size);
            assert_eq!(keep(&path, &checkpoint, &text).unwrap(), written, "{size}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), signed(4).1);
        assert_eq!(fs::read_dir(&shelf).unwrap().count(), 1, "and nothing else");
    }

    #[test]
    fn what_others_have_signed_is_not_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "production", &Digest::of(b"a ledger"));
        let (checkpoint, mut text) = signed(3);
        let witness = SigningKey::from_seed([8; 32]);
        let line = ledger::note::Note::sign(checkpoint.to_string(), "witness.example", &witness);
        text.push_str(line.unwrap().to_string().rsplit_once("\n\n").unwrap().1);
        fs::write(&path, &text).unwrap();
        let (next, note) = signed(5);
        assert!(keep(&path, &next, &note).unwrap());
        assert_eq!(fs::read_to_string(earlier(&path, 3)).unwrap(), text);
        assert!(!witness.public_key().to_openssh().is_empty());
        let labels: Vec<_> = Shelf::read(folder.path()).unwrap().notes();
        assert_eq!(labels.len(), 2);
    }

    #[test]
    fn line_ends_of_version_control_do_no_harm_and_a_merge_conflict_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (_, text) = signed(3);
        let path = folder.path().join("production-12345678.checkpoint");
        fs::write(&path, text.replace('\n', "\r\n")).unwrap();
        assert_eq!(note(&path), Ok(text.clone()));
        let both = format!(
            "<<<<<<< HEAD\n{text}=======\n{}>>>>>>> topic\n",
            signed(4).1
        );
        fs::write(&path, both).unwrap();
        assert!(note(&path).unwrap_err().contains("merge conflict"));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(note(&path).unwrap_err().contains("no UTF-8"));
    }
}
