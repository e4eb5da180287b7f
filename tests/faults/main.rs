//! Surroundings that fail: disks that are full, files that are not ours, keys that others can read.
//! Each has a clear error and its documented exit code, and nothing is lost.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod disk;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ledger::canonical::Value;
use ledger::{Body, Event, NoteAdded, Outcome, Record, SigningKey, Timestamp};
use mledger::ledger;
use support::Project;

/// A project with two migrations applied and a third pending.
fn under_way() -> Project {
    let project = Project::with_effects(2);
    project.ok(&["up"]);
    project.write("migrations/3_m3.sql", &support::effects(3));
    project
}

/// What must not change when a command is refused.
fn fingerprint(project: &Project) -> String {
    project.sqlite(
        "SELECT count(*) FROM mledger_events; SELECT group_concat(sql) FROM sqlite_schema; SELECT \
         count(*) FROM effects;",
    )
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let project = under_way();
    let before = fingerprint(&project);
    let key = project.path().join("home/config/mledger/id_ed25519");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let ended = project.fails(2, &["up"]);
    assert!(ended.stderr.contains("chmod 600"), "{ended:#?}");
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn a_key_of_another_ledger_is_refused_before_any_statement_runs() {
    let project = under_way();
    let before = fingerprint(&project);
    project.ok(&["key", "new", "--out", "other_key"]);
    let ended = project.fails(3, &["up", "--key", "other_key"]);
    assert!(
        ended.stderr.contains("is not a key of this ledger"),
        "{ended:#?}"
    );
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn in_a_pipeline_no_key_is_invented() {
    for (variables, arguments) in [
        (vec![("CI", "true")], vec!["up"]),
        (vec![], vec!["up", "--no-input"]),
    ] {
        let project = Project::with_effects(1);
        let ended = project.run_with(&arguments, &variables);
        assert_eq!(ended.code, 2, "{ended:#?}");
        assert!(ended.stderr.contains("MLEDGER_KEY"), "{ended:#?}");
        assert!(!project.database().exists(), "nothing is made");
        assert!(!project.path().join("home").exists(), "nothing is made");
    }
}

#[test]
fn a_database_file_that_cannot_be_written_is_refused_and_can_be_read() {
    let project = under_way();
    let before = fingerprint(&project);
    // root may write what it likes, unless the file itself says no
    let made_immutable = std::process::Command::new("chattr")
        .arg("+i")
        .arg(project.database())
        .status()
        .is_ok_and(|status| status.success());
    if !made_immutable {
        fs::set_permissions(project.database(), fs::Permissions::from_mode(0o444)).unwrap();
    }
    let ended = project.run(&["up"]);
    let read = project.run(&["status"]);
    if made_immutable {
        let freed = std::process::Command::new("chattr")
            .arg("-i")
            .arg(project.database())
            .status();
        assert!(freed.unwrap().success());
    }
    assert_eq!(ended.code, 6, "{ended:#?}");
    assert_eq!(read.code, 0, "{read:#?}");
    fs::set_permissions(project.database(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(fingerprint(&project), before);
    project.ok(&["up"]);
}

#[test]
fn tables_of_our_names_that_are_not_ours_stop_every_command() {
    let project = Project::with_effects(1);
    project.sqlite("CREATE TABLE mledger_events (id INTEGER PRIMARY KEY, what TEXT)");
    for command in ["up", "status", "verify", "init"] {
        let ended = project.fails(4, &[command]);
        assert!(ended.stderr.contains("mledger_events"), "{ended:#?}");
    }
    assert_eq!(
        project.sqlite("SELECT count(*) FROM sqlite_schema").trim(),
        "1"
    );
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let project = Project::with_effects(1);
    let text = "this file holds prose, and there is more of it than a header has bytes in SQLite";
    project.write("mledger.db", &text.repeat(20));
    project.fails(4, &["up"]);
    assert_eq!(
        fs::read_to_string(project.database()).unwrap(),
        text.repeat(20)
    );
}

/// Appends an event made by hand after the log's last one, as a newer version of the tool would.
fn append(
    project: &Project,
    change: impl FnOnce(&mut Event),
    edit: impl FnOnce(Vec<u8>) -> Vec<u8>,
) {
    let key = fs::read_to_string(project.path().join("home/config/mledger/id_ed25519")).unwrap();
    let key = SigningKey::from_openssh(&key, None).unwrap();
    let row = project.sqlite(
        "SELECT CAST(line AS TEXT) || '|' || hex(hash) FROM mledger_events ORDER BY seq DESC LIMIT 1",
    );
    let (line, hash) = row.trim().rsplit_once('|').unwrap();
    let last = Event::parse(line.as_bytes()).unwrap();
    let mut event = Event {
        body: Body::NoteAdded(NoteAdded {
            about: None,
            text: "from a newer version".to_owned(),
        }),
        outcome: Outcome::Success,
        prev: hash.to_ascii_lowercase().parse().unwrap(),
        seq: last.seq + 1,
        time: Timestamp::from_micros(last.time.as_micros() + 1),
        ..last
    };
    change(&mut event);
    let mut record = Record::sign(&event, &key).unwrap();
    let edited = edit(record.line.clone());
    if edited != record.line {
        use ledger::Signer;
        record.signature = key
            .sign(&ledger::sshsig::preimage(
                ledger::sshsig::EVENT_NAMESPACE,
                &[edited.as_slice(), b"\n"].concat(),
            ))
            .unwrap();
        record.line = edited;
    }
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    project.sqlite(&format!(
        "INSERT INTO mledger_events VALUES ({}, x'{}', x'{}', x'{}', x'{}')",
        event.seq,
        hex(&record.line),
        hex(record.signature.as_bytes()),
        hex(event.prev.as_bytes()),
        hex(record.hash().as_bytes()),
    ));
}

#[test]
fn a_kind_that_a_newer_version_wrote_can_be_read_past_and_not_built_upon() {
    let project = under_way();
    append(
        &project,
        |event| {
            event.body = Body::Unknown {
                kind: "moon.landed".to_owned(),
                body: Value::object([("where", Value::Text("tranquility".to_owned()))]),
            };
        },
        |line| line,
    );
    let before = fingerprint(&project);
    let read = project.ok(&["status"]);
    assert!(
        (read.stdout + &read.stderr).contains("moon.landed"),
        "status says so"
    );
    for arguments in [
        &["up"][..],
        &["down"],
        &["resolve", "1", "--not-applied", "--reason", "x"],
    ] {
        let ended = project.fails(4, arguments);
        assert!(ended.stderr.contains("moon.landed"), "{ended:#?}");
    }
    assert_eq!(
        project.json(&["verify"])["findings"][0]["code"],
        "kind-unknown"
    );
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn a_line_of_a_newer_format_is_refused() {
    let project = under_way();
    append(
        &project,
        |_| {},
        |line| {
            let text = String::from_utf8(line).unwrap();
            text.replace("\"v\":1}", "\"v\":2}").into_bytes()
        },
    );
    for arguments in [&["up"][..], &["status"], &["verify"]] {
        let ended = project.fails(4, arguments);
        assert!(
            (ended.stdout + &ended.stderr).contains("version"),
            "{arguments:?}"
        );
    }
}

/// A password with every character that URLs treat specially.
const CANARY: &str = "S3cr3t-%40:/#?&=;'\"";

/// F107
#[test]
fn a_secret_in_a_url_is_never_told() {
    let project = Project::with_effects(1);
    let urls = [
        format!("postgres://dana:{CANARY}@db.example:5432/shop"),
        format!("mysql://dana:{CANARY}@[::1]/shop?ssl-mode=required"),
        format!("sqlite:shop.db?key={CANARY}"),
        format!("oracle://dana:{CANARY}@db/x"),
        format!("{CANARY}@db/x"),
        format!("sqlite://dana:{CANARY}@db/x.db"),
    ];
    for url in &urls {
        for arguments in [
            &["status"][..],
            &["up"],
            &["config"],
            &["config", "--json"],
            &["-vv", "up"],
        ] {
            for (flag, variable) in [(true, false), (false, true)] {
                let mut all = arguments.to_vec();
                let mut variables = Vec::new();
                if flag {
                    all.extend(["--database", url]);
                }
                if variable {
                    variables.push(("DATABASE_URL", url.as_str()));
                    variables.push(("RUST_LOG", "trace"));
                }
                let ended = project.run_with(&all, &variables);
                let told = format!("{}{}", ended.stdout, ended.stderr);
                assert!(!told.contains("S3cr3t"), "{url} {arguments:?}: {told}");
            }
        }
        project.write("mledger.toml", &format!("database_url = '''{url}'''\n"));
        let ended = project.run(&["up"]);
        assert!(!format!("{ended:?}").contains("S3cr3t"), "{ended:#?}");
        project.remove("mledger.toml");
    }
}
