//! MySQL and MariaDB: a schema on a server.
//!
//! Schema changes commit by themselves here, so a migration runs statement by statement. What is ours
//! is always named with its schema, in backquotes and with values in hexadecimal, since a script may
//! have changed the current schema, the SQL mode or the character set of its session.

mod address;
mod connect;
mod details;
mod events;
mod examine;
mod fault;
mod grants;
mod kill;
mod lease;
mod literal;
mod objects;
mod schema;
mod script;
mod session;
mod shape;
mod sizes;
mod store;
mod tables;
mod talk;
#[cfg(test)]
mod tests;
mod transaction;
mod turn;
mod words;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

pub(super) use self::address::Target;
use self::session::MySqlSession;
use super::{Access, Address, Capabilities, Engine, EngineError, Session};
use crate::backup::Dump;
use crate::backup::mysql::MySqlDump;
use crate::lint;
use crate::migration::split::{LexRules, MYSQL};
use crate::report::Granted;
use crate::request::Grantees;

/// What MySQL and MariaDB can do.
const CAPABILITIES: Capabilities = Capabilities {
    name: "mysql",
    transactional_ddl: false,
    single_writer: false,
    switchable_foreign_keys: false,
    dialect: &lint::MYSQL,
    writing: &tables::WRITING,
};

/// A schema on a MySQL or MariaDB server.
#[derive(Debug, Clone)]
pub(super) struct MySql {
    target: Target,
    address: Address,
}

impl MySql {
    /// Describes the schema that `target` names.
    pub(super) fn new(target: Target, address: Address) -> Self {
        Self { target, address }
    }
}

#[async_trait]
impl Engine for MySql {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn lex_rules(&self) -> &'static LexRules {
        &MYSQL
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn dump(&self) -> Box<dyn Dump> {
        Box::new(MySqlDump::new(self.target.client(store::tables())))
    }

    fn beside(&self, name: &str, _folder: &Path) -> Arc<dyn Engine> {
        let target = self.target.beside(name);
        let address = Address::of_server(target.display(), target.key());
        Arc::new(Self::new(target, address))
    }

    fn grants(&self, database: &str, who: &Grantees) -> Granted {
        grants::grants(database, who)
    }

    async fn connect(&self, access: Access) -> Result<Box<dyn Session>, EngineError> {
        Ok(Box::new(
            MySqlSession::open(self.target.clone(), access).await?,
        ))
    }
}
