//! What a bundle is held against, and what lies in it that should not: our program and `verify.py` give the
//! same answer, rest on the same anchor, and refuse the same questions.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use mledger::audit;
use mledger::error::Error;
use mledger::ledger::note::{COSIGNATURE, Note, SignatureLine, Witness, key_hash};
use mledger::ledger::{Checkpoint, Signer as _, SigningKey};
use mledger::request::Verify;

use crate::bundle::{Bundle, Said, theirs};
use crate::judge;
use crate::vectors::{golden, owner};

/// Exit code, errors, and how many events the anchor covers; 2 says that the question was refused.
type Answer = (i32, Vec<String>, u64);

fn ours(path: &Path, request: &Verify) -> Answer {
    match audit::verify(path, request) {
        Ok(report) => {
            let Said { exit, errors } = Said::of(&report);
            (exit, errors.into_iter().collect(), report.anchored_size)
        }
        Err(Error::Usage { .. }) => (2, Vec::new(), 0),
        Err(error) => (
            i32::from(error.exit_code()),
            vec![error.code().to_owned()],
            0,
        ),
    }
}

fn others(path: &Path, arguments: &[&str]) -> Answer {
    let Said { exit, errors } = theirs(path, arguments);
    let all = [&[path.to_str().unwrap()], arguments].concat();
    let stdout = judge::ask(&all).stdout;
    let anchored = stdout
        .lines()
        .find_map(|line| line.strip_prefix("complete  anchored to a checkpoint from outside, "))
        .map_or(0, |rest| rest.trim_end_matches(" events").parse().unwrap());
    (exit, errors.into_iter().collect(), anchored)
}

fn public(key: &SigningKey) -> String {
    key.public_key().to_openssh()
}

#[test]
fn files_of_allowed_signers_are_read_alike() {
    let bundle = golden();
    let key = public(&owner());
    let stranger = public(&SigningKey::from_seed([9; 32]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signers");
    let mut seen = [false; 3];
    for text in [
        format!("dana@example.com {key}\n"),
        format!("dana@example.com {key} at home\n"),
        format!("# a comment\n\n  \"dana,d*\"\tnamespaces=\"git,event-v1@mledger\" {key}\r\n"),
        format!("* namespaces=\"event-*@mledge?\" {key}"),
        format!("* namespaces=\"event.*\" {key}"),
        format!("dana namespaces=\"git\" {key}\n"),
        format!("dana cert-authority {key}\n"),
        format!("dana cert-authority,namespaces=\"*\" {key}\n"),
        format!("dana namespaces=\"git\",namespaces=\"*\" {key}\n"),
        format!("eve {stranger}\n"),
        format!("eve {stranger}\ndana {key}\n"),
        "dana ssh-rsa AAAA\n".to_owned(),
        "dana sk-ssh-ed25519@openssh.com AAAA\n".to_owned(),
        String::new(),
        format!("dana valid-before=\"20260101\" {key}\n"),
        format!("dana namespaces=\"!git,*\" {key}\n"),
        format!("dana {}\n", &key[..key.len() - 4]),
        format!("dana {}\n", key.replace(' ', "  ")),
        format!("\"dana {key}\n"),
        "dana\n".to_owned(),
        "dana ssh-ed25519 AAAA\n".to_owned(),
        "dana namespaces=\"x\" nothing\n".to_owned(),
        "\u{0}\n".to_owned(),
    ] {
        fs::write(&file, &text).unwrap();
        let request = Verify {
            trust: Some(text.clone()),
            ..Verify::default()
        };
        let answer = ours(&bundle.path(), &request);
        let arguments = ["--trust", file.to_str().unwrap()];
        assert_eq!(answer, others(&bundle.path(), &arguments), "{text:?}");
        let unknown = answer.1.iter().any(|code| code == "key-unknown");
        seen[usize::from(answer.0 == 2) * 2 + usize::from(unknown)] = true;
    }
    assert_eq!(seen, [true; 3], "trusted, not trusted, and refused");
    fs::write(&file, b"dana \xff\n").unwrap();
    for path in [file, folder.path().join("nothing")] {
        let arguments = ["--trust", path.to_str().unwrap()];
        assert_eq!(others(&bundle.path(), &arguments).0, 2, "as ours");
    }
}

/// Signs a checkpoint as a witness does (C2SP tlog-cosignature).
fn cosign(note: &str, name: &str, key: &SigningKey, spoil: bool) -> String {
    let mut note = Note::parse(note).unwrap();
    let message = format!("cosignature/v1\ntime 1784000000\n{}", note.text);
    let mut signature = 1_784_000_000_u64.to_be_bytes().to_vec();
    signature.extend_from_slice(key.sign(message.as_bytes()).unwrap().as_bytes());
    if spoil {
        signature[20] ^= 1;
    }
    note.signatures.push(SignatureLine {
        name: name.to_owned(),
        key_hash: key_hash(name, COSIGNATURE, key.public_key()),
        signature,
    });
    note.to_string()
}

#[test]
fn witnesses_are_asked_alike() {
    let key = SigningKey::from_seed([77; 32]);
    let name = "witness.example.com/w1";
    let verifier = |kind: u8| {
        use base64::Engine as _;
        let blob = [&[kind], key.public_key().as_bytes().as_slice()].concat();
        let hash = u32::from_be_bytes(key_hash(name, kind, key.public_key()));
        let blob = base64::engine::general_purpose::STANDARD.encode(blob);
        format!("{name}+{hash:08x}+{blob}")
    };
    let known = verifier(COSIGNATURE);
    let whole = golden();
    let note = String::from_utf8(whole.read("checkpoint")).unwrap();
    let mut anchored = 0;
    for (case, text) in [
        ("without", note.clone()),
        ("cosigned", cosign(&note, name, &key, false)),
        ("cosigned wrongly", cosign(&note, name, &key, true)),
        (
            "cosigned by another",
            cosign(&note, name, &SigningKey::from_seed([78; 32]), false),
        ),
    ] {
        let bundle = Bundle::copy_of(&whole.path());
        bundle.write("checkpoint", text.as_bytes());
        bundle.seal(&owner());
        let request = Verify {
            witnesses: vec![Witness::parse(&known).unwrap()],
            ..Verify::default()
        };
        let answer = ours(&bundle.path(), &request);
        assert_eq!(
            answer,
            others(&bundle.path(), &["--witness", &known]),
            "{case}"
        );
        anchored += u64::from(answer.2 > 0);
    }
    assert_eq!(anchored, 1, "only a cosignature that holds anchors");
    for text in [
        verifier(1),
        known.replace("w1+", "w2+"),
        known.replacen('+', " ", 1),
        known[..known.len() - 1].to_owned(),
        "witness".to_owned(),
        String::new(),
    ] {
        assert!(Witness::parse(&text).is_err(), "{text}");
        assert_eq!(
            others(&whole.path(), &["--witness", &text]).0,
            2,
            "{text}: refused as ours does"
        );
    }
}

#[test]
fn checkpoints_and_ids_from_outside_are_judged_alike() {
    let bundle = golden();
    let note = String::from_utf8(bundle.read("checkpoint")).unwrap();
    let head = Checkpoint::parse(&note).unwrap().0;
    let stranger = SigningKey::from_seed([9; 32]);
    let sign = |checkpoint: Checkpoint, key| checkpoint.sign(key).unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept");
    let more = Checkpoint {
        size: head.size + 1,
        ..head
    };
    let signatures = note.split_once("\n\n").unwrap().1.repeat(10_000);
    for text in [
        note.clone(),
        // as version control on Windows leaves it
        note.replace('\n', "\r\n"),
        sign(more, &owner()),
        sign(head, &stranger),
        note.replacen("\n\n", "\nmore\n\n", 1),
        note[..note.len() - 1].to_owned(),
        note.clone() + &signatures,
        "\u{1b}[2J".to_owned(),
        String::new(),
    ] {
        fs::write(&file, &text).unwrap();
        let request = Verify {
            checkpoints: vec![mledger::checkpoints::line_feeds(&text)],
            ..Verify::default()
        };
        let arguments = ["--checkpoint", file.to_str().unwrap()];
        let case = text.chars().take(300).collect::<String>();
        assert_eq!(
            ours(&bundle.path(), &request),
            others(&bundle.path(), &arguments),
            "{case:?}"
        );
    }
    let report = audit::verify(&bundle.path(), &Verify::default()).unwrap();
    for id in report.lineage.iter().copied().chain([head.root]) {
        let request = Verify {
            ledger: Some(id),
            ..Verify::default()
        };
        let text = id.to_string();
        assert_eq!(
            ours(&bundle.path(), &request),
            others(&bundle.path(), &["--ledger", &text]),
            "{id}"
        );
    }
    let upper = head.ledger.to_string().to_uppercase();
    assert_eq!(others(&bundle.path(), &["--ledger", &upper]).0, 2);
}

#[test]
fn what_does_not_belong_into_a_bundle_is_found_alike() {
    type Change = (&'static str, fn(&Bundle));
    let cases: [Change; 16] = [
        ("a file more", |b| b.write("more", b"")),
        ("a file more in a folder", |b| b.write("reports/more", b"")),
        ("a file in a folder of a folder", |b| b.write("a/b/c", b"")),
        ("an empty folder", |b| {
            fs::create_dir(b.file("empty")).unwrap();
        }),
        ("an empty folder in a folder", |b| {
            fs::create_dir_all(b.file("a/b")).unwrap();
        }),
        ("a hidden file", |b| b.write(".DS_Store", b"")),
        ("a name that is an option", |b| b.write("-rf", b"")),
        ("a name with a blank", |b| b.write("READ ME.txt", b"")),
        ("a name that turns round", |b| {
            b.write("\u{202e}txt.exe", b"");
        }),
        ("a name that steers a terminal", |b| {
            b.write("\u{1b}[2J", b"");
        }),
        ("a long name", |b| b.write(&"n".repeat(151), b"")),
        ("a folder in the place of a file", |b| {
            fs::remove_file(b.file("README.txt")).unwrap();
            fs::create_dir(b.file("README.txt")).unwrap();
        }),
        ("an object with a name in capitals", |b| {
            b.write(&format!("objects/{}", "A".repeat(64)), b"x");
        }),
        ("no checkpoint over all, but earlier ones", |b| {
            fs::remove_file(b.file("checkpoint")).unwrap();
        }),
        ("a checkpoint over all that is none", |b| {
            b.write("checkpoint", b"none\n");
        }),
        ("nothing at all", |b| {
            fs::remove_dir_all(b.path()).unwrap();
            fs::create_dir(b.path()).unwrap();
        }),
    ];
    // of the golden ledger's objects some are not there
    let usual = golden().both("as it is").errors;
    for (case, change) in cases {
        for seal in [false, true] {
            let bundle = golden();
            change(&bundle);
            if seal && bundle.file("events.jsonl").exists() {
                bundle.seal(&owner());
            }
            let said = bundle.both(case);
            let plain = ["an empty folder"].contains(&case)
                || seal && ["a file more", "a file more in a folder"].contains(&case);
            assert_eq!(said.errors == usual, plain, "{case}: {said:?}");
        }
    }
}

#[test]
fn lines_that_are_none_are_counted_alike() {
    type Change = (&'static str, fn(&str) -> String);
    let changes: [Change; 8] = [
        ("an empty line behind", |text| format!("{text}\n")),
        ("an empty line before", |text| format!("\n{text}")),
        ("no end", |text| text[..text.len() - 1].to_owned()),
        ("a long line behind", |text| {
            format!("{text}{}\n", "x".repeat(300_000))
        }),
        ("a long line behind without an end", |text| {
            format!("{text}{}", "x".repeat(131_070))
        }),
        ("a line as long as one may be", |text| {
            format!("{text}{}\n", "x".repeat(131_069))
        }),
        ("carriage returns", |text| text.replace('\n', "\r\n")),
        ("a byte order mark", |text| format!("\u{feff}{text}")),
    ];
    for name in ["events.jsonl", "signatures"] {
        for (case, change) in changes {
            let bundle = golden();
            let text = String::from_utf8(bundle.read(name)).unwrap();
            bundle.write(name, change(&text).as_bytes());
            bundle.seal(&owner());
            let said = bundle.both(&format!("`{name}`: {case}"));
            assert_eq!(said.exit, 4, "`{name}`: {case}: {said:?}");
        }
    }
}
