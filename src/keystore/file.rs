//! Files of keys: made whole and once, readable by their owner alone.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ledger::{Signer, SigningKey};

use super::signing;
use crate::error::Error;
use crate::fault;

/// Makes a key and its public form beside it (`.pub`); returns whether this call made it.
///
/// The file appears whole and once: of many processes that try at the same time, one makes the key
/// and the others find it. An existing file is never replaced.
///
/// # Errors
///
/// [`Error::Signing`] when the folder or the file cannot be written.
pub fn create(path: &Path, comment: &str) -> Result<bool, Error> {
    make(path, comment, None)
}

/// The same, encrypted with a passphrase (bcrypt-pbkdf and AES-256-CTR, as `ssh-keygen` does).
///
/// # Errors
///
/// As [`create`], and for an empty passphrase.
pub fn create_encrypted(path: &Path, comment: &str, passphrase: &str) -> Result<bool, Error> {
    make(path, comment, Some(passphrase))
}

fn make(path: &Path, comment: &str, passphrase: Option<&str>) -> Result<bool, Error> {
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
    let text = match passphrase {
        None => key.to_openssh(comment),
        Some(passphrase) => {
            let mut salt = [0; 16];
            getrandom::fill(&mut salt).map_err(|error| failed(&error))?;
            key.to_openssh_encrypted(comment, passphrase, salt)
        }
    };
    let text = text.map_err(|error| failed(&error))?;
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
pub(super) fn private(path: &Path) -> Result<(), Error> {
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
pub(super) fn private(_: &Path) -> Result<(), Error> {
    Ok(())
}
