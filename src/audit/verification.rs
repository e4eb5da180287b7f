//! The verification of a bundle, offline: no database, no configuration, and nothing believed.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use ledger::verify::{Options, Pending, Pipeline};
use ledger::{AllowedSigners, Checkpoint, Code, Digest, Event, Finding, Severity, Verifier};

use super::contents::Contents;
use super::manifest::{self, Manifest};
use super::objects::{Named, erased};
use super::pairs::{Next, Pair, Pairs};
use super::{
    ABSENT, ALLOWED_SIGNERS, CHECKPOINT, CHECKPOINTS, EVENTS, MANIFEST, MANIFEST_SIGNATURE,
    OBJECTS, README, SIGNATURES, VERIFIER, allowed,
};
use crate::error::Error;
use crate::log::{self, PAGE};
use crate::object;
use crate::projection::history::History;
use crate::report::{Checked, VerifyReport};
use crate::request::Verify;

/// What every bundle has.
const REQUIRED: [&str; 8] = [
    EVENTS,
    SIGNATURES,
    CHECKPOINT,
    ALLOWED_SIGNERS,
    VERIFIER,
    README,
    MANIFEST,
    MANIFEST_SIGNATURE,
];

/// How the name of a timestamp ends, whose signature is for other programs to verify.
const STAMP: &str = ".tsr";

/// The most bytes of the manifest, and of the list of keys.
const LONGEST_LIST: u64 = 256 << 20;

/// The most bytes of a signature or a signed note.
pub(super) const LONGEST_NOTE: u64 = 1 << 20;

/// The most earlier checkpoints that are looked at.
pub(super) const MOST_CHECKPOINTS: usize = 1_000;

/// How many findings about files are told one by one.
const MOST_FINDINGS: usize = 1_000;

/// Verifies a bundle, a folder or one file, and returns what was found.
///
/// Everything is derived from the bundle's bytes. Its own checkpoints are checked and anchor nothing;
/// what is given in `request` does. Memory grows with the number of files, keys and versions, never
/// with the size of a file.
///
/// # Errors
///
/// [`Error::Usage`] when there is nothing at `path` or a trust file cannot be read, and
/// [`Error::Integrity`] when the bundle cannot be read to its end.
pub fn verify(path: &Path, request: &Verify) -> Result<VerifyReport, Error> {
    verify_telling(path, request, &mut |_| {})
}

/// As [`verify`]; `each` is told every event that can be read, before anybody knows whether the bundle
/// holds together.
///
/// # Errors
///
/// As [`verify`].
pub(crate) fn verify_telling(
    path: &Path,
    request: &Verify,
    each: &mut dyn FnMut(&Event),
) -> Result<VerifyReport, Error> {
    Ok(inspect(path, request, each)?.0)
}

/// As [`verify_telling`]; returns the bundle as well, so that its objects can be read.
pub(super) fn inspect(
    path: &Path,
    request: &Verify,
    each: &mut dyn FnMut(&Event),
) -> Result<(VerifyReport, Contents), Error> {
    let trust = trust(request)?;
    if let Err(error) = std::fs::metadata(path) {
        return Err(Error::Usage {
            code: "bundle-missing",
            message: format!("cannot look at the bundle `{}`: {error}", path.display()),
            hint: "name the folder or the `.tar.zst` that `mledger export` wrote".to_owned(),
        });
    }
    let contents = Contents::read(path).map_err(|error| unreadable(path, &error))?;
    let report = Inspection::new(&contents)
        .run(request, trust, each)
        .map_err(|error| unreadable(path, &error))?;
    Ok((report, contents))
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Integrity {
        code: Code::BundleIncomplete.as_str(),
        message: format!(
            "expected a whole bundle at `{}`, found what cannot be read to its end: {error}",
            path.display()
        ),
        hint: "copy it again from where it was exported; compare its size and SHA-256 there"
            .to_owned(),
        findings: Vec::new(),
    }
}

/// Reads the allowed-signers file of a request.
pub(crate) fn trust(request: &Verify) -> Result<Option<AllowedSigners>, Error> {
    let Some(text) = &request.trust else {
        return Ok(None);
    };
    AllowedSigners::parse(text)
        .map(Some)
        .map_err(|error| Error::Usage {
            code: "trust-file-invalid",
            message: format!("expected lines of an allowed-signers file (ssh-keygen(1)): {error}"),
            hint: "each line holds a name, `namespaces=\"event-v1@mledger\"` if wanted, and a key"
                .to_owned(),
        })
}

struct Inspection<'a> {
    contents: &'a Contents,
    findings: Vec<Finding>,
    objects: Named,
    history: History,
}

impl<'a> Inspection<'a> {
    fn new(contents: &'a Contents) -> Self {
        Self {
            contents,
            findings: Vec::new(),
            objects: Named::default(),
            history: History::default(),
        }
    }

    fn run(
        mut self,
        request: &Verify,
        trust: Option<AllowedSigners>,
        each: &mut dyn FnMut(&Event),
    ) -> io::Result<VerifyReport> {
        for name in REQUIRED {
            if !self.contents.files.contains_key(name) {
                self.error(
                    Code::BundleIncomplete,
                    format!("the bundle has no `{name}`"),
                );
            }
        }
        for oddity in &self.contents.oddities {
            self.error(Code::ManifestInvalid, oddity.clone());
        }
        let manifest = self.manifest()?;
        let own = self.text(CHECKPOINT, LONGEST_NOTE, Code::CheckpointInvalid)?;
        let own_checkpoints = self.own_checkpoints(own.as_ref())?;
        let mut verifier = Verifier::new(Options {
            ledger: request.ledger,
            trust,
            checkpoints: request.checkpoints.clone(),
            own_checkpoints,
            witnesses: request.witnesses.clone(),
            ..Options::default()
        });
        self.log(&mut verifier, each)?;
        self.own_checkpoint(own.as_deref(), &verifier);
        self.keys(&verifier)?;
        if let Some(text) = &manifest {
            self.manifest_signature(text, &verifier)?;
        }
        let objects = self.objects()?;
        let mut verdict = verifier.finish();
        verdict.findings.extend(self.findings);
        let mut checked = Checked::of_log(verdict.size, &verdict.findings);
        checked.objects = objects;
        checked.bundle_files = self.contents.files.len() as u64;
        Ok(VerifyReport::new(verdict, checked))
    }

    /// Compares the list with what is there; returns its text.
    fn manifest(&mut self) -> io::Result<Option<String>> {
        let Some(text) = self.text(MANIFEST, LONGEST_LIST, Code::ManifestInvalid)? else {
            return Ok(None);
        };
        let listed = match Manifest::parse(&text) {
            Ok(Manifest(listed)) => listed,
            Err(fault) => {
                self.error(Code::ManifestInvalid, fault);
                return Ok(Some(text));
            }
        };
        for (name, digest) in &listed {
            match self.contents.files.get(name) {
                None if REQUIRED.contains(&name.as_str()) => {}
                None => self.error(
                    Code::BundleIncomplete,
                    format!("the manifest lists `{name}`, which the bundle does not have"),
                ),
                Some(member) if member.digest != *digest => self.error(
                    Code::ManifestInvalid,
                    format!(
                        "`{name}` is not what was packed: expected `{digest}`, found `{}`",
                        member.digest
                    ),
                ),
                Some(_) => {}
            }
        }
        for name in self.contents.files.keys() {
            if !listed.contains_key(name) && name != MANIFEST && name != MANIFEST_SIGNATURE {
                self.error(
                    Code::ManifestInvalid,
                    format!("the bundle has `{name}`, which the manifest does not list"),
                );
            }
        }
        Ok(Some(text))
    }

    /// Returns the bundle's own checkpoints: `whole`, which is over all entries, and earlier ones.
    fn own_checkpoints(&mut self, whole: Option<&String>) -> io::Result<Vec<String>> {
        let mut notes: Vec<String> = whole.into_iter().cloned().collect();
        let earlier: Vec<&String> = self
            .contents
            .files
            .keys()
            .filter(|name| name.starts_with(CHECKPOINTS) && !name.ends_with(STAMP))
            .take(MOST_CHECKPOINTS)
            .collect();
        for name in earlier {
            notes.extend(self.text(name, LONGEST_NOTE, Code::CheckpointInvalid)?);
        }
        Ok(notes)
    }

    /// Reads events and signatures side by side.
    fn log(&mut self, verifier: &mut Verifier, each: &mut dyn FnMut(&Event)) -> io::Result<()> {
        if !self.contents.files.contains_key(EVENTS)
            || !self.contents.files.contains_key(SIGNATURES)
        {
            return Ok(());
        }
        let mut pairs = Pairs::new(self.contents.open(EVENTS)?, self.contents.open(SIGNATURES)?);
        let mut pipeline = Pipeline::new(0, log::threads());
        let end = loop {
            let mut page = Vec::new();
            let end = loop {
                match pairs.next()? {
                    Next::Pair(pair) => page.push(pair),
                    end => break Some(end),
                }
                if page.len() == PAGE as usize {
                    break None;
                }
            };
            pipeline.submit(verifier.preparation(), page);
            if let Some(end) = end {
                break end;
            }
            if let Some(surplus) = pipeline.surplus() {
                self.take(surplus, verifier, each);
            }
        };
        self.take(pipeline.rest(), verifier, each);
        if let Next::Uneven { fewer, more } = end {
            let position = verifier.size();
            self.error(
                Code::BundleIncomplete,
                format!("`{fewer}` ends after {position} lines, `{more}` goes on"),
            );
        }
        if verifier.size() == 0 {
            self.error(
                Code::BundleIncomplete,
                "expected at least one event, found none".to_owned(),
            );
        }
        Ok(())
    }

    /// Checks the next records, in their order.
    fn take(
        &mut self,
        pending: Pending<Pair>,
        verifier: &mut Verifier,
        each: &mut dyn FnMut(&Event),
    ) {
        for prepared in pending.wait() {
            let Pair {
                whole, readable, ..
            } = *prepared.entry();
            let position = verifier.size();
            if !whole {
                self.error(
                    Code::BundleIncomplete,
                    format!("line {} ends without a line feed", position + 1),
                );
            }
            if !readable {
                self.findings.push(Finding::new(
                    Code::SignatureInvalid,
                    position,
                    "expected a signature as 88 characters of base64, found another line",
                ));
            }
            if let Some(event) = verifier.push_prepared(prepared) {
                each(&event);
                self.objects.collect(&event.body);
                if let Err(reason) = self.history.apply(&event) {
                    self.findings
                        .push(Finding::new(Code::LifecycleBroken, event.seq, reason));
                }
            }
        }
    }

    /// The checkpoint of a bundle covers all of it; the verifier has judged the rest.
    fn own_checkpoint(&mut self, note: Option<&str>, verifier: &Verifier) {
        let Some((checkpoint, _)) = note.and_then(|note| Checkpoint::parse(note).ok()) else {
            return;
        };
        if checkpoint.size < verifier.size() {
            self.error(
                Code::CheckpointMismatch,
                format!(
                    "expected the bundle's checkpoint to cover its {} events, found that it covers {}",
                    verifier.size(),
                    checkpoint.size
                ),
            );
        }
    }

    fn keys(&mut self, verifier: &Verifier) -> io::Result<()> {
        let text = self.text(ALLOWED_SIGNERS, LONGEST_LIST, Code::ManifestInvalid)?;
        let entries = verifier.keyring().entries();
        if let Some(fault) = text.and_then(|text| allowed::disagreement(&text, entries)) {
            self.error(
                Code::ManifestInvalid,
                format!("`{ALLOWED_SIGNERS}`: {fault}"),
            );
        }
        Ok(())
    }

    fn manifest_signature(&mut self, manifest: &str, verifier: &Verifier) -> io::Result<()> {
        let armour = self.text(MANIFEST_SIGNATURE, LONGEST_NOTE, Code::ManifestInvalid)?;
        let fault = armour.and_then(|armour| {
            let (keyring, size) = (verifier.keyring(), verifier.size());
            manifest::fault(&armour, manifest.as_bytes(), keyring, size)
        });
        if let Some(fault) = fault {
            self.error(Code::ManifestInvalid, fault);
        }
        Ok(())
    }

    /// Compares objects with their names, and looks for those that events name.
    fn objects(&mut self) -> io::Result<u64> {
        let absent = self.absent()?;
        let mut needed = std::mem::take(&mut self.objects.needed);
        needed.extend(&absent);
        let mut count = 0;
        for (name, member) in &self.contents.files {
            let Some(named) = name.strip_prefix(OBJECTS) else {
                continue;
            };
            count += 1;
            let named_digest = named.parse::<Digest>();
            if let Ok(digest) = &named_digest {
                needed.remove(digest);
            }
            if named_digest != Ok(member.digest) {
                self.error(
                    Code::ObjectMismatch,
                    format!(
                        "the object `{}` holds other bytes than its name says: `{}`",
                        ledger::fit(named, 100),
                        member.digest
                    ),
                );
            }
        }
        for digest in needed {
            let (severity, message) = if self.objects.redacted.contains(&digest) {
                (Severity::Warning, erased(&digest))
            } else if absent.contains(&digest) {
                let message = format!("of the object `{digest}` only digest and size are kept");
                (Severity::Warning, message)
            } else {
                let message = format!("the bundle has no `{OBJECTS}{digest}`, which events name");
                (Severity::Error, message)
            };
            self.finding(Code::ObjectMissing, severity, message);
        }
        Ok(count)
    }

    /// Returns the digests of objects that were too large to be kept.
    fn absent(&mut self) -> io::Result<BTreeSet<Digest>> {
        let Some(text) = self.text(ABSENT, LONGEST_LIST, Code::ManifestInvalid)? else {
            return Ok(BTreeSet::new());
        };
        let mut digests = BTreeSet::new();
        for line in text.lines() {
            let parts = line.split_once(' ');
            let read = parts.and_then(|(digest, size)| {
                Some((digest.parse::<Digest>().ok()?, size.parse::<u64>().ok()?))
            });
            match read {
                // a smaller one is kept, so its absence needs an event that says so
                Some((digest, size)) if size > object::LIMIT as u64 => {
                    digests.insert(digest);
                }
                Some(_) => {}
                None => self.error(
                    Code::ManifestInvalid,
                    format!("`{ABSENT}`: expected lines of a digest and a size"),
                ),
            }
        }
        Ok(digests)
    }

    /// Returns the text of a file that is there and is one.
    fn text(&mut self, name: &str, most: u64, code: Code) -> io::Result<Option<String>> {
        if !self.contents.files.contains_key(name) {
            return Ok(None);
        }
        Ok(match self.contents.text(name, most)? {
            Ok(text) => Some(text),
            Err(fault) => {
                self.error(code, fault);
                None
            }
        })
    }

    fn error(&mut self, code: Code, message: String) {
        self.finding(code, Severity::Error, message);
    }

    fn finding(&mut self, code: Code, severity: Severity, message: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding {
                severity,
                ..Finding::new(code, None, message)
            });
        }
    }
}
