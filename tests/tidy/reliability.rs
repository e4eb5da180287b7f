//! `docs/reliability.md` names tests, and the tests are there.

use std::fs;

use super::{assert_none, read, root};

/// What is wrong with a row: a file or test that is not there, or a file in which nothing names one of
/// the row's numbers.
fn broken_promises(row: &str) -> Vec<String> {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let [_, _, numbers, _, _, tests, _] = cells[..] else {
        return vec![format!("expected five cells: {row}")];
    };
    if tests.starts_with("not covered yet: ") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut texts = String::new();
    for part in tests.split("; ") {
        let names: Vec<&str> = part.split('`').skip(1).step_by(2).collect();
        let Some((file, names)) = names.split_first() else {
            found.push(format!("{numbers} names no test"));
            continue;
        };
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        for name in names {
            if !text.contains(&format!("fn {name}(")) {
                found.push(format!("{numbers}: {file} has no test `{name}`"));
            }
        }
        texts += &text;
    }
    let unnamed = numbers
        .split(", ")
        .filter(|number| !texts.contains(*number));
    found.extend(unnamed.map(|number| format!("no test of {number} names it")));
    found
}

#[test]
fn the_tests_that_are_named_for_a_failure_are_there() {
    let page = read("docs/reliability.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("| F"))
        .collect();
    assert!(rows.len() >= 30, "only {} rows", rows.len());
    let found: Vec<String> = rows.into_iter().flat_map(broken_promises).collect();
    let made_up = "| 1 | F01 | x | S | `tests/tidy.rs`: `no_such_test` |";
    assert_none(
        "docs/reliability.md names tests that are there, and they name their number",
        &found,
        broken_promises(made_up).len() == 2,
    );
}
