//! The ledger's own tables, guards and views: made, and compared with how they should be.

use std::path::Path;

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::fault;
use crate::engine::{EngineError, Fault, Identity, Store};

/// One definition: the type as `sqlite_schema` has it, the name, and the statement that makes it.
struct Definition {
    kind: &'static str,
    name: &'static str,
    file: &'static str,
}

impl Definition {
    /// The statement as SQLite stores it, without the closing semicolon.
    fn sql(&self) -> &'static str {
        self.file.trim_end().trim_end_matches(';')
    }
}

macro_rules! definitions {
    ($($kind:literal $name:literal),+ $(,)?) => {
        &[$(Definition {
            kind: $kind,
            name: $name,
            file: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
        }),+]
    };
}

/// All that is ours, in the order in which it can be made.
const DEFINITIONS: &[Definition] = definitions![
    "table" "mledger_events",
    "table" "mledger_objects",
    "table" "mledger_lease",
    "view" "mledger_append",
    "trigger" "mledger_append_event",
    "trigger" "mledger_events_next_only",
    "trigger" "mledger_events_no_update",
    "trigger" "mledger_events_no_delete",
    "trigger" "mledger_objects_no_delete",
    "trigger" "mledger_objects_no_replace",
    "trigger" "mledger_objects_redact_only",
    "trigger" "mledger_lease_one_row",
    "trigger" "mledger_lease_no_delete",
    "view" "mledger_migration_audit_log",
    "view" "mledger_migration_history",
    "view" "mledger_migration_versions",
    "view" "mledger_migration_locks",
    "view" "mledger_migration_rollback_history",
    "view" "mledger_backup_history",
];

/// Says whether a row of `sqlite_schema` is one of ours.
pub(super) fn is_ours(kind: &str, name: &str) -> bool {
    DEFINITIONS
        .iter()
        .any(|ours| ours.kind == kind && ours.name == name)
}

/// Compares what is there with how it should be.
pub(super) async fn inspect(connection: &mut SqliteConnection) -> Result<Store, EngineError> {
    let rows = sqlx::query(
        "SELECT type, name, coalesce(sql, '') FROM main.sqlite_schema \
         WHERE name LIKE 'mledger\\_%' ESCAPE '\\' \
         OR (type = 'trigger' AND tbl_name LIKE 'mledger\\_%' ESCAPE '\\')",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(fault::from_driver)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let column = |index: usize| {
            row.try_get_unchecked::<String, _>(index)
                .map_err(fault::from_driver)
        };
        found.push((column(0)?, column(1)?, column(2)?));
    }
    let store = compare(&found);
    if matches!(store, Store::Present { .. }) && !has_lease_row(connection).await? {
        return Ok(Store::Damaged {
            missing: vec!["the row of mledger_lease".to_owned()],
        });
    }
    Ok(store)
}

/// Says whether the row is there that the lease lives in and that says which database this is.
async fn has_lease_row(connection: &mut SqliteConnection) -> Result<bool, EngineError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM main.mledger_lease)")
        .fetch_one(connection)
        .await
        .map_err(fault::from_driver)
}

fn compare(found: &[(String, String, String)]) -> Store {
    let mut left = Vec::new();
    let mut missing = Vec::new();
    let mut guards = 0;
    let mut missing_guards = Vec::new();
    for ours in DEFINITIONS {
        // names are equal in any case for SQLite
        let there = found
            .iter()
            .find(|(_, name, _)| name.eq_ignore_ascii_case(ours.name));
        left.extend(there.map(|_| ours.name.to_owned()));
        guards += u64::from(ours.kind != "table");
        let same = there.is_some_and(|(kind, _, sql)| kind == ours.kind && sql == ours.sql());
        match (ours.kind, there) {
            ("table", None) => missing.push(ours.name.to_owned()),
            ("table", Some((kind, _, _))) if !same => {
                return Store::Foreign {
                    reason: format!(
                        "the {kind} `{}` is not shaped as this version makes it",
                        ours.name
                    ),
                };
            }
            _ if !same => missing_guards.push(ours.name.to_owned()),
            _ => {}
        }
    }
    // somebody else's trigger on our tables can keep from happening what a guard lets happen
    let added = found
        .iter()
        .filter(|(kind, name, _)| kind == "trigger" && !is_ours(kind, name));
    missing_guards.extend(added.map(|(_, name, _)| name.clone()));
    let tables = DEFINITIONS.iter().filter(|ours| ours.kind == "table");
    if left.is_empty() {
        Store::Absent
    } else if missing.len() == tables.count() {
        Store::Remains { left }
    } else if missing.is_empty() {
        Store::Present {
            guards,
            missing_guards,
        }
    } else {
        Store::Damaged { missing }
    }
}

/// Makes everything, inside the open transaction.
pub(super) async fn create(
    connection: &mut SqliteConnection,
    identity: &str,
) -> Result<(), EngineError> {
    if let Store::Remains { left } = inspect(connection).await? {
        clear(connection, &left).await?;
    }
    for ours in DEFINITIONS {
        sqlx::raw_sql(ours.sql())
            .execute(&mut *connection)
            .await
            .map_err(fault::from_driver)?;
    }
    sqlx::query("INSERT INTO main.mledger_lease (only, identity) VALUES (1, ?1)")
        .bind(identity)
        .execute(connection)
        .await
        .map(drop)
        .map_err(fault::from_driver)
}

/// Takes away what is left of a store without tables: views, and the triggers on them.
async fn clear(connection: &mut SqliteConnection, left: &[String]) -> Result<(), EngineError> {
    let views = DEFINITIONS.iter().filter(|ours| ours.kind == "view");
    for view in views.filter(|view| left.iter().any(|name| name == view.name)) {
        let sql = format!("DROP VIEW main.{}", view.name);
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *connection)
            .await
            .map_err(fault::from_driver)?;
    }
    Ok(())
}

/// Puts another random id in the place of the one kept with the store.
pub(super) async fn keep_identity(
    connection: &mut SqliteConnection,
    identity: &str,
) -> Result<(), EngineError> {
    sqlx::query("UPDATE main.mledger_lease SET identity = ?1")
        .bind(identity)
        .execute(connection)
        .await
        .map(drop)
        .map_err(fault::from_driver)
}

/// Returns the random id kept with the store, and the file's name for people.
pub(super) async fn identity(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<Identity, EngineError> {
    // bytes in its place were not written by this program
    let sql = "SELECT CASE typeof(identity) WHEN 'text' THEN identity END FROM main.mledger_lease";
    let row: Option<Option<String>> = sqlx::query_scalar(sql)
        .fetch_optional(connection)
        .await
        .map_err(fault::from_driver)?;
    let identity = row.flatten().ok_or_else(|| {
        EngineError::new(
            Fault::NotADatabase,
            "`mledger_lease` has lost what says which database this is",
        )
    })?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(Identity {
        identity,
        name: name.to_string_lossy().into_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use sqlx::Connection;

    use super::*;

    async fn made() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        create(&mut connection, "identity").await.unwrap();
        connection
    }

    async fn run(connection: &mut SqliteConnection, sql: &'static str) {
        sqlx::raw_sql(sql).execute(connection).await.unwrap();
    }

    #[tokio::test]
    async fn a_store_without_its_lease_row_is_damaged() {
        let mut connection = made().await;
        run(
            &mut connection,
            "DROP TRIGGER mledger_lease_no_delete; DELETE FROM mledger_lease",
        )
        .await;
        let missing = vec!["the row of mledger_lease".to_owned()];
        assert_eq!(
            inspect(&mut connection).await.unwrap(),
            Store::Damaged { missing }
        );
    }

    #[tokio::test]
    async fn a_trigger_that_somebody_put_on_our_tables_is_named() {
        let mut connection = made().await;
        run(
            &mut connection,
            "CREATE TABLE t (x);
             CREATE TRIGGER theirs AFTER INSERT ON t BEGIN SELECT 1; END;
             CREATE TRIGGER free BEFORE UPDATE ON mledger_lease BEGIN SELECT RAISE(IGNORE); END",
        )
        .await;
        let guards = DEFINITIONS.iter().filter(|ours| ours.kind != "table");
        let guards = u64::try_from(guards.count()).unwrap();
        let missing_guards = vec!["free".to_owned()];
        assert_eq!(
            inspect(&mut connection).await.unwrap(),
            Store::Present {
                guards,
                missing_guards
            }
        );
    }
}
