//! Opening the file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use super::{Opening, fault};
use crate::engine::{Access, EngineError, Fault};

/// How long SQLite waits for locks where nothing else is said.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long opening tries again where SQLite answers that it is busy without waiting itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the file for `access`.
pub(super) async fn open(
    path: &Path,
    opening: Opening,
    access: Access,
) -> Result<SqliteConnection, EngineError> {
    let opened = match access {
        Access::Read => for_reading(path, opening).await,
        Access::Write => for_writing(path, opening).await,
    };
    opened.map_err(|error| fault::at(path, error))
}

async fn for_reading(path: &Path, opening: Opening) -> Result<SqliteConnection, EngineError> {
    if !exists(path)? {
        return Err(no_database());
    }
    // not opened read-only: what a crash left in a journal is rolled back by the next reader, which
    // has to write for that; where the file cannot be written SQLite opens it read-only by itself
    let options = options(path)
        .read_only(opening == Opening::ReadOnly)
        .pragma("query_only", "ON");
    let refused = match patiently(&options).await {
        Ok(connection) => return Ok(connection),
        Err(refused) => refused,
    };
    // a WAL database in a folder where its index cannot be made is readable as long as nothing is
    // in the log and nobody writes; and nobody can write without making the index
    let no_index = matches!(
        refused.fault,
        Fault::Unreachable | Fault::ReadOnly | Fault::Io
    );
    if no_index && log_is_empty(path) {
        let unchanging = options.read_only(true).immutable(true);
        return patiently(&unchanging).await.map_err(|_| refused);
    }
    Err(refused)
}

async fn for_writing(path: &Path, opening: Opening) -> Result<SqliteConnection, EngineError> {
    if opening == Opening::ReadOnly {
        return Err(EngineError::new(
            Fault::ReadOnly,
            "the database URL says `mode=ro`, so nothing can be written",
        ));
    }
    if !exists(path)? && opening != Opening::Create {
        return Err(no_database());
    }
    let options = options(path).create_if_missing(opening == Opening::Create);
    let mut connection = patiently(&options).await?;
    begin_log(&mut connection).await?;
    prove_writable(&mut connection).await?;
    Ok(connection)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        // the driver's log would repeat the statements of scripts, and the secrets in them
        .disable_statement_logging()
}

/// Says whether the file is there; an error where it cannot be.
fn exists(path: &Path) -> Result<bool, EngineError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(EngineError::new(
            Fault::Unreachable,
            format!(
                "expected a database file, found a folder at `{}`",
                path.display()
            ),
        )),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => match path.parent() {
            Some(folder) if !folder.is_dir() => Err(EngineError::new(
                Fault::Unreachable,
                format!(
                    "the folder of the database does not exist: create `{}` first",
                    folder.display()
                ),
            )),
            _ => Ok(false),
        },
        Err(error) => Err(EngineError::new(Fault::Unreachable, error.to_string())),
    }
}

fn no_database() -> EngineError {
    EngineError::new(Fault::NoDatabase, "there is no database yet")
}

/// Says whether the write-ahead log is missing or holds nothing.
fn log_is_empty(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    match fs::metadata(PathBuf::from(name)) {
        Ok(log) => log.len() == 0,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// Connects and reads the schema, again and again while SQLite says that it is busy: opening meets
/// locks for which it does not wait, as those of a change of the journal mode.
async fn patiently(options: &SqliteConnectOptions) -> Result<SqliteConnection, EngineError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt(options).await {
            Err(error) if error.fault == Fault::Busy && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            answer => return answer,
        }
    }
}

async fn attempt(options: &SqliteConnectOptions) -> Result<SqliteConnection, EngineError> {
    let mut connection = options.connect().await.map_err(fault::from_driver)?;
    // SQLite opens lazily: only reading shows whether this is a database at all
    sqlx::query("SELECT count(*) FROM main.sqlite_schema")
        .fetch_one(&mut connection)
        .await
        .map_err(fault::from_driver)?;
    Ok(connection)
}

/// Puts a new database into WAL mode; one that has content keeps the mode it is in.
///
/// SQLite answers BUSY to this change at once, whatever the timeout, so the waiting is done here. A
/// database that could not be changed works all the same.
async fn begin_log(connection: &mut SqliteConnection) -> Result<(), EngineError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let switched = async {
            let pages: i64 = sqlx::query("PRAGMA main.page_count")
                .fetch_one(&mut *connection)
                .await?
                .try_get(0)?;
            if pages == 0 {
                sqlx::query("PRAGMA main.journal_mode = WAL")
                    .fetch_all(&mut *connection)
                    .await?;
            }
            Ok(())
        };
        match switched.await.map_err(fault::from_driver) {
            Err(error) if error.fault == Fault::Busy && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) if error.fault == Fault::Busy => return Ok(()),
            answer => return answer,
        }
    }
}

/// Finds out before any work whether the file can be written, which SQLite does not tell: a file it
/// may only read it opens without a word. Writes within a transaction that is rolled back.
async fn prove_writable(connection: &mut SqliteConnection) -> Result<(), EngineError> {
    let raw = |sql: &'static str| sqlx::raw_sql(sql);
    let version: i64 = sqlx::query("PRAGMA main.user_version")
        .fetch_one(&mut *connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(fault::from_driver)?;
    let set = format!("PRAGMA main.user_version = {version}");
    let proof = async {
        raw("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE")
            .execute(&mut *connection)
            .await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(set))
            .execute(&mut *connection)
            .await
    };
    let proof = proof.await.map_err(fault::from_driver);
    // nothing to roll back where another writer was at work, which is proof enough
    let open = proof.is_ok()
        || proof
            .as_ref()
            .is_err_and(|error| error.fault != Fault::Busy);
    if open {
        // fails only where the failed statement has rolled back already
        drop(raw("ROLLBACK").execute(&mut *connection).await);
    }
    let wait = format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis());
    sqlx::raw_sql(sqlx::AssertSqlSafe(wait))
        .execute(&mut *connection)
        .await
        .map_err(fault::from_driver)?;
    match proof {
        Err(error) if error.fault != Fault::Busy => Err(error),
        _ => Ok(()),
    }
}

/// Closes a connection and waits until the file is released.
pub(super) async fn close(connection: SqliteConnection) -> Result<(), EngineError> {
    connection.close().await.map_err(fault::from_driver)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_a_log_without_content_lets_the_file_stand_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let log = folder.path().join("shop.db-wal");
        assert!(log_is_empty(&path));
        fs::write(&log, "").unwrap();
        assert!(log_is_empty(&path));
        fs::write(&log, "x").unwrap();
        assert!(!log_is_empty(&path));
    }
}
