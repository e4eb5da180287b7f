//! A disk that is full, at every size at which it can be.

use std::process::{Command, Stdio};

use super::support::engines::Kind;
use super::support::{self, Ended, Project};

/// Runs the program in this project with its database on a disk of so many KiB, in a mount namespace
/// of its own, and then without the limit from a copy of what the disk held.
fn up_on_a_disk_of(project: &Project, kibibytes: usize) -> (i32, String) {
    let script = format!(
        "set -e
mkdir -p disk
mount -t tmpfs -o size={kibibytes}k,mode=0777 tmpfs disk
code=0
\"$PROGRAM\" -d sqlite:disk/mledger.db up || code=$?
rm -f mledger.db mledger.db-wal mledger.db-shm
for file in disk/mledger.db*; do
  if [ -e \"$file\" ]; then cp \"$file\" .; fi
done
exit $code"
    );
    let mut child = Command::new("unshare");
    child
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PROGRAM", env!("CARGO_BIN_EXE_mledger"))
        .env("HOME", project.path().join("home"))
        .env("XDG_CONFIG_HOME", project.path().join("home/config"))
        .env("XDG_STATE_HOME", project.path().join("home/state"))
        .env("MLEDGER_ACTOR", "dana@example.com")
        .current_dir(project.path())
        .stdin(Stdio::null());
    let ended = support::ended(child.output().unwrap());
    (ended.code, ended.stdout + &ended.stderr)
}

/// F117
#[test]
fn a_full_disk_loses_nothing_whenever_it_fills() {
    let mut full = 0;
    let mut whole = 0;
    // from too small for the ledger's tables to large enough for all
    for kibibytes in (16..=2048).step_by(56) {
        let project = Project::new();
        project.write("migrations/1_m1.sql", &support::effects(1));
        for number in 2..=4 {
            let text = support::effects(number).replace(
                "-- DOWN",
                &format!(
                    "INSERT INTO t{number} SELECT value FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION \
                     ALL SELECT value + 1 FROM n WHERE value < 8000) SELECT value FROM n);\n-- DOWN"
                ),
            );
            project.write(&format!("migrations/{number}_m{number}.sql"), &text);
        }
        let (code, told) = up_on_a_disk_of(&project, kibibytes);
        match code {
            0 => whole += 1,
            1 => {
                full += 1;
                assert!(
                    told.contains("full") || told.contains("make room"),
                    "{kibibytes} KiB: {told}"
                );
            }
            _ => panic!("{kibibytes} KiB: exit {code}: {told}"),
        }
        // the same database where there is room: nothing is lost, and the rest goes on
        let state = project.path().join("home/state");
        if state.exists() {
            std::fs::remove_dir_all(state).unwrap();
        }
        if project.database().exists() {
            let checked = project.sqlite("PRAGMA integrity_check");
            assert_eq!(checked.trim(), "ok", "{kibibytes} KiB");
            if project.json(&["status"])["ledger"].is_object() {
                project.assert_invariants();
            }
        }
        project.ok(&["up"]);
        project.assert_invariants();
        assert_eq!(project.applied(), ["1", "2", "3", "4"], "{kibibytes} KiB");
    }
    assert!(
        full >= 5 && whole >= 3,
        "the sizes cover both: {full} full, {whole} whole"
    );
}

/// Runs a command with the folder of backups on a disk of so many KiB, and says what was left there.
fn with_backups_on_a_disk_of(project: &Project, kibibytes: u32, command: &str) -> (Ended, String) {
    let script = format!(
        "mkdir -p backups
mount -t tmpfs -o size={kibibytes}k,mode=0700 tmpfs backups || exit 99
\"$PROGRAM\" {command}
code=$?
ls -A backups > left
exit $code"
    );
    let mut child = Command::new("unshare");
    let own = project.command(&[]);
    child
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .env_clear()
        .envs(
            own.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("PROGRAM", env!("CARGO_BIN_EXE_mledger"))
        .current_dir(project.path())
        .stdin(Stdio::null());
    let ended = support::ended(child.output().unwrap());
    let left = std::fs::read_to_string(project.path().join("left")).unwrap();
    (ended, left)
}

/// A table with half a mebibyte that nothing can make smaller.
fn filling() -> String {
    let mut number = 0x9e37_79b9_7f4a_7c15_u64;
    let mut script = "CREATE TABLE filling (id INTEGER, text VARCHAR(800));\n".to_owned();
    for id in 0..1300 {
        script += &format!("INSERT INTO filling VALUES ({id}, '");
        for _ in 0..50 {
            // xorshift64
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            script += &format!("{number:016x}");
        }
        script += "');\n";
    }
    script
}

fn count(project: &Project, kind: &str) -> usize {
    let events = project.json(&["events", "--kind", kind]);
    events["events"].as_array().map_or(0, Vec::len)
}

/// F71, F117
fn a_disk_that_fills_while_a_backup_is_written_loses_nothing(kind: &Kind) {
    let project = Project::on(kind);
    project.write("mledger.toml", "[backup]\nbefore_run = true\n");
    project.write("migrations/1_m1.sql", &format!("-- UP\n{}", filling()));
    project.ok(&["up"]);
    project.write(
        "migrations/2_m2.sql",
        "-- UP\nCREATE TABLE second (id INTEGER);\n",
    );
    let mut failures = 0;
    for kibibytes in [16, 128, 400] {
        for command in ["backup create", "up"] {
            let (ended, left) = with_backups_on_a_disk_of(&project, kibibytes, command);
            assert_eq!(ended.code, 1, "{command} on {kibibytes} KiB: {ended:#?}");
            assert!(ended.stderr.contains("make room"), "{ended:#?}");
            assert_eq!(left, "", "{command} on {kibibytes} KiB");
            failures += 1;
            assert_eq!(count(&project, "backup.failed"), failures, "{ended:#?}");
            assert_eq!(project.applied(), ["1"], "no run without its backup");
            assert_eq!(count(&project, "migration.started"), 1);
        }
    }
    let (ended, left) = with_backups_on_a_disk_of(&project, 16 * 1024, "up");
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert_eq!(left.lines().count(), 1, "{left}");
    assert_eq!(project.applied(), ["1", "2"]);
    project.ok(&["verify"]);
}

on_each_engine!(a_disk_that_fills_while_a_backup_is_written_loses_nothing);
