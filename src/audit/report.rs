//! Compliance reports of a bundle, offline.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::OBJECTS;
use super::verification::inspect;
use crate::compliance::{Asked, Collector, Evidence, Report};
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
/// Those of [`super::verify()`].
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
    Ok(collector.report(
        asked,
        Evidence {
            verification,
            objects,
            tool: tool.to_owned(),
        },
    ))
}
