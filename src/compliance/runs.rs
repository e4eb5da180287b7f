//! The runs that changes are part of, with what was approved, tried and forced in each.

use std::collections::{BTreeMap, BTreeSet};

use ledger::canonical::{self, Value};
use ledger::{Body, Digest, Direction, Event, Outcome, Timestamp};
use uuid::Uuid;

use super::keys::Keys;
use super::model::{Approval, Check, ForcedFinding, Pipeline, Tests, Validation};
use crate::policy::PlanText;
use crate::projection::approvals::Approvals;

/// What is known of one command that wrote.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) command: Option<String>,
    pub(super) plan: Option<Digest>,
    pub(super) policy: Option<Digest>,
    pub(super) ticket: String,
    pub(super) pipeline: Option<Pipeline>,
    pub(super) forced: Vec<ForcedFinding>,
    /// The approvals that were in force when it began, each with its end as its giver said.
    pub(super) granted: Vec<Approval>,
    pub(super) began: Option<Timestamp>,
    pub(super) tests: Tests,
    pub(super) backup: Option<Uuid>,
    pub(super) schema_before: Option<Digest>,
    pub(super) schema_after: Option<Digest>,
}

/// A fold over events about runs.
#[derive(Debug, Default)]
pub(super) struct Runs {
    all: BTreeMap<Uuid, Run>,
    approvals: Approvals,
    /// Where the approvals of each plan stand in the list of all.
    of_plan: BTreeMap<Digest, Vec<usize>>,
}

/// The rules that a run was held to, as far as they are about approvals.
#[derive(Debug, Default)]
pub(super) struct Policy {
    pub(super) approvals: u64,
    lasts_ms: Option<i64>,
}

/// The plans and policies that runs name, where they are at hand.
#[derive(Debug, Default)]
pub(super) struct Papers {
    /// The script that each plan names, by version and direction.
    plans: BTreeMap<Digest, BTreeMap<(String, Direction), Digest>>,
    policies: BTreeMap<Digest, Policy>,
}

impl Runs {
    /// Folds the next event.
    pub(super) fn apply(&mut self, event: &Event, keys: &Keys) {
        match &event.body {
            Body::RunStarted(body) => {
                let granted = self.in_force(&body.plan, event.time, keys);
                let run = self.all.entry(event.run).or_default();
                run.command = Some(body.command.clone());
                run.plan = Some(body.plan);
                run.policy = Some(body.policy);
                run.ticket = body.ticket.clone().unwrap_or_default();
                run.pipeline = body.ci.as_ref().map(|ci| Pipeline {
                    provider: ci.provider.clone(),
                    commit: ci.commit.clone(),
                    url: ci.url.clone(),
                });
                run.forced = body
                    .forced
                    .iter()
                    .map(|forced| ForcedFinding {
                        finding: forced.finding.clone(),
                        reason: forced.reason.clone(),
                    })
                    .collect();
                run.granted = granted;
                run.began = Some(event.time);
                run.schema_before = body.schema.as_ref().map(|schema| schema.digest);
            }
            Body::RunFinished(body) => {
                let run = self.all.entry(event.run).or_default();
                run.schema_after = body.schema.as_ref().map(|schema| schema.digest);
            }
            Body::ValidationFinished(body) => {
                let run = self.all.entry(event.run).or_default();
                run.tests.validation = Some(Validation {
                    seq: event.seq,
                    digest: body.digest,
                    errors: body.errors,
                    warnings: body.warnings,
                });
            }
            Body::CheckFinished(body) => {
                let run = self.all.entry(event.run).or_default();
                run.tests.checks.push(Check {
                    seq: event.seq,
                    name: body.name.clone(),
                    when: body.when,
                    outcome: event.outcome,
                });
            }
            Body::BackupTaken(body) => {
                self.all.entry(event.run).or_default().backup = Some(body.backup);
            }
            Body::ApprovalGranted(body) => {
                let place = self.approvals.grants().len();
                self.of_plan.entry(body.plan).or_default().push(place);
            }
            _ => {}
        }
        self.approvals.apply(event);
    }

    /// Returns what is known of a run.
    pub(super) fn find(&self, run: &Uuid) -> Option<&Run> {
        self.all.get(run)
    }

    /// Returns the digests of the plans and policies that runs name.
    pub(super) fn papers(&self) -> BTreeSet<Digest> {
        let runs = self.all.values();
        runs.flat_map(|run| [run.plan, run.policy])
            .flatten()
            .collect()
    }

    fn in_force(&self, plan: &Digest, now: Timestamp, keys: &Keys) -> Vec<Approval> {
        let places = self.of_plan.get(plan).into_iter().flatten();
        places
            .filter_map(|place| self.approvals.grants().get(*place))
            .filter(|grant| grant.end.is_none() && grant.expires.is_none_or(|end| end > now))
            .map(|grant| Approval {
                seq: grant.seq,
                time: grant.time,
                by: keys.name_of(&grant.key).unwrap_or(&grant.actor).to_owned(),
                actor: grant.actor.clone(),
                key: grant.key,
                comment: grant.comment.clone(),
            })
            .collect()
    }
}

impl Run {
    /// Returns the approvals that counted when it began: a policy may end them sooner than their giver.
    pub(super) fn approvals(&self, policy: Option<&Policy>) -> Vec<Approval> {
        let lasts = policy.and_then(|policy| policy.lasts_ms);
        let is_over = |approval: &Approval| {
            lasts.zip(self.began).is_some_and(|(lasts, began)| {
                let end = approval
                    .time
                    .as_micros()
                    .saturating_add(lasts.saturating_mul(1_000));
                end <= began.as_micros()
            })
        };
        let granted = self.granted.iter();
        granted.filter(|one| !is_over(one)).cloned().collect()
    }

    /// Says whether one of its checks did not hold.
    pub(super) fn has_failed_check(&self) -> bool {
        let mut checks = self.tests.checks.iter();
        checks.any(|check| check.outcome != Outcome::Success)
    }
}

impl Papers {
    /// Reads the objects that are plans or policies; what is neither stays out, and its digest with it.
    pub(super) fn read(objects: &BTreeMap<Digest, Vec<u8>>) -> Self {
        let mut papers = Self::default();
        for (digest, bytes) in objects {
            if Digest::of(bytes) != *digest {
                continue;
            }
            if let Ok(plan) = PlanText::parse(bytes) {
                papers.plans.insert(*digest, scripts(plan));
            } else if let Some(policy) = policy(bytes) {
                papers.policies.insert(*digest, policy);
            }
        }
        papers
    }

    /// Returns the script that a plan names for a version.
    pub(super) fn planned(
        &self,
        plan: Option<Digest>,
        version: &str,
        direction: Direction,
    ) -> Option<Digest> {
        let scripts = self.plans.get(&plan?)?;
        scripts.get(&(version.to_owned(), direction)).copied()
    }

    /// Returns a policy.
    pub(super) fn policy(&self, digest: Option<Digest>) -> Option<&Policy> {
        self.policies.get(&digest?)
    }
}

/// A rollback that nobody planned runs what its plan names as the way back.
fn scripts(plan: PlanText) -> BTreeMap<(String, Direction), Digest> {
    let mut scripts = BTreeMap::new();
    for step in plan.steps {
        if let Some(back) = step.down_script {
            scripts
                .entry((step.version.clone(), Direction::Down))
                .or_insert(back);
        }
        scripts.insert((step.version, step.direction), step.script);
    }
    scripts
}

fn policy(bytes: &[u8]) -> Option<Policy> {
    let value = canonical::read(bytes).ok()?;
    let members = value.as_object()?;
    members.get("protected")?;
    let integer = |name: &str| members.get(name).and_then(Value::as_integer);
    Some(Policy {
        // a policy that names none asks for none
        approvals: integer("approvals").map_or(0, |number| u64::try_from(number).unwrap_or(0)),
        lasts_ms: integer("approval_lasts_ms"),
    })
}
