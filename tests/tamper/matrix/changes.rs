//! The rows of the table: what is done to one value, one row, or the whole log.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use mledger::ledger::{Body, Digest, NoteAdded, Record, Signature, Signer, SigningKey};

use super::subject::Subject;
use crate::bundle::Bundle;
use crate::records::{Row, hex, resigned};

/// What is done to a bundle.
pub(super) type Edit<'a> = Box<dyn Fn(&Bundle) + 'a>;

/// One row of the table: the same done to a database and to a bundle, where both have it.
pub(super) struct Change<'a> {
    pub(super) name: String,
    pub(super) sql: Option<String>,
    pub(super) bundle: Option<Edit<'a>>,
    /// A database file to put in the place of ours.
    pub(super) file: Option<&'a [u8]>,
}

/// A line of the log and the base64 of its signature.
type Written = (Vec<u8>, Vec<u8>);

/// The members of an event, whose values are changed one by one.
const MEMBERS: [&str; 14] = [
    "actor", "body", "env", "host", "key", "kind", "ledger", "outcome", "prev", "run", "seq",
    "time", "tool", "v",
];

pub(super) fn all(subject: &Subject) -> Vec<Change<'_>> {
    let mut changes = Vec::new();
    changes.extend(of_lines(subject));
    changes.extend(of_signatures(subject));
    changes.extend(of_columns(subject));
    changes.extend(of_rows(subject));
    changes.extend(of_whole_logs(subject));
    changes.extend(of_objects(subject));
    changes
}

fn change<'a>(
    name: impl Into<String>,
    sql: impl Into<Option<String>>,
    bundle: Option<Edit<'a>>,
) -> Change<'a> {
    Change {
        name: name.into(),
        sql: sql.into(),
        bundle,
        file: None,
    }
}

/// Classes of bytes that every value has.
fn bytes_of(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    bytes_around(value, value.len() / 2)
}

fn bytes_around(value: &[u8], middle: usize) -> Vec<(&'static str, Vec<u8>)> {
    let flipped = |at: usize| {
        let mut bytes = value.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    vec![
        ("first byte", flipped(0)),
        ("middle byte", flipped(middle)),
        ("last byte", flipped(value.len() - 1)),
        ("last byte cut off", value[..value.len() - 1].to_vec()),
        ("a blank behind", [value, b" "].concat()),
    ]
}

/// Classes of bytes that only text has.
fn text_of(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let changed = |wanted: fn(&u8) -> bool, change: fn(u8) -> u8| {
        let mut bytes = value.to_vec();
        let at = bytes.iter().position(wanted).unwrap();
        bytes[at] = change(bytes[at]);
        bytes
    };
    let other_case = changed(u8::is_ascii_alphabetic, |letter| letter ^ 0x20);
    let other_digit = changed(u8::is_ascii_digit, |digit| digit ^ 1);
    vec![
        ("case of a letter", other_case),
        ("a digit", other_digit),
        ("a line feed behind", [value, b"\n"].concat()),
    ]
}

fn set(table: &str, column: &str, value: &str, key: &str) -> String {
    format!("UPDATE mledger_{table} SET {column} = {value} WHERE {key}")
}

fn blob(bytes: &[u8]) -> String {
    format!("X'{}'", hex(bytes))
}

fn of_lines(subject: &Subject) -> Vec<Change<'_>> {
    let seq = subject.middle();
    let line = &subject.rows[seq].line;
    let key = format!("seq = {seq}");
    let text = String::from_utf8(line.clone()).unwrap();
    let place = |member: &str| text.find(&format!("\"{member}\":\"")).unwrap() + member.len() + 4;
    // where the middle lies, and what the first digit is, differs between machines
    let mut values = bytes_around(line, place("kind") + 1);
    let texts = text_of(line).into_iter();
    values.extend(texts.filter(|(class, _)| *class != "a digit"));
    let mut later = line.clone();
    later[place("time") + "2026-01-01T00:00:00.00000".len()] ^= 1;
    values.push(("a digit", later));
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from));
        text.replacen(from, to, 1).into_bytes()
    };
    values.push(("a blank inside", replaced(":", ": ")));
    let number = format!("\"seq\":{seq},");
    let quoted = format!("\"seq\":\"{seq}\",");
    values.push(("a number as text", replaced(&number, &quoted)));
    values.push(("empty", Vec::new()));
    let named = values
        .into_iter()
        .map(|(class, value)| (format!("line: {class}"), value));
    let members = MEMBERS.into_iter().map(|member| {
        let at = text.find(&format!("\"{member}\":")).unwrap() + member.len() + 3;
        let at = at + usize::from(matches!(line[at], b'"' | b'{'));
        let mut value = line.clone();
        // what is drawn by lot stays a digit, so that the same is found of every ledger
        value[at] = match line[at] {
            b'0' => b'1',
            b'1'..=b'9' | b'a'..=b'f' if ["ledger", "prev", "run"].contains(&member) => b'0',
            byte => byte ^ 1,
        };
        (format!("line: member {member}"), value)
    });
    let mut changes: Vec<Change> = named
        .chain(members)
        .map(|(name, value)| {
            let sql = set("events", "line", &blob(&value), &key);
            let edit: Edit = Box::new(move |bundle| {
                let mut written = subject.written();
                written[seq].0.clone_from(&value);
                write(bundle, &written);
            });
            change(format!("events.{name}"), sql, Some(edit))
        })
        .collect();
    let text = set("events", "line", "CAST(line AS TEXT)", &key);
    changes.push(change("events.line: the same as text", text, None));
    let null = set("events", "line", "NULL", &key);
    changes.push(change("events.line: NULL", null, None));
    changes
}

/// Sixty-four bytes in a database, and base64 in a bundle.
fn of_signatures(subject: &Subject) -> Vec<Change<'_>> {
    let seq = subject.middle();
    let key = format!("seq = {seq}");
    let stored = &subject.rows[seq].signature;
    let edit = move |value: Vec<u8>| -> Edit<'_> {
        Box::new(move |bundle| {
            let mut written = subject.written();
            written[seq].1.clone_from(&value);
            write(bundle, &written);
        })
    };
    let armoured = subject.written()[seq].1.clone();
    let mut changes: Vec<Change> = bytes_of(stored)
        .into_iter()
        .zip(bytes_of(&armoured))
        .map(|((class, value), (_, text))| {
            let sql = set("events", "signature", &blob(&value), &key);
            change(format!("events.signature: {class}"), sql, Some(edit(text)))
        })
        .collect();
    for (class, text) in text_of(&armoured) {
        let name = format!("events.signature: {class}");
        changes.push(change(name, None, Some(edit(text))));
    }
    let zeros = set("events", "signature", "zeroblob(64)", &key);
    let armoured = Signature::from_bytes([0; 64]).to_string().into_bytes();
    let name = "events.signature: all zeros";
    changes.push(change(name, zeros, Some(edit(armoured))));
    let next = subject.rows[seq + 1].signature.clone();
    let sql = set("events", "signature", &blob(&next), &key);
    let theirs = subject.written()[seq + 1].1.clone();
    let name = "events.signature: that of the next event";
    changes.push(change(name, sql, Some(edit(theirs))));
    let text = set("events", "signature", "hex(signature)", &key);
    changes.push(change("events.signature: as text", text, None));
    let null = set("events", "signature", "NULL", &key);
    changes.push(change("events.signature: NULL", null, None));
    changes
}

/// What stands beside the line in a database only.
fn of_columns(subject: &Subject) -> Vec<Change<'_>> {
    let seq = subject.middle();
    let row = &subject.rows[seq];
    let key = format!("seq = {seq}");
    let mut changes = Vec::new();
    let mut add = |name: String, sql: String| changes.push(change(name, sql, None));
    for (column, value) in [("prev", &row.prev), ("hash", &row.hash)] {
        for (class, value) in bytes_of(value) {
            let sql = set("events", column, &blob(&value), &key);
            add(format!("events.{column}: {class}"), sql);
        }
        for (class, value) in [
            ("as text", format!("hex({column})")),
            ("NULL", "NULL".to_owned()),
        ] {
            let sql = set("events", column, &value, &key);
            add(format!("events.{column}: {class}"), sql);
        }
    }
    for (class, value) in [
        ("a digit", "seq + 1000"),
        ("below zero", "-1 - seq"),
        ("as text", "'x' || seq"),
        ("NULL", "NULL"),
    ] {
        let sql = set("events", "seq", value, &key);
        add(format!("events.seq: {class}"), sql);
    }
    let identity = &subject.identity;
    let text = |value: Vec<u8>| format!("'{}'", String::from_utf8(value).unwrap());
    for (class, value) in bytes_of(identity).into_iter().chain(text_of(identity)) {
        let sql = set("lease", "identity", &text(value), "true");
        add(format!("lease.identity: {class}"), sql);
    }
    for (class, value) in [("as bytes", "CAST(identity AS BLOB)"), ("NULL", "NULL")] {
        let sql = set("lease", "identity", value, "true");
        add(format!("lease.identity: {class}"), sql);
    }
    changes
}

fn of_rows(subject: &Subject) -> Vec<Change<'_>> {
    let (size, middle) = (subject.rows.len(), subject.middle());
    let without = move |name: &str, from: usize, to: usize| {
        let sql = format!("DELETE FROM mledger_events WHERE seq >= {from} AND seq < {to}");
        let edit: Edit = Box::new(move |bundle| {
            let mut written = subject.written();
            written.drain(from..to);
            write(bundle, &written);
        });
        change(format!("events: {name}"), sql, Some(edit))
    };
    let mut changes = vec![
        without("the first row deleted", 0, 1),
        without("a row in the middle deleted", middle, middle + 1),
        without("the first half deleted", 0, middle),
        without("all rows deleted", 0, size),
        without("the last row cut off", size - 1, size),
        without("the second half cut off", middle, size),
    ];
    for (name, from) in [
        ("the last row cut off", size - 1),
        ("the second half cut off", middle),
    ] {
        let edit: Edit = Box::new(move |bundle| {
            let written = subject.written();
            repack(bundle, &written[..from], &subject.key);
        });
        let name = format!("events: {name}, and packed again with the owner's key");
        changes.push(change(name, None, Some(edit)));
    }

    let mut copy = subject.rows[middle].clone();
    copy.seq = size as u64;
    copy.prev = vec![7; 32];
    copy.hash = vec![8; 32];
    changes.push(change(
        "events: a row a second time, at the end",
        copy.insert(),
        Some(Box::new(move |bundle| {
            let mut written = subject.written();
            written.push(written[middle].clone());
            write(bundle, &written);
        })),
    ));
    // far enough from one another that their times differ
    let later = size - 2;
    let (mut one, mut other) = (subject.rows[middle].clone(), subject.rows[later].clone());
    std::mem::swap(&mut one.seq, &mut other.seq);
    changes.push(change(
        "events: two rows swapped",
        format!(
            "DELETE FROM mledger_events WHERE seq IN ({}, {}); {}; {}",
            one.seq,
            other.seq,
            one.insert(),
            other.insert()
        ),
        Some(Box::new(move |bundle| {
            let mut written = subject.written();
            written.swap(middle, later);
            write(bundle, &written);
        })),
    ));
    let stranger = SigningKey::from_seed([66; 32]);
    for (name, key) in [
        ("an event of a stranger at the end", &stranger),
        ("an event of the owner's key at the end", &*subject.key),
    ] {
        let row = appended(subject, key);
        changes.push(change(
            format!("events: {name}"),
            row.insert(),
            Some(Box::new(move |bundle| {
                let mut written = subject.written();
                written.push(as_written(&row));
                write(bundle, &written);
            })),
        ));
    }
    changes
}

fn of_whole_logs(subject: &Subject) -> Vec<Change<'_>> {
    let middle = subject.middle();
    let rewritten = resigned(&subject.rows, middle, &*subject.key, &|event| {
        if event.seq == middle as u64 {
            event.actor = "mallory@example.com".to_owned();
        }
    });
    let inserts: Vec<String> = rewritten.iter().map(Row::insert).collect();
    let mut changes = vec![change(
        "log: written anew from the middle on, with the owner's key",
        format!(
            "DELETE FROM mledger_events WHERE seq >= {middle}; {}",
            inserts.join("; ")
        ),
        Some(Box::new(move |bundle| {
            let mut written = subject.written();
            written.truncate(middle);
            written.extend(rewritten.iter().map(as_written));
            repack(bundle, &written, &subject.key);
        })),
    )];
    for (name, other) in [
        (
            "log: replaced by another one of a stranger",
            &subject.strangers,
        ),
        (
            "log: replaced by another one of the owner's key",
            &subject.owners,
        ),
    ] {
        changes.push(Change {
            name: name.to_owned(),
            sql: None,
            bundle: Some(Box::new(move |bundle| {
                fs::remove_dir_all(bundle.path()).unwrap();
                other.bundle.copy_to(&bundle.path());
            })),
            file: Some(&other.file),
        });
    }
    changes
}

fn of_objects(subject: &Subject) -> Vec<Change<'_>> {
    let object = &subject.object;
    let place = format!("objects/{}", hex(&object.digest));
    let key = format!("digest = {}", blob(&object.digest));
    let mut changes = Vec::new();
    let mut texts = bytes_of(&object.bytes);
    texts.extend(text_of(&object.bytes));
    for (class, bytes) in texts {
        let sql = format!(
            "UPDATE mledger_objects SET encoding = 'raw', size = {}, content = {} WHERE {key}",
            bytes.len(),
            blob(&bytes)
        );
        let place = place.clone();
        let edit: Edit = Box::new(move |bundle| bundle.write(&place, &bytes));
        changes.push(change(format!("objects.content: {class}"), sql, Some(edit)));
    }
    let renamed = |to: String| -> Edit<'_> {
        let from = place.clone();
        Box::new(move |bundle| {
            fs::rename(bundle.file(&from), bundle.file(&format!("objects/{to}"))).unwrap();
        })
    };
    for (class, digest) in bytes_of(&object.digest) {
        let sql = set("objects", "digest", &blob(&digest), &key);
        // a blank is no character of a name in a bundle, and is found as such
        let edit = renamed(hex(&digest));
        changes.push(change(format!("objects.digest: {class}"), sql, Some(edit)));
    }
    let edit = renamed(hex(&object.digest).to_uppercase());
    let name = "objects.digest: case of its letters";
    changes.push(change(name, None, Some(edit)));
    for (column, class, value) in [
        ("digest", "as text", "hex(digest)"),
        ("digest", "NULL", "NULL"),
        ("size", "a digit", "size + 1"),
        ("size", "below zero", "-1"),
        ("size", "as text", "'x'"),
        ("size", "NULL", "NULL"),
        ("encoding", "case of its letters", "upper(encoding)"),
        ("encoding", "a blank behind", "encoding || ' '"),
        ("encoding", "absent", "'absent'"),
        ("encoding", "as bytes", "CAST(encoding AS BLOB)"),
        ("encoding", "NULL", "NULL"),
        ("content", "NULL", "NULL"),
    ] {
        let sql = set("objects", column, value, &key);
        changes.push(change(format!("objects.{column}: {class}"), sql, None));
    }
    let gone = place.clone();
    changes.push(change(
        "objects: a row deleted",
        format!("DELETE FROM mledger_objects WHERE {key}"),
        Some(Box::new(move |bundle| {
            fs::remove_file(bundle.file(&gone)).unwrap();
        })),
    ));
    let twin = Digest::of(b"another");
    changes.push(change(
        "objects: a row a second time, under another digest",
        format!(
            "INSERT INTO mledger_objects SELECT {}, size, encoding, content FROM mledger_objects WHERE {key}",
            blob(twin.as_bytes())
        ),
        Some(Box::new(move |bundle| {
            bundle.write(&format!("objects/{twin}"), &object.bytes);
        })),
    ));
    changes
}

/// A note at the end, by the owner's name and with this key.
fn appended(subject: &Subject, key: &SigningKey) -> Row {
    let last = subject.rows.last().unwrap();
    let mut event = last.event();
    event.seq += 1;
    event.prev = last.hash_of();
    event.key = key.public_key().fingerprint();
    event.body = Body::NoteAdded(NoteAdded {
        about: None,
        text: "all is well".to_owned(),
    });
    Row::of(&Record::sign(&event, key).unwrap())
}

pub(super) fn as_written(row: &Row) -> Written {
    let signature = Signature::try_from(row.signature.as_slice()).unwrap();
    (row.line.clone(), signature.to_string().into_bytes())
}

fn write(bundle: &Bundle, written: &[Written]) {
    let lines = written.iter().map(|(line, _)| line);
    bundle.write("events.jsonl", &joined(lines));
    let signatures = written.iter().map(|(_, signature)| signature);
    bundle.write("signatures", &joined(signatures));
}

fn joined<'a>(lines: impl Iterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    lines
        .flat_map(|line| [line, b"\n".as_slice()].concat())
        .collect()
}

/// Writes the log with a checkpoint over it and a list of files, both signed with this key.
fn repack(bundle: &Bundle, written: &[Written], key: &SigningKey) {
    use mledger::ledger::verify::Options;
    use mledger::ledger::{Checkpoint, Verifier};
    write(bundle, written);
    let mut verifier = Verifier::new(Options::default());
    for (line, signature) in written {
        let signature = std::str::from_utf8(signature).unwrap().parse().unwrap();
        verifier.push(&Record {
            line: line.clone(),
            signature,
        });
    }
    let checkpoint = Checkpoint {
        ledger: verifier.ledger_id().unwrap(),
        size: verifier.size(),
        root: verifier.root(),
    };
    let note = checkpoint.sign(key).unwrap();
    bundle.write("checkpoint", note.to_string().as_bytes());
    bundle.seal(key);
}
