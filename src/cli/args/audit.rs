//! What `checkpoint`, `prove` and `export` take, and what a ledger is compared with.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use ledger::Digest;
use ledger::note::Witness;

use super::reports::Period;
use super::values::witness;

/// `checkpoint`
#[derive(Debug, Args)]
pub(crate) struct Checkpoint {
    /// Write it to this file (default: print it)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tsa: Tsa,
}

/// How a checkpoint gets a timestamp (RFC 3161).
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Tsa {
    /// Ask the timestamping authority at this address, and record its answer
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, conflicts_with = "out")]
    pub(crate) tsa: Option<String>,
    /// Write a request for a timestamp to this file, to be carried to an authority
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath,
          conflicts_with = "out")]
    pub(crate) tsa_request: Option<PathBuf>,
    /// Check an authority's reply to such a request, keep it and record it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath,
          conflicts_with = "out")]
    pub(crate) tsa_reply: Option<PathBuf>,
}

/// `prove`
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// The event's number
    pub(crate) seq: u64,
    /// Write it to this file (default: print it)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    /// Prove it under this checkpoint, instead of one that is signed now
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) checkpoint: Option<PathBuf>,
}

/// `export`
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder to write, or one file where the name ends in `.tar.zst`
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,
    /// Record nothing: for who may only read the database
    #[arg(long)]
    pub(crate) no_record: bool,
    #[command(flatten)]
    pub(crate) period: Period,
}

/// What a ledger is compared with: what its readers know of it from outside the database.
#[derive(Debug, Args)]
pub(crate) struct Anchors {
    /// Compare with a checkpoint that was kept outside the database
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) checkpoint: Vec<PathBuf>,
    /// Trust the keys of this allowed-signers file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) trust: Option<PathBuf>,
    /// Expect this ledger id, obtained some other way
    #[arg(long, value_name = "ID")]
    pub(crate) ledger: Option<Digest>,
    /// Count the cosignature of this witness (C2SP verifier key), beside those of `mledger.toml`
    #[arg(long, value_name = "KEY", value_parser = witness)]
    pub(crate) witness: Vec<Witness>,
}
