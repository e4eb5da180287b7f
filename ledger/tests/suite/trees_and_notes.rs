//! Trees, notes, checkpoints and proofs against the published and the golden vectors.

use std::str::FromStr;

use crate::support::{fact_lines, golden, golden_keys, read_text};
use ledger::merkle::{self, TreeHead};
use ledger::note::{self, Note};
use ledger::{Checkpoint, Digest, Proof, Signer as _};

fn hashes(words: &[String]) -> Vec<Digest> {
    words
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| Digest::from_str(word).unwrap())
        .collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn published_trees_have_the_published_roots() {
    let text = read_text("merkle.txt");
    let mut leaves = Vec::new();
    let mut roots = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[0] {
            "leaf" => leaves.push(merkle::leaf(&bytes_of(words[2]))),
            _ => roots.push(Digest::from_str(words[2]).unwrap()),
        }
    }
    assert_eq!((leaves.len(), roots.len()), (8, 9));
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(merkle::root(&leaves[..size]), *root);
    }
}

#[test]
fn the_golden_ledger_has_the_recorded_roots_and_proofs() {
    let leaves: Vec<Digest> = golden().iter().map(ledger::Record::hash).collect();
    let roots = fact_lines("root ");
    assert_eq!(roots.len(), 27);
    let mut tree = merkle::Tree::new();
    for (size, words) in roots.iter().enumerate() {
        let root = Digest::from_str(&words[2]).unwrap();
        assert_eq!(tree.root(), root);
        assert_eq!(merkle::root(&leaves[..size]), root);
        if let Some(leaf) = leaves.get(size) {
            tree.push(*leaf);
        }
    }
    let root = merkle::root(&leaves);
    let inclusions = fact_lines("inclusion ");
    assert_eq!(inclusions.len(), 3);
    for words in inclusions {
        let index: u64 = words[1].parse().unwrap();
        let path = hashes(&words[4..]);
        assert_eq!(merkle::inclusion_proof(&leaves, index).unwrap(), path);
        let leaf = leaves[usize::try_from(index).unwrap()];
        assert!(merkle::verify_inclusion(&leaf, index, 26, &path, &root));
    }
    let consistencies = fact_lines("consistency ");
    assert_eq!(consistencies.len(), 3);
    for words in consistencies {
        let size: usize = words[1].parse().unwrap();
        let path = hashes(&words[4..]);
        let old = TreeHead {
            size: u64::try_from(size).unwrap(),
            root: merkle::root(&leaves[..size]),
        };
        assert_eq!(merkle::consistency_proof(&leaves, old.size).unwrap(), path);
        let new = TreeHead { size: 26, root };
        assert!(merkle::verify_consistency(&old, &new, &path));
    }
}

#[test]
fn published_notes_verify_with_their_keys() {
    let text = read_text("notes.txt");
    let mut seen = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (key, rest) = line.split_once(' ').unwrap();
        let (message, signature) = rest.rsplit_once(' ').unwrap();
        let message: String = serde_json::from_str(message).unwrap();
        let (name, kind, key) = note::verifier_key(key).unwrap();
        assert_eq!(kind, note::ED25519);
        let text = format!("{message}\n\u{2014} {name} {signature}\n");
        let signed = Note::parse(&text).unwrap();
        assert_eq!(signed.text, message);
        assert_eq!(signed.verify(&name, &key), Some(true));
        assert_eq!(signed.verify("other.example", &key), None);
        assert_eq!(signed.to_string(), text);
        let altered = Note::parse(&text.replace("If", "Of").replace("This", "Thus")).unwrap();
        assert_eq!(altered.verify(&name, &key), Some(false));
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[test]
fn malformed_notes_are_refused() {
    let good = read_text("golden/checkpoint");
    for bad in [
        String::new(),
        good.trim_end().to_owned(),
        good.replace("\n\n", "\n"),
        good.replace('\u{2014}', "-"),
        format!("{good}\n"),
        format!("{good}trailing\n"),
        good.replace("mledger/", "mledger\t/"),
        good.split("\u{2014} ").next().unwrap().to_owned(),
        good.replacen("26\n", "26\r\n", 1),
    ] {
        assert!(Note::parse(&bad).is_err(), "{bad:?}");
    }
    assert!(note::verifier_key("a+00000000+AAAA").is_none());
}

/// Each line would cost a decoding, and each that names a known key a verification.
#[test]
fn a_note_with_ten_thousand_signatures_is_refused_before_any_is_read() {
    let note = read_text("golden/checkpoint");
    let (head, lines) = note.split_once("\n\n").unwrap();
    let line = lines.lines().next().unwrap();
    for (count, fine) in [(100, true), (101, false), (5_000, false), (10_000, false)] {
        let many = format!("{head}\n\n{}", format!("{line}\n").repeat(count));
        assert_eq!(Note::parse(&many).is_ok(), fine, "{count}");
    }
    // lines that could not be read are counted as well
    let text = format!("a\n\n{}", "no signature\n".repeat(101));
    let refused = Note::parse(&text).unwrap_err().to_string();
    assert!(refused.contains("more than 100"), "{refused}");
}

#[test]
fn golden_checkpoints_are_reproduced() {
    let keys = golden_keys();
    let leaves: Vec<Digest> = golden().iter().map(ledger::Record::hash).collect();
    for (file, size) in [("golden/checkpoint", 26), ("golden/checkpoints/23", 23)] {
        let text = read_text(file);
        let (checkpoint, signed) = Checkpoint::parse(&text).unwrap();
        assert_eq!(checkpoint.size, u64::try_from(size).unwrap());
        assert_eq!(checkpoint.root, merkle::root(&leaves[..size]));
        let signer = keys
            .iter()
            .find(|key| signed.verify(&checkpoint.origin(), key.public_key()) == Some(true))
            .unwrap();
        assert_eq!(checkpoint.sign(signer).unwrap().to_string(), text);
    }
}

#[test]
fn texts_that_are_no_checkpoint_are_refused() {
    let good = read_text("golden/checkpoint");
    for bad in [
        good.replace("mledger/", "other/"),
        good.replacen("\n26\n", "\n026\n", 1),
        good.replacen("\n26\n", "\n-26\n", 1),
        good.replacen("\n26\n", "\n26\nextension\n", 1),
        good.replacen("+F/BMEbb7", "!F/BMEbb7", 1),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_golden_proof_is_reproduced_and_checks() {
    let facts = read_text("golden/FACTS.txt");
    let start = facts.find("c2sp.org/tlog-proof").unwrap();
    let text = &facts[start..];
    let proof = Proof::parse(text).unwrap();
    assert_eq!(proof.index, 8);
    assert_eq!(proof.to_string().trim_end(), text.trim_end());

    let records = golden();
    let leaves: Vec<Digest> = records.iter().map(ledger::Record::hash).collect();
    let (checkpoint, note) = Checkpoint::parse(&read_text("golden/checkpoint")).unwrap();
    let made = Proof {
        record: records[8].clone(),
        index: 8,
        path: merkle::inclusion_proof(&leaves, 8).unwrap(),
        checkpoint,
        note,
    };
    assert_eq!(made, proof);

    for bad in [
        text.replace("index 8", "index 9"),
        text.replace("index 8", "index 08"),
        text.replace("@v1", "@v2"),
        text.replacen("S4tctm2i", "S4tctm2j", 1),
        text.replacen("extra ey", "extra fy", 1),
    ] {
        assert!(Proof::parse(&bad).is_err());
    }
}
