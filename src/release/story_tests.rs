//! A history told event by event, for the tests of what is made from one.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use ledger::canonical::Value;
use ledger::{
    BackupRestored, BackupTaken, Body, Cause, Digest, Direction, ErrorDetail, Event,
    MigrationApplied, MigrationFailed, MigrationRolledBack, Outcome, ReleaseCreated, Signer,
    SigningKey, VersionTagged,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::Error;
use crate::migration::Version;
use crate::projection::history::History;
use crate::projection::releases::{Release, Releases, Unfound};
use crate::release::tag::{self, Tagging};
use crate::release::{find, next, parse, publish};

/// What has happened, folded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    pub(crate) events: Vec<Event>,
    pub(crate) history: History,
    pub(super) releases: Releases,
}

impl Story {
    pub(crate) fn happen(&mut self, body: Body, outcome: Outcome) -> &mut Self {
        let seq = self.events.len() as u64;
        let event = Event {
            actor: "dana@example.com".to_owned(),
            body,
            env: "development".to_owned(),
            host: "laptop".to_owned(),
            key: SigningKey::from_seed([7; 32]).public_key().fingerprint(),
            ledger: Digest::ZERO,
            outcome,
            prev: Digest::ZERO,
            run: Uuid::from_u128(u128::from(seq / 4)),
            seq,
            time: "2026-11-20T20:00:00.000000Z".parse().unwrap(),
            tool: "mledger/0.1.0".to_owned(),
        };
        self.history.apply(&event).unwrap();
        self.releases.apply(&event, &self.history).unwrap();
        self.events.push(event);
        self
    }

    pub(crate) fn applied(&mut self, version: &str, members: &[(&str, Value)]) -> &mut Self {
        let text = format!("{version}{members:?}");
        let digest = Digest::of(text.as_bytes());
        let metadata = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let body = MigrationApplied {
            attempt: 1,
            batch: 1,
            checksum: digest,
            down_script: Some(digest),
            duration_ms: 3,
            metadata: metadata.collect::<BTreeMap<_, _>>(),
            name: format!("change_{version}"),
            script: digest,
            statements: 1,
            version: version.to_owned(),
        };
        self.happen(body.into(), Outcome::Success)
    }

    pub(crate) fn rolled_back(&mut self, version: &str) -> &mut Self {
        let body = MigrationRolledBack {
            cause: Cause::Requested,
            duration_ms: 3,
            name: format!("change_{version}"),
            script: Digest::ZERO,
            version: version.to_owned(),
        };
        self.happen(body.into(), Outcome::Success)
    }

    pub(crate) fn failed(&mut self, version: &str, clean: bool) -> &mut Self {
        let body = MigrationFailed {
            clean,
            direction: Direction::Up,
            error: ErrorDetail {
                code: None,
                column: None,
                line: Some(2),
                message: "no such table: users".to_owned(),
                statement: None,
            },
            steps_applied: 0,
            version: version.to_owned(),
        };
        self.happen(body.into(), Outcome::Failure)
    }

    pub(super) fn backed_up(&mut self) -> &mut Self {
        let size = self.events.len() as u64;
        let body = BackupTaken {
            backup: Uuid::from_u128(u128::from(size)),
            duration_ms: 3,
            encrypted: true,
            ledger_size: size,
            location: "backups/one".to_owned(),
            method: "copy".to_owned(),
            name: "one".to_owned(),
            sha256: Digest::ZERO,
            size: 4096.into(),
        };
        self.happen(body.into(), Outcome::Success)
    }

    /// Brings back what was applied when the last backup was taken, if there is one.
    pub(super) fn restored(&mut self) -> &mut Self {
        let backups = self.events.iter().rev();
        let mut taken = backups.filter_map(|event| match &event.body {
            Body::BackupTaken(body) => Some(body.backup),
            _ => None,
        });
        let Some(backup) = taken.next() else {
            return self;
        };
        let body = BackupRestored {
            backup,
            duration_ms: 3,
            safety_backup: None,
            sha256: Digest::ZERO,
        };
        self.happen(body.into(), Outcome::Success)
    }

    pub(super) fn decide(&self, release: &str, at: Option<&str>) -> Result<Tagging, Error> {
        let at = at.map(|at| at.parse::<Version>().unwrap());
        tag::decide(&parse(release)?, at.as_ref(), &self.releases, &self.history)
    }

    /// Tags as a person would.
    pub(crate) fn tag(&mut self, release: &str, at: Option<&str>) -> Result<&Release, Error> {
        let tagging = self.decide(release, at)?;
        let body = VersionTagged {
            message: None,
            migration: tagging.migration,
            release: release.to_owned(),
            schema: None,
        };
        self.happen(body.into(), Outcome::Success);
        Ok(self.releases.all().last().unwrap())
    }

    pub(crate) fn published(&mut self, release: &str, name: &str) -> &mut Self {
        let body = ReleaseCreated {
            name: name.to_owned(),
            notes: None,
            release: release.to_owned(),
        };
        self.happen(body.into(), Outcome::Success)
    }

    /// Returns the versions that a release holds.
    fn held(&self, release: &str) -> Vec<&str> {
        let release = self.releases.find(release).unwrap();
        let contents = self.releases.contents(release).into_iter();
        contents.map(|one| one.version.as_str()).collect()
    }

    fn next(&self) -> Option<String> {
        next::suggest(&self.releases, &self.history).map(|next| next.release)
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, code: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
}

const BREAKING: (&str, Value) = ("breaking_change", Value::Bool(true));

fn tags(tags: &[&str]) -> (&'static str, Value) {
    let tags = tags.iter().map(|tag| Value::from(*tag)).collect::<Vec<_>>();
    ("tags", Value::from(tags))
}

#[test]
fn a_release_holds_what_was_applied_in_its_order() {
    let mut story = Story::default();
    story.applied("1", &[]).applied("2", &[]).applied("4", &[]);
    story.tag("1.0.0", Some("2")).unwrap();
    assert_eq!(story.held("1.0.0"), ["1", "2"]);
    story.applied("3", &[]);
    assert_eq!(story.tag("1.0.1", None).unwrap().migration, "3");
    assert_eq!(story.held("1.0.1"), ["1", "2", "4", "3"]);
    assert!(
        story.decide("1.1.0", Some("4")).is_err(),
        "3 would be missing"
    );
    assert_eq!(
        story
            .releases
            .current(&story.history)
            .map(|one| one.release.to_string()),
        Some("1.0.1".to_owned())
    );
}

#[test]
fn what_is_no_release_is_refused() {
    let mut story = Story::default();
    refused(story.decide("1.0.0", None), "release-empty");
    story.applied("1", &[]).applied("2", &[]);
    for text in [
        "", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0 ", "latest",
    ] {
        refused(story.decide(text, None), "release-invalid");
    }
    refused(story.decide("1.0.0", Some("3")), "version-not-applied");
    story.tag("1.0.0", Some("1")).unwrap();
    refused(story.decide("1.0.0", None), "release-exists");
    refused(story.decide("1.0.0+build.2", None), "release-exists");
    refused(story.decide("1.0.0-rc.1", None), "release-backwards");
    refused(story.decide("0.9.9", None), "release-backwards");
    story.tag("2.0.0", Some("2")).unwrap();
    refused(story.decide("2.1.0", Some("1")), "release-backwards");
}

#[test]
fn a_failed_or_partial_migration_is_in_no_release() {
    let mut story = Story::default();
    story.applied("1", &[]).applied("3", &[]).failed("4", true);
    story.tag("1.0.0", None).unwrap();
    story.failed("2", true);
    refused(story.decide("1.1.0", None), "release-incomplete");
    story.applied("2", &[]).failed("4", false);
    refused(story.decide("1.1.0", None), "release-incomplete");
    story.applied("5", &[]);
    assert!(
        story.decide("1.1.0", Some("2")).is_ok(),
        "the part is of a later one"
    );
    refused(story.decide("1.1.0", Some("5")), "release-incomplete");
}

#[test]
fn after_a_rollback_the_release_that_was_left_no_longer_counts() {
    let mut story = Story::default();
    story.applied("1", &[]);
    story.tag("1.0.0", None).unwrap();
    story.applied("2", &[]);
    story.tag("1.1.0", None).unwrap();
    story.rolled_back("2");
    assert_eq!(
        story
            .releases
            .newest_in_place(&story.history)
            .unwrap()
            .release
            .to_string(),
        "1.0.0"
    );
    refused(story.decide("1.1.0", None), "release-exists");
    story.applied("3", &[("type", Value::from("dml"))]);
    assert_eq!(story.next().as_deref(), Some("1.0.1"));
    let hotfix = story.tag("1.0.1", None).unwrap().clone();
    assert_eq!(story.held("1.0.1"), ["1", "3"]);
    let earlier = &story.releases.all()[1];
    let gone: Vec<_> = story
        .releases
        .removed(&hotfix, Some(earlier))
        .into_iter()
        .map(|one| one.version.as_str())
        .collect();
    assert_eq!(gone, ["2"]);
    // the same text again is the same migration, another one is not
    story.applied("2", &[]);
    assert_eq!(story.releases.in_place(&story.history), [true; 3]);
    story.rolled_back("2").applied("2", &[BREAKING]);
    assert_eq!(story.releases.in_place(&story.history), [true, false, true]);
}

#[test]
fn the_next_name_follows_from_what_is_new() {
    let mut story = Story::default();
    assert_eq!(story.next(), None);
    story.applied("1", &[]);
    assert_eq!(story.next().as_deref(), Some("0.1.0"));
    story.tag("0.1.0", None).unwrap();
    assert_eq!(story.next(), None);
    story.applied("2", &[BREAKING]);
    assert_eq!(story.next().as_deref(), Some("0.2.0"));
    story.tag("1.0.0-rc.1", None).unwrap();
    assert_eq!(story.next().as_deref(), Some("1.0.0"));
    story.tag("1.0.0", None).unwrap();
    story.applied("3", &[tags(&["fix"])]);
    assert_eq!(story.next().as_deref(), Some("1.0.1"));
    story.applied("4", &[tags(&["feature"])]);
    assert_eq!(story.next().as_deref(), Some("1.1.0"));
    story.applied("5", &[BREAKING]);
    assert_eq!(story.next().as_deref(), Some("2.0.0"));
    story.tag("2.0.0", None).unwrap();
    story.rolled_back("5").rolled_back("4").rolled_back("3");
    story.applied("6", &[BREAKING]);
    assert_eq!(
        story.next().as_deref(),
        Some("2.0.1"),
        "2.0.0 is never given again"
    );
}

#[test]
fn a_release_is_found_by_a_beginning_that_only_it_has() {
    let mut story = Story::default();
    story.applied("1", &[]);
    for release in [
        "1.2.0-rc.1",
        "1.2.0",
        "1.2.1",
        "1.20.0",
        "2.0.0-rc.1",
        "2.0.0-rc.2",
    ] {
        story.tag(release, None).unwrap();
    }
    let found = |text: &str| find(&story.releases, text).map(|one| one.release.to_string());
    assert_eq!(found("1.2.0").unwrap(), "1.2.0");
    assert_eq!(found("1.20").unwrap(), "1.20.0");
    for ambiguous in ["1", "1.2", "2", "2.0.0"] {
        refused(found(ambiguous), "release-ambiguous");
    }
    for unknown in ["3", "1.", "1.2.2", "", "v1.2.0"] {
        refused(found(unknown), "release-unknown");
    }
    let several = vec!["2.0.0-rc.1".to_owned(), "2.0.0-rc.2".to_owned()];
    assert_eq!(
        story.releases.find("2.0.0"),
        Err(Unfound::Ambiguous(several))
    );
}

#[test]
fn a_release_is_published_once_with_its_title() {
    let mut story = Story::default();
    story.applied("1", &[]);
    story.tag("1.0.0", None).unwrap();
    assert!(publish::decide("1.0.0", &story.releases).is_ok());
    refused(publish::decide("1.1.0", &story.releases), "release-unknown");
    story.published("1.0.0", "Spring");
    let publication = story.releases.all()[0].publication.clone().unwrap();
    assert_eq!(publication.name, "Spring");
    refused(
        publish::decide("1.0.0", &story.releases),
        "release-published",
    );
}

/// Steps of a random history: versions are applied, rolled back, and what is there gets a name.
pub(crate) fn any_story() -> impl Strategy<Value = Story> {
    let step = (0_u32..8, 0_u32..4, any::<bool>());
    proptest::collection::vec(step, 0..40).prop_map(|steps| {
        let mut story = Story::default();
        let mut names = 0_u32;
        for (version, what, flag) in steps {
            let version = version.to_string();
            let known = version.parse::<Version>().unwrap();
            let entry = story.history.get(&known);
            let is_applied = entry.is_some_and(|entry| entry.applied.is_some());
            match (what, is_applied) {
                (0, _) => {
                    names += 1;
                    let at = flag.then_some(version.as_str());
                    // what is refused adds nothing to the story
                    let _refused = story.tag(&format!("1.{names}.0"), at).is_err();
                }
                (1, true) => {
                    story.rolled_back(&version);
                }
                (1, false) => {
                    story.failed(&version, true);
                }
                (_, false) => {
                    let kind = if flag { "dml" } else { "ddl" };
                    story.applied(&version, &[("type", Value::from(kind))]);
                }
                (_, true) if flag => {
                    story.backed_up();
                }
                (_, true) => {
                    story.restored();
                }
            }
        }
        story
    })
}

proptest! {
    #[test]
    fn a_release_is_the_fold_of_the_log_at_its_point(story in any_story()) {
        for release in story.releases.all() {
            let mut history = History::default();
            for event in &story.events[..usize::try_from(release.seq).unwrap()] {
                history.apply(event).unwrap();
            }
            let applied = history.applied();
            let last = applied
                .iter()
                .position(|(_, entry, _)| entry.version == release.migration)
                .unwrap();
            let expected: Vec<&str> = applied[..=last]
                .iter()
                .map(|(_, entry, _)| entry.version.as_str())
                .collect();
            prop_assert_eq!(story.held(&release.release.to_string()), expected);
        }
    }

    #[test]
    fn a_release_holds_those_that_were_in_place(story in any_story()) {
        for (index, release) in story.releases.all().iter().enumerate() {
            let mut history = History::default();
            for event in &story.events[..usize::try_from(release.seq).unwrap()] {
                history.apply(event).unwrap();
            }
            for earlier in &story.releases.all()[..index] {
                let held = story.releases.contents(earlier);
                if held.iter().all(|one| one.is_in_place(&history)) {
                    prop_assert!(earlier.release < release.release);
                    prop_assert!(held.iter().all(|one| story.releases.holds(release, one)));
                }
            }
        }
    }
}
