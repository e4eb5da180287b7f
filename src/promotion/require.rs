//! What of a plan was not applied where it must have been applied first.

use ledger::{Digest, Direction};

use super::{Elsewhere, There};
use crate::migration::Version;
use crate::plan::{Blocker, BlockerKind, Plan, Step};
use crate::report::{OtherLedger, Refusal};

/// How many digits of a digest a message shows.
const SHOWN: usize = 12;

/// What the steps of a plan rely on in another ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relied {
    /// The steps whose bytes are applied there, each with the event that says so.
    pub promoted: Vec<(String, u64)>,
    /// Why the others may not run.
    pub blockers: Vec<Blocker>,
}

/// Compares the scripts that a plan would apply with what is applied in the other ledger.
///
/// Line ends do not matter, as everywhere; what a person marked and no script did does not count.
pub fn require(plan: &Plan, from: &OtherLedger, other: &Elsewhere) -> Relied {
    let mut relied = Relied::default();
    let up = plan
        .steps
        .iter()
        .filter(|step| step.candidate.direction == Direction::Up);
    for step in up {
        let candidate = &step.candidate;
        let version = candidate.version.parse::<Version>();
        let there = version.as_ref().map_or(There::Absent, |version| {
            other.standing(version, &candidate.checksum)
        });
        match there {
            There::Ran(ran) => relied.promoted.push((candidate.version.clone(), ran.seq)),
            other => relied.blockers.push(missing(step, from, other)),
        }
    }
    relied
}

fn missing(step: &Step, from: &OtherLedger, there: There<'_>) -> Blocker {
    let candidate = &step.candidate;
    let found = match there {
        There::OtherBytes(ran) => format!(
            "found other bytes there, applied with event {}: the checksum `{}`, not `{}`",
            ran.seq,
            short(&ran.checksum),
            short(&candidate.checksum)
        ),
        There::Marked(seq) => {
            format!("found it marked as applied there with event {seq}: no script ran")
        }
        There::RolledBack(Some(seq)) => format!("found it rolled back there with event {seq}"),
        There::RolledBack(None) => "found it rolled back there".to_owned(),
        There::Unfinished => "found that its last attempt there has no good end".to_owned(),
        There::Ran(_) | There::Absent => "found nothing of it that is in force there".to_owned(),
    };
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code: "promotion-missing",
            version: Some(candidate.version.clone()),
            message: format!(
                "expected `{}` to be applied in `{}` first, whose ledger `{}` has {} events: {found}",
                candidate.script.label(),
                from.environment,
                short(&from.ledger),
                from.size
            ),
            hint: format!(
                "apply exactly this file in `{}`, and export its ledger again where a bundle is read; \
                 `mledger promote` compares the two",
                from.environment
            ),
        },
    }
}

fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(SHOWN).collect()
}
