//! The verifier that lies in each HTML report, run by a browser: it says of every ledger what ours says.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mledger::audit;
use mledger::ledger::{Checkpoint, Code, Digest, Severity, SigningKey};
use mledger::request::Verify;
use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::support::{Project, browser};
use crate::vectors::{bundle, golden, owner, records, vectors};

/// What the page's script is made of, in order.
const SCRIPTS: [&str; 4] = [
    include_str!("../../src/compliance/page/curve.js"),
    include_str!("../../src/compliance/page/form.js"),
    include_str!("../../src/compliance/page/lifecycle.js"),
    include_str!("../../src/compliance/page/verify.js"),
];

const DRIVER: &str = r#"
(async () => {
  const { lines, logs } = JSON.parse(document.getElementById("cases").textContent);
  const said = { lines: [], logs: [] };
  for (const line of lines) {
    const bytes = ascii(atob(line));
    try {
      need(bytes[bytes.length - 1] === 10, "no end");
      const event = readLine(bytes.slice(0, -1));
      said.lines.push(typeof event === "number" ? "version-unknown" : KINDS.has(event.kind) ? "ok" : "kind-unknown");
    } catch {
      said.lines.push("line-not-canonical");
    }
  }
  for (const { entries, notes, ledger } of logs) {
    const { findings, ...rest } = await checkLog(ascii(atob(entries)), notes, ledger);
    const told = findings.map(({ level, code, seq }) => `${level} ${code} ${seq ?? "-"}`);
    if (!rest.intact) rest.head = rest.root = null;
    said.logs.push({ ...rest, findings: Array.from(new Set(told)).sort() });
  }
  const place = document.getElementById("said");
  place.textContent = JSON.stringify(said);
})();
"#;

/// What is found in the rest of a bundle, of which a page has nothing.
const OF_BUNDLES: [Code; 3] = [
    Code::ObjectMissing,
    Code::ManifestInvalid,
    Code::ObjectMismatch,
];

/// Ledgers to be judged by the page, and what ours says of each.
#[derive(Default)]
struct Cases {
    names: Vec<String>,
    logs: Vec<Value>,
    expected: Vec<Value>,
}

impl Cases {
    fn add(&mut self, name: impl Into<String>, bundle: &Bundle, request: &Verify) {
        let report = audit::verify(&bundle.path(), request).unwrap();
        let findings: BTreeSet<String> = report
            .findings
            .iter()
            .filter(|finding| !OF_BUNDLES.contains(&finding.code))
            .map(|finding| {
                let level = match finding.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                let seq = finding.seq.map_or("-".to_owned(), |seq| seq.to_string());
                format!("{level} {} {seq}", finding.code.as_str())
            })
            .collect();
        let intact = !findings.iter().any(|finding| finding.starts_with("error"));
        self.expected.push(json!({
            "intact": intact,
            "findings": findings,
            "size": report.size,
            // ours hashes what is no signature in another way
            "head": intact.then_some(report.head),
            "root": intact.then_some(report.root),
            "anchored": report.anchored_size,
            "ledger": report.lineage.last().copied().unwrap_or(Digest::ZERO),
        }));
        let mut notes: Vec<Value> = request
            .checkpoints
            .iter()
            .map(|text| json!({"text": text, "outside": true}))
            .collect();
        for name in bundle.names() {
            if name.starts_with("checkpoint") {
                let text = String::from_utf8(bundle.read(&name)).unwrap();
                notes.push(json!({"text": text, "outside": false}));
            }
        }
        self.logs.push(json!({
            "entries": STANDARD.encode(entries_of(bundle).concat()),
            "notes": notes,
            "ledger": request.ledger,
        }));
        self.names.push(name.into());
    }
}

/// Each line with its signature, as a page holds them.
fn entries_of(bundle: &Bundle) -> Vec<Vec<u8>> {
    let (events, signatures) = (bundle.read("events.jsonl"), bundle.read("signatures"));
    let signatures = signatures.split_inclusive(|byte| *byte == b'\n');
    let events = events.split_inclusive(|byte| *byte == b'\n');
    events
        .zip(signatures)
        .map(|(line, signature)| [line, signature].concat())
        .collect()
}

#[test]
fn browsers_say_the_same_of_every_ledger() {
    let mut cases = Cases::default();
    let mut names: Vec<_> = fs::read_dir(vectors().join("ledgers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    for path in names {
        let name = path.file_stem().unwrap().to_str().unwrap();
        cases.add(name, &bundle(&records(&path)), &Verify::default());
    }
    assert!(cases.names.len() > 30);
    changed_bytes(&mut cases);
    checkpoints_and_ids(&mut cases);

    let lines = fs::read_to_string(vectors().join("lines.jsonl")).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let encoded: Vec<&Value> = lines.iter().map(|case| &case["line_base64"]).collect();
    let said = run(&json!({"lines": encoded, "logs": cases.logs}));
    for (case, verdict) in lines.iter().zip(said["lines"].as_array().unwrap()) {
        assert_eq!(verdict, &case["verdict"], "the line {}", case["name"]);
    }
    let found = said["logs"].as_array().unwrap();
    assert_eq!(found.len(), cases.names.len());
    for ((name, expected), found) in cases.names.iter().zip(&cases.expected).zip(found) {
        assert_eq!(found, expected, "{name}: the page, and ours");
    }
}

/// A whole ledger of which one bit is another, here and there.
fn changed_bytes(cases: &mut Cases) {
    let whole = golden();
    for (name, every) in [("events.jsonl", 797), ("signatures", 211)] {
        let bytes = whole.read(name);
        for at in (0..bytes.len()).step_by(every) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 7);
            if [changed[at], bytes[at]].contains(&b'\n') {
                continue;
            }
            let bundle = Bundle::copy_of(&whole.path());
            bundle.write(name, &changed);
            cases.add(format!("{name} at {at}"), &bundle, &Verify::default());
        }
    }
}

fn checkpoints_and_ids(cases: &mut Cases) {
    let whole = golden();
    let note = String::from_utf8(whole.read("checkpoint")).unwrap();
    let lineage = audit::verify(&whole.path(), &Verify::default())
        .unwrap()
        .lineage;
    let head = Checkpoint::parse(&note).unwrap().0;
    let sign = |checkpoint: Checkpoint, key: &SigningKey| checkpoint.sign(key).unwrap().to_string();
    let stranger = SigningKey::from_seed([9; 32]);
    let mut forged = note.clone().into_bytes();
    let last = forged.len() - 10;
    forged[last] ^= 1;
    let larger = Checkpoint {
        size: head.size + 1,
        ..head
    };
    let other = Checkpoint {
        root: Digest::ZERO,
        ..head
    };
    let huge = Checkpoint {
        size: (1 << 62) + 1,
        ..head
    };
    for (name, text) in [
        ("its own", note.clone()),
        ("of one more event", sign(larger, &owner())),
        (
            "of more events by a stranger",
            sign(
                Checkpoint {
                    ledger: Digest::ZERO,
                    ..larger
                },
                &stranger,
            ),
        ),
        ("of very many events", sign(huge, &owner())),
        ("of another root", sign(other, &owner())),
        ("by a stranger", sign(head, &stranger)),
        ("with a wrong signature", String::from_utf8(forged).unwrap()),
        ("that is none", "mledger/none\n".to_owned()),
        ("of no event", note.replacen("\n26\n", "\n0\n", 1)),
        ("with another line", note.replacen("\n\n", "\nmore\n\n", 1)),
        ("cut off", note[..note.len() - 1].to_owned()),
    ] {
        let request = Verify {
            checkpoints: vec![text],
            ..Verify::default()
        };
        cases.add(format!("a checkpoint {name}"), &whole, &request);
    }
    for id in lineage.iter().copied().chain([Digest::ZERO]) {
        let request = Verify {
            ledger: Some(id),
            ..Verify::default()
        };
        cases.add(format!("the ledger {id}"), &whole, &request);
    }
}

/// What the browser says of these lines and logs.
fn run(cases: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("cases.html");
    let script = SCRIPTS.concat();
    let cases = cases.to_string().replace('<', "\\u003c");
    let text = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><script type=\"text/plain\" id=\"cases\">{cases}</script>\
         <pre id=\"said\"></pre><script>\"use strict\";{{{script}{DRIVER}}}</script>"
    );
    fs::write(&page, text).unwrap();
    let document = browser::document_of(&page, "");
    serde_json::from_str(&browser::text_of(&document, "said")).unwrap()
}

/// What a page says of itself when it is opened, or without anybody asking.
fn verdict(page: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    fs::write(&path, page).unwrap();
    let document = browser::document_of(&path, "#check");
    let (_, rest) = document.split_once("id=\"verdict\"").unwrap();
    rest.split_once("</section>").unwrap().0.to_owned()
}

#[test]
fn a_report_that_was_changed_says_so() {
    let project = Project::with_effects(2);
    project.ok(&["up"]);
    project.ok(&["down"]);
    project.ok(&["export", "bundle"]);
    let page = fs::read_to_string(project.path().join("bundle/reports/report.html")).unwrap();
    let said = verdict(&page);
    assert!(said.contains("Intact:"), "{said}");
    assert!(said.contains("anchored to nothing"), "{said}");

    let entries = page.find("<pre id=\"entries\">").unwrap();
    let change = |at: usize| {
        let mut bytes = page.clone().into_bytes();
        bytes[at] ^= 1;
        String::from_utf8(bytes).unwrap()
    };
    let end = page[entries..].find("</pre>").unwrap() + entries;
    let last = page[..end - 1].rfind("\n{").unwrap();
    let without_last = format!("{}{}", &page[..=last], &page[end..]);
    let word = page.find("<h2>").unwrap() + "<h2>".len();
    let program = page[entries..].find("mledger/0").unwrap() + "mledger/".len() + entries;
    for (case, changed, code) in [
        ("a letter of a title", change(word), "page-changed"),
        ("a digit of an event", change(program), "signature-invalid"),
        ("its last event cut off", without_last, "truncated"),
    ] {
        let said = verdict(&changed);
        assert!(said.contains("Not intact:"), "{case}: {said}");
        assert!(said.contains(code), "{case}: {said}");
    }
    let script = page.rfind("Not intact").unwrap();
    let said = verdict(&change(script));
    assert!(
        said.contains("Not checked in here"),
        "a script that was changed: {said}"
    );
}
