//! Events, and the lines they are written as (format section 1).

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::body::part::{Members, put, take, take_node};
use crate::body::{Body, Outcome};
use crate::canonical::{self, Node, Nodes, Object, Value};
use crate::hash::Digest;
use crate::key::Fingerprint;
use crate::time::Timestamp;

/// The version of the format that this crate reads and writes.
pub const FORMAT_VERSION: u64 = 1;

/// The most bytes that an entry (line, signature and two line feeds) may have.
pub const MAX_ENTRY: usize = 65_535;

/// The most bytes that a line may have, without its line feed.
pub const MAX_LINE: usize = MAX_ENTRY - 90;

/// A fact, in the past tense; what a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who acts; a claim, where it differs from the key's name.
    pub actor: String,
    /// What happened.
    pub body: Body,
    /// The name of the environment.
    pub env: String,
    /// Where the tool ran.
    pub host: String,
    /// The key that signs.
    pub key: Fingerprint,
    /// The ledger's id; zero in the first entry.
    pub ledger: Digest,
    /// How it ended.
    pub outcome: Outcome,
    /// The hash of the entry before this one; zero in the first.
    pub prev: Digest,
    /// The command that appended it (UUID version 7, RFC 9562 section 5.7).
    pub run: Uuid,
    /// The entry's place: 0 for the first, then one more each.
    pub seq: u64,
    /// When; a claim, never an order.
    pub time: Timestamp,
    /// The tool and its version, as `mledger/0.1.0`.
    pub tool: String,
}

/// Why a line is not an event of this format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// The line is not its own canonical form, or its members are not those of its kind.
    #[error("the line is not canonical: {0}")]
    NotCanonical(String),
    /// The line has a format version of its own.
    #[error("expected format version `1`, found `{0}`; a newer version of the tool may read it")]
    VersionUnknown(u64),
    /// The entry would not fit in its limit.
    #[error("expected a line of at most {limit} bytes, found {length}")]
    TooLong {
        /// The line's length in bytes.
        length: usize,
        /// The most that a line may have.
        limit: usize,
    },
}

impl Event {
    /// Returns the canonical line, without its line feed.
    ///
    /// What is returned was read back, so no line is made that a reader would refuse.
    ///
    /// # Errors
    ///
    /// When the line is longer than [`MAX_LINE`], or a member has no canonical form.
    pub fn to_line(&self) -> Result<Vec<u8>, LineFault> {
        let line = canonical::write(&self.to_value())
            .map_err(|fault| LineFault::NotCanonical(fault.to_string()))?;
        Self::parse(&line)?;
        Ok(line)
    }

    /// Reads a line, given without its line feed.
    ///
    /// A kind that is not known is no error; it gives [`Body::Unknown`].
    ///
    /// # Errors
    ///
    /// See [`LineFault`].
    pub fn parse(line: &[u8]) -> Result<Self, LineFault> {
        if line.len() > MAX_LINE {
            return Err(LineFault::TooLong {
                length: line.len(),
                limit: MAX_LINE,
            });
        }
        let not_canonical = LineFault::NotCanonical;
        let mut members = match canonical::read_node(line) {
            Ok(Node::Object(members)) => members,
            Ok(other) => {
                let found = other.sort();
                return Err(not_canonical(format!("expected an object, found {found}")));
            }
            Err(fault) => return Err(not_canonical(fault.to_string())),
        };
        // the version comes first: the members of another one are not known
        match take::<u64>(&mut members, "v") {
            Ok(FORMAT_VERSION) => {}
            Ok(other) => return Err(LineFault::VersionUnknown(other)),
            Err(fault) => return Err(not_canonical(fault)),
        }
        let event = Self::take(&mut members).map_err(not_canonical)?;
        match members.first() {
            Some((name, _)) => Err(not_canonical(format!("member `{name}` is not known"))),
            None => Ok(event),
        }
    }

    /// Returns the fourteen members as a canonical value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut object = Object::new();
        self.put(&mut object);
        put(&mut object, "v", &FORMAT_VERSION);
        Value::Object(object)
    }
}

impl Members for Event {
    fn take(members: &mut Nodes) -> Result<Self, String> {
        let kind: String = take(members, "kind")?;
        let body =
            take_node(members, "body").ok_or_else(|| "member `body` is missing".to_owned())?;
        Ok(Self {
            actor: take(members, "actor")?,
            body: Body::read(&kind, body).map_err(|fault| format!("body of `{kind}`: {fault}"))?,
            env: take(members, "env")?,
            host: take(members, "host")?,
            key: take(members, "key")?,
            ledger: take(members, "ledger")?,
            outcome: take(members, "outcome")?,
            prev: take(members, "prev")?,
            run: take(members, "run")?,
            seq: take(members, "seq")?,
            time: take(members, "time")?,
            tool: take(members, "tool")?,
        })
    }

    fn put(&self, object: &mut Object) {
        put(object, "actor", &self.actor);
        object.insert("body".to_owned(), self.body.to_value());
        put(object, "env", &self.env);
        put(object, "host", &self.host);
        put(object, "key", &self.key);
        object.insert("kind".to_owned(), Value::from(self.body.kind()));
        put(object, "ledger", &self.ledger);
        put(object, "outcome", &self.outcome);
        put(object, "prev", &self.prev);
        put(object, "run", &self.run);
        put(object, "seq", &self.seq);
        put(object, "time", &self.time);
        put(object, "tool", &self.tool);
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}
