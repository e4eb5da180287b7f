//! What stands in the line that begins a changeset.

use std::ops::Range;

use super::Changeset;

/// Who wrote it, its id, and how it is to run.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) author: String,
    pub(super) id: String,
    pub(super) ignored: bool,
    labels: Vec<String>,
    no_transaction: bool,
    on_change: bool,
    /// What ends a statement, where that is no semicolon.
    delimiter: Option<String>,
    /// It stands alone on its line.
    alone: bool,
}

/// What was expected and found, and what to do.
type Refusal = (String, &'static str);

impl Attributes {
    /// Reads what follows the word `changeset`.
    pub(super) fn read(rest: &str) -> Result<Self, Refusal> {
        let (author, rest) = quoted(rest, ':').ok_or_else(|| nameless(rest))?;
        let rest = rest.strip_prefix(':').ok_or_else(|| nameless(rest))?;
        let (id, rest) = quoted(rest.trim_start(), ' ').ok_or_else(|| nameless(rest))?;
        let shown = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        if !shown(author) || !shown(id) {
            return Err(nameless(rest));
        }
        let mut attributes = Self {
            author: author.trim().to_owned(),
            id: id.to_owned(),
            ..Self::default()
        };
        let mut rest = rest.trim();
        while !rest.is_empty() {
            let (key, after) = rest.split_once(':').ok_or_else(|| odd(rest))?;
            let (value, after) = quoted(after, ' ').ok_or_else(|| odd(rest))?;
            attributes.set(key, value)?;
            rest = after.trim_start();
        }
        Ok(attributes)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Refusal> {
        let truth = || match value.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(odd(&format!("{key}:{value}"))),
        };
        let refused = |hint| {
            Err((
                format!(
                    "expected a changeset that runs once and everywhere, found `{key}:{value}`"
                ),
                hint,
            ))
        };
        match key.to_ascii_lowercase().as_str() {
            "labels" => {
                let labels = value.split(',').map(|label| label.trim().to_owned());
                self.labels.extend(labels.filter(|label| !label.is_empty()));
            }
            "runintransaction" => self.no_transaction = !truth()?,
            "runonchange" => self.on_change = truth()?,
            "ignore" => self.ignored = truth()?,
            "enddelimiter" => self.end_by(value)?,
            // statements are cut by reading them, and comments are none
            "splitstatements" | "stripcomments" | "rollbacksplitstatements" => {
                truth()?;
            }
            "logicalfilepath" | "created" => {}
            "runalways" | "failonerror" if value.eq_ignore_ascii_case(default_of(key)) => {}
            "runalways" => {
                return refused(
                    "what is to run each time belongs after `mledger up`, as a script of its own",
                );
            }
            "failonerror" => {
                return refused("a failure stops here: write a statement that cannot fail instead");
            }
            "context" | "contextfilter" | "contexts" => {
                return refused(
                    "keep what belongs to one environment in a folder of its own, with `migrations` set for \
                     that environment",
                );
            }
            "dbms" => {
                return refused("keep the changesets of each database in a folder of their own");
            }
            _ => return Err(odd(&format!("{key}:{value}"))),
        }
        Ok(())
    }

    fn end_by(&mut self, value: &str) -> Result<(), Refusal> {
        let (alone, delimiter) = match value.strip_prefix("\\n") {
            Some(delimiter) => (true, delimiter),
            None => (false, value),
        };
        if delimiter.is_empty() || delimiter.contains('\\') {
            return Err((
                format!("expected a text as `endDelimiter`, found the pattern `{value}`"),
                "write the delimiter as it stands in the file; statements are cut by reading them",
            ));
        }
        self.alone = alone;
        self.delimiter = (delimiter != ";").then(|| delimiter.to_owned());
        Ok(())
    }

    /// Returns where the delimiter is that ends a line.
    pub(super) fn delimiter_in(&self, line: &str) -> Option<Range<usize>> {
        let delimiter = self.delimiter.as_deref()?;
        let trimmed = line.trim_end();
        let start = trimmed.len().checked_sub(delimiter.len())?;
        let found = trimmed.get(start..)?.eq_ignore_ascii_case(delimiter);
        // a word must stand by itself, or a name would end in it
        let wordy = delimiter.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let by_itself = trimmed[..start].trim().is_empty();
        (found && (by_itself || !(wordy || self.alone))).then_some(start..trimmed.len())
    }

    /// Returns the changeset that begins so.
    pub(super) fn changeset(self, range: Range<usize>, line: usize, position: usize) -> Changeset {
        Changeset {
            author: self.author,
            id: self.id,
            range,
            text: String::new(),
            line,
            comment: None,
            labels: self.labels,
            no_transaction: self.no_transaction,
            on_change: self.on_change,
            position,
            has_rollback: false,
        }
    }
}

fn default_of(key: &str) -> &'static str {
    if key.eq_ignore_ascii_case("failOnError") {
        "true"
    } else {
        "false"
    }
}

/// Takes a text in quotes, or up to `end` or white space after it; returns what follows too.
fn quoted(text: &str, end: char) -> Option<(&str, &str)> {
    if let Some(inside) = text.strip_prefix('"') {
        return inside.split_once('"');
    }
    let is_end = |character: char| match end {
        ' ' => character.is_whitespace(),
        end => character == end,
    };
    Some(text.split_at(text.find(is_end).unwrap_or(text.len())))
}

fn nameless(found: &str) -> Refusal {
    (
        format!("expected `AUTHOR:ID` after `--changeset`, found `{found}`"),
        "give the changeset an author and an id",
    )
}

fn odd(found: &str) -> Refusal {
    (
        format!("expected an attribute of a changeset that is known here, found `{found}`"),
        "docs/guides/from-liquibase.md lists them; take it out, or write into the SQL what it does",
    )
}
