//! What SQLite's result codes mean (<https://www.sqlite.org/rescode.html>).

use std::path::Path;

use sqlx::Error;

use crate::engine::{EngineError, Fault};

/// `SQLITE_CONSTRAINT`, the primary code of refused rows.
pub(super) const CONSTRAINT: i32 = 19;

/// Translates an error of the driver.
pub(super) fn from_driver(error: Error) -> EngineError {
    match error {
        Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok());
            from_code(code.unwrap_or(1), error.message())
        }
        Error::Io(error) => EngineError::new(Fault::Io, error.to_string()),
        Error::WorkerCrashed => EngineError::new(Fault::Io, "the connection has broken down"),
        other => EngineError::new(Fault::Io, other.to_string()),
    }
}

/// Returns the primary result code that an error of this module carries, or 0.
pub(super) fn primary(error: &EngineError) -> i32 {
    let number = error.code.as_deref().and_then(|code| {
        let (_, number) = code.rsplit_once('(')?;
        number.strip_suffix(')')?.parse::<i32>().ok()
    });
    number.map_or(0, |number| number & 0xff)
}

/// Names the file in errors that are about the file.
pub(super) fn at(path: &Path, mut error: EngineError) -> EngineError {
    let about_file = matches!(
        error.fault,
        Fault::Io | Fault::Full | Fault::ReadOnly | Fault::NotADatabase | Fault::Unreachable
    );
    let path = path.display().to_string();
    if about_file && !error.message.contains(&path) {
        error.message = format!("{} at `{path}`", error.message);
    }
    error
}

fn from_code(code: i32, message: &str) -> EngineError {
    EngineError {
        fault: fault(code),
        code: Some(format!("{} ({code})", name(code))),
        message: message.to_owned(),
        offset: None,
    }
}

fn fault(code: i32) -> Fault {
    match (code, code & 0xff) {
        // the content of one virtual table is damaged, not the file
        (267, _) => Fault::Statement,
        // the WAL index cannot be made as large as it must be
        (4874, _) => Fault::Full,
        // the file was moved or deleted under the connection
        (1032, _) => Fault::Io,
        (_, 5) => Fault::Busy,
        (_, 8) => Fault::ReadOnly,
        (_, 9) => Fault::Interrupted,
        (_, 7 | 10) => Fault::Io,
        (_, 11 | 26) => Fault::NotADatabase,
        (_, 13) => Fault::Full,
        // 15: the locks of the WAL index do not work, as on some network file systems
        (_, 14 | 15) => Fault::Unreachable,
        _ => Fault::Statement,
    }
}

/// The name of an extended code, else that of its primary one.
fn name(code: i32) -> &'static str {
    NAMES
        .iter()
        .find(|(known, _)| *known == code)
        .or_else(|| NAMES.iter().find(|(known, _)| *known == code & 0xff))
        .map_or("SQLITE_ERROR", |(_, name)| name)
}

const NAMES: &[(i32, &str)] = &[
    (1, "SQLITE_ERROR"),
    (2, "SQLITE_INTERNAL"),
    (3, "SQLITE_PERM"),
    (4, "SQLITE_ABORT"),
    (5, "SQLITE_BUSY"),
    (6, "SQLITE_LOCKED"),
    (7, "SQLITE_NOMEM"),
    (8, "SQLITE_READONLY"),
    (9, "SQLITE_INTERRUPT"),
    (10, "SQLITE_IOERR"),
    (11, "SQLITE_CORRUPT"),
    (12, "SQLITE_NOTFOUND"),
    (13, "SQLITE_FULL"),
    (14, "SQLITE_CANTOPEN"),
    (15, "SQLITE_PROTOCOL"),
    (17, "SQLITE_SCHEMA"),
    (18, "SQLITE_TOOBIG"),
    (19, "SQLITE_CONSTRAINT"),
    (20, "SQLITE_MISMATCH"),
    (21, "SQLITE_MISUSE"),
    (22, "SQLITE_NOLFS"),
    (23, "SQLITE_AUTH"),
    (25, "SQLITE_RANGE"),
    (26, "SQLITE_NOTADB"),
    (257, "SQLITE_ERROR_MISSING_COLLSEQ"),
    (261, "SQLITE_BUSY_RECOVERY"),
    (264, "SQLITE_READONLY_RECOVERY"),
    (266, "SQLITE_IOERR_READ"),
    (267, "SQLITE_CORRUPT_VTAB"),
    (275, "SQLITE_CONSTRAINT_CHECK"),
    (513, "SQLITE_ERROR_RETRY"),
    (516, "SQLITE_ABORT_ROLLBACK"),
    (517, "SQLITE_BUSY_SNAPSHOT"),
    (520, "SQLITE_READONLY_CANTLOCK"),
    (522, "SQLITE_IOERR_SHORT_READ"),
    (523, "SQLITE_CORRUPT_SEQUENCE"),
    (526, "SQLITE_CANTOPEN_ISDIR"),
    (531, "SQLITE_CONSTRAINT_COMMITHOOK"),
    (769, "SQLITE_ERROR_SNAPSHOT"),
    (773, "SQLITE_BUSY_TIMEOUT"),
    (776, "SQLITE_READONLY_ROLLBACK"),
    (778, "SQLITE_IOERR_WRITE"),
    (779, "SQLITE_CORRUPT_INDEX"),
    (782, "SQLITE_CANTOPEN_FULLPATH"),
    (787, "SQLITE_CONSTRAINT_FOREIGNKEY"),
    (1032, "SQLITE_READONLY_DBMOVED"),
    (1034, "SQLITE_IOERR_FSYNC"),
    (1043, "SQLITE_CONSTRAINT_FUNCTION"),
    (1288, "SQLITE_READONLY_CANTINIT"),
    (1290, "SQLITE_IOERR_DIR_FSYNC"),
    (1299, "SQLITE_CONSTRAINT_NOTNULL"),
    (1544, "SQLITE_READONLY_DIRECTORY"),
    (1546, "SQLITE_IOERR_TRUNCATE"),
    (1550, "SQLITE_CANTOPEN_SYMLINK"),
    (1555, "SQLITE_CONSTRAINT_PRIMARYKEY"),
    (1802, "SQLITE_IOERR_FSTAT"),
    (1811, "SQLITE_CONSTRAINT_TRIGGER"),
    (2058, "SQLITE_IOERR_UNLOCK"),
    (2067, "SQLITE_CONSTRAINT_UNIQUE"),
    (2314, "SQLITE_IOERR_RDLOCK"),
    (2323, "SQLITE_CONSTRAINT_VTAB"),
    (2570, "SQLITE_IOERR_DELETE"),
    (2579, "SQLITE_CONSTRAINT_ROWID"),
    (2835, "SQLITE_CONSTRAINT_PINNED"),
    (3082, "SQLITE_IOERR_NOMEM"),
    (3091, "SQLITE_CONSTRAINT_DATATYPE"),
    (3338, "SQLITE_IOERR_ACCESS"),
    (3594, "SQLITE_IOERR_CHECKRESERVEDLOCK"),
    (3850, "SQLITE_IOERR_LOCK"),
    (4106, "SQLITE_IOERR_CLOSE"),
    (4618, "SQLITE_IOERR_SHMOPEN"),
    (4874, "SQLITE_IOERR_SHMSIZE"),
    (5130, "SQLITE_IOERR_SHMLOCK"),
    (5386, "SQLITE_IOERR_SHMMAP"),
    (5642, "SQLITE_IOERR_SEEK"),
    (5898, "SQLITE_IOERR_DELETE_NOENT"),
    (6154, "SQLITE_IOERR_MMAP"),
    (6410, "SQLITE_IOERR_GETTEMPPATH"),
    (8458, "SQLITE_IOERR_CORRUPTFS"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_named() {
        let fault_of = |code| from_code(code, "").fault;
        assert_eq!(fault_of(517), Fault::Busy);
        assert_eq!(fault_of(6), Fault::Statement);
        assert_eq!(fault_of(2067), Fault::Statement);
        assert_eq!(fault_of(267), Fault::Statement);
        assert_eq!(fault_of(779), Fault::NotADatabase);
        assert_eq!(fault_of(778), Fault::Io);
        assert_eq!(fault_of(4874), Fault::Full);

        let unique = from_code(2067, "UNIQUE constraint failed: a.b");
        assert_eq!(
            unique.code.as_deref(),
            Some("SQLITE_CONSTRAINT_UNIQUE (2067)")
        );
        assert_eq!(primary(&unique), CONSTRAINT);
        // an extended code that is newer than the table keeps the name of its primary one
        let newer = from_code(10 | 200 << 8, "");
        assert_eq!(newer.code.as_deref(), Some("SQLITE_IOERR (51210)"));
    }

    #[test]
    fn errors_about_the_file_name_it_once() {
        let path = Path::new("/data/shop.db");
        let full = at(path, from_code(13, "database or disk is full"));
        assert_eq!(full.message, "database or disk is full at `/data/shop.db`");
        assert_eq!(at(path, full.clone()), full);
        let statement = from_code(1, "no such table: a");
        assert_eq!(at(path, statement.clone()), statement);
    }
}
