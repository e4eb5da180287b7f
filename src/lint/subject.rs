//! A migration as rules see it: its scripts read, cut and parsed.

use std::ops::Range;

use serde::Serialize;

use super::change::{Change, Kind, Name};
use super::dialect::Dialect;
use super::parse;
use crate::migration::split::LexRules;
use crate::migration::{Class, Migration, Problem, Script, ScriptFile};

/// A migration and what its scripts do.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The migration.
    pub(super) migration: &'a Migration,
    /// Its up script.
    pub(super) up: Reading,
    /// Its down script, where it has one with a statement in it.
    pub(super) down: Option<Reading>,
}

/// A script that was read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) script: Script,
    /// The bytes of the file that are the script.
    pub(super) section: Range<usize>,
    pub(super) statements: Vec<Analysed>,
    /// It runs statement by statement.
    pub(super) stepwise: bool,
    /// It cannot be cut to its end.
    pub(super) broken: Option<Problem>,
}

/// A statement, and what it changes.
#[derive(Debug)]
pub(super) struct Analysed {
    pub(super) index: u64,
    pub(super) offset: usize,
    pub(super) length: usize,
    /// None where it could not be parsed.
    pub(super) changes: Option<Vec<Change>>,
}

/// What a statement of an up script does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Which statement, from 1.
    pub statement: u64,
    /// The line of the file, from 1.
    pub line: u64,
    /// What it does, in a few words each; empty for one that could not be analysed, or changes nothing
    /// that is known.
    pub what: Vec<&'static str>,
    /// The tables that it is about.
    pub tables: Vec<String>,
    /// Its first words.
    pub begins: String,
}

/// How many of a statement's first words are told: too few for data or a secret.
const SHOWN_WORDS: usize = 3;

/// How many characters of them.
const SHOWN: usize = 40;

impl Subject<'_> {
    /// Returns what each statement of the up script does.
    pub(super) fn statements(&self) -> Vec<Statement> {
        let up = &self.up;
        let statements = up.statements.iter().map(|statement| {
            let changes = statement.changes.as_deref().unwrap_or_default();
            let mut what: Vec<&str> = Vec::new();
            let mut tables: Vec<String> = Vec::new();
            for change in changes {
                if !what.contains(&change.what()) {
                    what.push(change.what());
                }
                tables.extend(change.table().map(ToString::to_string));
            }
            tables.sort_unstable();
            tables.dedup();
            let words = up.sql(statement).split_whitespace();
            let begins: Vec<&str> = words.take(SHOWN_WORDS).collect();
            Statement {
                statement: statement.index,
                line: up.script.line_of(statement.offset).line as u64,
                what,
                tables,
                begins: begins.join(" ").chars().take(SHOWN).collect(),
            }
        });
        statements.collect()
    }

    /// Returns the tables that the up script changes and does not make.
    pub(super) fn tables(&self) -> Vec<String> {
        let of_others = |(statement, change): (&Analysed, &Change)| {
            let table = change.table()?;
            let own = self.up.makes(table, statement.offset);
            (!own).then(|| table.to_string())
        };
        self.up.changes().filter_map(of_others).collect()
    }
}

impl<'a> Subject<'a> {
    /// Reads the scripts of a migration again, and parses them.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when a file cannot be read, or is not what it was.
    pub fn load(
        migration: &'a Migration,
        rules: &'static LexRules,
        dialect: &Dialect,
    ) -> Result<Self, Problem> {
        let read = |file: &ScriptFile| Reading::load(file, rules, dialect);
        let down = migration.down.as_ref().map(read).transpose()?;
        Ok(Self {
            migration,
            up: read(&migration.up)?,
            down: down.filter(|down| !down.statements.is_empty()),
        })
    }
}

impl Reading {
    fn load(
        file: &ScriptFile,
        rules: &'static LexRules,
        dialect: &Dialect,
    ) -> Result<Self, Problem> {
        let script = file.load()?;
        let mut statements = Vec::new();
        let mut broken = None;
        let mut alone = false;
        for statement in script.statements(rules) {
            match statement {
                Ok(statement) => {
                    alone |= statement.class == Class::NotInTransaction;
                    statements.push(Analysed {
                        index: statement.index,
                        offset: statement.offset,
                        length: statement.text.len(),
                        changes: parse::changes(statement.text, dialect.grammar),
                    });
                }
                Err(problem) => broken = Some(problem),
            }
        }
        Ok(Self {
            stepwise: file.directives.no_transaction || alone || !dialect.transactional,
            script,
            section: file.section.clone(),
            statements,
            broken,
        })
    }

    /// Returns the text of the file up to the end of the script.
    pub(super) fn text(&self) -> &str {
        let whole = self.script.text();
        whole.get(..self.section.end).unwrap_or_default()
    }

    /// Returns the script's own text.
    pub(super) fn body(&self) -> &str {
        self.text().get(self.section.start..).unwrap_or_default()
    }

    /// Returns a statement's text.
    pub(super) fn sql(&self, statement: &Analysed) -> &str {
        let end = statement.offset + statement.length;
        self.text().get(statement.offset..end).unwrap_or_default()
    }

    /// Yields each change with its statement.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&Analysed, &Change)> {
        self.statements.iter().flat_map(|statement| {
            let changes = statement.changes.iter().flatten();
            changes.map(move |change| (statement, change))
        })
    }

    /// Says whether the script makes this table before the byte `offset`.
    pub(super) fn makes(&self, wanted: &Name, offset: usize) -> bool {
        self.changes()
            .take_while(|(statement, _)| statement.offset <= offset)
            .any(|(_, change)| match change {
                Change::CreateTable { table, .. } => table.is(wanted),
                Change::RenameTable { from, to } => to.is(wanted) && self.makes_itself(from),
                _ => false,
            })
    }

    fn makes_itself(&self, wanted: &Name) -> bool {
        self.changes().any(
            |(_, change)| matches!(change, Change::CreateTable { table, .. } if table.is(wanted)),
        )
    }

    /// Says whether a table is made anew under this name, or under the name that this one had before.
    pub(super) fn rebuilds(&self, wanted: &Name) -> bool {
        self.changes().any(|(_, change)| match change {
            // a new table takes the name
            Change::RenameTable { from, to } if to.is(wanted) => self.makes_itself(from),
            // the old table is renamed away, and a new one is made under its name
            Change::RenameTable { from, .. } if from.is(wanted) => self.makes_itself(from),
            _ => false,
        })
    }

    /// Says whether the script drops this table.
    pub(super) fn drops(&self, wanted: &Name) -> bool {
        self.changes().any(|(_, change)| {
            matches!(change, Change::Drop { kind: Kind::Table, name, .. } if name.is(wanted))
        })
    }
}
