//! Which programs save and restore a server, and what each of the two products is told.
//!
//! Both products have programs of the same use under several names, and on many systems those of one go by
//! the names of the other; what a program says of itself decides. They also name the ways to encrypt
//! differently, and an option that one ignores could leave the other's connection in the open.

use std::ffi::OsString;

use crate::backup::tool::{Tool, numbers, suits};
use crate::backup::{Job, failed};
use crate::error::Error;

/// The word by which programs and servers of that product are known.
const MARIADB: &str = "mariadb";

/// How much a connection must be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Not at all.
    Never,
    /// Where the server offers it.
    WhereOffered,
    /// Always, whoever the server is.
    Always,
    /// Always, with a server that an authority vouches for.
    Signed,
    /// The same, by the name it is called by.
    SignedByName,
}

/// The names of programs, and the package that they come with.
#[derive(Debug, Clone, Copy)]
struct Names {
    dump: &'static str,
    client: &'static str,
    package: &'static str,
}

/// Those of MariaDB.
const OF_MARIADB: Names = Names {
    dump: "mariadb-dump",
    client: "mariadb",
    package: "mariadb-client",
};

/// Those of MySQL, by which those of MariaDB may go too.
const OF_MYSQL: Names = Names {
    dump: "mysqldump",
    client: "mysql",
    package: "mysql-client",
};

/// The programs that are used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Programs {
    names: Names,
    /// They are MariaDB's, whatever they are called.
    mariadb: bool,
}

impl Programs {
    /// Finds those of the server's product, else those of the other one.
    ///
    /// # Errors
    ///
    /// [`Error::Backup`] that names the package where there are none.
    pub(super) fn find(job: &Job) -> Result<Self, Error> {
        let said = |names: &Names| Tool::new(names.dump, &job.variables).version();
        let candidates = if is_mariadb(&job.server) {
            [OF_MARIADB, OF_MYSQL]
        } else {
            [OF_MYSQL, OF_MARIADB]
        };
        let found = candidates
            .into_iter()
            .find_map(|names| Some((names, said(&names)?)));
        match found {
            Some((names, said)) => Ok(Self {
                names,
                mariadb: is_mariadb(&said),
            }),
            None => {
                let [names, _] = candidates;
                Err(missing(names.dump, names.package))
            }
        }
    }

    /// Returns the program that saves.
    pub(super) fn dump(&self, job: &Job) -> Tool {
        Tool::new(self.names.dump, &job.variables)
    }

    /// Returns the program that speaks with the server.
    pub(super) fn client(&self, job: &Job) -> Tool {
        Tool::new(self.names.client, &job.variables)
    }

    /// Refuses programs that are older than the server, whose version is `server`.
    pub(super) fn check(&self, server: &str, job: &Job) -> Result<(), Error> {
        let products_differ = self.mariadb != is_mariadb(server);
        // the numbers of the two products cannot be compared; a patch makes no difference
        let needed = match numbers(server).as_slice() {
            [major, minor, ..] if !products_differ => format!("{major}.{minor}"),
            _ => "0".to_owned(),
        };
        for tool in [self.dump(job), self.client(job)] {
            suits(&tool, &needed, self.names.package)?;
        }
        Ok(())
    }

    /// Returns what the program that saves is told beside what both products know.
    pub(super) fn options(&self) -> &'static [&'static str] {
        if self.mariadb {
            &[]
        } else {
            &["--set-gtid-purged=OFF", "--no-tablespaces"]
        }
    }

    /// Returns the lines of an option file that say how much is encrypted.
    ///
    /// None of them may be ignored: a program that does not know one refuses to start. MariaDB's cannot
    /// check a signature without the name; they are told to check both. What they cannot be told is
    /// [`Programs::must_ask`]ed.
    pub(super) fn encryption(&self, encryption: Encryption) -> &'static [&'static str] {
        if self.mariadb {
            match encryption {
                Encryption::Never => &["ssl=0"],
                Encryption::WhereOffered | Encryption::Always => {
                    &["ssl=1", "ssl-verify-server-cert=0"]
                }
                Encryption::Signed | Encryption::SignedByName => {
                    &["ssl=1", "ssl-verify-server-cert=1"]
                }
            }
        } else {
            match encryption {
                Encryption::Never => &["ssl-mode=DISABLED"],
                Encryption::WhereOffered => &["ssl-mode=PREFERRED"],
                Encryption::Always => &["ssl-mode=REQUIRED"],
                Encryption::Signed => &["ssl-mode=VERIFY_CA"],
                Encryption::SignedByName => &["ssl-mode=VERIFY_IDENTITY"],
            }
        }
    }

    /// Says whether the program must be asked if it was encrypted: MariaDB's go on in the open where a
    /// server offers nothing, unless they check who it is.
    pub(super) fn must_ask(&self, encryption: Encryption) -> bool {
        self.mariadb && encryption == Encryption::Always
    }

    /// Refuses to go on where the program's own connection is in the open.
    pub(super) fn ask(&self, arguments: &[OsString], job: &Job) -> Result<(), Error> {
        let mut said = Vec::new();
        let mut arguments = arguments.to_vec();
        arguments.push("--execute=SHOW SESSION STATUS LIKE 'Ssl_cipher'".into());
        self.client(job).read(&arguments, &mut said, &job.stop)?;
        let said = String::from_utf8_lossy(&said);
        let cipher = said
            .trim()
            .split_once('\t')
            .map(|(_, cipher)| cipher.trim());
        if cipher.is_some_and(|cipher| !cipher.is_empty()) {
            return Ok(());
        }
        Err(failed(
            format!(
                "expected an encrypted connection of `{}`, as the URL asks for, found one in the open",
                self.names.client
            ),
            "check what the server offers; nothing of the database was sent",
        ))
    }
}

fn is_mariadb(said: &str) -> bool {
    said.to_ascii_lowercase().contains(MARIADB)
}

fn missing(program: &str, package: &str) -> Error {
    Error::Backup {
        code: "dump-tool-missing",
        message: format!("expected the program `{program}`, found none"),
        hint: format!("install the package `{package}`; nothing was changed"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::backup::meter::Meter;
    use crate::context::Stop;

    const ALL: [Encryption; 5] = [
        Encryption::Never,
        Encryption::WhereOffered,
        Encryption::Always,
        Encryption::Signed,
        Encryption::SignedByName,
    ];

    fn program(folder: &Path, name: &str, says: &str) {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{name} {says}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }

    fn job(folder: &Path, server: &str) -> Job {
        Job {
            scratch: PathBuf::new(),
            server: server.to_owned(),
            snapshot: None,
            ledger_size: 0,
            variables: vec![("PATH".into(), folder.into())],
            stop: Stop::default(),
            meter: Meter::default(),
        }
    }

    #[test]
    fn programs_are_what_they_say_and_not_what_they_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let of = |server: &str| Programs::find(&job(folder.path(), server));
        let error = of("mysql 8").unwrap_err();
        assert_eq!(error.code(), "dump-tool-missing");
        assert!(format!("{error:?}").contains("`mysql-client`"), "{error:?}");
        for name in ["mysqldump", "mysql"] {
            program(folder.path(), name, "Ver 10.19 Distrib 10.5.23-MariaDB");
        }
        let other = of("mysql 8").unwrap();
        assert!(other.mariadb && other.options().is_empty());
        assert!(
            other
                .check("8.0.36", &job(folder.path(), "mysql 8"))
                .is_ok()
        );
        let job = job(folder.path(), "mariadb 10");
        let own = Programs::find(&job).unwrap();
        assert!(own.check("10.5.99-MariaDB-log", &job).is_ok());
        let old = own.check("10.11.2-MariaDB", &job).unwrap_err();
        assert_eq!(old.code(), "dump-tool-too-old");
        for name in ["mariadb-dump", "mariadb"] {
            program(folder.path(), name, "from 11.4.2-MariaDB, client 10.19");
        }
        assert_eq!(of("mariadb 10").unwrap().names.dump, "mariadb-dump");
        assert_eq!(of("mysql 8").unwrap().names.dump, "mysqldump");
    }

    #[test]
    fn no_product_may_ignore_what_it_is_told_of_encryption() {
        for mariadb in [true, false] {
            let programs = Programs {
                names: OF_MYSQL,
                mariadb,
            };
            for encryption in ALL {
                let lines = programs.encryption(encryption);
                assert!(lines.iter().all(|line| !line.starts_with("loose")));
                let proves_itself = lines.iter().any(|line| {
                    *line == "ssl-verify-server-cert=1"
                        || ["REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"]
                            .iter()
                            .any(|mode| line.ends_with(mode))
                });
                let insists = !matches!(encryption, Encryption::Never | Encryption::WhereOffered);
                let sure = proves_itself || programs.must_ask(encryption);
                assert_eq!(sure, insists, "{encryption:?}, {mariadb}");
            }
        }
    }
}
