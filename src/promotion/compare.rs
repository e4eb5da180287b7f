//! The two sides beside each other.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Digest, When};

use super::elsewhere::{Application, Elsewhere, There};
use crate::migration::{Migration, Version};
use crate::plan::order;
use crate::projection::history::History;
use crate::report::{
    AppliedThere, CheckThere, Difference, MigrationView, OtherLedger, PastThere, PromotedMigration,
    PromotionCounts, PromotionReport, PromotionStanding as Standing, ValidationThere,
};

/// Sets the files and the history here beside what another ledger says. `views` is the state of each
/// migration here.
pub fn compare(
    files: &[Migration],
    history: &History,
    views: &[MigrationView],
    environment: String,
    from: OtherLedger,
    other: &Elsewhere,
) -> PromotionReport {
    let by_version: BTreeMap<&Version, &Migration> =
        files.iter().map(|file| (&file.version, file)).collect();
    let positions = positions(other);
    let moved = moved(files, history, &positions);
    let mut migrations = Vec::new();
    let mut here = BTreeSet::new();
    for view in views {
        let Ok(version) = view.version.parse::<Version>() else {
            continue;
        };
        let file = by_version.get(&version).copied();
        let side = Side {
            version: &version,
            view,
            file,
            checksum: view.checksum,
        };
        migrations.push((
            version.clone(),
            side.beside(other, &positions, moved.contains(&version)),
        ));
        here.insert(version);
    }
    for (version, entry, _) in other.history().applied() {
        if !here.contains(version) {
            let row = only_there(version, &entry.version, &entry.name, other, &positions);
            migrations.push((version.clone(), row));
        }
    }
    migrations.sort_by(|(one, _), (other, _)| one.cmp(other));
    let migrations: Vec<PromotedMigration> = migrations.into_iter().map(|(_, row)| row).collect();
    let counts = count(&migrations);
    PromotionReport {
        from,
        environment,
        promoted: counts.not_promoted == 0,
        counts,
        migrations,
    }
}

/// One migration here.
struct Side<'a> {
    version: &'a Version,
    view: &'a MigrationView,
    file: Option<&'a Migration>,
    checksum: Digest,
}

impl Side<'_> {
    fn beside(
        &self,
        other: &Elsewhere,
        positions: &BTreeMap<&Version, u64>,
        moved: bool,
    ) -> PromotedMigration {
        let there = other.standing(self.version, &self.checksum);
        let past = other.past_of(self.version);
        let down = self
            .file
            .and_then(|file| file.down.as_ref())
            .map(|down| down.digest);
        let mut differences = BTreeSet::new();
        let (standing, difference) = named(&there);
        differences.extend(difference);
        let ran = match there {
            There::Ran(ran) | There::OtherBytes(ran) => Some(ran),
            _ => None,
        };
        if let (There::Ran(ran), Some(file)) = (&there, self.file) {
            if ran.script != file.up.digest {
                differences.insert(Difference::LineEndings);
            } else if ran.down_script != down {
                differences.insert(Difference::OtherDownScript);
            }
        }
        if moved {
            differences.insert(Difference::OtherOrder);
        }
        let verified = match (&there, self.file) {
            // a script whose queries do not hold is not applied
            (There::Ran(_), Some(file)) => file.up.verify.as_ref().map(|_| true),
            _ => None,
        };
        let applied = ran.map(|ran| applied(ran, self.version, other, positions, verified));
        if applied.as_ref().is_some_and(has_failed_check) {
            differences.insert(Difference::CheckFailed);
        }
        PromotedMigration {
            version: self.view.version.clone(),
            name: self.view.name.clone(),
            here: Some(self.view.state),
            there: standing,
            differences: differences.into_iter().collect(),
            applied,
            past: PastThere {
                failed: past.map_or(0, |past| past.failed),
                rolled_back: past.map_or(0, |past| past.rolled_back.len() as u64),
                rollback_failed: past.map_or(0, |past| past.rollback_failed),
                rollback_tried: past.is_some_and(|past| {
                    past.rolled_back
                        .iter()
                        .any(|(script, _)| Some(*script) == down)
                }),
            },
        }
    }
}

fn named(there: &There<'_>) -> (Standing, Option<Difference>) {
    match there {
        There::Ran(_) => (Standing::Applied, None),
        There::OtherBytes(_) => (Standing::OtherBytes, Some(Difference::OtherBytes)),
        There::Marked(_) => (Standing::Marked, Some(Difference::NotRun)),
        There::RolledBack(_) => (Standing::RolledBack, Some(Difference::RolledBack)),
        There::Unfinished => (Standing::Unfinished, Some(Difference::Unfinished)),
        There::Absent => (Standing::Absent, Some(Difference::OnlyHere)),
    }
}

fn only_there(
    version: &Version,
    written: &str,
    name: &str,
    other: &Elsewhere,
    positions: &BTreeMap<&Version, u64>,
) -> PromotedMigration {
    let ran = other.application(version);
    let past = other.past_of(version);
    PromotedMigration {
        version: written.to_owned(),
        name: name.to_owned(),
        here: None,
        there: if ran.is_some() {
            Standing::Applied
        } else {
            Standing::Marked
        },
        differences: vec![Difference::OnlyThere],
        applied: ran.map(|ran| applied(ran, version, other, positions, None)),
        past: PastThere {
            failed: past.map_or(0, |past| past.failed),
            rolled_back: past.map_or(0, |past| past.rolled_back.len() as u64),
            rollback_failed: past.map_or(0, |past| past.rollback_failed),
            rollback_tried: false,
        },
    }
}

fn applied(
    ran: &Application,
    version: &Version,
    other: &Elsewhere,
    positions: &BTreeMap<&Version, u64>,
    verified: Option<bool>,
) -> AppliedThere {
    let notes = other.run(&ran.run);
    let checks = notes.map_or(&[][..], |notes| &notes.checks);
    AppliedThere {
        seq: ran.seq,
        position: positions.get(version).copied().unwrap_or_default(),
        applied_at: ran.time,
        applied_by: ran.actor.clone(),
        duration_ms: ran.duration_ms,
        attempt: ran.attempt,
        checksum: ran.checksum,
        script: ran.script,
        verified,
        checks: checks
            .iter()
            .map(|check| CheckThere {
                name: check.name.clone(),
                when: match check.when {
                    When::Before => "before",
                    When::After => "after",
                },
                holds: check.holds,
            })
            .collect(),
        validation: notes
            .and_then(|notes| notes.validation)
            .map(|(errors, warnings)| ValidationThere { errors, warnings }),
        approved_by: notes.map_or_else(Vec::new, |notes| notes.approved_by.clone()),
        plan: notes.and_then(|notes| notes.plan),
        ticket: notes.and_then(|notes| notes.ticket.clone()),
    }
}

fn has_failed_check(applied: &AppliedThere) -> bool {
    applied.checks.iter().any(|check| !check.holds)
}

/// Which one each applied version is there, from 1.
fn positions(other: &Elsewhere) -> BTreeMap<&Version, u64> {
    let applied = other.history().applied();
    (1..)
        .zip(applied)
        .map(|(position, (version, ..))| (version, position))
        .collect()
}

/// Returns the fewest versions without which both sides have one order: here that of the applications,
/// and then that in which the rest would run.
fn moved(
    files: &[Migration],
    history: &History,
    positions: &BTreeMap<&Version, u64>,
) -> BTreeSet<Version> {
    let mut sequence: Vec<&Version> = history
        .applied()
        .iter()
        .map(|(version, ..)| *version)
        .collect();
    let is_applied = |version: &Version| {
        let entry = history.get(version);
        entry.is_some_and(|entry| entry.applied.is_some())
    };
    let pending: Vec<&Migration> = files
        .iter()
        .filter(|file| !is_applied(&file.version))
        .collect();
    let (ordered, _) = order::order(&pending);
    sequence.extend(ordered.iter().map(|file| &file.version));
    let shared: Vec<(&Version, u64)> = sequence
        .into_iter()
        .filter_map(|version| Some((version, *positions.get(version)?)))
        .collect();
    let kept = longest_rising(&shared.iter().map(|(_, at)| *at).collect::<Vec<_>>());
    shared
        .into_iter()
        .zip(kept)
        .filter(|(_, kept)| !kept)
        .map(|((version, _), _)| version.clone())
        .collect()
}

/// Says of each number whether it belongs to one longest rising subsequence.
fn longest_rising(numbers: &[u64]) -> Vec<bool> {
    // `ends[length]` is the place of the smallest number that ends a rising row of `length + 1`
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (place, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(place);
        } else {
            ends[length] = place;
        }
    }
    let mut kept = vec![false; numbers.len()];
    let mut next = ends.last().copied();
    while let Some(place) = next {
        kept[place] = true;
        next = before[place];
    }
    kept
}

fn count(migrations: &[PromotedMigration]) -> PromotionCounts {
    let mut counts = PromotionCounts::default();
    for migration in migrations {
        match (migration.here, migration.there) {
            (None, _) => counts.only_there += 1,
            (Some(_), Standing::Applied) => counts.promoted += 1,
            (Some(_), _) => counts.not_promoted += 1,
        }
        if migration.differences.contains(&Difference::OtherOrder) {
            counts.other_order += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_are_said_to_be_out_of_place() {
        for (numbers, kept) in [
            (vec![], vec![]),
            (vec![1, 2, 3], vec![true, true, true]),
            (vec![3, 1, 2, 4], vec![false, true, true, true]),
            (vec![1, 4, 2, 3], vec![true, false, true, true]),
        ] {
            assert_eq!(longest_rising(&numbers), kept, "{numbers:?}");
        }
        assert_eq!(
            longest_rising(&[3, 2, 1])
                .iter()
                .filter(|kept| **kept)
                .count(),
            1
        );
    }
}
