//! Erasing the bytes of a stored object: what should never have been written down.
//!
//! The digest stays, so does every signature over it; who has the bytes from elsewhere can still show that
//! they are what ran.

use ledger::{Body, Digest, ObjectRedacted, Role};

use super::Migrator;
use crate::engine::Encoding;
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::report::Decided;
use crate::request::Redact;

impl Migrator {
    /// Erases an object's bytes for good and records that an owner has decided so.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where no bytes are stored under the digest, [`Error::Refused`] where it is not
    /// confirmed or the key is no owner's.
    pub async fn redact(&self, request: &Redact) -> Result<Decided, Error> {
        let digest = &request.digest;
        let mut append = self.begin_append(&[Role::Owner]).await?;
        let environment = self.environment(&append.log);
        self.confirmed("redact", &environment, request.confirmed.as_deref())?;
        let fail = |error| self.engine_error(error, "erasing an object");
        let found = append.session.object(digest).await.map_err(fail)?;
        let found = match found {
            Some(object) if object.encoding != Encoding::Absent => object,
            found => return Err(nothing_there(digest, found.is_some())),
        };
        append.session.redact_object(digest).await.map_err(fail)?;
        let mut message = format!(
            "the {} bytes of the object `{digest}` are erased; its digest stays",
            found.size
        );
        let needed = rolled_back_by(&append.log, digest);
        if !needed.is_empty() {
            message.push_str(&format!(
                "; to roll back `{}` its file is needed from now on",
                needed.join("`, `")
            ));
        }
        let fact = Fact::success(Body::ObjectRedacted(ObjectRedacted {
            digest: *digest,
            reason: ledger::clean(&request.reason),
        }));
        let log = self.finish_append(append, vec![fact]).await?;
        Ok(Decided {
            message,
            seq: log.size() - 1,
            head: log.head(),
        })
    }
}

/// Returns the applied versions whose recorded down script is this object.
fn rolled_back_by(log: &Log, digest: &Digest) -> Vec<String> {
    let applied = log.history().applied().into_iter();
    applied
        .filter(|(_, _, applied)| applied.down_script.as_ref() == Some(digest))
        .map(|(_, entry, _)| entry.version.clone())
        .collect()
}

fn nothing_there(digest: &Digest, absent: bool) -> Error {
    Error::Usage {
        code: "object-unknown",
        message: if absent {
            format!("expected the bytes of `{digest}`, found that only digest and size are kept")
        } else {
            format!("expected the digest of a stored object, found `{digest}`")
        },
        hint: "`mledger show SEQ` prints the digests that an event names".to_owned(),
    }
}
