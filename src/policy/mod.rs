//! The rules of an environment: what they are where nobody says otherwise, and how they are recorded.
//!
//! Pure: [`Rules`] are plain data. Their canonical form is the *policy* that `run.started` names by its
//! digest, so that an audit judges a change by the rules of its day. What a rule leaves at its
//! harmless value stays out of that form.

pub mod approval;
mod difference;

use std::time::Duration;

use ledger::canonical::Value;

use crate::promotion::Promotion;

pub use self::difference::{PlanText, PlannedScript, differences};

/// The environment of a new ledger when nobody named one.
pub const DEVELOPMENT: &str = "development";

/// The environment that has the strictest rules unless they are loosened.
pub const PRODUCTION: &str = "production";

/// How long an approval can be used where nobody says otherwise: a week.
pub const APPROVAL_LASTS: Duration = Duration::from_secs(7 * 24 * 3600);

/// What holds for runs in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// A command that writes must state the environment, and a destructive one confirm it.
    pub protected: bool,
    /// How many people must approve a plan before it runs.
    pub require_approval: u64,
    /// Who wrote a migration, and who runs the plan, may be one of them.
    pub author_may_approve: bool,
    /// How long an approval can be used, at most.
    pub approval_lasts: Duration,
    /// `reset` may roll everything back.
    pub allow_reset: bool,
    /// A migration that fails takes those before it in its run with it.
    pub auto_rollback: bool,
    /// A run needs no backup.
    pub skip_backup: bool,
    /// A run needs no validation.
    pub skip_validation: bool,
    /// Warnings of the validation refuse a run, too, unless somebody forces it and says why.
    pub refuse_warnings: bool,
    /// A run is stopped after so long.
    pub max_duration: Option<Duration>,
    /// Only what was applied in another environment may be applied.
    pub promotion: Option<Promotion>,
    /// What must hold before the first migration of a run, and after its last one.
    pub checks: Checks,
}

/// The checks of one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checks {
    /// Made before the first migration; one that fails stops the run.
    pub before: Vec<Check>,
    /// Made after the last migration.
    pub after: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, as it is recorded.
    pub name: String,
    /// What is done.
    pub probe: Probe,
    /// How long it may take.
    pub timeout: Duration,
}

/// How a check finds out.
#[derive(Clone, PartialEq, Eq)]
pub enum Probe {
    /// This program must end with status 0. The first word is the program; there is no shell.
    Command(Vec<String>),
    /// This address must answer with this status.
    Url {
        /// The address, `http` or `https`.
        url: String,
        /// The status that is expected.
        status: u16,
    },
}

impl std::fmt::Debug for Probe {
    // arguments and addresses may hold secrets
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.label())
    }
}

impl Probe {
    /// Returns what it asks, without arguments and secrets.
    pub fn label(&self) -> String {
        match self {
            Self::Command(words) => format!("command {}", words.first().map_or("", String::as_str)),
            Self::Url { url, .. } => format!("url {}", place(url)),
        }
    }
}

/// The address without user information and options.
fn place(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{rest}")
}

/// Says whether runs in an environment of this name begin with a backup where nobody says otherwise.
pub fn saves_first(environment: &str) -> bool {
    environment == PRODUCTION
}

impl Rules {
    /// Returns what a cautious team would choose for an environment of this name.
    ///
    /// `production` is protected and asks for one approval by somebody else. `development` may be
    /// reset, and its runs are not validated. No environment rolls back by itself unless it is asked to.
    pub fn cautious(environment: &str) -> Self {
        let production = environment == PRODUCTION;
        Self {
            protected: production,
            require_approval: u64::from(production),
            author_may_approve: false,
            approval_lasts: APPROVAL_LASTS,
            allow_reset: environment == DEVELOPMENT,
            auto_rollback: false,
            skip_backup: false,
            skip_validation: environment == DEVELOPMENT,
            refuse_warnings: false,
            max_duration: None,
            promotion: None,
            checks: Checks::default(),
        }
    }

    /// Returns the rules as a canonical value: what `run.started` names as its `policy`.
    pub fn value(&self, environment: &str, out_of_order: bool) -> Value {
        let mut members = vec![
            ("env", Value::Text(environment.to_owned())),
            ("out_of_order", Value::Bool(out_of_order)),
            ("protected", Value::Bool(self.protected)),
            ("v", Value::Integer(1)),
        ];
        if self.require_approval > 0 {
            members.push(("approvals", integer(self.require_approval)));
            members.push(("approval_lasts_ms", milliseconds(self.approval_lasts)));
            members.push(("author_may_approve", Value::Bool(self.author_may_approve)));
        }
        for (name, set) in [
            ("auto_rollback", self.auto_rollback),
            ("refuse_warnings", self.refuse_warnings),
            ("skip_backup", self.skip_backup),
        ] {
            if set {
                members.push((name, Value::Bool(true)));
            }
        }
        // what holds for every environment of this name unless somebody says otherwise stays out
        if self.skip_validation != Self::cautious(environment).skip_validation {
            members.push(("skip_validation", Value::Bool(self.skip_validation)));
        }
        if let Some(limit) = self.max_duration {
            members.push(("max_duration_ms", milliseconds(limit)));
        }
        // what is asked, not what was found: an approval must not end because the other ledger grows
        if let Some(promotion) = &self.promotion {
            let from = ledger::clean(&promotion.from);
            members.push(("promotion_from", Value::Text(from)));
            if let Some(id) = &promotion.ledger {
                members.push(("promotion_ledger", Value::Text(id.to_string())));
            }
        }
        for (name, checks) in [
            ("checks_before", &self.checks.before),
            ("checks_after", &self.checks.after),
        ] {
            if !checks.is_empty() {
                let checks = checks.iter().map(Check::value).collect();
                members.push((name, Value::List(checks)));
            }
        }
        Value::object(members)
    }
}

impl Check {
    fn value(&self) -> Value {
        Value::object([
            ("asks", Value::Text(ledger::clean(&self.probe.label()))),
            ("name", Value::Text(ledger::clean(&self.name))),
        ])
    }
}

fn milliseconds(duration: Duration) -> Value {
    integer(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// The largest integer of the canonical form is below 2^53.
fn integer(number: u64) -> Value {
    const LARGEST: i64 = (1 << 53) - 1;
    Value::Integer(i64::try_from(number).unwrap_or(LARGEST).min(LARGEST))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::promotion::Source;

    fn text(rules: &Rules) -> String {
        let bytes = ledger::canonical::write(&rules.value("x", false)).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn production_is_careful_and_development_is_not() {
        let production = Rules::cautious(PRODUCTION);
        assert!(production.protected && !production.author_may_approve);
        assert_eq!(production.require_approval, 1);
        assert!(saves_first(PRODUCTION) && !production.skip_backup);
        assert!(!saves_first(DEVELOPMENT) && !saves_first("staging"));
        assert!(!production.allow_reset && !production.auto_rollback);
        let development = Rules::cautious(DEVELOPMENT);
        assert!(development.allow_reset && !development.protected);
        assert_eq!(development.require_approval, 0);
        let other = Rules::cautious("staging");
        assert!(!other.allow_reset && !other.protected && other.require_approval == 0);
    }

    #[test]
    fn what_is_harmless_stays_out_of_the_policy() {
        let mut rules = Rules::cautious("x");
        assert_eq!(
            text(&rules),
            r#"{"env":"x","out_of_order":false,"protected":false,"v":1}"#
        );
        rules.require_approval = 2;
        rules.auto_rollback = true;
        assert_eq!(
            text(&rules),
            r#"{"approval_lasts_ms":604800000,"approvals":2,"author_may_approve":false,"auto_rollback":true,"env":"x","out_of_order":false,"protected":false,"v":1}"#
        );
    }

    #[test]
    fn promotion_is_part_of_the_policy_and_where_it_is_read_is_not() {
        let mut rules = Rules::cautious("x");
        rules.promotion = Some(Promotion {
            from: "staging".to_owned(),
            source: Some(Source::parse("mysql://dana:S3cr3t@db/x", "/".as_ref())),
            ledger: None,
        });
        assert_eq!(
            text(&rules),
            r#"{"env":"x","out_of_order":false,"promotion_from":"staging","protected":false,"v":1}"#
        );
        assert!(!format!("{rules:?}").contains("S3cr3t"), "{rules:?}");
    }

    #[test]
    fn a_policy_holds_no_secret_of_its_checks() {
        let mut rules = Rules::cautious("x");
        let check = |probe| Check {
            name: "smoke".to_owned(),
            probe,
            timeout: Duration::from_secs(1),
        };
        rules.checks.before = vec![check(Probe::Command(vec![
            "smoke".to_owned(),
            "--token=S3cr3t".to_owned(),
        ]))];
        rules.checks.after = vec![check(Probe::Url {
            url: "https://dana:S3cr3t@shop.example/health?token=S3cr3t".to_owned(),
            status: 200,
        })];
        let all = format!("{} {rules:?}", text(&rules));
        assert!(!all.contains("S3cr3t"), "{all}");
        assert!(all.contains("https://shop.example/health"), "{all}");
    }
}
