//! The same the other way: the table that another tool would have, for those who leave.
//!
//! Pure: what is applied goes in, statements come out.

use ledger::Timestamp;

use super::flyway::Flyway;
use super::sqlx_migrate::Sqlx;
use super::{File, TableName, Tool};
use crate::migration::Version;

/// How a kind of database writes what tools' tables are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writing {
    /// The type of bytes.
    pub bytes: &'static str,
    /// What stands before and after bytes in hexadecimal.
    pub hexadecimal: (&'static str, &'static str),
    /// The type of a time.
    pub time: &'static str,
    /// What stands behind a time in UTC.
    pub utc: &'static str,
    /// The type and the key of a column that counts by itself.
    pub counter: &'static str,
}

/// A migration that is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The version, as in the file's name.
    pub version: Version,
    /// The name, as in the file's name.
    pub name: String,
    /// The name of the file of the up script.
    pub file: String,
    /// The bytes of that file.
    pub text: Vec<u8>,
    /// When it was applied.
    pub at: Timestamp,
    /// How long that took.
    pub duration_ms: u64,
    /// By whom.
    pub actor: String,
}

/// Statements that make another tool's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The table.
    pub table: TableName,
    /// Makes it, empty.
    pub create: String,
    /// Fill it, in order.
    pub rows: Vec<String>,
}

/// The tools whose table can be written.
pub const LEAVING_FOR: [&str; 5] = ["sqlx", "flyway", "golang-migrate", "goose", "dbmate"];

/// Returns what makes the table of `tool` say that `applied`, in order of version, is applied; none for
/// a tool whose table cannot be written.
pub fn leave(tool: &str, applied: &[Leaving], writing: &Writing) -> Option<Departure> {
    let (table, columns, rows) = match tool {
        "sqlx" => sqlx(applied, writing),
        "flyway" => flyway(applied, writing),
        "golang-migrate" => golang_migrate(applied),
        "goose" => goose(applied, writing),
        "dbmate" => dbmate(applied),
        _ => return None,
    };
    Some(Departure {
        table: TableName {
            schema: None,
            name: table.to_owned(),
        },
        create: format!("CREATE TABLE {table} ({columns})"),
        rows: rows
            .into_iter()
            .map(|row| format!("INSERT INTO {table} {row}"))
            .collect(),
    })
}

type Parts = (&'static str, String, Vec<String>);

fn sqlx(applied: &[Leaving], writing: &Writing) -> Parts {
    let columns = format!(
        "version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on {} NOT NULL DEFAULT \
         CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum {} NOT NULL, execution_time BIGINT NOT NULL",
        writing.time, writing.bytes
    );
    let (open, close) = writing.hexadecimal;
    let rows = applied
        .iter()
        .map(|one| {
            let sum = Sqlx.checksums(&file(one)).concat();
            format!(
                "(version, description, installed_on, success, checksum, execution_time) VALUES ({}, {}, \
                 {}, TRUE, {open}{sum}{close}, {})",
                one.version,
                text(&one.name.replace('_', " ")),
                time(one.at, writing),
                one.duration_ms.saturating_mul(1_000_000)
            )
        })
        .collect();
    ("_sqlx_migrations", columns, rows)
}

fn flyway(applied: &[Leaving], writing: &Writing) -> Parts {
    let columns = format!(
        "installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), description VARCHAR(200) NOT NULL, \
         type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, checksum INT, installed_by VARCHAR(100) \
         NOT NULL, installed_on {} NOT NULL DEFAULT CURRENT_TIMESTAMP, execution_time INT NOT NULL, success \
         BOOLEAN NOT NULL",
        writing.time
    );
    let rows = applied
        .iter()
        .enumerate()
        .map(|(index, one)| {
            format!(
                "(installed_rank, version, description, type, script, checksum, installed_by, installed_on, \
                 execution_time, success) VALUES ({}, {}, {}, 'SQL', {}, {}, {}, {}, {}, TRUE)",
                index + 1,
                text(one.version.as_str()),
                text(&one.name.replace('_', " ")),
                text(&one.file),
                Flyway.checksums(&file(one)).concat(),
                text(&one.actor),
                time(one.at, writing),
                i32::try_from(one.duration_ms).unwrap_or(i32::MAX)
            )
        })
        .collect();
    ("flyway_schema_history", columns, rows)
}

fn golang_migrate(applied: &[Leaving]) -> Parts {
    let columns = "version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL".to_owned();
    let last = applied.iter().map(|one| &one.version).max();
    let rows = last
        .into_iter()
        .map(|version| format!("(version, dirty) VALUES ({version}, FALSE)"))
        .collect();
    ("schema_migrations", columns, rows)
}

fn goose(applied: &[Leaving], writing: &Writing) -> Parts {
    let columns = format!(
        "id {}, version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp {} NOT NULL DEFAULT \
         CURRENT_TIMESTAMP",
        writing.counter, writing.time
    );
    let first = "(version_id, is_applied) VALUES (0, TRUE)".to_owned();
    let rest = applied.iter().map(|one| {
        format!(
            "(version_id, is_applied, tstamp) VALUES ({}, TRUE, {})",
            one.version,
            time(one.at, writing)
        )
    });
    (
        "goose_db_version",
        columns,
        [first].into_iter().chain(rest).collect(),
    )
}

fn dbmate(applied: &[Leaving]) -> Parts {
    let rows = applied
        .iter()
        .map(|one| format!("(version) VALUES ({})", text(one.version.as_str())))
        .collect();
    (
        "schema_migrations",
        "version VARCHAR(128) PRIMARY KEY".to_owned(),
        rows,
    )
}

fn file(one: &Leaving) -> File<'_> {
    File {
        version: &one.version,
        name: &one.name,
        text: &one.text,
    }
}

/// Writes a text so that it means the same whether or not backslashes do.
fn text(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|one| match one {
            '\\' | '\0' => '_',
            one => one,
        })
        .collect();
    format!("'{}'", plain.replace('\'', "''"))
}

/// `2026-11-20T20:00:00.000000Z` becomes `'2026-11-20 20:00:00'`, in UTC.
fn time(at: Timestamp, writing: &Writing) -> String {
    let written = at.to_string();
    let seconds = written.get(..19).unwrap_or(&written).replace('T', " ");
    format!("'{seconds}{}'", writing.utc)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const WRITING: Writing = Writing {
        bytes: "BLOB",
        hexadecimal: ("X'", "'"),
        time: "TIMESTAMP",
        utc: "",
        counter: "INTEGER PRIMARY KEY",
    };

    fn applied() -> Vec<Leaving> {
        vec![Leaving {
            version: "1".parse().unwrap(),
            name: "add_a".to_owned(),
            file: "1_add_a.sql".to_owned(),
            text: b"CREATE TABLE a (id INTEGER);\n".to_vec(),
            at: "2026-11-20T20:00:00.000000Z".parse().unwrap(),
            duration_ms: 3,
            actor: "o'hara\\x".to_owned(),
        }]
    }

    #[test]
    fn each_table_says_what_is_applied() {
        for (tool, row) in [
            (
                "sqlx",
                "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, \
                 execution_time) VALUES (1, 'add a', '2026-11-20 20:00:00', TRUE, \
                 X'6b80cb02f9855755e04189618c876d0dae543211118397f3c7168e844cc1183ef5f078698673186f575d5f5055f\
                 f90e9', 3000000)",
            ),
            (
                "flyway",
                "INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, \
                 checksum, installed_by, installed_on, execution_time, success) VALUES (1, '1', 'add a', \
                 'SQL', '1_add_a.sql', -59897099, 'o''hara_x', '2026-11-20 20:00:00', 3, TRUE)",
            ),
            (
                "golang-migrate",
                "INSERT INTO schema_migrations (version, dirty) VALUES (1, FALSE)",
            ),
            (
                "goose",
                "INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES (1, TRUE, \
                 '2026-11-20 20:00:00')",
            ),
            (
                "dbmate",
                "INSERT INTO schema_migrations (version) VALUES ('1')",
            ),
        ] {
            let departure = leave(tool, &applied(), &WRITING).unwrap();
            assert_eq!(departure.rows.last().map(String::as_str), Some(row));
        }
        assert!(leave("prisma", &applied(), &WRITING).is_none());
        for tool in LEAVING_FOR {
            assert!(leave(tool, &[], &WRITING).is_some(), "{tool}");
        }
    }
}
