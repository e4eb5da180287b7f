//! The log of a bundle: a file of lines and one of signatures, read together.

use std::io::{self, BufRead, BufReader, Read};

use ledger::verify::Entry;
use ledger::{MAX_ENTRY, Record, Signature};

use super::{EVENTS, SIGNATURES};

/// The most bytes of a line that are kept; what is longer is no line of a ledger.
const LONGEST_LINE: u64 = 2 * MAX_ENTRY as u64;

/// A line of the log and the one of its signature.
pub(super) struct Pair {
    pub(super) record: Record,
    /// Both ended in a line feed.
    pub(super) whole: bool,
    /// The second is a signature.
    pub(super) readable: bool,
}

impl Entry for Pair {
    fn line(&self) -> &[u8] {
        &self.record.line
    }

    fn signature(&self) -> &[u8] {
        self.record.signature.as_bytes()
    }
}

/// What comes next in the two files.
pub(super) enum Next {
    /// An entry.
    Pair(Pair),
    /// Nothing, in one of them only.
    Uneven {
        fewer: &'static str,
        more: &'static str,
    },
    /// Nothing.
    End,
}

/// The two files.
pub(super) struct Pairs<E, S> {
    events: BufReader<E>,
    signatures: BufReader<S>,
}

impl<E: Read, S: Read> Pairs<E, S> {
    pub(super) fn new(events: E, signatures: S) -> Self {
        Self {
            events: BufReader::new(events),
            signatures: BufReader::new(signatures),
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Next> {
        let both = (line(&mut self.events)?, line(&mut self.signatures)?);
        let (line, signature) = match both {
            (None, None) => return Ok(Next::End),
            (Some(line), Some(signature)) => (line, signature),
            (Some(_), None) => {
                return Ok(Next::Uneven {
                    fewer: SIGNATURES,
                    more: EVENTS,
                });
            }
            (None, Some(_)) => {
                return Ok(Next::Uneven {
                    fewer: EVENTS,
                    more: SIGNATURES,
                });
            }
        };
        let read = std::str::from_utf8(&signature.bytes)
            .ok()
            .and_then(|text| text.parse::<Signature>().ok());
        Ok(Next::Pair(Pair {
            whole: line.whole && signature.whole,
            readable: read.is_some(),
            record: Record {
                line: line.bytes,
                // nothing verifies with it
                signature: read.unwrap_or(Signature::from_bytes([0; 64])),
            },
        }))
    }
}

/// One line without its line feed.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// It ended in a line feed.
    whole: bool,
}

/// Reads a line, and of one that is too long only its beginning.
pub(super) fn line(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let mut limited = reader.by_ref().take(LONGEST_LINE);
    if limited.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let mut whole = bytes.last() == Some(&b'\n');
    if whole {
        bytes.pop();
    } else {
        whole = reader.skip_until(b'\n')? > 0;
    }
    Ok(Some(Line { bytes, whole }))
}
