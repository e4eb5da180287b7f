//! Timestamps over checkpoints (RFC 3161): asked for, held against what was asked, kept, recorded.
//!
//! The checkpoint that is stamped is kept under its size beside the environment's newest one, with the
//! request as long as no reply has come (`.tsq`) and with the reply from then on (`.tsr`).

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::{AnchorMethod, AnchorRecorded, Body, Checkpoint, Digest, Role};

use super::Migrator;
use super::export::sign_head;
use super::open::integrity;
use crate::checkpoints::{self, Settings};
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::report::{StampRequested, Stamped};
use crate::timestamp::{LONGEST_REPLY, Request, Stamp};

/// Who may record an anchor, beside `owner`.
const ROLES: &[Role] = &[Role::Auditor];

/// How long an authority may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

impl Migrator {
    /// Signs the head of the log, keeps it, and returns a request for a timestamp over its bytes;
    /// writes nothing to the database.
    ///
    /// # Errors
    ///
    /// Those of [`Migrator::checkpoint`], and [`Error::Usage`] where checkpoints are not kept, or not
    /// to be written.
    pub async fn request_timestamp(&self) -> Result<StampRequested, Error> {
        let folder = self.kept_in()?;
        let log = self.open().await?.log;
        let signer = self.signer_of(&log, ROLES)?;
        let (checkpoint, note) = sign_head(&log, &*signer)?;
        let newest = self.newest(folder, &log);
        let path = checkpoints::earlier(&newest, checkpoint.size);
        // one that is there was judged with the log, and others may have signed it since
        let is_same =
            |text: &String| Checkpoint::parse(text).is_ok_and(|(found, _)| found == checkpoint);
        let there = checkpoints::note(&path).ok().filter(is_same);
        let text = there.unwrap_or_else(|| note.to_string());
        let nonce = self.context.source.nonce();
        let request = Request::new(Digest::of(text.as_bytes()), &nonce);
        let bytes = request.encode().map_err(unfit)?;
        fs::create_dir_all(&folder.folder)
            .and_then(|()| checkpoints::write(&path, text.as_bytes()))
            .and_then(|()| checkpoints::write(&path.with_extension(ASKED), &bytes))
            .map_err(|error| unwritten(&path, &error))?;
        Ok(StampRequested {
            ledger: checkpoint.ledger,
            size: checkpoint.size,
            root: checkpoint.root,
            imprint: request.imprint,
            checkpoint: path.display().to_string(),
            request: bytes,
        })
    }

    /// Holds an authority's reply against the request it answers, keeps it beside its checkpoint, and
    /// records the anchor.
    ///
    /// The authority's signature is not verified; who relies on the time does that.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] where the reply answers none of this ledger's requests, or refuses; then
    /// nothing is kept. Those of appending.
    pub async fn record_timestamp(&self, reply: &[u8]) -> Result<Stamped, Error> {
        let folder = self.kept_in()?;
        let log = self.open().await?.log;
        self.signer_of(&log, ROLES)?;
        let stamp = Stamp::parse(reply).map_err(unfit)?;
        let path = self.asked_for(folder, &log, &stamp)?;
        let text = checkpoints::note(&path).map_err(unfit)?;
        let (checkpoint, _) = Checkpoint::parse(&text).map_err(|fault| unfit(fault.to_string()))?;
        if Digest::of(text.as_bytes()) != stamp.imprint {
            return Err(unfit(format!(
                "`{}` was changed since the timestamp was asked for",
                path.display()
            )));
        }
        let token = path.with_extension(ANSWERED);
        checkpoints::write(&token, reply).map_err(|error| unwritten(&token, &error))?;
        let digest = Digest::of(reply);
        let fact = Fact::success(Body::AnchorRecorded(AnchorRecorded {
            digest,
            method: AnchorMethod::Tsa,
            root: checkpoint.root,
            size: checkpoint.size,
        }));
        let log = self.append_alone(&[fact], &[], ROLES).await?;
        // only what is on record is settled; a request that is left is answered again by the same reply
        if let Err(error) = fs::remove_file(path.with_extension(ASKED)) {
            tracing::debug!(%error, "the answered request stays");
        }
        Ok(Stamped {
            ledger: checkpoint.ledger,
            size: checkpoint.size,
            root: checkpoint.root,
            time: stamp.time,
            serial: stamp.serial,
            digest,
            checkpoint: path.display().to_string(),
            token: token.display().to_string(),
            seq: log.size() - 1,
        })
    }

    /// Asks the authority at `url` for a timestamp and records it.
    ///
    /// # Errors
    ///
    /// Those of [`Migrator::request_timestamp`] and [`Migrator::record_timestamp`], and
    /// [`Error::Usage`] where the authority cannot be reached or answers with something else.
    pub async fn timestamp(&self, url: &str) -> Result<Stamped, Error> {
        let request = self.request_timestamp().await?.request;
        let address = url.to_owned();
        let asked = tokio::task::spawn_blocking(move || ask(&address, &request)).await;
        let reply = asked
            .map_err(|error| error.to_string())
            .and_then(|answer| answer)
            .map_err(|error| Error::Usage {
                code: "timestamp-not-answered",
                message: format!(
                    "expected a timestamp from `{}`, found none: {}",
                    crate::config::mask(url),
                    self.settings.secrets.hide(&error)
                ),
                hint:
                    "check the address and that it can be reached from here; `--tsa-request FILE` \
                       and `--tsa-reply FILE` do it by hand"
                        .to_owned(),
            })?;
        self.record_timestamp(&reply).await
    }

    fn kept_in(&self) -> Result<&Settings, Error> {
        self.settings.checkpoints.as_ref().ok_or_else(|| Error::Usage {
            code: "checkpoints-not-kept",
            message: "expected a folder in which checkpoints are kept, found `checkpoints = false`"
                .to_owned(),
            hint: "a timestamp is over one checkpoint, and both are kept together: name a folder with \
                   `checkpoints = \"FOLDER\"`"
                .to_owned(),
        })
    }

    fn newest(&self, kept: &Settings, log: &Log) -> PathBuf {
        let first = log.verifier().lineage().first().copied();
        checkpoints::file(
            &kept.folder,
            &self.environment(log),
            &first.unwrap_or(Digest::ZERO),
        )
    }

    /// Returns the checkpoint over which this timestamp was asked for.
    fn asked_for(&self, kept: &Settings, log: &Log, stamp: &Stamp) -> Result<PathBuf, Error> {
        let newest = self.newest(kept, log);
        let mut told = None;
        for path in checkpoints::beside(&newest, ASKED) {
            let request = fs::read(&path)
                .map_err(|error| error.to_string())
                .and_then(|bytes| Request::parse(&bytes));
            match request.and_then(|request| request.check(stamp)) {
                Ok(()) => return Ok(path.with_extension("checkpoint")),
                Err(reason) => told = Some(format!("`{}`: {reason}", path.display())),
            }
        }
        Err(unfit(told.unwrap_or_else(|| {
            "nothing was asked for: `mledger checkpoint --tsa-request FILE` comes first".to_owned()
        })))
    }
}

/// How the name of a request ends.
const ASKED: &str = "tsq";

/// How the name of a reply ends.
pub(super) const ANSWERED: &str = "tsr";

fn ask(url: &str, request: &[u8]) -> Result<Vec<u8>, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        // a variable that names a proxy is none of this library's business
        .proxy(None)
        .build()
        .into();
    let mut answer = agent
        .post(url)
        .header("Content-Type", "application/timestamp-query")
        .header("Accept", "application/timestamp-reply")
        .send(request)
        .map_err(|error| error.to_string())?;
    let mut reply = Vec::new();
    answer
        .body_mut()
        .as_reader()
        .take(LONGEST_REPLY as u64 + 1)
        .read_to_end(&mut reply)
        .map_err(|error| error.to_string())?;
    Ok(reply)
}

fn unfit(reason: String) -> Error {
    integrity(
        "timestamp-invalid",
        format!("this is no timestamp that was asked for: {reason}"),
        "nothing was recorded; ask the authority again",
    )
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::Usage {
        code: "file-not-written",
        message: format!("cannot write beside `{}`: {error}", path.display()),
        hint: "check the folder and its permissions".to_owned(),
    }
}
