#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::tests::{Nobody, words};
use super::*;
use crate::config::Secrets;

/// A key in a folder of its own: the private half, and the public one beside it.
struct Made {
    folder: tempfile::TempDir,
    private: PathBuf,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("id_ed25519");
        assert!(create(&private, "dana").unwrap());
        Self { folder, private }
    }

    fn public(&self) -> Keystore {
        let place = Place::Named(beside(&self.private));
        Keystore::new(place, "dana", Ok(()), Arc::new(Nobody::default()))
    }

    fn key(&self) -> SigningKey {
        SigningKey::from_openssh(&fs::read_to_string(&self.private).unwrap(), None).unwrap()
    }

    /// A keystore whose signer is a script that lies beside the key.
    fn with_script(&self, script: &str, limit: Duration) -> Keystore {
        let file = self.folder.path().join("signer.sh");
        fs::write(&file, script).unwrap();
        self.public().with_outside(Outside {
            program: vec!["sh".to_owned(), "signer.sh".to_owned()],
            folder: Some(self.folder.path().to_owned()),
            limit,
            secrets: Secrets::new(["hunter2".to_owned()]),
            ..Outside::default()
        })
    }
}

fn refusal(keystore: &Keystore) -> String {
    let key = keystore.key(false).unwrap();
    key.sign(b"the bytes").unwrap_err().to_string()
}

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_program_signs_what_it_is_given_and_nothing_else_is_taken_from_it() {
    let made = Made::new();
    let signature = made.key().sign(b"the bytes").unwrap();
    let right = format!("test \"$(cat)\" = 'the bytes' && echo {signature}");
    let keystore = made.with_script(&right, SOON);
    let key = keystore.key(false).unwrap();
    assert_eq!(key.sign(b"the bytes"), Ok(signature));
    assert_eq!(keystore.describe().unwrap().1, Kind::Program);
    // of other bytes, it says itself that they are not the right ones
    assert!(key.sign(b"other bytes").is_err());

    let wrong = made.key().sign(b"other bytes").unwrap();
    let said = refusal(&made.with_script(&format!("cat >&2; echo {wrong}"), SOON));
    assert!(said.contains("does not verify"), "{said}");
    let said = refusal(&made.with_script("echo hunter2 no token >&2; exit 3", SOON));
    assert!(said.contains("exit status 3: *** no token"), "{said}");
    let said = refusal(&made.with_script("echo a-private-thing", SOON));
    assert!(said.contains("found 15 characters"), "{said}");
    let begun = Instant::now();
    let said = refusal(&made.with_script("exec sleep 60", Duration::from_millis(200)));
    assert!(said.contains("did not sign within 200ms"), "{said}");
    assert!(begun.elapsed() < SOON);
}

#[test]
fn a_program_that_ends_before_it_read_is_judged_by_what_it_printed() {
    let made = Made::new();
    // more than the system keeps for one that does not read
    let bytes = vec![b'x'; 1024 * 1024];
    let refusal = |keystore: &Keystore| {
        let key = keystore.key(false).unwrap();
        key.sign(&bytes).unwrap_err().to_string()
    };
    let said = refusal(&made.with_script("echo a-private-thing", SOON));
    assert!(said.contains("found 15 characters"), "{said}");
    let wrong = made.key().sign(b"other bytes").unwrap();
    let said = refusal(&made.with_script(&format!("echo {wrong}"), SOON));
    assert!(said.contains("does not verify"), "{said}");
    // one that neither reads nor ends takes no longer than it may
    let begun = Instant::now();
    let said = refusal(&made.with_script("exec sleep 60", Duration::from_millis(200)));
    assert!(said.contains("did not sign within 200ms"), "{said}");
    assert!(begun.elapsed() < SOON);
}

#[test]
fn a_program_asks_for_the_public_key_that_it_signs_for() {
    let made = Made::new();
    let outside = Outside {
        program: vec!["true".to_owned()],
        ..Outside::default()
    };
    let private = Place::Named(made.private.clone());
    let keystore = Keystore::new(private, "dana", Ok(()), Arc::new(Nobody::default()));
    let (message, _) = words(keystore.with_outside(outside.clone()).key(false));
    assert!(message.contains("found a private key"), "{message}");
    // and no key of the user's own is made for it
    let own = made.folder.path().join("own");
    let place = Place::Own(Some(own.clone()));
    let keystore = Keystore::new(place, "dana", Ok(()), Arc::new(Nobody::default()));
    let (_, hint) = words(keystore.with_outside(outside).key(true));
    assert!(hint.contains("`--key FILE`") && !own.exists(), "{hint}");
    let (message, hint) = words(made.public().key(false));
    assert!(message.contains("found nothing"), "{message}");
    assert!(hint.contains("SSH_AUTH_SOCK"), "{hint}");
}

/// An agent of its own, gone when it is dropped.
struct TheirAgent {
    child: Child,
    socket: PathBuf,
}

impl TheirAgent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !socket.exists() && begun.elapsed() < SOON {
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { child, socket }
    }

    fn add(&self, key: &Path) {
        let output = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

impl Drop for TheirAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_ssh_agent_signs_as_the_key_itself_does() {
    let (made, other) = (Made::new(), Made::new());
    let agent = TheirAgent::start(made.folder.path());
    let outside = Outside {
        agent: Some(agent.socket.clone()),
        ..Outside::default()
    };
    let keystore = || made.public().with_outside(outside.clone());
    agent.add(&other.private);
    let (message, hint) = words(keystore().key(false));
    assert!(message.contains("found others or none"), "{message}");
    assert!(hint.contains("ssh-add"), "{hint}");
    agent.add(&made.private);
    assert_eq!(keystore().describe().unwrap().1, Kind::Agent);
    let key = keystore().key(false).unwrap();
    assert_eq!(key.sign(b"the bytes"), made.key().sign(b"the bytes"));
    drop(agent);
    assert!(key.sign(b"the bytes").is_err());
    let (_, hint) = words(keystore().key(false));
    assert!(hint.contains("SSH_AUTH_SOCK"), "{hint}");
}

#[test]
fn an_encrypted_key_is_one_that_ssh_keygen_decrypts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id_ed25519");
    assert!(create_encrypted(&path, "dana", "").is_err() && !path.exists());
    assert!(create_encrypted(&path, "dana", "open sesame").unwrap());
    let place = Place::Named(path.clone());
    let keystore = Keystore::new(place, "dana", Ok(()), Arc::new(Nobody::default()));
    // its public half is known to anybody
    let (public, kind) = keystore.describe().unwrap();
    assert_eq!(kind, Kind::EncryptedFile);
    assert!(words(keystore.key(false)).0.contains("is encrypted"));
    let output = Command::new("ssh-keygen")
        .args(["-y", "-P", "open sesame", "-f"])
        .arg(&path)
        .output()
        .unwrap();
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert!(theirs.starts_with(&public.to_openssh()), "{theirs}");
}
