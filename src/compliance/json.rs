//! A report as one JSON document.

use std::io::{self, Write};

use ledger::{Finding, Severity};
use serde::Serialize;

use super::control::Control;
use super::document::document;
use super::model::Report;
use crate::error::Error;

#[derive(Serialize)]
struct Envelope<'a> {
    format_version: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Broken<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    controls: Vec<Controls>,
    #[serde(flatten)]
    report: &'a Report,
}

/// What the verification found first; the report stands all the same.
#[derive(Serialize)]
struct Broken<'a> {
    code: &'static str,
    message: &'a str,
    exit_code: u8,
}

#[derive(Serialize)]
struct Controls {
    section: &'static str,
    controls: Vec<Control>,
}

/// Returns the document.
///
/// # Errors
///
/// [`Error::Usage`] when it has no form as JSON, which no report should cause.
pub fn print(report: &Report) -> Result<String, Error> {
    let mut text = Vec::new();
    let written = write(report, &mut text).map_err(|error| error.to_string());
    let text = written.and_then(|()| String::from_utf8(text).map_err(|error| error.to_string()));
    text.map_err(|reason| Error::Usage {
        code: "not-canonical",
        message: format!("the report cannot be written as JSON: {reason}"),
        hint: "print it with `--output markdown`".to_owned(),
    })
}

/// Writes the document, of which no part is held in memory.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let findings = report.verification.findings.iter();
    let error = findings
        .filter(|finding| finding.severity == Severity::Error)
        .map(|Finding { code, message, .. }| Broken {
            code: code.as_str(),
            message,
            exit_code: 4,
        })
        .next();
    let envelope = Envelope {
        format_version: "1.0",
        ok: error.is_none(),
        error,
        controls: controls(report),
        report,
    };
    serde_json::to_writer_pretty(Harmless(&mut *out), &envelope)?;
    out.write_all(b"\n")
}

fn controls(report: &Report) -> Vec<Controls> {
    if report.framework.is_none() {
        return Vec::new();
    }
    let sections = document(report).sections.into_iter();
    sections
        .filter(|section| !section.controls.is_empty())
        .map(|section| Controls {
            section: section.id,
            controls: section.controls,
        })
        .collect()
}

/// Writes as escapes what could steer a terminal, turn the direction of text, or end the element of a page
/// that the document is put into. Outside of strings JSON has none of these.
struct Harmless<'a>(&'a mut dyn Write);

impl Write for Harmless<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // what is serialised comes in whole characters
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let steers = c.is_control() && c != '\n';
            let turns = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            if steers || turns || c == '<' {
                self.0.write_all(&bytes[plain..at])?;
                // all of these have four digits
                write!(self.0, "\\u{:04x}", u32::from(c))?;
                plain = at + c.len_utf8();
            }
        }
        self.0.write_all(&bytes[plain..])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
