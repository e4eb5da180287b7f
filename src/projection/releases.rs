//! Which releases were tagged, and what each of them holds.

use std::collections::{BTreeMap, BTreeSet};

use ledger::canonical::Value;
use ledger::{Body, Digest, Event, Fingerprint, SchemaState, Timestamp, VersionTagged};

use super::history::{Applied, Entry, History};
use super::rewinding::about;
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
    /// How many migrations it holds; [`Releases::contents`] returns them.
    pub count: usize,
    /// How it was published.
    pub publication: Option<Publication>,
    /// Where it stands among all of them.
    place: usize,
    /// The application of the last migration that it holds; later ones are not in it.
    until: Option<u64>,
}

/// What one release after another held of a version, the same each time.
#[derive(Debug, Clone)]
struct Holding {
    content: Content,
    /// The place of the first release with it.
    first: usize,
    /// The place of the first one after that without it, if there is one.
    end: Option<usize>,
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
///
/// It keeps what changes from one release to the next, not each release's whole contents: what it needs
/// grows with the log, not with releases times migrations.
#[derive(Debug, Clone, Default)]
pub struct Releases {
    all: Vec<Release>,
    holdings: BTreeMap<Version, Vec<Holding>>,
    /// The versions of which the next release may hold something else than the last one.
    touched: BTreeSet<Version>,
    /// What was applied after the migration that the last release ends with, by the event that says so.
    waiting: BTreeMap<u64, Version>,
}

impl Releases {
    /// Folds the next event; `history` has folded it already.
    ///
    /// # Errors
    ///
    /// A sentence, when the event names a release by what is no semantic version, or one that was not
    /// tagged.
    pub fn apply(&mut self, event: &Event, history: &History) -> Result<(), String> {
        if let Some(Ok(version)) = about(&event.body).map(str::parse) {
            self.touched.insert(version);
        }
        match &event.body {
            Body::BackupRestored(_) => self.touch_all(history),
            Body::VersionTagged(body) => self.tagged(event, body, history)?,
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

    fn touch_all(&mut self, history: &History) {
        let known = history.entries().map(|(version, _)| version);
        self.touched
            .extend(known.chain(self.holdings.keys()).cloned());
    }

    fn tagged(
        &mut self,
        event: &Event,
        body: &VersionTagged,
        history: &History,
    ) -> Result<(), String> {
        let release = semver::Version::parse(&body.release)
            .map_err(|_| format!("`{}` is not a semantic version", body.release))?;
        let last: Option<Version> = body.migration.parse().ok();
        let until = last.and_then(|last| until(history, &last));
        let before = self.all.last();
        if before.is_some_and(|before| before.until > until) {
            self.touch_all(history);
        }
        let place = self.all.len();
        let mut count = self.all.last().map_or(0, |before| before.count);
        let later = self.waiting.split_off(&until.map_or(0, |until| until + 1));
        let reached = std::mem::replace(&mut self.waiting, later);
        self.touched.extend(reached.into_values());
        for version in std::mem::take(&mut self.touched) {
            let applied = history
                .get(&version)
                .and_then(|entry| Some((entry, entry.applied.as_ref()?)));
            let mut now = None;
            match applied {
                Some((entry, applied)) if until.is_some_and(|until| applied.seq <= until) => {
                    now = Some(Content::of(&version, entry, applied));
                }
                Some((_, applied)) => {
                    self.waiting.insert(applied.seq, version.clone());
                }
                None => {}
            }
            count = self.hold(place, version, now, count);
        }
        self.all.push(Release {
            release,
            seq: event.seq,
            time: event.time,
            actor: event.actor.clone(),
            key: event.key,
            message: body.message.clone(),
            migration: body.migration.clone(),
            schema: body.schema.clone(),
            count,
            publication: None,
            place,
            until,
        });
        Ok(())
    }

    /// Notes what the release at `place` holds of a version; returns how many it holds by that, when it
    /// was `count`.
    fn hold(
        &mut self,
        place: usize,
        version: Version,
        now: Option<Content>,
        count: usize,
    ) -> usize {
        let held = self.holdings.get_mut(&version);
        let open = held
            .and_then(|held| held.last_mut())
            .filter(|holding| holding.end.is_none());
        let mut left = count;
        if let Some(open) = open {
            if now.as_ref() == Some(&open.content) {
                return count;
            }
            open.end = Some(place);
            left = left.saturating_sub(1);
        }
        let Some(content) = now else {
            return left;
        };
        self.holdings.entry(version).or_default().push(Holding {
            content,
            first: place,
            end: None,
        });
        left + 1
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

    /// Says of each release, in the order of [`Releases::all`], whether all that it holds is applied as it
    /// was then; what repeatable migrations made since changes nothing of that. One that holds nothing never
    /// is.
    pub fn in_place(&self, history: &History) -> Vec<bool> {
        let mut in_place: Vec<bool> = self.all.iter().map(|one| one.count > 0).collect();
        for holding in self.holdings.values().flatten() {
            let content = &holding.content;
            if !content.version.is_repeatable() && !content.is_in_place(history) {
                let end = holding.end.unwrap_or(in_place.len());
                in_place[holding.first..end].fill(false);
            }
        }
        in_place
    }

    /// Returns the releases that are in place, the one tagged last first.
    pub fn those_in_place(&self, history: &History) -> impl Iterator<Item = &Release> {
        let in_place = self.in_place(history);
        self.all.iter().rev().filter(move |one| in_place[one.place])
    }

    /// Returns the release tagged last of those that are in place.
    pub fn newest_in_place(&self, history: &History) -> Option<&Release> {
        self.those_in_place(history).next()
    }

    /// Says whether a release that is in place is exactly what is applied.
    pub fn is_current(&self, release: &Release, history: &History) -> bool {
        let contents = || self.contents(release);
        release.count == history.applied().len()
            && contents()
                .iter()
                .all(|content| content.is_in_place(history))
    }

    /// Returns the release that is exactly what is applied.
    pub fn current(&self, history: &History) -> Option<&Release> {
        self.those_in_place(history)
            .find(|one| self.is_current(one, history))
    }

    /// Returns the first release that holds this application of a version.
    pub fn first_with(&self, version: &Version, applied: &Applied) -> Option<&Release> {
        let held = self.holdings.get(version)?;
        let holding = held.iter().find(|holding| holding.content.is(applied))?;
        self.all.get(holding.first)
    }

    /// Returns what a release holds, in the order in which it was applied.
    pub fn contents(&self, release: &Release) -> Vec<&Content> {
        self.held(release, |content, _| content)
    }

    /// Returns what a release holds of a version.
    pub fn content(&self, release: &Release, version: &Version) -> Option<&Content> {
        held_at(self.holdings.get(version)?, release.place)
    }

    /// Says whether a release holds this application of a version, or another one of the same text.
    pub fn holds(&self, release: &Release, content: &Content) -> bool {
        self.content(release, &content.version)
            .is_some_and(|own| own.same(content))
    }

    /// Returns what a release holds and an earlier one did not, in the order in which it was applied.
    pub fn added(&self, release: &Release, earlier: Option<&Release>) -> Vec<&Content> {
        self.held(release, |content, held| {
            let before = earlier.and_then(|earlier| held_at(held, earlier.place));
            content.filter(|content| !before.is_some_and(|before| before.same(content)))
        })
    }

    /// Returns what an earlier release held and this one does not, in the order in which it was applied.
    pub fn removed(&self, release: &Release, earlier: Option<&Release>) -> Vec<&Content> {
        let Some(earlier) = earlier else {
            return Vec::new();
        };
        self.held(earlier, |content, held| {
            content.filter(|_| held_at(held, release.place).is_none())
        })
    }

    /// Picks from what each version's holdings say of a release, in the order of application.
    fn held<'a>(
        &'a self,
        release: &Release,
        pick: impl Fn(Option<&'a Content>, &'a [Holding]) -> Option<&'a Content>,
    ) -> Vec<&'a Content> {
        let mut picked: Vec<&Content> = self
            .holdings
            .values()
            .filter_map(|held| pick(held_at(held, release.place), held))
            .collect();
        picked.sort_by_key(|content| content.seq);
        picked
    }
}

/// Returns what the release at `place` holds.
fn held_at(held: &[Holding], place: usize) -> Option<&Content> {
    let after = held.partition_point(|holding| holding.first <= place);
    let holding = &held[..after].last()?;
    holding
        .end
        .is_none_or(|end| place < end)
        .then_some(&holding.content)
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

/// Returns what is applied up to and including a migration, in the order in which it was applied, and the
/// repeatable migrations that came right after it.
pub fn contents(history: &History, migration: &str) -> Vec<Content> {
    let last = migration.parse().ok();
    let Some(until) = last.and_then(|last| until(history, &last)) else {
        return Vec::new();
    };
    history
        .applied()
        .into_iter()
        .take_while(|(.., applied)| applied.seq <= until)
        .map(|(version, entry, applied)| Content::of(version, entry, applied))
        .collect()
}

/// Returns the event that ends what a release holds whose last migration is this one.
fn until(history: &History, last: &Version) -> Option<u64> {
    let begin = history.get(last)?.applied.as_ref()?.seq;
    let applied = history.applied();
    let after = applied
        .iter()
        .skip_while(|(.., applied)| applied.seq <= begin);
    let along = after.take_while(|(version, ..)| version.is_repeatable());
    Some(along.last().map_or(begin, |(.., applied)| applied.seq))
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
