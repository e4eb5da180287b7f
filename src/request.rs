//! What the tool can be asked, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use ledger::Digest;
use ledger::note::Witness;

use crate::adopt::TableName;
use crate::checkpoints;
use crate::compliance;
use crate::config::Secrets;
use crate::lint;
use crate::migration::Version;
use crate::migration::format::Format;
use crate::policy::Rules;
use crate::promotion::Source;

/// What holds for every command on one database.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The environment that was named by flag, variable or configuration; `None` when nobody did.
    pub environment: Option<String>,
    /// The rules of environments by name; the others have those that their name suggests.
    pub rules: BTreeMap<String, Rules>,
    /// What rules of `validate` weigh and ask, where an environment does not say otherwise.
    pub validation: lint::Settings,
    /// The same in environments by name.
    pub validations: BTreeMap<String, lint::Settings>,
    /// The ledger id that the configuration pins: any of the chain's ids.
    pub ledger: Option<Digest>,
    /// The folder of migrations.
    pub migrations: PathBuf,
    /// Sub-folders of it count too.
    pub recursive: bool,
    /// The form of the folder.
    pub format: Format,
    /// How long a lease lasts without renewal.
    pub lease: Duration,
    /// How long to wait for another run's lease.
    pub lease_wait: Duration,
    /// How long a script waits for the database's own locks, unless it says otherwise; without it as
    /// long as the server, the role or the engine has it.
    pub lock_timeout: Option<Duration>,
    /// How long one statement of a script may take, where the server can be told.
    pub statement_timeout: Option<Duration>,
    /// Apply what is older than the newest applied migration.
    pub out_of_order: bool,
    /// What is kept out of everything that is shown or recorded.
    pub secrets: Secrets,
    /// The folder that the programs of checks run in; without one, that of this process.
    pub project: Option<PathBuf>,
    /// Where backups are kept, and how they are made.
    pub backup: crate::backup::Settings,
    /// The witnesses whose cosignatures of checkpoints count (C2SP tlog-cosignature).
    pub witnesses: Vec<Witness>,
    /// Where checkpoints are kept; without it they are neither kept nor looked at.
    pub checkpoints: Option<checkpoints::Settings>,
}

impl Settings {
    /// Returns the defaults for a folder of migrations.
    pub fn new(migrations: PathBuf) -> Self {
        Self {
            environment: None,
            rules: BTreeMap::new(),
            validation: lint::Settings::default(),
            validations: BTreeMap::new(),
            ledger: None,
            migrations,
            recursive: false,
            format: Format::Auto,
            lease: Duration::from_secs(60),
            lease_wait: Duration::from_secs(300),
            lock_timeout: None,
            statement_timeout: None,
            out_of_order: false,
            secrets: Secrets::default(),
            project: None,
            backup: crate::backup::Settings::default(),
            witnesses: Vec::new(),
            checkpoints: None,
        }
    }

    /// Returns the rules of the environment of this name.
    pub fn rules(&self, environment: &str) -> Rules {
        self.rules
            .get(environment)
            .cloned()
            .unwrap_or_else(|| Rules::cautious(environment))
    }

    /// Returns what validation asks in the environment of this name.
    pub fn validation(&self, environment: &str) -> lint::Settings {
        let settings = self.validations.get(environment);
        lint::Settings {
            max_duration: self.rules(environment).max_duration,
            ..settings.unwrap_or(&self.validation).clone()
        }
    }
}

/// What `up` is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Up {
    /// Apply up to and including this version.
    pub to: Option<Version>,
    /// Go forward to exactly what this release holds, or refuse.
    pub release: Option<ReleaseName>,
    /// Apply these and no others.
    pub only: Option<BTreeSet<Version>>,
    /// Apply at most so many.
    pub count: Option<usize>,
    /// Apply what is older than the newest applied migration.
    pub out_of_order: bool,
    /// A reference to the change's ticket, recorded.
    pub ticket: Option<String>,
    /// Stop the run after so long.
    pub timeout: Option<Duration>,
    /// Take no backup first, though the environment asks for one; recorded.
    pub skip_backup: bool,
    /// Go on in spite of warnings of the validation, for this reason; recorded with each of them.
    pub force: Option<String>,
    /// Run exactly this plan, in its canonical form, or refuse.
    pub plan: Option<Vec<u8>>,
}

/// What `approve` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// The digest of the plan.
    pub plan: Digest,
    /// The plan in its canonical form, where the approver was given it.
    pub object: Option<Vec<u8>>,
    /// What the approver says about it.
    pub comment: Option<String>,
    /// How long the approval can be used; at most as long as the environment's rules say.
    pub lasts: Option<Duration>,
}

/// Since when a key was in other hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compromised {
    /// From this place in the log on.
    From(u64),
    /// From the first event on whose time is this one or later. Times are claims of those who sign; a place
    /// is not.
    Since(ledger::Timestamp),
}

/// What `key retire` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retire {
    /// The key's fingerprint, or its name where only one has that.
    pub key: String,
    /// Why, recorded.
    pub reason: String,
    /// Since when it was in other hands; what it signed from then on is suspect.
    pub compromised: Option<Compromised>,
}

/// What `key authorize` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorize {
    /// The proof that the new person made with their key: an armoured SSH signature.
    pub proof: String,
    /// Whose key it is.
    pub name: String,
    /// What it may sign.
    pub roles: Vec<ledger::Role>,
}

/// What `fork` is asked; the environment it goes on for is the one that the settings name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fork {
    /// Why, recorded.
    pub reason: String,
    /// Let this command's key in as an owner. Where it was none before, no earlier key holds a role any more.
    pub new_key: bool,
    /// The protected environment's name, as a person has typed it to confirm.
    pub confirmed: Option<String>,
}

/// What `move` is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Move {
    /// Why, recorded.
    pub reason: String,
    /// The protected environment's name, as a person has typed it to confirm.
    pub confirmed: Option<String>,
}

/// What `rewind` is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewind {
    /// Why, recorded.
    pub reason: String,
    /// The texts of checkpoints that were kept outside the database.
    pub checkpoints: Vec<String>,
    /// The protected environment's name, as a person has typed it to confirm.
    pub confirmed: Option<String>,
}

/// What `redact` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redact {
    /// The digest of the object whose bytes are erased.
    pub digest: Digest,
    /// Why, recorded.
    pub reason: String,
    /// The protected environment's name, as a person has typed it to confirm.
    pub confirmed: Option<String>,
}

/// Users or roles of the database that `grants` speaks of; who is `None` is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grantees {
    /// Applies migrations and rolls them back.
    pub runner: Option<String>,
    /// Approves plans, tags releases, takes notes, and runs nothing.
    pub approver: Option<String>,
    /// Reads the ledger, and writes nothing.
    pub auditor: Option<String>,
}

/// A release as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseName {
    /// Its name; where nothing else can be meant, a beginning that only it has is enough.
    pub name: String,
    /// The migration's version that the same text could mean.
    pub or_version: Option<Version>,
}

/// What `tag` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The release's name.
    pub release: semver::Version,
    /// The last migration that it holds; the one applied last, if `None`.
    pub at: Option<Version>,
    /// What is said about it.
    pub message: Option<String>,
}

/// What `release` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Which release: its name, or a beginning that only it has.
    pub release: String,
    /// The title.
    pub name: String,
    /// The notes, kept as an object.
    pub notes: Option<Vec<u8>>,
}

/// Which migrations `down` undoes, newest applied first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// The last `n` that were applied.
    Steps(usize),
    /// All of one batch, or of the last one.
    Batch(Option<u64>),
    /// All that were applied after this version, which stays.
    To(Version),
    /// All that this release does not hold, so that exactly what it holds is left.
    Release(ReleaseName),
    /// All but these.
    Except(BTreeSet<Version>),
    /// All.
    All,
}

/// What `down` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Down {
    /// Which.
    pub back: Back,
    /// A reference to the change's ticket, recorded.
    pub ticket: Option<String>,
    /// Stop the run after so long.
    pub timeout: Option<Duration>,
}

/// A person's answer about one migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It did take effect, or was done by hand.
    Applied,
    /// It did not take effect, or was undone by hand.
    NotApplied,
    /// The applied file was changed, and the change is right.
    AcceptChange,
    /// Go on from the first statement that is not applied.
    Resume,
}

/// What `resolve` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// Which migration.
    pub version: Version,
    /// The answer.
    pub resolution: Resolution,
    /// Why, recorded.
    pub reason: String,
}

/// What `adopt` is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adopt {
    /// The tool whose history it is; without one, the one whose table is there.
    pub tool: Option<String>,
    /// Its table, where that is not called as the tool calls it by itself.
    pub table: Option<TableName>,
    /// Where its table is: a schema, on MySQL and MariaDB a database, on SQLite a file. Without one, where
    /// the tool keeps it by itself.
    pub registry: Option<String>,
    /// The newest version of the folder that the database has, where the tool's rows do not say it.
    pub through: Option<Version>,
    /// Why rows are taken over that differ from their files, and others are left out; recorded.
    pub force: Option<String>,
}

/// What `baseline` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// The newest version that the database has.
    pub version: Version,
    /// Why, recorded.
    pub reason: String,
}

/// Which migrations `validate` speaks of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Validate {
    /// All of them.
    #[default]
    All,
    /// Those that are not applied; the ledger is asked.
    Pending,
    /// Those that have a script in one of these files.
    Files(Vec<PathBuf>),
}

/// What `health` is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// There must be a backup that is at most so old.
    pub max_backup_age: Option<Duration>,
}

/// What `verify` is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verify {
    /// The ledger id, obtained some other way.
    pub ledger: Option<Digest>,
    /// The text of an allowed-signers file.
    pub trust: Option<String>,
    /// The texts of checkpoints that were kept outside the database.
    pub checkpoints: Vec<String>,
    /// Witnesses whose cosignatures count, beside those of the configuration.
    pub witnesses: Vec<Witness>,
    /// Out-of-band schema changes are errors.
    pub strict: bool,
}

/// A moment of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsOf {
    /// After this event.
    Seq(u64),
    /// Before the first event that claims to be later.
    Time(ledger::Timestamp),
    /// When this release was tagged.
    Release(String),
}

/// What `history` is asked; what is `None` does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// After this release was tagged.
    pub from: Option<String>,
    /// Up to this release.
    pub to: Option<String>,
    /// Begun not before this time.
    pub since: Option<ledger::Timestamp>,
    /// Begun not after this time.
    pub until: Option<ledger::Timestamp>,
    /// By this actor.
    pub by: Option<String>,
}

/// What `promote` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promote {
    /// Where the other ledger is found; where the configuration says, if `None`.
    pub from: Option<Source>,
    /// What the other ledger is compared with.
    pub verify: Verify,
}

/// What `export` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Where the bundle goes: a folder, or one file where the name ends in `.tar.zst`.
    pub path: PathBuf,
    /// The ledger says that it was exported.
    pub record: bool,
    /// What its report covers; the events are always the whole chain.
    pub asked: compliance::Asked,
}

/// Which events are wanted; what is `None` does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Not before this time.
    pub since: Option<ledger::Timestamp>,
    /// Not after this time.
    pub until: Option<ledger::Timestamp>,
    /// Of this kind, or of kinds that begin with it and a dot.
    pub kind: Option<String>,
    /// About this version.
    pub migration: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// Of this run.
    pub run: Option<uuid::Uuid>,
    /// From this place in the log.
    pub from: u64,
}
