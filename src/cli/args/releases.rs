//! What the commands about releases take.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::values::sentence;

/// `tag`
#[derive(Debug, Args)]
pub(crate) struct Tag {
    /// The release's name, a semantic version
    pub(crate) release: String,
    /// The last migration that it holds (default: the one applied last)
    #[arg(long, value_name = "VERSION")]
    pub(crate) at: Option<String>,
    /// Say something about it; it is recorded
    #[arg(long, value_name = "TEXT", value_parser = sentence)]
    pub(crate) message: Option<String>,
}

/// `release`
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Which release: its name, or a beginning that only it has
    pub(crate) release: String,
    /// The title
    #[arg(value_parser = sentence)]
    pub(crate) name: String,
    /// Keep the text of this file as its notes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) notes: Option<PathBuf>,
}

/// `releases`
#[derive(Debug, Args)]
pub(crate) struct Releases {
    /// Print a name for the next release and nothing else
    #[arg(long)]
    pub(crate) next: bool,
}
