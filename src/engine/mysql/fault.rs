//! What the servers' error numbers mean (MySQL and MariaDB count alike up to 1900).

use std::io::ErrorKind;

use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

use crate::engine::{EngineError, Fault};

/// `ER_DUP_ENTRY`.
pub(super) const DUPLICATE: u16 = 1062;
/// `ER_LOCK_WAIT_TIMEOUT`: of the transaction only the statement is gone.
pub(super) const LOCK_WAIT: u16 = 1205;
/// `ER_LOCK_DEADLOCK`: the whole transaction is gone.
pub(super) const DEADLOCK: u16 = 1213;
/// `ER_SIGNAL_EXCEPTION`: what a guard of ours raises.
pub(super) const SIGNAL: u16 = 1644;
/// `ER_SP_DOES_NOT_EXIST`, also said of a savepoint.
pub(super) const DOES_NOT_EXIST: u16 = 1305;
/// `ER_DATA_OUT_OF_RANGE`.
pub(super) const OUT_OF_RANGE: u16 = 1690;
/// `ER_PARSE_ERROR`.
pub(super) const UNREADABLE: u16 = 1064;
/// `ER_NO_SUCH_THREAD`.
pub(super) const NO_SUCH_THREAD: u16 = 1094;
/// `ER_BINLOG_CREATE_ROUTINE_NEED_SUPER`.
pub(super) const NEEDS_TRUST: u16 = 1419;

/// Translates an error of the driver on an open connection.
pub(super) fn from_driver(error: Error) -> EngineError {
    match error {
        Error::Database(error) => match error.try_downcast::<MySqlDatabaseError>() {
            Ok(error) => of_server(error.number(), error.code(), error.message()),
            Err(other) => EngineError::new(Fault::Statement, other.message()),
        },
        Error::Io(error) => EngineError::new(
            Fault::Disconnected,
            format!("the connection to the server broke: {error}"),
        ),
        Error::Protocol(message) => EngineError::new(
            Fault::Disconnected,
            format!("the server's answer could not be read: {message}"),
        ),
        Error::Tls(error) => EngineError::new(
            Fault::Disconnected,
            format!("the encrypted connection to the server broke: {error}"),
        ),
        other => EngineError::new(Fault::Statement, other.to_string()),
    }
}

/// Translates an error of the driver while it signs in.
pub(super) fn from_sign_in(server: &str, error: Error) -> EngineError {
    // the exchange of a password in the open, which needs a key that is not built in
    if !matches!(error, Error::Database(_)) && error.to_string().contains("RSA") {
        return EngineError::new(
            Fault::Denied,
            format!(
                "the server `{server}` takes this user's password over an encrypted connection only: \
                 add `?ssl-mode=required`, or use its socket"
            ),
        );
    }
    match error {
        // what TLS refuses comes as data that are not valid: waiting does not make them so
        Error::Io(error) if error.kind() == ErrorKind::InvalidData => EngineError::new(
            Fault::Denied,
            format!("no encrypted connection to `{server}`: {error}"),
        ),
        Error::Io(error) => EngineError::new(
            Fault::Unreachable,
            format!("nothing answers at `{server}`: {error}"),
        ),
        Error::Tls(error) => EngineError::new(
            Fault::Denied,
            format!("no encrypted connection to `{server}`: {error}"),
        ),
        Error::Configuration(error) => EngineError::new(
            Fault::Denied,
            format!("the connection to `{server}` cannot be made as asked for: {error}"),
        ),
        Error::Protocol(message) => EngineError::new(
            Fault::Unreachable,
            format!("the answer from `{server}` could not be read: {message}"),
        ),
        other => {
            let mut error = from_driver(other);
            if error.fault == Fault::Disconnected {
                // the server was not there yet, or not any more
                error.fault = Fault::Unreachable;
            }
            error
        }
    }
}

/// Returns the error's number, or 0.
pub(super) fn number(error: &EngineError) -> u16 {
    let code = error.code.as_deref().unwrap_or_default();
    let digits = code.split(' ').next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

/// Judges an error that a statement of our own met, rather than one of a script.
pub(super) fn of_ours(mut error: EngineError) -> EngineError {
    error.fault = match number(&error) {
        DUPLICATE | SIGNAL => Fault::Conflict,
        LOCK_WAIT | 3572 => Fault::Busy,
        // 1020: another transaction has changed the row since this one read it
        DEADLOCK | 1020 => Fault::Transient,
        _ => error.fault,
    };
    error
}

fn of_server(number: u16, state: Option<&str>, message: &str) -> EngineError {
    EngineError {
        fault: fault(number),
        code: Some(match state {
            Some(state) => format!("{number} ({state})"),
            None => number.to_string(),
        }),
        message: match number {
            NEEDS_TRUST => format!(
                "{message}; creating triggers on this server needs `log_bin_trust_function_creators = \
                 1`, or a user with the right SUPER"
            ),
            1449 => format!(
                "{message}; the user who created the trigger or view is gone: create that user \
                 again, or drop and make the object anew"
            ),
            _ => message.to_owned(),
        },
        offset: None,
    }
}

fn fault(number: u16) -> Fault {
    match number {
        // too many connections, of all or of this user; a host that is blocked for now; a server
        // that is shutting down
        1040 | 1203 | 1226 | 1129 | 1053 => Fault::Unreachable,
        // access denied, to the database or by this way of signing in; an expired password
        1044 | 1045 | 1130 | 1142 | 1143 | 1227 | 1251 | 1275 | 1524 | 1698 | 1820 | 1862
        | 3118 | 3159 | 4151 | 3955 => Fault::Denied,
        1049 => Fault::NoDatabase,
        // the server or the transaction only reads
        1290 | 1792 | 1836 | 3989 => Fault::ReadOnly,
        1021 => Fault::Full,
        1317 => Fault::Interrupted,
        // the session was ended by the server, by an administrator, or by a limit on idleness
        1152 | 1184 | 1927 | 2006 | 2013 | 4031 | 1158 | 1159 | 1160 | 1161 => Fault::Disconnected,
        _ => Fault::Statement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: u16) -> EngineError {
        of_server(number, Some("HY000"), "words")
    }

    #[test]
    fn numbers_are_told_apart_and_kept() {
        for (number, fault) in [
            (1045, Fault::Denied),
            (1049, Fault::NoDatabase),
            (1040, Fault::Unreachable),
            (1290, Fault::ReadOnly),
            (1021, Fault::Full),
            (1927, Fault::Disconnected),
            (1064, Fault::Statement),
            (1317, Fault::Interrupted),
            (1969, Fault::Statement),
        ] {
            assert_eq!(said(number).fault, fault, "{number}");
        }
        assert_eq!(said(1064).code.as_deref(), Some("1064 (HY000)"));
        assert_eq!(number(&said(1064)), 1064);
        assert_eq!(number(&EngineError::new(Fault::Io, "x")), 0);
    }

    #[test]
    fn what_our_own_statements_meet_is_a_conflict_or_a_wait() {
        assert_eq!(of_ours(said(1062)).fault, Fault::Conflict);
        assert_eq!(of_ours(said(1644)).fault, Fault::Conflict);
        assert_eq!(of_ours(said(1205)).fault, Fault::Busy);
        assert_eq!(of_ours(said(1213)).fault, Fault::Transient);
        assert_eq!(of_ours(said(1064)).fault, Fault::Statement);
    }

    #[test]
    fn a_password_that_would_go_in_the_open_says_what_to_add() {
        let words = "RSA auth backend disabled; enable feature `mysql-rsa`";
        for error in [
            Error::Configuration(words.into()),
            Error::Protocol(words.into()),
            Error::Tls(words.into()),
        ] {
            let error = from_sign_in("db:3306", error);
            assert_eq!(error.fault, Fault::Denied);
            assert!(error.message.contains("ssl-mode=required"), "{error}");
        }
    }

    #[test]
    fn a_right_that_is_missing_for_triggers_says_what_to_set() {
        let error = said(NEEDS_TRUST);
        assert!(error.message.contains("log_bin_trust_function_creators"));
    }
}
