//! What the commands about releases take.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::audit::Anchors;
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
    /// Print it by this Jinja template, which can name all that `--json` has
    #[arg(
        long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "output"
    )]
    pub(crate) template: Option<PathBuf>,
    /// Prove that this published changelog is what the ledger says; 4 where it is not
    ///
    /// One that a template printed is proven with that template, which must have printed `{{ seal }}`.
    #[arg(
        long, value_name = "FILE", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["from", "to", "full", "output"]
    )]
    pub(crate) check: Option<PathBuf>,
}

/// `promote`
#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// The other ledger: a bundle that `export` wrote, or the URL of its database, which is only read
    ///
    /// Default: where the configuration says that the environment is which must come before this one.
    #[arg(long, value_name = "BUNDLE|URL", value_hint = ValueHint::AnyPath)]
    pub(crate) from: Option<String>,
    /// Exit with 8 when something here was not applied there
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten, next_help_heading = "Checks of the other ledger")]
    pub(crate) anchors: Anchors,
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
