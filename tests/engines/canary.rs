//! Secrets in every place that takes one, and a search for them in every place that could give one away.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use mledger::ledger::SigningKey;

use crate::support::engines::{Kind, MYSQL, POSTGRES, SQLITE};
use crate::support::{Ended, Project};

/// The databases' own programs that backups and restores call.
const PROGRAMS: [&str; 5] = ["pg_dump", "pg_restore", "psql", "mariadb-dump", "mariadb"];

/// What is secret, each in the forms in which it could turn up.
struct Secrets {
    /// A part of every password and token here that no encoding changes.
    word: String,
    backup_key: String,
    signing_key: String,
}

impl Secrets {
    fn new() -> Self {
        let number = std::process::id();
        Self {
            word: format!("S3cr3tCanary{number}"),
            backup_key: format!("c0ffee{number:058x}"),
            signing_key: SigningKey::from_seed([9; 32])
                .to_openssh("test")
                .unwrap()
                .to_string(),
        }
    }

    /// A password that has to be escaped wherever it is written.
    fn password(&self) -> String {
        format!("{}:'\"\\#/@ ?%", self.word)
    }

    fn needles(&self) -> Vec<Vec<u8>> {
        let hex = |text: &str| -> String { text.bytes().map(|it| format!("{it:02x}")).collect() };
        let mut needles = vec![
            self.word.clone(),
            hex(&self.word),
            hex(&self.word).to_uppercase(),
            self.backup_key.clone(),
            self.backup_key.to_uppercase(),
            hex(&self.backup_key),
        ];
        let lines = self.signing_key.lines().filter(|it| !it.starts_with('-'));
        // the first lines of such a file are the public form
        needles.extend(lines.skip(2).map(str::to_owned));
        needles.into_iter().map(String::into_bytes).collect()
    }

    #[track_caller]
    fn assert_not_in(&self, what: &str, bytes: &[u8]) {
        for needle in self.needles() {
            let first = needle[0];
            let found = (0..bytes.len())
                .filter(|at| bytes[*at] == first)
                .find(|at| bytes[*at..].starts_with(&needle));
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(60)..(at + 60).min(bytes.len())];
                unreachable!("{what}: {}", String::from_utf8_lossy(around));
            }
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Puts programs in the way of the real ones that write down how they were called.
fn watched_path(project: &Project, calls: &Path) -> String {
    let path = std::env::var("PATH").unwrap();
    let folder = project.path().join("watched");
    fs::create_dir(&folder).unwrap();
    for program in PROGRAMS {
        let script = format!(
            "#!/bin/sh\nPATH='{path}'\ncat /proc/$$/cmdline >> '{0}'\ncat /proc/$$/environ >> '{0}'\nexec \
             {program} \"$@\"\n",
            calls.display()
        );
        let file = folder.join(program);
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
    }
    format!("{}:{path}", folder.display())
}

/// Looks at the arguments of every process until it is told to stop.
fn look_at_processes(secrets: &Secrets, stop: &AtomicBool) -> u32 {
    let mut looks = 0;
    while !stop.load(Ordering::SeqCst) {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            secrets.assert_not_in("the arguments of a process", &arguments);
        }
        looks += 1;
        thread::sleep(Duration::from_millis(5));
    }
    looks
}

/// Tells who looks to stop when it is dropped.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Every file under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Who signs in with the password, where there is somebody to sign in.
struct Login {
    kind: Kind,
    make: &'static [&'static str],
    drop: &'static [&'static str],
}

const LOGINS: [Login; 3] = [
    Login {
        kind: SQLITE,
        make: &[],
        drop: &[],
    },
    Login {
        kind: POSTGRES,
        make: &["CREATE ROLE WHO LOGIN SUPERUSER PASSWORD 'S3CRET'"],
        drop: &["REASSIGN OWNED BY WHO TO postgres", "DROP ROLE WHO"],
    },
    Login {
        kind: MYSQL,
        make: &[
            "CREATE USER WHO IDENTIFIED BY 'S3CRET'",
            "GRANT ALL ON *.* TO WHO WITH GRANT OPTION",
        ],
        drop: &["DROP USER WHO"],
    },
];

/// F107
#[test]
fn no_secret_is_found_anywhere() {
    for login in LOGINS {
        let secrets = Secrets::new();
        let project = Project::on(&login.kind);
        let user = format!("canary_{}", std::process::id());
        let doubled = secrets.password().replace('\\', "\\\\").replace('\'', "''");
        // what stands in a text of PostgreSQL stands for itself
        let in_sql = match login.kind.wire {
            Some(crate::support::engines::Wire::Letters) => secrets.password().replace('\'', "''"),
            _ => doubled,
        };
        let told = |sql: &str| sql.replace("WHO", &user).replace("S3CRET", &in_sql);
        for sql in login.make {
            project.ask(&told(sql));
        }
        let url = project.place.server_url().map(|url| {
            let (scheme, rest) = url.split_once("://").unwrap();
            let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
            format!("{scheme}://{user}:{}@{place}", encoded(&secrets.password()))
        });
        play(&project, &secrets, url.as_deref());
        for sql in login.drop {
            project.ask(&told(sql));
        }
    }
}

fn play(project: &Project, secrets: &Secrets, url: Option<&str>) {
    let word = &secrets.word;
    let config = format!(
        "[backup]\nbefore_run = true\n[environments.development.checks]\nafter = [{{ name = 'answers', url = \
         'http://dana:{word}@127.0.0.1:1/health?token={word}', timeout = '1s' }}]\n"
    );
    project.write("migrations/1_m1.sql", &crate::support::effects(1));
    let calls = project.path().join("calls");
    let path = watched_path(project, &calls);
    let mut variables = vec![
        ("PATH", path.as_str()),
        ("BACKUP_ENCRYPTION_KEY", &secrets.backup_key),
        ("MLEDGER_KEY", &secrets.signing_key),
    ];
    variables.extend(url.map(|url| ("DATABASE_URL", url)));
    let mut told = Vec::new();
    let run = |arguments: &[&str], code: i32, told: &mut Vec<u8>| {
        let mut all = arguments.to_vec();
        all.push("-vv");
        let ended: Ended = project.run_with(&all, &variables);
        told.extend_from_slice(ended.stdout.as_bytes());
        told.extend_from_slice(ended.stderr.as_bytes());
        secrets.assert_not_in(&format!("{arguments:?}"), told);
        assert_eq!(ended.code, code, "{arguments:?}: {ended:#?}");
        ended
    };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // also where something here fails
        let _stops = Stops(&stop);
        let looking = scope.spawn(|| look_at_processes(secrets, &stop));
        run(&["up"], 0, &mut told);
        project.write("migrations/2_m2.sql", &crate::support::effects(2));
        project.write("mledger.toml", &config);
        run(&["plan"], 0, &mut told);
        run(&["up"], 1, &mut told);
        run(&["backup", "create", "named"], 0, &mut told);
        run(
            &["backup", "verify", "named", "--restore-test"],
            0,
            &mut told,
        );
        run(&["backup", "restore", "named", "--yes"], 0, &mut told);
        for reading in [
            &["config"][..],
            &["config", "--json"],
            &["status", "--json"],
            &["backup", "list", "--json"],
            &["events", "--json"],
            &["key", "show"],
        ] {
            run(reading, 0, &mut told);
        }
        let wrong = ("BACKUP_ENCRYPTION_KEY", format!("{word}-is-no-key"));
        let mut with_wrong = variables.clone();
        with_wrong.push((wrong.0, &wrong.1));
        let ended = project.run_with(&["backup", "create", "-vv"], &with_wrong);
        assert_eq!(ended.code, 2, "{ended:#?}");
        secrets.assert_not_in("a key that is none", format!("{ended:?}").as_bytes());
        stop.store(true, Ordering::SeqCst);
        assert!(looking.join().unwrap() > 10, "somebody has looked");
    });
    let called = fs::read(&calls).unwrap_or_default();
    assert_eq!(called.is_empty(), url.is_none(), "the programs were called");
    secrets.assert_not_in("arguments and variables of the programs", &called);
    secrets.assert_not_in("the ledger", &project.place.save_ledger());
    secrets.assert_not_in("the database", project.place.content().as_bytes());
    let mut looked_at = 0;
    for file in files(project.path()) {
        // what the test itself has written there
        if file.ends_with("mledger.toml") {
            continue;
        }
        looked_at += 1;
        secrets.assert_not_in(&file.display().to_string(), &fs::read(&file).unwrap());
    }
    assert!(looked_at > 5, "{looked_at} files");
    let opened = opened(project, secrets);
    assert!(!opened.is_empty());
    secrets.assert_not_in("what is inside a backup", &opened);
}

/// What is inside the backups, as the format's own tools open them.
fn opened(project: &Project, secrets: &Secrets) -> Vec<u8> {
    use mledger::backup::encryption::Cipher;
    use mledger::backup::meter::Meter;
    use mledger::backup::reader::Reader;
    use std::io::Read;

    let cipher = Cipher::new(&[], Some(&secrets.backup_key)).unwrap();
    let mut all = Vec::new();
    for file in files(&project.path().join("backups")) {
        let mut reader = Reader::open(&file, true, &cipher, &Meter::default()).unwrap();
        reader.read_to_end(&mut all).unwrap();
    }
    all
}
