//! The objects table.

use ledger::Digest;
use sqlx::{Error, Row, SqliteConnection};

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
    let columns = || -> Result<(i64, String, Option<Vec<u8>>), Error> {
        Ok((
            row.try_get_unchecked(0)?,
            row.try_get_unchecked(1)?,
            row.try_get_unchecked(2)?,
        ))
    };
    let (size, encoding, content) = columns().map_err(fault::from_driver)?;
    let damaged = |what: &str| {
        let reason = format!("object `{digest}` has {what}");
        EngineError::new(Fault::Statement, reason)
    };
    Ok(Some(Object {
        digest: *digest,
        size: u64::try_from(size).map_err(|_| damaged("a size below zero"))?,
        encoding: encoding_of(&encoding).ok_or_else(|| damaged("an unknown encoding"))?,
        content: content.unwrap_or_default(),
    }))
}

/// Returns up to `limit` digests above `after`, in order.
pub(super) async fn digests(
    connection: &mut SqliteConnection,
    after: Option<Digest>,
    limit: u32,
) -> Result<Vec<Digest>, EngineError> {
    let after = after.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec());
    let found: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT digest FROM main.mledger_objects WHERE digest > ?1 ORDER BY digest LIMIT ?2",
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
    }
}

fn encoding_of(name: &str) -> Option<Encoding> {
    [Encoding::Raw, Encoding::Zstd, Encoding::Absent]
        .into_iter()
        .find(|encoding| encoding_name(*encoding) == name)
}
