//! The signing key: where it lies, who may read it, and how the first one is made.
//!
//! A key is an OpenSSH Ed25519 key (docs/format.md section 3), so `ssh-keygen` can make, inspect and
//! encrypt it. Where its file holds the public half alone, an ssh-agent or a program signs ([`Outside`]).
//! Asking a person and telling them is the caller's part ([`Person`]).

mod agent;
mod file;
mod outside;
mod program;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{KeyError, PublicKey, SignError, Signature, Signer, SigningKey};
use zeroize::Zeroizing;

use self::agent::Agent;
pub use self::file::{beside, create, create_encrypted};
pub use self::outside::{Kind, Outside};
use self::program::Program;
use crate::error::Error;
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
    outside: Outside,
    loaded: Mutex<Option<Arc<dyn Signer>>>,
}

impl std::fmt::Debug for Keystore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Keystore")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The text of a key, as it was found.
struct Found {
    text: Zeroizing<String>,
    /// The file, or the variable.
    place: String,
    in_file: bool,
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
            outside: Outside::default(),
            loaded: Mutex::new(None),
        }
    }

    /// Says what signs where only the public half of the key is at hand.
    #[must_use]
    pub fn with_outside(mut self, outside: Outside) -> Self {
        self.outside = outside;
        self
    }

    /// Returns the key; the user's own is made if it is not there and `opening` is true.
    ///
    /// # Errors
    ///
    /// [`Error::Signing`] when there is no key, others can read it, it cannot be opened, or nothing at hand
    /// signs for it.
    pub fn key(&self, opening: bool) -> Result<Arc<dyn Signer>, Error> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = loaded.as_ref() {
            return Ok(Arc::clone(key));
        }
        let found = self.find(opening)?;
        let key: Arc<dyn Signer> = match public(&found)? {
            Some(public) => self.reach(public)?,
            None => Arc::new(self.unlock(&found)?),
        };
        *loaded = Some(Arc::clone(&key));
        Ok(key)
    }

    /// Returns the public half of the key, and where the private half is. Nobody is asked for anything.
    ///
    /// # Errors
    ///
    /// [`Error::Signing`] when there is no key, or it is none.
    pub fn describe(&self) -> Result<(PublicKey, Kind), Error> {
        let found = self.find(false)?;
        if let Some(public) = public(&found)? {
            let kind = match self.outside.program.as_slice() {
                [] => Kind::Agent,
                _ => Kind::Program,
            };
            return Ok((public, kind));
        }
        let (public, encrypted) =
            SigningKey::public_of(&found.text).map_err(|error| unusable(&found.place, &error))?;
        let kind = match (found.in_file, encrypted) {
            (true, false) => Kind::File,
            (true, true) => Kind::EncryptedFile,
            (false, false) => Kind::Variable,
            (false, true) => Kind::EncryptedVariable,
        };
        Ok((public, kind))
    }

    fn find(&self, opening: bool) -> Result<Found, Error> {
        match &self.place {
            Place::Text(text) => Ok(Found {
                text: Zeroizing::new(text.clone()),
                place: "MLEDGER_KEY".to_owned(),
                in_file: false,
            }),
            Place::Named(path) => read(path)?.ok_or_else(|| {
                signing(
                    format!(
                        "expected a signing key at `{}`, found no file",
                        path.display()
                    ),
                    "name another file with `--key FILE`, or make a key with `mledger key new`",
                )
            }),
            Place::Own(None) => Err(signing(
                "expected a home folder for the signing key, found none",
                "set HOME, or name the key with `--key FILE` or MLEDGER_KEY",
            )),
            Place::Own(Some(path)) => self.own(path, opening),
        }
    }

    fn own(&self, path: &Path, opening: bool) -> Result<Found, Error> {
        if let Some(found) = read(path)? {
            return Ok(found);
        }
        let missing = || {
            format!(
                "expected a signing key at `{}`, found no file",
                path.display()
            )
        };
        if !self.outside.program.is_empty() {
            return Err(signing(
                missing(),
                "name the public key that the program of `signer` signs for with `--key FILE`",
            ));
        }
        if !opening {
            return Err(signing(
                missing(),
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
        read(path)?.ok_or_else(|| {
            signing(
                format!(
                    "expected the new key at `{}`, found no file",
                    path.display()
                ),
                "check who removes files there",
            )
        })
    }

    /// Returns what signs for a key whose private half is elsewhere.
    fn reach(&self, public: PublicKey) -> Result<Arc<dyn Signer>, Error> {
        let outside = &self.outside;
        if !outside.program.is_empty() {
            return Ok(Arc::new(Program::new(
                outside.program.clone(),
                outside.folder.clone(),
                public,
                outside.limit,
                outside.secrets.clone(),
            )));
        }
        let fingerprint = public.fingerprint();
        let Some(socket) = &outside.agent else {
            return Err(signing(
                format!(
                    "expected something that signs for the public key `{fingerprint}`, found nothing"
                ),
                "add the private key to an ssh-agent (SSH_AUTH_SOCK), name a program that signs with `signer` \
                 or MLEDGER_SIGNER, or give the private key",
            ));
        };
        let agent = Agent::new(socket.clone(), public, outside.limit);
        match agent.holds() {
            Ok(true) => Ok(Arc::new(agent)),
            Ok(false) => Err(signing(
                format!("expected the key `{fingerprint}` in the ssh-agent, found others or none"),
                "add it with `ssh-add FILE`; `ssh-add -l` lists what the agent holds",
            )),
            Err(message) => Err(signing(
                message,
                "check SSH_AUTH_SOCK, and that the agent is running: `ssh-add -l`",
            )),
        }
    }

    fn unlock(&self, found: &Found) -> Result<SigningKey, Error> {
        let Found { text, place, .. } = found;
        if !self.outside.program.is_empty() {
            return Err(signing(
                format!(
                    "expected the public key that the program of `signer` signs for in `{place}`, found \
                         a private key"
                ),
                "name its public form, or take `signer` and MLEDGER_SIGNER away",
            ));
        }
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
        let passphrase = Zeroizing::new(passphrase);
        SigningKey::from_openssh(text, Some(&passphrase)).map_err(|error| unusable(place, &error))
    }
}

impl Keys for Keystore {
    fn signer(&self, opening: bool) -> Result<Signing, Error> {
        Ok(Signing {
            signer: self.key(opening)?,
            name: self.name.clone(),
        })
    }
}

/// Reads the file of a key, if it is there; what is private must be readable by its owner alone.
fn read(path: &Path) -> Result<Option<Found>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(signing(
                format!("cannot read the key `{}`: {error}", path.display()),
                "check the file and its permissions",
            ));
        }
    };
    if !is_public(&text) {
        file::private(path)?;
    }
    Ok(Some(Found {
        text,
        place: path.display().to_string(),
        in_file: true,
    }))
}

/// Says whether a text is the public half of a key, whatever its algorithm.
fn is_public(text: &str) -> bool {
    text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-")
}

/// Returns the key, where the text is a public one.
fn public(found: &Found) -> Result<Option<PublicKey>, Error> {
    if !is_public(&found.text) {
        return Ok(None);
    }
    PublicKey::from_openssh(found.text.trim_end())
        .map(Some)
        .map_err(|error| {
            signing(
                format!("cannot use the key `{}`: {error}", found.place),
                "give an Ed25519 key; `ssh-keygen -t ed25519` makes one",
            )
        })
}

/// Lets through what the key verifies: whoever signed is another program.
fn checked(
    public: &PublicKey,
    preimage: &[u8],
    signature: Signature,
) -> Result<Signature, SignError> {
    if public.verify(preimage, &signature) {
        return Ok(signature);
    }
    Err(SignError::BadSignature(public.fingerprint()))
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
mod outside_tests;
#[cfg(test)]
mod tests;
