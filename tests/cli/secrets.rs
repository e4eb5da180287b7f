//! A password stays out of everything that is shown (and of what is kept).

#![expect(clippy::expect_used, reason = "tests")]

use crate::project::{Ended, Project};

const PASSWORD: &str = "S3cr3t-©-%40/#?";

fn url() -> String {
    format!("postgres://dana:{PASSWORD}@db.invalid/shop")
}

fn shown(ended: &Ended) -> String {
    format!("{}{}", ended.stdout, ended.stderr)
}

/// F107
#[test]
fn a_password_in_the_url_is_never_shown() {
    let project = Project::with_two_migrations();
    let url = url();
    for arguments in [
        vec!["config", "-d", &url],
        vec!["config", "--json", "-d", &url],
        vec!["status", "-d", &url],
        vec!["up", "--json", "-d", &url],
        vec!["up", "-vv", "--wait=1", "-d", &url],
        vec!["up", &url],
        vec!["up", "--json", &url],
        vec!["down", "--steps", &url],
        vec!["--database", &url, "--unknown"],
    ] {
        let ended = project.run(&arguments);
        assert!(
            !shown(&ended).contains("S3cr3t"),
            "{arguments:?}: {}",
            shown(&ended)
        );
    }
}

/// F107
#[test]
fn a_password_in_a_variable_or_dotenv_is_never_shown() {
    let project = Project::with_two_migrations();
    for arguments in [vec!["config"], vec!["status"], vec!["up", "--json", "-vv"]] {
        let mut command = project.command(&arguments);
        let ended = Ended::from(
            command
                .env("DATABASE_URL", url())
                .output()
                .expect("it runs"),
        );
        assert!(
            !shown(&ended).contains("S3cr3t"),
            "{arguments:?}: {}",
            shown(&ended)
        );
    }
    for text in [
        format!("DATABASE_URL='{}'\n", url()),
        format!("DATABASE_URL={}'\n", url()),
    ] {
        project.write(".env", &text);
        for arguments in [vec!["config"], vec!["status", "--json"]] {
            let ended = project.run(&arguments);
            assert!(
                !shown(&ended).contains("S3cr3t"),
                "{arguments:?}: {}",
                shown(&ended)
            );
        }
    }
}

/// F107
#[test]
fn a_key_in_a_variable_is_never_shown() {
    let project = Project::with_two_migrations();
    let key = crate::project::key();
    let secret: Vec<&str> = key.lines().filter(|line| !line.starts_with('-')).collect();
    for arguments in [
        vec!["config"],
        vec!["up", "-vv"],
        vec!["key", "show"],
        vec!["config", "--json"],
    ] {
        let ended = project.run(&arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", shown(&ended));
        for line in &secret {
            assert!(
                !shown(&ended).contains(line),
                "{arguments:?}: {}",
                shown(&ended)
            );
        }
    }
}
