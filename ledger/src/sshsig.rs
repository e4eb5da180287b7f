//! SSHSIG (OpenSSH's PROTOCOL.sshsig): what is signed, and the armour around a signature.
//!
//! The stored 64 bytes are what `ssh-keygen -Y sign -O hashalg=sha256 -n NAMESPACE` would make,
//! so wrapped by [`armor`] they satisfy `ssh-keygen -Y verify`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Digest;
use crate::key::{Fingerprint, PublicKey, Signature};

/// Namespace of the signatures of entries.
pub const EVENT_NAMESPACE: &str = "event-v1@mledger";
/// Namespace of the proof that the holder of a key agreed to its being added.
pub const KEY_PROOF_NAMESPACE: &str = "key-proof-v1@mledger";
/// Namespace of the signature over an export's manifest.
pub const EXPORT_NAMESPACE: &str = "export-v1@mledger";

const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;
const HASH: &[u8] = b"sha256";
const ALGORITHM: &[u8] = b"ssh-ed25519";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const COLUMNS: usize = 70;

/// Returns the bytes that are signed for `message` in `namespace`.
///
/// They hold the SHA-256 of the message, never the message itself (PROTOCOL.sshsig section 2).
#[must_use]
pub fn preimage(namespace: &str, message: &[u8]) -> Vec<u8> {
    preimage_of(namespace, &Digest::of(message))
}

/// Returns the bytes that are signed for a message of the given digest in `namespace`.
#[must_use]
pub fn preimage_of(namespace: &str, message: &Digest) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(80);
    bytes.extend_from_slice(MAGIC);
    put_string(&mut bytes, namespace.as_bytes());
    put_string(&mut bytes, b"");
    put_string(&mut bytes, HASH);
    put_string(&mut bytes, message.as_bytes());
    bytes
}

/// Returns the message that a new key signs, in [`KEY_PROOF_NAMESPACE`], to prove possession.
#[must_use]
pub fn key_proof_message(ledger: &Digest, key: &Fingerprint) -> Vec<u8> {
    format!("{ledger} {key}\n").into_bytes()
}

/// Wraps a signature in the armour that `ssh-keygen -Y verify` reads, ending in LF.
#[must_use]
pub fn armor(key: &PublicKey, namespace: &str, signature: &Signature) -> String {
    let mut inner = Vec::with_capacity(83);
    put_string(&mut inner, ALGORITHM);
    put_string(&mut inner, signature.as_bytes());

    let mut blob = Vec::with_capacity(200);
    blob.extend_from_slice(MAGIC);
    blob.extend_from_slice(&VERSION.to_be_bytes());
    put_string(&mut blob, &key.to_blob());
    put_string(&mut blob, namespace.as_bytes());
    put_string(&mut blob, b"");
    put_string(&mut blob, HASH);
    put_string(&mut blob, &inner);

    let base64 = STANDARD.encode(blob);
    let mut text = String::with_capacity(base64.len() + 80);
    text.push_str(BEGIN);
    for (index, character) in base64.chars().enumerate() {
        if index % COLUMNS == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}

/// The parts of an armoured signature; nothing about them is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armored {
    /// The key that the signature names.
    pub key: PublicKey,
    /// The namespace that the signature names.
    pub namespace: String,
    /// The signature itself.
    pub signature: Signature,
}

/// The text is not an armoured Ed25519 signature with SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an armoured ssh signature by an `ssh-ed25519` key over sha256, found {0}")]
pub struct ArmorError(String);

/// Reads what [`armor`] or `ssh-keygen -Y sign -O hashalg=sha256` wrote.
///
/// # Errors
///
/// When the text is not an armoured SSHSIG version 1 by an Ed25519 key over SHA-256.
pub fn dearmor(text: &str) -> Result<Armored, ArmorError> {
    let refused = |found: &str| ArmorError(found.to_owned());
    let base64: String = text
        .trim_end()
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END))
        .ok_or_else(|| refused("no armour"))?
        .split_ascii_whitespace()
        .collect();
    let blob = STANDARD
        .decode(base64)
        .map_err(|_| refused("no base64 between the armour's lines"))?;
    parts(&blob).ok_or_else(|| refused("another format, version, algorithm or hash"))
}

fn parts(blob: &[u8]) -> Option<Armored> {
    let mut rest = blob.strip_prefix(MAGIC)?;
    rest = rest.strip_prefix(VERSION.to_be_bytes().as_slice())?;
    let mut key_blob = take_string(&mut rest)?;
    let namespace = take_string(&mut rest)?;
    let reserved = take_string(&mut rest)?;
    let hash = take_string(&mut rest)?;
    let mut inner = take_string(&mut rest)?;
    if !rest.is_empty() || !reserved.is_empty() || hash != HASH {
        return None;
    }
    if take_string(&mut key_blob)? != ALGORITHM || take_string(&mut inner)? != ALGORITHM {
        return None;
    }
    let key = take_string(&mut key_blob)?.try_into().ok()?;
    let signature = Signature::try_from(take_string(&mut inner)?).ok()?;
    (key_blob.is_empty() && inner.is_empty()).then_some(())?;
    Some(Armored {
        key: PublicKey::from_bytes(key).ok()?,
        namespace: String::from_utf8(namespace.to_vec()).ok()?,
        signature,
    })
}

/// Appends `string` of RFC 4251 section 5: a big-endian length and the bytes.
pub(crate) fn put_string(bytes: &mut Vec<u8>, string: &[u8]) {
    // a namespace or key blob is far below the limit, which only a caller's error could reach
    let length = u32::try_from(string.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(string);
}

fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::key::{Signer as _, SigningKey};

    #[test]
    fn armour_comes_off_again() {
        let key = SigningKey::from_seed([1; 32]);
        let signature = key.sign(&preimage(EXPORT_NAMESPACE, b"manifest")).unwrap();
        let text = armor(key.public_key(), EXPORT_NAMESPACE, &signature);
        assert!(text.lines().all(|line| line.len() <= COLUMNS));
        let parts = dearmor(&text).unwrap();
        assert_eq!(parts.key, *key.public_key());
        assert_eq!(parts.namespace, EXPORT_NAMESPACE);
        assert!(
            parts
                .key
                .verify(&preimage(EXPORT_NAMESPACE, b"manifest"), &parts.signature)
        );
    }

    #[test]
    fn damaged_armour_is_refused() {
        let key = SigningKey::from_seed([1; 32]);
        let signature = key.sign(&preimage(EXPORT_NAMESPACE, b"manifest")).unwrap();
        let text = armor(key.public_key(), EXPORT_NAMESPACE, &signature);
        for bad in [
            String::new(),
            text.replace("BEGIN", "BEGUN"),
            text.replace(&text[40..44], ""),
            text.replace("U1NIU0lH", "U1NIU0lI"),
            text.replacen('\n', "\n!", 1),
        ] {
            assert!(dearmor(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_preimage_is_the_published_layout() {
        let digest = Digest::from_bytes([0xab; 32]);
        let mut expected =
            b"SSHSIG\0\0\0\x10event-v1@mledger\0\0\0\0\0\0\0\x06sha256\0\0\0\x20".to_vec();
        expected.extend_from_slice(&[0xab; 32]);
        assert_eq!(preimage_of(EVENT_NAMESPACE, &digest), expected);
    }
}
