//! Which approvals of a plan count, and why the others do not.

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::{Digest, Fingerprint, Keyring, Role, Timestamp};

use super::Rules;
use crate::plan::{Blocker, BlockerKind};
use crate::projection::approvals::{Approvals, End, Grant};
use crate::report::Refusal;

/// What is asked of the approvals.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The plan that would run.
    pub plan: Digest,
    /// Who wrote its migrations, as their headers say.
    pub authors: &'a BTreeSet<String>,
    /// The key that would run it; without it nobody is ruled out for that.
    pub runner: Option<Fingerprint>,
    /// The environment's name.
    pub environment: &'a str,
    /// Its rules.
    pub rules: &'a Rules,
    /// The time now.
    pub now: Timestamp,
    /// The keys of the ledger.
    pub keyring: &'a Keyring,
}

/// Why an approval does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Its time is over.
    Expired(Timestamp),
    /// It was used.
    Spent(u64),
    /// It was taken back.
    Revoked(u64),
    /// The database was restored to before it.
    Restored(u64),
    /// Its giver wrote one of the migrations.
    ByAuthor,
    /// Its giver runs the plan.
    ByRunner,
}

impl Flaw {
    /// Returns the stable code under which a run is refused for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired(_) => "approval-expired",
            Self::Spent(_) => "approval-spent",
            Self::Revoked(_) => "approval-revoked",
            Self::Restored(_) => "approval-void",
            Self::ByAuthor => "approval-by-author",
            Self::ByRunner => "approval-by-runner",
        }
    }

    fn sentence(self, who: &str) -> String {
        match self {
            Self::Expired(at) => format!("the approval by `{who}` ended at {at}"),
            Self::Spent(seq) => format!(
                "the approval by `{who}` was used by the run that finished with event {seq}; each is \
                 used once"
            ),
            Self::Revoked(seq) => {
                format!("the approval by `{who}` was taken back with event {seq}")
            }
            Self::Restored(seq) => format!(
                "the approval by `{who}` is void: event {seq} restored the database to before it"
            ),
            Self::ByAuthor => {
                format!("the approval by `{who}` does not count: a migration of the plan is theirs")
            }
            Self::ByRunner => {
                format!("the approval by `{who}` does not count: they run the plan themselves")
            }
        }
    }
}

/// Which approvals of a plan count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// The names of those who gave one that counts.
    pub counted: Vec<String>,
    /// The others, by the name of their giver.
    pub flawed: Vec<(String, Flaw)>,
}

impl Judged {
    /// Says whether there are as many as the rules ask for.
    pub fn is_enough(&self, rules: &Rules) -> bool {
        self.counted.len() as u64 >= rules.require_approval
    }
}

/// Returns when an approval ends: as its giver said, but not later than the rules allow.
pub fn ends(grant: &Grant, rules: &Rules) -> Timestamp {
    let latest = later(grant.time, rules.approval_lasts);
    grant.expires.map_or(latest, |expires| expires.min(latest))
}

/// Returns the time that is `duration` after `time`.
pub fn later(time: Timestamp, duration: Duration) -> Timestamp {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(time.as_micros().saturating_add(micros))
}

/// Judges every approval that was ever given for the plan.
pub fn judge(approvals: &Approvals, question: &Question<'_>) -> Judged {
    let mut judged = Judged::default();
    for grant in approvals.of(question.plan) {
        if matches!(grant.end, Some(End::Renewed(_))) {
            continue;
        }
        let who = name_of(question.keyring, &grant.key).unwrap_or(&grant.actor);
        match flaw(grant, who, question) {
            None => judged.counted.push(who.to_owned()),
            Some(flaw) => judged.flawed.push((who.to_owned(), flaw)),
        }
    }
    // an approval that was spent or taken back says nothing where a later one of that person counts
    let counted = judged.counted.clone();
    judged.flawed.retain(|(who, _)| !counted.contains(who));
    judged
}

fn flaw(grant: &Grant, who: &str, question: &Question<'_>) -> Option<Flaw> {
    let ended = grant.end.and_then(|end| match end {
        End::Spent(seq) => Some(Flaw::Spent(seq)),
        End::Revoked(seq) => Some(Flaw::Revoked(seq)),
        End::Void(seq) => Some(Flaw::Restored(seq)),
        End::Renewed(_) => None,
    });
    if ended.is_some() {
        return ended;
    }
    let at = ends(grant, question.rules);
    if at <= question.now {
        return Some(Flaw::Expired(at));
    }
    if question.rules.author_may_approve {
        return None;
    }
    let is_author = question
        .authors
        .iter()
        .any(|author| is_same_person(author, who) || is_same_person(author, &grant.actor));
    if is_author {
        return Some(Flaw::ByAuthor);
    }
    // a key proves who acts; the name that an actor gives is a claim
    is_runner(who, &grant.key, question).then_some(Flaw::ByRunner)
}

/// Returns why the plan may not run for want of approvals: each flaw, and whose approval is missing.
pub fn blockers(judged: &Judged, question: &Question<'_>) -> Vec<Blocker> {
    if judged.is_enough(question.rules) {
        return Vec::new();
    }
    let command = format!(
        "mledger approve {} --env {}",
        question.plan, question.environment
    );
    let mut found: Vec<Blocker> = judged
        .flawed
        .iter()
        .map(|(who, flaw)| {
            blocker(
                flaw.code(),
                flaw.sentence(who),
                format!("ask for another one: `{command}`"),
            )
        })
        .collect();
    found.push(blocker(
        "approval-missing",
        format!(
            "expected {} of the plan `{}`, found {}; {}",
            count(question.rules.require_approval),
            question.plan,
            judged.counted.len(),
            who_could(judged, question)
        ),
        format!("one of them runs `{command}`"),
    ));
    found
}

/// Creates the blocker of a rule.
pub fn blocker(code: &'static str, message: String, hint: impl Into<String>) -> Blocker {
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal::new(code, message, hint),
    }
}

fn count(number: u64) -> String {
    match number {
        1 => "1 approval".to_owned(),
        more => format!("{more} approvals"),
    }
}

/// Says whether a key is the runner's, or another one of the same person.
fn is_runner(name: &str, key: &Fingerprint, question: &Question<'_>) -> bool {
    question.runner.is_some_and(|runner| {
        runner == *key
            || name_of(question.keyring, &runner).is_some_and(|other| is_same_person(other, name))
    })
}

/// Names who could give the missing approvals.
fn who_could(judged: &Judged, question: &Question<'_>) -> String {
    let could: Vec<&str> = question
        .keyring
        .current()
        .filter(|entry| entry.holds_any(&[Role::Approver]))
        .filter(|entry| !judged.counted.contains(&entry.name))
        .filter(|entry| {
            question.rules.author_may_approve
                || (!is_runner(&entry.name, &entry.fingerprint, question)
                    && !question
                        .authors
                        .iter()
                        .any(|author| is_same_person(author, &entry.name)))
        })
        .map(|entry| entry.name.as_str())
        .collect();
    if could.is_empty() {
        return "no other key of this ledger may approve it, so an owner lets one in first with \
                `mledger key authorize`"
            .to_owned();
    }
    format!("it can come from `{}`", could.join("`, `"))
}

fn name_of<'a>(keyring: &'a Keyring, key: &Fingerprint) -> Option<&'a str> {
    keyring.find(key).map(|entry| entry.name.as_str())
}

/// Says whether two names are one person's: equal, or one is the other's part before the `@`.
pub fn is_same_person(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim().to_lowercase(), other.trim().to_lowercase());
    let short = |name: &str| name.split('@').next().unwrap_or_default().to_owned();
    !one.is_empty() && (one == other || one == short(&other) || short(&one) == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_compared_by_name_with_and_without_their_host() {
        assert!(is_same_person("dana", "Dana@laptop"));
        assert!(is_same_person("dana@example.com", "dana"));
        assert!(!is_same_person("dana@example.com", "dana@other.example"));
        assert!(!is_same_person("", ""));
        assert!(!is_same_person("dan", "dana"));
    }
}
