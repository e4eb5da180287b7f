//! What the database's own programs are told: libpq's variables.

use std::ffi::OsString;

use super::address::{Encryption, Target};
use crate::backup::postgres::Client;

impl Encryption {
    fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl Target {
    /// Returns another database of the same server, with the same sign-in.
    pub(super) fn beside(&self, name: &str) -> Self {
        Self {
            database: name.to_owned(),
            ..self.clone()
        }
    }

    /// Returns how the database's own programs reach it.
    pub(super) fn client(&self) -> Client {
        let host = match &self.socket {
            Some(folder) => folder.clone().into_os_string(),
            None => OsString::from(&self.host),
        };
        let mut variables: Vec<(&'static str, OsString)> = vec![
            ("PGHOST", host),
            ("PGPORT", self.port.to_string().into()),
            ("PGUSER", OsString::from(&self.user)),
            ("PGDATABASE", OsString::from(&self.database)),
            ("PGSSLMODE", self.encryption.name().into()),
            ("PGAPPNAME", "mledger backup".into()),
            (
                "PGCONNECT_TIMEOUT",
                self.connect_timeout.as_secs().max(1).to_string().into(),
            ),
            ("PGCLIENTENCODING", "UTF8".into()),
        ];
        let files = [
            ("PGSSLROOTCERT", &self.root_certificate),
            ("PGSSLCERT", &self.client_certificate),
            ("PGSSLKEY", &self.client_key),
        ];
        for (name, file) in files {
            if let Some(file) = file {
                variables.push((name, file.clone().into_os_string()));
            }
        }
        Client {
            variables,
            password: self.password.clone(),
        }
    }
}
