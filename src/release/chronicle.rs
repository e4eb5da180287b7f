//! What changelogs are made from: one pass over the events of a log, and nothing else.

use std::collections::BTreeMap;

use ledger::canonical::Value;
use ledger::{Body, Cause, Digest, Direction, Event, Fingerprint, Marked, merkle};
use uuid::Uuid;

use super::changelog::{Change, Changelog, Changes, Heading, Incident, Removal, Section};
use super::seal::{Asked, Seal};
use super::{Group, range};
use crate::error::Error;
use crate::migration::Version;
use crate::projection::history::{Applied, History};
use crate::projection::releases::{Content, Release, Releases};

/// A fold over all events of a log, release by release.
#[derive(Debug, Clone, Default)]
pub struct Chronicle {
    history: History,
    releases: Releases,
    /// What each release changed, in the order of the tags.
    sections: Vec<Section>,
    incidents: Vec<Incident>,
    /// What is gone last ended so.
    ends: BTreeMap<Version, Removal>,
    tickets: BTreeMap<Uuid, String>,
    /// Who signed what says that a migration is applied, and in which run.
    signed: BTreeMap<u64, (Fingerprint, Uuid)>,
    openings: Vec<u64>,
    leaves: Vec<Digest>,
    last: u64,
}

impl Chronicle {
    /// Folds the next event.
    ///
    /// # Errors
    ///
    /// A sentence, when the event cannot be made sense of.
    pub fn apply(&mut self, event: &Event) -> Result<(), String> {
        self.keep_hash(event);
        self.note(event);
        let before: Vec<(Version, String)> = match &event.body {
            Body::BackupRestored(_) => self.applied(),
            _ => Vec::new(),
        };
        self.history.apply(event)?;
        self.releases.apply(event, &self.history)?;
        for (version, name) in before {
            let entry = self.history.get(&version);
            if entry.is_none_or(|entry| entry.applied.is_none()) {
                self.end(event, version.as_str(), &name, "restored");
            }
        }
        if let Body::VersionTagged(_) = &event.body {
            self.close_section();
        }
        Ok(())
    }

    /// Keeps the hash of the entry before this event and nothing else of it: what comes after the end of
    /// a changelog is not looked at, but proves by its `prev` where that end is.
    pub fn keep_hash(&mut self, event: &Event) {
        let known = self.leaves.len() as u64;
        if event.seq > 0 && event.seq == known + 1 {
            self.leaves.push(event.prev);
        }
    }

    /// Ends the log: `head` is the hash of its last entry.
    pub fn finish(&mut self, head: Digest) {
        self.leaves.push(head);
    }

    /// Returns the changelog that was asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when a release is not known, or when the range has no end after its beginning.
    pub fn changelog(&self, asked: &Asked) -> Result<Changelog, Error> {
        let (from, to) = range(&self.releases, asked.from.as_deref(), asked.to.as_deref())?;
        let (from, to) = (
            from.map(|one| self.place(one)),
            to.map(|one| self.place(one)),
        );
        let begin = from.map_or(0, |from| from + 1);
        let end = to.map_or(self.sections.len(), |to| to + 1);
        let mut sections: Vec<Section> = self.sections[begin..end]
            .iter()
            .zip(&self.releases.all()[begin..end])
            .map(|(section, release)| published(section, release))
            .collect();
        if to.is_none() {
            sections.push(self.unreleased());
        }
        if !asked.full {
            for section in &mut sections {
                section.incidents.clear();
            }
        }
        sections.retain(|section| section.release.is_some() || !section.is_empty());
        sections.reverse();
        Ok(Changelog {
            environment: self.history.environment().unwrap_or_default().to_owned(),
            seal: self.seal(asked, from, to, begin..end),
            sections,
        })
    }

    /// Returns the Merkle root over the first `size` events, if there are so many.
    pub fn root(&self, size: u64) -> Option<Digest> {
        let size = usize::try_from(size).ok()?;
        self.leaves.get(..size).map(merkle::root)
    }

    fn place(&self, release: &Release) -> usize {
        let all = self.releases.all();
        let place = all.iter().position(|one| one.seq == release.seq);
        place.unwrap_or(0)
    }

    fn seal(
        &self,
        asked: &Asked,
        from: Option<usize>,
        to: Option<usize>,
        range: std::ops::Range<usize>,
    ) -> Seal {
        let releases = self.releases.all();
        let publications = releases[range]
            .iter()
            .filter_map(|release| Some(release.publication.as_ref()?.seq));
        let end = to.map_or(self.last, |to| releases[to].seq);
        let last = publications.chain([end]).max().unwrap_or(end);
        let opening = self.openings.iter().rev().find(|seq| **seq <= last);
        let id = opening.and_then(|seq| self.leaves.get(usize::try_from(*seq).ok()?));
        let name = |place: Option<usize>| place.map(|at| releases[at].release.to_string());
        Seal {
            ledger: id.copied().unwrap_or(Digest::ZERO),
            first: from.map_or(0, |from| releases[from].seq + 1),
            last,
            root: self.root(last + 1).unwrap_or(Digest::ZERO),
            asked: Asked {
                from: name(from),
                to: name(to),
                ..asked.clone()
            },
        }
    }

    /// Takes note of what the projections do not keep.
    fn note(&mut self, event: &Event) {
        match &event.body {
            Body::LedgerCreated(_) | Body::LedgerForked(_) | Body::LedgerRewound(_) => {
                self.openings.push(event.seq);
            }
            Body::RunStarted(body) => {
                if let Some(ticket) = &body.ticket {
                    self.tickets.insert(event.run, ticket.clone());
                }
                return;
            }
            Body::MigrationApplied(_) => {
                self.signed.insert(event.seq, (event.key, event.run));
            }
            Body::MigrationMarked(body) => {
                self.signed.insert(event.seq, (event.key, event.run));
                if body.r#as == Marked::Pending {
                    let name = self.name(&body.version);
                    self.end(event, &body.version, &name, "marked");
                }
            }
            Body::MigrationRolledBack(body) => {
                self.end(event, &body.version, &body.name, "rolled_back");
                let cause = match body.cause {
                    Cause::Requested => "on request",
                    Cause::Failure => "after a failure",
                    Cause::Check => "after a check",
                };
                self.incident(event, &body.version, "rolled_back", cause.to_owned());
            }
            Body::MigrationFailed(body) => {
                let what = match body.direction {
                    Direction::Up => "failed",
                    Direction::Down => "rollback_failed",
                };
                self.incident(event, &body.version, what, body.error.message.clone());
            }
            Body::VersionTagged(_)
            | Body::ReleaseCreated(_)
            | Body::MigrationAccepted(_)
            | Body::BackupRestored(_) => {}
            _ => return,
        }
        self.last = event.seq;
    }

    fn incident(&mut self, event: &Event, version: &str, what: &'static str, detail: String) {
        self.incidents.push(Incident {
            version: version.to_owned(),
            name: self.name(version),
            what,
            detail,
            time: event.time,
            actor: event.actor.clone(),
            seq: event.seq,
        });
    }

    fn end(&mut self, event: &Event, version: &str, name: &str, how: &'static str) {
        let Ok(parsed) = version.parse() else {
            return;
        };
        let removal = Removal {
            version: version.to_owned(),
            name: name.to_owned(),
            how,
            removed_at: event.time,
            removed_by: event.actor.clone(),
            seq: event.seq,
        };
        self.ends.insert(parsed, removal);
    }

    fn name(&self, version: &str) -> String {
        let parsed: Option<Version> = version.parse().ok();
        let entry = parsed.and_then(|version| self.history.get(&version));
        entry.map_or_else(String::new, |entry| entry.name.clone())
    }

    fn applied(&self) -> Vec<(Version, String)> {
        let applied = self.history.applied().into_iter();
        applied
            .map(|(version, entry, _)| (version.clone(), entry.name.clone()))
            .collect()
    }

    /// Ends the section of the release that was tagged just now.
    fn close_section(&mut self) {
        let incidents = std::mem::take(&mut self.incidents);
        let Some((release, before)) = self.releases.all().split_last() else {
            return;
        };
        let heading = Heading {
            release: release.release.to_string(),
            name: None,
            notes: None,
            message: release.message.clone(),
            tagged_at: release.time,
            tagged_by: release.actor.clone(),
            key: release.key,
            seq: release.seq,
        };
        let before = before.last();
        let section = self.section(
            &self.releases.added(release, before),
            &self.releases.removed(release, before),
            before,
            incidents,
        );
        self.sections.push(Section {
            release: Some(heading),
            ..section
        });
    }

    /// Returns what is applied, or gone, since the last release.
    fn unreleased(&self) -> Section {
        let before = self.releases.all().last();
        let holds =
            |content: &Content| before.is_some_and(|before| self.releases.holds(before, content));
        let is_applied = |content: &Content| {
            let entry = self.history.get(&content.version);
            entry.is_some_and(|entry| entry.applied.is_some())
        };
        let applied = self.history.applied().into_iter();
        let contents: Vec<Content> = applied
            .map(|(version, entry, applied)| Content::of(version, entry, applied))
            .collect();
        let added: Vec<&Content> = contents.iter().filter(|one| !holds(one)).collect();
        let removed: Vec<&Content> = before
            .map(|before| self.releases.contents(before))
            .unwrap_or_default()
            .into_iter()
            .filter(|one| !is_applied(one))
            .collect();
        self.section(&added, &removed, before, self.incidents.clone())
    }

    fn section(
        &self,
        added: &[&Content],
        removed: &[&Content],
        before: Option<&Release>,
        incidents: Vec<Incident>,
    ) -> Section {
        let mut groups: BTreeMap<Group, Vec<Change>> = BTreeMap::new();
        for content in added {
            let entry = self.history.get(&content.version);
            if let Some(applied) = entry.and_then(|entry| entry.applied.as_ref())
                && let Some((key, run)) = self.signed.get(&applied.seq)
            {
                let again = before
                    .and_then(|before| self.releases.content(before, &content.version))
                    .is_some();
                let ticket = self.tickets.get(run).cloned();
                let change = Change {
                    again,
                    ..change(content, applied, *key, ticket)
                };
                groups
                    .entry(Group::of(&applied.metadata))
                    .or_default()
                    .push(change);
            }
        }
        let removed = removed
            .iter()
            .filter_map(|held| self.ends.get(&held.version).cloned());
        Section {
            release: None,
            groups: groups
                .into_iter()
                .map(|(group, changes)| Changes { group, changes })
                .collect(),
            removed: removed.collect(),
            incidents,
        }
    }
}

fn change(
    content: &Content,
    applied: &Applied,
    key: Fingerprint,
    ticket_of_run: Option<String>,
) -> Change {
    let metadata = &applied.metadata;
    let text = |name: &str| {
        let value = metadata.get(name).and_then(Value::as_text);
        value.map(str::to_owned)
    };
    let tags = metadata.get("tags").and_then(Value::as_list);
    let mut tickets: Vec<String> = text("ticket").into_iter().collect();
    tickets.extend(ticket_of_run.filter(|ticket| !tickets.contains(ticket)));
    Change {
        version: content.version.as_str().to_owned(),
        name: content.name.clone(),
        description: text("description"),
        author: text("author"),
        tickets,
        tags: tags
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_text)
            .map(str::to_owned)
            .collect(),
        risk: text("risk"),
        downtime: metadata.get("requires_downtime").and_then(Value::as_bool) == Some(true),
        again: false,
        marked: applied.batch.is_none(),
        applied_at: applied.time,
        applied_by: applied.actor.clone(),
        key,
        duration_ms: applied.duration_ms,
        seq: applied.seq,
        checksum: applied.checksum,
        script: applied.script,
    }
}

fn published(section: &Section, release: &Release) -> Section {
    let mut section = section.clone();
    if let (Some(heading), Some(publication)) = (&mut section.release, &release.publication) {
        heading.name = Some(publication.name.clone());
        heading.notes = publication.notes;
    }
    section
}
