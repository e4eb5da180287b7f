//! The log as it lies in a page, so that the page can check it.
//!
//! Lines and signatures stand there in turn, one byte after the other. What is no plain character of ASCII,
//! or means something to HTML, is `%` and two digits: nothing in a line can end the page's element, steer
//! what shows it, or be changed by a program that converts characters.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// The most characters that events may have in a page; browsers are slow with more.
const LARGEST: usize = 20 << 20;

/// The events and checkpoints that a page is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosure {
    largest: usize,
    entries: Option<String>,
    checkpoints: Vec<String>,
}

impl Default for Enclosure {
    fn default() -> Self {
        Self::up_to(LARGEST)
    }
}

impl Enclosure {
    fn up_to(largest: usize) -> Self {
        Self {
            largest,
            entries: Some(String::new()),
            checkpoints: Vec::new(),
        }
    }

    /// Returns one of a log that is too large for a page.
    #[cfg(test)]
    pub(super) fn too_large() -> Self {
        Self {
            entries: None,
            ..Self::default()
        }
    }

    /// Adds the next entry of the log, as it is stored; above 20 MiB all of them are left out.
    pub fn push(&mut self, line: &[u8], signature: &[u8]) {
        self.push_written(line, BASE64_STANDARD.encode(signature).as_bytes());
    }

    /// Adds the next entry of the log, whose signature is written as in a bundle.
    pub fn push_written(&mut self, line: &[u8], signature: &[u8]) {
        let Some(entries) = &mut self.entries else {
            return;
        };
        for bytes in [line, signature] {
            escape(bytes, entries);
            entries.push('\n');
        }
        if entries.len() > self.largest {
            self.entries = None;
        }
    }

    /// Adds a signed checkpoint of the log.
    pub fn add_checkpoint(&mut self, note: &str) {
        let mut text = String::new();
        escape(note.as_bytes(), &mut text);
        self.checkpoints.push(text);
    }

    /// Returns the entries as they stand in a page, or nothing where they are too large for one.
    pub(super) fn entries(&self) -> Option<&str> {
        self.entries.as_deref()
    }

    /// Returns the checkpoints as they stand in a page.
    pub(super) fn checkpoints(&self) -> &[String] {
        &self.checkpoints
    }
}

fn escape(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        match byte {
            b'%' | b'<' | b'>' | b'&' => {
                let _written = write!(out, "%{byte:02x}");
            }
            b'\n' | b' '..=b'~' => out.push(char::from(*byte)),
            _ => {
                let _written = write!(out, "%{byte:02x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_line_means_anything_to_a_page() {
        let mut enclosure = Enclosure::default();
        let line = "</pre><!-- &amp; 100% \u{2028}\u{202e}é\u{1b}";
        enclosure.push(line.as_bytes(), &[0; 64]);
        let entries = enclosure.entries().unwrap_or_default();
        let (line, signature) = entries.split_once('\n').unwrap_or_default();
        assert_eq!(
            line,
            "%3c/pre%3e%3c!-- %26amp; 100%25 %e2%80%a8%e2%80%ae%c3%a9%1b"
        );
        assert_eq!(signature.len(), 89, "{signature}");
    }

    #[test]
    fn what_is_too_large_is_left_out_as_a_whole() {
        let mut enclosure = Enclosure::up_to(200);
        enclosure.push(b"one", &[0; 64]);
        assert!(enclosure.entries().is_some());
        enclosure.push(&[b'x'; 100], &[0; 64]);
        assert_eq!(enclosure.entries(), None);
        enclosure.push(b"two", &[0; 64]);
        assert_eq!(enclosure.entries(), None);
    }
}
