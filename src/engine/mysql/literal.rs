//! How names and values are written into our own statements, so that they mean the same whatever a
//! script has set: quotes and backslashes do not (`ANSI_QUOTES`, `NO_BACKSLASH_ESCAPES`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Writes a name in backquotes.
pub(super) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Writes bytes.
pub(super) fn bytes(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2 + 3);
    text.push_str("X'");
    for byte in bytes {
        // writing to a string cannot fail
        let _ = write!(text, "{byte:02X}");
    }
    text.push('\'');
    text
}

/// Writes many bytes, in a form that is a third longer than they are.
pub(super) fn long_bytes(bytes: &[u8]) -> String {
    format!("FROM_BASE64('{}')", STANDARD.encode(bytes))
}

/// Writes a text; a plain one is written as it is, for the server to use indexes and shortcuts.
pub(super) fn text(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\'' | b'"' | b'\\');
    if text.bytes().all(plain) {
        format!("'{text}'")
    } else {
        format!("CONVERT({} USING utf8mb4)", bytes(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_mode_could_change_is_in_a_literal() {
        assert_eq!(name("sh`op"), "`sh``op`");
        assert_eq!(bytes(&[0, 0xff]), "X'00FF'");
        assert_eq!(bytes(&[]), "X''");
        assert_eq!(long_bytes(b"a'b"), "FROM_BASE64('YSdi')");
        assert_eq!(text("shop_2"), "'shop_2'");
        assert_eq!(
            text("O'Neill\\"),
            "CONVERT(X'4F274E65696C6C5C' USING utf8mb4)"
        );
    }
}
