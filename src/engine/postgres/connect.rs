//! Opening a connection, with the session as the database's owner has configured it.
//!
//! The driver asks for the time zone UTC and for a date style when it signs in. What the role or the
//! database has configured instead is put back at once; a time zone that only `postgresql.conf` names
//! cannot be seen behind the driver's, so scripts run in UTC then. The variables `PGOPTIONS`,
//! `PGSSLROOTCERT`, `PGSSLCERT` and `PGSSLKEY` are read by the driver where the URL says nothing.

use std::fs::File;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use super::fault::{self, Of};
use super::link::{self, Backend, Link, THIS_BACKEND};
use super::{Postgres, Target, literal};
use crate::engine::{Access, EngineError, Fault};

/// The name under which servers show our sessions.
const APPLICATION: &str = "mledger";

/// Finds a client that is gone, so that its locks go with it: the kernel asks an idle client, and the
/// server looks at the connection while a statement runs. On a socket of this machine, or in an older
/// server, some of them do nothing.
///
/// The first version of the server that has the setting, its name, and its value.
const KEEPALIVES: [(i64, &str, &str); 5] = [
    (0, "tcp_keepalives_idle", "30"),
    (0, "tcp_keepalives_interval", "10"),
    (0, "tcp_keepalives_count", "3"),
    (120_000, "tcp_user_timeout", "60000"),
    (140_000, "client_connection_check_interval", "5000"),
];

/// A connection that was just opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) link: Link,
    pub(super) backend: Backend,
    /// Expressions for one row that put the session's settings to how they were when it was opened,
    /// after a RESET.
    pub(super) settings: String,
    /// The session only reads, whatever it is asked: a standby, or a role that is to write nothing.
    pub(super) read_only: Option<&'static str>,
}

/// Connects for `access`.
pub(super) async fn open(database: &Postgres, access: Access) -> Result<Opened, EngineError> {
    let target = &database.target;
    let connecting = connect(target, access);
    let connected = match tokio::time::timeout(target.connect_timeout, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(EngineError::new(
            Fault::Unreachable,
            format!(
                "no answer within {} seconds",
                target.connect_timeout.as_secs()
            ),
        )),
    };
    let opened = match connected {
        Ok(connection) => set_up(Link::new(connection)).await,
        Err(error) => Err(error),
    };
    let opened = opened.map_err(|error| EngineError {
        message: format!("{} at `{}`", error.message, target.display()),
        ..error
    })?;
    match opened.read_only {
        Some(reason) if access != Access::Read => Err(EngineError::new(Fault::ReadOnly, reason)),
        _ => Ok(opened),
    }
}

async fn connect(target: &Target, access: Access) -> Result<PgConnection, EngineError> {
    let files = [
        &target.root_certificate,
        &target.client_certificate,
        &target.client_key,
    ];
    for file in files.into_iter().flatten() {
        // the driver's error would not say that it speaks of a file
        if let Err(error) = File::open(file) {
            let reason = format!("`{}` cannot be read: {error}", file.display());
            return Err(EngineError::new(Fault::Denied, reason));
        }
    }
    let application = match access {
        Access::Run(run) => format!("{APPLICATION} {run}"),
        Access::Read | Access::Write => APPLICATION.to_owned(),
    };
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&target.host)
        .port(target.port)
        .username(&target.user)
        .password(&target.password)
        .database(&target.database)
        .ssl_mode(target.encryption.mode())
        .application_name(&application)
        // poolers refuse it at sign-in
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        // the driver's log would repeat the statements of scripts, and the secrets in them
        .disable_statement_logging();
    if let Some(folder) = &target.socket {
        options = options.socket(folder);
    }
    if let Some(file) = &target.root_certificate {
        options = options.ssl_root_cert(file);
    }
    if let Some(file) = &target.client_certificate {
        options = options.ssl_client_cert(file);
    }
    if let Some(file) = &target.client_key {
        options = options.ssl_client_key(file);
    }
    options
        .connect()
        .await
        .map_err(|error| fault::from_driver(error, Of::Connecting))
}

/// Learns what there is to know of a new session, and gives it the settings of its role.
async fn set_up(mut link: Link) -> Result<Opened, EngineError> {
    let sql = format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL role TO NONE; \
         SELECT {THIS_BACKEND}, pg_catalog.current_setting('server_version_num'), \
             pg_catalog.pg_is_in_recovery(), \
             pg_catalog.current_setting('default_transaction_read_only') = 'on'; \
         SELECT pg_catalog.encode(pg_catalog.convert_to(setting, 'UTF8'), 'hex') \
         FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) AS setting \
         WHERE setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database \
                                   WHERE datname = pg_catalog.current_database())) \
             AND setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles \
                                 WHERE rolname = SESSION_USER)) \
         ORDER BY setrole <> 0, setdatabase <> 0"
    );
    let rows = link.ask(&sql, Of::Ours).await?;
    let Some((first, configured)) = rows.split_first() else {
        return Err(unknown_server());
    };
    let backend = link::text(first, 0)?.as_deref().and_then(Backend::parse);
    let version = link::integer(first, 1)?.ok_or_else(unknown_server)?;
    let read_only = if link::truth(first, 2)? {
        Some(
            "the server is a standby that only follows another one; name the one that takes writes",
        )
    } else if link::truth(first, 3)? {
        Some(
            "the role or the database is set to only read (`default_transaction_read_only`); \
             nothing can be written with it",
        )
    } else {
        None
    };
    let mut lines = Vec::new();
    for row in configured {
        lines.extend(link::coded_text(row, 0)?);
    }
    let set = |name, value| literal::setting(name, value, false);
    let mut settings = Vec::new();
    for (since, name, value) in KEEPALIVES {
        if version >= since {
            settings.push(set(name, value));
        }
    }
    for name in ["timezone", "datestyle"] {
        settings.extend(configured_value(&lines, name).map(|value| set(name, value)));
    }
    let settings = settings.join(", ");
    link.run(&format!("SELECT {settings}"), Of::Ours).await?;
    Ok(Opened {
        link,
        backend: backend.ok_or_else(unknown_server)?,
        settings,
        read_only,
    })
}

/// The value of a setting; what is said for the role wins over the database, and for both over each.
fn configured_value<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().rev().find_map(|line| {
        let (found, value) = line.split_once('=')?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn unknown_server() -> EngineError {
    EngineError::new(
        Fault::Denied,
        "the server does not answer as PostgreSQL does",
    )
}

/// How long to wait between two looks at what another session does.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_last_is_what_is_meant() {
        let lines = ["TimeZone=UTC", "x=1", "timezone=Europe/Berlin"].map(str::to_owned);
        assert_eq!(configured_value(&lines, "TimeZone"), Some("Europe/Berlin"));
        assert_eq!(configured_value(&lines, "datestyle"), None);
    }
}
