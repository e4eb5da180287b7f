//! The changes of a ledger as a table for a spreadsheet: one row for each migration that was applied,
//! rolled back, failed, given up or marked.

use std::collections::BTreeMap;

use ledger::{Body, Digest, Direction, Event, Marked};
use uuid::Uuid;

/// What programs need that would take the file for another encoding otherwise.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const COLUMNS: [&str; 16] = [
    "seq",
    "time",
    "environment",
    "version",
    "name",
    "description",
    "author",
    "ticket",
    "direction",
    "outcome",
    "detail",
    "by",
    "host",
    "key",
    "run",
    "script",
];

/// A fold over events that gives rows; memory grows with distinct versions alone.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The run under way and its ticket: runs never overlap.
    run: Option<(Uuid, String)>,
    known: BTreeMap<String, Known>,
}

/// What earlier events said of a version.
#[derive(Debug, Clone, Default)]
struct Known {
    name: String,
    description: String,
    author: String,
    ticket: String,
    script: Option<Digest>,
}

impl Changes {
    /// Returns how the table begins.
    pub(crate) fn head() -> String {
        format!("{BYTE_ORDER_MARK}{}\r\n", COLUMNS.join(","))
    }

    /// Returns the row of an event that ends a change.
    pub(crate) fn row(&mut self, event: &Event) -> Option<String> {
        let (version, direction, outcome, detail) = match &event.body {
            Body::RunStarted(body) => {
                self.run = Some((event.run, body.ticket.clone().unwrap_or_default()));
                return None;
            }
            Body::MigrationStarted(body) => {
                let known = self.known(&body.version);
                known.name.clone_from(&body.name);
                known.script = Some(body.script);
                return None;
            }
            Body::MigrationApplied(body) => {
                let text = |name: &str| {
                    let member = body.metadata.get(name).and_then(|value| value.as_text());
                    member.unwrap_or_default().to_owned()
                };
                *self.known(&body.version) = Known {
                    name: body.name.clone(),
                    description: text("description"),
                    author: text("author"),
                    ticket: text("ticket"),
                    script: Some(body.script),
                };
                (&body.version, Direction::Up, "applied", String::new())
            }
            Body::MigrationRolledBack(body) => {
                self.known(&body.version).script = Some(body.script);
                let cause = body.cause.to_string();
                (&body.version, Direction::Down, "rolled back", cause)
            }
            Body::MigrationFailed(body) => {
                let detail = body.error.message.clone();
                (&body.version, body.direction, "failed", detail)
            }
            Body::MigrationAborted(body) => {
                let detail = body.reason.clone();
                (&body.version, body.direction, "given up", detail)
            }
            Body::MigrationMarked(body) => {
                let outcome = match body.r#as {
                    Marked::Applied => "marked as applied",
                    Marked::Pending => "marked as pending",
                };
                let detail = body.reason.clone();
                (&body.version, Direction::Up, outcome, detail)
            }
            _ => return None,
        };
        let known = self.known.get(version).cloned().unwrap_or_default();
        let of_run = self.run.as_ref().filter(|(run, _)| *run == event.run);
        let ticket = match of_run {
            Some((_, ticket)) if !ticket.is_empty() => ticket.clone(),
            _ => known.ticket,
        };
        let script = known.script.map_or_else(String::new, |it| it.to_string());
        let cells = [
            event.seq.to_string(),
            event.time.to_string(),
            event.env.clone(),
            version.clone(),
            known.name,
            known.description,
            known.author,
            ticket,
            direction.to_string(),
            outcome.to_owned(),
            detail,
            event.actor.clone(),
            event.host.clone(),
            event.key.to_string(),
            event.run.to_string(),
            script,
        ];
        let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
        Some(format!("{}\r\n", cells.join(",")))
    }

    fn known(&mut self, version: &str) -> &mut Known {
        self.known.entry(version.to_owned()).or_default()
    }
}

/// Returns a text as one cell (RFC 4180) that no spreadsheet takes for a formula.
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

    #[test]
    fn the_head_names_as_many_columns_as_a_row_has() {
        assert_eq!(Changes::head().split(',').count(), COLUMNS.len());
        assert!(Changes::head().starts_with('\u{feff}'));
    }
}
