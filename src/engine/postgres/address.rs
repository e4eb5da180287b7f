//! PostgreSQL URLs as libpq reads them (its manual, section "Connection URIs").
//!
//! No error repeats what was typed, since any part of it may be the password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::PgSslMode;

/// The port where nothing else is said.
const PORT: u16 = 5432;

/// How long connecting may take where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Folders in which servers put their sockets, as they are packaged.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Parameters of libpq that change nothing here: the tool sets the first two itself, opens a
/// transaction that may write or fails, and needs no GSSAPI.
const WITHOUT_EFFECT: [&str; 10] = [
    "application_name",
    "fallback_application_name",
    "target_session_attrs",
    "gssencmode",
    "krbsrvname",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
];

/// A PostgreSQL URL that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostgresUrlError {
    /// It does not go on with `//`.
    #[error(
        "a PostgreSQL URL is written `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; `//` is missing"
    )]
    NoAuthority,
    /// A user or password has characters that end it.
    #[error(
        "the PostgreSQL URL has an `@` after a `/`, `?` or `#`: in a user or password write these \
         as `%2F`, `%3F` and `%23`"
    )]
    NotEncoded,
    /// The port is no number between 1 and 65535.
    #[error("the port of the PostgreSQL URL is not a number from 1 to 65535")]
    Port,
    /// It names several hosts.
    #[error("the PostgreSQL URL names several hosts; name the one that takes writes")]
    SeveralHosts,
    /// A part is not text.
    #[error("a part of the PostgreSQL URL is not UTF-8, or holds a NUL")]
    NotText,
    /// A parameter that libpq knows and that cannot be kept here.
    #[error("the parameter `{0}` of the PostgreSQL URL is not supported; leave it out")]
    NotSupported(&'static str),
    /// A parameter that is unknown.
    #[error(
        "the PostgreSQL URL has an unknown parameter; expected `host`, `port`, `user`, `password`, \
         `dbname`, `sslmode`, `sslrootcert`, `sslcert`, `sslkey` or `connect_timeout`"
    )]
    UnknownParameter,
    /// A parameter has a value that it cannot have.
    #[error("the parameter `{name}` of the PostgreSQL URL has a wrong value; expected {expected}")]
    WrongValue {
        /// The parameter.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
    },
}

/// Where a database is and how to sign in.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::engine) struct Target {
    pub(super) host: String,
    /// The folder of the server's socket, in place of the host.
    pub(super) socket: Option<PathBuf>,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) database: String,
    pub(super) encryption: Encryption,
    pub(super) root_certificate: Option<PathBuf>,
    pub(super) client_certificate: Option<PathBuf>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) connect_timeout: Duration,
}

/// How the connection is encrypted: libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Encryption {
    pub(super) fn mode(self) -> PgSslMode {
        match self {
            Self::Disable => PgSslMode::Disable,
            Self::Allow => PgSslMode::Allow,
            Self::Prefer => PgSslMode::Prefer,
            Self::Require => PgSslMode::Require,
            Self::VerifyCa => PgSslMode::VerifyCa,
            Self::VerifyFull => PgSslMode::VerifyFull,
        }
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}

impl Target {
    /// Returns the address as people read it, without password.
    pub(in crate::engine) fn display(&self) -> String {
        format!("postgres://{}@{}", self.user, self.place())
    }

    /// Returns what is the same for each way to write the address; who signs in is no part of it.
    pub(in crate::engine) fn key(&self) -> String {
        format!("postgres://{}", self.place())
    }

    /// Host, port and database.
    pub(super) fn place(&self) -> String {
        let host = match &self.socket {
            Some(folder) => folder.display().to_string(),
            None if self.host.contains(':') => format!("[{}]", self.host),
            None => self.host.clone(),
        };
        format!("{host}:{}/{}", self.port, self.database)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Target")
            .field("address", &self.display())
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

/// The parts of a URL as they are found, decoded.
#[derive(Default)]
struct Parts {
    host: Option<String>,
    port: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    encryption: Option<Encryption>,
    root_certificate: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    client_key: Option<PathBuf>,
    connect_timeout: Option<Duration>,
}

/// Reads what follows `postgres:`; files are taken from the folder `base`.
///
/// Without a host the server is the one on this machine, by its socket where one is found; without a
/// user it is the operating system's; without a database it is the user's name.
pub(in crate::engine) fn parse(rest: &str, base: &Path) -> Result<Target, PostgresUrlError> {
    let rest = rest
        .strip_prefix("//")
        .ok_or(PostgresUrlError::NoAuthority)?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (authority, database) = match rest.split_once('/') {
        Some((authority, database)) => (authority, Some(database)),
        None => (rest, None),
    };
    if [database, query]
        .into_iter()
        .flatten()
        .any(|part| part.contains('@'))
        || rest.contains('#')
    {
        return Err(PostgresUrlError::NotEncoded);
    }
    let mut parts = Parts {
        database: database.map(decoded).transpose()?,
        ..Parts::default()
    };
    read_authority(authority, &mut parts)?;
    for parameter in query.into_iter().flat_map(|query| query.split('&')) {
        read_parameter(parameter, base, &mut parts)?;
    }
    target(parts)
}

fn read_authority(authority: &str, parts: &mut Parts) -> Result<(), PostgresUrlError> {
    // an `@` that is not encoded belongs to the password: no host has one
    let (login, place) = match authority.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, authority),
    };
    if let Some(login) = login {
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (login, None),
        };
        parts.user = Some(decoded(user)?);
        parts.password = password.map(decoded).transpose()?;
    }
    if place.contains(',') {
        return Err(PostgresUrlError::SeveralHosts);
    }
    let (host, port) = match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, "")) => (host, None),
        Some((host, port)) => match port.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None => return Err(PostgresUrlError::Port),
        },
        None => match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    parts.host = Some(decoded(host)?);
    parts.port = port.map(decoded).transpose()?;
    Ok(())
}

fn read_parameter(text: &str, base: &Path, parts: &mut Parts) -> Result<(), PostgresUrlError> {
    if text.is_empty() {
        return Ok(());
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let value = decoded(value)?;
    let wrong = |name, expected| PostgresUrlError::WrongValue { name, expected };
    match decoded(name)?.as_str() {
        "host" if value.contains(',') => return Err(PostgresUrlError::SeveralHosts),
        "host" | "hostaddr" => parts.host = Some(value),
        "port" => parts.port = Some(value),
        "user" => parts.user = Some(value),
        "password" => parts.password = Some(value),
        "dbname" => parts.database = Some(value),
        "sslmode" => {
            let expected = "`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`";
            let mode = Encryption::named(&value).ok_or_else(|| wrong("sslmode", expected))?;
            parts.encryption = Some(mode);
        }
        // the certificates of public authorities are built in
        "sslrootcert" if value == "system" => parts.root_certificate = None,
        "sslrootcert" => parts.root_certificate = Some(base.join(value)),
        "sslcert" => parts.client_certificate = Some(base.join(value)),
        "sslkey" => parts.client_key = Some(base.join(value)),
        "connect_timeout" => {
            let expected = "a number of seconds; 0 is without a limit";
            let seconds: u64 = value
                .parse()
                .map_err(|_| wrong("connect_timeout", expected))?;
            parts.connect_timeout = Some(match seconds {
                0 => Duration::MAX,
                seconds => Duration::from_secs(seconds),
            });
        }
        "options" => return Err(PostgresUrlError::NotSupported("options")),
        "channel_binding" if value != "require" => {}
        "channel_binding" => return Err(PostgresUrlError::NotSupported("channel_binding=require")),
        "service" => return Err(PostgresUrlError::NotSupported("service")),
        "passfile" => return Err(PostgresUrlError::NotSupported("passfile")),
        name if WITHOUT_EFFECT.contains(&name) => {}
        _ => return Err(PostgresUrlError::UnknownParameter),
    }
    Ok(())
}

fn target(parts: Parts) -> Result<Target, PostgresUrlError> {
    let port = match parts.port.as_deref() {
        None | Some("") => PORT,
        Some(port) => port.parse().map_err(|_| PostgresUrlError::Port)?,
    };
    if port == 0 {
        return Err(PostgresUrlError::Port);
    }
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (host, socket) = match given(parts.host) {
        Some(folder) if folder.starts_with('/') => {
            ("localhost".to_owned(), Some(PathBuf::from(folder)))
        }
        Some(host) => (host.to_ascii_lowercase(), None),
        None => ("localhost".to_owned(), local_socket(port)),
    };
    let user = match given(parts.user) {
        Some(user) => user,
        None => whoami::username().map_err(|_| PostgresUrlError::NotText)?,
    };
    // as libpq has it: who names an authority wants it to be checked
    let encryption = match parts.encryption.unwrap_or(Encryption::Prefer) {
        Encryption::Require if parts.root_certificate.is_some() => Encryption::VerifyCa,
        encryption => encryption,
    };
    Ok(Target {
        host,
        socket,
        port,
        database: given(parts.database).unwrap_or_else(|| user.clone()),
        user,
        password: parts.password.unwrap_or_default(),
        encryption,
        root_certificate: parts.root_certificate,
        client_certificate: parts.client_certificate,
        client_key: parts.client_key,
        connect_timeout: parts.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
    })
}

fn local_socket(port: u16) -> Option<PathBuf> {
    SOCKET_FOLDERS
        .iter()
        .map(PathBuf::from)
        .find(|folder| folder.join(format!(".s.PGSQL.{port}")).exists())
}

/// Decodes `%XX` (RFC 3986 section 2.1); a `%` that begins no pair of digits stands for itself.
fn decoded(text: &str) -> Result<String, PostgresUrlError> {
    let text = crate::engine::url::percent_decoded(text).map_err(|_| PostgresUrlError::NotText)?;
    if text.contains('\0') {
        return Err(PostgresUrlError::NotText);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn target(url: &str) -> Target {
        parse(url.strip_prefix("postgres:").unwrap(), Path::new("/base")).unwrap()
    }

    fn refused(url: &str) -> PostgresUrlError {
        parse(url.strip_prefix("postgres:").unwrap(), Path::new("/base")).unwrap_err()
    }

    #[test]
    fn the_forms_of_libpq_are_read() {
        let full = target(
            "postgres://dana:p%40s%2Fs%3A%C3%A9@DB.example.com:6000/shop%20x?sslmode=require",
        );
        assert_eq!(full.user, "dana");
        assert_eq!(full.password, "p@s/s:é");
        assert_eq!((full.host.as_str(), full.port), ("db.example.com", 6000));
        assert_eq!(full.database, "shop x");
        assert_eq!(full.encryption, Encryption::Require);
        assert_eq!(full.display(), "postgres://dana@db.example.com:6000/shop x");

        let short = target("postgres://dana@db");
        assert_eq!((short.port, short.database.as_str()), (5432, "dana"));
        assert_eq!(short.encryption, Encryption::Prefer);
        let six = target("postgres://dana:a:b@c@[::1]:77/shop");
        assert_eq!((six.host.as_str(), six.port), ("::1", 77));
        assert_eq!(six.password, "a:b@c");
        assert_eq!(six.key(), "postgres://[::1]:77/shop");
        let socket = target("postgres://dana@/shop?host=/run/pg&port=7");
        assert_eq!(socket.socket.as_deref(), Some(Path::new("/run/pg")));
        assert_eq!(socket.display(), "postgres://dana@/run/pg:7/shop");
        let encoded = target("postgres://dana@%2Frun%2Fpg/shop");
        assert_eq!(encoded.socket.as_deref(), Some(Path::new("/run/pg")));
        let named = target("postgres:///?user=u&password=%26&dbname=d&host=h&application_name=x");
        assert_eq!((named.user.as_str(), named.password.as_str()), ("u", "&"));
        assert_eq!((named.host.as_str(), named.database.as_str()), ("h", "d"));
    }

    #[test]
    fn certificates_are_files_of_the_project_and_are_checked_where_one_is_named() {
        let secure = target("postgres://u@h/d?sslmode=require&sslrootcert=ca.pem&sslkey=/k.pem");
        assert_eq!(secure.encryption, Encryption::VerifyCa);
        assert_eq!(secure.root_certificate.unwrap(), Path::new("/base/ca.pem"));
        assert_eq!(secure.client_key.unwrap(), Path::new("/k.pem"));
        let system = target("postgres://u@h/d?sslmode=verify-full&sslrootcert=system");
        assert_eq!(system.encryption, Encryption::VerifyFull);
        assert_eq!(system.root_certificate, None);
    }

    #[test]
    fn one_database_has_one_key_whoever_signs_in() {
        let key = target("postgres://a:b@Db.Example.com/shop").key();
        assert_eq!(key, "postgres://db.example.com:5432/shop");
        assert_eq!(
            key,
            target("postgres://c@db.example.com:5432/shop?sslmode=disable").key()
        );
    }

    #[test]
    fn what_cannot_be_read_or_kept_is_refused() {
        assert_eq!(refused("postgres:h/d"), PostgresUrlError::NoAuthority);
        assert_eq!(refused("postgres://h:0/d"), PostgresUrlError::Port);
        assert_eq!(refused("postgres://h:70000/d"), PostgresUrlError::Port);
        assert_eq!(refused("postgres://[::1]x/d"), PostgresUrlError::Port);
        assert_eq!(refused("postgres://a,b/d"), PostgresUrlError::SeveralHosts);
        assert_eq!(
            refused("postgres://u:a/b@h/d"),
            PostgresUrlError::NotEncoded
        );
        assert_eq!(
            refused("postgres://u:a?b@h/d"),
            PostgresUrlError::NotEncoded
        );
        assert_eq!(refused("postgres://u@h/a%00b"), PostgresUrlError::NotText);
        assert_eq!(
            refused("postgres://u@h/d?sslmod=x"),
            PostgresUrlError::UnknownParameter
        );
        let options = refused("postgres://u@h/d?options=-c%20x");
        assert_eq!(options, PostgresUrlError::NotSupported("options"));
        let mode = refused("postgres://u@h/d?sslmode=on").to_string();
        assert!(mode.contains("`verify-full`"), "{mode}");
    }

    #[test]
    fn neither_errors_nor_debug_hold_a_secret() {
        let secret = "S3cr3t";
        for url in [
            "postgres://u:S3cr3t/x@h/d",
            "postgres://h:S3cr3t/d",
            "postgres://u@h/d?sslmode=S3cr3t",
            "postgres://u@h/d?S3cr3t",
            "postgres:u:S3cr3t@h",
        ] {
            let error = refused(url);
            assert!(!format!("{error} {error:?}").contains(secret), "{error}");
        }
        let target = target("postgres://u:S3cr3t@h/d?password=S3cr3t");
        let shown = format!("{target:?} {} {}", target.display(), target.key());
        assert!(!shown.contains(secret), "{shown}");
    }
}
