//! What changes when a person sits at a terminal, made by `script` (util-linux).

#![expect(clippy::expect_used, reason = "tests")]

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::project::{KEY_VARIABLE, Project};

/// What was seen on the terminal, and how the command ended.
struct Seen {
    text: String,
    code: Option<i32>,
}

/// Runs a command line on a terminal of 100 columns; once `prompt` is seen, `answer` is typed.
fn at_a_terminal(
    project: &Project,
    line: &str,
    dialogue: Option<(&str, &str)>,
    colour: bool,
) -> Seen {
    let program = project.command(&[]);
    let mut command = Command::new("script");
    let inner = format!(
        "stty cols 100 rows 40; exec {} {line}",
        env!("CARGO_BIN_EXE_mledger")
    );
    command
        .args(["--quiet", "--return", "--command", &inner, "/dev/null"])
        .current_dir(project.path("."))
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if !colour {
        command.env("NO_COLOR", "1");
    }
    let mut child = command.spawn().expect("`script` of util-linux starts");
    let mut stdin = child.stdin.take().expect("its stdin");
    let mut stdout = child.stdout.take().expect("its stdout");
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    let mut dialogue = dialogue;
    loop {
        let read = stdout.read(&mut chunk).unwrap_or_default();
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..read]);
        let seen = String::from_utf8_lossy(&bytes);
        if let Some((_, answer)) = dialogue.take_if(|(prompt, _)| seen.contains(*prompt)) {
            // the prompt is shown before the terminal stops echoing
            std::thread::sleep(std::time::Duration::from_millis(300));
            stdin.write_all(answer.as_bytes()).expect("it reads");
        }
    }
    let code = child.wait().expect("it ends").code();
    Seen {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        code,
    }
}

#[test]
fn a_question_is_asked_and_its_answer_is_taken() {
    let project = Project::with_two_migrations();
    assert_eq!(project.run(&["up"]).code, Some(0));
    let ask = |answer| at_a_terminal(&project, "down --all", Some(("[y/N]", answer)), true);
    let no = ask("n\n");
    assert_eq!(no.code, Some(3), "{}", no.text);
    assert_eq!(
        project.run(&["status", "--json"]).json()["counts"]["applied"],
        2
    );
    let yes = ask("y\n");
    assert_eq!(yes.code, Some(0), "{}", yes.text);
    assert_eq!(
        project.run(&["status", "--json"]).json()["counts"]["applied"],
        0
    );
}

#[test]
fn nobody_is_asked_who_said_not_to() {
    let project = Project::with_two_migrations();
    assert_eq!(project.run(&["up"]).code, Some(0));
    let seen = at_a_terminal(&project, "down --all --no-input", None, true);
    assert_eq!(seen.code, Some(3), "{}", seen.text);
    assert!(!seen.text.contains("[y/N]"), "{}", seen.text);
    let seen = at_a_terminal(&project, "down --all --yes", None, true);
    assert_eq!(seen.code, Some(0), "{}", seen.text);
}

#[test]
fn a_table_has_borders_and_its_colours_can_be_switched_off() {
    let project = Project::with_two_migrations();
    let coloured = at_a_terminal(&project, "status", None, true).text;
    assert!(
        coloured.contains('│') && coloured.contains("\u{1b}["),
        "{coloured}"
    );
    for plain in [
        at_a_terminal(&project, "status", None, false).text,
        at_a_terminal(&project, "status --color never", None, true).text,
    ] {
        assert!(plain.contains('│') && !plain.contains('\u{1b}'), "{plain}");
    }
    let piped = project.run(&["status"]).stdout;
    assert!(!piped.contains('│') && !piped.contains('\u{1b}'), "{piped}");
}

#[test]
fn a_passphrase_is_asked_for_and_not_shown() {
    let project = Project::with_two_migrations();
    let mut make = project.command(&["key", "new", "--passphrase", "--out", "encrypted"]);
    let made = make.env("MLEDGER_KEY_PASSPHRASE", "open sesame").status();
    assert!(made.expect("it runs").success());
    let zeros = "0".repeat(64);
    let sign = ["key", "prove", "--ledger", &zeros, "--key", "encrypted"];
    let dialogue = Some(("passphrase of the key", "open sesame\n"));
    let seen = at_a_terminal(&project, &sign.join(" "), dialogue, true);
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    assert!(seen.text.contains("BEGIN SSH SIGNATURE"), "{}", seen.text);
    assert!(!seen.text.contains("sesame"), "{}", seen.text);

    let mut alone = project.command(&sign);
    let output = alone.env_remove(KEY_VARIABLE).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let given = alone.env("MLEDGER_KEY_PASSPHRASE", "open sesame").output();
    assert_eq!(given.expect("it runs").status.code(), Some(0));
    // what it is needs no passphrase
    let shown = project.run(&["key", "show", "--key", "encrypted", "--json"]);
    assert_eq!(shown.json()["kind"], "encrypted_file");
}
