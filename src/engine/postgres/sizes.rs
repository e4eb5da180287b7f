//! About how large tables are, as the server's statistics and file sizes have it.

use super::fault::Of;
use super::link::{self, Link};
use super::literal;
use super::schema::SHORT_WAIT;
use crate::engine::EngineError;
use crate::lint::{Sizes, TableSize};

/// The tables of these names with their partitions and indexes. Of several of one name the one that
/// scripts mean comes last, else the largest.
const SIZES: &str = include_str!("sizes.sql");

/// How long the server may take to look.
const LIMIT: &str = "SET LOCAL statement_timeout = '3s'; ";

/// Returns about how large the tables are that are there.
pub(super) async fn table_sizes(
    link: &mut Link,
    prefix: &str,
    tables: &[String],
) -> Result<Sizes, EngineError> {
    let names: Vec<String> = tables
        .iter()
        .map(|table| literal::text(&table.to_ascii_lowercase()))
        .collect();
    if names.is_empty() {
        return Ok(Sizes::new());
    }
    // names without a schema are looked for where scripts look for them
    let path = "SET LOCAL search_path TO DEFAULT; ";
    let query = SIZES.replace("/* names */", &names.join(", "));
    let sql = format!("{prefix}{path}{SHORT_WAIT}{LIMIT}{query}");
    let mut sizes = Sizes::new();
    for row in &link.ask(&sql, Of::Ours).await? {
        let Some(name) = link::text(row, 0)? else {
            continue;
        };
        let unsigned = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let size = TableSize {
            rows: unsigned(link::integer(row, 1)?),
            bytes: unsigned(link::integer(row, 2)?).unwrap_or(0),
        };
        sizes.insert(name, size);
    }
    Ok(sizes)
}
