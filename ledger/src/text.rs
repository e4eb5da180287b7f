//! Texts from outside, made fit for an entry (format section 1).

use crate::hash::Digest;

/// Returns `text` with each NUL replaced by U+FFFD, since an entry carries none.
#[must_use]
pub fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Returns `text` in at most `max_bytes` bytes of UTF-8.
///
/// A longer text is cut at a character boundary and ends in
/// `… [cut: <bytes> bytes, sha256 <hex>]`, which tell the length and the digest of the whole
/// text. Where `max_bytes` is too small even for that ending, the ending alone is returned.
#[must_use]
pub fn fit(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let ending = format!(
        "… [cut: {} bytes, sha256 {}]",
        text.len(),
        Digest::of(text.as_bytes())
    );
    let kept = text.floor_char_boundary(max_bytes.saturating_sub(ending.len()));
    let mut cut = String::with_capacity(kept + ending.len());
    cut.push_str(&text[..kept]);
    cut.push_str(&ending);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_becomes_the_replacement_character() {
        assert_eq!(clean("a\0b"), "a\u{fffd}b");
        assert_eq!(clean("plain"), "plain");
    }

    #[test]
    fn a_text_that_fits_is_kept() {
        assert_eq!(fit("grüße", 7), "grüße");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let text = "ü".repeat(500);
        let cut = fit(&text, 201);
        assert!(cut.len() <= 201 && cut.len() > 198, "{}", cut.len());
        let digest = Digest::of(text.as_bytes());
        assert!(cut.ends_with(&format!("ü… [cut: 1000 bytes, sha256 {digest}]")));
    }

    #[test]
    fn a_limit_below_the_ending_keeps_the_ending() {
        assert!(fit(&"x".repeat(300), 3).starts_with("… [cut: 300 bytes"));
    }
}
