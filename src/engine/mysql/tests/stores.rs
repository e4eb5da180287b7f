//! The store: made once, begun again where it was cut off, and guarded.

use super::*;
use crate::engine::Store;

async fn inspect(place: &Place) -> Store {
    place.reader().await.store().await.unwrap()
}

async fn missing_guards(place: &Place) -> Vec<String> {
    match inspect(place).await {
        Store::Present { missing_guards, .. } => missing_guards,
        other => panic!("expected a store, found {other:?}"),
    }
}

#[tokio::test]
async fn a_creation_that_was_cut_off_is_begun_again() {
    let place = Place::with_store().await;
    let mut raw = place.raw().await;
    // in the order in which a crash could leave them
    for sql in [
        "DROP VIEW mledger_backup_history",
        "DROP TRIGGER mledger_objects_no_replace",
        "DROP TABLE mledger_no_truncate",
        "DROP TABLE mledger_lease",
        "DROP TABLE mledger_objects",
        "DROP TABLE mledger_events",
    ] {
        run(&mut raw, "DROP TRIGGER IF EXISTS mledger_lease_no_delete").await;
        if !sql.ends_with("events") && !sql.ends_with("objects") && !sql.ends_with("lease") {
            run(&mut raw, "DELETE FROM mledger_lease").await;
        }
        run(&mut raw, sql).await;
        assert_eq!(inspect(&place).await, Store::Absent, "{sql}");
    }
    let again = Place::with_store().await;
    let mut raw = again.raw().await;
    run(
        &mut raw,
        "DROP TRIGGER mledger_lease_no_delete; DELETE FROM mledger_lease",
    )
    .await;
    run(
        &mut raw,
        "DROP TABLE mledger_no_truncate; DROP TABLE mledger_objects",
    )
    .await;
    again.create_store().await;
    assert_eq!(missing_guards(&again).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_part_that_was_dropped_is_missed() {
    let place = Place::with_store().await;
    let mut raw = place.raw().await;
    let damaged = |name: &str| Store::Damaged {
        missing: vec![name.to_owned()],
    };
    append(&mut *place.writer().await, &[Log::new().note()])
        .await
        .unwrap();
    run(
        &mut raw,
        "DROP TRIGGER mledger_lease_no_delete; DELETE FROM mledger_lease",
    )
    .await;
    assert_eq!(inspect(&place).await, damaged("the row of mledger_lease"));
    run(
        &mut raw,
        "DROP TABLE mledger_no_truncate; DROP TABLE mledger_lease",
    )
    .await;
    assert_eq!(inspect(&place).await, damaged("mledger_lease"));
    let place = Place::with_store().await;
    let mut raw = place.raw().await;
    run(
        &mut raw,
        "DROP TABLE mledger_no_truncate; DROP TABLE mledger_events",
    )
    .await;
    assert_eq!(inspect(&place).await, damaged("mledger_events"));
}

#[tokio::test]
async fn a_table_of_our_name_that_is_not_ours_is_left_alone() {
    for sql in [
        "CREATE TABLE mledger_events (x INT)",
        "CREATE VIEW mledger_lease AS SELECT 1 AS x",
        "CREATE TABLE mledger_objects (digest VARBINARY(32) NOT NULL PRIMARY KEY, \
         size BIGINT NOT NULL, encoding VARCHAR(8) NOT NULL, content LONGBLOB NOT NULL) ENGINE = Aria",
    ] {
        let place = Place::new().await;
        run(&mut place.raw().await, sql).await;
        let found = inspect(&place).await;
        assert!(matches!(found, Store::Foreign { .. }), "{sql}: {found:?}");
        let mut session = place.writer().await;
        session.begin(&BEGIN).await.unwrap();
        assert!(session.create_store("x").await.is_err());
    }
}

#[tokio::test]
async fn each_guard_that_is_gone_or_changed_is_named() {
    let place = Place::with_store().await;
    let mut raw = place.raw().await;
    let Store::Present { guards, .. } = inspect(&place).await else {
        panic!("expected a store");
    };
    assert_eq!(guards, 15);
    let mut expected = Vec::new();
    for (name, sql) in [
        ("mledger_no_truncate", "DROP TABLE mledger_no_truncate"),
        (
            "mledger_events_no_update",
            "DROP TRIGGER mledger_events_no_update",
        ),
        (
            "mledger_events_no_delete",
            "DROP TRIGGER mledger_events_no_delete; \
             CREATE TRIGGER mledger_events_no_delete BEFORE DELETE ON mledger_events \
             FOR EACH ROW BEGIN END",
        ),
        (
            "mledger_migration_history",
            "CREATE OR REPLACE VIEW mledger_migration_history AS SELECT 'none' AS x",
        ),
        ("mledger_backup_history", "DROP VIEW mledger_backup_history"),
        (
            "theirs",
            "CREATE TRIGGER theirs BEFORE INSERT ON mledger_events FOR EACH ROW SET NEW.seq = 1",
        ),
    ] {
        run(&mut raw, sql).await;
        expected.push(name.to_owned());
        let mut found = missing_guards(&place).await;
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn the_guards_refuse_what_they_are_there_for() {
    let place = Place::with_store().await;
    let mut log = Log::new();
    let records = [log.note(), log.note()];
    let mut session = place.writer().await;
    append(&mut *session, &records).await.unwrap();
    let object = crate::engine::Object {
        digest: Digest::of(b"x"),
        size: 1,
        encoding: crate::engine::Encoding::Raw,
        content: b"x".to_vec(),
    };
    session.begin(&BEGIN).await.unwrap();
    session.put_object(&object).await.unwrap();
    session.commit().await.unwrap();
    let mut raw = place.raw().await;
    for (sql, number) in [
        ("UPDATE mledger_events SET line = 'x'", 1644),
        ("DELETE FROM mledger_events", 1644),
        ("TRUNCATE mledger_events", 1701),
        ("TRUNCATE mledger_objects", 1701),
        ("TRUNCATE mledger_lease", 1701),
        ("DROP TABLE mledger_events", 1451),
        (
            "REPLACE INTO mledger_events SELECT * FROM mledger_events",
            1644,
        ),
        (
            "INSERT IGNORE INTO mledger_events SELECT seq + 5, line, signature, hash, prev \
             FROM mledger_events",
            1644,
        ),
        (
            "INSERT INTO mledger_events SELECT * FROM mledger_events \
             ON DUPLICATE KEY UPDATE line = 'x'",
            1644,
        ),
        ("DELETE FROM mledger_objects", 1644),
        ("UPDATE mledger_objects SET content = 'y'", 1644),
        (
            "REPLACE INTO mledger_objects SELECT * FROM mledger_objects",
            1644,
        ),
        ("DELETE FROM mledger_lease", 1644),
        (
            "REPLACE INTO mledger_lease (`only`, identity) VALUES (1, 'x')",
            1644,
        ),
    ] {
        assert_eq!(refused(&mut raw, sql).await, number, "{sql}");
    }
    run(
        &mut raw,
        "UPDATE mledger_objects SET encoding = 'absent', content = ''",
    )
    .await;
    assert_eq!(session.records(0, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn of_two_that_make_the_store_one_does() {
    let place = Place::new().await;
    let mut one = place.writer().await;
    let mut other = place.writer().await;
    one.begin(&BEGIN).await.unwrap();
    assert_eq!(one.store().await.unwrap(), Store::Absent);
    one.create_store("one").await.unwrap();
    let second = tokio::spawn(async move {
        other.begin(&BEGIN).await.unwrap();
        assert_eq!(other.store().await.unwrap(), Store::Absent);
        let made = other.create_store("other").await;
        (other, made)
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(one.in_transaction().await.unwrap());
    one.append(&[Log::new().note()]).await.unwrap();
    one.commit().await.unwrap();
    let (mut other, made) = second.await.unwrap();
    assert_eq!(made.unwrap_err().fault, Fault::Conflict);
    other.rollback().await.unwrap();
    assert_eq!(other.identity().await.unwrap().identity, "one");
    // the lock under which tables are made is free again
    let mut third = place.writer().await;
    third.begin(&BEGIN).await.unwrap();
    let late = third.create_store("third").await.unwrap_err();
    assert_eq!(late.fault, Fault::Conflict);
}

#[tokio::test]
async fn a_store_that_is_rolled_back_is_not_there() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    session.create_store("x").await.unwrap();
    assert_eq!(session.identity().await.unwrap().identity, "x");
    session.rollback().await.unwrap();
    assert_eq!(inspect(&place).await, Store::Absent);
}

#[tokio::test]
async fn many_events_are_appended_at_once_and_all_or_none() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    let mut records: Vec<Record> = (0..2000).map(|_| log.note()).collect();
    append(&mut *session, &records).await.unwrap();
    assert_eq!(session.records(1500, 1000).await.unwrap().len(), 500);
    records = (0..1500).map(|_| log.note()).collect();
    records.swap(1200, 1201);
    let refused = append(&mut *session, &records).await;
    assert_eq!(refused, Err(Fault::Conflict));
    assert_eq!(session.records(2000, 10).await.unwrap(), []);
}

/// F02
#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_make_the_store_one_does_and_no_other_fails() {
    for _ in 0..3 {
        let place = Place::new().await;
        let mut making = Vec::new();
        for number in 0..8 {
            let mut session = place.writer().await;
            making.push(tokio::spawn(async move {
                let mut met = Vec::new();
                loop {
                    session.begin(&BEGIN).await.unwrap();
                    if session.store().await.unwrap() != Store::Absent {
                        session.rollback().await.unwrap();
                        return met;
                    }
                    match session.create_store(&format!("made by {number}")).await {
                        Ok(()) => session.commit().await.unwrap(),
                        Err(error) => {
                            met.push(error.fault);
                            session.rollback().await.unwrap();
                        }
                    }
                }
            }));
        }
        for made in making {
            for fault in made.await.unwrap() {
                assert_eq!(fault, Fault::Conflict, "each waits for its turn");
            }
        }
        assert_eq!(missing_guards(&place).await, Vec::<String>::new());
    }
}
