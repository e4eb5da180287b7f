//! The one form of time that an event carries.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const FORM: &str = "YYYY-MM-DDTHH:MM:SS.ffffffZ";

/// The text is not a time of the one form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a UTC time of the form `{FORM}`, found `{0}`")]
pub struct TimestampError(String);

/// A moment in UTC as microseconds since 1970-01-01; written `YYYY-MM-DDTHH:MM:SS.ffffffZ`,
/// a profile of RFC 3339 section 5.6.
///
/// A time in an event is a claim of its writer, never an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Wraps microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(time) => write!(formatter, "{}", time.format("%Y-%m-%dT%H:%M:%S%.6fZ")),
            // beyond the calendar; an event with it is refused by the reader
            None => write!(formatter, "{} microseconds since 1970", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        micros(text.as_bytes())
            .map(Self)
            .ok_or_else(|| TimestampError(crate::text::fit(text, 200)))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

fn micros(text: &[u8]) -> Option<i64> {
    if text.len() != FORM.len() {
        return None;
    }
    for (position, mark) in [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (26, b'Z'),
    ] {
        if text[position] != mark {
            return None;
        }
    }
    let year = i32::try_from(number(&text[0..4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&text[5..7])?, number(&text[8..10])?)?;
    let time = date.and_hms_micro_opt(
        number(&text[11..13])?,
        number(&text[14..16])?,
        number(&text[17..19])?,
        number(&text[20..26])?,
    )?;
    Some(time.and_utc().timestamp_micros())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u32::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_form_is_kept_both_ways() {
        for text in [
            "1970-01-01T00:00:00.000000Z",
            "2026-11-20T20:00:25.000025Z",
            "2024-02-29T23:59:59.999999Z",
            "0001-01-01T00:00:00.000001Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!(
            "1970-01-01T00:00:01.000002Z".parse(),
            Ok(Timestamp::from_micros(1_000_002))
        );
    }

    #[test]
    fn every_other_form_is_refused() {
        for text in [
            "2026-11-20T20:00:25Z",
            "2026-11-20T20:00:25.000025+00:00",
            "2026-11-20 20:00:25.000025Z",
            "2026-11-20T20:00:25.000025z",
            "2026-02-29T20:00:25.000025Z",
            "2026-11-20T24:00:00.000000Z",
            "2026-11-20T23:59:60.000000Z",
            "+026-11-20T20:00:25.000025Z",
            "2026-11-20T20:00:25.00002éZ",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
