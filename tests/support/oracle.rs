//! The invariants, read from the database by the `sqlite3` shell: nothing of ours judges itself here,
//! but for `verify`, whose word is one among others.
#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each suite uses a part of it, and which part differs"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;

use crate::support::Project;

/// When the database is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A run died or is still there: one lock and one start may be open.
    Interrupted,
    /// Every run has ended as it should: nothing is open.
    AtRest,
}

/// Events and effects, as the database holds them.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Kind and version (or nothing) of each event, in order of seq.
    pub(crate) events: Vec<(String, String)>,
    /// How often each statement of each migration took effect.
    pub(crate) effects: BTreeMap<(String, u32), u32>,
    /// What is wrong already with the rows themselves.
    broken: Vec<String>,
    lease_held: bool,
}

const EVENTS: &str = "
SELECT 'event', json_extract(CAST(line AS TEXT), '$.kind'),
    coalesce(json_extract(CAST(line AS TEXT), '$.body.version'), '')
FROM mledger_events ORDER BY seq;
SELECT 'broken', 'seq ' || seq || ' stands at place ' || place FROM (
    SELECT seq, row_number() OVER (ORDER BY seq) - 1 AS place FROM mledger_events) WHERE seq <> place;
SELECT 'broken', 'event ' || seq || ' does not follow the one before' FROM (
    SELECT seq, prev, lag(hash, 1, zeroblob(32)) OVER (ORDER BY seq) AS before FROM mledger_events)
WHERE prev <> before;
SELECT 'lease' FROM mledger_lease WHERE token IS NOT NULL;
";

const EFFECTS: &str = "SELECT 'effect', migration, statement, count(*) FROM effects GROUP BY 2, 3;";

/// Reads what is there; nothing is there where the database or its ledger was not made yet.
pub(crate) fn facts(project: &Project) -> Facts {
    let mut facts = Facts::default();
    if !project.database().exists() {
        return facts;
    }
    let tables = project.sqlite(
        "PRAGMA integrity_check; SELECT name FROM sqlite_schema WHERE name IN ('mledger_events', \
         'effects') ORDER BY name DESC",
    );
    let mut tables = tables.lines();
    let integrity = tables.next().unwrap_or_default();
    if integrity != "ok" {
        facts.broken.push(format!("the file: {integrity}"));
    }
    let mut sql = String::new();
    for table in tables {
        sql.push_str(if table == "effects" { EFFECTS } else { EVENTS });
    }
    if sql.is_empty() {
        return facts;
    }
    for line in project.sqlite(&sql).lines() {
        let mut fields = line.split('|');
        let mut next = || fields.next().unwrap_or_default().to_owned();
        match next().as_str() {
            "event" => facts.events.push((next(), next())),
            "broken" => facts.broken.push(next()),
            "lease" => facts.lease_held = true,
            _ => {
                let key = (next(), next().parse().unwrap());
                facts.effects.insert(key, next().parse().unwrap());
            }
        }
    }
    facts
}

/// Returns every way in which the database is not as it must be.
pub(crate) fn violations(project: &Project, moment: Moment) -> Vec<String> {
    let mut found = Vec::new();
    let facts = facts(project);
    if facts.events.is_empty() {
        if !facts.effects.is_empty() {
            found.push("there are effects and no ledger".to_owned());
        }
        let status = project.run(&["status"]);
        if status.code != 0 {
            found.push(format!("`status` without a ledger: {status:?}"));
        }
        return found;
    }
    let verified = project.run(&["verify"]);
    if verified.code != 0 {
        found.push(format!("`verify`: {verified:?}"));
    }
    found.extend(facts.violations(moment));
    found
}

/// Fails where anything is not as it must be.
pub(crate) fn assert_sound(project: &Project, moment: Moment, what: &dyn Debug) {
    let found = violations(project, moment);
    assert!(
        found.is_empty(),
        "{what:?}: {found:#?}\n{:#?}",
        facts(project)
    );
}

/// Returns the bytes of the database's files.
pub(crate) fn bytes(project: &Project) -> Vec<Vec<u8>> {
    ["", "-wal", "-journal"]
        .iter()
        .map(|end| {
            let path = format!("{}{end}", project.database().display());
            fs::read(path).unwrap_or_default()
        })
        .collect()
}

impl Facts {
    /// Returns how many events are of a kind.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.events
            .iter()
            .filter(|(found, _)| found == kind)
            .count()
    }

    /// Returns the kinds in order.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.events.iter().map(|(kind, _)| kind.as_str()).collect()
    }

    /// Returns what is applied, by a fold that is not the program's own.
    pub(crate) fn applied(&self) -> Vec<String> {
        let mut applied = BTreeMap::new();
        for (kind, version) in &self.events {
            match kind.as_str() {
                "migration.applied" => applied.insert(version.parse::<u64>().unwrap(), version),
                "migration.rolled_back" => applied.remove(&version.parse().unwrap()),
                _ => None,
            };
        }
        applied.into_values().cloned().collect()
    }

    fn is_stepwise(&self, version: &str) -> bool {
        self.events
            .iter()
            .any(|(kind, of)| kind == "migration.step_applied" && of == version)
    }

    fn violations(&self, moment: Moment) -> Vec<String> {
        let mut found = self.broken.clone();
        if self.count("ledger.created") != 1 {
            found.push(format!("{} ledgers", self.count("ledger.created")));
        }
        self.check_locks(moment, &mut found);
        self.check_migrations(moment, &mut found);
        let mut expected = BTreeMap::new();
        for version in self.applied() {
            for statement in 1..=2 {
                expected.insert((version.clone(), statement), 1);
            }
        }
        let mut effects = self.effects.clone();
        // of a migration that goes statement by statement a part may be there; its suite looks at it
        effects.retain(|key, _| expected.contains_key(key) || !self.is_stepwise(&key.0));
        if effects != expected {
            found.push(format!(
                "applied is {:?}, and the effects are {:?}",
                self.applied(),
                self.effects
            ));
        }
        found
    }

    fn check_locks(&self, moment: Moment, found: &mut Vec<String>) {
        let mut held = false;
        for (kind, _) in &self.events {
            match kind.as_str() {
                "lock.acquired" if held => found.push("two locks at once".to_owned()),
                "lock.acquired" => held = true,
                "lock.released" | "lock.broken" if !held => {
                    found.push(format!("{kind} without a lock"));
                }
                "lock.released" | "lock.broken" => held = false,
                _ => {}
            }
        }
        if held != self.lease_held {
            found.push(format!(
                "the ledger says that the lock is held: {held}; the lease row: {}",
                self.lease_held
            ));
        }
        if held && moment == Moment::AtRest {
            found.push("the lock is still held".to_owned());
        }
    }

    fn check_migrations(&self, moment: Moment, found: &mut Vec<String>) {
        let mut open: Option<&str> = None;
        let mut applied: BTreeMap<&str, bool> = BTreeMap::new();
        for (kind, version) in &self.events {
            let (ends, applies) = match kind.as_str() {
                "migration.started" => {
                    if let Some(other) = open {
                        found.push(format!("`{version}` was started while `{other}` was open"));
                    }
                    open = Some(version);
                    continue;
                }
                "migration.applied" => (true, Some(true)),
                "migration.rolled_back" => (true, Some(false)),
                "migration.failed" | "migration.aborted" => (true, None),
                _ => (false, None),
            };
            if ends && open.take() != Some(version) {
                found.push(format!("{kind} of `{version}`, which was not open"));
            }
            if let Some(now) = applies
                && applied.insert(version, now).unwrap_or(false) == now
            {
                found.push(format!("{kind} of `{version}`, twice"));
            }
        }
        if let (Some(version), Moment::AtRest) = (open, moment) {
            found.push(format!("the start of `{version}` has no end"));
        }
    }
}
