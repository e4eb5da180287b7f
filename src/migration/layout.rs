//! Where in a file the header, the sections and their directives are, found by reading it as SQL: a
//! marker inside a string or a closed block comment is data.

mod unclosed;

use std::ops::Range;
use std::path::Path;

use super::directives::Directives;
use super::header::Header;
use super::marker::{Line, Marker};
use super::metadata::Metadata;
use super::problem::Problem;
use super::split::{LexRules, Token, TokenKind, Tokens};
use super::style::{Mark, Style};

/// What kind of file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `-- UP`, `-- DOWN`, `-- VERIFY`; without any marker all of it is the up script.
    Single,
    /// The file is an up script; `-- VERIFY` may follow.
    PairUp,
    /// The file is a down script and nothing else.
    PairDown,
}

impl Kind {
    /// The section that is the file's own script.
    fn own(self) -> Marker {
        match self {
            Self::Single | Self::PairUp => Marker::Up,
            Self::PairDown => Marker::Down,
        }
    }

    fn may_have(self, marker: Marker) -> bool {
        match self {
            Self::Single => true,
            Self::PairUp => marker != Marker::Down,
            Self::PairDown => marker == Marker::Down,
        }
    }
}

/// A script's place in a file and what it asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) range: Range<usize>,
    pub(super) directives: Directives,
    /// It has no statement.
    pub(super) empty: bool,
    /// Where its marker is, or where the file begins.
    pub(super) line: usize,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) metadata: Metadata,
    /// The file's own script: in the down file of a pair, the down script.
    pub(super) own: Section,
    /// The down script beside the up script.
    pub(super) down: Option<Section>,
    pub(super) verify: Option<Range<usize>>,
    pub(super) warnings: Vec<Problem>,
}

/// Finds the sections of `text`.
pub(super) fn read(
    text: &str,
    kind: Kind,
    style: Style,
    path: &Path,
    rules: &'static LexRules,
) -> Result<Layout, Problem> {
    let mut reader = Reader {
        text,
        path,
        kind,
        style,
        rules,
        open: vec![Open::new(None, 0, 0)],
        depth: 0,
        begins: true,
        header: None,
        read: None,
        no_transaction: style.has_no_transaction(text),
        warnings: Vec::new(),
    };
    let mut tokens = Tokens::new(text, 0, rules);
    while let Some(token) = tokens.next() {
        let token = token.map_err(|unterminated| {
            let what = unterminated.what;
            let message = format!("expected the end of {what}, found the end of the file");
            reader.problem("unterminated", unterminated.offset, message, "close it")
        })?;
        let sections = reader.open.len();
        reader.token(&token)?;
        if reader.open.len() > sections {
            tokens.restart();
        }
    }
    reader.finish()
}

/// A section as it is read.
struct Open {
    /// None before the first marker.
    marker: Option<Marker>,
    /// Where the marker is: the section before ends here.
    at: usize,
    start: usize,
    directives: Directives,
    /// Its first directive.
    directive: Option<usize>,
    /// Its first statement.
    statement: Option<usize>,
}

impl Open {
    fn new(marker: Option<Marker>, at: usize, start: usize) -> Self {
        Self {
            marker,
            at,
            start,
            directives: Directives::default(),
            directive: None,
            statement: None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    kind: Kind,
    style: Style,
    rules: &'static LexRules,
    /// The sections so far; the last one goes on.
    open: Vec<Open>,
    /// How many parentheses of the current statement are open.
    depth: usize,
    /// The next token that is code begins a statement.
    begins: bool,
    /// The header whose object is not closed yet.
    header: Option<Header>,
    /// What the header says.
    read: Option<Metadata>,
    /// No section of the file runs in a transaction.
    no_transaction: bool,
    warnings: Vec<Problem>,
}

impl Reader<'_> {
    fn token(&mut self, token: &Token) -> Result<(), Problem> {
        let text = &self.text[token.range.clone()];
        let line_comment = token.kind == TokenKind::Comment && !text.starts_with("/*");
        if !line_comment && token.kind != TokenKind::Space {
            self.end_header()?;
        }
        match token.kind {
            TokenKind::Space | TokenKind::Client => {}
            TokenKind::Comment if line_comment => self.line_comment(token.range.clone())?,
            TokenKind::Comment => self.block_comment(token.range.clone())?,
            TokenKind::End => {
                self.depth = 0;
                self.begins = true;
            }
            TokenKind::Data => {
                self.data(token.range.clone())?;
                self.depth = 0;
                self.begins = true;
            }
            TokenKind::Quoted => self.code(token.range.start),
            TokenKind::Word | TokenKind::Other => {
                let next = self.text.as_bytes().get(token.range.end);
                if self.rules.is_client_command(text, self.begins, next) {
                    return Err(self.client_command(token.range.start));
                }
                match text {
                    "(" => self.depth += 1,
                    ")" => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                self.code(token.range.start);
            }
        }
        Ok(())
    }

    fn code(&mut self, offset: usize) {
        self.begins = false;
        if let Some(open) = self.open.last_mut() {
            open.statement.get_or_insert(offset);
        }
    }

    fn line_comment(&mut self, range: Range<usize>) -> Result<(), Problem> {
        let comment = &self.text[range.clone()];
        let Some(content) = comment.strip_prefix("--") else {
            return Ok(());
        };
        if let Some(header) = &mut self.header {
            let line = line_at(self.text, range.start);
            header.push(line, content);
            return if header.is_closed() {
                self.end_header()
            } else {
                Ok(())
            };
        }
        let content = content.trim();
        if let Some(directive) = without_prefix(content, "mledger:") {
            return self.directive(directive, range.start);
        }
        if let Some(json) = without_prefix(content, "@metadata")
            && !json.starts_with(|next: char| next.is_alphanumeric() || next == '_')
        {
            return self.begin_header(json, range.start);
        }
        if self.style != Style::Ours {
            return match self.style.mark(comment) {
                Mark::Section(marker, no_transaction) => {
                    self.marker(marker, &range)?;
                    if let Some(open) = self.open.last_mut() {
                        open.directives.no_transaction = no_transaction;
                    }
                    Ok(())
                }
                Mark::NoTransaction => {
                    self.no_transaction = true;
                    Ok(())
                }
                Mark::Remark => Ok(()),
                Mark::Refused(message, hint) => {
                    Err(self.problem("section-unexpected", range.start, message, hint))
                }
            };
        }
        match Line::of(comment) {
            Line::Marker(marker) => self.marker(marker, &range),
            // in a file of a pair the name of its own half divides nothing
            Line::Like(marker) if self.kind != Kind::Single && marker == self.kind.own() => Ok(()),
            Line::Like(marker) => Err(self.problem(
                "section-unexpected",
                range.start,
                format!(
                    "expected the marker `{}`, found `{}`",
                    marker.written(),
                    comment.trim_end()
                ),
                "write the marker exactly so, on a line of its own",
            )),
            Line::Foreign => Err(self.problem(
                "section-unexpected",
                range.start,
                format!(
                    "expected no mark of another tool, found `{}`",
                    comment.trim_end()
                ),
                "take it out; sections begin with `-- UP`, `-- DOWN` and `-- VERIFY`",
            )),
            Line::Remark => Ok(()),
        }
    }

    fn marker(&mut self, marker: Marker, range: &Range<usize>) -> Result<(), Problem> {
        let written = self.style.written(marker);
        let line_start = self.text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let before = self.text[line_start..range.start].trim_start_matches('\u{feff}');
        let again = self.open.iter().any(|open| open.marker == Some(marker));
        let (message, hint) = if !self.kind.may_have(marker) {
            (
                format!("expected one script in a file of a pair, found the marker `{written}`"),
                "move the section to the other file, or keep all of them in one file \
                 `VERSION_name.sql`",
            )
        } else if again {
            (
                format!("expected the section `{written}` once, found it again"),
                "merge the two",
            )
        } else if !before.trim().is_empty() {
            (
                format!(
                    "expected the marker `{written}` on a line of its own, found it behind code"
                ),
                "move it to the next line",
            )
        } else if self.depth > 0 {
            (
                format!("expected `)` before the marker `{written}`, found none"),
                "close the parenthesis of the statement before it",
            )
        } else {
            self.open
                .push(Open::new(Some(marker), range.start, range.end));
            self.begins = true;
            return Ok(());
        };
        Err(self.problem("section-unexpected", range.start, message, hint))
    }

    fn directive(&mut self, text: &str, offset: usize) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        if open.statement.is_some() {
            return Err(self.problem(
                "directive-misplaced",
                offset,
                "expected directives before the first statement of their section".to_owned(),
                "move the line up",
            ));
        }
        open.directive.get_or_insert(offset);
        let taken = if open.marker == Some(Marker::Verify) {
            Err("expected queries in the section `-- VERIFY`, found a directive".to_owned())
        } else {
            open.directives.take(text)
        };
        let hint = "the directives are listed in docs/cli.md";
        taken.map_err(|message| self.problem("directive-invalid", offset, message, hint))
    }

    fn begin_header(&mut self, json: &str, offset: usize) -> Result<(), Problem> {
        let refused = if self.read.is_some() {
            Some(("expected one header, found a second", "merge the two"))
        } else if self.kind == Kind::PairDown {
            Some((
                "expected no header in the down file of a pair, found one",
                "move it to the up file",
            ))
        } else if self.open.iter().any(|open| open.statement.is_some()) || self.open.len() > 2 {
            Some((
                "expected the header before the first statement",
                "move it to the top of the file",
            ))
        } else {
            None
        };
        if let Some((message, hint)) = refused {
            return Err(self.problem("header-invalid", offset, message.to_owned(), hint));
        }
        let header = Header::begin(line_at(self.text, offset), json);
        let closed = header.is_closed();
        self.header = Some(header);
        if closed { self.end_header() } else { Ok(()) }
    }

    fn end_header(&mut self) -> Result<(), Problem> {
        if let Some(header) = self.header.take() {
            let (metadata, mut warnings) = header.read(self.path)?;
            self.read = Some(metadata);
            self.warnings.append(&mut warnings);
        }
        Ok(())
    }

    fn client_command(&self, offset: usize) -> Problem {
        let line = self.text[offset..].lines().next().unwrap_or_default();
        let shown: String = line.trim_end().chars().take(60).collect();
        self.problem(
            "client-command",
            offset,
            format!(
                "expected a statement, found `{shown}`, a command to the client program {}",
                self.rules.client
            ),
            "take it out: scripts are sent to the database itself",
        )
    }

    fn finish(mut self) -> Result<Layout, Problem> {
        self.end_header()?;
        self.check_order()?;
        self.check_direction();
        let own = self.kind.own();
        let explicit = self.open.iter().any(|open| open.marker == Some(own));
        let mut layout = Layout {
            metadata: self.read.unwrap_or_default(),
            warnings: self.warnings,
            ..Layout::default()
        };
        let mut end = self.text.len();
        for open in self.open.into_iter().rev() {
            let mut directives = open.directives;
            directives.no_transaction |= self.no_transaction;
            let section = Section {
                range: open.start..end,
                directives,
                empty: open.statement.is_none(),
                line: line_at(self.text, open.at),
            };
            end = open.at;
            match open.marker {
                None if explicit => {}
                None => layout.own = section,
                Some(marker) if marker == own => layout.own = section,
                Some(Marker::Verify) => layout.verify = Some(section.range),
                Some(Marker::Up | Marker::Down) => layout.down = Some(section),
            }
        }
        Ok(layout)
    }

    /// Statements and directives stand below a marker where there is one for them.
    fn check_order(&self) -> Result<(), Problem> {
        let own = self.kind.own();
        let [prologue, sections @ ..] = self.open.as_slice() else {
            return Ok(());
        };
        let explicit = sections.iter().any(|open| open.marker == Some(own));
        if !explicit {
            if self.style.needs_sections() {
                let written = self.style.written(own);
                return Err(self.problem(
                    "section-unexpected",
                    0,
                    format!("expected the line `{written}`, found none"),
                    "add it above the statements that make the change",
                ));
            }
            let (Kind::Single, Some(first), None) =
                (self.kind, sections.first(), prologue.statement)
            else {
                return Ok(());
            };
            let found = first.marker.map_or("", Marker::written);
            return Err(self.problem(
                "section-unexpected",
                first.at,
                format!("expected the section `-- UP`, found only `{found}`"),
                "add `-- UP` and the statements that make the change",
            ));
        }
        if let Some(offset) = prologue.statement {
            let marker = own.written();
            return Err(self.problem(
                "section-unexpected",
                offset,
                format!(
                    "expected the first statement after the marker `{marker}`, found one before it"
                ),
                "move the marker above the first statement",
            ));
        }
        if let Some(offset) = prologue.directive {
            return Err(self.problem(
                "directive-misplaced",
                offset,
                "expected directives below the marker of their section, found one above".to_owned(),
                "move the line down",
            ));
        }
        Ok(())
    }

    /// Such characters can show a reviewer another order than the one that is executed.
    fn check_direction(&mut self) {
        let turns = |one: char| matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if let Some(offset) = self.text.find(turns) {
            let warning = self.problem(
                "text-direction",
                offset,
                "a character here changes the direction in which text is shown, so that it may not \
                 read as it runs"
                    .to_owned(),
                "take it out, or write it as an escape",
            );
            self.warnings.push(warning);
        }
    }

    fn problem(&self, code: &'static str, offset: usize, message: String, hint: &str) -> Problem {
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let mut problem = Problem::new(code, self.path, message, hint);
        problem.line = Some(line_at(self.text, offset));
        problem.column = Some(before[line_start..].chars().count() + 1);
        problem
    }
}

/// The line, from 1, that the byte at `offset` stands on.
fn line_at(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
