//! Texts from outside, as they may be shown.

/// Says whether a character could steer what shows it: control characters, separators of lines, and those
/// that are not seen or change the direction of text.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// Returns `text` as one line that cannot steer what shows it: what separates lines or columns becomes a
/// space, and what else steers is replaced.
pub(crate) fn one_line(text: &str) -> String {
    let line = text.chars().map(|c| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        c if steers(c) => '\u{fffd}',
        c => c,
    });
    line.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_replaced_and_words_are_not() {
        let text = "a\u{202e}b\tc\u{2028}d\u{1b}[31m \u{200d}é";
        assert_eq!(one_line(text), "a\u{fffd}b c d\u{fffd}[31m \u{200d}é");
        for c in "aé \u{200c}\u{200d}‐…\u{1f600}".chars() {
            assert!(!steers(c), "{c:?}");
        }
    }
}
