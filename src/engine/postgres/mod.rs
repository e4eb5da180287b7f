//! PostgreSQL: a database of a server.
//!
//! Schema changes take part in transactions, so a migration and its event commit together or not at
//! all; other writers go on meanwhile and meet the run at the row of the lease. What is ours lives in
//! the schema `mledger` and is always named with it. Our own statements are simple queries (protocol
//! message `Query`) without parameters: they need no prepared statement, so they work through a pooler
//! that changes the server connection after each transaction, and each is one round trip.

mod address;
mod client;
mod connect;
mod ending;
mod events;
mod examine;
mod fault;
mod grants;
mod interrupt;
mod lease;
mod link;
mod literal;
mod notices;
mod objects;
mod schema;
mod script;
mod session;
mod sizes;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod transaction;
mod words;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

pub use self::address::PostgresUrlError;
pub(super) use self::address::{Target, parse};
use self::session::PostgresSession;
use super::{Access, Address, Capabilities, Engine, EngineError, Session};
use crate::backup::Dump;
use crate::backup::postgres::PostgresDump;
use crate::lint;
use crate::migration::split::{LexRules, POSTGRES};
use crate::report::Granted;
use crate::request::Grantees;

/// What PostgreSQL can do.
const CAPABILITIES: Capabilities = Capabilities {
    name: "postgres",
    transactional_ddl: true,
    single_writer: false,
    switchable_foreign_keys: false,
    dialect: &lint::POSTGRES,
    writing: &tables::WRITING,
};

/// How scripts are cut into statements.
const LEX_RULES: &LexRules = &POSTGRES;

/// A PostgreSQL database.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    target: Target,
    address: Address,
}

impl Postgres {
    /// Describes the database at `target`, which `address` names without secrets.
    pub(super) fn new(target: Target, address: Address) -> Self {
        Self { target, address }
    }
}

#[async_trait]
impl Engine for Postgres {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn lex_rules(&self) -> &'static LexRules {
        LEX_RULES
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn dump(&self) -> Box<dyn Dump> {
        Box::new(PostgresDump::new(self.target.client()))
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
        let session = PostgresSession::open(self.clone(), access).await?;
        Ok(Box::new(session))
    }
}
