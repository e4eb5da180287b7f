//! What the database says of its own definitions and keys.

use super::{BEGIN, Place, all};
use crate::engine::Begin;

#[tokio::test]
async fn a_table_rebuild_keeps_the_child_rows_and_orphans_are_described() {
    let place = Place::new();
    let mut session = place.writer().await;
    all(
        &mut *session,
        &[
            "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
            "CREATE TABLE child (p REFERENCES parent (id) ON DELETE CASCADE)",
            "INSERT INTO parent VALUES (1), (2)",
            "INSERT INTO child VALUES (1), (1), (2)",
        ],
    )
    .await;
    session.begin(&BEGIN).await.unwrap();
    all(
        &mut *session,
        &[
            "CREATE TABLE fresh (id INTEGER PRIMARY KEY, name TEXT)",
            "INSERT INTO fresh (id) SELECT id FROM parent WHERE id = 1",
            "DROP TABLE parent",
            "ALTER TABLE fresh RENAME TO parent",
        ],
    )
    .await;
    assert!(
        session
            .holds("SELECT count(*) = 3 FROM child")
            .await
            .unwrap()
    );
    assert_eq!(
        session.foreign_key_violations().await.unwrap(),
        ["row 3 of `child` has no match in `parent` (foreign key 0)"]
    );
    all(&mut *session, &["INSERT INTO parent VALUES (2, 'back')"]).await;
    assert_eq!(session.foreign_key_violations().await.unwrap(), [""; 0]);
    session.commit().await.unwrap();

    let enforced = Begin {
        enforce_foreign_keys: true,
        ..BEGIN
    };
    session.begin(&enforced).await.unwrap();
    all(&mut *session, &["DELETE FROM parent WHERE id = 1"]).await;
    assert!(
        session
            .holds("SELECT count(*) = 1 FROM child")
            .await
            .unwrap()
    );
    session.rollback().await.unwrap();

    session.begin(&BEGIN).await.unwrap();
    all(
        &mut *session,
        &[
            "CREATE TABLE odd (a, b)",
            "CREATE TABLE broken (x REFERENCES odd (a))",
            "INSERT INTO broken VALUES (1)",
        ],
    )
    .await;
    let found = session.foreign_key_violations().await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("foreign key mismatch"), "{found:?}");
}

#[tokio::test]
async fn the_fingerprint_follows_definitions_and_nothing_else() {
    let place = Place::new();
    let mut session = place.writer().await;
    let empty = session.fingerprint().await.unwrap();
    assert_eq!((empty.format, empty.server.as_str()), (1, "3"));
    session.begin(&BEGIN).await.unwrap();
    session.create_store("x").await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.fingerprint().await.unwrap(), empty);

    all(
        &mut *session,
        &["CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x UNIQUE)"],
    )
    .await;
    let table = session.fingerprint().await.unwrap();
    assert_ne!(table, empty);
    all(
        &mut *session,
        &[
            "INSERT INTO t (x) VALUES (1), (2)",
            "ANALYZE",
            "VACUUM",
            "PRAGMA user_version = 7",
            "CREATE TABLE gone (x)",
            "DROP TABLE gone",
        ],
    )
    .await;
    assert_eq!(session.fingerprint().await.unwrap(), table);

    let mut seen = vec![empty, table];
    for sql in [
        "CREATE INDEX t_x ON t (x)",
        "CREATE VIEW v AS SELECT * FROM t",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
        "ALTER TABLE t ADD COLUMN y",
        "CREATE TABLE mledger_of_someone_else (x)",
        "CREATE INDEX added ON mledger_events (line)",
        "DROP VIEW v",
    ] {
        all(&mut *session, &[sql]).await;
        let now = session.fingerprint().await.unwrap();
        assert!(!seen.contains(&now), "{sql}");
        seen.push(now);
    }
}
