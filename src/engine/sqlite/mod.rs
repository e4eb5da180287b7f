//! SQLite: a database in a file.
//!
//! One connection is one thread of the driver. Schema changes take part in transactions and one
//! writer keeps all others out, so a migration and its event commit together or not at all. What is
//! ours is always named with its schema, `main`, since a script may have made a temporary table of
//! the same name.

mod connect;
mod copy;
mod events;
mod fault;
mod lease;
mod locate;
mod objects;
mod schema;
mod script;
mod session;
mod sizes;
mod store;
mod switch;
mod tables;
#[cfg(test)]
mod tests;
mod transaction;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

pub(crate) use self::copy::{copy_into, replace_content};
use self::session::SqliteSession;
use super::{Access, Address, Capabilities, Engine, EngineError, Session};
use crate::backup::Dump;
use crate::backup::sqlite::SqliteDump;
use crate::lint;
use crate::migration::split::{LexRules, SQLITE};
use crate::report::Granted;
use crate::request::Grantees;

/// What SQLite can do.
const CAPABILITIES: Capabilities = Capabilities {
    name: "sqlite",
    transactional_ddl: true,
    single_writer: true,
    switchable_foreign_keys: true,
    dialect: &lint::SQLITE,
    writing: &tables::WRITING,
};

/// How the file may be opened, from the URL's option `mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Never written, whatever is asked.
    ReadOnly,
    /// Written, never created.
    Existing,
    /// Created by the first connection that may write.
    Create,
}

/// An SQLite database file.
#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    path: PathBuf,
    opening: Opening,
    address: Address,
}

impl Sqlite {
    /// Describes the database in the file at `path`, which is absolute and UTF-8.
    pub(super) fn new(path: PathBuf, opening: Opening, address: Address) -> Self {
        Self {
            path,
            opening,
            address,
        }
    }
}

#[async_trait]
impl Engine for Sqlite {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn lex_rules(&self) -> &'static LexRules {
        &SQLITE
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn dump(&self) -> Box<dyn Dump> {
        Box::new(SqliteDump::new(&self.path))
    }

    fn beside(&self, name: &str, folder: &Path) -> Arc<dyn Engine> {
        let path = folder.join(name);
        let address = Address::of_file(&path);
        Arc::new(Self::new(path, Opening::Existing, address))
    }

    fn grants(&self, _database: &str, _who: &Grantees) -> Granted {
        let notes = [
            "SQLite has no users: the rights on a database are those on its file and folder",
            "who runs, approves or tags writes the file: `chgrp` it and its folder to their group, with the \
             modes 660 and 770; what keeps them apart is the role of their key alone",
            "who audits reads it: mode 640, or `mledger export` into a folder of theirs",
        ];
        Granted {
            notes: notes.map(str::to_owned).into(),
            grants: Vec::new(),
        }
    }

    async fn connect(&self, access: Access) -> Result<Box<dyn Session>, EngineError> {
        let connection = connect::open(&self.path, self.opening, access).await?;
        let session = SqliteSession::start(self.clone(), access, connection).await?;
        Ok(Box::new(session))
    }
}
