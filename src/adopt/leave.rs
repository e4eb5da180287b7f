//! The same the other way: the table that another tool would have, for those who leave.
//!
//! Pure: what is applied goes in, statements come out.

use ledger::Timestamp;

use super::flyway::Flyway;
use super::sqlx_migrate::Sqlx;
use super::{File, TableName, Tool};
use crate::migration::format::Format;
use crate::migration::{Form, Migration, Version};

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
    /// It stands for all up to its version.
    pub baseline: bool,
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

/// Why the table of a tool cannot say what is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It is none of [`LEAVING_FOR`].
    Tool,
    /// The tool has no such version.
    Version(Version),
    /// The tool keeps the newest version alone, and this older one is not applied.
    Gap(Version),
}

/// Returns what makes the table of `tool` say that `applied`, in order of version, is applied and `pending`
/// is not.
///
/// # Errors
///
/// [`Unfit`] where that table cannot say it.
pub fn leave(
    tool: &str,
    applied: &[Leaving],
    pending: &[Version],
    writing: &Writing,
) -> Result<Departure, Unfit> {
    let (table, columns, rows) = match tool {
        "sqlx" => sqlx(applied, writing)?,
        "flyway" => flyway(applied, writing),
        "golang-migrate" => golang_migrate(applied, pending)?,
        "goose" => goose(applied, writing)?,
        "dbmate" => dbmate(applied)?,
        _ => return Err(Unfit::Tool),
    };
    Ok(Departure {
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

/// Returns which files `tool` reads, where those of a folder in this form are not such.
pub fn unread_by(tool: &str, format: Format, files: &[Migration]) -> Option<&'static str> {
    let plain = matches!(
        format,
        Format::Mledger | Format::Sqlx | Format::GolangMigrate
    );
    let is_pair = |file: &Migration| file.form == Form::Pair;
    let (read, what) = match tool {
        "sqlx" => (
            plain
                && files
                    .iter()
                    .all(|file| is_pair(file) || file.down.is_none()),
            "pairs, and files that are up scripts as a whole",
        ),
        "golang-migrate" => (plain && files.iter().all(is_pair), "pairs"),
        "goose" => (format == Format::Goose, "files with `-- +goose Up`"),
        "dbmate" => (format == Format::Dbmate, "files with `-- migrate:up`"),
        "flyway" => (
            matches!(format, Format::Flyway | Format::Refinery),
            "files named `V1__name.sql`",
        ),
        _ => return None,
    };
    (!read).then_some(what)
}

type Parts = (&'static str, String, Vec<String>);

fn sqlx(applied: &[Leaving], writing: &Writing) -> Result<Parts, Unfit> {
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
            let version = number(&one.version)?;
            Ok(format!(
                "(version, description, installed_on, success, checksum, execution_time) VALUES ({}, {}, \
                 {}, TRUE, {open}{sum}{close}, {})",
                version,
                text(&one.name.replace('_', " ")),
                time(one.at, writing),
                one.duration_ms.saturating_mul(1_000_000)
            ))
        })
        .collect::<Result<_, Unfit>>()?;
    Ok(("_sqlx_migrations", columns, rows))
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
                 execution_time, success) VALUES ({}, {}, {}, '{}', {}, {}, {}, {}, {}, TRUE)",
                index + 1,
                match one.version.repeatable() {
                    Some(_) => "NULL".to_owned(),
                    None => text(one.version.as_str()),
                },
                text(&one.name.replace('_', " ")),
                if one.baseline { "SQL_BASELINE" } else { "SQL" },
                text(&one.file),
                Flyway.checksums(&file(one)).concat(),
                text(&one.actor.chars().take(FLYWAY_NAME).collect::<String>()),
                time(one.at, writing),
                i32::try_from(one.duration_ms).unwrap_or(i32::MAX)
            )
        })
        .collect();
    ("flyway_schema_history", columns, rows)
}

/// The most characters of who applied a migration.
const FLYWAY_NAME: usize = 100;

fn golang_migrate(applied: &[Leaving], pending: &[Version]) -> Result<Parts, Unfit> {
    let columns = "version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL".to_owned();
    let last = applied.iter().map(|one| &one.version).max();
    let passed_over = |version: &&Version| last.is_some_and(|last| *version < last);
    if let Some(version) = pending.iter().find(passed_over) {
        return Err(Unfit::Gap(version.clone()));
    }
    let rows = last
        .into_iter()
        .map(|version| {
            let version = number(version)?;
            Ok(format!("(version, dirty) VALUES ({version}, FALSE)"))
        })
        .collect::<Result<_, Unfit>>()?;
    Ok(("schema_migrations", columns, rows))
}

fn goose(applied: &[Leaving], writing: &Writing) -> Result<Parts, Unfit> {
    let columns = format!(
        "id {}, version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp {} NOT NULL DEFAULT \
         CURRENT_TIMESTAMP",
        writing.counter, writing.time
    );
    let mut rows = vec!["(version_id, is_applied) VALUES (0, TRUE)".to_owned()];
    for one in applied {
        rows.push(format!(
            "(version_id, is_applied, tstamp) VALUES ({}, TRUE, {})",
            number(&one.version)?,
            time(one.at, writing)
        ));
    }
    Ok(("goose_db_version", columns, rows))
}

fn dbmate(applied: &[Leaving]) -> Result<Parts, Unfit> {
    let rows = applied
        .iter()
        .map(|one| {
            let version = one.version.as_str();
            if !version.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Unfit::Version(one.version.clone()));
            }
            Ok(format!("(version) VALUES ({})", text(version)))
        })
        .collect::<Result<_, Unfit>>()?;
    Ok((
        "schema_migrations",
        "version VARCHAR(128) PRIMARY KEY".to_owned(),
        rows,
    ))
}

/// The version as a number of 64 bits, which is all that some tools have.
fn number(version: &Version) -> Result<i64, Unfit> {
    version
        .as_str()
        .parse()
        .map_err(|_| Unfit::Version(version.clone()))
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
            baseline: false,
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
            let departure = leave(tool, &applied(), &[], &WRITING).unwrap();
            assert_eq!(departure.rows.last().map(String::as_str), Some(row));
        }
        assert_eq!(leave("prisma", &applied(), &[], &WRITING), Err(Unfit::Tool));
        for tool in LEAVING_FOR {
            assert!(leave(tool, &[], &[], &WRITING).is_ok(), "{tool}");
        }
    }

    #[test]
    fn what_a_table_cannot_say_is_not_written() {
        let one = |version: &str| Leaving {
            version: version.parse().unwrap(),
            baseline: version == "2",
            ..applied().remove(0)
        };
        for version in ["1.2", "R:views", "9223372036854775808"] {
            for tool in ["sqlx", "golang-migrate", "goose", "dbmate"] {
                let found = leave(tool, &[one(version)], &[], &WRITING);
                let has_digits_alone = version.starts_with('9');
                if tool == "dbmate" && has_digits_alone {
                    assert!(found.is_ok());
                    continue;
                }
                let unfit = Unfit::Version(version.parse().unwrap());
                assert_eq!(found, Err(unfit), "{tool} {version}");
            }
        }
        let flyway = leave("flyway", &["1.2", "2", "R:v"].map(one), &[], &WRITING).unwrap();
        for (row, expected) in flyway.rows.iter().zip([
            "(1, '1.2', 'add a', 'SQL', ",
            "(2, '2', 'add a', 'SQL_BASELINE', ",
            "(3, NULL, 'add a', 'SQL', ",
        ]) {
            assert!(row.contains(expected), "{row}");
        }
        let golang_migrate = |pending: &str| {
            let pending = [pending.parse().unwrap()];
            leave("golang-migrate", &["1", "3"].map(one), &pending, &WRITING)
        };
        assert_eq!(golang_migrate("2"), Err(Unfit::Gap("2".parse().unwrap())));
        assert!(golang_migrate("4").is_ok());
    }

    #[test]
    fn files_are_read_by_the_tools_that_have_their_form() {
        use crate::migration::source::{Options, read};
        use crate::migration::split::SQLITE;

        let folder = |file: &str, text: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), text).unwrap();
            folder
        };
        for (file, text, tools) in [
            ("1_a.sql", "SELECT 1;", &["sqlx"][..]),
            ("1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;", &[]),
            ("1_a.up.sql", "SELECT 1;", &["sqlx", "golang-migrate"]),
            ("1_a.sql", "-- +goose Up\nSELECT 1;", &["goose"]),
            ("1_a.sql", "-- migrate:up\nSELECT 1;", &["dbmate"]),
            ("V1__a.sql", "SELECT 1;", &["flyway"]),
        ] {
            let folder = folder(file, text);
            let format = Format::Auto.found(folder.path()).unwrap();
            let files = read(folder.path(), &Options::default(), &SQLITE).unwrap();
            let found: Vec<&str> = LEAVING_FOR
                .into_iter()
                .filter(|tool| unread_by(tool, format, &files).is_none())
                .collect();
            assert_eq!(found, tools, "{file}: {text}");
        }
    }
}
