//! What scripts do to their session, and that the ledger's own statements do not mind.

use super::*;

/// What a script may have set when our statements follow.
const HOSTILE: &[&str] = &[
    "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE'",
    "SET SESSION sql_mode = ''",
    "SET autocommit = 0",
    "SET NAMES latin1",
    "SET character_set_results = NULL",
    "SET time_zone = '-11:00'",
    "USE information_schema",
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET sql_select_limit = 1",
    "SET sql_notes = 0",
    "SET SESSION foreign_key_checks = 0",
    "SET collation_connection = 'utf8mb4_bin'",
    "SET SESSION sql_safe_updates = 1",
    "SET SESSION div_precision_increment = 0",
    "SET SESSION max_error_count = 0",
];

#[tokio::test]
async fn our_own_statements_do_not_depend_on_the_session() {
    use crate::engine::{Claim, Encoding, Object};
    use uuid::Uuid;
    for hostile in HOSTILE {
        let place = Place::with_store().await;
        let mut session = place.writer().await;
        let token = Uuid::from_u128(1);
        let claim = Claim {
            token,
            actor: "O'Neill \"Ö\" 🎉".to_owned(),
            host: "back\\slash".to_owned(),
            run: Uuid::from_u128(2),
            process: String::new(),
            duration: Duration::from_secs(60),
        };
        session.execute(hostile).await.unwrap();
        session.begin(&BEGIN).await.unwrap();
        session.lock_ledger().await.unwrap();
        assert!(session.take_lease(&claim, None).await.unwrap(), "{hostile}");
        let mut log = Log::new();
        let records = [log.note(), log.note(), log.note()];
        session.append(&records).await.unwrap();
        let object = Object {
            digest: Digest::of(b"x"),
            size: 3,
            encoding: Encoding::Raw,
            content: vec![0, 0x27, 0xff, 0x5c],
        };
        session.put_object(&object).await.unwrap();
        session.put_object(&object).await.unwrap();
        assert!(session.in_transaction().await.unwrap(), "{hostile}");
        session.commit().await.unwrap();
        let held = session.lease().await.unwrap().unwrap();
        assert_eq!((held.actor, held.host), (claim.actor, claim.host));
        let stored = session.records(0, 10).await.unwrap();
        assert_eq!(stored.len(), 3, "{hostile}");
        assert_eq!(stored[2].line, records[2].line, "{hostile}");
        let found = session.object(&object.digest).await.unwrap();
        assert_eq!(found, Some(object.clone()), "{hostile}");
        assert_eq!(
            session.object_digests(None, 5).await.unwrap(),
            [object.digest]
        );
        let before = session.fingerprint().await.unwrap();
        let crate::engine::Store::Present { missing_guards, .. } = session.store().await.unwrap()
        else {
            panic!("{hostile}: expected the store to be there");
        };
        assert_eq!(missing_guards, Vec::<String>::new(), "{hostile}");
        // what the session says is what another one says
        assert_eq!(
            before,
            place.reader().await.fingerprint().await.unwrap(),
            "{hostile}"
        );
    }
}

#[tokio::test]
async fn a_reset_leaves_nothing_of_a_script() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    let lock = format!("DO GET_LOCK('{}', 0)", place.name);
    all(
        &mut *session,
        &[
            "CREATE TEMPORARY TABLE t (x INT)",
            "SET @left = 1",
            "SET SESSION sql_mode = ''",
            "USE information_schema",
            &lock,
        ],
    )
    .await;
    session.reset().await.unwrap();
    let free = format!("SELECT IS_FREE_LOCK('{}')", place.name);
    for clean in [
        "SELECT @left IS NULL",
        "SELECT @@sql_mode = @@global.sql_mode",
        &format!("SELECT DATABASE() = '{}'", place.name),
        &free,
    ] {
        assert!(session.holds(clean).await.unwrap(), "{clean}");
    }
    assert!(session.execute("SELECT * FROM t").await.is_err());
}

#[tokio::test]
async fn what_a_script_inserted_last_is_still_known_after_an_append() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    all(
        &mut *session,
        &["CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, x INT) AUTO_INCREMENT = 41"],
    )
    .await;
    session.begin(&BEGIN).await.unwrap();
    all(&mut *session, &["INSERT INTO t (x) VALUES (1)"]).await;
    let mut log = Log::new();
    session.append(&[log.note(), log.note()]).await.unwrap();
    session.commit().await.unwrap();
    assert!(session.holds("SELECT LAST_INSERT_ID() = 41").await.unwrap());
}

#[tokio::test]
async fn limits_hold_until_others_are_asked_for() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    session
        .begin(&Begin {
            lock_timeout: Some(Duration::from_secs(3)),
            ..BEGIN
        })
        .await
        .unwrap();
    let three = "SELECT @@innodb_lock_wait_timeout = 3 AND @@lock_wait_timeout = 3";
    assert!(session.holds(three).await.unwrap());
    session.commit().await.unwrap();
    session.begin(&Begin::default()).await.unwrap();
    let usual = "SELECT @@innodb_lock_wait_timeout = @@global.innodb_lock_wait_timeout \
                 AND @@lock_wait_timeout = @@global.lock_wait_timeout";
    assert!(session.holds(usual).await.unwrap());
    session.rollback().await.unwrap();
    session
        .limit(&Begin {
            statement_timeout: Some(Duration::from_millis(300)),
            ..Begin::default()
        })
        .await
        .unwrap();
    let error = session.execute("SELECT SLEEP(20)").await.unwrap_err();
    assert!(
        matches!(error.fault, Fault::Statement | Fault::Partial),
        "{error:?}"
    );
}
