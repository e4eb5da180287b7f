//! What a validation answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ledger::canonical::{self, Value};
use ledger::{Direction, Severity};
use serde::Serialize;

use super::Sizes;
use super::fix::Fix;
use super::subject::{Reading, Subject};

/// One thing that a rule has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The code of the rule, with a heading in `docs/rules.md`.
    pub rule: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// The migration.
    pub version: String,
    /// In which of its scripts.
    pub direction: Direction,
    /// The file.
    pub file: String,
    /// The line, from 1; absent where it is about all of the migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// Which statement of the script, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<u64>,
    /// What was found.
    pub message: String,
    /// Why it matters.
    pub why: &'static str,
    /// The safe way, step by step.
    pub steps: &'static [&'static str],
    /// Why it is allowed here, where the script says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// The text of the line, where it may be shown.
    #[serde(skip)]
    pub text: Option<String>,
    /// The part of the message that does not change with the size of tables.
    #[serde(skip)]
    pub lasting: String,
    /// What would mend it.
    #[serde(skip)]
    pub fix: Option<Fix>,
    /// The file.
    #[serde(skip)]
    pub path: PathBuf,
}

impl Finding {
    /// Says whether it is an error that nothing waives.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error && self.waived.is_none()
    }

    /// Says whether it is a warning that nothing waives.
    pub fn is_warning(&self) -> bool {
        self.severity == Severity::Warning && self.waived.is_none()
    }
}

/// A finding that a script allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiver {
    /// The migration.
    pub version: String,
    /// In which of its scripts.
    pub direction: Direction,
    /// The rule.
    pub rule: String,
    /// Why, as the script says.
    pub reason: String,
    /// Something was found that it waives.
    pub used: bool,
}

impl Waiver {
    /// A line in the up script speaks for the migration as a whole.
    pub(super) fn covers(&self, direction: Direction) -> bool {
        self.direction == Direction::Up || self.direction == direction
    }
}

/// A statement that no parser of ours understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotAnalysed {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The statement's first words.
    pub begins: String,
}

/// A table that was there before and is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableView {
    /// Its name, as the script writes it.
    pub name: String,
    /// About how many rows it has, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// About how many bytes it takes, with its indexes.
    pub bytes: u64,
}

/// What a validation answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many migrations were checked.
    pub migrations: u64,
    /// How many statements they have.
    pub statements: u64,
    /// How many errors there are that nothing waives.
    pub errors: u64,
    /// How many warnings there are that nothing waives.
    pub warnings: u64,
    /// How many findings are waived.
    pub waived: u64,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What was waived, and why.
    pub waivers: Vec<Waiver>,
    /// What could not be analysed.
    pub not_analysed: Vec<NotAnalysed>,
    /// How large the tables are that were there before and are changed, where a database was asked.
    pub tables: Vec<TableView>,
    /// How long all of it takes by the sizes of these tables, roughly: see docs/rules.md. Zero where
    /// nothing reads or writes a whole table of known size.
    pub estimated_ms: u64,
}

/// The most characters that are shown of a statement that is not analysed.
const BEGINS: usize = 40;

/// How many of its first words are shown: too few for data or a secret.
const SHOWN_WORDS: usize = 3;

impl Report {
    pub(super) fn count(&mut self) {
        let count = |is: fn(&Finding) -> bool| {
            u64::try_from(self.findings.iter().filter(|one| is(one)).count()).unwrap_or(u64::MAX)
        };
        let (errors, warnings) = (count(Finding::is_error), count(Finding::is_warning));
        self.waived = count(|one| one.waived.is_some());
        (self.errors, self.warnings) = (errors, warnings);
    }

    pub(super) fn take_tables(&mut self, names: &[String], sizes: &Sizes) {
        self.tables.extend(names.iter().filter_map(|name| {
            let size = sizes.get(&name.to_ascii_lowercase())?;
            Some(TableView {
                name: name.clone(),
                rows: size.rows,
                bytes: size.bytes,
            })
        }));
    }

    pub(super) fn take_reading(
        &mut self,
        subject: &Subject<'_>,
        direction: Direction,
        reading: &Reading,
    ) {
        let migration = subject.migration;
        let file = match (&migration.down, direction) {
            (Some(down), Direction::Down) => down,
            _ => &migration.up,
        };
        let file = file.path.display().to_string();
        for statement in &reading.statements {
            self.statements += 1;
            if statement.changes.is_some() {
                continue;
            }
            let words: Vec<&str> = reading
                .sql(statement)
                .split_whitespace()
                .take(SHOWN_WORDS)
                .collect();
            self.not_analysed.push(NotAnalysed {
                file: file.clone(),
                line: reading.script.line_of(statement.offset).line as u64,
                begins: words.join(" ").chars().take(BEGINS).collect(),
            });
        }
        if let Some(problem) = &reading.broken {
            self.not_analysed.push(NotAnalysed {
                file,
                line: problem.line.unwrap_or(1) as u64,
                begins: problem.message.clone(),
            });
        }
    }

    /// Returns the report as the object that `validation.finished` names: canonical JSON.
    ///
    /// # Errors
    ///
    /// A sentence, when a name in it has no canonical form.
    pub fn object(&self) -> Result<Vec<u8>, String> {
        let text = |text: &str| Value::Text(text.to_owned());
        let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let findings = self.findings.iter().map(|finding| {
            let mut members = BTreeMap::from([
                ("rule".to_owned(), text(finding.rule)),
                ("severity".to_owned(), text(finding.severity.as_str())),
                ("version".to_owned(), text(&finding.version)),
                ("direction".to_owned(), text(finding.direction.as_str())),
                ("message".to_owned(), text(&finding.message)),
            ]);
            if let Some(line) = finding.line {
                members.insert("line".to_owned(), number(line));
            }
            if let Some(reason) = &finding.waived {
                members.insert("waived".to_owned(), text(&ledger::clean(reason)));
            }
            Value::Object(members)
        });
        let waivers = self.waivers.iter().map(|waiver| {
            Value::object([
                ("direction", text(waiver.direction.as_str())),
                ("reason", text(&ledger::clean(&waiver.reason))),
                ("rule", text(&ledger::clean(&waiver.rule))),
                ("version", text(&waiver.version)),
            ])
        });
        let report = Value::object([
            ("findings", Value::List(findings.collect())),
            (
                "not_analysed",
                number(self.not_analysed.len().try_into().unwrap_or(u64::MAX)),
            ),
            ("statements", number(self.statements)),
            ("v", Value::Integer(1)),
            ("waivers", Value::List(waivers.collect())),
        ]);
        canonical::write(&report).map_err(|error| error.to_string())
    }
}
