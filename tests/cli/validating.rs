//! Validating what is new since a commit.

#![expect(clippy::expect_used, reason = "tests")]

use std::process::Command;

use crate::project::Project;

/// Does something with git in the project, as a person who is nobody in particular.
fn git(project: &Project, arguments: &[&str]) {
    let ended = Command::new("git")
        .current_dir(project.path("."))
        .args(["-c", "user.name=lee", "-c", "user.email=lee@example.com"])
        .args(arguments)
        .env("HOME", project.home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git runs");
    assert!(ended.status.success(), "git {arguments:?}: {ended:?}");
}

#[test]
fn what_is_new_since_a_commit_is_judged_alone() {
    let project = Project::new();
    project.migration(
        "1_users",
        "CREATE TABLE users (id INTEGER);",
        "DROP TABLE users;",
    );
    let refused = project.run(&["validate", "--new-only=main", "--json"]);
    assert_eq!(refused.code, Some(2));
    assert_eq!(refused.json()["error"]["code"], "git-failed");

    git(&project, &["init", "--quiet", "--initial-branch=main"]);
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "-m", "first"]);
    let none = project.run(&["validate", "--new-only=main", "--json"]);
    assert_eq!(none.json()["migrations"], 0);

    git(&project, &["checkout", "--quiet", "-b", "change"]);
    project.migration("2_a", "DROP TABLE users;", "");
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "-m", "second"]);
    project.migration("3_b", "CREATE TABLE b (id INTEGER);", "DROP TABLE b;");
    let found = project.run(&["validate", "--new-only=main", "--json"]);
    assert_eq!(found.code, Some(3), "{}", found.stdout);
    let found = found.json();
    assert_eq!(found["migrations"], 2, "the committed one and the new file");
    let findings = found["findings"].as_array().expect("a list");
    assert!(
        findings.iter().all(|one| one["version"] != "1"),
        "{findings:?}"
    );
    let option = project.run(&["validate", "--new-only=--all", "--json"]);
    assert_eq!(
        option.json()["error"]["code"],
        "git-failed",
        "no option of git"
    );
}
