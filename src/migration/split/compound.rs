//! Compound statements of stored programs (SQL/PSM): `BEGIN`, `IF`, `CASE`, `LOOP`, `REPEAT`, `WHILE`
//! and `FOR`, each closed by its `END`.
//!
//! The words are also names of functions and parts of expressions (`IF(a, b, c)`, `CASE … END`,
//! `DROP TABLE IF EXISTS`), so they open a block only where a statement begins.

use super::rules::Header;

/// Where in a stored program the reading is.
#[derive(Debug)]
pub(super) struct Compound {
    /// The open blocks, the innermost last.
    blocks: Vec<Block>,
    place: Place,
    /// The last word, in upper case; empty after anything else.
    before: String,
    /// The last word was the first of its statement, and may be a label.
    label: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Begin,
    /// After `AS`: declarations, which `BEGIN` ends.
    Declared,
    If,
    Case,
    /// `CASE` as an expression, whose `END` is one word.
    CaseExpression,
    Loop,
    Repeat,
    /// `WHILE` and `FOR`.
    While,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the characteristics of the program.
    Header(Header),
    /// After the header: characteristics, or the body.
    Before,
    /// Where a statement begins.
    Start,
    /// In a statement.
    Inside,
    /// After an `END` that closes a block, whose kind may follow.
    Closed,
}

/// The first words of statements that are a whole body.
const VERBS: &[&str] = &[
    "ALTER", "CALL", "CREATE", "DELETE", "DROP", "EXECUTE", "INSERT", "OPEN", "PREPARE", "REPLACE",
    "RESIGNAL", "RETURN", "SELECT", "SET", "SIGNAL", "TRUNCATE", "UPDATE", "VALUES", "WITH",
];

impl Compound {
    pub(super) fn new(header: Header) -> Self {
        Self {
            blocks: Vec::new(),
            place: match header {
                Header::None => Place::Start,
                header => Place::Header(header),
            },
            before: String::new(),
            label: false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.blocks.is_empty()
    }

    pub(super) fn delimiter(&mut self) {
        while self.innermost() == Some(Block::CaseExpression) {
            self.blocks.pop();
        }
        self.place = Place::Start;
        self.before.clear();
        self.label = false;
    }

    pub(super) fn other(&mut self, text: &str, depth: u32, next: Option<u8>) {
        let label = match text {
            ":" => next != Some(b'='),
            ">" => true,
            _ => false,
        };
        if self.place == Place::Inside && self.label && label {
            self.place = Place::Start;
        } else if self.place == Place::Start && text != "<" && text != ">" {
            self.place = Place::Inside;
        } else if self.place == Place::Header(Header::Parameters) && text == ")" && depth == 0 {
            self.place = Place::Before;
        }
        self.label &= text == ">";
        self.before.clear();
        if text == "." {
            self.before.push('.');
        }
    }

    pub(super) fn word(&mut self, word: &str, depth: u32) {
        let word = word.to_ascii_uppercase();
        self.label = false;
        if self.before != "." {
            self.place = match self.place {
                Place::Header(header) if depth == 0 => self.in_header(header, &word),
                Place::Before => self.before_body(&word),
                Place::Start => self.start(&word),
                Place::Inside => self.inside(&word, depth),
                Place::Closed => Place::Inside,
                place @ Place::Header(_) => place,
            };
        }
        self.before = word;
    }

    fn innermost(&self) -> Option<Block> {
        self.blocks.last().copied()
    }

    fn in_header(&mut self, header: Header, word: &str) -> Place {
        match (header, word) {
            (Header::Parameters, "AS" | "IS") => self.declare(),
            (Header::Until(last), _) if last == word => Place::Before,
            _ => Place::Header(header),
        }
    }

    fn before_body(&mut self, word: &str) -> Place {
        let characteristic =
            word == "SET" && matches!(self.before.as_str(), "CHARACTER" | "CHAR" | "RETURNS");
        match word {
            _ if characteristic => Place::Before,
            "AS" | "IS" => self.declare(),
            _ if VERBS.contains(&word) => Place::Inside,
            _ => self.opened(word).unwrap_or(Place::Before),
        }
    }

    fn declare(&mut self) -> Place {
        self.blocks.push(Block::Declared);
        Place::Start
    }

    fn start(&mut self, word: &str) -> Place {
        let innermost = self.innermost();
        match word {
            "END" => {
                self.blocks.pop();
                Place::Closed
            }
            // of BEGIN NOT ATOMIC
            "ATOMIC" if innermost.is_none() => {
                self.blocks.push(Block::Begin);
                Place::Start
            }
            // ELSE begins a list of statements
            "ELSE" | "NOT" | "ATOMIC" => Place::Start,
            "ELSEIF" | "ELSIF" | "WHEN" | "UNTIL" => Place::Inside,
            "BEGIN" if innermost == Some(Block::Declared) => {
                self.blocks.pop();
                self.blocks.push(Block::Begin);
                Place::Start
            }
            "PROCEDURE" | "FUNCTION" if innermost == Some(Block::Declared) => {
                Place::Header(Header::Parameters)
            }
            _ => match self.opened(word) {
                Some(place) => place,
                None => {
                    self.label = true;
                    Place::Inside
                }
            },
        }
    }

    /// Opens a block, if the word does where a statement may begin; returns what comes next.
    fn opened(&mut self, word: &str) -> Option<Place> {
        let (block, place) = match word {
            "BEGIN" => (Block::Begin, Place::Start),
            "LOOP" => (Block::Loop, Place::Start),
            "REPEAT" => (Block::Repeat, Place::Start),
            "IF" => (Block::If, Place::Inside),
            "CASE" => (Block::Case, Place::Inside),
            "WHILE" | "FOR" => (Block::While, Place::Inside),
            _ => return None,
        };
        self.blocks.push(block);
        Some(place)
    }

    fn inside(&mut self, word: &str, depth: u32) -> Place {
        match (word, self.innermost()) {
            ("CASE", Some(_)) if self.before != "AS" => {
                self.blocks.push(Block::CaseExpression);
            }
            ("END", Some(Block::CaseExpression)) => {
                self.blocks.pop();
            }
            // the condition of UNTIL has no delimiter after it
            ("END", Some(Block::Repeat)) => {
                self.blocks.pop();
                return Place::Closed;
            }
            ("THEN", Some(block)) if block != Block::CaseExpression && depth == 0 => {
                return Place::Start;
            }
            ("DO" | "LOOP", Some(Block::While)) if depth == 0 => return Place::Start,
            ("FOR", _) if self.before == "HANDLER" => return Place::Before,
            _ => {}
        }
        Place::Inside
    }
}
