//! Events are only ever inserted, and read in their order.

use super::{assert_none, files, sources};

/// What changes events, in any wording; guards have their own files, and their trigger's head.
fn changes_events(text: &str) -> bool {
    let words = text.to_lowercase().replace("main.", "");
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = words.join(" ");
    [
        "update mledger_events",
        "delete from mledger_events",
        "replace into mledger_events",
        "or ignore into mledger_events",
        "drop table mledger_events",
        "alter table mledger_events",
        "truncate mledger_events",
        "truncate table mledger_events",
    ]
    .iter()
    .any(|change| words.contains(change))
}

#[test]
fn events_are_only_ever_inserted() {
    let mut found = Vec::new();
    for (path, text) in sources("src").into_iter().chain(files("migrations", "sql")) {
        // a text that goes on in the next line
        if changes_events(&text.replace("\\\n", " ")) {
            found.push(path);
        }
    }
    assert_none(
        "no statement changes or deletes events",
        &found,
        changes_events("x.execute(\"DELETE  FROM\n main.mledger_events\")"),
    );
}

/// The order of rows in a file is not the order of events.
#[test]
fn events_are_read_in_their_order() {
    fn unordered(text: &str) -> usize {
        let text = text.replace("\\\n", " ");
        text.split('"')
            .filter(|literal| literal.contains("FROM main.mledger_events"))
            .filter(|literal| !literal.contains("ORDER BY seq"))
            .count()
    }
    let found: Vec<String> = sources("src")
        .into_iter()
        .filter(|(_, text)| unordered(text) > 0)
        .map(|(path, _)| path)
        .collect();
    assert_none(
        "every reading of events is ordered by `seq`",
        &found,
        unordered("\"SELECT seq FROM main.mledger_events WHERE seq > 1\"") == 1,
    );
}
