//! What keeps others waiting: locks that are held for long, and tables that are written anew.

use squawk_linter::{Linter, LinterSettings, Rule as Outside};
use squawk_syntax::SourceFile;

use super::super::change::Change;
use super::super::dialect::{Locks, RequiredColumn};
use super::super::subject::{Analysed, Reading, Subject};
use super::super::{Context, Found, parse, rule};
use crate::lint::Rule;

/// A rule of the other linter, ours for it, and what is found.
type Pair = (Outside, &'static Rule, &'static str);

/// What is asked of the other linter.
static OUTSIDE: &[Pair] = &[
    (
        Outside::RequireConcurrentIndexCreation,
        &rule::INDEX_LOCKS_WRITES,
        "nobody can write to the table while this index is built",
    ),
    (
        Outside::RequireConcurrentIndexDeletion,
        &rule::INDEX_DROP_LOCKS,
        "nobody can use the table while this waits for those who do",
    ),
    (
        Outside::AddingForeignKeyConstraint,
        &rule::CONSTRAINT_LOCKS,
        "nobody can write to either table while all rows are checked",
    ),
    (
        Outside::ConstraintMissingNotValid,
        &rule::CONSTRAINT_LOCKS,
        "nobody can write to the table while all rows are checked",
    ),
    (
        Outside::DisallowedUniqueConstraint,
        &rule::UNIQUE_LOCKS,
        "nobody can use the table while the constraint's index is built",
    ),
    (
        Outside::AddingSerialPrimaryKeyField,
        &rule::UNIQUE_LOCKS,
        "nobody can use the table while the primary key's index is built",
    ),
    (
        Outside::ChangingColumnType,
        &rule::TYPE_CHANGE,
        "the table may be written anew, while nobody can use it",
    ),
    (
        Outside::AddingNotNullableField,
        &rule::NOT_NULL_SCANS,
        "all rows are read for a NULL, while nobody can use the table",
    ),
    (
        Outside::AddingRequiredField,
        &rule::NOT_NULL_NO_DEFAULT,
        "rows that are there have no value for the column, and the statement fails",
    ),
    (
        Outside::AddingFieldWithDefault,
        &rule::DEFAULT_REWRITES,
        "each row gets a value of its own, while nobody can use the table",
    ),
];

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    match context.dialect.locks {
        Locks::SingleWriter => {}
        Locks::Transaction => in_transactions(subject, found),
        Locks::Algorithm => by_algorithm(subject, found),
    }
    if context.dialect.required_column != RequiredColumn::RefusedWithRows {
        required_columns(context, subject, found);
    }
}

fn in_transactions(subject: &Subject<'_>, found: &mut Vec<Found>) {
    let up = &subject.up;
    let (schema, places) = schema_changes(up);
    let mut linter = Linter::from(OUTSIDE.iter().map(|(outside, ..)| *outside));
    linter.settings = LinterSettings {
        assume_in_transaction: !subject.migration.up.directives.no_transaction,
        ..LinterSettings::default()
    };
    for violation in linter.lint(&SourceFile::parse(&schema), &schema) {
        let begins = usize::from(violation.text_range.start());
        let ours = OUTSIDE
            .iter()
            .find(|(outside, ..)| *outside == violation.code);
        let Some((_, rule, message)) = ours else {
            continue;
        };
        let place = places.iter().rev().find(|(start, _)| *start <= begins);
        let Some((start, statement)) = place else {
            continue;
        };
        let offset = statement.offset + (begins - start).min(statement.length);
        // a table that this script makes has no row and no other user yet
        let own = statement
            .changes
            .iter()
            .flatten()
            .filter_map(Change::table)
            .any(|table| up.makes(table, offset));
        let again = found
            .iter()
            .any(|known| known.rule == *rule && known.statement == Some(statement.index));
        if own || again {
            continue;
        }
        found.push(Found {
            offset: Some(offset),
            ..Found::at(rule, statement, *message)
        });
    }
}

/// Returns the statements that change the schema as one text, and where in it each begins: what is
/// between them, and rows, would only cost time.
fn schema_changes(up: &Reading) -> (String, Vec<(usize, &Analysed)>) {
    let mut text = String::new();
    let mut places = Vec::new();
    for statement in &up.statements {
        let sql = up.sql(statement);
        let is_of_schema = parse::begins_with(sql, &["CREATE", "ALTER", "DROP"]);
        if is_of_schema && sql.len() <= parse::LONGEST {
            places.push((text.len(), statement));
            text.push_str(sql);
            text.push_str(";\n");
        }
    }
    (text, places)
}

fn by_algorithm(subject: &Subject<'_>, found: &mut Vec<Found>) {
    let up = &subject.up;
    for statement in &up.statements {
        let changes = statement.changes.as_deref().unwrap_or_default();
        let own = |change: &Change| {
            change
                .table()
                .is_some_and(|table| up.makes(table, statement.offset))
        };
        if changes.iter().any(own) {
            continue;
        }
        let stated = changes.iter().any(|change| {
            matches!(
                change,
                Change::Online { .. } | Change::CreateIndex { online: true, .. }
            )
        });
        for change in changes {
            match change {
                Change::AlterType { table, column } if !stated => found.push(Found::at(
                    &rule::TYPE_CHANGE,
                    statement,
                    format!("`{table}` may be copied whole to change `{column}`, while nobody can write to it"),
                )),
                Change::CopyTable { table, what } if !stated => found.push(Found::at(
                    &rule::TABLE_COPIED,
                    statement,
                    format!("nobody can write to `{table}` meanwhile: {what}"),
                )),
                Change::AddColumn { table, .. }
                | Change::AddKeys { table, .. }
                | Change::CreateIndex { table, .. }
                    if !stated =>
                {
                    found.push(Found::at(
                        &rule::ALGORITHM_NOT_STATED,
                        statement,
                        format!("how `{table}` is locked meanwhile is left to the server"),
                    ));
                }
                _ => {}
            }
        }
    }
}

fn required_columns(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let up = &subject.up;
    for (statement, change) in up.changes() {
        let Change::AddColumn { table, column, .. } = change else {
            continue;
        };
        if !column.not_null || column.has_default || up.makes(table, statement.offset) {
            continue;
        }
        let name = &column.name;
        let message = match context.dialect.required_column {
            RequiredColumn::Filled => format!(
                "rows that are there get a value for `{name}` that nobody chose: 0, or an empty text"
            ),
            RequiredColumn::Refused | RequiredColumn::RefusedWithRows => {
                format!("`{name}` is NOT NULL and has no default: the statement fails")
            }
        };
        found.push(Found::at(&rule::NOT_NULL_NO_DEFAULT, statement, message));
    }
}
