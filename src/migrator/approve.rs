//! Approving a plan, taking approvals back, and listing them.

use ledger::{ApprovalGranted, ApprovalRevoked, Body, Digest, Role};

use super::Migrator;
use super::admit::{Purpose, authors_of, unreadable};
use super::open::Opened;
use super::promote::Ground;
use super::work::{Decision, Work};
use crate::context::Progress;
use crate::engine::Object;
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::object;
use crate::plan::refusal;
use crate::policy::approval::{Flaw, Question, blocker, ends, judge, later};
use crate::policy::{PlanText, Rules, differences};
use crate::projection::approvals::{End, Grant};
use crate::report::{ApprovalView, ApprovalsView, Approved};
use crate::request::{Approve, Up};

/// A plan that may be approved: its text, and where it came from.
struct Found {
    bytes: Vec<u8>,
    text: PlanText,
}

impl Migrator {
    /// Approves a plan: the one given, the one stored, or what `up` would do now, whichever has the
    /// digest.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the plan is for another ledger, environment or set of rules, where no
    /// plan of this digest is at hand to be stored, or where the key may not approve.
    pub async fn approve(&self, request: &Approve) -> Result<Approved, Error> {
        let mut opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        self.may_write(&opened.log)?;
        let environment = self.environment(&opened.log);
        let rules = self.settings.rules(&environment);
        let policy = self.policy(&environment)?;
        let found = self.find(request, &mut opened).await?;
        self.check_place(&found, &opened.log, &environment, Digest::of(&policy))
            .await?;
        let now = self.context.source.now();
        let lasts = request.lasts.unwrap_or(rules.approval_lasts);
        let expires = later(now, lasts.min(rules.approval_lasts));
        let fact = Fact::success(Body::ApprovalGranted(ApprovalGranted {
            comment: request.comment.as_deref().map(ledger::clean),
            expires: Some(expires),
            plan: request.plan,
        }));
        let objects: Vec<Object> = vec![
            object::pack(request.plan, &found.bytes),
            object::pack(Digest::of(&policy), &policy),
        ];
        let log = self
            .append_alone(&[fact], &objects, &[Role::Approver])
            .await?;
        let approvals = self.standing_of(request.plan, &found.text, &log, &environment, &rules);
        Ok(Approved {
            plan: request.plan,
            expires: Some(expires),
            approvals,
            seq: log.size() - 1,
            head: log.head(),
        })
    }

    /// Takes all approvals of a plan back.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when it has none that could be used.
    pub async fn revoke_approvals(&self, plan: Digest, reason: &str) -> Result<Approved, Error> {
        let opened = self.open().await?;
        if opened.log.is_empty() {
            return Err(no_ledger());
        }
        if !opened
            .log
            .approvals()
            .of(plan)
            .any(|grant| grant.end.is_none())
        {
            return Err(Error::Usage {
                code: "approval-unknown",
                message: format!("expected a plan with approvals in force, found `{plan}`"),
                hint: "`mledger approvals` lists them".to_owned(),
            });
        }
        drop(opened);
        let fact = Fact::success(Body::ApprovalRevoked(ApprovalRevoked {
            plan,
            reason: ledger::clean(reason),
        }));
        let log = self.append_alone(&[fact], &[], &[Role::Approver]).await?;
        Ok(Approved {
            plan,
            expires: None,
            approvals: ApprovalsView {
                required: self.rules(&log).require_approval,
                granted: Vec::new(),
            },
            seq: log.size() - 1,
            head: log.head(),
        })
    }

    /// Returns every approval that was ever given, and what became of it.
    ///
    /// # Errors
    ///
    /// Those of reading the ledger.
    pub async fn approvals(&self) -> Result<Vec<ApprovalView>, Error> {
        let mut opened = self.open().await?;
        let rules = self.rules(&opened.log);
        let now = self.context.source.now();
        let mut views = Vec::new();
        for grant in opened.log.approvals().grants() {
            let versions = match opened.session.as_deref_mut() {
                Some(session) => self.plan_text(session, &grant.plan).await?,
                None => None,
            };
            let ends = ends(grant, &rules);
            views.push(ApprovalView {
                plan: grant.plan,
                by: name_of(&opened.log, grant),
                key: grant.key.to_string(),
                seq: grant.seq,
                time: grant.time,
                expires: ends,
                comment: grant.comment.clone(),
                state: state(grant, ends <= now),
                versions: versions.map_or_else(Vec::new, |text| {
                    text.steps.into_iter().map(|step| step.version).collect()
                }),
            });
        }
        Ok(views)
    }

    /// Finds the plan's text, so that what is approved can be read by whoever audits it.
    async fn find(&self, request: &Approve, opened: &mut Opened) -> Result<Found, Error> {
        let bytes = match &request.object {
            Some(bytes) if Digest::of(bytes) == request.plan => Some(bytes.clone()),
            Some(bytes) => {
                return Err(Error::Usage {
                    code: "plan-differs",
                    message: format!(
                        "expected the plan `{}`, but the file holds the plan `{}`",
                        request.plan,
                        Digest::of(bytes)
                    ),
                    hint: "check which of the two you have read".to_owned(),
                });
            }
            None => self.stored(&request.plan, opened).await?,
        };
        let bytes = match bytes {
            Some(bytes) => bytes,
            None => self.computed(&request.plan, opened).await?,
        };
        let text = PlanText::parse(&bytes).map_err(|reason| unreadable(&reason))?;
        Ok(Found { bytes, text })
    }

    async fn stored(&self, plan: &Digest, opened: &mut Opened) -> Result<Option<Vec<u8>>, Error> {
        let Some(session) = opened.session.as_deref_mut() else {
            return Ok(None);
        };
        let stored = object::bytes(session, plan)
            .await
            .map_err(|error| self.engine_error(error, "reading a plan"))?;
        Ok(stored.ok())
    }

    async fn computed(&self, plan: &Digest, opened: &mut Opened) -> Result<Vec<u8>, Error> {
        let ground = Ground::new(self.files()?);
        let up = Up::default();
        let decision = self
            .first_decision(&Work::Up(&up), &ground, opened, Purpose::Show)
            .await?;
        let environment = self.environment(&opened.log);
        let policy = Digest::of(&self.policy(&environment)?);
        let ledger = opened.log.id().unwrap_or(Digest::ZERO);
        let object = decision.plan.object(&environment, &ledger, &policy)?;
        if Digest::of(&object) == *plan {
            return Ok(object);
        }
        let blockers = [blocker(
            "plan-unknown",
            format!(
                "expected the digest of what `mledger up` would do now with this folder, `{}`, found \
                 `{plan}`",
                Digest::of(&object)
            ),
            "look at what changed since with `mledger plan`; a plan that was written to a file is \
             approved with `--plan FILE`"
                .to_owned(),
        )];
        Err(refusal(&blockers).unwrap_or_else(no_ledger))
    }

    /// Refuses to approve a plan that could not run here.
    async fn check_place(
        &self,
        found: &Found,
        log: &Log,
        environment: &str,
        policy: Digest,
    ) -> Result<(), Error> {
        let here = PlanText {
            env: environment.to_owned(),
            ledger: log.id().unwrap_or(Digest::ZERO),
            policy,
            steps: found.text.steps.clone(),
        };
        let code = if found.text.ledger != here.ledger {
            "plan-of-another-ledger"
        } else if found.text.env != here.env {
            "plan-of-another-environment"
        } else if found.text.policy != here.policy {
            "plan-changed"
        } else {
            return Ok(());
        };
        let mut decision = Decision {
            digest: Some(Digest::of(&found.bytes)),
            ..Decision::default()
        };
        decision.plan.blockers.push(blocker(
            code,
            format!(
                "the plan cannot be approved here: {}",
                differences(&found.text, &here).join("; ")
            ),
            "make the plan anew with `mledger plan` where it is to run".to_owned(),
        ));
        self.record_denial("approve", log, &decision).await;
        Err(decision.plan.refusal().unwrap_or_else(no_ledger))
    }

    /// Returns how a plan stands after an approval, and warns where the approval will not count.
    fn standing_of(
        &self,
        plan: Digest,
        text: &PlanText,
        log: &Log,
        environment: &str,
        rules: &Rules,
    ) -> ApprovalsView {
        // the folder need not be the one of the plan, and is only asked who wrote what
        let files = self.files().unwrap_or_default();
        let authors = authors_of(text, &files);
        let judged = judge(
            log.approvals(),
            &Question {
                plan,
                authors: &authors,
                runner: None,
                environment,
                rules,
                now: self.context.source.now(),
                keyring: log.verifier().keyring(),
            },
        );
        for (who, flaw) in &judged.flawed {
            if *flaw == Flaw::ByAuthor {
                self.context.observer.observe(&Progress::Warning {
                    message: &format!(
                        "the approval by `{who}` does not count here: a migration of the plan is \
                         theirs"
                    ),
                });
            }
        }
        ApprovalsView {
            required: rules.require_approval,
            granted: judged.counted,
        }
    }
}

fn name_of(log: &Log, grant: &Grant) -> String {
    let entry = log.verifier().keyring().find(&grant.key);
    entry.map_or_else(|| grant.actor.clone(), |entry| entry.name.clone())
}

fn state(grant: &Grant, is_over: bool) -> &'static str {
    match grant.end {
        Some(End::Spent(_)) => "spent",
        Some(End::Revoked(_)) => "revoked",
        Some(End::Void(_)) => "void",
        Some(End::Renewed(_)) => "renewed",
        None if is_over => "expired",
        None => "open",
    }
}

pub(super) fn no_ledger() -> Error {
    Error::Usage {
        code: "ledger-missing",
        message: "expected a ledger in this database, found none".to_owned(),
        hint: "open one with `mledger init`, and check which database is meant".to_owned(),
    }
}
