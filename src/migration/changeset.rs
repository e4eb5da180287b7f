//! A file of Liquibase's formatted SQL: changesets one after the other, each a migration of its own.
//!
//! As Liquibase does, the file is read line by line. What is recorded of a changeset is its own text
//! alone, so that its file may grow. A half of it is read as the whole file in which all else is blank:
//! lines and columns stay what they are.

mod attributes;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use self::attributes::Attributes;
use super::problem::Problem;

/// One changeset of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changeset {
    pub(super) author: String,
    pub(super) id: String,
    /// The bytes of the file.
    pub(super) range: Range<usize>,
    /// Those bytes.
    pub(super) text: String,
    /// The line on which it begins.
    pub(super) line: usize,
    /// What a person says of it.
    pub(super) comment: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) no_transaction: bool,
    /// It runs again when its text changes.
    pub(super) on_change: bool,
    /// Its place among the changesets of the file, from 1.
    pub(super) position: usize,
    pub(super) has_rollback: bool,
}

/// A half of a changeset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// What it does.
    Up,
    /// What undoes it.
    Down,
}

/// Says whether the first line of a text is that of formatted SQL.
pub(super) fn is_formatted(text: &str) -> bool {
    let first = text.trim_start_matches('\u{feff}').lines().next();
    let words = first.and_then(|line| line.trim_start().strip_prefix("--"));
    words.is_some_and(|words| {
        let words: Vec<String> = words
            .split_whitespace()
            .map(str::to_ascii_lowercase)
            .collect();
        words.starts_with(&[
            "liquibase".to_owned(),
            "formatted".to_owned(),
            "sql".to_owned(),
        ])
    })
}

/// Says whether a text is that of one changeset, as it was recorded.
pub(super) fn begins(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|line| matches!(Line::of(line), Line::Changeset(_)))
}

/// Reads the changesets of a file; those that Liquibase is told to pass over are left out.
///
/// # Errors
///
/// A [`Problem`] for what cannot be done here.
pub(super) fn read(text: &str, path: &Path) -> Result<Vec<Changeset>, Problem> {
    let mut found: Vec<Changeset> = Vec::new();
    let mut passed = BTreeSet::new();
    let mut position = 0;
    let mut seen = BTreeSet::new();
    let mut remark = false;
    for (line, range) in lines(text) {
        let content = &text[range.clone()];
        // white space after a changeset is none of it; as to Liquibase, a comment is
        let end = range.start + content.trim_end().len();
        let refused = |message: String, hint: &str| {
            Problem::new("format-unsupported", path, message, hint).at_line(line)
        };
        match Line::of(content) {
            Line::Changeset(rest) => {
                position += 1;
                let attributes =
                    Attributes::read(rest).map_err(|(what, hint)| refused(what, hint))?;
                let key = (attributes.author.clone(), attributes.id.clone());
                if !seen.insert(key) {
                    return Err(refused(
                        format!(
                            "expected each changeset once, found `{}:{}` again",
                            attributes.author, attributes.id
                        ),
                        "give one of the two another id",
                    ));
                }
                if attributes.ignored {
                    passed.insert(found.len());
                }
                found.push(attributes.changeset(range.start..end, line, position));
            }
            Line::Refused(what) => {
                return Err(refused(
                    format!("expected what runs the same everywhere, found `{what}`"),
                    "write what it decides into the changesets, and take the line out",
                ));
            }
            Line::Comment(comment) => {
                if let Some(changeset) = found.last_mut() {
                    changeset.comment = Some(comment.to_owned());
                    changeset.range.end = end;
                }
            }
            Line::Rollback(rest) => {
                let Some(changeset) = found.last_mut() else {
                    continue;
                };
                if rest.to_ascii_lowercase().starts_with("changeset") {
                    return Err(refused(
                        "expected the SQL that undoes a changeset, found the name of another one"
                            .to_owned(),
                        "write the SQL of that one after `--rollback`",
                    ));
                }
                changeset.has_rollback = true;
                changeset.range.end = end;
            }
            Line::RollbackBlock => {
                if let Some(changeset) = found.last_mut() {
                    changeset.has_rollback = true;
                    changeset.range.end = end;
                }
            }
            Line::Mark => {}
            Line::Remark if content.trim().is_empty() => {}
            Line::Remark => {
                if let Some(changeset) = found.last_mut() {
                    changeset.range.end = end;
                }
            }
            Line::Sql => match found.last_mut() {
                Some(changeset) => changeset.range.end = end,
                None => {
                    remark |= content.trim_start().starts_with("/*");
                    if !remark {
                        return Err(refused(
                            "expected `--changeset AUTHOR:ID` before the first statement"
                                .to_owned(),
                            "write the line before it",
                        ));
                    }
                    remark = !content.contains("*/");
                }
            },
        }
    }
    for changeset in &mut found {
        changeset.text = text[changeset.range.clone()].to_owned();
    }
    let mut index = 0;
    found.retain(|_| {
        index += 1;
        !passed.contains(&(index - 1))
    });
    Ok(found)
}

/// Returns `text` in which all is blank but one half of the changeset in `range`.
pub(super) fn half(text: &str, range: &Range<usize>, half: Half) -> String {
    let mut half_text = String::with_capacity(text.len());
    let mut attributes = Attributes::default();
    let mut in_block = false;
    for (_, line) in lines(text) {
        let content = &text[line.clone()];
        if line.start < range.start || line.start >= range.end {
            blank(&mut half_text, content.as_bytes());
            continue;
        }
        if in_block {
            in_block = !content.trim_end().ends_with("*/");
            match (half, in_block) {
                (Half::Down, true) => half_text.push_str(content),
                (Half::Down, false) => {
                    let end = content.rfind("*/").unwrap_or(content.len());
                    half_text.push_str(&content[..end]);
                    blank(&mut half_text, &content.as_bytes()[end..]);
                }
                (Half::Up, _) => blank(&mut half_text, content.as_bytes()),
            }
            continue;
        }
        match (Line::of(content), half) {
            (Line::Changeset(rest), _) => {
                attributes = Attributes::read(rest).unwrap_or_default();
                blank(&mut half_text, content.as_bytes());
            }
            (Line::RollbackBlock, _) => {
                in_block = true;
                blank(&mut half_text, content.as_bytes());
            }
            (Line::Rollback(rest), Half::Down) if !says_nothing(rest) => {
                let at = content.rfind(rest).unwrap_or(content.len());
                blank(&mut half_text, &content.as_bytes()[..at]);
                half_text.push_str(&content[at..]);
            }
            (Line::Sql | Line::Remark, Half::Up) => match attributes.delimiter_in(content) {
                Some(delimiter) => {
                    half_text.push_str(&content[..delimiter.start]);
                    half_text.push(';');
                    blank(&mut half_text, &content.as_bytes()[delimiter.start + 1..]);
                }
                None => half_text.push_str(content),
            },
            _ => blank(&mut half_text, content.as_bytes()),
        }
    }
    half_text
}

/// Returns what Liquibase takes for the SQL of a changeset, with its comments.
pub fn sql(text: &str) -> String {
    let mut sql = String::with_capacity(text.len());
    let mut in_block = false;
    for (_, line) in lines(text) {
        let content = &text[line];
        if in_block {
            in_block = !content.trim_end().ends_with("*/");
            continue;
        }
        match Line::of(content) {
            Line::RollbackBlock => in_block = true,
            Line::Sql | Line::Remark => sql.push_str(content),
            Line::Changeset(_)
            | Line::Rollback(_)
            | Line::Comment(_)
            | Line::Mark
            | Line::Refused(_) => {}
        }
    }
    sql
}

/// What a line is to Liquibase.
enum Line<'a> {
    /// A changeset begins: what follows the word.
    Changeset(&'a str),
    /// SQL that undoes it.
    Rollback(&'a str),
    /// Such SQL follows, up to the end of the comment.
    RollbackBlock,
    Comment(&'a str),
    /// What decides elsewhere what runs.
    Refused(&'a str),
    /// What only says something of its checksum.
    Mark,
    /// Another comment, or nothing.
    Remark,
    Sql,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let trimmed = line.trim();
        if let Some(block) = trimmed.strip_prefix("/*") {
            let words: Vec<&str> = block.split_whitespace().collect();
            let is_rollback = matches!(words.as_slice(), [first, second]
                if first.eq_ignore_ascii_case("liquibase") && second.eq_ignore_ascii_case("rollback"));
            return if is_rollback {
                Self::RollbackBlock
            } else {
                Self::Sql
            };
        }
        let Some(comment) = trimmed.strip_prefix("--") else {
            return if trimmed.is_empty() {
                Self::Remark
            } else {
                Self::Sql
            };
        };
        let comment = comment.trim_start();
        let end = comment
            .find(|character: char| !(character.is_ascii_alphanumeric() || character == '-'))
            .unwrap_or(comment.len());
        let rest = comment[end..].strip_prefix(':').unwrap_or(&comment[end..]);
        let spaced = rest.is_empty() || rest.starts_with(char::is_whitespace);
        match comment[..end].to_ascii_lowercase().as_str() {
            "changeset" if spaced => Self::Changeset(rest.trim()),
            "rollback" if spaced => Self::Rollback(rest.trim()),
            "comment" if spaced => Self::Comment(rest.trim()),
            "validchecksum" => Self::Mark,
            "preconditions" | "property" | "ignorelines" | "include" | "includeall" => {
                Self::Refused(trimmed)
            }
            word if word.starts_with("precondition-") => Self::Refused(trimmed),
            _ => Self::Remark,
        }
    }
}

/// Says whether a rollback is there to say that nothing is to be undone.
fn says_nothing(rollback: &str) -> bool {
    let words = rollback.to_ascii_lowercase();
    ["", "empty", "not required"].contains(&words.as_str())
}

/// Yields each line with its number and its bytes, without its end.
fn lines(text: &str) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
    let mut start = 0;
    text.split_inclusive('\n')
        .enumerate()
        .map(move |(index, line)| {
            let begin = start;
            start += line.len();
            (index + 1, begin..start)
        })
}

/// Writes as many blanks as there are bytes, and their line ends.
fn blank(into: &mut String, bytes: &[u8]) {
    into.extend(bytes.iter().map(|byte| match byte {
        b'\n' => '\n',
        b'\r' => '\r',
        _ => ' ',
    }));
}

#[cfg(test)]
#[path = "changeset_tests.rs"]
mod tests;
