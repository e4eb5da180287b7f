//! Compliance reports of a live database.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Digest;

use super::Migrator;
use crate::compliance::{Asked, Collector, Enclosure, Evidence, Report};
use crate::engine::{Access, Session};
use crate::error::Error;
use crate::log::PAGE;
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
    /// Those of [`Migrator::verify`] and of [`Collector::report`].
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
        let tool = self.context.tool.clone();
        let evidence = Evidence {
            verification,
            objects,
            tool,
        };
        collector.report(asked, evidence)
    }

    /// Returns the first `size` entries of the log as they are stored, for a page that checks them.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] when the database does not answer.
    pub async fn enclosure(&self, size: u64) -> Result<Enclosure, Error> {
        let fail = |error| self.engine_error(error, "reading the ledger");
        let mut session = self.engine.connect(Access::Read).await.map_err(fail)?;
        let (mut enclosure, mut count) = (Enclosure::default(), 0);
        while count < size {
            let page = session.records(count, PAGE).await.map_err(fail)?;
            for stored in page
                .iter()
                .take(usize::try_from(size - count).unwrap_or(usize::MAX))
            {
                enclosure.push(&stored.line, &stored.signature);
                count += 1;
            }
            if page.len() < PAGE as usize {
                break;
            }
        }
        Ok(enclosure)
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
