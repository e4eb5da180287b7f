//! What the verifier says about the golden ledger, whole and damaged.

use crate::support::{fact_lines, golden, golden_keys, read_text};
use proptest::prelude::*;

use ledger::verify::{Columns, Entry};
use ledger::{
    AllowedSigners, Anchor, Code, Digest, Finding, Head, Kept, Options, Record, Severity,
    SignatureCheck, Verdict, Verifier,
};

fn verify(options: Options, records: &[Record]) -> Verdict {
    let mut verifier = Verifier::new(options);
    for record in records {
        verifier.push(record);
    }
    verifier.finish()
}

fn codes(verdict: &Verdict) -> Vec<(Code, Option<u64>)> {
    verdict
        .findings
        .iter()
        .map(|finding| (finding.code, finding.seq))
        .collect()
}

fn lineage() -> Vec<Digest> {
    fact_lines("lineage ")[0][1..]
        .iter()
        .map(|id| id.parse().unwrap())
        .collect()
}

fn trusted() -> Options {
    Options {
        trust: Some(AllowedSigners::parse(&read_text("golden/allowed_signers")).unwrap()),
        ..Options::default()
    }
}

#[test]
fn the_golden_ledger_is_intact_and_its_first_key_taken_on_trust() {
    let verdict = verify(Options::default(), &golden());
    assert_eq!(codes(&verdict), [(Code::FirstKeyNotTrusted, Some(0))]);
    assert_eq!(verdict.findings[0].severity, Severity::Warning);
    assert!(!verdict.has_errors() && !verdict.trusted);
    assert_eq!(verdict.lineage, lineage());
    assert_eq!(verdict.size, 26);
    assert_eq!(verdict.root.to_string(), fact_lines("root ")[26][2]);
    assert_eq!(verdict.head, golden()[25].hash());
    assert_eq!(
        (verdict.anchored_to, verdict.anchored_size),
        (Anchor::Nothing, 0)
    );
}

#[test]
fn allowed_signers_an_id_or_a_checkpoint_make_it_trusted() {
    for options in [
        trusted(),
        Options {
            ledger: Some(lineage()[1]),
            ..Options::default()
        },
        Options {
            checkpoints: vec![read_text("golden/checkpoint")],
            ..Options::default()
        },
    ] {
        let verdict = verify(options, &golden());
        assert_eq!(codes(&verdict), []);
        assert!(verdict.trusted);
    }
}

#[test]
fn checkpoints_from_outside_anchor_and_those_that_came_along_do_not() {
    let both = vec![
        read_text("golden/checkpoints/23"),
        read_text("golden/checkpoint"),
    ];
    let outside = Options {
        checkpoints: both.clone(),
        ..trusted()
    };
    let verdict = verify(outside, &golden());
    assert_eq!(
        (verdict.anchored_to, verdict.anchored_size),
        (Anchor::Checkpoint, 26)
    );
    let own = Options {
        own_checkpoints: both,
        ..trusted()
    };
    let verdict = verify(own, &golden());
    assert_eq!(codes(&verdict), []);
    assert_eq!(
        (verdict.anchored_to, verdict.anchored_size),
        (Anchor::Nothing, 0)
    );
}

#[test]
fn what_earlier_commands_kept_anchors_completeness_and_vouches_for_nobody() {
    let kept = |label: &str, note: Result<String, String>| Kept {
        label: label.to_owned(),
        note,
    };
    let notes = vec![
        kept("own", Ok(read_text("golden/checkpoint"))),
        kept("other", Ok("mledger/".to_owned())),
        kept("unread", Err("no such thing".to_owned())),
    ];
    let options = Options {
        kept: notes,
        ..Options::default()
    };
    let mut verifier = Verifier::new(options);
    for record in golden() {
        verifier.push(&record);
    }
    let all = verifier.verdict();
    let invalid = |label: &str| {
        let told = |finding: &&Finding| finding.message.starts_with(&format!("`{label}`: "));
        all.findings.iter().filter(told).count()
    };
    assert_eq!(
        (invalid("own"), invalid("other"), invalid("unread")),
        (0, 1, 1)
    );
    verifier.retain_kept(|label| label == "own");
    let verdict = verifier.finish();
    assert_eq!(codes(&verdict), [(Code::FirstKeyNotTrusted, Some(0))]);
    assert!(!verdict.trusted);
    assert_eq!(
        (verdict.anchored_to, verdict.anchored_size),
        (Anchor::Checkpoint, 26)
    );
}

#[test]
fn a_shorter_log_is_truncated_by_checkpoint_and_by_remembered_head() {
    let records = golden();
    let checkpoint = Options {
        checkpoints: vec![read_text("golden/checkpoint")],
        ..trusted()
    };
    let remembered = Options {
        remembered: Some(Head {
            size: 26,
            hash: records[25].hash(),
        }),
        ..trusted()
    };
    for options in [checkpoint, remembered] {
        for size in [1, 10, 23, 24, 25] {
            let verdict = verify(options.clone(), &records[..size]);
            // with one entry the signer of the checkpoint is not known, nor its id
            let expected = match (size, options.remembered) {
                (1, None) => Code::CheckpointInvalid,
                _ => Code::Truncated,
            };
            assert_eq!(codes(&verdict), [(expected, None)], "{size}");
            assert!(verdict.has_errors());
        }
    }
}

#[test]
fn another_log_than_remembered_is_a_mismatch() {
    let options = Options {
        remembered: Some(Head {
            size: 10,
            hash: Digest::of(b"another"),
        }),
        signatures: SignatureCheck::After(10),
        ..trusted()
    };
    let verdict = verify(options, &golden());
    assert_eq!(codes(&verdict), [(Code::CheckpointMismatch, None)]);
}

#[test]
fn a_remembered_head_saves_signatures_and_nothing_else() {
    let mut records = golden();
    let head = Head {
        size: 20,
        hash: records[19].hash(),
    };
    let options = Options {
        remembered: Some(head),
        signatures: SignatureCheck::After(20),
        ..Options::default()
    };
    let verdict = verify(options.clone(), &records);
    // who remembered it had taken the first key on trust as well
    assert_eq!(codes(&verdict), [(Code::FirstKeyNotTrusted, Some(0))]);
    assert_eq!(
        (verdict.anchored_to, verdict.anchored_size),
        (Anchor::RememberedHead, 20)
    );
    let options = Options {
        trust: trusted().trust,
        ..options
    };
    assert_eq!(codes(&verify(options.clone(), &records)), []);

    // a signature swapped below the head changes the hashes, so the chain tells
    records[5].signature = records[6].signature;
    let verdict = verify(options.clone(), &records);
    assert_eq!(codes(&verdict), [(Code::PrevMismatch, Some(6))]);

    // above it the signature itself tells
    let mut records = golden();
    records[25].signature = records[24].signature;
    let verdict = verify(options, &records);
    assert_eq!(codes(&verdict), [(Code::SignatureInvalid, Some(25))]);

    // without a head nothing says that earlier signatures were checked
    let mut records = golden();
    records[5].signature = records[6].signature;
    let options = Options {
        signatures: SignatureCheck::After(20),
        ..trusted()
    };
    let verdict = verify(options, &records);
    assert_eq!(
        codes(&verdict),
        [
            (Code::SignatureInvalid, Some(5)),
            (Code::PrevMismatch, Some(6))
        ]
    );
}

#[test]
fn ids_are_compared_with_the_lineage() {
    let with_id = |ledger| {
        codes(&verify(
            Options {
                ledger: Some(ledger),
                ..trusted()
            },
            &golden(),
        ))
    };
    assert_eq!(with_id(lineage()[1]), []);
    assert_eq!(with_id(lineage()[0]), [(Code::LedgerMismatch, None)]);
    assert_eq!(with_id(Digest::ZERO), [(Code::LedgerMismatch, None)]);
    let verdict = verify(
        Options {
            ledger: Some(lineage()[0]),
            ..Options::default()
        },
        &golden()[..24],
    );
    assert_eq!(codes(&verdict), []);
}

#[test]
fn a_first_key_that_is_not_allowed_is_an_error() {
    let text = read_text("golden/allowed_signers");
    let without_dana: String = text
        .lines()
        .skip(1)
        .map(|line| format!("{line}\n"))
        .collect();
    let options = Options {
        trust: Some(AllowedSigners::parse(&without_dana).unwrap()),
        ..Options::default()
    };
    let verdict = verify(options, &golden());
    assert_eq!(codes(&verdict), [(Code::KeyUnknown, Some(0))]);
    assert!(!verdict.trusted);
}

#[test]
fn bad_checkpoints_are_told_apart() {
    let good = read_text("golden/checkpoint");
    let keys = golden_keys();
    let (checkpoint, _) = ledger::Checkpoint::parse(&good).unwrap();
    let signed = |checkpoint: ledger::Checkpoint, key: usize| {
        checkpoint.sign(&keys[key]).unwrap().to_string()
    };
    let other_root = ledger::Checkpoint {
        root: Digest::ZERO,
        ..checkpoint
    };
    let old_id = ledger::Checkpoint {
        ledger: lineage()[0],
        ..checkpoint
    };
    let empty = ledger::Checkpoint {
        size: 0,
        ..checkpoint
    };
    let two_signers = good.trim_end().to_owned() + "\n\u{2014} witness.example AAAAAAECAwQ=\n";
    for (text, expected) in [
        (good.clone(), None),
        (signed(checkpoint, 0), None),
        (two_signers, None),
        ("nonsense".to_owned(), Some(Code::CheckpointInvalid)),
        (
            good.replace("LSQA=", "LSQE="),
            Some(Code::CheckpointInvalid),
        ),
        (signed(other_root, 1), Some(Code::CheckpointMismatch)),
        (signed(old_id, 1), Some(Code::CheckpointInvalid)),
        (signed(empty, 1), Some(Code::CheckpointInvalid)),
        // a releaser may not, a retired key may not
        (signed(checkpoint, 3), Some(Code::CheckpointInvalid)),
        (signed(checkpoint, 2), Some(Code::CheckpointInvalid)),
    ] {
        let options = Options {
            checkpoints: vec![text.clone()],
            ..trusted()
        };
        let found: Vec<Code> = verify(options, &golden())
            .findings
            .iter()
            .map(|finding| finding.code)
            .collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn a_wrong_signature_of_a_known_key_refuses_a_checkpoint_of_any_size() {
    let text = read_text("golden/checkpoint").replace("LSQA=", "LSQE=");
    let options = Options {
        checkpoints: vec![text],
        ..trusted()
    };
    for size in [20, 26] {
        let verdict = verify(options.clone(), &golden()[..size]);
        assert_eq!(codes(&verdict), [(Code::CheckpointInvalid, None)]);
    }
}

proptest! {
    #[test]
    fn an_altered_checkpoint_never_anchors(at in any::<prop::sample::Index>(), mark in "[ -~\n\u{2014}é]") {
        let text = read_text("golden/checkpoint");
        let places: Vec<(usize, char)> = text.char_indices().collect();
        let (place, old) = places[at.index(places.len())];
        let altered = text[..place].to_owned() + &mark + &text[place + old.len_utf8()..];
        prop_assume!(altered != text);
        let options = Options {
            checkpoints: vec![altered],
            ..trusted()
        };
        let verdict = verify(options, &golden());
        prop_assert_eq!(verdict.anchored_to, Anchor::Nothing);
        prop_assert!(verdict.has_errors());
    }

    #[test]
    fn an_altered_proof_proves_nothing(at in any::<prop::sample::Index>(), mark in "[ -~\n]") {
        let facts = read_text("golden/FACTS.txt");
        let text = &facts[facts.find("c2sp.org/tlog-proof").unwrap()..];
        let end = text.find("\n\u{2014}").unwrap();
        let place = at.index(end);
        let altered = text[..place].to_owned() + &mark + &text[place + 1..];
        prop_assume!(altered != text);
        // what is signed may be altered into another checkpoint, whose signature then is wrong
        if let Ok(proof) = ledger::Proof::parse(&altered) {
            let signer = &golden_keys()[1];
            let verified = proof.note.verify(&proof.checkpoint.origin(), ledger::Signer::public_key(signer));
            prop_assert_ne!(verified, Some(true));
        }
    }
}

/// An entry as a store keeps it.
struct Row<'a> {
    seq: i64,
    line: &'a [u8],
    signature: &'a [u8],
    prev: &'a [u8],
    hash: &'a [u8],
}

impl Entry for Row<'_> {
    fn line(&self) -> &[u8] {
        self.line
    }

    fn signature(&self) -> &[u8] {
        self.signature
    }

    fn columns(&self) -> Option<Columns<'_>> {
        Some(Columns {
            seq: self.seq,
            prev: self.prev,
            hash: self.hash,
        })
    }
}

#[test]
fn stored_columns_are_compared_with_the_line() {
    let records = golden();
    let clean = |verifier: &mut Verifier| {
        for (seq, record) in records.iter().enumerate() {
            let event = record.event().unwrap();
            verifier.push(&Row {
                seq: i64::try_from(seq).unwrap(),
                line: &record.line,
                signature: record.signature.as_bytes(),
                prev: event.prev.as_bytes(),
                hash: record.hash().as_bytes(),
            });
        }
    };
    let mut verifier = Verifier::new(trusted());
    clean(&mut verifier);
    assert!(!verifier.has_errors() && verifier.verdict().findings.is_empty());

    let event = records[0].event().unwrap();
    let (line, signature) = (&records[0].line, records[0].signature);
    let (prev, hash) = (event.prev, records[0].hash());
    let found = |seq: i64, signature: &[u8], prev: &[u8], hash: &[u8]| {
        let mut verifier = Verifier::new(trusted());
        verifier.push(&Row {
            seq,
            line,
            signature,
            prev,
            hash,
        });
        let codes: Vec<Code> = verifier
            .findings()
            .iter()
            .map(|finding| finding.code)
            .collect();
        codes
    };
    let (signature, prev, hash) = (
        signature.as_bytes().as_slice(),
        prev.as_bytes(),
        hash.as_bytes(),
    );
    assert_eq!(found(0, signature, prev, hash), []);
    assert_eq!(found(1, signature, prev, hash), [Code::ColumnMismatch]);
    assert_eq!(found(-1, signature, prev, hash), [Code::ColumnMismatch]);
    assert_eq!(found(0, signature, hash, hash), [Code::ColumnMismatch]);
    assert_eq!(found(0, signature, prev, prev), [Code::ColumnMismatch]);
    assert_eq!(found(0, signature, b"", hash), [Code::ColumnMismatch]);
    assert_eq!(
        found(0, &signature[..63], prev, hash),
        [Code::ColumnMismatch, Code::SignatureInvalid]
    );
}

#[test]
fn an_empty_log_is_nothing_and_says_so() {
    let verdict = verify(Options::default(), &[]);
    assert_eq!(codes(&verdict), []);
    assert_eq!(
        (verdict.size, verdict.head, verdict.trusted),
        (0, Digest::ZERO, false)
    );
    assert_eq!(verdict.root, Digest::of(b""));
}

#[test]
fn a_writer_goes_on_with_the_verifier_it_read_with() {
    let records = golden();
    let mut verifier = Verifier::new(trusted());
    for (position, record) in records.iter().enumerate() {
        assert_eq!(verifier.size(), u64::try_from(position).unwrap());
        let event = verifier.push(record).unwrap();
        assert_eq!(event, record.event().unwrap());
        assert_eq!(verifier.head(), record.hash());
        assert!(!verifier.has_errors());
    }
    assert_eq!(verifier.ledger_id(), Some(lineage()[1]));
    assert_eq!(verifier.keyring().current().count(), 3);
    assert!(verifier.lifecycle().is_applied("20260102120000"));
    assert!(verifier.lifecycle().lock().is_none());
}
