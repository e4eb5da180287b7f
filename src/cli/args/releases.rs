//! What the commands about releases take.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

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

/// `changelog`
#[derive(Debug, Args)]
pub(crate) struct Changelog {
    /// What came after this release (default: from the beginning)
    #[arg(long, value_name = "RELEASE")]
    pub(crate) from: Option<String>,
    /// Up to this release (default: up to what is applied now)
    #[arg(long, value_name = "RELEASE")]
    pub(crate) to: Option<String>,
    /// Tell of rollbacks and failed attempts too
    #[arg(long)]
    pub(crate) full: bool,
    /// Print it in this form (default: markdown)
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<ChangelogOutput>,
    /// Prove that this published changelog is what the ledger says; 4 where it is not
    #[arg(
        long, value_name = "FILE", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["from", "to", "full", "output"]
    )]
    pub(crate) check: Option<PathBuf>,
}

/// The forms of a changelog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChangelogOutput {
    /// Markdown.
    Markdown,
    /// One JSON document, as `--json`.
    Json,
    /// One HTML page.
    Html,
}
