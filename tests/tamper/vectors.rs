//! The ledgers of the format's vectors as bundles: what our verifier finds in them, `verify.py` finds too.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mledger::ledger::verify::Options;
use mledger::ledger::{Body, Checkpoint, Digest, Record, SigningKey, Verifier};
use serde_json::Value;

use crate::bundle::Bundle;

pub(crate) fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ledger/tests/vectors")
}

/// The key that opens each of the ledgers.
pub(crate) fn owner() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

pub(crate) fn records(path: &Path) -> Vec<Record> {
    let text = fs::read_to_string(path).unwrap();
    let entries = text.lines().skip(1);
    entries
        .map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            Record {
                line: entry["line"].as_str().unwrap().as_bytes().to_vec(),
                signature: entry["signature"].as_str().unwrap().parse().unwrap(),
            }
        })
        .collect()
}

/// Lays a ledger out as an export does, with everything but the objects, which it has none of.
pub(crate) fn bundle(records: &[Record]) -> Bundle {
    let bundle = Bundle::empty();
    let mut verifier = Verifier::new(Options::default());
    let (mut events, mut signatures) = (Vec::new(), String::new());
    for record in records {
        verifier.push(record);
        events.extend_from_slice(&record.line);
        events.push(b'\n');
        writeln!(signatures, "{}", record.signature).unwrap();
    }
    let checkpoint = Checkpoint {
        ledger: verifier.ledger_id().unwrap_or(Digest::ZERO),
        size: verifier.size(),
        root: verifier.root(),
    };
    let keys: String = verifier
        .keyring()
        .entries()
        .iter()
        .map(|entry| format!("somebody {}\n", entry.public))
        .collect();
    bundle.write("events.jsonl", &events);
    bundle.write("signatures", signatures.as_bytes());
    bundle.write("allowed_signers", keys.as_bytes());
    let note = checkpoint.sign(&owner()).unwrap();
    bundle.write("checkpoint", note.to_string().as_bytes());
    bundle.write("README.txt", b"a vector\n");
    bundle.write("verify.py", b"# a vector\n");
    bundle.seal(&owner());
    bundle
}

#[test]
fn every_ledger_of_the_vectors_is_judged_alike() {
    let mut count = 0;
    for entry in fs::read_dir(vectors().join("ledgers")).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::read_to_string(&path).unwrap();
        let about: Value = serde_json::from_str(about.lines().next().unwrap()).unwrap();
        let bundle = bundle(&records(&path));
        let said = bundle.both(path.to_str().unwrap());
        for finding in about["findings"].as_array().unwrap() {
            let code = finding["code"].as_str().unwrap();
            assert!(
                code == "clock-went-back" || said.errors.contains(code),
                "{}: `{code}` in {said:?}",
                path.display()
            );
        }
        count += 1;
    }
    assert!(count > 30);
}

/// The golden ledger with everything that a bundle has.
pub(crate) fn golden() -> Bundle {
    let golden = Bundle::copy_of(&vectors().join("golden"));
    fs::remove_file(golden.file("FACTS.txt")).unwrap();
    golden.write("README.txt", b"a vector\n");
    golden.write("verify.py", b"# a vector\n");
    golden.seal(&owner());
    golden
}

#[test]
fn the_golden_ledger_is_judged_alike() {
    let golden = golden();
    let said = golden.both("golden");
    assert_eq!(said, golden.theirs_alone(), "without any package of Python");
}

/// The form of single lines: the same ones are refused.
#[test]
fn every_line_of_the_vectors_is_read_alike() {
    let driver = r#"
import base64, json
for text in open(sys.argv[2], encoding="utf-8"):
    case = json.loads(text)
    line = base64.b64decode(case["line_base64"])
    try:
        assert line.endswith(b"\n")
        event = verify.read(line[:-1])
        verdict = "version-unknown" if type(event) is int else "ok" if event["kind"] in verify.KINDS else "kind-unknown"
    except Exception:
        verdict = "line-not-canonical"
    if verdict != case["verdict"]:
        print(case["name"], "expected", case["verdict"], "found", verdict)
"#;
    assert_eq!(asked(driver, &[&vectors().join("lines.jsonl")]), "");
}

/// What a script prints that knows `verify.py` as the module `verify`; its arguments begin with the second.
fn asked(script: &str, arguments: &[&Path]) -> String {
    let begin = r#"
import importlib.util, sys
spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
verify = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(verify)
"#;
    let output = Command::new("python3")
        .args(["-c", &format!("{begin}{script}")])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/audit/verify.py"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:#?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Who may sign what: the table of the format and the one of `verify.py`, kind by kind.
#[test]
fn every_kind_asks_for_the_role_that_the_format_names() {
    let driver = r#"
for kind, (role, _) in sorted(verify.KINDS.items()):
    print(kind, role)
"#;
    let theirs = asked(driver, &[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let format = fs::read_to_string(root.join("docs/format.md")).unwrap();
    let (_, section) = format.split_once("\n## 6. Kinds\n").unwrap();
    let (section, _) = section.split_once("\n## 7.").unwrap();
    let mut named: Vec<String> = section
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let kind = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
            let role = match *cells.get(cells.len() - 2)? {
                role @ ("operator" | "approver" | "releaser" | "auditor") => role,
                // an owner, or a key that the event itself names
                _ => "-",
            };
            Some(format!("{kind} {role}"))
        })
        .collect();
    named.sort();
    assert_eq!(named.len(), Body::KINDS.len());
    assert_eq!(theirs.lines().collect::<Vec<_>>(), named);
}
