//! A log of signed, hash-chained events, and the verifier that re-derives it.
//!
//! The log is tamper-evident: every entry is signed (Ed25519 over OpenSSH's SSHSIG), names the
//! hash of the entry before it, and is a leaf of a Merkle tree (RFC 6962) whose root a
//! checkpoint (C2SP tlog-checkpoint) pins from outside. What is hashed, signed, stored and
//! verified is one byte string, made once.
//!
//! There is no I/O here, no clock, no randomness and no database: bytes go in, verdicts and
//! bytes come out.
//!
//! | type | role |
//! | --- | --- |
//! | [`Event`], [`Body`] | a fact, as typed members |
//! | [`Record`] | its canonical line and the signature over it |
//! | [`Signer`], [`SigningKey`], [`PublicKey`] | who signs, and who signed |
//! | [`Verifier`] | reads records one by one, and says what is wrong |
//! | [`Keyring`], [`Lifecycle`] | which keys count where, and what may follow what |
//! | [`Checkpoint`], [`Proof`] | what an auditor keeps, and what convinces one offline |
//! | [`Finding`], [`Code`] | what was found, under a stable name |
//!
//! A ledger of one entry, written and verified:
//!
//! ```
//! use ledger::{
//!     Anchor, Code, DatabaseId, Digest, Event, KeyGrant, LedgerCreated, Options, Outcome, Record,
//!     Role, Signer, SigningKey, Verifier,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::from_seed([7; 32]);
//! let event = Event {
//!     actor: "dana@example.com".to_owned(),
//!     body: LedgerCreated {
//!         database: DatabaseId {
//!             engine: "sqlite".to_owned(),
//!             identity: "a random id".to_owned(),
//!             name: "shop.db".to_owned(),
//!         },
//!         key: KeyGrant {
//!             name: "dana@example.com".to_owned(),
//!             public: key.public_key().to_openssh(),
//!             roles: vec![Role::Owner].into(),
//!         },
//!         nonce: Digest::of(b"32 random bytes, in earnest"),
//!     }
//!     .into(),
//!     env: "development".to_owned(),
//!     host: "laptop".to_owned(),
//!     key: key.public_key().fingerprint(),
//!     ledger: Digest::ZERO,
//!     outcome: Outcome::Success,
//!     prev: Digest::ZERO,
//!     run: "0193a000-0000-7000-8000-000000000001".parse()?,
//!     seq: 0,
//!     time: "2026-11-20T20:00:00.000000Z".parse()?,
//!     tool: "mledger/0.1.0".to_owned(),
//! };
//! let mut record = Record::sign(&event, &key)?;
//!
//! let mut verifier = Verifier::new(Options::default());
//! assert_eq!(verifier.push(&record), Some(event));
//! assert_eq!(verifier.ledger_id(), Some(record.hash()));
//! let verdict = verifier.finish();
//! // nothing from outside was given, and the verdict says so
//! assert_eq!(verdict.anchored_to, Anchor::Nothing);
//! assert_eq!(verdict.findings[0].code, Code::FirstKeyNotTrusted);
//! assert!(!verdict.has_errors());
//!
//! // one changed byte, and the signature no longer fits
//! let at = record.line.iter().position(|byte| *byte == b'd').ok_or("no `d`")?;
//! record.line[at] = b'D';
//! let mut verifier = Verifier::new(Options::default());
//! verifier.push(&record);
//! assert_eq!(verifier.findings()[0].code, Code::SignatureInvalid);
//! # Ok(())
//! # }
//! ```

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
pub use verify::{Anchor, Consistency, Head, Kept, Options, SignatureCheck, Verdict, Verifier};
