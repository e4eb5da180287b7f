//! The views that database administrators read.

use super::{Log, Place, append, ask, talk};

const PLAN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// The story that the views tell: two migrations, one rolled back, a failed one, a backup taken
/// after the first and restored, a broken lock.
async fn story() -> Place {
    let place = Place::with_store().await;
    let mut log = Log::new();
    let mut records = Vec::new();
    let mut tell = |kind: &str, body: String| records.push(log.next(kind, &body));

    tell("lock.acquired", token(1, "\"wait_ms\":5"));
    tell("migration.started", started("1", "first", "up"));
    tell("migration.applied", applied("1", "first"));
    tell(
        "backup.taken",
        format!(
            "{{\"backup\":\"0193a000-0000-7000-8000-0000000000b1\",\"duration_ms\":3,\
             \"encrypted\":true,\"ledger_size\":3,\"location\":\"/b\",\"method\":\"dump\",\
             \"name\":\"nightly\",\"sha256\":\"{PLAN}\",\"size\":\"4096\"}}"
        ),
    );
    tell("migration.started", started("2", "second", "up"));
    tell("migration.applied", applied("2", "second"));
    tell("migration.started", started("2", "second", "down"));
    tell(
        "migration.rolled_back",
        format!(
            "{{\"cause\":\"requested\",\"duration_ms\":4,\"name\":\"second\",\
             \"script\":\"{PLAN}\",\"version\":\"2\"}}"
        ),
    );
    tell("migration.started", started("3", "third", "up"));
    tell(
        "migration.failed",
        "{\"clean\":true,\"direction\":\"up\",\"error\":{\"message\":\"no such table: x\"},\
         \"steps_applied\":0,\"version\":\"3\"}"
            .to_owned(),
    );
    tell("lock.released", token(1, "\"held_ms\":45"));
    tell(
        "lock.broken",
        "{\"holder\":{\"actor\":\"omar\",\"host\":\"there\",\
         \"run\":\"0193a000-0000-7000-8000-000000000009\",\
         \"since\":\"2026-11-20T19:00:00.000000Z\"},\"reason\":\"its process is gone\",\
         \"token\":\"0193a000-0000-7000-8000-00000000f002\"}"
            .to_owned(),
    );
    tell("lock.acquired", token(3, "\"wait_ms\":0"));
    tell(
        "version.tagged",
        "{\"migration\":\"1\",\"release\":\"1.0.0\"}".to_owned(),
    );
    tell(
        "backup.failed",
        "{\"error\":\"disk full\",\"name\":\"weekly\"}".to_owned(),
    );

    let mut session = place.writer().await;
    append(&mut *session, &records).await.unwrap();
    place
}

fn token(number: u32, more: &str) -> String {
    let token = format!("\"token\":\"0193a000-0000-7000-8000-00000000f00{number}\"");
    if more < "\"token" {
        format!("{{{more},{token}}}")
    } else {
        format!("{{{token},{more}}}")
    }
}

fn started(version: &str, name: &str, direction: &str) -> String {
    format!(
        "{{\"attempt\":1,\"batch\":1,\"checksum\":\"{PLAN}\",\"direction\":\"{direction}\",\
         \"mode\":\"atomic\",\"name\":\"{name}\",\"script\":\"{PLAN}\",\"self_committing\":[],\
         \"statements\":1,\"version\":\"{version}\"}}"
    )
}

fn applied(version: &str, name: &str) -> String {
    format!(
        "{{\"attempt\":1,\"batch\":1,\"checksum\":\"{PLAN}\",\"duration_ms\":12,\"metadata\":{{}},\
         \"name\":\"{name}\",\"script\":\"{PLAN}\",\"statements\":1,\"version\":\"{version}\"}}"
    )
}

/// The rows of a query, columns joined by `|`, NULL as nothing.
async fn rows(place: &Place, columns: &str, view: &str) -> Vec<String> {
    let sql = format!("SELECT concat_ws('|', {columns}) FROM {view}");
    let rows = talk::rows(&mut place.raw().await, sql).await.unwrap();
    rows.iter().map(|row| row.text(0).unwrap()).collect()
}

#[tokio::test]
async fn the_audit_log_shows_every_event() {
    let place = story().await;
    let mut raw = place.raw().await;
    let whole = "SELECT count(*) FROM mledger_migration_audit_log \
                 WHERE time IS NOT NULL AND actor = 'dana' AND `key` LIKE 'SHA256:%' \
                 AND env = 'test' AND host = 'here' AND json_valid(body)";
    assert_eq!(ask(&mut raw, whole).await, "15");
    let hashes = "SELECT count(*) FROM mledger_migration_audit_log AS shown \
                  JOIN mledger_events AS stored USING (seq) \
                  WHERE shown.hash = lower(hex(stored.hash))";
    assert_eq!(ask(&mut raw, hashes).await, "15");
}

#[tokio::test]
async fn the_history_shows_how_each_attempt_ended() {
    let place = story().await;
    let columns = "seq, version, name, action, direction, outcome, ifnull(error, '-')";
    assert_eq!(
        rows(&place, columns, "mledger_migration_history").await,
        [
            "2|1|first|applied|up|success|-",
            "5|2|second|applied|up|success|-",
            "7|2|second|rolled_back|down|success|-",
            "9|3|third|failed|up|failure|no such table: x",
        ]
    );
    let columns = "seq, version, name, action, reason, duration_ms, applied_seq, applied_by";
    assert_eq!(
        rows(&place, columns, "mledger_migration_rollback_history").await,
        ["7|2|second|rolled_back|requested|4|5|dana"]
    );
}

#[tokio::test]
async fn versions_have_the_state_of_their_last_event_and_a_restore_takes_it_back() {
    let place = story().await;
    let columns = "version, name, state, ifnull(applied_at, '-'), ifnull(releases, '-')";
    let versions = "mledger_migration_versions";
    assert_eq!(
        rows(&place, columns, versions).await,
        [
            "1|first|applied|2026-11-20T20:00:02.000000Z|1.0.0",
            "2|second|rolled_back|-|-",
            "3|third|failed|-|-",
        ]
    );

    let mut session = place.writer().await;
    let mut log = Log::new();
    let stored = session.records(14, 1).await.unwrap();
    log.seq = 15;
    log.prev = ledger::Digest::from_bytes(stored[0].hash.clone().try_into().unwrap());
    let restored = format!(
        "{{\"backup\":\"0193a000-0000-7000-8000-0000000000b1\",\"duration_ms\":9,\
         \"sha256\":\"{PLAN}\"}}"
    );
    let records = [
        log.next("backup.restored", &restored),
        log.next("migration.started", &started("4", "fourth", "up")),
    ];
    append(&mut *session, &records).await.unwrap();
    assert_eq!(
        rows(&place, "version, state", versions).await,
        ["1|applied", "4|started"]
    );

    // a second restore undoes the first, and what came between the two
    let again = [log.next("backup.restored", &restored)];
    append(&mut *session, &again).await.unwrap();
    assert_eq!(
        rows(&place, "version, state", versions).await,
        ["1|applied"]
    );
}

#[tokio::test]
async fn locks_and_backups_show_what_became_of_them() {
    let place = story().await;
    let columns = "seq, actor, state, ifnull(wait_ms, '-'), ifnull(held_ms, '-'), \
                   ifnull(reason, '-')";
    assert_eq!(
        rows(&place, columns, "mledger_migration_locks").await,
        [
            "0|dana|released|5|45|-",
            "11|omar|broken|-|-|its process is gone",
            "12|dana|open|0|-|-",
        ]
    );
    let columns = "seq, name, outcome, ifnull(size, '-'), ifnull(encrypted, '-'), restores, \
                   ifnull(error, '-')";
    assert_eq!(
        rows(&place, columns, "mledger_backup_history").await,
        [
            "3|nightly|success|4096|1|0|-",
            "14|weekly|failure|-|-|0|disk full",
        ]
    );
}
