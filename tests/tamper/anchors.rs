//! A tail cut off, and a ledger replaced as a whole: the log alone cannot show it, what is kept
//! elsewhere does.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use mledger::ledger::{Body, Digest, Signer, SigningKey};

use crate::attacker::{self, TABLES, force};
use crate::records::{Row, resigned, rows};
use crate::specimen::{Given, Specimen, other};
use crate::support::Project;
use crate::support::engines::Kind;

on_each_engine!(
    a_tail_cut_off_is_found_by_what_is_kept_elsewhere,
    a_tail_cut_off_without_an_anchor_is_never_called_complete,
    a_checkpoint_of_the_part_that_is_left_does_not_cover_the_rest,
    all_events_deleted_is_a_lost_ledger,
    a_ledger_begun_anew_with_the_attackers_key_is_found_by_what_is_known_from_outside,
    a_database_replaced_by_another_projects_is_found_by_what_is_known_from_outside,
    a_restored_older_copy_is_found,
    a_ledger_is_given_up_only_with_a_reason_which_the_new_one_records,
    what_is_left_around_dropped_tables_keeps_no_new_ledger_from_being_opened,
);

const CUT: [u64; 2] = [1, 5];

/// F88
fn a_tail_cut_off_is_found_by_what_is_kept_elsewhere(kind: &Kind) {
    let specimen = Specimen::on(kind);
    for cut in CUT {
        let keep = specimen.size - cut;
        force(
            &specimen,
            &format!("DELETE FROM mledger_events WHERE seq >= {keep}"),
        );
        for given in [Given::RememberedHead, Given::Checkpoint] {
            specimen
                .verify(given)
                .assert_found("truncated", &format!("{cut} cut off, given {given:?}"));
        }
        // every later command on this machine, not only the first
        for _ in 0..2 {
            for command in [
                "status", "plan", "events", "up", "down", "redo", "init", "verify",
            ] {
                let ended = specimen.run(&[command, "--json", "--yes"], Given::RememberedHead);
                assert_eq!(ended.code, 4, "{cut} cut off, `{command}`: {ended:#?}");
                assert!(
                    ended.stdout.contains("\"truncated\""),
                    "{cut} cut off, `{command}`: {ended:#?}"
                );
            }
        }
        assert_eq!(
            rows(&specimen.project).len() as u64,
            keep,
            "nothing was appended to what is left"
        );
        specimen.restore();
    }
}

/// F88
fn a_tail_cut_off_without_an_anchor_is_never_called_complete(kind: &Kind) {
    let specimen = Specimen::on(kind);
    for cut in CUT {
        let keep = specimen.size - cut;
        force(
            &specimen,
            &format!("DELETE FROM mledger_events WHERE seq >= {keep}"),
        );
        for given in [Given::Nothing, Given::Ledger, Given::Trust] {
            specimen
                .verify(given)
                .assert_intact("nothing", &format!("{cut} cut off, given {given:?}"));
        }
        let said = specimen.run(&["verify"], Given::Nothing).stdout;
        assert!(
            said.contains("anchored to nothing")
                && said.contains("events may be missing at the end"),
            "the answer says what it does not know: {said}"
        );
        assert!(
            !said
                .to_lowercase()
                .split_whitespace()
                .any(|word| word == "ok"),
            "and never plain ok: {said}"
        );
        specimen.restore();
    }
}

fn a_checkpoint_of_the_part_that_is_left_does_not_cover_the_rest(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let checkpoint = fs::read_to_string(specimen.project.path().join("kept/checkpoint")).unwrap();
    // an attacker who shortens the note as well has no key to sign it with
    let shorter = checkpoint.replacen(
        &format!("\n{}\n", specimen.size),
        &format!("\n{}\n", specimen.size - 1),
        1,
    );
    assert_ne!(checkpoint, shorter);
    specimen.project.write("kept/checkpoint", &shorter);
    specimen
        .verify(Given::Checkpoint)
        .assert_found("checkpoint-invalid", "a checkpoint edited by hand");
    specimen.project.write("kept/checkpoint", &checkpoint);
    specimen
        .verify(Given::Checkpoint)
        .assert_intact("checkpoint", "the checkpoint as it was");
}

/// F88
fn all_events_deleted_is_a_lost_ledger(kind: &Kind) {
    let specimen = Specimen::on(kind);
    force(&specimen, "DELETE FROM mledger_events");
    for given in Given::ALL {
        specimen
            .verify(given)
            .assert_found("ledger-lost", &format!("all deleted, given {given:?}"));
        for command in ["status", "plan", "up", "init"] {
            let ended = specimen.run(&[command, "--json", "--yes"], given);
            assert_eq!(ended.code, 4, "`{command}` given {given:?}: {ended:#?}");
        }
    }
    assert!(
        rows(&specimen.project).is_empty(),
        "no new beginning in silence"
    );
}

/// F89: everything signed anew with the attacker's own key, from the first event on: a ledger that holds
/// together, and is another one.
fn a_ledger_begun_anew_with_the_attackers_key_is_found_by_what_is_known_from_outside(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let eve = SigningKey::from_seed([13; 32]);
    let own = rows(&specimen.project);
    let forged = forge(&own, &eve);
    let sql: Vec<String> = forged.iter().map(Row::insert).collect();
    force(
        &specimen,
        &format!("DELETE FROM mledger_events; {}", sql.join("; ")),
    );
    assert_replaced(&specimen, "begun anew with the attacker's key");
}

/// The same events in the same order, opened and signed by `key`.
fn forge(own: &[Row], key: &SigningKey) -> Vec<Row> {
    let first = resigned(&own[..1], 0, key, &|event| {
        event.key = key.public_key().fingerprint();
        if let Body::LedgerCreated(body) = &mut event.body {
            body.key.public = key.public_key().to_openssh();
        }
    });
    let id = Digest::from_bytes(first[0].hash.clone().try_into().unwrap());
    let mut chain = first;
    chain.extend_from_slice(&own[1..]);
    let rest = resigned(&chain, 1, key, &|event| {
        event.key = key.public_key().fingerprint();
        event.ledger = id;
    });
    chain.truncate(1);
    chain.extend(rest);
    chain
}

/// F96
fn a_database_replaced_by_another_projects_is_found_by_what_is_known_from_outside(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let theirs = other(kind);
    specimen
        .project
        .place
        .load_ledger(&theirs.place.save_ledger());
    assert_replaced(&specimen, "another project's database");
}

#[track_caller]
fn assert_replaced(specimen: &Specimen, case: &str) {
    let verdict = specimen.verify(Given::Nothing);
    assert_eq!(verdict.trusted, Some(false), "{case}: {:#?}", verdict.ended);
    assert_eq!(verdict.anchored_to.as_deref(), Some("nothing"), "{case}");
    assert!(
        verdict.warnings.contains("first-key-not-trusted"),
        "{case}: a machine that knows nothing says so: {:#?}",
        verdict.ended
    );
    for (given, code) in [
        (Given::RememberedHead, "ledger-mismatch"),
        (Given::Ledger, "ledger-mismatch"),
        (Given::Checkpoint, "checkpoint-invalid"),
        (Given::Trust, "key-unknown"),
    ] {
        specimen
            .verify(given)
            .assert_found(code, &format!("{case}, given {given:?}"));
    }
    for command in ["status", "plan", "up", "down", "init"] {
        let ended = specimen.run(&[command, "--json", "--yes"], Given::RememberedHead);
        assert_eq!(ended.code, 4, "{case}, `{command}`: {ended:#?}");
        assert!(
            ended.stdout.contains("ledger-mismatch"),
            "{case}: {ended:#?}"
        );
    }
    specimen.project.write(
        "mledger.toml",
        &format!(
            "[environments.development]\nledger = \"{}\"\n",
            specimen.ledger
        ),
    );
    specimen.verify(Given::Nothing).assert_found(
        "ledger-mismatch",
        &format!("{case}, pinned by the configuration"),
    );
}

fn a_ledger_is_given_up_only_with_a_reason_which_the_new_one_records(kind: &Kind) {
    let project = Project::with_effects_on(kind, 1);
    project.ok(&["up"]);
    let size = project.json(&["status"])["ledger"]["size"].clone();
    let attacker = attacker::against(kind);
    project.place.run(&attacker.dropping(&TABLES)).unwrap();
    project.ask(attacker.dropping_the_rest());
    for command in [["init", "--json"], ["up", "--json"], ["status", "--json"]] {
        let ended = project.fails(4, &command);
        assert!(ended.stdout.contains("ledger-lost"), "{ended:#?}");
    }
    project.ok(&["init", "--new-ledger", "the server burned down"]);
    let notes = project
        .json(&["events", "--kind", "note.added"])
        .to_string();
    assert!(notes.contains("the server burned down"), "{notes}");
    assert!(notes.contains(&format!("had {size} events")), "{notes}");
    // what is remembered from now on is the new one
    project.ok(&["status"]);
    let verified = project.json(&["verify"]);
    assert_eq!(verified["anchored_to"], "remembered_head", "{verified}");
}

/// The error of a lost ledger names the way to a new one, and that way is open: on this machine, and on one
/// that has never seen the old one.
fn what_is_left_around_dropped_tables_keeps_no_new_ledger_from_being_opened(kind: &Kind) {
    let project = Project::with_effects_on(kind, 1);
    project.ok(&["up"]);
    let attacker = attacker::against(kind);
    for remembers in [true, false] {
        project.place.run(&attacker.dropping(&TABLES)).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let state = elsewhere.path().to_str().unwrap();
        let run = |arguments: &[&str]| match remembers {
            true => project.run(arguments),
            false => project.run_with(arguments, &[("XDG_STATE_HOME", state)]),
        };
        if remembers {
            for command in ["init", "up", "status"] {
                let ended = run(&[command, "--json"]);
                assert_eq!(ended.code, 4, "`{command}`: {ended:#?}");
                assert!(ended.stdout.contains("ledger-lost"), "{ended:#?}");
                assert!(ended.stdout.contains("init --new-ledger"), "{ended:#?}");
            }
        }
        let ended = run(&["init", "--new-ledger", "the tables were dropped"]);
        assert_eq!(ended.code, 0, "remembered: {remembers}: {ended:#?}");
        let verified = run(&["verify", "--json"]);
        assert_eq!(verified.code, 0, "{verified:#?}");
        assert!(!verified.stdout.contains("guard-missing"), "{verified:#?}");
        let ended = run(&["validate", "--json"]);
        assert_eq!(ended.code, 0, "{ended:#?}");
    }
    let attempts = project.ask("SELECT count(*) FROM effects");
    assert_eq!(attempts.trim(), "2", "nothing but the ledger was touched");
}

/// F68: an older copy of the whole database is a ledger that was cut off, whatever else fits.
fn a_restored_older_copy_is_found(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let project = &specimen.project;
    project.write("migrations/6_m6.sql", &crate::support::effects(6));
    project.ok(&["up"]);
    specimen.restore();
    // what is beside the ledger is as old, also where it is not in the same file
    let older = "DROP TABLE IF EXISTS t6; DELETE FROM effects WHERE migration = '6';";
    project.place.run(older).unwrap();
    for command in ["status", "up", "verify"] {
        let ended = project.run(&[command, "--json"]);
        assert_eq!(ended.code, 4, "`{command}`: {ended:#?}");
        assert!(ended.stdout.contains("\"truncated\""), "{ended:#?}");
    }
    specimen.verify(Given::Checkpoint).assert_intact(
        "checkpoint",
        "the older checkpoint covers what the copy has",
    );
    // a ledger that forks there has the size again and not the hash
    let other = tempfile::tempdir().unwrap();
    let elsewhere = other.path().to_str().unwrap().to_owned();
    let again = project.run_with(&["up"], &[("XDG_STATE_HOME", &elsewhere)]);
    assert_eq!(
        again.code, 0,
        "a machine that knows nothing goes on: {again:#?}"
    );
    let ended = project.run(&["status", "--json"]);
    assert_eq!(ended.code, 4, "the fork is found by its hash: {ended:#?}");
    assert!(ended.stdout.contains("checkpoint-mismatch"), "{ended:#?}");
}
