//! Every table × every column × first, middle and last row × every kind of change.
//!
//! Columns come from SQLite, so a column that is added fails here until it is said what becomes of it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use crate::attacker::{Attempt, columns, force, tamper, unhex};
use crate::specimen::{Given, Specimen, anchor};

/// A kind of change to one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutation {
    /// One bit of it.
    FlippedBit,
    Null,
    Empty,
    /// The value of another row, exchanged with it, so that unique columns stay unique.
    OfAnotherRow,
    /// Its last byte, or digit, is gone.
    Truncated,
}

use Mutation::{Empty, FlippedBit, Null, OfAnotherRow, Truncated};

const MUTATIONS: [Mutation; 5] = [FlippedBit, Null, Empty, OfAnotherRow, Truncated];

/// What must be said of a change that could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// `verify` finds it, under this code.
    Found(&'static str),
    /// It is no part of the history: `verify` finds it intact.
    Intact,
}

use Expected::{Found, Intact};

fn expected(table: &str, column: &str, mutation: Mutation) -> Expected {
    match (table, column, mutation) {
        ("mledger_events", "seq", _) => Found("column-mismatch"),
        ("mledger_events", "line", FlippedBit) => Found("signature-invalid"),
        ("mledger_events", "line", OfAnotherRow) => Found("seq-gap"),
        ("mledger_events", "line", _) => Found("line-not-canonical"),
        ("mledger_events", "signature", _) => Found("signature-invalid"),
        ("mledger_events", "prev" | "hash", _) => Found("column-mismatch"),
        ("mledger_objects", "digest", OfAnotherRow) => Found("object-mismatch"),
        // what an event names is not under its digest any more
        ("mledger_objects", "digest", _) => Found("object-missing"),
        ("mledger_objects", "size" | "encoding" | "content", _) => Found("object-mismatch"),
        // there is one row, and only its identity says something about the ledger
        ("mledger_lease", "identity", Null) => Found("not-a-database"),
        ("mledger_lease", "identity", _) => Found("ledger-mismatch"),
        (
            "mledger_lease",
            "only" | "token" | "actor" | "host" | "run" | "process" | "since_ms" | "expires_ms",
            _,
        ) => Intact,
        _ => panic!("`{table}.{column}` has no expectation: say what becomes of a change to it"),
    }
}

const TABLES: [&str; 3] = ["mledger_events", "mledger_objects", "mledger_lease"];

/// The rowids of the first, a middle and the last row; a table of one row has one.
fn picked(specimen: &Specimen, table: &str) -> Vec<(&'static str, String, String)> {
    let rowids: Vec<String> = specimen
        .project
        .sqlite(&format!("SELECT rowid FROM {table} ORDER BY rowid"))
        .lines()
        .map(str::to_owned)
        .collect();
    let at = |index: usize| rowids[index].clone();
    let middle = rowids.len() / 2;
    match rowids.len() {
        0 => panic!("`{table}` is empty, so nothing can be changed in it"),
        1 => vec![("only", at(0), at(0))],
        length => vec![
            ("first", at(0), at(middle)),
            ("middle", at(middle), at(length - 1)),
            ("last", at(length - 1), at(0)),
        ],
    }
}

/// The SQL of a change, or `None` where there is no other row to exchange with.
fn change(
    specimen: &Specimen,
    table: &str,
    column: &str,
    (row, other): (&str, &str),
    mutation: Mutation,
) -> Option<String> {
    let set = |value: &str| {
        Some(format!(
            "UPDATE {table} SET {column} = {value} WHERE rowid = {row}"
        ))
    };
    let kind_and_bytes = specimen.project.sqlite(&format!(
        "SELECT typeof({column}), hex({column}) FROM {table} WHERE rowid = {row}"
    ));
    let (kind, bytes) = kind_and_bytes.trim_end().split_once('|').unwrap();
    let mut bytes = unhex(bytes);
    match (mutation, kind) {
        (Null, "null") => None,
        (Null, _) => set("NULL"),
        (Empty, "integer") => set("0"),
        (Empty, "text" | "null") => set("''"),
        (Empty, _) => set("X''"),
        (OfAnotherRow, _) if row == other => None,
        (OfAnotherRow, _) if column == "seq" => Some(format!(
            "UPDATE {table} SET seq = -1 WHERE seq = {row};
             UPDATE {table} SET seq = {row} WHERE seq = {other};
             UPDATE {table} SET seq = {other} WHERE seq = -1"
        )),
        (OfAnotherRow, _) => Some(format!(
            "CREATE TEMP TABLE kept AS
                SELECT rowid AS at, {column} AS value FROM {table} WHERE rowid IN ({row}, {other});
             UPDATE {table} SET {column} = randomblob(32) WHERE rowid = {row};
             UPDATE {table} SET {column} = (SELECT value FROM kept WHERE at = {row})
                WHERE rowid = {other};
             UPDATE {table} SET {column} = (SELECT value FROM kept WHERE at = {other})
                WHERE rowid = {row}"
        )),
        (Truncated, "integer") => set(&format!("{column} / 10")),
        (Truncated, _) => set(&format!("substr({column}, 1, length({column}) - 1)")),
        (FlippedBit, "integer") => set(&format!("({column} | 1048576) - ({column} & 1048576)")),
        (FlippedBit, "null") => set("'x'"),
        (FlippedBit, _) => {
            // of a line the first letter of the actor, so that it stays a canonical line
            let at = if column == "line" {
                10
            } else {
                bytes.len() / 2
            };
            bytes[at] ^= 1;
            let literal = format!("X'{}'", crate::attacker::hex(&bytes));
            set(&match kind {
                "text" => format!("CAST({literal} AS TEXT)"),
                _ => literal,
            })
        }
    }
}

/// Makes every change to a table and passes each that could be made to `check`.
fn each_change(
    specimen: &Specimen,
    table: &str,
    mut check: impl FnMut(&str, &str, Mutation),
) -> BTreeMap<String, u32> {
    let mut made = BTreeMap::new();
    for column in columns(&specimen.project.database(), table) {
        let made = made.entry(column.clone()).or_insert(0);
        for (place, row, other) in picked(specimen, table) {
            for mutation in MUTATIONS {
                let Some(sql) = change(specimen, table, &column, (&row, &other), mutation) else {
                    continue;
                };
                if tamper(&specimen.project.database(), &sql) == Attempt::Changed {
                    *made += 1;
                    let case = format!("{table}.{column}, {place} row, {mutation:?}");
                    check(&case, &column, mutation);
                }
                specimen.restore();
            }
        }
    }
    made
}

fn every_change_is_found(table: &str, at_least: u32) {
    let specimen = Specimen::new();
    let made = each_change(&specimen, table, |case, column, mutation| {
        let Found(code) = expected(table, column, mutation) else {
            panic!("{case}: every column of `{table}` is evidence");
        };
        for given in Given::ALL {
            specimen
                .verify(given)
                .assert_found(code, &format!("{case}, given {given:?}"));
        }
        for command in [["status", "--json"], ["up", "--json"]] {
            // what is no event is looked at when it is needed, and by `verify`
            if table == "mledger_events" {
                let ended = specimen.run(&command, Given::Nothing);
                assert_eq!(ended.code, 4, "{case}, `{}`: {ended:#?}", command[0]);
            }
        }
    });
    for (column, made) in made {
        assert!(
            made >= at_least,
            "of `{table}.{column}` only {made} changes could be made: the matrix proves too little"
        );
    }
    specimen
        .verify(Given::Checkpoint)
        .assert_intact("checkpoint", "the ledger as it was");
}

/// F90, F93
#[test]
fn every_change_to_an_event_is_found() {
    every_change_is_found("mledger_events", 6);
}

/// F92
#[test]
fn every_change_to_an_object_is_found() {
    every_change_is_found("mledger_objects", 5);
}

/// The lock is not history: who can write to it can hold runs up, and that is all. The identity in its
/// row says which database this is, and the first event says so too.
#[test]
fn a_change_to_the_lease_is_no_change_to_the_history() {
    let specimen = Specimen::new();
    let made = each_change(&specimen, "mledger_lease", |case, column, mutation| {
        for given in Given::ALL {
            let verdict = specimen.verify(given);
            match expected("mledger_lease", column, mutation) {
                Found(code) => verdict.assert_found(code, case),
                Intact => verdict.assert_intact(anchor(given), case),
            }
        }
        let ended = specimen.run(&["down", "--yes", "--lease-wait", "0"], Given::Nothing);
        let allowed: &[i32] = match column {
            "identity" => &[4],
            // a token that is none, or a holder that never was, at worst keeps runs out
            _ => &[0, 4, 5],
        };
        assert!(allowed.contains(&ended.code), "{case}, `down`: {ended:#?}");
    });
    assert!(made.values().sum::<u32>() >= 10, "{made:?}");
}

/// F90: a new column is nothing that anybody has thought about, and neither is a new table.
#[test]
fn the_tables_and_columns_are_those_that_are_covered() {
    let specimen = Specimen::new();
    let database = specimen.project.database();
    let tables = specimen.project.sqlite(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'mledger%' ORDER BY 1",
    );
    let mut covered = TABLES.to_vec();
    covered.sort_unstable();
    assert_eq!(tables.lines().collect::<Vec<_>>(), covered);
    for table in TABLES {
        for column in columns(&database, table) {
            for mutation in MUTATIONS {
                expected(table, &column, mutation);
            }
        }
        // a column that this version does not know makes it a table that is not ours
        force_column(&specimen, table);
        let code = "store-foreign";
        specimen
            .verify(Given::Nothing)
            .assert_found(code, &format!("a column added to `{table}`"));
        specimen.restore();
    }
}

fn force_column(specimen: &Specimen, table: &str) {
    specimen
        .project
        .sqlite(&format!("ALTER TABLE {table} ADD COLUMN smuggled TEXT"));
}

/// F90: one bit in each value of each event, whatever it says.
#[test]
fn a_flipped_bit_in_any_row_is_found() {
    let specimen = Specimen::new();
    let database = specimen.project.database();
    for seq in 0..specimen.size {
        let at = seq.to_string();
        for (column, code) in [
            ("line", "signature-invalid"),
            ("signature", "signature-invalid"),
            ("prev", "column-mismatch"),
            ("hash", "column-mismatch"),
        ] {
            let sql = change(&specimen, "mledger_events", column, (&at, &at), FlippedBit).unwrap();
            force(&database, &sql);
            specimen
                .verify(Given::Nothing)
                .assert_found(code, &format!("event {seq}, {column}"));
            specimen.restore();
        }
    }
}
