//! How a database's SQL is read, as data.

use super::head::{Head, Term};
use super::{Class, TokenKind, Tokens};

/// How comments to the end of the line begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineComment {
    /// The characters that begin it.
    pub opens: &'static str,
    /// White space, or the end, must follow.
    pub needs_space: bool,
}

impl LineComment {
    pub(super) fn begins(&self, rest: &[u8]) -> bool {
        rest.starts_with(self.opens.as_bytes())
            && (!self.needs_space
                || rest
                    .get(self.opens.len())
                    .is_none_or(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()))
    }
}

/// How comments between `/*` and `*/` are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockComments {
    /// One may stand inside another.
    pub nested: bool,
    /// The end of the text closes one.
    pub end_of_text_closes: bool,
}

/// How a string or a quoted name is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// What opens it.
    pub open: u8,
    /// What closes it.
    pub close: u8,
    /// The closing character, doubled, stands for itself.
    pub doubled: bool,
    /// A backslash takes the meaning from the character after it.
    pub backslash: bool,
    /// What it is, for messages.
    pub name: &'static str,
}

impl Quote {
    /// Returns how many bytes the quoted text at the beginning of `rest` has, if it ends.
    pub(super) fn length(&self, rest: &[u8]) -> Option<usize> {
        let mut at = 1;
        loop {
            let byte = *rest.get(at)?;
            if self.backslash && byte == b'\\' {
                at += 2;
            } else if byte != self.close {
                at += 1;
            } else if self.doubled && rest.get(at + 1) == Some(&self.close) {
                at += 2;
            } else {
                return Some(at + 1);
            }
        }
    }
}

/// Which statements hold statements of their own between `BEGIN` and `END`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// How the statement begins.
    pub head: &'static [Term],
}

/// How a database's SQL is cut into statements and what their first words mean.
#[derive(Debug, PartialEq, Eq)]
pub struct LexRules {
    /// Comments to the end of the line.
    pub line_comments: &'static [LineComment],
    /// Comments between `/*` and `*/`.
    pub block_comments: BlockComments,
    /// Strings and quoted names.
    pub quotes: &'static [Quote],
    /// Statements with a body.
    pub bodies: &'static [Body],
    /// What sort of statement begins with which words; the first pattern that fits decides.
    pub classes: &'static [(&'static [Term], Class)],
    /// Characters that, where a statement should begin, begin a command to a client program.
    pub client_commands: &'static [&'static str],
    /// The first words of statements that only read.
    pub queries: &'static [&'static str],
    /// The word before named queries, which a query or another statement may follow.
    pub named_queries: &'static str,
    /// The first words of the other statements that may follow named queries.
    pub writes: &'static [&'static str],
}

impl LexRules {
    /// Says what a statement that begins with `head` does to its transaction and session.
    pub(super) fn classify(&self, head: &Head) -> Class {
        let mut classes = self.classes.iter();
        classes
            .find(|(pattern, _)| head.begins(pattern))
            .map_or(Class::Ordinary, |(_, class)| *class)
    }

    /// Says whether a statement only reads, by its first words.
    ///
    /// Functions that write are the database's to refuse.
    pub(crate) fn only_reads(&'static self, statement: &str) -> bool {
        let mut depth = 0_u32;
        let mut named = false;
        for token in Tokens::new(statement, 0, self) {
            let Ok(token) = token else {
                return false;
            };
            let text = &statement[token.range];
            let is = |word: &&str| word.eq_ignore_ascii_case(text);
            match token.kind {
                TokenKind::Space | TokenKind::Comment => {}
                TokenKind::Word if !named => {
                    if self.queries.iter().any(is) {
                        return true;
                    }
                    named = is(&self.named_queries);
                    if !named {
                        return false;
                    }
                }
                TokenKind::Word if depth == 0 => {
                    if self.queries.iter().any(is) {
                        return true;
                    }
                    if self.writes.iter().any(is) {
                        return false;
                    }
                }
                TokenKind::Other if named && text == "(" => depth += 1,
                TokenKind::Other if named && text == ")" => depth = depth.saturating_sub(1),
                _ if named => {}
                _ => return false,
            }
        }
        false
    }

    /// Says whether `head` is now the beginning of a statement with a body.
    pub(super) fn opens_body(&self, head: &Head) -> bool {
        self.bodies.iter().any(|body| head.begins(body.head))
    }
}
