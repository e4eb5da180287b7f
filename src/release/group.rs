//! What sort of change a migration is, by its header.

use std::collections::BTreeMap;

use ledger::canonical::Value;
use serde::Serialize;

use crate::projection::releases::{has_tag, is_breaking};

/// The sorts of change, in the order in which a changelog has them. The names that keepachangelog.com
/// has for a sort are used for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// It breaks what was there.
    Breaking,
    /// It closes a hole.
    Security,
    /// Something new.
    Added,
    /// Anything else.
    Changed,
    /// Something that will go.
    Deprecated,
    /// A mistake that was mended.
    Fixed,
    /// Rows and not the schema.
    Data,
}

impl Group {
    /// Returns the group of a migration with this header. Tags decide before the type does.
    pub fn of(metadata: &BTreeMap<String, Value>) -> Self {
        let tagged = |tags: &[&str]| has_tag(metadata, tags);
        if is_breaking(metadata) {
            return Self::Breaking;
        }
        if tagged(&["security"]) {
            return Self::Security;
        }
        if tagged(&["fix", "bugfix", "hotfix", "bug"]) {
            return Self::Fixed;
        }
        if tagged(&["deprecated", "deprecation"]) {
            return Self::Deprecated;
        }
        if tagged(&["feature", "feat", "added"]) {
            return Self::Added;
        }
        let kind = metadata.get("type").and_then(Value::as_text);
        if kind == Some("dml") || tagged(&["data", "backfill"]) {
            return Self::Data;
        }
        Self::Changed
    }

    /// Returns the heading of a changelog's section.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Breaking => "Breaking changes",
            Self::Security => "Security",
            Self::Added => "Added",
            Self::Changed => "Changed",
            Self::Deprecated => "Deprecated",
            Self::Fixed => "Fixed",
            Self::Data => "Data",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(members: &[(&str, Value)]) -> Group {
        let metadata = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        Group::of(&metadata.collect())
    }

    fn tags(tags: &[&str]) -> (&'static str, Value) {
        let tags = tags.iter().map(|tag| Value::from(*tag)).collect::<Vec<_>>();
        ("tags", Value::from(tags))
    }

    #[test]
    fn what_breaks_comes_first_then_tags_then_the_type() {
        let breaking = ("breaking_change", Value::from(true));
        let dml = ("type", Value::from("dml"));
        for (members, expected) in [
            (vec![], Group::Changed),
            (vec![("type", Value::from("ddl"))], Group::Changed),
            (vec![dml.clone()], Group::Data),
            (vec![tags(&["Feature"])], Group::Added),
            (vec![tags(&["feature", "hotfix"])], Group::Fixed),
            (vec![dml.clone(), tags(&["fix"])], Group::Fixed),
            (vec![tags(&["security", "fix"])], Group::Security),
            (vec![tags(&["deprecated"])], Group::Deprecated),
            (vec![breaking, tags(&["fix"])], Group::Breaking),
            (vec![tags(&["breaking"])], Group::Breaking),
            (
                vec![("breaking_change", Value::from(false))],
                Group::Changed,
            ),
        ] {
            assert_eq!(group(&members), expected, "{members:?}");
        }
    }
}
