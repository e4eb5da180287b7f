//! The line of a file that an error is about, as it is shown under the message.

use mledger::report::SqlFailure;

use super::output::{BAD, DIM, paint};
use super::words;

/// Returns the line of the file that failed, with a caret under the column.
pub(crate) fn excerpt(failure: &SqlFailure) -> Vec<String> {
    let Some(line) = failure.line else {
        return vec![format!("  --> {}", failure.path)];
    };
    let place = match failure.column {
        Some(column) => format!("{}:{line}:{column}", failure.path),
        None => format!("{}:{line}", failure.path),
    };
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let mut lines = vec![format!("{margin}{} {place}", paint(DIM, "-->"))];
    let Some(text) = &failure.text else {
        return lines;
    };
    let bar = paint(DIM, "|");
    let (shown, column) = window(text.trim_end(), failure.column);
    lines.push(format!("{margin} {bar}"));
    lines.push(format!("{} {bar} {shown}", paint(DIM, &number)));
    if let Some(column) = column {
        let space: String = shown
            .chars()
            .take(column)
            .map(|c| {
                if c == '\t' {
                    "\t".to_owned()
                } else {
                    words::pad("", width(c))
                }
            })
            .collect();
        lines.push(format!("{margin} {bar} {space}{}", paint(BAD, "^")));
    }
    lines
}

/// Returns the part of a long line around its column, and the column inside of it from 0.
fn window(text: &str, column: Option<u64>) -> (String, Option<usize>) {
    const WIDTH: usize = 100;
    let clean: Vec<char> = text
        .chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    let at = column.map(|column| {
        usize::try_from(column)
            .unwrap_or(usize::MAX)
            .saturating_sub(1)
    });
    let at = at.map(|at| at.min(clean.len()));
    let start = match at {
        Some(at) if clean.len() > WIDTH => at.saturating_sub(WIDTH / 2),
        _ => 0,
    };
    let shown = clean.iter().skip(start).take(WIDTH).collect();
    (shown, at.map(|at| at - start))
}

fn width(c: char) -> usize {
    unicode_width::UnicodeWidthChar::width(c).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str, column: u64) -> SqlFailure {
        SqlFailure {
            path: "migrations/2_b.sql".to_owned(),
            statement: Some(3),
            line: Some(12),
            column: Some(column),
            text: Some(text.to_owned()),
            message: "near \"TABEL\": syntax error".to_owned(),
            code: Some("SQLITE_ERROR (1)".to_owned()),
        }
    }

    fn plain(lines: Vec<String>) -> Vec<String> {
        lines
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect()
    }

    #[test]
    fn the_caret_stands_under_the_column() {
        assert_eq!(
            plain(excerpt(&failure("CREATE TABEL orders (", 8))),
            [
                "  --> migrations/2_b.sql:12:8",
                "   |",
                "12 | CREATE TABEL orders (",
                "   |        ^",
            ]
        );
        let wide = plain(excerpt(&failure("SELECT '表' TABEL", 12)));
        assert_eq!(wide.last().map(String::as_str), Some("   |             ^"));
    }

    #[test]
    fn a_long_line_is_shown_around_its_column() {
        let text = format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000));
        let lines = plain(excerpt(&failure(&text, 5_001)));
        assert!(lines.iter().all(|line| line.chars().count() < 120));
        let at = lines.last().and_then(|line| line.find('^'));
        assert_eq!(at, lines.get(2).and_then(|line| line.find('X')));
    }
}
