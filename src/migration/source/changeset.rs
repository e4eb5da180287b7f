//! From a changeset to a migration.

use ledger::Digest;
use serde_json::json;

use super::super::changeset::{self, Changeset, Half};
use super::super::folder::File;
use super::super::layout::{self, Kind, Section};
use super::super::metadata::Metadata;
use super::super::problem::Problem;
use super::super::script::ScriptFile;
use super::super::split::LexRules;
use super::super::style::Style;
use super::super::{Form, Migration, checksum};

/// Returns the migration that a changeset is.
pub(super) fn migration(
    file: &File,
    changeset: &Changeset,
    rules: &'static LexRules,
) -> Result<Migration, Problem> {
    let up = section(file, changeset, Half::Up, rules)?;
    let down = changeset
        .has_rollback
        .then(|| section(file, changeset, Half::Down, rules))
        .transpose()?;
    let mut warnings = Vec::new();
    if up.empty {
        let problem = Problem::new(
            "script-empty",
            &file.path,
            "the changeset has no statement",
            "running it will be recorded and change nothing",
        );
        warnings.push(problem.at_line(changeset.line));
    }
    let digest = Digest::of(changeset.text.as_bytes());
    let script = |section: Section, half| {
        let mut directives = section.directives;
        directives.no_transaction |= changeset.no_transaction;
        ScriptFile {
            path: file.path.clone(),
            digest,
            size: changeset.text.len() as u64,
            section: changeset.range.clone(),
            verify: None,
            directives,
            half: Some(half),
        }
    };
    Ok(Migration {
        version: file.version.clone(),
        name: file.name.clone(),
        form: Form::Single,
        checksum: checksum(&changeset.text),
        up: script(up, Half::Up),
        down: down.map(|down| script(down, Half::Down)),
        metadata: metadata(file, changeset)?,
        baseline: false,
        identity: None,
        warnings,
    })
}

/// Reads one half, and says what it asks for.
fn section(
    file: &File,
    changeset: &Changeset,
    half: Half,
    rules: &'static LexRules,
) -> Result<Section, Problem> {
    let text = changeset::half(&changeset.text, &(0..changeset.text.len()), half);
    layout::read(&text, Kind::PairUp, Style::Plain, &file.path, rules)
        .map(|layout| layout.own)
        .map_err(|mut problem| {
            problem.line = problem.line.map(|line| line + changeset.line - 1);
            problem
        })
}

fn metadata(file: &File, changeset: &Changeset) -> Result<Metadata, Problem> {
    let mut members = vec![("author".to_owned(), json!(changeset.author))];
    if let Some(comment) = &changeset.comment {
        members.push(("description".to_owned(), json!(comment)));
    }
    if !changeset.labels.is_empty() {
        members.push(("tags".to_owned(), json!(changeset.labels)));
    }
    let read = Metadata::from_members(&members);
    read.map(|(metadata, _)| metadata).map_err(|invalid| {
        Problem::new(
            "header-invalid",
            &file.path,
            invalid.message,
            "shorten the comment or the labels of the changeset",
        )
        .at_line(changeset.line)
    })
}
