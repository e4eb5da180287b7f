//! Texts that want to be more than texts: formulas, markup, what steers a terminal, what turns the direction
//! of writing round. They stand in every text of an event that a key can sign, and every command that shows
//! events shows them as texts.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;

use mledger::ledger::{Body, Digest, Event, NoteAdded, Outcome, Record, SigningKey};
use serde_json::Value;

use crate::bundle::Bundle;
use crate::records::{Row, hex, rows};
use crate::support::Project;

const HOSTILE: &str = "=cmd|' /C calc'!A0</script><img src=x onerror=alert(1)>\u{1b}[2J\u{1b}]0;t\u{7}\r\n\u{202e}txt\u{2066}x\u{9b}31m|[x](javascript:x)";

const SCRIPT: &str = "-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n";

/// Bodies in an order that the lifecycle allows; `T` is a text, `D` a digest, `U` an id.
const BODIES: [(&str, &str, &str); 22] = [
    ("note.added", "success", r#"{"text":"T"}"#),
    (
        "run.refused",
        "denied",
        r#"{"command":"T","reasons":["T"]}"#,
    ),
    ("lock.acquired", "success", r#"{"token":"U","wait_ms":1}"#),
    (
        "run.started",
        "success",
        r#"{"ci":{"commit":"T","provider":"T","url":"T"},"command":"T","forced":[{"finding":"T","reason":"T"}],"plan":"D","policy":"D","schema":{"digest":"D","format":1,"server":"T"},"steps":1,"ticket":"T"}"#,
    ),
    (
        "check.finished",
        "success",
        r#"{"detail":"T","name":"T","when":"before"}"#,
    ),
    (
        "migration.started",
        "success",
        r#"{"attempt":1,"checksum":"D","direction":"up","mode":"atomic","name":"T","script":"D","self_committing":[],"statements":1,"version":"77"}"#,
    ),
    (
        "migration.failed",
        "failure",
        r#"{"clean":true,"direction":"up","error":{"code":"T","column":1,"line":1,"message":"T","statement":1},"steps_applied":0,"version":"77"}"#,
    ),
    (
        "migration.started",
        "success",
        r#"{"attempt":2,"checksum":"D","direction":"up","mode":"atomic","name":"T","script":"D","self_committing":[],"statements":1,"version":"77"}"#,
    ),
    (
        "migration.applied",
        "success",
        r#"{"attempt":2,"batch":9,"checksum":"D","duration_ms":1,"metadata":{"author":"T","description":"T","tags":["T"],"ticket":"T"},"name":"T","script":"D","statements":1,"version":"77"}"#,
    ),
    (
        "migration.accepted",
        "success",
        r#"{"new_checksum":"D","old_checksum":"D","reason":"T","script":"D","version":"77"}"#,
    ),
    (
        "migration.marked",
        "success",
        r#"{"as":"pending","reason":"T","version":"78"}"#,
    ),
    (
        "run.finished",
        "success",
        r#"{"done":1,"duration_ms":1,"failed":0,"schema":{"digest":"D","format":1,"server":"T"}}"#,
    ),
    ("lock.released", "success", r#"{"held_ms":1,"token":"U"}"#),
    (
        "approval.granted",
        "success",
        r#"{"comment":"T","plan":"D"}"#,
    ),
    (
        "approval.revoked",
        "success",
        r#"{"plan":"D","reason":"T"}"#,
    ),
    (
        "backup.taken",
        "success",
        r#"{"backup":"U","duration_ms":1,"encrypted":false,"ledger_size":1,"location":"T","method":"T","name":"T","sha256":"D","size":"1"}"#,
    ),
    ("backup.failed", "failure", r#"{"error":"T","name":"T"}"#),
    (
        "backup.removed",
        "success",
        r#"{"backup":"U","reason":"T"}"#,
    ),
    (
        "version.tagged",
        "success",
        r#"{"message":"T","migration":"77","release":"1.0.0"}"#,
    ),
    (
        "release.created",
        "success",
        r#"{"name":"T","release":"1.0.0"}"#,
    ),
    ("drift.accepted", "success", r#"{"found":"D","reason":"T"}"#),
    (
        "lock.broken",
        "success",
        r#"{"holder":{"actor":"T","host":"T","run":"U","since":"2026-01-01T00:00:00.000000Z"},"reason":"T","token":"U"}"#,
    ),
];

/// A project whose ledger goes on with these events, signed by its own key.
fn project() -> Project {
    let project = Project::with_effects(1);
    project.ok(&["up"]);
    let secret = project.path().join("home/config/mledger/id_ed25519");
    let key = SigningKey::from_openssh(&fs::read_to_string(secret).unwrap(), None).unwrap();
    project.write("migrations/77_m77.sql", SCRIPT);
    let digest = Digest::of(SCRIPT.as_bytes());
    let mut last = rows(&project).pop().unwrap();
    let mut inserts = vec![format!(
        "INSERT INTO mledger_objects VALUES (X'{digest}', {}, 'raw', X'{}')",
        SCRIPT.len(),
        hex(SCRIPT.as_bytes())
    )];
    for (kind, outcome, body) in BODIES {
        let event = next(&last, kind, outcome, body, &digest);
        let record = Record::sign(&event, &key).unwrap();
        last = Row::of(&record);
        inserts.push(last.insert());
    }
    // the guards let pass what comes next
    project.ask(&inserts.join(";\n"));
    project
}

fn next(last: &Row, kind: &str, outcome: &str, body: &str, digest: &Digest) -> Event {
    let mut event = last.event();
    event.seq += 1;
    event.prev = last.hash_of();
    event.outcome = Outcome::Success;
    for text in [&mut event.actor, &mut event.host] {
        HOSTILE.clone_into(text);
    }
    event.body = Body::NoteAdded(NoteAdded {
        about: None,
        text: String::new(),
    });
    let line = String::from_utf8(event.to_line().unwrap()).unwrap();
    let id = event.run.to_string();
    let written = body
        .replace("\"D\"", &format!("\"{digest}\""))
        .replace("\"U\"", &format!("\"{id}\""))
        .replace("\"T\"", &canonical(HOSTILE));
    let line = line
        .replace(r#"{"text":""}"#, &written)
        .replace("\"note.added\"", &format!("\"{kind}\""))
        .replace(
            "\"outcome\":\"success\"",
            &format!("\"outcome\":\"{outcome}\""),
        );
    Event::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

/// A text as a canonical line has it.
fn canonical(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Says what in a text steers what shows it.
fn steers(text: &str) -> Option<char> {
    text.chars().find(|c| {
        c.is_control() && *c != '\n'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn what_is_shown_on_a_terminal_steers_no_terminal() {
    let project = project();
    let verified = project.run(&["verify"]);
    assert_eq!(verified.code, 0, "the texts are no finding: {verified:#?}");
    let last = rows(&project).len() - 1;
    let mut commands: Vec<Vec<String>> = [
        "status",
        "status --verbose",
        "history",
        "plan",
        "verify",
        "validate",
        "health",
        "events",
        "approvals",
        "analyze 77",
        "backup list",
        "releases",
        "changelog",
        "key list",
        "lock status",
        "report",
        "down --dry-run",
        "up --dry-run",
        "resolve 77 --applied --reason no --yes",
        "backup restore latest --yes",
    ]
    .iter()
    .map(|line| line.split(' ').map(str::to_owned).collect())
    .collect();
    commands.extend((0..=last).map(|seq| vec!["show".to_owned(), seq.to_string()]));
    let mut told = 0;
    for command in commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let ended = project.run(&arguments);
        assert!((0..=7).contains(&ended.code), "{command:?}: {ended:#?}");
        for text in [&ended.stdout, &ended.stderr] {
            assert_eq!(steers(text), None, "{command:?}: {ended:#?}");
            told += usize::from(text.contains("calc"));
        }
        let json = project.run(&[arguments, vec!["--json"]].concat());
        let controls = |c: char| c < ' ' && c != '\n';
        assert!(!json.stdout.contains(controls), "{command:?}: {json:#?}");
        let document = serde_json::from_str::<Value>(&json.stdout);
        assert!(document.is_ok(), "{command:?}: {json:#?}");
    }
    assert!(told > 20, "the texts are shown: {told}");
    let note = project.json(&["show", &(last + 1 - BODIES.len()).to_string()]);
    assert!(note.to_string().contains(&canonical(HOSTILE)), "{note}");
}

#[test]
fn what_is_written_to_files_stays_text() {
    let project = project();
    project.ok(&["export", "--no-record", "bundle"]);
    let bundle = Bundle::copy_of(&project.path().join("bundle"));
    let said = bundle.both("hostile texts");
    assert_eq!(said.exit, 0, "{said:?}");
    for name in bundle.names() {
        if name.starts_with("objects/") || name == "events.jsonl" {
            continue;
        }
        let text = String::from_utf8(bundle.read(&name)).unwrap();
        // a spreadsheet's line ends
        let text = text.replace("\r\n", "\n");
        if name.ends_with(".html") {
            assert!(!text.contains("<img"), "{name}");
            assert_eq!(
                text.matches("</script>").count(),
                text.matches("<script").count()
            );
        } else {
            assert_eq!(steers(&text), None, "{name}");
        }
        if name.ends_with(".csv") {
            assert!(
                !text.contains(",=") && !text.contains(",\"="),
                "{name}: {text}"
            );
        }
    }
    let events = String::from_utf8(bundle.read("events.jsonl")).unwrap();
    assert!(!events.contains('\u{1b}'), "control characters are escaped");
    for output in ["markdown", "json", "html"] {
        for command in ["changelog", "report"] {
            let ended = project.run(&[command, "--output", output]);
            assert_eq!(ended.code, 0, "{command} {output}: {ended:#?}");
            assert!(!ended.stdout.contains('\u{1b}'), "{command} {output}");
            // a backslash takes markup its meaning, and nobody reads JSON as markup
            let text = ended.stdout.replace("\\<", "");
            let markup = output != "json" && text.contains("<img");
            assert!(!markup, "{command} {output}");
        }
    }
}
