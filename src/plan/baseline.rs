//! Migrations that stand for all older ones, on a database that has none of them.
//!
//! A folder may hold both `B5`, which makes at once what 1 to 5 made, and these. Which of the two counts is
//! said by the history: one that is empty begins with the newest baseline, any other goes on with what it
//! began with.

use std::borrow::Cow;

use crate::migration::{Migration, Version};
use crate::projection::history::{History, Standing};

/// Returns the folder as a database with this history sees it, where nothing newer than `to` is wanted.
pub fn seen<'a>(
    files: &'a [Migration],
    history: &History,
    to: Option<&Version>,
) -> Cow<'a, [Migration]> {
    let of_history = files
        .iter()
        .filter(|file| file.baseline)
        .rfind(|file| is_in_force(file, files, history));
    let chosen = of_history.or_else(|| {
        let wanted = |file: &&Migration| to.is_none_or(|to| file.version <= *to);
        files
            .iter()
            .filter(|file| file.baseline)
            .rfind(wanted)
            .filter(|file| is_empty(history, &file.version))
    });
    standing_for_older(files, chosen)
}

/// Returns the folder where `chosen` stands for all up to its version, and no other baseline counts.
pub fn standing_for_older<'a>(
    files: &'a [Migration],
    chosen: Option<&Migration>,
) -> Cow<'a, [Migration]> {
    if !files.iter().any(|file| file.baseline) {
        return Cow::Borrowed(files);
    }
    let counts = |file: &&Migration| match chosen {
        Some(chosen) => file.version > chosen.version && !file.baseline || *file == chosen,
        None => !file.baseline,
    };
    Cow::Owned(files.iter().filter(counts).cloned().collect())
}

/// Says whether it is this baseline that was applied, and not the migration of the same version.
fn is_in_force(baseline: &Migration, files: &[Migration], history: &History) -> bool {
    let entry = history.get(&baseline.version);
    let Some((entry, applied)) = entry.and_then(|entry| Some((entry, entry.applied.as_ref()?)))
    else {
        return false;
    };
    let is_text_of = |file: &Migration| applied.checksum == Some(file.checksum);
    let of_another = files
        .iter()
        .filter(|file| !file.baseline && file.version == baseline.version)
        .any(|file| is_text_of(file) || file.name == entry.name);
    is_text_of(baseline) || (entry.name == baseline.name && !of_another)
}

/// Says whether nothing is applied, wholly or in part, but perhaps a part of the baseline itself.
fn is_empty(history: &History, baseline: &Version) -> bool {
    history.entries().all(|(version, entry)| {
        let clear = matches!(entry.standing(), Standing::Clear | Standing::Unfinished(_));
        entry.applied.is_none() && (clear || version == baseline)
    })
}
