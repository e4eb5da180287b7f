//! Copies, moves and restores from outside: who goes on as which ledger (docs/format.md section 5).
//!
//! Each of them is one transaction: the event, and the database's own identity with it. What was remembered
//! of the address is renewed after the commit.

use std::collections::BTreeSet;

use ledger::verify::{Options, SignatureCheck};
use ledger::{
    Body, Code, DatabaseId, Digest, Kept, KeyGrant, LedgerForked, LedgerMoved, LedgerRewound, Lost,
    NoteAdded, Role,
};

use super::append::Append;
use super::approve::no_ledger;
use super::open::{self, integrity};
use super::{Migrator, Signing};
use crate::context::{Progress, Remembered};
use crate::error::Error;
use crate::journal::{Fact, Journal};
use crate::log::Log;
use crate::report::{LostHead, Reopened};
use crate::request::{Fork, Move, Rewind};

/// A log that was read with all its signatures, and what was remembered of its address.
struct Read {
    log: Log,
    seen: Option<Remembered>,
}

impl Migrator {
    /// Goes on as a ledger of its own, for the environment that the settings name: a copy of the database
    /// that the ledger was opened for. Its past stays provable, and nothing of it can be replayed into the
    /// original.
    ///
    /// With a new key the command's key is let in as an owner by the fork itself; where no owner from before
    /// signs, all earlier keys hold no role any more.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the environment is not named or not confirmed, or the key may not;
    /// [`Error::Integrity`] where the log does not hold together.
    pub async fn fork(&self, request: &Fork) -> Result<Reopened, Error> {
        let environment = self.settings.environment.clone().ok_or_else(|| {
            Error::refused(
                "environment-not-stated",
                "a fork goes on for an environment, and the command names none".to_owned(),
                "add `--env NAME`, or set MLEDGER_ENV".to_owned(),
            )
        })?;
        // the checkpoints kept beside the migrations are about the original
        let read = self.read_to_reopen(Vec::new(), Vec::new()).await?;
        let signing = self.keys.signer(request.new_key)?;
        let is_owner = holds_owner(&read.log, &signing);
        if !is_owner && !request.new_key {
            return Err(Error::refused(
                "key-not-authorised",
                format!(
                    "expected a key with the role `owner`, but `{}` is no owner's",
                    signing.signer.public_key().fingerprint()
                ),
                "use an owner's key with `--key FILE`, or let this one in with `--new-key`: then no earlier \
                 key holds a role in the copy any more"
                    .to_owned(),
            ));
        }
        let key = request.new_key.then(|| KeyGrant {
            name: ledger::clean(&signing.name),
            public: signing.signer.public_key().to_openssh(),
            roles: vec![Role::Owner].into(),
        });
        let given_up = read
            .seen
            .as_ref()
            .filter(|_| !read.log.verifier().holds_remembered());
        let note = given_up.map(|seen| {
            Fact::success(Body::NoteAdded(NoteAdded {
                about: None,
                text: format!(
                    "the fork goes on from a copy that does not have what was seen at this address before: {} \
                     events with the head {}",
                    seen.head.size, seen.head.hash
                ),
            }))
        });
        let before = self.environment(&read.log);
        let journal = Journal::new(
            self.context.clone(),
            signing,
            environment.clone(),
            self.context.source.id(),
        );
        let mut append = self.begin_reopening(read.log, journal).await?;
        let told_apart = self.is_elsewhere(&mut append).await?.identity;
        let confirm = match told_apart {
            // what may be the original itself must not stop being it by mistake
            false if self.settings.rules(&before).protected => &before,
            _ => &environment,
        };
        self.confirmed("fork", confirm, request.confirmed.as_deref())?;
        let from = append.log.id();
        let size = append.log.size();
        let fact = Fact::success(Body::LedgerForked(LedgerForked {
            database: self.own_identity(&mut append).await?,
            key,
            reason: ledger::clean(&request.reason),
        }));
        let log = self
            .finish_append_after(append, Some(fact), note.into_iter().collect())
            .await?;
        let mut message = format!(
            "the ledger goes on as a fork for `{environment}`; its first {size} events stay those of `{}`",
            from.unwrap_or(Digest::ZERO)
        );
        if !is_owner {
            message.push_str(", and no earlier key holds a role any more");
        }
        if let Some(pinned) = &self.settings.ledger {
            self.context.observer.observe(&Progress::Warning {
                message: &format!(
                    "the configuration pins the ledger `{pinned}`, which this is not any more: pin `{}`",
                    log.id().unwrap_or(Digest::ZERO)
                ),
            });
        }
        Ok(reopened(message, environment, size, Vec::new(), &log))
    }

    /// Goes on as the same ledger on another server, or under another name: after a failover, or when a
    /// database took the place of the one that the ledger was opened for.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where the ledger tells of this very database already, [`Error::Refused`] where it is
    /// not confirmed or the key is no owner's, [`Error::Integrity`] where the log does not hold together.
    pub async fn move_here(&self, request: &Move) -> Result<Reopened, Error> {
        let kept = self.shelf()?.notes();
        let Read { log, seen } = self.read_to_reopen(Vec::new(), kept).await?;
        self.check(&log, seen.as_ref())?;
        self.may_write(&log)?;
        let environment = self.environment(&log);
        self.confirmed("move", &environment, request.confirmed.as_deref())?;
        let journal = self.journal(self.keys.signer(false)?, &log);
        journal.may_sign(&log, &[Role::Owner])?;
        let mut append = self.begin_reopening(log, journal).await?;
        let elsewhere = self.is_elsewhere(&mut append).await?;
        if !elsewhere.identity && !elsewhere.name {
            return Err(Error::Usage {
                code: "nothing-moved",
                message: "expected another database than the one that the ledger tells of, found that very one"
                    .to_owned(),
                hint: "nothing needs to be done; a copy that goes on by itself is a `mledger fork`"
                    .to_owned(),
            });
        }
        let size = append.log.size();
        let database = self.own_identity(&mut append).await?;
        let message = format!("the ledger goes on in the database `{}`", database.name);
        let fact = Fact::success(Body::LedgerMoved(LedgerMoved {
            database,
            reason: ledger::clean(&request.reason),
        }));
        let log = self.finish_append(append, vec![fact]).await?;
        Ok(reopened(message, environment, size, Vec::new(), &log))
    }

    /// Declares lost what a database restored from outside does not have: the head that was seen at this
    /// address, and the checkpoints given. The ledger goes on under a new id.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where nothing is known to be lost, [`Error::Refused`] where it is not confirmed or the
    /// key is no owner's, [`Error::Integrity`] where the log is another ledger's, a checkpoint never was one of
    /// it, or what is left does not hold together.
    pub async fn rewind(&self, request: &Rewind) -> Result<Reopened, Error> {
        let kept = self.shelf()?.notes();
        let checkpoints = request.checkpoints.clone();
        let Read { log, seen } = self.read_to_reopen(checkpoints, kept).await?;
        // what is missing is what it is about; the rest must be as it was recorded
        self.may_write(&log)?;
        let environment = self.environment(&log);
        self.confirmed("rewind", &environment, request.confirmed.as_deref())?;
        let journal = self.journal(self.keys.signer(false)?, &log);
        journal.may_sign(&log, &[Role::Owner])?;
        let append = self.begin_reopening(log, journal).await?;
        let lost = lost(&append.log, seen.as_ref())?;
        if lost.is_empty() {
            return Err(Error::Usage {
                code: "nothing-lost",
                message: "expected a head or a checkpoint that the log does not have, found none".to_owned(),
                hint: "give the checkpoints that were kept elsewhere with `--checkpoint FILE`; where nothing \
                       was kept, nothing can be named"
                    .to_owned(),
            });
        }
        let size = append.log.size();
        let fact = Fact::success(Body::LedgerRewound(LedgerRewound {
            lost: lost.clone(),
            reason: ledger::clean(&request.reason),
        }));
        let log = self
            .finish_append_after(append, Some(fact), Vec::new())
            .await?;
        let largest = lost.iter().map(|head| head.size).max().unwrap_or(0);
        let message = format!(
            "the ledger goes on under a new id after the event {}; what a history of {largest} events said \
             beside is declared lost",
            size - 1
        );
        Ok(reopened(message, environment, size, lost, &log))
    }

    /// Reads the whole log with all its signatures; what it lacks of what was seen before is left to the caller.
    async fn read_to_reopen(
        &self,
        checkpoints: Vec<String>,
        kept: Vec<Kept>,
    ) -> Result<Read, Error> {
        let seen = self.recall()?;
        let options = Options {
            signatures: SignatureCheck::All,
            checkpoints,
            kept,
            ..self.options(seen.as_ref())
        };
        let log = self.read(options).await?.log;
        if log.is_empty() {
            return Err(no_ledger());
        }
        if let Some(seen) = &seen
            && seen.lineage.first() != log.verifier().lineage().first()
        {
            self.check(&log, Some(seen))?;
        }
        if log.record_errors().next().is_some() {
            return Err(open::broken(&log));
        }
        if let Some((seq, reason)) = log.unreadable() {
            return Err(integrity(
                "lifecycle-broken",
                format!("event {seq} cannot be read: {reason}"),
                "run `mledger verify` for all findings",
            ));
        }
        open::knows_all(&log)?;
        Ok(Read { log, seen })
    }

    /// Opens the transaction in which a log that was read is continued.
    async fn begin_reopening(&self, mut log: Log, journal: Journal) -> Result<Append, Error> {
        let session = self.lock_log(&mut log).await?;
        if log.record_errors().next().is_some() {
            return Err(open::broken(&log));
        }
        Ok(Append {
            session,
            log,
            journal,
        })
    }

    /// Says in what the database differs from the one that the ledger tells of.
    async fn is_elsewhere(&self, append: &mut Append) -> Result<Elsewhere, Error> {
        let found = append
            .session
            .identity()
            .await
            .map_err(|error| self.engine_error(error, "reading the database's identity"))?;
        let recorded = append.log.history().database();
        Ok(Elsewhere {
            identity: recorded.is_none_or(|recorded| recorded.identity != found.identity),
            name: recorded.is_none_or(|recorded| recorded.name != found.name),
        })
    }

    /// Gives the database an identity of its own, which the event names.
    async fn own_identity(&self, append: &mut Append) -> Result<DatabaseId, Error> {
        let random = self.context.source.id().to_string();
        let own = append
            .session
            .renew_identity(&random)
            .await
            .map_err(|error| self.engine_error(error, "giving the database its own identity"))?;
        Ok(DatabaseId {
            engine: self.engine.capabilities().name.to_owned(),
            identity: own.identity,
            name: own.name,
        })
    }

    /// Refuses what a protected environment wants to have confirmed by its name.
    pub(super) fn confirmed(
        &self,
        what: &str,
        environment: &str,
        said: Option<&str>,
    ) -> Result<(), Error> {
        if let Some(said) = said.filter(|said| *said != environment) {
            return Err(Error::refused(
                "confirmation-differs",
                format!("expected `--confirm {environment}`, found `--confirm {said}`"),
                "check which environment this database belongs to: `mledger status`".to_owned(),
            ));
        }
        if self.settings.rules(environment).protected && said.is_none() {
            return Err(Error::refused(
                "confirmation-required",
                format!(
                    "`{what}` on a ledger of the protected environment `{environment}` must be confirmed"
                ),
                format!("say so with `--confirm {environment}`"),
            ));
        }
        Ok(())
    }
}

/// In what a database differs from the one that a ledger tells of.
#[derive(Debug, Clone, Copy)]
struct Elsewhere {
    identity: bool,
    name: bool,
}

/// Returns every head that is known and that the log does not have, smallest first.
fn lost(log: &Log, seen: Option<&Remembered>) -> Result<Vec<Lost>, Error> {
    let verifier = log.verifier();
    let invalid = log
        .findings()
        .iter()
        .find(|finding| finding.code == Code::CheckpointInvalid)
        .map(|finding| finding.message.clone());
    let checkpoints = match invalid {
        Some(message) => Err(message),
        None => verifier.lost_checkpoints(),
    };
    let checkpoints = checkpoints.map_err(|message| {
        integrity(
            "checkpoint-invalid",
            message,
            "leave out what is no checkpoint of this ledger",
        )
    })?;
    // a rewind may have named it before, and another machine is where it was said
    let missing = |code| matches!(code, Code::Truncated | Code::CheckpointMismatch);
    let remembered = seen
        .filter(|_| !verifier.holds_remembered() && log.errors().any(|found| missing(found.code)));
    let heads: BTreeSet<(u64, Digest)> = checkpoints
        .into_iter()
        .map(|head| (head.size, head.root))
        .chain(remembered.map(|seen| (seen.head.size, seen.root)))
        .collect();
    let named = |(size, root)| Lost { root, size };
    Ok(heads.into_iter().map(named).collect())
}

fn holds_owner(log: &Log, signing: &Signing) -> bool {
    let fingerprint = signing.signer.public_key().fingerprint();
    log.verifier()
        .keyring()
        .find(&fingerprint)
        .is_some_and(|entry| entry.retired.is_none() && entry.holds_any(&[]))
}

fn reopened(
    message: String,
    environment: String,
    seq: u64,
    lost: Vec<Lost>,
    log: &Log,
) -> Reopened {
    Reopened {
        message,
        environment,
        ledger: log.id().unwrap_or(Digest::ZERO),
        lineage: log.verifier().lineage().to_vec(),
        lost: lost
            .into_iter()
            .map(|head| LostHead {
                size: head.size,
                root: head.root,
            })
            .collect(),
        seq,
        head: log.head(),
    }
}
