//! The fixtures that several test files read.

use std::path::PathBuf;

use ledger::{Record, SigningKey};

/// Returns the folder of the vectors.
pub(crate) fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// Returns the text of a file under `tests/vectors`.
pub(crate) fn read_text(name: &str) -> String {
    let path = vectors().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// Returns the words of the lines of the golden facts that begin with `prefix`.
pub(crate) fn fact_lines(prefix: &str) -> Vec<Vec<String>> {
    read_text("golden/FACTS.txt")
        .lines()
        .filter(|line| line.starts_with(prefix))
        .map(|line| line.split(' ').map(str::to_owned).collect())
        .collect()
}

/// Returns the golden ledger's records.
pub(crate) fn golden() -> Vec<Record> {
    let lines = read_text("golden/events.jsonl");
    let signatures = read_text("golden/signatures");
    lines
        .lines()
        .zip(signatures.lines())
        .map(|(line, signature)| Record {
            line: line.as_bytes().to_vec(),
            signature: signature.parse().unwrap(),
        })
        .collect()
}

/// Returns the golden ledger's keys, in the order of the facts.
pub(crate) fn golden_keys() -> Vec<SigningKey> {
    fact_lines("key ")
        .iter()
        .map(|words| SigningKey::from_seed(*words[3].parse::<ledger::Digest>().unwrap().as_bytes()))
        .collect()
}
