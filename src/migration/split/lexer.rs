//! From text to tokens; nothing is looked at that the cutting does not need.

use std::ops::Range;

use super::rules::LexRules;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// White space, and a byte order mark.
    Space,
    /// A comment.
    Comment,
    /// A string, or a quoted name.
    Quoted,
    /// A keyword, a plain name or a number.
    Word,
    /// The delimiter.
    Semicolon,
    /// Any other character.
    Other,
}

/// A token and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub range: Range<usize>,
}

/// Something that was opened and never closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unterminated {
    /// What was opened.
    pub what: &'static str,
    /// Where, in bytes.
    pub offset: usize,
}

/// Yields the tokens of a text; their ranges follow one another without a gap.
#[derive(Debug)]
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
    rules: &'static LexRules,
}

impl<'a> Tokens<'a> {
    /// Begins at byte `at` of `text`.
    pub fn new(text: &'a str, at: usize, rules: &'static LexRules) -> Self {
        Self { text, at, rules }
    }

    fn token(&self) -> Result<(TokenKind, usize), Unterminated> {
        let bytes = self.text.as_bytes();
        let rest = &bytes[self.at..];
        let first = rest[0];
        if is_space(first) {
            let length = rest.iter().take_while(|byte| is_space(**byte)).count();
            return Ok((TokenKind::Space, length));
        }
        if rest.starts_with("\u{feff}".as_bytes()) {
            return Ok((TokenKind::Space, 3));
        }
        if self
            .rules
            .line_comments
            .iter()
            .any(|comment| comment.begins(rest))
        {
            let length = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(rest.len(), |end| end + 1);
            return Ok((TokenKind::Comment, length));
        }
        if rest.starts_with(b"/*") {
            return self.block_comment(rest);
        }
        if let Some(quote) = self.rules.quotes.iter().find(|quote| quote.open == first) {
            return match quote.length(rest) {
                Some(length) => Ok((TokenKind::Quoted, length)),
                None => Err(Unterminated {
                    what: quote.name,
                    offset: self.at,
                }),
            };
        }
        if first == b';' {
            return Ok((TokenKind::Semicolon, 1));
        }
        if is_word(first) {
            let length = rest.iter().take_while(|byte| is_word(**byte)).count();
            return Ok((TokenKind::Word, length));
        }
        Ok((TokenKind::Other, 1))
    }

    fn block_comment(&self, rest: &[u8]) -> Result<(TokenKind, usize), Unterminated> {
        let rules = self.rules.block_comments;
        let mut depth = 1_u32;
        let mut at = 2;
        while at < rest.len() {
            if rest[at..].starts_with(b"*/") {
                at += 2;
                depth -= 1;
                if depth == 0 {
                    return Ok((TokenKind::Comment, at));
                }
            } else if rules.nested && rest[at..].starts_with(b"/*") {
                at += 2;
                depth += 1;
            } else {
                at += 1;
            }
        }
        if rules.end_of_text_closes {
            return Ok((TokenKind::Comment, rest.len()));
        }
        Err(Unterminated {
            what: "a comment, which ends in `*/`",
            offset: self.at,
        })
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        match self.token() {
            Ok((kind, length)) => {
                let start = self.at;
                self.at += length;
                Some(Ok(Token {
                    kind,
                    range: start..self.at,
                }))
            }
            Err(error) => {
                self.at = self.text.len();
                Some(Err(error))
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

/// Letters, digits, `_`, `$`, and every byte of a character outside ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}
