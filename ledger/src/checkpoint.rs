//! Checkpoints: signed tree heads that are kept where the log cannot reach (format section 8).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Digest;
use crate::key::{SignError, Signer};
use crate::merkle::{TreeHead, verify_inclusion};
use crate::note::{Note, NoteError};
use crate::record::{Record, entry_hash};

const ORIGIN: &str = "mledger/";
const PROOF_HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Why a text is not a checkpoint or a proof, or does not prove what it claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The text is not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note's text is not a checkpoint of this format.
    #[error("expected a checkpoint `mledger/<ledger id>`, size and root, found `{0}`")]
    Text(String),
    /// The proof's text has another form.
    #[error("expected a proof `{PROOF_HEADER}`, found {0}")]
    Proof(String),
    /// The proof's path does not lead to the checkpoint's root.
    #[error("the proof's path does not lead from entry {index} to the checkpoint's root")]
    PathMismatch {
        /// The index that the proof claims.
        index: u64,
    },
    /// The proof's entry says of itself that it stands elsewhere.
    #[error("the proof is for entry {index}, but the entry says that it is {found}")]
    OtherEntry {
        /// The index that the proof claims.
        index: u64,
        /// What the entry says.
        found: String,
    },
}

/// The head of a ledger: C2SP tlog-checkpoint without extension lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger id that the entry at `size` would carry.
    pub ledger: Digest,
    /// The number of entries.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
}

impl Checkpoint {
    /// Returns the origin line, which also is the name of its keys.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{ORIGIN}{}", self.ledger)
    }

    /// Returns size and root.
    #[must_use]
    pub const fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root,
        }
    }

    /// Signs the checkpoint; the note's text form is its [`fmt::Display`].
    ///
    /// # Errors
    ///
    /// When the signer does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<Note, SignError> {
        Note::sign(self.to_string(), &self.origin(), signer)
    }

    /// Reads a signed note's text as a checkpoint. No signature is verified: only a verifier
    /// that has read the log up to `size` knows the keys that may sign.
    ///
    /// # Errors
    ///
    /// When it is no note, or its text no checkpoint.
    pub fn parse(note: &str) -> Result<(Self, Note), CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Self::parse_text(&note.text)
            .ok_or_else(|| CheckpointError::Text(crate::text::fit(&note.text, 300)))?;
        Ok((checkpoint, note))
    }

    fn parse_text(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let ledger = lines.next()?.strip_prefix(ORIGIN)?.parse().ok()?;
        let size = decimal(lines.next()?)?;
        let root = digest(lines.next()?)?;
        lines
            .next()
            .is_none()
            .then_some(Self { ledger, size, root })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{ORIGIN}{}\n{}\n{}",
            self.ledger,
            self.size,
            STANDARD.encode(self.root.as_bytes())
        )
    }
}

/// Proof that one entry is in a log, checkable offline (C2SP tlog-proof); its `extra` is the
/// entry itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The entry.
    pub record: Record,
    /// The entry's index, which is its seq.
    pub index: u64,
    /// The audit path from the entry to the checkpoint's root.
    pub path: Vec<Digest>,
    /// The head that the path leads to.
    pub checkpoint: Checkpoint,
    /// The checkpoint's signed note.
    pub note: Note,
}

impl Proof {
    /// Reads a proof and checks that its path leads from its entry to its checkpoint's root.
    ///
    /// The checkpoint's signatures are not verified; who signs for the ledger is the caller's
    /// to know ([`Note::verify`]).
    ///
    /// # Errors
    ///
    /// When the text has another form, or does not prove what it claims.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let malformed = |found: &str| CheckpointError::Proof(found.to_owned());
        let (head, note) = text
            .split_once("\n\n")
            .ok_or_else(|| malformed("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(PROOF_HEADER) {
            return Err(malformed("another header"));
        }
        let record = lines
            .next()
            .and_then(|line| line.strip_prefix("extra "))
            .and_then(|extra| STANDARD.decode(extra).ok())
            .and_then(|entry| Record::from_entry(&entry))
            .ok_or_else(|| malformed("no entry as `extra`"))?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or_else(|| malformed("no `index`"))?;
        let path = lines
            .map(|line| digest(line).ok_or_else(|| malformed("a malformed hash")))
            .collect::<Result<Vec<_>, _>>()?;
        let (checkpoint, note) = Checkpoint::parse(note)?;
        let proof = Self {
            record,
            index,
            path,
            checkpoint,
            note,
        };
        proof.check()?;
        Ok(proof)
    }

    /// Checks the path, and that the entry says of itself that it stands at `index`.
    ///
    /// # Errors
    ///
    /// When either does not hold.
    pub fn check(&self) -> Result<(), CheckpointError> {
        let leaf = entry_hash(&self.record.line, self.record.signature.as_bytes());
        let Checkpoint { size, root, .. } = self.checkpoint;
        if !verify_inclusion(&leaf, self.index, size, &self.path, &root) {
            return Err(CheckpointError::PathMismatch { index: self.index });
        }
        let found = match self.record.event() {
            Ok(event) if event.seq == self.index => return Ok(()),
            Ok(event) => format!("`{}`", event.seq),
            Err(fault) => format!("unreadable ({fault})"),
        };
        Err(CheckpointError::OtherEntry {
            index: self.index,
            found,
        })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extra = STANDARD.encode(self.record.to_entry());
        writeln!(
            formatter,
            "{PROOF_HEADER}\nextra {extra}\nindex {}",
            self.index
        )?;
        for hash in &self.path {
            writeln!(formatter, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(formatter, "\n{}", self.note)
    }
}

/// Reads a decimal number in its one form, without sign or leading zero.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn digest(base64: &str) -> Option<Digest> {
    let bytes: [u8; 32] = STANDARD.decode(base64).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}
