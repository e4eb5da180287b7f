//! What a plan says, read back from its canonical form, and how two plans differ.

use std::collections::BTreeMap;

use ledger::canonical::{self, Object, Value};
use ledger::{Digest, Direction};

/// A plan as it is stored, approved and written to a file (docs/format.md section 9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanText {
    /// The environment that it is for.
    pub env: String,
    /// The ledger that it is for.
    pub ledger: Digest,
    /// The rules that it was made under.
    pub policy: Digest,
    /// Its steps, in order.
    pub steps: Vec<PlannedScript>,
}

/// One step of such a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedScript {
    /// The version.
    pub version: String,
    /// Which way.
    pub direction: Direction,
    /// How.
    pub mode: String,
    /// The exact bytes.
    pub script: Digest,
    /// The exact bytes that would undo it.
    pub down_script: Option<Digest>,
}

impl PlanText {
    /// Reads the canonical form of a plan.
    ///
    /// # Errors
    ///
    /// A sentence that says what was expected and what was found.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value = canonical::read(bytes).map_err(|error| error.to_string())?;
        let members = value.as_object().ok_or("expected an object")?;
        if members.get("v").and_then(Value::as_integer) != Some(1) {
            return Err("expected a plan of version 1".to_owned());
        }
        let steps = members.get("steps").and_then(Value::as_list);
        let steps = steps.ok_or("expected a list `steps`")?;
        Ok(Self {
            env: text(members, "env")?.to_owned(),
            ledger: digest(members, "ledger")?,
            policy: digest(members, "policy")?,
            steps: steps.iter().map(step).collect::<Result<_, _>>()?,
        })
    }

    /// Says whether `part` is what comes next of this plan, once all before it was done: `Some(true)`
    /// where it is all the rest.
    ///
    /// `done` says whether a step has had its effect.
    pub fn continued_by(&self, part: &Self, done: impl Fn(&PlannedScript) -> bool) -> Option<bool> {
        let same_place = self.env == part.env && self.ledger == part.ledger;
        if !same_place || self.policy != part.policy || part.steps.is_empty() {
            return None;
        }
        let begins = self.steps.iter().position(|step| !done(step))?;
        let rest = &self.steps[begins..];
        rest.starts_with(&part.steps)
            .then_some(rest.len() == part.steps.len())
    }
}

/// Lists how `now` differs from the plan that was made before, in sentences.
pub fn differences(before: &PlanText, now: &PlanText) -> Vec<String> {
    let mut found = Vec::new();
    if before.env != now.env {
        found.push(format!(
            "it was made for the environment `{}`, and this is `{}`",
            before.env, now.env
        ));
    }
    if before.ledger != now.ledger {
        found.push(format!(
            "it was made for the ledger `{}`, and this is `{}`",
            before.ledger, now.ledger
        ));
    }
    if before.policy != now.policy {
        found.push("the rules in force have changed".to_owned());
    }
    let key = |step: &PlannedScript| (step.version.clone(), step.direction.as_str());
    let later: BTreeMap<_, _> = now.steps.iter().map(|step| (key(step), step)).collect();
    let earlier: BTreeMap<_, _> = before.steps.iter().map(|step| (key(step), step)).collect();
    for step in &before.steps {
        let Some(other) = later.get(&key(step)) else {
            found.push(format!("`{}` is not pending any more", step.version));
            continue;
        };
        if other.script != step.script {
            found.push(format!("the script of `{}` was edited", step.version));
        } else if other.down_script != step.down_script {
            found.push(format!("the down script of `{}` was edited", step.version));
        } else if other.mode != step.mode {
            found.push(format!(
                "`{}` would run {} instead of {}",
                step.version, other.mode, step.mode
            ));
        }
    }
    for step in &now.steps {
        if !earlier.contains_key(&key(step)) {
            found.push(format!("`{}` is pending too", step.version));
        }
    }
    if found.is_empty() && before != now {
        found.push("the order of the steps has changed".to_owned());
    }
    found
}

fn step(value: &Value) -> Result<PlannedScript, String> {
    let members = value
        .as_object()
        .ok_or("expected a step that is an object")?;
    let direction = match text(members, "direction")? {
        "up" => Direction::Up,
        "down" => Direction::Down,
        other => return Err(format!("expected `up` or `down`, found `{other}`")),
    };
    let down_script = match members.get("down_script") {
        Some(_) => Some(digest(members, "down_script")?),
        None => None,
    };
    Ok(PlannedScript {
        version: text(members, "version")?.to_owned(),
        direction,
        mode: text(members, "mode")?.to_owned(),
        script: digest(members, "script")?,
        down_script,
    })
}

fn text<'a>(members: &'a Object, name: &str) -> Result<&'a str, String> {
    let found = members.get(name).and_then(Value::as_text);
    found.ok_or_else(|| format!("expected a string `{name}`"))
}

fn digest(members: &Object, name: &str) -> Result<Digest, String> {
    let found = text(members, name)?;
    found
        .parse()
        .map_err(|_| format!("expected a digest `{name}`, found `{found}`"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn plan(steps: &[(&str, &str)]) -> PlanText {
        PlanText {
            env: "x".to_owned(),
            ledger: Digest::of(b"ledger"),
            policy: Digest::of(b"policy"),
            steps: steps
                .iter()
                .map(|(version, script)| PlannedScript {
                    version: (*version).to_owned(),
                    direction: Direction::Up,
                    mode: "atomic".to_owned(),
                    script: Digest::of(script.as_bytes()),
                    down_script: None,
                })
                .collect(),
        }
    }

    #[test]
    fn a_plan_is_read_back_from_its_canonical_form() {
        let zero = Digest::ZERO;
        let text = format!(
            r#"{{"env":"x","ledger":"{zero}","policy":"{zero}","steps":[{{"direction":"up","mode":"atomic","script":"{zero}","version":"1"}}],"v":1}}"#
        );
        let plan = PlanText::parse(text.as_bytes()).unwrap();
        assert_eq!((plan.env.as_str(), plan.steps.len()), ("x", 1));
        for wrong in [
            text.replace(r#""v":1"#, r#""v":2"#),
            text.replace("\"up\"", "\"sideways\""),
            text.replace("version", "name"),
            "{}".to_owned(),
            String::new(),
        ] {
            assert!(PlanText::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_changed_is_said_step_by_step() {
        let before = plan(&[("1", "a"), ("2", "b"), ("3", "c")]);
        let mut now = plan(&[("1", "a"), ("2", "B"), ("4", "d")]);
        assert_eq!(
            differences(&before, &now),
            [
                "the script of `2` was edited",
                "`3` is not pending any more",
                "`4` is pending too"
            ]
        );
        now.policy = Digest::ZERO;
        now.ledger = Digest::ZERO;
        assert_eq!(differences(&before, &now).len(), 5);
        let turned = plan(&[("2", "b"), ("1", "a"), ("3", "c")]);
        assert_eq!(
            differences(&before, &turned),
            ["the order of the steps has changed"]
        );
        assert!(differences(&before, &before).is_empty());
    }

    #[test]
    fn the_rest_of_a_plan_is_what_was_not_done() {
        let whole = plan(&[("1", "a"), ("2", "b"), ("3", "c")]);
        let first = |step: &PlannedScript| step.version == "1";
        let rest = |steps| whole.continued_by(&plan(steps), first);
        assert_eq!(rest(&[("2", "b"), ("3", "c")]), Some(true));
        assert_eq!(rest(&[("2", "b")]), Some(false));
        assert_eq!(rest(&[("2", "edited"), ("3", "c")]), None);
        assert_eq!(rest(&[("3", "c")]), None, "nothing is left out");
        assert_eq!(rest(&[]), None);
        let mut elsewhere = plan(&[("2", "b"), ("3", "c")]);
        elsewhere.policy = Digest::ZERO;
        assert_eq!(whole.continued_by(&elsewhere, first), None);
    }
}
