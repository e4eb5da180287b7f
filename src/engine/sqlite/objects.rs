//! The objects table.

use ledger::Digest;
use sqlx::{Row, SqliteConnection};

use super::fault;
use crate::engine::{Encoding, EngineError, Fault, Object};

/// Stores an object unless one of its digest is there.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    object: &Object,
) -> Result<(), EngineError> {
    let size = i64::try_from(object.size).map_err(|_| {
        let reason = format!("an object of {} bytes is too large", object.size);
        EngineError::new(Fault::Statement, reason)
    })?;
    sqlx::query(
        "INSERT INTO main.mledger_objects (digest, size, encoding, content) \
         SELECT ?1, ?2, ?3, ?4 \
         WHERE NOT EXISTS (SELECT 1 FROM main.mledger_objects WHERE digest = ?1)",
    )
    .bind(object.digest.as_bytes().as_slice())
    .bind(size)
    .bind(encoding_name(object.encoding))
    .bind(object.content.as_slice())
    .execute(connection)
    .await
    .map(drop)
    .map_err(fault::from_driver)
}

/// Returns the object with this digest.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    digest: &Digest,
) -> Result<Option<Object>, EngineError> {
    let found =
        sqlx::query("SELECT size, encoding, content FROM main.mledger_objects WHERE digest = ?1")
            .bind(digest.as_bytes().as_slice())
            .fetch_optional(connection)
            .await
            .map_err(fault::from_driver)?;
    let Some(row) = found else {
        return Ok(None);
    };
    let size: Option<i64> = row.try_get_unchecked(0).map_err(fault::from_driver)?;
    let encoding: Option<String> = row.try_get_unchecked(1).map_err(fault::from_driver)?;
    let content: Option<Vec<u8>> = row.try_get_unchecked(2).map_err(fault::from_driver)?;
    // a row that was tampered with is reported as an object that does not fit, and is no error
    Ok(Some(Object {
        digest: *digest,
        size: size
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or(u64::MAX),
        encoding: encoding.map_or(Encoding::Unknown, |name| encoding_of(&name)),
        content: content.unwrap_or_default(),
    }))
}

/// Erases an object's bytes, also from the pages that they are taken from.
pub(super) async fn redact(
    connection: &mut SqliteConnection,
    digest: &Digest,
) -> Result<(), EngineError> {
    sqlx::raw_sql("PRAGMA main.secure_delete = ON")
        .execute(&mut *connection)
        .await
        .map_err(fault::from_driver)?;
    sqlx::query(
        "UPDATE main.mledger_objects SET encoding = 'absent', content = x'' WHERE digest = ?1",
    )
    .bind(digest.as_bytes().as_slice())
    .execute(connection)
    .await
    .map(drop)
    .map_err(fault::from_driver)
}

/// Returns up to `limit` digests above `after`, in order.
///
/// What is no digest is left out: nothing can name it.
pub(super) async fn digests(
    connection: &mut SqliteConnection,
    after: Option<Digest>,
    limit: u32,
) -> Result<Vec<Digest>, EngineError> {
    let after = after.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec());
    let found: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT digest FROM main.mledger_objects \
         WHERE digest > ?1 AND typeof(digest) = 'blob' AND length(digest) = 32 \
         ORDER BY digest LIMIT ?2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await
    .map_err(fault::from_driver)?;
    found
        .into_iter()
        .map(|bytes| {
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
