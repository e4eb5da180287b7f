//! Tables that other programs keep.

use sqlx::MySqlConnection;

use super::talk::ALL;
use super::{literal, talk};
use crate::adopt::{Cell, Lock, LockState, Table, TableName, Writing};
use crate::engine::EngineError;

/// How values of such tables are written.
pub(super) const WRITING: Writing = Writing {
    bytes: "BLOB",
    hexadecimal: ("X'", "'"),
    time: "TIMESTAMP",
    utc: "",
    counter: "BIGINT UNSIGNED NOT NULL PRIMARY KEY AUTO_INCREMENT",
};

/// Returns a table, whole; without a schema, one of the schema that the session works in.
pub(super) async fn read(
    connection: &mut MySqlConnection,
    database: &str,
    name: &TableName,
) -> Result<Option<Table>, EngineError> {
    let schema = name.schema.as_deref().unwrap_or(database);
    let sql = format!(
        "SELECT column_name, data_type FROM information_schema.columns \
         JOIN information_schema.tables USING (table_schema, table_name) \
         WHERE table_type = 'BASE TABLE' AND table_schema = {} AND table_name = {} \
         ORDER BY ordinal_position {ALL}",
        literal::text(schema),
        literal::text(&name.name)
    );
    let mut columns = Vec::new();
    let mut binary = Vec::new();
    let mut wanted = Vec::new();
    for row in talk::rows(connection, sql).await? {
        let column = row.text(0)?;
        let quoted = literal::name(&column);
        let kind = row.text(1)?.to_ascii_lowercase();
        let is_bytes = kind.ends_with("blob") || kind.ends_with("binary");
        wanted.push(match kind.as_str() {
            _ if is_bytes => quoted,
            // bits are bytes until they are counted with
            "bit" => format!("{quoted} + 0"),
            _ => format!("CONVERT({quoted} USING utf8mb4)"),
        });
        columns.push(column);
        binary.push(is_bytes);
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {} FROM {}.{} {ALL}",
        wanted.join(", "),
        literal::name(schema),
        literal::name(&name.name)
    );
    let mut rows = Vec::new();
    for row in talk::rows(connection, sql).await? {
        let mut cells = Vec::with_capacity(columns.len());
        for (at, is_bytes) in binary.iter().enumerate() {
            cells.push(match row.bytes(at)? {
                None => Cell::Null,
                Some(bytes) if *is_bytes => Cell::Bytes(bytes),
                Some(bytes) => Cell::Text(String::from_utf8_lossy(&bytes).into_owned()),
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

/// Says whether another session has one of these names locked. Such a lock belongs to a session and not to a
/// transaction, so none is taken.
pub(super) async fn lock_state(
    connection: &mut MySqlConnection,
    locks: &[Lock],
) -> Result<LockState, EngineError> {
    let mut state = LockState::Unknown;
    for lock in locks {
        let Lock::Name(name) = lock else {
            continue;
        };
        let sql = format!(
            "SELECT CAST(COALESCE(IS_USED_LOCK({}), 0) NOT IN (0, CONNECTION_ID()) AS CHAR)",
            literal::text(name)
        );
        for row in talk::rows(connection, sql).await? {
            if row.text(0)? == "1" {
                return Ok(LockState::Held);
            }
        }
        state = LockState::Free;
    }
    Ok(state)
}
