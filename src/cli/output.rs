//! The one printer: answers go to stdout, everything else to stderr.
//!
//! A reader that went away (`mledger events | head`) is no error and changes no exit code.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::args::{Color, Global};

/// The version of every JSON document's form.
pub(crate) const FORMAT_VERSION: &str = "1.0";

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();

/// Returns `text` in a style; the stream strips it where colour is off.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints what commands answer, and what is said beside it.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    closed: AtomicBool,
    failed: AtomicBool,
}

impl Printer {
    /// Creates the printer that the global flags ask for, and settles colour for both streams.
    pub(crate) fn new(global: &Global) -> Self {
        Self::with(global.is_json(), global.quiet, global.color)
    }

    /// Creates a printer from its parts.
    pub(crate) fn with(json: bool, quiet: bool, color: Color) -> Self {
        match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self {
            json,
            quiet,
            closed: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        }
    }

    /// Says whether answers are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Says whether nothing but answers and errors is wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Says whether stdout is a terminal that a person reads text on.
    pub(crate) fn is_terminal(&self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// Returns how many columns a table on stdout may have; `None` when it is no terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        if !self.is_terminal() {
            return None;
        }
        // a terminal that does not say how wide it is gets the usual 80
        let (_, columns) = console::Term::stdout().size();
        Some(usize::from(columns))
    }

    /// Prints one line, or several, of an answer.
    pub(crate) fn answer(&self, text: impl AsRef<str>) {
        self.write(format!("{}\n", text.as_ref()).as_bytes());
    }

    /// Prints a part of an answer as it is.
    pub(crate) fn part(&self, bytes: &[u8]) {
        self.write(bytes);
    }

    /// Prints an answer as the JSON document of a command that succeeded.
    pub(crate) fn document(&self, body: &impl Serialize) {
        self.envelope(true, body);
    }

    /// Prints the JSON document of a command that failed.
    pub(crate) fn failure(&self, body: &impl Serialize) {
        self.envelope(false, body);
    }

    /// Prints an answer as a JSON document also where text is the habit.
    pub(crate) fn plain_document(&self, ok: bool, body: &impl Serialize) {
        self.envelope(ok, body);
    }

    /// Prints a JSON value that has a form of its own.
    pub(crate) fn value(&self, value: &serde_json::Value) {
        self.answer(format!("{value:#}"));
    }

    /// Tells something beside the answer, unless quiet.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// Warns of something beside the answer, unless quiet.
    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        self.note(format!("{} {}", paint(CARE, "warning:"), text.as_ref()));
    }

    /// Prints on stderr even when quiet.
    pub(crate) fn error(&self, text: impl AsRef<str>) {
        let mut stderr = anstream::stderr().lock();
        // nobody is left to be told when stderr is gone
        let _gone = writeln!(stderr, "{}", text.as_ref());
    }

    /// Says whether somebody still reads stdout.
    pub(crate) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    /// Says whether an answer could not be written for another reason than a reader that left.
    pub(crate) fn lost_an_answer(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn envelope(&self, ok: bool, body: &impl Serialize) {
        let document = Envelope {
            format_version: FORMAT_VERSION,
            ok,
            body,
        };
        match serde_json::to_string_pretty(&document) {
            Ok(text) => self.answer(text),
            Err(error) => {
                self.failed.store(true, Ordering::Relaxed);
                self.error(format!("cannot write the answer as JSON: {error}"));
            }
        }
    }

    fn write(&self, bytes: &[u8]) {
        if !self.is_open() {
            return;
        }
        let result = if self.json {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes).and_then(|()| stdout.flush())
        } else {
            let mut stdout = anstream::stdout().lock();
            stdout.write_all(bytes).and_then(|()| stdout.flush())
        };
        let Err(error) = result else {
            return;
        };
        self.closed.store(true, Ordering::Relaxed);
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.failed.store(true, Ordering::Relaxed);
            self.error(format!("cannot write the answer: {error}"));
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a, T: Serialize> {
    format_version: &'static str,
    ok: bool,
    #[serde(flatten)]
    body: &'a T,
}
