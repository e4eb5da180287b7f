//! The state of each version, and how to get back to an earlier one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::body::{Direction, Mode};
use crate::hash::Digest;

/// Changes that are kept even when no backup needs them: one that is being taken names the size
/// it began at only when it is done.
const KEPT_CHANGES: usize = 1 << 16;

/// A start that nothing has closed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenStart {
    /// Which way it runs.
    pub direction: Direction,
    /// How its statements are committed.
    pub mode: Mode,
    /// The seq of its `migration.started`.
    pub seq: u64,
}

/// What the log says of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) applied: Applied,
    pub(super) open: Option<OpenStart>,
    pub(super) up: Progress,
    pub(super) down: Progress,
    /// Another tool's history was adopted through this version.
    pub(super) adopted: bool,
}

/// Whether a version counts as applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Applied {
    /// No event of its own says so; an adopted history may.
    #[default]
    Unsaid,
    /// It is, with this checksum where it is known.
    Yes(Option<Digest>),
    /// It is not.
    No,
}

/// How far a stepwise migration is in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The number of consecutive steps that are done.
    pub(super) done: u64,
    /// A failure left a part behind.
    pub(super) partial: bool,
}

impl Version {
    pub(super) const fn progress(&self, direction: Direction) -> &Progress {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    pub(super) const fn progress_mut(&mut self, direction: Direction) -> &mut Progress {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// Takes on an end state, in which no step of either direction is pending.
    pub(super) fn settle(&mut self, applied: Applied) {
        self.applied = applied;
        self.up = Progress::default();
        self.down = Progress::default();
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Versions {
    states: BTreeMap<Arc<str>, Version>,
    /// What each change replaced, oldest first.
    changes: VecDeque<Change>,
    /// Changes before this seq are forgotten.
    horizon: u64,
}

#[derive(Clone, Debug)]
struct Change {
    seq: u64,
    version: Arc<str>,
    before: Version,
}

impl Versions {
    pub(super) fn is_applied(&self, version: &str) -> bool {
        match self.states.get(version).map(|state| state.applied) {
            Some(Applied::Yes(_)) => true,
            Some(Applied::No) => false,
            Some(Applied::Unsaid) | None => self.is_adopted(version),
        }
    }

    pub(super) fn open_start(&self, version: &str) -> Option<&OpenStart> {
        self.states.get(version)?.open.as_ref()
    }

    pub(super) fn open_starts(&self) -> impl Iterator<Item = (&str, &OpenStart)> {
        self.states
            .iter()
            .filter_map(|(version, state)| Some((&**version, state.open.as_ref()?)))
    }

    pub(super) fn steps_done(&self, version: &str, direction: Direction) -> u64 {
        self.states
            .get(version)
            .map_or(0, |state| state.progress(direction).done)
    }

    pub(super) fn state(&self, version: &str) -> Option<&Version> {
        self.states.get(version)
    }

    /// Changes a version's state and remembers what it was.
    pub(super) fn change(&mut self, seq: u64, version: &str, change: impl FnOnce(&mut Version)) {
        let name: Arc<str> = match self.states.get_key_value(version) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(version),
        };
        let state = self.states.entry(Arc::clone(&name)).or_default();
        let before = state.clone();
        change(state);
        self.changes.push_back(Change {
            seq,
            version: name,
            before,
        });
    }

    /// Goes back to the state that the first `size` entries left, as a change at `seq`.
    pub(super) fn rewind(&mut self, seq: u64, size: u64) -> Result<(), String> {
        if size < self.horizon {
            return Err(format!(
                "the state at {size} entries was not recorded as needed before entry {}",
                self.horizon
            ));
        }
        let mut earlier: BTreeMap<Arc<str>, Version> = BTreeMap::new();
        for change in self.changes.iter().rev() {
            if change.seq < size {
                break;
            }
            earlier.insert(Arc::clone(&change.version), change.before.clone());
        }
        for (version, before) in earlier {
            self.change(seq, &version, |state| *state = before);
        }
        Ok(())
    }

    /// Forgets changes that no restore can ask for: those before `oldest`, the size of the
    /// oldest backup, beyond the latest [`KEPT_CHANGES`].
    pub(super) fn keep_since(&mut self, oldest: Option<u64>) {
        // twice the limit, so that forgetting is rare
        if self.changes.len() < 2 * KEPT_CHANGES {
            return;
        }
        while self.changes.len() > KEPT_CHANGES
            && let Some(change) = self.changes.front()
            && oldest.is_none_or(|oldest| change.seq < oldest)
        {
            self.horizon = change.seq + 1;
            self.changes.pop_front();
        }
    }

    fn is_adopted(&self, version: &str) -> bool {
        self.states
            .iter()
            .any(|(through, state)| state.adopted && order(version, through) != Ordering::Greater)
    }
}

/// Compares versions as the migrations are ordered: dotted numbers of any length, padding of
/// zeros ignored; what is no number by its text.
fn order(left: &str, right: &str) -> Ordering {
    let mut left_parts = left.split('.');
    let mut right_parts = right.split('.');
    loop {
        let (left, right) = match (left_parts.next(), right_parts.next()) {
            (Some(left), Some(right)) => (left, right),
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
        };
        let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
        let ordering = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        for (left, right) in [
            ("2", "10"),
            ("0009", "10"),
            ("1.2", "1.10"),
            ("1", "1.0"),
            ("20260101120000", "20260102120000"),
            ("99999999999999999999", "100000000000000000000"),
        ] {
            assert_eq!(order(left, right), Ordering::Less, "{left} {right}");
            assert_eq!(order(right, left), Ordering::Greater, "{left} {right}");
        }
        assert_eq!(order("007", "7"), Ordering::Equal);
    }

    #[test]
    fn changes_are_forgotten_only_where_no_backup_needs_them() {
        let mut versions = Versions::default();
        for seq in 0..200_000_u64 {
            versions.change(seq, "1", |state| state.up.done = seq);
            versions.keep_since(Some(150_000));
        }
        assert!(versions.changes.len() < 2 * KEPT_CHANGES);
        assert!(versions.rewind(200_000, 150_000).is_ok());
        assert_eq!(versions.steps_done("1", Direction::Up), 149_999);
        assert!(versions.rewind(200_001, 3).is_err());
    }
}
