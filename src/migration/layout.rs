//! Where in a file the sections are, found by reading it as SQL: a marker inside a string is data.

use std::ops::Range;
use std::path::Path;

use serde_json::Value as Json;

use super::directives::Directives;
use super::header::Metadata;
use super::problem::Problem;
use super::split::{LexRules, TokenKind, Tokens};

/// Which sections a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `-- UP`, `-- DOWN`, `-- VERIFY`; without any marker all of it is the up script.
    Single,
    /// The whole file is one script; `-- VERIFY` may follow.
    Whole,
}

/// A script's place in a file and what it asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) range: Range<usize>,
    pub(super) directives: Directives,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) metadata: Metadata,
    pub(super) up: Section,
    pub(super) down: Option<Section>,
    pub(super) verify: Option<Range<usize>>,
    pub(super) warnings: Vec<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Up,
    Down,
    Verify,
}

impl Marker {
    fn of(comment: &str) -> Option<Self> {
        match comment {
            "UP" => Some(Self::Up),
            "DOWN" => Some(Self::Down),
            "VERIFY" => Some(Self::Verify),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Up => "-- UP",
            Self::Down => "-- DOWN",
            Self::Verify => "-- VERIFY",
        }
    }
}

/// Finds the sections of `text`.
pub(super) fn read(
    text: &str,
    kind: Kind,
    path: &Path,
    rules: &'static LexRules,
) -> Result<Layout, Problem> {
    let mut reader = Reader {
        text,
        path,
        current: None,
        sections: Vec::new(),
        filled: false,
        header: None,
        begun_by_marker: false,
    };
    if kind == Kind::Whole {
        reader.open(Marker::Up, 0);
        reader.begun_by_marker = false;
    }
    for token in Tokens::new(text, 0, rules) {
        let token = token.map_err(|unterminated| {
            reader.problem(
                "unterminated",
                unterminated.offset,
                format!(
                    "expected the end of {}, found the end of the file",
                    unterminated.what
                ),
                "close it",
            )
        })?;
        match token.kind {
            TokenKind::Space => {}
            TokenKind::Comment => reader.comment(token.range, kind)?,
            _ => reader.filled(token.range.start, kind)?,
        }
    }
    reader.finish()
}

struct Open {
    marker: Marker,
    start: usize,
    directives: Directives,
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    current: Option<Open>,
    sections: Vec<(Open, usize)>,
    /// A statement of the current section has begun.
    filled: bool,
    /// The header's first byte after `@metadata`.
    header: Option<usize>,
    begun_by_marker: bool,
}

impl Reader<'_> {
    fn comment(&mut self, range: Range<usize>, kind: Kind) -> Result<(), Problem> {
        let comment = &self.text[range.clone()];
        let Some(content) = comment.strip_prefix("--") else {
            return Ok(());
        };
        let content = content.trim();
        if let Some(marker) = Marker::of(content) {
            return self.marker(marker, &range, kind);
        }
        if let Some(directive) = content.strip_prefix("mledger:") {
            return self.directive(directive, range.start, kind);
        }
        if content == "@metadata"
            || content.starts_with("@metadata ")
            || content.starts_with("@metadata{")
        {
            if self.header.is_some() {
                return Err(self.problem(
                    "header-invalid",
                    range.start,
                    "expected one header, found a second".to_owned(),
                    "merge the two",
                ));
            }
            if self.filled || (self.begun_by_marker && !self.sections.is_empty()) {
                return Err(self.problem(
                    "header-invalid",
                    range.start,
                    "expected the header before the first statement".to_owned(),
                    "move it to the top of the file",
                ));
            }
            let at = comment.find("@metadata").unwrap_or(0) + "@metadata".len();
            self.header = Some(range.start + at);
        }
        Ok(())
    }

    fn marker(&mut self, marker: Marker, range: &Range<usize>, kind: Kind) -> Result<(), Problem> {
        let whole = kind == Kind::Whole;
        if whole && marker != Marker::Verify {
            return Err(self.problem(
                "section-unexpected",
                range.start,
                format!(
                    "expected one script in a file of a pair, found the marker `{}`",
                    marker.name()
                ),
                "take the marker out, or name the file `VERSION_name.sql` and keep both scripts in it",
            ));
        }
        let again = self.sections.iter().any(|(open, _)| open.marker == marker)
            || self
                .current
                .as_ref()
                .is_some_and(|open| open.marker == marker);
        if again {
            return Err(self.problem(
                "section-unexpected",
                range.start,
                format!(
                    "expected the section `{}` once, found it again",
                    marker.name()
                ),
                "merge the two",
            ));
        }
        if let Some(open) = self.current.take() {
            self.sections.push((open, range.start));
        } else if self.filled {
            return Err(self.before_section(range.start));
        }
        self.open(marker, range.end);
        Ok(())
    }

    fn open(&mut self, marker: Marker, start: usize) {
        self.current = Some(Open {
            marker,
            start,
            directives: Directives::default(),
        });
        self.filled = false;
        self.begun_by_marker = true;
    }

    fn directive(&mut self, text: &str, offset: usize, kind: Kind) -> Result<(), Problem> {
        if self.filled {
            return Err(self.problem(
                "directive-misplaced",
                offset,
                "expected directives before the first statement of their section".to_owned(),
                "move the line up",
            ));
        }
        if self.current.is_none() && kind == Kind::Single {
            // a file without markers is one section, which begins here
            self.open(Marker::Up, 0);
            self.begun_by_marker = false;
        }
        let taken = match &mut self.current {
            Some(open) if open.marker != Marker::Verify => open.directives.take(text),
            _ => Err("expected queries in the section `-- VERIFY`, found a directive".to_owned()),
        };
        taken.map_err(|message| {
            self.problem(
                "directive-invalid",
                offset,
                message,
                "the directives are listed in docs/cli.md",
            )
        })
    }

    /// A statement begins, or goes on.
    fn filled(&mut self, offset: usize, kind: Kind) -> Result<(), Problem> {
        if self.filled {
            return Ok(());
        }
        if self.current.is_none() && kind == Kind::Single {
            self.open(Marker::Up, 0);
            self.begun_by_marker = false;
        }
        let _ = offset;
        self.filled = true;
        Ok(())
    }

    fn before_section(&self, offset: usize) -> Problem {
        self.problem(
            "section-unexpected",
            offset,
            "expected the first statement after the marker `-- UP`, found one before it".to_owned(),
            "put `-- UP` above the first statement",
        )
    }

    fn finish(mut self) -> Result<Layout, Problem> {
        if let Some(open) = self.current.take() {
            self.sections.push((open, self.text.len()));
        }
        let mut layout = Layout::default();
        // without statements and markers all of the file is an empty up script
        layout.up.range = 0..self.text.len();
        if let Some(header) = self.header {
            let (metadata, warnings) = self.header(header)?;
            layout.metadata = metadata;
            layout.warnings = warnings;
        }
        let explicit = self
            .sections
            .iter()
            .any(|(open, _)| open.marker == Marker::Up);
        if !explicit && let Some((open, _)) = self.sections.first() {
            return Err(self.problem(
                "section-unexpected",
                open.start,
                format!(
                    "expected the section `-- UP`, found only `{}`",
                    open.marker.name()
                ),
                "add `-- UP` and the statements that make the change",
            ));
        }
        for (open, end) in self.sections {
            let range = open.start..end;
            let directives = open.directives;
            match open.marker {
                Marker::Up => layout.up = Section { range, directives },
                Marker::Down => layout.down = Some(Section { range, directives }),
                Marker::Verify => layout.verify = Some(range),
            }
        }
        Ok(layout)
    }

    /// Reads the JSON object that begins at byte `at` and goes on in the comment lines after it.
    fn header(&self, at: usize) -> Result<(Metadata, Vec<Problem>), Problem> {
        let mut json = String::new();
        for (index, line) in self.text[at..].lines().enumerate() {
            let content = match (index, line.trim_start().strip_prefix("--")) {
                (0, _) => line,
                (_, Some(content)) => content,
                (_, None) => break,
            };
            json.push_str(content);
            json.push('\n');
        }
        let mut values = serde_json::Deserializer::from_str(&json).into_iter::<Json>();
        let fail = |line: usize, message: String| {
            let mut problem = self.problem(
                "header-invalid",
                at,
                message,
                "the header is a JSON object in comment lines; docs/cli.md lists its members",
            );
            problem.line = problem.line.map(|first| first + line);
            problem.column = None;
            problem
        };
        let members = match values.next() {
            Some(Ok(Json::Object(members))) => members,
            Some(Ok(other)) => {
                return Err(fail(0, format!("expected a JSON object, found {other}")));
            }
            Some(Err(error)) => {
                let line = error.line().saturating_sub(1);
                return Err(fail(line, format!("the header is not JSON: {error}")));
            }
            None => return Err(fail(0, "expected a JSON object, found nothing".to_owned())),
        };
        let (metadata, unknown) =
            Metadata::from_json(&members).map_err(|message| fail(0, message))?;
        let warnings = unknown
            .iter()
            .map(|name| {
                let mut problem = self.problem(
                    "metadata-unknown",
                    at,
                    format!("the header's member `{name}` is not known and is not recorded"),
                    "docs/cli.md lists the members",
                );
                problem.column = None;
                problem
            })
            .collect();
        Ok((metadata, warnings))
    }

    fn problem(&self, code: &'static str, offset: usize, message: String, hint: &str) -> Problem {
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Problem {
            code,
            path: self.path.to_owned(),
            line: Some(before.matches('\n').count() + 1),
            column: Some(before[line_start..].chars().count() + 1),
            message,
            hint: hint.to_owned(),
        }
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
