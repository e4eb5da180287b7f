//! From events to a report.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Body, Digest, Event, Severity, Timestamp};
use uuid::Uuid;

use super::changes::Changes;
use super::duties::{self, Others};
use super::incidents::{Incidents, is_lasting};
use super::keys::Keys;
use super::model::{
    Backup, Change, ChangeOutcome, Exception, ExceptionKind, Population, Report, Subject,
};
use super::period::{Asked, Period};
use super::runs::{Papers, Runs};
use crate::error::Error;
use crate::projection::backups::Backups;
use crate::projection::history::History;
use crate::projection::releases::Releases;
use crate::report::VerifyReport;

/// What a report needs beside the events.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What was verified of these very events.
    pub verification: VerifyReport,
    /// The objects that [`Collector::objects`] names, as far as they are at hand.
    pub objects: BTreeMap<Digest, Vec<u8>>,
    /// The program that makes the report, as `mledger/<version>`.
    pub tool: String,
}

/// A fold over all events of a ledger; memory grows with the number of changes.
#[derive(Debug, Default)]
pub struct Collector {
    keys: Keys,
    runs: Runs,
    changes: Changes,
    incidents: Incidents,
    others: Others,
    history: History,
    releases: Releases,
    backups: Backups,
    /// Who took each backup, by its event.
    savers: BTreeMap<u64, String>,
    /// When what happened to each backup.
    handled: BTreeMap<Uuid, Vec<(u64, Timestamp)>>,
    first: Option<Timestamp>,
    newest: Option<Timestamp>,
}

impl Collector {
    /// Folds the next event, which was verified before.
    pub fn apply(&mut self, event: &Event) {
        self.first.get_or_insert(event.time);
        self.newest = Some(event.time);
        self.keys.apply(event);
        self.runs.apply(event, &self.keys);
        self.changes.apply(event, &self.keys);
        // what they cannot read is a finding of the verification
        let _finding = self.history.apply(event);
        let _finding = self.releases.apply(event, &self.history);
        self.incidents
            .apply(event, &self.changes, &self.history, &self.keys);
        self.others.apply(event, &self.keys);
        self.backups.apply(event);
        if let Body::BackupTaken(_) = &event.body {
            self.savers.insert(event.seq, self.keys.name(event));
        }
        if let Some(backup) = handled(&event.body) {
            let handled = self.handled.entry(backup).or_default();
            handled.push((event.seq, event.time));
        }
    }

    /// Returns the digests of the objects that a report looks into: plans and policies.
    pub fn objects(&self) -> BTreeSet<Digest> {
        self.runs.papers()
    }

    /// Returns the report that was asked for.
    ///
    /// # Errors
    ///
    /// Those of [`Asked::period`].
    pub fn report(&self, asked: &Asked, evidence: Evidence) -> Result<Report, Error> {
        let papers = Papers::read(&evidence.objects);
        let period = asked.period(&self.releases)?;
        let places: Vec<usize> = (0..)
            .zip(self.changes.all())
            .filter(|(_, draft)| draft.time().is_some_and(|time| period.has(draft.seq, time)))
            .map(|(place, _)| place)
            .collect();
        let mut changes: Vec<Change> = places
            .iter()
            .filter_map(|place| self.changes.finish(*place, &self.runs, &papers))
            .collect();
        changes.sort_by_key(|change| change.seq);
        let mut exceptions = self.findings(&evidence.verification);
        exceptions.extend(self.told(&period));
        for change in &mut changes {
            let own = self.examine(change);
            exceptions.extend(own);
        }
        exceptions.sort_by_key(|exception| (exception.seq, exception.kind));
        self.mark(&mut changes, &exceptions);
        let in_ledger = self.changes.all().len() as u64;
        let population = population(&changes, &exceptions, in_ledger);
        let duties = duties::duties(&changes, &self.others, &self.keys, &period);
        let backups = self.backups(&period);
        Ok(Report {
            subject: self.subject(&evidence),
            period,
            verification: evidence.verification,
            population,
            exceptions,
            changes,
            keys: self.keys.list(),
            duties,
            backups,
            framework: asked.framework,
            sample: None,
        })
    }

    fn subject(&self, evidence: &Evidence) -> Subject {
        let database = self.history.database();
        let verification = &evidence.verification;
        Subject {
            environment: self.history.environment().unwrap_or_default().to_owned(),
            engine: database.map_or_else(String::new, |one| one.engine.clone()),
            database: database.map_or_else(String::new, |one| one.name.clone()),
            ledger: verification.lineage.last().copied().unwrap_or(Digest::ZERO),
            events: verification.size,
            root: verification.root,
            first_event_at: self.first,
            newest_event_at: self.newest,
            tool: evidence.tool.clone(),
        }
    }

    /// What the verification found is an exception of the whole ledger.
    fn findings(&self, verification: &VerifyReport) -> Vec<Exception> {
        let findings = verification.findings.iter();
        findings
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| Exception {
                kind: ExceptionKind::NotVerified,
                seq: finding.seq,
                time: None,
                change: None,
                version: None,
                actor: None,
                detail: format!("{}: {}", finding.code, finding.message),
            })
            .collect()
    }

    /// What events say, in the period or about the whole ledger.
    fn told(&self, period: &Period) -> Vec<Exception> {
        let incidents = self.incidents.all().iter();
        incidents
            .filter(|one| is_lasting(one.kind) || period.has(one.seq, one.time))
            .map(|incident| {
                let change = incident
                    .change
                    .and_then(|place| self.changes.all().get(place));
                Exception {
                    kind: incident.kind,
                    seq: Some(incident.seq),
                    time: Some(incident.time),
                    change: change.map(|change| change.seq),
                    version: change.map(|change| change.version.clone()),
                    actor: Some(incident.actor.clone()),
                    detail: incident.detail.clone(),
                }
            })
            .collect()
    }

    /// Returns what only the whole of a change shows.
    fn examine(&self, change: &Change) -> Vec<Exception> {
        let mut found = Vec::new();
        let mut add = |kind, detail: String| {
            found.push(Exception {
                kind,
                seq: Some(change.seq),
                time: change.ended_at.or(change.started_at),
                change: Some(change.seq),
                version: Some(change.version.clone()),
                actor: Some(change.ran.actor.clone()),
                detail,
            });
        };
        let ran = change.started_at.is_some() && change.outcome != ChangeOutcome::Aborted;
        let granted = change.approvals.len() as u64;
        let required = change.approvals_required;
        if ran && (granted == 0 || required.is_some_and(|required| granted < required)) {
            add(
                ExceptionKind::NoApproval,
                match required {
                    None => "the rules in force are not at hand".to_owned(),
                    Some(0) => "the rules in force asked for none".to_owned(),
                    Some(required) => {
                        format!("the rules in force asked for {required}, found {granted}")
                    }
                },
            );
        }
        let own: BTreeSet<&str> = duties::own_approvals(change).collect();
        if !own.is_empty() {
            let own: Vec<&str> = own.into_iter().collect();
            add(ExceptionKind::SelfApproved, own.join(", "));
        }
        if let (Some(planned), Some(actual), Some(false)) = (
            change.scripts.planned,
            change.scripts.actual,
            change.scripts.agree,
        ) {
            let detail = format!("planned {planned}, ran {actual}");
            add(ExceptionKind::ScriptDiffers, detail);
        }
        if change.outcome == ChangeOutcome::Unfinished {
            add(ExceptionKind::Unfinished, change.detail.clone());
        }
        if change.emergency {
            add(ExceptionKind::Emergency, change.description.clone());
        }
        if self.keys.is_suspect(&change.ran.key, change.seq) {
            let detail = format!("signed with the key of {}", change.ran.by);
            add(ExceptionKind::SuspectKey, detail);
        }
        for approval in &change.approvals {
            if self.keys.is_suspect(&approval.key, approval.seq) {
                let detail = format!("approved with the key of {}", approval.by);
                add(ExceptionKind::SuspectKey, detail);
            }
        }
        found
    }

    /// Writes down with each change what is out of the ordinary about it, or about its run.
    fn mark(&self, changes: &mut [Change], exceptions: &[Exception]) {
        let mut of_change: BTreeMap<u64, BTreeSet<ExceptionKind>> = BTreeMap::new();
        for exception in exceptions {
            if let Some(change) = exception.change {
                of_change.entry(change).or_default().insert(exception.kind);
            }
        }
        for change in changes {
            let mut kinds = of_change.remove(&change.seq).unwrap_or_default();
            if !change.forced.is_empty() {
                kinds.insert(ExceptionKind::Forced);
            }
            let run = self.runs.find(&change.ran.run);
            if run.is_some_and(|run| run.has_failed_check()) {
                kinds.insert(ExceptionKind::CheckFailed);
            }
            if change.rolled_back_by.is_some() {
                kinds.insert(ExceptionKind::RolledBack);
            }
            change.exceptions = kinds.into_iter().collect();
        }
    }

    fn backups(&self, period: &Period) -> Vec<Backup> {
        let mut backups: Vec<Backup> = self
            .backups
            .all()
            .filter(|backup| {
                let handled = self.handled.get(&backup.taken.backup).into_iter().flatten();
                handled
                    .into_iter()
                    .any(|(seq, time)| period.has(*seq, *time))
            })
            .map(|backup| Backup {
                id: backup.taken.backup,
                name: backup.taken.name.clone(),
                seq: backup.seq,
                taken_at: backup.time,
                taken_by: self.savers.get(&backup.seq).cloned().unwrap_or_default(),
                size: backup.taken.size.0,
                encrypted: backup.taken.encrypted,
                sha256: backup.taken.sha256,
                verified_at: backup.verified,
                restored_at: backup.restored,
                removed: backup.removed,
            })
            .collect();
        backups.sort_by_key(|backup| backup.seq);
        backups
    }
}

/// Returns the backup that an event is about.
const fn handled(body: &Body) -> Option<Uuid> {
    match body {
        Body::BackupTaken(body) => Some(body.backup),
        Body::BackupVerified(body) => Some(body.backup),
        Body::BackupRestored(body) => Some(body.backup),
        Body::BackupRemoved(body) => Some(body.backup),
        _ => None,
    }
}

fn population(changes: &[Change], exceptions: &[Exception], in_ledger: u64) -> Population {
    let mut population = Population {
        changes: changes.len() as u64,
        in_ledger,
        first_seq: changes.first().map(|change| change.seq),
        last_seq: changes.last().map(|change| change.seq),
        ..Population::default()
    };
    for change in changes {
        *population.outcomes.entry(change.outcome).or_default() += 1;
    }
    for exception in exceptions {
        *population.exceptions.entry(exception.kind).or_default() += 1;
    }
    population
}
