//! Connecting: what keeps us out, and how the session is set up.

use std::path::Path;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Place;
use crate::engine::{Access, Fault, open};

async fn fault_of(url: &str, access: Access) -> (Fault, String) {
    let engine = open(url, Path::new("/")).unwrap();
    match engine.connect(access).await {
        Ok(_) => panic!("connected"),
        Err(error) => (error.fault, error.to_string()),
    }
}

#[tokio::test]
async fn what_keeps_us_out_is_told_apart() {
    let place = Place::new();
    let (fault, message) = fault_of("postgres://dana:S3cr3t@127.0.0.1:1/shop", Access::Read).await;
    assert_eq!(fault, Fault::Unreachable);
    assert!(
        message.contains("`postgres://dana@127.0.0.1:1/shop`"),
        "{message}"
    );
    assert!(!message.contains("S3cr3t"), "{message}");
    let (fault, _) = fault_of("postgres://u@/d?host=/no/such/folder", Access::Read).await;
    assert_eq!(fault, Fault::Unreachable);
    let (fault, _) = fault_of(&place.url_of("mledger_no_such_role"), Access::Write).await;
    assert_eq!(fault, Fault::Denied);
    let url = place.url().replace(&place.name, "mledger_no_such_database");
    assert_eq!(fault_of(&url, Access::Read).await.0, Fault::NoDatabase);
    assert_eq!(fault_of(&url, Access::Write).await.0, Fault::NoDatabase);
    let url = format!("{}?sslrootcert=/no/such.pem&sslmode=verify-ca", place.url());
    let (fault, message) = fault_of(&url, Access::Read).await;
    assert_eq!(fault, Fault::Denied);
    assert!(
        message.contains("`/no/such.pem` cannot be read"),
        "{message}"
    );
    let url = format!("{}?sslmode=require", place.url());
    let (fault, message) = fault_of(&url, Access::Read).await;
    assert_eq!(fault, Fault::Denied, "{message}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for_without_end() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let began = Instant::now();
    let url = format!("postgres://u@127.0.0.1:{port}/d?connect_timeout=1");
    let (fault, message) = fault_of(&url, Access::Read).await;
    assert_eq!(fault, Fault::Unreachable);
    assert!(message.contains("no answer within 1 seconds"), "{message}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_role_that_only_reads_is_known_before_anything_is_written() {
    let mut place = Place::with_store().await;
    let role = place.role("reader");
    place.ask(&format!(
        "ALTER ROLE {role} SET default_transaction_read_only = on; \
         GRANT USAGE ON SCHEMA mledger TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA mledger TO {role}"
    ));
    let url = place.url_of(&role);
    assert_eq!(fault_of(&url, Access::Write).await.0, Fault::ReadOnly);
    let engine = open(&url, Path::new("/")).unwrap();
    let mut session = engine.connect(Access::Read).await.unwrap();
    session.store().await.unwrap();
    assert_eq!(session.records(0, 1).await.unwrap(), []);
    place.ask(&format!("DROP OWNED BY {role}"));
}

#[tokio::test]
async fn a_session_is_named_after_its_run_and_has_the_settings_of_its_role() {
    let mut place = Place::new();
    let role = place.role("app");
    place.ask(&format!(
        "ALTER DATABASE {0} SET TimeZone = 'Asia/Tokyo'; ALTER ROLE {role} SET timezone = 'Europe/Paris'; \
         ALTER DATABASE {0} SET DateStyle = 'SQL, DMY'",
        place.name
    ));
    let engine = open(&place.url_of(&role), Path::new("/")).unwrap();
    let run = Uuid::from_u128(7);
    let mut session = engine.connect(Access::Run(run)).await.unwrap();
    for query in [
        "SELECT current_setting('TimeZone') = 'Europe/Paris'",
        "SELECT current_setting('DateStyle') = 'SQL, DMY'",
        &format!("SELECT current_setting('application_name') = 'mledger {run}'"),
        "SELECT current_setting('extra_float_digits') = '1'",
        "SELECT current_setting('client_connection_check_interval') = '5s'",
    ] {
        assert!(session.holds(query).await.unwrap(), "{query}");
    }
}

#[tokio::test]
async fn a_role_that_acts_as_another_owns_what_the_other_makes() {
    let mut place = Place::new();
    let owner = place.role("owner");
    let role = place.role("app");
    place.ask(&format!(
        "GRANT {owner} TO {role}; GRANT CREATE ON DATABASE {} TO {owner}; \
         ALTER ROLE {role} SET role = {owner}",
        place.name
    ));
    let mut session = place.as_role(&role).await;
    session.begin(&super::BEGIN).await.unwrap();
    session.create_store("x").await.unwrap();
    session.commit().await.unwrap();
    let whose = "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'mledger'";
    assert_eq!(place.ask(whose), owner);
    let acts = format!("SELECT current_user = '{owner}'");
    session.execute("RESET ALL").await.unwrap();
    session.execute("SET ROLE NONE").await.unwrap();
    session.reset().await.unwrap();
    assert!(session.holds(&acts).await.unwrap());
    session.begin(&super::BEGIN).await.unwrap();
    session.execute("SET ROLE NONE").await.unwrap();
    session.settle().await.unwrap();
    assert!(session.holds(&acts).await.unwrap());
    session.commit().await.unwrap();
    place.ask(&format!("DROP OWNED BY {owner} CASCADE"));
}
