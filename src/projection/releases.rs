//! Which releases were tagged, and what each of them holds.

use std::collections::BTreeMap;

use ledger::canonical::Value;
use ledger::{Body, Digest, Event, Fingerprint, SchemaState, Timestamp};

use super::history::{Applied, Entry, History};
use crate::migration::Version;

/// A migration that a release holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// The event that says it was applied.
    pub seq: u64,
    /// The checksum that was recorded or accepted by then.
    pub checksum: Option<Digest>,
    /// Its header says that it breaks what was there.
    pub breaking: bool,
}

/// How a release was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The event that says so.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// The title.
    pub name: String,
    /// The digest of the notes.
    pub notes: Option<Digest>,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its name (Semantic Versioning 2.0.0).
    pub release: semver::Version,
    /// The event that says so.
    pub seq: u64,
    /// When it was tagged.
    pub time: Timestamp,
    /// By whom.
    pub actor: String,
    /// With which key.
    pub key: Fingerprint,
    /// What was said about it.
    pub message: Option<String>,
    /// The last migration that it holds.
    pub migration: String,
    /// The schema, where it was tagged as the state of that moment.
    pub schema: Option<SchemaState>,
    /// What it holds, in the order in which it was applied.
    pub contents: Vec<Content>,
    /// How it was published.
    pub publication: Option<Publication>,
}

/// Why a text names no release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfound {
    /// There is no such release.
    Unknown,
    /// It begins the names of several: these.
    Ambiguous(Vec<String>),
}

/// A fold over the events about releases.
#[derive(Debug, Clone, Default)]
pub struct Releases {
    all: Vec<Release>,
}

impl Releases {
    /// Folds the next event; `history` has folded it already.
    ///
    /// # Errors
    ///
    /// A sentence, when the event names a release by what is no semantic version, or one that was not
    /// tagged.
    pub fn apply(&mut self, event: &Event, history: &History) -> Result<(), String> {
        match &event.body {
            Body::VersionTagged(body) => {
                let release = semver::Version::parse(&body.release)
                    .map_err(|_| format!("`{}` is not a semantic version", body.release))?;
                self.all.push(Release {
                    release,
                    seq: event.seq,
                    time: event.time,
                    actor: event.actor.clone(),
                    key: event.key,
                    message: body.message.clone(),
                    migration: body.migration.clone(),
                    schema: body.schema.clone(),
                    contents: contents(history, &body.migration),
                    publication: None,
                });
            }
            Body::ReleaseCreated(body) => {
                let named = |release: &&mut Release| release.release.to_string() == body.release;
                let Some(release) = self.all.iter_mut().rev().find(named) else {
                    return Err(format!("the release `{}` was never tagged", body.release));
                };
                release.publication = Some(Publication {
                    seq: event.seq,
                    time: event.time,
                    name: body.name.clone(),
                    notes: body.notes,
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns all releases, in the order in which they were tagged.
    pub fn all(&self) -> &[Release] {
        &self.all
    }

    /// Returns the release that `text` names: by its whole name, or by the first parts of it where only
    /// one begins so.
    ///
    /// # Errors
    ///
    /// [`Unfound`] where it names none, or several.
    pub fn find(&self, text: &str) -> Result<&Release, Unfound> {
        let exact = self
            .all
            .iter()
            .rev()
            .find(|one| one.release.to_string() == text);
        if let Some(release) = exact {
            return Ok(release);
        }
        let begins = |release: &&Release| {
            let name = release.release.to_string();
            name.strip_prefix(text)
                .is_some_and(|rest| rest.starts_with(['.', '-', '+']))
        };
        let found: Vec<&Release> = self.all.iter().filter(begins).collect();
        match found.as_slice() {
            [] => Err(Unfound::Unknown),
            [release] => Ok(release),
            several => Err(Unfound::Ambiguous(
                several.iter().map(|one| one.release.to_string()).collect(),
            )),
        }
    }

    /// Returns the release of the same precedence, whatever its build metadata.
    pub fn equal(&self, release: &semver::Version) -> Option<&Release> {
        self.all
            .iter()
            .find(|one| one.release.cmp_precedence(release).is_eq())
    }

    /// Returns the release tagged last of those that are in place.
    pub fn newest_in_place(&self, history: &History) -> Option<&Release> {
        self.all.iter().rev().find(|one| one.is_in_place(history))
    }

    /// Returns the release that is exactly what is applied.
    pub fn current(&self, history: &History) -> Option<&Release> {
        let applied = history.applied().len();
        self.all
            .iter()
            .rev()
            .find(|one| one.contents.len() == applied && one.is_in_place(history))
    }

    /// Returns the first release that holds this application of a version.
    pub fn first_with(&self, version: &Version, applied: &Applied) -> Option<&Release> {
        self.all.iter().find(|one| {
            one.content(version)
                .is_some_and(|content| content.is(applied))
        })
    }
}

impl Release {
    /// Returns what it holds of a version.
    pub fn content(&self, version: &Version) -> Option<&Content> {
        self.contents.iter().find(|one| one.version == *version)
    }

    /// Says whether all that it holds is applied as it was then. One that holds nothing never is.
    pub fn is_in_place(&self, history: &History) -> bool {
        !self.contents.is_empty()
            && self
                .contents
                .iter()
                .all(|content| content.is_in_place(history))
    }

    /// Returns what it holds and an earlier release did not.
    pub fn added<'a>(&'a self, earlier: Option<&'a Release>) -> impl Iterator<Item = &'a Content> {
        self.contents
            .iter()
            .filter(move |content| !earlier.is_some_and(|earlier| earlier.holds(content)))
    }

    /// Returns what an earlier release held and this one does not.
    pub fn removed<'a>(
        &'a self,
        earlier: Option<&'a Release>,
    ) -> impl Iterator<Item = &'a Content> {
        earlier
            .into_iter()
            .flat_map(|earlier| &earlier.contents)
            .filter(|content| self.content(&content.version).is_none())
    }

    /// Says whether it holds this application of a version, or another one of the same text.
    pub fn holds(&self, content: &Content) -> bool {
        self.content(&content.version)
            .is_some_and(|own| own.same(content))
    }
}

impl Content {
    /// Returns what a release would hold of an applied version.
    pub fn of(version: &Version, entry: &Entry, applied: &Applied) -> Self {
        Self {
            version: entry.version.parse().unwrap_or_else(|_| version.clone()),
            name: entry.name.clone(),
            seq: applied.seq,
            checksum: applied.checksum,
            breaking: is_breaking(&applied.metadata),
        }
    }

    /// Says whether it is applied as it was then.
    pub fn is_in_place(&self, history: &History) -> bool {
        history
            .get(&self.version)
            .and_then(|entry| entry.applied.as_ref())
            .is_some_and(|applied| self.is(applied))
    }

    /// Says whether an application is this one, or one of the same text.
    pub fn is(&self, applied: &Applied) -> bool {
        self.seq == applied.seq || (self.checksum.is_some() && self.checksum == applied.checksum)
    }

    fn same(&self, other: &Self) -> bool {
        self.seq == other.seq || (self.checksum.is_some() && self.checksum == other.checksum)
    }
}

/// Returns what is applied up to and including a migration, in the order in which it was applied.
pub fn contents(history: &History, migration: &str) -> Vec<Content> {
    let Ok(last) = migration.parse::<Version>() else {
        return Vec::new();
    };
    let applied = history.applied();
    let position = applied.iter().position(|(version, ..)| **version == last);
    let count = position.map_or(0, |position| position + 1);
    applied[..count]
        .iter()
        .map(|(version, entry, applied)| Content::of(version, entry, applied))
        .collect()
}

/// Says whether a header marks a change that breaks what was there.
pub fn is_breaking(metadata: &BTreeMap<String, Value>) -> bool {
    let flag = metadata.get("breaking_change").and_then(Value::as_bool);
    flag == Some(true) || has_tag(metadata, &["breaking"])
}

/// Says whether a header has one of these tags, in whatever case.
pub fn has_tag(metadata: &BTreeMap<String, Value>, wanted: &[&str]) -> bool {
    let tags = metadata.get("tags").and_then(Value::as_list);
    tags.unwrap_or_default()
        .iter()
        .filter_map(Value::as_text)
        .any(|tag| wanted.iter().any(|one| tag.eq_ignore_ascii_case(one)))
}
