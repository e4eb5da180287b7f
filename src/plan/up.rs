//! Which migrations `up` would apply.

use std::collections::BTreeMap;

use ledger::{Code, Digest, Direction, Finding, Severity};

use super::{Blocker, BlockerKind, Candidate, ScriptSource, Selection, order, standing};
use crate::migration::{Migration, Version};
use crate::projection::history::{Applied, Entry, History};
use crate::report::Refusal;
use crate::request::Up;

/// Compares the folder with the history and chooses what `up` would apply.
///
/// `files` are sorted by version, and what one depends on comes before it. Blockers of applied migrations (changed, missing) are found
/// whatever was asked for; an older file blocks only when it would have to run.
pub fn select(files: &[Migration], history: &History, up: &Up, out_of_order: bool) -> Selection {
    let (settlements, mut blockers) = standing(history);
    let mut selection = Selection {
        settlements,
        ..Selection::default()
    };
    compare_applied(files, history, &mut blockers, &mut selection.warnings);
    let newest = history.current();
    let pending: Vec<&Migration> = files
        .iter()
        .filter(|file| is_due(file, history.get(&file.version)))
        .filter(|file| {
            up.only
                .as_ref()
                .is_none_or(|only| only.contains(&file.version))
        })
        .take_while(|file| up.to.as_ref().is_none_or(|to| file.version <= *to))
        .collect();
    let (ordered, circles) = order::order(&pending);
    let positions = order::Positions::new(files);
    blockers.extend(circles);
    let mut chosen: BTreeMap<&Version, ()> = BTreeMap::new();
    let mut waiting = up
        .to
        .as_ref()
        .filter(|to| !to.is_repeatable())
        .is_some_and(|to| {
            files
                .iter()
                .any(|file| !file.version.is_repeatable() && file.version > *to)
        });
    let count = up.count.unwrap_or(usize::MAX);
    waiting |= ordered
        .iter()
        .skip(count)
        .any(|file| !file.version.is_repeatable());
    for file in ordered.into_iter().take(count) {
        // what it is made of may be what one that waits makes
        if waiting && file.version.is_repeatable() {
            continue;
        }
        if !(out_of_order || up.out_of_order)
            && let Some(newest) = newest
            && positions.is_late(file, Some(newest))
        {
            blockers.push(out_of_order_blocker(file, newest, history));
        }
        for dependency in &file.metadata.dependencies {
            check_dependency(file, dependency, history, &chosen, &mut blockers);
        }
        chosen.insert(&file.version, ());
        selection
            .candidates
            .push(candidate(file, history.get(&file.version)));
    }
    selection.blockers = blockers;
    selection
}

/// Returns the candidate that applies `file`.
pub fn candidate(file: &Migration, entry: Option<&Entry>) -> Candidate {
    let done = entry.map_or_else(Vec::new, |entry| entry.up.done.clone());
    Candidate {
        direction: Direction::Up,
        version: file.version.as_str().to_owned(),
        name: file.name.clone(),
        digest: file.up.digest,
        script: ScriptSource::File(file.up.clone()),
        down: file.down.clone(),
        checksum: file.checksum,
        metadata: file.metadata.recorded(),
        estimated_ms: file.metadata.estimated_duration,
        attempt: entry.map_or(0, |entry| entry.attempts) + 1,
        done,
    }
}

/// Says whether a migration is to run: one that is not applied, or a repeatable one whose text is no
/// longer the one that was.
pub fn is_due(file: &Migration, entry: Option<&Entry>) -> bool {
    match entry.and_then(|entry| entry.applied.as_ref()) {
        None => true,
        Some(applied) => file.version.is_repeatable() && applied.checksum != Some(file.checksum),
    }
}

fn is_applied(history: &History, version: &Version) -> bool {
    history
        .get(version)
        .is_some_and(|entry| entry.applied.is_some())
}

/// Finds applied migrations whose file is gone or is not what was applied.
fn compare_applied(
    files: &[Migration],
    history: &History,
    blockers: &mut Vec<Blocker>,
    warnings: &mut Vec<Finding>,
) {
    let by_version: BTreeMap<&Version, &Migration> =
        files.iter().map(|file| (&file.version, file)).collect();
    let newest_file = files
        .iter()
        .rfind(|file| !file.version.is_repeatable())
        .map(|file| &file.version);
    let mut ahead = Vec::new();
    for (version, entry, applied) in history.applied() {
        let Some(file) = by_version.get(version) else {
            if version.is_repeatable() {
                warnings.push(retired(entry, applied));
            } else if newest_file.is_none_or(|newest| version > newest) {
                ahead.push(entry.version.as_str());
            } else {
                blockers.push(missing(entry));
            }
            continue;
        };
        let Some(recorded) = applied.checksum else {
            continue;
        };
        if file.checksum != recorded {
            // it runs again
            if version.is_repeatable() {
                continue;
            }
            blockers.push(changed(file, entry, recorded));
        } else if applied
            .script
            .is_some_and(|script| script != file.up.digest)
        {
            warnings.push(Finding {
                code: Code::LineEndingsDiffer,
                severity: Severity::Warning,
                seq: Some(applied.seq),
                message: format!(
                    "`{}` differs from what was applied in its line ends alone",
                    file.up.path.display()
                ),
            });
        }
    }
    if !ahead.is_empty() {
        warnings.push(Finding {
            code: Code::FileMissing,
            severity: Severity::Warning,
            seq: None,
            message: format!(
                "the database is ahead of this folder by {}: `{}` applied, and newer than every file",
                ahead.len(),
                ahead.join("`, `")
            ),
        });
    }
}

fn changed(file: &Migration, entry: &Entry, recorded: Digest) -> Blocker {
    Blocker {
        kind: BlockerKind::Integrity,
        refusal: Refusal {
            code: Code::FileChanged.as_str(),
            version: Some(entry.version.clone()),
            message: format!(
                "`{}` was applied and has been edited since: expected the checksum `{recorded}`, found \
                 `{}`",
                file.up.path.display(),
                file.checksum
            ),
            hint: format!(
                "put the file back and write a new migration instead; if the edit is right, \
                 `mledger resolve {} --accept-change --reason TEXT`",
                entry.version
            ),
        },
    }
}

fn missing(entry: &Entry) -> Blocker {
    Blocker {
        kind: BlockerKind::Integrity,
        refusal: Refusal {
            code: Code::FileMissing.as_str(),
            version: Some(entry.version.clone()),
            message: format!(
                "`{}_{}` was applied, but its file is not in the folder, which has newer ones",
                entry.version, entry.name
            ),
            hint: "put the file back: its text is in the ledger, `mledger events --migration VERSION` \
                   names the digest"
                .to_owned(),
        },
    }
}

/// A repeatable migration that nobody keeps any more: what it made stays.
fn retired(entry: &Entry, applied: &Applied) -> Finding {
    Finding {
        code: Code::FileMissing,
        severity: Severity::Warning,
        seq: Some(applied.seq),
        message: format!(
            "`{}` was applied, and its file is not in the folder: what it made stays until a migration \
             drops it",
            entry.version
        ),
    }
}

/// Two branches were merged: says whose change is late, and who applied the newer one and when.
fn out_of_order_blocker(file: &Migration, newest: &Version, history: &History) -> Blocker {
    let author = match &file.metadata.author {
        Some(author) if !author.is_empty() => format!(" by {author}"),
        _ => String::new(),
    };
    let ahead = history
        .get(newest)
        .and_then(|entry| Some((entry, entry.applied.as_ref()?)));
    let applied = ahead.map_or_else(
        || format!("`{newest}`"),
        |(entry, applied)| {
            let day: String = applied.time.to_string().chars().take(10).collect();
            format!(
                "`{}_{}`, applied {day} by {}",
                entry.version, entry.name, applied.actor
            )
        },
    );
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code: "out-of-order",
            version: Some(file.version.as_str().to_owned()),
            message: format!(
                "`{}`{author} is pending, but the newer {applied}, is there already",
                file.up.path.display()
            ),
            hint: "give it a newer version, or apply it now with `mledger up --out-of-order`; where one \
                   must come after the other, `dependencies` in its header says so"
                .to_owned(),
        },
    }
}

fn check_dependency(
    file: &Migration,
    dependency: &str,
    history: &History,
    chosen: &BTreeMap<&Version, ()>,
    blockers: &mut Vec<Blocker>,
) {
    let met = dependency
        .parse::<Version>()
        .is_ok_and(|version| chosen.contains_key(&version) || is_applied(history, &version));
    if met {
        return;
    }
    blockers.push(Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code: "dependency-missing",
            version: Some(file.version.as_str().to_owned()),
            message: format!(
                "`{}` depends on `{dependency}`, which is neither applied nor due before it",
                file.up.path.display()
            ),
            hint: "apply the dependency first, or correct `dependencies` in the header".to_owned(),
        },
    });
}
