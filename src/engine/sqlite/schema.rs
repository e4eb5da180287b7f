//! What the database itself defines: the schema fingerprint, and rows that break foreign keys.

use ledger::Hasher;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Error, Row, SqliteConnection};

use super::{fault, store};
use crate::engine::{EngineError, Fault, SchemaFingerprint};

/// The version of what is put under the digest.
const FORMAT: u32 = 1;

/// Returns the fingerprint of every definition but ours.
///
/// The SHA-256 over one field after another, each as its length in bytes (64 bits, big-endian) and its
/// UTF-8 text: type, name, table and SQL of each row of `sqlite_schema`, rows sorted by these four.
/// Names that begin with `sqlite_` are left out, since SQLite makes those by itself: indexes of
/// constraints, which follow from their tables, counters and statistics. `user_version` and
/// `application_id` are no definitions and applications change them as they run.
pub(super) async fn fingerprint(
    connection: &mut SqliteConnection,
) -> Result<SchemaFingerprint, EngineError> {
    let rows = sqlx::query(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_schema \
         WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(fault::from_driver)?;
    let definitions: Result<Vec<[String; 4]>, Error> = rows
        .iter()
        .map(|row| {
            Ok([
                row.try_get_unchecked(0)?,
                row.try_get_unchecked(1)?,
                row.try_get_unchecked(2)?,
                row.try_get_unchecked(3)?,
            ])
        })
        .collect();
    let mut definitions = definitions.map_err(fault::from_driver)?;
    definitions.retain(|[kind, name, _, _]| !store::is_ours(kind, name));
    definitions.sort_unstable();

    let mut hasher = Hasher::new();
    for field in definitions.iter().flatten() {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_be_bytes());
        hasher.update(field.as_bytes());
    }
    Ok(SchemaFingerprint {
        digest: hasher.finish(),
        format: FORMAT,
        server: major_version(connection).await?,
        // anybody may read all definitions here
        lacking: Vec::new(),
    })
}

/// Returns how many tables there are, but ours and SQLite's own.
pub(super) async fn count_tables(connection: &mut SqliteConnection) -> Result<u64, EngineError> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .fetch_all(connection)
    .await
    .map_err(fault::from_driver)?;
    let theirs = names.iter().filter(|name| !store::is_ours("table", name));
    Ok(theirs.count() as u64)
}

async fn major_version(connection: &mut SqliteConnection) -> Result<String, EngineError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(fault::from_driver)?;
    let major = version.split('.').next().unwrap_or_default();
    Ok(major.to_owned())
}

/// Describes each row that breaks a foreign key, sorted.
///
/// SQLite refuses the whole check where one key fits no unique columns of its parent; then tables are
/// checked one by one, and such a key counts as what is broken.
pub(super) async fn foreign_key_violations(
    connection: &mut SqliteConnection,
) -> Result<Vec<String>, EngineError> {
    let mut found = match check(connection, "PRAGMA main.foreign_key_check".to_owned()).await {
        Err(error) if error.fault == Fault::Statement => check_each_table(connection).await?,
        answer => answer?,
    };
    found.sort_unstable();
    Ok(found)
}

async fn check_each_table(connection: &mut SqliteConnection) -> Result<Vec<String>, EngineError> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY name",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(fault::from_driver)?;
    let mut found = Vec::new();
    for table in tables {
        let quoted = table.replace('"', "\"\"");
        match check(
            connection,
            format!("PRAGMA main.foreign_key_check(\"{quoted}\")"),
        )
        .await
        {
            Ok(rows) => found.extend(rows),
            Err(error) if error.fault == Fault::Statement => {
                found.push(format!("table `{table}`: {}", error.message));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn check(
    connection: &mut SqliteConnection,
    pragma: String,
) -> Result<Vec<String>, EngineError> {
    let rows = sqlx::query(AssertSqlSafe(pragma))
        .fetch_all(connection)
        .await
        .map_err(fault::from_driver)?;
    let described: Result<_, Error> = rows.iter().map(violation).collect();
    described.map_err(fault::from_driver)
}

fn violation(row: &SqliteRow) -> Result<String, Error> {
    let table: String = row.try_get_unchecked(0)?;
    let rowid: Option<i64> = row.try_get_unchecked(1)?;
    let parent: String = row.try_get_unchecked(2)?;
    let key: i64 = row.try_get_unchecked(3)?;
    let which = rowid.map_or_else(|| "a row".to_owned(), |rowid| format!("row {rowid}"));
    Ok(format!(
        "{which} of `{table}` has no match in `{parent}` (foreign key {key})"
    ))
}
