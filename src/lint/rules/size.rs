//! How long a migration may take, from the header and from how large the tables are.

use std::collections::BTreeSet;

use super::super::change::Change;
use super::super::dialect::Locks;
use super::super::subject::Subject;
use super::super::{Context, Found, rule};

/// How many bytes a database reads or writes in a millisecond on a modest disk: 50 MB in a second.
const BYTES_PER_MS: u64 = 50_000;

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let Some(limit) = context.settings.max_duration else {
        return;
    };
    let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let stated = subject.migration.metadata.estimated_duration;
    if let Some(stated) = stated.filter(|stated| *stated > limit) {
        let message =
            format!("the header expects {stated} ms, and `max_duration` allows {limit} ms");
        found.push(Found::whole(&rule::TAKES_TOO_LONG, message));
        return;
    }
    let mut seen = BTreeSet::new();
    for (statement, change) in subject.up.changes() {
        let Some(table) = change.table() else {
            continue;
        };
        let Some(size) = context.sizes.get(&table.key()) else {
            continue;
        };
        let estimate = size.bytes / BYTES_PER_MS;
        if reads_all(change, context.dialect.locks) && estimate > limit && seen.insert(table.key())
        {
            let message = format!(
                "`{table}` has about {} rows in {} bytes: this takes about {estimate} ms, and \
                 `max_duration` allows {limit} ms",
                size.rows, size.bytes
            );
            found.push(Found::at(&rule::TAKES_TOO_LONG, statement, message));
        }
    }
}

/// Says whether a change reads or writes all of its table.
fn reads_all(change: &Change, locks: Locks) -> bool {
    match change {
        Change::CreateIndex { .. }
        | Change::AlterType { .. }
        | Change::SetNotNull { .. }
        | Change::AddKeys { .. }
        | Change::CopyTable { .. }
        | Change::Delete { .. }
        | Change::Update { .. } => true,
        Change::DropColumn { .. } => locks != Locks::Transaction,
        _ => false,
    }
}
