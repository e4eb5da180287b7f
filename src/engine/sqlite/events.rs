//! The events table.

use ledger::Record;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::fault;
use crate::engine::{EngineError, Fault, StoredRecord};

/// Returns up to `limit` records with `seq >= from`, in order.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredRecord>, EngineError> {
    let first = match i64::try_from(from) {
        // a row below 0 is none that we wrote, and must be seen
        Ok(0) => i64::MIN,
        Ok(first) => first,
        Err(_) => return Ok(Vec::new()),
    };
    let rows = sqlx::query(
        "SELECT seq, line, signature, prev, hash FROM main.mledger_events \
         WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
    )
    .bind(first)
    .bind(limit)
    .fetch_all(connection)
    .await
    .map_err(fault::from_driver)?;
    let records: Result<_, Error> = rows.iter().map(stored).collect();
    records.map_err(fault::from_driver)
}

/// Reads a row without trusting its types: a table that was tampered with is reported, not an error.
fn stored(row: &SqliteRow) -> Result<StoredRecord, Error> {
    let bytes = |column: usize| {
        row.try_get_unchecked::<Option<Vec<u8>>, _>(column)
            .map(Option::unwrap_or_default)
    };
    Ok(StoredRecord {
        seq: row.try_get_unchecked(0)?,
        line: bytes(1)?,
        signature: bytes(2)?,
        prev: bytes(3)?,
        hash: bytes(4)?,
    })
}

/// Appends records behind the stored head.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    records: &[Record],
) -> Result<(), EngineError> {
    for record in records {
        insert(connection, record).await?;
    }
    match records.last() {
        Some(last) => expect_head(connection, last).await,
        None => Ok(()),
    }
}

async fn insert(connection: &mut SqliteConnection, record: &Record) -> Result<(), EngineError> {
    let unusable = |reason: String| EngineError::new(Fault::Statement, reason);
    let event = record
        .event()
        .map_err(|fault| unusable(format!("the event to append cannot be read: {fault}")))?;
    let seq = i64::try_from(event.seq)
        .map_err(|_| unusable(format!("the event's seq `{}` is too large", event.seq)))?;
    let inserted = sqlx::query(
        "INSERT INTO main.mledger_append (seq, line, signature, prev, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(seq)
    .bind(record.line.as_slice())
    .bind(record.signature.as_bytes().as_slice())
    .bind(event.prev.as_bytes().as_slice())
    .bind(record.hash().as_bytes().to_vec())
    .execute(connection)
    .await;
    match inserted.map_err(fault::from_driver) {
        Ok(_) => Ok(()),
        // the guard and the unique columns refuse what does not follow the head
        Err(error) if fault::primary(&error) == fault::CONSTRAINT => Err(EngineError {
            fault: Fault::Conflict,
            ..error
        }),
        Err(error) => Err(error),
    }
}

/// Reads the head back: a script may have left a trigger that drops or changes what is inserted in
/// silence.
async fn expect_head(connection: &mut SqliteConnection, last: &Record) -> Result<(), EngineError> {
    let hash = last.hash();
    let is_head: Option<bool> = sqlx::query_scalar(
        "SELECT hash = ?1 AND signature = ?2 AND line = ?3 FROM main.mledger_events \
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(hash.as_bytes().to_vec())
    .bind(last.signature.as_bytes().as_slice())
    .bind(last.line.as_slice())
    .fetch_optional(connection)
    .await
    .map_err(fault::from_driver)?
    .flatten();
    if is_head == Some(true) {
        return Ok(());
    }
    Err(EngineError::new(
        Fault::Statement,
        format!(
            "the event `{hash}` was appended and is not there; a trigger must have dropped or \
             changed it"
        ),
    ))
}
