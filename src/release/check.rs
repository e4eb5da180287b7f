//! Whether a published changelog is what the log says.

use super::template::{self, Template};
use super::{Chronicle, Seal, print};
use crate::error::Error;
use crate::text::one_line;

/// How much of a line a message shows.
const SHOWN: usize = 200;

/// Returns the text of a changelog as it is compared, and its seal: line ends may be of both kinds.
///
/// # Errors
///
/// [`Error::Integrity`] when its last lines do not say what it was made from.
pub fn read(bytes: &[u8]) -> Result<(String, Seal), Error> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    match Seal::find(&text) {
        Some(seal) => Ok((text, seal)),
        None => Err(mismatch(
            "expected a changelog whose last line says what it was made from, found none such; a \
             template prints it as `{{ seal }}`"
                .to_owned(),
        )),
    }
}

/// Compares a changelog with the one that its seal asks for, made anew from the events up to the last
/// one that it names, with the template that it was printed by, if any.
///
/// # Errors
///
/// [`Error::Integrity`] when it is another one, with the first line that differs; those of the template.
pub fn compare(
    text: &str,
    seal: &Seal,
    chronicle: &Chronicle,
    by: Option<&Template>,
) -> Result<(), Error> {
    let Some(root) = chronicle.root(seal.last.saturating_add(1)) else {
        return Err(mismatch(format!(
            "expected a ledger with the event {} that the changelog was made from, found fewer events",
            seal.last
        )));
    };
    let changelog = chronicle
        .changelog(&seal.asked)
        .map_err(|error| mismatch(error.to_string()))?;
    if changelog.seal.ledger != seal.ledger {
        return Err(mismatch(format!(
            "expected a changelog of the ledger `{}`, found one of `{}`",
            changelog.seal.ledger, seal.ledger
        )));
    }
    if root != seal.root {
        return Err(mismatch(format!(
            "expected the root `{root}` over the events 0 to {}, found `{}`",
            seal.last, seal.root
        )));
    }
    let expected = match by {
        None => print(&changelog)?,
        // the text was read with one kind of line ends
        Some(by) => template::render(&changelog, by)?.replace("\r\n", "\n"),
    };
    if expected == text {
        return Ok(());
    }
    let (mut expected, mut found) = (expected.lines(), text.lines());
    let mut line = 1;
    loop {
        match (expected.next(), found.next()) {
            (Some(expected), Some(found)) if expected == found => line += 1,
            (None, None) => return Err(mismatch("its last line end is another one".to_owned())),
            (expected, found) => {
                return Err(mismatch(format!(
                    "line {line} of the changelog is another one: expected {}, found {}",
                    shown(expected),
                    shown(found)
                )));
            }
        }
    }
}

fn shown(line: Option<&str>) -> String {
    line.map_or_else(
        || "the end".to_owned(),
        |line| format!("`{}`", ledger::fit(&one_line(line), SHOWN)),
    )
}

fn mismatch(message: String) -> Error {
    Error::Integrity {
        code: "changelog-mismatch",
        message,
        hint: "print it anew with `mledger changelog`, with the same `--template` if it had one, and find out \
               who changed it".to_owned(),
        findings: Vec::new(),
    }
}
