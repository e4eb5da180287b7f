//! Reading the log event by event.

use std::ops::ControlFlow;

use ledger::trust::KeyEntry;
use ledger::{Body, Digest, Event, Record, Signature};

use super::Migrator;
use super::open::Opened;
use crate::engine::{Access, StoredRecord};
use crate::error::Error;
use crate::object::{self, Unusable};
use crate::report::{EventView, KeyView};
use crate::request::EventFilter;

/// How many records are fetched at a time.
const PAGE: u32 = 256;

impl Migrator {
    /// Hands each event that `filter` wants to `each`, oldest first, until it breaks off.
    ///
    /// The log is verified first, so what is handed out is what was recorded.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger.
    pub async fn events(
        &self,
        filter: &EventFilter,
        each: &mut (dyn FnMut(EventView) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        let mut opened = self.open().await?;
        self.hand_out(&mut opened, filter, each).await
    }

    async fn hand_out(
        &self,
        opened: &mut Opened,
        filter: &EventFilter,
        each: &mut (dyn FnMut(EventView) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        let Some(session) = opened.session.as_deref_mut() else {
            return Ok(());
        };
        let size = opened.log.size();
        let mut next = filter.from;
        while next < size {
            let page = session
                .records(next, PAGE)
                .await
                .map_err(|error| self.engine_error(error, "reading the ledger"))?;
            if page.is_empty() {
                return Ok(());
            }
            for stored in page {
                next += 1;
                let Some(view) = view(&stored) else {
                    continue;
                };
                if wanted(filter, &view.event) && each(view).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Returns one event, and the key that it names where the ledger knows it.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when the log has no such place.
    pub async fn show(&self, seq: u64) -> Result<(EventView, Option<KeyView>), Error> {
        let mut opened = self.open().await?;
        let mut found = None;
        let filter = EventFilter {
            from: seq,
            ..EventFilter::default()
        };
        self.hand_out(&mut opened, &filter, &mut |view| {
            found = Some(view);
            ControlFlow::Break(())
        })
        .await?;
        let view = found.ok_or_else(|| unknown_event(seq))?;
        let keyring = opened.log.verifier().keyring();
        let key = keyring.find(&view.event.key).map(key_view);
        Ok((view, key))
    }

    /// Returns the bytes that are stored under a digest, if they are there and have it.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] when other bytes are stored under it.
    pub async fn object(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let mut opened = self.open().await?;
        let Some(session) = opened.session.as_deref_mut() else {
            return Ok(None);
        };
        if opened.log.is_empty() {
            return Ok(None);
        }
        let found = object::bytes(session, digest)
            .await
            .map_err(|error| self.engine_error(error, "reading an object"))?;
        match found {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Unusable::Missing(_) | Unusable::Absent(_)) => Ok(None),
            Err(Unusable::Mismatch(_)) => Err(super::open::integrity(
                "object-mismatch",
                format!("the object `{digest}` holds other bytes than its digest says"),
                "run `mledger verify` for all findings",
            )),
        }
    }

    /// Returns the keys of the ledger, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger.
    pub async fn keys(&self) -> Result<Vec<KeyView>, Error> {
        let opened = self.open().await?;
        let keyring = opened.log.verifier().keyring();
        Ok(keyring.entries().iter().map(key_view).collect())
    }

    /// Says whether the database can be reached, without reading more than that.
    ///
    /// # Errors
    ///
    /// What the database answered; a database that is not there yet is no error.
    pub async fn reach(&self) -> Result<(), Error> {
        match self.engine.connect(Access::Read).await {
            Err(error) if error.fault != crate::engine::Fault::NoDatabase => {
                Err(self.engine_error(error, "connecting"))
            }
            _ => Ok(()),
        }
    }
}

fn key_view(entry: &KeyEntry) -> KeyView {
    let roles = entry.roles.iter();
    KeyView {
        name: entry.name.clone(),
        fingerprint: entry.fingerprint.to_string(),
        public: entry.public.to_openssh(),
        roles: roles.map(|role| role.as_str().to_owned()).collect(),
        added: entry.added,
        retired: entry.retired,
        compromised_from: entry.compromised_from,
    }
}

fn view(stored: &StoredRecord) -> Option<EventView> {
    let record = Record {
        line: stored.line.clone(),
        signature: Signature::from_bytes(stored.signature.as_slice().try_into().ok()?),
    };
    Some(EventView {
        event: record.event().ok()?,
        hash: record.hash(),
        signature: record.signature,
        line: record.line,
        verified: true,
    })
}

fn wanted(filter: &EventFilter, event: &Event) -> bool {
    let kind = event.body.kind();
    filter.since.is_none_or(|since| event.time >= since)
        && filter.until.is_none_or(|until| event.time <= until)
        && filter.kind.as_deref().is_none_or(|wanted| {
            kind == wanted
                || kind
                    .strip_prefix(wanted)
                    .is_some_and(|rest| rest.starts_with('.'))
        })
        && filter
            .migration
            .as_deref()
            .is_none_or(|wanted| about(&event.body) == Some(wanted))
        && filter
            .actor
            .as_deref()
            .is_none_or(|wanted| event.actor == wanted)
        && filter.run.is_none_or(|wanted| event.run == wanted)
}

/// Returns the version that an event speaks of.
pub(super) fn about(body: &Body) -> Option<&str> {
    Some(match body {
        Body::MigrationStarted(body) => &body.version,
        Body::MigrationStepApplied(body) => &body.version,
        Body::MigrationStepResolved(body) => &body.version,
        Body::MigrationApplied(body) => &body.version,
        Body::MigrationRolledBack(body) => &body.version,
        Body::MigrationFailed(body) => &body.version,
        Body::MigrationAborted(body) => &body.version,
        Body::MigrationMarked(body) => &body.version,
        Body::MigrationAccepted(body) => &body.version,
        Body::VersionTagged(body) => &body.migration,
        _ => return None,
    })
}

/// Returns the error for a place in the log that holds no event.
pub(super) fn unknown_event(seq: u64) -> Error {
    Error::Usage {
        code: "event-unknown",
        message: format!("expected the place of an event in the log, found `{seq}`"),
        hint: "`mledger events` lists them".to_owned(),
    }
}
