//! Who wrote, approved, ran, released and audited: one row a person.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Body, Event, Fingerprint, Role, Timestamp};

use super::keys::Keys;
use super::model::{Change, Duties};
use super::period::Period;
use crate::policy::approval::is_same_person;

/// A fold over events about releases and audits.
#[derive(Debug, Default)]
pub(super) struct Others {
    all: Vec<(u64, Timestamp, Duty, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    Released,
    Audited,
}

impl Others {
    /// Folds the next event.
    pub(super) fn apply(&mut self, event: &Event, keys: &Keys) {
        let duty = match &event.body {
            Body::VersionTagged(_) | Body::ReleaseCreated(_) => Duty::Released,
            Body::HistoryExported(_) | Body::AnchorRecorded(_) | Body::NoteAdded(_) => {
                Duty::Audited
            }
            _ => return,
        };
        self.all
            .push((event.seq, event.time, duty, keys.name(event)));
    }
}

/// Returns what everybody did in a period, by name.
pub(super) fn duties(
    changes: &[Change],
    others: &Others,
    keys: &Keys,
    period: &Period,
) -> Vec<Duties> {
    let mut people = People::of(keys);
    for change in changes {
        if change.started_at.is_some() && !change.author.is_empty() {
            people.at(&change.author).authored += 1;
        }
        if change.started_at.is_some() {
            people.at(&change.ran.by).ran += 1;
        }
        let approvers: BTreeSet<&str> =
            change.approvals.iter().map(|one| one.by.as_str()).collect();
        for approver in approvers {
            people.at(approver).approved += 1;
        }
        let own: Vec<String> = own_approvals(change).map(str::to_owned).collect();
        for approver in own {
            let row = people.at(&approver);
            if row.conflicts.last() != Some(&change.seq) {
                row.conflicts.push(change.seq);
            }
        }
    }
    for (seq, time, duty, name) in &others.all {
        if !period.has(*seq, *time) {
            continue;
        }
        let row = people.at(name);
        match duty {
            Duty::Released => row.released += 1,
            Duty::Audited => row.audited += 1,
        }
    }
    people.rows.into_values().collect()
}

/// Returns the names of those who approved a change that they wrote or ran.
pub(super) fn own_approvals(change: &Change) -> impl Iterator<Item = &str> {
    change
        .approvals
        .iter()
        .filter(|approval| {
            let is_own_key = |key: &Fingerprint| *key == approval.key;
            let names = [approval.by.as_str(), approval.actor.as_str()];
            is_own_key(&change.ran.key)
                || is_same_person(&change.ran.by, &approval.by)
                || names
                    .iter()
                    .any(|name| is_same_person(&change.author, name))
        })
        .map(|approval| approval.by.as_str())
}

/// The rows so far, and the row of each name that was looked up.
struct People {
    rows: BTreeMap<String, Duties>,
    found: BTreeMap<String, String>,
}

impl People {
    /// Begins with the holders of keys.
    fn of(keys: &Keys) -> Self {
        let mut rows: BTreeMap<String, Duties> = BTreeMap::new();
        for entry in keys.ring().current() {
            let row = rows.entry(entry.name.clone()).or_insert_with(|| Duties {
                person: entry.name.clone(),
                ..Duties::default()
            });
            row.roles.extend(entry.roles.iter().copied());
            row.roles.sort_unstable();
            row.roles.dedup();
            let owner = row.roles.contains(&Role::Owner);
            let both = row.roles.contains(&Role::Operator) && row.roles.contains(&Role::Approver);
            row.may_run_and_approve = owner || both;
        }
        Self {
            rows,
            found: BTreeMap::new(),
        }
    }

    /// Returns the row of a name, which may be another spelling of one that is there.
    fn at(&mut self, name: &str) -> &mut Duties {
        if !self.found.contains_key(name) {
            let row = self.rows.keys().find(|one| is_same_person(one, name));
            let row = row.cloned().unwrap_or_else(|| name.to_owned());
            self.found.insert(name.to_owned(), row);
        }
        let row = self.found.get(name).map_or(name, String::as_str);
        self.rows.entry(row.to_owned()).or_insert_with(|| Duties {
            person: row.to_owned(),
            ..Duties::default()
        })
    }
}
