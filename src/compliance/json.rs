//! A report as one JSON document.

use std::fmt::Write as _;

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
    match serde_json::to_string_pretty(&envelope) {
        Ok(text) => Ok(format!("{}\n", harmless(&text))),
        Err(error) => Err(Error::Usage {
            code: "not-canonical",
            message: format!("the report cannot be written as JSON: {error}"),
            hint: "print it with `--output markdown`".to_owned(),
        }),
    }
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
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let steers = c.is_control() && c != '\n';
        let turns = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if steers || turns || c == '<' {
            // all of these have four digits; writing to a string cannot fail
            let _written = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}
