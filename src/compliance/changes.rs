//! The changes of a ledger: every attempt, and every word of a person that stands for one.

use std::collections::BTreeMap;

use ledger::canonical::Value;
use ledger::{Body, Digest, Direction, Event, Fingerprint, Marked, Timestamp};
use uuid::Uuid;

use super::keys::Keys;
use super::model::{Change, ChangeOutcome, ExceptionKind, Ran, Scripts};
use super::runs::{Papers, Run, Runs};
use crate::projection::releases::has_tag;

/// How a header marks a change that could not wait for the usual way.
const EMERGENCY: &str = "emergency";

/// A fold over events about migrations.
#[derive(Debug, Default)]
pub(super) struct Changes {
    all: Vec<Draft>,
    /// The starts without an end: there is one of a version and direction.
    open: BTreeMap<(String, Direction), usize>,
    /// The applications in force, by version.
    applied: BTreeMap<String, usize>,
    headers: BTreeMap<(String, Digest), Header>,
    /// The event that ended a change last, and that change.
    ended: Option<(u64, usize)>,
}

/// What a change's own events say.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) seq: u64,
    pub(super) version: String,
    name: String,
    direction: Direction,
    pub(super) outcome: ChangeOutcome,
    pub(super) detail: String,
    environment: String,
    actor: String,
    by: String,
    key: Fingerprint,
    host: String,
    pub(super) run: Uuid,
    script: Option<Digest>,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    duration_ms: Option<u64>,
    /// The application that a rollback undoes, whose header speaks for both.
    undoes: Option<usize>,
    rolled_back_by: Option<u64>,
}

/// What the header of a script says.
#[derive(Debug, Clone, Default)]
struct Header {
    description: String,
    author: String,
    ticket: String,
    emergency: bool,
}

impl Changes {
    /// Folds the next event.
    pub(super) fn apply(&mut self, event: &Event, keys: &Keys) {
        match &event.body {
            Body::MigrationStarted(body) => {
                let place = self.all.len();
                let mut draft = Draft::new(event, keys, &body.version, body.direction);
                draft.name.clone_from(&body.name);
                draft.script = Some(body.script);
                draft.started = Some(event.time);
                if body.direction == Direction::Down {
                    draft.undoes = self.applied.get(&body.version).copied();
                }
                self.all.push(draft);
                self.open
                    .insert((body.version.clone(), body.direction), place);
            }
            Body::MigrationApplied(body) => {
                let header = (body.version.clone(), body.script);
                self.headers.insert(header, Header::of(&body.metadata));
                let place = self.close(event, keys, &body.version, Direction::Up, |draft| {
                    draft.name.clone_from(&body.name);
                    draft.script = Some(body.script);
                    draft.outcome = ChangeOutcome::Applied;
                    draft.duration_ms = Some(body.duration_ms);
                });
                self.applied.insert(body.version.clone(), place);
            }
            Body::MigrationRolledBack(body) => {
                let undoes = self.applied.remove(&body.version);
                self.close(event, keys, &body.version, Direction::Down, |draft| {
                    draft.name.clone_from(&body.name);
                    draft.script = Some(body.script);
                    draft.outcome = ChangeOutcome::RolledBack;
                    draft.detail = body.cause.to_string();
                    draft.duration_ms = Some(body.duration_ms);
                    draft.undoes = undoes;
                });
                if let Some(undone) = undoes.and_then(|place| self.all.get_mut(place)) {
                    undone.rolled_back_by = Some(event.seq);
                }
            }
            Body::MigrationFailed(body) => {
                self.close(event, keys, &body.version, body.direction, |draft| {
                    draft.outcome = ChangeOutcome::Failed;
                    draft.detail.clone_from(&body.error.message);
                });
            }
            Body::MigrationAborted(body) => {
                self.close(event, keys, &body.version, body.direction, |draft| {
                    draft.outcome = ChangeOutcome::Aborted;
                    draft.detail.clone_from(&body.reason);
                });
            }
            Body::MigrationMarked(body) => {
                for direction in [Direction::Up, Direction::Down] {
                    let open = self.open.remove(&(body.version.clone(), direction));
                    if let Some(draft) = open.and_then(|place| self.all.get_mut(place)) {
                        draft.detail = format!("settled by a person with event {}", event.seq);
                    }
                }
                let (outcome, direction) = match body.r#as {
                    Marked::Applied => (ChangeOutcome::MarkedApplied, Direction::Up),
                    Marked::Pending => (ChangeOutcome::MarkedPending, Direction::Down),
                };
                let mut draft = Draft::new(event, keys, &body.version, direction);
                draft.outcome = outcome;
                draft.detail.clone_from(&body.reason);
                draft.ended = Some(event.time);
                let earlier = self.applied.remove(&body.version);
                draft.undoes = earlier;
                if let Some(earlier) = earlier.and_then(|place| self.all.get(place)) {
                    draft.name.clone_from(&earlier.name);
                }
                if outcome == ChangeOutcome::MarkedApplied {
                    self.applied.insert(body.version.clone(), self.all.len());
                }
                self.ended = Some((event.seq, self.all.len()));
                self.all.push(draft);
            }
            _ => {}
        }
    }

    /// Returns all changes so far.
    pub(super) fn all(&self) -> &[Draft] {
        &self.all
    }

    /// Returns the change that an event ended, if it was the last one folded.
    pub(super) fn ended_by(&self, seq: u64) -> Option<usize> {
        let (_, place) = self.ended.filter(|(by, _)| *by == seq)?;
        Some(place)
    }

    /// Returns the change that is under way.
    pub(super) fn open(&self, version: &str, direction: Direction) -> Option<usize> {
        self.open.get(&(version.to_owned(), direction)).copied()
    }

    /// Returns a change with all that its run, its plan and its rules say.
    pub(super) fn finish(&self, place: usize, runs: &Runs, papers: &Papers) -> Option<Change> {
        let draft = self.all.get(place)?;
        let unknown = Run::default();
        let run = runs.find(&draft.run).unwrap_or(&unknown);
        let policy = papers.policy(run.policy);
        let header = self.header(draft).cloned().unwrap_or_default();
        let planned = papers.planned(run.plan, &draft.version, draft.direction);
        let ran = draft.started.is_some();
        Some(Change {
            seq: draft.seq,
            version: draft.version.clone(),
            name: draft.name.clone(),
            description: header.description,
            author: header.author,
            ticket: if run.ticket.is_empty() {
                header.ticket
            } else {
                run.ticket.clone()
            },
            environment: draft.environment.clone(),
            direction: draft.direction,
            outcome: draft.outcome,
            detail: draft.detail.clone(),
            approvals: run.approvals(policy),
            approvals_required: policy.map(|policy| policy.approvals),
            tests: run.tests.clone(),
            ran: Ran {
                actor: draft.actor.clone(),
                by: draft.by.clone(),
                key: draft.key,
                host: draft.host.clone(),
                run: draft.run,
                command: run.command.clone(),
                plan: run.plan,
                pipeline: run.pipeline.clone(),
            },
            scripts: Scripts {
                planned: planned.filter(|_| ran),
                actual: draft.script,
                agree: planned
                    .zip(draft.script)
                    .map(|(planned, actual)| planned == actual),
            },
            started_at: draft.started,
            ended_at: draft.ended,
            duration_ms: draft.duration_ms,
            rolled_back_by: draft.rolled_back_by,
            forced: run.forced.clone(),
            emergency: header.emergency,
            backup: run.backup,
            schema_before: run.schema_before,
            schema_after: run.schema_after,
            exceptions: Vec::<ExceptionKind>::new(),
        })
    }

    /// The header of its own script; a rollback, or a mark, is spoken for by what it undoes.
    fn header(&self, draft: &Draft) -> Option<&Header> {
        let undone = draft.undoes.and_then(|place| self.all.get(place));
        let speaks = undone.unwrap_or(draft);
        self.headers.get(&(speaks.version.clone(), speaks.script?))
    }

    /// Ends the open start, or adds a change that has none; returns its place.
    fn close(
        &mut self,
        event: &Event,
        keys: &Keys,
        version: &str,
        direction: Direction,
        end: impl FnOnce(&mut Draft),
    ) -> usize {
        let open = self.open.remove(&(version.to_owned(), direction));
        let place = open.unwrap_or_else(|| {
            self.all.push(Draft::new(event, keys, version, direction));
            self.all.len() - 1
        });
        if let Some(draft) = self.all.get_mut(place) {
            draft.seq = event.seq;
            draft.ended = Some(event.time);
            end(draft);
        }
        self.ended = Some((event.seq, place));
        place
    }
}

impl Draft {
    fn new(event: &Event, keys: &Keys, version: &str, direction: Direction) -> Self {
        Self {
            seq: event.seq,
            version: version.to_owned(),
            name: String::new(),
            direction,
            outcome: ChangeOutcome::Unfinished,
            detail: String::new(),
            environment: event.env.clone(),
            actor: event.actor.clone(),
            by: keys.name(event),
            key: event.key,
            host: event.host.clone(),
            run: event.run,
            script: None,
            started: None,
            ended: None,
            duration_ms: None,
            undoes: None,
            rolled_back_by: None,
        }
    }

    /// Returns the time that places it in a period: its end, or its start where nothing ended it.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.ended.or(self.started)
    }

    /// Returns by how many milliseconds the clock and the measured duration disagree.
    pub(super) fn disagreement_ms(&self) -> Option<u64> {
        let clock = self
            .ended?
            .as_micros()
            .checked_sub(self.started?.as_micros())?
            / 1_000;
        let measured = i64::try_from(self.duration_ms?).ok()?;
        Some(clock.abs_diff(measured))
    }
}

impl Header {
    fn of(metadata: &BTreeMap<String, Value>) -> Self {
        let text = |name: &str| {
            let member = metadata.get(name).and_then(Value::as_text);
            member.unwrap_or_default().to_owned()
        };
        Self {
            description: text("description"),
            author: text("author"),
            ticket: text("ticket"),
            emergency: has_tag(metadata, &[EMERGENCY]),
        }
    }
}
