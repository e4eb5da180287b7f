//! Records: an event's bytes and the signature over them (format sections 1 and 3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::event::{Event, LineFault};
use crate::hash::{Digest, Hasher};
use crate::key::{PublicKey, SignError, Signature, Signer};
use crate::sshsig;

/// A line and its signature; what is stored, exported and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The canonical line, without its line feed.
    pub line: Vec<u8>,
    /// The signature over the line and its line feed.
    pub signature: Signature,
}

impl Record {
    /// Writes `event` as a line and has `signer` sign it.
    ///
    /// The signature is verified before it is returned, since an ssh-agent or a key service is
    /// another program.
    ///
    /// # Errors
    ///
    /// See [`SignError`].
    pub fn sign(event: &Event, signer: &dyn Signer) -> Result<Self, SignError> {
        let key = signer.public_key();
        if event.key != key.fingerprint() {
            return Err(SignError::OtherKey {
                signer: key.fingerprint(),
                event: event.key,
            });
        }
        let line = event.to_line()?;
        let preimage = sshsig::preimage_of(sshsig::EVENT_NAMESPACE, &line_digest(&line));
        let signature = signer.sign(&preimage)?;
        if !key.verify(&preimage, &signature) {
            return Err(SignError::BadSignature(key.fingerprint()));
        }
        Ok(Self { line, signature })
    }

    /// Returns the entry hash: the Merkle leaf, the next entry's `prev`, and the event's id.
    #[must_use]
    pub fn hash(&self) -> Digest {
        entry_hash(&self.line, self.signature.as_bytes())
    }

    /// Reads the line.
    ///
    /// # Errors
    ///
    /// See [`LineFault`].
    pub fn event(&self) -> Result<Event, LineFault> {
        Event::parse(&self.line)
    }

    /// Tells whether the signature is `key`'s over this line.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let preimage = sshsig::preimage_of(sshsig::EVENT_NAMESPACE, &line_digest(&self.line));
        key.verify(&preimage, &self.signature)
    }

    /// Returns the entry's bytes: line, LF, base64 of the signature, LF.
    #[must_use]
    pub fn to_entry(&self) -> Vec<u8> {
        let mut entry = Vec::with_capacity(self.line.len() + 90);
        entry.extend_from_slice(&self.line);
        entry.push(b'\n');
        entry.extend_from_slice(self.signature.to_string().as_bytes());
        entry.push(b'\n');
        entry
    }

    /// Reads an entry's bytes; the line itself is not looked into.
    #[must_use]
    pub fn from_entry(entry: &[u8]) -> Option<Self> {
        let body = entry.strip_suffix(b"\n")?;
        let (line, signature) = body.split_at_checked(body.len().checked_sub(89)?)?;
        let signature = std::str::from_utf8(signature.strip_prefix(b"\n")?).ok()?;
        Some(Self {
            line: line.to_vec(),
            signature: signature.parse().ok()?,
        })
    }
}

/// Returns the SHA-256 of the line with its line feed, which is what is signed.
pub(crate) fn line_digest(line: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(line);
    hasher.update(b"\n");
    hasher.finish()
}

/// Returns the RFC 6962 leaf hash of an entry whose signature may have any length.
pub(crate) fn entry_hash(line: &[u8], signature: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[0]);
    hasher.update(line);
    hasher.update(b"\n");
    hasher.update(STANDARD.encode(signature).as_bytes());
    hasher.update(b"\n");
    hasher.finish()
}
