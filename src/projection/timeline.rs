//! What changed and who changed it: every attempt at a migration, and every word of a person about one.

use std::collections::BTreeMap;

use ledger::canonical::Value;
use ledger::{Body, Direction, Event, Marked, Timestamp};
use uuid::Uuid;

use super::history::History;
use crate::migration::Version;
use crate::report::{TimelineEntry, TimelineOutcome};

/// A fold over all events, in the order in which they were recorded.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    history: History,
    entries: Vec<TimelineEntry>,
    /// Where the attempt stands that has no end yet.
    open: BTreeMap<Version, usize>,
    tickets: BTreeMap<Uuid, String>,
}

impl Timeline {
    /// Folds the next event.
    ///
    /// # Errors
    ///
    /// A sentence, when the event cannot be made sense of.
    pub fn apply(&mut self, event: &Event) -> Result<(), String> {
        let before: Vec<(Version, String)> = match &event.body {
            Body::BackupRestored(_) => self.applied(),
            _ => Vec::new(),
        };
        self.history.apply(event)?;
        match &event.body {
            Body::RunStarted(body) => {
                if let Some(ticket) = &body.ticket {
                    self.tickets.insert(event.run, ticket.clone());
                }
            }
            Body::MigrationStarted(body) => {
                let mut entry = self.entry(event, &body.version, TimelineOutcome::Unfinished)?;
                entry.direction = Some(body.direction);
                entry.batch = body.batch;
                self.open
                    .insert(version(&body.version)?, self.entries.len());
                self.entries.push(entry);
            }
            Body::MigrationApplied(body) => {
                let estimate = body.metadata.get("estimated_duration");
                let estimated = match estimate {
                    Some(Value::Integer(number)) => u64::try_from(*number).ok(),
                    _ => None,
                };
                let entry = self.end(
                    event,
                    &body.version,
                    Direction::Up,
                    TimelineOutcome::Applied,
                )?;
                entry.batch = Some(body.batch);
                entry.duration_ms = Some(body.duration_ms);
                entry.estimated_ms = estimated;
                entry.percent_of_estimate = estimated.and_then(|estimated| {
                    body.duration_ms.saturating_mul(100).checked_div(estimated)
                });
            }
            Body::MigrationRolledBack(body) => {
                let entry = self.end(
                    event,
                    &body.version,
                    Direction::Down,
                    TimelineOutcome::RolledBack,
                )?;
                entry.duration_ms = Some(body.duration_ms);
                entry.detail = match body.cause {
                    ledger::Cause::Requested => None,
                    ledger::Cause::Failure => Some("after a failure".to_owned()),
                    ledger::Cause::Check => Some("after a check".to_owned()),
                };
            }
            Body::MigrationFailed(body) => {
                let entry = self.end(
                    event,
                    &body.version,
                    body.direction,
                    TimelineOutcome::Failed,
                )?;
                entry.detail = Some(body.error.message.clone());
            }
            Body::MigrationAborted(body) => {
                let entry = self.end(
                    event,
                    &body.version,
                    body.direction,
                    TimelineOutcome::Aborted,
                )?;
                entry.detail = Some(body.reason.clone());
            }
            Body::MigrationMarked(body) => {
                let outcome = match body.r#as {
                    Marked::Applied => TimelineOutcome::MarkedApplied,
                    Marked::Pending => TimelineOutcome::MarkedPending,
                };
                self.say(event, &body.version, outcome, &body.reason)?;
            }
            Body::MigrationAccepted(body) => {
                let outcome = TimelineOutcome::Accepted;
                self.say(event, &body.version, outcome, &body.reason)?;
            }
            Body::BackupRestored(body) => {
                let reason = format!("the backup {} was restored", body.backup);
                let before: BTreeMap<Version, String> = before.into_iter().collect();
                let after: BTreeMap<Version, String> = self.applied().into_iter().collect();
                for (version, written) in &before {
                    if !after.contains_key(version) {
                        self.say(event, written, TimelineOutcome::Restored, &reason)?;
                    }
                }
                for (version, written) in &after {
                    if !before.contains_key(version) {
                        self.say(event, written, TimelineOutcome::Returned, &reason)?;
                    }
                }
                // what was open when the backup was taken is not what is open here
                self.open.clear();
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns all entries, oldest first.
    pub fn finish(self) -> Vec<TimelineEntry> {
        self.entries
    }

    fn applied(&self) -> Vec<(Version, String)> {
        let applied = self.history.applied().into_iter();
        applied
            .map(|(version, entry, _)| (version.clone(), entry.version.clone()))
            .collect()
    }

    fn entry(
        &self,
        event: &Event,
        written: &str,
        outcome: TimelineOutcome,
    ) -> Result<TimelineEntry, String> {
        let known = self.history.get(&version(written)?);
        Ok(TimelineEntry {
            seq: event.seq,
            ended_by: None,
            version: written.to_owned(),
            name: known.map_or_else(String::new, |entry| entry.name.clone()),
            direction: None,
            outcome,
            time: event.time,
            by: event.actor.clone(),
            host: event.host.clone(),
            run: event.run,
            batch: None,
            ticket: self.tickets.get(&event.run).cloned(),
            duration_ms: None,
            estimated_ms: None,
            percent_of_estimate: None,
            detail: None,
        })
    }

    /// Ends the open attempt of a version; one without a start is told all the same.
    fn end(
        &mut self,
        event: &Event,
        written: &str,
        direction: Direction,
        outcome: TimelineOutcome,
    ) -> Result<&mut TimelineEntry, String> {
        let fresh = self.entry(event, written, outcome)?;
        let place = self.open.remove(&version(written)?);
        let place = place.unwrap_or(self.entries.len());
        if place == self.entries.len() {
            self.entries.push(fresh.clone());
        }
        let Some(entry) = self.entries.get_mut(place) else {
            return Err(format!("`{written}` has no attempt to end"));
        };
        entry.outcome = outcome;
        entry.direction = Some(direction);
        entry.ended_by = Some(event.seq);
        entry.duration_ms = elapsed(entry.time, event.time);
        entry.name = fresh.name;
        // an attempt that another run settles is still the attempt of who began it
        Ok(entry)
    }

    fn say(
        &mut self,
        event: &Event,
        written: &str,
        outcome: TimelineOutcome,
        reason: &str,
    ) -> Result<(), String> {
        let mut entry = self.entry(event, written, outcome)?;
        entry.detail = Some(reason.to_owned());
        self.entries.push(entry);
        Ok(())
    }
}

/// The time between two events, where the clock did not go back.
fn elapsed(began: Timestamp, ended: Timestamp) -> Option<u64> {
    let micros = ended.as_micros().checked_sub(began.as_micros())?;
    u64::try_from(micros / 1_000).ok()
}

fn version(text: &str) -> Result<Version, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a migration's version"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::release::story_tests::{Story, any_story};

    fn timeline(story: &Story) -> Vec<TimelineEntry> {
        let mut timeline = Timeline::default();
        for event in &story.events {
            timeline.apply(event).unwrap();
        }
        timeline.finish()
    }

    #[test]
    fn every_attempt_is_told_with_its_cost() {
        let mut story = Story::default();
        let estimated = ("estimated_duration", Value::Integer(2));
        story.failed("1", true).applied("1", &[estimated]);
        story.applied("2", &[]).rolled_back("2");
        let told: Vec<(&str, &str, Option<u64>)> = timeline(&story)
            .iter()
            .map(|entry| (entry.outcome.words(), entry.percent_of_estimate))
            .zip(["1", "1", "2", "2"])
            .map(|((what, percent), version)| (version, what, percent))
            .collect();
        assert_eq!(
            told,
            [
                ("1", "failed", None),
                ("1", "applied", Some(150)),
                ("2", "applied", None),
                ("2", "rolled back", None),
            ]
        );
    }

    proptest! {
        #[test]
        fn what_was_applied_and_not_undone_is_what_is_applied(story in any_story()) {
            let mut applied: BTreeMap<String, ()> = BTreeMap::new();
            for entry in timeline(&story) {
                match entry.outcome {
                    TimelineOutcome::Applied
                    | TimelineOutcome::MarkedApplied
                    | TimelineOutcome::Returned => applied.insert(entry.version, ()),
                    TimelineOutcome::RolledBack
                    | TimelineOutcome::MarkedPending
                    | TimelineOutcome::Restored => applied.remove(&entry.version),
                    _ => None,
                };
            }
            let expected: Vec<String> = story
                .history
                .entries()
                .filter(|(_, entry)| entry.applied.is_some())
                .map(|(_, entry)| entry.version.clone())
                .collect();
            prop_assert_eq!(applied.into_keys().collect::<Vec<_>>(), expected);
        }
    }
}
