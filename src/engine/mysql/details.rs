//! What is known of a connection from its opening.

use sqlx::MySqlConnection;

use super::talk;
use crate::engine::{EngineError, Fault};

/// Which of the two it is; they differ in what they call some settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// The server and the session on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Details {
    /// The session's number, counted from the server's start.
    pub(super) id: u64,
    /// When the server started, in seconds since 1970.
    pub(super) started: i64,
    /// Which server it is, as it calls itself.
    pub(super) place: String,
    /// Which product it is.
    pub(super) flavour: Flavour,
    /// The major version.
    pub(super) major: String,
    /// The longest message that the server takes, in bytes.
    pub(super) longest_message: usize,
}

/// How far two readings of a server's start may lie apart: both are rounded.
const SAME_START: i64 = 2;

impl Details {
    /// Executes `prepare`, which returns no rows, and asks the server.
    pub(super) async fn of(
        connection: &mut MySqlConnection,
        prepare: &str,
    ) -> Result<Self, EngineError> {
        let ask = format!(
            "{prepare}; \
             SELECT CONNECTION_ID(), @@version, @@hostname, @@port, @@max_allowed_packet, \
             UNIX_TIMESTAMP(SYSDATE()); SHOW GLOBAL STATUS LIKE 'Uptime'"
        );
        let answer = talk::rows(connection, ask).await?;
        let unexpected = || EngineError::new(Fault::Statement, "the server did not say who it is");
        let [own, uptime] = answer.as_slice() else {
            return Err(unexpected());
        };
        let number = |column| own.number(column)?.ok_or_else(unexpected);
        let version = own.text(1)?;
        let (major, _) = version.split_once('.').ok_or_else(unexpected)?;
        Ok(Self {
            id: u64::try_from(number(0)?).map_err(|_| unexpected())?,
            started: number(5)? - uptime.number(1)?.ok_or_else(unexpected)?,
            place: format!("{}:{}", own.text(2)?, own.text(3)?),
            flavour: if version.to_ascii_lowercase().contains("mariadb") {
                Flavour::MariaDb
            } else {
                Flavour::MySql
            },
            major: major.to_owned(),
            longest_message: usize::try_from(number(4)?).unwrap_or(usize::MAX),
        })
    }

    /// Returns the name of the session: its number, and which run of which server counted it.
    pub(super) fn session(&self) -> String {
        format!("{}@{}/{}", self.id, self.started, self.place)
    }

    /// Says what a session's name tells of it here.
    pub(super) fn locate(&self, session: &str) -> Whereabouts {
        let named = session.split_once('@').and_then(|(id, rest)| {
            let (started, place) = rest.split_once('/')?;
            Some((id.parse::<u64>().ok()?, started.parse::<i64>().ok()?, place))
        });
        match named {
            Some((id, started, place)) if place == self.place => {
                if (started - self.started).abs() <= SAME_START {
                    Whereabouts::Here(id)
                } else {
                    Whereabouts::Ended
                }
            }
            _ => Whereabouts::Unknown,
        }
    }
}

/// Where a session is to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// On this server, under this number.
    Here(u64),
    /// It ended with an earlier run of this server.
    Ended,
    /// On another server, or the name is none of ours.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_looked_for_on_the_server_that_counted_it() {
        let details = Details {
            id: 41,
            started: 1_800_000_000,
            place: "db1:3306".to_owned(),
            flavour: Flavour::MySql,
            major: "8".to_owned(),
            longest_message: 1 << 20,
        };
        assert_eq!(details.session(), "41@1800000000/db1:3306");
        assert_eq!(details.locate(&details.session()), Whereabouts::Here(41));
        for (name, expected) in [
            ("7@1800000002/db1:3306", Whereabouts::Here(7)),
            ("7@1800000003/db1:3306", Whereabouts::Ended),
            ("7@1800000000/db2:3306", Whereabouts::Unknown),
            ("7@1800000000", Whereabouts::Unknown),
            ("x@1800000000/db1:3306", Whereabouts::Unknown),
            ("", Whereabouts::Unknown),
        ] {
            assert_eq!(details.locate(name), expected, "{name}");
        }
    }
}
