//! An auditor's account that has nothing of ours: the commands of a bundle's `README.txt`, run as they stand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The programs that the page names, and what a shell needs beside them; all are part of a plain system but
/// for `jq`.
const PROGRAMS: [&str; 14] = [
    "sh",
    "sha256sum",
    "ssh-keygen",
    "openssl",
    "jq",
    "base64",
    "cat",
    "cut",
    "echo",
    "head",
    "mktemp",
    "printf",
    "sed",
    "tail",
];

/// Somebody who owns nothing.
const NOBODY: &str = "65534";

/// Returns the commands of a page as one script; `kept` is the checkpoint that a reader has kept.
pub fn script(page: &str, kept: &Path) -> String {
    let commands: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(|line| line.replace("FILE", kept.to_str().unwrap()))
        .collect();
    format!("set -e\n{}\n", commands.join("\n"))
}

/// Says whether all commands ended as the page says, and returns what they printed.
#[track_caller]
pub fn assert_said(output: &Output, script: &str) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}\n{output:#?}");
    for words in [
        "all files are as packed",
        "Good \"export-v1@mledger\" signature",
        "Good \"event-v1@mledger\" signature",
        "Signature Verified Successfully",
        "anchored to a checkpoint from outside",
        "intact: this is what was signed",
        "ledger.created",
    ] {
        assert!(text.contains(words), "`{words}` in {text}");
    }
    text
}

/// Runs the page's commands on a copy that nobody may write to, by an account without rights, home and
/// variables, and with those programs alone.
#[track_caller]
pub fn assert_checks(bundle: &Path) {
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("bundle");
    copy_for_reading(bundle, &copy);
    let kept = place.path().join("kept");
    fs::copy(copy.join("checkpoint"), &kept).unwrap();
    let programs = place.path().join("bin");
    fs::create_dir(&programs).unwrap();
    for program in PROGRAMS {
        symlink(found(program), programs.join(program)).unwrap();
    }
    symlink(python(), programs.join("python3")).unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let page = fs::read_to_string(copy.join("README.txt")).unwrap();
    let script = script(&page, &kept);
    let output = as_nobody(&programs)
        .args(["-c", &script])
        .current_dir(&copy)
        .output()
        .unwrap();
    assert_said(&output, &script);
    // who runs the tests must be able to clear the copy away
    for_writing(&copy);
}

/// A shell without rights; who has none to give away keeps the own ones.
fn as_nobody(programs: &Path) -> Command {
    let shell = programs.join("sh");
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = if is_root {
        let mut command = Command::new(found("setpriv"));
        command
            .args(["--reuid", NOBODY, "--regid", NOBODY])
            .args(["--clear-groups", "--no-new-privs"])
            .arg(shell);
        command
    } else {
        Command::new(shell)
    };
    command
        .env_clear()
        .env("PATH", programs)
        .env("HOME", "/nonexistent");
    command
}

fn found(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap();
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("expected the program `{program}` on the path"))
}

/// The interpreter itself: what stands for it on the path may be a script of who runs the tests.
fn python() -> PathBuf {
    let system = PathBuf::from("/usr/bin/python3");
    if system.exists() {
        return system;
    }
    let asked = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    PathBuf::from(String::from_utf8(asked.stdout).unwrap().trim())
}

fn copy_for_reading(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_for_reading(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
            fs::set_permissions(&target, Permissions::from_mode(0o444)).unwrap();
        }
    }
    fs::set_permissions(to, Permissions::from_mode(0o555)).unwrap();
}

fn for_writing(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for_writing(&path);
        }
    }
}
