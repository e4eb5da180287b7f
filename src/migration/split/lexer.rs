//! From text to tokens; nothing is looked at that the cutting does not need.

use std::borrow::Cow;
use std::ops::Range;

use super::rules::{Backslash, LexRules, Quote};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// White space, and a byte order mark.
    Space,
    /// A comment.
    Comment,
    /// A line to a client program that means nothing to the database.
    Client,
    /// A string, or a quoted name.
    Quoted,
    /// A keyword, a plain name or a number.
    Word,
    /// The delimiter that ends a statement.
    End,
    /// The data that follow a statement on lines of their own; they end it.
    Data,
    /// Any other character, and a delimiter inside a statement.
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

/// Something without which the text cannot be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unterminated {
    /// What was opened and never closed, or what is missing.
    pub what: &'static str,
    /// Where, in bytes.
    pub offset: usize,
}

/// Comments for this version are for no version at all.
const NO_VERSION: u32 = 999_999;

/// The longest version in a comment that is executed, in digits.
const VERSION_DIGITS: usize = 6;

/// What the text before has set about how the text after it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) delimiter: Cow<'static, str>,
    /// What a backslash means in a string that is read as set.
    pub(super) escapes: bool,
    /// How many comments that are executed are open.
    pub(super) code_comments: u32,
}

impl Mode {
    pub(super) fn initial(rules: &LexRules) -> Self {
        Self {
            delimiter: Cow::Borrowed(";"),
            escapes: rules.backslash_escapes,
            code_comments: 0,
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.delimiter == ";"
    }

    fn delimits(&self, rest: &[u8]) -> bool {
        rest.starts_with(self.delimiter.as_bytes())
    }
}

/// Reads one token.
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) rules: &'static LexRules,
    /// The token is the first of a statement.
    pub(super) begins: bool,
}

impl Lexer<'_> {
    /// Returns the token at `at`, which is not the end, and its length. Every delimiter is taken for
    /// the end of a statement.
    pub(super) fn token(&self, mode: &mut Mode) -> Result<(TokenKind, usize), Unterminated> {
        let rest = &self.text.as_bytes()[self.at..];
        let first = rest[0];
        if mode.delimits(rest) {
            return Ok((TokenKind::End, mode.delimiter.len()));
        }
        if is_space(first) {
            return Ok((TokenKind::Space, count(rest, is_space)));
        }
        if rest.starts_with("\u{feff}".as_bytes()) {
            return Ok((TokenKind::Space, 3));
        }
        if self.begins
            && let Some(length) = self.client_line(rest, mode)?
        {
            return Ok((TokenKind::Client, length));
        }
        let mut comments = self.rules.line_comments.iter();
        if comments.any(|comment| comment.begins(rest, self.begins)) {
            return Ok((TokenKind::Comment, line(rest)));
        }
        if rest.starts_with(b"/*") {
            if let Some(length) = self.code_comment(rest) {
                mode.code_comments += 1;
                return Ok((TokenKind::Other, length));
            }
            return self.block_comment(rest);
        }
        if mode.code_comments > 0 && rest.starts_with(b"*/") {
            mode.code_comments -= 1;
            return Ok((TokenKind::Other, 2));
        }
        if self.rules.dollar_quotes
            && let Some(length) = self.dollar_quoted(rest)?
        {
            return Ok((TokenKind::Quoted, length));
        }
        if let Some(length) = self.quoted(rest, "", 0, mode)? {
            return Ok((TokenKind::Quoted, length));
        }
        if is_word(first) {
            let length = self.word(rest, mode);
            let word = &self.text[self.at..self.at + length];
            return Ok(match self.quoted(rest, word, length, mode)? {
                Some(length) => (TokenKind::Quoted, length),
                None => (TokenKind::Word, length),
            });
        }
        Ok((TokenKind::Other, 1))
    }

    fn unterminated<T>(&self, what: &'static str) -> Result<T, Unterminated> {
        Err(Unterminated {
            what,
            offset: self.at,
        })
    }

    /// A delimiter may stand at the end of a word.
    fn word(&self, rest: &[u8], mode: &Mode) -> usize {
        let length = count(rest, is_word);
        if mode.is_plain() {
            return length;
        }
        (1..length)
            .find(|at| mode.delimits(&rest[*at..]))
            .unwrap_or(length)
    }

    fn client_line(&self, rest: &[u8], mode: &mut Mode) -> Result<Option<usize>, Unterminated> {
        let length = line(rest);
        let text = &self.text[self.at..self.at + length];
        let word = text.split_whitespace().next().unwrap_or_default();
        if self.rules.client_remarks.contains(&word) {
            return Ok(Some(length));
        }
        let command = self.rules.delimiter_command;
        if command.is_empty() || !word.eq_ignore_ascii_case(command) {
            return Ok(None);
        }
        let delimiter = text.split_whitespace().nth(1).unwrap_or_default();
        if delimiter.is_empty() {
            return self.unterminated("a `DELIMITER` line, which names the delimiter");
        }
        if delimiter.contains(['\\', '\'', '"', '`']) {
            return self.unterminated("a delimiter without quotes and backslashes");
        }
        mode.delimiter = Cow::Owned(delimiter.to_owned());
        Ok(Some(length))
    }

    /// The length of what opens a comment that is executed.
    fn code_comment(&self, rest: &[u8]) -> Option<usize> {
        let mut openers = self.rules.block_comments.code.iter();
        let opener = openers.find(|opener| rest.starts_with(opener.as_bytes()))?;
        let digits = count(&rest[opener.len()..], |byte| byte.is_ascii_digit()).min(VERSION_DIGITS);
        let version = &self.text[self.at + opener.len()..][..digits];
        (version.parse() != Ok(NO_VERSION)).then_some(opener.len() + digits)
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
        self.unterminated("a comment, which ends in `*/`")
    }

    /// The length of `$tag$ … $tag$`; none where the dollar sign opens no tag.
    fn dollar_quoted(&self, rest: &[u8]) -> Result<Option<usize>, Unterminated> {
        if rest[0] != b'$' {
            return Ok(None);
        }
        let name = 1 + count(&rest[1..], |byte| is_word(byte) && byte != b'$');
        let begins_with_digit = rest.get(1).is_some_and(u8::is_ascii_digit);
        if rest.get(name) != Some(&b'$') || begins_with_digit {
            return Ok(None);
        }
        let (tag, body) = self.text[self.at..].split_at(name + 1);
        match body.find(tag) {
            Some(at) => Ok(Some(tag.len() + at + tag.len())),
            None => self.unterminated("a string between dollar signs, which ends as it begins"),
        }
    }

    /// The length of `prefix`, which is `at` bytes long, and the quoted text after it.
    fn quoted(
        &self,
        rest: &[u8],
        prefix: &str,
        at: usize,
        mode: &Mode,
    ) -> Result<Option<usize>, Unterminated> {
        let Some(open) = rest.get(at) else {
            return Ok(None);
        };
        let mut quotes = self.rules.quotes.iter();
        let Some(quote) =
            quotes.find(|quote| quote.open == *open && quote.prefix.eq_ignore_ascii_case(prefix))
        else {
            return Ok(None);
        };
        match quoted_length(rest, at, quote, mode) {
            Some(length) => Ok(Some(length)),
            None => self.unterminated(quote.name),
        }
    }
}

/// Returns where the quoted text that opens at byte `at` ends, if it does.
fn quoted_length(rest: &[u8], at: usize, quote: &Quote, mode: &Mode) -> Option<usize> {
    let escapes = match quote.backslash {
        Backslash::Plain => false,
        Backslash::Escapes => true,
        Backslash::AsSet => mode.escapes,
    };
    let mut at = at + 1;
    loop {
        let byte = *rest.get(at)?;
        if escapes && byte == b'\\' {
            at += 2;
        } else if byte != quote.close {
            at += 1;
        } else if quote.doubled && rest.get(at + 1) == Some(&quote.close) {
            at += 2;
        } else if quote.continued
            && let Some(space) = continuation(&rest[at + 1..], quote.open)
        {
            at += 1 + space + 1;
        } else {
            return Some(at + 1);
        }
    }
}

/// The length of the white space, with a line break in it, that stands before another quote.
fn continuation(rest: &[u8], open: u8) -> Option<usize> {
    let mut at = 0;
    let mut broken = false;
    loop {
        match *rest.get(at)? {
            byte if byte == open => return broken.then_some(at),
            b'-' if rest[at..].starts_with(b"--") => {
                at += line(&rest[at..]);
                broken = true;
            }
            byte if is_space(byte) => {
                broken |= matches!(byte, b'\n' | b'\r');
                at += 1;
            }
            _ => return None,
        }
    }
}

/// How many bytes at the beginning are such.
fn count(rest: &[u8], is: impl Fn(u8) -> bool) -> usize {
    rest.iter()
        .position(|byte| !is(*byte))
        .unwrap_or(rest.len())
}

/// The length of the line, with its end.
pub(super) fn line(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| *byte == b'\n')
        .map_or(rest.len(), |end| end + 1)
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

/// Letters, digits, `_`, `$`, and every byte of a character outside ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}
