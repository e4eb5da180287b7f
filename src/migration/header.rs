//! The header of a migration: a JSON object in the comment lines from `-- @metadata` on.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value as Json;

use super::metadata::Metadata;
use super::problem::Problem;

const HINT: &str = "the header is a JSON object in comment lines; docs/cli.md lists its members";

/// The lines of a header as they are read, until its object is closed.
#[derive(Debug)]
pub(super) struct Header {
    text: String,
    /// The line of the file that each line of `text` is from.
    lines: Vec<usize>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl Header {
    /// Begins with what stands behind `@metadata` on line `line` of the file.
    pub(super) fn begin(line: usize, text: &str) -> Self {
        let mut header = Self {
            text: String::new(),
            lines: Vec::new(),
            depth: 0,
            in_string: false,
            escaped: false,
            closed: false,
        };
        header.push(line, text);
        header
    }

    /// Says whether the object is closed, so that no further line belongs to it.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes the text of one more comment line.
    pub(super) fn push(&mut self, line: usize, text: &str) {
        let text = text.trim_end_matches(['\r', '\n']);
        self.lines.push(line);
        self.text.push_str(text);
        self.text.push('\n');
        for byte in text.bytes() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.closed |= self.depth == 0;
                }
                // what is no object is closed by its own error
                byte if self.depth == 0 && !byte.is_ascii_whitespace() => self.closed = true,
                _ => {}
            }
        }
    }

    /// Reads the object; what is odd and stops nothing is returned beside it.
    pub(super) fn read(self, path: &Path) -> Result<(Metadata, Vec<Problem>), Problem> {
        let first = self.line_at(0);
        let refuse = |line: usize, message: String| {
            Problem::new("header-invalid", path, message, HINT).at_line(line)
        };
        if !self.closed {
            let message = "expected the `}` of the header in a comment line, found none";
            return Err(refuse(first, message.to_owned()));
        }
        let members: Members = serde_json::from_str(&self.text).map_err(|error| {
            let message = error.to_string();
            // the parser counts from the header's first line
            let message = message.split(" at line ").next().unwrap_or_default();
            refuse(
                self.line_at(error.line().saturating_sub(1)),
                format!("the header is not a JSON object: {message}"),
            )
        })?;
        let (metadata, unknown) = Metadata::from_members(&members.0).map_err(|invalid| {
            let line = invalid.member.map_or(first, |name| self.line_of(&name));
            refuse(line, invalid.message)
        })?;
        let warnings = unknown.iter().map(|name| {
            let message = format!("the header's member `{name}` is not known and is not recorded");
            Problem::new(
                "metadata-unknown",
                path,
                message,
                "docs/cli.md lists the members",
            )
            .at_line(self.line_of(name))
        });
        Ok((metadata, warnings.collect()))
    }

    fn line_at(&self, index: usize) -> usize {
        let line = self.lines.get(index).or(self.lines.last());
        line.copied().unwrap_or(1)
    }

    /// The line of the file on which the member stands; its first where that cannot be told.
    fn line_of(&self, member: &str) -> usize {
        let name = Json::from(member).to_string();
        let index = self.text.lines().position(|line| line.contains(&name));
        self.line_at(index.unwrap_or(0))
    }
}

/// The members of an object in their order, none twice: a map would silently keep the last of two.
struct Members(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            if members.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!("member `{name}` stands twice")));
            }
            members.push((name, value));
        }
        Ok(Members(members))
    }
}
