//! The objects table.

use ledger::Digest;
use sqlx::MySqlConnection;

use super::{fault, literal, talk};
use crate::engine::{Encoding, EngineError, Fault, Object};

/// Stores an object unless one of its digest is there.
pub(super) async fn put(
    connection: &mut MySqlConnection,
    schema: &str,
    longest_message: usize,
    object: &Object,
) -> Result<(), EngineError> {
    let sql = putting(schema, object)?;
    if sql.len() >= longest_message {
        return Err(EngineError::new(
            Fault::Statement,
            format!(
                "expected a message of at most {longest_message} bytes (`max_allowed_packet`), and \
                 storing the object `{}` needs {}; raise the server's setting",
                object.digest,
                sql.len()
            ),
        ));
    }
    let refused = match talk::execute(connection, sql).await {
        Ok(_) => return Ok(()),
        Err(error) => fault::of_ours(error),
    };
    // another transaction may have stored the same bytes meanwhile
    if refused.fault == Fault::Conflict && find(connection, schema, &object.digest).await?.is_some()
    {
        return Ok(());
    }
    Err(refused)
}

/// Returns the statement that stores an object unless one of its digest is there.
///
/// # Errors
///
/// [`Fault::Statement`] for one that is too large.
pub(super) fn putting(schema: &str, object: &Object) -> Result<String, EngineError> {
    let size = i64::try_from(object.size).map_err(|_| {
        let reason = format!("an object of {} bytes is too large", object.size);
        EngineError::new(Fault::Statement, reason)
    })?;
    let digest = literal::bytes(object.digest.as_bytes());
    Ok(format!(
        "INSERT INTO {schema}.mledger_objects (digest, size, encoding, content) \
         SELECT {digest}, {size}, '{}', {} FROM DUAL \
         WHERE NOT EXISTS (SELECT 1 FROM {schema}.mledger_objects WHERE digest = {digest})",
        encoding_name(object.encoding),
        literal::long_bytes(&object.content),
    ))
}

/// Returns the object with this digest.
pub(super) async fn find(
    connection: &mut MySqlConnection,
    schema: &str,
    digest: &Digest,
) -> Result<Option<Object>, EngineError> {
    let sql = format!(
        "SELECT size, encoding, content FROM {schema}.mledger_objects WHERE digest = {}",
        literal::bytes(digest.as_bytes())
    );
    let Some(row) = talk::row(connection, sql).await.map_err(fault::of_ours)? else {
        return Ok(None);
    };
    // a row that was tampered with is reported as an object that does not fit, and is no error
    Ok(Some(Object {
        digest: *digest,
        size: row
            .number(0)?
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or(u64::MAX),
        encoding: encoding_of(&row.text(1)?),
        content: row.bytes(2)?.unwrap_or_default(),
    }))
}

/// Erases an object's bytes.
pub(super) async fn redact(
    connection: &mut MySqlConnection,
    schema: &str,
    digest: &Digest,
) -> Result<(), EngineError> {
    let sql = format!(
        "UPDATE {schema}.mledger_objects SET encoding = 'absent', content = '' WHERE digest = {}",
        literal::bytes(digest.as_bytes())
    );
    talk::execute(connection, sql)
        .await
        .map(drop)
        .map_err(fault::of_ours)
}

/// Returns up to `limit` digests above `after`, in order.
///
/// What is no digest is left out: nothing can name it.
pub(super) async fn digests(
    connection: &mut MySqlConnection,
    schema: &str,
    after: Option<Digest>,
    limit: u32,
) -> Result<Vec<Digest>, EngineError> {
    let after = after.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec());
    let sql = format!(
        "SELECT digest FROM {schema}.mledger_objects \
         WHERE digest > {} AND LENGTH(digest) = 32 ORDER BY digest LIMIT {limit}",
        literal::bytes(&after)
    );
    let rows = talk::rows(connection, sql).await.map_err(fault::of_ours)?;
    rows.iter()
        .map(|row| {
            let bytes = row.bytes(0)?.unwrap_or_default();
            let length = bytes.len();
            <[u8; 32]>::try_from(bytes)
                .map(Digest::from_bytes)
                .map_err(|_| {
                    let reason = format!("expected a digest of 32 bytes, found {length} bytes");
                    EngineError::new(Fault::Statement, reason)
                })
        })
        .collect()
}

fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Raw => "raw",
        Encoding::Zstd => "zstd",
        Encoding::Absent => "absent",
        Encoding::Unknown => "unknown",
    }
}

fn encoding_of(name: &str) -> Encoding {
    [Encoding::Raw, Encoding::Zstd, Encoding::Absent]
        .into_iter()
        .find(|encoding| encoding_name(*encoding) == name)
        .unwrap_or(Encoding::Unknown)
}
