//! Readers of values.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use ledger::Timestamp;
use ledger::note::Witness;
use mledger::config;
use mledger::request::{AsOf, Compromised};

/// Reads a duration: whole seconds, or with a unit.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    config::duration(text)
}

/// Reads a time as RFC 3339, or a date as its first moment in UTC.
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    moment(text, NaiveTime::MIN)
}

/// Reads a time as RFC 3339, or a date as its last moment in UTC.
pub(super) fn until(text: &str) -> Result<Timestamp, String> {
    let last = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap_or(NaiveTime::MIN);
    moment(text, last)
}

/// Reads the place of an event, a date or a time, or the name of a release.
pub(super) fn as_of(text: &str) -> Result<AsOf, String> {
    if let Some(name) = text.strip_prefix("release:") {
        return Ok(AsOf::Release(name.to_owned()));
    }
    if let Ok(seq) = text.parse() {
        return Ok(AsOf::Seq(seq));
    }
    if let Ok(time) = until(text) {
        return Ok(AsOf::Time(time));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.') {
        return Ok(AsOf::Release(text.to_owned()));
    }
    Err(format!(
        "expected a date such as `2026-01-31`, a release such as `1.2.0`, or the place of an event, found \
         `{text}`"
    ))
}

/// Reads the place of an event, or a time.
pub(super) fn compromised(text: &str) -> Result<Compromised, String> {
    match text.parse() {
        Ok(seq) => Ok(Compromised::From(seq)),
        Err(_) => since(text).map(Compromised::Since),
    }
}

/// Reads a number of at least one.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("expected a number of at least 1, found `{text}`")),
    }
}

/// Reads a text that says something.
pub(super) fn sentence(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("expected a few words, found none".to_owned());
    }
    Ok(text.to_owned())
}

fn moment(text: &str, of_day: NaiveTime) -> Result<Timestamp, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Timestamp::from(time.with_timezone(&Utc)));
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map(|date| Timestamp::from(date.and_time(of_day).and_utc()))
        .map_err(|_| {
            format!("expected a date such as `2026-01-31` or a time such as `2026-01-31T12:00:00Z`, found `{text}`")
        })
}

/// Reads a witness's verifier key.
pub(super) fn witness(text: &str) -> Result<Witness, String> {
    Witness::parse(text).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_stands_for_the_whole_day() {
        let text = |time: Result<Timestamp, String>| time.map(|time| time.to_string());
        assert_eq!(
            text(since("2026-01-31")),
            Ok("2026-01-31T00:00:00.000000Z".into())
        );
        assert_eq!(
            text(until("2026-01-31")),
            Ok("2026-01-31T23:59:59.999999Z".into())
        );
        assert_eq!(
            text(since("2026-01-31T12:00:00+02:00")),
            Ok("2026-01-31T10:00:00.000000Z".into())
        );
        assert!(since("31.1.2026").is_err());
        assert_eq!(compromised("12"), Ok(Compromised::From(12)));
        assert_eq!(
            compromised("2026-01-31"),
            since("2026-01-31").map(Compromised::Since)
        );
        assert!(compromised("-1").is_err());
        assert_eq!(as_of("2026-01-31"), until("2026-01-31").map(AsOf::Time));
        assert_eq!(as_of("12"), Ok(AsOf::Seq(12)));
        for release in ["1.2", "1.2.0", "1.2.0-rc.1"] {
            assert_eq!(as_of(release), Ok(AsOf::Release(release.to_owned())));
        }
        assert_eq!(as_of("release:1"), Ok(AsOf::Release("1".to_owned())));
        assert!(as_of("yesterday").is_err() && as_of("").is_err());
    }
}
