//! How a migration is cut, and whether it can be repeated.

use super::super::change::{Change, Kind, Name};
use super::super::subject::{Analysed, Reading, Subject};
use super::super::{Context, Found, rule};
use crate::lint::dialect::Locks;
use crate::lint::fix::{Edit, Fix};

/// From how many tables on that were there before a migration should be split.
const SEVERAL: usize = 3;

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    several(subject, found);
    if context.dialect.locks != Locks::SingleWriter {
        mixed(subject, found);
    }
    if subject.up.stepwise {
        repeated(context, subject, found);
    }
    if let Some(down) = &subject.down {
        dropped(context, down, found);
    }
}

/// Tables that were there before and get another shape.
fn altered(up: &Reading) -> Vec<(&Analysed, &Name)> {
    let mut tables: Vec<(&Analysed, &Name)> = Vec::new();
    for (statement, change) in up.changes() {
        let Some(table) = change.table() else {
            continue;
        };
        let known = tables.iter().any(|(_, known)| known.is(table));
        let own = up.makes(table, statement.offset) || up.rebuilds(table);
        if !known && !own && !change.is_of_rows() {
            tables.push((statement, table));
        }
    }
    tables
}

fn several(subject: &Subject<'_>, found: &mut Vec<Found>) {
    let tables = altered(&subject.up);
    let Some((statement, _)) = tables.get(SEVERAL - 1) else {
        return;
    };
    let names: Vec<String> = tables.iter().map(|(_, name)| format!("`{name}`")).collect();
    let message = format!(
        "{} tables that were there before are changed: {}",
        names.len(),
        names.join(", ")
    );
    found.push(Found::at(&rule::SEVERAL_CHANGES, statement, message));
}

fn mixed(subject: &Subject<'_>, found: &mut Vec<Found>) {
    let up = &subject.up;
    let tables = altered(up);
    let rows = up.changes().find(|(statement, change)| {
        matches!(change, Change::Update { .. } | Change::Delete { .. })
            && change.table().is_some_and(|table| {
                tables
                    .iter()
                    .any(|(first, altered)| altered.is(table) && first.offset < statement.offset)
            })
    });
    if let Some((statement, change)) = rows
        && let Some(table) = change.table()
    {
        let message = format!("`{table}` gets another shape above, and its rows are changed here");
        found.push(Found::at(&rule::ROWS_AND_SCHEMA, statement, message));
    }
}

fn repeated(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let up = &subject.up;
    if up.statements.len() < 2 {
        return;
    }
    for (statement, change) in up.changes() {
        let what = match change {
            Change::CreateTable {
                if_not_exists: false,
                table,
                temporary: false,
                ..
            } => format!("the table `{table}`"),
            Change::CreateIndex {
                if_not_exists: false,
                name: Some(name),
                ..
            } if context.dialect.repeatable_indexes => format!("the index `{name}`"),
            _ => continue,
        };
        let message = format!("{what} may be there already when the script is run again");
        found.push(Found {
            fix: insertion(context, up, statement, "IF NOT EXISTS "),
            ..Found::at(&rule::NOT_REPEATABLE, statement, message)
        });
    }
}

fn dropped(context: &Context<'_>, down: &Reading, found: &mut Vec<Found>) {
    let mut last = None;
    for (statement, change) in down.changes() {
        let Change::Drop {
            kind,
            name,
            if_exists: false,
        } = change
        else {
            continue;
        };
        let may = match kind {
            Kind::Table | Kind::View => true,
            Kind::Index => context.dialect.repeatable_indexes,
            Kind::Other => false,
        };
        if !may || last == Some(statement.index) {
            continue;
        }
        last = Some(statement.index);
        let message = format!("`{name}` is dropped without IF EXISTS");
        found.push(
            Found {
                fix: insertion(context, down, statement, "IF EXISTS "),
                ..Found::at(&rule::DROP_NO_IF_EXISTS, statement, message)
            }
            .down(),
        );
    }
}

/// Words between CREATE or DROP and the name.
const BEFORE_NAME: [&str; 12] = [
    "CREATE",
    "DROP",
    "OR",
    "REPLACE",
    "UNIQUE",
    "UNLOGGED",
    "MATERIALIZED",
    "TABLE",
    "INDEX",
    "VIEW",
    "CONCURRENTLY",
    "ONLY",
];

/// The edit that puts `words` before the first word that is a name.
fn insertion(
    context: &Context<'_>,
    reading: &Reading,
    statement: &Analysed,
    words: &'static str,
) -> Option<Fix> {
    use crate::migration::split::{TokenKind, Tokens};

    let sql = reading.sql(statement);
    for token in Tokens::new(sql, 0, context.lex) {
        let token = token.ok()?;
        let text = &sql[token.range.clone()];
        let before_name = BEFORE_NAME
            .iter()
            .any(|word| word.eq_ignore_ascii_case(text));
        match token.kind {
            TokenKind::Space | TokenKind::Comment => {}
            TokenKind::Word if before_name => {}
            TokenKind::Word | TokenKind::Quoted => {
                return Some(Fix::Insert(Edit {
                    offset: statement.offset + token.range.start,
                    insert: words,
                }));
            }
            _ => return None,
        }
    }
    None
}
