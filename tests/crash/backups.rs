//! Backups and restores that are cut off: no half file stays under a name that counts, and no run builds
//! on a database that is half restored.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use mledger::fault::BACKUP_POINTS;

use crate::every_point::dies_at;
use crate::oracle::{Moment, assert_sound, facts};
use crate::processes::{KILLED, Running, wait_for};
use crate::support::Project;
use crate::support::engines::Kind;

/// How long who was asked to stop may take to clean up after itself.
const GRACE: Duration = Duration::from_secs(20);

/// Two migrations applied, one pending, and no backup yet.
fn shop(kind: &Kind) -> Project {
    Project::prepared(kind, |project| {
        project.write_effects(2);
        project.ok(&["up"]);
        project.write("migrations/3_m3.sql", &crate::support::effects(3));
    })
}

/// The files in the folder of backups, without what is being written.
fn finished(project: &Project) -> Vec<String> {
    let mut names = names(project);
    names.retain(|name| !name.starts_with(".partial-"));
    names
}

fn names(project: &Project) -> Vec<String> {
    let entries = fs::read_dir(project.path().join("backups"));
    let names = entries.into_iter().flatten().flatten();
    names
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

fn kinds(project: &Project, kind: &str) -> usize {
    let facts = facts(project);
    facts.kinds().iter().filter(|found| **found == kind).count()
}

/// Every file that is there was recorded, and is what was recorded.
fn assert_all_verify(project: &Project, what: &str) {
    let listed = project.json(&["backup", "list"]);
    let backups = listed["backups"].as_array().unwrap();
    assert_eq!(backups.len(), finished(project).len(), "{what}");
    for backup in backups {
        project.ok(&["backup", "verify", backup["id"].as_str().unwrap()]);
    }
}

/// F71
fn a_backup_dies_and_the_next_one_clears_away_what_is_left(kind: &Kind) {
    for faults in [
        dies_at("backup::while-writing", 1),
        dies_at("backup::before-publish", 1),
    ] {
        for command in [&["backup", "create"][..], &["up"]] {
            let project = shop(kind);
            if command == ["up"] {
                project.write("mledger.toml", "[backup]\nbefore_run = true\n");
            }
            let ended = project.run_with(command, &[("FAILPOINTS", &faults)]);
            assert_eq!(ended.code, KILLED, "{faults}: {ended:#?}");
            assert_eq!(finished(&project), [""; 0], "{faults}");
            assert_eq!(kinds(&project, "migration.started"), 2, "{faults}");
            assert_sound(&project, Moment::AtRest, &faults);
            project.ok(command);
            assert_eq!(names(&project).len(), 1, "{faults}");
            assert_all_verify(&project, &faults);
            assert_sound(&project, Moment::AtRest, &faults);
        }
    }
}

/// F71
fn a_restore_dies_and_nothing_runs_until_one_has_been_finished(kind: &Kind) {
    for (point, passage) in [
        ("backup::while-writing", 1),
        ("backup::before-publish", 1),
        ("restore::before-content", 1),
        ("restore::within-content", 1),
        ("restore::within-content", 2),
        ("restore::after-content", 1),
    ] {
        let project = shop(kind);
        let faults = dies_at(point, passage);
        project.ok(&["backup", "create", "whole"]);
        project.ok(&["up"]);
        let content = project.place.content();
        let restore = ["backup", "restore", "whole", "--yes"];
        let ended = project.run_with(&restore, &[("FAILPOINTS", &faults)]);
        assert_eq!(ended.code, KILLED, "{faults}: {ended:#?}");
        if point.starts_with("backup") {
            // it died before anything was touched
            assert_eq!(project.place.content(), content, "{faults}");
            assert_eq!(finished(&project).len(), 1, "{faults}");
            assert_sound(&project, Moment::AtRest, &faults);
        } else {
            if project.kind.transactional && point != "restore::after-content" {
                assert_eq!(project.place.content(), content, "{faults}");
            }
            let refused = project.fails(7, &["up"]);
            assert!(refused.stderr.contains("backup restore"), "{refused:#?}");
            let status = project.json(&["status"]);
            let warned = status["warnings"].to_string();
            assert!(warned.contains("restore-unfinished"), "{status:#?}");
        }
        project.ok(&restore);
        project.fails(7, &["up"]);
        project.ok(&["backup", "accept", "whole", "--reason", "looked at it"]);
        assert_eq!(project.applied(), ["1", "2"], "{faults}");
        project.ok(&["up"]);
        assert_eq!(project.applied(), ["1", "2", "3"], "{faults}");
        assert_eq!(project.place.content(), content, "{faults}");
        assert_all_verify(&project, &faults);
        project.ok(&["verify"]);
    }
}

on_each_engine!(
    a_backup_dies_and_the_next_one_clears_away_what_is_left,
    a_restore_dies_and_nothing_runs_until_one_has_been_finished,
);

/// What is asked to stop in the middle of a trial removes the database that it made for it.
fn a_trial_that_is_interrupted_leaves_no_database(kind: &Kind) {
    let project = shop(kind);
    project.ok(&["backup", "create"]);
    let reached = project.path().join("reached");
    // the program that brings a dump back gets no further than its start
    let shims = project.path().join("shims");
    fs::create_dir(&shims).unwrap();
    for (program, when) in [
        ("pg_restore", "*--file=-*"),
        ("mariadb", "*--batch*"),
        ("mysql", "*--batch*"),
    ] {
        let path = shims.join(program);
        let script = format!(
            "#!/bin/sh\nPATH={}\ncase \"$*\" in\n*--execute*|*--version*) ;;\n{when}) : > '{}'; exec sleep \
             600 ;;\nesac\nexec {program} \"$@\"\n",
            std::env::var("PATH").unwrap(),
            reached.display()
        );
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let path = format!("{}:{}", shims.display(), std::env::var("PATH").unwrap());
    let trial = ["backup", "verify", "latest", "--restore-test"];
    let mut running = Running::start(&project, &trial, &[("PATH", &path)]);
    wait_for("the trial", || reached.exists());
    let databases = kind.databases.unwrap();
    let scratches = || -> Vec<String> {
        let all = project.ask(databases);
        let scratch = |name: &&str| name.starts_with("mledger_restore_test_");
        all.lines().filter(scratch).map(str::to_owned).collect()
    };
    let seen = scratches();
    assert!(!seen.is_empty(), "its database is there");
    running.signal("INT");
    let ended = running.ends_within(GRACE);
    assert_eq!(ended.code, 130, "{ended:#?}");
    wait_for("the end of all that were there", || {
        scratches().iter().all(|left| !seen.contains(left))
    });
    assert_eq!(names(&project).len(), 1);
    assert_sound(&project, Moment::AtRest, &"an interrupted trial");
}

on_each_server!(a_trial_that_is_interrupted_leaves_no_database);

/// Each point is one of those that die here.
#[test]
fn no_point_of_a_backup_is_forgotten() {
    let text = include_str!("backups.rs");
    for point in BACKUP_POINTS {
        assert!(text.contains(&format!("\"{point}\"")), "{point}");
    }
}
