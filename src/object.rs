//! Scripts, plans and policies as stored objects: bytes under their SHA-256.

use std::io::{self, Write};

use ledger::Digest;

use crate::engine::{Encoding, EngineError, Object, Session};

/// Above so many compressed bytes only digest and size are kept (docs/format.md section 9).
pub const LIMIT: usize = 16 * 1024 * 1024;

/// Below so many bytes compression is not worth its frame.
const WORTH_COMPRESSING: usize = 256;

/// The standard level of Zstandard: about 3 times smaller SQL at some 300 MB a second.
const LEVEL: i32 = 3;

/// Returns the object that holds `bytes`.
pub fn pack(digest: Digest, bytes: &[u8]) -> Object {
    let size = bytes.len() as u64;
    let raw = || Object {
        digest,
        size,
        encoding: Encoding::Raw,
        content: bytes.to_vec(),
    };
    if bytes.len() < WORTH_COMPRESSING {
        return raw();
    }
    match compress(bytes) {
        Some(content) if content.len() < bytes.len() => Object {
            digest,
            size,
            encoding: Encoding::Zstd,
            content,
        },
        _ if bytes.len() <= LIMIT => raw(),
        _ => Object {
            digest,
            size,
            encoding: Encoding::Absent,
            content: Vec::new(),
        },
    }
}

/// Returns the compressed bytes, or `None` when there are too many of them.
fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let bounded = Bounded { bytes: Vec::new() };
    let mut encoder = zstd::Encoder::new(bounded, LEVEL).ok()?;
    // without it the encoder makes room for a text without end, for each small script anew
    encoder
        .set_pledged_src_size(Some(bytes.len() as u64))
        .ok()?;
    encoder.write_all(bytes).ok()?;
    Some(encoder.finish().ok()?.bytes)
}

/// A buffer that refuses to grow beyond [`LIMIT`].
struct Bounded {
    bytes: Vec<u8>,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > LIMIT {
            return Err(io::Error::other("larger than an object may be"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why an object's bytes cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// There is no object with this digest.
    Missing(Digest),
    /// Only digest and size were kept, or the bytes were erased.
    Absent(Digest),
    /// The bytes are there and are others.
    Mismatch(Digest),
}

/// Returns the original bytes of a stored object, if they have its digest.
///
/// # Errors
///
/// [`Unusable::Absent`] and [`Unusable::Mismatch`].
pub fn unpack(object: &Object) -> Result<Vec<u8>, Unusable> {
    let bytes = match object.encoding {
        Encoding::Raw => object.content.clone(),
        Encoding::Zstd => {
            expand(&object.content, object.size).ok_or(Unusable::Mismatch(object.digest))?
        }
        Encoding::Absent => return Err(Unusable::Absent(object.digest)),
        Encoding::Unknown => return Err(Unusable::Mismatch(object.digest)),
    };
    if bytes.len() as u64 == object.size && Digest::of(&bytes) == object.digest {
        Ok(bytes)
    } else {
        Err(Unusable::Mismatch(object.digest))
    }
}

/// Decompresses at most `size` bytes, so that a forged frame cannot fill the memory.
fn expand(content: &[u8], size: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let decoder = zstd::Decoder::new(content).ok()?;
    io::copy(
        &mut io::Read::take(decoder, size.saturating_add(1)),
        &mut bytes,
    )
    .ok()?;
    Some(bytes)
}

/// Returns the bytes that a session's database keeps under `digest`.
///
/// # Errors
///
/// The outer error is the database's, the inner one says why the bytes cannot be used.
pub async fn bytes(
    session: &mut dyn Session,
    digest: &Digest,
) -> Result<Result<Vec<u8>, Unusable>, EngineError> {
    let object = session.object(digest).await?;
    Ok(object.map_or(Err(Unusable::Missing(*digest)), |object| unpack(&object)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn round_trip(bytes: &[u8]) -> Object {
        let object = pack(Digest::of(bytes), bytes);
        assert_eq!(unpack(&object).unwrap(), bytes);
        object
    }

    #[test]
    fn small_texts_are_kept_as_they_are_and_large_ones_compressed() {
        assert_eq!(round_trip(b"").encoding, Encoding::Raw);
        assert_eq!(round_trip(b"SELECT 1").encoding, Encoding::Raw);
        assert_eq!(
            round_trip(&b"SELECT 1;\n".repeat(1000)).encoding,
            Encoding::Zstd
        );
    }

    #[test]
    fn what_does_not_fit_keeps_digest_and_size() {
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..LIMIT + 1)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let object = pack(Digest::of(&noise), &noise);
        assert_eq!(object.encoding, Encoding::Absent);
        assert_eq!(unpack(&object), Err(Unusable::Absent(object.digest)));
    }

    #[test]
    fn other_bytes_are_never_returned() {
        let text = b"CREATE TABLE a (b);".repeat(100);
        let mut object = pack(Digest::of(&text), &text);
        object.content[20] ^= 1;
        assert_eq!(unpack(&object), Err(Unusable::Mismatch(object.digest)));
        let mut longer = pack(Digest::of(&text), &text);
        longer.size -= 1;
        assert_eq!(unpack(&longer), Err(Unusable::Mismatch(longer.digest)));
    }
}
