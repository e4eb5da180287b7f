//! What someone with full rights on the database can do, with tools that are not ours.
//!
//! Tests write one SQL for every engine: tables go by their SQLite names, bytes are `X'..'`, and names
//! that are words elsewhere stand in double quotes. What differs is in one file an engine.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod mysql;
mod postgres;
mod sqlite;

pub(crate) use self::sqlite::Definitions;

use crate::records::{hex, unhex};
use crate::specimen::Specimen;
use crate::support::engines::{Database, Kind};

/// The tables of the ledger by their SQLite names.
pub(crate) const TABLES: [&str; 3] = ["mledger_events", "mledger_objects", "mledger_lease"];

/// What differs between the engines for who attacks them.
pub(crate) trait Attacker: Sync {
    /// Puts the tests' SQL into this engine's words.
    fn words(&self, sql: &str) -> String;

    /// A query for the columns of a table: name and kind, in order.
    fn columns(&self, table: &str) -> String;

    /// A query for every base table that goes by a name of ours, by its SQLite name.
    fn tables(&self) -> &'static str;

    /// An expression for the text of a column: hexadecimal but for integers.
    fn shown(&self, column: &Column) -> String;

    /// Runs SQL while neither guards nor constraints stand in its way, and leaves both as they were, so
    /// that the look of the store betrays nothing.
    fn unguarded(&self, place: &dyn Database, sql: &str) -> Result<(), String>;

    /// A query for all that can be taken away beside the tables: name, and the statement that does it.
    fn removable(&self) -> &'static str;

    /// Ways to keep a guard or view by its name and take its effect away: name and statements.
    fn hollow(&self) -> &'static [(&'static str, &'static str)];

    /// Statements beside those of every engine that a guard refuses.
    fn refused(&self) -> &'static [&'static str];

    /// Takes the tables of the ledger away by their SQLite names; all of them is everything of ours.
    fn dropping(&self, tables: &[&str]) -> String;

    /// Takes the views away, where they outlive their tables.
    fn dropping_the_rest(&self) -> &'static str;

    /// Makes appends vanish, or hold something else than what was appended.
    fn swallowing(&self) -> &'static str;

    /// What is done to a database every day and changes no content.
    fn harmless(&self) -> &'static [&'static str];
}

/// Returns who attacks this kind of database.
pub(crate) fn against(kind: &Kind) -> &'static dyn Attacker {
    match kind.name {
        "sqlite" => &sqlite::Sqlite,
        "postgres" => &postgres::Postgres,
        "mysql" => &mysql::Mysql,
        other => panic!("nobody attacks `{other}` yet"),
    }
}

/// What happened to an attempt to change something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It was changed.
    Changed,
    /// The database has the same content as the program left in it.
    Same,
    /// Not even the database can store this.
    Impossible(String),
}

/// A column of a table of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ValueKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Integer,
    Text,
    Bytes,
}

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(Vec<u8>),
    Bytes(Vec<u8>),
}

impl Value {
    fn read(shown: &str, kind: ValueKind) -> Self {
        match kind {
            _ if shown == "null" => Self::Null,
            ValueKind::Integer => Self::Integer(shown.parse().unwrap()),
            ValueKind::Text => Self::Text(unhex(shown)),
            ValueKind::Bytes => Self::Bytes(unhex(shown)),
        }
    }

    /// How the tests' SQL writes it.
    pub(crate) fn literal(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Integer(number) => number.to_string(),
            Self::Text(text) => {
                let text = String::from_utf8(text.clone()).unwrap();
                format!("'{}'", text.replace('\'', "''"))
            }
            Self::Bytes(bytes) => format!("X'{}'", hex(bytes)),
        }
    }
}

/// A table of ours and all that is in it, in the order of its key, which is its first column.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// The columns of a table, from the database itself.
pub(crate) fn columns(specimen: &Specimen, table: &str) -> Vec<Column> {
    let kind = |word: &str| {
        let word = word.to_ascii_lowercase();
        match word.as_str() {
            _ if word.contains("int") => ValueKind::Integer,
            "blob" | "bytea" | "longblob" | "varbinary" => ValueKind::Bytes,
            "text" | "varchar" => ValueKind::Text,
            other => panic!("a column of the kind `{other}`: say how it is read and written"),
        }
    };
    let query = specimen.attacker().columns(table);
    let answer = specimen.project.ask(&query);
    let columns: Vec<Column> = answer
        .lines()
        .map(|line| {
            let (name, word) = line.split_once('|').unwrap();
            Column {
                name: name.to_owned(),
                kind: kind(word),
            }
        })
        .collect();
    assert!(!columns.is_empty(), "`{table}` has no columns");
    columns
}

fn query(specimen: &Specimen, table: &str) -> String {
    let shown: Vec<String> = columns(specimen, table)
        .iter()
        .map(|column| format!("coalesce({}, 'null')", specimen.attacker().shown(column)))
        .collect();
    let sql = format!("SELECT {} FROM {table} ORDER BY 1", shown.join(", "));
    specimen.attacker().words(&sql)
}

/// A query for every value of our tables.
pub(crate) fn content_query(specimen: &Specimen) -> String {
    TABLES
        .map(|table| format!("{};\n", query(specimen, table)))
        .concat()
}

/// Reads a table of ours.
pub(crate) fn table(specimen: &Specimen, table: &str) -> Table {
    let columns = columns(specimen, table);
    let answer = specimen.project.ask(&query(specimen, table));
    let mut rows: Vec<Vec<Value>> = answer
        .lines()
        .map(|line| {
            let values = line.split('|').zip(&columns);
            values
                .map(|(shown, column)| Value::read(shown, column.kind))
                .collect()
        })
        .collect();
    // numbers are in the order of their digits
    rows.sort_by_key(|row: &Vec<Value>| match row[0] {
        Value::Integer(number) => number,
        _ => 0,
    });
    Table { columns, rows }
}

/// Changes something as an administrator would, without guards and constraints.
pub(crate) fn tamper(specimen: &Specimen, sql: &str) -> Attempt {
    let attacker = specimen.attacker();
    let sql = attacker.words(sql);
    match attacker.unguarded(&*specimen.project.place, &sql) {
        Err(reason) => Attempt::Impossible(reason),
        Ok(()) if specimen.is_as_made() => Attempt::Same,
        Ok(()) => Attempt::Changed,
    }
}

/// Changes something that can be changed.
#[track_caller]
pub(crate) fn force(specimen: &Specimen, sql: &str) {
    assert_eq!(tamper(specimen, sql), Attempt::Changed, "{sql}");
}

/// Runs SQL with the guards on, and says whether it went through.
pub(crate) fn attempt(specimen: &Specimen, sql: &str) -> Result<String, String> {
    let sql = specimen.attacker().words(sql);
    specimen.project.place.attempt(&sql)
}
