//! The end of a transaction of a run, in as few messages as it takes.

use ledger::Record;
use sqlx::Row;

use super::{PostgresSession, nothing_to_commit};
use crate::engine::postgres::fault::Of;
use crate::engine::postgres::{events, lease, objects, transaction};
use crate::engine::{Begin, EngineError, Fence, Object, StoredRecord};

/// The length of an object, in bytes, from which it has a message of its own.
const LONG: usize = 1 << 20;

impl PostgresSession {
    /// Does what [`Session::fence`] asks for with one message.
    pub(super) async fn fence_and_read(
        &mut self,
        fence: &Fence,
        from: u64,
        limit: u32,
    ) -> Result<Option<Vec<StoredRecord>>, EngineError> {
        let lease = match fence.keep {
            Some(duration) => lease::renewing(&self.named(), fence.token, duration),
            None => lease::releasing(fence.token),
        };
        let sql = format!("{lease}; {}", events::reading(from, limit));
        let rows = match self.settle_with(&sql).await? {
            Some(rows) => rows,
            None => {
                let prefix = self.prefix().await?;
                let rows = self.link.ask(&(prefix + &sql), Of::Ours).await?;
                self.now_ours();
                rows
            }
        };
        // the lease answers with one column, and only where it was held; a record has more
        match rows.split_first() {
            Some((held, tail)) if held.len() == 1 => tail
                .iter()
                .map(events::stored)
                .collect::<Result<_, _>>()
                .map(Some),
            _ => Ok(None),
        }
    }

    /// Does what [`Session::append_and_commit`] asks for with one message, where it is not too long.
    pub(super) async fn append_commit_and_begin(
        &mut self,
        objects: &[Object],
        records: &[Record],
        next: Option<&Begin>,
    ) -> Result<(), EngineError> {
        let (Some(open), Some(last)) = (self.open, records.last()) else {
            return Err(nothing_to_commit());
        };
        let mut sql = self.prefix().await?;
        for object in objects {
            if object.content.len() > LONG {
                objects::put(&mut self.link, &sql, object).await?;
                self.now_ours();
                sql.clear();
            } else {
                sql += &objects::putting(object)?;
            }
        }
        sql += &events::inserting(records)?;
        sql += &transaction::assumption(&events::is_head(last));
        let undone = events::dropped(last);
        let known = self.backend;
        let ahead =
            transaction::commit_with(&mut self.link, &open, &sql, undone, next, known).await?;
        self.open = None;
        if let (Some((open, backend)), Some(next)) = (ahead, next) {
            self.ahead = Some((*next, open));
            self.backend = backend;
            self.switch.set_backend(backend);
        }
        Ok(())
    }
}
