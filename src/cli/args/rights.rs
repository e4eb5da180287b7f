//! What `grants` and `redact` take.

use clap::Args;
use ledger::Digest;

use super::values::sentence;

/// `grants`
#[derive(Debug, Args)]
pub(crate) struct Grants {
    /// The user or role that applies migrations
    #[arg(long, value_name = "NAME", default_value = "mledger_runner")]
    pub(crate) runner: String,
    /// The user or role that approves plans, tags releases and takes notes
    #[arg(long, value_name = "NAME", default_value = "mledger_approver")]
    pub(crate) approver: String,
    /// The user or role that reads the ledger
    #[arg(long, value_name = "NAME", default_value = "mledger_auditor")]
    pub(crate) auditor: String,
}

/// `redact`
#[derive(Debug, Args)]
pub(crate) struct Redact {
    /// The digest of the object, as `show` prints it
    pub(crate) digest: Digest,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", required = true, value_parser = sentence)]
    pub(crate) reason: String,
}
