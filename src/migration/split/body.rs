//! Statements that hold statements of their own: whether a delimiter in them ends them.

use super::compound::Compound;
use super::rules::{Body, BodyForm};

/// Where in a statement with a body the reading is.
#[derive(Debug, Default)]
pub(super) struct BodyState {
    stored: bool,
    form: Form,
}

#[derive(Debug, Default)]
enum Form {
    #[default]
    None,
    UntilEnd(UntilEnd),
    Atomic(Atomic),
    Compound(Compound),
}

impl BodyState {
    /// Begins a body, if none has begun.
    pub(super) fn open(&mut self, body: &Body) {
        if !matches!(self.form, Form::None) {
            return;
        }
        self.stored = body.stored;
        self.form = match body.form {
            BodyForm::UntilEnd => Form::UntilEnd(UntilEnd::Inside),
            BodyForm::Atomic => Form::Atomic(Atomic::default()),
            BodyForm::Compound(header) => Form::Compound(Compound::new(header)),
        };
    }

    /// Says whether the statement keeps its body and does not execute it.
    pub(super) fn is_stored(&self) -> bool {
        self.stored
    }

    /// Says whether a delimiter here is inside the body.
    pub(super) fn is_open(&self) -> bool {
        match &self.form {
            Form::None => false,
            Form::UntilEnd(state) => *state != UntilEnd::AfterEnd,
            Form::Atomic(atomic) => atomic.depth > 0,
            Form::Compound(compound) => compound.is_open(),
        }
    }

    /// Says what is not finished, if the text ends here.
    pub(super) fn unfinished(&self) -> Option<&'static str> {
        self.is_open().then_some(match self.form {
            Form::UntilEnd(_) => "the body of a trigger, which ends in `END;`",
            _ => "the body of a routine, which ends in `END`",
        })
    }

    /// Takes a delimiter inside the body.
    pub(super) fn delimiter(&mut self) {
        match &mut self.form {
            Form::None => {}
            Form::UntilEnd(state) => *state = UntilEnd::AfterSemicolon,
            Form::Atomic(atomic) => *atomic = atomic.other(false),
            Form::Compound(compound) => compound.delimiter(),
        }
    }

    /// Takes a plain word, at this depth of parentheses.
    pub(super) fn word(&mut self, word: &str, depth: u32) {
        match &mut self.form {
            Form::None => {}
            Form::UntilEnd(state) => *state = state.word(word),
            Form::Atomic(atomic) => *atomic = atomic.word(word, depth),
            Form::Compound(compound) => compound.word(word, depth),
        }
    }

    /// Takes another character, the depth of parentheses after it, and the byte after it.
    pub(super) fn other(&mut self, text: &str, depth: u32, next: Option<u8>) {
        match &mut self.form {
            Form::None => {}
            Form::UntilEnd(state) => *state = UntilEnd::Inside,
            Form::Atomic(atomic) => *atomic = atomic.other(text == "."),
            Form::Compound(compound) => compound.other(text, depth, next),
        }
    }

    /// Takes a quoted text.
    pub(super) fn quoted(&mut self) {
        self.other("", 0, None);
    }
}

/// In such a body `END` stands right after a semicolon only where it ends the body: a `CASE … END`
/// never follows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UntilEnd {
    Inside,
    AfterSemicolon,
    AfterEnd,
}

impl UntilEnd {
    fn word(self, word: &str) -> Self {
        if self == Self::AfterSemicolon && word.eq_ignore_ascii_case("END") {
            Self::AfterEnd
        } else {
            Self::Inside
        }
    }
}

/// A body that `BEGIN ATOMIC` opens, if it comes.
#[derive(Debug, Clone, Copy, Default)]
struct Atomic {
    /// How many of `BEGIN ATOMIC` and `CASE` are open.
    depth: u32,
    /// The word before is `BEGIN`.
    begun: bool,
    /// What comes next is a name: `AS` or `.` stands before it.
    named: bool,
}

impl Atomic {
    fn word(self, word: &str, parentheses: u32) -> Self {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        let mut depth = self.depth;
        if self.named {
        } else if depth == 0 {
            depth += u32::from(self.begun && is("ATOMIC"));
        } else if is("CASE") {
            depth += 1;
        } else if is("END") {
            depth -= 1;
        }
        Self {
            depth,
            begun: parentheses == 0 && is("BEGIN"),
            named: is("AS"),
        }
    }

    fn other(self, dot: bool) -> Self {
        Self {
            begun: false,
            named: dot,
            ..self
        }
    }
}
