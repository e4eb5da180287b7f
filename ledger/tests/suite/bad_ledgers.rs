//! Named ledgers with one defect each, as files that other implementations can use.
//!
//! A file under `tests/vectors/ledgers` is JSON lines: first what it is and what must be found,
//! then an entry each. The files are made here, and the test holds them to the byte; run it with
//! `LEDGER_WRITE_VECTORS=1` to write them anew.

use std::collections::BTreeSet;

use ledger::Direction::Up;
use ledger::{Event, KeyRetired, Outcome, Record, Role, Signature, Signer as _, Verifier};

use crate::support::bodies::*;
use crate::support::{Log, OWNER, grant, key, vectors};

struct Case {
    name: &'static str,
    about: &'static str,
    /// Codes and places; every one that is found, no more.
    findings: &'static [(&'static str, u64)],
    log: Log,
}

/// A small good ledger: an owner, an operator, an auditor, and one applied migration.
fn good() -> Log {
    let mut log = Log::opened();
    log.add_key(2, &[Role::Operator]);
    log.add_key(3, &[Role::Auditor]);
    log.append(2, 1, acquired(1));
    log.append(2, 1, run_started("plan"));
    log.append(2, 1, started_atomic("1", Up));
    log.append(2, 1, applied("1"));
    log.append(2, 1, run_finished(0));
    log.append(2, 1, released(1));
    log
}

fn altered(alter: impl FnOnce(&mut Log)) -> Log {
    let mut log = good();
    alter(&mut log);
    log
}

/// Replaces the last record by a line of another text with a signature of its own.
fn relined(log: &mut Log, by: u8, line: &str) {
    use ledger::sshsig::{EVENT_NAMESPACE, preimage};
    let message = format!("{line}\n");
    let signature = key(by).sign(&preimage(EVENT_NAMESPACE, message.as_bytes()));
    log.records.push(Record {
        line: line.as_bytes().to_vec(),
        signature: signature.unwrap(),
    });
}

fn next_line(log: &Log, by: u8, text: &str) -> String {
    String::from_utf8(log.next(by, 2, note(text)).to_line().unwrap()).unwrap()
}

fn resigned(log: &mut Log, by: u8, body: impl Into<ledger::Body>, alter: impl FnOnce(&mut Event)) {
    let mut event = log.next(by, 1, body);
    alter(&mut event);
    log.append_event(by, &event);
}

#[expect(clippy::too_many_lines, reason = "a table, one case after the other")]
fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "good",
            about: "nothing is wrong",
            findings: &[],
            log: good(),
        },
        Case {
            name: "line-with-space",
            about: "a space after a colon, signed as it stands",
            findings: &[("line-not-canonical", 9)],
            log: altered(|log| {
                let line = next_line(log, 3, "x").replacen(':', ": ", 1);
                relined(log, 3, &line);
            }),
        },
        Case {
            name: "line-too-long",
            about: "an entry of 65,536 bytes",
            findings: &[("line-not-canonical", 9)],
            log: altered(|log| {
                let room = ledger::MAX_LINE - next_line(log, 3, "").len();
                let line = next_line(log, 3, &"x".repeat(room)).replacen(":\"xx", ":\"xxx", 1);
                relined(log, 3, &line);
            }),
        },
        Case {
            name: "body-with-unknown-member",
            about: "a body with a member that its kind has not",
            findings: &[("line-not-canonical", 9)],
            log: altered(|log| {
                let line = next_line(log, 3, "x").replacen("{\"text\"", "{\"also\":1,\"text\"", 1);
                relined(log, 3, &line);
            }),
        },
        Case {
            name: "roles-unsorted",
            about: "a set that is not sorted",
            findings: &[("line-not-canonical", 9)],
            log: altered(|log| {
                let body = log.key_added(5, &[Role::Approver, Role::Auditor]);
                let event = log.next(OWNER, 0, body);
                let line = String::from_utf8(event.to_line().unwrap())
                    .unwrap()
                    .replacen(r#"["approver","auditor"]"#, r#"["auditor","approver"]"#, 1);
                relined(log, OWNER, &line);
            }),
        },
        Case {
            name: "version-two",
            about: "a line of another format version",
            findings: &[("version-unknown", 9)],
            log: altered(|log| {
                let line = next_line(log, 3, "x").replacen("\"v\":1}", "\"v\":2}", 1);
                relined(log, 3, &line);
            }),
        },
        Case {
            name: "kind-of-the-future",
            about: "a kind that is not known",
            findings: &[("kind-unknown", 9)],
            log: altered(|log| {
                let line = next_line(log, 3, "x").replacen("note.added", "moon.landed", 1);
                relined(log, 3, &line);
            }),
        },
        Case {
            name: "entry-dropped",
            about: "the fifth entry is gone",
            findings: &[
                ("lifecycle-broken", 6),
                ("prev-mismatch", 4),
                ("seq-gap", 4),
            ],
            log: altered(|log| {
                log.records.remove(4);
            }),
        },
        Case {
            name: "entry-doubled",
            about: "the third entry stands twice",
            findings: &[
                ("lifecycle-broken", 3),
                ("prev-mismatch", 3),
                ("seq-gap", 3),
            ],
            log: altered(|log| {
                let record = log.records[2].clone();
                log.records.insert(3, record);
            }),
        },
        Case {
            name: "seq-skips",
            about: "a seq is left out by its own signer",
            findings: &[("seq-gap", 9)],
            log: altered(|log| resigned(log, 3, note("x"), |event| event.seq += 1)),
        },
        Case {
            name: "prev-elsewhere",
            about: "an entry that follows another one than it stands after",
            findings: &[("prev-mismatch", 9)],
            log: altered(|log| {
                let other = log.records[3].hash();
                resigned(log, 3, note("x"), |event| event.prev = other);
            }),
        },
        Case {
            name: "from-another-ledger",
            about: "an entry of another ledger's id",
            findings: &[("ledger-mismatch", 9)],
            log: altered(|log| {
                resigned(log, 3, note("x"), |event| {
                    event.ledger = ledger::Digest::of(b"x")
                });
            }),
        },
        Case {
            name: "signature-of-another-entry",
            about: "the last entry has the signature of the one before",
            findings: &[("signature-invalid", 8)],
            log: altered(|log| log.records[8].signature = log.records[7].signature),
        },
        Case {
            name: "signature-s-not-reduced",
            about: "the order L is added to the signature's S, which a lax verifier accepts",
            findings: &[("signature-invalid", 8)],
            log: altered(|log| {
                log.records[8].signature = with_order_added(&log.records[8].signature);
            }),
        },
        Case {
            name: "signature-of-the-line-itself",
            about: "plain Ed25519 over the line, without SSHSIG",
            findings: &[("signature-invalid", 8)],
            log: altered(|log| {
                let message = [log.records[8].line.as_slice(), b"\n"].concat();
                log.records[8].signature = key(2).sign(&message).unwrap();
            }),
        },
        Case {
            name: "key-never-added",
            about: "a stranger signs",
            findings: &[("key-unknown", 9)],
            log: altered(|log| {
                log.append(9, 2, note("x"));
            }),
        },
        Case {
            name: "key-of-another-role",
            about: "an auditor takes the lock",
            findings: &[("key-not-authorised", 9)],
            log: altered(|log| {
                log.append(3, 2, acquired(2));
            }),
        },
        Case {
            name: "key-retired",
            about: "a key signs after its retirement",
            findings: &[("key-not-authorised", 10)],
            log: altered(|log| {
                log.append(OWNER, 0, retired(3, None));
                log.append(3, 2, note("x"));
            }),
        },
        Case {
            name: "key-compromised",
            about: "a key signed after it was stolen",
            findings: &[("key-compromised", 10)],
            log: altered(|log| {
                log.append(3, 2, note("x"));
                log.append(OWNER, 0, retired(3, Some(9)));
            }),
        },
        Case {
            name: "key-added-by-operator",
            about: "an operator lets a key in, which then signs",
            findings: &[("key-not-authorised", 9), ("key-unknown", 10)],
            log: altered(|log| {
                let body = log.key_added(5, &[Role::Owner]);
                log.append(2, 0, body);
                log.append(5, 2, note("x"));
            }),
        },
        Case {
            name: "key-proof-of-another-ledger",
            about: "a proof of possession that was made for another ledger",
            findings: &[("key-proof-invalid", 9)],
            log: altered(|log| {
                let mut other = Log::opened();
                other.ledger = ledger::Digest::of(b"x");
                let body = other.key_added(5, &[Role::Auditor]);
                log.append(OWNER, 0, body);
            }),
        },
        Case {
            name: "key-weak",
            about: "a public key of small order",
            findings: &[("key-proof-invalid", 9)],
            log: altered(|log| {
                let mut body = log.key_added(5, &[Role::Auditor]);
                body.public = "ssh-ed25519 \
                    AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    .to_owned();
                log.append(OWNER, 0, body);
            }),
        },
        Case {
            name: "last-owner-retired",
            about: "nobody would be left to let keys in",
            findings: &[("lifecycle-broken", 9)],
            log: altered(|log| {
                log.append(OWNER, 0, retired(OWNER, None));
            }),
        },
        Case {
            name: "first-key-names-another",
            about: "the first entry is signed by another key than it names",
            findings: &[("key-not-authorised", 0), ("signature-invalid", 0)],
            log: {
                let mut event = Log::opened().records[0].event().unwrap();
                let mut log = Log::opened();
                log.records.clear();
                event.key = key(2).public_key().fingerprint();
                log.append_event(2, &event);
                log
            },
        },
        Case {
            name: "first-key-no-owner",
            about: "the first key holds too few roles",
            findings: &[("key-not-authorised", 0)],
            log: {
                let mut log = Log::opened();
                let mut event = log.records.remove(0).event().unwrap();
                if let ledger::Body::LedgerCreated(body) = &mut event.body {
                    body.key = grant(OWNER, &[Role::Operator]);
                }
                log.append_event(OWNER, &event);
                log
            },
        },
        Case {
            name: "created-twice",
            about: "a second first entry",
            findings: &[("lifecycle-broken", 9)],
            log: altered(|log| {
                let body = log.records[0].event().unwrap().body;
                let ledger = log.ledger;
                log.append(OWNER, 0, body);
                log.ledger = ledger;
            }),
        },
        Case {
            name: "applied-without-start",
            about: "a migration is applied that was not started",
            findings: &[("lifecycle-broken", 10)],
            log: altered(|log| {
                log.append(2, 2, acquired(2)).append(2, 2, applied("2"));
            }),
        },
        Case {
            name: "started-outside-the-lock",
            about: "a migration is started without the lock",
            findings: &[("lifecycle-broken", 9)],
            log: altered(|log| {
                log.append(2, 2, started("2", Up));
            }),
        },
        Case {
            name: "applied-twice",
            about: "an applied migration is applied again",
            findings: &[("lifecycle-broken", 11)],
            log: altered(|log| {
                log.append(2, 2, acquired(2));
                log.append(2, 2, started_atomic("1", Up));
                log.append(2, 2, applied("1"));
            }),
        },
        Case {
            name: "step-skipped",
            about: "the second step without the first",
            findings: &[("lifecycle-broken", 11)],
            log: altered(|log| {
                log.append(2, 2, acquired(2));
                log.append(2, 2, started("2", Up));
                log.append(2, 2, step("2", Up, 2));
            }),
        },
        Case {
            name: "failure-called-success",
            about: "a failed migration with outcome success",
            findings: &[("lifecycle-broken", 11)],
            log: altered(|log| {
                log.append(2, 1, acquired(1));
                log.append(2, 1, started_atomic("2", Up));
                resigned(log, 2, failed("2", Up, true), |event| {
                    event.outcome = Outcome::Success;
                });
            }),
        },
        Case {
            name: "clock-back",
            about: "an entry that is older than the one before, which is a warning",
            findings: &[("clock-went-back", 9)],
            log: altered(|log| {
                resigned(log, 3, note("x"), |event| {
                    event.time = ledger::Timestamp::from_micros(0);
                });
            }),
        },
    ]
}

fn retired(number: u8, compromised_from: Option<u64>) -> KeyRetired {
    KeyRetired {
        compromised_from,
        fingerprint: key(number).public_key().fingerprint(),
        reason: "left".to_owned(),
    }
}

/// Adds the order of the curve's group to S (RFC 8032 section 5.1.7 forbids S of L and more).
fn with_order_added(signature: &Signature) -> Signature {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = *signature.as_bytes();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    Signature::from_bytes(bytes)
}

/// Returns the file's text for a case.
fn file_text(case: &Case) -> String {
    let findings: Vec<serde_json::Value> = case
        .findings
        .iter()
        .map(|(code, seq)| serde_json::json!({"code": code, "seq": seq}))
        .collect();
    let mut text = serde_json::json!({"about": case.about, "findings": findings}).to_string();
    text.push('\n');
    for record in &case.log.records {
        let line = std::str::from_utf8(&record.line).unwrap();
        let entry = serde_json::json!({"line": line, "signature": record.signature.to_string()});
        text.push_str(&entry.to_string());
        text.push('\n');
    }
    text
}

#[test]
fn the_named_ledgers_are_as_they_were() {
    let folder = vectors().join("ledgers");
    let write = std::env::var_os("LEDGER_WRITE_VECTORS").is_some();
    let mut names = BTreeSet::new();
    for case in cases() {
        let path = folder.join(format!("{}.jsonl", case.name));
        if write {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, file_text(&case)).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap();
        assert!(stored == file_text(&case), "{} differs", case.name);
        assert!(names.insert(format!("{}.jsonl", case.name)));
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&name), "`{name}` has no case");
    }
}

#[test]
fn each_defect_is_found_and_nothing_else() {
    for entry in std::fs::read_dir(vectors().join("ledgers")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let about = lines.next().unwrap();
        let expected: BTreeSet<(String, u64)> = about["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| {
                let code = finding["code"].as_str().unwrap().to_owned();
                (code, finding["seq"].as_u64().unwrap())
            })
            .collect();
        let mut verifier = Verifier::new(ledger::Options::default());
        for line in lines {
            verifier.push(&Record {
                line: line["line"].as_str().unwrap().as_bytes().to_vec(),
                signature: line["signature"].as_str().unwrap().parse().unwrap(),
            });
        }
        let found: Vec<(String, u64)> = verifier
            .findings()
            .iter()
            .map(|finding| (finding.code.to_string(), finding.seq.unwrap()))
            .collect();
        let distinct: BTreeSet<_> = found.iter().cloned().collect();
        assert_eq!(distinct, expected, "{}", path.display());
        assert_eq!(found.len(), expected.len(), "{}", path.display());
        let errors = expected.iter().any(|(code, _)| code != "clock-went-back");
        assert_eq!(verifier.has_errors(), errors, "{}", path.display());
    }
}
