//! What the library is given instead of reading it: the clock, ids, who acts, and how to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ledger::{Ci, Digest, Direction, Head, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::error::StopReason;
use crate::report::{LockView, StepOutcome};

/// Tells the time and makes ids; a test passes one that repeats itself.
pub trait Source: Send + Sync {
    /// Returns the time now.
    fn now(&self) -> Timestamp;
    /// Returns a new id: UUID version 7 (RFC 9562 section 5.7).
    fn id(&self) -> Uuid;
    /// Returns 32 random bytes.
    fn nonce(&self) -> Digest;
    /// Returns milliseconds on a clock that never goes back, from any start.
    fn ticks_ms(&self) -> u64;
}

/// Who acts and where, as each event claims it.
#[derive(Clone)]
pub struct Context {
    /// The actor.
    pub actor: String,
    /// The host.
    pub host: String,
    /// This process on its host, as the lease records it.
    pub process: String,
    /// The pipeline that runs the tool.
    pub ci: Option<Ci>,
    /// `mledger/<version>`.
    pub tool: String,
    /// The clock and the ids.
    pub source: Arc<dyn Source>,
    /// What is told while work goes on.
    pub observer: Arc<dyn Observer>,
    /// How a run is asked to stop.
    pub stop: Stop,
    /// Where heads are remembered.
    pub heads: Arc<dyn Heads>,
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("actor", &self.actor)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// Something that happened while a command works; a printer may show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<'a> {
    /// The ledger is opened with its first event.
    LedgerOpened {
        /// Its id.
        id: Digest,
    },
    /// Another run holds the lease, and this one waits.
    Waiting {
        /// Who holds it.
        holder: &'a LockView,
        /// For how long so far.
        waited_ms: u64,
    },
    /// A lease whose holder is gone was taken over.
    TakenOver {
        /// Who held it.
        holder: &'a LockView,
        /// Why it could be taken.
        reason: &'a str,
    },
    /// An unfinished start of an earlier run was settled.
    Settled {
        /// The version.
        version: &'a str,
        /// Which way it had been started.
        direction: Direction,
    },
    /// A run begins.
    RunStarted {
        /// How many steps it has.
        steps: usize,
    },
    /// A step begins.
    StepStarted {
        /// Which one, from 1.
        index: usize,
        /// Of how many.
        steps: usize,
        /// The version.
        version: &'a str,
        /// The name.
        name: &'a str,
        /// Which way.
        direction: Direction,
        /// How many statements its script has.
        statements: u64,
    },
    /// Statements of the current step have been executed.
    Statements {
        /// How many so far.
        done: u64,
        /// Of how many.
        of: u64,
    },
    /// A check of the environment was made.
    Checked {
        /// Its name.
        name: &'a str,
        /// It stands before the first migration, else after the last one.
        before: bool,
        /// It holds.
        holds: bool,
        /// What was found.
        detail: &'a str,
    },
    /// A step has ended.
    StepFinished {
        /// The version.
        version: &'a str,
        /// The name.
        name: &'a str,
        /// Which way.
        direction: Direction,
        /// How.
        outcome: StepOutcome,
        /// How long it took.
        duration_ms: u64,
    },
    /// Work on a backup begins.
    Backup {
        /// What is done: `saving the database`, `reading the backup`.
        doing: &'a str,
    },
    /// So many bytes of the work on a backup are done; told every mebibyte or so.
    Bytes {
        /// How many so far.
        done: u64,
        /// Of how many, where that is known.
        of: Option<u64>,
    },
    /// The run was asked to stop and is doing so.
    Stopping {
        /// By whom.
        reason: StopReason,
    },
    /// Something that a person should know and that stops nothing.
    Warning {
        /// One sentence.
        message: &'a str,
    },
}

/// Is told what happens while a command works.
pub trait Observer: Send + Sync {
    /// Takes note of `progress`; must return at once.
    fn observe(&self, progress: &Progress<'_>);
}

/// An observer that takes no note.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &Progress<'_>) {}
}

/// A head that was seen before, and the ledger it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The ids of the chain, first to last.
    pub lineage: Vec<Digest>,
    /// Size and last hash.
    pub head: Head,
    /// The Merkle root over as many entries, by which a rewind can name them.
    pub root: Digest,
}

/// Remembers the heads that were seen, outside the database.
pub trait Heads: Send + Sync {
    /// Returns the head last seen at this address.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the remembered head.
    fn recall(&self, address: &str) -> Result<Option<Remembered>, String>;

    /// Remembers a head that was verified, unless a larger one of the same ledger is remembered.
    ///
    /// # Errors
    ///
    /// A sentence that says why it could not be written.
    fn remember(&self, address: &str, seen: &Remembered) -> Result<(), String>;

    /// Forgets the head at this address: its ledger was given up on purpose.
    ///
    /// # Errors
    ///
    /// A sentence that says why it could not be removed.
    fn forget(&self, address: &str) -> Result<(), String>;
}

/// Remembers nothing: completeness is anchored to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forgetful;

impl Heads for Forgetful {
    fn recall(&self, _: &str) -> Result<Option<Remembered>, String> {
        Ok(None)
    }

    fn remember(&self, _: &str, _: &Remembered) -> Result<(), String> {
        Ok(())
    }

    fn forget(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

/// Asks a run to stop; clones share the request.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<StopState>);

#[derive(Debug, Default)]
struct StopState {
    reason: AtomicU8,
    notify: Notify,
}

impl Stop {
    /// Asks the run to stop; the first reason stays.
    pub fn request(&self, reason: StopReason) {
        let number = match reason {
            StopReason::Interrupt => 1,
            StopReason::Terminate => 2,
            StopReason::Timeout => 3,
        };
        let first = self
            .0
            .reason
            .compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_ok() {
            self.0.notify.notify_waiters();
        }
    }

    /// Returns why the run must stop, if it was asked to.
    pub fn requested(&self) -> Option<StopReason> {
        match self.0.reason.load(Ordering::SeqCst) {
            1 => Some(StopReason::Interrupt),
            2 => Some(StopReason::Terminate),
            3 => Some(StopReason::Timeout),
            _ => None,
        }
    }

    /// Waits until the run is asked to stop.
    pub async fn wait(&self) -> StopReason {
        loop {
            let notified = self.0.notify.notified();
            if let Some(reason) = self.requested() {
                return reason;
            }
            notified.await;
        }
    }
}
