//! Signing keys in OpenSSH's private key format (PROTOCOL.key).

use ed25519_dalek::Signer as _;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData, PrivateKey};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{Algorithm, Cipher, Kdf, LineEnding};
use zeroize::{Zeroize, Zeroizing};

use super::{KeyTextError, PublicKey, SignError, Signature, Signer};
use crate::hash::Digest;

/// Rounds of bcrypt-pbkdf, as `ssh-keygen` has them by default since OpenSSH 9.4.
const KDF_ROUNDS: u32 = 24;

/// Why a private key cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key is encrypted and no passphrase was given.
    #[error("the private key is encrypted and no passphrase was given")]
    Encrypted,
    /// The passphrase does not decrypt the key.
    #[error("the passphrase does not decrypt the private key")]
    WrongPassphrase,
    /// The key is of another algorithm.
    #[error("expected an `ssh-ed25519` private key, found `{0}`")]
    NotEd25519(String),
    /// The text is not an OpenSSH private key.
    #[error("expected an OpenSSH private key: {0}")]
    Malformed(String),
    /// The key's public half is of small order.
    #[error("the private key is weak")]
    Weak,
}

/// An Ed25519 private key in memory; wiped when it is dropped, shown by nothing.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// Derives the key from its 32-byte seed (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let public = PublicKey::of_secret(&key);
        Self { key, public }
    }

    /// Reads OpenSSH's private key format, encrypted or not.
    ///
    /// A passphrase for a key that is not encrypted is ignored.
    ///
    /// # Errors
    ///
    /// See [`KeyError`]; no variant carries any of the text.
    pub fn from_openssh(text: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let mut parsed = PrivateKey::from_openssh(text.as_bytes())
            .map_err(|fault| KeyError::Malformed(fault.to_string()))?;
        if parsed.algorithm() != Algorithm::Ed25519 {
            return Err(KeyError::NotEd25519(parsed.algorithm().to_string()));
        }
        if parsed.is_encrypted() {
            let passphrase = passphrase.ok_or(KeyError::Encrypted)?;
            parsed = parsed
                .decrypt(passphrase)
                .map_err(|_| KeyError::WrongPassphrase)?;
        }
        let pair = parsed
            .key_data()
            .ed25519()
            .ok_or_else(|| KeyError::NotEd25519(parsed.algorithm().to_string()))?;
        if let Err(KeyTextError::Weak(_)) = PublicKey::from_bytes(pair.public.as_ref()) {
            return Err(KeyError::Weak);
        }
        let key = Self::from_seed(pair.private.to_bytes());
        if key.public.as_bytes() != pair.public.as_ref() {
            return Err(KeyError::Malformed(
                "its public half is not that of its private half".to_owned(),
            ));
        }
        Ok(key)
    }

    /// Reads the public half of OpenSSH's private key format, which is never encrypted, and tells whether
    /// the private half is.
    ///
    /// # Errors
    ///
    /// See [`KeyError`]; no variant carries any of the text.
    pub fn public_of(text: &str) -> Result<(PublicKey, bool), KeyError> {
        let parsed = PrivateKey::from_openssh(text.as_bytes())
            .map_err(|fault| KeyError::Malformed(fault.to_string()))?;
        let public = parsed
            .public_key()
            .key_data()
            .ed25519()
            .ok_or_else(|| KeyError::NotEd25519(parsed.algorithm().to_string()))?;
        let public = PublicKey::from_bytes(public.as_ref()).map_err(|fault| match fault {
            KeyTextError::Weak(_) => KeyError::Weak,
            other => KeyError::Malformed(other.to_string()),
        })?;
        Ok((public, parsed.is_encrypted()))
    }

    /// Writes OpenSSH's private key format without encryption.
    ///
    /// The same key and comment give the same text: the format's check number is derived from
    /// the public key, since nothing here is random.
    ///
    /// # Errors
    ///
    /// When the comment cannot be encoded.
    pub fn to_openssh(&self, comment: &str) -> Result<Zeroizing<String>, KeyError> {
        self.plain(comment)?
            .to_openssh(LineEnding::LF)
            .map_err(|fault| KeyError::Malformed(fault.to_string()))
    }

    /// Writes OpenSSH's private key format, encrypted with AES-256-CTR and bcrypt-pbkdf.
    ///
    /// `salt` must be 16 fresh random bytes.
    ///
    /// # Errors
    ///
    /// When the passphrase is empty or the comment cannot be encoded.
    pub fn to_openssh_encrypted(
        &self,
        comment: &str,
        passphrase: &str,
        salt: [u8; 16],
    ) -> Result<Zeroizing<String>, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::Malformed("the passphrase is empty".to_owned()));
        }
        let kdf = Kdf::Bcrypt {
            salt: salt.to_vec(),
            rounds: KDF_ROUNDS,
        };
        self.plain(comment)?
            .encrypt_with(Cipher::Aes256Ctr, kdf, self.check_number(), passphrase)
            .and_then(|encrypted| encrypted.to_openssh(LineEnding::LF))
            .map_err(|fault| KeyError::Malformed(fault.to_string()))
    }

    fn plain(&self, comment: &str) -> Result<PrivateKey, KeyError> {
        let mut seed = self.key.to_bytes();
        let pair = Ed25519Keypair {
            public: Ed25519PublicKey(*self.public.as_bytes()),
            private: Ed25519PrivateKey::from_bytes(&seed),
        };
        seed.zeroize();
        PrivateKey::new(KeypairData::Ed25519(pair), comment)
            .map_err(|fault| KeyError::Malformed(fault.to_string()))
    }

    fn check_number(&self) -> u32 {
        let digest = Digest::of(self.public.as_bytes());
        let [a, b, c, d, ..] = *digest.as_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, preimage: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature::from_bytes(self.key.sign(preimage).to_bytes()))
    }
}
