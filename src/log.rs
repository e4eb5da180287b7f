//! The log as this command has read it: checked, folded, and never ahead of the database.

use std::num::NonZeroUsize;
use std::thread;

use ledger::verify::{Columns, Entry, Options, Pending, Pipeline, Prepared, Verdict, Verifier};
use ledger::{Code, Digest, Event, Finding, Head, Severity};

use crate::checkpoints;
use crate::context::Remembered;
use crate::engine::{EngineError, Fault, Session, StoredRecord};
use crate::journal::Committed;
use crate::projection::approvals::Approvals;
use crate::projection::backups::Backups;
use crate::projection::history::History;
use crate::projection::releases::Releases;

/// How many records are fetched at a time; bounds memory, not the log.
pub(crate) const PAGE: u32 = 512;

impl Entry for StoredRecord {
    fn line(&self) -> &[u8] {
        &self.line
    }

    fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn columns(&self) -> Option<Columns<'_>> {
        Some(Columns {
            seq: self.seq,
            prev: &self.prev,
            hash: &self.hash,
        })
    }
}

/// Returns how many threads signatures are verified on: as many as this process may use.
pub(crate) fn threads() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Waits for entries without keeping other tasks waiting.
async fn done(
    pending: Pending<StoredRecord>,
) -> Result<impl Iterator<Item = Prepared<StoredRecord>>, EngineError> {
    if pending.is_here() {
        return Ok(pending.wait());
    }
    let waiting = tokio::task::spawn_blocking(|| pending.wait());
    waiting.await.map_err(|error| {
        let message = format!("the verification was cut short: {error}");
        EngineError::new(Fault::Io, message)
    })
}

/// The records of one database, checked as they are read and folded into projections.
#[derive(Debug)]
pub(crate) struct Log {
    verifier: Verifier,
    history: History,
    approvals: Approvals,
    backups: Backups,
    releases: Releases,
    unreadable: Option<(u64, String)>,
}

impl Log {
    /// Returns the log of a database that has no ledger yet.
    pub(crate) fn empty(options: Options) -> Self {
        Self {
            verifier: Verifier::new(options),
            history: History::default(),
            approvals: Approvals::default(),
            backups: Backups::default(),
            releases: Releases::default(),
            unreadable: None,
        }
    }

    /// Reads what was appended since the last reading, checks and folds it; `each` sees every event.
    ///
    /// # Errors
    ///
    /// What the database answered. What the *records* say that is wrong is a finding instead.
    pub(crate) async fn catch_up(
        &mut self,
        session: &mut dyn Session,
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> Result<(), EngineError> {
        let mut at = self.size();
        let mut pipeline = Pipeline::new(at, threads());
        let mut page = session.records(at, PAGE).await?;
        while page.len() == PAGE as usize {
            at += page.len() as u64;
            pipeline.submit(self.verifier.preparation(), page);
            let surplus = pipeline.surplus();
            // the next page is on its way while these are taken in
            let (next, taken) = tokio::join!(
                biased;
                session.records(at, PAGE),
                self.take(surplus, each),
            );
            taken?;
            page = next?;
        }
        pipeline.submit(self.verifier.preparation(), page);
        self.take(Some(pipeline.rest()), each).await?;
        self.drop_strangers();
        Ok(())
    }

    async fn take(
        &mut self,
        pending: Option<Pending<StoredRecord>>,
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> Result<(), EngineError> {
        let Some(pending) = pending else {
            return Ok(());
        };
        for prepared in done(pending).await? {
            if let Some(event) = self.verifier.push_prepared(prepared) {
                self.apply(&event);
                each(&event);
            }
        }
        Ok(())
    }

    /// Checks and folds a page that was read from behind the end of this log; says whether it was the
    /// last one.
    pub(crate) fn take_in(
        &mut self,
        page: &[StoredRecord],
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> bool {
        for stored in page {
            if let Some(event) = self.verifier.push(stored) {
                self.apply(&event);
                each(&event);
            }
        }
        page.len() < PAGE as usize
    }

    /// Lets go of checkpoints of other ledgers: which one this is, its first entry says, and of which
    /// environment, its last.
    fn drop_strangers(&mut self) {
        let Some(first) = self.verifier.lineage().first().copied() else {
            return;
        };
        let environment = self.history.environment().unwrap_or_default();
        self.verifier
            .retain_kept(|label| checkpoints::is_own(label, environment, &first));
    }

    /// Lets go of all checkpoints that were kept.
    pub(crate) fn let_go_of_kept(&mut self) {
        self.verifier.retain_kept(|_| false);
    }

    /// Folds what this command has committed itself.
    pub(crate) fn fold(&mut self, committed: &Committed) {
        for record in committed.records() {
            if let Some(event) = self.verifier.push_signed(record, committed.key()) {
                self.apply(&event);
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        self.approvals.apply(event);
        self.backups.apply(event);
        let history = self.history.apply(event);
        // a release holds what is applied where it was tagged
        if let Err(reason) = history.and_then(|()| self.releases.apply(event, &self.history)) {
            self.unreadable.get_or_insert((event.seq, reason));
        }
    }

    /// Returns what the events say of the migrations.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Returns what the events say of approvals.
    pub(crate) fn approvals(&self) -> &Approvals {
        &self.approvals
    }

    /// Returns what the events say of backups.
    pub(crate) fn backups(&self) -> &Backups {
        &self.backups
    }

    /// Returns what the events say of releases.
    pub(crate) fn releases(&self) -> &Releases {
        &self.releases
    }

    /// Returns the verifier's state: chain, keys, lifecycle, findings so far.
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Returns the first event that this version cannot make sense of, and why.
    pub(crate) fn unreadable(&self) -> Option<(u64, &str)> {
        self.unreadable
            .as_ref()
            .map(|(seq, reason)| (*seq, reason.as_str()))
    }

    /// Returns how many events there are.
    pub(crate) fn size(&self) -> u64 {
        self.verifier.size()
    }

    /// Says whether the ledger was never opened.
    pub(crate) fn is_empty(&self) -> bool {
        self.size() == 0
    }

    /// Returns the current ledger id.
    pub(crate) fn id(&self) -> Option<Digest> {
        self.verifier.ledger_id()
    }

    /// Returns the entry hash of the last event, zeros before the first.
    pub(crate) fn head(&self) -> Digest {
        self.verifier.head()
    }

    /// Returns the findings so far.
    pub(crate) fn findings(&self) -> &[Finding] {
        self.verifier.findings()
    }

    /// Says whether anything is wrong that forbids to build on this log. A kind that this version does
    /// not know only forbids to write, which is decided elsewhere. What a key signed in other hands is
    /// suspect for good, and an owner has said so: it is shown, and the chain goes on.
    pub(crate) fn has_errors(&self) -> bool {
        self.verifier.has_errors() && self.errors().next().is_some()
    }

    /// Returns the findings that forbid to build on this log.
    pub(crate) fn errors(&self) -> impl Iterator<Item = Finding> {
        self.verifier.verdict().findings.into_iter().filter(forbids)
    }

    /// Returns those of them that the records themselves give, whatever the log as a whole is compared with.
    pub(crate) fn record_errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings().iter().filter(|finding| forbids(finding))
    }

    /// Returns what a later command may compare with, if there is anything.
    pub(crate) fn to_remember(&self) -> Option<Remembered> {
        (!self.is_empty()).then(|| Remembered {
            lineage: self.verifier.lineage().to_vec(),
            head: Head {
                size: self.size(),
                hash: self.head(),
            },
            root: self.verifier.root(),
        })
    }

    /// Ends the verification and returns its verdict, with the projections.
    pub(crate) fn finish(self) -> (Verdict, History) {
        (self.verifier.finish(), self.history)
    }
}

fn forbids(finding: &Finding) -> bool {
    finding.severity == Severity::Error
        && !matches!(finding.code, Code::KindUnknown | Code::KeyCompromised)
}
