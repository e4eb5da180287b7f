//! Keys: OpenSSH Ed25519 keys, their fingerprints and their signatures.
//!
//! Signatures are Ed25519 (RFC 8032) and are verified strictly: canonical S, no key or point of
//! small order. Public keys have OpenSSH's text form (`ssh-ed25519 AAAA…`).

mod private;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::LineFault;
use crate::hash::Digest;
use crate::text::fit;

pub use private::{KeyError, SigningKey};

const ALGORITHM: &str = "ssh-ed25519";

/// Why a public key, fingerprint or signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyTextError {
    /// The text is not a public key of the one form.
    #[error("expected a public key `ssh-ed25519 AAAA… [comment]`, found `{0}`")]
    PublicKey(String),
    /// The public key is a point of small order, which signs anything.
    #[error("expected a public key of large order, found the weak key `{0}`")]
    Weak(String),
    /// The text is not a fingerprint of the one form.
    #[error("expected a fingerprint `SHA256:` and 43 characters of base64, found `{0}`")]
    Fingerprint(String),
    /// The text is not a signature of the one form.
    #[error("expected a signature as 88 characters of base64, found `{0}`")]
    Signature(String),
}

/// An Ed25519 public key that is not weak.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    fingerprint: Fingerprint,
}

impl PublicKey {
    /// Reads OpenSSH's one-line text form, `ssh-ed25519 AAAA… [comment]`.
    ///
    /// # Errors
    ///
    /// When the text has another form, names another algorithm, or the key is weak.
    pub fn from_openssh(text: &str) -> Result<Self, KeyTextError> {
        let refused = || KeyTextError::PublicKey(fit(text, 200));
        if text.contains(['\n', '\r']) {
            return Err(refused());
        }
        let mut words = text.splitn(3, ' ');
        if words.next() != Some(ALGORITHM) {
            return Err(refused());
        }
        let blob = words
            .next()
            .and_then(|word| STANDARD.decode(word).ok())
            .ok_or_else(refused)?;
        let bytes = blob
            .strip_prefix(blob_prefix().as_slice())
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(refused)?;
        Self::from_bytes(&bytes)
    }

    /// Wraps the 32 bytes of RFC 8032 section 5.1.5.
    ///
    /// # Errors
    ///
    /// When they are no point of the curve, not its canonical encoding, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyTextError> {
        let shown = || STANDARD.encode(bytes);
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyTextError::PublicKey(shown()))?;
        if key.is_weak() {
            return Err(KeyTextError::Weak(shown()));
        }
        // the decoder reduces what is not canonical; two texts of one key would be two keys
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyTextError::PublicKey(shown()));
        }
        let fingerprint = Fingerprint(*Digest::of(&blob(bytes)).as_bytes());
        Ok(Self { key, fingerprint })
    }

    /// A key derived from a secret is a multiple of the base point, so it is not weak.
    fn of_secret(secret: &ed25519_dalek::SigningKey) -> Self {
        let key = secret.verifying_key();
        let fingerprint = Fingerprint(*Digest::of(&blob(key.as_bytes())).as_bytes());
        Self { key, fingerprint }
    }

    /// Returns the 32 bytes of RFC 8032 section 5.1.5.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Returns the key's blob of RFC 8709 section 4.
    #[must_use]
    pub fn to_blob(&self) -> Vec<u8> {
        blob(self.as_bytes())
    }

    /// Returns OpenSSH's text form without a comment.
    #[must_use]
    pub fn to_openssh(&self) -> String {
        format!("{ALGORITHM} {}", STANDARD.encode(self.to_blob()))
    }

    /// Returns the fingerprint as `ssh-keygen -l` prints it.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Tells whether `signature` is this key's over `preimage`, checked strictly.
    #[must_use]
    pub fn verify(&self, preimage: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.key.verify_strict(preimage, &signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_openssh())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.fingerprint)
    }
}

impl FromStr for PublicKey {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        Self::from_openssh(text)
    }
}

/// A key's name: the SHA-256 of its public blob, written `SHA256:` and unpadded base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("SHA256:{}", STANDARD_NO_PAD.encode(self.0)))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Fingerprint {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        text.strip_prefix("SHA256:")
            .and_then(|base64| STANDARD_NO_PAD.decode(base64).ok())
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| KeyTextError::Fingerprint(fit(text, 200)))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// An Ed25519 signature; 64 bytes, written as 88 characters of padded base64 (RFC 4648).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Wraps the 64 bytes of RFC 8032 section 5.1.6, which are not checked here.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Returns the 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Signature {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        STANDARD
            .decode(text)
            .ok()
            .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| KeyTextError::Signature(fit(text, 200)))
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

/// Why nothing was signed; no variant carries a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The signer could not sign, or would not.
    #[error("the signer did not sign: {0}")]
    Refused(String),
    /// The event has no canonical line.
    #[error(transparent)]
    Line(#[from] LineFault),
    /// The event names another key than the signer's.
    #[error("expected an event of the signing key `{signer}`, found `{event}`")]
    OtherKey {
        /// The signer's fingerprint.
        signer: Fingerprint,
        /// The fingerprint in the event.
        event: Fingerprint,
    },
    /// What the signer gave back is no signature of its key.
    #[error("the signer gave a signature that its own key `{0}` does not verify")]
    BadSignature(Fingerprint),
}

/// What signs: a key in memory, an ssh-agent, or a program that fronts a KMS or HSM.
pub trait Signer: Send + Sync {
    /// Returns the key that the signatures verify with.
    fn public_key(&self) -> &PublicKey;

    /// Signs `preimage` with Ed25519 (RFC 8032), not prehashed.
    ///
    /// # Errors
    ///
    /// When the key cannot be reached or its holder refuses.
    fn sign(&self, preimage: &[u8]) -> Result<Signature, SignError>;
}

fn blob_prefix() -> Vec<u8> {
    let mut prefix = Vec::with_capacity(19);
    crate::sshsig::put_string(&mut prefix, ALGORITHM.as_bytes());
    prefix.extend_from_slice(&32_u32.to_be_bytes());
    prefix
}

fn blob(bytes: &[u8; 32]) -> Vec<u8> {
    let mut blob = blob_prefix();
    blob.extend_from_slice(bytes);
    blob
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const DANA: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

    #[test]
    fn a_public_key_is_read_with_and_without_comment() {
        let key = PublicKey::from_openssh(DANA).unwrap();
        assert_eq!(key.to_openssh(), DANA);
        assert_eq!(
            key.fingerprint().to_string(),
            "SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8"
        );
        assert_eq!(
            PublicKey::from_openssh(&format!("{DANA} dana at home")),
            Ok(key)
        );
    }

    #[test]
    fn other_forms_and_other_algorithms_are_refused() {
        for text in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            &DANA["ssh-ed25519 ".len()..],
            &DANA.replace("ssh-ed25519 ", "ssh-rsa "),
            &DANA.replace("ssh-ed25519 ", "ssh-ed25519  "),
            &DANA[..DANA.len() - 4],
            &format!("{DANA}\n"),
        ] {
            assert!(
                matches!(
                    PublicKey::from_openssh(text),
                    Err(KeyTextError::PublicKey(_))
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn weak_keys_are_refused() {
        let mut identity = [0_u8; 32];
        identity[0] = 1;
        let weak = format!("{ALGORITHM} {}", STANDARD.encode(blob(&identity)));
        assert!(matches!(
            PublicKey::from_openssh(&weak),
            Err(KeyTextError::Weak(_))
        ));
        let zero = format!("{ALGORITHM} {}", STANDARD.encode(blob(&[0; 32])));
        assert!(matches!(
            PublicKey::from_openssh(&zero),
            Err(KeyTextError::Weak(_))
        ));
    }

    #[test]
    fn fingerprints_and_signatures_have_one_text() {
        let text = "SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8";
        assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), text);
        // the last character's spare bits are not zero
        assert!(text.replace("yA8", "yA9").parse::<Fingerprint>().is_err());
        assert!(format!("{text}=").parse::<Fingerprint>().is_err());
        assert!(text[7..].parse::<Fingerprint>().is_err());

        let signature = Signature::from_bytes([7; 64]);
        assert_eq!(signature.to_string().len(), 88);
        assert_eq!(signature.to_string().parse(), Ok(signature));
        assert!(signature.to_string()[..86].parse::<Signature>().is_err());
    }
}
