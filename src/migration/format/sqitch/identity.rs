//! The id of a change: SHA-1 over what the plan says of it and over the id of the change before it, so that
//! the last one speaks of all. `sqitch show change NAME` prints what is hashed.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};

/// What the plan says of itself.
#[derive(Debug, Default)]
pub(super) struct Project {
    name: String,
    uri: Option<String>,
}

impl Project {
    /// Takes a line of the head, without its `%`.
    pub(super) fn take(&mut self, pragma: &str) {
        let Some((key, value)) = pragma.split_once('=') else {
            return;
        };
        match key.trim() {
            "project" => self.name = value.trim().to_owned(),
            "uri" => self.uri = Some(canonical(value.trim())),
            _ => {}
        }
    }

    /// Returns the id of a change, given that of the one before it.
    pub(super) fn identity(&self, entry: &Entry<'_>, parent: Option<&str>) -> String {
        let info = self.info(entry, parent);
        let mut hasher = Sha1::new();
        hasher.update(format!("change {}\0{info}", info.len()));
        hasher
            .finalize()
            .iter()
            .fold(String::new(), |mut text, byte| {
                // writing to a text cannot fail
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    fn info(&self, entry: &Entry<'_>, parent: Option<&str>) -> String {
        let mut lines = vec![format!("project {}", self.name)];
        lines.extend(self.uri.as_ref().map(|uri| format!("uri {uri}")));
        lines.push(format!("change {}", entry.name));
        lines.extend(parent.map(|parent| format!("parent {parent}")));
        lines.push(format!("planner {}", entry.planner));
        lines.push(format!("date {}", entry.date));
        for (title, mark, names) in [
            ("requires", '+', &entry.requires),
            ("conflicts", '-', &entry.conflicts),
        ] {
            if !names.is_empty() {
                lines.push(title.to_owned());
            }
            lines.extend(
                names
                    .iter()
                    .map(|name| format!("  {mark} {}", self.within(name))),
            );
        }
        if !entry.note.is_empty() {
            lines.push(String::new());
            lines.push(entry.note.clone());
        }
        lines.join("\n")
    }

    /// A change of this project is called without it.
    fn within<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(self.name.as_str())
            .and_then(|rest| rest.strip_prefix(':'))
            .unwrap_or(name)
    }
}

/// What the plan says of a change.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    name: &'a str,
    planner: String,
    date: &'a str,
    requires: Vec<&'a str>,
    conflicts: Vec<&'a str>,
    note: String,
}

impl<'a> Entry<'a> {
    /// Reads `name [dependencies] time planner <mail>`, and what stood behind `#`.
    pub(super) fn read(line: &'a str, name: &'a str, note: &str) -> Self {
        let rest = line.strip_prefix(name).unwrap_or(line).trim_start();
        let (dependencies, rest) = rest
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .unwrap_or(("", rest));
        let (date, planner) = rest
            .trim_start()
            .split_once(char::is_whitespace)
            .unwrap_or((rest, ""));
        let (mut requires, mut conflicts) = (Vec::new(), Vec::new());
        for dependency in dependencies.split_whitespace() {
            match dependency.strip_prefix('!') {
                Some(name) => conflicts.push(name),
                None => requires.push(dependency),
            }
        }
        Self {
            name,
            planner: planner_of(planner.trim()),
            date,
            requires,
            conflicts,
            note: unescaped(note.trim()),
        }
    }
}

/// One blank between name and address is none of the name's; further ones are.
fn planner_of(text: &str) -> String {
    match text.split_once('<') {
        Some((name, address)) => {
            let name = name.strip_suffix([' ', '\t']).unwrap_or(name);
            format!("{name} <{address}")
        }
        None => text.to_owned(),
    }
}

/// A note is one line in the plan.
fn unescaped(note: &str) -> String {
    let mut text = String::with_capacity(note.len());
    let mut rest = note;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let (escaped, length) = match rest[at + 1..].chars().next() {
            Some('n') => ("\n", 2),
            Some('r') => ("\r", 2),
            Some('\\') => ("\\", 2),
            _ => ("\\", 1),
        };
        text.push_str(escaped);
        rest = &rest[at + length..];
    }
    text + rest
}

/// Returns an address as Perl's URI writes it: scheme and host in small letters, and a path.
fn canonical(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let scheme = scheme.to_lowercase();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.to_lowercase();
    let port = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = host.strip_suffix(port).unwrap_or(&host);
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{scheme}://{host}{slash}{path}")
}
