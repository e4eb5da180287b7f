//! What PostgreSQL's error codes mean (its manual, appendix "PostgreSQL Error Codes").

use std::io::ErrorKind;

use sqlx::Error;
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::engine::{EngineError, Fault};

/// The code that our guards raise where a row does not follow the head.
const NOT_NEXT: &str = "MLG01";

/// Whose statement it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of<'a> {
    /// None: the connection was being made.
    Connecting,
    /// Ours.
    Ours,
    /// A script's, which is repeated here to count in it.
    Script(&'a str),
}

/// Translates an error of the driver. A statement that was cancelled counts as refused; who asked for
/// it to be cancelled knows better.
pub(super) fn from_driver(error: Error, of: Of<'_>) -> EngineError {
    match error {
        Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => from_server(error, of),
            None => EngineError::new(Fault::Statement, error.message()),
        },
        // what TLS refuses comes as data that are not valid: waiting does not make them so
        Error::Io(error) if of == Of::Connecting && error.kind() == ErrorKind::InvalidData => {
            EngineError::new(
                Fault::Denied,
                format!("no encrypted connection could be made: {error}"),
            )
        }
        Error::Io(error) if of == Of::Connecting => {
            EngineError::new(Fault::Unreachable, error.to_string())
        }
        Error::Io(error) => EngineError::new(
            Fault::Disconnected,
            format!("the connection to the server broke: {error}"),
        ),
        Error::Tls(error) => EngineError::new(
            Fault::Denied,
            format!("no encrypted connection could be made: {error}"),
        ),
        Error::Configuration(error) => EngineError::new(
            Fault::Denied,
            format!("the connection cannot be made this way: {error}"),
        ),
        Error::Protocol(reason) if of == Of::Connecting => EngineError::new(
            Fault::Denied,
            format!("the server asks for what this tool cannot do: {reason}"),
        ),
        other => EngineError::new(
            Fault::Disconnected,
            format!("the server's answer could not be read: {other}"),
        ),
    }
}

/// Says whether the connection can be used after an error of the driver.
pub(super) fn is_usable_after(error: &Error) -> bool {
    match error {
        Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            !is_end_of_session(&code)
        }
        _ => false,
    }
}

fn is_end_of_session(code: &str) -> bool {
    // 25P03, 57P05: a session that was idle for too long; 57P01 to 57P04: the server shuts down, or an
    // administrator ended the session
    code.starts_with("08")
        || matches!(
            code,
            "25P03" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05"
        )
}

fn from_server(error: &PgDatabaseError, of: Of<'_>) -> EngineError {
    EngineError {
        fault: fault(error.code(), of),
        code: Some(error.code().to_owned()),
        message: message(error),
        offset: offset(error, of),
    }
}

fn fault(code: &str, of: Of<'_>) -> Fault {
    let ours = !matches!(of, Of::Script(_));
    match code {
        "57P03" if of == Of::Connecting => Fault::Unreachable,
        "53300" => Fault::Unreachable,
        "3D000" if of == Of::Connecting => Fault::NoDatabase,
        _ if is_end_of_session(code) => Fault::Disconnected,
        "25006" => Fault::ReadOnly,
        "53100" => Fault::Full,
        "58030" => Fault::Io,
        "XX001" | "XX002" => Fault::NotADatabase,
        "40001" | "40P01" => Fault::Transient,
        "55P03" if ours => Fault::Busy,
        "55P03" => Fault::Transient,
        NOT_NEXT | "23505" if ours => Fault::Conflict,
        "42501" if ours => Fault::Denied,
        code if code.starts_with("28") => Fault::Denied,
        _ => Fault::Statement,
    }
}

/// The server's message with what it adds for people, but not the values of rows: the message is kept
/// in the ledger, where nothing can be taken out again.
fn message(error: &PgDatabaseError) -> String {
    let mut text = error.message().to_owned();
    if let Some(detail) = error
        .detail()
        .and_then(|detail| shown(error.code(), detail))
    {
        text.push_str("; ");
        text.push_str(detail.trim_end_matches('.'));
    }
    if let Some(hint) = error.hint() {
        text.push_str("; hint: ");
        text.push_str(hint.trim_end_matches('.'));
    }
    // a statement inside a function or a DO block: the position is one in that text
    if let Some(place) = error.r#where().and_then(|place| place.lines().next())
        && !matches!(error.position(), Some(PgErrorPosition::Original(_)))
    {
        text.push_str("; in: ");
        text.push_str(without_data(place));
    }
    text
}

fn shown(code: &str, detail: &str) -> Option<String> {
    if !code.starts_with("23") && !code.starts_with("22") {
        return Some(detail.to_owned());
    }
    // `Key (email)=(dana@example.com) already exists.`: the columns are no secret, the values may be
    let (before, rest) = detail.split_once(")=(")?;
    let (_, after) = rest.rsplit_once(')')?;
    Some(format!("{before}){after}"))
}

/// `COPY t, line 3, column a: "value"` without the value.
fn without_data(place: &str) -> &str {
    if place.starts_with("COPY ") {
        place.split_once(": ").map_or(place, |(place, _)| place)
    } else {
        place
    }
}

/// The server counts characters of the statement, from 1.
fn offset(error: &PgDatabaseError, of: Of<'_>) -> Option<usize> {
    let (Of::Script(sql), Some(PgErrorPosition::Original(position))) = (of, error.position())
    else {
        return None;
    };
    byte_of_character(sql, position)
}

fn byte_of_character(sql: &str, position: usize) -> Option<usize> {
    let skipped = position.checked_sub(1)?;
    let mut starts = sql.char_indices().map(|(at, _)| at).chain([sql.len()]);
    starts.nth(skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_other_things_in_a_script_than_in_our_own_statements() {
        let script = Of::Script("");
        assert_eq!(fault("55P03", Of::Ours), Fault::Busy);
        assert_eq!(fault("55P03", script), Fault::Transient);
        assert_eq!(fault("23505", Of::Ours), Fault::Conflict);
        assert_eq!(fault("23505", script), Fault::Statement);
        assert_eq!(fault("42501", Of::Ours), Fault::Denied);
        assert_eq!(fault("42501", script), Fault::Statement);
        assert_eq!(fault("57P03", Of::Connecting), Fault::Unreachable);
        assert_eq!(fault("57P03", Of::Ours), Fault::Disconnected);
        assert_eq!(fault("08006", script), Fault::Disconnected);
        assert_eq!(fault("28P01", Of::Connecting), Fault::Denied);
        assert_eq!(fault("3D000", Of::Connecting), Fault::NoDatabase);
        assert_eq!(fault("3D000", script), Fault::Statement);
        assert_eq!(fault("40001", script), Fault::Transient);
        assert_eq!(fault("25006", Of::Ours), Fault::ReadOnly);
    }

    #[test]
    fn characters_are_counted_as_the_server_counts_them() {
        assert_eq!(byte_of_character("é x", 1), Some(0));
        assert_eq!(byte_of_character("é x", 3), Some(3));
        assert_eq!(byte_of_character("é x", 4), Some(4));
        assert_eq!(byte_of_character("é x", 9), None);
        assert_eq!(byte_of_character("é x", 0), None);
    }

    #[test]
    fn values_of_rows_stay_out_of_messages() {
        assert_eq!(
            shown("23505", "Key (email)=(dana@example.com) already exists.").as_deref(),
            Some("Key (email) already exists.")
        );
        assert_eq!(shown("23514", "Failing row contains (1, secret)."), None);
        assert_eq!(
            shown("2BP01", "view v depends on table t").as_deref(),
            Some("view v depends on table t")
        );
        assert_eq!(
            without_data("COPY t, line 3, column a: \"x\""),
            "COPY t, line 3, column a"
        );
        assert_eq!(
            without_data("PL/pgSQL function f() line 3: x"),
            "PL/pgSQL function f() line 3: x"
        );
    }
}
