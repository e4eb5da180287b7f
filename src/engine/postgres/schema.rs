//! What the database itself defines: the schema fingerprint.

use ledger::Hasher;

use super::fault::Of;
use super::link::{self, Link};
use crate::engine::{EngineError, SchemaFingerprint};

/// The version of what is put under the digest.
const FORMAT: u32 = 1;

/// Every definition but ours, a row each: kind, name, text.
const DEFINITIONS: &str = include_str!("fingerprint.sql");

/// Settings that change how the server writes definitions.
const PINNED: &str = "SET LOCAL search_path = ''; SET LOCAL quote_all_identifiers = off; \
     SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; \
     SET LOCAL timezone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; \
     SET LOCAL xmlbinary = 'base64'; SET LOCAL lc_monetary = 'C'; ";

/// How long a session waits for who changes definitions where it only looks, and can do without.
pub(super) const SHORT_WAIT: &str = "SET LOCAL lock_timeout = '3s'; ";

/// How often the catalogue is read where another session drops what it has just named.
const TRIES: u32 = 8;

/// The code with which the functions that write definitions miss what was dropped: an internal error,
/// since they look at the newest state and the query at an older one.
const DROPPED_MEANWHILE: &str = "XX000";

/// Returns the fingerprint of every definition but ours.
///
/// The SHA-256 over one field after another, each as its length in bytes (64 bits, big-endian) and its
/// UTF-8 text: the rows of `fingerprint.sql`, sorted by their bytes.
pub(super) async fn fingerprint(
    link: &mut Link,
    prefix: &str,
) -> Result<SchemaFingerprint, EngineError> {
    let sql = format!("{prefix}{PINNED}{DEFINITIONS}");
    let mut tries = 1;
    let rows = loop {
        match link.ask(&sql, Of::Ours).await {
            Err(error) if tries < TRIES && error.code.as_deref() == Some(DROPPED_MEANWHILE) => {
                tries += 1;
            }
            other => break other?,
        }
    };
    let mut server = String::new();
    let mut definitions = Vec::with_capacity(rows.len());
    for row in &rows {
        let column = |at| link::text(row, at).map(Option::unwrap_or_default);
        let definition = [column(0)?, column(1)?, column(2)?];
        let [kind, _, text] = &definition;
        if kind == "server" {
            server.clone_from(text);
        } else {
            definitions.push(definition);
        }
    }
    definitions.sort_unstable();
    let mut hasher = Hasher::new();
    for field in definitions.iter().flatten() {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_be_bytes());
        hasher.update(field.as_bytes());
    }
    Ok(SchemaFingerprint {
        digest: hasher.finish(),
        format: FORMAT,
        server,
        // anybody may read all definitions here
        lacking: Vec::new(),
    })
}

/// Returns how many tables there are, but ours and the system's.
pub(super) async fn count_tables(link: &mut Link, prefix: &str) -> Result<u64, EngineError> {
    let sql = format!(
        "{prefix}SELECT count(*) FROM pg_catalog.pg_class \
         JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE relkind IN ('r', 'p', 'f') AND nspname NOT IN ('mledger', 'information_schema') \
         AND nspname !~ '^pg_'"
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    let count = rows.first().map(|row| link::integer(row, 0)).transpose()?;
    Ok(count
        .flatten()
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0))
}
