//! The end of a transaction of a run, in as few messages as it takes.

use ledger::Record;

use super::MySqlSession;
use crate::engine::mysql::transaction::{self, Limits};
use crate::engine::mysql::{events, lease, objects, talk};
use crate::engine::{Begin, EngineError, Fault, Fence, Object, Session, StoredRecord};

impl MySqlSession {
    /// Does what [`Session::fence`] asks for with one message.
    pub(super) async fn fence_and_read(
        &mut self,
        fence: &Fence,
        from: u64,
        limit: u32,
    ) -> Result<Option<Vec<StoredRecord>>, EngineError> {
        let lease = match fence.keep {
            Some(duration) => self.renewing(fence.token, duration),
            None => lease::releasing(&self.schema, fence.token),
        };
        let reading = events::reading(&self.schema, from, limit);
        let sql = format!("{}{lease}; {reading}", self.before_fence());
        let answer = talk::changes_and_rows(self.connection()?, sql).await;
        let (changed, rows) = answer.map_err(transaction::ended)?;
        if changed != 1 {
            return Ok(None);
        }
        rows.iter()
            .map(events::stored)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Does what [`Session::append_and_commit`] asks for with one message, where it is not too long.
    pub(super) async fn append_commit_and_begin(
        &mut self,
        objects: &[Object],
        records: &[Record],
        next: Option<&Begin>,
    ) -> Result<(), EngineError> {
        let (schema, longest) = (self.schema.clone(), self.details.longest_message);
        let begin = next.map(|next| self.beginning_of(next)).unwrap_or_default();
        let mut before = String::new();
        for object in objects {
            before += &objects::putting(&schema, object)?;
            before += "; ";
        }
        let connection = self.ready().await?;
        let around = (before.as_str(), begin.as_str());
        match events::append_and_commit(connection, &schema, longest, around, records).await {
            Ok(true) => {
                self.begun = false;
                if let Some(next) = next {
                    self.ahead = Some(*next);
                    self.limits = Limits::of(next);
                }
                self.end_creating().await;
                return Ok(());
            }
            // the message is too long, or another transaction stored the same object meanwhile
            Ok(false) => {}
            Err(error) if error.fault == Fault::Conflict && !objects.is_empty() => {}
            Err(error) => return Err(error),
        }
        for object in objects {
            self.put_object(object).await?;
        }
        self.append(records).await?;
        self.commit().await
    }
}
