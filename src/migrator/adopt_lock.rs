//! Whether the tool whose history is taken over is at work meanwhile.

use super::Migrator;
use crate::adopt::{Lock, LockState, Table, Tool, Whereabouts};
use crate::engine::Session;
use crate::error::Error;
use crate::plan::{Blocker, BlockerKind};
use crate::report::Refusal;

impl Migrator {
    /// Asks for the locks of the tool whose table it is, without waiting.
    pub(super) async fn lock_state(
        &self,
        tool: &dyn Tool,
        table: &Table,
        session: &mut dyn Session,
    ) -> Result<LockState, Error> {
        let fail = |error| self.engine_error(error, "asking for another tool's lock");
        let (database, schema) = session.whereabouts().await.map_err(fail)?;
        let locks = tool.locks(&Whereabouts {
            database: &database,
            schema: &schema,
            table: &table.name,
        });
        let mut state = session.lock_state(&locks).await.map_err(fail)?;
        for lock in &locks {
            let Lock::Row { table, column, .. } = lock else {
                continue;
            };
            // a table of locks that was never made holds none
            if let Some(table) = session.table(table).await.map_err(fail)? {
                let is_held = |row: &Vec<_>| table.cell(row, column).truth() == Some(true);
                if table.rows.iter().any(is_held) {
                    return Ok(LockState::Held);
                }
                state = LockState::Free;
            }
        }
        Ok(state)
    }
}

/// Refuses to take over what its tool may be changing just now.
pub(super) fn in_use(tool: &dyn Tool, state: LockState) -> Option<Blocker> {
    (state == LockState::Held).then(|| Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal::new(
            "adoption-in-use",
            format!(
                "expected `{}` not to be at work, but somebody holds its lock",
                tool.name()
            ),
            "wait for its end; a lock that a process left behind is released with the tool that \
                   took it",
        ),
    })
}
