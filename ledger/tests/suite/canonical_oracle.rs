//! The canonical form against RFC 8785 as another crate has it, on random values and events.

use ledger::canonical::{self, MAX_INTEGER, Value};
use ledger::{Body, Event, Metadata, MigrationApplied, Outcome, Timestamp};
use proptest::prelude::*;

use crate::support::bodies::{applied, note};
use crate::support::{Log, run_id};

/// Strings that hurt: controls, quotes, separators, astral and combining characters.
fn text() -> impl Strategy<Value = String> {
    let mark = prop_oneof![
        any::<char>().prop_filter("no NUL", |mark| *mark != '\0'),
        prop::sample::select(vec![
            '"',
            '\\',
            '/',
            '\n',
            '\r',
            '\t',
            '\u{8}',
            '\u{c}',
            '\u{1}',
            '\u{1f}',
            '\u{7f}',
            '\u{2028}',
            '\u{fffd}',
            '\u{10ffff}',
            'e',
            '\u{301}',
            '\u{feff}',
        ]),
    ];
    prop::collection::vec(mark, 0..20).prop_map(|marks| marks.into_iter().collect())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::Integer),
        text().prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::btree_map("[a-z0-9_]{1,6}", inner, 0..6).prop_map(Value::Object),
        ]
    })
}

fn event() -> impl Strategy<Value = Event> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        text().prop_map(Value::Text),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::Integer),
        prop::collection::vec(text().prop_map(Value::Text), 0..4).prop_map(Value::List),
    ];
    let metadata = prop::collection::btree_map("[a-z_]{1,8}", scalar, 0..5);
    let body = prop_oneof![
        text().prop_map(|text| Body::from(note(&text))),
        (metadata, text()).prop_map(|(metadata, name): (Metadata, String)| {
            Body::from(MigrationApplied {
                metadata,
                name,
                ..applied("1")
            })
        }),
    ];
    let outcome = prop::sample::select(Outcome::ALL);
    let micros = -62_000_000_000_000_000..250_000_000_000_000_000_i64;
    (text(), text(), body, outcome, micros, any::<u64>()).prop_map(
        |(actor, host, body, outcome, micros, run)| Event {
            actor,
            host,
            outcome,
            time: Timestamp::from_micros(micros),
            run: run_id(run >> 20),
            ..Log::opened().next(1, 0, body)
        },
    )
}

proptest! {
    #[test]
    fn values_have_the_bytes_that_rfc_8785_gives_them(value in value()) {
        let bytes = canonical::write(&value).unwrap();
        prop_assert_eq!(&canonical::read(&bytes).unwrap(), &value);
        let parsed: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(serde_json_canonicalizer::to_vec(&parsed).unwrap(), bytes);
    }

    #[test]
    fn events_come_back_as_they_were(event in event()) {
        let line = event.to_line().unwrap();
        prop_assert_eq!(&Event::parse(&line).unwrap(), &event);
        let parsed: serde_json::Value = serde_json::from_slice(&line).unwrap();
        prop_assert_eq!(serde_json_canonicalizer::to_vec(&parsed).unwrap(), line.clone());
        prop_assert_eq!(serde_json_canonicalizer::to_vec(&event).unwrap(), line);
    }

    #[test]
    fn what_is_read_is_its_own_canonical_form(
        text in r#"[{}\[\]":,a-c0-2\\nu. -]{0,16}|"([ -~]|\\["\\bfnrtu/]|\\u00[01][0-9a-f]){0,4}""#,
    ) {
        if let Ok(value) = canonical::read(text.as_bytes()) {
            prop_assert_eq!(canonical::write(&value).unwrap(), text.as_bytes());
            let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json_canonicalizer::to_vec(&parsed).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fail_otherwise(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = canonical::read(&bytes) {
            prop_assert_eq!(canonical::write(&value).unwrap(), bytes);
        }
    }
}

#[test]
fn texts_from_outside_are_made_to_fit() {
    let log = Log::opened();
    let event = log.next(1, 0, note("a\0b"));
    let back = Event::parse(&event.to_line().unwrap()).unwrap();
    assert_eq!(back.body, Body::from(note("a\u{fffd}b")));

    let long = log.next(1, 0, note(&"x".repeat(70_000)));
    assert!(matches!(
        long.to_line(),
        Err(ledger::LineFault::TooLong { .. })
    ));
    let fitting = log.next(1, 0, note(&ledger::fit(&"x".repeat(70_000), 60_000)));
    assert!(fitting.to_line().is_ok());

    let limit = ledger::MAX_LINE - log.next(1, 0, note("")).to_line().unwrap().len();
    let longest = log.next(1, 0, note(&"x".repeat(limit)));
    let record = ledger::Record::sign(&longest, &crate::support::key(1)).unwrap();
    assert_eq!(record.to_entry().len(), ledger::MAX_ENTRY);
    assert!(
        log.next(1, 0, note(&"x".repeat(limit + 1)))
            .to_line()
            .is_err()
    );
}

#[test]
fn metadata_that_an_entry_cannot_carry_stays_out() {
    let metadata: Metadata = [
        ("author", Value::from("dana\0")),
        ("Upper", Value::from("x")),
        ("nested", Value::object([("a", Value::from(true))])),
        ("deep", Value::from(vec![Value::from(vec![])])),
        ("huge", Value::from(MAX_INTEGER + 1)),
        ("tags", Value::from(vec![Value::from("a"), Value::from(1)])),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let body = MigrationApplied {
        metadata,
        ..applied("1")
    };
    let event = Log::opened().next(1, 0, body);
    let back = Event::parse(&event.to_line().unwrap()).unwrap();
    let Body::MigrationApplied(body) = back.body else {
        panic!("another kind");
    };
    let kept: Vec<&str> = body.metadata.keys().map(String::as_str).collect();
    assert_eq!(kept, ["author", "tags"]);
    assert_eq!(body.metadata["author"], Value::from("dana\u{fffd}"));
}

#[test]
fn forms_that_a_member_has_not_are_refused() {
    let line = String::from_utf8(Log::opened().next(1, 0, backup()).to_line().unwrap()).unwrap();
    assert!(Event::parse(line.as_bytes()).is_ok());
    for (good, bad) in [
        (r#""size":"1000000""#, r#""size":"01000000""#),
        (r#""size":"1000000""#, r#""size":1000000"#),
        (r#""encrypted":false"#, r#""encrypted":"no""#),
        (r#""encrypted":false"#, r#""encrypted":false,"extra":1"#),
        (r#""ledger_size":1"#, r#""ledger_size":-1"#),
        (
            "0193a000-0000-7000-8000-000000000007",
            "0193A000-0000-7000-8000-000000000007",
        ),
        (
            "0193a000-0000-7000-8000-000000000007",
            "0193a000000070008000000000000007",
        ),
        (r#""outcome":"success""#, r#""outcome":"Success""#),
        ("SHA256:", "sha256:"),
        (r#""kind":"backup.taken""#, r#""kind":"backup.failed""#),
    ] {
        let altered = line.replacen(good, bad, 1);
        assert_ne!(altered, line, "{good}");
        assert!(Event::parse(altered.as_bytes()).is_err(), "{bad}");
    }
}

fn backup() -> ledger::BackupTaken {
    crate::support::bodies::backup_taken(7, 1)
}
