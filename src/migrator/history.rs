//! The past: what was applied at a moment, and what changed between two. Made from the log alone.

use ledger::{Digest, Event, Timestamp};

use super::Migrator;
use super::approve::no_ledger;
use super::open::integrity;
use super::status::{count, last_failure, past_view};
use crate::error::Error;
use crate::log::Log;
use crate::projection::history::History;
use crate::projection::releases::Releases;
use crate::projection::timeline::Timeline;
use crate::release;
use crate::report::{
    AsOfView, DatabaseView, HistoryTotals, HistoryView, LedgerView, Status, TimelineOutcome,
};
use crate::request::{AsOf, HistoryFilter};

/// The state of the log at a moment.
#[derive(Default)]
struct Moment {
    history: History,
    releases: Releases,
    last: Option<(u64, Timestamp)>,
    /// The first entry after it: its `prev` is the head there, and its `ledger` the id.
    next: Option<(Digest, Digest)>,
    unreadable: Option<(u64, String)>,
}

impl Moment {
    fn apply(&mut self, event: &Event, is_in: impl Fn(&Event) -> bool) {
        if self.next.is_some() {
            return;
        }
        if !is_in(event) {
            self.next = Some((event.prev, event.ledger));
            return;
        }
        let folded = self
            .history
            .apply(event)
            .and_then(|()| self.releases.apply(event, &self.history));
        if let Err(reason) = folded {
            self.unreadable.get_or_insert((event.seq, reason));
        }
        self.last = Some((event.seq, event.time));
    }
}

impl Migrator {
    /// Returns what was applied at a moment of the past, from the log alone: no file takes part.
    ///
    /// A time means all events before the first one that claims to be later.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when there is no ledger, no such event or no such release; those of reading the
    /// ledger.
    pub async fn status_as_of(&self, as_of: &AsOf) -> Result<Status, Error> {
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        let last = match as_of {
            AsOf::Seq(seq) => Some(known(*seq, &opened.log)?),
            AsOf::Release(name) => Some(release::find(opened.log.releases(), name)?.seq),
            AsOf::Time(_) => None,
        };
        let is_in = |event: &Event| match (as_of, last) {
            (AsOf::Time(time), _) => event.time <= *time,
            (_, Some(last)) => event.seq <= last,
            (_, None) => false,
        };
        let mut moment = Moment::default();
        self.each_event(&mut opened, &mut |event| moment.apply(event, is_in))
            .await?;
        readable(moment.unreadable.as_ref())?;
        let migrations: Vec<_> = moment
            .history
            .entries()
            .filter_map(|(version, entry)| past_view(version, entry, &moment.releases))
            .collect();
        let log = &opened.log;
        let (head, id) = moment
            .next
            .unwrap_or((log.head(), log.id().unwrap_or(Digest::ZERO)));
        Ok(Status {
            environment: moment
                .history
                .environment()
                .map_or_else(|| self.environment(log), str::to_owned),
            database: DatabaseView {
                engine: self.engine.capabilities().name.to_owned(),
                name: self.engine.address().display().to_owned(),
            },
            // the folder as it was then is not known
            format: None,
            ledger: moment.last.map(|(seq, _)| LedgerView {
                id,
                size: seq + 1,
                head,
            }),
            current: moment
                .history
                .current()
                .and_then(|version| moment.history.get(version))
                .map(|entry| entry.version.clone()),
            counts: count(&migrations),
            last_failure: last_failure(&moment.history),
            migrations,
            lock: None,
            warnings: Vec::new(),
            as_of: Some(AsOfView {
                seq: moment.last.map(|(seq, _)| seq),
                time: moment.last.map(|(_, time)| time),
                release: moment
                    .releases
                    .current(&moment.history)
                    .map(|release| release.release.to_string()),
            }),
        })
    }

    /// Returns what changed between two moments: every attempt, what came of it, and what people said.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when there is no ledger or no such release, or when the range has no end after its
    /// beginning; those of reading the ledger.
    pub async fn history(&self, filter: &HistoryFilter) -> Result<HistoryView, Error> {
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        let (from, to) = release::range(
            opened.log.releases(),
            filter.from.as_deref(),
            filter.to.as_deref(),
        )?;
        let first = from.map_or(0, |release| release.seq + 1);
        let last = to.map_or(opened.log.size().saturating_sub(1), |release| release.seq);
        let mut timeline = Timeline::default();
        let mut unreadable = None;
        self.each_event(&mut opened, &mut |event| {
            // what comes after the end does not end what was open there
            if event.seq <= last
                && let Err(reason) = timeline.apply(event)
            {
                unreadable.get_or_insert((event.seq, reason));
            }
        })
        .await?;
        readable(unreadable.as_ref())?;
        let mut changes = timeline.finish();
        changes.retain(|change| {
            change.ended_by.unwrap_or(change.seq) >= first
                && filter.since.is_none_or(|since| change.time >= since)
                && filter.until.is_none_or(|until| change.time <= until)
                && filter.by.as_ref().is_none_or(|by| change.by == *by)
        });
        let mut totals = HistoryTotals::default();
        for change in &changes {
            match change.outcome {
                TimelineOutcome::Applied => totals.applied += 1,
                TimelineOutcome::RolledBack => totals.rolled_back += 1,
                TimelineOutcome::Failed => totals.failed += 1,
                _ => continue,
            }
            if change.outcome == TimelineOutcome::Applied {
                let took = change.duration_ms.unwrap_or(0);
                totals.duration_ms = totals.duration_ms.saturating_add(took);
                if let Some(estimated) = change.estimated_ms {
                    totals.estimated_ms = totals.estimated_ms.saturating_add(estimated);
                    totals.of_estimated_ms = totals.of_estimated_ms.saturating_add(took);
                }
            }
        }
        Ok(HistoryView {
            environment: self.environment(&opened.log),
            first,
            last,
            totals,
            changes,
        })
    }

    /// Returns the versions that the ledger knows, whether their files are there or not.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger.
    pub async fn known_versions(&self) -> Result<Vec<crate::migration::Version>, Error> {
        let log = self.open().await?.log;
        Ok(log
            .history()
            .entries()
            .map(|(version, _)| version.clone())
            .collect())
    }
}

fn known(seq: u64, log: &Log) -> Result<u64, Error> {
    if seq < log.size() {
        return Ok(seq);
    }
    Err(Error::Usage {
        code: "event-unknown",
        message: format!("expected the place of an event in the log, found `{seq}`"),
        hint: format!("the last one is {}", log.size().saturating_sub(1)),
    })
}

fn readable(unreadable: Option<&(u64, String)>) -> Result<(), Error> {
    match unreadable {
        None => Ok(()),
        Some((seq, reason)) => Err(integrity(
            "lifecycle-broken",
            format!("event {seq} cannot be read: {reason}"),
            "run `mledger verify` for all findings",
        )),
    }
}
