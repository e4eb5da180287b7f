//! From what happened to what is recorded: stage, append, commit, and only then fold.
//!
//! The three states of an event on its way are three types. A [`Staged`] event is signed and nothing
//! else; [`Staged::append`] inserts it into the open transaction; only [`Appended::commit`] returns a
//! [`Committed`], and only that can be folded into the log. The compiler so refuses an event that was
//! staged and forgotten, or believed before it was true.

use ledger::{Body, Digest, Event, Outcome, PublicKey, Record, Role};
use uuid::Uuid;

use crate::context::Context;
use crate::engine::{Begin, EngineError, Object, Session};
use crate::error::Error;
use crate::log::Log;
use crate::migrator::Signing;
use crate::report::RunReport;

/// Something that happened, before it has a place in the log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    body: Body,
    outcome: Outcome,
}

impl Fact {
    /// Something that succeeded.
    pub(crate) fn success(body: Body) -> Self {
        Self {
            body,
            outcome: Outcome::Success,
        }
    }

    /// Something that failed.
    pub(crate) fn failure(body: Body) -> Self {
        Self {
            body,
            outcome: Outcome::Failure,
        }
    }

    /// Something that a rule refused.
    pub(crate) fn denied(body: Body) -> Self {
        Self {
            body,
            outcome: Outcome::Denied,
        }
    }
}

/// Signs events in the name of one run.
pub(crate) struct Journal {
    context: Context,
    signing: Signing,
    environment: String,
    run: Uuid,
}

impl Journal {
    /// Creates the journal of one run.
    pub(crate) fn new(context: Context, signing: Signing, environment: String, run: Uuid) -> Self {
        Self {
            context,
            signing,
            environment,
            run,
        }
    }

    /// Returns the run's id.
    pub(crate) fn run(&self) -> Uuid {
        self.run
    }

    /// Returns the environment that events of this run name.
    pub(crate) fn environment(&self) -> &str {
        &self.environment
    }

    /// Returns the key's name and signer.
    pub(crate) fn signing(&self) -> &Signing {
        &self.signing
    }

    /// Refuses before anything runs when the key could not sign it afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the key is not in the ledger or holds none of `roles`.
    pub(crate) fn may_sign(&self, log: &Log, roles: &[Role]) -> Result<(), Error> {
        if log.is_empty() {
            return Ok(());
        }
        let fingerprint = self.signing.signer.public_key().fingerprint();
        let entry = log.verifier().keyring().find(&fingerprint);
        let held: Vec<Role> = entry
            .filter(|entry| entry.retired.is_none())
            .map_or_else(Vec::new, |entry| entry.roles.to_vec());
        if held.contains(&Role::Owner) || roles.iter().any(|role| held.contains(role)) {
            return Ok(());
        }
        let wanted: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        let found = if held.is_empty() {
            "is not a key of this ledger".to_owned()
        } else {
            let held: Vec<&str> = held.iter().map(|role| role.as_str()).collect();
            format!("holds only the role `{}`", held.join("`, `"))
        };
        Err(Error::refused(
            "key-not-authorised",
            format!(
                "expected a key with the role `{}`, but `{fingerprint}` {found}",
                wanted.join("` or `")
            ),
            "use a key of this ledger with --key FILE or MLEDGER_KEY; `mledger key list` shows \
                   them",
        ))
    }

    /// Gives each fact its place after the log's head and signs it.
    ///
    /// # Errors
    ///
    /// [`Error::Signing`] when the key fails or an event would be too long.
    pub(crate) fn stage(&self, log: &Log, facts: Vec<Fact>) -> Result<Staged, Error> {
        self.stage_after(log, None, |_| Ok(facts))
    }

    /// Stages `opening`, if there is one, and then the facts that may name the ledger it opens.
    ///
    /// # Errors
    ///
    /// As [`Journal::stage`], and those of `facts`.
    pub(crate) fn stage_after(
        &self,
        log: &Log,
        opening: Option<Fact>,
        facts: impl FnOnce(Digest) -> Result<Vec<Fact>, Error>,
    ) -> Result<Staged, Error> {
        let mut place = Place {
            seq: log.size(),
            prev: log.head(),
            ledger: log.id().unwrap_or(Digest::ZERO),
        };
        let mut records = Vec::new();
        if let Some(opening) = opening {
            records.push(self.place(&mut place, opening)?);
            place.ledger = place.prev;
        }
        for fact in facts(place.ledger)? {
            records.push(self.place(&mut place, fact)?);
        }
        Ok(Staged {
            records,
            key: self.signing.signer.public_key().clone(),
        })
    }

    fn place(&self, place: &mut Place, fact: Fact) -> Result<Record, Error> {
        let event = self.event(place, fact);
        let record =
            Record::sign(&event, &*self.signing.signer).map_err(|error| Error::Signing {
                message: format!("`{}` could not be signed: {error}", event.body.kind()),
                hint: "check the key that --key, MLEDGER_KEY_FILE or MLEDGER_KEY names".to_owned(),
            })?;
        place.seq += 1;
        place.prev = record.hash();
        Ok(record)
    }

    fn event(&self, place: &Place, fact: Fact) -> Event {
        Event {
            actor: ledger::clean(&self.context.actor),
            body: fact.body,
            env: self.environment.clone(),
            host: ledger::clean(&self.context.host),
            key: self.signing.signer.public_key().fingerprint(),
            ledger: place.ledger,
            outcome: fact.outcome,
            prev: place.prev,
            run: self.run,
            seq: place.seq,
            time: self.context.source.now(),
            tool: self.context.tool.clone(),
        }
    }
}

struct Place {
    seq: u64,
    prev: Digest,
    ledger: Digest,
}

/// Events that are signed and nowhere yet.
#[derive(Debug)]
#[must_use = "a staged event is recorded only when it is appended and committed"]
pub(crate) struct Staged {
    records: Vec<Record>,
    key: PublicKey,
}

impl Staged {
    /// Inserts the events into the open transaction.
    ///
    /// # Errors
    ///
    /// [`crate::engine::Fault::Conflict`] when another append came first: read, fold, decide again.
    pub(crate) async fn append(self, session: &mut dyn Session) -> Result<Appended, EngineError> {
        session.append(&self.records).await?;
        Ok(Appended {
            records: self.records,
            key: self.key,
        })
    }

    /// Stores the objects that the events name, inserts the events, and commits the open transaction;
    /// `next` is the one that will most likely be begun next.
    ///
    /// # Errors
    ///
    /// As [`Staged::append`] and [`Appended::commit`].
    pub(crate) async fn append_and_commit(
        self,
        session: &mut dyn Session,
        objects: &[Object],
        next: Option<&Begin>,
    ) -> Result<Committed, EngineError> {
        let answer = session
            .append_and_commit(objects, &self.records, next)
            .await;
        let appended = Appended {
            records: self.records,
            key: self.key,
        };
        appended.answered(session, answer).await
    }
}

/// Events in a transaction that is still open.
#[derive(Debug)]
#[must_use = "appended events are recorded only when the transaction commits"]
pub(crate) struct Appended {
    records: Vec<Record>,
    key: PublicKey,
}

impl Appended {
    /// Commits the transaction. Where the database's answer does not tell, the log itself is asked.
    ///
    /// # Errors
    ///
    /// What the database answered, when the events are not in the log.
    pub(crate) async fn commit(self, session: &mut dyn Session) -> Result<Committed, EngineError> {
        let answer = session.commit().await;
        self.answered(session, answer).await
    }

    async fn answered(
        self,
        session: &mut dyn Session,
        answer: Result<(), EngineError>,
    ) -> Result<Committed, EngineError> {
        if let Err(error) = answer {
            // what the database says after a failed commit is never worth more than why it failed
            let asked = match session.rollback().await {
                Ok(()) => self.recorded(session).await,
                Err(unanswered) => Err(unanswered),
            };
            if !asked.unwrap_or(false) {
                return Err(error);
            }
        }
        Ok(Committed {
            records: self.records,
            key: self.key,
        })
    }

    /// Says whether the last of the events is in the log, by its own place and hash.
    async fn recorded(&self, session: &mut dyn Session) -> Result<bool, EngineError> {
        let Some(last) = self.records.last() else {
            return Ok(false);
        };
        let Ok(event) = last.event() else {
            return Ok(false);
        };
        let found = session.records(event.seq, 1).await?;
        Ok(found.first().is_some_and(|stored| {
            stored.line == last.line && stored.hash == last.hash().as_bytes()
        }))
    }
}

/// Events that are in the log.
#[derive(Debug)]
pub(crate) struct Committed {
    records: Vec<Record>,
    key: PublicKey,
}

impl Committed {
    /// Returns the records, in order.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the key that signed them, and with which their signatures were verified then.
    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// Turns a database's answer into the library's error, with what had been done before it.
pub(crate) fn engine_error(error: EngineError, doing: &'static str, done: &RunReport) -> Error {
    Error::Engine {
        error,
        doing,
        done: Box::new(done.clone()),
    }
}
