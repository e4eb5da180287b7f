//! The store: what is made, what is found, what the guards refuse.

use ledger::{Digest, Record};

use super::{BEGIN, Log, Place, append, count, run};
use crate::engine::{Encoding, Fault, Object, Store};

fn present() -> Store {
    Store::Present {
        // nine triggers, the view that appends and the six that people read
        guards: 16,
        missing_guards: Vec::new(),
    }
}

#[tokio::test]
async fn a_store_is_absent_until_it_is_made_and_present_then() {
    let place = Place::new();
    let mut session = place.writer().await;
    assert_eq!(session.store().await.unwrap(), Store::Absent);

    session.begin(&BEGIN).await.unwrap();
    session.create_store("abc").await.unwrap();
    assert_eq!(session.store().await.unwrap(), present());
    session.rollback().await.unwrap();
    assert_eq!(session.store().await.unwrap(), Store::Absent);

    session.begin(&BEGIN).await.unwrap();
    session.create_store("abc").await.unwrap();
    session.commit().await.unwrap();
    let identity = session.identity().await.unwrap();
    assert_eq!(identity.identity, "abc");
    assert_eq!(identity.name, "shop.db");
    session.execute("VACUUM").await.unwrap();
    assert_eq!(place.reader().await.store().await.unwrap(), present());
}

#[tokio::test]
async fn what_was_dropped_or_changed_is_named() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut raw = place.raw().await;

    run(
        &mut raw,
        "DROP TRIGGER mledger_events_no_delete;
         DROP VIEW mledger_backup_history;
         CREATE VIEW mledger_backup_history AS SELECT 1;",
    )
    .await;
    let Store::Present { missing_guards, .. } = session.store().await.unwrap() else {
        panic!("the tables are there");
    };
    assert_eq!(
        missing_guards,
        ["mledger_events_no_delete", "mledger_backup_history"]
    );

    run(&mut raw, "DROP TABLE mledger_objects").await;
    let damaged = |names: &[&str]| Store::Damaged {
        missing: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    assert_eq!(
        session.store().await.unwrap(),
        damaged(&["mledger_objects"])
    );

    run(
        &mut raw,
        "CREATE TABLE mledger_objects (id INTEGER PRIMARY KEY)",
    )
    .await;
    let Store::Foreign { reason } = session.store().await.unwrap() else {
        panic!("the table is not ours");
    };
    assert!(reason.contains("`mledger_objects`"), "{reason}");

    run(
        &mut raw,
        "DROP TABLE mledger_objects; DROP TABLE mledger_events; DROP TABLE mledger_lease",
    )
    .await;
    assert_eq!(
        session.store().await.unwrap(),
        Store::Remains {
            left: [
                "mledger_append",
                "mledger_append_event",
                "mledger_migration_audit_log",
                "mledger_migration_history",
                "mledger_migration_versions",
                "mledger_migration_locks",
                "mledger_migration_rollback_history",
                "mledger_backup_history",
            ]
            .map(str::to_owned)
            .into()
        },
        "views alone are what is left of a ledger"
    );
}

#[tokio::test]
async fn records_come_back_to_the_byte_and_in_order() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    let hostile = log.next(
        "note.added",
        "{\"text\":\"' \\\" \\\\ \\u0001 \u{fffd} e\u{301} é 😀 {} -- /*\"}",
    );
    let records: Vec<Record> = [hostile]
        .into_iter()
        .chain((1..50).map(|_| log.note()))
        .collect();
    append(&mut *session, &records).await.unwrap();

    let stored = session.records(0, 1000).await.unwrap();
    assert_eq!(stored.len(), 50);
    let mut prev = Digest::ZERO;
    for (index, (stored, record)) in stored.iter().zip(&records).enumerate() {
        assert_eq!(stored.seq, i64::try_from(index).unwrap());
        assert_eq!(stored.line, record.line);
        assert_eq!(stored.signature, record.signature.as_bytes());
        assert_eq!(stored.prev, prev.as_bytes());
        prev = record.hash();
        assert_eq!(stored.hash, prev.as_bytes());
    }
    let page = session.records(10, 3).await.unwrap();
    let seqs: Vec<i64> = page.iter().map(|record| record.seq).collect();
    assert_eq!(seqs, [10, 11, 12]);
    assert_eq!(session.records(50, 3).await.unwrap(), []);
    assert_eq!(session.records(u64::MAX, 3).await.unwrap(), []);
}

#[tokio::test]
async fn the_guards_refuse_every_statement_that_would_change_the_past() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    let records: Vec<Record> = (0..5).map(|_| log.note()).collect();
    append(&mut *session, &records).await.unwrap();
    let before = session.records(0, 10).await.unwrap();

    for sql in [
        "UPDATE mledger_events SET line = x'00' WHERE seq = 2",
        "UPDATE OR IGNORE mledger_events SET seq = 99 WHERE seq = 4",
        "UPDATE OR REPLACE mledger_events SET seq = 3 WHERE seq = 4",
        "DELETE FROM mledger_events",
        "DELETE FROM mledger_events WHERE seq = 4",
        "DELETE FROM mledger_append",
        "UPDATE mledger_append SET line = x'00'",
        "INSERT OR REPLACE INTO mledger_events SELECT * FROM mledger_events WHERE seq = 2",
        "REPLACE INTO mledger_events SELECT 4, line, signature, prev, hash \
         FROM mledger_events WHERE seq = 4",
        "INSERT OR IGNORE INTO mledger_events SELECT * FROM mledger_events WHERE seq = 4",
        "INSERT OR REPLACE INTO mledger_events \
         SELECT 5, line, signature, hash, hash FROM mledger_events WHERE seq = 4",
        "INSERT INTO mledger_events SELECT 5, line, signature, hash, zeroblob(32) \
         FROM mledger_events WHERE seq = 3",
        "INSERT INTO mledger_events SELECT 7, line, signature, hash, zeroblob(32) \
         FROM mledger_events WHERE seq = 4",
        "INSERT INTO mledger_events SELECT -1, line, signature, hash, zeroblob(32) \
         FROM mledger_events WHERE seq = 4",
        "INSERT INTO mledger_events SELECT NULL, line, signature, prev, zeroblob(32) \
         FROM mledger_events WHERE seq = 4",
        "INSERT INTO mledger_events SELECT * FROM mledger_events WHERE seq = 2 \
         ON CONFLICT DO UPDATE SET line = x'00'",
        "INSERT OR REPLACE INTO mledger_lease (only, identity) VALUES (1, 'other')",
        "INSERT INTO mledger_lease (only, identity) VALUES (2, 'other')",
        "DELETE FROM mledger_lease",
    ] {
        let refused = session.execute(sql).await;
        assert_eq!(refused.unwrap_err().fault, Fault::Statement, "{sql}");
    }
    assert_eq!(session.records(0, 10).await.unwrap(), before);
    assert_eq!(session.identity().await.unwrap().identity, "identity");
}

#[tokio::test]
async fn of_two_appends_that_follow_one_head_the_second_is_a_conflict() {
    let place = Place::with_store().await;
    let (mut one, mut other) = (place.writer().await, place.writer().await);
    let mut log = Log::new();
    append(&mut *one, &[log.note()]).await.unwrap();

    let (seq, prev) = (log.seq, log.prev);
    let first = log.next("note.added", "{\"text\":\"first\"}");
    (log.seq, log.prev) = (seq, prev);
    let second = log.next("note.added", "{\"text\":\"second\"}");

    append(&mut *one, std::slice::from_ref(&first))
        .await
        .unwrap();
    assert_eq!(append(&mut *other, &[second]).await, Err(Fault::Conflict));
    // the same event again, as after a lost answer
    assert_eq!(
        append(&mut *other, std::slice::from_ref(&first)).await,
        Err(Fault::Conflict)
    );
    let stored = other.records(0, 10).await.unwrap();
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[1].hash, first.hash().as_bytes());
}

#[tokio::test]
async fn a_refused_append_leaves_the_transaction_open() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    log.note();
    let gap = log.note();
    session.begin(&BEGIN).await.unwrap();
    assert_eq!(
        session.append(&[gap]).await.unwrap_err().fault,
        Fault::Conflict
    );
    assert!(session.in_transaction().await.unwrap());
    super::append_note(&mut *session).await;
    session.commit().await.unwrap();
    assert_eq!(session.records(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_append_that_a_trigger_swallows_is_an_error() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    session
        .execute(
            "CREATE TEMP TRIGGER swallow BEFORE INSERT ON main.mledger_events \
             BEGIN SELECT RAISE(IGNORE); END",
        )
        .await
        .unwrap();
    let refused = session.append(&[Log::new().note()]).await.unwrap_err();
    assert!(refused.message.contains("is not there"), "{refused}");
}

#[tokio::test]
async fn a_temporary_table_of_our_name_hides_nothing() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    for sql in [
        "CREATE TEMP TABLE mledger_events (seq, line, signature, prev, hash)",
        "CREATE TEMP TABLE mledger_lease (token)",
        "CREATE TEMP TABLE mledger_append (seq, line, signature, prev, hash)",
    ] {
        session.execute(sql).await.unwrap();
    }
    append(&mut *session, &[Log::new().note()]).await.unwrap();
    assert_eq!(place.reader().await.records(0, 9).await.unwrap().len(), 1);
    assert_eq!(session.lease().await.unwrap(), None);
}

#[tokio::test]
async fn appending_leaves_last_insert_rowid_to_the_script() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.execute("CREATE TABLE t (x)").await.unwrap();
    session
        .execute("INSERT INTO t (rowid, x) VALUES (4711, 1)")
        .await
        .unwrap();
    append(&mut *session, &[Log::new().note()]).await.unwrap();
    assert!(
        session
            .holds("SELECT last_insert_rowid() = 4711")
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn objects_are_stored_once_and_only_redacted() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let object = Object {
        digest: Digest::of(b"SELECT 1;"),
        size: 9,
        encoding: Encoding::Raw,
        content: b"SELECT 1;".to_vec(),
    };
    let absent = Object {
        digest: Digest::of(b"large"),
        size: 1 << 40,
        encoding: Encoding::Absent,
        content: Vec::new(),
    };
    session.begin(&BEGIN).await.unwrap();
    for object in [&object, &absent, &object] {
        session.put_object(object).await.unwrap();
    }
    session.commit().await.unwrap();
    let found = session.object(&object.digest).await.unwrap();
    assert_eq!(found.as_ref(), Some(&object));
    assert_eq!(
        session.object(&absent.digest).await.unwrap(),
        Some(absent.clone())
    );
    assert_eq!(session.object(&Digest::of(b"none")).await.unwrap(), None);

    let mut digests = vec![object.digest, absent.digest];
    digests.sort();
    assert_eq!(session.object_digests(None, 9).await.unwrap(), digests);
    assert_eq!(
        session.object_digests(Some(digests[0]), 9).await.unwrap(),
        &digests[1..]
    );
    assert_eq!(
        session.object_digests(None, 1).await.unwrap(),
        &digests[..1]
    );

    for sql in [
        "DELETE FROM mledger_objects",
        "UPDATE mledger_objects SET content = x'00' WHERE encoding = 'raw'",
        "UPDATE mledger_objects SET encoding = 'absent', content = x'', size = 1",
        "UPDATE mledger_objects SET digest = zeroblob(32)",
        "INSERT OR REPLACE INTO mledger_objects \
         SELECT digest, 1, 'raw', x'00' FROM mledger_objects",
    ] {
        let refused = session.execute(sql).await;
        assert_eq!(refused.unwrap_err().fault, Fault::Statement, "{sql}");
    }
    session
        .execute("UPDATE mledger_objects SET encoding = 'absent', content = x''")
        .await
        .unwrap();
    for digest in &digests {
        let found = session.object(digest).await.unwrap().unwrap();
        assert_eq!(found.encoding, Encoding::Absent);
    }
    let found = session.object(&object.digest).await.unwrap().unwrap();
    assert_eq!((found.encoding, found.size), (Encoding::Absent, 9));
}

#[tokio::test]
async fn tampered_rows_are_read_and_not_tripped_over() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    append(&mut *session, &[log.note(), log.note()])
        .await
        .unwrap();
    let mut raw = place.raw().await;
    run(
        &mut raw,
        "DROP TRIGGER mledger_events_no_update;
         PRAGMA ignore_check_constraints = ON;
         UPDATE mledger_events SET signature = x'01', line = x'FF00' WHERE seq = 1;
         UPDATE mledger_events SET seq = -5 WHERE seq = 0;",
    )
    .await;
    let stored = session.records(0, 10).await.unwrap();
    assert_eq!(stored[0].seq, -5, "a row below zero is shown");
    assert_eq!(stored[1].signature, [1]);
    assert_eq!(stored[1].line, [0xff, 0]);
    let readable = "SELECT count(time) FROM mledger_migration_audit_log";
    assert_eq!(count(&mut raw, readable).await, 1);
    let all = "SELECT count(*) FROM mledger_migration_audit_log";
    assert_eq!(count(&mut raw, all).await, 2);
}

/// F85
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn many_writers_make_one_chain() {
    let place = Place::with_store().await;
    let mut writers = Vec::new();
    for _ in 0..8 {
        let engine = place.engine();
        writers.push(tokio::spawn(async move {
            let mut session = engine.connect(crate::engine::Access::Write).await.unwrap();
            let mut appended = 0;
            while appended < 10 {
                // optimistic: the head is read outside of the transaction
                let stored = session.records(0, 1000).await.unwrap();
                let mut log = Log::new();
                if let Some(head) = stored.last() {
                    log.seq = u64::try_from(head.seq).unwrap() + 1;
                    log.prev = Digest::from_bytes(head.hash.clone().try_into().unwrap());
                }
                match append(&mut *session, &[log.note()]).await {
                    Ok(()) => appended += 1,
                    Err(fault) => assert_eq!(fault, Fault::Conflict),
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let stored = place.reader().await.records(0, 1000).await.unwrap();
    assert_eq!(stored.len(), 80);
    let mut prev = Digest::ZERO.as_bytes().to_vec();
    for (seq, record) in (0..).zip(stored) {
        assert_eq!(record.seq, seq);
        assert_eq!(record.prev, prev);
        prev = record.hash;
    }
}
