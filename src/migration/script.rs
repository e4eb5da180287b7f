//! A script's bytes, read when they are needed and only if they are the ones that were hashed.

use std::ops::Range;
use std::path::{Path, PathBuf};

use ledger::Digest;

use super::changeset::{self, Half};
use super::directives::Directives;
use super::folder;
use super::layout::{self, Kind};
use super::problem::Problem;
use super::split::{LexRules, Statement, Units};
use super::style::Style;
use super::{Form, path_of};

/// Where a script is, and what its bytes hash to; the text itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFile {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the exact bytes of the whole file.
    pub digest: Digest,
    /// The size of the whole file in bytes.
    pub size: u64,
    /// The bytes of the file that are this script.
    pub section: Range<usize>,
    /// The bytes of the file that are queries to verify it by.
    pub verify: Option<Range<usize>>,
    /// What the script asks for.
    pub directives: Directives,
    /// The section is one half of a changeset, and digest and size are the changeset's alone.
    pub(super) half: Option<Half>,
}

impl ScriptFile {
    /// Reads the file again.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when it cannot be read, or when its bytes are not those that were hashed.
    pub fn load(&self) -> Result<Script, Problem> {
        let mut bytes = folder::bytes(&self.path)?;
        let own = match self.half {
            None => Some(bytes.as_slice()),
            Some(_) => bytes.get(self.section.clone()),
        };
        if own.map(Digest::of) != Some(self.digest) {
            return Err(Problem::new(
                "file-changed-while-running",
                &self.path,
                "the file was changed after it was read for the first time",
                "run again when nothing writes to the folder",
            ));
        }
        let mut source = None;
        if let Some(half) = self.half {
            source = own.map(<[u8]>::to_vec);
            let text = utf8(bytes, &self.path)?;
            bytes = changeset::half(&text, &self.section, half).into_bytes();
        }
        Ok(Script {
            source,
            text: utf8(bytes, &self.path)?,
            path: self.path.clone(),
            section: self.section.clone(),
            verify: self.verify.clone(),
            directives: self.directives.clone(),
        })
    }
}

/// A script's text, in memory once.
#[derive(Debug)]
pub struct Script {
    text: String,
    /// What is recorded of it, where that is not the text.
    source: Option<Vec<u8>>,
    path: PathBuf,
    section: Range<usize>,
    verify: Option<Range<usize>>,
    directives: Directives,
}

/// A place in a file, as people find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line's text.
    pub text: &'a str,
}

impl Script {
    /// Returns the down script in bytes that were recorded when a migration was applied.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when the bytes cannot be read as such a script any more.
    pub fn recorded(
        bytes: Vec<u8>,
        label: &str,
        form: Form,
        rules: &'static LexRules,
    ) -> Result<Self, Problem> {
        let path = path_of(label);
        let text = utf8(bytes, &path)?;
        if changeset::begins(&text) {
            return Self::recorded_half(&text, path, Half::Down, rules);
        }
        let section = match form {
            Form::Pair => {
                layout::read(&text, Kind::PairDown, Style::Ours, &path, rules)
                    // a file of a format without marks may have any comment
                    .or_else(|_| layout::read(&text, Kind::PairDown, Style::Plain, &path, rules))?
                    .own
            }
            Form::Single => layout::read(&text, Kind::Single, Style::of(&text), &path, rules)?
                .down
                .ok_or_else(|| {
                    Problem::new(
                        "irreversible",
                        &path,
                        "the recorded file has no section `-- DOWN`",
                        "write a new migration that undoes it",
                    )
                })?,
        };
        Ok(Self {
            text,
            source: None,
            path,
            section: section.range,
            verify: None,
            directives: section.directives,
        })
    }

    /// Returns the up script in bytes that were recorded when it was started.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when the bytes cannot be read as such a script any more.
    pub fn recorded_up(
        bytes: Vec<u8>,
        label: &str,
        rules: &'static LexRules,
    ) -> Result<Self, Problem> {
        let path = path_of(label);
        let text = utf8(bytes, &path)?;
        if changeset::begins(&text) {
            return Self::recorded_half(&text, path, Half::Up, rules);
        }
        let found = layout::read(&text, Kind::Single, Style::of(&text), &path, rules)
            .or_else(|_| layout::read(&text, Kind::PairUp, Style::Ours, &path, rules))
            .or_else(|_| layout::read(&text, Kind::PairUp, Style::Plain, &path, rules))?;
        Ok(Self {
            text,
            source: None,
            path,
            section: found.own.range,
            verify: found.verify,
            directives: found.own.directives,
        })
    }

    fn recorded_half(
        text: &str,
        path: PathBuf,
        half: Half,
        rules: &'static LexRules,
    ) -> Result<Self, Problem> {
        let all = changeset::read(text, &path)?;
        let no_transaction = all.iter().any(|changeset| changeset.no_transaction);
        let own = changeset::half(text, &(0..text.len()), half);
        let mut section = layout::read(&own, Kind::PairUp, Style::Plain, &path, rules)?.own;
        section.directives.no_transaction |= no_transaction;
        Ok(Self {
            source: Some(text.as_bytes().to_vec()),
            text: own,
            path,
            section: section.range,
            verify: None,
            directives: section.directives,
        })
    }

    /// Makes a script of the given sections of `text`.
    #[cfg(test)]
    pub(super) fn sections(
        text: &str,
        section: Range<usize>,
        verify: Option<Range<usize>>,
    ) -> Self {
        Self {
            text: text.to_owned(),
            source: None,
            path: PathBuf::from("1_x.sql"),
            section,
            verify,
            directives: Directives::default(),
        }
    }

    /// Returns the exact bytes that are recorded: those of the whole file, or of the changeset.
    pub fn bytes(&self) -> &[u8] {
        self.source.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// Returns the text in which sections and places are counted.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns what the script asks for.
    pub fn directives(&self) -> &Directives {
        &self.directives
    }

    /// Yields the statements one by one, without holding all of them.
    pub fn statements(
        &self,
        rules: &'static LexRules,
    ) -> impl Iterator<Item = Result<Statement<'_>, Problem>> + use<'_> {
        self.statements_in(self.section.clone(), rules)
    }

    /// Yields the queries of the VERIFY section.
    pub fn verifications(
        &self,
        rules: &'static LexRules,
    ) -> impl Iterator<Item = Result<Statement<'_>, Problem>> + use<'_> {
        let end = self.text.len();
        self.statements_in(self.verify.clone().unwrap_or(end..end), rules)
    }

    fn statements_in(
        &self,
        section: Range<usize>,
        rules: &'static LexRules,
    ) -> impl Iterator<Item = Result<Statement<'_>, Problem>> + use<'_> {
        let mut counted = 0;
        let mut line = 1;
        let mut index = 0;
        Units::new(&self.text, section, rules).map(move |unit| {
            let (range, class) = match unit {
                Ok(unit) => unit,
                Err(unterminated) => {
                    let place = self.line_of(unterminated.offset);
                    return Err(Problem {
                        code: "unterminated",
                        path: self.path.clone(),
                        line: Some(place.line),
                        column: Some(place.column),
                        message: format!(
                            "expected the end of {}, found the end of the script",
                            unterminated.what
                        ),
                        hint: "close it".to_owned(),
                    });
                }
            };
            line += newlines(&self.text.as_bytes()[counted..range.start]);
            counted = range.start;
            index += 1;
            Ok(Statement {
                text: &self.text[range.clone()],
                offset: range.start,
                line,
                index,
                class,
            })
        })
    }

    /// Returns the file, or what was recorded of it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where byte `offset` of the file is.
    pub fn line_of(&self, offset: usize) -> Place<'_> {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let text = self.text[start..].lines().next().unwrap_or_default();
        Place {
            line: newlines(before.as_bytes()) + 1,
            column: before[start..].chars().count() + 1,
            text,
        }
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// Takes bytes as text, or says at which byte they are not.
pub(super) fn utf8(bytes: Vec<u8>, path: &Path) -> Result<String, Problem> {
    let marks: [(&[u8], &str); 2] = [(b"\xff\xfe", "UTF-16LE"), (b"\xfe\xff", "UTF-16BE")];
    for (mark, name) in marks {
        if bytes.starts_with(mark) {
            return Err(Problem::new(
                "encoding-invalid",
                path,
                format!("expected UTF-8, found {name}"),
                "save the file as UTF-8",
            ));
        }
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        Problem::new(
            "encoding-invalid",
            path,
            format!(
                "expected UTF-8, found another encoding at byte {}",
                error.utf8_error().valid_up_to()
            ),
            "save the file as UTF-8",
        )
    })?;
    if let Some(at) = text.find('\0') {
        let line = newlines(&text.as_bytes()[..at]) + 1;
        return Err(Problem::new(
            "encoding-invalid",
            path,
            format!("expected text, found a NUL at byte {at}"),
            "take it out",
        )
        .at_line(line));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::split::SQLITE;
    use super::*;

    fn script(text: &str) -> Script {
        Script::sections(text, 0..text.len(), None)
    }

    #[test]
    fn statements_know_their_lines() {
        let script = script("-- é\nSELECT 1;\n\n  SELECT\n 2;");
        let lines: Vec<_> = script
            .statements(&SQLITE)
            .map(|statement| statement.unwrap())
            .map(|statement| (statement.index, statement.line, statement.text))
            .collect();
        assert_eq!(lines, [(1, 2, "SELECT 1"), (2, 4, "SELECT\n 2")]);
        let place = script.line_of(script.text.find('2').unwrap());
        assert_eq!((place.line, place.column, place.text), (5, 2, " 2;"));
        assert_eq!(script.line_of(5).column, 5);
    }

    #[test]
    fn other_encodings_are_named() {
        let refused = |bytes: &[u8]| utf8(bytes.to_vec(), Path::new("x")).unwrap_err().message;
        assert_eq!(refused(b"\xff\xfeS\0"), "expected UTF-8, found UTF-16LE");
        assert_eq!(refused(b"\xfe\xff\0S"), "expected UTF-8, found UTF-16BE");
        assert_eq!(
            refused(b"-- caf\xe9"),
            "expected UTF-8, found another encoding at byte 6"
        );
        assert_eq!(refused(b"a\0"), "expected text, found a NUL at byte 1");
    }
}
