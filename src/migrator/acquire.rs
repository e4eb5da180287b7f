//! Taking the lease: one transaction that opens the ledger where there is none, checks who holds the
//! lease, decides again with what was appended meanwhile, and records that the run has begun.
//!
//! A run that finds nothing to do once it is its turn writes nothing.

use std::time::Duration;

use ledger::{Body, DatabaseId, Digest, KeyGrant, LedgerCreated, LockAcquired, Role, RunStarted};
use uuid::Uuid;

use super::admit::Purpose;
use super::open::{self, Opened};
use super::promote::Ground;
use super::takeover;
use super::wait::Wait;
use super::work::{Decision, Work, makes_batch};
use super::{Migrator, Signing};
use crate::context::Progress;
use crate::engine::{Access, Begin, Claim, EngineError, Fault, Lease, Session, Store};
use crate::error::Error;
use crate::executor::{
    Closing, Run, StepFailure, aborted, fact_to_start, facts_to_close, objects_of, schema_state,
};
use crate::fault;
use crate::journal::{Fact, Journal};
use crate::lease::{self, Heartbeat};
use crate::log::Log;
use crate::object;
use crate::plan::canonical;
use crate::policy::saves_first;
use crate::report::{LockView, RunReport};

/// How long one attempt waits for another writer, so that a request to stop is noticed soon.
const ATTEMPT: Duration = Duration::from_millis(500);

/// The pause after an attempt that met others.
const PAUSE: Duration = Duration::from_millis(50);

/// What came of the attempt to begin.
pub(super) enum Acquired {
    /// There was nothing to do any more.
    Nothing(Box<Log>),
    /// All was done in the one transaction.
    Done(Box<RunReport>),
    /// The lease is held and the first step is started.
    Run(Box<Run>),
}

/// One attempt inside its transaction.
enum Attempt {
    Begun(Box<Begun>),
    Nothing,
    Held(LockView),
    Refused {
        error: Error,
        decision: Box<Decision>,
    },
}

struct Begun {
    decision: Decision,
    token: Uuid,
    batch: u64,
    plan: Digest,
    whole: bool,
}

/// What does not change between attempts.
struct Wish<'a> {
    work: Work<'a>,
    ground: &'a Ground,
    wait: Wait,
}

impl Migrator {
    /// Waits for the lease and begins `work`, deciding again under the lease.
    pub(super) async fn acquire(
        &self,
        opened: Opened,
        work: Work<'_>,
        ground: &Ground,
        first: Decision,
    ) -> Result<Acquired, Error> {
        let mut log = opened.log;
        let signing = self.keys.signer(log.is_empty())?;
        let journal = self.journal(signing, &log);
        journal.may_sign(&log, &[Role::Operator])?;
        let wish = Wish {
            work,
            ground,
            wait: self.begin_to_wait(),
        };
        drop(opened.session);
        let mut session = self
            .engine
            .connect(Access::Run(journal.run()))
            .await
            .map_err(|error| self.engine_error(error, "connecting"))?;
        let mut decided = Some((log.head(), first));
        loop {
            if let Some(reason) = self.context.stop.requested() {
                return Err(Error::Stopped {
                    reason,
                    done: Box::default(),
                });
            }
            fault::reach("acquire::before-begin");
            let begin = Begin {
                enforce_foreign_keys: true,
                lock_timeout: Some(ATTEMPT),
                statement_timeout: None,
            };
            if let Err(error) = session.begin(&begin).await {
                self.wait_for_writer(&wish.wait, error)?;
                continue;
            }
            let attempt = self
                .attempt(&wish, &mut *session, &mut log, &journal, &mut decided)
                .await;
            match attempt {
                Ok(Attempt::Begun(begun)) => {
                    return self.begun(&wish, *begun, session, log, journal).await;
                }
                Ok(Attempt::Nothing) => {
                    self.roll_back(&mut *session).await?;
                    return Ok(Acquired::Nothing(Box::new(log)));
                }
                Ok(Attempt::Held(holder)) => {
                    self.roll_back(&mut *session).await?;
                    self.wait_for_holder(&wish.wait, &mut *session, holder)
                        .await?;
                }
                Ok(Attempt::Refused { error, decision }) => {
                    self.roll_back(&mut *session).await?;
                    self.record_refusal(&wish.work, &log, &decision).await;
                    return Err(error);
                }
                Err(error) => {
                    // the error that led here says more than one of the rollback
                    let _ = session.rollback().await;
                    let Some(passing) = takeover::passes(&error) else {
                        return Err(error);
                    };
                    self.wait_for_writer(&wish.wait, passing.clone())?;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn attempt(
        &self,
        wish: &Wish<'_>,
        session: &mut dyn Session,
        log: &mut Log,
        journal: &Journal,
        decided: &mut Option<(Digest, Decision)>,
    ) -> Result<Attempt, Error> {
        let fail = |error| self.engine_error(error, "taking the lease");
        let opening = self.opening(session, log, journal.signing()).await?;
        fault::reach("acquire::after-store");
        let running = match opening {
            Some(_) => None,
            None => {
                let running = self.end_holder(session).await?;
                session.lock_ledger().await.map_err(fail)?;
                running
            }
        };
        log.catch_up(session, &mut |_| {}).await.map_err(fail)?;
        self.check(log, None)?;
        self.may_write(log)?;
        journal.may_sign(log, &[Role::Operator])?;
        if opening.is_none() {
            self.same_database(session, log).await?;
        }
        let held = session.lease().await.map_err(fail)?;
        let view = held.as_ref().map(lease::view);
        if let Some(view) = &view
            && lease::replaceable(view).is_none()
        {
            return Ok(Attempt::Held(view.clone()));
        }
        self.check_alone(log, running)?;
        let decision = match decided.take() {
            Some((head, decision)) if head == log.head() && !wish.work.reads_tables() => decision,
            _ => {
                self.decide(
                    &wish.work,
                    wish.ground,
                    log,
                    Some(&mut *session),
                    Purpose::Run,
                )
                .await?
            }
        };
        if let Some(error) = decision.plan.refusal() {
            let decision = Box::new(decision);
            return Ok(Attempt::Refused { error, decision });
        }
        if decision.is_empty() {
            return Ok(Attempt::Nothing);
        }
        let begun = self
            .begin_run(wish, session, log, journal, opening, held, decision)
            .await?;
        Ok(Attempt::Begun(Box::new(begun)))
    }

    /// Creates the store where there is none; returns the fact that opens the ledger.
    pub(super) async fn opening(
        &self,
        session: &mut dyn Session,
        log: &Log,
        signing: &Signing,
    ) -> Result<Option<Fact>, Error> {
        let fail = |error| self.engine_error(error, "creating the ledger's tables");
        match session.store().await.map_err(fail)? {
            Store::Absent if log.is_empty() => {}
            Store::Present { .. } => return Ok(None),
            other => return Err(open::unusable_store(&other)),
        }
        self.creation(session, signing).await.map(Some)
    }

    /// Creates the ledger's tables and returns the first event.
    pub(super) async fn creation(
        &self,
        session: &mut dyn Session,
        signing: &Signing,
    ) -> Result<Fact, Error> {
        let fail = |error| self.engine_error(error, "creating the ledger's tables");
        let identity = self.context.source.id().to_string();
        session.create_store(&identity).await.map_err(fail)?;
        let found = session.identity().await.map_err(fail)?;
        let public = signing.signer.public_key();
        Ok(Fact::success(Body::LedgerCreated(LedgerCreated {
            database: DatabaseId {
                engine: self.engine.capabilities().name.to_owned(),
                identity: found.identity,
                name: found.name,
            },
            key: KeyGrant {
                name: signing.name.clone(),
                public: public.to_openssh(),
                roles: vec![Role::Owner].into(),
            },
            nonce: self.context.source.nonce(),
        })))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one transaction needs all of them once"
    )]
    async fn begin_run(
        &self,
        wish: &Wish<'_>,
        session: &mut dyn Session,
        log: &mut Log,
        journal: &Journal,
        opening: Option<Fact>,
        held: Option<Lease>,
        decision: Decision,
    ) -> Result<Begun, Error> {
        let fail = |error| self.engine_error(error, "taking the lease");
        let token = self.context.source.id();
        let waited_ms = self.waited_ms(&wish.wait);
        let taken = session
            .take_lease(
                &self.claim(token, journal.run()),
                held.as_ref().map(|held| held.token),
            )
            .await
            .map_err(fail)?;
        if !taken {
            return Err(fail(EngineError::new(
                Fault::Conflict,
                "the lease changed while it was being taken",
            )));
        }
        let schema = session.fingerprint().await.map_err(fail)?;
        let policy = self.policy(journal.environment())?;
        let batch = log.history().batch() + 1;
        let mut objects = Vec::new();
        let rules = self.settings.rules(journal.environment());
        let checks_first = makes_batch(&decision.plan) && !rules.checks.before.is_empty();
        if let Some(step) = decision.plan.steps.first().filter(|_| !checks_first) {
            objects = objects_of(step).map_err(begin_failure)?;
        }
        let broken = self.broken_lock(log, held.as_ref());
        let mut forced = self.skipped_backup(&wish.work, log);
        forced.extend(decision.forced.iter().cloned());
        let plan = &decision.plan;
        let mut digests = (Digest::ZERO, false);
        let staged = journal.stage_after(log, opening, |ledger| {
            let digest = match decision.under {
                Some(begun) => begun,
                None => {
                    let object =
                        plan.object(journal.environment(), &ledger, &Digest::of(&policy))?;
                    let digest = Digest::of(&object);
                    objects.push(object::pack(digest, &object));
                    digest
                }
            };
            objects.push(object::pack(Digest::of(&policy), &policy));
            let mut facts: Vec<Fact> = broken.into_iter().collect();
            facts.push(Fact::success(Body::LockAcquired(LockAcquired {
                token,
                wait_ms: waited_ms,
            })));
            facts.push(Fact::success(Body::RunStarted(RunStarted {
                batch: makes_batch(plan).then_some(batch),
                ci: self.context.ci.clone(),
                command: wish.work.command().to_owned(),
                forced,
                plan: digest,
                policy: Digest::of(&policy),
                schema: Some(schema_state(&schema)),
                steps: plan.steps.len() as u64,
                ticket: wish.work.ticket(),
            })));
            for settlement in &plan.settlements {
                facts.push(aborted(
                    &settlement.version,
                    settlement.direction,
                    "the run that started it ended without committing it",
                ));
            }
            facts.extend(decision.facts.iter().chain(&decision.evidence).cloned());
            let whole = plan.steps.is_empty();
            match plan.steps.first() {
                // a check may still stop the run before it
                Some(_) if checks_first => {}
                Some(step) => facts.push(fact_to_start(step, batch)),
                None => facts.extend(facts_to_close(&Closing {
                    token,
                    done: 0,
                    failed: 0,
                    duration_ms: 0,
                    schema: &schema,
                    whole,
                })),
            }
            digests = (digest, whole);
            Ok(facts)
        })?;
        for object in objects.iter().chain(&decision.objects) {
            session.put_object(object).await.map_err(fail)?;
        }
        let (plan, whole) = digests;
        if whole {
            session.release_lease(token).await.map_err(fail)?;
        }
        fault::reach("acquire::before-append");
        let appended = staged.append(session).await.map_err(fail)?;
        fault::reach("acquire::before-commit");
        let committed = appended.commit(session).await.map_err(fail)?;
        fault::reach("acquire::after-commit");
        let opened = log.is_empty();
        log.fold(&committed);
        self.note_begun(log, whole);
        if opened && let Some(id) = log.id() {
            self.context
                .observer
                .observe(&Progress::LedgerOpened { id });
        }
        Ok(Begun {
            decision,
            token,
            batch,
            plan,
            whole,
        })
    }

    async fn begun(
        &self,
        wish: &Wish<'_>,
        begun: Begun,
        session: Box<dyn Session>,
        log: Log,
        journal: Journal,
    ) -> Result<Acquired, Error> {
        let plan = begun.decision.plan;
        for settlement in &plan.settlements {
            self.context.observer.observe(&Progress::Settled {
                version: &settlement.version,
                direction: settlement.direction,
            });
        }
        let report = RunReport {
            run: Some(journal.run()),
            batch: makes_batch(&plan).then_some(begun.batch),
            plan: Some(begun.plan),
            settled: plan.settlements.len() as u64,
            head: Some(log.head()),
            ..RunReport::default()
        };
        if begun.whole {
            return Ok(Acquired::Done(Box::new(report)));
        }
        self.context.observer.observe(&Progress::RunStarted {
            steps: plan.steps.len(),
        });
        let rules = self.rules(&log);
        let applies = makes_batch(&plan);
        let checks_first = applies && !rules.checks.before.is_empty();
        let heartbeat = Heartbeat::start(
            self.engine.clone(),
            journal.run(),
            begun.token,
            self.settings.lease,
            session.interrupter(),
        );
        Ok(Acquired::Run(Box::new(Run {
            engine: self.engine.clone(),
            session,
            log,
            journal,
            context: self.context.clone(),
            steps: plan.steps,
            report,
            token: begun.token,
            lease: self.settings.lease,
            lock_timeout: self.settings.lock_timeout,
            statement_timeout: self.settings.statement_timeout,
            batch: begun.batch,
            began_ms: wish.wait.began_ms,
            heartbeat,
            started: (!checks_first).then_some(0),
            finishing: false,
            session_changed: false,
            left: false,
            warnings: 0,
            renewed: None,
            rules,
            secrets: self.settings.secrets.clone(),
            project: self.settings.project.clone(),
            applies,
            check_failed: false,
            back: None,
            violations: None,
        })))
    }

    pub(super) fn claim(&self, token: Uuid, run: Uuid) -> Claim {
        Claim {
            token,
            actor: self.context.actor.clone(),
            host: self.context.host.clone(),
            run,
            process: self.context.process.clone(),
            duration: self.settings.lease,
        }
    }

    /// Returns the rules in force as the object that `run.started` names.
    pub(super) fn policy(&self, environment: &str) -> Result<Vec<u8>, Error> {
        let mut rules = self.settings.rules(environment);
        // said in another place, and an audit wants to know it all the same
        let unasked = self.settings.backup.before_run == Some(false);
        rules.skip_backup |= unasked && saves_first(environment);
        canonical(&rules.value(environment, self.settings.out_of_order))
    }

    async fn roll_back(&self, session: &mut dyn Session) -> Result<(), Error> {
        session
            .rollback()
            .await
            .map_err(|error| self.engine_error(error, "taking the lease"))
    }
}

/// A script that cannot be read when the run would begin.
fn begin_failure(failure: StepFailure) -> Error {
    match failure {
        StepFailure::Changed(problem) => Error::Files(vec![problem]),
        other => Error::Usage {
            code: "files-invalid",
            message: format!("{other:?}"),
            hint: "run again".to_owned(),
        },
    }
}
