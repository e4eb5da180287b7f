//! Every role against every kind: who may sign what (format section 6).

use crate::support::{Log, OWNER, key};
use ledger::{Body, Digest, Event, Role, Signer as _};

/// Each kind, the role beside `owner` that may sign it, and a body of it, where `D` is a digest, `U` an id and
/// `K` a key's fingerprint.
const KINDS: [(&str, Option<Role>, &str); 41] = [
    (
        "ledger.created",
        None,
        r#"{"database":{"engine":"e","identity":"i","name":"n"},"key":{"name":"k","public":"p","roles":["owner"]},"nonce":"D"}"#,
    ),
    (
        "ledger.forked",
        None,
        r#"{"database":{"engine":"e","identity":"i","name":"n"},"reason":"r"}"#,
    ),
    (
        "ledger.moved",
        None,
        r#"{"database":{"engine":"e","identity":"i","name":"n"},"reason":"r"}"#,
    ),
    (
        "ledger.rewound",
        None,
        r#"{"lost":[{"root":"D","size":9}],"reason":"r"}"#,
    ),
    // its proof is another test's; who signs it is looked at first
    ("key.added", None, ""),
    ("key.retired", None, r#"{"fingerprint":"K","reason":"r"}"#),
    (
        "lock.acquired",
        Some(Role::Operator),
        r#"{"token":"U","wait_ms":0}"#,
    ),
    (
        "lock.released",
        Some(Role::Operator),
        r#"{"held_ms":0,"token":"U"}"#,
    ),
    (
        "lock.broken",
        Some(Role::Operator),
        r#"{"holder":{"actor":"a","host":"h","run":"U","since":"2026-01-01T00:00:00.000000Z"},"reason":"r","token":"U"}"#,
    ),
    (
        "run.started",
        Some(Role::Operator),
        r#"{"command":"up","forced":[],"plan":"D","policy":"D","steps":1}"#,
    ),
    (
        "run.refused",
        Some(Role::Operator),
        r#"{"command":"up","reasons":["r"]}"#,
    ),
    (
        "run.finished",
        Some(Role::Operator),
        r#"{"done":1,"duration_ms":1,"failed":0}"#,
    ),
    (
        "migration.started",
        Some(Role::Operator),
        r#"{"attempt":1,"checksum":"D","direction":"up","mode":"atomic","name":"n","script":"D","self_committing":[],"statements":1,"version":"1"}"#,
    ),
    (
        "migration.step_applied",
        Some(Role::Operator),
        r#"{"direction":"up","duration_ms":1,"statement":"D","step":1,"version":"1"}"#,
    ),
    (
        "migration.step_resolved",
        Some(Role::Operator),
        r#"{"as":"applied","direction":"up","reason":"r","statement":"D","step":1,"version":"1"}"#,
    ),
    (
        "migration.applied",
        Some(Role::Operator),
        r#"{"attempt":1,"batch":1,"checksum":"D","duration_ms":1,"metadata":{},"name":"n","script":"D","statements":1,"version":"1"}"#,
    ),
    (
        "migration.rolled_back",
        Some(Role::Operator),
        r#"{"cause":"requested","duration_ms":1,"name":"n","script":"D","version":"1"}"#,
    ),
    (
        "migration.failed",
        Some(Role::Operator),
        r#"{"clean":true,"direction":"up","error":{"message":"m"},"steps_applied":0,"version":"1"}"#,
    ),
    (
        "migration.aborted",
        Some(Role::Operator),
        r#"{"direction":"up","reason":"r","version":"1"}"#,
    ),
    (
        "migration.marked",
        Some(Role::Operator),
        r#"{"as":"applied","reason":"r","version":"1"}"#,
    ),
    (
        "migration.accepted",
        Some(Role::Operator),
        r#"{"new_checksum":"D","old_checksum":"D","reason":"r","script":"D","version":"1"}"#,
    ),
    (
        "history.squashed",
        Some(Role::Operator),
        r#"{"into":"2","reason":"r","through":"1"}"#,
    ),
    (
        "history.adopted",
        Some(Role::Operator),
        r#"{"digest":"D","rows":1,"table":"t","through":"1","tool":"t"}"#,
    ),
    (
        "validation.finished",
        Some(Role::Operator),
        r#"{"digest":"D","errors":0,"warnings":1}"#,
    ),
    (
        "check.finished",
        Some(Role::Operator),
        r#"{"name":"n","when":"before"}"#,
    ),
    ("approval.granted", Some(Role::Approver), r#"{"plan":"D"}"#),
    (
        "approval.revoked",
        Some(Role::Approver),
        r#"{"plan":"D","reason":"r"}"#,
    ),
    (
        "backup.taken",
        Some(Role::Operator),
        r#"{"backup":"U","duration_ms":1,"encrypted":false,"ledger_size":1,"location":"l","method":"m","name":"n","sha256":"D","size":"1"}"#,
    ),
    (
        "backup.failed",
        Some(Role::Operator),
        r#"{"error":"e","name":"n"}"#,
    ),
    ("backup.verified", Some(Role::Operator), r#"{"backup":"U"}"#),
    (
        "backup.restored",
        Some(Role::Operator),
        r#"{"backup":"U","duration_ms":1,"sha256":"D"}"#,
    ),
    (
        "backup.accepted",
        Some(Role::Operator),
        r#"{"backup":"U","reason":"r"}"#,
    ),
    (
        "backup.removed",
        Some(Role::Operator),
        r#"{"backup":"U","reason":"r"}"#,
    ),
    (
        "version.tagged",
        Some(Role::Releaser),
        r#"{"migration":"1","release":"1.0.0"}"#,
    ),
    (
        "release.created",
        Some(Role::Releaser),
        r#"{"name":"n","release":"1.0.0"}"#,
    ),
    (
        "drift.detected",
        Some(Role::Operator),
        r#"{"changes":1,"digest":"D","expected":"D","found":"D"}"#,
    ),
    ("drift.accepted", None, r#"{"found":"D","reason":"r"}"#),
    ("object.redacted", None, r#"{"digest":"D","reason":"r"}"#),
    (
        "history.exported",
        Some(Role::Auditor),
        r#"{"manifest":"D","root":"D","size":1}"#,
    ),
    (
        "anchor.recorded",
        Some(Role::Auditor),
        r#"{"digest":"D","method":"file","root":"D","size":1}"#,
    ),
    ("note.added", Some(Role::Auditor), r#"{"text":"t"}"#),
];

const ROLES: [Role; 5] = [
    Role::Owner,
    Role::Operator,
    Role::Approver,
    Role::Releaser,
    Role::Auditor,
];

/// The signer's key in every log made here.
const SIGNER: u8 = 2;

/// Reads a body as a reader of a ledger does: out of a line.
fn body(log: &Log, kind: &str, text: &str) -> Body {
    if kind == "key.added" {
        return log.key_added(3, &[Role::Auditor]).into();
    }
    let fingerprint = key(OWNER).public_key().fingerprint();
    let text = text
        .replace("\"D\"", &format!("\"{}\"", Digest::of(b"something")))
        .replace("\"U\"", "\"0193a000-0000-7000-8000-000000000001\"")
        .replace("\"K\"", &format!("\"{fingerprint}\""));
    let event = log.next(
        SIGNER,
        1,
        ledger::NoteAdded {
            about: None,
            text: "a place for another body".to_owned(),
        },
    );
    let line = String::from_utf8(event.to_line().unwrap()).unwrap();
    let line = line
        .replace(r#"{"text":"a place for another body"}"#, &text)
        .replace("\"note.added\"", &format!("\"{kind}\""));
    Event::parse(line.as_bytes())
        .unwrap_or_else(|error| panic!("{kind}: {error}"))
        .body
}

#[test]
fn each_kind_is_signed_by_its_role_or_an_owner_and_by_no_other() {
    assert_eq!(KINDS.map(|(kind, ..)| kind), Body::KINDS);
    for (kind, allowed, text) in KINDS {
        for role in ROLES {
            let mut log = Log::opened();
            log.add_key(SIGNER, &[role]);
            let body = body(&log, kind, text);
            assert_eq!(body.kind(), kind);
            log.append(SIGNER, 1, body);
            let refused = log
                .findings()
                .contains(&("key-not-authorised".to_owned(), Some(2)));
            let may = role == Role::Owner || Some(role) == allowed;
            assert_eq!(refused, !may, "`{kind}` signed by `{}`", role.as_str());
        }
    }
}
