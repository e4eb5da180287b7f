//! What `fork`, `move` and `rewind` take.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::values::sentence;

/// `fork`
#[derive(Debug, Args)]
pub(crate) struct Fork {
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", required = true, value_parser = sentence)]
    pub(crate) reason: String,
    /// Let this command's key in as an owner; where it is none yet, no earlier key holds a role any more
    #[arg(long)]
    pub(crate) new_key: bool,
}

/// `move`
#[derive(Debug, Args)]
pub(crate) struct Move {
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", required = true, value_parser = sentence)]
    pub(crate) reason: String,
}

/// `rewind`
#[derive(Debug, Args)]
pub(crate) struct Rewind {
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", required = true, value_parser = sentence)]
    pub(crate) reason: String,
    /// Declare this checkpoint lost as well, which was kept outside the database
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) checkpoint: Vec<PathBuf>,
}
