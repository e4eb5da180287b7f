//! `docs/rules.md` is held true: what it shows as bad is found, and what it shows as good is not.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::migration::source::{self, Options};
use crate::migration::split;

const PAGE: &str = include_str!("../../docs/rules.md");

/// What the page calls the databases.
const DIALECTS: [(&str, &Dialect, &LexRules); 3] = [
    ("sqlite", &SQLITE, &split::SQLITE),
    ("postgres", &POSTGRES, &split::POSTGRES),
    ("mysql", &MYSQL, &split::MYSQL),
];

/// A section of the page.
struct Section<'a> {
    code: &'a str,
    text: &'a str,
}

fn sections() -> Vec<Section<'static>> {
    PAGE.split("\n### ")
        .skip(1)
        .map(|text| {
            let (code, text) = text.split_once('\n').unwrap();
            Section { code, text }
        })
        .collect()
}

/// An example: whether it is bad, on which databases, and its text.
fn examples<'a>(section: &Section<'a>) -> Vec<(bool, Vec<&'a str>, &'a str)> {
    let head = section.text.split_once("). Why: ").unwrap().0;
    let all: Vec<&str> = head.rsplit_once("; ").unwrap().1.split(", ").collect();
    section
        .text
        .split("```sql ")
        .skip(1)
        .map(|block| {
            let (info, rest) = block.split_once('\n').unwrap();
            let (kind, on) = info.split_once(' ').unwrap_or((info, ""));
            assert!(["bad", "good"].contains(&kind), "{}: {info}", section.code);
            let on = if on.is_empty() {
                all.clone()
            } else {
                on.split(", ").collect()
            };
            (kind == "bad", on, rest.split("\n```").next().unwrap())
        })
        .collect()
}

/// Writes the files of an example and validates them.
fn validate(
    example: &str,
    dialect: &'static Dialect,
    lex: &'static LexRules,
    code: &str,
) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<(String, String)> = Vec::new();
    for line in example.lines() {
        match line.strip_prefix("-- file: ") {
            Some(name) => files.push((name.to_owned(), String::new())),
            None => {
                if files.is_empty() {
                    files.push(("1_change_things.sql".to_owned(), String::new()));
                }
                let (_, text) = files.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    validate_folder(folder.path(), dialect, lex, code)
}

fn validate_folder(
    folder: &Path,
    dialect: &'static Dialect,
    lex: &'static LexRules,
    code: &str,
) -> Report {
    let migrations = source::read(folder, &Options::default(), lex).unwrap();
    let settings = Settings {
        levels: BTreeMap::from([(code.to_owned(), Level::Warning)]),
        max_duration: Some(Duration::from_secs(60)),
        ..Settings::default()
    };
    let review = Review::load(&migrations, lex, dialect, &|_| true).unwrap();
    review.report(&settings, &Sizes::new())
}

#[test]
fn every_example_is_what_the_page_says() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for section in sections() {
        let examples = examples(&section);
        for (bad, on, text) in &examples {
            for (name, dialect, lex) in DIALECTS {
                if !on.contains(&name) {
                    continue;
                }
                tried += 1;
                let report = validate(text, dialect, lex, section.code);
                let found = report.findings.iter().any(|one| one.rule == section.code);
                // accounts are no part of what rules look at but for their passwords
                let account = text.contains("CREATE USER");
                let analysed = account || report.not_analysed.is_empty();
                if found != *bad || !analysed {
                    wrong.push(format!(
                        "{} on {name}: found {found}, not analysed {:?}\n{text}\n{:#?}",
                        section.code, report.not_analysed, report.findings
                    ));
                }
            }
        }
        let shown: BTreeSet<(bool, &str)> = examples
            .iter()
            .flat_map(|(bad, on, _)| on.iter().map(|name| (*bad, *name)))
            .collect();
        for (_, on, _) in &examples {
            for name in on {
                for bad in [true, false] {
                    let both = shown.contains(&(bad, name));
                    assert!(both, "{} on {name} lacks an example", section.code);
                }
            }
        }
    }
    assert!(tried > 150, "{tried} examples were tried");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_page_knows_every_rule_and_says_what_the_program_says() {
    let sections = sections();
    let codes: BTreeSet<&str> = sections.iter().map(|section| section.code).collect();
    let known: BTreeSet<&str> = rule::ALL.iter().map(|rule| rule.code).collect();
    assert_eq!(codes, known);
    for section in sections {
        let rule = rule::named(section.code).unwrap();
        let weight = rule.severity.map_or("off", Severity::as_str);
        let head = format!("({weight}; ");
        assert!(section.text.contains(&head), "{}: {head}", rule.code);
        assert!(
            section.text.contains(rule.why),
            "{}: {}",
            rule.code,
            rule.why
        );
        for step in rule.steps {
            assert!(section.text.contains(step), "{}: {step}", rule.code);
        }
        let row = format!("| [`{0}`](#{0}) | {weight} | ", rule.code);
        assert!(PAGE.contains(&row), "{row}");
    }
}

#[test]
fn a_waiver_keeps_its_reason_and_is_in_the_object() {
    let text = "-- UP\n-- mledger:allow drop-table it was never filled\nDROP TABLE notes;\n-- DOWN\nSELECT 1;\n";
    let report = validate(text, &SQLITE, &split::SQLITE, "drop-table");
    let waived: Vec<_> = report
        .findings
        .iter()
        .filter_map(|one| one.waived.as_deref())
        .collect();
    assert_eq!(waived, ["it was never filled"]);
    assert_eq!(report.waived, 1);
    let object = String::from_utf8(report.object().unwrap()).unwrap();
    assert!(
        object.contains("\"reason\":\"it was never filled\""),
        "{object}"
    );
}

/// F108: it is found before it runs, and no report repeats it.
#[test]
fn a_secret_is_never_repeated() {
    let secret = "hunter2hunter2";
    for (text, dialect, lex) in [
        (
            format!("CREATE ROLE a LOGIN PASSWORD '{secret}';\n"),
            &POSTGRES,
            &split::POSTGRES,
        ),
        (
            format!("CREATE USER a IDENTIFIED BY '{secret}';\n"),
            &MYSQL,
            &split::MYSQL,
        ),
        (
            format!("SET PASSWORD FOR a = '{secret}';\n"),
            &MYSQL,
            &split::MYSQL,
        ),
        (
            format!("-- postgres://a:{secret}@b/c\nSELECT 1;\n"),
            &SQLITE,
            &split::SQLITE,
        ),
    ] {
        let report = validate(&text, dialect, lex, "secret-in-sql");
        assert!(
            report
                .findings
                .iter()
                .any(|one| one.rule == "secret-in-sql"),
            "{text}"
        );
        let all = format!("{report:?}{}", serde_json::to_string(&report).unwrap());
        assert!(!all.contains(secret), "{all}");
    }
}

/// The histories are no part of this repository; the examples above never fail to run. Nothing in them stops the rules, and what weighs
/// as an error is what somebody would want to hear of.
#[test]
fn histories_of_real_projects_are_judged_mildly() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let settings = Settings::default();
    for (name, dialect, lex, errors) in [
        ("atuin-client", &SQLITE, &split::SQLITE, 1),
        ("gophish-sqlite", &SQLITE, &split::SQLITE, 1),
        ("atuin-server", &POSTGRES, &split::POSTGRES, 3),
        ("graph-node", &POSTGRES, &split::POSTGRES, 0),
        ("gophish-mysql", &MYSQL, &split::MYSQL, 1),
    ] {
        let folder = corpora.join(name).join("pairs");
        if !folder.is_dir() {
            continue;
        }
        let migrations = source::read(&folder, &Options::default(), lex).unwrap();
        let review = Review::load(&migrations, lex, dialect, &|_| true).unwrap();
        let report = review.report(&settings, &Sizes::new());
        let found: Vec<_> = report
            .findings
            .iter()
            .filter(|one| one.is_error())
            .collect();
        assert_eq!(found.len(), errors, "{name}: {found:#?}");
        let not_analysed = report.not_analysed.len() as u64;
        assert!(
            not_analysed * 10 < report.statements,
            "{name}: {not_analysed}"
        );
        assert!(report.object().is_ok());
    }
}
