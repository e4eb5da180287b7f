//! Guards are seat belts: what they refuse, what is said where they are gone, and what is found where
//! somebody got past them (F105).
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::attacker::attempt;
use crate::records::rows;
use crate::specimen::{Given, Specimen, anchor};
use crate::support::engines::Kind;

on_each_engine!(
    the_guards_refuse_what_is_not_an_append,
    a_guard_or_view_that_was_dropped_is_reported,
    a_guard_or_view_without_effect_is_reported,
    what_swallows_or_changes_events_is_found,
);

fn the_guards_refuse_what_is_not_an_append(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let last = rows(&specimen.project).pop().unwrap();
    let size = specimen.size;
    let insert = |seq: u64| {
        let mut row = last.clone();
        row.seq = seq;
        row.insert()
    };
    let of_all = [
        "UPDATE mledger_events SET line = line".to_owned(),
        "UPDATE mledger_events SET seq = seq + 1 WHERE seq = 3".to_owned(),
        "DELETE FROM mledger_events".to_owned(),
        format!("DELETE FROM mledger_events WHERE seq = {}", size - 1),
        insert(3),
        insert(size),
        insert(size + 1),
        "UPDATE mledger_objects SET content = X'00'".to_owned(),
        "UPDATE mledger_objects SET size = size + 1".to_owned(),
        "UPDATE mledger_objects SET encoding = 'absent'".to_owned(),
        "DELETE FROM mledger_objects".to_owned(),
        "DELETE FROM mledger_lease".to_owned(),
    ];
    let own = specimen.attacker().refused();
    for sql in of_all.iter().map(String::as_str).chain(own.iter().copied()) {
        let refused = attempt(&specimen, sql);
        assert!(refused.is_err(), "the guards let `{sql}` through");
        assert!(specimen.is_as_made(), "`{sql}` has changed something");
    }
    specimen
        .verify(Given::Checkpoint)
        .assert_intact("checkpoint", "all of it was refused");
}

/// Without guards the history is what it was, and their absence is reported.
fn a_guard_or_view_that_was_dropped_is_reported(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let removable = specimen.project.ask(specimen.attacker().removable());
    let mut dropped = 0;
    for (line, given) in removable.lines().zip(Given::ALL.iter().cycle()) {
        let (name, statement) = line.split_once('|').unwrap();
        specimen.project.ask(statement);
        assert_reported(&specimen, name, *given);
        dropped += 1;
        specimen.restore();
    }
    assert!(dropped >= 15, "{removable}");
    specimen
        .verify(Given::Checkpoint)
        .assert_intact("checkpoint", "the guards are back");
}

/// One of the same name that lets everything through is none.
fn a_guard_or_view_without_effect_is_reported(kind: &Kind) {
    let specimen = Specimen::on(kind);
    for (name, statements) in specimen.attacker().hollow() {
        specimen.project.place.run(statements).unwrap();
        for given in [Given::Nothing, Given::RememberedHead] {
            assert_reported(&specimen, name, given);
        }
        specimen.restore();
    }
}

#[track_caller]
fn assert_reported(specimen: &Specimen, name: &str, given: Given) {
    let verdict = specimen.verify(given);
    verdict.assert_intact(anchor(given), name);
    assert!(
        verdict.warnings.contains("guard-missing"),
        "`{name}` is missed: {:#?}",
        verdict.ended
    );
    assert!(
        verdict.ended.stdout.contains(name),
        "{name}: {:#?}",
        verdict.ended
    );
    let status = specimen.run(&["status", "--json"], Given::Nothing);
    assert_eq!(status.code, 0, "{status:#?}");
    assert!(status.stdout.contains("guard-missing"), "{status:#?}");
}

/// An append that is not there, or that holds something else, stops the run.
fn what_swallows_or_changes_events_is_found(kind: &Kind) {
    let specimen = Specimen::on(kind);
    specimen
        .project
        .place
        .run(specimen.attacker().swallowing())
        .unwrap();
    let ended = specimen.run(&["down", "--yes"], Given::RememberedHead);
    assert_ne!(ended.code, 0, "{ended:#?}");
    let count = specimen.project.ask("SELECT count(*) FROM effects");
    assert_eq!(
        count.trim(),
        "10",
        "nothing was rolled back without its event: {ended:#?}"
    );
}
