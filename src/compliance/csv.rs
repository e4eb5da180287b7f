//! Tables as CSV (RFC 4180) that no spreadsheet takes for formulas.

use super::model::Report;
use super::table::Table;
use super::tables;

/// What programs need that would take the file for another encoding otherwise.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Returns the tables of a report, each as a file's name and its text.
pub fn files(report: &Report) -> Vec<(&'static str, String)> {
    let mut files = vec![
        ("changes.csv", print(&tables::changes(&report.changes))),
        (
            "exceptions.csv",
            print(&tables::exceptions(&report.exceptions)),
        ),
        ("keys.csv", print(&tables::keys(&report.keys))),
    ];
    if !report.period.is_whole() {
        files.push(("period.csv", print(&tables::period(&report.period))));
    }
    if let Some(sample) = &report.sample {
        files.push(("sample.csv", print(&tables::sample(sample))));
    }
    files
}

/// Returns a table as CSV: UTF-8 with a byte order mark, lines that end in CR and LF.
pub fn print(table: &Table) -> String {
    let mut text = BYTE_ORDER_MARK.to_owned();
    let keys: Vec<&str> = table.columns.iter().map(|column| column.key).collect();
    text.push_str(&keys.join(","));
    text.push_str("\r\n");
    for row in &table.rows {
        let cells: Vec<String> = row.cells.iter().map(|one| cell(&one.plain())).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
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
