//! Changes of the schema that no run made: what they are, and the word of an owner that one may stay.

use ledger::{Body, Code, Digest, DriftAccepted, Finding, Role};

use super::Migrator;
use super::approve::no_ledger;
use crate::engine::SchemaFingerprint;
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::projection::schema::{Acceptance, Drift, SchemaMark};
use crate::report::{AcceptanceView, Decided, DriftReport, DriftView, SchemaAt, SchemaHealth};

impl Migrator {
    /// Compares the schema with the one that the ledger tells of; writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where there is no ledger; those of reading it.
    pub async fn drifts(&self) -> Result<DriftReport, Error> {
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        let session = opened.session.as_deref_mut().ok_or_else(no_ledger)?;
        let (now, finding) = self.compare_schema(session, &opened.log).await?;
        let schemas = opened.log.history().schemas();
        let schema = compared(&opened.log, finding.as_ref());
        Ok(DriftReport {
            environment: self.environment(&opened.log),
            schema,
            expected: schemas.last().map(at),
            found: now.map(|now| now.digest),
            reason: finding
                .filter(|_| schema == SchemaHealth::NotCompared)
                .map(|finding| finding.message),
            drifts: schemas.drifts().iter().map(view).collect(),
            acceptances: schemas.acceptances().iter().map(acceptance).collect(),
        })
    }

    /// Records that an owner accepts a schema that was changed by other means: the one that is there now, or
    /// one that a run has found.
    ///
    /// `found` is its fingerprint, so that nobody accepts what has changed again since it was looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where there is no such change that is still open, [`Error::Refused`] where the key
    /// is no owner's.
    pub async fn accept_drift(&self, found: &Digest, reason: &str) -> Result<Decided, Error> {
        let mut append = self.begin_append(&[Role::Owner]).await?;
        let compared = self
            .compare_schema(&mut *append.session, &append.log)
            .await?;
        let meant = meant(&append.log, found, &compared);
        if meant == 0 {
            return Err(unknown(found, &compared));
        }
        let fact = Fact::success(Body::DriftAccepted(DriftAccepted {
            found: *found,
            reason: ledger::clean(reason),
        }));
        let log = self.finish_append(append, vec![fact; meant]).await?;
        Ok(Decided {
            message: format!("the schema with the fingerprint `{found}` is accepted"),
            seq: log.size() - 1,
            head: log.head(),
        })
    }
}

type Compared = (Option<SchemaFingerprint>, Option<Finding>);

/// Counts the events that it takes: one for all that runs have found, and one for the schema as it is now.
fn meant(log: &Log, found: &Digest, (now, finding): &Compared) -> usize {
    let is_open = |drift: &Drift| drift.accepted.is_none() && drift.began.schema.digest == *found;
    let was_found = log.history().schemas().drifts().iter().any(is_open);
    let differs = finding
        .as_ref()
        .is_some_and(|finding| finding.code == Code::SchemaDrift);
    let is_now = differs && now.as_ref().is_some_and(|now| now.digest == *found);
    usize::from(was_found) + usize::from(is_now)
}

fn unknown(found: &Digest, (_, finding): &Compared) -> Error {
    let finding = finding
        .as_ref()
        .filter(|finding| finding.code == Code::SchemaNotCompared);
    Error::Usage {
        code: "drift-unknown",
        message: match finding {
            Some(finding) => finding.message.clone(),
            None => format!(
                "expected the fingerprint of a change that nobody has accepted yet, found `{found}`"
            ),
        },
        hint: "`mledger drift` lists the changes, each with its fingerprint".to_owned(),
    }
}

pub(super) fn compared(log: &Log, drift: Option<&Finding>) -> SchemaHealth {
    match drift {
        Some(finding) if finding.code == Code::SchemaDrift => SchemaHealth::Changed,
        Some(_) => SchemaHealth::NotCompared,
        None if log.history().last_schema().is_some() => SchemaHealth::AsLeft,
        None => SchemaHealth::Unknown,
    }
}

fn at(mark: &SchemaMark) -> SchemaAt {
    SchemaAt {
        seq: mark.seq,
        digest: mark.schema.digest,
    }
}

fn view(drift: &Drift) -> DriftView {
    DriftView {
        expected: at(&drift.left),
        found: at(&drift.began),
        accepted: drift.accepted.as_ref().map(|accepted| accepted.seq),
    }
}

fn acceptance(acceptance: &Acceptance) -> AcceptanceView {
    AcceptanceView {
        seq: acceptance.seq,
        time: acceptance.time,
        actor: acceptance.actor.clone(),
        found: acceptance.found,
        reason: acceptance.reason.clone(),
    }
}
