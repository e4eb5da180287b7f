//! What a changelog says, whatever form it is printed in.

use ledger::{Digest, Fingerprint, Timestamp};
use serde::Serialize;

use super::seal::Seal;
use super::{Group, moment};

/// The releases of a range, newest first, and what each of them changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changelog {
    /// The environment that the ledger was opened for.
    pub environment: String,
    /// The releases, newest first; what is in none of them yet comes before them.
    pub sections: Vec<Section>,
    /// What it was made from.
    #[serde(serialize_with = "super::seal::as_text")]
    pub seal: Seal,
}

/// What one release changed, compared with the one tagged before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The release; absent for what is in none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Heading>,
    /// What was applied, by what sort of change it is.
    pub groups: Vec<Changes>,
    /// What the release before held and this one does not.
    pub removed: Vec<Removal>,
    /// Rollbacks and failed attempts since the release before; only where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<Incident>,
}

/// How a release introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heading {
    /// Its name.
    pub release: String,
    /// The title that it was published under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The digest of its notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Digest>,
    /// What was said when it was tagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was tagged.
    pub tagged_at: Timestamp,
    /// By whom.
    pub tagged_by: String,
    /// With which key.
    pub key: Fingerprint,
    /// The event that says so.
    pub seq: u64,
}

/// Changes of one sort, in the order in which they were applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The sort.
    pub group: Group,
    /// The changes.
    pub changes: Vec<Change>,
}

/// One applied migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The tickets that it and its run name.
    pub tickets: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// `low`, `medium` or `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// It needs downtime.
    pub downtime: bool,
    /// The release before held this version with another text.
    pub again: bool,
    /// A person said that it is applied; nothing ran.
    pub marked: bool,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// By whom.
    pub applied_by: String,
    /// With which key.
    pub key: Fingerprint,
    /// How long it took.
    pub duration_ms: u64,
    /// The event that says so.
    pub seq: u64,
    /// The checksum of its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Digest>,
    /// The digest of the exact bytes that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<Digest>,
}

/// A migration that a release held and the next one did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// How it went: `rolled_back`, `marked` by a person, or `restored`: a backup from before it was.
    pub how: &'static str,
    /// When.
    pub removed_at: Timestamp,
    /// By whom.
    pub removed_by: String,
    /// The event that says so.
    pub seq: u64,
}

/// A rollback or a failed attempt, whatever came of it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// The version.
    pub version: String,
    /// The name.
    pub name: String,
    /// `rolled_back`, `failed` or `rollback_failed`.
    pub what: &'static str,
    /// What the database said, or why it was rolled back.
    pub detail: String,
    /// When.
    pub time: Timestamp,
    /// Who ran it.
    pub actor: String,
    /// The event that says so.
    pub seq: u64,
}

/// Something to say about a change, the same in each form.
pub(super) struct Fact {
    /// Our words.
    pub(super) words: &'static str,
    /// What stands behind them, from outside.
    pub(super) text: Option<String>,
    /// A reader must not miss it.
    pub(super) is_alarming: bool,
}

impl Changelog {
    /// Returns all changes in the order in which they were applied.
    pub(super) fn changes_by_seq(&self) -> Vec<&Change> {
        let mut changes: Vec<&Change> = self.sections.iter().flat_map(Section::changes).collect();
        changes.sort_by_key(|change| change.seq);
        changes
    }
}

impl Change {
    /// Returns what its header says of it and what it replaces.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let tickets = (!self.tickets.is_empty()).then(|| self.tickets.join(", "));
        let plain = |words, text| Fact {
            words,
            text,
            is_alarming: false,
        };
        let named = |words, text: Option<String>| text.map(|text| plain(words, Some(text)));
        let replaces = plain("replaces another text of this version", None);
        let downtime = Fact {
            is_alarming: true,
            ..plain("needs downtime", None)
        };
        let facts = [
            self.again.then_some(replaces),
            named("risk", self.risk.clone()),
            self.downtime.then_some(downtime),
            named("ticket", tickets),
            named("author", self.author.clone()),
        ];
        facts.into_iter().flatten().collect()
    }

    /// Says how and when it came to be applied.
    pub(super) fn course(&self) -> String {
        let moment = moment(self.applied_at);
        if self.marked {
            format!("marked as applied {moment}")
        } else {
            format!("applied {moment} in {} ms", self.duration_ms)
        }
    }
}

impl Removal {
    /// Says how it went, in words.
    pub(super) fn course(&self) -> &'static str {
        match self.how {
            "restored" => "gone with the restore of an older backup",
            "marked" => "marked as not applied",
            _ => "rolled back",
        }
    }
}

impl Incident {
    /// Says what happened, in words.
    pub(super) fn course(&self) -> &'static str {
        match self.what {
            "rolled_back" => "rolled back",
            "rollback_failed" => "rollback failed",
            _ => "failed",
        }
    }
}

impl Section {
    /// Says whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.removed.is_empty() && self.incidents.is_empty()
    }

    /// Returns all changes, sort by sort.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.groups.iter().flat_map(|group| &group.changes)
    }
}
