//! The objects table.

use ledger::Digest;

use super::fault::Of;
use super::link::{self, Link};
use super::literal;
use crate::engine::{Encoding, EngineError, Fault, Object};

/// Stores an object unless one of its digest is there.
pub(super) async fn put(link: &mut Link, prefix: &str, object: &Object) -> Result<(), EngineError> {
    let sql = format!("{prefix}{}", putting(object)?);
    link.run(&sql, Of::Ours).await
}

/// Returns the statement, with its semicolon, that stores an object unless one of its digest is there.
///
/// # Errors
///
/// [`Fault::Statement`] for one that is too large.
pub(super) fn putting(object: &Object) -> Result<String, EngineError> {
    let size = i64::try_from(object.size).map_err(|_| {
        let reason = format!("an object of {} bytes is too large", object.size);
        EngineError::new(Fault::Statement, reason)
    })?;
    Ok(format!(
        "INSERT INTO mledger.objects (digest, size, encoding, content) \
         VALUES ({}, {size}, '{}', {}) ON CONFLICT (digest) DO NOTHING; ",
        literal::bytes(object.digest.as_bytes()),
        encoding_name(object.encoding),
        literal::bytes(&object.content),
    ))
}

/// Returns the object with this digest.
pub(super) async fn find(
    link: &mut Link,
    prefix: &str,
    digest: &Digest,
) -> Result<Option<Object>, EngineError> {
    let sql = format!(
        "{prefix}SELECT size, encoding, pg_catalog.encode(content, 'hex') FROM mledger.objects \
         WHERE digest = {}",
        literal::bytes(digest.as_bytes())
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    // a row that was tampered with is reported as an object that does not fit, and is no error
    let size = link::integer(row, 0)?;
    Ok(Some(Object {
        digest: *digest,
        size: size
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or(u64::MAX),
        encoding: link::text(row, 1)?.map_or(Encoding::Unknown, |name| encoding_of(&name)),
        content: link::bytes(row, 2)?,
    }))
}

/// Erases an object's bytes.
pub(super) async fn redact(
    link: &mut Link,
    prefix: &str,
    digest: &Digest,
) -> Result<(), EngineError> {
    let digest = literal::bytes(digest.as_bytes());
    let sql = format!(
        "{prefix}UPDATE mledger.objects SET encoding = 'absent', content = '' WHERE digest = {digest}"
    );
    link.run(&sql, Of::Ours).await
}

/// Returns up to `limit` digests above `after`, in order.
///
/// What is no digest is left out: nothing can name it.
pub(super) async fn digests(
    link: &mut Link,
    prefix: &str,
    after: Option<Digest>,
    limit: u32,
) -> Result<Vec<Digest>, EngineError> {
    let after = after.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec());
    let sql = format!(
        "{prefix}SELECT pg_catalog.encode(digest, 'hex') FROM mledger.objects \
         WHERE digest > {} AND pg_catalog.octet_length(digest) = 32 \
         ORDER BY digest LIMIT {limit}",
        literal::bytes(&after)
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    let mut digests = Vec::with_capacity(rows.len());
    for row in &rows {
        let bytes = link::bytes(row, 0)?;
        let length = bytes.len();
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| {
            let reason = format!("expected a digest of 32 bytes, found {length} bytes");
            EngineError::new(Fault::Statement, reason)
        })?;
        digests.push(Digest::from_bytes(bytes));
    }
    Ok(digests)
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
