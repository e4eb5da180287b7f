//! Foreign keys, and the indexes that serve them.

use super::super::change::{Change, ForeignKey, Name};
use super::super::subject::{Analysed, Subject};
use super::super::{Context, Found, rule};

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    if context.dialect.indexes_foreign_keys {
        return;
    }
    for (statement, change) in subject.up.changes() {
        let (table, keys) = match change {
            Change::CreateTable { table, keys, .. }
            | Change::AddColumn { table, keys, .. }
            | Change::AddKeys { table, keys } => (table, keys),
            _ => continue,
        };
        for key in &keys.foreign {
            check(context, subject, statement, (table, key), found);
        }
    }
}

fn check(
    context: &Context<'_>,
    subject: &Subject<'_>,
    statement: &Analysed,
    (table, key): (&Name, &ForeignKey),
    found: &mut Vec<Found>,
) {
    // a table that is made under another name first has its indexes under the last one
    let mut names = vec![table];
    for (_, change) in subject.up.changes() {
        if let Change::RenameTable { from, to } = change
            && from.is(table)
        {
            names.push(to);
        }
    }
    let serves = |columns: &[Name]| {
        columns.len() >= key.columns.len()
            && key.columns.iter().all(|wanted| {
                columns[..key.columns.len()]
                    .iter()
                    .any(|column| column.is(wanted))
            })
    };
    let served = context
        .subjects
        .iter()
        .chain(context.others)
        .flat_map(|subject| subject.up.changes())
        .any(|(_, change)| {
            let of_table = change
                .table()
                .is_some_and(|found| names.iter().any(|name| name.is(found)));
            of_table
                && match change {
                    Change::CreateIndex {
                        columns,
                        partial: false,
                        ..
                    } => serves(columns),
                    Change::CreateTable { keys, .. }
                    | Change::AddColumn { keys, .. }
                    | Change::AddKeys { keys, .. } => {
                        keys.indexed.iter().any(|columns| serves(columns))
                    }
                    _ => false,
                }
        });
    if served {
        return;
    }
    let columns: Vec<String> = key.columns.iter().map(ToString::to_string).collect();
    let message = format!(
        "`{table}` refers to `{}` by `{}`, and no index begins with it",
        key.parent,
        columns.join("`, `")
    );
    found.push(Found::at(&rule::FOREIGN_KEY_NO_INDEX, statement, message));
}
