//! Tables as CSV (RFC 4180) that no spreadsheet takes for formulas.

use std::io::{self, Write};

use super::model::Report;
use super::table::Table;
use super::tables;

/// What programs need that would take the file for another encoding otherwise.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How many rows are made at a time: of many changes, not all rows are in memory.
const CHUNK: usize = 1_000;

/// One table of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// All that is known of each change.
    Changes,
    /// What is out of the ordinary.
    Exceptions,
    /// Keys and roles over time.
    Keys,
    /// How the bounds of the period were chosen.
    Period,
    /// What was drawn.
    Sample,
}

impl Sheet {
    /// Returns the tables that a report has.
    pub fn of(report: &Report) -> Vec<Self> {
        let mut sheets = vec![Self::Changes, Self::Exceptions, Self::Keys];
        if !report.period.is_whole() {
            sheets.push(Self::Period);
        }
        if report.sample.is_some() {
            sheets.push(Self::Sample);
        }
        sheets
    }

    /// Returns the name of its file.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Changes => "changes.csv",
            Self::Exceptions => "exceptions.csv",
            Self::Keys => "keys.csv",
            Self::Period => "period.csv",
            Self::Sample => "sample.csv",
        }
    }

    /// Writes it as CSV: UTF-8 with a byte order mark, lines that end in CR and LF.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Changes => chunks(&report.changes, tables::changes, out),
            Self::Exceptions => chunks(&report.exceptions, tables::exceptions, out),
            Self::Keys => chunks(&report.keys, tables::keys, out),
            Self::Period => write(&tables::period(&report.period), out),
            Self::Sample => match &report.sample {
                Some(sample) => write(&tables::sample(sample), out),
                None => Ok(()),
            },
        }
    }
}

/// Returns the tables of a report, each as a file's name and its text.
pub fn files(report: &Report) -> Vec<(&'static str, String)> {
    let sheets = Sheet::of(report).into_iter();
    sheets
        .map(|sheet| {
            let mut text = Vec::new();
            // writing to memory cannot fail, and what is written is text
            let _written = sheet.write(report, &mut text);
            (sheet.file(), String::from_utf8(text).unwrap_or_default())
        })
        .collect()
}

fn chunks<T>(items: &[T], table: fn(&[T]) -> Table, out: &mut dyn Write) -> io::Result<()> {
    write(&table(&[]), out)?;
    for chunk in items.chunks(CHUNK) {
        rows(&table(chunk), out)?;
    }
    Ok(())
}

fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let keys: Vec<&str> = table.columns.iter().map(|column| column.key).collect();
    write!(out, "{BYTE_ORDER_MARK}{}\r\n", keys.join(","))?;
    rows(table, out)
}

fn rows(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    for row in &table.rows {
        let cells: Vec<String> = row.cells.iter().map(|one| cell(&one.plain())).collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}

/// Returns a text as one cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let is_formula = text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    let guard = if is_formula { "'" } else { "" };
    let guarded = format!("{guard}{text}");
    if guarded.contains([',', '"', '\r', '\n', ';', '\t']) || is_formula {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_the_table() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("a, b", "\"a, b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-1", "\"'-1\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"'\t=1\""),
            ("＝1", "\"'＝1\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
