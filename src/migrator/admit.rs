//! What the rules of the environment say of a decision: the exact plan, its approvals, and `reset`.

use std::collections::BTreeSet;

use ledger::canonical::Value;
use ledger::{Digest, Direction};

use super::Migrator;
use super::work::{Decision, Work};
use crate::engine::Session;
use crate::error::Error;
use crate::log::Log;
use crate::migration::{Migration, Version};
use crate::object;
use crate::plan::Plan;
use crate::policy::approval::{Judged, Question, blocker, blockers, judge};
use crate::policy::{PlanText, PlannedScript, Rules, differences};
use crate::report::ApprovalsView;

/// How many approved plans are compared with the one at hand, to say what changed since.
const PLANS_COMPARED: usize = 8;

/// Whether a decision is about to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is only shown: what is missing is said, and refuses nothing.
    Show,
    /// It runs, by the key of this command.
    Run,
}

/// The plan at hand, in the forms that rules speak of.
struct AtHand {
    text: PlanText,
    digest: Digest,
}

impl Migrator {
    /// Adds to a decision what the environment's rules say of it.
    pub(super) async fn admit(
        &self,
        work: &Work<'_>,
        decision: &mut Decision,
        log: &Log,
        mut session: Option<&mut (dyn Session + '_)>,
        purpose: Purpose,
    ) -> Result<(), Error> {
        if purpose == Purpose::Run
            && !decision.is_empty()
            && let Some(blocker) = self.needs_a_reason(log)
        {
            decision.plan.blockers.push(blocker);
            return Ok(());
        }
        let environment = self.environment(log);
        let rules = self.settings.rules(&environment);
        if matches!(work, Work::Reset(_)) && !rules.allow_reset {
            decision.plan.blockers.push(blocker(
                "reset-forbidden",
                format!("expected an environment that may be reset, found `{environment}`"),
                format!(
                    "`mledger down` rolls back step by step; if it may be reset, say so with \
                     `allow_reset = true` under `[environments.{environment}]`"
                ),
            ));
        }
        let exact = work.exact_plan();
        let needs = rules.require_approval > 0 && work.runs_new_scripts();
        if exact.is_none() && (!needs || decision.plan.steps.is_empty()) {
            return Ok(());
        }
        let at_hand = self.at_hand(&decision.plan, log, &environment)?;
        decision.digest = Some(at_hand.digest);
        if let Some(bytes) = exact {
            self.compare(bytes, &at_hand, decision, log)?;
        }
        if !needs || decision.plan.steps.is_empty() {
            return Ok(());
        }
        let authors = authors(&decision.plan);
        let key = match purpose {
            Purpose::Run if !log.is_empty() => {
                Some(self.keys.signer(false)?.signer.public_key().fingerprint())
            }
            Purpose::Run | Purpose::Show => None,
        };
        let mut question = Question {
            plan: at_hand.digest,
            authors: &authors,
            runner: key,
            environment: &environment,
            rules: &rules,
            now: self.context.source.now(),
            keyring: log.verifier().keyring(),
        };
        let mut judged = judge(log.approvals(), &question);
        if !judged.is_enough(&rules)
            && let Some(session) = session.as_deref_mut()
            && let Some(begun) = self.begun_plan(log, session, &at_hand, question).await?
        {
            question.plan = begun.plan;
            judged = begun.judged;
            decision.under = begun.whole.then_some(begun.plan);
        }
        decision.approvals = ApprovalsView {
            required: rules.require_approval,
            granted: judged.counted.clone(),
        };
        if purpose == Purpose::Show || judged.is_enough(&rules) {
            return Ok(());
        }
        if log.is_empty() {
            decision.plan.blockers.push(unopened(&environment));
            return Ok(());
        }
        let mut found = blockers(&judged, &question);
        if let Some(session) = session {
            let void = self.void(log, session, &at_hand).await?;
            found.splice(0..0, void);
        }
        decision.plan.blockers.extend(found);
        Ok(())
    }

    fn at_hand(&self, plan: &Plan, log: &Log, environment: &str) -> Result<AtHand, Error> {
        let policy = Digest::of(&self.policy(environment)?);
        let ledger = log.id().unwrap_or(Digest::ZERO);
        let object = plan.object(environment, &ledger, &policy)?;
        Ok(AtHand {
            text: PlanText::parse(&object).map_err(|reason| unreadable(&reason))?,
            digest: Digest::of(&object),
        })
    }

    /// Compares the plan at hand with the one that must run, and refuses any other.
    fn compare(
        &self,
        bytes: &[u8],
        at_hand: &AtHand,
        decision: &mut Decision,
        log: &Log,
    ) -> Result<(), Error> {
        let wanted = PlanText::parse(bytes).map_err(|reason| unreadable(&reason))?;
        let digest = Digest::of(bytes);
        if digest == at_hand.digest {
            return Ok(());
        }
        if log.approvals().is_begun(&digest)
            && let Some(whole) = wanted.continued_by(&at_hand.text, |step| is_done(log, step))
        {
            decision.under = whole.then_some(digest);
            return Ok(());
        }
        let changes = differences(&wanted, &at_hand.text).join("; ");
        let hint = "make the plan anew with `mledger plan --out FILE`, and have it approved where that \
                    is asked for";
        let code = if wanted.ledger != at_hand.text.ledger {
            "plan-of-another-ledger"
        } else if wanted.env != at_hand.text.env {
            "plan-of-another-environment"
        } else {
            "plan-changed"
        };
        decision.plan.blockers.push(blocker(
            code,
            format!("the plan `{digest}` is not what would run now: {changes}"),
            hint.to_owned(),
        ));
        Ok(())
    }

    /// Finds an approved plan that a run has begun and whose rest is the plan at hand.
    async fn begun_plan(
        &self,
        log: &Log,
        session: &mut dyn Session,
        at_hand: &AtHand,
        question: Question<'_>,
    ) -> Result<Option<Begun>, Error> {
        for plan in open_plans(log, |plan| log.approvals().is_begun(plan)) {
            let judged = judge(log.approvals(), &Question { plan, ..question });
            if !judged.is_enough(question.rules) {
                continue;
            }
            let Some(text) = self.plan_text(session, &plan).await? else {
                continue;
            };
            if let Some(whole) = text.continued_by(&at_hand.text, |step| is_done(log, step)) {
                return Ok(Some(Begun {
                    plan,
                    whole,
                    judged,
                }));
            }
        }
        Ok(None)
    }

    /// Says of each approved plan that is nearly the one at hand why its approvals do not hold for it.
    async fn void(
        &self,
        log: &Log,
        session: &mut dyn Session,
        at_hand: &AtHand,
    ) -> Result<Vec<crate::plan::Blocker>, Error> {
        let mut found = Vec::new();
        let versions: BTreeSet<&str> = at_hand
            .text
            .steps
            .iter()
            .map(|step| step.version.as_str())
            .collect();
        for plan in open_plans(log, |plan| *plan != at_hand.digest) {
            let Some(text) = self.plan_text(session, &plan).await? else {
                continue;
            };
            let shared = text
                .steps
                .iter()
                .any(|step| versions.contains(step.version.as_str()) && !is_done(log, step));
            if !shared {
                continue;
            }
            let code = if text.ledger == at_hand.text.ledger {
                "approval-void"
            } else {
                "approval-of-another-ledger"
            };
            found.push(blocker(
                code,
                format!(
                    "the plan `{plan}` was approved, but since then {}",
                    differences(&text, &at_hand.text).join("; ")
                ),
                "an approval holds for exactly what was read: ask for one of the plan as it is now"
                    .to_owned(),
            ));
        }
        Ok(found)
    }

    pub(super) async fn plan_text(
        &self,
        session: &mut dyn Session,
        plan: &Digest,
    ) -> Result<Option<PlanText>, Error> {
        let bytes = object::bytes(session, plan)
            .await
            .map_err(|error| self.engine_error(error, "reading an approved plan"))?;
        Ok(bytes.ok().and_then(|bytes| PlanText::parse(&bytes).ok()))
    }

    /// Returns the rules of the environment that a log speaks of.
    pub(super) fn rules(&self, log: &Log) -> Rules {
        self.settings.rules(&self.environment(log))
    }
}

struct Begun {
    plan: Digest,
    whole: bool,
    judged: Judged,
}

/// The plans with an approval that can still be used, the last approved first.
fn open_plans(log: &Log, wanted: impl Fn(&Digest) -> bool) -> Vec<Digest> {
    let mut seen = BTreeSet::new();
    log.approvals()
        .grants()
        .iter()
        .rev()
        .filter(|grant| grant.end.is_none() && wanted(&grant.plan))
        .map(|grant| grant.plan)
        .filter(|plan| seen.insert(*plan))
        .take(PLANS_COMPARED)
        .collect()
}

/// Says whether a step of a plan has had its effect.
fn is_done(log: &Log, step: &PlannedScript) -> bool {
    let entry = step
        .version
        .parse::<Version>()
        .ok()
        .and_then(|version| log.history().get(&version));
    let applied = entry.and_then(|entry| entry.applied.as_ref());
    match step.direction {
        Direction::Up => applied.is_some_and(|applied| applied.script == Some(step.script)),
        Direction::Down => applied.is_none(),
    }
}

/// Who wrote what a plan applies, as the headers say.
fn authors(plan: &Plan) -> BTreeSet<String> {
    plan.steps
        .iter()
        .filter_map(|step| step.candidate.metadata.get("author"))
        .filter_map(Value::as_text)
        .map(str::to_owned)
        .collect()
}

/// Who wrote what a stored plan applies, as far as the folder has the files that it names.
pub(super) fn authors_of(text: &PlanText, files: &[Migration]) -> BTreeSet<String> {
    files
        .iter()
        .filter(|file| text.steps.iter().any(|step| step.script == file.up.digest))
        .filter_map(|file| file.metadata.author.clone())
        .collect()
}

pub(super) fn unreadable(reason: &str) -> Error {
    Error::Usage {
        code: "plan-invalid",
        message: format!("expected a plan in its canonical form, found another text: {reason}"),
        hint: "`mledger plan --out FILE` writes one".to_owned(),
    }
}

fn unopened(environment: &str) -> crate::plan::Blocker {
    blocker(
        "approval-missing",
        format!(
            "the environment `{environment}` asks for approvals, and its ledger is not opened yet, so \
             there can be none"
        ),
        format!(
            "open it with `mledger init --env {environment}`, let an approver in with `mledger key \
             authorize`, then `mledger plan --env {environment}` names what is to be approved"
        ),
    )
}
