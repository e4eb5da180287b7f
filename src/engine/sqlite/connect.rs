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

/// How many rows a connection that only reads may be ahead of who takes them: a page of the log is read
/// while the one before is taken in. The rows of scripts can be of any size, and keep what the driver
/// does by itself.
const READ_AHEAD: usize = 512;

/// Opens the file for `access`.
pub(super) async fn open(
    path: &Path,
    opening: Opening,
    access: Access,
) -> Result<SqliteConnection, EngineError> {
    let opened = match access {
        Access::Read => for_reading(path, opening).await,
        Access::Write | Access::Run(_) => for_writing(path, opening).await,
    };
    opened.map_err(|error| fault::at(path, error))
}

async fn for_reading(path: &Path, opening: Opening) -> Result<SqliteConnection, EngineError> {
    if !exists(path)? {
        return Err(no_database());
    }
    let options = options(path)
        .pragma("query_only", "ON")
        .row_buffer_size(READ_AHEAD);
    let has_log = has_content(path, "-wal");
    // closing a connection that may write moves a log that a crash left into the file; who compares
    // the file's bytes would find them changed by reading. Without a log a connection that may write
    // is the one that leaves nothing behind, and it rolls back what a crash left in a journal; where
    // the file cannot be written SQLite opens it read-only by itself
    let may_write = opening != Opening::ReadOnly;
    let first = options.clone().read_only(has_log || !may_write);
    let refused = match patiently(&first).await {
        Ok(connection) => return Ok(connection),
        Err(refused) => refused,
    };
    if matches!(refused.fault, Fault::NotADatabase | Fault::Busy) {
        Err(refused)
    } else if has_log && may_write {
        patiently(&options).await
    } else if has_log {
        Err(refused)
    } else if has_content(path, "-journal") {
        // the file holds a part of that transaction, and what it replaced is in the journal
        Err(EngineError {
            message: format!(
                "a transaction was cut off and has to be rolled back first, by a connection that \
                 may write: {}",
                refused.message
            ),
            ..refused
        })
    } else {
        // a WAL database in a folder where its index cannot be made is readable as long as nobody
        // writes; and nobody can write without making the index
        let unchanging = options.read_only(true).immutable(true);
        patiently(&unchanging).await.map_err(|_| refused)
    }
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

/// Says whether the file that SQLite keeps beside the database under this ending holds anything, or
/// may do so.
fn has_content(path: &Path, ending: &str) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    match fs::metadata(PathBuf::from(name)) {
        Ok(found) => found.len() > 0,
        Err(error) => error.kind() != ErrorKind::NotFound,
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
    let read = sqlx::query("SELECT count(*) FROM main.sqlite_schema")
        .fetch_one(&mut connection)
        .await;
    match read.map_err(fault::from_driver) {
        Ok(_) => Ok(connection),
        Err(refused) => {
            // what one connection of a process found out about a file SQLite hands to the next one,
            // as that the index of the log is read-only: so this one must be gone before
            close(connection).await?;
            Err(refused)
        }
    }
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
    fn a_file_beside_the_database_counts_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let log = folder.path().join("shop.db-wal");
        assert!(!has_content(&path, "-wal"));
        fs::write(&log, "").unwrap();
        assert!(!has_content(&path, "-wal"));
        fs::write(&log, "x").unwrap();
        assert!(has_content(&path, "-wal"));
    }

    async fn run(connection: &mut SqliteConnection, sql: &'static str) {
        sqlx::raw_sql(sql).execute(connection).await.unwrap();
    }

    async fn count(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
    }

    /// Copies a database and what stands beside it, as a crash would leave them.
    fn crash(from: &Path, suffix: &str, to: &Path) {
        let with = |path: &Path, suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
        fs::copy(from, to).unwrap();
        fs::copy(with(from, suffix), with(to, suffix)).unwrap();
    }

    #[tokio::test]
    async fn a_log_that_a_crash_left_is_read_and_the_file_keeps_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (live, left) = (folder.path().join("live.db"), folder.path().join("left.db"));
        let mut writer = open(&live, Opening::Create, Access::Write).await.unwrap();
        run(&mut writer, "CREATE TABLE t (x); INSERT INTO t VALUES (1)").await;
        crash(&live, "-wal", &left);
        let before = fs::read(&left).unwrap();

        let mut reader = open(&left, Opening::Create, Access::Read).await.unwrap();
        assert_eq!(count(&mut reader, "SELECT count(*) FROM t").await, 1);
        close(reader).await.unwrap();
        assert!(
            fs::read(&left).unwrap() == before,
            "reading changed the file"
        );
    }

    #[tokio::test]
    async fn half_of_a_transaction_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let (live, left) = (folder.path().join("live.db"), folder.path().join("left.db"));
        fs::write(&live, "").unwrap();
        let mut writer = options(&live).connect().await.unwrap();
        run(
            &mut writer,
            "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; CREATE TABLE t (x, y);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO t SELECT 1, zeroblob(500) FROM n;
             BEGIN; UPDATE t SET x = 2",
        )
        .await;
        crash(&live, "-journal", &left);

        let refused = open(&left, Opening::ReadOnly, Access::Read).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.fault, Fault::ReadOnly);
        assert!(refused.message.contains("cut off"), "{refused}");
        let mut reader = open(&left, Opening::Create, Access::Read).await.unwrap();
        assert_eq!(
            count(&mut reader, "SELECT count(*) FROM t WHERE x = 2").await,
            0
        );
        assert_eq!(count(&mut reader, "SELECT count(*) FROM t").await, 2000);
    }
}
