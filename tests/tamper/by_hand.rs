//! An auditor without any of our code: the database's plain client, `ssh-keygen`, `openssl`, `sha256sum` and a shell.
//!
//! Nothing of the ledger crate is used here, so that these tests cannot share its mistakes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::attacker::{Value, table};
use crate::records::{Row, hex, rows};
use crate::specimen::Specimen;
use crate::support::engines::Kind;

on_each_engine!(
    every_hash_is_that_of_sha256sum,
    every_signature_is_good_for_ssh_keygen,
    every_signature_is_good_for_openssl,
    every_script_is_under_its_sha256,
);

/// Runs a tool with `input` on its standard input.
fn tool(folder: &Path, program: &str, arguments: &[&str], input: &[u8]) -> (bool, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // a tool that refuses early closes its end
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn sha256(folder: &Path, bytes: &[u8]) -> String {
    let (succeeded, printed) = tool(folder, "sha256sum", &[], bytes);
    assert!(succeeded);
    printed.split_whitespace().next().unwrap().to_owned()
}

/// LINE and its LF, as signed.
fn line(row: &Row) -> Vec<u8> {
    let mut line = row.line.clone();
    line.push(b'\n');
    line
}

fn member(row: &Row, name: &str) -> Json {
    let value: Json = serde_json::from_slice(&row.line).unwrap();
    value[name].clone()
}

/// The raw 32 bytes of the key that the first event names.
fn first_key(rows: &[Row]) -> (String, Vec<u8>) {
    let body = member(&rows[0], "body");
    let text = body["key"]["public"].as_str().unwrap().to_owned();
    let blob = STANDARD
        .decode(text.split_whitespace().nth(1).unwrap())
        .unwrap();
    let length = blob.len();
    (text, blob[length - 32..].to_vec())
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut all = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    all.extend_from_slice(bytes);
    all
}

/// OpenSSH's PROTOCOL.sshsig around the stored 64 bytes.
fn armour(public: &[u8], signature: &[u8]) -> String {
    let key = [string(b"ssh-ed25519"), string(public)].concat();
    let signed = [string(b"ssh-ed25519"), string(signature)].concat();
    let blob = [
        b"SSHSIG".to_vec(),
        1_u32.to_be_bytes().to_vec(),
        string(&key),
        string(b"event-v1@mledger"),
        string(b""),
        string(b"sha256"),
        string(&signed),
    ]
    .concat();
    let text = STANDARD.encode(blob);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(70)
        .map(|chunk| std::str::from_utf8(chunk).unwrap())
        .collect();
    format!(
        "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        lines.join("\n")
    )
}

fn every_hash_is_that_of_sha256sum(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let folder = specimen.project.path();
    let rows = rows(&specimen.project);
    assert_eq!(rows.len() as u64, specimen.size);
    let mut before = "0".repeat(64);
    let mut ledger = "0".repeat(64);
    for (seq, row) in rows.iter().enumerate() {
        let mut entry = vec![0];
        entry.extend(line(row));
        entry.extend(STANDARD.encode(&row.signature).bytes());
        entry.push(b'\n');
        assert_eq!(member(row, "seq"), seq);
        assert_eq!(member(row, "prev"), before.as_str(), "event {seq}");
        assert_eq!(hex(&row.prev), before, "event {seq}");
        assert_eq!(member(row, "ledger"), ledger.as_str(), "event {seq}");
        before = sha256(folder, &entry);
        assert_eq!(hex(&row.hash), before, "event {seq}");
        if seq == 0 {
            ledger.clone_from(&before);
        }
    }
    assert_eq!(ledger, specimen.ledger, "the id is the first entry's hash");
    assert_eq!(root(folder, &rows), verified(&specimen)["root"]);
    assert_eq!(before, verified(&specimen)["head"].as_str().unwrap());
}

fn verified(specimen: &Specimen) -> Json {
    specimen.project.json(&["verify"])
}

/// RFC 6962 section 2.1 with `sha256sum`.
fn root(folder: &Path, rows: &[Row]) -> String {
    fn of(folder: &Path, leaves: &[Vec<u8>]) -> Vec<u8> {
        if let [leaf] = leaves {
            return leaf.clone();
        }
        let split = leaves.len().next_power_of_two() / 2;
        let mut node = vec![1];
        node.extend(of(folder, &leaves[..split]));
        node.extend(of(folder, &leaves[split..]));
        crate::records::unhex(&sha256(folder, &node))
    }
    let leaves: Vec<Vec<u8>> = rows.iter().map(|row| row.hash.clone()).collect();
    hex(&of(folder, &leaves))
}

/// F91
fn every_signature_is_good_for_ssh_keygen(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let folder = specimen.project.path();
    let rows = rows(&specimen.project);
    let (text, public) = first_key(&rows);
    fs::write(
        folder.join("signers"),
        format!("owner namespaces=\"event-v1@mledger\" {text}\n"),
    )
    .unwrap();
    let check = |row: &Row, message: &[u8], namespace: &str| {
        fs::write(folder.join("signature"), armour(&public, &row.signature)).unwrap();
        let arguments = [
            "-Y",
            "verify",
            "-f",
            "signers",
            "-I",
            "owner",
            "-n",
            namespace,
            "-s",
            "signature",
        ];
        tool(folder, "ssh-keygen", &arguments, message).0
    };
    for row in &rows {
        assert!(
            check(row, &line(row), "event-v1@mledger"),
            "event {}",
            row.seq
        );
    }
    let row = &rows[3];
    let mut other = line(row);
    other[10] ^= 1;
    assert!(!check(row, &other, "event-v1@mledger"), "another line");
    assert!(!check(row, &line(row), "git"), "another namespace");
    assert!(
        !check(&rows[4], &line(row), "event-v1@mledger"),
        "another event's signature"
    );
}

/// F91
fn every_signature_is_good_for_openssl(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let folder = specimen.project.path();
    let rows = rows(&specimen.project);
    let (_, public) = first_key(&rows);
    // RFC 8410 section 4: the fixed beginning of an Ed25519 public key
    let mut der = crate::records::unhex("302a300506032b6570032100");
    der.extend_from_slice(&public);
    fs::write(
        folder.join("key.pem"),
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der)
        ),
    )
    .unwrap();
    let check = |row: &Row, message: &[u8]| {
        let digest = crate::records::unhex(&sha256(folder, message));
        let preimage = [
            b"SSHSIG".to_vec(),
            string(b"event-v1@mledger"),
            string(b""),
            string(b"sha256"),
            string(&digest),
        ]
        .concat();
        fs::write(folder.join("preimage"), preimage).unwrap();
        fs::write(folder.join("raw"), &row.signature).unwrap();
        let arguments = [
            "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "key.pem", "-in", "preimage",
            "-sigfile", "raw",
        ];
        tool(folder, "openssl", &arguments, b"").0
    };
    for row in &rows {
        assert!(check(row, &line(row)), "event {}", row.seq);
    }
    let mut other = line(&rows[3]);
    other[10] ^= 1;
    assert!(!check(&rows[3], &other), "another line");
}

/// The texts that ran are under the digests that the events name.
fn every_script_is_under_its_sha256(kind: &Kind) {
    let specimen = Specimen::on(kind);
    let folder = specimen.project.path();
    let stored = table(&specimen, "mledger_objects");
    let mut checked = 0;
    let mut digests = Vec::new();
    for row in &stored.rows {
        let [
            Value::Bytes(digest),
            _,
            Value::Text(encoding),
            Value::Bytes(content),
        ] = &row[..]
        else {
            panic!("an object is a digest, a size, an encoding and a content: {row:?}");
        };
        digests.push(hex(digest));
        if encoding == b"raw" {
            assert_eq!(sha256(folder, content), hex(digest));
            checked += 1;
        }
    }
    assert!(checked >= 5, "{checked} objects");
    let named = rows(&specimen.project)
        .iter()
        .filter(|row| member(row, "kind") == "migration.applied")
        .map(|row| {
            let script = &member(row, "body")["script"];
            script.as_str().unwrap().to_owned()
        })
        .collect::<Vec<_>>();
    assert!(named.len() >= 6);
    for digest in named {
        assert!(digests.contains(&digest), "{digest}");
    }
}
