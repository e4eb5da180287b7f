//! About how large tables are, as the server's statistics have it.

use sqlx::MySqlConnection;

use super::details::Flavour;
use super::{literal, talk};
use crate::engine::EngineError;
use crate::lint::{Sizes, TableSize};

/// How many tables are looked at: each is opened by the server.
const TABLES: usize = 50;

/// What InnoDB keeps of a row besides its columns. Right after many rows were written the server counts them
/// already, and not yet their bytes.
const BYTES_OF_A_ROW: u64 = 24;

/// Returns about how large the tables are that are there.
pub(super) async fn table_sizes(
    connection: &mut MySqlConnection,
    flavour: Flavour,
    database: &str,
    tables: &[String],
) -> Result<Sizes, EngineError> {
    let mut sizes = Sizes::new();
    let schema = literal::text(database);
    // how long the server may take to look at one
    let (before, hint) = match flavour {
        Flavour::MariaDb => (
            "SET STATEMENT max_statement_time = 3, lock_wait_timeout = 3 FOR ",
            "",
        ),
        Flavour::MySql => ("", "/*+ MAX_EXECUTION_TIME(3000) */ "),
    };
    for table in tables.iter().take(TABLES) {
        // a schema and a name spare the server to open every table that it has
        let sql = format!(
            "{before}SELECT {hint}TABLE_ROWS, COALESCE(DATA_LENGTH, 0) + COALESCE(INDEX_LENGTH, 0) \
             FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {} AND TABLE_TYPE = 'BASE TABLE' LIMIT 1",
            literal::text(table)
        );
        let Some(row) = talk::row(connection, sql).await? else {
            continue;
        };
        let unsigned = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let rows = unsigned(row.number(0)?);
        let least = rows.unwrap_or(0).saturating_mul(BYTES_OF_A_ROW);
        let size = TableSize {
            rows,
            bytes: unsigned(row.number(1)?).unwrap_or(0).max(least),
        };
        sizes.insert(table.to_ascii_lowercase(), size);
    }
    Ok(sizes)
}
