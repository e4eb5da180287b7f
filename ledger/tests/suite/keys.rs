//! Private keys in OpenSSH's format.

use ledger::{KeyError, Signer as _, SigningKey};

use crate::support::key;

#[test]
fn a_key_is_written_and_read_back() {
    let text = key(1).to_openssh("dana@example.com").unwrap();
    assert!(text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
    assert_eq!(*key(1).to_openssh("dana@example.com").unwrap(), *text);
    for passphrase in [None, Some("ignored")] {
        let back = SigningKey::from_openssh(&text, passphrase).unwrap();
        assert_eq!(back.public_key(), key(1).public_key());
        assert_eq!(back.sign(b"x"), key(1).sign(b"x"));
    }
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let text = key(1)
        .to_openssh_encrypted("dana", "correct horse", [7; 16])
        .unwrap();
    let read = |passphrase| {
        SigningKey::from_openssh(&text, passphrase).map(|key| *key.public_key().as_bytes())
    };
    assert_eq!(read(None), Err(KeyError::Encrypted));
    assert_eq!(read(Some("wrong")), Err(KeyError::WrongPassphrase));
    assert_eq!(read(Some("")), Err(KeyError::WrongPassphrase));
    assert_eq!(
        read(Some("correct horse")),
        Ok(*key(1).public_key().as_bytes())
    );
    assert!(key(1).to_openssh_encrypted("dana", "", [7; 16]).is_err());
}

#[test]
fn what_is_no_private_key_is_told_apart() {
    let text = key(1).to_openssh("dana").unwrap();
    for bad in [
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        &text[..200],
        &text.replace("AAAA", "AAAB"),
        &key(1).public_key().to_openssh(),
    ] {
        assert!(matches!(
            SigningKey::from_openssh(bad, None),
            Err(KeyError::Malformed(_))
        ));
    }
}

#[test]
fn a_key_whose_halves_do_not_belong_together_is_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let text = key(1).to_openssh("dana").unwrap();
    let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let mut blob = STANDARD.decode(base64).unwrap();
    let seed = blob
        .windows(32)
        .position(|window| window == [1; 32])
        .unwrap();
    blob[seed] ^= 4;
    let altered = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        STANDARD
            .encode(blob)
            .as_bytes()
            .chunks(70)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(matches!(
        SigningKey::from_openssh(&altered, None),
        Err(KeyError::Malformed(_))
    ));
}
