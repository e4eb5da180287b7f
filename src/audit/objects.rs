//! The objects that events speak of.

use std::collections::BTreeSet;

use ledger::{Body, Digest};

/// The digests that events name.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Those whose bytes must be there.
    pub(crate) needed: BTreeSet<Digest>,
    /// Those whose bytes an owner has erased.
    pub(crate) redacted: BTreeSet<Digest>,
}

impl Named {
    /// Collects the digests of objects that an event names.
    pub(crate) fn collect(&mut self, body: &Body) {
        match body {
            Body::RunStarted(body) => {
                self.needed.insert(body.plan);
                self.needed.insert(body.policy);
            }
            Body::ValidationFinished(body) => {
                self.needed.insert(body.digest);
            }
            Body::MigrationStarted(body) => {
                self.needed.insert(body.script);
            }
            Body::MigrationApplied(body) => {
                self.needed.insert(body.script);
                self.needed.extend(body.down_script);
            }
            Body::MigrationAccepted(body) => {
                self.needed.insert(body.script);
            }
            Body::ObjectRedacted(body) => {
                self.redacted.insert(body.digest);
            }
            _ => {}
        }
    }
}

/// Says that an owner has erased the bytes of an object.
pub(crate) fn erased(digest: &Digest) -> String {
    format!(
        "the bytes of the object `{digest}` were erased on an owner's decision; its digest is kept"
    )
}
