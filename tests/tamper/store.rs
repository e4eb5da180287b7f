//! Objects, the lease, guards, views and tables; and what may be done to the file without harm.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::{Command, Stdio};

use crate::attacker::{attempt, force, rows};
use crate::specimen::{Given, Specimen, anchor};

const TABLES: [&str; 3] = ["mledger_events", "mledger_lease", "mledger_objects"];

fn names(specimen: &Specimen, kind: &str) -> Vec<String> {
    specimen
        .project
        .sqlite(&format!(
            "SELECT name FROM sqlite_schema WHERE type = '{kind}' AND name LIKE 'mledger%' ORDER BY 1"
        ))
        .lines()
        .map(str::to_owned)
        .collect()
}

/// F92
#[test]
fn an_object_that_is_not_what_ran_is_found() {
    let specimen = Specimen::new();
    let database = specimen.project.database();
    for (case, sql, code) in [
        (
            "every object is gone",
            "DELETE FROM mledger_objects",
            "object-missing",
        ),
        (
            "one object is gone",
            "DELETE FROM mledger_objects WHERE rowid = 2",
            "object-missing",
        ),
        (
            "another text of the same length",
            "UPDATE mledger_objects SET content = zeroblob(length(content)) WHERE encoding = 'raw'",
            "object-mismatch",
        ),
        (
            "another text with a size that fits it",
            "UPDATE mledger_objects SET encoding = 'raw', content = 'SELECT 1', size = 8",
            "object-mismatch",
        ),
        (
            "a frame that is none",
            "UPDATE mledger_objects SET encoding = 'zstd', content = X'28b52ffd00'",
            "object-mismatch",
        ),
        (
            "erased, without an event that says so",
            "UPDATE mledger_objects SET encoding = 'absent', content = X''",
            "object-missing",
        ),
    ] {
        force(&database, sql);
        for given in Given::ALL {
            specimen
                .verify(given)
                .assert_found(code, &format!("{case}, given {given:?}"));
        }
        specimen.restore();
    }
}

/// The redaction that the guard lets through is not the one that an owner recorded.
#[test]
fn a_redaction_that_nobody_recorded_is_found() {
    let specimen = Specimen::new();
    specimen
        .project
        .sqlite("UPDATE mledger_objects SET encoding = 'absent', content = X'' WHERE rowid = 1");
    for given in Given::ALL {
        specimen
            .verify(given)
            .assert_found("object-missing", &format!("given {given:?}"));
    }
}

/// F67.
///
/// What `down` would run comes from the objects, so it is never run when it is not what was recorded.
#[test]
fn a_down_script_changed_in_the_database_never_runs() {
    let specimen = Specimen::new();
    let project = &specimen.project;
    project.remove("migrations/5_m5.sql");
    force(
        &project.database(),
        "UPDATE mledger_objects SET encoding = 'raw', content = '-- DOWN
DROP TABLE effects;', size = 28",
    );
    for given in [Given::Nothing, Given::RememberedHead] {
        let ended = specimen.run(&["down", "--json", "--yes"], given);
        assert_eq!(ended.code, 4, "{ended:#?}");
        assert!(ended.stdout.contains("object-missing"), "{ended:#?}");
    }
    let rows = project.sqlite("SELECT count(*) FROM effects");
    assert_eq!(rows.trim(), "10", "nothing ran");
}

#[test]
fn the_guards_refuse_what_is_not_an_append() {
    let specimen = Specimen::new();
    let database = specimen.project.database();
    let last = rows(&database).pop().unwrap();
    let size = specimen.size;
    let insert = |verb: &str, seq: u64| {
        let mut row = last.clone();
        row.seq = seq;
        row.insert().replace("INSERT INTO", verb)
    };
    for sql in [
        "UPDATE mledger_events SET line = line".to_owned(),
        "UPDATE mledger_events SET seq = seq + 1 WHERE seq = 3".to_owned(),
        "UPDATE OR REPLACE mledger_events SET seq = 2 WHERE seq = 3".to_owned(),
        "UPDATE OR IGNORE mledger_events SET signature = zeroblob(64)".to_owned(),
        "DELETE FROM mledger_events".to_owned(),
        format!("DELETE FROM mledger_events WHERE seq = {}", size - 1),
        insert("INSERT OR REPLACE INTO", size - 1),
        insert("REPLACE INTO", size - 1),
        insert("REPLACE INTO", 3),
        insert("INSERT OR IGNORE INTO", 3),
        insert("INSERT INTO", size),
        insert("INSERT INTO", size + 1),
        insert("REPLACE INTO", size),
        insert("INSERT INTO", size).replace("mledger_events", "mledger_append"),
        insert("REPLACE INTO", 3).replace("mledger_events", "mledger_append"),
        "UPDATE mledger_append SET line = line".to_owned(),
        "DELETE FROM mledger_append".to_owned(),
        "UPDATE mledger_objects SET content = X'00'".to_owned(),
        "UPDATE mledger_objects SET size = size + 1".to_owned(),
        "UPDATE mledger_objects SET digest = zeroblob(32)".to_owned(),
        "DELETE FROM mledger_objects".to_owned(),
        "REPLACE INTO mledger_objects SELECT digest, 1, 'raw', X'00' FROM mledger_objects"
            .to_owned(),
        "INSERT OR REPLACE INTO mledger_objects
            SELECT digest, 1, 'raw', X'00' FROM mledger_objects"
            .to_owned(),
        "DELETE FROM mledger_lease".to_owned(),
        "REPLACE INTO mledger_lease (only, identity) VALUES (1, 'another')".to_owned(),
        "INSERT INTO mledger_lease (only, identity) VALUES (2, 'another')".to_owned(),
    ] {
        let refused = attempt(&database, &sql);
        let ignored = sql.contains("OR IGNORE") && refused.is_ok();
        assert!(
            refused.is_err() || ignored,
            "the guards let `{sql}` through"
        );
        specimen
            .verify(Given::Checkpoint)
            .assert_intact("checkpoint", &sql);
    }
    assert_eq!(rows(&database).len() as u64, size);
}

/// Guards are seat belts: without them the history is what it was, and their absence is reported.
#[test]
fn a_guard_or_view_that_was_dropped_is_reported() {
    let specimen = Specimen::new();
    let database = specimen.project.database();
    let mut dropped = Vec::new();
    for kind in ["trigger", "view"] {
        for name in names(&specimen, kind) {
            specimen.project.sqlite(&format!("DROP {kind} {name}"));
            assert_reported(&specimen, &name);
            dropped.push(name);
            specimen.restore();
        }
    }
    assert!(dropped.len() >= 16, "{dropped:?}");
    // one of the same name that lets everything through is none
    specimen.project.sqlite(
        "DROP TRIGGER mledger_events_no_update;
         CREATE TRIGGER mledger_events_no_update BEFORE UPDATE ON mledger_events
         BEGIN SELECT 1; END",
    );
    assert_reported(&specimen, "mledger_events_no_update");
    specimen.restore();
    specimen.project.sqlite(
        "DROP VIEW mledger_migration_history;
         CREATE VIEW mledger_migration_history AS SELECT 'all is well' AS outcome",
    );
    assert_reported(&specimen, "mledger_migration_history");
    specimen.restore();
    assert_eq!(rows(&database).len() as u64, specimen.size);
}

#[track_caller]
fn assert_reported(specimen: &Specimen, name: &str) {
    for given in Given::ALL {
        let verdict = specimen.verify(given);
        verdict.assert_intact(anchor(given), name);
        assert!(
            verdict.warnings.contains("guard-missing"),
            "`{name}` is missed: {:#?}",
            verdict.ended
        );
        assert!(verdict.ended.stdout.contains(name), "{:#?}", verdict.ended);
    }
    let status = specimen.run(&["status", "--json"], Given::Nothing);
    assert_eq!(status.code, 0, "{status:#?}");
    assert!(status.stdout.contains("guard-missing"), "{status:#?}");
}

/// A trigger that swallows what is appended, or runs on what is read, is not one of ours.
#[test]
fn a_trigger_that_swallows_events_stops_the_run_that_meets_it() {
    let specimen = Specimen::new();
    specimen.project.sqlite(
        "CREATE TRIGGER swallow INSTEAD OF INSERT ON mledger_append BEGIN SELECT 1; END;
         DROP TRIGGER mledger_append_event",
    );
    let ended = specimen.run(&["down", "--yes"], Given::RememberedHead);
    assert_ne!(
        ended.code, 0,
        "an append that is not there is no append: {ended:#?}"
    );
    assert_eq!(
        rows(&specimen.project.database()).len() as u64,
        specimen.size
    );
    let count = specimen.project.sqlite("SELECT count(*) FROM effects");
    assert_eq!(
        count.trim(),
        "10",
        "nothing was rolled back without its event"
    );
}

/// F30
#[test]
fn a_table_that_was_dropped_is_a_lost_ledger() {
    let specimen = Specimen::new();
    let mut together = String::new();
    for table in TABLES {
        specimen.project.sqlite(&format!("DROP TABLE {table}"));
        for given in Given::ALL {
            specimen.verify(given).assert_found(
                "ledger-lost",
                &format!("`{table}` dropped, given {given:?}"),
            );
            for command in ["status", "up", "init"] {
                let ended = specimen.run(&[command, "--json", "--yes"], given);
                assert_eq!(ended.code, 4, "`{table}`, `{command}`: {ended:#?}");
            }
        }
        specimen.restore();
        together += &format!("DROP TABLE {table};");
    }
    // tables gone, views still there
    specimen.project.sqlite(&together);
    for given in Given::ALL {
        specimen.verify(given).assert_found(
            "ledger-lost",
            &format!("all tables dropped, given {given:?}"),
        );
    }
    // everything gone: only a machine that has seen the ledger can know that there was one
    for view in names(&specimen, "view") {
        specimen.project.sqlite(&format!("DROP VIEW {view}"));
    }
    specimen
        .verify(Given::RememberedHead)
        .assert_found("ledger-lost", "everything dropped");
    for command in ["status", "up", "init"] {
        let ended = specimen.run(&[command, "--json", "--yes"], Given::RememberedHead);
        assert_eq!(ended.code, 4, "`{command}`: {ended:#?}");
    }
    for given in [
        Given::Nothing,
        Given::Ledger,
        Given::Checkpoint,
        Given::Trust,
    ] {
        let verdict = specimen.verify(given);
        assert_ne!(
            verdict.code, 0,
            "nothing is no intact ledger: {:#?}",
            verdict.ended
        );
    }
    fs::remove_file(specimen.project.database()).unwrap();
    specimen
        .verify(Given::RememberedHead)
        .assert_found("ledger-lost", "the file removed");
}

#[test]
fn the_lease_row_says_which_database_this_is() {
    let specimen = Specimen::new();
    force(&specimen.project.database(), "DELETE FROM mledger_lease");
    for given in Given::ALL {
        specimen
            .verify(given)
            .assert_found("ledger-lost", &format!("its row deleted, given {given:?}"));
    }
    for command in ["up", "down"] {
        let ended = specimen.run(&[command, "--json", "--yes"], Given::Nothing);
        assert_eq!(ended.code, 4, "`{command}`: {ended:#?}");
    }
}

/// A holder that is made up keeps runs out until it expires, and is then told of.
#[test]
fn a_made_up_holder_delays_and_changes_nothing() {
    let specimen = Specimen::new();
    let project = &specimen.project;
    let id = "01890000-0000-7000-8000-000000000000";
    let hold = |until: &str| {
        format!(
            "UPDATE mledger_lease SET token = '{id}', actor = 'eve', host = 'nowhere', run = '{id}',
                process = '', since_ms = 0, expires_ms = {until}"
        )
    };
    force(
        &project.database(),
        &hold("(strftime('%s', 'now') + 3600) * 1000"),
    );
    let ended = project.run(&["down", "--yes", "--lease-wait", "0", "--json"]);
    assert_eq!(ended.code, 5, "{ended:#?}");
    assert!(
        ended.stdout.contains("eve"),
        "it names the holder: {ended:#?}"
    );
    force(&project.database(), &hold("1000"));
    project.ok(&["down", "--yes"]);
    let told = project.json(&["events", "--kind", "lock.broken"]);
    assert!(told.to_string().contains("eve"), "{told}");
    project.ok(&["verify"]);
}

#[test]
fn what_changes_no_content_changes_no_verdict() {
    let specimen = Specimen::new();
    let database = specimen.project.database();
    for sql in [
        "VACUUM",
        "REINDEX",
        "ANALYZE",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA journal_mode = WAL",
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM",
        "PRAGMA auto_vacuum = FULL; VACUUM",
        "PRAGMA user_version = 7; PRAGMA application_id = 7",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA incremental_vacuum; PRAGMA optimize",
    ] {
        specimen.project.sqlite(sql);
        assert_unchanged(&specimen, sql);
    }
    dump_and_reload(&specimen);
    assert_unchanged(&specimen, "dump and reload");
    let copy = specimen.project.path().join("copy.db");
    specimen
        .project
        .sqlite(&format!("VACUUM INTO '{}'", copy.display()));
    fs::rename(copy, &database).unwrap();
    assert_unchanged(&specimen, "VACUUM INTO");
    specimen.project.ok(&["down", "--yes"]);
    specimen.project.ok(&["up"]);
    specimen.project.assert_invariants();
}

#[track_caller]
fn assert_unchanged(specimen: &Specimen, case: &str) {
    for given in Given::ALL {
        let verdict = specimen.verify(given);
        verdict.assert_intact(anchor(given), case);
        let worth_a_look: Vec<_> = verdict
            .warnings
            .iter()
            .filter(|code| *code != "first-key-not-trusted")
            .collect();
        assert!(worth_a_look.is_empty(), "{case}: {worth_a_look:?}");
    }
}

/// The shell's own dump, read back into an empty file by the shell.
fn dump_and_reload(specimen: &Specimen) {
    let database = specimen.project.database();
    let dump = specimen.project.sqlite(".dump");
    assert!(dump.contains("mledger_events"));
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", database.display());
        let _ = fs::remove_file(path);
    }
    let script = specimen.project.path().join("dump.sql");
    fs::write(&script, dump).unwrap();
    let output = Command::new("sqlite3")
        .args(["-batch", "-bail"])
        .arg(&database)
        .stdin(Stdio::from(fs::File::open(&script).unwrap()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::remove_file(script).unwrap();
}
