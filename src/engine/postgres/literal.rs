//! Values in the text of our own statements, written so that no setting of a session, as
//! `standard_conforming_strings` or `client_encoding`, can change what they mean.

use std::time::Duration;

use uuid::Uuid;

/// Returns bytes as an expression of type `bytea`.
pub(super) fn bytes(bytes: &[u8]) -> String {
    format!("pg_catalog.decode('{}', 'hex')", hex(bytes))
}

/// Returns text as an expression of type `text`.
pub(super) fn text(text: &str) -> String {
    format!(
        "pg_catalog.convert_from({}, 'UTF8')",
        bytes(text.as_bytes())
    )
}

/// Returns an expression that gives a setting its value, until the transaction ends where `local`.
pub(super) fn setting(name: &str, value: &str, local: bool) -> String {
    let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let value = if plain {
        format!("'{value}'")
    } else {
        text(value)
    };
    format!("pg_catalog.set_config('{name}', {value}, {local})")
}

/// Returns an id as an expression of type `text`.
pub(super) fn id(id: Uuid) -> String {
    format!("'{id}'")
}

/// Returns a duration as digits, in milliseconds.
pub(super) fn milliseconds(duration: Duration) -> i64 {
    // some three hundred years are long enough for anything
    let longest = i64::MAX / 1_000_000;
    i64::try_from(duration.as_millis()).map_or(longest, |ms| ms.min(longest))
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
    text
}

/// Reads what `encode(…, 'hex')` gives.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_value_is_one_of_the_statement() {
        assert_eq!(
            text("'; DROP \\ é"),
            "pg_catalog.convert_from(pg_catalog.decode('273b2044524f50205c20c3a9', 'hex'), 'UTF8')"
        );
        assert_eq!(from_hex("273b20"), Some(b"'; ".to_vec()));
        assert_eq!(from_hex(""), Some(Vec::new()));
        assert_eq!(from_hex("2"), None);
        assert_eq!(from_hex("zz"), None);
    }

    #[test]
    fn durations_never_overflow_a_sum_with_a_clock() {
        assert_eq!(milliseconds(Duration::from_secs(2)), 2000);
        assert!(
            milliseconds(Duration::MAX)
                .checked_add(4_102_444_800_000)
                .is_some()
        );
    }
}
