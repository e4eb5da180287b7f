//! What can be typed. Help, man pages, completions and `docs/cli.md` are made from these types.

mod adoption;
mod audit;
mod backups;
mod commands;
mod drift;
mod examples;
mod openings;
mod releases;
mod reports;
mod rights;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

pub(crate) use self::adoption::{Adopt, Baseline, ExportHistory};
pub(crate) use self::audit::{Anchors, Checkpoint, Export, Prove, Tsa};
pub(crate) use self::backups::{
    Backup, BackupAccept, BackupCommand, BackupPrune, BackupRestore, BackupVerify,
};
pub(crate) use self::commands::{
    Analyze, Approve, Completions, Down, Events, GraphOutput, Health, History, Init, Key,
    KeyAuthorize, KeyCommand, KeyNew, KeyProve, KeyRetire, Kind, Lock, LockBreak, LockCommand, Man,
    New, Output, Plan, Redo, Reset, Resolve, Show, StatusArgs, Up, Validate, Verify,
};
pub(crate) use self::drift::Drift;
pub(crate) use self::openings::{Fork, Move, Rewind};
pub(crate) use self::releases::{Changelog, ChangelogOutput, Promote, Publish, Releases, Tag};
pub(crate) use self::reports::{
    Framework, Report, ReportCommand, ReportOptions, ReportOutput, ReportSample,
};
pub(crate) use self::rights::{Grants, Redact};
use self::values::seconds;

/// Database migrations with a signed, hash-chained history.
#[derive(Debug, Parser)]
#[command(
    name = "mledger",
    version,
    about,
    long_about = "Database migrations with a signed, hash-chained history.\n\n\
        Applies and rolls back SQL migrations, and appends every action to a tamper-evident ledger \
        that lives in the database it migrates.",
    after_long_help = examples::MLEDGER,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Work in this project folder
    ///
    /// Default: the nearest parent with `mledger.toml`, else the current folder.
    #[arg(short = 'C', long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) project: Option<PathBuf>,

    /// Use this database
    ///
    /// Variable: `DATABASE_URL`. Default: `sqlite:mledger.db` in the project folder. A relative path
    /// that is typed starts at the current folder.
    #[arg(short, long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) database: Option<String>,

    /// Name the environment
    ///
    /// Variable: `MLEDGER_ENV`. Default: the environment that the database's ledger was opened for,
    /// else `development`.
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,

    /// Read migrations from this folder
    #[arg(short, long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) migrations: Option<PathBuf>,

    /// Sign with this OpenSSH Ed25519 key
    ///
    /// Variables: `MLEDGER_KEY_FILE`, or `MLEDGER_KEY` with the key's text; the passphrase of an
    /// encrypted key from `MLEDGER_KEY_PASSPHRASE`. For a public key an ssh-agent signs
    /// (`SSH_AUTH_SOCK`), or the program of `MLEDGER_SIGNER`.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// Print answers as text, or as one JSON document
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "text|json",
        hide_possible_values = true,
        conflicts_with = "json"
    )]
    pub(crate) format: Option<Format>,

    /// Short for `--format json`
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print nothing but answers and errors
    #[arg(short, long, global = true, conflicts_with = "logs")]
    pub(crate) quiet: bool,

    /// Log to stderr what is done; twice for more
    #[arg(short = 'v', id = "logs", global = true, action = ArgAction::Count)]
    pub(crate) logs: u8,

    /// Colour the output
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "auto|always|never",
        hide_possible_values = true,
        hide_default_value = true,
        default_value = "auto"
    )]
    pub(crate) color: Color,

    /// Answer yes to questions
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Never ask; stop where a question would be asked
    #[arg(long, global = true)]
    pub(crate) no_input: bool,

    /// Wait for a database that is still starting, at most so many seconds
    #[arg(
        long, global = true, value_name = "SECS", value_parser = seconds, num_args = 0..=1,
        require_equals = true, default_missing_value = "60"
    )]
    pub(crate) wait: Option<Duration>,

    /// Wait so many seconds for another run to finish (default: 300)
    #[arg(long, global = true, value_name = "SECS", value_parser = seconds)]
    pub(crate) lease_wait: Option<Duration>,

    /// Confirm a destructive command in a protected environment by the environment's name
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
}

impl Global {
    /// Says whether answers are one JSON document.
    pub(crate) fn is_json(&self) -> bool {
        self.json || self.format == Some(Format::Json)
    }
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create what is missing: configuration, folder, key and ledger
    #[command(after_long_help = examples::INIT)]
    Init(Init),
    /// Write a new migration file
    #[command(visible_aliases = ["create", "add"], after_long_help = examples::NEW)]
    New(New),
    /// Apply pending migrations
    #[command(visible_aliases = ["migrate", "apply", "run"], after_long_help = examples::UP)]
    Up(Up),
    /// Roll applied migrations back
    #[command(visible_aliases = ["rollback", "revert", "undo"], after_long_help = examples::DOWN)]
    Down(Down),
    /// Roll the last migration back and apply it again
    #[command(after_long_help = examples::REDO)]
    Redo(Redo),
    /// Roll everything back, where the environment may be reset
    #[command(after_long_help = examples::RESET)]
    Reset(Reset),
    /// Show which migrations are applied and which are not
    #[command(visible_alias = "info", after_long_help = examples::STATUS)]
    Status(StatusArgs),
    /// Show what changed between two releases or dates, who changed it, and how long it took
    #[command(after_long_help = examples::HISTORY)]
    History(History),
    /// Show what `up` would do, without doing it
    #[command(after_long_help = examples::PLAN)]
    Plan(Plan),
    /// Approve a plan, so that it may run where approvals are asked for
    #[command(after_long_help = examples::APPROVE)]
    Approve(Approve),
    /// List the approvals, and what became of them
    Approvals,
    /// Record a person's answer about a migration that needs one
    #[command(visible_alias = "repair", after_long_help = examples::RESOLVE)]
    Resolve(Resolve),
    /// Check migrations against rules, without running them
    #[command(visible_alias = "lint", after_long_help = examples::VALIDATE)]
    Validate(Validate),
    /// Check the ledger, the stored scripts, the files and the schema
    #[command(after_long_help = examples::VERIFY)]
    Verify(Verify),
    /// Show where the schema was changed by other means than migrations, or accept that it was
    #[command(after_long_help = examples::DRIFT)]
    Drift(Drift),
    /// Show what one migration did and cost, or what it would do
    #[command(after_long_help = examples::ANALYZE)]
    Analyze(Analyze),
    /// Say whether the database, its ledger and its migrations are as they should be, for probes
    #[command(after_long_help = examples::HEALTH)]
    Health(Health),
    /// Print the events of the ledger, oldest first
    #[command(visible_alias = "log", after_long_help = examples::EVENTS)]
    Events(Events),
    /// Print one event in full, and how to check it by hand
    #[command(after_long_help = examples::SHOW)]
    Show(Show),
    /// Write the whole ledger to a folder or file that can be checked without this tool
    #[command(after_long_help = examples::EXPORT)]
    Export(Export),
    /// Say what was changed in a period, by whom, approved by whom, and what was out of the ordinary
    #[command(after_long_help = examples::REPORT)]
    Report(Box<Report>),
    /// Sign how many events there are and their root, to be kept outside the database
    #[command(after_long_help = examples::CHECKPOINT)]
    Checkpoint(Checkpoint),
    /// Prove that one event is in the ledger, to who gets nothing else of it
    #[command(after_long_help = examples::PROVE)]
    Prove(Prove),
    /// Look after signing keys
    #[command(after_long_help = examples::KEY)]
    Key(Key),
    /// Look at the lock that a run holds, or break it
    #[command(after_long_help = examples::LOCK)]
    Lock(Lock),
    /// Go on as a ledger of its own: a copy of the database, for another environment
    #[command(after_long_help = examples::FORK)]
    Fork(Fork),
    /// Go on as the same ledger on another server, or under another name
    #[command(after_long_help = examples::MOVE)]
    Move(Move),
    /// Declare lost what a database restored from outside does not have any more
    #[command(after_long_help = examples::REWIND)]
    Rewind(Rewind),
    /// Print the least rights in the database that runner, approver and auditor need
    #[command(after_long_help = examples::GRANTS)]
    Grants(Grants),
    /// Erase the bytes of a stored script for good; its digest and all signatures stay
    #[command(after_long_help = examples::REDACT)]
    Redact(Redact),
    /// Save the database, and look after what was saved
    #[command(after_long_help = examples::BACKUP)]
    Backup(Backup),
    /// Give a name to what is applied: a release
    #[command(after_long_help = examples::TAG)]
    Tag(Tag),
    /// Publish a release under a title, with its notes
    #[command(after_long_help = examples::RELEASE)]
    Release(Publish),
    /// List the releases: what each holds, and whether it breaks something
    #[command(after_long_help = examples::RELEASES)]
    Releases(Releases),
    /// Print what each release changed, made from the ledger alone
    #[command(after_long_help = examples::CHANGELOG)]
    Changelog(Changelog),
    /// Compare another environment's ledger with the migrations here: what was applied there, and how
    #[command(after_long_help = examples::PROMOTE)]
    Promote(Promote),
    /// Take over the history of another tool, which stays as it is
    #[command(after_long_help = examples::ADOPT)]
    Adopt(Adopt),
    /// Record that the database has all migrations up to a version, without running them
    #[command(after_long_help = examples::BASELINE)]
    Baseline(Baseline),
    /// Write the table in which another tool keeps its history, for those who leave
    #[command(after_long_help = examples::EXPORT_HISTORY)]
    ExportHistory(ExportHistory),
    /// Print every setting, its value and where it came from
    Config,
    /// Print the completions for a shell
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Print the manual page, or write all pages into a folder
    #[command(after_long_help = examples::MAN)]
    Man(Man),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_may_stand_anywhere() {
        for line in [
            ["mledger", "--json", "-C", "shop", "up", "--count", "2"],
            ["mledger", "up", "--count", "2", "-C", "shop", "--json"],
        ] {
            let parsed =
                Cli::try_parse_from(line).map(|cli| (cli.global.is_json(), cli.global.project));
            assert_eq!(parsed.ok(), Some((true, Some("shop".into()))));
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [
            "mledger status --json --format text",
            "mledger status -q -v",
            "mledger down --all --steps 2",
            "mledger down --to 1 --batch",
            "mledger resolve 1 --applied --not-applied --reason x",
            "mledger resolve 1 --applied",
            "mledger resolve 1 --reason x",
            "mledger down --steps 0",
            "mledger up --count -1",
            "mledger up --timeout soon",
            "mledger events --since yesterday",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }

    #[test]
    fn waiting_takes_its_seconds_after_an_equals_sign() {
        let wait = |line: &str| {
            Cli::try_parse_from(line.split(' '))
                .map(|cli| cli.global.wait)
                .ok()
                .flatten()
        };
        assert_eq!(wait("mledger up --wait"), Some(Duration::from_secs(60)));
        assert_eq!(wait("mledger --wait up"), Some(Duration::from_secs(60)));
        assert_eq!(wait("mledger up --wait=5m"), Some(Duration::from_secs(300)));
        assert_eq!(wait("mledger up"), None);
    }
}
