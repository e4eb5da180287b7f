//! One table of what was changed × what the verifier was given × where, and what was said (F88–F97).
//!
//! The table is `matrix.md`. What is asserted beside it is what no table may say: that a change goes
//! unseen which can be seen, and that `verify.py` says something else of a bundle than we do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod changes;
mod subject;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use self::changes::Change;
use self::subject::{Anchor, Answer, Subject};
use crate::bundle::Bundle;

const TABLE: &str = include_str!("matrix/matrix.md");

/// What only something from outside can show: the rows that are intact in some cells.
const NEEDS_AN_ANCHOR: [&str; 7] = [
    "events: the last row cut off",
    "events: the second half cut off",
    "events: the last row cut off, and packed again with the owner's key",
    "events: the second half cut off, and packed again with the owner's key",
    "log: written anew from the middle on, with the owner's key",
    "log: replaced by another one of a stranger",
    "log: replaced by another one of the owner's key",
];

/// What is no change of what was recorded.
const NO_CHANGE: [&str; 4] = [
    "nothing",
    // who holds the key can go on with the history
    "events: an event of the owner's key at the end",
    // the same bytes, kept in another way
    "events.line: the same as text",
    "objects.encoding: as bytes",
];

/// No part of the history, so that an export is whole without it.
const OF_THE_DATABASE: &str = "lease.identity: ";

const HEAD: &str = "\
| what was changed | where | held against | exit | what was said | exceptions |
| --- | --- | --- | --- | --- | --- |
";

#[test]
fn the_table_says_what_is_found_of_every_change() {
    let subject = Subject::new();
    let mut table = HEAD.to_owned();
    let untouched = Change {
        name: "nothing".to_owned(),
        sql: Some("SELECT 1".to_owned()),
        bundle: Some(Box::new(|_| {})),
        file: None,
    };
    let mut unseen = Vec::new();
    for change in std::iter::once(untouched).chain(changes::all(&subject)) {
        let cells = judge(&subject, &change);
        let name = change.name.as_str();
        let counts =
            |cell: &&Cell| !(name.starts_with(OF_THE_DATABASE) && cell.place == "its export");
        let mut counting = cells.iter().filter(counts);
        if NEEDS_AN_ANCHOR.contains(&name) {
            let seen = |cell: &Cell| cell.answer.exit == 4;
            assert!(cells.iter().any(seen), "{name}: no anchor shows it");
        } else if !NO_CHANGE.contains(&name) && counting.any(|cell| cell.answer.exit != 4) {
            unseen.push(name.to_owned());
        }
        write_rows(&mut table, &change.name, &cells);
    }
    if table != TABLE {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix.md");
        fs::write(&path, &table).unwrap();
        let first = table
            .lines()
            .zip(TABLE.lines())
            .find(|(now, was)| now != was);
        panic!(
            "the table is another one, first in {first:#?}; read `{}` and put it in the place of \
             tests/tamper/matrix/matrix.md",
            path.display()
        );
    }
    assert_eq!(unseen, Vec::<String>::new(), "changes that go unseen");
}

/// One answer and where it comes from.
struct Cell {
    place: &'static str,
    anchor: Option<Anchor>,
    answer: Answer,
    exceptions: String,
}

fn judge(subject: &Subject, change: &Change<'_>) -> Vec<Cell> {
    let mut cells = Vec::new();
    let changed = match (change.file, &change.sql) {
        (Some(file), _) => {
            subject.replace(file);
            true
        }
        (None, Some(sql)) => subject.change(sql).is_ok(),
        (None, None) => false,
    };
    if changed {
        let exceptions = listed(subject.exceptions_of_database());
        for anchor in Anchor::ALL {
            cells.push(Cell {
                place: "database",
                anchor: Some(anchor),
                answer: subject.database(anchor),
                exceptions: exceptions.clone(),
            });
        }
        let (answer, exceptions) = match subject.export() {
            Ok(bundle) => (
                subject.bundle(&bundle, Anchor::Nothing, &change.name),
                listed(subject.exceptions(&bundle)),
            ),
            Err(error) => {
                let answer = Answer::failed(&error);
                let words = format!("no bundle: {}", answer.words);
                (Answer { words, ..answer }, String::new())
            }
        };
        cells.push(Cell {
            place: "its export",
            anchor: Some(Anchor::Nothing),
            answer,
            exceptions,
        });
    } else if change.sql.is_some() {
        cells.push(Cell {
            place: "database",
            anchor: None,
            answer: Answer {
                exit: 4,
                words: "the database cannot hold it".to_owned(),
            },
            exceptions: String::new(),
        });
    }
    if let Some(edit) = &change.bundle {
        let bundle = Bundle::copy_of(&subject.whole.path());
        edit(&bundle);
        let exceptions = listed(subject.exceptions(&bundle));
        for anchor in Anchor::ALL {
            // a machine remembers heads of databases
            if anchor == Anchor::RememberedHead {
                continue;
            }
            cells.push(Cell {
                place: "bundle",
                anchor: Some(anchor),
                answer: subject.bundle(&bundle, anchor, &change.name),
                exceptions: exceptions.clone(),
            });
        }
    }
    cells
}

fn listed(kinds: BTreeSet<String>) -> String {
    let kinds: Vec<String> = kinds.into_iter().collect();
    kinds.join(" ")
}

/// Writes the cells of a change; those that say the same share a line.
fn write_rows(table: &mut String, name: &str, cells: &[Cell]) {
    let mut rest: Vec<&Cell> = cells.iter().collect();
    while let Some(first) = rest.first().copied() {
        let (same, others): (Vec<&Cell>, Vec<&Cell>) = rest
            .into_iter()
            .partition(|cell| cell.place == first.place && cell.answer == first.answer);
        let all = cells.iter().filter(|cell| cell.place == first.place);
        let against = if first.anchor.is_none() {
            "-".to_owned()
        } else if same.len() == all.count() && same.len() > 1 {
            "anything".to_owned()
        } else {
            let names = same.iter().filter_map(|cell| cell.anchor);
            let names: Vec<&str> = names.map(Anchor::name).collect();
            names.join(", ")
        };
        let Answer { exit, words } = &first.answer;
        let exit = first
            .anchor
            .map_or_else(|| "-".to_owned(), |_| exit.to_string());
        let exceptions = match first.exceptions.as_str() {
            "" => "-",
            kinds => kinds,
        };
        writeln!(
            table,
            "| {name} | {} | {against} | {exit} | {words} | {exceptions} |",
            first.place
        )
        .unwrap();
        rest = others;
    }
}
