//! Tables that other programs keep.

use super::fault::Of;
use super::link::{self, Link};
use super::literal;
use crate::adopt::{Cell, Table, TableName};
use crate::engine::EngineError;

/// How values are written, whatever the session, the role or the database has.
const WRITTEN: &str = "SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; \
     SET LOCAL timezone = 'UTC'; ";

/// Returns a table, whole; without a schema the first one that scripts would find.
pub(super) async fn read(
    link: &mut Link,
    prefix: &str,
    name: &TableName,
) -> Result<Option<Table>, EngineError> {
    let written = name
        .schema
        .iter()
        .chain([&name.name])
        .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
        .collect::<Vec<String>>()
        .join(".");
    let sql = format!(
        "{prefix}SET LOCAL search_path TO DEFAULT; \
         SELECT attname, pg_catalog.quote_ident(attname), \
             CASE WHEN atttypid = 'pg_catalog.bytea'::pg_catalog.regtype THEN 'bytea' ELSE '' END, \
             pg_catalog.quote_ident(nspname) || '.' || pg_catalog.quote_ident(relname) \
         FROM pg_catalog.pg_attribute \
         JOIN pg_catalog.pg_class ON pg_class.oid = attrelid \
         JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE attrelid = pg_catalog.to_regclass({}) AND relkind IN ('r', 'p') \
             AND attnum > 0 AND NOT attisdropped \
         ORDER BY attnum",
        literal::text(&written)
    );
    let described = link.ask(&sql, Of::Ours).await?;
    let mut columns = Vec::with_capacity(described.len());
    let mut binary = Vec::with_capacity(described.len());
    let mut wanted = Vec::with_capacity(described.len());
    let mut place = String::new();
    for row in &described {
        let part = |at| link::text(row, at).map(Option::unwrap_or_default);
        let quoted = part(1)?;
        let is_bytes = part(2)? == "bytea";
        wanted.push(if is_bytes {
            format!("pg_catalog.encode({quoted}, 'hex')")
        } else {
            format!("CAST({quoted} AS pg_catalog.text)")
        });
        columns.push(part(0)?);
        binary.push(is_bytes);
        place = part(3)?;
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let sql = format!("{prefix}{WRITTEN}SELECT {} FROM {place}", wanted.join(", "));
    let found = link.ask(&sql, Of::Ours).await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        let mut cells = Vec::with_capacity(columns.len());
        for (at, is_bytes) in binary.iter().enumerate() {
            cells.push(match link::text(row, at)? {
                None => Cell::Null,
                Some(text) if *is_bytes => {
                    literal::from_hex(&text).map_or(Cell::Text(text), Cell::Bytes)
                }
                Some(text) => Cell::Text(text),
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
