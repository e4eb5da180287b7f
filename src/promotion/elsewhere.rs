//! What another environment's events say of migrations: which bytes ran, how, and what came of them.

use std::collections::BTreeMap;

use ledger::{
    Body, Digest, Direction, Event, Fingerprint, KeyGrant, Outcome, PublicKey, Timestamp, When,
};
use uuid::Uuid;

use crate::migration::Version;
use crate::projection::approvals::Approvals;
use crate::projection::history::{Entry, History, Standing};

/// A script that ran to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The event that says so.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub actor: String,
    /// In which run.
    pub run: Uuid,
    /// The checksum of the text that ran, whatever was accepted since.
    pub checksum: Digest,
    /// The digest of the exact bytes that ran.
    pub script: Digest,
    /// The digest of the down script known then.
    pub down_script: Option<Digest>,
    /// How long it took.
    pub duration_ms: u64,
    /// Which attempt it was.
    pub attempt: u64,
}

/// A check of the environment, made in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// Before the first migration, or after the last one.
    pub when: When,
    /// It held.
    pub holds: bool,
}

/// What else was recorded of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunNotes {
    /// Its plan.
    pub plan: Option<Digest>,
    /// The reference to the change's ticket.
    pub ticket: Option<String>,
    /// Who had approved its plan when it began, by the names of their keys.
    pub approved_by: Vec<String>,
    /// The checks that were made.
    pub checks: Vec<Checked>,
    /// Errors and warnings of validation, where it found anything.
    pub validation: Option<(u64, u64)>,
}

/// What became of a version over time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// The down scripts that ran to their end, each with the event that says so.
    pub rolled_back: Vec<(Digest, u64)>,
    /// Attempts to apply it that failed.
    pub failed: u64,
    /// Attempts to roll it back that failed.
    pub rollback_failed: u64,
}

/// What stands there of a version, beside a file here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There<'a> {
    /// It is in force, and this text of the same checksum ran.
    Ran(&'a Application),
    /// It is in force, and another text ran.
    OtherBytes(&'a Application),
    /// It is said to be applied by a person's word alone: that event.
    Marked(u64),
    /// It was rolled back, and is not applied: that event, where it is known.
    RolledBack(Option<u64>),
    /// Its last attempt has no good end.
    Unfinished,
    /// Nothing was recorded of it, or nothing that is in force.
    Absent,
}

/// A fold over all events of another environment's ledger.
#[derive(Debug, Clone, Default)]
pub struct Elsewhere {
    history: History,
    approvals: Approvals,
    keys: BTreeMap<Fingerprint, String>,
    runs: BTreeMap<Uuid, RunNotes>,
    applications: BTreeMap<u64, Application>,
    past: BTreeMap<Version, Past>,
}

impl Elsewhere {
    /// Folds the next event.
    ///
    /// # Errors
    ///
    /// A sentence, when the event cannot be made sense of.
    pub fn apply(&mut self, event: &Event) -> Result<(), String> {
        self.approvals.apply(event);
        self.history.apply(event)?;
        match &event.body {
            Body::LedgerCreated(body) => self.name_key(&body.key),
            Body::LedgerForked(body) => {
                if let Some(key) = &body.key {
                    self.name_key(key);
                }
            }
            Body::KeyAdded(body) => self.name(&body.public, &body.name),
            Body::RunStarted(body) => {
                let granted = self.approvals.of(body.plan);
                let approved_by = granted
                    .filter(|grant| grant.end.is_none())
                    .map(|grant| self.keys.get(&grant.key).unwrap_or(&grant.actor).clone())
                    .collect();
                let notes = self.runs.entry(event.run).or_default();
                notes.plan = Some(body.plan);
                notes.ticket.clone_from(&body.ticket);
                notes.approved_by = approved_by;
            }
            Body::ValidationFinished(body) => {
                let notes = self.runs.entry(event.run).or_default();
                notes.validation = Some((body.errors, body.warnings));
            }
            Body::CheckFinished(body) => {
                let notes = self.runs.entry(event.run).or_default();
                notes.checks.push(Checked {
                    name: body.name.clone(),
                    when: body.when,
                    holds: event.outcome == Outcome::Success,
                });
            }
            Body::MigrationApplied(body) => {
                self.applications.insert(
                    event.seq,
                    Application {
                        seq: event.seq,
                        time: event.time,
                        actor: event.actor.clone(),
                        run: event.run,
                        checksum: body.checksum,
                        script: body.script,
                        down_script: body.down_script,
                        duration_ms: body.duration_ms,
                        attempt: body.attempt,
                    },
                );
            }
            Body::MigrationRolledBack(body) => {
                self.past(&body.version, |past| {
                    past.rolled_back.push((body.script, event.seq));
                });
            }
            Body::MigrationFailed(body) => {
                self.past(&body.version, |past| match body.direction {
                    Direction::Up => past.failed += 1,
                    Direction::Down => past.rollback_failed += 1,
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the environment that the ledger was opened for.
    pub fn environment(&self) -> &str {
        self.history.environment().unwrap_or_default()
    }

    /// Returns what the events say of the migrations.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Returns what stands there of a version, beside a text of this checksum.
    pub fn standing(&self, version: &Version, checksum: &Digest) -> There<'_> {
        let Some(entry) = self.history.get(version) else {
            return There::Absent;
        };
        match &entry.applied {
            Some(applied) => match self.applications.get(&applied.seq) {
                None => There::Marked(applied.seq),
                Some(ran) if ran.checksum == *checksum => There::Ran(ran),
                Some(ran) => There::OtherBytes(ran),
            },
            None if entry.rolled_back => There::RolledBack(
                self.past_of(version)
                    .and_then(|past| past.rolled_back.last())
                    .map(|(_, seq)| *seq),
            ),
            None if is_unfinished(entry) => There::Unfinished,
            None => There::Absent,
        }
    }

    /// Returns the application in force of a version.
    pub fn application(&self, version: &Version) -> Option<&Application> {
        let applied = self.history.get(version)?.applied.as_ref()?;
        self.applications.get(&applied.seq)
    }

    /// Returns what became of a version over time, where anything went back or wrong.
    pub fn past_of(&self, version: &Version) -> Option<&Past> {
        self.past.get(version)
    }

    /// Returns what was recorded of a run.
    pub fn run(&self, run: &Uuid) -> Option<&RunNotes> {
        self.runs.get(run)
    }

    fn name_key(&mut self, key: &KeyGrant) {
        self.name(&key.public, &key.name);
    }

    fn name(&mut self, public: &str, name: &str) {
        if let Ok(key) = public.parse::<PublicKey>() {
            self.keys.insert(key.fingerprint(), name.to_owned());
        }
    }

    fn past(&mut self, version: &str, change: impl FnOnce(&mut Past)) {
        if let Ok(version) = version.parse() {
            change(self.past.entry(version).or_default());
        }
    }
}

fn is_unfinished(entry: &Entry) -> bool {
    entry.failed.is_some() || entry.open.is_some() || entry.standing() != Standing::Clear
}
