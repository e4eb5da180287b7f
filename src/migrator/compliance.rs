//! Compliance reports of a live database.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Digest;

use super::Migrator;
use crate::compliance::{Asked, Collector, Evidence, Report};
use crate::engine::{Access, Session};
use crate::error::Error;
use crate::object;
use crate::request::Verify;

impl Migrator {
    /// Returns what the ledger says of the changes of a period; writes nothing.
    ///
    /// Everything is verified first, as [`Migrator::verify`] does. What is wrong with a ledger is told in
    /// the report: it is what an auditor must see.
    ///
    /// # Errors
    ///
    /// Those of [`Migrator::verify`].
    pub async fn report(&self, request: &Verify, asked: &Asked) -> Result<Report, Error> {
        let mut collector = Collector::default();
        let verification = self
            .verify_telling(request, &mut |event| collector.apply(event))
            .await?;
        let mut session = match self.engine.connect(Access::Read).await {
            Ok(session) => session,
            Err(error) => return Err(self.engine_error(error, "connecting")),
        };
        let objects = self.objects(&mut *session, &collector.objects()).await?;
        Ok(collector.report(
            asked,
            Evidence {
                verification,
                objects,
                tool: self.context.tool.clone(),
            },
        ))
    }

    /// Returns those of the objects whose bytes are kept.
    pub(super) async fn objects(
        &self,
        session: &mut dyn Session,
        digests: &BTreeSet<Digest>,
    ) -> Result<BTreeMap<Digest, Vec<u8>>, Error> {
        let mut objects = BTreeMap::new();
        for digest in digests {
            let stored = session
                .object(digest)
                .await
                .map_err(|error| self.engine_error(error, "reading the objects"))?;
            // one that is missing or damaged is a finding of the verification
            if let Some(bytes) = stored.and_then(|stored| object::unpack(&stored).ok()) {
                objects.insert(*digest, bytes);
            }
        }
        Ok(objects)
    }
}
