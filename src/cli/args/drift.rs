//! What `drift` takes.

use clap::Args;
use ledger::Digest;

use super::values::sentence;

/// `drift`
#[derive(Debug, Args)]
pub(crate) struct Drift {
    /// Accept the schema with this fingerprint; an owner's key signs that
    #[arg(
        long,
        value_name = "FINGERPRINT",
        requires = "reason",
        conflicts_with = "exit_code"
    )]
    pub(crate) accept: Option<Digest>,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", requires = "accept", value_parser = sentence)]
    pub(crate) reason: Option<String>,
    /// Exit with 8 when the schema was changed by other means and nobody has accepted it
    #[arg(long)]
    pub(crate) exit_code: bool,
}
