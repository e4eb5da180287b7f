//! The ledger's own tables, guards and views: made, and compared with how they should be.

use super::fault::Of;
use super::link::{self, Link};
use super::literal;
use crate::engine::{EngineError, Fault, Identity, Store};

/// A key of advisory locks that nobody else uses: the first eight bytes of the SHA-256 of `mledger`.
const CREATING: i64 = 0x6617_F574_BEED_E7C8;

/// What is in the schema, to be compared.
const INSPECT: &str = include_str!("store.sql");

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../migrations/postgres/", $name, ".sql"))
    };
}

/// The tables: name, file, and how the server describes the columns.
const TABLES: [(&str, &str, &str); 3] = [
    (
        "events",
        file!("events"),
        "rp seq bigint not null, line bytea not null, signature bytea not null, \
         prev bytea not null, hash bytea not null",
    ),
    (
        "objects",
        file!("objects"),
        "rp digest bytea not null, size bigint not null, encoding text not null, \
         content bytea not null",
    ),
    (
        "lease",
        file!("lease"),
        "rp id integer not null, identity text not null, token text, actor text, host text, \
         run text, process text, session text, since_ms bigint, expires_ms bigint",
    ),
];

/// The constraints: name, and how the server describes them.
const CONSTRAINTS: [(&str, &str); 13] = [
    ("events_pkey", "events p PRIMARY KEY (seq)"),
    ("events_prev_key", "events u UNIQUE (prev)"),
    ("events_hash_key", "events u UNIQUE (hash)"),
    (
        "events_signature_check",
        "events c CHECK ((octet_length(signature) = 64))",
    ),
    (
        "events_prev_check",
        "events c CHECK ((octet_length(prev) = 32))",
    ),
    (
        "events_hash_check",
        "events c CHECK ((octet_length(hash) = 32))",
    ),
    ("objects_pkey", "objects p PRIMARY KEY (digest)"),
    (
        "objects_digest_check",
        "objects c CHECK ((octet_length(digest) = 32))",
    ),
    ("objects_size_check", "objects c CHECK ((size >= 0))"),
    (
        "objects_encoding_check",
        "objects c CHECK (((encoding = 'raw'::text) OR (encoding = 'zstd'::text) \
         OR (encoding = 'absent'::text)))",
    ),
    (
        "objects_content_check",
        "objects c CHECK (((encoding <> 'absent'::text) OR (octet_length(content) = 0)))",
    ),
    ("lease_pkey", "lease p PRIMARY KEY (id)"),
    ("lease_id_check", "lease c CHECK ((id = 1))"),
];

/// Language, volatility, rights and settings of the guards' functions.
const GUARD: &str = "plpgsql v f search_path=pg_catalog, pg_temp";

/// The functions: name, file, and how the server describes them.
const FUNCTIONS: [(&str, &str, &str); 7] = [
    ("events_next_only", file!("events_next_only"), GUARD),
    ("events_no_change", file!("events_no_change"), GUARD),
    ("objects_redact_only", file!("objects_redact_only"), GUARD),
    ("objects_no_delete", file!("objects_no_delete"), GUARD),
    ("lease_no_delete", file!("lease_no_delete"), GUARD),
    (
        "event_body",
        file!("event_body"),
        "plpgsql i f search_path=pg_catalog, pg_temp",
    ),
    ("event_number", file!("event_number"), "sql i f "),
];

/// The triggers: name, and table, events as `pg_trigger.tgtype` has them, `A` for always, function.
const TRIGGERS: [(&str, &str); 8] = [
    ("events_next_only", "events 7 A mledger.events_next_only"),
    ("events_no_change", "events 27 A mledger.events_no_change"),
    ("events_no_truncate", "events 34 A mledger.events_no_change"),
    (
        "objects_redact_only",
        "objects 19 A mledger.objects_redact_only",
    ),
    (
        "objects_no_delete",
        "objects 11 A mledger.objects_no_delete",
    ),
    (
        "objects_no_truncate",
        "objects 34 A mledger.objects_no_delete",
    ),
    ("lease_no_delete", "lease 11 A mledger.lease_no_delete"),
    ("lease_no_truncate", "lease 34 A mledger.lease_no_delete"),
];

/// The views, in the order in which they can be made.
const VIEWS: [(&str, &str); 6] = [
    ("migration_audit_log", file!("migration_audit_log")),
    ("migration_history", file!("migration_history")),
    ("migration_versions", file!("migration_versions")),
    ("migration_locks", file!("migration_locks")),
    (
        "migration_rollback_history",
        file!("migration_rollback_history"),
    ),
    ("backup_history", file!("backup_history")),
];

/// One row of the inspection.
struct Found {
    kind: String,
    name: String,
    detail: String,
}

/// Compares what is there with how it should be.
pub(super) async fn inspect(link: &mut Link, prefix: &str) -> Result<Store, EngineError> {
    let found = look(link, prefix).await?;
    let store = compare(&found);
    if !matches!(store, Store::Present { .. }) {
        return Ok(store);
    }
    // its row is what the lease lives in and what says which database this is
    let sql = format!("{prefix}SELECT EXISTS (SELECT 1 FROM mledger.lease)");
    let rows = link.ask(&sql, Of::Ours).await?;
    match rows.first().map(|row| link::truth(row, 0)).transpose()? {
        Some(true) => Ok(store),
        _ => Ok(Store::Damaged {
            missing: vec!["the row of mledger.lease".to_owned()],
        }),
    }
}

async fn look(link: &mut Link, prefix: &str) -> Result<Vec<Found>, EngineError> {
    let rows = link.ask(&format!("{prefix}{INSPECT}"), Of::Ours).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let column = |at| link::text(row, at).map(Option::unwrap_or_default);
        found.push(Found {
            kind: column(0)?,
            name: column(1)?,
            detail: column(2)?,
        });
    }
    Ok(found)
}

fn compare(found: &[Found]) -> Store {
    let there = |kind: &str, name: &str| {
        found
            .iter()
            .find(|found| found.kind == kind && found.name == name)
    };
    let mut missing = Vec::new();
    for (name, _, columns) in TABLES {
        match there("table", name) {
            None if there("view", name).is_none() => missing.push(format!("mledger.{name}")),
            Some(found) if found.detail == columns => {}
            _ => {
                return Store::Foreign {
                    reason: format!("`mledger.{name}` is not shaped as this version makes it"),
                };
            }
        }
    }
    let expected = expected();
    if missing.len() == TABLES.len() {
        let left: Vec<String> = expected
            .iter()
            .filter(|(kind, name, _)| there(kind, name).is_some())
            .map(|(_, name, _)| format!("mledger.{name}"))
            .collect();
        return match left.is_empty() {
            true => Store::Absent,
            false => Store::Remains { left },
        };
    }
    if !missing.is_empty() {
        return Store::Damaged { missing };
    }
    let mut missing_guards = Vec::new();
    for (kind, name, detail) in &expected {
        let same = match (there(kind, name), detail) {
            (Some(found), Some(detail)) => found.detail == *detail,
            (Some(view), None) => is_as_noted(&view.detail),
            (None, _) => false,
        };
        if !same {
            missing_guards.push(format!("mledger.{name}"));
        }
    }
    // somebody else's trigger, rule or constraint on our tables can keep from happening what a guard
    // lets happen
    for found in found {
        let added = matches!(found.kind.as_str(), "trigger" | "rule" | "constraint")
            && !expected
                .iter()
                .any(|(kind, name, _)| found.kind == *kind && found.name == *name);
        if added {
            missing_guards.push(found.name.clone());
        }
    }
    missing_guards.dedup();
    Store::Present {
        guards: u64::try_from(TRIGGERS.len() + VIEWS.len()).unwrap_or(u64::MAX),
        missing_guards,
    }
}

/// Kind, name and description of all that should be there beside the tables; what the server says of a
/// view is its own wording, and only what was noted of it can be compared.
fn expected() -> Vec<(&'static str, &'static str, Option<String>)> {
    let mut all = Vec::new();
    for (name, detail) in TRIGGERS {
        all.push(("trigger", name, Some(detail.to_owned())));
    }
    for (name, file, head) in FUNCTIONS {
        let body = file.split("$guard$").nth(1).unwrap_or_default();
        all.push(("function", name, Some(format!("{head}\n{body}"))));
    }
    for (name, _) in VIEWS {
        all.push(("view", name, None));
    }
    for (name, detail) in CONSTRAINTS {
        all.push(("constraint", name, Some(detail.to_owned())));
    }
    all
}

/// Compares a view's definition with what was noted when it was made. Another major version of the
/// server may word the same definition in another way, and then there is nothing to compare.
fn is_as_noted(detail: &str) -> bool {
    let mut words = detail.split(' ');
    let (major, digest) = (words.next(), words.next());
    let noted: Vec<&str> = words.collect();
    match noted.as_slice() {
        ["mledger", noted_major, noted_digest] => {
            major != Some(noted_major) || digest == Some(noted_digest)
        }
        _ => false,
    }
}

/// Makes everything, inside the open transaction.
pub(super) async fn create(
    link: &mut Link,
    prefix: &str,
    identity: &str,
) -> Result<(), EngineError> {
    // many may meet a database without a ledger at once; the transaction of one makes it
    let sql = format!(
        "{prefix}SELECT pg_catalog.pg_advisory_xact_lock({CREATING}); \
         SELECT pg_catalog.to_regnamespace('mledger') IS NOT NULL, \
             pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')"
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    let (mut has_schema, mut may_create) = (false, false);
    if let Some(row) = rows.last() {
        (has_schema, may_create) = (link::truth(row, 0)?, link::truth(row, 1)?);
    }
    let remains = match has_schema {
        true => compare(&look(link, prefix).await?),
        false => Store::Absent,
    };
    if !matches!(remains, Store::Absent | Store::Remains { .. }) {
        return Err(EngineError::new(
            Fault::Conflict,
            "another run made the ledger's tables at the same time",
        ));
    }
    if !has_schema && !may_create {
        return Err(missing_right());
    }
    let mut sql = prefix.to_owned();
    if !has_schema {
        sql.push_str("CREATE SCHEMA mledger;\n");
    }
    if matches!(remains, Store::Remains { .. }) {
        // what others have built upon them is theirs, and keeps them from being dropped
        for (name, _) in VIEWS.iter().rev() {
            sql.push_str(&format!("DROP VIEW IF EXISTS mledger.{name};\n"));
        }
        for (name, ..) in FUNCTIONS.iter().rev() {
            sql.push_str(&format!("DROP FUNCTION IF EXISTS mledger.{name};\n"));
        }
    }
    let tables = TABLES.iter().map(|(_, file, _)| *file);
    let functions = FUNCTIONS.iter().map(|(_, file, _)| *file);
    let views = VIEWS.iter().map(|(_, file)| *file);
    for file in tables
        .chain(functions)
        .chain([file!("triggers")])
        .chain(views)
    {
        sql.push_str(file);
    }
    let identity = literal::text(identity);
    sql.push_str(&format!(
        "INSERT INTO mledger.lease (id, identity) VALUES (1, {identity})"
    ));
    link.run(&sql, Of::Ours).await?;
    note_views(link, prefix).await
}

/// Notes each view's definition as the server wrote it down, in the view's comment.
async fn note_views(link: &mut Link, prefix: &str) -> Result<(), EngineError> {
    let mut sql = prefix.to_owned();
    for found in look(link, prefix).await? {
        let is_ours = VIEWS.iter().any(|(name, _)| *name == found.name);
        if found.kind == "view" && is_ours {
            let (name, noted) = (found.name, found.detail);
            sql.push_str(&format!(
                "COMMENT ON VIEW mledger.{name} IS 'mledger {noted}'; "
            ));
        }
    }
    link.run(&sql, Of::Ours).await
}

fn missing_right() -> EngineError {
    EngineError::new(
        Fault::Denied,
        "the role may not create the schema `mledger`: it lacks the right CREATE on the database; \
         let its owner run `GRANT CREATE ON DATABASE … TO …`, or `CREATE SCHEMA mledger \
         AUTHORIZATION …`",
    )
}

/// Returns the cluster's system identifier, where the role may know it.
pub(super) async fn system(link: &mut Link, prefix: &str) -> Result<Option<String>, EngineError> {
    // asked first: a call that is denied would end the transaction
    let permitted = format!(
        "{prefix}SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', \
             'EXECUTE')"
    );
    let rows = link.ask(&permitted, Of::Ours).await?;
    if rows.first().map(|row| link::truth(row, 0)).transpose()? != Some(true) {
        return Ok(None);
    }
    let sql = format!("{prefix}SELECT system_identifier FROM pg_catalog.pg_control_system()");
    let rows = link.ask(&sql, Of::Ours).await?;
    match rows.first() {
        Some(row) => link::text(row, 0),
        None => Ok(None),
    }
}

/// Returns which database this is: the cluster's system identifier and the database's name.
///
/// What was taken when the store was made stays: where the role may not know the system identifier,
/// the one that is kept in the store, or the random id that was taken instead of it.
pub(super) async fn identity(link: &mut Link, prefix: &str) -> Result<Identity, EngineError> {
    let coded = |text| format!("pg_catalog.encode(pg_catalog.convert_to({text}, 'UTF8'), 'hex')");
    let sql = format!(
        "{prefix}SELECT {}, {} FROM mledger.lease",
        coded("identity"),
        coded("pg_catalog.current_database()")
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    let kept = match rows.first() {
        Some(row) => link::coded_text(row, 0)?.zip(link::coded_text(row, 1)?),
        None => None,
    };
    let (kept, name) = kept.ok_or_else(|| {
        EngineError::new(
            Fault::NotADatabase,
            "`mledger.lease` has lost what says which database this is",
        )
    })?;
    let is_system = kept.bytes().all(|byte| byte.is_ascii_digit());
    let current = if is_system {
        system(link, prefix).await?
    } else {
        None
    };
    Ok(Identity {
        identity: format!("{}/{name}", current.unwrap_or(kept)),
        name,
    })
}

/// Puts this cluster's system identifier, or `random` where the role may not know it, in the place of what
/// was taken when the store was made.
pub(super) async fn renew_identity(
    link: &mut Link,
    prefix: &str,
    random: &str,
) -> Result<(), EngineError> {
    let system = system(link, prefix).await?;
    let identity = literal::text(system.as_deref().unwrap_or(random));
    let sql = format!("{prefix}UPDATE mledger.lease SET identity = {identity}");
    link.run(&sql, Of::Ours).await
}
