//! What the commands of `backup` take.

use clap::{Args, Subcommand};

use super::values::sentence;

/// `backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(subcommand)]
    pub(crate) command: BackupCommand,
}

/// What `backup` does.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Save the database to a file, and record it
    Create(BackupCreate),
    /// List the backups
    List,
    /// Read a backup to its end, and compare it with what was recorded
    Verify(BackupVerify),
    /// Bring a backup back: everything but the ledger, which goes on
    Restore(BackupRestore),
    /// Say that a person has looked at the restored database, so that `up` may go on
    Accept(BackupAccept),
    /// Delete old backups; never the newest, nor the last one before the newest applied migration
    Prune(BackupPrune),
}

/// `backup create`
#[derive(Debug, Args)]
pub(crate) struct BackupCreate {
    /// Its name (default: `backup`)
    pub(crate) name: Option<String>,
}

/// `backup verify`
#[derive(Debug, Args)]
pub(crate) struct BackupVerify {
    /// Its id, the end of it, its name, or `latest`
    pub(crate) id: String,
    /// Restore it into a scratch database too, which is removed again, and look at what comes back
    #[arg(long)]
    pub(crate) restore_test: bool,
}

/// `backup restore`
#[derive(Debug, Args)]
pub(crate) struct BackupRestore {
    /// Its id, the end of it, its name, or `latest`
    pub(crate) id: String,
}

/// `backup accept`
#[derive(Debug, Args)]
pub(crate) struct BackupAccept {
    /// Its id, the end of it, its name, or `latest`
    pub(crate) id: String,
    /// What was found; it is recorded
    #[arg(long, value_name = "TEXT", required = true, value_parser = sentence)]
    pub(crate) reason: String,
}

/// `backup prune`
#[derive(Debug, Args)]
pub(crate) struct BackupPrune {
    /// How many stay (default: `keep` under `[backup]`)
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<u64>,
}
