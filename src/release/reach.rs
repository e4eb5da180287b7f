//! Whether a run can lead to exactly what a release holds. What cannot is refused before its first step.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::migration::{Migration, Version};
use crate::projection::history::History;
use crate::projection::releases::{Content, Release, Releases};
use crate::report::Refusal;

/// Returns what stays applied when a rollback leads back to a release. What repeatable migrations made is
/// not rolled back, and asked of none.
///
/// # Errors
///
/// [`Error::Refused`] when something that the release holds is not applied as it was then.
pub fn back(
    release: &Release,
    releases: &Releases,
    history: &History,
) -> Result<BTreeSet<Version>, Error> {
    let contents = releases.contents(release);
    let refusals: Vec<Refusal> = contents
        .iter()
        .filter(|content| !content.version.is_repeatable())
        .filter_map(|content| match state(content, history) {
            State::InPlace => None,
            State::Other => Some(other_text(release, content)),
            State::Gone => Some(refusal(
                release,
                content.version.as_str(),
                "is in it and is not applied",
                format!(
                    "a rollback applies nothing; go forward with `mledger up --to release:{}`",
                    release.release
                ),
            )),
        })
        .collect();
    decided(refusals, || versions(&contents))
}

/// Returns what may be applied so that exactly what a release holds is applied.
///
/// # Errors
///
/// [`Error::Refused`] when something else is applied, or when a file is not the one that the release
/// holds.
pub fn forward(
    release: &Release,
    releases: &Releases,
    history: &History,
    files: &[Migration],
) -> Result<BTreeSet<Version>, Error> {
    let files: BTreeMap<&Version, &Migration> =
        files.iter().map(|file| (&file.version, file)).collect();
    let contents = releases.contents(release);
    let mut refusals: Vec<Refusal> = history
        .applied()
        .iter()
        .filter(|(version, ..)| {
            !version.is_repeatable() && releases.content(release, version).is_none()
        })
        .map(|(_, entry, _)| {
            refusal(
                release,
                &entry.version,
                "is applied and is not in it",
                format!(
                    "go back first with `mledger down --to release:{}`",
                    release.release
                ),
            )
        })
        .collect();
    for content in &contents {
        match state(content, history) {
            State::InPlace => {}
            State::Other if !content.version.is_repeatable() => {
                refusals.push(other_text(release, content))
            }
            State::Other | State::Gone => {
                let file = files.get(&content.version);
                refusals.extend(unfit(release, content, file.copied()));
            }
        }
    }
    decided(refusals, || versions(&contents))
}

/// What became of something that a release holds.
enum State {
    InPlace,
    /// The version is applied, with another text.
    Other,
    Gone,
}

fn state(content: &Content, history: &History) -> State {
    let entry = history.get(&content.version);
    match entry.and_then(|entry| entry.applied.as_ref()) {
        Some(applied) if content.is(applied) => State::InPlace,
        Some(_) => State::Other,
        None => State::Gone,
    }
}

/// Says why the file of a version cannot bring back what the release holds.
fn unfit(release: &Release, content: &Content, file: Option<&Migration>) -> Option<Refusal> {
    let version = content.version.as_str();
    match (file, content.checksum) {
        (None, _) => Some(refusal(
            release,
            version,
            "is in it, and its file is not in the folder",
            "put the file back".to_owned(),
        )),
        (Some(file), Some(checksum)) if file.checksum != checksum => Some(refusal(
            release,
            version,
            &format!(
                "is in it with the checksum `{checksum}`, and its file has `{}`",
                file.checksum
            ),
            "put the file back as it was then".to_owned(),
        )),
        (Some(_), _) => None,
    }
}

fn other_text(release: &Release, content: &Content) -> Refusal {
    refusal(
        release,
        content.version.as_str(),
        "was applied anew with another text since",
        "a release is reached only with the migrations that it holds; `mledger changelog` tells what \
         replaced them"
            .to_owned(),
    )
}

fn refusal(release: &Release, version: &str, what: &str, hint: String) -> Refusal {
    Refusal {
        code: "release-out-of-reach",
        version: Some(version.to_owned()),
        message: format!(
            "the release `{}` cannot be reached exactly: `{version}` {what}",
            release.release
        ),
        hint,
    }
}

fn versions(contents: &[&Content]) -> BTreeSet<Version> {
    let contents = contents.iter();
    contents.map(|content| content.version.clone()).collect()
}

fn decided(
    refusals: Vec<Refusal>,
    answer: impl FnOnce() -> BTreeSet<Version>,
) -> Result<BTreeSet<Version>, Error> {
    if refusals.is_empty() {
        Ok(answer())
    } else {
        Err(Error::Refused(refusals))
    }
}
