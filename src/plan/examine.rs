//! From candidates to steps: reads each script once and decides how it can run.

use ledger::{Direction, Mode};

use super::{Blocker, BlockerKind, Candidate, Plan, ScriptSource, Selection, Step};
use crate::engine::{Capabilities, EngineError, Session};
use crate::migration::split::LexRules;
use crate::migration::{Directives, Problem, Script, Summary};
use crate::object::{self, Unusable};
use crate::report::Refusal;

/// Reads the scripts of the candidates and returns the plan.
///
/// # Errors
///
/// What the database answered when a recorded script was read. What is wrong with a script is a
/// blocker of the plan.
pub async fn examine(
    selection: Selection,
    capabilities: &Capabilities,
    rules: &'static LexRules,
    session: Option<&mut (dyn Session + '_)>,
) -> Result<Plan, EngineError> {
    let mut plan = Plan {
        steps: Vec::with_capacity(selection.candidates.len()),
        settlements: selection.settlements,
        blockers: selection.blockers,
        warnings: selection.warnings,
    };
    let mut session = session;
    // asked only where a database could have tables outside of transactions
    let mut outside = match session.as_deref_mut() {
        Some(session) if !rules.non_transactional.is_empty() => {
            !session.tables_are_transactional().await?
        }
        _ => false,
    };
    for candidate in selection.candidates {
        let script = match read(&candidate, rules, session.as_deref_mut()).await? {
            Ok(script) => script,
            Err(blocker) => {
                plan.blockers.push(blocker);
                continue;
            }
        };
        match script.check(rules) {
            Ok(summary) => {
                let directives = script.directives().clone();
                drop(script);
                outside |= summary.outside_transactions;
                let step = step(
                    candidate,
                    &summary,
                    &directives,
                    capabilities,
                    outside,
                    &mut plan.blockers,
                );
                plan.steps.push(step);
            }
            Err(problem) => plan.blockers.push(invalid(&candidate, &problem)),
        }
    }
    Ok(plan)
}

/// One statement of a script, as a person is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepText {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its text.
    pub sql: String,
}

impl StepText {
    /// Finds statement `step` of a script, from 1; a transaction around all of the script does not
    /// count.
    pub fn find(script: &Script, rules: &'static LexRules, step: u64) -> Option<Self> {
        let framed = script.check(rules).ok()?.own_transaction;
        let position = usize::try_from(step.checked_sub(1)?).ok()?;
        let statement = script
            .statements(rules)
            .flatten()
            .filter(|statement| !framed || !statement.frames())
            .nth(position)?;
        Some(Self {
            line: statement.line as u64,
            sql: statement.text.to_owned(),
        })
    }
}

/// Reads a candidate's script, from its file or from the recorded object.
///
/// # Errors
///
/// The outer error is the database's, the inner one is why the script cannot be used.
pub async fn read(
    candidate: &Candidate,
    rules: &'static LexRules,
    session: Option<&mut (dyn Session + '_)>,
) -> Result<Result<Script, Blocker>, EngineError> {
    Ok(match &candidate.script {
        ScriptSource::File(file) => file.load().map_err(|problem| invalid(candidate, &problem)),
        ScriptSource::Object {
            digest,
            form,
            label,
        } => {
            let bytes = match session {
                Some(session) => object::bytes(session, digest).await?,
                None => Err(Unusable::Missing(*digest)),
            };
            match bytes {
                Ok(bytes) => Script::recorded(bytes, label, *form, rules)
                    .map_err(|problem| invalid(candidate, &problem)),
                Err(reason) => Err(unusable(candidate, &reason)),
            }
        }
    })
}

fn step(
    candidate: Candidate,
    summary: &Summary,
    directives: &Directives,
    capabilities: &Capabilities,
    outside: bool,
    blockers: &mut Vec<Blocker>,
) -> Step {
    // where a table may be outside of transactions, each statement that writes rows may commit by itself
    let writes: &[u64] = if outside { &summary.writes } else { &[] };
    let mut alone: Vec<u64> = summary
        .not_in_transaction
        .iter()
        .chain(writes)
        .copied()
        .collect();
    alone.sort_unstable();
    let by_itself =
        !alone.is_empty() && (!capabilities.transactional_ddl || summary.statements == 1);
    let stepwise = directives.no_transaction || by_itself || !candidate.done.is_empty();
    if !stepwise && let Some(first) = alone.first() {
        blockers.push(needs_directive(&candidate, *first));
    }
    if let Some((line, word)) = &summary.transaction_control {
        blockers.push(transaction_control(&candidate, *line, word));
    }
    if stepwise && summary.own_transaction && capabilities.transactional_ddl {
        blockers.push(transaction_control(&candidate, 0, "BEGIN"));
    }
    Step {
        mode: if stepwise {
            Mode::Stepwise
        } else {
            Mode::Atomic
        },
        statements: summary.statements,
        self_committing: if stepwise { alone } else { Vec::new() },
        own_transaction: summary.own_transaction,
        changes_session: summary.changes_session,
        enforce_foreign_keys: directives.foreign_keys || !capabilities.switchable_foreign_keys,
        timeout: directives.timeout,
        lock_timeout: directives.lock_timeout,
        candidate,
    }
}

fn invalid(candidate: &Candidate, problem: &Problem) -> Blocker {
    policy(
        candidate,
        problem.code,
        problem.to_string(),
        problem.hint.clone(),
    )
}

fn policy(candidate: &Candidate, code: &'static str, message: String, hint: String) -> Blocker {
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code,
            version: Some(candidate.version.clone()),
            message,
            hint,
        },
    }
}

fn needs_directive(candidate: &Candidate, statement: u64) -> Blocker {
    policy(
        candidate,
        "not-in-transaction",
        format!(
            "statement {statement} of `{}` cannot run inside a transaction, and the script has others",
            candidate.script.label()
        ),
        "move it to a migration of its own, or add the line `-- mledger:no-transaction` before the \
         first statement"
            .to_owned(),
    )
}

fn transaction_control(candidate: &Candidate, line: u64, word: &str) -> Blocker {
    let place = if line == 0 {
        String::new()
    } else {
        format!(", line {line}")
    };
    policy(
        candidate,
        "transaction-control",
        format!(
            "`{}`{place}: `{word}` would change the transaction in which the {} script runs",
            candidate.script.label(),
            match candidate.direction {
                Direction::Up => "up",
                Direction::Down => "down",
            }
        ),
        "take it out: each script runs in a transaction of its own; a script that must commit in \
         between needs `-- mledger:no-transaction`"
            .to_owned(),
    )
}

fn unusable(candidate: &Candidate, reason: &Unusable) -> Blocker {
    let found = match reason {
        Unusable::Absent(_) => "that they were erased, or too large to be kept",
        Unusable::Missing(_) | Unusable::Mismatch(_) => "no usable bytes",
    };
    Blocker {
        kind: BlockerKind::Integrity,
        refusal: Refusal {
            code: "object-missing",
            version: Some(candidate.version.clone()),
            message: format!(
                "expected the bytes of the script `{}` in the ledger's objects, found {found}",
                candidate.digest
            ),
            hint: "put the file back as it was when the migration was applied".to_owned(),
        },
    }
}
