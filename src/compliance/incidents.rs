//! What is out of the ordinary, as events say it one by one.

use ledger::{Body, Event, Outcome, StepResolution, Timestamp};

use super::changes::{Changes, Draft};
use super::keys::Keys;
use super::model::ExceptionKind;
use crate::projection::history::History;

/// By how much the clock and the measured duration of a change may disagree: five minutes.
const TOLERANCE_MS: u64 = 300_000;

/// A fold over events that tell of something out of the ordinary.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    all: Vec<Incident>,
    last_time: Option<Timestamp>,
    drifts: usize,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Incident {
    pub(super) kind: ExceptionKind,
    pub(super) seq: u64,
    pub(super) time: Timestamp,
    pub(super) actor: String,
    /// Where the change stands among all of them.
    pub(super) change: Option<usize>,
    pub(super) detail: String,
}

impl Incidents {
    /// Folds the next event, after `changes` and `history` did.
    pub(super) fn apply(
        &mut self,
        event: &Event,
        changes: &Changes,
        history: &History,
        keys: &Keys,
    ) {
        self.clock(event);
        let drifts = history.schemas().drifts();
        if let Some(drift) = drifts.get(self.drifts) {
            let detail = format!(
                "the schema is not the one that was left or accepted with event {}: found the fingerprint {}",
                drift.left.seq, drift.began.schema.digest
            );
            self.add(event, ExceptionKind::Drift, None, detail);
        }
        self.drifts = drifts.len();
        if let Some((kind, detail)) = of_ledger(event, keys).or_else(|| of_run(event)) {
            self.add(event, kind, None, detail);
        }
        let ended = changes.ended_by(event.seq);
        if let Some((kind, detail)) = of_migration(event) {
            let place = match &event.body {
                Body::MigrationStepResolved(body) => changes.open(&body.version, body.direction),
                _ => ended,
            };
            self.add(event, kind, place, detail);
        }
        let disagreement = ended
            .and_then(|place| changes.all().get(place))
            .and_then(Draft::disagreement_ms);
        if let Some(by) = disagreement.filter(|by| *by > TOLERANCE_MS) {
            let detail = format!(
                "between its start and its end the clock moved by {by} ms more or less than the \
                 duration that was measured"
            );
            self.add(event, ExceptionKind::ClockJumped, ended, detail);
        }
    }

    /// Returns all of them, in the order of the log.
    pub(super) fn all(&self) -> &[Incident] {
        &self.all
    }

    fn clock(&mut self, event: &Event) {
        if let Some(last) = self.last_time
            && event.time < last
        {
            let detail = format!("the event before claims the time {last}");
            self.add(event, ExceptionKind::ClockBack, None, detail);
        }
        self.last_time = Some(event.time);
    }

    fn add(&mut self, event: &Event, kind: ExceptionKind, change: Option<usize>, detail: String) {
        self.all.push(Incident {
            kind,
            seq: event.seq,
            time: event.time,
            actor: event.actor.clone(),
            change,
            detail,
        });
    }
}

/// Says whether the whole ledger, rather than a period of it, rests on what is told.
pub(super) const fn is_lasting(kind: ExceptionKind) -> bool {
    matches!(
        kind,
        ExceptionKind::SuspectKey
            | ExceptionKind::Rewound
            | ExceptionKind::Forked
            | ExceptionKind::Moved
            | ExceptionKind::Redacted
            | ExceptionKind::ClockBack
            | ExceptionKind::NotVerified
    )
}

fn of_ledger(event: &Event, keys: &Keys) -> Option<(ExceptionKind, String)> {
    Some(match &event.body {
        Body::LedgerForked(body) => (ExceptionKind::Forked, body.reason.clone()),
        Body::LedgerMoved(body) => (ExceptionKind::Moved, body.reason.clone()),
        Body::LedgerRewound(body) => {
            let sizes: Vec<String> = body.lost.iter().map(|lost| lost.size.to_string()).collect();
            let detail = format!("{}; lost heads: {}", body.reason, sizes.join(", "));
            (ExceptionKind::Rewound, detail)
        }
        Body::KeyRetired(body) => {
            let from = body.compromised_from?;
            let name = keys.name_of(&body.fingerprint).unwrap_or_default();
            let detail = format!(
                "what the key of {name} signed from event {from} on is suspect: {}",
                body.reason
            );
            (ExceptionKind::SuspectKey, detail)
        }
        Body::LockBroken(body) => {
            let detail = format!("held by {}: {}", body.holder.actor, body.reason);
            (ExceptionKind::LockBroken, detail)
        }
        Body::ObjectRedacted(body) => {
            let detail = format!("{}: {}", body.digest, body.reason);
            (ExceptionKind::Redacted, detail)
        }
        Body::HistoryAdopted(body) => {
            let detail = format!("{} rows of {} up to {}", body.rows, body.tool, body.through);
            (ExceptionKind::Adopted, detail)
        }
        Body::HistorySquashed(body) => {
            let detail = format!("{} through {}: {}", body.into, body.through, body.reason);
            (ExceptionKind::Squashed, detail)
        }
        _ => return None,
    })
}

fn of_run(event: &Event) -> Option<(ExceptionKind, String)> {
    Some(match &event.body {
        Body::RunRefused(body) => {
            let detail = format!("{}: {}", body.command, body.reasons.join(", "));
            (ExceptionKind::Refused, detail)
        }
        Body::RunStarted(body) if !body.forced.is_empty() => {
            let forced = body.forced.iter();
            let forced: Vec<String> = forced
                .map(|forced| format!("{}: {}", forced.finding, forced.reason))
                .collect();
            (ExceptionKind::Forced, forced.join("; "))
        }
        Body::CheckFinished(body) if event.outcome != Outcome::Success => {
            let detail = body.detail.as_deref().unwrap_or_default();
            let detail = format!("{}: {detail}", body.name);
            (ExceptionKind::CheckFailed, detail)
        }
        Body::DriftDetected(body) => {
            let detail = format!("{} differences, report {}", body.changes, body.digest);
            (ExceptionKind::Drift, detail)
        }
        Body::DriftAccepted(body) => {
            let detail = format!("the fingerprint {}: {}", body.found, body.reason);
            (ExceptionKind::DriftAccepted, detail)
        }
        Body::BackupRestored(body) => (ExceptionKind::Restored, format!("backup {}", body.backup)),
        _ => return None,
    })
}

fn of_migration(event: &Event) -> Option<(ExceptionKind, String)> {
    Some(match &event.body {
        Body::MigrationFailed(body) => (ExceptionKind::Failed, body.error.message.clone()),
        Body::MigrationRolledBack(body) => (ExceptionKind::RolledBack, body.cause.to_string()),
        Body::MigrationMarked(body) => (ExceptionKind::Marked, body.reason.clone()),
        Body::MigrationStepResolved(body) => {
            let answer = match body.r#as {
                StepResolution::Applied => "took effect",
                StepResolution::NotApplied => "took no effect",
            };
            let detail = format!("step {} {answer}: {}", body.step, body.reason);
            (ExceptionKind::Answered, detail)
        }
        Body::MigrationAccepted(body) => {
            let detail = format!("{}: {}", body.version, body.reason);
            (ExceptionKind::ScriptAccepted, detail)
        }
        _ => return None,
    })
}
