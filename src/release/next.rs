//! Which name the next release could have. A suggestion, never imposed.

use semver::{Prerelease, Version};
use serde::Serialize;

use super::Group;
use crate::migration::Version as MigrationVersion;
use crate::projection::history::{Applied, Entry, History};
use crate::projection::releases::Releases;

/// A name for the next release, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// The name.
    pub release: String,
    /// One sentence.
    pub because: String,
}

/// Suggests a name for what is applied now; `None` where nothing has changed since the last release.
///
/// Something breaking asks for a major version (before 1.0.0 for a minor one, semver.org section 4),
/// something new for a minor one, all else for a patch.
pub fn suggest(releases: &Releases, history: &History) -> Option<Suggestion> {
    let applied = history.applied();
    let mut in_place = releases.those_in_place(history).peekable();
    let newest = in_place.peek().copied();
    let base = in_place.find(|one| one.release.pre.is_empty());
    let is_new = |(version, _, applied): &(&MigrationVersion, &Entry, &Applied)| {
        !base
            .and_then(|base| releases.content(base, version))
            .is_some_and(|content| content.is(applied))
    };
    let groups: Vec<Group> = applied
        .iter()
        .filter(|row| is_new(row))
        .map(|(.., applied)| Group::of(&applied.metadata))
        .collect();
    let grown = newest.is_none_or(|newest| !releases.is_current(newest, history));
    // what a pre-release holds may be released as it is
    let is_preview = newest.is_some_and(|newest| !newest.release.pre.is_empty());
    if groups.is_empty() || !(grown || is_preview) {
        return None;
    }
    let Some(base) = base else {
        let first = newest.map_or(Version::new(0, 1, 0), |newest| finished(&newest.release));
        return Some(Suggestion {
            release: unused(releases, first).to_string(),
            because: "it is the first release".to_owned(),
        });
    };
    let size = size(&groups);
    let mut release = bumped(&base.release, size);
    if let Some(newest) = newest.filter(|newest| newest.release > release) {
        release = finished(&newest.release);
    }
    let most = groups.iter().filter(|group| size_of(**group) == size);
    Some(Suggestion {
        release: unused(releases, release).to_string(),
        because: format!(
            "since `{}` {} {}",
            base.release,
            match most.count() {
                1 => "one migration".to_owned(),
                count => format!("{count} migrations"),
            },
            match size {
                Size::Major => "broke what was there",
                Size::Minor => "changed the schema or added to it",
                Size::Patch => "mended something or changed rows",
            }
        ),
    })
}

/// How much changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Size {
    Patch,
    Minor,
    Major,
}

fn size(groups: &[Group]) -> Size {
    let sizes = groups.iter().map(|group| size_of(*group));
    sizes.max().unwrap_or(Size::Patch)
}

fn size_of(group: Group) -> Size {
    match group {
        Group::Breaking => Size::Major,
        Group::Added | Group::Changed | Group::Deprecated => Size::Minor,
        Group::Security | Group::Fixed | Group::Data => Size::Patch,
    }
}

fn bumped(base: &Version, size: Size) -> Version {
    match size {
        Size::Major if base.major > 0 => Version::new(base.major.saturating_add(1), 0, 0),
        Size::Major | Size::Minor => Version::new(base.major, base.minor.saturating_add(1), 0),
        Size::Patch => Version::new(base.major, base.minor, base.patch.saturating_add(1)),
    }
}

/// Returns the release that a pre-release is made for.
fn finished(release: &Version) -> Version {
    Version {
        pre: Prerelease::EMPTY,
        ..release.clone()
    }
}

/// A name that was given already, to a release that is no longer in place, is not given again.
fn unused(releases: &Releases, mut release: Version) -> Version {
    while releases.equal(&release).is_some() {
        release.patch = release.patch.saturating_add(1);
    }
    release
}
