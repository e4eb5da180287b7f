//! Every table × every column × first, middle and last row × every kind of change (F90, F92).
//!
//! Columns come from the database, so a column that is added fails here until it is said what becomes
//! of it.
#![expect(clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use crate::attacker::{Attempt, Column, TABLES, Table, Value, columns, force, table, tamper};
use crate::specimen::{Given, Specimen, anchor};
use crate::support::engines::Kind;

on_each_engine!(
    every_change_to_an_event_is_found,
    every_change_to_an_object_is_found,
    a_change_to_the_lease_is_no_change_to_the_history,
    the_tables_and_columns_are_those_that_are_covered,
    a_flipped_bit_in_any_row_is_found,
);

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
    /// It is as if the row were gone: found by what follows it, or by what is kept elsewhere.
    Gone,
    /// It is found, or the database knows better by itself which one it is.
    FoundOrKnown,
}

use Expected::{Found, FoundOrKnown, Gone, Intact};

fn expected(table: &str, column: &str, mutation: Mutation) -> Expected {
    match (table, column, mutation) {
        // a row without a number is not read: it is as if it were gone
        ("mledger_events", "seq", Null) => Gone,
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
        ("mledger_lease", "identity", _) => FoundOrKnown,
        (
            "mledger_lease",
            "only" | "id" | "token" | "actor" | "host" | "run" | "process" | "session" | "since_ms"
            | "expires_ms",
            _,
        ) => Intact,
        _ => panic!("`{table}.{column}` has no expectation: say what becomes of a change to it"),
    }
}

/// The first, a middle and the last row and one to exchange with; a table of one row has one.
fn picked(table: &Table) -> Vec<(&'static str, usize, usize)> {
    let (middle, last) = (table.rows.len() / 2, table.rows.len().saturating_sub(1));
    match table.rows.len() {
        0 => panic!("a table is empty, so nothing can be changed in it"),
        1 => vec![("only", 0, 0)],
        _ => vec![
            ("first", 0, middle),
            ("middle", middle, last),
            ("last", last, 0),
        ],
    }
}

/// A value that no row has, for a while.
fn unused(value: &Value) -> Value {
    match value {
        Value::Null | Value::Integer(_) => Value::Integer(-1),
        Value::Text(_) => Value::Text(b"~".to_vec()),
        Value::Bytes(bytes) => Value::Bytes(vec![0xee; bytes.len()]),
    }
}

/// The SQL of a change, or `None` where there is no other row to exchange with.
fn change(
    name: &str,
    table: &Table,
    at: usize,
    (row, other): (usize, usize),
    mutation: Mutation,
) -> Option<String> {
    let key = &table.columns[0].name;
    let column = &table.columns[at];
    let set = |row: usize, value: &Value| {
        format!(
            "UPDATE {name} SET \"{}\" = {} WHERE \"{key}\" = {}",
            column.name,
            value.literal(),
            table.rows[row][0].literal()
        )
    };
    let was = &table.rows[row][at];
    if mutation == OfAnotherRow {
        let theirs = &table.rows[other][at];
        if row == other || was == theirs {
            return None;
        }
        let between = unused(was);
        // where the key itself is exchanged, a row goes by its new one at once
        let third = match at {
            0 => format!(
                "UPDATE {name} SET \"{key}\" = {} WHERE \"{key}\" = {}",
                theirs.literal(),
                between.literal()
            ),
            _ => set(row, theirs),
        };
        return Some(format!(
            "{}; {}; {third}",
            set(row, &between),
            set(other, was)
        ));
    }
    mutated(column, was, mutation).map(|value| set(row, &value))
}

fn mutated(column: &Column, was: &Value, mutation: Mutation) -> Option<Value> {
    use crate::attacker::ValueKind;
    let value = match (mutation, was, column.kind) {
        (Null, ..) | (Truncated, Value::Null, _) => Value::Null,
        (Empty, _, ValueKind::Integer) => Value::Integer(0),
        (FlippedBit, Value::Null, ValueKind::Integer) => Value::Integer(7),
        (FlippedBit, Value::Null, _) => Value::Text(b"x".to_vec()),
        (Empty, _, ValueKind::Text) => Value::Text(Vec::new()),
        (Empty, _, ValueKind::Bytes) => Value::Bytes(Vec::new()),
        (Truncated, Value::Integer(number), _) => Value::Integer(number / 10),
        (_, Value::Integer(number), _) => Value::Integer(number ^ (1 << 20)),
        (_, Value::Text(bytes) | Value::Bytes(bytes), _) => {
            let mut bytes = bytes.clone();
            match mutation {
                Truncated => drop(bytes.pop()),
                _ => {
                    // of a line the first letter of the actor, so that it stays a canonical line
                    let at = if column.name == "line" {
                        10
                    } else {
                        bytes.len() / 2
                    };
                    bytes[at] ^= 1;
                }
            }
            match was {
                Value::Text(_) => Value::Text(bytes),
                _ => Value::Bytes(bytes),
            }
        }
        (_, Value::Null, _) => Value::Null,
    };
    (value != *was).then_some(value)
}

/// Makes every change to a table and passes each that could be made to `check`: the case, the column,
/// the place of the row, and the mutation.
fn each_change(
    specimen: &Specimen,
    name: &str,
    mut check: impl FnMut(&str, &str, &str, Mutation),
    restore: impl Fn(&Table, usize, usize),
) -> BTreeMap<String, u32> {
    let table = table(specimen, name);
    let mut made = BTreeMap::new();
    for (at, column) in table.columns.iter().enumerate() {
        let made = made.entry(column.name.clone()).or_insert(0);
        for (place, row, other) in picked(&table) {
            for mutation in MUTATIONS {
                let Some(sql) = change(name, &table, at, (row, other), mutation) else {
                    continue;
                };
                if tamper(specimen, &sql) == Attempt::Changed {
                    *made += 1;
                    let case = format!("{name}.{}, {place} row, {mutation:?}", column.name);
                    check(&case, &column.name, place, mutation);
                    restore(&table, at, row);
                }
            }
        }
    }
    made
}

fn every_change_is_found(kind: &Kind, table: &str, at_least: u32) {
    let specimen = Specimen::on(kind);
    // where there is no server to ask, everything is asked of every row
    let in_full = kind.wire.is_none();
    let check = |case: &str, column: &str, place: &str, mutation| {
        let code = match (expected(table, column, mutation), place) {
            (Found(code), _) => code,
            (Gone, "last") => {
                for given in [Given::RememberedHead, Given::Checkpoint] {
                    specimen.verify(given).assert_found("truncated", case);
                }
                return;
            }
            (Gone, _) => "seq-gap",
            _ => panic!("{case}: every column of `{table}` is evidence"),
        };
        for given in Given::ALL {
            // what is found with nothing from outside; all of it once for each column and mutation
            if in_full || given == Given::Nothing || place == "middle" {
                specimen
                    .verify(given)
                    .assert_found(code, &format!("{case}, given {given:?}"));
            }
        }
        for command in [["status", "--json"], ["up", "--json"]] {
            // what is no event is looked at when it is needed, and by `verify`
            if table == "mledger_events" && (in_full || place != "first") {
                let ended = specimen.run(&command, Given::Nothing);
                assert_eq!(ended.code, 4, "{case}, `{}`: {ended:#?}", command[0]);
            }
        }
    };
    let made = each_change(&specimen, table, check, |_, _, _| specimen.restore());
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
fn every_change_to_an_event_is_found(kind: &Kind) {
    every_change_is_found(kind, "mledger_events", 6);
}

/// F92
fn every_change_to_an_object_is_found(kind: &Kind) {
    every_change_is_found(kind, "mledger_objects", 5);
}

/// The lock is not history: who can write to it can hold runs up, and that is all. The identity in its
/// row says which database this is, and the first event says so too.
fn a_change_to_the_lease_is_no_change_to_the_history(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let in_full = kind.wire.is_none();
    let mut found = 0;
    let check = |case: &str, column: &str, _: &str, mutation| {
        for given in Given::ALL {
            if !in_full && ![Given::Nothing, Given::Checkpoint].contains(&given) {
                continue;
            }
            let verdict = specimen.verify(given);
            match expected("mledger_lease", column, mutation) {
                Found(code) => verdict.assert_found(code, case),
                Intact | Gone => verdict.assert_intact(anchor(given), case),
                FoundOrKnown if verdict.code == 0 && !in_full => {
                    verdict.assert_intact(anchor(given), case)
                }
                FoundOrKnown => {
                    found += 1;
                    let named = ["ledger-mismatch", "not-a-database"];
                    let code = named.iter().find(|code| verdict.errors.contains(**code));
                    verdict.assert_found(code.unwrap_or(&named[0]), case);
                }
            }
        }
        let ended = specimen.run(&["redo", "--yes", "--lease-wait", "0"], Given::Nothing);
        // a token that is none, a holder that never was, or a row that cannot be updated any more at
        // worst keeps runs out
        assert!(
            [0, 1, 4, 5].contains(&ended.code),
            "{case}, `redo`: {ended:#?}"
        );
    };
    let only_row = |table: &Table, _: usize, _: usize| {
        let names: Vec<String> = table
            .columns
            .iter()
            .map(|c| format!("\"{}\"", c.name))
            .collect();
        let values: Vec<String> = table.rows[0].iter().map(Value::literal).collect();
        let sql = format!(
            "DELETE FROM mledger_lease; INSERT INTO mledger_lease ({}) VALUES ({})",
            names.join(", "),
            values.join(", ")
        );
        tamper(&specimen, &sql);
    };
    let made = each_change(&specimen, "mledger_lease", check, only_row);
    assert!(made.values().sum::<u32>() >= 10, "{made:?}");
    assert!(found > 0, "another identity is found");
}

/// F90: A new column is nothing that anybody has thought about, and neither is a new table.
fn the_tables_and_columns_are_those_that_are_covered(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let tables = specimen.project.ask(specimen.attacker().tables());
    let mut tables: Vec<&str> = tables.lines().collect();
    tables.sort_unstable();
    let mut covered = TABLES.to_vec();
    covered.sort_unstable();
    assert_eq!(tables, covered);
    for table in TABLES {
        for column in columns(&specimen, table) {
            for mutation in MUTATIONS {
                expected(table, &column.name, mutation);
            }
        }
        // a column that this version does not know makes it a table that is not ours
        let sql = format!("ALTER TABLE {table} ADD COLUMN smuggled INTEGER");
        specimen.project.ask(&specimen.attacker().words(&sql));
        specimen
            .verify(Given::Nothing)
            .assert_found("store-foreign", &format!("a column added to `{table}`"));
        specimen.restore();
    }
}

/// F90: One bit in each value of each event, whatever it says; each is named.
fn a_flipped_bit_in_any_row_is_found(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let events = table(&specimen, "mledger_events");
    for (at, column) in events.columns.iter().enumerate() {
        let code = match column.name.as_str() {
            "line" | "signature" => "signature-invalid",
            "prev" | "hash" => "column-mismatch",
            _ => continue,
        };
        let changes: Vec<String> = (0..events.rows.len())
            .filter_map(|row| change("mledger_events", &events, at, (row, row), FlippedBit))
            .collect();
        assert_eq!(
            changes.len(),
            events.rows.len(),
            "every row has a bit to flip"
        );
        force(&specimen, &changes.join("; "));
        let verdict = specimen.verify(Given::Nothing);
        verdict.assert_found(code, &column.name);
        let named = verdict.named();
        let all: BTreeSet<u64> = (0..specimen.size).collect();
        assert_eq!(named, all, "`{}` of each event", column.name);
        specimen.restore();
    }
}
