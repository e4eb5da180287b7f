//! How a database's SQL is read, as data.

use super::{Class, Control, Head, TokenKind, Tokens};

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
    /// The words that the statement begins with.
    pub head: &'static [&'static str],
    /// Words that may stand between the first and the second of them.
    pub optional: &'static [&'static str],
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
    /// Words that may stand before any statement and change nothing about it.
    pub prefixes: &'static [&'static [&'static str]],
    /// The first words of statements that begin or end a transaction.
    pub control: &'static [(&'static str, Control)],
    /// The first words of statements that cannot run in a transaction; the longer rule goes first.
    pub not_in_transaction: &'static [&'static [&'static str]],
    /// The first words of statements that change their session.
    pub session: &'static [&'static [&'static str]],
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
    pub fn classify(&self, head: &Head) -> Class {
        let words = self.without_prefixes(head.words());
        if words.len() < head.words().len() {
            // explaining a statement is not executing it
            return Class::Ordinary;
        }
        let Some(first) = words.first() else {
            return Class::Ordinary;
        };
        if let Some((_, control)) = self.control.iter().find(|(word, _)| word == first) {
            return Class::TransactionControl(*control);
        }
        if begins_any(words, self.not_in_transaction) {
            return Class::NotInTransaction;
        }
        if begins_any(words, self.session) {
            return Class::Session;
        }
        Class::Ordinary
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
        let words = self.without_prefixes(head.words());
        self.bodies.iter().any(|body| {
            let Some((first, rest)) = body.head.split_first() else {
                return false;
            };
            let Some((found, following)) = words.split_first() else {
                return false;
            };
            if found != first {
                return false;
            }
            let following = match following.split_first() {
                Some((word, after)) if body.optional.contains(&word.as_str()) => after,
                _ => following,
            };
            following.len() == rest.len() && begins(following, rest)
        })
    }

    fn without_prefixes<'a>(&self, words: &'a [String]) -> &'a [String] {
        self.prefixes
            .iter()
            .find(|prefix| begins(words, prefix))
            .map_or(words, |prefix| &words[prefix.len()..])
    }
}

fn begins_any(words: &[String], rules: &[&[&str]]) -> bool {
    rules.iter().any(|rule| begins(words, rule))
}

fn begins(words: &[String], rule: &[&str]) -> bool {
    words.len() >= rule.len() && words.iter().zip(rule).all(|(word, rule)| word == rule)
}

/// A quoted text whose closing character, doubled, stands for itself.
const fn doubled(quote: u8, name: &'static str) -> Quote {
    Quote {
        open: quote,
        close: quote,
        doubled: true,
        backslash: false,
        name,
    }
}

/// SQLite (`https://sqlite.org/lang.html`).
pub const SQLITE: LexRules = LexRules {
    line_comments: &[LineComment {
        opens: "--",
        needs_space: false,
    }],
    block_comments: BlockComments {
        nested: false,
        end_of_text_closes: true,
    },
    quotes: &[
        doubled(b'\'', "a string, which ends in `'`"),
        doubled(b'"', "a name in `\"`"),
        doubled(b'`', "a name in backquotes"),
        Quote {
            open: b'[',
            close: b']',
            doubled: false,
            backslash: false,
            name: "a name in `[` and `]`",
        },
    ],
    bodies: &[Body {
        head: &["CREATE", "TRIGGER"],
        optional: &["TEMP", "TEMPORARY"],
    }],
    prefixes: &[&["EXPLAIN", "QUERY", "PLAN"], &["EXPLAIN"]],
    control: &[
        ("BEGIN", Control::Begin),
        ("COMMIT", Control::Commit),
        ("END", Control::Commit),
        ("ROLLBACK", Control::Rollback),
        ("SAVEPOINT", Control::Savepoint),
        ("RELEASE", Control::Release),
    ],
    // DETACH and a change of the journal or of `synchronous` answer with an error in a transaction
    not_in_transaction: &[
        &["VACUUM"],
        &["DETACH"],
        &["PRAGMA", "JOURNAL_MODE"],
        &["PRAGMA", "SYNCHRONOUS"],
    ],
    session: &[
        &["PRAGMA"],
        &["ATTACH"],
        &["CREATE", "TEMP"],
        &["CREATE", "TEMPORARY"],
    ],
    client_commands: &[".", "\\"],
    queries: &["SELECT", "VALUES"],
    named_queries: "WITH",
    writes: &["INSERT", "REPLACE", "UPDATE", "DELETE"],
};
