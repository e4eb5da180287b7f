#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

#[derive(Default)]
pub(super) struct Nobody {
    made: AtomicUsize,
}

impl Person for Nobody {
    fn passphrase(&self, _: &str) -> Result<String, String> {
        Err("nobody is there".to_owned())
    }

    fn made(&self, _: &Path) {
        self.made.fetch_add(1, Ordering::SeqCst);
    }
}

struct Knows(&'static str);

impl Person for Knows {
    fn passphrase(&self, _: &str) -> Result<String, String> {
        Ok(self.0.to_owned())
    }

    fn made(&self, _: &Path) {}
}

fn own(path: &Path) -> Keystore {
    Keystore::new(
        Place::Own(Some(path.to_owned())),
        "dana",
        Ok(()),
        Arc::new(Nobody::default()),
    )
}

pub(super) fn words(result: Result<Arc<dyn Signer>, Error>) -> (String, String) {
    match result {
        Err(Error::Signing { message, hint }) => (message, hint),
        Err(other) => (format!("{other:?}"), String::new()),
        Ok(_) => ("a key".to_owned(), String::new()),
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn thirty_two_at_once_share_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/id_ed25519");
    let person = Arc::new(Nobody::default());
    let keys: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..32)
            .map(|_| {
                scope.spawn(|| {
                    let place = Place::Own(Some(path.clone()));
                    let keystore = Keystore::new(place, "dana", Ok(()), Arc::clone(&person) as _);
                    keystore.key(true).unwrap().public_key().to_openssh()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!(person.made.load(Ordering::SeqCst), 1);
    let public = fs::read_to_string(beside(&path)).unwrap();
    assert_eq!(public, format!("{} dana\n", keys[0]));
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[cfg(unix)]
#[test]
fn others_must_not_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys/id_ed25519");
    own(&path).key(true).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let (message, hint) = words(own(&path).key(false));
    assert!(message.contains("mode `640`"), "{message}");
    assert_eq!(hint, format!("run `chmod 600 {}`", path.display()));
}

#[test]
fn no_key_is_invented_where_it_would_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id_ed25519");
    let place = Place::Own(Some(path.clone()));
    let keystore = Keystore::new(
        place,
        "ci",
        Err("in a pipeline"),
        Arc::new(Nobody::default()),
    );
    let (message, hint) = words(keystore.key(true));
    assert!(message.ends_with("none is made in a pipeline"), "{message}");
    assert!(hint.contains("MLEDGER_KEY"), "{hint}");
    assert!(words(own(&path).key(false)).0.contains("found no file"));
    let named = Keystore::new(
        Place::Named(path.clone()),
        "x",
        Ok(()),
        Arc::new(Nobody::default()),
    );
    assert!(words(named.key(true)).0.contains("found no file"));
    assert!(!path.exists());
}

#[test]
fn an_existing_file_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id_ed25519");
    assert!(create(&path, "first").unwrap());
    let before = fs::read(&path).unwrap();
    assert!(!create(&path, "second").unwrap());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn text_that_is_no_key_is_refused_without_being_shown() {
    let place = Place::Text("S3cr3t-not-a-key".to_owned());
    let keystore = Keystore::new(place, "x", Ok(()), Arc::new(Nobody::default()));
    let (message, _) = words(keystore.key(false));
    assert!(
        message.contains("`MLEDGER_KEY`") && !message.contains("S3cr3t"),
        "{message}"
    );
}

/// `ssh-keygen` is the other reader and writer of these files.
#[cfg(unix)]
#[test]
fn ssh_keygen_reads_ours_and_we_read_its_encrypted_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id_ed25519");
    let key = own(&path).key(true).unwrap();
    let keygen = |arguments: &[&str]| {
        let output = std::process::Command::new("ssh-keygen")
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let file = path.to_str().unwrap();
    let theirs = keygen(&["-y", "-f", file]);
    assert!(
        theirs.starts_with(&key.public_key().to_openssh()),
        "{theirs}"
    );

    keygen(&["-p", "-q", "-f", file, "-P", "", "-N", "open sesame"]);
    let (message, hint) = words(own(&path).key(false));
    assert!(
        message.ends_with("is encrypted, and nobody is there"),
        "{message}"
    );
    assert!(hint.contains("MLEDGER_KEY_PASSPHRASE"), "{hint}");
    let with = |person: Knows| {
        let place = Place::Named(path.clone());
        Keystore::new(place, "x", Ok(()), Arc::new(person)).key(false)
    };
    assert_eq!(
        with(Knows("open sesame"))
            .unwrap()
            .public_key()
            .to_openssh(),
        key.public_key().to_openssh()
    );
    assert_eq!(words(with(Knows("wrong"))).1, "check the passphrase");
}
