//! Objects, the lease and whole tables; and what may be done to the database without harm.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::attacker::{TABLES, attempt, force, table};
use crate::specimen::{Given, Specimen, anchor};
use crate::support::engines::{Kind, POSTGRES, SQLITE};

on_each_engine!(
    an_object_that_is_not_what_ran_is_found,
    a_redaction_that_nobody_recorded_is_found,
    a_down_script_changed_in_the_database_never_runs,
    a_table_that_was_dropped_is_a_lost_ledger,
    the_lease_row_says_which_database_this_is,
    a_made_up_holder_delays_and_changes_nothing,
    what_changes_no_content_changes_no_verdict,
);

on_each_server!(a_truncation_that_gets_past_the_guards_is_a_lost_ledger);

/// The first object, as a statement names it.
fn an_object(specimen: &Specimen) -> String {
    let objects = table(specimen, "mledger_objects");
    objects.rows[0][0].literal()
}

/// F92
fn an_object_that_is_not_what_ran_is_found(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let one = an_object(&specimen);
    for (case, sql, code) in [
        (
            "every object is gone",
            "DELETE FROM mledger_objects".to_owned(),
            "object-missing",
        ),
        (
            "one object is gone",
            format!("DELETE FROM mledger_objects WHERE digest = {one}"),
            "object-missing",
        ),
        (
            "another text with a size that fits it",
            "UPDATE mledger_objects SET encoding = 'raw', content = X'53454c4543542031', size = 8"
                .to_owned(),
            "object-mismatch",
        ),
        (
            "a frame that is none",
            "UPDATE mledger_objects SET encoding = 'zstd', content = X'28b52ffd00'".to_owned(),
            "object-mismatch",
        ),
        (
            "erased, without an event that says so",
            "UPDATE mledger_objects SET encoding = 'absent', content = X''".to_owned(),
            "object-missing",
        ),
    ] {
        force(&specimen, &sql);
        for given in Given::ALL {
            specimen
                .verify(given)
                .assert_found(code, &format!("{case}, given {given:?}"));
        }
        specimen.restore();
    }
}

/// The redaction that the guard lets through is not the one that an owner recorded.
fn a_redaction_that_nobody_recorded_is_found(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let one = an_object(&specimen);
    let sql = format!(
        "UPDATE mledger_objects SET encoding = 'absent', content = X'' WHERE digest = {one}"
    );
    attempt(&specimen, &sql).unwrap();
    for given in Given::ALL {
        specimen
            .verify(given)
            .assert_found("object-missing", &format!("given {given:?}"));
    }
}

/// F67.
///
/// What `down` would run comes from the objects, so it is never run when it is not what was recorded.
fn a_down_script_changed_in_the_database_never_runs(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let project = &specimen.project;
    project.remove("migrations/5_m5.sql");
    let script = crate::records::hex(b"-- DOWN\nDROP TABLE effects;");
    let size = script.len() / 2;
    force(
        &specimen,
        &format!(
            "UPDATE mledger_objects SET encoding = 'raw', content = X'{script}', size = {size}"
        ),
    );
    for given in [Given::Nothing, Given::RememberedHead] {
        let ended = specimen.run(&["down", "--json", "--yes"], given);
        assert_eq!(ended.code, 4, "{ended:#?}");
        assert!(ended.stdout.contains("object-missing"), "{ended:#?}");
    }
    let rows = project.ask("SELECT count(*) FROM effects");
    assert_eq!(rows.trim(), "10", "nothing ran");
}

/// F30
fn a_table_that_was_dropped_is_a_lost_ledger(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let attacker = specimen.attacker();
    let drop = |tables: &[&str]| {
        specimen
            .project
            .place
            .run(&attacker.dropping(tables))
            .unwrap()
    };
    for table in TABLES {
        drop(&[table]);
        for given in Given::ALL {
            specimen.verify(given).assert_found(
                "ledger-lost",
                &format!("`{table}` dropped, given {given:?}"),
            );
        }
        for command in ["status", "up", "init"] {
            let ended = specimen.run(&[command, "--json", "--yes"], Given::Nothing);
            assert_eq!(ended.code, 4, "`{table}`, `{command}`: {ended:#?}");
        }
        specimen.restore();
    }
    // everything gone: only a machine that has seen the ledger can know that there was one
    drop(&TABLES);
    assert_gone(&specimen, "all tables dropped");
    specimen.project.ask(attacker.dropping_the_rest());
    assert_gone(&specimen, "everything dropped");
    if *kind.name == *SQLITE.name {
        fs::remove_file(specimen.project.database()).unwrap();
        assert_gone(&specimen, "the file removed");
    }
}

#[track_caller]
fn assert_gone(specimen: &Specimen, case: &str) {
    for command in ["verify", "status", "up", "init"] {
        let ended = specimen.run(&[command, "--json", "--yes"], Given::RememberedHead);
        assert_eq!(ended.code, 4, "{case}, `{command}`: {ended:#?}");
        assert!(ended.stdout.contains("ledger-lost"), "{case}: {ended:#?}");
    }
    for given in Given::ALL {
        let verdict = specimen.verify(given);
        assert_ne!(
            verdict.code, 0,
            "{case}: nothing is no intact ledger: {verdict:#?}"
        );
    }
}

/// TRUNCATE fires no row trigger; what keeps it away can be taken away (F88, F105).
fn a_truncation_that_gets_past_the_guards_is_a_lost_ledger(kind: &Kind) {
    let specimen = Specimen::on(kind);
    for table in TABLES {
        let statement = format!("TRUNCATE TABLE {table}");
        force(&specimen, &statement);
        let code = match table {
            "mledger_objects" => "object-missing",
            _ => "ledger-lost",
        };
        for given in Given::ALL {
            specimen
                .verify(given)
                .assert_found(code, &format!("`{statement}`, given {given:?}"));
        }
        specimen.restore();
    }
    for table in TABLES {
        force(&specimen, &format!("TRUNCATE TABLE {table}"));
    }
    assert_gone(&specimen, "all tables truncated");
}

fn the_lease_row_says_which_database_this_is(kind: &Kind) {
    let specimen = Specimen::on(kind);
    force(&specimen, "DELETE FROM mledger_lease");
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
fn a_made_up_holder_delays_and_changes_nothing(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let project = &specimen.project;
    let id = "01890000-0000-7000-8000-000000000000";
    let hold = |until: Duration| {
        format!(
            "UPDATE mledger_lease SET token = '{id}', actor = 'eve', host = 'nowhere', run = '{id}',
                process = '', since_ms = 0, expires_ms = {}",
            until.as_millis()
        )
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    force(&specimen, &hold(now + Duration::from_secs(3600)));
    let ended = project.run(&["down", "--yes", "--lease-wait", "0", "--json"]);
    assert_eq!(ended.code, 5, "{ended:#?}");
    assert!(
        ended.stdout.contains("eve"),
        "it names the holder: {ended:#?}"
    );
    force(&specimen, &hold(Duration::from_secs(1)));
    project.ok(&["down", "--yes"]);
    let told = project.json(&["events", "--kind", "lock.broken"]);
    assert!(told.to_string().contains("eve"), "{told}");
    project.ok(&["verify"]);
}

fn what_changes_no_content_changes_no_verdict(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let project = &specimen.project;
    for sql in specimen.attacker().harmless() {
        project.ask(sql);
        assert_unchanged(&specimen, sql);
    }
    let kept = project.place.save_ledger();
    project.place.load_ledger(&kept);
    assert_unchanged(&specimen, "dump and reload");
    project.ok(&["down", "--yes"]);
    project.ok(&["up"]);
    project.ok(&["verify"]);
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

/// A copy goes on as the ledger of another database only where somebody says so (F96). Elsewhere the
/// identity is a row that is copied with the ledger, and only what is kept outside can tell.
#[test]
fn a_copied_ledger_is_found_on_postgres_where_the_server_says_which_database_this_is() {
    let specimen = Specimen::on(&POSTGRES);
    let kept = specimen.project.place.save_ledger();
    let other = specimen.project.copy();
    other.place.load_ledger(&kept);
    for command in ["verify", "down"] {
        let ended = other.run(&[command, "--json", "--yes"]);
        assert_eq!(ended.code, 4, "`{command}`: {ended:#?}");
    }
}
