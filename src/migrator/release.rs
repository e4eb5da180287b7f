//! Tagging releases, publishing them and telling of them.

use std::sync::Mutex;

use ledger::{Body, Digest, ReleaseCreated, Role, SchemaState, VersionTagged};

use super::Migrator;
use super::approve::no_ledger;
use super::open::Opened;
use super::work::held_back;
use crate::context::Progress;
use crate::engine::{Fault, Object};
use crate::error::Error;
use crate::executor::schema_state;
use crate::journal::Fact;
use crate::log::Log;
use crate::object;
use crate::projection::releases::{Content, Release, Releases};
use crate::release::tag::{self, Tagging};
use crate::release::{find, next, publish};
use crate::report::{Published, ReleaseView, ReleasesView, Tagged};
use crate::request::{Publish, Tag};

/// The schema as it was when the log had so many events.
struct Seen {
    size: u64,
    schema: SchemaState,
}

impl Migrator {
    /// Ties a release's name to a migration: the release holds what is applied up to it.
    ///
    /// # Errors
    ///
    /// Those of [`tag::decide`]; [`Error::Undecided`] after a restore that nobody has accepted;
    /// [`Error::Usage`] where there is no ledger.
    pub async fn tag(&self, request: &Tag) -> Result<Tagged, Error> {
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        self.may_write(&opened.log)?;
        let first = decide(request, &opened.log)?;
        let seen = if first.is_current {
            self.schema_now(&mut opened).await?
        } else {
            None
        };
        drop(opened);
        let said = Mutex::new(None);
        let log = self
            .append_decided(
                &|log| {
                    let tagged = said_of(request, log, seen.as_ref())?;
                    let fact = Fact::success(Body::VersionTagged(VersionTagged {
                        message: request.message.as_deref().map(ledger::clean),
                        migration: tagged.migration.clone(),
                        release: tagged.release.clone(),
                        schema: tagged
                            .schema
                            .and(seen.as_ref())
                            .map(|seen| seen.schema.clone()),
                    }));
                    if let Ok(mut said) = said.lock() {
                        *said = Some(tagged);
                    }
                    Ok(vec![fact])
                },
                &[],
                &[Role::Releaser],
            )
            .await?;
        let said = said.into_inner().ok().flatten().ok_or_else(no_ledger)?;
        Ok(Tagged {
            seq: log.size() - 1,
            head: log.head(),
            ..said
        })
    }

    /// Publishes a release: gives it a title, and notes that are kept as an object.
    ///
    /// # Errors
    ///
    /// Those of [`publish::decide`]; [`Error::Usage`] where there is no ledger.
    pub async fn publish(&self, request: &Publish) -> Result<Published, Error> {
        if self.open().await?.log.is_empty() {
            return Err(no_ledger());
        }
        let notes = request.notes.as_deref();
        let digest = notes.map(Digest::of);
        let objects: Vec<Object> = notes
            .zip(digest)
            .map(|(notes, digest)| object::pack(digest, notes))
            .into_iter()
            .collect();
        let decide = |log: &Log| {
            let release = publish::decide(&request.release, log.releases())?;
            Ok(vec![Fact::success(Body::ReleaseCreated(ReleaseCreated {
                name: ledger::clean(&request.name),
                notes: digest,
                release: name(release),
            }))])
        };
        let log = self
            .append_decided(&decide, &objects, &[Role::Releaser])
            .await?;
        let release = find(log.releases(), &request.release)?;
        Ok(Published {
            release: name(release),
            name: ledger::clean(&request.name),
            notes: digest,
            seq: log.size() - 1,
            head: log.head(),
        })
    }

    /// Returns all releases: what each holds, whether it breaks something, whether it is in place.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger.
    pub async fn releases(&self) -> Result<ReleasesView, Error> {
        let log = self.open().await?.log;
        let (history, releases) = (log.history(), log.releases());
        let mut earlier = None;
        let mut views = Vec::with_capacity(releases.all().len());
        for (release, in_place) in releases.all().iter().zip(releases.in_place(history)) {
            views.push(view(release, earlier, releases, in_place));
            earlier = Some(release);
        }
        let newest = releases.newest_in_place(history);
        Ok(ReleasesView {
            releases: views,
            current: releases.current(history).map(name),
            unreleased: history
                .applied()
                .iter()
                .filter(|(version, _, applied)| {
                    !newest
                        .and_then(|newest| releases.content(newest, version))
                        .is_some_and(|content| content.is(applied))
                })
                .map(|(_, entry, _)| entry.version.clone())
                .collect(),
            next: next::suggest(releases, history),
        })
    }

    /// Takes the schema's fingerprint. Where somebody changes the schema just now there is none to take.
    async fn schema_now(&self, opened: &mut Opened) -> Result<Option<Seen>, Error> {
        let lifecycle = opened.log.verifier().lifecycle();
        let Some(session) = opened.session.as_deref_mut() else {
            return Ok(None);
        };
        if lifecycle.open_run().is_some() {
            return Ok(None);
        }
        let now = match session.fingerprint().await {
            Ok(now) => now,
            Err(error) if error.fault == Fault::Busy => return Ok(None),
            Err(error) => return Err(self.engine_error(error, "reading the schema")),
        };
        if let Some(drift) = super::status::drift(opened.log.history(), &now) {
            self.context.observer.observe(&Progress::Warning {
                message: &drift.message,
            });
        }
        Ok(Some(Seen {
            size: opened.log.size(),
            schema: schema_state(&now),
        }))
    }
}

fn decide(request: &Tag, log: &Log) -> Result<Tagging, Error> {
    if let Some(blocker) = held_back(log) {
        return Err(Error::Undecided(vec![blocker.refusal]));
    }
    tag::decide(
        &request.release,
        request.at.as_ref(),
        log.releases(),
        log.history(),
    )
}

/// Says what the tag comes to with the log as it is; where it ends is not known yet.
fn said_of(request: &Tag, log: &Log, seen: Option<&Seen>) -> Result<Tagged, Error> {
    let tagging = decide(request, log)?;
    let releases = log.releases();
    let earlier = releases.newest_in_place(log.history());
    let added: Vec<&Content> = tagging
        .contents
        .iter()
        .filter(|one| earlier.is_none_or(|earlier| !releases.holds(earlier, one)))
        .collect();
    // what was appended since the schema was read may have changed it
    let seen = seen.filter(|seen| tagging.is_current && seen.size == log.size());
    Ok(Tagged {
        release: request.release.to_string(),
        contains: tagging.contents.len() as u64,
        breaking: added.iter().any(|content| content.breaking),
        added: versions(added),
        migration: tagging.migration,
        schema: seen.map(|seen| seen.schema.digest),
        seq: log.size(),
        head: log.head(),
    })
}

fn view(
    release: &Release,
    earlier: Option<&Release>,
    releases: &Releases,
    in_place: bool,
) -> ReleaseView {
    let publication = release.publication.as_ref();
    let added = releases.added(release, earlier);
    let removed = versions(releases.removed(release, earlier));
    ReleaseView {
        release: name(release),
        name: publication.map(|publication| publication.name.clone()),
        notes: publication.and_then(|publication| publication.notes),
        message: release.message.clone(),
        tagged_at: release.time,
        tagged_by: release.actor.clone(),
        seq: release.seq,
        migration: release.migration.clone(),
        contains: versions(releases.contents(release)),
        breaking: !removed.is_empty() || added.iter().any(|content| content.breaking),
        added: versions(added),
        removed,
        in_place,
        schema: release.schema.as_ref().map(|schema| schema.digest),
    }
}

fn name(release: &Release) -> String {
    release.release.to_string()
}

fn versions(contents: Vec<&Content>) -> Vec<String> {
    contents
        .into_iter()
        .map(|content| content.version.as_str().to_owned())
        .collect()
}
