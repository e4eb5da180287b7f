//! Tables with their words: what a spreadsheet, a page and a terminal show alike.

use ledger::Timestamp;

use crate::text::one_line;

/// One value, by what it is; every form decides how it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing is known, or nothing happened.
    Nothing,
    /// A text from outside; it may hold anything.
    Text(String),
    /// One of our own words.
    Word(&'static str),
    /// A digest, fingerprint or id.
    Code(String),
    /// A number.
    Number(u64),
    /// The place of an event in the log.
    Event(u64),
    /// A time.
    Time(Timestamp),
    /// Yes or no.
    Flag(bool),
    /// A word that asks for a look.
    Alert(&'static str),
    /// Several of these.
    List(Vec<Self>),
}

/// How a column is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// By programs; never renamed.
    pub key: &'static str,
    /// By people.
    pub label: &'static str,
    /// Whether it stands in the overview of a page; all stand in a spreadsheet.
    pub overview: bool,
    /// About how many characters wide it is.
    pub width: u16,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The event that it is about, which others link to.
    pub event: Option<u64>,
    /// Its cells, one a column.
    pub cells: Vec<Cell>,
}

/// A table with its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name, as of a sheet.
    pub name: &'static str,
    /// What is said where it has no row.
    pub empty: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Row>,
}

impl Cell {
    /// Returns a text, or nothing where it is empty.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Nothing
        } else {
            Self::Text(text)
        }
    }

    /// Returns a digest, fingerprint or id, or nothing.
    pub fn code(code: Option<impl ToString>) -> Self {
        code.map_or(Self::Nothing, |code| Self::Code(code.to_string()))
    }

    /// Returns the place of an event, or nothing.
    pub fn event(seq: Option<u64>) -> Self {
        seq.map_or(Self::Nothing, Self::Event)
    }

    /// Returns a time, or nothing.
    pub fn time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Nothing, Self::Time)
    }

    /// Returns a number, or nothing.
    pub fn number(number: Option<u64>) -> Self {
        number.map_or(Self::Nothing, Self::Number)
    }

    /// Returns a list, or nothing where it is empty.
    pub fn list(cells: impl IntoIterator<Item = Self>) -> Self {
        let cells: Vec<Self> = cells.into_iter().collect();
        if cells.is_empty() {
            Self::Nothing
        } else {
            Self::List(cells)
        }
    }

    /// Returns it as one line of plain text that cannot steer what shows it.
    pub fn plain(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) | Self::Code(text) => one_line(text),
            Self::Word(word) | Self::Alert(word) => (*word).to_owned(),
            Self::Number(number) | Self::Event(number) => number.to_string(),
            Self::Time(time) => time.to_string(),
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::List(cells) => {
                let cells: Vec<String> = cells.iter().map(Self::plain).collect();
                cells.join("; ")
            }
        }
    }
}

impl Table {
    /// Returns the same table with the columns of its overview alone.
    #[must_use]
    pub fn overview(&self) -> Self {
        let kept: Vec<bool> = self.columns.iter().map(|column| column.overview).collect();
        let keep = |cells: &[Cell]| {
            let kept = cells.iter().zip(&kept).filter(|(_, kept)| **kept);
            kept.map(|(cell, _)| cell.clone()).collect()
        };
        Self {
            name: self.name,
            empty: self.empty,
            columns: self
                .columns
                .iter()
                .copied()
                .filter(|column| column.overview)
                .collect(),
            rows: self
                .rows
                .iter()
                .map(|row| Row {
                    event: row.event,
                    cells: keep(&row.cells),
                })
                .collect(),
        }
    }
}
