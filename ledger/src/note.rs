//! Signed notes (C2SP signed-note): a text and lines of signatures under it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hasher;
use crate::key::{PublicKey, SignError, Signature, Signer};

/// The signature type of plain Ed25519 over the text (C2SP signed-note, signature types).
pub const ED25519: u8 = 0x01;
/// The signature type of a witness's timestamped Ed25519 cosignature (C2SP tlog-cosignature).
pub const COSIGNATURE: u8 = 0x04;

/// The most bytes that a note may have; a checkpoint with a hundred witnesses has a tenth.
const MAX_NOTE: usize = 1 << 20;
const MAX_SIGNATURES: usize = 100;
const DASH: &str = "\u{2014} ";

/// The text is not a signed note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a signed note, found {0}")]
pub struct NoteError(String);

/// A text and the signatures under it, none of them verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text that is signed, ending in LF.
    pub text: String,
    /// The signature lines, in order.
    pub signatures: Vec<SignatureLine>,
}

/// One signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// The name of the key.
    pub name: String,
    /// The first four bytes of a hash over the key's name, type and public half.
    pub key_hash: [u8; 4],
    /// The signature; its layout is its type's.
    pub signature: Vec<u8>,
}

impl Note {
    /// Signs `text`, which must end in LF, with Ed25519 under the key name `name`.
    ///
    /// # Errors
    ///
    /// When the signer does not sign.
    pub fn sign(text: String, name: &str, signer: &dyn Signer) -> Result<Self, SignError> {
        let signature = signer.sign(text.as_bytes())?;
        let key = signer.public_key();
        if !key.verify(text.as_bytes(), &signature) {
            return Err(SignError::BadSignature(key.fingerprint()));
        }
        let line = SignatureLine {
            name: name.to_owned(),
            key_hash: key_hash(name, ED25519, key),
            signature: signature.as_bytes().to_vec(),
        };
        Ok(Self {
            text,
            signatures: vec![line],
        })
    }

    /// Reads a note.
    ///
    /// # Errors
    ///
    /// When the text has no signature block, or a line of it is malformed.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        let refused = |found: &str| NoteError(found.to_owned());
        if note.len() > MAX_NOTE {
            return Err(refused("more than 1,048,576 bytes"));
        }
        if note.chars().any(|mark| mark < ' ' && mark != '\n') {
            return Err(refused("a control character"));
        }
        let split = note
            .rfind("\n\n")
            .ok_or_else(|| refused("no empty line before signatures"))?;
        let (text, block) = (&note[..=split], &note[split + 2..]);
        let lines = block
            .strip_suffix('\n')
            .ok_or_else(|| refused("no line feed at the end"))?;
        // counted before any is read: a note from outside must not make work
        if lines.split('\n').nth(MAX_SIGNATURES).is_some() {
            return Err(refused("more than 100 signatures"));
        }
        let signatures = lines
            .split('\n')
            .map(|line| signature_line(line).ok_or_else(|| refused("a malformed signature line")))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// Tells what this note's signatures say about a key of the given name: `None` where none
    /// is the key's, else whether all that claim to be the key's verify.
    #[must_use]
    pub fn verify(&self, name: &str, key: &PublicKey) -> Option<bool> {
        self.check(name, ED25519, key, |line| {
            Signature::try_from(line.signature.as_slice())
                .is_ok_and(|signature| key.verify(self.text.as_bytes(), &signature))
        })
    }

    /// Tells the same about a witness's cosignature (C2SP tlog-cosignature version 1).
    #[must_use]
    pub fn verify_cosignature(&self, witness: &Witness) -> Option<bool> {
        let Witness { name, key } = witness;
        self.check(name, COSIGNATURE, key, |line| {
            let Some((time, signature)) = line.signature.split_first_chunk::<8>() else {
                return false;
            };
            let time = u64::from_be_bytes(*time);
            let message = format!("cosignature/v1\ntime {time}\n{}", self.text);
            Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message.as_bytes(), &signature))
        })
    }

    fn check(
        &self,
        name: &str,
        kind: u8,
        key: &PublicKey,
        verifies: impl Fn(&SignatureLine) -> bool,
    ) -> Option<bool> {
        let hash = key_hash(name, kind, key);
        self.signatures
            .iter()
            .filter(|line| line.name == name && line.key_hash == hash)
            .map(verifies)
            .reduce(|all, one| all && one)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.text)?;
        for line in &self.signatures {
            let blob = [line.key_hash.as_slice(), &line.signature].concat();
            writeln!(formatter, "{DASH}{} {}", line.name, STANDARD.encode(blob))?;
        }
        Ok(())
    }
}

/// A witness: who cosigns checkpoints that extend those it has seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The witness's key name.
    pub name: String,
    /// The witness's key.
    pub key: PublicKey,
}

impl Witness {
    /// Reads a verifier key, `<name>+<key hash>+<base64 of type and key>`, whose type is that
    /// of cosignatures.
    ///
    /// # Errors
    ///
    /// When the text has another form or another type.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        match verifier_key(text) {
            Some((name, COSIGNATURE, key)) => Ok(Self { name, key }),
            _ => Err(NoteError(format!(
                "`{}` instead of a witness's verifier key `<name>+<hash>+<key>` of type 4",
                crate::text::fit(text, 200)
            ))),
        }
    }
}

/// Reads a verifier key of C2SP signed-note into its name, signature type and key.
#[must_use]
pub fn verifier_key(text: &str) -> Option<(String, u8, PublicKey)> {
    let mut parts = text.splitn(3, '+');
    let (name, hash, key) = (parts.next()?, parts.next()?, parts.next()?);
    let blob = STANDARD.decode(key).ok()?;
    let (kind, bytes) = blob.split_first()?;
    let key = PublicKey::from_bytes(bytes.try_into().ok()?).ok()?;
    let expected = u32::from_be_bytes(key_hash(name, *kind, &key));
    let matches = is_key_name(name) && hash == format!("{expected:08x}");
    matches.then(|| (name.to_owned(), *kind, key))
}

/// Returns the first four bytes of SHA-256(name || 0x0A || type || public key).
#[must_use]
pub fn key_hash(name: &str, kind: u8, key: &PublicKey) -> [u8; 4] {
    let mut hasher = Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(&[b'\n', kind]);
    hasher.update(key.as_bytes());
    let digest = hasher.finish();
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

fn signature_line(line: &str) -> Option<SignatureLine> {
    let (name, base64) = line.strip_prefix(DASH)?.split_once(' ')?;
    let blob = STANDARD.decode(base64).ok()?;
    let (key_hash, signature) = blob.split_first_chunk::<4>()?;
    (is_key_name(name) && !signature.is_empty()).then(|| SignatureLine {
        name: name.to_owned(),
        key_hash: *key_hash,
        signature: signature.to_vec(),
    })
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|mark: char| mark.is_whitespace() || mark == '+')
}
