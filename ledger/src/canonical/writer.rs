//! Values to their canonical bytes.

use super::{CanonicalError, MAX_DEPTH, MAX_INTEGER, Value, is_member_name};

/// Returns the canonical bytes of `value`.
///
/// # Errors
///
/// Where there is none: an integer of 2^53 or beyond, a NUL in a string, a member name outside
/// `[a-z0-9_]+`, or nesting deeper than [`MAX_DEPTH`].
pub fn write(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut bytes = Vec::with_capacity(512);
    put(value, 0, &mut bytes)?;
    Ok(bytes)
}

fn put(value: &Value, depth: usize, bytes: &mut Vec<u8>) -> Result<(), CanonicalError> {
    if depth >= MAX_DEPTH && matches!(value, Value::List(_) | Value::Object(_)) {
        return Err(CanonicalError(format!(
            "values nest deeper than {MAX_DEPTH} levels"
        )));
    }
    match value {
        Value::Bool(true) => bytes.extend_from_slice(b"true"),
        Value::Bool(false) => bytes.extend_from_slice(b"false"),
        Value::Integer(integer) => {
            if integer.unsigned_abs() > MAX_INTEGER.unsigned_abs() {
                return Err(CanonicalError(format!(
                    "expected an integer below 2^53, found `{integer}`; write it as a decimal string"
                )));
            }
            bytes.extend_from_slice(integer.to_string().as_bytes());
        }
        Value::Text(text) => put_text(text, bytes)?,
        Value::List(list) => {
            bytes.push(b'[');
            for (index, element) in list.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                put(element, depth + 1, bytes)?;
            }
            bytes.push(b']');
        }
        Value::Object(object) => {
            bytes.push(b'{');
            for (index, (name, member)) in object.iter().enumerate() {
                if !is_member_name(name.as_bytes()) {
                    return Err(CanonicalError(format!(
                        "expected a member name of `a-z`, `0-9` and `_`, found `{name}`"
                    )));
                }
                if index > 0 {
                    bytes.push(b',');
                }
                bytes.push(b'"');
                bytes.extend_from_slice(name.as_bytes());
                bytes.extend_from_slice(b"\":");
                put(member, depth + 1, bytes)?;
            }
            bytes.push(b'}');
        }
    }
    Ok(())
}

fn put_text(text: &str, bytes: &mut Vec<u8>) -> Result<(), CanonicalError> {
    bytes.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => bytes.extend_from_slice(b"\\\""),
            b'\\' => bytes.extend_from_slice(b"\\\\"),
            0x08 => bytes.extend_from_slice(b"\\b"),
            b'\t' => bytes.extend_from_slice(b"\\t"),
            b'\n' => bytes.extend_from_slice(b"\\n"),
            0x0c => bytes.extend_from_slice(b"\\f"),
            b'\r' => bytes.extend_from_slice(b"\\r"),
            0x00 => return Err(CanonicalError("expected a string without NUL".to_owned())),
            0x01..=0x1f => bytes.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => bytes.push(byte),
        }
    }
    bytes.push(b'"');
    Ok(())
}
