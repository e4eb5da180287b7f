//! Tables that other programs keep.

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

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

/// Returns a table of the main database, whole.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    name: &TableName,
) -> Result<Option<Table>, EngineError> {
    if name.schema.is_some() {
        return Ok(None);
    }
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
