//! What `report` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use ledger::Timestamp;

use super::audit::Anchors;
use super::examples;
use super::values::{at_least_one, sentence, since, until};

/// `report`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) options: ReportOptions,
    #[command(subcommand)]
    pub(crate) command: Option<ReportCommand>,
}

/// What is done with a report.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Draw a sample of the changes that anybody can draw again, with the evidence for each
    #[command(after_long_help = examples::REPORT_SAMPLE)]
    Sample(ReportSample),
}

/// `report sample`
#[derive(Debug, Args)]
pub(crate) struct ReportSample {
    /// Draw so many changes
    #[arg(short, long, value_name = "COUNT", value_parser = at_least_one, default_value = "25")]
    pub(crate) n: usize,
    /// What the draw depends on: any text, chosen by the auditor
    #[arg(long, value_name = "TEXT", value_parser = sentence)]
    pub(crate) seed: String,
    #[command(flatten)]
    pub(crate) options: ReportOptions,
}

/// What every report takes.
#[derive(Debug, Args)]
pub(crate) struct ReportOptions {
    #[command(flatten)]
    pub(crate) period: Period,
    /// Name the controls of this framework that each section is evidence for
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) framework: Option<Framework>,
    /// The form (default: markdown)
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<ReportOutput>,
    /// Write it to this new file; of `csv`, to this new folder
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) out: Option<PathBuf>,
    /// Report on an export, a folder or a `.tar.zst`, without any database
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) anchors: Anchors,
}

/// Which changes a report is about.
#[derive(Debug, Args)]
pub(crate) struct Period {
    /// Report on changes not before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Timestamp>,
    /// Report on changes not after this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(crate) until: Option<Timestamp>,
    /// Report on what came after this release was tagged
    #[arg(long, value_name = "RELEASE")]
    pub(crate) from: Option<String>,
    /// Report on what came up to the tag of this release
    #[arg(long, value_name = "RELEASE")]
    pub(crate) to: Option<String>,
}

/// The frameworks whose controls a report can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framework {
    /// SOC 2: CC8.1
    Soc2,
    /// ISO/IEC 27001:2022: A.8.15, A.8.32
    #[value(name = "iso27001")]
    Iso27001,
    /// PCI DSS 4.0: 6.5.1, 10.2, 10.3
    Pci,
    /// Sarbanes-Oxley, IT general controls: change management
    Sox,
    /// NIST SP 800-53: AU-9, AU-10, CM-3
    Nist,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportOutput {
    /// Markdown
    Markdown,
    /// One JSON document, as `--json`
    Json,
    /// A folder of tables: changes, exceptions, keys
    Csv,
    /// One spreadsheet file
    Xlsx,
    /// One page that holds the events and can check them
    Html,
}
