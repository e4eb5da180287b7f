//! A table that another program keeps, as plain data.

use std::fmt;
use std::str::FromStr;

use ledger::canonical::Value;

/// Where a table is: its schema, where the database has those and one was named, and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// The schema; without one, where the database looks for a table by itself.
    pub schema: Option<String>,
    /// The name, as the database keeps it.
    pub name: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(formatter, "{schema}.{}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

impl FromStr for TableName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            [name] if !name.is_empty() => Ok(Self {
                schema: None,
                name: (*name).to_owned(),
            }),
            [schema, name] if !schema.is_empty() && !name.is_empty() => Ok(Self {
                schema: Some((*schema).to_owned()),
                name: (*name).to_owned(),
            }),
            _ => Err(format!(
                "expected a table's name such as `schema_migrations` or `public.schema_migrations`, \
                 found `{text}`"
            )),
        }
    }
}

/// A table, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Where it is.
    pub name: TableName,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// Its rows, in no order; as many cells in each as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// One value of a row, as the database writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// None.
    Null,
    /// Anything that is written as text: numbers, truth values, times.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// Returns the text; none for NULL and for bytes.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bytes(_) => None,
        }
    }

    /// Returns the truth value, in any of the ways in which databases write one.
    pub fn truth(&self) -> Option<bool> {
        match self.text()? {
            "1" | "t" | "true" => Some(true),
            "0" | "f" | "false" => Some(false),
            _ => None,
        }
    }

    /// Returns the whole number.
    pub fn number(&self) -> Option<i64> {
        self.text()?.parse().ok()
    }

    /// Returns the cell in canonical form, where there is no null: a text, or an object that is empty
    /// for NULL and else holds the bytes in hexadecimal.
    fn value(&self) -> Value {
        match self {
            Self::Null => Value::object([] as [(&str, Value); 0]),
            Self::Text(text) => text_of(text),
            Self::Bytes(bytes) => Value::object([("hex", text_of(hex(bytes)))]),
        }
    }
}

impl Table {
    /// Returns the cell of a row under a column; capitals make no difference.
    pub fn cell<'a>(&self, row: &'a [Cell], column: &str) -> &'a Cell {
        const NULL: Cell = Cell::Null;
        self.columns
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column))
            .and_then(|at| row.get(at))
            .unwrap_or(&NULL)
    }

    /// Says whether there is a column of this name; capitals make no difference.
    pub fn has(&self, column: &str) -> bool {
        self.columns
            .iter()
            .any(|name| name.eq_ignore_ascii_case(column))
    }

    /// Returns columns and rows in canonical form, rows sorted.
    pub(super) fn value(&self) -> (Value, Value) {
        let mut rows: Vec<&Vec<Cell>> = self.rows.iter().collect();
        rows.sort();
        (
            Value::List(self.columns.iter().map(text_of).collect()),
            Value::List(
                rows.into_iter()
                    .map(|row| Value::List(row.iter().map(Cell::value).collect()))
                    .collect(),
            ),
        )
    }
}

/// Returns bytes in hexadecimal, lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // writing to a text cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns a text in canonical form.
pub(super) fn text_of(text: impl AsRef<str>) -> Value {
    Value::Text(ledger::clean(text.as_ref()))
}
