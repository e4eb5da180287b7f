//! In which order pending migrations run: what one depends on comes before it, else by version.

use std::collections::{BTreeMap, BTreeSet};

use super::{Blocker, BlockerKind};
use crate::migration::{Migration, Version};
use crate::report::Refusal;

/// Returns the migrations so that each comes after those of them that it depends on: the lowest version
/// that waits for none is always next. Without dependencies that is the order of the versions.
///
/// Those of a circle, and what waits for them, are left out; each circle is a blocker that shows its path.
pub fn order<'a>(pending: &[&'a Migration]) -> (Vec<&'a Migration>, Vec<Blocker>) {
    let among: BTreeMap<&Version, &'a Migration> =
        pending.iter().map(|file| (&file.version, *file)).collect();
    let mut waits: BTreeMap<&Version, BTreeSet<&Version>> = BTreeMap::new();
    let mut frees: BTreeMap<&Version, Vec<&Version>> = BTreeMap::new();
    for file in among.values() {
        let dependencies = within(file, &among);
        for dependency in &dependencies {
            frees.entry(dependency).or_default().push(&file.version);
        }
        waits.insert(&file.version, dependencies);
    }
    let mut ready: BTreeSet<&Version> = waits
        .iter()
        .filter_map(|(version, waits)| waits.is_empty().then_some(*version))
        .collect();
    let mut ordered = Vec::with_capacity(pending.len());
    while let Some(next) = ready.pop_first() {
        waits.remove(next);
        ordered.extend(among.get(next).copied());
        for freed in frees.remove(next).unwrap_or_default() {
            if let Some(left) = waits.get_mut(freed) {
                left.remove(next);
                if left.is_empty() {
                    ready.insert(freed);
                }
            }
        }
    }
    let circles = circles(waits);
    (ordered, circles.iter().map(|path| circle(path)).collect())
}

/// Where the files of a folder stand, each behind what it depends on.
#[derive(Debug)]
pub struct Positions<'a>(BTreeMap<&'a Version, &'a Migration>);

impl<'a> Positions<'a> {
    /// Takes all files of the folder.
    pub fn new(files: &'a [Migration]) -> Self {
        Self(files.iter().map(|file| (&file.version, file)).collect())
    }

    /// Returns the newest version that must be applied before a file can run, or its own where that is
    /// newer.
    pub fn of(&self, file: &'a Migration) -> &'a Version {
        let mut newest = &file.version;
        let mut seen: BTreeSet<&Version> = BTreeSet::new();
        let mut open = vec![file];
        while let Some(next) = open.pop() {
            if seen.insert(&next.version) {
                newest = newest.max(&next.version);
                let dependencies = within(next, &self.0);
                open.extend(
                    dependencies
                        .iter()
                        .filter_map(|version| self.0.get(version)),
                );
            }
        }
        newest
    }

    /// Says whether a file that is not applied comes too late: something is applied that is newer than it
    /// and than all that it waits for.
    pub fn is_late(&self, file: &'a Migration, newest_applied: Option<&Version>) -> bool {
        newest_applied.is_some_and(|newest| file.version < *newest && self.of(file) < newest)
    }
}

/// Returns which of `among` a file depends on.
fn within<'a>(
    file: &Migration,
    among: &BTreeMap<&'a Version, &'a Migration>,
) -> BTreeSet<&'a Version> {
    let dependencies = file.metadata.dependencies.iter();
    dependencies
        .filter_map(|text| text.parse::<Version>().ok())
        .filter_map(|version| among.get_key_value(&version).map(|(found, _)| *found))
        .collect()
}

/// Returns the paths of the circles in what is left when nothing more is free: each of these waits for
/// another one of them.
fn circles(mut waits: BTreeMap<&Version, BTreeSet<&Version>>) -> Vec<Vec<Version>> {
    let mut found = Vec::new();
    while let Some(start) = waits.keys().next().copied() {
        let mut path = vec![start];
        while let Some(next) = path.last().and_then(|last| waits.get(last)?.first()) {
            if let Some(begin) = path.iter().position(|one| one == next) {
                let circle = path[begin..].iter().chain([next]);
                found.push(circle.map(|one| (*one).clone()).collect());
                break;
            }
            path.push(next);
        }
        for version in path {
            waits.remove(version);
        }
        // what waits for nothing else than this circle is not one itself
        loop {
            let left: BTreeSet<&Version> = waits.keys().copied().collect();
            waits.retain(|_, waits| {
                waits.retain(|version| left.contains(version));
                !waits.is_empty()
            });
            if waits.len() == left.len() {
                break;
            }
        }
    }
    found
}

fn circle(path: &[Version]) -> Blocker {
    let shown: Vec<&str> = path.iter().map(Version::as_str).collect();
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code: "dependency-circle",
            version: shown.first().map(|first| (*first).to_owned()),
            message: format!(
                "expected dependencies that lead to an end, found the circle {}",
                shown.join(" → ")
            ),
            hint: "take one of them out of the header's `dependencies`".to_owned(),
        },
    }
}
