//! Which part of a log a report is about, and how its bounds were chosen.

use ledger::Timestamp;
use serde::Serialize;

use super::control::Framework;
use crate::error::Error;
use crate::projection::releases::{Release, Releases};
use crate::release::range;

/// What a report is asked for. Several bounds hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Not after this time.
    pub until: Option<Timestamp>,
    /// After the event that tagged this release.
    pub from: Option<String>,
    /// Up to the event that tagged this release.
    pub to: Option<String>,
    /// The framework whose controls the sections name.
    pub framework: Option<Framework>,
}

/// Which part of the log was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Period {
    /// Not before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Not after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What came after this release was tagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Bound>,
    /// Up to the tag of this release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Bound>,
}

/// A release that bounds a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// Its name.
    pub release: String,
    /// The event that tagged it: by its place, not by a clock, what came before is told from what came after.
    pub seq: u64,
    /// The time that this event claims.
    pub tagged_at: Timestamp,
}

impl Asked {
    /// Returns the period that was asked for, in a log that has these releases.
    ///
    /// # Errors
    ///
    /// Those of [`range`].
    pub fn period(&self, releases: &Releases) -> Result<Period, Error> {
        let (from, to) = range(releases, self.from.as_deref(), self.to.as_deref())?;
        Ok(Period {
            since: self.since,
            until: self.until,
            from: from.map(Bound::of),
            to: to.map(Bound::of),
        })
    }
}

impl Bound {
    fn of(release: &Release) -> Self {
        Self {
            release: release.release.to_string(),
            seq: release.seq,
            tagged_at: release.time,
        }
    }
}

impl Period {
    /// Says whether an event is in it.
    pub fn has(&self, seq: u64, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time <= until)
            && self.from.as_ref().is_none_or(|from| seq > from.seq)
            && self.to.as_ref().is_none_or(|to| seq <= to.seq)
    }

    /// Says whether it is the whole history.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// Returns it in a few words.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        match (&self.from, &self.to) {
            (None, None) => {}
            (Some(from), None) => words.push(format!("after release {}", from.release)),
            (None, Some(to)) => words.push(format!("up to release {}", to.release)),
            (Some(from), Some(to)) => words.push(format!(
                "after release {} up to release {}",
                from.release, to.release
            )),
        }
        match (self.since.map(second), self.until.map(second)) {
            (None, None) => {}
            (Some(since), None) => words.push(format!("from {since} on")),
            (None, Some(until)) => words.push(format!("up to {until}")),
            (Some(since), Some(until)) => words.push(format!("from {since} to {until}")),
        }
        if words.is_empty() {
            words.push("the whole history".to_owned());
        }
        words.join(", ")
    }

    /// Says how its bounds were chosen, as the end of a sentence about events.
    pub fn choice(&self) -> String {
        let tag = |bound: &Bound| {
            format!(
                "event {}, which tagged the release {}",
                bound.seq, bound.release
            )
        };
        let mut choices = Vec::new();
        match (&self.from, &self.to) {
            (None, None) => {}
            (Some(from), None) => choices.push(format!("stands after {}", tag(from))),
            (None, Some(to)) => choices.push(format!("does not stand after {}", tag(to))),
            (Some(from), Some(to)) => choices.push(format!(
                "stands after {}, and not after {}",
                tag(from),
                tag(to)
            )),
        }
        match (self.since, self.until) {
            (None, None) => {}
            (Some(since), None) => choices.push(format!("claims a time not before {since}")),
            (None, Some(until)) => choices.push(format!("claims a time not after {until}")),
            (Some(since), Some(until)) => choices.push(format!(
                "claims a time not before {since} and not after {until}"
            )),
        }
        if choices.is_empty() {
            choices.push("stands anywhere in the log: no bound was asked for".to_owned());
        }
        choices.join(", and ")
    }
}

fn second(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{}Z", text.split('.').next().unwrap_or(&text))
}
