//! Exit codes, streams, and what holds without a terminal.

#![expect(clippy::expect_used, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::project::{Ended, KEY_VARIABLE, Project};

/// F109
#[test]
fn every_answer_is_one_json_document() {
    let project = Project::with_two_migrations();
    for (arguments, code) in [
        (vec!["status"], 0),
        (vec!["health"], 6),
        (vec!["plan", "--exit-code"], 8),
        (vec!["verify"], 2),
        (vec!["init"], 0),
        (vec!["up", "--dry-run"], 0),
        (vec!["analyze", "1"], 0),
        (vec!["analyze", "77"], 2),
        (vec!["health"], 0),
        (vec!["health", "--exit-code"], 8),
        (vec!["up"], 0),
        (vec!["up"], 0),
        (vec!["health", "--exit-code"], 0),
        (vec!["health", "--max-backup-age", "1h"], 1),
        (vec!["status", "--exit-code"], 0),
        (vec!["status", "--graph"], 0),
        (vec!["status", "--as-of", "2"], 0),
        (vec!["status", "--as-of", "9999"], 2),
        (vec!["history"], 0),
        (vec!["history", "--from", "1.0.0"], 2),
        (vec!["promote"], 2),
        (vec!["promote", "--from", "nowhere.tar.zst"], 2),
        (vec!["promote", "--from", "sqlite:mledger.db"], 3),
        (vec!["events"], 0),
        (vec!["events", "--kind", "none.such"], 0),
        (vec!["show", "0"], 0),
        (vec!["show", "9999"], 2),
        (vec!["verify"], 0),
        (vec!["key", "list"], 0),
        (vec!["key", "show"], 0),
        (vec!["lock", "status"], 0),
        (vec!["lock", "break", "--reason", "none"], 2),
        (vec!["config"], 0),
        (vec!["down"], 0),
        (vec!["status", "--exit-code"], 8),
        (vec!["down", "--all"], 3),
        (vec!["down", "--all", "--yes"], 0),
        (vec!["redo"], 0),
        (vec!["new", "third one"], 0),
        (vec!["down", "--to", "77"], 2),
        (vec!["resolve", "77", "--applied", "--reason", "none"], 2),
        (vec!["nonsense"], 2),
        (vec!["up", "--count", "none"], 2),
        (vec!["status", "-d", "nonsense:x"], 2),
    ] {
        let mut line = arguments.clone();
        line.push("--json");
        let ended = project.run(&line);
        assert_eq!(
            ended.code,
            Some(code),
            "{line:?}: {}{}",
            ended.stdout,
            ended.stderr
        );
        let answer = ended.json();
        assert_eq!(answer["format_version"], "1.0", "{line:?}");
        assert_eq!(answer["ok"], code == 0 || code == 8, "{line:?}");
        if answer["ok"] == false {
            assert_eq!(answer["error"]["exit_code"], code, "{line:?}");
            for member in ["code", "message"] {
                assert!(answer["error"][member].is_string(), "{line:?}: {answer}");
            }
        }
    }
}

#[test]
fn logs_never_touch_stdout() {
    let project = Project::with_two_migrations();
    let mut command = project.command(&["up", "--json", "-vv"]);
    let ended = Ended::from(command.env("RUST_LOG", "trace").output().expect("it runs"));
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.json()["applied"], 2);
    assert!(
        ended.stderr.contains("DEBUG") && ended.stderr.contains("INFO"),
        "{}",
        ended.stderr
    );
}

/// F109
#[test]
fn a_reader_that_leaves_changes_no_exit_code() {
    let project = Project::with_two_migrations();
    assert_eq!(project.run(&["up"]).code, Some(0));
    for arguments in [
        vec!["events"],
        vec!["events", "--json"],
        vec!["status"],
        vec!["--help"],
    ] {
        let mut child = project.start(&arguments);
        drop(child.stdout.take());
        let ended = Ended::from(child.wait_with_output().expect("it ends"));
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stderr, "", "{arguments:?}");
    }
}

#[test]
fn what_was_piped_in_is_left_alone_and_nobody_is_asked() {
    let project = Project::with_two_migrations();
    assert_eq!(project.run(&["up"]).code, Some(0));
    let mut child = project
        .command(&["down", "--all"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("its stdin");
    // it may have ended already
    let _written = stdin.write_all(b"yes\nyes\n");
    drop(stdin);
    let ended = Ended::from(child.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("`--yes`"), "{}", ended.stderr);
    assert_eq!(
        project.run(&["status", "--json"]).json()["counts"]["applied"],
        2
    );
}

#[test]
fn a_pipeline_never_gets_a_key_of_its_own() {
    let project = Project::with_two_migrations();
    for (name, value, arguments) in [
        ("CI", "true", vec!["up", "--json"]),
        ("CI", "1", vec!["init", "--json"]),
        ("UNRELATED", "x", vec!["up", "--no-input", "--json"]),
    ] {
        let mut command = project.command(&arguments);
        command.env_remove(KEY_VARIABLE).env(name, value);
        let ended = Ended::from(command.output().expect("it runs"));
        assert_eq!(ended.code, Some(2), "{}", ended.stdout);
        let answer = ended.json();
        assert_eq!(answer["error"]["code"], "signing-failed");
        let hint = answer["error"]["hint"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(hint.contains(KEY_VARIABLE), "{hint}");
    }
    let left: Vec<_> = fs::read_dir(project.home()).expect("its home").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_first_use_makes_a_key_and_says_where() {
    let project = Project::with_two_migrations();
    let mut command = project.command(&["up"]);
    let ended = Ended::from(command.env_remove(KEY_VARIABLE).output().expect("it runs"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let key = project.home().join("mledger/id_ed25519");
    assert!(
        ended
            .stderr
            .contains(&format!("made a signing key at `{}`", key.display()))
    );
    assert!(key.exists() && key.with_extension("pub").exists());
}

/// What `init` was told holds for the commands after it, but for what may hold a password.
#[test]
fn a_folder_named_to_init_is_the_project_s_from_then_on() {
    let project = Project::new();
    let form = "-- migrate:up\nCREATE TABLE a (id INTEGER);\n-- migrate:down\nDROP TABLE a;\n";
    fs::create_dir_all(project.path("db/migrations")).expect("a folder");
    project.write("db/migrations/20240101000001_a.sql", form);
    let ended = project.run(&["init", "-m", "db/migrations", "-d", "sqlite:db/shop.db"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .contains("mledger.toml does not name the database"),
        "{}",
        ended.stdout
    );
    let settings = project.run(&["config", "--json"]);
    assert_eq!(settings.code, Some(0), "{}", settings.stderr);
    assert!(
        settings.stdout.contains("db/migrations"),
        "{}",
        settings.stdout
    );
    let status = project.run(&["status", "--json", "-d", "sqlite:db/shop.db"]);
    assert_eq!(status.json()["counts"]["pending"], 1);
    let again = project.run(&["init", "-d", "sqlite:db/shop.db"]);
    assert!(!again.stdout.contains("does not name"), "{}", again.stdout);
}

#[test]
fn reading_commands_write_nothing() {
    let project = Project::with_two_migrations();
    for arguments in [
        vec!["status"],
        vec!["plan"],
        vec!["events"],
        vec!["lock", "status"],
        vec!["verify"],
    ] {
        project.run(&arguments);
    }
    assert!(!project.path("mledger.db").exists());
    let left: Vec<_> = fs::read_dir(project.home()).expect("its home").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_protected_environment_is_stated_and_confirmed() {
    let project = Project::with_two_migrations();
    project.write(
        "mledger.toml",
        "[environments.production]\nrequire_approval = 0\n",
    );
    let production = |arguments: &[&str]| {
        let ended = project.run(arguments);
        (ended.code, ended.stderr)
    };
    let (code, stderr) = production(&["up", "--env", "production"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("--new-ledger REASON"), "{stderr}");
    let begin = [
        "init",
        "--env",
        "production",
        "--new-ledger",
        "it goes live",
    ];
    assert_eq!(production(&begin).0, Some(0));
    assert_eq!(production(&["up", "--env", "production"]).0, Some(0));
    let (code, stderr) = production(&["down"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("--confirm production"), "{stderr}");
    let (code, stderr) = production(&["down", "--env", "production", "--yes"]);
    assert_eq!(code, Some(3), "{stderr}");
    let (code, stderr) = production(&["down", "--env", "production", "--confirm", "staging"]);
    assert_eq!(code, Some(3), "{stderr}");
    let (code, stderr) = production(&["down", "--confirm", "production"]);
    assert_eq!(code, Some(3), "the environment is not stated: {stderr}");
    assert_eq!(
        production(&["down", "-e", "production", "--confirm", "production"]).0,
        Some(0)
    );
}

#[test]
fn many_first_uses_at_once_agree() {
    let project = Project::with_two_migrations();
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut command = project.command(&["up", "--json"]);
            command
                .env_remove(KEY_VARIABLE)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().expect("it starts")
        })
        .collect();
    let applied: Vec<u64> = children
        .into_iter()
        .map(|child| {
            let ended = Ended::from(child.wait_with_output().expect("it ends"));
            assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
            ended.json()["applied"].as_u64().unwrap_or_default()
        })
        .collect();
    assert_eq!(applied.iter().sum::<u64>(), 2, "{applied:?}");
    let keys = project.run(&["key", "list", "--json"]).json();
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1));
}

#[test]
fn events_can_be_read_one_by_one_while_more_come() {
    let project = Project::with_two_migrations();
    assert_eq!(project.run(&["up", "--count", "1"]).code, Some(0));
    let mut child = project.start(&["events", "--follow", "--kind", "migration.applied"]);
    let mut lines = BufReader::new(child.stdout.take().expect("its stdout")).lines();
    let mut next = || lines.next().and_then(Result::ok).unwrap_or_default();
    assert!(next().contains("1 users"));
    assert_eq!(project.run(&["up"]).code, Some(0));
    assert!(next().contains("2 orders"));
    child.kill().expect("it can be ended");
    child.wait().expect("it ends");
}

/// What `show` prints must be enough for an auditor with `sha256sum` and `ssh-keygen` alone.
#[test]
fn an_event_can_be_checked_by_hand() {
    let project = Project::with_two_migrations();
    assert_eq!(project.run(&["up"]).code, Some(0));
    let shown = project.run(&["show", "3", "--json"]).json();
    let text = |member: &str| shown[member].as_str().unwrap_or_default().to_owned();
    let line = format!("{}\n", text("line"));
    let entry = format!("\0{line}{}\n", text("signature"));
    assert_eq!(
        shown["event"]["hash"],
        ledger::Digest::of(entry.as_bytes()).to_string()
    );

    project.write("event.json.sig", &text("armored"));
    project.write("signers", &format!("signer {}\n", text("public")));
    let arguments = [
        "-Y",
        "verify",
        "-f",
        "signers",
        "-I",
        "signer",
        "-n",
        "event-v1@mledger",
        "-s",
        "event.json.sig",
    ];
    let mut child = std::process::Command::new("ssh-keygen")
        .args(arguments)
        .current_dir(project.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ssh-keygen starts");
    let mut stdin = child.stdin.take().expect("its stdin");
    stdin.write_all(line.as_bytes()).expect("it reads");
    drop(stdin);
    let ended = Ended::from(child.wait_with_output().expect("it ends"));
    assert!(
        ended
            .stdout
            .starts_with("Good \"event-v1@mledger\" signature"),
        "{}",
        ended.stdout
    );
}

/// A checkpoint that went through a Windows editor or mail is the same one for every command.
#[test]
fn line_ends_of_a_checkpoint_do_not_matter() {
    let project = Project::with_two_migrations();
    assert_eq!(project.run(&["up"]).code, Some(0));
    assert_eq!(project.run(&["checkpoint", "--out", "kept"]).code, Some(0));
    let note = fs::read_to_string(project.path("kept")).expect("the checkpoint");
    project.write("mailed", &note.replace('\n', "\r\n"));
    assert_eq!(
        project.run(&["export", "away", "--no-record"]).code,
        Some(0)
    );
    for arguments in [
        ["verify", "--checkpoint", "mailed"].as_slice(),
        &["report", "--checkpoint", "mailed", "--output", "json"],
        &["report", "--bundle", "away", "--checkpoint", "mailed"],
        &["verify", "--bundle", "away", "--checkpoint", "mailed"],
    ] {
        let ended = project.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    }
    let promoted = ["promote", "--from", "away", "--checkpoint", "mailed"];
    let ended = project.run(&[promoted.as_slice(), &["--json"]].concat());
    // it was read, and what it is about is the ledger of this very database
    assert_eq!(ended.code, Some(3), "{}", ended.stdout);
    assert_eq!(ended.json()["error"]["code"], "promotion-mismatch");
}
