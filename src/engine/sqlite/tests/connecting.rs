//! Opening files of all sorts.

use std::fs;
use std::sync::{Arc, Barrier};

use super::{BEGIN, Log, Place, append, count, raw, run};
use crate::engine::{Access, Fault, Store, open};

#[tokio::test]
async fn reading_makes_nothing() {
    let place = Place::new();
    let missing = place.engine().connect(Access::Read).await;
    assert_eq!(missing.err().map(|e| e.fault), Some(Fault::NoDatabase));
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);

    fs::write(place.file(), "").unwrap();
    let mut empty = place.reader().await;
    assert_eq!(empty.store().await.unwrap(), Store::Absent);
    empty.close().await.unwrap();
    assert_eq!(fs::metadata(place.file()).unwrap().len(), 0);
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1);

    let place = Place::with_store().await;
    let mut reader = place.reader().await;
    let refused = reader.execute("CREATE TABLE t (x)").await.unwrap_err();
    assert_eq!(refused.fault, Fault::ReadOnly);
    reader.close().await.unwrap();
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_is_no_database_is_told_apart() {
    let place = Place::new();
    fs::write(
        place.file(),
        "-- this is a script, not a database\n".repeat(40),
    )
    .unwrap();
    for access in [Access::Read, Access::Write] {
        let refused = place.engine().connect(access).await.err().unwrap();
        assert_eq!(refused.fault, Fault::NotADatabase);
        assert!(refused.message.contains("shop.db"), "{refused}");
    }
    let engine = |url: &str| open(url, place.folder.path()).unwrap();
    for (url, word) in [("sqlite:no/such/shop.db", "create"), ("sqlite:.", "folder")] {
        for access in [Access::Read, Access::Write] {
            let refused = engine(url).connect(access).await.err().unwrap();
            assert_eq!(refused.fault, Fault::Unreachable, "{url}");
            assert!(refused.message.contains(word), "{refused}");
        }
    }
    let existing = engine("sqlite:none.db?mode=rw");
    let missing = existing.connect(Access::Write).await.err().unwrap();
    assert_eq!(missing.fault, Fault::NoDatabase);
}

#[tokio::test]
async fn a_new_database_uses_wal_and_an_existing_one_keeps_its_mode() {
    let place = Place::with_store().await;
    let wal = "SELECT journal_mode = 'wal' FROM pragma_journal_mode";
    let delete = "SELECT journal_mode = 'delete' FROM pragma_journal_mode";
    assert!(place.writer().await.holds(wal).await.unwrap());

    let mut connection = place.raw().await;
    run(&mut connection, "PRAGMA journal_mode = DELETE").await;
    super::connect::close(connection).await.unwrap();
    let mut session = place.writer().await;
    assert!(session.holds(delete).await.unwrap());
    append(&mut *session, &[Log::new().note()]).await.unwrap();
    assert!(place.reader().await.holds(delete).await.unwrap());
    assert_eq!(place.reader().await.records(0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_commit_waits_for_readers_where_there_is_a_rollback_journal() {
    let place = Place::with_store().await;
    let mut reader = place.raw().await;
    run(&mut reader, "PRAGMA journal_mode = DELETE").await;
    let mut session = place.writer().await;
    session.begin(&BEGIN).await.unwrap();
    session.execute("CREATE TABLE t (x)").await.unwrap();
    run(&mut reader, "BEGIN; SELECT count(*) FROM mledger_events").await;
    let done = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        run(&mut reader, "COMMIT").await;
    });
    session.commit().await.unwrap();
    done.await.unwrap();
    assert!(session.holds("SELECT count(*) = 0 FROM t").await.unwrap());
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_read_and_not_written() {
    let place = Place::with_store().await;
    let engine = open("sqlite:shop.db?mode=ro", place.folder.path()).unwrap();
    let refused = engine.connect(Access::Write).await.err().unwrap();
    assert_eq!(refused.fault, Fault::ReadOnly);
    let mut reader = engine.connect(Access::Read).await.unwrap();
    assert!(matches!(
        reader.store().await.unwrap(),
        Store::Present { .. }
    ));
}

/// A folder in the place of the WAL index stands for a folder that cannot be written, also for root.
#[tokio::test]
async fn a_wal_database_whose_index_cannot_be_made_is_read_as_it_is() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    append(&mut *session, &[Log::new().note()]).await.unwrap();
    session.close().await.unwrap();
    fs::create_dir(place.folder.path().join("shop.db-shm")).unwrap();

    let mut reader = place.reader().await;
    assert_eq!(reader.records(0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_crash_left_in_a_journal_is_rolled_back_by_the_next_reader() {
    let place = Place::with_store().await;
    let mut connection = place.raw().await;
    run(
        &mut connection,
        "PRAGMA journal_mode = DELETE; CREATE TABLE t (x)",
    )
    .await;
    run(&mut connection, "PRAGMA cache_size = 1; BEGIN").await;
    run(
        &mut connection,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
         INSERT INTO t SELECT randomblob(500) FROM n",
    )
    .await;
    // a copy of the files in the middle of the transaction is what kill -9 leaves
    let crashed = Place::new();
    for name in ["shop.db", "shop.db-journal"] {
        fs::copy(
            place.folder.path().join(name),
            crashed.folder.path().join(name),
        )
        .unwrap();
    }
    let mut reader = crashed.reader().await;
    assert!(reader.holds("SELECT count(*) = 0 FROM t").await.unwrap());
    assert!(
        reader
            .holds("SELECT integrity_check = 'ok' FROM pragma_integrity_check")
            .await
            .unwrap()
    );
}

/// F16
#[test]
fn a_new_database_is_opened_by_many_at_once() {
    for _ in 0..20 {
        let place = Arc::new(Place::new());
        let start = Arc::new(Barrier::new(8));
        let openers: Vec<_> = (0..8)
            .map(|_| {
                let (place, start) = (Arc::clone(&place), Arc::clone(&start));
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .unwrap();
                    start.wait();
                    runtime.block_on(async {
                        let mut session = place.writer().await;
                        session.begin(&BEGIN).await.unwrap();
                        if session.store().await.unwrap() == Store::Absent {
                            session.create_store("one").await.unwrap();
                        }
                        session.commit().await.unwrap();
                    });
                })
            })
            .collect();
        for opener in openers {
            opener.join().unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut connection = raw(&place.file()).await;
            assert_eq!(
                count(&mut connection, "SELECT count(*) FROM mledger_lease").await,
                1
            );
            let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert_eq!(mode, "wal");
        });
    }
}

#[tokio::test]
async fn a_full_disk_rolls_back_and_leaves_the_session_usable() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    session.execute("CREATE TABLE t (x)").await.unwrap();
    // SQLite answers to its own limit as it does to the disk's
    session.execute("PRAGMA max_page_count = 60").await.unwrap();
    session.begin(&BEGIN).await.unwrap();
    let full = session
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
             INSERT INTO t SELECT randomblob(500) FROM n",
        )
        .await
        .unwrap_err();
    assert_eq!(full.fault, Fault::Full);
    assert!(full.message.contains("shop.db"), "{full}");
    session.rollback().await.unwrap();
    session.reset().await.unwrap();
    append(&mut *session, &[Log::new().note()]).await.unwrap();
    assert!(session.holds("SELECT count(*) = 0 FROM t").await.unwrap());
}
