//! The schema at the edges of runs: where it was changed out of band, and who has accepted that.

use ledger::{Body, Digest, Event, SchemaState, Timestamp};

/// The state of the schema at the edge of a run, or as it was accepted since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaMark {
    /// The event that says so.
    pub seq: u64,
    /// The fingerprint.
    pub schema: SchemaState,
}

/// A change of the schema that no run made, as the run after it found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The schema before.
    pub left: SchemaMark,
    /// The schema with which the run began.
    pub began: SchemaMark,
    /// Who has accepted it afterwards.
    pub accepted: Option<Acceptance>,
}

/// The word of an owner that a schema is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The event that says so.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub actor: String,
    /// The fingerprint that was accepted.
    pub found: Digest,
    /// Why.
    pub reason: String,
}

/// A fold over events about the schema.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    last: Option<SchemaMark>,
    drifts: Vec<Drift>,
    acceptances: Vec<Acceptance>,
}

impl Schemas {
    /// Folds the next event.
    pub fn apply(&mut self, event: &Event) {
        match &event.body {
            Body::RunStarted(body) => self.began(event.seq, body.schema.as_ref()),
            Body::RunFinished(body) => {
                self.last = body.schema.clone().map(|schema| SchemaMark {
                    seq: event.seq,
                    schema,
                });
            }
            Body::BackupRestored(_) => self.last = None,
            Body::DriftAccepted(body) => self.accept(Acceptance {
                seq: event.seq,
                time: event.time,
                actor: event.actor.clone(),
                found: body.found,
                reason: body.reason.clone(),
            }),
            _ => {}
        }
    }

    /// Returns the schema as the last run left it, or as it was accepted since, unless something forbids a
    /// conclusion.
    pub fn last(&self) -> Option<&SchemaMark> {
        self.last.as_ref()
    }

    /// Returns each change out of band that a run has found.
    pub fn drifts(&self) -> &[Drift] {
        &self.drifts
    }

    /// Returns what was accepted, oldest first.
    pub fn acceptances(&self) -> &[Acceptance] {
        &self.acceptances
    }

    fn began(&mut self, seq: u64, schema: Option<&SchemaState>) {
        let began = schema.cloned().map(|schema| SchemaMark { seq, schema });
        // a run that does not finish leaves nothing to compare the next one with
        let left = self.last.take();
        if let (Some(left), Some(began)) = (left, began) {
            let comparable = left.schema.format == began.schema.format
                && left.schema.server == began.schema.server;
            if comparable && left.schema.digest != began.schema.digest {
                self.drifts.push(Drift {
                    left,
                    began,
                    accepted: None,
                });
            }
        }
    }

    /// Settles what runs have found of this fingerprint before; where there is none of that, it is about the
    /// schema as it is now, which the next run is compared with.
    fn accept(&mut self, acceptance: Acceptance) {
        let open = self.drifts.iter_mut().filter(|drift| {
            drift.accepted.is_none() && drift.began.schema.digest == acceptance.found
        });
        let mut settled = false;
        for drift in open {
            drift.accepted = Some(acceptance.clone());
            settled = true;
        }
        // only fingerprints of one form are compared, so what was accepted has the form of the last one
        if !settled && let Some(last) = &mut self.last {
            last.seq = acceptance.seq;
            last.schema.digest = acceptance.found;
        }
        self.acceptances.push(acceptance);
    }
}
