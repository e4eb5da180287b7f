//! Tables that other programs keep.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};

use super::fault;
use crate::adopt::{Cell, Table, TableName, Writing};
use crate::engine::{EngineError, Fault};

/// How values of such tables are written.
pub(super) const WRITING: Writing = Writing {
    bytes: "BLOB",
    hexadecimal: ("X'", "'"),
    time: "TIMESTAMP",
    utc: "",
    counter: "INTEGER PRIMARY KEY AUTOINCREMENT",
};

/// Returns a table, whole: of the main database, or of another file, which stands for a schema.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    name: &TableName,
) -> Result<Option<Table>, EngineError> {
    let Some(schema) = &name.schema else {
        return read_own(connection, name).await;
    };
    let main: String =
        sqlx::query_scalar("SELECT file FROM pragma_database_list WHERE name = 'main'")
            .fetch_one(connection)
            .await
            .map_err(fault::from_driver)?;
    let Some(file) = beside(Path::new(&main), schema).filter(|file| file.is_file()) else {
        return Ok(None);
    };
    let mut other = SqliteConnectOptions::new()
        .filename(&file)
        .read_only(true)
        .connect()
        .await
        .map_err(fault::from_driver)?;
    let table = read_own(&mut other, name).await;
    other.close().await.map_err(fault::from_driver)?;
    table
}

/// Returns the file of a schema: the one of this path, or the one beside the database that is called so and
/// ends as the database does. A database in memory has none beside it.
fn beside(main: &Path, schema: &str) -> Option<PathBuf> {
    let schema = Path::new(schema);
    if schema.is_absolute() {
        return Some(schema.to_owned());
    }
    let of_main = main.file_name()?.to_str()?;
    let name = schema.to_str()?;
    let ending = match of_main.split_once('.') {
        Some((_, ending)) if !name.contains('.') => format!(".{ending}"),
        _ => String::new(),
    };
    Some(main.with_file_name(format!("{name}{ending}")))
}

async fn read_own(
    connection: &mut SqliteConnection,
    name: &TableName,
) -> Result<Option<Table>, EngineError> {
    // a view shows rows of which nobody knows where they come from
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT info.name FROM main.sqlite_schema AS found, pragma_table_info(found.name, 'main') AS info \
         WHERE found.type = 'table' AND found.name = ? COLLATE NOCASE ORDER BY info.cid",
    )
    .bind(&name.name)
    .fetch_all(&mut *connection)
    .await
    .map_err(fault::from_driver)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let wanted: Vec<String> = columns
        .iter()
        .map(|column| {
            let column = quoted(column);
            format!("typeof({column}), CAST({column} AS BLOB)")
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM main.{}",
        wanted.join(", "),
        quoted(&name.name)
    );
    let found = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .map_err(fault::from_driver)?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        let mut cells = Vec::with_capacity(columns.len());
        for at in 0..columns.len() {
            let sort: String = row.try_get_unchecked(2 * at).map_err(fault::from_driver)?;
            let bytes: Option<Vec<u8>> = row
                .try_get_unchecked(2 * at + 1)
                .map_err(fault::from_driver)?;
            cells.push(match (sort.as_str(), bytes) {
                (_, None) => Cell::Null,
                ("blob", Some(bytes)) => Cell::Bytes(bytes),
                (_, Some(bytes)) => Cell::Text(String::from_utf8(bytes).map_err(|_| {
                    EngineError::new(
                        Fault::Statement,
                        format!("expected text in UTF-8 in the table `{name}`, found other bytes"),
                    )
                })?),
            });
        }
        rows.push(cells);
    }
    Ok(Some(Table {
        name: name.clone(),
        columns,
        rows,
    }))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    async fn open(file: &Path) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(file);
        options.create_if_missing(true).connect().await.unwrap()
    }

    #[tokio::test]
    async fn the_table_of_a_schema_is_read_from_its_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut main = open(&folder.path().join("shop.db")).await;
        let of = |schema: &str| TableName {
            schema: Some(schema.to_owned()),
            name: "changes".to_owned(),
        };
        assert_eq!(read(&mut main, &of("sqitch")).await.unwrap(), None);
        let other = folder.path().join("sqitch.db");
        assert!(!other.exists(), "reading makes no file");
        let mut registry = open(&other).await;
        sqlx::query("CREATE TABLE changes (change_id)")
            .execute(&mut registry)
            .await
            .unwrap();
        for schema in ["sqitch", "sqitch.db", other.to_str().unwrap()] {
            let table = read(&mut main, &of(schema)).await.unwrap().unwrap();
            assert_eq!(table.columns, ["change_id"], "{schema}");
        }
        let own = TableName {
            schema: None,
            name: "changes".to_owned(),
        };
        assert_eq!(read(&mut main, &own).await.unwrap(), None);
    }

    #[test]
    fn a_schema_is_a_file_beside_the_database() {
        for (main, schema, file) in [
            ("/data/shop.db", "sqitch", Some("/data/sqitch.db")),
            ("/data/shop", "sqitch", Some("/data/sqitch")),
            ("/data/shop.a.db", "sqitch", Some("/data/sqitch.a.db")),
            ("/data/shop.db", "meta.sqlite", Some("/data/meta.sqlite")),
            ("/data/shop.db", "/etc/meta.db", Some("/etc/meta.db")),
            ("", "sqitch", None),
        ] {
            assert_eq!(
                beside(Path::new(main), schema),
                file.map(PathBuf::from),
                "{main} {schema}"
            );
        }
    }
}
