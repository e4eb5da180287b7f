//! The least rights in the database that each kind of work needs.

use super::Migrator;
use super::approve::no_ledger;
use crate::error::Error;
use crate::report::Granted;
use crate::request::Grantees;

impl Migrator {
    /// Returns what gives each of `who` their rights; nothing is executed.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger, and [`Error::Usage`] where none is opened: the rights are those on its
    /// tables.
    pub async fn grants(&self, who: &Grantees) -> Result<Granted, Error> {
        let mut opened = self.open().await?;
        let session = match opened.session.as_deref_mut() {
            Some(session) if !opened.log.is_empty() => session,
            _ => return Err(no_ledger()),
        };
        let here = session
            .identity()
            .await
            .map_err(|error| self.engine_error(error, "reading the database's identity"))?;
        Ok(self.engine.grants(&here.name, who))
    }
}
