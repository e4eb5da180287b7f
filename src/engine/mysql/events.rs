//! The events table.

use ledger::Record;
use sqlx::MySqlConnection;

use super::talk::Values;
use super::{fault, literal, talk};
use crate::engine::{EngineError, Fault, StoredRecord};

/// The length of one insert from which another one is begun; servers take at least a million bytes.
const LONG: usize = 500_000;

/// Returns up to `limit` records with `seq >= from`, in order; `schema` is the quoted name.
pub(super) async fn read(
    connection: &mut MySqlConnection,
    schema: &str,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredRecord>, EngineError> {
    let sql = reading(schema, from, limit);
    let rows = talk::rows(connection, sql).await.map_err(fault::of_ours)?;
    rows.iter().map(stored).collect()
}

/// Returns the query for up to `limit` records with `seq >= from`, in order.
pub(super) fn reading(schema: &str, from: u64, limit: u32) -> String {
    let first = match i64::try_from(from) {
        // a row below 0 is none that we wrote, and must be seen
        Ok(0) => i64::MIN,
        Ok(first) => first,
        // there is none that is larger
        Err(_) => i64::MAX,
    };
    format!(
        "SELECT seq, line, signature, prev, hash FROM {schema}.mledger_events \
         WHERE seq >= {first} ORDER BY seq LIMIT {limit}"
    )
}

/// Reads what [`reading`] gives.
pub(super) fn stored(row: &Values) -> Result<StoredRecord, EngineError> {
    let bytes = |column| row.bytes(column).map(Option::unwrap_or_default);
    Ok(StoredRecord {
        seq: row.number(0)?.unwrap_or_default(),
        line: bytes(1)?,
        signature: bytes(2)?,
        prev: bytes(3)?,
        hash: bytes(4)?,
    })
}

/// Appends records behind the stored head, and reads the head back.
pub(super) async fn append(
    connection: &mut MySqlConnection,
    schema: &str,
    records: &[Record],
) -> Result<(), EngineError> {
    let Some(last) = records.last() else {
        return Ok(());
    };
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        rows.push(row(record)?);
    }
    let mut sql = String::new();
    for row in rows {
        if sql.is_empty() {
            sql = insert(schema);
        } else if sql.len() + row.len() > LONG {
            talk::execute(connection, sql)
                .await
                .map_err(fault::of_ours)?;
            sql = insert(schema);
        } else {
            sql.push_str(", ");
        }
        sql += &row;
    }
    sql += &format!("; SELECT {}", is_head(schema, last));
    let head = talk::row(connection, sql).await.map_err(fault::of_ours)?;
    if head.map(|row| row.is_true(0)).transpose()? == Some(true) {
        return Ok(());
    }
    Err(changed(last))
}

/// Returns a condition, 1 or 0: the stored head is this record, to the byte.
fn is_head(schema: &str, record: &Record) -> String {
    format!(
        "COALESCE((SELECT hash = {} AND signature = {} AND line = {} FROM {schema}.mledger_events \
         ORDER BY seq DESC LIMIT 1), 0)",
        literal::bytes(record.hash().as_bytes()),
        literal::bytes(record.signature.as_bytes()),
        literal::long_bytes(&record.line),
    )
}

/// Says that a record which was appended is not there.
fn changed(record: &Record) -> EngineError {
    let hash = record.hash();
    EngineError::new(
        Fault::Statement,
        format!(
            "the event `{hash}` was appended and is not there; a trigger must have dropped or \
             changed it"
        ),
    )
}

/// Appends records behind the stored head and commits, all with one message that begins with the
/// statements `around.0` and ends with `around.1`; says whether it did. Where the message would be longer
/// than `longest`, nothing was sent.
pub(super) async fn append_and_commit(
    connection: &mut MySqlConnection,
    schema: &str,
    longest: usize,
    around: (&str, &str),
    records: &[Record],
) -> Result<bool, EngineError> {
    let Some(last) = records.last() else {
        return Ok(false);
    };
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        rows.push(row(record)?);
    }
    // the one error of an expression that the server reports whatever its mode: a sum that is too large
    let sql = format!(
        "{}{}{}; SELECT 18446744073709551615 + ({} = 0); COMMIT; {}",
        around.0,
        insert(schema),
        rows.join(", "),
        is_head(schema, last),
        around.1,
    );
    if sql.len() >= longest.min(LONG) {
        return Ok(false);
    }
    match talk::execute(connection, sql).await {
        Ok(_) => Ok(true),
        Err(error) if fault::number(&error) == fault::OUT_OF_RANGE => Err(changed(last)),
        Err(error) => Err(fault::of_ours(error)),
    }
}

fn insert(schema: &str) -> String {
    format!("INSERT INTO {schema}.mledger_events (seq, line, signature, prev, hash) VALUES ")
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
        literal::long_bytes(&record.line),
        literal::bytes(record.signature.as_bytes()),
        literal::bytes(event.prev.as_bytes()),
        literal::bytes(record.hash().as_bytes()),
    ))
}
