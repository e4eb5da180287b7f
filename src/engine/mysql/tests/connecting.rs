//! Opening connections: who is let in, and what the session is like then.

use super::*;
use crate::engine::EngineError;

async fn fails(url: &str, access: Access) -> EngineError {
    let engine = open(url, Path::new("/")).unwrap();
    let Err(error) = engine.connect(access).await else {
        panic!("expected no connection, found one");
    };
    error
}

#[tokio::test]
async fn why_there_is_no_connection_is_told_apart() {
    let missing = format!("{}/my_unit_that_does_not_exist", server());
    let error = fails(&missing, Access::Read).await;
    assert_eq!(error.fault, Fault::NoDatabase, "{error}");
    let nobody = "mysql://root@127.0.0.1:1/x";
    let error = fails(nobody, Access::Read).await;
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    assert!(error.message.contains("127.0.0.1:1"), "{error}");
    let no_file = "mysql://root@127.0.0.1:1/x?ssl-mode=verify_ca&ssl-ca=/nowhere/ca.pem";
    let error = fails(no_file, Access::Read).await;
    assert_eq!(error.fault, Fault::Denied, "{error}");
    assert!(error.message.contains("/nowhere/ca.pem"), "{error}");
    let no_socket = "mysql://root@localhost/x?socket=/nowhere/at/all.sock";
    let error = fails(no_socket, Access::Read).await;
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    let (_, place) = server()
        .rsplit_once('@')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let stranger = format!("mysql://my_unit_stranger:S3cr3t@{place}/mysql");
    let error = fails(&stranger, Access::Write).await;
    assert_eq!(error.fault, Fault::Denied, "{error}");
    assert!(!format!("{error:?}").contains("S3cr3t"));
}

#[tokio::test]
async fn a_session_is_as_the_server_makes_it() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    for variable in [
        "sql_mode",
        "time_zone",
        "autocommit",
        "innodb_lock_wait_timeout",
    ] {
        let same = format!("SELECT @@session.{variable} = @@global.{variable}");
        assert!(session.holds(&same).await.unwrap(), "{variable}");
    }
    let encoding = "SELECT @@character_set_client = 'utf8mb4' \
                    AND @@character_set_connection = 'utf8mb4' AND @@character_set_results = 'utf8mb4'";
    assert!(session.holds(encoding).await.unwrap());
}

#[tokio::test]
async fn a_reading_session_cannot_write() {
    let place = Place::with_store().await;
    let mut reader = place.reader().await;
    assert_eq!(reader.lease().await.unwrap(), None);
    let write = "UPDATE mledger_lease SET token = 'x'";
    assert_eq!(
        reader.execute(write).await.unwrap_err().fault,
        Fault::ReadOnly
    );
}

#[tokio::test]
async fn a_schema_may_have_any_name() {
    let name = format!("my_unit `{}` ä'\"\\ %s", std::process::id());
    let place = Place::named(&name).await;
    place.create_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    append(&mut *session, &[log.note(), log.note()])
        .await
        .unwrap();
    assert_eq!(session.records(0, 10).await.unwrap().len(), 2);
    assert_eq!(session.identity().await.unwrap().name, name);
    let crate::engine::Store::Present { missing_guards, .. } = session.store().await.unwrap()
    else {
        panic!("expected the store to be there");
    };
    assert_eq!(missing_guards, Vec::<String>::new());
}

#[tokio::test]
async fn a_user_who_may_only_read_sees_what_is_there_and_blames_nobody() {
    let place = Place::with_store().await;
    append(&mut *place.writer().await, &[Log::new().note()])
        .await
        .unwrap();
    let mut root = administrator().await;
    let user = format!("my_unit_r{}", std::process::id());
    run(
        &mut root,
        &format!(
            "CREATE USER {user}@'%' IDENTIFIED BY 'p@ss/w:rd'; GRANT SELECT ON {}.* TO {user}@'%'",
            place.name
        ),
    )
    .await;
    let (_, server) = server()
        .rsplit_once('@')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let url = format!("mysql://{user}:p%40ss%2Fw%3Ard@{server}/{}", place.name);
    let engine = open(&url, Path::new("/")).unwrap();
    let mut reader = engine.connect(Access::Read).await.unwrap();
    let store = reader.store().await;
    let records = reader.records(0, 5).await;
    let lease = reader.lease().await;
    let fingerprint = reader.fingerprint().await;
    let mut writer = engine.connect(Access::Write).await.unwrap();
    writer.begin(&BEGIN).await.unwrap();
    let appended = writer.append(&[Log::new().note()]).await;
    run(&mut root, &format!("DROP USER {user}@'%'")).await;
    let crate::engine::Store::Present {
        missing_guards,
        guards,
    } = store.unwrap()
    else {
        panic!("expected the store to be there");
    };
    assert_eq!(missing_guards, Vec::<String>::new());
    assert_eq!(guards, 7, "triggers are not to be seen");
    assert_eq!(records.unwrap().len(), 1);
    assert_eq!(lease.unwrap(), None);
    let lacking = fingerprint.unwrap().lacking;
    assert_eq!(lacking, ["TRIGGER", "SHOW VIEW", "EVENT", "EXECUTE"]);
    assert_eq!(appended.unwrap_err().fault, Fault::Denied);
}
