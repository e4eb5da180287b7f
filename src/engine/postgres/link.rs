//! One connection, and what is asked over it: simple queries, answered in text.

use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::fault::{self, Of};
use super::literal;
use crate::engine::{EngineError, Fault};

/// A server process that serves a connection: its id, and its start in microseconds since 1970, since
/// ids are used again. The default is none that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Backend {
    pub(super) pid: i32,
    pub(super) start: i64,
}

/// An expression that names the server process of the session that evaluates it; NULL where the session
/// acts as a role that may not know it.
pub(super) const THIS_BACKEND: &str = "(SELECT pid::pg_catalog.text || '/' || \
     (EXTRACT(epoch FROM backend_start) * 1000000)::pg_catalog.int8::pg_catalog.text \
     FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()))";

impl Backend {
    /// Returns an expression that names the server process of the session that evaluates it: this one,
    /// unless a pooler has changed it.
    pub(super) fn expression(self) -> String {
        format!(
            "CASE WHEN pg_catalog.pg_backend_pid() = {} THEN {} ELSE {THIS_BACKEND} END",
            self.pid,
            self.known()
        )
    }

    /// Returns an expression that names this server process; NULL where none is known.
    pub(super) fn known(self) -> String {
        if self == Self::default() {
            return "NULL".to_owned();
        }
        format!("'{}/{}'", self.pid, self.start)
    }

    /// Reads what [`THIS_BACKEND`] gives.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (pid, start) = text.split_once('/')?;
        Some(Self {
            pid: pid.parse().ok()?,
            start: start.parse().ok()?,
        })
    }
}

/// A connection that knows whether it can still be used.
#[derive(Debug)]
pub(super) struct Link {
    connection: Option<PgConnection>,
    /// A question was sent whose answer was not read to its end.
    asking: bool,
}

impl Link {
    pub(super) fn new(connection: PgConnection) -> Self {
        Self {
            connection: Some(connection),
            asking: false,
        }
    }

    /// Says whether nothing can be asked any more.
    pub(super) fn is_broken(&self) -> bool {
        self.asking || self.connection.is_none()
    }

    /// Asks, and returns all rows of all statements.
    pub(super) async fn ask(&mut self, sql: &str, of: Of<'_>) -> Result<Vec<PgRow>, EngineError> {
        let connection = self.usable()?;
        let answer = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .fetch_all(connection)
            .await;
        self.answered(answer, of)
    }

    /// Asks, and returns all rows of all statements. An error comes with the number of rows before it,
    /// which says which of the statements failed, and `of` whose that is.
    pub(super) async fn ask_in_order<'a>(
        &mut self,
        sql: &str,
        of: impl Fn(usize) -> Of<'a>,
    ) -> Result<Vec<PgRow>, (usize, EngineError)> {
        let connection = self.usable().map_err(|error| (0, error))?;
        let mut rows = Vec::new();
        let mut answers = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch(connection);
        let end = loop {
            match answers.try_next().await {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(answers);
        let before = rows.len();
        self.answered(end, of(before))
            .map(|()| rows)
            .map_err(|error| (before, error))
    }

    /// Executes, and drops the rows as they come.
    pub(super) async fn run(&mut self, sql: &str, of: Of<'_>) -> Result<(), EngineError> {
        let connection = self.usable()?;
        let answer = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(connection)
            .await;
        self.answered(answer.map(drop), of)
    }

    /// Executes `COPY … FROM STDIN` with its data.
    pub(super) async fn copy(
        &mut self,
        command: &str,
        data: &str,
        of: Of<'_>,
    ) -> Result<(), EngineError> {
        let connection = self.usable()?;
        let answer = async {
            let mut copy = connection.copy_in_raw(command).await?;
            copy.send(data.as_bytes()).await?;
            copy.finish().await
        };
        let answer = answer.await;
        self.answered(answer.map(drop), of)
    }

    /// Says goodbye to the server, where it still listens.
    pub(super) async fn close(mut self) {
        if let Some(connection) = self.connection.take().filter(|_| !self.asking) {
            // the server notices in any case that the connection is gone
            drop(connection.close().await);
        }
    }

    fn usable(&mut self) -> Result<&mut PgConnection, EngineError> {
        if self.asking {
            self.connection = None;
        }
        self.asking = true;
        self.connection.as_mut().ok_or_else(|| {
            EngineError::new(Fault::Disconnected, "the connection to the server is lost")
        })
    }

    fn answered<T>(
        &mut self,
        answer: Result<T, sqlx::Error>,
        of: Of<'_>,
    ) -> Result<T, EngineError> {
        self.asking = false;
        answer.map_err(|error| {
            if !fault::is_usable_after(&error) {
                self.connection = None;
            }
            fault::from_driver(error, of)
        })
    }
}

/// Returns a column as text; None where it is NULL.
pub(super) fn text(row: &PgRow, column: usize) -> Result<Option<String>, EngineError> {
    row.try_get_unchecked(column)
        .map_err(|error| fault::from_driver(error, Of::Ours))
}

/// Returns a column that is an integer; None where it is NULL or none.
pub(super) fn integer(row: &PgRow, column: usize) -> Result<Option<i64>, EngineError> {
    Ok(text(row, column)?.and_then(|text| text.parse().ok()))
}

/// Returns a column that is a boolean; NULL is false.
pub(super) fn truth(row: &PgRow, column: usize) -> Result<bool, EngineError> {
    Ok(text(row, column)?.as_deref() == Some("t"))
}

/// Returns a column that was encoded with [`hex`]; empty where it is NULL.
pub(super) fn bytes(row: &PgRow, column: usize) -> Result<Vec<u8>, EngineError> {
    let text = text(row, column)?.unwrap_or_default();
    literal::from_hex(&text).ok_or_else(|| {
        EngineError::new(Fault::Disconnected, "the server's answer could not be read")
    })
}

/// Returns a column of text that was sent as hex digits of its UTF-8; None where it is NULL.
pub(super) fn coded_text(row: &PgRow, column: usize) -> Result<Option<String>, EngineError> {
    if text(row, column)?.is_none() {
        return Ok(None);
    }
    Ok(Some(
        String::from_utf8_lossy(&bytes(row, column)?).into_owned(),
    ))
}
