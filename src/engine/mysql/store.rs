//! The ledger's own tables, guards and views: made, and compared with how they should be.

use sqlx::MySqlConnection;

use super::shape::{self, Shape};
use super::talk::ALL;
use super::{fault, literal, talk, transaction, turn};
use crate::engine::{EngineError, Fault, Identity, Store};

/// What a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    /// A table that holds nothing and keeps others from being emptied.
    Guard,
    Trigger,
    View,
}

/// One definition: its name and the statement that makes it.
struct Definition {
    kind: Kind,
    name: &'static str,
    file: &'static str,
}

impl Definition {
    /// The statement without the closing semicolon.
    fn sql(&self) -> &'static str {
        self.file.trim_end().trim_end_matches(';')
    }

    /// Says whether a view is ours, going by the texts in quotes in its definition: the server
    /// rewrites all but these, each version in its own way. Who may not see the definition sees none.
    fn is_view(&self, definition: &str) -> bool {
        definition.is_empty() || texts(definition) == texts(self.sql())
    }
}

macro_rules! definitions {
    ($($kind:ident $name:literal),+ $(,)?) => {
        &[$(Definition {
            kind: Kind::$kind,
            name: $name,
            file: include_str!(concat!("../../../migrations/mysql/", $name, ".sql")),
        }),+]
    };
}

/// All that is ours, in the order in which it can be made.
const DEFINITIONS: &[Definition] = definitions![
    Table "mledger_events",
    Table "mledger_objects",
    Table "mledger_lease",
    Guard "mledger_no_truncate",
    Trigger "mledger_events_next_only",
    Trigger "mledger_events_no_update",
    Trigger "mledger_events_no_delete",
    Trigger "mledger_objects_no_replace",
    Trigger "mledger_objects_redact_only",
    Trigger "mledger_objects_no_delete",
    Trigger "mledger_lease_one_row",
    Trigger "mledger_lease_no_delete",
    View "mledger_migration_audit_log",
    View "mledger_migration_history",
    View "mledger_migration_versions",
    View "mledger_migration_locks",
    View "mledger_migration_rollback_history",
    View "mledger_backup_history",
];

/// How our definitions are read.
const MODE: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'";

/// Says whether a table, view or trigger of this name is ours.
pub(super) fn is_ours(name: &str) -> bool {
    DEFINITIONS
        .iter()
        .any(|ours| ours.name.eq_ignore_ascii_case(name))
}

/// Returns the names of our tables and views, in the order in which they can be made.
pub(super) fn tables() -> Vec<&'static str> {
    DEFINITIONS
        .iter()
        .filter(|ours| ours.kind != Kind::Trigger)
        .map(|ours| ours.name)
        .collect()
}

/// What was found in the schema.
#[derive(Debug, Default)]
struct Found {
    tables: Vec<Shape>,
    /// Name and definition of each trigger on a table of ours.
    triggers: Vec<(String, String)>,
    /// The tables that the one refers to that keeps TRUNCATE away.
    references: Vec<String>,
    /// The user has not the right to see triggers, so that nothing can be said of them.
    blind: bool,
    /// Name and definition of each view of one of our names.
    views: Vec<(String, String)>,
}

/// Compares what is there with how it should be.
pub(super) async fn inspect(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<Store, EngineError> {
    match inspect_once(connection, database).await? {
        Store::Damaged { .. } => {}
        Store::Present { missing_guards, .. } if !missing_guards.is_empty() => {}
        other => return Ok(other),
    }
    // another process may have finished making it between two looks
    inspect_once(connection, database).await
}

async fn inspect_once(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<Store, EngineError> {
    let found = look(connection, database).await?;
    for ours in of_kinds(&[Kind::Table, Kind::Guard]) {
        if let Some(reason) = found.table(ours.name).and_then(|table| table.misfit()) {
            return Ok(Store::Foreign { reason });
        }
    }
    let schema = literal::name(database);
    // the row of the lease is there before the first event, so it is looked at after the events
    let used = match found.table("mledger_events") {
        Some(_) => has_row(connection, &schema, "mledger_events").await?,
        None => false,
    };
    let begun = match found.table("mledger_lease") {
        Some(_) => has_row(connection, &schema, "mledger_lease").await?,
        None => false,
    };
    if !used && !begun {
        // a schema change commits by itself: tables without the row that is inserted after all of
        // them are what is left of a creation that was cut off
        return Ok(Store::Absent);
    }
    let mut missing: Vec<String> = of_kinds(&[Kind::Table])
        .filter(|ours| found.table(ours.name).is_none())
        .map(|ours| ours.name.to_owned())
        .collect();
    if !begun && missing.is_empty() {
        missing.push("the row of mledger_lease".to_owned());
    }
    if !missing.is_empty() {
        return Ok(Store::Damaged { missing });
    }
    let guards = match found.blind {
        true => of_kinds(&[Kind::Guard, Kind::View]).count(),
        false => of_kinds(&[Kind::Guard, Kind::Trigger, Kind::View]).count(),
    };
    Ok(Store::Present {
        guards: u64::try_from(guards).unwrap_or(u64::MAX),
        missing_guards: found.missing_guards(),
    })
}

fn of_kinds(kinds: &'static [Kind]) -> impl Iterator<Item = &'static Definition> {
    DEFINITIONS.iter().filter(|ours| kinds.contains(&ours.kind))
}

impl Found {
    fn table(&self, name: &str) -> Option<&Shape> {
        self.tables
            .iter()
            .find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// Names the guards and views that are not as they should be, and triggers of others on our
    /// tables: those can keep from happening what a guard lets happen.
    fn missing_guards(&self) -> Vec<String> {
        let mut missing: Vec<String> = DEFINITIONS
            .iter()
            .filter(|ours| match ours.kind {
                Kind::Table => false,
                Kind::Guard => {
                    let refers = |table: &Definition| {
                        self.references
                            .iter()
                            .any(|name| name.eq_ignore_ascii_case(table.name))
                    };
                    let holds = self.blind || of_kinds(&[Kind::Table]).all(refers);
                    self.table(ours.name).is_none() || !holds
                }
                Kind::Trigger if self.blind => false,
                Kind::Trigger => !self
                    .triggers
                    .iter()
                    .any(|(name, sql)| name == ours.name && sql.trim() == ours.sql()),
                Kind::View => !self
                    .views
                    .iter()
                    .any(|(name, definition)| name == ours.name && ours.is_view(definition)),
            })
            .map(|ours| ours.name.to_owned())
            .collect();
        missing.extend(self.tables.iter().flat_map(Shape::weakened));
        let others = self.triggers.iter().filter(|(name, _)| !is_ours(name));
        missing.extend(others.map(|(name, _)| name.clone()));
        missing
    }
}

async fn look(connection: &mut MySqlConnection, database: &str) -> Result<Found, EngineError> {
    let schema = literal::text(database);
    let names = |kinds| -> String {
        let names: Vec<String> = of_kinds(kinds)
            .map(|ours| format!("'{}'", ours.name))
            .collect();
        names.join(", ")
    };
    let tables = names(&[Kind::Table, Kind::Guard, Kind::View]);
    let views = names(&[Kind::View]);
    let guarded = names(&[Kind::Table, Kind::Guard]);
    let sql = format!(
        "SELECT 'table', TABLE_NAME, TABLE_TYPE, COALESCE(ENGINE, '') \
         FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME IN ({tables}) {ALL}; \
         SELECT 'column', TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, IS_NULLABLE \
         FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME IN ({guarded}) \
         ORDER BY TABLE_NAME, ORDINAL_POSITION {ALL}; \
         {}; {}; \
         SELECT 'trigger', TRIGGER_NAME, ACTION_STATEMENT, ACTION_TIMING, EVENT_MANIPULATION, \
         EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS \
         WHERE TRIGGER_SCHEMA = {schema} AND EVENT_OBJECT_TABLE IN ({guarded}) {ALL}; \
         SELECT 'reference', REFERENCED_TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS \
         WHERE CONSTRAINT_SCHEMA = {schema} AND TABLE_NAME = 'mledger_no_truncate' {ALL}; \
         SELECT 'view', TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS \
         WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME IN ({views}) {ALL}",
        shape::keys(&schema, &guarded),
        shape::constraints(&schema, &guarded),
    );
    let mut found = Found::default();
    for row in talk::rows(connection, sql).await? {
        let name = row.text(1)?;
        match row.text(0)?.as_str() {
            "table" => found
                .tables
                .push(Shape::of(name, row.text(2)?, row.text(3)?)),
            part @ ("column" | "key" | "constraint") => {
                if let Some(table) = found.tables.iter_mut().find(|table| table.name == name) {
                    table.take(part, &row)?;
                }
            }
            "view" => found.views.push((name, row.text(2)?)),
            "reference" => found.references.push(name),
            _ => {
                let table = row.text(5)?.to_ascii_lowercase();
                let (body, when, event) = (row.text(2)?, row.text(3)?, row.text(4)?);
                let sql =
                    format!("CREATE TRIGGER {name} {when} {event} ON {table} FOR EACH ROW\n{body}");
                found.triggers.push((name, sql));
            }
        }
    }
    if found.triggers.is_empty() && found.table("mledger_events").is_some() {
        let schema = literal::name(database);
        let sql = format!("SHOW CREATE TRIGGER {schema}.mledger_events_no_update");
        let shown = talk::rows(connection, sql).await;
        found.blind = shown.is_err_and(|error| error.fault == Fault::Denied);
    }
    Ok(found)
}

async fn has_row(
    connection: &mut MySqlConnection,
    schema: &str,
    table: &str,
) -> Result<bool, EngineError> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {schema}.{table})");
    match talk::row(connection, sql).await? {
        Some(row) => row.is_true(0),
        None => Ok(false),
    }
}

/// Returns the texts in single quotes of a definition, in order, without comments and quoted names.
fn texts(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '`', '-']) {
        let after = rest.get(at..).unwrap_or_default();
        let (closing, text) = match after.as_bytes() {
            [b'\'', ..] => ("'", true),
            [b'`', ..] => ("`", false),
            [b'-', b'-', ..] => ("\n", false),
            _ => ("", false),
        };
        let after = after.get(1..).unwrap_or_default();
        // a quote in a text or name is written as two, which read as two texts or names
        let (inside, behind) = match closing {
            "" => ("", after),
            closing => after.split_once(closing).unwrap_or((after, "")),
        };
        if text {
            found.push(inside);
        }
        rest = behind;
    }
    found
}

/// Makes everything, and opens the transaction anew that this has committed.
///
/// The row that says which database this is comes last: without it nothing is there yet. A creation
/// that was cut off is so begun again, and one process does it at a time.
pub(super) async fn create(
    connection: &mut MySqlConnection,
    database: &str,
    identity: &str,
) -> Result<(), EngineError> {
    // What has looked at the tables keeps others from making triggers on them until its transaction
    // ends: if everybody waited like that, nobody could go on.
    talk::execute(connection, "ROLLBACK".to_owned()).await?;
    turn::take(connection, database).await?;
    if inspect(connection, database).await? != Store::Absent {
        return Err(EngineError::new(
            Fault::Conflict,
            "another process has made the ledger's tables meanwhile",
        ));
    }
    let schema = literal::name(database);
    let made = define(connection, &schema).await;
    let usual = "SET SESSION sql_mode = @@GLOBAL.sql_mode".to_owned();
    talk::execute(connection, usual).await?;
    made?;
    talk::execute(connection, transaction::beginning("")).await?;
    let sql = format!(
        "INSERT INTO {schema}.mledger_lease (`only`, identity) VALUES (1, {})",
        literal::text(identity)
    );
    talk::execute(connection, sql)
        .await
        .map(drop)
        .map_err(fault::of_ours)
}

/// Executes all definitions; a trigger keeps the mode in which it was made, and in some modes its text
/// means something else.
async fn define(connection: &mut MySqlConnection, schema: &str) -> Result<(), EngineError> {
    let mut statements = vec![format!("USE {schema}; {MODE}")];
    statements.extend(DEFINITIONS.iter().map(|ours| match ours.kind {
        Kind::Trigger => format!("DROP TRIGGER IF EXISTS {}; {}", ours.name, ours.sql()),
        Kind::Table | Kind::Guard | Kind::View => ours.sql().to_owned(),
    }));
    for sql in statements {
        talk::execute(connection, sql)
            .await
            .map_err(fault::of_ours)?;
    }
    Ok(())
}

/// Puts another random id in the place of the one kept with the store.
pub(super) async fn keep_identity(
    connection: &mut MySqlConnection,
    schema: &str,
    identity: &str,
) -> Result<(), EngineError> {
    let identity = literal::text(identity);
    let sql = format!("UPDATE {schema}.mledger_lease SET identity = {identity}");
    talk::execute(connection, sql)
        .await
        .map(drop)
        .map_err(fault::of_ours)
}

/// Returns the random id kept with the store, and the schema's name for people.
pub(super) async fn identity(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<Identity, EngineError> {
    let schema = literal::name(database);
    let sql = format!("SELECT identity FROM {schema}.mledger_lease");
    let identity = match talk::row(connection, sql).await.map_err(fault::of_ours)? {
        Some(row) => row.text(0)?,
        None => String::new(),
    };
    if identity.is_empty() {
        return Err(EngineError::new(
            Fault::NotADatabase,
            "`mledger_lease` has lost what says which database this is",
        ));
    }
    Ok(Identity {
        identity,
        name: database.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_a_definition_are_found_in_order() {
        assert_eq!(
            texts("SELECT 'a', 1 - 2, -- it's\n `it's`, 'b''c' FROM `x``'y`"),
            ["a", "b", "c"]
        );
    }
}
