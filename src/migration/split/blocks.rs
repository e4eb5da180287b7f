//! Statements that mean something only together: what stands between `LOCK TABLES` and
//! `UNLOCK TABLES`, and what is written while `autocommit` is off, up to its `COMMIT`.
//!
//! Cut again by itself, the text of a block is its statements.

use std::iter::Peekable;
use std::ops::Range;

use super::lexer::Unterminated;
use super::rules::{Edge, LexRules};
use super::{Class, Piece, Pieces};

/// A statement or a block, and its bytes.
pub(in crate::migration) type Unit = (Range<usize>, Class);

/// Yields the statements and blocks of a section; stops after the first error.
#[derive(Debug)]
pub(in crate::migration) struct Units<'a> {
    pieces: Peekable<Pieces<'a>>,
    /// `autocommit` is off.
    off: bool,
}

impl<'a> Units<'a> {
    /// Begins to cut `section` of `text`.
    pub(in crate::migration) fn new(
        text: &'a str,
        section: Range<usize>,
        rules: &'static LexRules,
    ) -> Self {
        Self {
            pieces: Pieces::new(text, section, rules).peekable(),
            off: false,
        }
    }

    fn next_unit(&mut self) -> Result<Option<Unit>, Unterminated> {
        while let Some(piece) = self.pieces.next() {
            let piece = piece?;
            let Some(statement) = piece.statement.clone() else {
                continue;
            };
            let opens = match piece.edge {
                Some(Edge::Lock | Edge::AutocommitOff) => true,
                Some(Edge::AutocommitOn) => {
                    self.off = false;
                    false
                }
                Some(Edge::Commit) | None => self.off && is_uncommitted(piece.class),
                Some(Edge::Unlock) => false,
            };
            return if opens {
                self.block(piece, statement).map(Some)
            } else {
                Ok(Some((statement, piece.class)))
            };
        }
        Ok(None)
    }

    fn block(&mut self, first: Piece, statement: Range<usize>) -> Result<Unit, Unterminated> {
        if !first.unset {
            return Err(Unterminated {
                what: "another delimiter or `sql_mode`, before a block of statements begins",
                offset: statement.start,
            });
        }
        let mut whole = statement;
        let mut locked = false;
        let mut edge = first.edge;
        loop {
            match edge {
                Some(Edge::Lock) => locked = true,
                Some(Edge::Unlock) => locked = false,
                Some(Edge::AutocommitOff) => self.off = true,
                Some(Edge::AutocommitOn) => self.off = false,
                Some(Edge::Commit) | None => {}
            }
            let committed = !self.off || edge == Some(Edge::Commit);
            if committed && !locked && !self.is_switched_on_next() {
                break;
            }
            let Some(piece) = self.next_piece()? else {
                break;
            };
            edge = piece.edge;
            if let Some(statement) = piece.statement {
                whole.end = statement.end;
            }
        }
        Ok((whole, Class::Block))
    }

    /// Returns the next piece with a statement in it.
    fn next_piece(&mut self) -> Result<Option<Piece>, Unterminated> {
        for piece in self.pieces.by_ref() {
            let piece = piece?;
            if piece.statement.is_some() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    fn is_switched_on_next(&mut self) -> bool {
        let next = self.pieces.peek();
        self.off
            && next.is_some_and(
                |piece| matches!(piece, Ok(piece) if piece.edge == Some(Edge::AutocommitOn)),
            )
    }
}

/// While `autocommit` is off, such a statement waits for a `COMMIT`.
fn is_uncommitted(class: Class) -> bool {
    matches!(class, Class::Ordinary | Class::TransactionControl(_))
}

impl Iterator for Units<'_> {
    type Item = Result<Unit, Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_unit().transpose()
    }
}
