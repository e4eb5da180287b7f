//! How the ledger's own tables are shaped: columns, unique keys and checks.

use super::talk::{ALL, Values};
use crate::engine::EngineError;

/// The columns of each table: name, type, bytes or characters where limited, and whether NULL may be.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "mledger_events",
        &[
            "seq bigint no",
            "line longblob no",
            "signature varbinary(64) no",
            "prev varbinary(32) no",
            "hash varbinary(32) no",
        ],
    ),
    (
        "mledger_objects",
        &[
            "digest varbinary(32) no",
            "size bigint no",
            "encoding varchar(8) no",
            "content longblob no",
        ],
    ),
    (
        "mledger_lease",
        &[
            "only tinyint no",
            "identity varchar(64) no",
            "token varchar(36) yes",
            "actor text yes",
            "host text yes",
            "run varchar(36) yes",
            "process text yes",
            "session text yes",
            "since_ms bigint yes",
            "expires_ms bigint yes",
        ],
    ),
    (
        "mledger_no_truncate",
        &[
            "event bigint yes",
            "object varbinary(32) yes",
            "lease tinyint yes",
        ],
    ),
];

/// The columns of each unique key.
const KEYS: &[(&str, &[&str])] = &[
    ("mledger_events", &["hash", "prev", "seq"]),
    ("mledger_objects", &["digest"]),
    ("mledger_lease", &["only"]),
    ("mledger_no_truncate", &[]),
];

/// How many checks a table has; each server words them in its own way.
const CHECKS: &[(&str, usize)] = &[
    ("mledger_events", 3),
    ("mledger_objects", 4),
    ("mledger_lease", 1),
    ("mledger_no_truncate", 0),
];

/// A table or view of one of our names, as it was found.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    kind: String,
    engine: String,
    columns: Vec<String>,
    keys: Vec<String>,
    checks: usize,
    /// Whether the user may see constraints: who may only read is shown none of any kind.
    sees_constraints: bool,
}

impl Shape {
    /// Begins with what the list of tables says.
    pub(super) fn of(name: String, kind: String, engine: String) -> Self {
        Self {
            name,
            kind,
            engine,
            columns: Vec::new(),
            keys: Vec::new(),
            checks: 0,
            sees_constraints: false,
        }
    }

    /// Takes a row that says `part` of it: a column, a unique key, or a constraint.
    pub(super) fn take(&mut self, part: &str, row: &Values) -> Result<(), EngineError> {
        match part {
            "column" => self.columns.push(column(row)?),
            "key" => self.keys.push(row.text(2)?.to_ascii_lowercase()),
            _ => {
                self.sees_constraints = true;
                self.checks += usize::from(row.text(2)? == "CHECK");
            }
        }
        Ok(())
    }

    /// Says what is wrong with a table of one of our names, if it is not ours.
    pub(super) fn misfit(&self) -> Option<String> {
        let name = self.name.to_ascii_lowercase();
        let (_, columns) = COLUMNS.iter().find(|(ours, _)| *ours == name)?;
        if self.kind != "BASE TABLE" {
            return Some(format!("`{name}` is not a table"));
        }
        if !self.engine.eq_ignore_ascii_case("InnoDB") {
            return Some(format!(
                "the table `{name}` is stored by `{}`, expected `InnoDB`",
                self.engine
            ));
        }
        (self.columns != *columns)
            .then(|| format!("the table `{name}` is not shaped as this version makes it"))
    }

    /// Names the unique keys that are missing or were added, and says where checks are missing.
    pub(super) fn weakened(&self) -> Vec<String> {
        let name = self.name.to_ascii_lowercase();
        let expected = KEYS.iter().zip(CHECKS).find(|((ours, _), _)| *ours == name);
        let Some(((_, keys), (_, checks))) = expected else {
            return Vec::new();
        };
        let missing = keys
            .iter()
            .copied()
            .filter(|key| !self.keys.iter().any(|found| found == key));
        let added = self
            .keys
            .iter()
            .map(String::as_str)
            .filter(|found| !keys.contains(found));
        let mut weakened: Vec<String> = missing
            .chain(added)
            .map(|key| format!("{name} (unique key `{key}`)"))
            .collect();
        if self.sees_constraints && self.checks != *checks {
            weakened.push(format!(
                "{name} ({} checks, expected {checks})",
                self.checks
            ));
        }
        weakened
    }
}

/// The query for the unique keys of tables, each with its columns in order and how much of them.
pub(super) fn keys(schema: &str, tables: &str) -> String {
    format!(
        "SELECT 'key', TABLE_NAME, GROUP_CONCAT(COALESCE(COLUMN_NAME, '?'), \
         COALESCE(CONCAT('(', SUB_PART, ')'), '') ORDER BY SEQ_IN_INDEX SEPARATOR ', ') \
         FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME IN ({tables}) AND NON_UNIQUE = 0 \
         GROUP BY TABLE_NAME, INDEX_NAME {ALL}"
    )
}

/// The query for the constraints of tables, a row each with its type.
pub(super) fn constraints(schema: &str, tables: &str) -> String {
    format!(
        "SELECT 'constraint', TABLE_NAME, CONSTRAINT_TYPE \
         FROM information_schema.TABLE_CONSTRAINTS \
         WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME IN ({tables}) {ALL}"
    )
}

/// Writes a column as [`COLUMNS`] has it.
fn column(row: &Values) -> Result<String, EngineError> {
    let kind = row.text(3)?.to_ascii_lowercase();
    let length = if kind.starts_with("var") {
        format!("({})", row.text(4)?)
    } else {
        String::new()
    };
    let null = row.text(5)?.to_ascii_lowercase();
    Ok(format!("{} {kind}{length} {null}", row.text(2)?))
}
