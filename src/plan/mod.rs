//! What a command would do, decided from files and history alone.
//!
//! [`up::select`] and [`down::select`] are pure: they compare what the folder holds with what the log
//! says and yield candidates, settlements and blockers. [`examine`] then reads the scripts of the
//! candidates and turns them into [`Step`]s.

pub mod baseline;
pub mod down;
pub mod examine;
pub mod order;
#[cfg(test)]
mod order_tests;
pub mod up;

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::canonical::Value;
use ledger::{Code, Digest, Direction, Finding, Mode, Severity};

pub use self::examine::StepText;
use crate::error::Error;
use crate::migration::{Form, ScriptFile};
use crate::projection::history::{History, Standing};
use crate::report::Refusal;

/// Why something is not done, and which exit code that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Who must act before it can be done.
    pub kind: BlockerKind,
    /// What was expected and found, and the next step.
    pub refusal: Refusal,
}

/// The three sorts of blockers, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockerKind {
    /// Something is not what was recorded. Exit code 4.
    Integrity,
    /// A person must decide first. Exit code 7.
    Undecided,
    /// A rule says no. Exit code 3.
    Policy,
}

/// A migration chosen to run, before its script was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Which way.
    pub direction: Direction,
    /// The version: as in the file name on the way up, as recorded on the way down.
    pub version: String,
    /// The name.
    pub name: String,
    /// Where the script's bytes come from.
    pub script: ScriptSource,
    /// The digest of those bytes.
    pub digest: Digest,
    /// The down script known now; only on the way up.
    pub down: Option<ScriptFile>,
    /// The migration's checksum.
    pub checksum: Digest,
    /// The header, as it will be recorded.
    pub metadata: BTreeMap<String, Value>,
    /// The header's estimate.
    pub estimated_ms: Option<u64>,
    /// Which attempt it will be.
    pub attempt: u64,
    /// How many of its statements are done already, and their digests.
    pub done: Vec<Digest>,
}

/// Where a script's bytes come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptSource {
    /// A section of a file in the folder.
    File(ScriptFile),
    /// The bytes recorded when the migration was applied.
    Object {
        /// Their digest.
        digest: Digest,
        /// Whether they hold both sections.
        form: Form,
        /// The file they came from, for messages.
        label: String,
    },
}

/// An unfinished start that left nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The version.
    pub version: String,
    /// Which way it had been started.
    pub direction: Direction,
}

/// What the files and the history say, before scripts are read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// What would run, in order.
    pub candidates: Vec<Candidate>,
    /// What would be settled first.
    pub settlements: Vec<Settlement>,
    /// Why it would not run.
    pub blockers: Vec<Blocker>,
    /// What a person should know and stops nothing.
    pub warnings: Vec<Finding>,
}

/// A step that can be executed.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What was chosen.
    pub candidate: Candidate,
    /// How it will run.
    pub mode: Mode,
    /// How many statements its script has.
    pub statements: u64,
    /// Which of them commit by themselves.
    pub self_committing: Vec<u64>,
    /// The script's own BEGIN and COMMIT are left out.
    pub own_transaction: bool,
    /// The script changes its session, which is replaced afterwards.
    pub changes_session: bool,
    /// Foreign keys are enforced while it runs.
    pub enforce_foreign_keys: bool,
    /// Its own time limit.
    pub timeout: Option<Duration>,
    /// How long it waits for the database's locks.
    pub lock_timeout: Option<Duration>,
}

/// The ordered steps of a command, what is settled first, and why it would not run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What would run, in order.
    pub steps: Vec<Step>,
    /// What would be settled first.
    pub settlements: Vec<Settlement>,
    /// Why it would not run.
    pub blockers: Vec<Blocker>,
    /// What a person should know and stops nothing.
    pub warnings: Vec<Finding>,
}

impl Plan {
    /// Says whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.settlements.is_empty()
    }

    /// Returns the plan as the object that approvals name (docs/format.md section 9): canonical JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when a name in it cannot be written canonically.
    pub fn object(
        &self,
        environment: &str,
        ledger: &Digest,
        policy: &Digest,
    ) -> Result<Vec<u8>, Error> {
        let steps = self.steps.iter().map(Step::object).collect();
        let members = BTreeMap::from([
            ("env".to_owned(), Value::Text(environment.to_owned())),
            ("ledger".to_owned(), Value::Text(ledger.to_string())),
            ("policy".to_owned(), Value::Text(policy.to_string())),
            ("steps".to_owned(), Value::List(steps)),
            ("v".to_owned(), Value::Integer(1)),
        ]);
        canonical(&Value::Object(members))
    }

    /// Returns the error that the blockers amount to, if there are any.
    pub fn refusal(&self) -> Option<Error> {
        refusal(&self.blockers)
    }
}

impl ScriptSource {
    /// Returns the file's path, for messages.
    pub fn label(&self) -> String {
        match self {
            Self::File(file) => file.path.display().to_string(),
            Self::Object { label, .. } => label.clone(),
        }
    }
}

impl Step {
    /// Says whether its start may ride in the commit of the step before: its first statement can be
    /// undone, so a start that is never followed up left nothing.
    pub fn may_ride(&self) -> bool {
        !self.self_committing.contains(&1)
    }

    fn object(&self) -> Value {
        let candidate = &self.candidate;
        let mut members = BTreeMap::from([
            (
                "direction".to_owned(),
                Value::Text(candidate.direction.as_str().to_owned()),
            ),
            (
                "mode".to_owned(),
                Value::Text(self.mode.as_str().to_owned()),
            ),
            (
                "script".to_owned(),
                Value::Text(candidate.digest.to_string()),
            ),
            ("version".to_owned(), Value::Text(candidate.version.clone())),
        ]);
        if let Some(down) = &candidate.down {
            members.insert(
                "down_script".to_owned(),
                Value::Text(down.digest.to_string()),
            );
        }
        Value::Object(members)
    }
}

/// Writes a value canonically.
///
/// # Errors
///
/// [`Error::Usage`] when it has no canonical form.
pub fn canonical(value: &Value) -> Result<Vec<u8>, Error> {
    ledger::canonical::write(value).map_err(|error| Error::Usage {
        code: "not-canonical",
        message: format!("a plan or policy cannot be written canonically: {error}"),
        hint: "look for control characters in names and settings".to_owned(),
    })
}

/// Returns the error that blockers amount to: the gravest sort decides, the others are named too.
pub fn refusal(blockers: &[Blocker]) -> Option<Error> {
    let gravest = blockers.iter().map(|blocker| blocker.kind).min()?;
    let mut sorted: Vec<&Blocker> = blockers.iter().collect();
    sorted.sort_by_key(|blocker| blocker.kind);
    let refusals: Vec<Refusal> = sorted
        .iter()
        .map(|blocker| blocker.refusal.clone())
        .collect();
    Some(match gravest {
        BlockerKind::Undecided => Error::Undecided(refusals),
        BlockerKind::Policy => Error::Refused(refusals),
        BlockerKind::Integrity => {
            let first = refusals.first().cloned()?;
            Error::Integrity {
                code: first.code,
                message: first.message,
                hint: first.hint,
                findings: sorted
                    .iter()
                    .filter_map(|blocker| finding(blocker))
                    .collect(),
            }
        }
    })
}

fn finding(blocker: &Blocker) -> Option<Finding> {
    let code = Code::ALL
        .iter()
        .find(|code| code.as_str() == blocker.refusal.code)?;
    Some(Finding {
        code: *code,
        severity: Severity::Error,
        seq: None,
        message: blocker.refusal.message.clone(),
    })
}

/// Returns what unfinished attempts mean for another one: settlements, and blockers for a person.
fn standing(history: &History) -> (Vec<Settlement>, Vec<Blocker>) {
    let mut settlements = Vec::new();
    let mut blockers = Vec::new();
    for (_, entry) in history.entries() {
        match entry.standing() {
            Standing::Clear => {}
            Standing::Unfinished(direction) => settlements.push(Settlement {
                version: entry.version.clone(),
                direction,
            }),
            Standing::Partial(direction, 0) => blockers.push(Blocker {
                kind: BlockerKind::Undecided,
                refusal: Refusal {
                    code: "migration-partial",
                    version: Some(entry.version.clone()),
                    message: format!(
                        "expected every migration to be whole, but the first statement in the {direction} \
                         script of `{}_{}` failed and may have left a part behind",
                        entry.version, entry.name
                    ),
                    hint: format!(
                        "`mledger resolve {}` shows what the database says; undo what is left, then answer \
                         with --not-applied --reason TEXT",
                        entry.version
                    ),
                },
            }),
            Standing::Partial(direction, done) => blockers.push(Blocker {
                kind: BlockerKind::Undecided,
                refusal: Refusal {
                    code: "migration-partial",
                    version: Some(entry.version.clone()),
                    message: format!(
                        "expected every migration to be whole, but the {direction} script of `{}_{}` \
                         stopped after statement {done} of {}",
                        entry.version,
                        entry.name,
                        entry.steps(direction).of
                    ),
                    hint: format!(
                        "mend the rest of the script, then `mledger resolve {} --resume --reason TEXT`",
                        entry.version
                    ),
                },
            }),
            Standing::Unknown(direction, step) => blockers.push(Blocker {
                kind: BlockerKind::Undecided,
                refusal: Refusal {
                    code: "unresolved-step",
                    version: Some(entry.version.clone()),
                    message: format!(
                        "the outcome of statement {step} in the {direction} script of `{}_{}` is \
                         unknown: the run ended while a statement that commits by itself was executing",
                        entry.version, entry.name
                    ),
                    hint: format!(
                        "`mledger resolve {}` shows it and what the database says; then answer with \
                         --applied|--not-applied --reason TEXT",
                        entry.version
                    ),
                },
            }),
        }
    }
    (settlements, blockers)
}
