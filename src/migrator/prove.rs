//! Proof that one event is in the ledger, for who gets nothing else of it (docs/format.md section 8).

use ledger::{Checkpoint, Digest, Proof, Record, merkle};

use super::Migrator;
use super::approve::no_ledger;
use super::events::unknown_event;
use super::export::{changed_meanwhile, record, sign_head};
use super::keep::CHECKPOINT_ROLES;
use super::open::{Opened, integrity};
use crate::engine::Session;
use crate::error::Error;
use crate::log::PAGE;
use crate::report::ProofView;

impl Migrator {
    /// Proves that one event is in the ledger; writes nothing. Memory grows by 32 bytes an event.
    ///
    /// It is proven under the signed note of a checkpoint, where one is given; else under one over all
    /// events that is signed for it.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger, [`Error::Usage`] where there is no such event, [`Error::Refused`]
    /// when this command's key may not sign checkpoints, [`Error::Signing`] when it fails, and
    /// [`Error::Integrity`] where the checkpoint given is none of this ledger.
    pub async fn prove(&self, seq: u64, under: Option<&str>) -> Result<ProofView, Error> {
        let opened = match under {
            Some(note) => self.open_under(note).await?,
            None => self.open().await?,
        };
        let log = opened.log;
        let (checkpoint, note) = match under {
            Some(note) => Checkpoint::parse(note).map_err(|fault| not_ours(&fault.to_string()))?,
            None => sign_head(&log, &*self.signer_of(&log, CHECKPOINT_ROLES)?)?,
        };
        if seq >= checkpoint.size {
            return Err(unknown_event(seq));
        }
        let mut session = opened.session.ok_or_else(no_ledger)?;
        let size = checkpoint.size;
        let (leaves, entry) = self.leaves(&mut *session, size, seq).await?;
        let proof = Proof {
            record: entry,
            index: seq,
            path: merkle::inclusion_proof(&leaves, seq).ok_or_else(changed_meanwhile)?,
            checkpoint,
            note,
        };
        proof.check().map_err(|_| changed_meanwhile())?;
        Ok(ProofView {
            ledger: checkpoint.ledger,
            seq,
            hash: proof.record.hash(),
            size,
            root: checkpoint.root,
            proof: proof.to_string(),
        })
    }

    /// Reads the log and makes sure that the checkpoint is one of it.
    async fn open_under(&self, note: &str) -> Result<Opened, Error> {
        let opened = self.open().await?;
        let mut options = self.options(None);
        options.checkpoints = vec![note.to_owned()];
        let checked = self.read(options).await?.log;
        if checked.is_empty() {
            return Err(no_ledger());
        }
        match checked.errors().next() {
            Some(finding) => Err(not_ours(&finding.message)),
            None => Ok(opened),
        }
    }

    /// Returns the hashes of the first `size` entries, and the entry at `seq`.
    async fn leaves(
        &self,
        session: &mut dyn Session,
        size: u64,
        seq: u64,
    ) -> Result<(Vec<Digest>, Record), Error> {
        let mut leaves = Vec::new();
        let mut entry = None;
        while (leaves.len() as u64) < size {
            let page = session
                .records(leaves.len() as u64, PAGE)
                .await
                .map_err(|error| self.engine_error(error, "reading the ledger"))?;
            if page.is_empty() {
                return Err(changed_meanwhile());
            }
            for stored in page {
                let record = record(stored).ok_or_else(changed_meanwhile)?;
                let position = leaves.len() as u64;
                if position < size {
                    leaves.push(record.hash());
                }
                if position == seq {
                    entry = Some(record);
                }
            }
        }
        entry.map_or_else(|| Err(changed_meanwhile()), |entry| Ok((leaves, entry)))
    }
}

fn not_ours(found: &str) -> Error {
    integrity(
        "checkpoint-mismatch",
        format!("expected a checkpoint of this ledger, found another: {found}"),
        "name one that `mledger checkpoint` or a run has written; `mledger verify --checkpoint FILE` \
         says more",
    )
}
