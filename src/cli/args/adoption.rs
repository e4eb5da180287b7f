//! What `adopt`, `baseline` and `export-history` take.

use clap::Args;
use mledger::adopt::TableName;

use super::values::sentence;

/// `adopt`
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The tool whose history it is (default: the one whose table is there)
    #[arg(long, value_name = "TOOL")]
    pub(crate) from: Option<String>,
    /// Its table, where that is not called as the tool calls it by itself
    #[arg(long, value_name = "[SCHEMA.]NAME")]
    pub(crate) table: Option<TableName>,
    /// Where its table is: a schema, on MySQL and MariaDB a database, on SQLite a file
    #[arg(long, value_name = "NAME", conflicts_with = "table")]
    pub(crate) registry: Option<String>,
    /// The newest version of the folder that the database has, where the tool's rows do not say it
    #[arg(long, value_name = "VERSION")]
    pub(crate) through: Option<String>,
    /// Take rows over that differ from their files, and leave failed ones out; why is recorded
    #[arg(long, value_name = "REASON", value_parser = sentence)]
    pub(crate) force: Option<String>,
    /// Show what would be taken over, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `baseline`
#[derive(Debug, Args)]
pub(crate) struct Baseline {
    /// The newest version that the database has
    pub(crate) version: String,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", required = true, value_parser = sentence)]
    pub(crate) reason: String,
}

/// `export-history`
#[derive(Debug, Args)]
pub(crate) struct ExportHistory {
    /// The tool: sqlx, flyway, golang-migrate, goose or dbmate
    #[arg(long, value_name = "TOOL")]
    pub(crate) to: String,
}
