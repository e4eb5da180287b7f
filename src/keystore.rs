//! The signing key: where it lies, who may read it, and how the first one is made.
//!
//! A key is an OpenSSH Ed25519 key (docs/format.md section 3), so `ssh-keygen` can make, inspect and
//! encrypt it. Asking a person and telling them is the caller's part ([`Person`]).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{KeyError, Signer, SigningKey};

use crate::error::Error;
use crate::fault;
use crate::migrator::{Keys, Signing};

/// Where the key comes from.
#[derive(Clone)]
pub enum Place {
    /// A file that somebody named; it must exist.
    Named(PathBuf),
    /// The user's own file, which may be made; `None` where the platform names no folder for it.
    Own(Option<PathBuf>),
    /// The key's text.
    Text(String),
}

/// Who is asked for a passphrase, and told about a new key.
pub trait Person: Send + Sync {
    /// Returns the passphrase of the key at `place`.
    ///
    /// # Errors
    ///
    /// A sentence that says why nobody can be asked.
    fn passphrase(&self, place: &str) -> Result<String, String>;

    /// Takes note that a key was made at `path`.
    fn made(&self, path: &Path);
}

/// The key of this command; it is read when something must be signed, and once.
pub struct Keystore {
    place: Place,
    name: String,
    creation: Result<(), &'static str>,
    person: Arc<dyn Person>,
    loaded: Mutex<Option<Arc<SigningKey>>>,
}

impl std::fmt::Debug for Keystore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Keystore")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Keystore {
    /// Creates a keystore; `name` is what the ledger calls its key, `creation` says whether a first
    /// key may be made or why not.
    pub fn new(
        place: Place,
        name: impl Into<String>,
        creation: Result<(), &'static str>,
        person: Arc<dyn Person>,
    ) -> Self {
        Self {
            place,
            name: name.into(),
            creation,
            person,
            loaded: Mutex::new(None),
        }
    }

    /// Returns the key; the user's own is made if it is not there and `opening` is true.
    ///
    /// # Errors
    ///
    /// [`Error::Signing`] when there is no key, others can read it, or it cannot be opened.
    pub fn key(&self, opening: bool) -> Result<Arc<SigningKey>, Error> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = loaded.as_ref() {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(self.read(opening)?);
        *loaded = Some(Arc::clone(&key));
        Ok(key)
    }

    fn read(&self, opening: bool) -> Result<SigningKey, Error> {
        match &self.place {
            Place::Text(text) => self.open(text, "MLEDGER_KEY"),
            Place::Named(path) => match self.file(path)? {
                Some(key) => Ok(key),
                None => Err(signing(
                    format!(
                        "expected a signing key at `{}`, found no file",
                        path.display()
                    ),
                    "name another file with `--key FILE`, or make a key with `mledger key new`",
                )),
            },
            Place::Own(None) => Err(signing(
                "expected a home folder for the signing key, found none",
                "set HOME, or name the key with `--key FILE` or MLEDGER_KEY",
            )),
            Place::Own(Some(path)) => {
                if let Some(key) = self.file(path)? {
                    return Ok(key);
                }
                if !opening {
                    return Err(signing(
                        format!(
                            "expected a signing key at `{}`, found no file",
                            path.display()
                        ),
                        "give a key that this ledger knows with `--key FILE` or MLEDGER_KEY; \
                         `mledger key list` shows which ones it knows",
                    ));
                }
                if let Err(reason) = self.creation {
                    return Err(signing(
                        format!("expected a signing key, found none, and none is made {reason}"),
                        "give a key with MLEDGER_KEY (its text), MLEDGER_KEY_FILE or `--key FILE`; \
                         `mledger key new --out FILE` makes one",
                    ));
                }
                if create(path, &self.name)? {
                    self.person.made(path);
                }
                self.file(path)?.ok_or_else(|| {
                    signing(
                        format!(
                            "expected the new key at `{}`, found no file",
                            path.display()
                        ),
                        "check who removes files there",
                    )
                })
            }
        }
    }

    fn file(&self, path: &Path) -> Result<Option<SigningKey>, Error> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(signing(
                    format!("cannot read the key `{}`: {error}", path.display()),
                    "check the file and its permissions",
                ));
            }
        };
        private(path)?;
        self.open(&text, &path.display().to_string()).map(Some)
    }

    fn open(&self, text: &str, place: &str) -> Result<SigningKey, Error> {
        let error = match SigningKey::from_openssh(text, None) {
            Ok(key) => return Ok(key),
            Err(error) => error,
        };
        if !matches!(error, KeyError::Encrypted) {
            return Err(unusable(place, &error));
        }
        let passphrase = self.person.passphrase(place).map_err(|reason| {
            signing(
                format!("the key `{place}` is encrypted, and {reason}"),
                "set MLEDGER_KEY_PASSPHRASE, or run the command on a terminal",
            )
        })?;
        SigningKey::from_openssh(text, Some(&passphrase)).map_err(|error| unusable(place, &error))
    }
}

impl Keys for Keystore {
    fn signer(&self, opening: bool) -> Result<Signing, Error> {
        let signer: Arc<dyn Signer> = self.key(opening)?;
        Ok(Signing {
            signer,
            name: self.name.clone(),
        })
    }
}

/// Makes a key and its public form beside it (`.pub`); returns whether this call made it.
///
/// The file appears whole and once: of many processes that try at the same time, one makes the key
/// and the others find it. An existing file is never replaced.
///
/// # Errors
///
/// [`Error::Signing`] when the folder or the file cannot be written.
pub fn create(path: &Path, comment: &str) -> Result<bool, Error> {
    let failed = |error: &dyn std::fmt::Display| {
        signing(
            format!("cannot write the key `{}`: {error}", path.display()),
            "check the folder and its permissions, or name another file",
        )
    };
    if path.exists() {
        return Ok(false);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    private_folder(folder).map_err(|error| failed(&error))?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| failed(&error))?;
    let key = SigningKey::from_seed(seed);
    let text = key.to_openssh(comment).map_err(|error| failed(&error))?;
    let made = publish(folder, path, text.as_bytes(), 0o600).map_err(|error| failed(&error))?;
    if made {
        let public = format!("{} {comment}\n", key.public_key().to_openssh());
        let beside = beside(path);
        publish(folder, &beside, public.as_bytes(), 0o644).map_err(|error| failed(&error))?;
    }
    Ok(made)
}

/// Returns where the public form of a key file lies.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

/// Writes a file under a temporary name, then gives it its own unless that is taken.
fn publish(folder: &Path, path: &Path, bytes: &[u8], mode: u32) -> io::Result<bool> {
    let mut file = tempfile::Builder::new()
        .prefix(".mledger-")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    permit(file.as_file(), mode)?;
    file.as_file().sync_all()?;
    fault::reach("key::before-publish");
    match file.persist_noclobber(path) {
        Ok(_) => {
            File::open(folder)?.sync_all()?;
            Ok(true)
        }
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

#[cfg(unix)]
fn permit(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn permit(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// A key that others can read proves nothing about who signed.
#[cfg(unix)]
fn private(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)
        .map_err(|error| {
            signing(
                format!("cannot look at the key `{}`: {error}", path.display()),
                "check the file and its permissions",
            )
        })?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(signing(
        format!(
            "expected the key `{}` to be readable by its owner alone, found mode `{:03o}`",
            path.display(),
            mode & 0o777
        ),
        format!("run `chmod 600 {}`", path.display()),
    ))
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<(), Error> {
    Ok(())
}

fn unusable(place: &str, error: &KeyError) -> Error {
    let hint = match error {
        KeyError::WrongPassphrase => "check the passphrase",
        _ => "make a key with `mledger key new`, or with `ssh-keygen -t ed25519`",
    };
    signing(format!("cannot use the key `{place}`: {error}"), hint)
}

fn signing(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Signing {
        message: message.into(),
        hint: hint.into(),
    }
}

#[cfg(test)]
mod tests;
