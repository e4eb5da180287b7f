//! Servers that speak TLS, and what each mode insists on.
//!
//! The servers' certificate is for `localhost`; 127.0.0.1 is the same server by a name that does not fit.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use crate::support::engines::{Kind, MYSQL, POSTGRES, Secured, Wire};
use crate::support::{Ended, Project};

/// A password that is not sent where the server does not show who it is, and never told.
const SECRET: &str = "S3cr3t-canary";

const FITS: &str = "localhost";
const DOES_NOT_FIT: &str = "127.0.0.1";

/// A project, and a database of its own on a server that speaks TLS.
struct Place {
    project: Project,
    secured: Secured,
    url: String,
}

impl Place {
    fn on(kind: &Kind) -> Self {
        let secured = kind.secured.unwrap();
        let mut project = Project::on(kind);
        project.place = (secured.fresh)();
        let proof = format!(
            "-- UP\nCREATE TABLE proof (encrypted INTEGER);\nINSERT INTO proof {};\n",
            secured.proof
        );
        project.write("migrations/1_proof.sql", &proof);
        Self {
            url: project.place.url(),
            project,
            secured,
        }
    }

    /// Runs a command with the server called by `host` and with these parameters.
    fn run(&self, arguments: &[&str], host: &str, parameters: &str) -> Ended {
        self.run_as("", arguments, host, parameters)
    }

    /// The same with a password, or with none where it is empty.
    fn run_as(&self, password: &str, arguments: &[&str], host: &str, parameters: &str) -> Ended {
        let (user, rest) = self.url.split_once('@').unwrap();
        let rest = rest.replacen(DOES_NOT_FIT, host, 1);
        let url = format!("{user}:{password}@{rest}?{parameters}");
        self.project.run_with(arguments, &[("DATABASE_URL", &url)])
    }

    fn mode(&self, mode: &str) -> String {
        format!("{}={mode}", self.secured.mode)
    }

    fn mode_with(&self, mode: &str, authority: &Path) -> String {
        let parameter = self.secured.authority;
        format!("{}&{parameter}={}", self.mode(mode), authority.display())
    }
}

/// The authority that has signed the servers' certificate, and one that has not.
fn authorities() -> (PathBuf, PathBuf) {
    let variable = "MLEDGER_TEST_TLS_CA";
    let Some(file) = std::env::var_os(variable) else {
        unreachable!("`{variable}` names no file; `./scripts/test` makes one and runs every suite")
    };
    let signer = PathBuf::from(file);
    let stranger = signer.with_file_name("stranger.pem");
    assert!(signer.is_file() && stranger.is_file(), "{signer:?}");
    (signer, stranger)
}

/// Applies the migration and says whether the session that did was encrypted.
fn is_encrypted(place: &Place, host: &str, parameters: &str) -> bool {
    let ended = place.run(&["up"], host, parameters);
    assert_eq!(ended.code, 0, "{host}, {parameters}: {ended:#?}");
    let ended = place.run(&["verify"], host, parameters);
    assert_eq!(ended.code, 0, "{host}, {parameters}: {ended:#?}");
    match place.project.ask("SELECT encrypted FROM proof").trim() {
        "1" => true,
        "0" => false,
        other => unreachable!("{other}"),
    }
}

#[test]
fn a_session_is_encrypted_as_far_as_it_was_asked_for() {
    let (signer, _) = authorities();
    for kind in [POSTGRES, MYSQL] {
        let words = kind.secured.unwrap();
        let on = || Place::on(&kind);
        let place = on();
        assert!(!is_encrypted(&place, FITS, &place.mode(words.disabled)));
        // who asks for nothing gets what there is
        let place = on();
        assert!(is_encrypted(&place, DOES_NOT_FIT, ""), "{}", kind.name);
        // without an authority nobody can say who the server is, and nobody asked
        let place = on();
        let required = place.mode(words.required);
        assert!(is_encrypted(&place, DOES_NOT_FIT, &required));
        // whoever it is that the certificate names, it is signed
        let place = on();
        let signed = place.mode_with(words.verify_authority, &signer);
        assert!(is_encrypted(&place, DOES_NOT_FIT, &signed));
        let place = on();
        let whole = place.mode_with(words.verify_all, &signer);
        assert!(is_encrypted(&place, FITS, &whole));
        // a reader of the same database that insists on less sees the same
        let ended = place.run(&["status"], FITS, &place.mode(words.disabled));
        assert_eq!(ended.code, 0, "{ended:#?}");
    }
}

#[test]
fn a_server_that_cannot_show_who_it_is_is_refused_before_anything_is_sent() {
    let (signer, stranger) = authorities();
    for kind in [POSTGRES, MYSQL] {
        let words = kind.secured.unwrap();
        let place = Place::on(&kind);
        let wrong_name = place.mode_with(words.verify_all, &signer);
        let wrong_signer =
            [words.verify_authority, words.verify_all].map(|mode| place.mode_with(mode, &stranger));
        // the authorities that everybody trusts have not signed it either
        let nobody = place.mode(words.verify_all);
        let cases = [
            (DOES_NOT_FIT, &wrong_name),
            (FITS, &wrong_signer[0]),
            (FITS, &wrong_signer[1]),
            (FITS, &nobody),
        ];
        for (host, parameters) in cases {
            for command in ["status", "up"] {
                let ended = place.run_as(SECRET, &[command, "-vv"], host, parameters);
                let told = format!("{}{}", ended.stdout, ended.stderr);
                assert!(!told.contains(SECRET), "{ended:#?}");
                assert_eq!(ended.code, 6, "{host}, {parameters}: {ended:#?}");
                assert!(
                    ended.stderr.contains("no encrypted connection"),
                    "{host}, {parameters}: {ended:#?}"
                );
                assert!(
                    ended.stderr.contains("certificate"),
                    "{host}, {parameters}: {ended:#?}"
                );
            }
        }
        assert_eq!(place.project.ask(kind.tables), "", "nothing was written");
    }
}

/// A server that does not speak TLS is not spoken to in the open where that was ruled out.
#[test]
fn a_server_without_encryption_is_refused_where_it_is_required() {
    for kind in [POSTGRES, MYSQL] {
        let words = kind.secured.unwrap();
        let project = Project::on(&kind);
        for mode in [words.required, words.verify_authority, words.verify_all] {
            let url = format!("{}?{}={mode}", project.place.url(), words.mode);
            let ended = project.run_with(&["up"], &[("DATABASE_URL", &url)]);
            assert_eq!(ended.code, 6, "{mode}: {ended:#?}");
        }
        assert_eq!(project.ask(kind.tables), "", "nothing was written");
    }
}

/// What saves and restores a database is a program of its own, with a connection of its own.
#[test]
fn a_backup_is_encrypted_as_the_url_asks() {
    let (signer, stranger) = authorities();
    for kind in [POSTGRES, MYSQL] {
        let words = kind.secured.unwrap();
        let place = Place::on(&kind);
        // who may come in the open does not show that somebody did not
        let user = match kind.wire {
            Some(Wire::Packets) => format!("secured_{}", std::process::id()),
            _ => "postgres".to_owned(),
        };
        let only_for_mysql = |sql: String| {
            if user != "postgres" {
                place.project.ask(&sql);
            }
        };
        only_for_mysql(format!("CREATE USER {user} REQUIRE SSL"));
        only_for_mysql(format!("GRANT ALL ON *.* TO {user}"));
        let (scheme, rest) = place.url.split_once("://").unwrap();
        let rest = rest.rsplit_once('@').unwrap().1;
        let run = |arguments: &[&str], host: &str, parameters: &str| {
            let rest = rest.replacen(DOES_NOT_FIT, host, 1);
            let url = format!("{scheme}://{user}@{rest}?{parameters}");
            place.project.run_with(arguments, &[("DATABASE_URL", &url)])
        };
        for (host, parameters) in [
            (DOES_NOT_FIT, String::new()),
            (DOES_NOT_FIT, place.mode(words.required)),
            (FITS, place.mode_with(words.verify_authority, &signer)),
            (FITS, place.mode_with(words.verify_all, &signer)),
        ] {
            let trial = ["backup", "verify", "latest", "--restore-test"];
            for arguments in [&["up"][..], &["backup", "create"], &trial] {
                let ended = run(arguments, host, &parameters);
                assert_eq!(ended.code, 0, "{host}, {parameters}: {ended:#?}");
            }
        }
        let strange = place.mode_with(words.verify_authority, &stranger);
        assert_eq!(run(&["backup", "create"], FITS, &strange).code, 6);
        only_for_mysql(format!("DROP USER {user}"));
    }
}
