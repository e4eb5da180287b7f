//! Cuts a script into statements, every byte accounted for.
//!
//! The pieces are slices of the script whose concatenation is the script; what cannot be read is an
//! error before anything runs. How a database's SQL is read is data: [`LexRules`].

mod blocks;
mod body;
mod class;
mod compound;
mod copy;
mod head;
mod lexer;
mod mysql;
mod postgres;
pub mod rules;
mod sqlite;
mod tokens;

use std::ops::Range;

pub(super) use self::blocks::Units;
pub use self::class::{Class, Control, Effect};
pub use self::copy::copy_data;
pub(super) use self::head::Head;
pub use self::head::Term;
pub use self::lexer::{Token, TokenKind, Unterminated};
pub use self::mysql::MYSQL;
pub use self::postgres::POSTGRES;
pub use self::rules::{
    Backslash, BlockComments, Body, BodyForm, Carry, Edge, Header, LexRules, LineComment, Mention,
    Quote,
};
pub use self::sqlite::SQLITE;
pub(super) use self::tokens::DATA_END;
pub use self::tokens::Tokens;

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
    /// What it does to the session's locks, which may bind it to the pieces after it.
    pub edge: Option<Edge>,
    /// The statement is read as it would be at the beginning of a script.
    pub(in crate::migration) unset: bool,
}

/// Yields the pieces of a section; stops after the first error.
#[derive(Debug)]
pub struct Pieces<'a> {
    tokens: Tokens<'a>,
    end: usize,
    at: usize,
}

impl<'a> Pieces<'a> {
    /// Begins to cut `section` of `text`.
    pub fn new(text: &'a str, section: Range<usize>, rules: &'static LexRules) -> Self {
        Self {
            tokens: Tokens::new(&text[..section.end], section.start, rules),
            end: section.end,
            at: section.start,
        }
    }

    fn next_piece(&mut self) -> Result<Piece, Unterminated> {
        let start = self.at;
        let mut statement: Option<Range<usize>> = None;
        let mut unset = self.tokens.is_unset();
        while let Some(token) = self.tokens.next() {
            let token = token?;
            match token.kind {
                TokenKind::Space | TokenKind::Comment => {}
                TokenKind::Client => unset = self.tokens.is_unset(),
                TokenKind::End => {
                    self.at = token.range.end;
                    break;
                }
                TokenKind::Quoted | TokenKind::Word | TokenKind::Data | TokenKind::Other => {
                    let first = statement.map_or(token.range.start, |range| range.start);
                    statement = Some(first..token.range.end);
                    if token.kind == TokenKind::Data {
                        self.at = token.range.end;
                        break;
                    }
                }
            }
        }
        let ended = if self.at > start {
            self.tokens.ended()
        } else {
            self.at = self.end;
            self.tokens.finish()?
        };
        Ok(Piece {
            range: start..self.at,
            statement,
            class: ended.class,
            edge: ended.edge,
            unset,
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

#[cfg(test)]
mod mysql_tests;
#[cfg(test)]
mod postgres_tests;
#[cfg(test)]
mod tests;
