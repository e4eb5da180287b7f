//! What someone with full rights on the database file can do, with tools that are not ours.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Stdio};

use mledger::ledger::{Digest, Event, Record, Signature, Signer};

use crate::support::sqlite;

/// A row of the events table as its columns say.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) line: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) prev: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// What happened to an attempt to change something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It was changed.
    Changed,
    /// The database has the same content as before.
    Same,
    /// Not even SQLite can store this.
    Impossible(String),
}

/// Runs SQL with the `sqlite3` shell and says whether it went through.
pub(crate) fn attempt(database: &Path, sql: &str) -> Result<String, String> {
    let output = Command::new("sqlite3")
        .args(["-batch", "-bail"])
        .arg(database)
        .arg(sql)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() && stderr.is_empty() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(stderr)
    }
}

/// Runs `sql` while neither guards nor constraints stand in its way, and leaves the definitions of the
/// store as they were, so that its look betrays nothing.
pub(crate) fn tamper(database: &Path, sql: &str) -> Attempt {
    let before = content(database);
    let triggers = definitions(database, "type = 'trigger' AND name LIKE 'mledger%'");
    let tables = definitions(database, "type = 'table' AND name LIKE 'mledger%'");
    let mut weaken = String::from("PRAGMA writable_schema = ON; BEGIN;\n");
    let mut mend = weaken.clone();
    for (name, text) in &tables {
        let weak = text.replace("NOT NULL", "").replace("STRICT", "");
        weaken += &format!(
            "UPDATE sqlite_schema SET sql = {} WHERE name = '{name}';\n",
            quoted(&weak)
        );
        mend += &format!(
            "UPDATE sqlite_schema SET sql = {} WHERE name = '{name}';\n",
            quoted(text)
        );
    }
    let drops: String = triggers
        .iter()
        .map(|(name, _)| format!("DROP TRIGGER {name};\n"))
        .collect();
    let guards: String = triggers
        .iter()
        .map(|(_, text)| format!("{text};\n"))
        .collect();
    // a process each: SQLite reads the definitions when it opens the file
    attempt(database, &format!("{drops}{weaken}COMMIT;")).unwrap();
    let changed = attempt(
        database,
        &format!("PRAGMA ignore_check_constraints = ON; BEGIN; {sql}; COMMIT;"),
    );
    attempt(database, &format!("{mend}COMMIT;")).unwrap();
    attempt(database, &guards).unwrap();
    match changed {
        Err(reason) => Attempt::Impossible(reason),
        Ok(_) if content(database) == before => Attempt::Same,
        Ok(_) => Attempt::Changed,
    }
}

/// Changes something that can be changed.
#[track_caller]
pub(crate) fn force(database: &Path, sql: &str) {
    assert_eq!(tamper(database, sql), Attempt::Changed, "{sql}");
}

fn definitions(database: &Path, which: &str) -> Vec<(String, String)> {
    sqlite(
        database,
        &format!("SELECT name || '|' || hex(sql) FROM sqlite_schema WHERE {which} ORDER BY rowid"),
    )
    .lines()
    .map(|line| {
        let (name, text) = line.split_once('|').unwrap();
        (name.to_owned(), String::from_utf8(unhex(text)).unwrap())
    })
    .collect()
}

/// Every value of our tables.
fn content(database: &Path) -> String {
    ["mledger_events", "mledger_objects", "mledger_lease"]
        .iter()
        .map(|table| {
            let columns: Vec<String> = columns(database, table)
                .into_iter()
                .map(|column| format!("quote({column})"))
                .collect();
            sqlite(
                database,
                &format!("SELECT {} FROM {table} ORDER BY rowid", columns.join(", ")),
            )
        })
        .collect()
}

/// The columns of a table, from SQLite itself.
pub(crate) fn columns(database: &Path, table: &str) -> Vec<String> {
    sqlite(
        database,
        &format!("SELECT name FROM pragma_table_info('{table}')"),
    )
    .lines()
    .map(str::to_owned)
    .collect()
}

/// The rows of the events table, in order.
pub(crate) fn rows(database: &Path) -> Vec<Row> {
    sqlite(
        database,
        "SELECT seq, hex(line), hex(signature), hex(prev), hex(hash) FROM mledger_events ORDER BY seq",
    )
    .lines()
    .map(|line| {
        let parts: Vec<&str> = line.split('|').collect();
        Row {
            seq: parts[0].parse().unwrap(),
            line: unhex(parts[1]),
            signature: unhex(parts[2]),
            prev: unhex(parts[3]),
            hash: unhex(parts[4]),
        }
    })
    .collect()
}

impl Row {
    pub(crate) fn event(&self) -> Event {
        Event::parse(&self.line).unwrap()
    }

    /// The row of a record, as the program would store it.
    pub(crate) fn of(record: &Record) -> Self {
        let event = record.event().unwrap();
        Self {
            seq: event.seq,
            line: record.line.clone(),
            signature: record.signature.as_bytes().to_vec(),
            prev: event.prev.as_bytes().to_vec(),
            hash: record.hash().as_bytes().to_vec(),
        }
    }

    /// The SQL that inserts it.
    pub(crate) fn insert(&self) -> String {
        format!(
            "INSERT INTO mledger_events (seq, line, signature, prev, hash) VALUES ({}, X'{}', X'{}', \
             X'{}', X'{}')",
            self.seq,
            hex(&self.line),
            hex(&self.signature),
            hex(&self.prev),
            hex(&self.hash)
        )
    }

    /// The SQL that puts it in the place of the row that is there.
    pub(crate) fn replace(&self) -> String {
        format!(
            "DELETE FROM mledger_events WHERE seq = {}; {}",
            self.seq,
            self.insert()
        )
    }
}

/// Signs events anew from `from` on with `key`, linking each to the one before it.
pub(crate) fn resigned(
    rows: &[Row],
    from: usize,
    key: &dyn Signer,
    edit: &dyn Fn(&mut Event),
) -> Vec<Row> {
    let mut prev = match from {
        0 => Digest::ZERO,
        _ => Digest::from_bytes(rows[from - 1].hash.clone().try_into().unwrap()),
    };
    rows[from..]
        .iter()
        .map(|row| {
            let mut event = row.event();
            event.prev = prev;
            edit(&mut event);
            let record = Record::sign(&event, key).unwrap();
            prev = record.hash();
            Row::of(&record)
        })
        .collect()
}

/// A record of these bytes, signed whatever they say.
pub(crate) fn sign_line(line: &[u8], key: &dyn Signer) -> Record {
    use mledger::ledger::sshsig;
    let mut message = line.to_vec();
    message.push(b'\n');
    let signature: Signature = key
        .sign(&sshsig::preimage("event-v1@mledger", &message))
        .unwrap();
    Record {
        line: line.to_vec(),
        signature,
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
