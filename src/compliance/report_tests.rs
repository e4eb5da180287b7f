//! What reports say of a log, and that nothing in a log can harm who reads one.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use ledger::{Digest, Direction, KeyRetired, Outcome, Signer, Timestamp};

use super::model::{ChangeOutcome, ExceptionKind};
use super::story_tests::{DANA, LEE, Log, OPS, key};
use super::{
    Asked, Enclosure, Framework, Report, csv, document, html, json, markdown, sample, workbook,
};
use crate::release::in_markdown;

/// Texts that want to be a formula, an element, a link, a command to a terminal, or read backwards.
const HOSTILE: &str = "=cmd|' /C calc'!A0</script><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}txt\u{9b}31m|[x](javascript:x)";

fn kinds(report: &Report) -> Vec<ExceptionKind> {
    report.exceptions.iter().map(|one| one.kind).collect()
}

#[test]
fn a_change_is_told_with_its_author_approver_runner_and_scripts() {
    let mut log = Log::begin();
    let plan = log.plan(&["1"]);
    log.approve(LEE, plan);
    log.run(plan, "a", &[]);
    let seq = log.apply("1", "1", &[("author", "dana"), ("ticket", "OPS-1")]);
    log.finish(Outcome::Success, "b");
    let report = log.all();
    assert_eq!(kinds(&report), []);
    assert_eq!(report.changes.len(), 1);
    let change = &report.changes[0];
    assert_eq!((change.seq, change.outcome), (seq, ChangeOutcome::Applied));
    assert_eq!(
        (change.author.as_str(), change.ticket.as_str()),
        ("dana", "OPS-1")
    );
    let approvers: Vec<&str> = change.approvals.iter().map(|one| one.by.as_str()).collect();
    assert_eq!((approvers, change.ran.by.as_str()), (vec!["lee"], "ops"));
    assert_eq!(change.scripts.agree, Some(true));
    assert_eq!(change.approvals_required, Some(1));
    assert_eq!(change.schema_before, Some(Digest::of(b"a")));
    assert_eq!(change.schema_after, Some(Digest::of(b"b")));
    let duties: Vec<_> = report
        .duties
        .iter()
        .map(|one| (one.person.as_str(), one.authored, one.approved, one.ran))
        .collect();
    assert_eq!(
        duties,
        [("dana", 1, 0, 0), ("lee", 0, 1, 0), ("ops", 0, 0, 1)]
    );
}

#[test]
fn what_left_the_usual_way_is_an_exception() {
    let mut log = Log::begin();
    let plan = log.plan(&["1", "2"]);
    log.approve(LEE, plan);
    log.run(plan, "a", &["it is needed today"]);
    log.apply("1", "another script", &[("author", "Lee@example.com")]);
    log.finish(Outcome::Success, "b");
    // nobody approved it, and somebody changed the schema before
    let plan = log.plan(&["3"]);
    log.run(plan, "c", &[]);
    log.fail("3", "no such table");
    log.roll_back("1");
    log.start("4", Direction::Up, "4");
    log.late = -3;
    let retired = KeyRetired {
        compromised_from: Some(log.events.len() as u64 - 1),
        fingerprint: key(OPS).public_key().fingerprint(),
        reason: "stolen".to_owned(),
    };
    log.say(DANA, Outcome::Success, retired);
    let report = log.all();
    let found: BTreeSet<ExceptionKind> = kinds(&report).into_iter().collect();
    let expected = [
        ExceptionKind::NoApproval,
        ExceptionKind::SelfApproved,
        ExceptionKind::Forced,
        ExceptionKind::ScriptDiffers,
        ExceptionKind::Failed,
        ExceptionKind::RolledBack,
        ExceptionKind::Unfinished,
        ExceptionKind::Drift,
        ExceptionKind::SuspectKey,
        ExceptionKind::ClockBack,
    ];
    assert_eq!(found, expected.into_iter().collect());
    let first = &report.changes[0];
    assert_eq!(first.rolled_back_by, Some(report.changes[2].seq));
    assert_eq!(
        report.changes[2].author, "Lee@example.com",
        "of what it undoes"
    );
    for kind in [ExceptionKind::Forced, ExceptionKind::SelfApproved] {
        assert!(first.exceptions.contains(&kind), "{:?}", first.exceptions);
    }
    let lee = report
        .duties
        .iter()
        .find(|one| one.person == "lee")
        .unwrap();
    assert_eq!((lee.authored, &lee.conflicts), (2, &vec![first.seq]));
    let ops = report.keys.iter().find(|one| one.name == "ops").unwrap();
    assert_eq!(ops.suspect_from, ops.retired_seq.map(|seq| seq - 1));
}

#[test]
fn an_approval_that_was_over_does_not_count() {
    let mut log = Log::begin();
    let plan = log.plan(&["1"]);
    log.approve(LEE, plan);
    let rules = [("approvals", 1), ("approval_lasts_ms", 1_000)];
    log.run_under(&rules, plan, "a", &[]);
    log.apply("1", "1", &[]);
    assert_eq!(kinds(&log.all()), [ExceptionKind::NoApproval]);
}

#[test]
fn a_period_selects_changes_by_their_end_and_keeps_what_concerns_the_ledger() {
    let mut log = Log::begin();
    let plan = log.plan(&["1", "2"]);
    log.approve(LEE, plan);
    log.run(plan, "a", &[]);
    let first = log.apply("1", "1", &[]);
    log.late = 60;
    let second = log.apply("2", "2", &[]);
    log.late = -60;
    log.finish(Outcome::Success, "b");
    let seqs = |asked: &Asked| -> Vec<u64> {
        let report = log.report(asked);
        assert_eq!(kinds(&report), [ExceptionKind::ClockBack]);
        assert_eq!(report.population.in_ledger, 2);
        report.changes.iter().map(|one| one.seq).collect()
    };
    let noon: Timestamp = "2026-01-01T00:30:00.000000Z".parse().unwrap();
    let since = Asked {
        since: Some(noon),
        ..Asked::default()
    };
    let until = Asked {
        until: Some(noon),
        ..Asked::default()
    };
    assert_eq!(seqs(&since), [second]);
    assert_eq!(seqs(&until), [first]);
    assert_eq!(seqs(&Asked::default()), [first, second]);
}

#[test]
fn releases_bound_a_period_by_place_and_every_form_says_which() {
    let mut log = Log::begin();
    let plan = log.plan(&["1", "2", "3"]);
    log.approve(LEE, plan);
    log.run(plan, "a", &[]);
    let before = log.apply("1", "1", &[]);
    let first = log.tag("1.0.0", "1");
    // by its clock it came long before the first tag
    log.late = -600;
    let within = log.apply("2", "2", &[]);
    let second = log.tag("1.1.0", "2");
    log.late = 0;
    let after = log.apply("3", "3", &[]);
    let asked = |from: Option<&str>, to: Option<&str>| Asked {
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        ..Asked::default()
    };
    for (from, to, expected) in [
        (Some("1.0.0"), Some("1.1"), vec![within]),
        (None, Some("1.0.0"), vec![before]),
        (Some("1.0.0"), None, vec![within, after]),
        (None, None, vec![before, within, after]),
    ] {
        let report = log.report(&asked(from, to));
        let found: Vec<u64> = report.changes.iter().map(|one| one.seq).collect();
        assert_eq!(found, expected, "{from:?} {to:?}");
    }
    let report = log.report(&asked(Some("1.0.0"), Some("1.1.0")));
    let dana = report.duties.iter().find(|one| one.person == "dana");
    assert_eq!(dana.unwrap().released, 1, "the tag that ends it is in it");
    let choice = format!(
        "last event stands after event {first}, which tagged the release 1.0.0, and not after event {second}, \
         which tagged the release 1.1.0"
    );
    let page = markdown(&report);
    assert!(page.contains(&in_markdown(&choice)), "{page}");
    assert!(
        page.contains("after release 1.0.0 up to release 1.1.0"),
        "{page}"
    );
    assert!(html(&report, &Enclosure::default()).contains(&choice));
    let drawn = sample::draw(report.clone(), "q1", 5);
    assert!(markdown(&drawn).contains(&in_markdown(&choice["last event ".len()..])));
    let value: serde_json::Value = serde_json::from_str(&json(&report).unwrap()).unwrap();
    assert_eq!(value["period"]["from"]["seq"], first);
    assert_eq!(value["period"]["to"]["release"], "1.1.0");
    let files = csv::files(&report);
    let (_, period) = files
        .iter()
        .find(|(name, _)| *name == "period.csv")
        .unwrap();
    assert!(period.contains(&format!("from,1.0.0,{first},")), "{period}");
    let whole = csv::files(&log.all());
    assert!(whole.iter().all(|(name, _)| *name != "period.csv"));

    for (from, to, code) in [
        (Some("1.1.0"), Some("1.0.0"), "release-order"),
        (Some("1.0.0"), Some("1.0.0"), "release-order"),
        (Some("2.0.0"), None, "release-unknown"),
        (None, Some("1"), "release-ambiguous"),
    ] {
        let refused = log.try_to_report(&asked(from, to)).unwrap_err();
        assert_eq!(refused.code(), code);
    }
}

#[test]
fn a_sample_can_be_drawn_again_by_hand() {
    let mut log = Log::begin();
    let versions: Vec<String> = (1..=20).map(|version| version.to_string()).collect();
    let plan = log.plan(&[]);
    log.run(plan, "a", &[]);
    for version in &versions {
        log.apply(version, version, &[]);
    }
    let report = log.all();
    let mut by_hand: Vec<(String, u64)> = report
        .changes
        .iter()
        .map(|one| {
            (
                Digest::of(format!("q1\n{}", one.seq).as_bytes()).to_string(),
                one.seq,
            )
        })
        .collect();
    by_hand.sort();
    let expected: BTreeSet<u64> = by_hand[..5].iter().map(|(_, seq)| *seq).collect();
    let drawn = sample::draw(report.clone(), "q1", 5);
    let found: BTreeSet<u64> = drawn.changes.iter().map(|one| one.seq).collect();
    assert_eq!(found, expected);
    assert_eq!(drawn.population.changes, 20, "the population stays known");
    assert_eq!(sample::draw(report, "q2", 99).changes.len(), 20);
    assert!(markdown(&drawn).contains("## How the sample was drawn"));
}

#[test]
fn a_page_tells_so_many_changes_in_full_and_other_forms_all_of_them() {
    let mut log = Log::begin();
    let plan = log.plan(&[]);
    log.run(plan, "a", &[]);
    for version in 1..=1_003 {
        log.apply(&version.to_string(), "x", &[]);
    }
    let report = log.all();
    let page = markdown(&report);
    let told = page.lines().filter(|line| line.starts_with("### ")).count();
    assert_eq!(told, 1_000, "the newest");
    assert!(page.contains("the 3 before them stand in full in the report's JSON"));
    assert!(page.contains("</a>4 change") && !page.contains("</a>3 change"));
    let files = csv::files(&report);
    assert_eq!(files[0].1.lines().count(), 1_004, "and one line of names");
    assert_eq!(files[0].1.matches('\u{feff}').count(), 1);
    let value: serde_json::Value = serde_json::from_str(&json(&report).unwrap()).unwrap();
    assert_eq!(value["changes"].as_array().unwrap().len(), 1_003);
}

fn hostile() -> Log {
    let mut log = Log::begin();
    let plan = log.plan(&[]);
    let header = ["description", "author", "ticket"].map(|name| (name, HOSTILE));
    log.run(plan, "a", &[HOSTILE]);
    log.apply("1", "1", &header);
    log.fail("2", HOSTILE);
    for event in &mut log.events {
        event.actor = HOSTILE.to_owned();
        event.host = HOSTILE.to_owned();
        event.env = HOSTILE.to_owned();
    }
    log
}

/// No form holds what steers a terminal or turns the direction of text.
#[track_caller]
fn is_harmless(text: &str) {
    let bad = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\r')) || matches!(c, '\u{202a}'..='\u{202e}')
    };
    assert!(!text.contains(bad), "{text:?}");
}

#[test]
fn hostile_texts_do_nothing_in_any_form() {
    let report = hostile().all();
    let page = markdown(&report);
    is_harmless(&page);
    assert!(page.contains(r"\</script\>"), "{page}");
    let elements: Vec<&str> = page.split('<').skip(1).collect();
    let own = |rest: &&&str| !rest.starts_with("a id=\"event-") && !rest.starts_with("/a>");
    let before = page.matches("\\<").count();
    assert_eq!(
        elements.iter().filter(own).count(),
        before,
        "all others are escaped"
    );
    let unescaped = page.replace("\\]", "");
    assert!(!unescaped.contains("](javascript"), "{page}");

    let text = json(&report).unwrap();
    is_harmless(&text);
    assert!(!text.contains('<'));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        value["changes"][0]["description"], HOSTILE,
        "nothing is lost"
    );

    for (name, text) in csv::files(&report) {
        is_harmless(&text);
        assert!(!text.contains(",="), "{name}: {text}");
        assert!(!text.contains(",\"="), "{name}: {text}");
        assert!(text.starts_with('\u{feff}'));
    }
}

#[test]
fn a_spreadsheet_holds_texts_and_no_formula_and_its_bytes_repeat() {
    let report = hostile().all();
    let bytes = workbook(&report).unwrap();
    assert_eq!(workbook(&report).unwrap(), bytes);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let mut sheets = 0;
    for name in names {
        let mut text = String::new();
        archive
            .by_name(&name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        is_harmless(&text);
        assert!(
            !text.contains("</script>") && !text.contains("<f>"),
            "{name}"
        );
        if name.starts_with("xl/worksheets/sheet") {
            sheets += 1;
        }
        if name == "docProps/core.xml" {
            let newest = report.subject.newest_event_at.unwrap().to_string();
            assert!(text.contains(&newest[..19]), "{text}");
        }
    }
    assert_eq!(sheets, 6);
}

#[test]
fn every_framework_names_controls_of_sections_that_exist() {
    let log = hostile();
    for framework in Framework::ALL {
        let report = log.report(&Asked {
            framework: Some(framework),
            ..Asked::default()
        });
        let sections = document(&report).sections;
        let named: usize = sections.iter().map(|one| one.controls.len()).sum();
        assert_eq!(named, super::control::count(framework), "{framework:?}");
        assert!(named > 0);
    }
}
