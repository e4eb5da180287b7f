//! A log of signed, hash-chained events, and the verifier that re-derives it.
//!
//! The log is tamper-evident: every entry is signed, names the hash of the entry before it, and
//! is a leaf of a Merkle tree (RFC 6962) whose root a checkpoint pins.

pub mod body;
pub mod canonical;
mod event;
mod hash;
mod key;
mod record;
pub mod sshsig;
mod text;
mod time;

pub use body::*;
pub use event::{Event, FORMAT_VERSION, LineFault, MAX_ENTRY, MAX_LINE};
pub use hash::{Digest, DigestError, Hasher};
pub use key::{
    Fingerprint, KeyError, KeyTextError, PublicKey, SignError, Signature, Signer, SigningKey,
};
pub use record::Record;
pub use sshsig::key_proof_message;
pub use text::{clean, fit};
pub use time::{Timestamp, TimestampError};
