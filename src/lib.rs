//! Database migrations whose history can be believed.
//!
//! A [`Migrator`] applies and rolls back SQL migrations and appends every action to a ledger of
//! signed, hash-chained events in the database that it migrates. Which migrations are applied is not
//! stored anywhere else: it is a fold over that log.
//!
//! - [`migration`] reads a folder of SQL files; [`plan`] compares it with the log and decides, without
//!   any effect; [`migrator`] takes the lease and executes.
//! - [`engine`] is the one seam to databases; the crate [`ledger`] is the log and its verifier.
//! - [`context`] holds what the library is given: clock, ids, key, who acts, how to stop. It never
//!   prints, prompts, or reads the environment or the clock itself.

pub mod adopt;
pub mod audit;
pub mod backup;
pub mod checkpoints;
pub mod compliance;
pub mod config;
pub mod context;
pub mod engine;
pub mod error;
mod executor;
pub mod fault;
pub mod heads;
mod journal;
pub mod keystore;
pub mod lease;
pub mod lint;
mod log;
pub mod migration;
pub mod migrator;
pub mod object;
pub mod plan;
pub mod policy;
pub mod probe;
pub mod projection;
pub mod promotion;
pub mod release;
pub mod report;
pub mod request;
pub mod text;
pub mod timestamp;

pub use self::error::Error;
pub use self::migrator::Migrator;
pub use ledger;
