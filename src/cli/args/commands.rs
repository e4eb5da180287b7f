//! What each command takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use ledger::{Digest, Role, Timestamp};
use mledger::request::{AsOf, Compromised};
use uuid::Uuid;

use super::audit::Anchors;
use super::values::{as_of, at_least_one, compromised, seconds, sentence, since, until};

/// `init`
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Open a new ledger in a protected environment, or although this machine remembers another one at this
    /// address; why is recorded
    #[arg(long, value_name = "REASON", value_parser = sentence)]
    pub(crate) new_ledger: Option<String>,
}

/// `new`
#[derive(Debug, Args)]
pub(crate) struct New {
    /// What the migration does, in a few words
    pub(crate) name: String,
    /// What sort of change it is
    #[arg(long = "type", value_enum, value_name = "TYPE", default_value = "ddl")]
    pub(crate) kind: Kind,
    /// Mark it as a breaking change
    #[arg(long)]
    pub(crate) breaking: bool,
    /// Write two files, `.up.sql` and `.down.sql`
    #[arg(long)]
    pub(crate) pair: bool,
    /// Describe it in the header
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Name its author in the header
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// Versions that must be applied first
    #[arg(long, value_name = "VERSION", num_args = 1.., value_delimiter = ',')]
    pub(crate) requires: Vec<String>,
}

/// The sorts of migration that `new` has a frame for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A change of tables, indexes or views.
    Ddl,
    /// A change of data.
    Dml,
    /// A function, procedure or trigger.
    Function,
}

/// `up`
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Stop after this version, or go forward to exactly this release
    #[arg(long, value_name = "VERSION|RELEASE")]
    pub(crate) to: Option<String>,
    /// Apply at most so many
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) count: Option<usize>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Apply what is older than the newest applied migration too
    #[arg(long)]
    pub(crate) out_of_order: bool,
    /// Record a reference to the change's ticket
    #[arg(long, value_name = "REF")]
    pub(crate) ticket: Option<String>,
    /// Stop the run after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Take no backup first, though the environment asks for one; this is recorded
    #[arg(long)]
    pub(crate) skip_backup: bool,
    /// Go on in spite of warnings of the validation; each is recorded with this reason
    #[arg(long, value_name = "REASON", value_parser = sentence)]
    pub(crate) force: Option<String>,
    /// Run exactly the plan that this file holds, or refuse
    #[arg(
        long, value_name = "FILE", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["to", "count"]
    )]
    pub(crate) plan: Option<PathBuf>,
}

/// `down`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("how_far").args(["steps", "batch", "to", "all"])))]
pub(crate) struct Down {
    /// Roll back the last N (default: 1)
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) steps: Option<usize>,
    /// Roll back batch N, or the last one
    #[arg(long, value_name = "N", num_args = 0..=1)]
    #[expect(
        clippy::option_option,
        reason = "absent, without a number, and with one"
    )]
    pub(crate) batch: Option<Option<u64>>,
    /// Roll back what was applied after this version, which stays, or to exactly this release
    #[arg(long, value_name = "VERSION|RELEASE")]
    pub(crate) to: Option<String>,
    /// Roll back everything
    #[arg(long)]
    pub(crate) all: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Record a reference to the change's ticket
    #[arg(long, value_name = "REF")]
    pub(crate) ticket: Option<String>,
    /// Stop the run after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
}

/// `redo`
#[derive(Debug, Args)]
pub(crate) struct Redo {
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop the run after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
}

/// `reset`
#[derive(Debug, Args)]
pub(crate) struct Reset {
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop the run after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
}

/// `approve`
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The digest of the plan, as `plan` prints it
    pub(crate) plan_digest: Digest,
    /// The file that `plan --out` wrote (default: what `up` would do now)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) plan: Option<PathBuf>,
    /// Say something about it; it is recorded
    #[arg(long, value_name = "TEXT", value_parser = sentence)]
    pub(crate) comment: Option<String>,
    /// How long the approval can be used, such as `8h`; at most as long as the environment allows
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) expires: Option<Duration>,
    /// Take the approvals of the plan back instead; why is recorded
    #[arg(long, value_name = "REASON", value_parser = sentence, conflicts_with_all = ["plan", "comment", "expires"])]
    pub(crate) revoke: Option<String>,
}

/// `status`
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Exit with 8 when something is pending or differs
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Show checksums, descriptions and the ledger's head too
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Show what was applied at this date, time, release or event, from the ledger alone
    #[arg(long, value_name = "DATE|RELEASE|SEQ", value_parser = as_of)]
    pub(crate) as_of: Option<AsOf>,
    /// Show which migrations wait for which
    #[arg(long)]
    pub(crate) graph: bool,
    /// Print the graph in a language of programs that draw
    #[arg(long, value_enum, value_name = "FORM", requires = "graph")]
    pub(crate) output: Option<GraphOutput>,
}

/// The forms of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphOutput {
    /// Graphviz.
    Dot,
    /// Mermaid, as code forges draw it.
    Mermaid,
}

/// `history`
#[derive(Debug, Args)]
pub(crate) struct History {
    /// What came after this release was tagged
    #[arg(long, value_name = "RELEASE")]
    pub(crate) from: Option<String>,
    /// Up to this release
    #[arg(long, value_name = "RELEASE")]
    pub(crate) to: Option<String>,
    /// Begun not before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Timestamp>,
    /// Begun not after this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(crate) until: Option<Timestamp>,
    /// By this actor
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// `analyze`
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Which migration
    pub(crate) version: String,
}

/// `health`
#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Exit with 8 when nothing is wrong, but something is pending or the schema differs
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Ask for a backup that is at most so old, such as `26h`
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) max_backup_age: Option<Duration>,
}

/// `plan`
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Stop after this version, or go forward to exactly this release
    #[arg(long, value_name = "VERSION|RELEASE")]
    pub(crate) to: Option<String>,
    /// Plan at most so many
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) count: Option<usize>,
    /// Plan what is older than the newest applied migration too
    #[arg(long)]
    pub(crate) out_of_order: bool,
    /// Write the plan's JSON document to this file too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 8 when there is something to do
    #[arg(long)]
    pub(crate) exit_code: bool,
}

/// `resolve`
#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("answer").args(["applied", "not_applied", "resume", "accept_change"]).requires("reason")
))]
pub(crate) struct Resolve {
    /// Which migration
    pub(crate) version: String,
    /// It did take effect, or was done by hand
    #[arg(long)]
    pub(crate) applied: bool,
    /// It did not take effect, or was undone by hand
    #[arg(long)]
    pub(crate) not_applied: bool,
    /// Go on from the first statement that is not applied
    #[arg(long)]
    pub(crate) resume: bool,
    /// The applied file was changed, and the change is right
    #[arg(long)]
    pub(crate) accept_change: bool,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", requires = "answer", value_parser = sentence)]
    pub(crate) reason: Option<String>,
}

/// `validate`
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Mend what can be mended without thinking in pending migrations, and show it
    #[arg(long)]
    pub(crate) fix: bool,
    /// Print the findings in this form
    #[arg(long, value_enum, value_name = "FORM", default_value = "text")]
    pub(crate) output: Output,
    /// Speak only of what is pending, or of the files that are new since a commit of git
    #[arg(long, value_name = "BASE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "absent, without a base, and with one")]
    pub(crate) new_only: Option<Option<String>>,
}

/// The forms of a report of `validate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON document, as `--json`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
}

/// `verify`
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) anchors: Anchors,
    /// Treat schema changes that no run made as errors
    #[arg(long)]
    pub(crate) strict: bool,
    /// Check an export, a folder or a `.tar.zst`, without any database
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, conflicts_with = "strict")]
    pub(crate) bundle: Option<PathBuf>,
    /// Check the proof of one event, without any database
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath,
          conflicts_with_all = ["strict", "bundle"])]
    pub(crate) proof: Option<PathBuf>,
}

/// `events`
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Not before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Timestamp>,
    /// Not after this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(crate) until: Option<Timestamp>,
    /// Of this kind, or of kinds that begin with it: `migration`, `migration.applied`
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// About this migration
    #[arg(long, value_name = "VERSION")]
    pub(crate) migration: Option<String>,
    /// By this actor
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Of this run
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<Uuid>,
    /// Go on printing new events until interrupted
    #[arg(short, long, conflicts_with = "until")]
    pub(crate) follow: bool,
}

/// `show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The event's place in the log
    pub(crate) seq: u64,
}

/// `key`
#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

/// What `key` does.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys that the ledger knows
    List,
    /// Make a signing key
    New(KeyNew),
    /// Print the public form of the signing key
    Show(KeyShow),
    /// Prove that the holder of the signing key wants it in the ledger, for an owner to let it in
    Prove(KeyProve),
    /// Let a key in by its proof, with the roles that it needs
    Authorize(KeyAuthorize),
    /// End a key's time
    Retire(KeyRetire),
}

/// `key new`
#[derive(Debug, Args)]
pub(crate) struct KeyNew {
    /// Write it here (default: the user's own key file)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    /// A word about whose key it is
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// Encrypt it: the passphrase is asked for, or taken from MLEDGER_KEY_PASSPHRASE
    #[arg(long)]
    pub(crate) passphrase: bool,
}

/// `key show`
#[derive(Debug, Args)]
pub(crate) struct KeyShow {}

/// `key prove`
#[derive(Debug, Args)]
pub(crate) struct KeyProve {
    /// The ledger's id, where its database cannot be reached from here
    #[arg(long, value_name = "ID")]
    pub(crate) ledger: Option<Digest>,
    /// Write the proof to this file (default: print it)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
}

/// `key authorize`
#[derive(Debug, Args)]
pub(crate) struct KeyAuthorize {
    /// The proof that the new person made with `key prove`
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) proof: PathBuf,
    /// Whose key it is
    #[arg(long, value_name = "NAME", required = true, value_parser = sentence)]
    pub(crate) name: String,
    /// What it may sign: owner, operator, approver, releaser, auditor
    #[arg(long = "role", value_name = "ROLE", required = true, num_args = 1.., value_delimiter = ',')]
    pub(crate) roles: Vec<Role>,
}

/// `key retire`
#[derive(Debug, Args)]
pub(crate) struct KeyRetire {
    /// The key's fingerprint, or its name
    #[arg(value_name = "KEY")]
    pub(crate) retired: String,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", required = true, value_parser = sentence)]
    pub(crate) reason: String,
    /// It was in other hands since this time, or from this event on: what it signed then is suspect
    #[arg(long, value_name = "TIME|SEQ", value_parser = compromised)]
    pub(crate) compromised_from: Option<Compromised>,
}

/// `lock`
#[derive(Debug, Args)]
pub(crate) struct Lock {
    #[command(subcommand)]
    pub(crate) command: LockCommand,
}

/// What `lock` does.
#[derive(Debug, Subcommand)]
pub(crate) enum LockCommand {
    /// Show who holds the lock
    Status,
    /// Take the lock away from its holder
    Break(LockBreak),
}

/// `lock break`
#[derive(Debug, Args)]
pub(crate) struct LockBreak {
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", required = true, value_parser = sentence)]
    pub(crate) reason: String,
}

/// `completions`
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `man`
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write one page for each command into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
}
