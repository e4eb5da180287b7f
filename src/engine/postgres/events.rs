//! The events table.

use ledger::Record;
use sqlx::postgres::PgRow;

use super::fault::Of;
use super::link::{self, Link};
use super::literal;
use crate::engine::{EngineError, Fault, StoredRecord};

/// Returns up to `limit` records with `seq >= from`, in order.
pub(super) async fn read(
    link: &mut Link,
    prefix: &str,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredRecord>, EngineError> {
    let sql = format!("{prefix}{}", reading(from, limit));
    let rows = link.ask(&sql, Of::Ours).await?;
    rows.iter().map(stored).collect()
}

/// Returns the query for up to `limit` records with `seq >= from`, in order.
pub(super) fn reading(from: u64, limit: u32) -> String {
    let first = match i64::try_from(from) {
        // a row below 0 is none that we wrote, and must be seen
        Ok(0) => i64::MIN,
        Ok(first) => first,
        // there is none that is larger
        Err(_) => i64::MAX,
    };
    format!(
        "SELECT seq, pg_catalog.encode(line, 'hex'), pg_catalog.encode(signature, 'hex'), \
             pg_catalog.encode(prev, 'hex'), pg_catalog.encode(hash, 'hex') \
         FROM mledger.events WHERE seq >= ({first})::pg_catalog.int8 ORDER BY seq LIMIT {limit}"
    )
}

/// Reads what [`reading`] gives.
pub(super) fn stored(row: &PgRow) -> Result<StoredRecord, EngineError> {
    Ok(StoredRecord {
        seq: link::integer(row, 0)?.unwrap_or(i64::MIN),
        line: link::bytes(row, 1)?,
        signature: link::bytes(row, 2)?,
        prev: link::bytes(row, 3)?,
        hash: link::bytes(row, 4)?,
    })
}

/// Appends records behind the stored head, and reads the head back: a script may have left a trigger
/// or a rule that drops what is inserted in silence.
pub(super) async fn append(
    link: &mut Link,
    prefix: &str,
    records: &[Record],
) -> Result<(), EngineError> {
    let Some(last) = records.last() else {
        return Ok(());
    };
    let sql = format!("{prefix}{}SELECT {}", inserting(records)?, is_head(last));
    let answer = link.ask(&sql, Of::Ours).await?;
    let head = answer.last().map(|row| link::truth(row, 0)).transpose()?;
    if head == Some(true) {
        return Ok(());
    }
    Err(dropped(last))
}

/// Returns the statement, with its semicolon, that appends records behind the stored head.
///
/// # Errors
///
/// [`Fault::Statement`] for a record that cannot be read.
pub(super) fn inserting(records: &[Record]) -> Result<String, EngineError> {
    let rows: Result<Vec<String>, EngineError> = records.iter().map(row).collect();
    Ok(format!(
        "INSERT INTO mledger.events (seq, line, signature, prev, hash) VALUES {}; ",
        rows?.join(", ")
    ))
}

/// Returns a condition: the stored head is this record, to the byte.
pub(super) fn is_head(record: &Record) -> String {
    format!(
        "COALESCE((SELECT hash = {} AND signature = {} AND line = {} FROM mledger.events \
         ORDER BY seq DESC LIMIT 1), FALSE)",
        literal::bytes(record.hash().as_bytes()),
        literal::bytes(record.signature.as_bytes()),
        literal::bytes(&record.line),
    )
}

/// Says that a record which was appended is not there.
pub(super) fn dropped(record: &Record) -> EngineError {
    let hash = record.hash();
    EngineError::new(
        Fault::Statement,
        format!(
            "the event `{hash}` was appended and is not there; a trigger must have dropped or \
             changed it"
        ),
    )
}

fn row(record: &Record) -> Result<String, EngineError> {
    let unusable = |reason: String| EngineError::new(Fault::Statement, reason);
    let event = record
        .event()
        .map_err(|fault| unusable(format!("the event to append cannot be read: {fault}")))?;
    let seq = i64::try_from(event.seq)
        .map_err(|_| unusable(format!("the event's seq `{}` is too large", event.seq)))?;
    Ok(format!(
        "({seq}, {}, {}, {}, {})",
        literal::bytes(&record.line),
        literal::bytes(record.signature.as_bytes()),
        literal::bytes(event.prev.as_bytes()),
        literal::bytes(record.hash().as_bytes()),
    ))
}
