//! Which database this is, compared with the one that its ledger tells of.

use std::sync::atomic::Ordering;

use super::Migrator;
use super::open::{self, Opened};
use crate::context::Progress;
use crate::engine::Session;
use crate::error::Error;
use crate::log::Log;

impl Migrator {
    /// Refuses to write where [`Migrator::may_write`] does, and to a database that is not the ledger's own.
    pub(super) async fn may_write_to(&self, opened: &mut Opened) -> Result<(), Error> {
        self.may_write(&opened.log)?;
        match opened.session.as_deref_mut() {
            Some(session) if !opened.log.is_empty() => {
                self.same_database(session, &opened.log).await
            }
            _ => Ok(()),
        }
    }

    /// Compares the database's own identity with the one its ledger was opened for.
    ///
    /// Another name alone is told and refuses nothing: a file may be moved, and a schema renamed.
    pub(super) async fn same_database(
        &self,
        session: &mut dyn Session,
        log: &Log,
    ) -> Result<(), Error> {
        if log.is_empty() {
            return Err(open::lost(
                "its tables are there and hold no event".to_owned(),
            ));
        }
        let found = session
            .identity()
            .await
            .map_err(|error| self.engine_error(error, "reading the database's identity"))?;
        let Some(recorded) = log.history().database() else {
            return Ok(());
        };
        if recorded.identity != found.identity {
            return Err(open::integrity(
                "identity-mismatch",
                format!(
                    "this ledger belongs to the database `{}`, but this one says that it is `{}`",
                    recorded.identity, found.identity
                ),
                "check which database is meant: the ledger was copied here from another one; if this copy \
                 goes on by itself, `mledger fork --env NAME --reason TEXT`; if it takes the other's place, \
                 `mledger move --reason TEXT`",
            ));
        }
        if recorded.name != found.name && !self.name_told.swap(true, Ordering::Relaxed) {
            self.context.observer.observe(&Progress::Warning {
                message: &format!(
                    "the ledger tells of the database `{}`, and this one is called `{}`: if it is a copy, \
                     `mledger fork --env NAME --reason TEXT`; if it was renamed, \
                     `mledger move --reason TEXT`",
                    recorded.name, found.name
                ),
            });
        }
        Ok(())
    }
}
