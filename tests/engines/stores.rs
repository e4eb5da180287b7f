//! The store: made once, told apart from others, appended to in order, holding objects.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::engine::{Encoding, Fault, Object, Session, Store};
use mledger::ledger::{Body, Digest, Event, NoteAdded, Outcome, Record, Signer, SigningKey};

use crate::place::{begin, on_every_engine, reader, with_store, writer};

/// Notes one behind the other, each naming the hash of the one before.
pub(crate) fn notes(count: u64) -> Vec<Record> {
    let key = SigningKey::from_seed([7; 32]);
    let mut prev = Digest::ZERO;
    (0..count)
        .map(|seq| {
            let event = Event {
                actor: "dana".to_owned(),
                body: Body::NoteAdded(NoteAdded {
                    about: None,
                    text: format!("note {seq}: ÄÖ ß 🎉 \u{1} ' \" \\ trailing  "),
                }),
                env: "test".to_owned(),
                host: "here".to_owned(),
                key: key.public_key().fingerprint(),
                ledger: Digest::ZERO,
                outcome: Outcome::Success,
                prev,
                run: "0193a000-0000-7000-8000-000000000001".parse().unwrap(),
                seq,
                time: "2026-11-20T20:00:00.000000Z".parse().unwrap(),
                tool: "mledger/0.1.0".to_owned(),
            };
            let record = Record::sign(&event, &key).unwrap();
            prev = record.hash();
            record
        })
        .collect()
}

async fn append(session: &mut dyn Session, records: &[Record]) -> Result<(), Fault> {
    session.begin(&begin()).await.unwrap();
    let appended = session.append(records).await;
    match appended {
        Ok(()) => session.commit().await.unwrap(),
        Err(_) => session.rollback().await.unwrap(),
    }
    appended.map_err(|error| error.fault)
}

#[tokio::test]
async fn a_store_is_absent_then_there_and_complete() {
    on_every_engine(async |kind, database| {
        let mut session = writer(&*database).await;
        assert_eq!(session.store().await.unwrap(), Store::Absent);
        session.begin(&begin()).await.unwrap();
        session.create_store("the identity").await.unwrap();
        session.rollback().await.unwrap();
        assert_eq!(session.store().await.unwrap(), Store::Absent, "rolled back");
        session.begin(&begin()).await.unwrap();
        session.create_store("the identity").await.unwrap();
        session.commit().await.unwrap();
        let Store::Present {
            guards,
            missing_guards,
        } = session.store().await.unwrap()
        else {
            unreachable!("the store of {} is there", kind.name)
        };
        assert!(guards > 0);
        assert_eq!(missing_guards, Vec::<String>::new());
        // who reads sees the same
        let mut other = reader(&*database).await;
        assert_eq!(
            other.identity().await.unwrap(),
            session.identity().await.unwrap()
        );
        assert_eq!(other.records(0, 10).await.unwrap(), []);
    })
    .await;
}

/// F78, F87
#[tokio::test]
async fn records_come_back_to_the_byte_and_in_order() {
    on_every_engine(async |_, database| {
        let mut session = with_store(&*database).await;
        let notes = notes(7);
        append(&mut *session, &notes[..1]).await.unwrap();
        append(&mut *session, &notes[1..]).await.unwrap();
        let mut other = reader(&*database).await;
        let stored = other.records(0, 100).await.unwrap();
        assert_eq!(stored.len(), notes.len());
        for (seq, (stored, note)) in stored.iter().zip(&notes).enumerate() {
            assert_eq!(usize::try_from(stored.seq).unwrap(), seq);
            assert_eq!(stored.line, note.line);
            assert_eq!(stored.signature, note.signature.as_bytes());
            assert_eq!(stored.hash, note.hash().as_bytes());
            assert_eq!(stored.prev, note.event().unwrap().prev.as_bytes());
        }
        let page = other.records(2, 3).await.unwrap();
        assert_eq!(page, stored[2..5]);
        assert_eq!(other.records(7, 3).await.unwrap(), []);
        assert_eq!(other.records(u64::MAX, 3).await.unwrap(), []);
    })
    .await;
}

/// F85
#[tokio::test]
async fn an_append_that_does_not_follow_the_head_is_a_conflict() {
    on_every_engine(async |_, database| {
        let mut session = with_store(&*database).await;
        let notes = notes(4);
        append(&mut *session, &notes[..2]).await.unwrap();
        for wrong in [&notes[..1], &notes[1..2], &notes[3..], &notes[..2]] {
            let conflict = append(&mut *session, wrong).await;
            assert_eq!(conflict, Err(Fault::Conflict));
        }
        assert_eq!(session.records(0, 10).await.unwrap().len(), 2);
        // the second of two writers that decided on the same head
        let mut other = writer(&*database).await;
        append(&mut *other, &notes[2..3]).await.unwrap();
        let late = append(&mut *session, &notes[2..3]).await;
        assert_eq!(late, Err(Fault::Conflict));
        append(&mut *session, &notes[3..]).await.unwrap();
        assert_eq!(session.records(0, 10).await.unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn what_is_rolled_back_was_never_appended() {
    on_every_engine(async |_, database| {
        let mut session = with_store(&*database).await;
        let notes = notes(2);
        session.begin(&begin()).await.unwrap();
        session.append(&notes).await.unwrap();
        assert_eq!(
            session.records(0, 10).await.unwrap().len(),
            2,
            "seen inside"
        );
        session.rollback().await.unwrap();
        assert_eq!(session.records(0, 10).await.unwrap(), []);
        append(&mut *session, &notes).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn objects_are_kept_under_their_digests() {
    on_every_engine(async |_, database| {
        let mut session = with_store(&*database).await;
        let object = |bytes: &[u8], encoding| Object {
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            encoding,
            content: match encoding {
                Encoding::Absent => Vec::new(),
                _ => bytes.to_vec(),
            },
        };
        let all: Vec<Object> = (0_u8..9)
            .map(|number| {
                let bytes = [number, 0, 255, b'\'', b'\\', b'\n', 0xc3];
                object(
                    &bytes,
                    if number % 3 == 2 {
                        Encoding::Absent
                    } else {
                        Encoding::Raw
                    },
                )
            })
            .chain([object(b"", Encoding::Raw)])
            .collect();
        session.begin(&begin()).await.unwrap();
        for object in all.iter().chain(&all) {
            session.put_object(object).await.unwrap();
        }
        session.commit().await.unwrap();
        for object in &all {
            let found = session.object(&object.digest).await.unwrap();
            assert_eq!(found.as_ref(), Some(object));
        }
        assert_eq!(session.object(&Digest::of(b"none")).await.unwrap(), None);
        let mut digests: Vec<Digest> = all.iter().map(|object| object.digest).collect();
        digests.sort_unstable();
        let mut paged = Vec::new();
        loop {
            let page = session
                .object_digests(paged.last().copied(), 4)
                .await
                .unwrap();
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, digests);
    })
    .await;
}

#[tokio::test]
async fn the_fingerprint_tells_definitions_and_not_content() {
    on_every_engine(async |kind, database| {
        let mut session = writer(&*database).await;
        let empty = session.fingerprint().await.unwrap();
        session.begin(&begin()).await.unwrap();
        session.create_store("the identity").await.unwrap();
        session.commit().await.unwrap();
        assert_eq!(
            session.fingerprint().await.unwrap(),
            empty,
            "ours do not count"
        );
        let mut run = async |sql: &str| {
            session.execute(sql).await.unwrap();
            session.fingerprint().await.unwrap()
        };
        let one = run("CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER)").await;
        assert_ne!(one, empty);
        assert_eq!(run("INSERT INTO a VALUES (1, 2)").await, one);
        let indexed = run("CREATE INDEX i ON a (b)").await;
        assert_ne!(indexed, one);
        assert_ne!(run("CREATE VIEW v AS SELECT b FROM a").await, indexed);
        assert_eq!(run("DROP VIEW v").await, indexed);
        assert_eq!(run(kind.drops_index).await, one);
        assert_eq!(run("DROP TABLE a").await, empty);
        // in another order, on another connection
        let mut other = writer(&*database).await;
        other
            .execute("CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER)")
            .await
            .unwrap();
        assert_eq!(other.fingerprint().await.unwrap(), one);
    })
    .await;
}
