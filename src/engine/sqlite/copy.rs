//! A copy of the database at one moment, and the way back from it.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::{Opening, connect, fault, store};
use crate::engine::{Access, EngineError, Fault};

/// How long a restore waits for other writers.
const PATIENCE_MS: u32 = 30_000;

/// Writes what the database at `path` holds at this moment to a new file at `copy`, and returns how many
/// entries the ledger has in it. Readers and, with a write-ahead log, writers go on meanwhile.
pub(crate) async fn copy_into(path: &Path, copy: &Path) -> Result<u64, EngineError> {
    let mut connection = connect::open(path, Opening::Existing, Access::Write).await?;
    let sql = format!("VACUUM main INTO {}", quoted(&copy.to_string_lossy()));
    let copied = run(&mut connection, &sql).await;
    connect::close(connection).await?;
    copied.map_err(|error| fault::at(path, error))?;
    let mut connection = connect::open(copy, Opening::ReadOnly, Access::Read).await?;
    let size: Result<Option<i64>, _> =
        sqlx::query_scalar("SELECT seq + 1 FROM main.mledger_events ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut connection)
            .await
            .map_err(fault::from_driver);
    connect::close(connection).await?;
    u64::try_from(size?.unwrap_or(0))
        .map_err(|_| EngineError::new(Fault::NotADatabase, "a negative number"))
}

/// Replaces everything but the ledger in the database at `path` by what the file at `copy` holds, in one
/// transaction: whoever reads sees all of it or nothing, and what is cut off leaves nothing.
pub(crate) async fn replace_content(path: &Path, copy: &Path) -> Result<(), EngineError> {
    let mut connection = connect::open(path, Opening::Existing, Access::Write).await?;
    let replaced = replace(&mut connection, copy).await;
    if replaced.is_err() {
        // the error before says more than one of the rollback
        drop(run(&mut connection, "ROLLBACK").await);
    }
    drop(connection.close().await);
    replaced.map_err(|error| fault::at(path, error))
}

/// One object of a database, as `sqlite_schema` has it.
struct Object {
    kind: String,
    name: String,
    table: String,
    sql: String,
}

async fn replace(connection: &mut SqliteConnection, copy: &Path) -> Result<(), EngineError> {
    let attach = format!(
        "PRAGMA busy_timeout = {PATIENCE_MS}; PRAGMA foreign_keys = OFF; ATTACH {} AS backup; \
         PRAGMA writable_schema = OFF; BEGIN IMMEDIATE",
        quoted(&copy.to_string_lossy())
    );
    run(connection, &attach).await?;
    for object in objects(connection, "main").await?.iter().rev() {
        // what belongs to another object went with it
        let kind = &object.kind;
        if kind == "index" || kind == "trigger" {
            continue;
        }
        let sql = format!("DROP {kind} IF EXISTS main.{}", name(&object.name));
        run(connection, &sql).await?;
    }
    let objects = objects(connection, "backup").await?;
    let of = |kind: &str, sql: &str| kind == "table" && !is_virtual(sql);
    for table in objects.iter().filter(|it| of(&it.kind, &it.sql)) {
        create(connection, &table.sql).await?;
        crate::fault::reach("restore::within-content");
        fill(connection, &table.name).await?;
    }
    counters(connection).await?;
    let rest = |object: &&Object| !of(&object.kind, &object.sql) && object.kind != "index";
    for index in objects.iter().filter(|object| object.kind == "index") {
        create(connection, &index.sql).await?;
    }
    enter(connection, objects.iter().filter(rest)).await?;
    for number in ["user_version", "application_id"] {
        let value: i64 = sqlx::query_scalar(AssertSqlSafe(format!("PRAGMA backup.{number}")))
            .fetch_one(&mut *connection)
            .await
            .map_err(fault::from_driver)?;
        run(connection, &format!("PRAGMA main.{number} = {value}")).await?;
    }
    run(connection, "COMMIT").await
}

/// Everything of a database that is neither ours nor SQLite's own.
async fn objects(
    connection: &mut SqliteConnection,
    database: &str,
) -> Result<Vec<Object>, EngineError> {
    let sql = format!(
        "SELECT type, name, tbl_name, sql FROM {database}.sqlite_schema \
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .map_err(fault::from_driver)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let text = |index: usize| row.try_get::<String, _>(index).map_err(fault::from_driver);
        let (kind, name, table, sql) = (text(0)?, text(1)?, text(2)?, text(3)?);
        if !store::is_ours(&kind, &name) && !store::is_ours("table", &table) {
            found.push(Object {
                kind,
                name,
                table,
                sql,
            });
        }
    }
    Ok(found)
}

fn is_virtual(sql: &str) -> bool {
    sql.get(..14)
        .is_some_and(|start| start.eq_ignore_ascii_case("CREATE VIRTUAL"))
}

/// Makes a table or an index where no name of a database stands before its own: that is `main`.
async fn create(connection: &mut SqliteConnection, sql: &str) -> Result<(), EngineError> {
    run(connection, sql).await
}

/// Copies the rows of a table, with the numbers by which other things may know them.
async fn fill(connection: &mut SqliteConnection, table: &str) -> Result<(), EngineError> {
    let columns =
        sqlx::query("SELECT name, hidden FROM pragma_table_xinfo(?1, 'backup') ORDER BY cid")
            .bind(table)
            .fetch_all(&mut *connection)
            .await
            .map_err(fault::from_driver)?;
    let mut stored = Vec::with_capacity(columns.len() + 1);
    let mut known = Vec::with_capacity(columns.len());
    for row in &columns {
        let column: String = row.try_get(0).map_err(fault::from_driver)?;
        let hidden: i64 = row.try_get(1).map_err(fault::from_driver)?;
        // 2 and 3 are generated
        if hidden == 0 {
            stored.push(name(&column));
        }
        known.push(column.to_lowercase());
    }
    let without: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(wr), 0) FROM pragma_table_list(?1) WHERE schema = 'backup'",
    )
    .bind(table)
    .fetch_one(&mut *connection)
    .await
    .map_err(fault::from_driver)?;
    let hidden_number = ["rowid", "oid", "_rowid_"]
        .into_iter()
        .find(|number| !known.iter().any(|column| column == number));
    if let (0, Some(number)) = (without, hidden_number) {
        stored.push(number.to_owned());
    }
    let (table, columns) = (name(table), stored.join(", "));
    let sql = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM backup.{table}");
    run(connection, &sql).await
}

/// Puts the counters of AUTOINCREMENT to where they were.
async fn counters(connection: &mut SqliteConnection) -> Result<(), EngineError> {
    let has = |database: &str| {
        format!("SELECT count(*) FROM {database}.sqlite_schema WHERE name = 'sqlite_sequence'")
    };
    let mut there = Vec::with_capacity(2);
    for database in ["main", "backup"] {
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(has(database)))
            .fetch_one(&mut *connection)
            .await
            .map_err(fault::from_driver)?;
        there.push(count > 0);
    }
    if there == [true, true] {
        let sql = "DELETE FROM main.sqlite_sequence; \
                   INSERT INTO main.sqlite_sequence SELECT * FROM backup.sqlite_sequence";
        run(connection, sql).await?;
    }
    Ok(())
}

/// Enters views, triggers and virtual tables as VACUUM does: what a virtual table keeps is in tables that
/// are there already, and making it would make them anew.
async fn enter<'a>(
    connection: &mut SqliteConnection,
    objects: impl Iterator<Item = &'a Object>,
) -> Result<(), EngineError> {
    let (mut made, mut entered) = (Vec::new(), Vec::new());
    for object in objects {
        if object.kind == "table" {
            entered.push(object);
        } else {
            made.push(object);
        }
    }
    if !entered.is_empty() {
        run(connection, "PRAGMA writable_schema = ON").await?;
        for object in entered {
            sqlx::query(
                "INSERT INTO main.sqlite_schema (type, name, tbl_name, rootpage, sql) \
                 VALUES ('table', ?1, ?2, 0, ?3)",
            )
            .bind(&object.name)
            .bind(&object.table)
            .bind(&object.sql)
            .execute(&mut *connection)
            .await
            .map_err(fault::from_driver)?;
        }
        run(connection, "PRAGMA writable_schema = RESET").await?;
    }
    for object in made {
        create(connection, &object.sql).await?;
    }
    Ok(())
}

async fn run(connection: &mut SqliteConnection, sql: &str) -> Result<(), EngineError> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(fault::from_driver)
}

fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
