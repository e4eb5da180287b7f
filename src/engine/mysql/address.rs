//! URLs of servers, as people write them. No error repeats what was typed.

use std::fmt;
use std::path::{Path, PathBuf};

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use crate::backup::mysql::{Client, Encryption};

/// Where a schema is and how to sign in there.
#[derive(Clone)]
pub(in crate::engine) struct Target {
    host: String,
    port: u16,
    socket: Option<PathBuf>,
    user: String,
    password: Option<String>,
    database: String,
    tls: Tls,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Default)]
struct Tls {
    mode: MySqlSslMode,
    authority: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

const PORT: u16 = 3306;

const NO_DATABASE: &str = "names no database; write `mysql://USER:PASSWORD@HOST:PORT/DATABASE`";
const PARAMETER: &str = "has an unknown option; expected `socket`, `ssl-mode`, `ssl-ca`, `ssl-cert` \
                         or `ssl-key`";
const SSL_MODE: &str = "has an unknown `ssl-mode`; expected `disabled`, `preferred`, `required`, \
                        `verify_ca` or `verify_identity`";
const ENCODING: &str = "has a `%` that is not followed by two hexadecimal digits, or bytes that are \
                        not UTF-8; write `%25` for a percent sign";

impl Target {
    /// Reads what follows `mysql:`, relative paths from the folder `base`.
    ///
    /// # Errors
    ///
    /// What is wrong, to follow the words "the MySQL URL".
    pub(in crate::engine) fn parse(rest: &str, base: &Path) -> Result<Self, &'static str> {
        let rest = rest.strip_prefix("//").ok_or(
            "has no `//` after its kind; write `mysql://USER:PASSWORD@HOST:PORT/DATABASE`",
        )?;
        if rest.contains('#') {
            return Err("has a `#`, which ends a URL; write `%23` where a password has one");
        }
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        // a password may hold any character but those that end it
        let (sign_in, place) = location.rsplit_once('@').unwrap_or(("", location));
        if query.contains('@') && sign_in.is_empty() && !query.starts_with("socket=") {
            return Err(
                "has an `@` behind a `?`; write `%3F` where a password has a question mark",
            );
        }
        let (user, password) = match sign_in.split_once(':') {
            Some((user, password)) => (decoded(user)?, Some(decoded(password)?)),
            None => (decoded(sign_in)?, None),
        };
        let (server, database) = place.split_once('/').ok_or(NO_DATABASE)?;
        let database = decoded(database)?;
        if database.is_empty() {
            return Err(NO_DATABASE);
        }
        let (host, port) = host_and_port(server)?;
        let mut target = Self {
            host,
            port,
            socket: None,
            user: if user.is_empty() {
                "root".to_owned()
            } else {
                user
            },
            password,
            database,
            tls: Tls::default(),
        };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            target.set(option, base)?;
        }
        target.check()
    }

    fn set(&mut self, option: &str, base: &Path) -> Result<(), &'static str> {
        let (name, value) = option.split_once('=').ok_or(PARAMETER)?;
        let value = decoded(value)?;
        let path = || Some(base.join(&value));
        match name.to_ascii_lowercase().replace('_', "-").as_str() {
            "socket" => self.socket = path(),
            "ssl-mode" | "sslmode" => self.tls.mode = ssl_mode(&value)?,
            "ssl-ca" | "sslca" => self.tls.authority = path(),
            "ssl-cert" | "sslcert" => self.tls.certificate = path(),
            "ssl-key" | "sslkey" => self.tls.key = path(),
            _ => return Err(PARAMETER),
        }
        Ok(())
    }

    fn check(self) -> Result<Self, &'static str> {
        let nul = [&self.user, &self.database, &self.host]
            .iter()
            .any(|text| text.contains('\0'));
        if nul {
            return Err("has a NUL character");
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Err("has one of `ssl-cert` and `ssl-key`; expected both or neither");
        }
        Ok(self)
    }

    /// Returns the first file that is named for encryption and cannot be read, and why.
    pub(super) fn unreadable_file(&self) -> Option<(&Path, std::io::Error)> {
        let files = [&self.tls.authority, &self.tls.certificate, &self.tls.key];
        files.into_iter().flatten().find_map(|path| {
            let refused = std::fs::File::open(path).err()?;
            Some((path.as_path(), refused))
        })
    }

    /// Returns another schema of the same server, with the same sign-in.
    pub(super) fn beside(&self, name: &str) -> Self {
        Self {
            database: name.to_owned(),
            ..self.clone()
        }
    }

    /// Returns the name of the schema.
    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// Returns the address as people read it, without the password.
    pub(in crate::engine) fn display(&self) -> String {
        match &self.socket {
            Some(socket) => format!(
                "mysql://{}@localhost/{} on the socket {}",
                self.user,
                self.database,
                socket.display()
            ),
            None => format!("mysql://{}@{}/{}", self.user, self.server(), self.database),
        }
    }

    /// Returns a text that is the same for each way to write the address, whoever signs in.
    pub(in crate::engine) fn key(&self) -> String {
        match &self.socket {
            Some(socket) => format!("mysql:{}:{}", socket.display(), self.database),
            None => format!("mysql://{}/{}", self.server(), self.database),
        }
    }

    /// Returns the server with its port, or its socket, for messages.
    pub(super) fn server(&self) -> String {
        match &self.socket {
            Some(socket) => socket.display().to_string(),
            None if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            None => format!("{}:{}", self.host, self.port),
        }
    }

    /// Returns what the driver needs to sign in. The session stays as the server makes it, but for
    /// the character set in which both sides speak.
    pub(super) fn options(&self) -> MySqlConnectOptions {
        let mut options = MySqlConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .charset("utf8mb4")
            .ssl_mode(self.tls.mode)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None);
        // an empty one would be sent as one, which a user without a password is not let in with
        if let Some(password) = self.password.as_deref().filter(|it| !it.is_empty()) {
            options = options.password(password);
        }
        if let Some(socket) = &self.socket {
            options = options.socket(socket);
        }
        if let Some(authority) = &self.tls.authority {
            options = options.ssl_ca(authority);
        }
        if let (Some(certificate), Some(key)) = (&self.tls.certificate, &self.tls.key) {
            options = options.ssl_client_cert(certificate).ssl_client_key(key);
        }
        options
    }

    /// Returns how the server's own programs reach it; `tables` are those of the ledger.
    pub(super) fn client(&self, tables: Vec<&'static str>) -> Client {
        let mut options = vec![
            ("host", self.host.clone()),
            ("port", self.port.to_string()),
            ("user", self.user.clone()),
        ];
        if let Some(password) = self.password.as_deref().filter(|it| !it.is_empty()) {
            options.push(("password", password.to_owned()));
        }
        let text = |path: &PathBuf| path.display().to_string();
        match &self.socket {
            Some(socket) => options.push(("socket", text(socket))),
            None => options.push(("protocol", "tcp".to_owned())),
        }
        let encryption = match self.tls.mode {
            MySqlSslMode::Disabled => Encryption::Never,
            MySqlSslMode::Preferred => Encryption::WhereOffered,
            MySqlSslMode::Required => Encryption::Always,
            MySqlSslMode::VerifyCa => Encryption::Signed,
            MySqlSslMode::VerifyIdentity => Encryption::SignedByName,
        };
        let files = [
            ("ssl-ca", &self.tls.authority),
            ("ssl-cert", &self.tls.certificate),
            ("ssl-key", &self.tls.key),
        ];
        // one of them alone would make a program encrypt
        let files = files
            .into_iter()
            .filter(|_| encryption != Encryption::Never);
        for (name, file) in files {
            options.extend(file.as_ref().map(|file| (name, text(file))));
        }
        Client {
            options,
            encryption,
            database: self.database.clone(),
            tables,
        }
    }

    /// Returns what the driver needs to sign in with the schema as the current one.
    pub(super) fn options_for_schema(&self) -> MySqlConnectOptions {
        self.options().database(&self.database)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.display())
    }
}

fn host_and_port(server: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest
                .split_once(']')
                .ok_or("has a `[` without a `]` after the address of its host")?;
            match after {
                "" => (host, None),
                after => (host, Some(after.strip_prefix(':').ok_or(BAD_PORT)?)),
            }
        }
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let host = decoded(host)?.to_ascii_lowercase();
    let host = if host.is_empty() {
        "localhost".to_owned()
    } else {
        host
    };
    let port = match port {
        None | Some("") => PORT,
        Some(port) => port.parse().map_err(|_| BAD_PORT)?,
    };
    Ok((host, port))
}

const BAD_PORT: &str = "has no usable port; expected a number below 65536 after the host, an IPv6 \
                        address in `[` and `]`, and `%40`, `%3A`, `%2F` for `@`, `:`, `/` in a password";

fn ssl_mode(value: &str) -> Result<MySqlSslMode, &'static str> {
    match value.to_ascii_lowercase().replace('-', "_").as_str() {
        "disabled" | "disable" => Ok(MySqlSslMode::Disabled),
        "preferred" | "prefer" => Ok(MySqlSslMode::Preferred),
        "required" | "require" => Ok(MySqlSslMode::Required),
        "verify_ca" => Ok(MySqlSslMode::VerifyCa),
        "verify_identity" | "verify_full" => Ok(MySqlSslMode::VerifyIdentity),
        _ => Err(SSL_MODE),
    }
}

/// Replaces `%XX` by its byte (RFC 3986 section 2.1).
fn decoded(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = char::from(rest.next().ok_or(ENCODING)?);
            digit.to_digit(16).ok_or(ENCODING)
        };
        let value = digit()? << 4 | digit()?;
        bytes.push(u8::try_from(value).map_err(|_| ENCODING)?);
    }
    String::from_utf8(bytes).map_err(|_| ENCODING)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn read(rest: &str) -> Target {
        Target::parse(rest, Path::new("/base")).unwrap()
    }

    fn refused(rest: &str) -> &'static str {
        Target::parse(rest, Path::new("/base")).unwrap_err()
    }

    #[test]
    fn all_parts_of_a_url_are_read() {
        let target = read("//d%61na:p%40%3A%2F%3F%23%25w%C3%B6@DB.example:3307/sh%20op");
        assert_eq!(target.user, "dana");
        assert_eq!(target.password.as_deref(), Some("p@:/?#%wö"));
        assert_eq!(target.display(), "mysql://dana@db.example:3307/sh op");
        assert_eq!(target.key(), "mysql://db.example:3307/sh op");
        assert_eq!(read("//u:a@b:c@h/d").password.as_deref(), Some("a@b:c"));
        assert_eq!(read("//h/d").key(), read("//other:x@H:3306/d").key());
        assert_eq!(read("//u:@h/d").password.as_deref(), Some(""));
        assert_eq!(read("//u@[::1]/d").display(), "mysql://u@[::1]:3306/d");
        assert_eq!(read("//u@[::1]:3310/d").server(), "[::1]:3310");
        assert_eq!(read("///d").server(), "localhost:3306");
        let local = read("//u@localhost/d?socket=/run/my%20sql.sock&ssl-mode=DISABLED");
        assert_eq!(
            local.display(),
            "mysql://u@localhost/d on the socket /run/my sql.sock"
        );
        assert_eq!(local.key(), "mysql:/run/my sql.sock:d");
        assert!(matches!(local.tls.mode, MySqlSslMode::Disabled));
        let secured = read("//h/d?sslmode=verify-identity&ssl-ca=ca.pem&ssl_cert=c&ssl-key=/k");
        assert!(matches!(secured.tls.mode, MySqlSslMode::VerifyIdentity));
        assert_eq!(secured.tls.authority.unwrap(), Path::new("/base/ca.pem"));
        assert_eq!(secured.tls.key.unwrap(), Path::new("/k"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!(refused("//h"), NO_DATABASE);
        assert_eq!(refused("//h/"), NO_DATABASE);
        assert_eq!(refused("//h/?socket=x"), NO_DATABASE);
        assert_eq!(refused("//h:x/d"), BAD_PORT);
        assert_eq!(refused("//::1/d"), BAD_PORT);
        assert_eq!(refused("//h:65536/d"), BAD_PORT);
        assert_eq!(refused("//[::1]x/d"), BAD_PORT);
        assert_eq!(refused("//h/d?charset=latin1"), PARAMETER);
        assert_eq!(refused("//h/d?ssl-mode=maybe"), SSL_MODE);
        assert_eq!(refused("//u:%zz@h/d"), ENCODING);
        assert_eq!(refused("//u:%ff@h/d"), ENCODING);
        assert!(refused("//u:a#b@h/d").contains("%23"));
        assert!(refused("//u:a?b@h/d").contains("%3F"));
        assert!(refused("//h/d?ssl-cert=c").contains("both"));
        assert!(refused("h/d").contains("//"));
    }

    #[test]
    fn no_view_of_a_target_shows_the_password() {
        let target = read("//dana:canary@h/d?ssl-ca=ca.pem");
        for shown in [format!("{target:?}"), target.display(), target.key()] {
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}
