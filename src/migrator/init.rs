//! Opening a ledger without applying anything.

use std::time::Duration;

use ledger::{Body, NoteAdded};

use super::Migrator;
use super::open::Opened;
use crate::context::{Progress, Remembered};
use crate::engine::{Access, Fault, Store};
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::plan::Blocker;
use crate::policy::approval::blocker;
use crate::report::{LedgerView, Opened as Answer};

/// How often the ledger is opened anew where another process came first.
const TRIES: u32 = 8;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);

impl Migrator {
    /// Opens the ledger where there is none; says whether it did.
    ///
    /// `new_ledger` is a person's reason for a new ledger in a protected environment, or for giving up the
    /// one that was seen at this address before: the new one records it, and what was remembered is forgotten.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] where a ledger was seen before and no reason is given, [`Error::Refused`] where
    /// the environment is protected and none is given.
    pub async fn init(&self, new_ledger: Option<String>) -> Result<Answer, Error> {
        let mut tries = 1;
        loop {
            match self.try_to_init(new_ledger.as_deref()).await {
                Err(error) if tries < TRIES && came_second(&error) => tries += 1,
                other => return other,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn try_to_init(&self, new_ledger: Option<&str>) -> Result<Answer, Error> {
        let seen = self.recall()?;
        let (remains, mut opened) = match new_ledger {
            Some(_) if self.only_remains_are_left().await? => (true, Opened::nothing()),
            Some(_) if seen.is_some() => (false, self.read(self.options(None)).await?),
            _ => (false, self.open().await?),
        };
        let given_up = new_ledger.filter(|_| remains || seen.is_some());
        if !opened.log.is_empty() {
            self.check(&opened.log, None)?;
            if given_up.is_some() {
                self.forget()?;
            }
            self.remember(&opened.log);
            return Ok(view(&opened.log, false));
        }
        if new_ledger.is_none()
            && let Some(blocker) = self.needs_a_reason(&opened.log)
        {
            return Err(Error::Refused(vec![blocker.refusal]));
        }
        opened.session = None;
        let signing = self.keys.signer(true)?;
        let journal = self.journal(signing, &opened.log);
        let fail = |error| self.engine_error(error, "opening the ledger");
        let mut session = self.begin_write().await?;
        let log = &mut opened.log;
        let opening = match remains {
            true => self
                .creation(&mut *session, journal.signing())
                .await
                .map(Some),
            false => self.opening(&mut *session, log, journal.signing()).await,
        };
        let opening = match opening {
            // the tables were not there yet, and another process was first to make them
            Err(Error::Engine { error, .. }) if error.fault == Fault::Conflict => None,
            answer => answer?,
        };
        let Some(opening) = opening else {
            // another process opened it first
            session.rollback().await.map_err(fail)?;
            drop(session);
            let opened = self.open().await?;
            return Ok(view(&opened.log, false));
        };
        let note = new_ledger.map(|reason| {
            let before = match &seen {
                Some(Remembered { head, .. }) => format!(
                    "; the one seen here before had {} events and the head {}",
                    head.size, head.hash
                ),
                None if remains => "; the tables of the one before were dropped".to_owned(),
                None => String::new(),
            };
            Fact::success(Body::NoteAdded(NoteAdded {
                about: None,
                text: ledger::clean(&format!(
                    "a new ledger was opened on purpose: {reason}{before}"
                )),
            }))
        });
        let staged = journal.stage_after(log, Some(opening), |_| Ok(note.into_iter().collect()))?;
        let appended = staged.append(&mut *session).await.map_err(fail)?;
        let committed = appended.commit(&mut *session).await.map_err(fail)?;
        log.fold(&committed);
        if given_up.is_some() {
            self.forget()?;
        }
        self.remember(log);
        self.keep_checkpoint(log);
        if let Some(id) = log.id() {
            self.context
                .observer
                .observe(&Progress::LedgerOpened { id });
        }
        Ok(view(log, true))
    }

    /// Returns what stands against opening a ledger without a reason. A protected environment that has none
    /// is more likely the wrong database, or one whose ledger is gone, than a beginning; and where no machine
    /// remembers, as in a pipeline, nothing else would tell.
    pub(super) fn needs_a_reason(&self, log: &Log) -> Option<Blocker> {
        let environment = self.environment(log);
        if !log.is_empty() || !self.settings.rules(&environment).protected {
            return None;
        }
        Some(blocker(
            "new-ledger-not-stated",
            format!(
                "the environment `{environment}` is protected, and its database has no ledger: a new one is \
                 not opened unasked"
            ),
            format!(
                "check which database is meant; if it is to begin here, `mledger init --env {environment} \
                 --new-ledger REASON`"
            ),
        ))
    }

    /// Says whether all that is left of a ledger is what stood around its tables.
    async fn only_remains_are_left(&self) -> Result<bool, Error> {
        let fail = |error| self.engine_error(error, "looking for the ledger");
        match self.engine.connect(Access::Read).await {
            Ok(mut session) => {
                let store = session.store().await.map_err(fail)?;
                Ok(matches!(store, Store::Remains { .. }))
            }
            Err(error) if error.fault == Fault::NoDatabase => Ok(false),
            Err(error) => Err(fail(error)),
        }
    }

    fn forget(&self) -> Result<(), Error> {
        self.context
            .heads
            .forget(self.engine.address().key())
            .map_err(|message| Error::Usage {
                code: "remembered-head-unreadable",
                message,
                hint: "remove the file by hand".to_owned(),
            })
    }
}

/// Says whether another process made the tables, or was making them, at the same time.
fn came_second(error: &Error) -> bool {
    matches!(
        error,
        Error::Engine { error, .. } if matches!(error.fault, Fault::Conflict | Fault::Transient)
    )
}

pub(super) fn ledger_view(log: &Log) -> Option<LedgerView> {
    Some(LedgerView {
        id: log.id()?,
        size: log.size(),
        head: log.head(),
    })
}

fn view(log: &Log, created: bool) -> Answer {
    Answer {
        ledger: LedgerView {
            id: log.id().unwrap_or(ledger::Digest::ZERO),
            size: log.size(),
            head: log.head(),
        },
        created,
    }
}
