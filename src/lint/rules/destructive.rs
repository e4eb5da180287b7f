//! What is gone once the script has run, and what code that still runs does not find any more.

use super::super::change::{Change, Kind, Name};
use super::super::subject::{Reading, Subject};
use super::super::{Context, Found, rule};
use crate::lint::Rule;

pub(super) fn find(_context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let up = &subject.up;
    let metadata = &subject.migration.metadata;
    let meant = metadata.breaking_change == Some(true) || metadata.rollback_strategy.is_some();
    let no_way_back = subject.down.is_none() && !meant;
    for (statement, change) in up.changes() {
        if let Some((rule, message)) = destroyed(up, statement.offset, change) {
            // the rows are still there, and a backfill is meant to stay
            let rule = if no_way_back && *rule != rule::UPDATE_EVERYTHING {
                &rule::DESTRUCTIVE_NO_WAY_BACK
            } else {
                rule
            };
            found.push(Found::at(rule, statement, message));
        }
        if let Some((rule, message)) = renamed(up, statement.offset, change) {
            found.push(Found::at(rule, statement, message));
        }
    }
}

fn destroyed(up: &Reading, offset: usize, change: &Change) -> Option<(&'static Rule, String)> {
    let own = |table: &Name| up.makes(table, offset);
    Some(match change {
        Change::Drop {
            kind: Kind::Table,
            name,
            ..
        } if !own(name) && !up.rebuilds(name) && !is_old_half(up, name) => (
            &rule::DROP_TABLE,
            format!("the table `{name}` is dropped with all its rows"),
        ),
        Change::DropColumn { table, column } if !own(table) && !adds(up, table, column) => (
            &rule::DROP_COLUMN,
            format!("the column `{column}` of `{table}` is dropped with all its values"),
        ),
        Change::Truncate { table } if !own(table) => (
            &rule::TRUNCATE_TABLE,
            format!("all rows of `{table}` are removed"),
        ),
        Change::Delete {
            table,
            filtered: false,
        } if !own(table) => (
            &rule::DELETE_EVERYTHING,
            format!("all rows of `{table}` are deleted: there is no WHERE"),
        ),
        Change::Update {
            table,
            filtered: false,
            columns,
        } if !own(table) && !columns.iter().all(|column| adds(up, table, column)) => (
            &rule::UPDATE_EVERYTHING,
            format!("all rows of `{table}` are changed: there is no WHERE"),
        ),
        _ => return None,
    })
}

fn renamed(up: &Reading, offset: usize, change: &Change) -> Option<(&'static Rule, String)> {
    Some(match change {
        Change::RenameTable { from, to } if !up.makes(from, offset) && !up.rebuilds(from) => (
            &rule::RENAME_TABLE,
            format!("`{from}` becomes `{to}` while code may still use the old name"),
        ),
        Change::RenameColumn { table, from }
            if !up.makes(table, offset) && !adds(up, table, from) =>
        {
            (
                &rule::RENAME_COLUMN,
                format!(
                    "the column `{from}` of `{table}` gets another name while code may still use the old one"
                ),
            )
        }
        _ => return None,
    })
}

/// Says whether the table is the old half of one that was renamed away and made anew.
fn is_old_half(up: &Reading, wanted: &Name) -> bool {
    up.changes().any(|(_, change)| {
        matches!(change, Change::RenameTable { from, to } if to.is(wanted) && up.rebuilds(from))
    })
}

/// Says whether the script adds this column itself, so that nobody's values are in it.
fn adds(up: &Reading, wanted: &Name, name: &Name) -> bool {
    up.changes().any(|(_, change)| {
        matches!(change, Change::AddColumn { table, column, .. }
            if table.is(wanted) && column.name.is(name))
    })
}
