//! About how large tables are, from a few of their pages.
//!
//! SQLite keeps no count of rows. What is read here is bounded by a number of pages, however large the
//! table is: what they hold on average is multiplied by the range of row ids, or by what `ANALYZE` left.

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::fault;
use crate::engine::{EngineError, Fault};
use crate::lint::{Sizes, TableSize};

/// How many pages of a table, and of each of its indexes, are looked at.
const PAGES: i64 = 512;

/// How many tables are looked at.
const TABLES: usize = 50;

/// Some pages of one b-tree.
struct Sample {
    /// They are all that there are.
    whole: bool,
    bytes: u64,
    cells: u64,
}

/// Returns about how large the tables are that are there.
pub(super) async fn table_sizes(
    connection: &mut SqliteConnection,
    tables: &[String],
) -> Result<Sizes, EngineError> {
    let mut sizes = Sizes::new();
    for table in tables.iter().take(TABLES) {
        if let Some(size) = table_size(connection, table).await? {
            sizes.insert(table.to_ascii_lowercase(), size);
        }
    }
    Ok(sizes)
}

async fn table_size(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Option<TableSize>, EngineError> {
    let trees: Vec<(String, String)> = sqlx::query_as(
        "SELECT type, name FROM main.sqlite_schema \
         WHERE lower(tbl_name) = lower(?1) AND type IN ('table', 'index') AND rootpage > 0 \
         ORDER BY type DESC, name",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await
    .map_err(fault::from_driver)?;
    let Some((_, name)) = trees.iter().find(|(kind, _)| kind == "table") else {
        return Ok(None);
    };
    let own = sample(connection, name).await?;
    let rows = if own.whole {
        own.cells
    } else if let Some(rows) = counted(connection, name).await? {
        rows
    } else {
        return Ok(None);
    };
    let mut bytes = 0_u64;
    for (_, tree) in &trees {
        let part = sample(connection, tree).await?;
        bytes = bytes.saturating_add(part.scaled(rows));
    }
    Ok(Some(TableSize {
        rows: Some(rows),
        bytes,
    }))
}

impl Sample {
    /// The bytes of all of the b-tree, where it has so many rows.
    fn scaled(&self, rows: u64) -> u64 {
        if self.whole || self.cells == 0 {
            return self.bytes;
        }
        let bytes = u128::from(self.bytes) * u128::from(rows) / u128::from(self.cells);
        u64::try_from(bytes).unwrap_or(u64::MAX).max(self.bytes)
    }
}

/// Looks at the first pages of a b-tree, without those that only lead to others.
async fn sample(connection: &mut SqliteConnection, tree: &str) -> Result<Sample, EngineError> {
    let row = sqlx::query(
        "SELECT count(*), coalesce(sum(pgsize), 0), coalesce(sum(ncell), 0) FROM ( \
             SELECT pgsize, ncell FROM dbstat('main') \
             WHERE name = ?1 AND pagetype <> 'internal' LIMIT ?2)",
    )
    .bind(tree)
    .bind(PAGES)
    .fetch_one(connection)
    .await
    .map_err(fault::from_driver)?;
    let number = |column: usize| -> Result<i64, EngineError> {
        row.try_get(column).map_err(fault::from_driver)
    };
    Ok(Sample {
        whole: number(0)? < PAGES,
        bytes: u64::try_from(number(1)?).unwrap_or(0),
        cells: u64::try_from(number(2)?).unwrap_or(0),
    })
}

/// Returns about how many rows a large table has: as `ANALYZE` counted them, else the range of its row
/// ids, which is too much where many rows were deleted. A table without row ids that was never analysed says
/// nothing.
async fn counted(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Option<u64>, EngineError> {
    let text = table.replace('\'', "''");
    let name = table.replace('"', "\"\"");
    for sql in [
        format!("SELECT CAST(stat AS INTEGER) FROM main.sqlite_stat1 WHERE tbl = '{text}' LIMIT 1"),
        format!(
            "SELECT (SELECT max(rowid) FROM main.\"{name}\") - (SELECT min(rowid) FROM main.\"{name}\") + 1"
        ),
    ] {
        let found = sqlx::query_scalar::<_, Option<i64>>(AssertSqlSafe(sql))
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault::from_driver);
        match found {
            Ok(Some(Some(rows))) => return Ok(u64::try_from(rows).ok()),
            // a database that was never analysed, or a table without row ids
            Ok(_) => {}
            Err(error) if error.fault == Fault::Statement => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
