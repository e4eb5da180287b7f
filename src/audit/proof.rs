//! The verification of a proof about one event, offline: what it shows, and never more.
//!
//! A proof (C2SP tlog-proof) holds the event, the path from it to a root, and a signed checkpoint with
//! that root. It holds no keys. Who signs for the ledger must be known from elsewhere, or the
//! checkpoint must be one that was kept; otherwise anybody could have made it.

use ledger::note::Witness;
use ledger::verify::Anchor;
use ledger::{AllowedSigners, Checkpoint, Code, Event, Finding, Proof, PublicKey, Severity};

use super::trust;
use crate::checkpoints::line_feeds;
use crate::error::Error;
use crate::report::ProofReport;
use crate::request::Verify;

/// Verifies a proof by the keys, checkpoints and ledger id that `request` names.
///
/// # Errors
///
/// [`Error::Integrity`] for a text that is no proof, or does not prove what it claims, and
/// [`Error::Usage`] where `request` names neither keys nor checkpoints: then nothing can be said. What
/// those have against the proof is a finding.
pub fn verify_proof(text: &str, request: &Verify) -> Result<ProofReport, Error> {
    let signers = trust(request)?;
    let proof = Proof::parse(&line_feeds(text)).map_err(|fault| invalid(&fault.to_string()))?;
    let event = proof
        .record
        .event()
        .map_err(|fault| invalid(&fault.to_string()))?;
    if signers.is_none() && request.checkpoints.is_empty() && request.witnesses.is_empty() {
        return Err(Error::Usage {
            code: "proof-unanchored",
            message:
                "expected the keys that sign for this ledger, or a checkpoint that was kept; a \
                      proof holds neither"
                    .to_owned(),
            hint: "add `--trust FILE` with the ledger's allowed signers, or `--checkpoint FILE`"
                .to_owned(),
        });
    }
    let mut findings = Vec::new();
    if let Some(expected) = request.ledger
        && expected != proof.checkpoint.ledger
    {
        findings.push(Finding::new(
            Code::LedgerMismatch,
            None,
            format!(
                "expected a proof about ledger `{expected}`, found one about `{}`",
                proof.checkpoint.ledger
            ),
        ));
    }
    let anchored = check_kept(&proof, &request.checkpoints, &mut findings);
    let (signed_by, trusted) = match &signers {
        Some(signers) => (
            check_note(&proof, signers, &mut findings),
            check_entry(&proof, &event, signers, &mut findings),
        ),
        None => {
            findings.push(Finding {
                code: Code::FirstKeyNotTrusted,
                severity: Severity::Warning,
                seq: Some(event.seq),
                message:
                    "the ledger's own signatures were not checked, since no keys were given: that \
                          the event stands there rests on the checkpoint alone"
                        .to_owned(),
            });
            (None, false)
        }
    };
    let anchored = check_witnesses(&proof, &request.witnesses, &mut findings) || anchored;
    if signers.is_none() && !anchored && findings.iter().all(|one| one.severity != Severity::Error)
    {
        findings.push(Finding::new(
            Code::CheckpointInvalid,
            None,
            "expected a checkpoint that a witness has cosigned, found none".to_owned(),
        ));
    }
    Ok(ProofReport {
        ledger: proof.checkpoint.ledger,
        seq: event.seq,
        hash: proof.record.hash(),
        size: proof.checkpoint.size,
        root: proof.checkpoint.root,
        anchored_to: if anchored {
            Anchor::Checkpoint
        } else {
            Anchor::Nothing
        },
        trusted,
        signed_by,
        line: proof.record.line,
        event,
        findings,
    })
}

/// Compares the proof's checkpoint with those that were kept; says whether one is over the same tree.
fn check_kept(proof: &Proof, notes: &[String], findings: &mut Vec<Finding>) -> bool {
    let own = proof.checkpoint;
    let mut anchored = false;
    for note in notes {
        let (code, message) = match Checkpoint::parse(&line_feeds(note)) {
            Ok((kept, _)) if kept == own => {
                anchored = true;
                continue;
            }
            Ok((kept, _)) if kept.size == own.size => (
                Code::CheckpointMismatch,
                format!(
                    "expected root `{}` of ledger `{}` over the first {} events, found `{}` of `{}`",
                    kept.root, kept.ledger, kept.size, own.root, own.ledger
                ),
            ),
            Ok((kept, _)) => (
                Code::CheckpointMismatch,
                format!(
                    "the checkpoint that was kept is over {} events, and says nothing about one over \
                     {}; `mledger prove SEQ --checkpoint FILE` proves it under the one that was kept",
                    kept.size, own.size
                ),
            ),
            Err(fault) => (Code::CheckpointInvalid, fault.to_string()),
        };
        findings.push(Finding::new(code, None, message));
    }
    anchored
}

/// Says whether a witness has cosigned the proof's checkpoint.
fn check_witnesses(proof: &Proof, witnesses: &[Witness], findings: &mut Vec<Finding>) -> bool {
    let mut cosigned = false;
    for witness in witnesses {
        match proof.note.verify_cosignature(witness) {
            Some(true) => cosigned = true,
            Some(false) => findings.push(Finding::new(
                Code::CheckpointInvalid,
                None,
                format!("the cosignature of witness `{}` is wrong", witness.name),
            )),
            None => {}
        }
    }
    cosigned
}

/// Returns the trusted key that signed the proof's checkpoint.
fn check_note(
    proof: &Proof,
    signers: &AllowedSigners,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let origin = proof.checkpoint.origin();
    let mut signed_by = None;
    for key in trusted_keys(signers) {
        match proof.note.verify(&origin, key) {
            Some(true) => signed_by = Some(key.fingerprint().to_string()),
            // a wrong signature of a known key refuses the whole note
            Some(false) => {
                findings.push(Finding::new(
                    Code::CheckpointInvalid,
                    None,
                    format!(
                        "the checkpoint's signature by key `{}` is wrong",
                        key.fingerprint()
                    ),
                ));
                return None;
            }
            None => {}
        }
    }
    if signed_by.is_none() {
        findings.push(Finding::new(
            Code::CheckpointInvalid,
            None,
            "expected the checkpoint to be signed by a trusted key, found none".to_owned(),
        ));
    }
    signed_by
}

/// Checks the event's own signature by the key that it names.
fn check_entry(
    proof: &Proof,
    event: &Event,
    signers: &AllowedSigners,
    findings: &mut Vec<Finding>,
) -> bool {
    let mut report = |code, message| findings.push(Finding::new(code, event.seq, message));
    let Some(key) = trusted_keys(signers).find(|key| key.fingerprint() == event.key) else {
        report(
            Code::KeyUnknown,
            format!(
                "expected the event to be signed by a trusted key, found `{}`",
                event.key
            ),
        );
        return false;
    };
    let sound = proof.record.is_signed_by(key);
    if !sound {
        report(
            Code::SignatureInvalid,
            format!(
                "the signature is not one of key `{}` over this line",
                event.key
            ),
        );
    }
    sound
}

fn trusted_keys(signers: &AllowedSigners) -> impl Iterator<Item = &PublicKey> {
    signers
        .signers()
        .iter()
        .map(|signer| &signer.key)
        .filter(|key| signers.trusts(&key.fingerprint()))
}

fn invalid(fault: &str) -> Error {
    Error::Integrity {
        code: "proof-invalid",
        message: format!("this proves nothing: {fault}"),
        hint: "ask for the proof again: `mledger prove SEQ` makes it".to_owned(),
        findings: Vec::new(),
    }
}
