//! How typed members become canonical values, and are read back strictly.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use uuid::Uuid;

use super::words::Role;
use crate::canonical::{MAX_INTEGER, Node, Nodes, Object, Value};
use crate::hash::Digest;
use crate::key::{Fingerprint, Signature};
use crate::text::clean;
use crate::time::Timestamp;

/// A member's type: one value has one form, and every other form is refused.
pub(crate) trait Part: Sized {
    /// Reads the value of a member that is there.
    fn read(node: Node) -> Result<Self, String>;

    /// Returns the member's value; `None` leaves the member out.
    fn write(&self) -> Option<Value>;

    /// Returns what a missing member means; `None` where it must not be missing.
    fn absent() -> Option<Self> {
        None
    }
}

/// A body or a part of one with named members.
pub(crate) trait Members: Sized {
    /// Takes this type's members out of `members`.
    fn take(members: &mut Nodes) -> Result<Self, String>;

    /// Puts this type's members into `object`.
    fn put(&self, object: &mut Object);
}

/// Takes the member `name` out of `members`, whose order is lost.
pub(crate) fn take<P: Part>(members: &mut Nodes, name: &str) -> Result<P, String> {
    match take_node(members, name) {
        Some(node) => P::read(node).map_err(|fault| format!("member `{name}`: {fault}")),
        None => P::absent().ok_or_else(|| format!("member `{name}` is missing")),
    }
}

/// Takes the member `name` out of `members` as it is.
pub(crate) fn take_node<'a>(members: &mut Nodes<'a>, name: &str) -> Option<Node<'a>> {
    let index = members.iter().position(|(found, _)| *found == name)?;
    Some(members.swap_remove(index).1)
}

/// Puts the member `name` into `object`, unless it is left out.
pub(crate) fn put<P: Part>(object: &mut Object, name: &str, part: &P) {
    if let Some(value) = part.write() {
        object.insert(name.to_owned(), value);
    }
}

/// Reads all of `node` as an object with exactly the members of `M`.
pub(crate) fn whole<M: Members>(node: Node) -> Result<M, String> {
    match node {
        Node::Object(mut members) => {
            let whole = M::take(&mut members)?;
            match members.first() {
                Some((name, _)) => Err(format!("member `{name}` is not known here")),
                None => Ok(whole),
            }
        }
        other => Err(unexpected("an object", &other)),
    }
}

/// Reads a string by the type's own strict parser.
pub(crate) fn parsed<T>(node: &Node) -> Result<T, String>
where
    T: FromStr,
    T::Err: Display,
{
    match node {
        Node::Text(text) => text.parse().map_err(|fault: T::Err| fault.to_string()),
        other => Err(unexpected("a string", other)),
    }
}

fn unexpected(expected: &str, found: &Node) -> String {
    format!("expected {expected}, found {}", found.sort())
}

impl<P: Part> Part for Option<P> {
    fn read(node: Node) -> Result<Self, String> {
        P::read(node).map(Some)
    }

    fn write(&self) -> Option<Value> {
        self.as_ref().and_then(P::write)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl Part for String {
    fn read(node: Node) -> Result<Self, String> {
        match node {
            Node::Text(text) => Ok(text.into_owned()),
            other => Err(unexpected("a string", &other)),
        }
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Text(clean(self)))
    }
}

impl Part for bool {
    fn read(node: Node) -> Result<Self, String> {
        match node {
            Node::Bool(value) => Ok(value),
            other => Err(unexpected("a boolean", &other)),
        }
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Bool(*self))
    }
}

impl Part for u64 {
    fn read(node: Node) -> Result<Self, String> {
        match node {
            Node::Integer(integer) => Self::try_from(integer)
                .map_err(|_| format!("expected an integer from 0, found `{integer}`")),
            other => Err(unexpected("an integer", &other)),
        }
    }

    fn write(&self) -> Option<Value> {
        // past 2^53 there is no canonical form, and the writer refuses it by this value
        Some(Value::Integer(
            i64::try_from(*self).unwrap_or(MAX_INTEGER + 1),
        ))
    }
}

/// A count that may pass 2^53, written as a decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(pub u64);

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl Part for Decimal {
    fn read(node: Node) -> Result<Self, String> {
        let number: u64 = parsed(&node)?;
        match &node {
            Node::Text(text) if *text == number.to_string() => Ok(Self(number)),
            _ => Err("expected a decimal string without sign or leading zero".to_owned()),
        }
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Text(self.0.to_string()))
    }
}

/// Implements [`Part`] for types whose text form is strict both ways.
macro_rules! text_parts {
    ($($name:ty),+) => {$(
        impl Part for $name {
            fn read(node: Node) -> Result<Self, String> {
                parsed(&node)
            }

            fn write(&self) -> Option<Value> {
                Some(Value::Text(self.to_string()))
            }
        }
    )+};
}

text_parts!(Digest, Fingerprint, Signature, Timestamp);

impl Part for Uuid {
    fn read(node: Node) -> Result<Self, String> {
        let text = String::read(node)?;
        let refused = || {
            format!(
                "expected a UUID in lower case with hyphens, found `{}`",
                crate::text::fit(&text, 200)
            )
        };
        // the parser also takes upper case, braces and bare digits
        let hyphenated = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if !hyphenated {
            return Err(refused());
        }
        Self::try_parse(&text).map_err(|_| refused())
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Text(self.hyphenated().to_string()))
    }
}

impl<P: Part> Part for Vec<P> {
    fn read(node: Node) -> Result<Self, String> {
        match node {
            Node::List(list) => list.into_iter().map(P::read).collect(),
            other => Err(unexpected("an array", &other)),
        }
    }

    fn write(&self) -> Option<Value> {
        Some(Value::List(self.iter().filter_map(P::write).collect()))
    }
}

/// A list that is a set: sorted, none twice.
///
/// Written sorted whatever the order it was made in; refused in any other order when read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted<T>(Vec<T>);

impl<T: Ord> From<Vec<T>> for Sorted<T> {
    fn from(mut elements: Vec<T>) -> Self {
        elements.sort();
        elements.dedup();
        Self(elements)
    }
}

impl<T: Ord> FromIterator<T> for Sorted<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self::from(elements.into_iter().collect::<Vec<T>>())
    }
}

impl<T> std::ops::Deref for Sorted<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Part + Ord> Part for Sorted<T> {
    fn read(node: Node) -> Result<Self, String> {
        let elements = Vec::read(node)?;
        if elements.is_sorted_by(|left, right| left < right) {
            return Ok(Self(elements));
        }
        Err("expected a sorted array without repetition".to_owned())
    }

    fn write(&self) -> Option<Value> {
        self.0.write()
    }
}

/// The roles of a key.
pub type Roles = Sorted<Role>;

/// A migration's header: strings, booleans, integers and lists of them, by member name.
pub type Metadata = BTreeMap<String, Value>;

impl Part for Metadata {
    fn read(node: Node) -> Result<Self, String> {
        let object = match node.into_value() {
            Value::Object(object) => object,
            other => return Err(format!("expected an object, found {}", other.sort())),
        };
        match object.iter().find(|(_, value)| !is_plain(value)) {
            Some((name, value)) => Err(format!(
                "member `{name}`: expected a string, boolean, integer or list of them, found {}",
                value.sort()
            )),
            None => Ok(object),
        }
    }

    /// Leaves out what an entry cannot carry, as the format says (section 1).
    fn write(&self) -> Option<Value> {
        Some(Value::Object(
            self.iter()
                .filter(|(name, value)| {
                    crate::canonical::is_member_name(name.as_bytes()) && is_plain(value)
                })
                .map(|(name, value)| (name.clone(), without_nul(value)))
                .collect(),
        ))
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::List(list) => list.iter().all(is_scalar),
        other => is_scalar(other),
    }
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Text(_) => true,
        Value::Integer(integer) => integer.unsigned_abs() <= MAX_INTEGER.unsigned_abs(),
        Value::List(_) | Value::Object(_) => false,
    }
}

fn without_nul(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(clean(text)),
        Value::List(list) => Value::List(list.iter().map(without_nul).collect()),
        other => other.clone(),
    }
}
