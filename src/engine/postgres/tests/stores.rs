//! The store: what is made, what is found, what the guards refuse.

use std::time::Duration;

use ledger::{Digest, Record};

use super::{BEGIN, Log, Place, append};
use crate::engine::{Encoding, Fault, Object, Store};

fn present(missing_guards: &[&str]) -> Store {
    Store::Present {
        // eight triggers and six views
        guards: 14,
        missing_guards: missing_guards
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
    }
}

#[tokio::test]
async fn a_store_is_absent_until_it_is_made_and_present_then() {
    let place = Place::new();
    let mut session = place.writer().await;
    assert_eq!(session.store().await.unwrap(), Store::Absent);

    session.begin(&BEGIN).await.unwrap();
    session.create_store("abc").await.unwrap();
    assert_eq!(session.store().await.unwrap(), present(&[]));
    session.rollback().await.unwrap();
    assert_eq!(session.store().await.unwrap(), Store::Absent);

    session.begin(&BEGIN).await.unwrap();
    session.create_store("abc").await.unwrap();
    session.commit().await.unwrap();
    place.ask("VACUUM FULL; ANALYZE");
    assert_eq!(place.reader().await.store().await.unwrap(), present(&[]));
    // a session that is set to write names in another way sees the same
    place.ask(&format!(
        "ALTER DATABASE {0} SET quote_all_identifiers = on; \
         ALTER DATABASE {0} SET search_path = mledger, public",
        place.name
    ));
    assert_eq!(place.reader().await.store().await.unwrap(), present(&[]));
}

#[tokio::test]
async fn a_schema_that_an_administrator_made_is_used() {
    let mut place = Place::new();
    let role = place.role("app");
    place.ask("REVOKE ALL ON SCHEMA public FROM PUBLIC");
    let mut session = place.as_role(&role).await;
    session.begin(&BEGIN).await.unwrap();
    let refused = session.create_store("abc").await.unwrap_err();
    assert_eq!(refused.fault, Fault::Denied);
    assert!(
        refused.message.contains("GRANT CREATE ON DATABASE"),
        "{refused}"
    );
    session.rollback().await.unwrap();

    place.ask(&format!("CREATE SCHEMA mledger AUTHORIZATION {role}"));
    assert_eq!(session.store().await.unwrap(), Store::Absent);
    session.begin(&BEGIN).await.unwrap();
    session.create_store("abc").await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.store().await.unwrap(), present(&[]));

    // who may look into the database and not into the schema is told so
    let reader = place.role("reader");
    let mut stranger = place.as_role(&reader).await;
    let denied = stranger.store().await.unwrap_err();
    assert_eq!(denied.fault, Fault::Denied);
    place.ask(&format!(
        "GRANT USAGE ON SCHEMA mledger TO {reader}; \
         GRANT SELECT ON ALL TABLES IN SCHEMA mledger TO {reader}"
    ));
    assert_eq!(stranger.store().await.unwrap(), present(&[]));
    assert_eq!(stranger.records(0, 10).await.unwrap(), []);
    place.ask(&format!(
        "DROP OWNED BY {role} CASCADE; DROP OWNED BY {reader}"
    ));
}

#[tokio::test]
async fn what_was_dropped_or_changed_is_named() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    for (sql, named) in [
        (
            "DROP TRIGGER events_no_change ON mledger.events",
            "mledger.events_no_change",
        ),
        (
            "ALTER TABLE mledger.events DISABLE TRIGGER events_no_truncate",
            "mledger.events_no_truncate",
        ),
        (
            "ALTER TABLE mledger.events ENABLE TRIGGER events_next_only",
            "mledger.events_next_only",
        ),
        (
            "CREATE OR REPLACE FUNCTION mledger.lease_no_delete() RETURNS trigger \
             LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
            "mledger.lease_no_delete",
        ),
        (
            "CREATE OR REPLACE VIEW mledger.migration_audit_log AS SELECT seq, ''::text AS time, \
             ''::text AS kind, ''::text AS outcome, ''::text AS actor, ''::text AS host, \
             ''::text AS env, ''::text AS run, ''::text AS tool, ''::text AS key, \
             NULL::jsonb AS body, ''::text AS hash FROM mledger.events WHERE seq <> 1",
            "mledger.migration_audit_log",
        ),
        ("DROP VIEW mledger.backup_history", "mledger.backup_history"),
        (
            "ALTER TABLE mledger.events DROP CONSTRAINT events_prev_key",
            "mledger.events_prev_key",
        ),
        (
            "CREATE FUNCTION free() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
             CREATE TRIGGER theirs BEFORE INSERT ON mledger.events FOR EACH ROW \
             EXECUTE FUNCTION free()",
            "theirs",
        ),
        (
            "CREATE RULE quiet AS ON UPDATE TO mledger.lease DO INSTEAD NOTHING",
            "quiet",
        ),
        (
            "ALTER TABLE mledger.events ENABLE ROW LEVEL SECURITY",
            "row security of events",
        ),
        (
            "ALTER TABLE mledger.events ADD CONSTRAINT last CHECK (seq < 100)",
            "last",
        ),
    ] {
        place.ask(&format!("BEGIN; {sql}; COMMIT"));
        let Store::Present { missing_guards, .. } = session.store().await.unwrap() else {
            panic!("the tables are there");
        };
        assert!(
            missing_guards.iter().any(|name| name == named),
            "{sql}: {missing_guards:?}"
        );
    }
}

#[tokio::test]
async fn tables_that_are_gone_or_others_are_told_apart() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let damaged = |names: &[&str]| Store::Damaged {
        missing: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    place.ask(
        "ALTER TABLE mledger.lease DISABLE TRIGGER USER; DELETE FROM mledger.lease;
         ALTER TABLE mledger.lease ENABLE ALWAYS TRIGGER lease_no_delete;
         ALTER TABLE mledger.lease ENABLE ALWAYS TRIGGER lease_no_truncate;",
    );
    assert_eq!(
        session.store().await.unwrap(),
        damaged(&["the row of mledger.lease"])
    );
    place.ask("DROP TABLE mledger.objects");
    assert_eq!(
        session.store().await.unwrap(),
        damaged(&["mledger.objects"])
    );
    place.ask("CREATE VIEW mledger.objects AS SELECT 1");
    assert!(matches!(
        session.store().await.unwrap(),
        Store::Foreign { .. }
    ));
    place.ask("DROP VIEW mledger.objects; CREATE TABLE mledger.objects (id bigint)");
    let Store::Foreign { reason } = session.store().await.unwrap() else {
        panic!("the table is not ours");
    };
    assert!(reason.contains("`mledger.objects`"), "{reason}");
    place.ask("DROP TABLE mledger.objects, mledger.events, mledger.lease CASCADE");
    assert_eq!(
        session.store().await.unwrap(),
        Store::Remains {
            left: [
                "mledger.events_next_only",
                "mledger.events_no_change",
                "mledger.objects_redact_only",
                "mledger.objects_no_delete",
                "mledger.lease_no_delete",
                "mledger.event_body",
                "mledger.event_number",
            ]
            .map(str::to_owned)
            .into()
        },
        "functions alone are what is left of a ledger"
    );
    place.ask("DROP SCHEMA mledger CASCADE");
    assert_eq!(session.store().await.unwrap(), Store::Absent);
}

#[tokio::test]
async fn records_come_back_to_the_byte_and_in_order() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    let hostile = log.next(
        "note.added",
        "{\"text\":\"' \\\" \\\\ \\u0001 \u{fffd} e\u{301} é 😀 {} -- /* $$ %s\"}",
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
async fn only_what_follows_the_head_is_appended() {
    let place = Place::with_store().await;
    let (mut one, mut other) = (place.writer().await, place.writer().await);
    let (mut log, mut fork) = (Log::new(), Log::new());
    append(&mut *one, &[log.note(), log.note()]).await.unwrap();
    fork.next("note.added", "{\"text\":\"another\"}");
    assert_eq!(
        append(&mut *other, &[fork.note()]).await,
        Err(Fault::Conflict)
    );
    let (skipped, after) = (log.note(), log.note());
    let early = append(&mut *other, std::slice::from_ref(&after)).await;
    assert_eq!(early, Err(Fault::Conflict));
    append(&mut *other, &[skipped]).await.unwrap();
    append(&mut *other, &[after]).await.unwrap();

    // two at once: the second waits for the first, and is refused then
    let late = Log {
        key: ledger::SigningKey::from_seed([7; 32]),
        ..log
    }
    .next("note.added", "{\"text\":\"late\"}");
    let first = log.note();
    one.begin(&BEGIN).await.unwrap();
    one.append(&[first]).await.unwrap();
    let waiting = tokio::spawn(async move { append(&mut *other, &[late]).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    one.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap(), Err(Fault::Conflict));
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
        "UPDATE mledger.events SET line = '\\x00' WHERE seq = 2",
        "UPDATE mledger.events SET seq = 99 WHERE seq = 4",
        "DELETE FROM mledger.events WHERE seq = 4",
        "TRUNCATE mledger.events",
        "TRUNCATE mledger.events CASCADE",
        "TRUNCATE mledger.lease",
        "TRUNCATE mledger.objects",
        "DELETE FROM mledger.lease",
        "INSERT INTO mledger.lease (id, identity) VALUES (2, 'x')",
        "INSERT INTO mledger.events SELECT * FROM mledger.events WHERE seq = 4",
        "INSERT INTO mledger.events SELECT * FROM mledger.events WHERE seq = 4 \
         ON CONFLICT (seq) DO UPDATE SET line = '\\x00'",
        "INSERT INTO mledger.events SELECT 5, line, signature, hash, \
         decode(repeat('00', 32), 'hex') FROM mledger.events WHERE seq = 3",
        "INSERT INTO mledger.events SELECT 7, line, signature, hash, \
         decode(repeat('00', 32), 'hex') FROM mledger.events WHERE seq = 4",
        "INSERT INTO mledger.events SELECT -1, line, signature, hash, \
         decode(repeat('00', 32), 'hex') FROM mledger.events WHERE seq = 4",
        "INSERT INTO mledger.events SELECT NULL, line, signature, hash, hash \
         FROM mledger.events WHERE seq = 4",
        "MERGE INTO mledger.events USING mledger.events AS s ON events.seq = s.seq \
         WHEN MATCHED THEN DELETE",
        "SET session_replication_role = replica; DELETE FROM mledger.events",
        "SET session_replication_role = replica; TRUNCATE mledger.events",
    ] {
        place.refusal(sql);
    }
    assert_eq!(session.records(0, 10).await.unwrap(), before);
}

#[tokio::test]
async fn objects_are_kept_once_and_only_redacted() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let content = b"\x00'\\ bytes\xff".to_vec();
    let object = Object {
        digest: Digest::of(&content),
        size: content.len() as u64,
        encoding: Encoding::Raw,
        content,
    };
    session.begin(&BEGIN).await.unwrap();
    session.put_object(&object).await.unwrap();
    session.put_object(&object).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(
        session.object(&object.digest).await.unwrap(),
        Some(object.clone())
    );
    assert_eq!(session.object(&Digest::ZERO).await.unwrap(), None);
    assert_eq!(
        session.object_digests(None, 10).await.unwrap(),
        [object.digest]
    );
    assert_eq!(
        session
            .object_digests(Some(object.digest), 10)
            .await
            .unwrap(),
        []
    );

    place.refusal("UPDATE mledger.objects SET content = 'x'");
    place.refusal("UPDATE mledger.objects SET size = 1, encoding = 'absent', content = ''");
    place.refusal("DELETE FROM mledger.objects");
    place.ask("UPDATE mledger.objects SET encoding = 'absent', content = ''");
    let redacted = session.object(&object.digest).await.unwrap().unwrap();
    assert_eq!(redacted.encoding, Encoding::Absent);
    assert_eq!(redacted.size, object.size);
}

#[tokio::test]
async fn a_trigger_that_drops_events_in_silence_is_noticed() {
    let place = Place::with_store().await;
    place.ask(
        "CREATE FUNCTION free() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER a_quiet_one BEFORE INSERT ON mledger.events FOR EACH ROW
         EXECUTE FUNCTION free()",
    );
    let mut session = place.writer().await;
    let lost = append(&mut *session, &[Log::new().note()]).await;
    assert_eq!(lost, Err(Fault::Statement));
}

/// F02
#[tokio::test]
async fn of_many_who_make_the_store_at_once_one_does() {
    let place = Place::new();
    let mut sessions = Vec::new();
    for _ in 0..8 {
        sessions.push(place.writer().await);
    }
    let made = sessions.into_iter().map(|mut session| {
        tokio::spawn(async move {
            session.begin(&BEGIN).await.unwrap();
            match session.create_store("x").await {
                Ok(()) => session.commit().await.map(|()| true),
                Err(error) if error.fault == Fault::Conflict => {
                    session.rollback().await.map(|()| false)
                }
                Err(error) => Err(error),
            }
        })
    });
    let mut makers = 0;
    for made in made.collect::<Vec<_>>() {
        makers += usize::from(made.await.unwrap().unwrap());
    }
    assert_eq!(makers, 1);
    assert_eq!(place.reader().await.store().await.unwrap(), present(&[]));
}
