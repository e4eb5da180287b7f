//! Whether a release may be tagged, and what it would hold.

use std::collections::BTreeSet;

use ledger::Direction;

use crate::error::Error;
use crate::migration::Version;
use crate::projection::history::{Entry, History, Standing};
use crate::projection::releases::{Content, Release, Releases, contents};
use crate::report::Refusal;

/// What a tag would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagging {
    /// The last migration that the release holds.
    pub migration: String,
    /// What it holds, in the order in which it was applied.
    pub contents: Vec<Content>,
    /// It is all that is applied, so the schema of this moment is its own.
    pub is_current: bool,
}

/// Decides whether `release` may be tied to the migration `at`, or else to the one applied last.
///
/// # Errors
///
/// [`Error::Usage`] when `at` is not applied; [`Error::Refused`] when the release exists, goes backwards,
/// or would hold what failed or is not whole.
pub fn decide(
    release: &semver::Version,
    at: Option<&Version>,
    releases: &Releases,
    history: &History,
) -> Result<Tagging, Error> {
    if let Some(earlier) = releases.equal(release) {
        return Err(exists(release, earlier));
    }
    let applied = history.applied();
    let last = applied
        .iter()
        .rfind(|(version, ..)| !version.is_repeatable());
    let Some((_, last, _)) = last else {
        return Err(Error::refused(
            "release-empty",
            "expected a release to hold at least one applied migration, but none is applied"
                .to_owned(),
            "apply them first with `mledger up`".to_owned(),
        ));
    };
    let migration = match at {
        None => last.version.clone(),
        Some(at) => match history.get(at).filter(|entry| entry.applied.is_some()) {
            Some(entry) => entry.version.clone(),
            None => return Err(not_applied(at)),
        },
    };
    let contents = contents(history, &migration);
    let tagging = Tagging {
        is_current: contents.len() == applied.len(),
        migration,
        contents,
    };
    let mut refusals = incomplete(&tagging, history);
    refusals.extend(backwards(release, &tagging, releases, history));
    if refusals.is_empty() {
        return Ok(tagging);
    }
    Err(Error::Refused(refusals))
}

fn exists(release: &semver::Version, earlier: &Release) -> Error {
    let message = if earlier.release == *release {
        format!(
            "the release `{release}` was tagged already, as event {}",
            earlier.seq
        )
    } else {
        format!(
            "`{release}` is the same release as `{}`, which was tagged as event {}: build metadata makes \
             no other one",
            earlier.release, earlier.seq
        )
    };
    let hint =
        "a release is never moved; choose the next name, `mledger releases --next` suggests one";
    Error::refused("release-exists", message, hint.to_owned())
}

fn not_applied(at: &Version) -> Error {
    Error::Usage {
        code: "version-not-applied",
        message: format!("expected an applied migration for `--at`, but `{at}` is not applied"),
        hint: "`mledger status` shows which are".to_owned(),
    }
}

/// What stands in the way of calling the migrations of a release whole: in it, or older than its newest.
fn incomplete(tagging: &Tagging, history: &History) -> Vec<Refusal> {
    let held: BTreeSet<&Version> = tagging.contents.iter().map(|one| &one.version).collect();
    let newest = held
        .iter()
        .copied()
        .rfind(|version| !version.is_repeatable());
    history
        .entries()
        .filter_map(|(version, entry)| {
            let within =
                held.contains(version) || newest.is_some_and(|newest| version <= newest);
            let fault = fault(entry, held.contains(version), within, tagging.is_current)?;
            Some(Refusal {
                code: "release-incomplete",
                version: Some(entry.version.clone()),
                message: format!(
                    "expected a release to hold whole migrations only, but `{}` {fault}",
                    entry.version
                ),
                hint: format!(
                    "finish it, roll it back, or answer with `mledger resolve {}`; an earlier state is \
                     tagged with `--at VERSION`",
                    entry.version
                ),
            })
        })
        .collect()
}

fn fault(entry: &Entry, held: bool, within: bool, is_current: bool) -> Option<&'static str> {
    match entry.standing() {
        Standing::Unknown(..) if within || is_current => {
            Some("has a step whose outcome is unknown")
        }
        Standing::Partial(..) if within || is_current => Some("left a part behind"),
        Standing::Unfinished(Direction::Down) if held => Some("is being rolled back"),
        _ if within && entry.failed.is_some() => Some("failed"),
        _ => None,
    }
}

/// A database goes forward: what is in place of an earlier release stays in a later one.
fn backwards(
    release: &semver::Version,
    tagging: &Tagging,
    releases: &Releases,
    history: &History,
) -> Option<Refusal> {
    let held: BTreeSet<&Version> = tagging.contents.iter().map(|one| &one.version).collect();
    releases
        .those_in_place(history)
        .find_map(|earlier| behind(release, &held, earlier, releases))
}

fn behind(
    release: &semver::Version,
    held: &BTreeSet<&Version>,
    earlier: &Release,
    releases: &Releases,
) -> Option<Refusal> {
    let refusal =
        |message: String, hint: &str| Refusal::new("release-backwards", message, hint.to_owned());
    if release.cmp_precedence(&earlier.release).is_lt() {
        return Some(refusal(
            format!(
                "expected a release after `{}`, which this database has, found `{release}`",
                earlier.release
            ),
            "`mledger releases --next` suggests a name",
        ));
    }
    let lost = releases
        .contents(earlier)
        .into_iter()
        .find(|content| !held.contains(&content.version))?;
    Some(refusal(
        format!(
            "expected `{release}` to hold all that `{}` holds, but `{}` would be missing",
            earlier.release, lost.version
        ),
        "tag a later migration, or roll back first with `mledger down --to RELEASE`",
    ))
}
