//! The views that people read.

use super::{Log, Place, append};

#[tokio::test]
async fn the_views_tell_what_the_events_say() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    let digest = "0".repeat(64);
    let started = |version: &str, direction: &str, attempt: u32| {
        format!(
            "{{\"attempt\":{attempt},\"batch\":1,\"checksum\":\"{digest}\",\"direction\":\"{direction}\",\
             \"mode\":\"atomic\",\"name\":\"people\",\"script\":\"{digest}\",\"self_committing\":[],\
             \"statements\":2,\"version\":\"{version}\"}}"
        )
    };
    let token = "0193a000-0000-7000-8000-000000000009";
    let records = [
        log.next("lock.acquired", &format!("{{\"token\":\"{token}\",\"wait_ms\":3}}")),
        log.next("migration.started", &started("1", "up", 1)),
        log.next(
            "migration.failed",
            "{\"clean\":true,\"direction\":\"up\",\"error\":{\"code\":\"42601\",\"message\":\"no\"},\
             \"steps_applied\":0,\"version\":\"1\"}",
        ),
        log.next("migration.started", &started("1", "up", 2)),
        log.next(
            "migration.applied",
            &format!(
                "{{\"attempt\":2,\"batch\":1,\"checksum\":\"{digest}\",\"duration_ms\":12,\
                 \"metadata\":{{}},\"name\":\"people\",\"script\":\"{digest}\",\"statements\":2,\
                 \"version\":\"1\"}}"
            ),
        ),
        log.next("migration.started", &started("1", "down", 1)),
        log.next(
            "migration.rolled_back",
            &format!(
                "{{\"cause\":\"requested\",\"duration_ms\":5,\"name\":\"people\",\
                 \"script\":\"{digest}\",\"version\":\"1\"}}"
            ),
        ),
        log.next("lock.released", &format!("{{\"held_ms\":40,\"token\":\"{token}\"}}")),
        log.next(
            "backup.failed",
            "{\"error\":\"disk full\",\"name\":\"nightly\"}",
        ),
    ];
    append(&mut *session, &records).await.unwrap();
    for (sql, expected) in [
        (
            "SELECT version, name, state, batch FROM mledger.migration_versions",
            "1|people|rolled_back|",
        ),
        (
            "SELECT seq, name, action, direction, attempt, clean, error FROM mledger.migration_history",
            "2|people|failed|up||t|no\n4|people|applied|up|2||\n6|people|rolled_back|down|||",
        ),
        (
            "SELECT state, wait_ms, held_ms, ended_by FROM mledger.migration_locks",
            "released|3|40|dana",
        ),
        (
            "SELECT action, applied_seq, applied_in_batch FROM mledger.migration_rollback_history",
            "rolled_back|4|1",
        ),
        (
            "SELECT name, outcome, error FROM mledger.backup_history",
            "nightly|failure|disk full",
        ),
        (
            "SELECT count(*), min(time) FROM mledger.migration_audit_log",
            "9|2026-11-20T20:00:00.000000Z",
        ),
    ] {
        assert_eq!(place.ask(sql), expected, "{sql}");
    }
}

#[tokio::test]
async fn a_line_that_was_tampered_with_shows_with_its_place_alone() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    let mut log = Log::new();
    append(&mut *session, &[log.note(), log.note()])
        .await
        .unwrap();
    place.ask(
        "ALTER TABLE mledger.events DISABLE TRIGGER USER;
         UPDATE mledger.events SET line = '\\xff00' WHERE seq = 0",
    );
    let shown = "SELECT seq, kind IS NULL, length(hash) FROM mledger.migration_audit_log";
    assert_eq!(place.ask(shown), "0|t|64\n1|f|64");
    assert_eq!(
        place.ask("SELECT count(*) FROM mledger.migration_versions"),
        "0"
    );
}
