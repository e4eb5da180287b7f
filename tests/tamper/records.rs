//! Rows of the events table, as whoever can write to it makes them.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::ledger::{Digest, Event, Record, Signature, Signer};

use crate::support::Project;

/// A row of the events table as its columns say.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) line: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) prev: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// The rows of the events table, in order, as a client that is not ours reads them.
pub(crate) fn rows(project: &Project) -> Vec<Row> {
    project
        .ask(project.kind.store.rows)
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

    /// The hash that the next row names.
    pub(crate) fn hash_of(&self) -> Digest {
        Digest::from_bytes(self.hash.clone().try_into().unwrap())
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
