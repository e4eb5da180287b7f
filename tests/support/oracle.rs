//! The invariants, read from the database by its plain client: nothing of ours judges itself here,
//! but for `verify`, whose word is one among others.
#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each suite uses a part of it, and which part differs"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde_json::Value;

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
    /// What each of them says.
    pub(crate) bodies: Vec<Value>,
    /// The hash of each of them, in lower case.
    pub(crate) hashes: Vec<String>,
    /// How often each statement of each migration took effect.
    pub(crate) effects: BTreeMap<(String, u32), u32>,
    /// What is wrong already with the rows themselves.
    broken: Vec<String>,
    lease_held: bool,
}

/// Parts one answer from the next.
const PART: &str = "SELECT '--';";

/// Reads what is there; nothing is there where the database or its ledger was not made yet.
pub(crate) fn facts(project: &Project) -> Facts {
    let mut facts = Facts::default();
    if !project.place.exists() {
        return facts;
    }
    let integrity = project.place.integrity();
    if integrity != "ok" {
        facts.broken.push(format!("the file: {integrity}"));
    }
    let store = project.kind.store;
    let tables = project.kind.tables(&*project.place);
    let there = |name: &str| tables.iter().any(|table| table == name);
    let mut sql = String::new();
    if there(store.events) && there(store.lease) {
        sql += &format!("{};", store.rows);
        sql += PART;
        sql += &format!(
            "SELECT 'held' FROM {} WHERE token IS NOT NULL;",
            store.lease
        );
    } else {
        sql += PART;
    }
    sql += PART;
    if there("effects") {
        sql += "SELECT migration, statement, count(*) FROM effects GROUP BY 1, 2;";
    }
    let answer = project.ask(&sql);
    let mut parts = answer.split("--\n");
    facts.read_events(parts.next().unwrap_or_default());
    facts.lease_held = parts.next() == Some("held\n");
    for line in parts.next().unwrap_or_default().lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let key = (fields[0].to_owned(), fields[1].parse().unwrap());
        facts.effects.insert(key, fields[2].parse().unwrap());
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
        "{what:?}: {found:#?}\n{}",
        facts(project).story()
    );
}

/// Returns the bytes of the database's files, or of everything in it where a server keeps the files.
pub(crate) fn bytes(project: &Project) -> Vec<Vec<u8>> {
    project.place.files().unwrap_or_else(|| {
        let store = project.kind.store;
        let lease = format!("SELECT * FROM {}", store.lease);
        [store.rows, &lease, project.kind.definitions]
            .map(|sql| project.ask(sql).into_bytes())
            .into()
    })
}

impl Facts {
    /// Reads rows of seq, line, signature, prev and hash, and checks that each follows the one before.
    fn read_events(&mut self, rows: &str) {
        let mut before = "0".repeat(64);
        for (place, row) in rows.lines().enumerate() {
            let fields: Vec<&str> = row.split('|').collect();
            if fields[0] != place.to_string() {
                let broken = format!("seq {} stands at place {place}", fields[0]);
                self.broken.push(broken);
            }
            if !fields[3].eq_ignore_ascii_case(&before) {
                let broken = format!("event {place} does not follow the one before");
                self.broken.push(broken);
            }
            before = fields[4].to_ascii_lowercase();
            self.hashes.push(before.clone());
            let event: Value = serde_json::from_slice(&unhex(fields[1])).unwrap();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let version = text(&event["body"]["version"]);
            self.events.push((text(&event["kind"]), version));
            self.bodies.push(event["body"].clone());
        }
    }

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

    /// Returns all of it in a form that fits into a message.
    pub(crate) fn story(&self) -> String {
        let events: Vec<String> = self
            .events
            .iter()
            .map(|(kind, version)| format!("{kind} {version}"))
            .collect();
        format!("{}\neffects: {:?}", events.join(", "), self.effects)
    }

    /// Says whether a migration goes statement by statement, so that it may be there in part.
    fn is_stepwise(&self, version: &str) -> bool {
        self.events
            .iter()
            .any(|(kind, of)| kind == "migration.step_applied" && of == version)
    }

    /// Says whether a migration was begun, on its way up or down, and is neither done nor undone.
    fn is_under_way(&self, version: &str) -> bool {
        let mut under_way = false;
        for ((kind, of), body) in self.events.iter().zip(&self.bodies) {
            if of != version {
                continue;
            }
            under_way = match kind.as_str() {
                "migration.started" | "migration.step_applied" | "migration.step_resolved" => true,
                "migration.failed" => body["clean"] == false,
                "migration.applied"
                | "migration.rolled_back"
                | "migration.aborted"
                | "migration.marked" => false,
                _ => under_way,
            };
        }
        under_way
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
        let partly_undone = |key: &(String, u32)| {
            let version = key.0.as_str();
            self.is_under_way(version) && self.is_stepwise(version) && !effects.contains_key(key)
        };
        expected.retain(|key, _| !partly_undone(key));
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

/// The bytes that hexadecimal digits stand for.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
