//! Migrations that were read to be checked, and what is asked of them.

use std::collections::BTreeSet;

use super::change::Change;
use super::subject::{Statement, Subject};
use super::{Context, Dialect, Report, Settings, Sizes, judge};
use crate::migration::split::LexRules;
use crate::migration::{Migration, Problem, Version};

/// Migrations that were read to be checked: the one way in for a command.
#[derive(Debug)]
pub struct Review<'a> {
    migrations: &'a [Migration],
    subjects: Vec<Subject<'a>>,
    others: Vec<Subject<'a>>,
    lex: &'static LexRules,
    dialect: &'static Dialect,
}

impl<'a> Review<'a> {
    /// Reads the migrations that are `wanted`.
    ///
    /// The others are read where an index of one may serve a foreign key of another.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when a file cannot be read, or was changed since the folder was read.
    pub fn load(
        migrations: &'a [Migration],
        lex: &'static LexRules,
        dialect: &'static Dialect,
        wanted: &dyn Fn(&Version) -> bool,
    ) -> Result<Self, Problem> {
        let load = |migration| Subject::load(migration, lex, dialect);
        let chosen = migrations
            .iter()
            .filter(|migration| wanted(&migration.version));
        let subjects = chosen.map(load).collect::<Result<Vec<_>, _>>()?;
        // what serves a foreign key may be anywhere; else the others need not be read
        let others =
            if !dialect.indexes_foreign_keys && subjects.iter().any(Subject::has_foreign_key) {
                let others = migrations
                    .iter()
                    .filter(|migration| !wanted(&migration.version));
                others.map(load).collect::<Result<Vec<_>, _>>()?
            } else {
                Vec::new()
            };
        Ok(Self {
            migrations,
            subjects,
            others,
            lex,
            dialect,
        })
    }

    /// Returns the tables that up scripts change and do not make, as they are written there.
    pub fn tables(&self) -> Vec<String> {
        let all = self.subjects.iter().flat_map(Subject::tables);
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns what each statement of an up script does, in order; nothing for a migration that was not
    /// read.
    pub fn statements(&self, version: &Version) -> Vec<Statement> {
        let subject = self
            .subjects
            .iter()
            .find(|subject| subject.migration.version == *version);
        subject.map_or_else(Vec::new, Subject::statements)
    }

    /// Returns what the rules find; tables that are in `sizes` are judged by how large they are.
    pub fn report(&self, settings: &Settings, sizes: &Sizes) -> Report {
        let context = Context {
            migrations: self.migrations,
            subjects: &self.subjects,
            others: &self.others,
            dialect: self.dialect,
            lex: self.lex,
            settings,
            sizes,
        };
        let mut report = Report::default();
        for subject in &self.subjects {
            judge(&context, subject, &mut report);
        }
        report.take_tables(&self.tables(), sizes);
        report.count();
        report
    }
}

impl Subject<'_> {
    fn has_foreign_key(&self) -> bool {
        self.up.changes().any(|(_, change)| match change {
            Change::CreateTable { keys, .. }
            | Change::AddColumn { keys, .. }
            | Change::AddKeys { keys, .. } => !keys.foreign.is_empty(),
            _ => false,
        })
    }
}
