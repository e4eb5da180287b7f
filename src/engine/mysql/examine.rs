//! What is in the database of the objects that a statement names.

use sqlx::MySqlConnection;

use crate::engine::EngineError;

/// Returns sentences about the objects that a statement names.
pub(super) async fn examine(
    connection: &mut MySqlConnection,
    database: &str,
    sql: &str,
) -> Result<Vec<String>, EngineError> {
    let _ = (connection, database, sql);
    Ok(Vec::new())
}
