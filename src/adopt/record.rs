//! One row of another tool's table, read by the names of its columns.

use super::{Cell, Table};
use crate::migration::Version;

/// A row, and the table that names its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    table: &'a Table,
    cells: &'a [Cell],
}

impl Table {
    /// Yields the rows, in no order.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.rows.iter().map(|cells| Record { table: self, cells })
    }
}

impl<'a> Record<'a> {
    /// Returns the cell under a column.
    pub(super) fn cell(&self, column: &str) -> &'a Cell {
        self.table.cell(self.cells, column)
    }

    /// Returns the text under a column; an empty one for NULL and for bytes.
    pub(super) fn text(&self, column: &str) -> &'a str {
        self.cell(column).text().unwrap_or_default()
    }

    /// Returns the text under a column, where there is one.
    pub(super) fn some(&self, column: &str) -> Option<String> {
        self.cell(column).text().map(str::to_owned)
    }

    /// Reads the version under a column.
    pub(super) fn version(&self, column: &str) -> Result<Version, String> {
        let found = match self.cell(column) {
            Cell::Text(text) => text.as_str(),
            Cell::Null => "NULL",
            Cell::Bytes(_) => "bytes",
        };
        found
            .parse()
            .map_err(|_| self.expected("a number as version", column, found))
    }

    /// Reads the truth value under a column.
    pub(super) fn truth(&self, column: &str) -> Result<bool, String> {
        let cell = self.cell(column);
        cell.truth()
            .ok_or_else(|| self.expected("true or false", column, cell.text().unwrap_or("nothing")))
    }

    /// Reads the whole number under a column.
    pub(super) fn number(&self, column: &str) -> Result<i64, String> {
        let cell = self.cell(column);
        cell.number()
            .ok_or_else(|| self.expected("a number", column, cell.text().unwrap_or("nothing")))
    }

    fn expected(&self, what: &str, column: &str, found: &str) -> String {
        format!(
            "expected {what} in the column `{column}` of `{}`, found `{found}`",
            self.table.name
        )
    }
}
