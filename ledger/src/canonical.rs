//! The canonical form of JSON that entries, plans and reports are written in (format section 1).
//!
//! It is a subset of RFC 8785: strings, booleans, objects, arrays and integers below 2^53 in
//! absolute value; member names of `[a-z0-9_]+` in byte order; no white space. One value has one
//! form, so [`read`] accepts exactly what [`write()`] makes and nothing else.

mod reader;
mod writer;

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

pub use reader::read;
pub(crate) use reader::{Node, Nodes, read_node};
pub use writer::write;

/// The largest integer that may stand in canonical JSON: 2^53 - 1.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// How deep values may nest, so that no line can exhaust the stack.
pub const MAX_DEPTH: usize = 128;

/// The members of an object, sorted by name.
pub type Object = BTreeMap<String, Value>;

/// A value in the subset of JSON that has a canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// An integer; its absolute value is below 2^53.
    Integer(i64),
    /// A string without NUL.
    Text(String),
    /// An array.
    List(Vec<Value>),
    /// An object.
    Object(Object),
}

impl Value {
    /// Returns an object of the given members.
    pub fn object<N: Into<String>>(members: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// Returns the string, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, if this is one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// Returns the boolean, if this is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the elements, if this is an array.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// Returns the members, if this is an object.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Names what sort of value this is, for messages.
    #[must_use]
    pub const fn sort(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Self>> for Value {
    fn from(list: Vec<Self>) -> Self {
        Self::List(list)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => {
                let mut sequence = serializer.serialize_seq(Some(list.len()))?;
                for element in list {
                    sequence.serialize_element(element)?;
                }
                sequence.end()
            }
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.len()))?;
                for (name, value) in object {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Why bytes are not, or a value cannot be put, in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CanonicalError(pub(crate) String);

pub(crate) fn is_member_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_is_canonical_is_read_and_written_back() {
        for text in [
            "{}",
            "[]",
            "true",
            "0",
            "-1",
            "9007199254740991",
            "-9007199254740991",
            r#""""#,
            r#""\"\\\b\t\n\f\r\u0001\u001f/é€😀""#,
            "\"\u{7f}\u{2028}\"",
            r#"{"a":[1,{"b":false}],"a_":"x","aa":[]}"#,
        ] {
            let value = read(text.as_bytes()).unwrap();
            assert_eq!(write(&value).unwrap(), text.as_bytes(), "{text}");
        }
    }

    #[test]
    fn every_other_form_is_refused() {
        for text in [
            "",
            " {}",
            "{} ",
            "{ }",
            "null",
            "True",
            "01",
            "-0",
            "1.0",
            "1e0",
            "+1",
            "9007199254740992",
            "99999999999999999999",
            "\"\0\"",
            "\"\n\"",
            r#""\u0000""#,
            r#""\u001F""#,
            r#""\u0008""#,
            r#""\u0061""#,
            r#""\/""#,
            r#""\ud83d\ude00""#,
            r#""unfinished"#,
            "[1,]",
            "[,1]",
            "[1 ,2]",
            r#"{"a":1,}"#,
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"A":1}"#,
            r#"{"":1}"#,
            r#"{"é":1}"#,
            r#"{"a" :1}"#,
            r#"{a:1}"#,
            "{}{}",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(b"\"\xff\xfe\"").is_err());
        assert!(read(b"\"\xed\xa0\x80\"").is_err(), "a lone surrogate");
    }

    #[test]
    fn depth_is_bounded_both_ways() {
        let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
        assert!(read(deep.as_bytes()).is_err());
        let allowed = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        assert!(read(allowed.as_bytes()).is_ok());
        let value = (0..=MAX_DEPTH).fold(Value::List(vec![]), |inner, _| Value::List(vec![inner]));
        assert!(write(&value).is_err());
    }

    #[test]
    fn what_has_no_form_is_not_written() {
        assert!(write(&Value::Integer(MAX_INTEGER + 1)).is_err());
        assert!(write(&Value::Integer(i64::MIN)).is_err());
        assert!(write(&Value::from("a\0b")).is_err());
        assert!(write(&Value::object([("A", Value::from(true))])).is_err());
    }
}
