//! A log of signed, hash-chained events, and the verifier that re-derives it.
//!
//! The log is tamper-evident: every entry is signed, names the hash of the entry before it, and
//! is a leaf of a Merkle tree (RFC 6962) whose root a checkpoint pins.

pub mod body;
pub mod canonical;
pub mod checkpoint;
mod event;
mod finding;
mod hash;
mod key;
pub mod lifecycle;
pub mod merkle;
pub mod note;
mod record;
pub mod sshsig;
mod text;
mod time;
pub mod trust;
pub mod verify;

pub use body::*;
pub use checkpoint::{Checkpoint, CheckpointError, Proof};
pub use event::{Event, FORMAT_VERSION, LineFault, MAX_ENTRY, MAX_LINE};
pub use finding::{Code, Finding, Severity};
pub use hash::{Digest, DigestError, Hasher};
pub use key::{
    Fingerprint, KeyError, KeyTextError, PublicKey, SignError, Signature, Signer, SigningKey,
};
pub use lifecycle::Lifecycle;
pub use record::Record;
pub use sshsig::key_proof_message;
pub use text::{clean, fit};
pub use time::{Timestamp, TimestampError};
pub use trust::{AllowedSigners, Keyring};
pub use verify::{Anchor, Consistency, Head, Options, SignatureCheck, Verdict, Verifier};
