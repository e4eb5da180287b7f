//! Cuts a script into statements, every byte accounted for.
//!
//! The pieces are slices of the script whose concatenation is the script; what cannot be read is an
//! error before anything runs. How a database's SQL is read is data: [`LexRules`].

mod head;
mod lexer;
pub mod rules;
mod sqlite;

use std::ops::Range;

use self::head::Head;
pub use self::head::Term;
pub use self::lexer::{Token, TokenKind, Tokens, Unterminated};
pub use self::rules::{BlockComments, Body, LexRules, LineComment, Quote};
pub use self::sqlite::SQLITE;

/// What a statement does to the transaction and the session that it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Neither.
    Ordinary,
    /// Begins or ends a transaction, or a part of one.
    TransactionControl(Control),
    /// Cannot run inside a transaction.
    NotInTransaction,
    /// Cannot run inside a transaction, and changes the session.
    SessionNotInTransaction,
    /// Switches the enforcement of foreign keys, which inside a transaction has no effect.
    ForeignKeys,
    /// Changes the session, which must be reset afterwards.
    Session,
    /// Several statements that only mean something together and commit by themselves, such as what
    /// stands between `LOCK TABLES` and `UNLOCK TABLES`: executed one after the other, counted as one.
    Block,
}

impl Class {
    /// Says whether the session must be reset after such a statement.
    pub fn changes_session(self) -> bool {
        matches!(
            self,
            Self::Session | Self::SessionNotInTransaction | Self::Block
        )
    }

    /// Says whether such a statement does inside a transaction what it is meant to do.
    pub fn runs_in_transaction(self) -> bool {
        !matches!(
            self,
            Self::NotInTransaction | Self::SessionNotInTransaction | Self::Block
        )
    }
}

/// The sorts of transaction control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Begins a transaction.
    Begin,
    /// Commits it.
    Commit,
    /// Rolls it back.
    Rollback,
    /// Sets a savepoint.
    Savepoint,
    /// Gives a savepoint up.
    Release,
}

/// A statement of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The statement without the closing delimiter and the white space and comments around it.
    pub text: &'a str,
    /// Where `text` begins in the whole text, in bytes.
    pub offset: usize,
    /// The line of the whole text on which it begins, from 1.
    pub line: usize,
    /// Which statement of the script it is, from 1.
    pub index: u64,
    /// What it does to its transaction and session.
    pub class: Class,
}

impl Statement<'_> {
    /// Says whether it is a BEGIN or COMMIT, such as may stand around all of a script.
    pub fn frames(&self) -> bool {
        matches!(
            self.class,
            Class::TransactionControl(Control::Begin | Control::Commit)
        )
    }
}

/// A piece of a script: a statement with what surrounds it, or the rest after the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes of the piece.
    pub range: Range<usize>,
    /// The bytes of the statement in it, if it has one.
    pub statement: Option<Range<usize>>,
    /// What the statement does to its transaction and session.
    pub class: Class,
}

/// Yields the pieces of a section; stops after the first error.
#[derive(Debug)]
pub struct Pieces<'a> {
    text: &'a str,
    end: usize,
    at: usize,
    rules: &'static LexRules,
}

impl<'a> Pieces<'a> {
    /// Begins to cut `section` of `text`.
    pub fn new(text: &'a str, section: Range<usize>, rules: &'static LexRules) -> Self {
        Self {
            text,
            end: section.end,
            at: section.start,
            rules,
        }
    }

    fn next_piece(&mut self) -> Result<Piece, Unterminated> {
        let start = self.at;
        let mut first = None;
        let mut last = start;
        let mut head = Head::default();
        let mut body = BodyState::Outside;
        let text = &self.text[..self.end];
        for token in Tokens::new(text, start, self.rules) {
            let token = token?;
            let significant = match token.kind {
                TokenKind::Space | TokenKind::Comment => continue,
                TokenKind::Semicolon => {
                    body = body.semicolon();
                    if body.ends_statement() {
                        self.at = token.range.end;
                        return Ok(Piece {
                            range: start..self.at,
                            class: self.rules.classify(&head),
                            statement: first.map(|first| first..last),
                        });
                    }
                    token
                }
                TokenKind::Word => {
                    head.push(&text[token.range.clone()]);
                    if body == BodyState::Outside && self.rules.opens_body(&head) {
                        body = BodyState::Inside {
                            opened: first.unwrap_or(token.range.start),
                        };
                    } else {
                        body = body.word(&text[token.range.clone()]);
                    }
                    token
                }
                TokenKind::Quoted => {
                    head.push_quoted(&text[token.range.clone()]);
                    body = body.other();
                    token
                }
                TokenKind::Other => {
                    head.push(&text[token.range.clone()]);
                    body = body.other();
                    token
                }
            };
            first.get_or_insert(significant.range.start);
            last = significant.range.end;
        }
        self.at = self.end;
        if let Some(opened) = body.opened() {
            return Err(Unterminated {
                what: "the body of a trigger, which ends in `END;`",
                offset: opened,
            });
        }
        Ok(Piece {
            range: start..self.end,
            class: self.rules.classify(&head),
            statement: first.map(|first| first..last),
        })
    }
}

impl Iterator for Pieces<'_> {
    type Item = Result<Piece, Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let piece = self.next_piece();
        if piece.is_err() {
            self.at = self.end;
        }
        Some(piece)
    }
}

/// Where in a statement with a body of its own statements the reading is. In such a body `END` stands
/// right after a semicolon only where it ends the body: a `CASE … END` never follows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyState {
    Outside,
    Inside { opened: usize },
    AfterSemicolon { opened: usize },
    AfterEnd { opened: usize },
    Ended,
}

impl BodyState {
    fn semicolon(self) -> Self {
        match self {
            Self::Inside { opened } | Self::AfterSemicolon { opened } => {
                Self::AfterSemicolon { opened }
            }
            Self::AfterEnd { .. } | Self::Outside | Self::Ended => Self::Ended,
        }
    }

    fn word(self, word: &str) -> Self {
        match self {
            Self::AfterSemicolon { opened } if word.eq_ignore_ascii_case("END") => {
                Self::AfterEnd { opened }
            }
            other => other.other(),
        }
    }

    fn other(self) -> Self {
        match self {
            Self::AfterSemicolon { opened } | Self::AfterEnd { opened } => Self::Inside { opened },
            state => state,
        }
    }

    fn ends_statement(self) -> bool {
        self == Self::Ended
    }

    /// Where the body began, if the text ended inside of it. `END` without a last semicolon ends it.
    fn opened(self) -> Option<usize> {
        match self {
            Self::Inside { opened } | Self::AfterSemicolon { opened } => Some(opened),
            Self::Outside | Self::AfterEnd { .. } | Self::Ended => None,
        }
    }
}

#[cfg(test)]
mod tests;
