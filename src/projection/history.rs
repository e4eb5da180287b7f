//! Which migrations are applied, and what became of every attempt.

use std::collections::BTreeMap;

use ledger::canonical::Value;
use ledger::{
    Body, DatabaseId, Digest, Direction, ErrorDetail, Event, Marked, Mode, StepResolution,
    Timestamp,
};
use uuid::Uuid;

use super::rewinding::{self, Rewinding};
use super::schema::{SchemaMark, Schemas};
use crate::migration::Version;

/// The application of a migration that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The event that says so; orders rollbacks.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub actor: String,
    /// The batch, absent for one that was marked by a person.
    pub batch: Option<u64>,
    /// How long it took.
    pub duration_ms: u64,
    /// The checksum of the applied, or since accepted, text.
    pub checksum: Option<Digest>,
    /// The digest of the exact bytes that ran.
    pub script: Option<Digest>,
    /// The digest of the down script known then, or since accepted.
    pub down_script: Option<Digest>,
    /// The header as it was parsed then.
    pub metadata: BTreeMap<String, Value>,
}

/// A start without an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The event that says so.
    pub seq: u64,
    /// The run that started it.
    pub run: Uuid,
    /// Which way.
    pub direction: Direction,
    /// How.
    pub mode: Mode,
    /// Which attempt.
    pub attempt: u64,
    /// The steps that commit by themselves.
    pub self_committing: Vec<u64>,
    /// How many statements the script has.
    pub statements: u64,
    /// The digest of the exact bytes.
    pub script: Digest,
    /// The batch that it belongs to.
    pub batch: Option<u64>,
}

/// A failure that has not been made good since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The event that says so.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// Which way it ran.
    pub direction: Direction,
    /// Nothing of it remains.
    pub clean: bool,
    /// What the database said.
    pub error: ErrorDetail,
}

/// The steps of a stepwise script that are known to be done, in one direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps {
    /// The digests of the statements, in order; a step that a person resolved has its own.
    pub done: Vec<Digest>,
    /// How many statements the script had.
    pub of: u64,
}

/// All that is known of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The version as it was recorded last.
    pub version: String,
    /// The name as it was recorded last.
    pub name: String,
    /// The application in force.
    pub applied: Option<Applied>,
    /// The start without an end.
    pub open: Option<Open>,
    /// The failure not made good.
    pub failed: Option<Failed>,
    /// It was rolled back, and not applied since.
    pub rolled_back: bool,
    /// Attempts since it was last applied or rolled back.
    pub attempts: u64,
    /// Steps done on the way up.
    pub up: Steps,
    /// Steps done on the way down.
    pub down: Steps,
}

/// What stands between an entry and another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Clear,
    /// An unfinished start that left nothing: the next run settles it.
    Unfinished(Direction),
    /// So many steps of a script are done and the next one is not.
    Partial(Direction, u64),
    /// This step may have taken effect or not.
    Unknown(Direction, u64),
}

impl Entry {
    /// Returns the steps done in one direction.
    pub fn steps(&self, direction: Direction) -> &Steps {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    fn steps_mut(&mut self, direction: Direction) -> &mut Steps {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// Returns what stands between this entry and another attempt.
    pub fn standing(&self) -> Standing {
        if let Some(open) = &self.open {
            let done = self.steps(open.direction).done.len() as u64;
            let next = done + 1;
            if open.mode == Mode::Stepwise && open.self_committing.contains(&next) {
                return Standing::Unknown(open.direction, next);
            }
            return match done {
                0 => Standing::Unfinished(open.direction),
                _ => Standing::Partial(open.direction, done),
            };
        }
        for direction in [Direction::Up, Direction::Down] {
            let done = self.steps(direction).done.len() as u64;
            let left = self
                .failed
                .as_ref()
                .is_some_and(|failed| !failed.clean && failed.direction == direction);
            if done > 0 || left {
                return Standing::Partial(direction, done);
            }
        }
        Standing::Clear
    }
}

/// A fold over all events: versions, batches, identity.
#[derive(Debug, Clone, Default)]
pub struct History {
    entries: BTreeMap<Version, Entry>,
    batch: u64,
    environment: Option<String>,
    database: Option<DatabaseId>,
    unknown_kind: Option<(u64, String)>,
    schemas: Schemas,
    rewinding: Rewinding,
}

impl History {
    /// Folds the next event.
    ///
    /// # Errors
    ///
    /// A sentence, when the event speaks of a version that is not one.
    pub fn apply(&mut self, event: &Event) -> Result<(), String> {
        self.note(event);
        self.schemas.apply(event);
        match &event.body {
            Body::LedgerCreated(body) => self.identify(event, &body.database),
            Body::LedgerForked(body) => self.identify(event, &body.database),
            Body::LedgerMoved(body) => self.identify(event, &body.database),
            Body::RunStarted(body) => {
                self.batch = self.batch.max(body.batch.unwrap_or(0));
            }
            Body::BackupTaken(body) => self.rewinding.take(body),
            Body::BackupRemoved(body) => self.rewinding.remove(&body.backup),
            Body::BackupRestored(body) => {
                self.rewinding
                    .rewind(event.seq, &body.backup, &mut self.entries);
            }
            Body::MigrationStarted(body) => {
                let entry = self.entry(&body.version, Some(&body.name))?;
                entry.attempts = body.attempt;
                entry.steps_mut(body.direction).of = body.statements;
                entry.open = Some(Open {
                    seq: event.seq,
                    run: event.run,
                    direction: body.direction,
                    mode: body.mode,
                    attempt: body.attempt,
                    self_committing: body.self_committing.to_vec(),
                    statements: body.statements,
                    script: body.script,
                    batch: body.batch,
                });
            }
            Body::MigrationStepApplied(body) => {
                let entry = self.entry(&body.version, None)?;
                entry.steps_mut(body.direction).done.push(body.statement);
            }
            Body::MigrationStepResolved(body) => {
                let entry = self.entry(&body.version, None)?;
                if body.r#as == StepResolution::Applied {
                    entry.steps_mut(body.direction).done.push(body.statement);
                }
                // a person has answered, so the step's outcome is no longer unknown
                if let Some(open) = &mut entry.open {
                    open.self_committing.retain(|step| *step != body.step);
                }
            }
            Body::MigrationApplied(body) => {
                self.batch = self.batch.max(body.batch);
                let entry = self.entry(&body.version, Some(&body.name))?;
                entry.settle();
                entry.rolled_back = false;
                entry.applied = Some(Applied {
                    seq: event.seq,
                    time: event.time,
                    actor: event.actor.clone(),
                    batch: Some(body.batch),
                    duration_ms: body.duration_ms,
                    checksum: Some(body.checksum),
                    script: Some(body.script),
                    down_script: body.down_script,
                    metadata: body.metadata.clone(),
                });
            }
            Body::MigrationRolledBack(body) => {
                let entry = self.entry(&body.version, Some(&body.name))?;
                entry.settle();
                entry.applied = None;
                entry.rolled_back = true;
            }
            Body::MigrationFailed(body) => {
                let entry = self.entry(&body.version, None)?;
                entry.open = None;
                if body.clean {
                    entry.up = Steps::default();
                    entry.down = Steps::default();
                }
                entry.failed = Some(Failed {
                    seq: event.seq,
                    time: event.time,
                    direction: body.direction,
                    clean: body.clean,
                    error: body.error.clone(),
                });
            }
            Body::MigrationAborted(body) => self.entry(&body.version, None)?.open = None,
            Body::MigrationMarked(body) => {
                let entry = self.entry(&body.version, None)?;
                entry.settle();
                entry.rolled_back = false;
                entry.applied = (body.r#as == Marked::Applied).then(|| Applied {
                    seq: event.seq,
                    time: event.time,
                    actor: event.actor.clone(),
                    batch: None,
                    duration_ms: 0,
                    checksum: body.checksum,
                    script: None,
                    down_script: None,
                    metadata: BTreeMap::new(),
                });
            }
            Body::MigrationAccepted(body) => {
                let entry = self.entry(&body.version, None)?;
                if let Some(applied) = &mut entry.applied {
                    accept(applied, body);
                }
            }
            Body::Unknown { kind, .. } => {
                self.unknown_kind
                    .get_or_insert_with(|| (event.seq, kind.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns what is known of a version.
    pub fn get(&self, version: &Version) -> Option<&Entry> {
        self.entries.get(version)
    }

    /// Returns all versions that the log speaks of, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&Version, &Entry)> {
        self.entries.iter()
    }

    /// Returns the applied versions, in the order in which they were applied.
    pub fn applied(&self) -> Vec<(&Version, &Entry, &Applied)> {
        let mut applied: Vec<_> = self
            .entries
            .iter()
            .filter_map(|(version, entry)| Some((version, entry, entry.applied.as_ref()?)))
            .collect();
        applied.sort_by_key(|(_, _, applied)| applied.seq);
        applied
    }

    /// Returns the applied version with the highest order; a repeatable migration has no place in it.
    pub fn current(&self) -> Option<&Version> {
        self.entries
            .iter()
            .rev()
            .find(|(version, entry)| entry.applied.is_some() && !version.is_repeatable())
            .map(|(version, _)| version)
    }

    /// Returns the number of the last batch, 0 before the first.
    pub fn batch(&self) -> u64 {
        self.batch
    }

    /// Returns the environment that the ledger was opened for.
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// Returns the database's identity as the last opening event, or move, recorded it.
    pub fn database(&self) -> Option<&DatabaseId> {
        self.database.as_ref()
    }

    /// Returns the first event whose kind this version does not know.
    pub fn unknown_kind(&self) -> Option<(u64, &str)> {
        self.unknown_kind
            .as_ref()
            .map(|(seq, kind)| (*seq, kind.as_str()))
    }

    /// Returns the schema as the last run left it, or as it was accepted since, unless something forbids a
    /// conclusion.
    pub fn last_schema(&self) -> Option<&SchemaMark> {
        self.schemas.last()
    }

    /// Returns what is known of the schema at the edges of runs.
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// Keeps what a version was before an event that speaks of it.
    fn note(&mut self, event: &Event) {
        let Some(Ok(version)) = rewinding::about(&event.body).map(str::parse::<Version>) else {
            return;
        };
        let before = self.entries.get(&version).cloned();
        self.rewinding.note(event.seq, version, before);
    }

    fn identify(&mut self, event: &Event, database: &DatabaseId) {
        self.environment = Some(event.env.clone());
        self.database = Some(database.clone());
    }

    fn entry(&mut self, version: &str, name: Option<&str>) -> Result<&mut Entry, String> {
        let parsed: Version = version
            .parse()
            .map_err(|_| format!("`{version}` is not a migration's version"))?;
        let entry = self.entries.entry(parsed).or_default();
        if entry.version != version {
            version.clone_into(&mut entry.version);
        }
        if let Some(name) = name
            && entry.name != name
        {
            name.clone_into(&mut entry.name);
        }
        Ok(entry)
    }
}

impl Entry {
    /// Forgets what the outcome that follows makes good.
    fn settle(&mut self) {
        self.open = None;
        self.failed = None;
        self.attempts = 0;
        self.up = Steps::default();
        self.down = Steps::default();
    }
}

/// Takes over an accepted change. Equal checksums say that it was the down script that changed.
fn accept(applied: &mut Applied, body: &ledger::MigrationAccepted) {
    if body.new_checksum == body.old_checksum {
        applied.down_script = Some(body.script);
        return;
    }
    if applied.down_script == applied.script {
        applied.down_script = Some(body.script);
    }
    applied.checksum = Some(body.new_checksum);
    applied.script = Some(body.script);
}
