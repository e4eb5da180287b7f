//! Names, and what was agreed on.

use super::super::change::{Change, Keys, Name};
use super::super::subject::{Analysed, Subject};
use super::super::{Context, Found, rule};

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let naming = &context.settings.naming;
    let up = &subject.up;
    for (statement, change) in up.changes() {
        match change {
            Change::CreateTable {
                table,
                keys,
                temporary,
                ..
            } => {
                // a table on its way to another name
                let passing = *temporary || up.drops(table);
                if !passing && !naming.tables.fits(table) {
                    found.push(Found::at(
                        &rule::NAME_TABLE,
                        statement,
                        format!(
                            "expected a name in {}, found `{table}`",
                            naming.tables.as_str()
                        ),
                    ));
                }
                foreign_keys(
                    context,
                    statement,
                    (final_name(subject, table), keys),
                    found,
                );
            }
            Change::RenameTable { from, to }
                if !up.rebuilds(from) && !up.drops(to) && !naming.tables.fits(to) =>
            {
                found.push(Found::at(
                    &rule::NAME_TABLE,
                    statement,
                    format!(
                        "expected a name in {}, found `{to}`",
                        naming.tables.as_str()
                    ),
                ));
            }
            Change::AddKeys { table, keys } | Change::AddColumn { table, keys, .. } => {
                foreign_keys(context, statement, (table, keys), found);
            }
            Change::CreateIndex {
                name: Some(name),
                table,
                columns,
                // what it leaves out is in its name too
                partial: false,
                ..
            } => {
                let expected = naming.indexes.expected(table, columns);
                if let Some(expected) = expected.filter(|expected| *expected != name.0) {
                    let message =
                        format!("expected the index to be named `{expected}`, found `{name}`");
                    found.push(Found::at(&rule::NAME_INDEX, statement, message));
                }
            }
            _ => {}
        }
    }
}

fn foreign_keys(
    context: &Context<'_>,
    statement: &Analysed,
    (table, keys): (&Name, &Keys),
    found: &mut Vec<Found>,
) {
    let pattern = &context.settings.naming.foreign_keys;
    for key in &keys.foreign {
        let (Some(name), Some(expected)) = (&key.name, pattern.expected(table, &key.columns))
        else {
            continue;
        };
        if name.0 != expected {
            let message =
                format!("expected the foreign key to be named `{expected}`, found `{name}`");
            found.push(Found::at(&rule::NAME_FOREIGN_KEY, statement, message));
        }
    }
}

/// The name that a table has once the script is done.
fn final_name<'a>(subject: &'a Subject<'_>, table: &'a Name) -> &'a Name {
    subject
        .up
        .changes()
        .find_map(|(_, change)| match change {
            Change::RenameTable { from, to } if from.is(table) => Some(to),
            _ => None,
        })
        .unwrap_or(table)
}
