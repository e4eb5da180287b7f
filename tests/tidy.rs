//! Rules of the repository that no compiler checks: who may know whom, what is never written, what is
//! documented.
//!
//! Each rule is a function of a path and a text, and each is shown a text that breaks it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/events.rs"]
mod events;
#[path = "tidy/reliability.rs"]
mod reliability;

/// A hard limit; most files tell their story in 150 to 400 lines.
const LONGEST_FILE: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| unreachable!("{path}: {error}"))
}

/// The files below a folder with this extension: path from the root, and text.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
                found.push((name.replace('\\', "/"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "`{folder}` has files");
    found
}

/// Whether a file holds only tests.
fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("tests.rs")
}

/// The lines of code that is shipped: without comments, and without what is behind `#[cfg(test)]`, which
/// is last in a file.
fn shipped(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    shipped
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The files of a folder as they are shipped.
fn sources(folder: &str) -> Vec<(String, String)> {
    files(folder, "rs")
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(path, text)| (path, shipped(&text)))
        .collect()
}

/// Where one of `words` stands in `text`.
fn offences(path: &str, text: &str, words: &[&str]) -> Vec<String> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let word = words.iter().find(|word| line.contains(**word))?;
            Some(format!(
                "{path}:{}: `{word}` in `{}`",
                index + 1,
                line.trim()
            ))
        })
        .collect()
}

/// Asserts that nothing was found, and that `bad` would have been.
#[track_caller]
fn assert_none(rule: &str, found: &[String], would_be_found: bool) {
    assert!(would_be_found, "{rule}: the rule finds nothing at all");
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn the_log_knows_nothing_but_itself() {
    const FOREIGN: &[&str] = &[
        "mledger::",
        "sqlx",
        "tokio",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "SystemTime",
        "Instant::",
        "Utc::now",
        "getrandom",
        "async ",
        ".await",
    ];
    let found: Vec<String> = sources("ledger/src")
        .iter()
        .flat_map(|(path, text)| offences(path, text, FOREIGN))
        .collect();
    assert_none(
        "the crate `ledger` has no I/O, clock, randomness or database",
        &found,
        !offences("x", "use std::fs;", FOREIGN).is_empty(),
    );
    let manifest = read("ledger/Cargo.toml");
    for name in ["sqlx", "tokio", "getrandom", "mledger ="] {
        assert!(!manifest.contains(name), "ledger/Cargo.toml names `{name}`");
    }
}

/// Decisions are pure: they know the log and plain data, never a connection. `plan/examine.rs` reads the
/// scripts that decisions need, and says so.
#[test]
fn decisions_know_no_connection() {
    const EFFECTS: &[&str] = &[
        "engine::",
        // the word alone is also the name of a tool whose history can be taken over
        "sqlx::",
        "use sqlx",
        "tokio",
        "dyn Session",
        "executor::",
        "journal::",
        "migrator::",
        ".await",
    ];
    let pure = |path: &str| {
        [
            "src/plan/",
            "src/projection/",
            "src/release/",
            "src/compliance/",
            "src/migration/",
            "src/policy/",
            "src/promotion/",
            "src/adopt/",
            "src/lint/",
            "src/report.rs",
            "src/request.rs",
        ]
        .iter()
        .any(|start| path.starts_with(start))
            && path != "src/plan/examine.rs"
    };
    let all = sources("src");
    assert!(all.iter().filter(|(path, _)| pure(path)).count() > 10);
    let found: Vec<String> = all
        .iter()
        .filter(|(path, _)| pure(path))
        .flat_map(|(path, text)| offences(path, text, EFFECTS))
        .collect();
    assert_none(
        "plans, projections, migrations and reports are plain data",
        &found,
        !offences("x", "use crate::engine::Session;", EFFECTS).is_empty(),
    );
}

#[test]
fn databases_are_known_in_one_place() {
    const DRIVER: &[&str] = &["sqlx::", "use sqlx", "SqliteConnection"];
    const NAMES: &[&str] = &["\"sqlite\"", "\"postgres\"", "\"mysql\"", "\"mariadb\""];
    let outside: Vec<_> = sources("src")
        .into_iter()
        .filter(|(path, _)| !path.starts_with("src/engine/"))
        .collect();
    let found: Vec<String> = outside
        .iter()
        .flat_map(|(path, text)| offences(path, text, DRIVER))
        .collect();
    assert_none(
        "only `engine` knows the driver",
        &found,
        !offences("x", "use sqlx::Row;", DRIVER).is_empty(),
    );
    let found: Vec<String> = outside
        .iter()
        // a URL is hidden before anybody knows whether it names a database
        .filter(|(path, _)| path != "src/config/secret.rs")
        // programs that are called as their database is
        .filter(|(path, _)| !path.starts_with("src/backup/mysql"))
        .flat_map(|(path, text)| offences(path, text, NAMES))
        .collect();
    assert_none(
        "nothing outside `engine` compares a database's name",
        &found,
        !offences("x", "if name == \"sqlite\"", NAMES).is_empty(),
    );
}

/// The command line asks the migrator, and nothing that could run a migration in another way.
#[test]
fn the_command_line_goes_through_one_door() {
    const BEHIND: &[&str] = &[
        "mledger::executor",
        "mledger::journal",
        "mledger::projection",
        "mledger::plan",
        "mledger::object",
        "mledger::fault",
        "engine::Session",
        "engine::Access",
        "engine::Begin",
        ".connect(",
        ".append(",
        "take_lease",
    ];
    let mut found: Vec<String> = sources("src/cli")
        .iter()
        .flat_map(|(path, text)| offences(path, text, BEHIND))
        .collect();
    found.extend(offences(
        "src/main.rs",
        &shipped(&read("src/main.rs")),
        BEHIND,
    ));
    assert_none(
        "the command line calls only the migrator",
        &found,
        !offences("x", "engine.connect(Access::Write)", BEHIND).is_empty(),
    );
}

#[test]
fn the_library_never_prints_nor_reads_its_surroundings() {
    const SURROUNDINGS: &[&str] = &[
        "println!",
        "print!",
        "dbg!",
        "std::io::stdout",
        "std::io::stderr",
        "std::io::stdin",
        "io::stdout()",
        "io::stderr()",
        "std::env",
        "env::var",
        "SystemTime",
        "Utc::now",
        "Local::now",
        "Uuid::now_v7",
        "Uuid::new_v4",
    ];
    let found: Vec<String> = sources("src")
        .iter()
        .filter(|(path, _)| !path.starts_with("src/cli/") && path != "src/main.rs")
        .flat_map(|(path, text)| offences(path, text, SURROUNDINGS))
        .collect();
    assert_none(
        "only the command line prints and reads the environment and the clock",
        &found,
        !offences("x", "eprintln!(\"x\")", SURROUNDINGS).is_empty(),
    );
}

#[test]
fn files_stay_short() {
    let mut found = Vec::new();
    for folder in [
        "src",
        "tests",
        "ledger/src",
        "ledger/tests",
        "ledger/benches",
    ] {
        for (path, text) in files(folder, "rs") {
            let lines = text.lines().count();
            if lines > LONGEST_FILE {
                found.push(format!(
                    "{path}: {lines} lines, expected at most {LONGEST_FILE}"
                ));
            }
        }
    }
    assert_none("a file tells one story", &found, true);
}

/// Texts in kebab case that are no codes.
const NO_CODES: &[&str] = &[
    // directives, and options of another tool
    "foreign-keys",
    "lock-timeout",
    "no-transaction",
    "cert-authority",
    "ssh-keygen",
    "ls-files",
    // parameters of database URLs, and their values
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "verify-ca",
    "verify-full",
    "loose-ssl",
    "loose-ssl-mode",
    "loose-ssl-verify-server-cert",
    // an example of a name, and names
    "create-events",
    "before-restore",
    "before-run",
    // a command, as its run names itself
    "export-history",
    // other tools
    "golang-migrate",
    "node-pg-migrate",
    "db-migrate",
    // packages and programs of databases
    "mariadb-client",
    "mariadb-dump",
    "mysql-client",
    "postgresql-client",
];

/// The string literals of a text that look like a stable code of several words.
fn kebab_literals(text: &str) -> BTreeSet<String> {
    text.split('"')
        .filter(|literal| {
            let mut words = literal.split('-');
            literal.contains('-')
                && words.all(|word| {
                    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())
                })
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_code_has_a_heading_and_every_heading_a_code() {
    let pages = read("docs/errors.md");
    let headings: BTreeSet<String> = pages
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(str::to_owned)
        .collect();
    let count = pages
        .lines()
        .filter(|line| line.starts_with("### "))
        .count();
    assert_eq!(headings.len(), count, "a code has one heading");
    let codes = ledger::Code::ALL
        .iter()
        .map(|code| code.as_str().to_owned());
    let mut sources = sources("src");
    sources.extend(self::sources("ledger/src"));
    let reports = read("docs/guides/auditors.md");
    let in_source: BTreeSet<String> = sources
        .iter()
        .flat_map(|(_, text)| kebab_literals(text))
        .filter(|literal| !NO_CODES.contains(&literal.as_str()))
        // what a report calls an exception is told where reports are
        .filter(|literal| !reports.contains(&format!("\n| `{literal}` | ")))
        .chain(codes)
        .collect();
    let undocumented: Vec<String> = in_source
        .difference(&headings)
        .filter(|code| !read("docs/rules.md").contains(&format!("\n### {code}\n")))
        .cloned()
        .collect();
    assert_none(
        "every code has a heading in docs/errors.md",
        &undocumented,
        kebab_literals("Err(usage(\"no-such-code\"))").contains("no-such-code"),
    );
    let invented: Vec<String> = headings
        .into_iter()
        .filter(|heading| {
            let literal = format!("\"{heading}\"");
            !sources.iter().any(|(_, text)| text.contains(&literal))
        })
        .collect();
    assert_none("every heading in docs/errors.md is a code", &invented, true);
}

/// A suite that is not registered, or a module that nobody declares, would never run.
#[test]
fn no_test_is_forgotten() {
    let manifest = read("Cargo.toml");
    let mut found = Vec::new();
    let mut suites = 0;
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let main = folder.join("main.rs");
        if !main.is_file() {
            continue;
        }
        suites += 1;
        if !manifest.contains(&format!("path = \"tests/{name}/main.rs\"")) {
            found.push(format!(
                "tests/{name}/main.rs is not registered in Cargo.toml"
            ));
        }
        let declared: String = files(&format!("tests/{name}"), "rs")
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        for (path, _) in files(&format!("tests/{name}"), "rs") {
            let stem = Path::new(&path)
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let is_declared =
                ["main", "mod"].contains(&&*stem) || declared.contains(&format!("mod {stem};"));
            if !is_declared {
                found.push(format!("{path} is declared by no module"));
            }
        }
    }
    assert_none(
        "every suite and every module of it runs",
        &found,
        suites >= 2,
    );
}

#[test]
fn no_test_is_switched_off() {
    let attribute = ["#[", "ignore"].concat();
    let words: &[&str] = &[&attribute];
    let mut found = Vec::new();
    for folder in ["src", "tests", "ledger/src", "ledger/tests"] {
        for (path, text) in files(folder, "rs") {
            found.extend(offences(&path, &text, words));
        }
    }
    assert_none(
        "no test is ignored",
        &found,
        !offences("x", &format!("{attribute}]"), words).is_empty(),
    );
}

/// The history shows that it was changed; nothing keeps it from being changed.
#[test]
fn nothing_is_promised_that_cannot_be_kept() {
    let claim = ["tamper", "-proof"].concat();
    let words: &[&str] = &[&claim];
    let mut found = Vec::new();
    let mut texts = files("docs", "md");
    texts.extend(files("src", "rs"));
    texts.extend(files("ledger/src", "rs"));
    texts.push(("README.md".to_owned(), read("README.md")));
    for (path, text) in texts {
        found.extend(
            offences(&path, &text, words)
                .into_iter()
                .filter(|found| !found.contains("never") && !found.contains("not")),
        );
    }
    assert_none(
        "the word is tamper-evident",
        &found,
        !offences("x", &format!("a {claim} log"), words).is_empty(),
    );
}
