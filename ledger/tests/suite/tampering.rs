//! Whatever is done to a ledger from outside is found, under the right code.

use ledger::Direction::{Down, Up};
use ledger::{Code, Head, Options, Record, Role, Signature, Verdict, Verifier};
use proptest::prelude::*;

use crate::support::bodies::*;
use crate::support::{Log, OWNER, key};

const OPERATOR: u8 = 2;
const AUDITOR: u8 = 3;
const APPROVER: u8 = 4;

/// What a random history is made of.
#[derive(Clone, Debug)]
enum Chapter {
    Note,
    Approval,
    Applied { failures: u8 },
    RolledBack,
    Crashed,
}

fn chapters() -> impl Strategy<Value = Vec<Chapter>> {
    let chapter = prop_oneof![
        Just(Chapter::Note),
        Just(Chapter::Approval),
        (0..3_u8).prop_map(|failures| Chapter::Applied { failures }),
        Just(Chapter::RolledBack),
        Just(Chapter::Crashed),
    ];
    prop::collection::vec(chapter, 1..8)
}

/// Writes a valid ledger of several keys with locks, runs and migrations.
fn write(chapters: &[Chapter]) -> Log {
    let mut log = Log::opened();
    log.add_key(OPERATOR, &[Role::Operator]);
    log.add_key(AUDITOR, &[Role::Auditor]);
    log.add_key(APPROVER, &[Role::Approver]);
    let mut applied_versions: Vec<String> = Vec::new();
    for (number, chapter) in (1_u64..).zip(chapters) {
        let run = number * 10;
        let version = number.to_string();
        let begin = |log: &mut Log, run| {
            log.append(OPERATOR, run, acquired(run));
            log.append(OPERATOR, run, run_started(&run.to_string()));
        };
        let end = |log: &mut Log, run, failed| {
            log.append(OPERATOR, run, run_finished(failed));
            log.append(OPERATOR, run, released(run));
        };
        match chapter {
            Chapter::Note => {
                log.append(AUDITOR, run, note(&version));
            }
            Chapter::Approval => {
                log.append(APPROVER, run, approved(&version));
            }
            Chapter::Applied { failures } => {
                begin(&mut log, run);
                for failure in 0..*failures {
                    log.append(OPERATOR, run, started(&version, Up));
                    if failure == 0 {
                        log.append(OPERATOR, run, step(&version, Up, 1));
                    }
                    log.append(OPERATOR, run, failed(&version, Up, false));
                }
                log.append(OPERATOR, run, started(&version, Up));
                log.append(OPERATOR, run, applied(&version));
                end(&mut log, run, 0);
                applied_versions.push(version);
            }
            Chapter::RolledBack => {
                if let Some(version) = applied_versions.pop() {
                    begin(&mut log, run);
                    log.append(OPERATOR, run, started_atomic(&version, Down));
                    log.append(OPERATOR, run, rolled_back(&version));
                    end(&mut log, run, 0);
                }
            }
            Chapter::Crashed => {
                begin(&mut log, run);
                log.append(OPERATOR, run, started_atomic(&version, Up));
                log.append(OPERATOR, run + 1, broken(run));
                begin(&mut log, run + 1);
                log.append(OPERATOR, run + 1, aborted(&version, Up));
                end(&mut log, run + 1, 0);
            }
        }
    }
    log
}

/// Options of somebody who saw the whole ledger before.
fn seen(log: &Log) -> Options {
    Options {
        remembered: log.records.last().map(|record| Head {
            size: u64::try_from(log.records.len()).unwrap(),
            hash: record.hash(),
        }),
        ..log.trusted()
    }
}

fn verify(options: Options, records: &[Record]) -> Verdict {
    let mut verifier = Verifier::new(options);
    for record in records {
        verifier.push(record);
    }
    verifier.finish()
}

fn has(verdict: &Verdict, code: Code, seq: Option<usize>) -> bool {
    let seq = seq.map(|seq| u64::try_from(seq).unwrap());
    verdict
        .findings
        .iter()
        .any(|finding| finding.code == code && (seq.is_none() || finding.seq == seq))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_untouched_ledger_has_no_finding(chapters in chapters()) {
        let log = write(&chapters);
        let verdict = verify(seen(&log), &log.records);
        prop_assert_eq!(verdict.findings, []);
        prop_assert!(verdict.trusted);
    }

    #[test]
    fn a_flipped_bit_of_a_line_is_found(chapters in chapters(), place in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let log = write(&chapters);
        let mut records = log.records.clone();
        let index = place.index(records.len());
        let byte = at.index(records[index].line.len());
        records[index].line[byte] ^= 1 << bit;
        let verdict = verify(log.trusted(), &records);
        prop_assert!(verdict.has_errors());
        let readable = records[index].event().is_ok();
        let found = if readable {
            has(&verdict, Code::SignatureInvalid, Some(index)) || has(&verdict, Code::KeyUnknown, Some(index))
                || has(&verdict, Code::KeyNotAuthorised, Some(index))
        } else {
            has(&verdict, Code::LineNotCanonical, Some(index)) || has(&verdict, Code::VersionUnknown, Some(index))
        };
        prop_assert!(found, "{:?}", verdict.findings);
        // what follows it no longer follows
        prop_assert!(index + 1 == records.len() || has(&verdict, Code::PrevMismatch, Some(index + 1)));
    }

    #[test]
    fn a_flipped_bit_of_a_signature_is_found(chapters in chapters(), place in any::<prop::sample::Index>(), bit in 0..512_usize) {
        let log = write(&chapters);
        let mut records = log.records.clone();
        let index = place.index(records.len());
        let mut bytes = *records[index].signature.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        records[index].signature = Signature::from_bytes(bytes);
        let verdict = verify(log.trusted(), &records);
        prop_assert!(has(&verdict, Code::SignatureInvalid, Some(index)));
        prop_assert!(index + 1 == records.len() || has(&verdict, Code::PrevMismatch, Some(index + 1)));
    }

    #[test]
    fn a_dropped_entry_is_found(chapters in chapters(), place in any::<prop::sample::Index>()) {
        let log = write(&chapters);
        let mut records = log.records.clone();
        let index = place.index(records.len());
        records.remove(index);
        let verdict = verify(seen(&log), &records);
        prop_assert!(has(&verdict, Code::Truncated, None));
        if index < records.len() {
            prop_assert!(has(&verdict, Code::SeqGap, Some(index)));
            prop_assert!(has(&verdict, Code::PrevMismatch, Some(index)));
        } else {
            // only what was seen before tells that an end is missing
            prop_assert!(!verify(log.trusted(), &records).has_errors());
        }
    }

    #[test]
    fn a_doubled_entry_is_found(chapters in chapters(), place in any::<prop::sample::Index>()) {
        let log = write(&chapters);
        let mut records = log.records.clone();
        let index = place.index(records.len());
        records.insert(index, records[index].clone());
        let verdict = verify(log.trusted(), &records);
        prop_assert!(has(&verdict, Code::SeqGap, Some(index + 1)));
        prop_assert!(has(&verdict, Code::PrevMismatch, Some(index + 1)));
    }

    #[test]
    fn swapped_entries_are_found(chapters in chapters(), place in any::<prop::sample::Index>()) {
        let log = write(&chapters);
        let mut records = log.records.clone();
        let index = place.index(records.len() - 1);
        records.swap(index, index + 1);
        let verdict = verify(log.trusted(), &records);
        prop_assert!(has(&verdict, Code::SeqGap, Some(index)));
        prop_assert!(has(&verdict, Code::PrevMismatch, Some(index)));
    }

    #[test]
    fn an_entry_that_another_key_signed_anew_is_found(chapters in chapters(), place in any::<prop::sample::Index>()) {
        let log = write(&chapters);
        let mut records = log.records.clone();
        let index = place.index(records.len());
        let mut event = records[index].event().unwrap();
        let stranger = key(200);
        event.key = ledger::Signer::public_key(&stranger).fingerprint();
        records[index] = Record::sign(&event, &stranger).unwrap();
        let verdict = verify(log.trusted(), &records);
        let expected = if index == 0 { Code::KeyNotAuthorised } else { Code::KeyUnknown };
        prop_assert!(has(&verdict, expected, Some(index)), "{:?}", verdict.findings);
    }

    #[test]
    fn a_history_that_the_owner_rewrites_is_another_than_was_seen(chapters in chapters(), place in any::<prop::sample::Index>()) {
        let log = write(&chapters);
        let index = 1 + place.index(log.records.len() - 1);
        let mut rewritten = log.clone();
        rewritten.records.truncate(index);
        while rewritten.records.len() < log.records.len() {
            rewritten.append(OWNER, 1, note("nothing happened"));
        }
        let verdict = verify(seen(&log), &rewritten.records);
        prop_assert!(has(&verdict, Code::CheckpointMismatch, None));
        // by itself it is a ledger like any other, which is why heads are kept elsewhere
        prop_assert!(!verify(log.trusted(), &rewritten.records).has_errors());
    }

    #[test]
    fn skipping_signatures_changes_nothing_about_a_good_ledger(chapters in chapters(), after in 0..200_u64) {
        let log = write(&chapters);
        let skipping = Options { signatures: ledger::SignatureCheck::After(after), ..seen(&log) };
        prop_assert_eq!(verify(skipping, &log.records), verify(seen(&log), &log.records));
    }
}
