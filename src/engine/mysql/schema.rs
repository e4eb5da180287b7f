//! What the database itself defines: the schema fingerprint, and whether its tables take part in
//! transactions.

use ledger::Hasher;
use sqlx::MySqlConnection;

use super::details::{Details, Flavour};
use super::talk::{ALL, Values};
use super::{fault, literal, store, talk};
use crate::engine::{Access, EngineError, Fault, SchemaFingerprint};
use crate::migration::split::{TokenKind, Tokens};

/// The version of what is put under the digest.
const FORMAT: u32 = 1;

/// Engines whose tables can be rolled back.
const TRANSACTIONAL: &str = "'InnoDB', 'ROCKSDB', 'TokuDB', 'ndbcluster', 'SEQUENCE'";

/// Says whether every table is, and a new one would be, in an engine that can roll back.
pub(super) async fn is_transactional(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<bool, EngineError> {
    let schema = literal::text(database);
    let sql = format!(
        "SELECT @@default_storage_engine IN ({TRANSACTIONAL}) AND NOT EXISTS ( \
         SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema} \
         AND TABLE_TYPE <> 'VIEW' AND COALESCE(ENGINE, '') NOT IN ({TRANSACTIONAL}))"
    );
    match talk::row(connection, sql).await? {
        Some(row) => row.is_true(0),
        None => Ok(false),
    }
}

/// Returns how many tables there are but ours.
pub(super) async fn count_tables(
    connection: &mut MySqlConnection,
    database: &str,
) -> Result<u64, EngineError> {
    let sql = format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = {} AND TABLE_TYPE NOT LIKE '%VIEW' AND TABLE_TYPE <> 'SEQUENCE'",
        literal::text(database)
    );
    let mut count = 0;
    for row in talk::rows(connection, sql).await? {
        count += u64::from(!store::is_ours(&row.text(0)?));
    }
    Ok(count)
}

/// One part of the catalogue: which table it is read from, and the columns that are definitions. The
/// first column is the table, view or routine that a row belongs to.
struct Part {
    source: &'static str,
    schema: &'static str,
    columns: &'static str,
    only: &'static str,
}

/// What both servers have. Left out is what changes by itself: counters, statistics, times of change;
/// and what belongs to the server or the whole schema rather than to an object in it.
const PARTS: &[Part] = &[
    Part {
        source: "TABLES",
        schema: "TABLE_SCHEMA",
        columns: "TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, CREATE_OPTIONS, \
                  IF(TABLE_TYPE = 'VIEW', '', TABLE_COMMENT)",
        only: "",
    },
    Part {
        source: "COLUMNS",
        schema: "TABLE_SCHEMA",
        columns: "TABLE_NAME, ORDINAL_POSITION, COLUMN_NAME, COLUMN_DEFAULT, IS_NULLABLE, \
                  COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, GENERATION_EXPRESSION, \
                  COLUMN_COMMENT",
        only: "",
    },
    Part {
        source: "TABLE_CONSTRAINTS",
        schema: "TABLE_SCHEMA",
        columns: "TABLE_NAME, CONSTRAINT_NAME, CONSTRAINT_TYPE",
        only: "",
    },
    Part {
        source: "KEY_COLUMN_USAGE",
        schema: "TABLE_SCHEMA",
        columns: "TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION, COLUMN_NAME, \
                  NULLIF(REFERENCED_TABLE_SCHEMA, TABLE_SCHEMA), REFERENCED_TABLE_NAME, \
                  REFERENCED_COLUMN_NAME",
        only: "AND REFERENCED_TABLE_NAME IS NOT NULL",
    },
    Part {
        source: "REFERENTIAL_CONSTRAINTS",
        schema: "CONSTRAINT_SCHEMA",
        columns: "TABLE_NAME, CONSTRAINT_NAME, MATCH_OPTION, UPDATE_RULE, DELETE_RULE",
        only: "",
    },
    Part {
        source: "PARTITIONS",
        schema: "TABLE_SCHEMA",
        columns: "TABLE_NAME, PARTITION_NAME, SUBPARTITION_NAME, PARTITION_ORDINAL_POSITION, \
                  SUBPARTITION_ORDINAL_POSITION, PARTITION_METHOD, SUBPARTITION_METHOD, \
                  PARTITION_EXPRESSION, SUBPARTITION_EXPRESSION, PARTITION_DESCRIPTION, \
                  PARTITION_COMMENT",
        only: "AND PARTITION_NAME IS NOT NULL",
    },
    Part {
        source: "VIEWS",
        schema: "TABLE_SCHEMA",
        columns: "TABLE_NAME, VIEW_DEFINITION, CHECK_OPTION, SECURITY_TYPE, DEFINER",
        only: "",
    },
    Part {
        source: "TRIGGERS",
        schema: "TRIGGER_SCHEMA",
        columns: "EVENT_OBJECT_TABLE, TRIGGER_NAME, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER, \
                  ACTION_STATEMENT, SQL_MODE, DEFINER",
        only: "",
    },
    Part {
        source: "ROUTINES",
        schema: "ROUTINE_SCHEMA",
        columns: "ROUTINE_NAME, ROUTINE_TYPE, DTD_IDENTIFIER, ROUTINE_DEFINITION, IS_DETERMINISTIC, \
                  SQL_DATA_ACCESS, SECURITY_TYPE, SQL_MODE, ROUTINE_COMMENT, DEFINER",
        only: "",
    },
    Part {
        source: "PARAMETERS",
        schema: "SPECIFIC_SCHEMA",
        columns: "SPECIFIC_NAME, ROUTINE_TYPE, ORDINAL_POSITION, PARAMETER_MODE, PARAMETER_NAME, \
                  DTD_IDENTIFIER",
        only: "",
    },
    Part {
        source: "EVENTS",
        schema: "EVENT_SCHEMA",
        columns: "EVENT_NAME, EVENT_DEFINITION, EVENT_TYPE, EXECUTE_AT, INTERVAL_VALUE, \
                  INTERVAL_FIELD, STARTS, ENDS, TIME_ZONE, STATUS, ON_COMPLETION, SQL_MODE, \
                  EVENT_COMMENT, DEFINER",
        only: "",
    },
];

/// What MariaDB has of its own.
const MARIADB: &[Part] = &[
    Part {
        source: "STATISTICS",
        schema: "TABLE_SCHEMA",
        columns: "TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, COLUMN_NAME, SUB_PART, \
                  COLLATION, INDEX_TYPE, INDEX_COMMENT",
        only: "",
    },
    Part {
        source: "CHECK_CONSTRAINTS",
        schema: "CONSTRAINT_SCHEMA",
        columns: "TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE",
        only: "",
    },
];

/// What MySQL has of its own. Names of checks are those of the schema, not of a table; ours are known
/// by the table that their names begin with.
const MYSQL: &[Part] = &[
    Part {
        source: "STATISTICS",
        schema: "TABLE_SCHEMA",
        columns: "TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, COLUMN_NAME, SUB_PART, \
                  COLLATION, INDEX_TYPE, INDEX_COMMENT, IS_VISIBLE, EXPRESSION",
        only: "",
    },
    Part {
        source: "CHECK_CONSTRAINTS",
        schema: "CONSTRAINT_SCHEMA",
        columns: "CONSTRAINT_NAME, CHECK_CLAUSE",
        only: "AND CONSTRAINT_NAME NOT LIKE 'mledger!_%!_chk!_%' ESCAPE '!'",
    },
];

/// Returns the fingerprint of every definition but ours.
///
/// The SHA-256 over one row after another, rows sorted, each as the number of its fields (64 bits,
/// big-endian) and for each field its length in bytes (64 bits, big-endian; all ones for NULL) and its
/// text. A row is the name of a part of `information_schema` and the columns of [`PARTS`]. The name of
/// the schema itself, where a view names it, is left out, so that a copy under another name is equal; and
/// so are comments and the spacing in bodies, which a client may leave out of what it sends.
///
/// # Errors
///
/// [`Fault::Busy`] where another session held a definition for longer than this one waits.
pub(super) async fn fingerprint(
    connection: &mut MySqlConnection,
    access: Access,
    database: &str,
    details: &Details,
) -> Result<SchemaFingerprint, EngineError> {
    let (own, product) = match details.flavour {
        Flavour::MariaDb => (MARIADB, "mariadb"),
        Flavour::MySql => (MYSQL, "mysql"),
    };
    let schema = literal::text(database);
    let queries: Vec<String> = PARTS
        .iter()
        .chain(own)
        .map(|part| {
            format!(
                "SELECT '{}', {} FROM information_schema.{} WHERE {} = {schema} {} {ALL}; \
                 SHOW WARNINGS",
                part.source, part.columns, part.source, part.schema, part.only
            )
        })
        .collect();
    let qualifier = format!("{}.", literal::name(database));
    let (mut rows, mut granted) = (Vec::new(), Vec::new());
    // who only reads can do without it, and the server would wait for a day in each query
    let first = match access {
        Access::Read => "SET SESSION lock_wait_timeout = 1; ",
        Access::Write | Access::Run(_) => "",
    };
    let rights = format!(
        "SELECT 'right', PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES {ALL}; \
         SELECT 'right', PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES \
         WHERE {schema} LIKE TABLE_SCHEMA {ALL}"
    );
    let sql = format!("{first}{}; {rights}", queries.join("; "));
    for row in talk::rows(connection, sql).await? {
        if LEVELS.contains(&row.text(0)?.as_str()) {
            check_warning(&row)?;
        } else if row.text(0)? == "right" {
            granted.push(row.text(1)?);
        } else if !store::is_ours(&row.text(1)?) {
            rows.push(encoded(&row, &qualifier)?);
        }
    }
    rows.sort_unstable();
    let mut hasher = Hasher::new();
    for row in &rows {
        hasher.update(row);
    }
    Ok(SchemaFingerprint {
        digest: hasher.finish(),
        format: FORMAT,
        server: format!("{product} {}", details.major),
        lacking: lacking(&granted),
    })
}

/// What the first column of a warning says.
const LEVELS: [&str; 3] = ["Note", "Warning", "Error"];

/// MariaDB leaves out what it has waited for in vain, and only warns.
fn check_warning(row: &Values) -> Result<(), EngineError> {
    if row.number(1)? == Some(i64::from(fault::LOCK_WAIT)) {
        return Err(EngineError::new(
            Fault::Busy,
            "another session holds the definition of a table",
        ));
    }
    Ok(())
}

/// Rights of which each shows definitions, any one of a row as well as another.
const SHOWING: &[&[&str]] = &[
    &["TRIGGER"],
    &["SHOW VIEW"],
    &["EVENT"],
    &["EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE"],
];

/// Names the rights of [`SHOWING`] that are not among those granted on the server or the schema.
fn lacking(granted: &[String]) -> Vec<&'static str> {
    let is_granted = |right: &&str| granted.iter().any(|granted| granted == right);
    SHOWING
        .iter()
        .filter(|rights| !rights.iter().any(is_granted))
        .filter_map(|rights| rights.first().copied())
        .collect()
}

fn encoded(row: &Values, qualifier: &str) -> Result<Vec<u8>, EngineError> {
    let fields = row.len();
    let body = body_column(&row.text(0)?);
    let mut bytes = u64::try_from(fields)
        .unwrap_or(u64::MAX)
        .to_be_bytes()
        .to_vec();
    for column in 0..fields {
        let Some(mut field) = row.bytes(column)? else {
            bytes.extend(u64::MAX.to_be_bytes());
            continue;
        };
        if body == Some(column) {
            field = without_comments(&row.text(column)?).into_bytes();
        } else if column > 1
            && let Ok(text) = std::str::from_utf8(&field)
            && text.contains(qualifier)
        {
            field = text.replace(qualifier, "").into_bytes();
        }
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(field);
    }
    Ok(bytes)
}

/// Which field of a row holds statements as somebody wrote them.
fn body_column(source: &str) -> Option<usize> {
    match source {
        "EVENTS" => Some(2),
        "ROUTINES" => Some(4),
        "TRIGGERS" => Some(6),
        _ => None,
    }
}

/// Writes the tokens of a body with one space between them; a body that cannot be read stays as it is.
fn without_comments(body: &str) -> String {
    let mut words = Vec::new();
    for token in Tokens::new(body, 0, &crate::migration::split::MYSQL) {
        let Ok(token) = token else {
            return body.to_owned();
        };
        if !matches!(token.kind, TokenKind::Space | TokenKind::Comment) {
            words.extend(body.get(token.range));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_spacing_of_a_body_do_not_count_and_texts_do() {
        let bare = without_comments("BEGIN SET x='-- a'; END");
        assert_eq!(bare, "BEGIN SET x = '-- a' ; END");
        let commented = "BEGIN -- one\n  SET x = /* two */ '-- a';\n# three\nEND";
        assert_eq!(without_comments(commented), bare);
        assert_ne!(without_comments("BEGIN SET x = '--  a'; END"), bare);
        assert_eq!(without_comments("BEGIN 'open"), "BEGIN 'open");
    }
}
