//! The facade: the only door for the command line and for programs that embed the tool.
//!
//! A [`Migrator`] reads the log first, decides with pure functions, and writes only under the lease.
//! It never prints, prompts, or reads the environment or the clock.

mod acquire;
mod admit;
mod adopt;
mod adopt_find;
mod adopt_lock;
mod analyze;
mod append;
mod approve;
mod backup;
mod changelog;
mod compliance;
mod drift;
mod events;
mod export;
mod grants;
mod health;
mod history;
mod hold;
mod identity;
mod init;
mod keep;
mod keys;
mod leave;
mod lock;
mod open;
mod openings;
mod promote;
mod prove;
mod reach;
mod redact;
mod rehearsal;
mod release;
mod resolve;
mod restore;
mod run;
mod status;
mod takeover;
mod timestamp;
mod unresolved;
mod validate;
mod verify;
mod wait;
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ledger::Signer;

pub(crate) use self::open::broken;
use crate::context::Context;
use crate::engine::Engine;
use crate::error::Error;
use crate::request::Settings;

/// Gives the signing key, and only when something must be signed.
pub trait Keys: Send + Sync {
    /// Returns the key; `opening` says that a new ledger is being opened, so that one may be made.
    ///
    /// # Errors
    ///
    /// [`Error::Signing`] or [`Error::Usage`], with how to give a key.
    fn signer(&self, opening: bool) -> Result<Signing, Error>;
}

/// A key that signs, and the name under which a new ledger knows it.
#[derive(Clone)]
pub struct Signing {
    /// Signs.
    pub signer: Arc<dyn Signer>,
    /// The key's name.
    pub name: String,
}

/// Applies, rolls back, reads and verifies: one database, one folder of migrations.
pub struct Migrator {
    engine: Arc<dyn Engine>,
    settings: Settings,
    context: Context,
    keys: Arc<dyn Keys>,
    /// A person was told once that the database goes by another name than the ledger's.
    name_told: AtomicBool,
}

impl Migrator {
    /// Creates a migrator; nothing is opened before a command.
    pub fn new(
        engine: Arc<dyn Engine>,
        settings: Settings,
        context: Context,
        keys: Arc<dyn Keys>,
    ) -> Self {
        Self {
            engine,
            settings,
            context,
            keys,
            name_told: AtomicBool::new(false),
        }
    }
}
