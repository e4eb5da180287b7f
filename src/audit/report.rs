//! Compliance reports of a bundle, offline.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::contents::Contents;
use super::pairs::line;
use super::verification::{LONGEST_NOTE, MOST_CHECKPOINTS, inspect, unreadable};
use super::{CHECKPOINT, CHECKPOINTS, EVENTS, OBJECTS, SIGNATURES};
use crate::compliance::{Asked, Collector, Enclosure, Evidence, Report};
use crate::error::Error;
use crate::request::Verify;

/// The most bytes of a plan or of rules; a larger object is neither.
const LONGEST: u64 = 64 << 20;

/// Returns what a bundle's ledger says of the changes of a period, after everything was verified as
/// [`super::verify()`] does. What is wrong with the bundle is told in the report.
///
/// `tool` is the program that makes it, as `mledger/<version>`.
///
/// # Errors
///
/// Those of [`super::verify()`] and of [`Collector::report`].
pub fn report(path: &Path, request: &Verify, asked: &Asked, tool: &str) -> Result<Report, Error> {
    let mut collector = Collector::default();
    let (verification, contents) = inspect(path, request, &mut |event| collector.apply(event))?;
    let mut objects = BTreeMap::new();
    for digest in collector.objects() {
        // what is missing is a finding, and what changed since it was verified is not what it says
        let Ok(object) = contents.open(&format!("{OBJECTS}{digest}")) else {
            continue;
        };
        let mut bytes = Vec::new();
        if object.take(LONGEST).read_to_end(&mut bytes).is_ok() {
            objects.insert(digest, bytes);
        }
    }
    let tool = tool.to_owned();
    let evidence = Evidence {
        verification,
        objects,
        tool,
    };
    collector.report(asked, evidence)
}

/// Returns the entries and checkpoints of a bundle as they are, for a page that checks them.
///
/// # Errors
///
/// [`Error::Integrity`] when the bundle cannot be read to its end.
pub fn enclosure(path: &Path) -> Result<Enclosure, Error> {
    enclose(path).map_err(|error| unreadable(path, &error))
}

fn enclose(path: &Path) -> io::Result<Enclosure> {
    let contents = Contents::read(path)?;
    let mut enclosure = Enclosure::default();
    if contents.files.contains_key(EVENTS) && contents.files.contains_key(SIGNATURES) {
        let mut events = BufReader::new(contents.open(EVENTS)?);
        let mut signatures = BufReader::new(contents.open(SIGNATURES)?);
        while let (Some(event), Some(signature)) = (line(&mut events)?, line(&mut signatures)?) {
            enclosure.push_written(&event.bytes, &signature.bytes);
        }
    }
    let names = contents.files.keys();
    let notes = names.filter(|name| *name == CHECKPOINT || name.starts_with(CHECKPOINTS));
    for name in notes.take(MOST_CHECKPOINTS) {
        // one that is no text is a finding of the verification
        if let Ok(note) = contents.text(name, LONGEST_NOTE)? {
            enclosure.add_checkpoint(&note);
        }
    }
    Ok(enclosure)
}
