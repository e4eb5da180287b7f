//! What the header says, what it should say, and what the script says otherwise.

use super::super::change::{Change, Kind};
use super::super::subject::{Reading, Subject};
use super::super::{Context, Found, rule};
use crate::lint::fix;
use crate::migration::Metadata;

pub(super) fn find(_context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let migration = subject.migration;
    if subject.down.is_none() && !subject.up.statements.is_empty() {
        let message = "there is an up script, and no down script";
        found.push(Found::whole(&rule::DOWN_MISSING, message));
    }
    if !fix::is_snake(&migration.name) {
        let message = format!(
            "expected a name such as `{}`, found `{}`",
            fix::snake(&migration.name),
            migration.name
        );
        found.push(Found {
            fix: Some(fix::Fix::Rename),
            ..Found::whole(&rule::FILE_NAME, message)
        });
    }
    missing(&migration.metadata, found);
    contradictory(subject, found);
    breaking(subject, found);
}

fn missing(metadata: &Metadata, found: &mut Vec<Found>) {
    let blank = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    let members: Vec<&str> = [
        ("`author`", blank(&metadata.author)),
        ("`description`", blank(&metadata.description)),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    if metadata.recorded().is_empty() {
        let message = "expected a header `-- @metadata { … }`, found none";
        found.push(Found {
            fix: Some(fix::Fix::Header),
            ..Found::whole(&rule::METADATA_MISSING, message)
        });
    } else if !members.is_empty() {
        let message = format!("the header has no {}", members.join(" and no "));
        found.push(Found::whole(&rule::METADATA_MISSING, message));
    }
}

fn contradictory(subject: &Subject<'_>, found: &mut Vec<Found>) {
    let metadata = &subject.migration.metadata;
    let mut say = |message: String| {
        found.push(Found::whole(&rule::METADATA_CONTRADICTORY, message));
    };
    if metadata.requires_downtime == Some(true) && metadata.risk.as_deref() == Some("low") {
        say("`requiresDowntime` is true, and `risk` is `low`".to_owned());
    }
    let schema = subject.up.changes().any(|(_, change)| !change.is_of_rows());
    let rows = subject.up.changes().any(|(_, change)| change.is_of_rows());
    let all_parsed = subject
        .up
        .statements
        .iter()
        .all(|one| one.changes.is_some());
    if all_parsed && metadata.kind.as_deref() == Some("dml") && schema && !rows {
        say("`type` is `dml`, and the script changes the schema and no row".to_owned());
    }
    let touched = touched(&subject.up);
    let named = &metadata.affected_tables;
    let names_one = |table: &String| {
        let last = table.rsplit('.').next().unwrap_or(table);
        touched
            .iter()
            .any(|touched| touched.eq_ignore_ascii_case(last))
    };
    if all_parsed && !touched.is_empty() && !named.is_empty() && !named.iter().any(names_one) {
        say(format!(
            "`affectedTables` names `{}`, and the script changes `{}`",
            named.join("`, `"),
            touched.join("`, `")
        ));
    }
}

fn touched(reading: &Reading) -> Vec<String> {
    let mut tables: Vec<String> = reading
        .changes()
        .filter_map(|(_, change)| change.table())
        .map(ToString::to_string)
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

fn breaking(subject: &Subject<'_>, found: &mut Vec<Found>) {
    if subject.migration.metadata.breaking_change == Some(true) {
        return;
    }
    let up = &subject.up;
    for (statement, change) in up.changes() {
        let broken = match change {
            Change::Drop {
                kind: Kind::Table,
                name,
                ..
            } if !up.makes(name, statement.offset) && !up.rebuilds(name) => {
                format!("the table `{name}` goes")
            }
            Change::DropColumn { table, column } if !up.makes(table, statement.offset) => {
                format!("the column `{column}` of `{table}` goes")
            }
            Change::RenameTable { from, .. }
                if !up.makes(from, statement.offset) && !up.rebuilds(from) =>
            {
                format!("the table `{from}` gets another name")
            }
            Change::RenameColumn { table, from } if !up.makes(table, statement.offset) => {
                format!("the column `{from}` of `{table}` gets another name")
            }
            _ => continue,
        };
        let message = format!("{broken}, and the header does not say `breakingChange`");
        found.push(Found::at(&rule::BREAKING_NOT_MARKED, statement, message));
        // one for a migration is enough: it is one header
        return;
    }
}
