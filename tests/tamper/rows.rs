//! Rows removed, exchanged, doubled, taken from elsewhere, and signed by whoever can.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::ledger::{
    Body, Digest, Event, KeyAdded, NoteAdded, Record, Role, Signer, SigningKey, key_proof_message,
    sshsig,
};

use crate::attacker::force;
use crate::records::{Row, resigned, rows, sign_line};
use crate::specimen::{Given, Specimen, other};
use crate::support::engines::Kind;

on_each_engine!(
    a_row_that_is_gone_moved_or_doubled_is_found,
    a_row_of_another_ledger_is_found,
    what_a_stranger_signs_is_found,
    a_stranger_cannot_let_their_own_key_in,
    what_this_version_does_not_know_is_never_skipped,
    what_the_owners_key_rewrites_is_found_by_what_is_kept_elsewhere,
    a_ledger_that_has_grown_is_intact,
);

/// A key that nobody let in.
fn stranger() -> SigningKey {
    SigningKey::from_seed([66; 32])
}

/// Applies `sql` and asserts that it is found under `code`, whatever the verifier is given, and that
/// nothing is written to such a ledger.
#[track_caller]
fn assert_found(specimen: &Specimen, case: &str, sql: &str, code: &str) {
    force(specimen, sql);
    for given in Given::ALL {
        specimen
            .verify(given)
            .assert_found(code, &format!("{case}, given {given:?}"));
    }
    for command in ["status", "plan", "events", "up", "down"] {
        let ended = specimen.run(&[command, "--json", "--yes"], Given::Nothing);
        assert_eq!(ended.code, 4, "{case}, `{command}`: {ended:#?}");
    }
    specimen.restore();
}

/// F97
fn a_row_that_is_gone_moved_or_doubled_is_found(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let middle = specimen.size / 2;
    let found = |case: &str, sql: &str, code: &str| assert_found(&specimen, case, sql, code);
    found(
        "a row in the middle is deleted",
        &format!("DELETE FROM mledger_events WHERE seq = {middle}"),
        "seq-gap",
    );
    found(
        "a row in the middle is deleted and the rest moves up",
        &format!(
            "DELETE FROM mledger_events WHERE seq = {middle};
             UPDATE mledger_events SET seq = -seq WHERE seq > {middle};
             UPDATE mledger_events SET seq = -seq - 1 WHERE seq < 0"
        ),
        "seq-gap",
    );
    found(
        "the first row is deleted",
        "DELETE FROM mledger_events WHERE seq = 0",
        "seq-gap",
    );
    found(
        "the first half is deleted and the rest moves to the front",
        &format!(
            "DELETE FROM mledger_events WHERE seq < {middle};
             UPDATE mledger_events SET seq = seq - {middle}"
        ),
        "seq-gap",
    );
    let (one, other) = (middle - 3, middle + 2);
    let mut all = rows(&specimen.project);
    let place = |seq: u64| usize::try_from(seq).unwrap();
    let (first, second) = (place(one), place(other));
    all[first].seq = other;
    all[second].seq = one;
    found(
        "two rows change places",
        &format!(
            "DELETE FROM mledger_events WHERE seq IN ({one}, {other}); {}; {}",
            all[first].insert(),
            all[second].insert()
        ),
        "seq-gap",
    );
    let mut copy = rows(&specimen.project)[first].clone();
    copy.seq = specimen.size;
    copy.prev = vec![7; 32];
    copy.hash = vec![8; 32];
    found(
        "a row stands a second time at the end",
        &copy.insert(),
        "seq-gap",
    );
    copy.seq = 1 << 40;
    found(
        "a row stands a second time far behind the end",
        &copy.insert(),
        "seq-gap",
    );
    let mut before = rows(&specimen.project)[0].clone();
    before.prev = vec![9; 32];
    before.hash = vec![10; 32];
    let insert = before.insert().replace("VALUES (0,", "VALUES (-1,");
    found("a row stands before the first", &insert, "seq-gap");
}

/// F97
fn a_row_of_another_ledger_is_found(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let theirs = rows(&other(kind));
    let mut last = theirs.last().unwrap().clone();
    last.seq = specimen.size;
    assert_found(
        &specimen,
        "another ledger's event at the end",
        &last.insert(),
        "ledger-mismatch",
    );
    let place = 5;
    assert_found(
        &specimen,
        "another ledger's event in the place of ours",
        &theirs[place].replace(),
        "ledger-mismatch",
    );
    assert_found(
        &specimen,
        "another ledger's first event in the place of ours",
        &theirs[0].replace(),
        "prev-mismatch",
    );
    let spliced: Vec<String> = theirs[place..].iter().map(Row::replace).collect();
    assert_found(
        &specimen,
        "the end of another ledger behind the beginning of ours",
        &format!(
            "DELETE FROM mledger_events WHERE seq >= {place}; {}",
            spliced.join("; ")
        ),
        "ledger-mismatch",
    );
}

/// F89
fn what_a_stranger_signs_is_found(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let own = rows(&specimen.project);
    let key = stranger();
    let last = own.len() - 1;
    let by = |event: &mut Event| {
        event.key = key.public_key().fingerprint();
    };
    let write = |rows: &[Row]| {
        let sql: Vec<String> = rows.iter().map(Row::replace).collect();
        sql.join("; ")
    };
    assert_found(
        &specimen,
        "the last event signed again by a stranger",
        &write(&resigned(&own, last, &key, &by)),
        "key-unknown",
    );
    assert_found(
        &specimen,
        "all but the first event signed again by a stranger",
        &format!(
            "DELETE FROM mledger_events WHERE seq > 0; {}",
            write(&resigned(&own, 1, &key, &by))
        ),
        "key-unknown",
    );
    // the line goes on naming the owner's key
    let signed = sign_line(&own[last].line, &key);
    assert_found(
        &specimen,
        "a stranger's signature under the owner's name",
        &Row::of(&signed).replace(),
        "signature-invalid",
    );
    let mut unsigned = own[last].clone();
    unsigned.signature = vec![0; 64];
    assert_found(
        &specimen,
        "a signature of zeros",
        &unsigned.replace(),
        "signature-invalid",
    );
}

/// F89
fn a_stranger_cannot_let_their_own_key_in(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let own = rows(&specimen.project);
    let key = stranger();
    let public = key.public_key();
    let fingerprint = public.fingerprint();
    let ledger: Digest = specimen.ledger.parse().unwrap();
    let message = key_proof_message(&ledger, &fingerprint);
    let proof = key
        .sign(&sshsig::preimage("key-proof-v1@mledger", &message))
        .unwrap();
    let mut event = own.last().unwrap().event();
    event.seq = specimen.size;
    event.prev = Digest::from_bytes(own.last().unwrap().hash.clone().try_into().unwrap());
    event.key = fingerprint;
    event.body = Body::KeyAdded(KeyAdded {
        name: "eve@example.com".to_owned(),
        proof,
        public: public.to_openssh(),
        roles: vec![Role::Owner].into(),
    });
    let added = Row::of(&Record::sign(&event, &key).unwrap());
    assert_found(
        &specimen,
        "a stranger's key that lets itself in",
        &added.insert(),
        "key-unknown",
    );
}

/// A newer format or kind is never skipped, also where the owner's key has signed it.
fn what_this_version_does_not_know_is_never_skipped(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let own = rows(&specimen.project);
    let owner = specimen.key();
    let last = own.last().unwrap().clone();
    let text = String::from_utf8(last.line.clone()).unwrap();
    let stored = |line: String| {
        let record = sign_line(line.as_bytes(), &owner);
        Row {
            signature: record.signature.as_bytes().to_vec(),
            hash: record.hash().as_bytes().to_vec(),
            line: record.line,
            ..last.clone()
        }
        .replace()
    };
    assert_found(
        &specimen,
        "another format version",
        &stored(text.replace("\"v\":1}", "\"v\":2}")),
        "version-unknown",
    );
    assert_found(
        &specimen,
        "white space that canonical form does not have",
        &stored(text.replace("\"v\":1}", "\"v\": 1}")),
        "line-not-canonical",
    );
    force(
        &specimen,
        &stored(text.replace("lock.released", "lock.forgotten")),
    );
    specimen
        .verify(Given::Nothing)
        .assert_found("kind-unknown", "an unknown kind");
    for command in ["up", "down", "redo"] {
        let ended = specimen.run(&[command, "--yes"], Given::Nothing);
        assert_ne!(ended.code, 0, "`{command}` writes nothing: {ended:#?}");
    }
    assert_eq!(
        rows(&specimen.project).len() as u64,
        specimen.size,
        "nothing was appended"
    );
    specimen.restore();
}

/// F89: An owner's key in the wrong hands can append and rewrite; what is in other hands shows it.
fn what_the_owners_key_rewrites_is_found_by_what_is_kept_elsewhere(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let own = rows(&specimen.project);
    let owner = specimen.key();
    let from = own.len() - 8;
    let earlier = |event: &mut Event| {
        if event.seq == from as u64 {
            event.actor = "mallory@example.com".to_owned();
        }
    };
    let rewritten: Vec<String> = resigned(&own, from, &owner, &earlier)
        .iter()
        .map(Row::replace)
        .collect();
    force(
        &specimen,
        &format!(
            "DELETE FROM mledger_events WHERE seq >= {from}; {}",
            rewritten.join("; ")
        ),
    );
    for given in [Given::Nothing, Given::Ledger, Given::Trust] {
        let case = format!("rewritten with the owner's key, given {given:?}");
        specimen.verify(given).assert_intact("nothing", &case);
    }
    for given in [Given::RememberedHead, Given::Checkpoint] {
        let case = format!("rewritten with the owner's key, given {given:?}");
        specimen
            .verify(given)
            .assert_found("checkpoint-mismatch", &case);
    }
    let ended = specimen.run(&["up"], Given::RememberedHead);
    assert_eq!(ended.code, 4, "{ended:#?}");
    specimen.restore();
}

/// A ledger that goes on is no finding: what is kept elsewhere covers its beginning.
fn a_ledger_that_has_grown_is_intact(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let last = rows(&specimen.project).last().unwrap().clone();
    let mut event = last.event();
    event.seq += 1;
    event.prev = Digest::from_bytes(last.hash.clone().try_into().unwrap());
    event.body = Body::NoteAdded(NoteAdded {
        about: None,
        text: "looked at by the auditor".to_owned(),
    });
    let grown = Row::of(&Record::sign(&event, &specimen.key()).unwrap());
    force(&specimen, &grown.insert());
    for given in Given::ALL {
        let case = format!("a note was added, given {given:?}");
        specimen
            .verify(given)
            .assert_intact(crate::specimen::anchor(given), &case);
    }
}
