//! What reports say of a log, and that nothing in a log can harm who reads one.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

use ledger::canonical::{self, Value};
use ledger::{
    ApprovalGranted, Body, Cause, DatabaseId, Digest, Direction, ErrorDetail, Event, Forced,
    KeyAdded, KeyGrant, KeyRetired, LedgerCreated, MigrationApplied, MigrationFailed,
    MigrationRolledBack, MigrationStarted, Mode, Outcome, Role, RunFinished, RunStarted,
    SchemaState, Signature, Signer, SigningKey, Sorted, Timestamp,
};
use uuid::Uuid;

use super::model::{ChangeOutcome, ExceptionKind};
use super::{
    Asked, Collector, Evidence, Framework, Report, csv, document, json, markdown, sample, workbook,
};
use crate::report::{Checked, VerifyReport};

type Person = (u8, &'static str);

const DANA: Person = (7, "dana");
const LEE: Person = (8, "lee");
const OPS: Person = (9, "ops");

/// Texts that want to be a formula, an element, a link, a command to a terminal, or read backwards.
const HOSTILE: &str = "=cmd|' /C calc'!A0</script><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}txt\u{9b}31m|[x](javascript:x)";

/// A log told event by event, an hour apart, and the objects that it names.
#[derive(Default)]
struct Log {
    events: Vec<Event>,
    objects: BTreeMap<Digest, Vec<u8>>,
    run: u128,
    /// Minutes by which the next events are late.
    late: i64,
}

fn key((seed, _): Person) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn schema(text: &str) -> Option<SchemaState> {
    Some(SchemaState {
        digest: Digest::of(text.as_bytes()),
        format: 1,
        server: "3".to_owned(),
    })
}

impl Log {
    fn begin() -> Self {
        let mut log = Self::default();
        let public = |person| key(person).public_key().to_openssh();
        let created = LedgerCreated {
            database: DatabaseId {
                engine: "sqlite".to_owned(),
                identity: "x".to_owned(),
                name: "shop".to_owned(),
            },
            key: KeyGrant {
                name: DANA.1.to_owned(),
                public: public(DANA),
                roles: [Role::Owner].into_iter().collect(),
            },
            nonce: Digest::ZERO,
        };
        log.say(DANA, Outcome::Success, created);
        for (person, role) in [(LEE, Role::Approver), (OPS, Role::Operator)] {
            let added = KeyAdded {
                name: person.1.to_owned(),
                proof: Signature::from_bytes([0; 64]),
                public: public(person),
                roles: [role].into_iter().collect(),
            };
            log.say(DANA, Outcome::Success, added);
        }
        log
    }

    fn say(&mut self, person: Person, outcome: Outcome, body: impl Into<Body>) -> u64 {
        let seq = self.events.len() as u64;
        let start: Timestamp = "2026-01-01T00:00:00.000000Z".parse().unwrap();
        let minutes = i64::try_from(seq).unwrap() + self.late;
        self.events.push(Event {
            actor: person.1.to_owned(),
            body: body.into(),
            env: "production".to_owned(),
            host: "laptop".to_owned(),
            key: key(person).public_key().fingerprint(),
            ledger: Digest::ZERO,
            outcome,
            prev: Digest::ZERO,
            run: Uuid::from_u128(self.run),
            seq,
            time: Timestamp::from_micros(start.as_micros() + minutes * 60_000_000),
            tool: "mledger/0.1.0".to_owned(),
        });
        seq
    }

    fn keep(&mut self, value: &Value) -> Digest {
        let bytes = canonical::write(value).unwrap();
        let digest = Digest::of(&bytes);
        self.objects.insert(digest, bytes);
        digest
    }

    /// A plan that names the scripts of these versions.
    fn plan(&mut self, versions: &[&str]) -> Digest {
        let text = |text: &str| Value::from(text);
        let digest = |text: &str| Value::Text(Digest::of(text.as_bytes()).to_string());
        let steps = versions.iter().map(|version| {
            Value::object([
                ("direction", text("up")),
                ("down_script", digest(&format!("down {version}"))),
                ("mode", text("atomic")),
                ("script", digest(version)),
                ("version", text(version)),
            ])
        });
        let plan = Value::object([
            ("env", text("production")),
            ("ledger", Value::Text(Digest::ZERO.to_string())),
            ("policy", Value::Text(Digest::ZERO.to_string())),
            ("steps", Value::List(steps.collect())),
            ("v", Value::Integer(1)),
        ]);
        self.keep(&plan)
    }

    fn approve(&mut self, person: Person, plan: Digest) {
        let granted = ApprovalGranted {
            comment: None,
            expires: None,
            plan,
        };
        self.say(person, Outcome::Success, granted);
    }

    fn run(&mut self, plan: Digest, before: &str, forced: &[&str]) {
        self.run += 1;
        let policy = Value::object([
            ("approvals", Value::Integer(1)),
            ("protected", Value::Bool(true)),
            ("v", Value::Integer(1)),
        ]);
        let policy = self.keep(&policy);
        let forced = forced.iter().map(|reason| Forced {
            finding: "slow".to_owned(),
            reason: (*reason).to_owned(),
        });
        let started = RunStarted {
            batch: Some(1),
            ci: None,
            command: "up".to_owned(),
            forced: forced.collect(),
            plan,
            policy,
            schema: schema(before),
            steps: 1,
            ticket: None,
        };
        self.say(OPS, Outcome::Success, started);
    }

    fn finish(&mut self, outcome: Outcome, after: &str) {
        let finished = RunFinished {
            done: 1,
            duration_ms: 1,
            failed: 0,
            schema: schema(after),
        };
        self.say(OPS, outcome, finished);
    }

    fn start(&mut self, version: &str, direction: Direction, script: &str) {
        let started = MigrationStarted {
            attempt: 1,
            batch: Some(1),
            checksum: Digest::ZERO,
            direction,
            mode: Mode::Atomic,
            name: format!("change_{version}"),
            script: Digest::of(script.as_bytes()),
            self_committing: Sorted::default(),
            statements: 1,
            version: version.to_owned(),
        };
        self.say(OPS, Outcome::Success, started);
    }

    fn apply(&mut self, version: &str, script: &str, header: &[(&str, &str)]) -> u64 {
        self.start(version, Direction::Up, script);
        let metadata = header.iter();
        let applied = MigrationApplied {
            attempt: 1,
            batch: 1,
            checksum: Digest::ZERO,
            down_script: None,
            duration_ms: 60_000,
            metadata: metadata
                .map(|(name, text)| ((*name).to_owned(), Value::from(*text)))
                .collect(),
            name: format!("change_{version}"),
            script: Digest::of(script.as_bytes()),
            statements: 1,
            version: version.to_owned(),
        };
        self.say(OPS, Outcome::Success, applied)
    }

    fn fail(&mut self, version: &str, message: &str) {
        self.start(version, Direction::Up, version);
        let failed = MigrationFailed {
            clean: true,
            direction: Direction::Up,
            error: ErrorDetail {
                code: None,
                column: None,
                line: None,
                message: message.to_owned(),
                statement: None,
            },
            steps_applied: 0,
            version: version.to_owned(),
        };
        self.say(OPS, Outcome::Failure, failed);
    }

    fn roll_back(&mut self, version: &str) {
        let script = format!("down {version}");
        self.start(version, Direction::Down, &script);
        let body = MigrationRolledBack {
            cause: Cause::Requested,
            duration_ms: 60_000,
            name: format!("change_{version}"),
            script: Digest::of(script.as_bytes()),
            version: version.to_owned(),
        };
        self.say(OPS, Outcome::Success, body);
    }

    fn report(&self, asked: &Asked) -> Report {
        let mut collector = Collector::default();
        for event in &self.events {
            collector.apply(event);
        }
        let evidence = Evidence {
            verification: VerifyReport {
                lineage: vec![Digest::ZERO],
                size: self.events.len() as u64,
                root: Digest::ZERO,
                head: Digest::ZERO,
                anchored_to: ledger::Anchor::Nothing,
                anchored_size: 0,
                trusted: false,
                checked: Checked::default(),
                findings: Vec::new(),
            },
            objects: self.objects.clone(),
            tool: "mledger/0.1.0".to_owned(),
        };
        collector.report(asked, evidence)
    }

    fn all(&self) -> Report {
        self.report(&Asked::default())
    }
}

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
    let [change] = report.changes.as_slice() else {
        panic!("{:?}", report.changes)
    };
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
    let policy = log.keep(&Value::object([
        ("approval_lasts_ms", Value::Integer(1_000)),
        ("approvals", Value::Integer(1)),
        ("protected", Value::Bool(true)),
    ]));
    log.run(plan, "a", &[]);
    let Body::RunStarted(started) = &mut log.events.last_mut().unwrap().body else {
        panic!("a run has just begun")
    };
    started.policy = policy;
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
