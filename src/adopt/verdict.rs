//! What can be taken over of each row: the row and the folder's file, compared.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Digest;
use ledger::canonical::Value;
use serde::Serialize;

use super::table::text_of;
use super::{File, Revision, Row, Said, Table, TableName, Tool};
use crate::migration::{Migration, Problem, Version};
use crate::plan::baseline;

/// What became of the comparison of a row and a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The file has the recorded checksum.
    Match,
    /// The file has the recorded checksum once its line ends are changed.
    LineEndsDiffer,
    /// The file has another checksum than the one recorded.
    Mismatch,
    /// The same, of a repeatable migration: it runs again.
    Changed,
    /// The tool records no checksum.
    NoChecksum,
    /// The tool keeps no row of it, and says that all up to a later one were applied.
    Assumed,
    /// A person said that all up to a later one were applied.
    Declared,
    /// There is no file of this version.
    FileMissing,
    /// The tool says that it failed, or never came to its end.
    Failed,
    /// The tool says that it was undone; it is pending here too.
    Undone,
}

impl Verdict {
    /// Returns the verdict as people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::LineEndsDiffer => "match but for line ends",
            Self::Mismatch => "mismatch",
            Self::Changed => "changed, runs again",
            Self::NoChecksum => "no checksum",
            Self::Assumed => "assumed",
            Self::Declared => "declared",
            Self::FileMissing => "file missing",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }

    /// Says whether a migration with this verdict counts as applied from here on; `forced` says that a
    /// person wants it although the row and the file differ.
    pub fn marks(self, forced: bool) -> bool {
        match self {
            Self::Match
            | Self::LineEndsDiffer
            | Self::NoChecksum
            | Self::Assumed
            | Self::Declared => true,
            Self::Mismatch => forced,
            Self::Changed | Self::FileMissing | Self::Failed | Self::Undone => false,
        }
    }
}

/// A migration of the other tool, and what was found of it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The version, as the file has it, else as the row has it.
    pub version: Version,
    /// The name, as the file has it, else as the row has it.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was recorded and found, for a person who must decide.
    pub detail: Option<String>,
    /// When it was applied, in the words of the other tool's table.
    pub at: Option<String>,
    /// Our checksum of the file.
    pub checksum: Option<Digest>,
}

/// What can be taken over of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The tool.
    pub tool: &'static str,
    /// Its table.
    pub table: TableName,
    /// How many rows that has.
    pub rows: u64,
    /// The verdicts, in order of version.
    pub judged: Vec<Judged>,
    /// What else the tool applied, of which no file of the folder carries the name.
    pub revisions: Vec<Revision>,
    /// The versions of the folder, without those in whose place a baseline was applied.
    pub folder: Vec<Version>,
    /// The report that is kept: the rows as they were read, and the verdicts.
    pub report: Value,
}

impl Adoption {
    /// Returns the newest version that counts as applied; a repeatable migration where there are only such.
    pub fn through(&self, forced: bool) -> Option<&Version> {
        self.marked(forced)
            .map(|judged| &judged.version)
            .max_by_key(|version| (!version.is_repeatable(), *version))
    }

    /// Returns how many migrations of the folder are left to apply.
    pub fn pending(&self, forced: bool) -> usize {
        let marked: BTreeSet<&Version> =
            self.marked(forced).map(|judged| &judged.version).collect();
        let left = |version: &&Version| !marked.contains(version);
        self.folder.iter().filter(left).count()
    }

    /// Returns the migrations that count as applied from here on.
    pub fn marked(&self, forced: bool) -> impl Iterator<Item = &Judged> {
        self.judged
            .iter()
            .filter(move |judged| judged.verdict.marks(forced))
    }
}

/// Why a table cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Its rows are not what the tool writes.
    Rows(String),
    /// A migration's file cannot be read any more.
    File(Box<Problem>),
}

/// Compares what a tool's table says with the migrations of the folder, whose bytes `text` gives. A person
/// said that all up to `through` were applied.
///
/// # Errors
///
/// [`Unreadable`] where a row is not as expected, or a file cannot be read.
pub fn judge(
    tool: &dyn Tool,
    table: &Table,
    files: &[Migration],
    through: Option<&Version>,
    text: &mut dyn FnMut(&Migration) -> Result<Vec<u8>, Problem>,
) -> Result<Adoption, Unreadable> {
    let rows = tool.rows(table, files).map_err(Unreadable::Rows)?;
    let chosen = files.iter().rfind(|file| {
        let row = rows.iter().find(|row| row.version == file.version);
        file.baseline && row.is_some_and(|row| row.said == Said::AppliedForOlder)
    });
    let files = &*baseline::standing_for_older(files, chosen);
    let by_version: BTreeMap<&Version, &Migration> =
        files.iter().map(|file| (&file.version, file)).collect();
    let mut judged: BTreeMap<Version, Judged> = BTreeMap::new();
    for row in &rows {
        let file = by_version.get(&row.version).copied();
        let found = match file {
            Some(file) => compare(tool, row, file, text).map_err(Unreadable::File)?,
            // a baseline is a line below which nothing is asked, and need be no migration itself
            None if row.said == Said::Baseline => continue,
            None => missing(row),
        };
        if judged.insert(row.version.clone(), found).is_some() {
            return Err(Unreadable::Rows(format!(
                "expected one row of each version in `{}`, found two of `{}`",
                table.name, row.version
            )));
        }
    }
    for row in &rows {
        if let Some(reach) = reach(row) {
            let within = |version: &Version| match reach {
                Reach::Itself => *version <= row.version,
                Reach::Older => *version < row.version,
            };
            without_row(Verdict::Assumed, files, within, &mut judged);
        }
    }
    if let Some(through) = through {
        let within = |version: &Version| version <= through;
        without_row(Verdict::Declared, files, within, &mut judged);
    }
    let judged: Vec<Judged> = judged.into_values().collect();
    Ok(Adoption {
        tool: tool.name(),
        table: table.name.clone(),
        rows: table.rows.len() as u64,
        report: report(tool, table, &judged),
        judged,
        revisions: tool.revisions(table, files),
        folder: files.iter().map(|file| file.version.clone()).collect(),
    })
}

/// Whether a row speaks of older migrations too, and of itself.
enum Reach {
    Itself,
    Older,
}

fn reach(row: &Row) -> Option<Reach> {
    match row.said {
        Said::AppliedThrough | Said::Baseline => Some(Reach::Itself),
        Said::FailedAfter(_) => Some(Reach::Older),
        _ => None,
    }
}

/// Gives a verdict to the migrations of which there is no row.
fn without_row(
    verdict: Verdict,
    files: &[Migration],
    within: impl Fn(&Version) -> bool,
    judged: &mut BTreeMap<Version, Judged>,
) {
    for file in files.iter().filter(|file| within(&file.version)) {
        judged
            .entry(file.version.clone())
            .or_insert_with(|| Judged {
                version: file.version.clone(),
                name: file.name.clone(),
                verdict,
                detail: None,
                at: None,
                checksum: Some(file.checksum),
            });
    }
}

fn missing(row: &Row) -> Judged {
    Judged {
        version: row.version.clone(),
        name: row.name.clone(),
        verdict: match row.said {
            Said::Undone => Verdict::Undone,
            Said::Failed(_) | Said::FailedAfter(_) => Verdict::Failed,
            Said::Applied | Said::AppliedForOlder | Said::AppliedThrough | Said::Baseline => {
                Verdict::FileMissing
            }
        },
        detail: match row.said {
            Said::Failed(how) | Said::FailedAfter(how) => Some(how.to_owned()),
            _ => None,
        },
        at: row.at.clone(),
        checksum: None,
    }
}

fn compare(
    tool: &dyn Tool,
    row: &Row,
    file: &Migration,
    text: &mut dyn FnMut(&Migration) -> Result<Vec<u8>, Problem>,
) -> Result<Judged, Box<Problem>> {
    let (verdict, detail) = match (&row.said, &row.checksum) {
        (Said::Applied, _) if row.differs.is_some() => (Verdict::Mismatch, row.differs.clone()),
        (Said::Failed(how) | Said::FailedAfter(how), _) => {
            (Verdict::Failed, Some((*how).to_owned()))
        }
        (Said::Undone, _) => (Verdict::Undone, None),
        (Said::AppliedThrough | Said::Baseline, _) => (Verdict::Assumed, None),
        (Said::Applied | Said::AppliedForOlder, None) => (Verdict::NoChecksum, None),
        (Said::Applied | Said::AppliedForOlder, Some(recorded)) => {
            let bytes = text(file)?;
            compare_checksum(tool, recorded, file, &bytes)
        }
    };
    Ok(Judged {
        version: file.version.clone(),
        name: file.name.clone(),
        verdict,
        detail,
        at: row.at.clone(),
        checksum: Some(file.checksum),
    })
}

fn compare_checksum(
    tool: &dyn Tool,
    recorded: &str,
    file: &Migration,
    bytes: &[u8],
) -> (Verdict, Option<String>) {
    let of = |text: &[u8]| {
        tool.checksums(&File {
            version: &file.version,
            name: &file.name,
            text,
        })
    };
    let is_recorded = |sums: &[String]| sums.iter().any(|sum| sum == recorded);
    let found = of(bytes);
    if found.is_empty() {
        return (Verdict::NoChecksum, None);
    }
    if is_recorded(&found) {
        return (Verdict::Match, None);
    }
    let unix = with_line_ends(bytes, b"\n");
    let windows = with_line_ends(bytes, b"\r\n");
    for other in [unix, windows] {
        if is_recorded(&of(&other)) {
            return (Verdict::LineEndsDiffer, None);
        }
    }
    let detail = format!(
        "expected the checksum `{recorded}` that was recorded, found `{}`",
        found.join("` or `")
    );
    if file.version.is_repeatable() {
        return (Verdict::Changed, Some(detail));
    }
    (Verdict::Mismatch, Some(detail))
}

/// Returns a text with one kind of line end throughout.
fn with_line_ends(bytes: &[u8], end: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => {}
            b'\n' => text.extend_from_slice(end),
            other => text.push(*other),
        }
    }
    text
}

/// The report that is kept under its digest.
fn report(tool: &dyn Tool, table: &Table, judged: &[Judged]) -> Value {
    let (columns, rows) = table.value();
    let verdicts = judged
        .iter()
        .map(|judged| {
            let mut members = vec![
                ("verdict", text_of(judged.verdict.as_str())),
                ("version", text_of(judged.version.as_str())),
            ];
            if let Some(checksum) = &judged.checksum {
                members.push(("checksum", text_of(checksum.to_string())));
            }
            Value::object(members)
        })
        .collect();
    Value::object([
        ("columns", columns),
        ("rows", rows),
        ("table", text_of(table.name.to_string())),
        ("tool", text_of(tool.name())),
        ("v", Value::Integer(1)),
        ("verdicts", Value::List(verdicts)),
    ])
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
