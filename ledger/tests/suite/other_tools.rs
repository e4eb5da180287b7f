//! What others' tools say: `ssh-keygen` and `openssl`, which an auditor has.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ledger::sshsig::{self, EVENT_NAMESPACE, EXPORT_NAMESPACE};
use ledger::{Signer as _, SigningKey};

use crate::support::{golden, golden_keys, key, read_text, vectors};

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ledger-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.0.join(name);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .unwrap();
        file.write_all(content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Runs a tool; a tool that is missing fails the test.
fn run(tool: &str, arguments: &[&str], input: &[u8]) -> (bool, String) {
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|fault| panic!("`{tool}` is needed here: {fault}"));
    // a tool that refuses its arguments may be gone before it read anything
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn ssh_keygen_verifies_golden_and_fresh_signatures() {
    let folder = Folder::new("verify");
    let signers = vectors().join("golden/allowed_signers");
    let keys = golden_keys();
    for (position, record) in golden().iter().enumerate().step_by(5) {
        let event = record.event().unwrap();
        let signer = keys
            .iter()
            .find(|key| key.public_key().fingerprint() == event.key)
            .unwrap();
        let armor = sshsig::armor(signer.public_key(), EVENT_NAMESPACE, &record.signature);
        let file = folder.file(&format!("{position}.sig"), armor.as_bytes());
        let verify = |namespace: &str, line: &[u8]| {
            let arguments = [
                "-Y",
                "verify",
                "-f",
                text(&signers),
                "-I",
                &event.actor,
                "-n",
                namespace,
                "-s",
                text(&file),
            ];
            run("ssh-keygen", &arguments, line).0
        };
        let line = [record.line.as_slice(), b"\n"].concat();
        assert!(verify(EVENT_NAMESPACE, &line));
        assert!(!verify(EXPORT_NAMESPACE, &line));
        assert!(!verify(EVENT_NAMESPACE, &record.line));
    }
}

#[test]
fn ssh_keygen_signs_what_we_verify() {
    let folder = Folder::new("sign");
    let file = folder.file("key", key(5).to_openssh("five").unwrap().as_bytes());
    let message = folder.file("message", b"the manifest\n");
    let arguments = [
        "-Y",
        "sign",
        "-O",
        "hashalg=sha256",
        "-n",
        EXPORT_NAMESPACE,
        "-f",
        text(&file),
        text(&message),
    ];
    assert!(run("ssh-keygen", &arguments, b"").0);
    let armor = std::fs::read_to_string(folder.0.join("message.sig")).unwrap();
    let parts = sshsig::dearmor(&armor).unwrap();
    assert_eq!(parts.key, *key(5).public_key());
    assert_eq!(parts.namespace, EXPORT_NAMESPACE);
    let preimage = sshsig::preimage(EXPORT_NAMESPACE, b"the manifest\n");
    assert!(parts.key.verify(&preimage, &parts.signature));
    // Ed25519 is deterministic, so the bytes are the same
    assert_eq!(key(5).sign(&preimage).unwrap(), parts.signature);
    assert_eq!(
        sshsig::armor(&parts.key, EXPORT_NAMESPACE, &parts.signature),
        armor
    );
}

#[test]
fn ssh_keygen_reads_our_key_files_and_prints_our_fingerprints() {
    let folder = Folder::new("keys");
    let plain = folder.file("plain", key(6).to_openssh("six").unwrap().as_bytes());
    let encrypted = key(6)
        .to_openssh_encrypted("six", "secret", [3; 16])
        .unwrap();
    let encrypted = folder.file("encrypted", encrypted.as_bytes());
    let public = key(6).public_key().to_openssh();
    for (file, passphrase) in [(&plain, ""), (&encrypted, "secret")] {
        let (read, output) = run(
            "ssh-keygen",
            &["-y", "-P", passphrase, "-f", text(file)],
            b"",
        );
        assert!(read);
        assert_eq!(output.trim_end(), format!("{public} six"));
    }
    assert!(
        !run(
            "ssh-keygen",
            &["-y", "-P", "wrong", "-f", text(&encrypted)],
            b""
        )
        .0
    );
    let (_, listed) = run("ssh-keygen", &["-l", "-f", text(&plain)], b"");
    let fingerprint = key(6).public_key().fingerprint().to_string();
    assert!(listed.contains(&fingerprint), "{listed}");
}

#[test]
fn keys_that_ssh_keygen_made_are_read() {
    let folder = Folder::new("made");
    for (name, kind, passphrase) in [
        ("plain", "ed25519", ""),
        ("locked", "ed25519", "secret"),
        ("other", "ecdsa", ""),
    ] {
        let path = folder.0.join(name);
        let arguments = [
            "-q",
            "-t",
            kind,
            "-N",
            passphrase,
            "-C",
            name,
            "-f",
            text(&path),
        ];
        assert!(run("ssh-keygen", &arguments, b"").0);
        let private = std::fs::read_to_string(&path).unwrap();
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        let read = SigningKey::from_openssh(&private, Some(passphrase));
        if kind == "ecdsa" {
            assert!(matches!(read, Err(ledger::KeyError::NotEd25519(_))));
        } else {
            let key = read.unwrap();
            assert!(public.starts_with(&key.public_key().to_openssh()));
        }
    }
}

#[test]
fn openssl_verifies_signatures_over_the_preimage() {
    let folder = Folder::new("openssl");
    let record = &golden()[8];
    let event = record.event().unwrap();
    let keys = golden_keys();
    let signer = keys
        .iter()
        .find(|key| key.public_key().fingerprint() == event.key)
        .unwrap();
    // RFC 8410 section 4: the algorithm's identifier, then the key as a bit string
    let mut der = vec![
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    der.extend_from_slice(signer.public_key().as_bytes());
    let public = folder.file("public.der", &der);
    let line = [record.line.as_slice(), b"\n"].concat();
    let preimage = folder.file("preimage", &sshsig::preimage(EVENT_NAMESPACE, &line));
    let signature = folder.file("signature", record.signature.as_bytes());
    let verify = |message: &Path| {
        let arguments = [
            "pkeyutl",
            "-verify",
            "-rawin",
            "-pubin",
            "-keyform",
            "DER",
            "-inkey",
            text(&public),
            "-in",
            text(message),
            "-sigfile",
            text(&signature),
        ];
        run("openssl", &arguments, b"").0
    };
    assert!(verify(&preimage));
    assert!(!verify(&public));
}

#[test]
fn sha256sum_gives_the_entry_hash() {
    let first = read_text("golden/events.jsonl");
    let line = first.lines().next().unwrap();
    let signature = read_text("golden/signatures");
    let entry = format!("\0{line}\n{}\n", signature.lines().next().unwrap());
    let (_, output) = run("sha256sum", &[], entry.as_bytes());
    assert!(output.starts_with(&golden()[0].hash().to_string()));
}
