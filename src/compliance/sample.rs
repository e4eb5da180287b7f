//! Samples that an auditor can draw again by hand.

use std::collections::BTreeSet;

use ledger::Digest;
use serde::Serialize;

use super::model::Report;

/// How a sample was drawn, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// What the draw depends on, beside the population.
    pub seed: String,
    /// How many changes were asked for.
    pub asked: u64,
    /// What was drawn, in the order of the log.
    pub drawn: Vec<Drawn>,
}

/// A change that was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// Its event.
    pub seq: u64,
    /// The digest that decided.
    pub rank: Digest,
}

/// Returns the digest by which a change is drawn: SHA-256 of the seed, a line feed and the number of its
/// event in decimal digits.
pub fn rank(seed: &str, seq: u64) -> Digest {
    Digest::of(format!("{seed}\n{seq}").as_bytes())
}

/// Keeps of a report the `count` changes with the smallest ranks, and what is out of the ordinary about
/// them or about the whole ledger.
#[must_use]
pub fn draw(mut report: Report, seed: &str, count: u64) -> Report {
    let mut ranked: Vec<Drawn> = report
        .changes
        .iter()
        .map(|change| Drawn {
            seq: change.seq,
            rank: rank(seed, change.seq),
        })
        .collect();
    ranked.sort_by_key(|drawn| *drawn.rank.as_bytes());
    ranked.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    ranked.sort_by_key(|drawn| drawn.seq);
    let kept: BTreeSet<u64> = ranked.iter().map(|drawn| drawn.seq).collect();
    report.changes.retain(|change| kept.contains(&change.seq));
    report
        .exceptions
        .retain(|one| one.change.is_none_or(|change| kept.contains(&change)));
    report.population.exceptions.clear();
    for exception in &report.exceptions {
        *report
            .population
            .exceptions
            .entry(exception.kind)
            .or_default() += 1;
    }
    report.sample = Some(Sample {
        seed: seed.to_owned(),
        asked: count,
        drawn: ranked,
    });
    report
}
