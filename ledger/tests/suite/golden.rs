//! The golden ledger, reproduced to the byte from the seeds in its `FACTS.txt`.

use crate::support::{fact_lines, golden, golden_keys, read_text};
use ledger::sshsig::{EVENT_NAMESPACE, KEY_PROOF_NAMESPACE, preimage};
use ledger::{Body, Digest, Event, PublicKey, Record, Role, Signer as _, SigningKey};

#[test]
fn keys_have_the_recorded_fingerprints_and_public_forms() {
    let keys = golden_keys();
    assert_eq!(keys.len(), 4);
    for (words, key) in fact_lines("key ").iter().zip(&keys) {
        assert_eq!(key.public_key().fingerprint().to_string(), words[4]);
        let public = format!("{} {}", words[5], words[6]);
        assert_eq!(key.public_key().to_openssh(), public);
        assert_eq!(PublicKey::from_openssh(&public).unwrap(), *key.public_key());
        for role in words[8].split(',') {
            assert_eq!(role.parse::<Role>().unwrap().as_str(), role);
        }
    }
}

/// F91
#[test]
fn every_line_is_read_and_written_back_to_the_byte() {
    for record in golden() {
        let event = record.event().unwrap();
        assert!(!matches!(event.body, Body::Unknown { .. }));
        assert_eq!(event.to_line().unwrap(), record.line);
    }
}

#[test]
fn every_signature_is_reproduced_from_the_seed() {
    let keys = golden_keys();
    for record in golden() {
        let event = record.event().unwrap();
        let key = keys
            .iter()
            .find(|key| key.public_key().fingerprint() == event.key)
            .unwrap();
        assert_eq!(Record::sign(&event, key).unwrap(), record);
        assert!(record.is_signed_by(key.public_key()));
    }
}

#[test]
fn digests_preimages_and_entry_hashes_are_the_recorded_ones() {
    let facts = fact_lines("seq ");
    let records = golden();
    assert_eq!(facts.len(), records.len());
    for (words, record) in facts.iter().zip(&records) {
        let with_feed = [record.line.as_slice(), b"\n"].concat();
        assert_eq!(Digest::of(&with_feed).to_string(), words[3]);
        let hex: String = preimage(EVENT_NAMESPACE, &with_feed)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, words[5]);
        assert_eq!(record.hash().to_string(), words[7]);
        assert_eq!(
            Record::from_entry(&record.to_entry()).as_ref(),
            Some(record)
        );
    }
}

#[test]
fn proofs_of_possession_are_reproduced() {
    let keys = golden_keys();
    let mut proofs = 0;
    for record in golden() {
        let event = record.event().unwrap();
        if let Body::KeyAdded(added) = &event.body {
            let public = PublicKey::from_openssh(&added.public).unwrap();
            let key = keys.iter().find(|key| *key.public_key() == public).unwrap();
            let message = ledger::key_proof_message(&event.ledger, &public.fingerprint());
            let signature = key.sign(&preimage(KEY_PROOF_NAMESPACE, &message)).unwrap();
            assert_eq!(signature, added.proof);
            proofs += 1;
        }
    }
    assert_eq!(proofs, 3);
}

#[test]
fn a_signer_of_another_key_is_refused() {
    let event = golden()[0].event().unwrap();
    let other = SigningKey::from_seed([9; 32]);
    assert!(Record::sign(&event, &other).is_err());
}

/// F91
#[test]
fn forms_of_lines_get_the_recorded_verdicts() {
    use base64::Engine as _;
    let text = read_text("lines.jsonl");
    let mut seen = 0;
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(case["line_base64"].as_str().unwrap())
            .unwrap();
        let verdict = match bytes.strip_suffix(b"\n").map(Event::parse) {
            None => "line-not-canonical",
            Some(Err(ledger::LineFault::VersionUnknown(_))) => "version-unknown",
            Some(Err(_)) => "line-not-canonical",
            Some(Ok(event)) if matches!(event.body, Body::Unknown { .. }) => "kind-unknown",
            Some(Ok(event)) => {
                assert_eq!(event.to_line().unwrap(), bytes[..bytes.len() - 1]);
                "ok"
            }
        };
        assert_eq!(verdict, case["verdict"], "{}", case["name"]);
        seen += 1;
    }
    assert_eq!(seen, 35);
}
