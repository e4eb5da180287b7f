//! How every command begins: connect, read, check what was read against what was seen before.

use ledger::verify::{Options, SignatureCheck};
use ledger::{Code, Event, Finding};

use super::Migrator;
use crate::context::{Progress, Remembered};
use crate::engine::{Access, EngineError, Fault, Session, Store};
use crate::error::Error;
use crate::journal::engine_error;
use crate::log::Log;
use crate::migration::format::Format;
use crate::migration::{Migration, source};
use crate::report::RunReport;

/// The environment of a ledger that nobody has named one for.
const DEFAULT_ENVIRONMENT: &str = "development";

/// What can be done about a log that does not have the head that was seen before.
const REWIND: &str = "if the database was restored from outside on purpose, keep both copies and compare \
    them; the missing events are not in this one, and `mledger rewind --reason TEXT` declares them lost";

/// A database whose log was read and holds together.
pub(super) struct Opened {
    /// A reading connection; absent where there is no database yet.
    pub(super) session: Option<Box<dyn Session>>,
    /// The log.
    pub(super) log: Log,
    /// Guards that are missing or changed.
    pub(super) missing_guards: Vec<String>,
}

impl Migrator {
    /// Reads the log with read-only rights; writes nothing, takes no lock.
    pub(super) async fn open(&self) -> Result<Opened, Error> {
        self.open_telling(&mut |_| {}).await
    }

    /// As [`Migrator::open`]; `each` is told every event, before anybody knows that the log holds together.
    pub(super) async fn open_telling(
        &self,
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> Result<Opened, Error> {
        let remembered = self.recall()?;
        let mut options = self.options(remembered.as_ref());
        let shelf = self.shelf()?;
        options.kept = shelf.notes();
        let mut opened = self.read_telling(options.clone(), each).await?;
        if let Some(seen) = &remembered
            && may_be_rewound(&opened.log, seen)
        {
            opened = self.read_whole(seen, options).await?;
        }
        if opened.log.is_empty() {
            // what is kept is about ledgers that are not here
            opened.log.let_go_of_kept();
        }
        self.check(&opened.log, remembered.as_ref())?;
        self.look_for_strangers(&shelf, &opened.log)?;
        self.remember(&opened.log);
        if let Some((seq, reason)) = opened.log.unreadable() {
            return Err(integrity(
                "lifecycle-broken",
                format!("event {seq} cannot be read: {reason}"),
                "run `mledger verify` for all findings",
            ));
        }
        opened.missing_guards.sort();
        Ok(opened)
    }

    /// Reads a log again that may have been rewound: a rewind counts only once every signature is verified.
    async fn read_whole(&self, seen: &Remembered, options: Options) -> Result<Opened, Error> {
        let options = Options {
            signatures: SignatureCheck::All,
            ..options
        };
        let opened = self.read(options).await?;
        if opened.log.errors().next().is_none() {
            self.context.observer.observe(&Progress::Warning {
                message: &format!(
                    "the ledger was rewound: an owner has declared lost what followed, the head of {} events \
                     that was seen here before with it; `mledger verify` says where",
                    seen.head.size
                ),
            });
        }
        Ok(opened)
    }

    /// Connects and reads all records, whatever they say.
    pub(super) async fn read(&self, options: Options) -> Result<Opened, Error> {
        self.read_telling(options, &mut |_| {}).await
    }

    async fn read_telling(
        &self,
        options: Options,
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> Result<Opened, Error> {
        let mut log = Log::empty(options);
        let nothing = RunReport::default();
        let mut session = match self.engine.connect(Access::Read).await {
            Ok(session) => session,
            Err(error) if error.fault == Fault::NoDatabase => {
                return Ok(Opened {
                    session: None,
                    log,
                    missing_guards: Vec::new(),
                });
            }
            Err(error) => return Err(engine_error(error, "connecting", &nothing)),
        };
        let store = session
            .store()
            .await
            .map_err(|error| engine_error(error, "looking for the ledger", &nothing))?;
        let missing_guards = match store {
            Store::Absent => Vec::new(),
            Store::Present { missing_guards, .. } => {
                log.catch_up(&mut *session, each)
                    .await
                    .map_err(|error| engine_error(error, "reading the ledger", &nothing))?;
                if log.is_empty() {
                    return Err(no_event());
                }
                missing_guards
            }
            other => return Err(unusable_store(&other)),
        };
        Ok(Opened {
            session: Some(session),
            log,
            missing_guards,
        })
    }

    /// Returns the head that was last seen at this address.
    pub(super) fn recall(&self) -> Result<Option<Remembered>, Error> {
        self.context
            .heads
            .recall(self.engine.address().key())
            .map_err(|message| Error::Usage {
                code: "remembered-head-unreadable",
                message,
                hint: "look at the file; remove it only if you know why it is damaged".to_owned(),
            })
    }

    pub(super) fn options(&self, remembered: Option<&Remembered>) -> Options {
        Options {
            ledger: None,
            witnesses: self.settings.witnesses.clone(),
            remembered: remembered.map(|seen| seen.head),
            signatures: remembered.map_or(SignatureCheck::All, |seen| {
                SignatureCheck::After(seen.head.size)
            }),
            ..Options::default()
        }
    }

    /// Compares the log with what was seen before and with the ledger that the configuration pins.
    pub(super) fn check(&self, log: &Log, remembered: Option<&Remembered>) -> Result<(), Error> {
        let lineage = log.verifier().lineage();
        if let Some(pinned) = &self.settings.ledger
            && !log.is_empty()
            && !log.verifier().only_rewound_since(pinned)
        {
            return Err(mismatch(format!(
                "expected the ledger `{pinned}` that the configuration pins, found {}`{}`",
                if lineage.contains(pinned) {
                    "its fork "
                } else {
                    ""
                },
                log.id().unwrap_or(ledger::Digest::ZERO)
            )));
        }
        if let Some(seen) = remembered {
            let size = seen.head.size;
            if log.is_empty() {
                return Err(lost(format!(
                    "a ledger of {size} events was seen at this address, now there is none"
                )));
            }
            if let Some(message) = another(log, seen) {
                return Err(mismatch(message));
            }
            if log.size() < size && log.errors().any(|found| found.code == Code::Truncated) {
                return Err(integrity(
                    "truncated",
                    format!(
                        "expected at least the {size} events that were seen here before, found {}",
                        log.size()
                    ),
                    REWIND,
                ));
            }
        }
        if log.has_errors() {
            let missing = |code| matches!(code, Code::Truncated | Code::CheckpointMismatch);
            return Err(if log.errors().all(|found| missing(found.code)) {
                broken_with(log, REWIND)
            } else {
                broken(log)
            });
        }
        Ok(())
    }

    /// Remembers the head of a log that held together; a failure to do so is a warning.
    pub(super) fn remember(&self, log: &Log) {
        let Some(seen) = log.to_remember() else {
            return;
        };
        let address = self.engine.address().key();
        if let Err(message) = self.context.heads.remember(address, &seen) {
            self.context
                .observer
                .observe(&Progress::Warning { message: &message });
        }
    }

    /// Returns the environment that a command speaks of.
    pub(super) fn environment(&self, log: &Log) -> String {
        log.history()
            .environment()
            .or(self.settings.environment.as_deref())
            .unwrap_or(DEFAULT_ENVIRONMENT)
            .to_owned()
    }

    /// Refuses to write where the environment is not the one the ledger was opened for, where a
    /// protected one was not named, or where the log holds what this version does not know.
    pub(super) fn may_write(&self, log: &Log) -> Result<(), Error> {
        let environment = self.environment(log);
        if let Some(named) = &self.settings.environment
            && *named != environment
        {
            return Err(integrity(
                "environment-mismatch",
                format!(
                    "this database's ledger was opened for `{environment}`, but the environment \
                     named is `{named}`"
                ),
                &format!(
                    "check which database is meant; a copy that goes on for `{named}` becomes a ledger of its \
                     own with `mledger fork --env {named} --reason TEXT`"
                ),
            ));
        }
        if self.settings.rules(&environment).protected && self.settings.environment.is_none() {
            return Err(Error::refused(
                "environment-not-stated",
                format!(
                    "the environment `{environment}` is protected, and the command does not name it"
                ),
                format!("add `--env {environment}`, or set MLEDGER_ENV"),
            ));
        }
        knows_all(log)
    }

    /// Reads the folder of migrations.
    pub(super) fn files(&self) -> Result<Vec<Migration>, Error> {
        let options = source::Options {
            recursive: self.settings.recursive,
            format: self.settings.format,
        };
        source::read(&self.settings.migrations, &options, self.engine.lex_rules())
            .map_err(Error::Files)
    }

    /// Returns the form that the folder has, by the name by which it is configured.
    pub(super) fn form(&self) -> Option<&'static str> {
        let found = self.settings.format.found(&self.settings.migrations);
        found.map(Format::as_str)
    }

    pub(super) fn engine_error(&self, error: EngineError, doing: &'static str) -> Error {
        engine_error(error, doing, &RunReport::default())
    }
}

/// Refuses to add to a log that holds what this version does not know.
pub(super) fn knows_all(log: &Log) -> Result<(), Error> {
    match log.history().unknown_kind() {
        Some((seq, kind)) => Err(integrity(
            "kind-unknown",
            format!("event {seq} is of the kind `{kind}`, which this version does not know"),
            "use the newer version of mledger that wrote it",
        )),
        None => Ok(()),
    }
}

impl Opened {
    /// Returns what there is where there is no ledger.
    pub(super) fn nothing() -> Self {
        Self {
            session: None,
            log: Log::empty(Options::default()),
            missing_guards: Vec::new(),
        }
    }
}

/// Says why a log is not of the ledger that was seen before, if it is not: that ledger, or a rewind of it.
pub(super) fn another(log: &Log, seen: &Remembered) -> Option<String> {
    let lineage = log.verifier().lineage();
    if seen.lineage.first() != lineage.first() {
        return Some(format!(
            "expected the ledger `{}` that was seen at this address, found `{}`",
            hex(seen.lineage.first()),
            hex(lineage.first())
        ));
    }
    // an id that is not there any more was lost with the events that follow, which is said elsewhere
    let id = seen.lineage.last().filter(|id| lineage.contains(id))?;
    (!log.verifier().only_rewound_since(id)).then(|| {
        format!(
            "expected the ledger `{id}` that was seen at this address, found its fork `{}` for `{}`",
            hex(lineage.last()),
            log.history().environment().unwrap_or(DEFAULT_ENVIRONMENT)
        )
    })
}

/// Says whether a log that does not have the head that was seen was opened anew since.
fn may_be_rewound(log: &Log, seen: &Remembered) -> bool {
    !log.is_empty()
        && !log.verifier().holds_remembered()
        && log.verifier().lineage().len() > seen.lineage.len()
}

/// Returns the error for a log that does not hold together.
pub(crate) fn broken(log: &Log) -> Error {
    broken_with(
        log,
        "run `mledger verify` for all findings; nothing is written to a ledger that does not hold together",
    )
}

fn broken_with(log: &Log, hint: &str) -> Error {
    let findings: Vec<Finding> = log.errors().collect();
    let (code, message) = findings
        .first()
        .map_or(("lifecycle-broken", String::new()), |first| {
            (first.code.as_str(), first.message.clone())
        });
    Error::Integrity {
        code,
        message: format!("the ledger is not what was recorded: {message}"),
        hint: hint.to_owned(),
        findings,
    }
}

pub(super) fn integrity(code: &'static str, message: String, hint: &str) -> Error {
    Error::Integrity {
        code,
        message,
        hint: hint.to_owned(),
        findings: Vec::new(),
    }
}

pub(super) fn lost(what: String) -> Error {
    integrity(
        "ledger-lost",
        format!("the ledger of this database is lost: {what}"),
        "restore the database; to begin anew on purpose, `mledger init --new-ledger REASON`",
    )
}

/// As [`lost`], where tables are left that may hold what others want to look at.
fn lost_in_part(what: String) -> Error {
    integrity(
        "ledger-lost",
        format!("the ledger of this database is lost: {what}"),
        "restore the database; to begin anew on purpose, drop the ledger's tables that are left, then \
         `mledger init --new-ledger REASON`",
    )
}

/// Returns the error for tables that were emptied.
pub(super) fn no_event() -> Error {
    lost_in_part("its tables are there and hold no event".to_owned())
}

pub(super) fn mismatch(message: String) -> Error {
    integrity(
        "ledger-mismatch",
        message,
        "check which database is meant; if it was replaced on purpose, `mledger init --new-ledger \
         REASON` accepts the one that is there",
    )
}

/// Returns the error for tables that cannot be used.
pub(super) fn unusable_store(store: &Store) -> Error {
    match store {
        Store::Damaged { missing } => {
            lost_in_part(format!("`{}` was dropped", missing.join("`, `")))
        }
        Store::Remains { left } => lost(format!(
            "its tables were dropped, and only `{}` is left",
            left.join("`, `")
        )),
        Store::Foreign { reason } => integrity(
            "store-foreign",
            format!("expected the ledger's own tables, found others of the same name: {reason}"),
            "rename the other tables, or keep the ledger in another database",
        ),
        Store::Absent | Store::Present { .. } => lost("its tables are gone".to_owned()),
    }
}

fn hex(digest: Option<&ledger::Digest>) -> String {
    digest.map_or_else(|| "none".to_owned(), ToString::to_string)
}
