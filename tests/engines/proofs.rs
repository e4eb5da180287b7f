//! Proofs about one event: made on each engine, checked without any.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::audit::verify_proof;
use mledger::ledger::verify::Anchor;
use mledger::ledger::{Signer as _, SigningKey};
use mledger::request::{Up, Verify};

use crate::place::on_every_engine;
use crate::shop::{DANA, Shop, refused};

/// An allowed-signers file with the key of this seed.
fn trusting(seed: u8) -> Option<String> {
    let key = SigningKey::from_seed([seed; 32]).public_key().to_openssh();
    Some(format!("dana namespaces=\"event-v1@mledger\" {key}\n"))
}

fn codes(text: &str, request: &Verify) -> Vec<&'static str> {
    let report = verify_proof(text, request).unwrap();
    report
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_can_be_proven_to_who_knows_the_keys_or_the_checkpoint() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let shop = Shop::with(database, &[("1_a", "CREATE TABLE a (id INTEGER);", "")]);
        shop.up().await.unwrap();
        let kept = shop.migrator().checkpoint().await.unwrap();
        shop.migration("2_b", "CREATE TABLE b (id INTEGER);", "");
        shop.up().await.unwrap();
        let migrator = shop.migrator();
        let size = shop.status().await.ledger.unwrap().size;
        let dana = Verify {
            trust: trusting(DANA.0),
            ..Verify::default()
        };
        for seq in 0..size {
            let proven = migrator.prove(seq, None).await.unwrap();
            let report = verify_proof(&proven.proof, &dana).unwrap();
            assert!(report.findings.is_empty(), "{name}, {seq}: {report:?}");
            assert!(report.trusted && report.signed_by.is_some());
            assert_eq!(
                (report.seq, report.size, report.hash),
                (seq, size, proven.hash)
            );
            assert_eq!(report.anchored_to, Anchor::Nothing, "nothing was kept");
        }
        refused(migrator.prove(size, None).await, "event-unknown", 2);

        let by_checkpoint = Verify {
            checkpoints: vec![kept.note.clone()],
            ..Verify::default()
        };
        let under = migrator.prove(2, Some(&kept.note)).await.unwrap();
        let report = verify_proof(&under.proof, &by_checkpoint).unwrap();
        assert_eq!(
            (report.size, report.anchored_to),
            (kept.size, Anchor::Checkpoint)
        );
        assert!(!report.trusted && report.signed_by.is_none());
        assert_eq!(
            codes(&under.proof, &by_checkpoint),
            ["first-key-not-trusted"]
        );
        refused(
            migrator.prove(kept.size, Some(&kept.note)).await,
            "event-unknown",
            2,
        );
        let later = migrator.prove(2, None).await.unwrap();
        assert!(codes(&later.proof, &by_checkpoint).contains(&"checkpoint-mismatch"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_shows_nothing_that_was_not_checked() {
    let shop = Shop::with(
        crate::support::engines::SQLITE.fresh(),
        &[("1_a", "CREATE TABLE a (id INTEGER);", "")],
    );
    shop.migrator().up(&Up::default()).await.unwrap();
    let migrator = shop.migrator();
    let proven = migrator.prove(2, None).await.unwrap();
    let text = proven.proof;
    let nobody = Verify {
        ledger: Some(proven.ledger),
        ..Verify::default()
    };
    refused(verify_proof(&text, &nobody), "proof-unanchored", 2);
    let dana = Verify {
        trust: trusting(DANA.0),
        ..nobody
    };
    assert!(codes(&text, &dana).is_empty());
    assert!(codes(&text.replace('\n', "\r\n"), &dana).is_empty());
    let eve = Verify {
        trust: trusting(66),
        ..Verify::default()
    };
    assert_eq!(codes(&text, &eve), ["checkpoint-invalid", "key-unknown"]);
    let another = Verify {
        ledger: Some("ab".repeat(32).parse().unwrap()),
        ..dana.clone()
    };
    assert_eq!(codes(&text, &another), ["ledger-mismatch"]);
    // each line of it counts
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let mut fewer = lines.clone();
        fewer.remove(number);
        let fewer = fewer.join("\n") + "\n";
        let fails = verify_proof(&fewer, &dana).is_err() || !codes(&fewer, &dana).is_empty();
        assert!(fails, "without line {number}, `{line}`");
    }
    // a path that leads elsewhere
    let other = migrator.prove(1, None).await.unwrap().proof;
    let mixed = text.replacen(lines[1], other.lines().nth(1).unwrap(), 1);
    assert_ne!(mixed, text);
    refused(verify_proof(&mixed, &dana), "proof-invalid", 4);

    // a checkpoint of another ledger is none to prove anything under
    let theirs = Shop::with(
        crate::support::engines::SQLITE.fresh(),
        &[("1_a", "CREATE TABLE a (id INTEGER);", "")],
    );
    theirs.skip_an_id();
    theirs.up().await.unwrap();
    let note = theirs.migrator().checkpoint().await.unwrap().note;
    refused(
        migrator.prove(1, Some(&note)).await,
        "checkpoint-mismatch",
        4,
    );
}
