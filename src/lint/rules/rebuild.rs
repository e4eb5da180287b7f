//! Tables that are made anew, where the database cannot alter them.

use super::super::change::{Change, Kind};
use super::super::subject::Subject;
use super::super::{Context, Found, rule};

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    if !context.dialect.references_follow_rename {
        return;
    }
    let up = &subject.up;
    let enforced = subject.migration.up.directives.foreign_keys;
    for (statement, change) in up.changes() {
        match change {
            Change::Drop {
                kind: Kind::Table,
                name,
                ..
            } if enforced && !up.makes(name, statement.offset) => found.push(Found::at(
                &rule::REBUILD_LOSES_ROWS,
                statement,
                format!(
                    "dropping `{name}` deletes its rows first, and rows of other tables with them"
                ),
            )),
            Change::RenameTable { from, to }
                if up.rebuilds(from) && up.drops(to) && !up.makes(from, statement.offset) =>
            {
                found.push(Found::at(
                    &rule::REBUILD_MOVES_REFERENCES,
                    statement,
                    format!("references to `{from}` follow it to `{to}`, which is dropped"),
                ));
            }
            _ => {}
        }
    }
}
