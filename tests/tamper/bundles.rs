//! Exports that were changed on their way: each file in several ways, archives that are none, and what
//! somebody can do who holds a key. Our program and `verify.py` must say the same. An export is the same
//! from every database, so these run on SQLite alone.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use mledger::ledger::{Signer as _, SigningKey};
use mledger::request::Verify;

use crate::bundle::{Bundle, Said, ours, theirs};
use crate::support::{Project, bare};

/// A project whose history is worth exporting, and its export.
fn exported() -> (Project, Bundle) {
    let project = Project::with_effects(2);
    project.ok(&["up"]);
    project.ok(&["down"]);
    project.ok(&["export", "bundle"]);
    let bundle = Bundle::copy_of(&project.path().join("bundle"));
    (project, bundle)
}

fn key(project: &Project) -> SigningKey {
    let path = project.path().join("home/config/mledger/id_ed25519");
    SigningKey::from_openssh(&fs::read_to_string(path).unwrap(), None).unwrap()
}

/// The same bytes, changed in ways that happen.
fn changes(bytes: &[u8]) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let mut flipped = bytes.to_vec();
    flipped[bytes.len() / 2] ^= 1;
    let text = String::from_utf8_lossy(bytes);
    vec![
        ("one bit flipped", Some(flipped)),
        (
            "its last byte cut off",
            Some(bytes[..bytes.len() - 1].to_vec()),
        ),
        ("cut in half", Some(bytes[..bytes.len() / 2].to_vec())),
        ("emptied", Some(Vec::new())),
        (
            "line ends converted",
            Some(text.replace('\n', "\r\n").into_bytes()),
        ),
        ("a line added", Some([bytes, b"more\n"].concat())),
        ("removed", None),
    ]
}

#[test]
fn every_change_of_a_file_is_found_by_both_programs() {
    let (_, whole) = exported();
    let said = whole.both("as exported");
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(
        whole.theirs_alone(),
        said,
        "the same without any package of Python"
    );
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for name in whole.names() {
        // one object stands for all of them, and so does one report
        if let Some((folder, _)) = name.split_once('/')
            && !seen.insert(folder.to_owned())
        {
            continue;
        }
        let bytes = whole.read(&name);
        for (what, changed) in changes(&bytes) {
            if changed.as_deref() == Some(&bytes) {
                continue;
            }
            let bundle = Bundle::copy_of(&whole.path());
            match changed {
                Some(changed) => bundle.write(&name, &changed),
                None => fs::remove_file(bundle.file(&name)).unwrap(),
            }
            let case = format!("`{name}`: {what}");
            let (ours, theirs) = (bundle.ours(), bundle.theirs());
            if ours != theirs || ours.exit != 4 {
                wrong.push(format!("{case}: ours {ours:?}, verify.py {theirs:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn who_holds_a_key_can_repack_but_not_rewrite() {
    let (project, whole) = exported();
    let owner = key(&project);
    let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let cut = |name: &str| {
        let bytes = whole.read(name);
        let end = bytes[..bytes.len() - 1]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .unwrap();
        bytes[..=end].to_vec()
    };
    type Change<'a> = (&'a str, &'a str, Box<dyn Fn(&Bundle) + 'a>);
    let cases: Vec<Change> = vec![
        (
            "an event changed",
            "signature-invalid",
            Box::new(|bundle| {
                let text = String::from_utf8(whole.read("events.jsonl")).unwrap();
                let text = text.replacen("\"outcome\":\"success\"", "\"outcome\":\"failure\"", 1);
                bundle.write("events.jsonl", text.as_bytes());
            }),
        ),
        (
            "the first event left out",
            "seq-gap",
            Box::new(|bundle| {
                for name in ["events.jsonl", "signatures"] {
                    let bytes = whole.read(name);
                    bundle.write(name, &bytes[line(&bytes)..]);
                }
            }),
        ),
        (
            "the last event left out",
            "truncated",
            Box::new(|bundle| {
                for name in ["events.jsonl", "signatures"] {
                    bundle.write(name, &cut(name));
                }
            }),
        ),
        (
            "a signature left out",
            "bundle-incomplete",
            Box::new(|bundle| bundle.write("signatures", &cut("signatures"))),
        ),
        (
            "a checkpoint that is none",
            "checkpoint-invalid",
            Box::new(|bundle| bundle.write("checkpoint", b"mledger/none\n")),
        ),
        (
            "a checkpoint of ten thousand signatures",
            "checkpoint-invalid",
            Box::new(|bundle| {
                let note = String::from_utf8(whole.read("checkpoint")).unwrap();
                let (_, signature) = note.split_once("\n\n").unwrap();
                let note = note.clone() + &signature.repeat(10_000);
                bundle.write("checkpoint", note.as_bytes());
            }),
        ),
        (
            "no checkpoint",
            "bundle-incomplete",
            Box::new(|bundle| fs::remove_file(bundle.file("checkpoint")).unwrap()),
        ),
        (
            "a key of somebody else among the allowed ones",
            "manifest-invalid",
            Box::new(|bundle| {
                let key = SigningKey::from_seed([9; 32]);
                let keys = String::from_utf8(whole.read("allowed_signers")).unwrap();
                let more = key.public_key().to_openssh();
                bundle.write("allowed_signers", format!("{keys}eve {more}\n").as_bytes());
            }),
        ),
        (
            "an object changed",
            "object-mismatch",
            Box::new(|bundle| bundle.write(&object(bundle), b"SELECT 1;")),
        ),
        (
            "an object left out",
            "object-missing",
            Box::new(|bundle| fs::remove_file(bundle.file(&object(bundle))).unwrap()),
        ),
        (
            "an object called absent that is small",
            "object-missing",
            Box::new(|bundle| {
                let name = object(bundle);
                fs::remove_file(bundle.file(&name)).unwrap();
                let line = format!("{} 5\n", &name["objects/".len()..]);
                bundle.write("objects.absent", line.as_bytes());
            }),
        ),
    ];
    for (case, code, change) in cases {
        let bundle = Bundle::copy_of(&whole.path());
        change(&bundle);
        bundle.seal(&owner);
        let said = bundle.both(case);
        assert!(said.errors.contains(code), "{case}: {said:?}");
    }
    let bundle = Bundle::copy_of(&whole.path());
    bundle.seal(&SigningKey::from_seed([9; 32]));
    let said = bundle.both("packed by a stranger");
    assert!(said.errors.contains("manifest-invalid"), "{said:?}");
    let bundle = Bundle::copy_of(&whole.path());
    bundle.write("README.txt", b"Read this.\n");
    bundle.seal(&owner);
    let said = bundle.both("another page, packed by the owner");
    assert_eq!(said.exit, 0, "{said:?}");
}

fn object(bundle: &Bundle) -> String {
    let names = bundle.names();
    let name = names.iter().find(|name| name.starts_with("objects/"));
    name.unwrap().clone()
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let (_, bundle) = exported();
    let outside = bundle.path().with_file_name("outside");
    fs::rename(bundle.file("README.txt"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, bundle.file("README.txt")).unwrap();
    let said = bundle.both("a link in place of a file");
    assert!(said.errors.contains("manifest-invalid"), "{said:?}");
}

/// What both programs say of a bundle, which is the same.
#[track_caller]
fn both(path: &Path) -> Said {
    let said = ours(path, &Verify::default());
    assert_eq!(
        said,
        theirs(path, &[]),
        "{}: ours and verify.py",
        path.display()
    );
    said
}

/// Packs files into an archive, as they are named.
fn archive<'a>(
    path: &Path,
    members: impl IntoIterator<Item = (&'a str, tar::EntryType, &'a [u8])>,
) {
    let encoder = zstd::Encoder::new(File::create(path).unwrap(), 1).unwrap();
    let mut builder = tar::Builder::new(encoder);
    for (name, kind, bytes) in members {
        let mut header = tar::Header::new_ustar();
        // `set_path` refuses what an attacker would write
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
}

#[test]
fn an_archive_is_read_to_its_end_and_never_unpacked() {
    use tar::EntryType::{GNULongName, Regular, Symlink};
    let (project, bundle) = exported();
    project.ok(&["export", "one.tar.zst"]);
    let whole = fs::read(project.path().join("one.tar.zst")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.tar.zst");
    let said = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        both(&path)
    };
    assert_eq!(said(&whole).exit, 0);
    for length in [0, 3, whole.len() / 2, whole.len() - 1] {
        assert_eq!(said(&whole[..length]).exit, 4, "cut to {length} bytes");
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    assert_eq!(said(&flipped).exit, 4);
    assert_eq!(said(b"PK\x03\x04 not an archive").exit, 4);
    assert_eq!(
        ours(&folder.path().join("nothing"), &Verify::default()).exit,
        2
    );
    assert_eq!(theirs(&folder.path().join("nothing"), &[]).exit, 2);

    let names = bundle.names();
    let files: Vec<(String, Vec<u8>)> = names
        .iter()
        .map(|name| (format!("b/{name}"), bundle.read(name)))
        .collect();
    let plain = || {
        let files = files.iter();
        files.map(|(name, bytes)| (name.as_str(), Regular, bytes.as_slice()))
    };
    archive(&path, plain());
    assert_eq!(both(&path).exit, 0, "packed by another program");
    for (name, kind) in [
        ("../../evil", Regular),
        ("/tmp/evil", Regular),
        ("b/../evil", Regular),
        ("b/more", Regular),
        ("b/README.txt", Regular),
        ("b/README.txt", Symlink),
        ("b/long", GNULongName),
    ] {
        archive(&path, plain().chain([(name, kind, b"evil".as_slice())]));
        let said = both(&path);
        assert_eq!(said.exit, 4, "{name} {kind:?}: {said:?}");
        assert!(said.errors.contains("manifest-invalid"), "{name}: {said:?}");
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing was unpacked"
    );
}

#[test]
fn a_claim_of_many_bytes_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.tar.zst");
    let mut encoder = zstd::Encoder::new(File::create(&path).unwrap(), 1).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("b/MANIFEST.sha256").unwrap();
    header.set_size(10 << 30);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    // so much is there of it, on one line; the claim is ten times larger
    io::copy(&mut io::Read::take(io::repeat(b'a'), 1 << 30), &mut encoder).unwrap();
    encoder.finish().unwrap();
    assert_eq!(both(&path).exit, 4);
    assert!(peak() < 400 << 20, "{} bytes", peak());
}

/// The most memory that this process has had.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Runs what the page says, line for line, where somebody would who has just unpacked a bundle.
#[test]
fn the_commands_of_the_page_work_as_they_stand() {
    let (project, bundle) = exported();
    let page = String::from_utf8(bundle.read("README.txt")).unwrap();
    let kept = project.path().join("kept");
    fs::write(&kept, bundle.read("checkpoint")).unwrap();
    let script = bare::script(&page, &kept);
    for program in ["sha256sum", "ssh-keygen", "openssl", "jq", "python3"] {
        assert!(page.contains(program), "the page uses `{program}`");
    }
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(bundle.path())
        .output()
        .unwrap();
    let text = bare::assert_said(&output, &script);
    let first = text
        .lines()
        .find_map(|line| line.strip_suffix("  -"))
        .unwrap();
    let events = String::from_utf8(bundle.read("events.jsonl")).unwrap();
    let second = events.lines().nth(1).unwrap();
    assert!(second.contains(&format!("\"prev\":\"{first}\"")));
    assert_eq!(bundle.both("afterwards").exit, 0, "nothing was left behind");
}

#[test]
fn a_bundle_needs_no_project_and_no_configuration() {
    let (project, bundle) = exported();
    project.write("mledger.toml", "this is no configuration");
    project.remove("mledger.db");
    let ended = project.ok(&["verify", "--bundle", bundle.path().to_str().unwrap()]);
    assert!(ended.stdout.contains("intact"), "{ended:#?}");
    assert!(ended.stdout.contains("anchored to nothing"), "{ended:#?}");
    project.fails(2, &["verify", "--bundle", "nothing"]);
    bundle.write("more", b"");
    let ended = project.fails(4, &["verify", "--bundle", bundle.path().to_str().unwrap()]);
    assert!(ended.stdout.contains("manifest-invalid"), "{ended:#?}");
}
