//! The metadata header: a JSON object in the comment lines after `-- @metadata`.

use std::collections::BTreeMap;

use ledger::canonical::{self, Value};
use serde_json::Value as Json;

use super::Version;

/// The longest a text of the header may be, in bytes.
const TEXT_LIMIT: usize = 4 * 1024;

/// The most texts a list of the header may have.
const LIST_LIMIT: usize = 200;

/// The most bytes that the header may have in the form in which events hold it. An event has at most
/// 65,535 (docs/format.md section 1), and it holds more than the header.
const RECORDED_LIMIT: usize = 32 * 1024;

/// What a migration says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the members of the header, described in docs/cli.md"
)]
pub struct Metadata {
    pub author: Option<String>,
    pub description: Option<String>,
    pub breaking_change: Option<bool>,
    /// In milliseconds.
    pub estimated_duration: Option<u64>,
    /// `small`, `medium` or `large`.
    pub data_volume: Option<String>,
    /// `low`, `medium` or `high`.
    pub risk: Option<String>,
    pub tags: Vec<String>,
    /// Versions that must be applied first.
    pub dependencies: Vec<String>,
    pub requires_downtime: Option<bool>,
    pub affected_tables: Vec<String>,
    pub rollback_strategy: Option<String>,
    pub ticket: Option<String>,
    /// `ddl`, `dml` or `function`.
    pub kind: Option<String>,
    recorded: BTreeMap<String, Value>,
}

impl Metadata {
    /// Returns the header as events record it: member names in snake case, sets sorted.
    pub fn recorded(&self) -> BTreeMap<String, Value> {
        self.recorded.clone()
    }

    /// Reads the members of a header; the names of unknown ones are returned beside it.
    ///
    /// # Errors
    ///
    /// The first member that is not what it must be, or all of them where they are too large.
    pub(super) fn from_members(
        members: &[(String, Json)],
    ) -> Result<(Self, Vec<String>), InvalidMember> {
        let mut metadata = Self::default();
        let mut unknown = Vec::new();
        for (name, value) in members {
            let taken = metadata
                .take(name, value)
                .map_err(|message| InvalidMember {
                    member: Some(name.clone()),
                    message,
                })?;
            if let Some(recorded) = taken {
                metadata.recorded.insert(snake_case(name), recorded);
            } else {
                unknown.push(name.clone());
            }
        }
        metadata.fits().map_err(|message| InvalidMember {
            member: None,
            message,
        })?;
        Ok((metadata, unknown))
    }

    /// What no event could hold must be refused before a script runs.
    fn fits(&self) -> Result<(), String> {
        let written = canonical::write(&Value::Object(self.recorded.clone()));
        let size = written.map_err(|error| error.to_string())?.len();
        if size > RECORDED_LIMIT {
            return Err(format!(
                "expected a header that is recorded in at most {RECORDED_LIMIT} bytes, found {size}"
            ));
        }
        Ok(())
    }

    fn take(&mut self, name: &str, value: &Json) -> Result<Option<Value>, String> {
        match name {
            "author" => text(name, value, &mut self.author),
            "description" => text(name, value, &mut self.description),
            "breakingChange" => flag(name, value, &mut self.breaking_change),
            "estimatedDuration" => number(name, value, &mut self.estimated_duration),
            "dataVolume" => word(
                name,
                value,
                &["small", "medium", "large"],
                &mut self.data_volume,
            ),
            "risk" => word(name, value, &["low", "medium", "high"], &mut self.risk),
            "tags" => set(name, value, &mut self.tags),
            "dependencies" => versions(name, value, &mut self.dependencies),
            "requiresDowntime" => flag(name, value, &mut self.requires_downtime),
            "affectedTables" => set(name, value, &mut self.affected_tables),
            "rollbackStrategy" => text(name, value, &mut self.rollback_strategy),
            "ticket" => text(name, value, &mut self.ticket),
            "type" => word(name, value, &["ddl", "dml", "function"], &mut self.kind),
            _ => Ok(None),
        }
    }
}

/// What is wrong with a header's members.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidMember {
    /// The member, where it is one of them.
    pub(super) member: Option<String>,
    /// What was expected and what was found.
    pub(super) message: String,
}

type Taken = Result<Option<Value>, String>;

fn text(name: &str, value: &Json, into: &mut Option<String>) -> Taken {
    let text = string(name, value)?;
    *into = Some(text.clone());
    Ok(Some(Value::Text(text)))
}

fn word(name: &str, value: &Json, words: &[&str], into: &mut Option<String>) -> Taken {
    let found = string(name, value)?;
    if !words.contains(&found.as_str()) {
        return Err(format!(
            "expected `{name}` to be one of `{}`, found `{found}`",
            words.join("`, `")
        ));
    }
    *into = Some(found.clone());
    Ok(Some(Value::Text(found)))
}

fn flag(name: &str, value: &Json, into: &mut Option<bool>) -> Taken {
    let Json::Bool(flag) = value else {
        return Err(format!(
            "expected `{name}` to be true or false, found {value}"
        ));
    };
    *into = Some(*flag);
    Ok(Some(Value::Bool(*flag)))
}

fn number(name: &str, value: &Json, into: &mut Option<u64>) -> Taken {
    let number = value.as_u64().and_then(|number| {
        let signed = i64::try_from(number).ok()?;
        (signed < 1 << 53).then_some((number, signed))
    });
    let Some((number, signed)) = number else {
        return Err(format!(
            "expected `{name}` to be a whole number of milliseconds, found {value}"
        ));
    };
    *into = Some(number);
    Ok(Some(Value::Integer(signed)))
}

fn set(name: &str, value: &Json, into: &mut Vec<String>) -> Taken {
    let Json::Array(items) = value else {
        return Err(format!(
            "expected `{name}` to be a list of texts, found {value}"
        ));
    };
    if items.len() > LIST_LIMIT {
        return Err(format!(
            "expected `{name}` to have at most {LIST_LIMIT} items, found {}",
            items.len()
        ));
    }
    let mut texts = items
        .iter()
        .map(|item| string(name, item))
        .collect::<Result<Vec<_>, _>>()?;
    texts.sort();
    texts.dedup();
    into.clone_from(&texts);
    Ok(Some(Value::List(
        texts.into_iter().map(Value::Text).collect(),
    )))
}

fn versions(name: &str, value: &Json, into: &mut Vec<String>) -> Taken {
    let taken = set(name, value, into)?;
    for text in into {
        let version = text.parse::<Version>();
        version.map_err(|error| format!("expected `{name}` to hold versions: {error}"))?;
    }
    Ok(taken)
}

fn string(name: &str, value: &Json) -> Result<String, String> {
    let Json::String(text) = value else {
        return Err(format!("expected `{name}` to hold text, found {value}"));
    };
    if text.len() > TEXT_LIMIT {
        return Err(format!(
            "expected `{name}` to have at most {TEXT_LIMIT} bytes, found {}",
            text.len()
        ));
    }
    Ok(ledger::clean(text))
}

/// `breakingChange` becomes `breaking_change`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn read(json: &str) -> Result<(Metadata, Vec<String>), InvalidMember> {
        let members: serde_json::Map<String, Json> = serde_json::from_str(json).unwrap();
        let members: Vec<_> = members.into_iter().collect();
        Metadata::from_members(&members)
    }

    #[test]
    fn members_are_typed_and_recorded_in_snake_case_with_sets_sorted() {
        let (metadata, unknown) = read(
            r#"{"author":"dana","breakingChange":false,"estimatedDuration":1000,
                "tags":["b","a","b"],"reviewer":"omar"}"#,
        )
        .unwrap();
        assert_eq!(metadata.author.as_deref(), Some("dana"));
        assert_eq!(metadata.estimated_duration, Some(1000));
        assert_eq!(unknown, ["reviewer"]);
        let recorded = metadata.recorded();
        assert_eq!(recorded["breaking_change"], Value::Bool(false));
        assert_eq!(
            recorded["tags"],
            Value::List(vec![Value::Text("a".into()), Value::Text("b".into())])
        );
        assert!(!recorded.contains_key("reviewer"));
    }

    #[test]
    fn members_of_another_type_are_refused() {
        for json in [
            r#"{"author":1}"#,
            r#"{"breakingChange":"no"}"#,
            r#"{"estimatedDuration":1.5}"#,
            r#"{"estimatedDuration":-1}"#,
            r#"{"estimatedDuration":9007199254740992}"#,
            r#"{"risk":"none"}"#,
            r#"{"tags":"a"}"#,
            r#"{"tags":[1]}"#,
            r#"{"dependencies":["add users"]}"#,
        ] {
            assert!(read(json).unwrap_err().member.is_some(), "{json}");
        }
    }

    #[test]
    fn a_header_that_no_event_could_hold_is_refused() {
        let list = |text: &str, count: usize| {
            let items: Vec<String> = (0..count)
                .map(|index| format!("\"{text}{index}\""))
                .collect();
            format!("[{}]", items.join(","))
        };
        let fits = format!(r#"{{"tags":{}}}"#, list(&"t".repeat(100), 200));
        assert!(read(&fits).is_ok());
        // each control character is written with six
        let escaped = list(&"\\u0001".repeat(60), 100);
        for json in [
            format!(r#"{{"tags":{}}}"#, list(&"t".repeat(200), 200)),
            format!(r#"{{"tags":{escaped}}}"#),
        ] {
            let invalid = read(&json).unwrap_err();
            assert!(invalid.message.contains("32768 bytes"), "{invalid:?}");
        }
    }
}
