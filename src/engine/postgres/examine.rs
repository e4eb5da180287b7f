//! What is in the database of the objects that a statement names.

use super::fault::Of;
use super::link::{self, Link};
use crate::engine::EngineError;

/// Returns sentences for a person who must say whether the statement took effect.
pub(super) async fn examine(
    link: &mut Link,
    prefix: &str,
    _sql: &str,
) -> Result<Vec<String>, EngineError> {
    let sql = format!(
        "{prefix}SELECT pg_catalog.format('the index %I.%I is there and invalid', nspname, relname) \
         FROM pg_catalog.pg_index \
         JOIN pg_catalog.pg_class ON pg_class.oid = indexrelid \
         JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE NOT indisvalid ORDER BY 1"
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    rows.iter()
        .map(|row| link::text(row, 0).map(Option::unwrap_or_default))
        .collect()
}
