//! Which database this is.

use super::{BEGIN, Place};

#[tokio::test]
async fn a_database_is_its_cluster_and_its_name() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let system = place.ask("SELECT system_identifier FROM pg_control_system()");
    let found = session.identity().await.unwrap();
    assert_eq!(found.identity, format!("{system}/{}", place.name));
    assert_eq!(found.name, place.name);
    // the copy of another cluster kept that one's number in its rows
    place.ask("UPDATE mledger.lease SET identity = '4711'");
    assert_eq!(session.identity().await.unwrap().identity, found.identity);
}

#[tokio::test]
async fn who_may_not_know_the_cluster_keeps_what_was_taken_first() {
    let mut place = Place::with_store().await;
    let role = place.role("app");
    place.ask(&format!(
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; \
         GRANT USAGE ON SCHEMA mledger TO {role}; GRANT SELECT ON mledger.lease TO {role}"
    ));
    let known = place.writer().await.identity().await.unwrap();
    let mut weak = place.as_role(&role).await;
    assert_eq!(weak.identity().await.unwrap(), known);

    place.ask(&format!(
        "DROP SCHEMA mledger CASCADE; GRANT CREATE ON DATABASE {} TO {role}",
        place.name
    ));
    weak.begin(&BEGIN).await.unwrap();
    weak.create_store("0193a000-0000-7000-8000-000000000001")
        .await
        .unwrap();
    weak.commit().await.unwrap();
    let found = weak.identity().await.unwrap();
    let expected = format!("0193a000-0000-7000-8000-000000000001/{}", place.name);
    assert_eq!(found.identity, expected);
    // who may know it later does not make another database of it
    assert_eq!(place.writer().await.identity().await.unwrap(), found);
    place.ask(&format!("DROP OWNED BY {role} CASCADE"));
}
