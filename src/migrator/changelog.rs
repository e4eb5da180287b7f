//! Changelogs, made from the ledger alone and compared with it.

use super::Migrator;
use super::approve::no_ledger;
use super::open::integrity;
use crate::error::Error;
use crate::release::template::Template;
use crate::release::{Asked, Changelog, Chronicle, check};
use crate::report::ChangelogChecked;

impl Migrator {
    /// Returns what the releases of a range changed; [`crate::release::print`] gives it a form.
    ///
    /// # Errors
    ///
    /// Those of [`Chronicle::changelog`] and of reading the ledger.
    pub async fn changelog(&self, asked: &Asked) -> Result<Changelog, Error> {
        self.chronicle(u64::MAX).await?.changelog(asked)
    }

    /// Proves that a published changelog is what the ledger says, printed by this template if by any.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] when a word of it is another one; those of the template and of reading the
    /// ledger.
    pub async fn check_changelog(
        &self,
        text: &[u8],
        by: Option<&Template>,
    ) -> Result<ChangelogChecked, Error> {
        let (text, seal) = check::read(text)?;
        let chronicle = self.chronicle(seal.last.saturating_add(1)).await?;
        check::compare(&text, &seal, &chronicle, by)?;
        Ok(ChangelogChecked {
            ledger: seal.ledger,
            first: seal.first,
            last: seal.last,
            root: seal.root,
        })
    }

    /// Folds the first `size` events of the log, which holds together as a whole.
    async fn chronicle(&self, size: u64) -> Result<Chronicle, Error> {
        let mut chronicle = Chronicle::default();
        let mut unreadable = None;
        let opened = self
            .open_telling(&mut |event| {
                if event.seq >= size {
                    chronicle.keep_hash(event);
                } else if let Err(reason) = chronicle.apply(event) {
                    unreadable.get_or_insert((event.seq, reason));
                }
            })
            .await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        if let Some((seq, reason)) = unreadable {
            return Err(integrity(
                "lifecycle-broken",
                format!("event {seq} cannot be read: {reason}"),
                "run `mledger verify` for all findings",
            ));
        }
        chronicle.finish(opened.log.head());
        Ok(chronicle)
    }
}
