//! The sections of a report, with their words.

use ledger::verify::Anchor;
use ledger::{Finding, Severity};

use super::document::{Block, Facts, Section, change_facts};
use super::model::Report;
use super::sample::Sample;
use super::table::{Cell, Column};
use super::tables;

/// The title of every report.
pub(super) const TITLE: &str = "Database change report";

/// The title of a sample.
pub(super) const SAMPLE_TITLE: &str = "Sample of database changes";

/// Says what a report is about, in one line.
pub(super) fn subtitle(report: &Report) -> String {
    format!(
        "{} database {}, environment {}, {}",
        report.subject.engine,
        report.subject.database,
        report.subject.environment,
        report.period.words()
    )
}

fn section(id: &'static str, title: &'static str, intro: String, blocks: Vec<Block>) -> Section {
    Section {
        id,
        title,
        intro,
        controls: Vec::new(),
        blocks,
    }
}

fn facts(facts: Vec<(&'static str, Cell)>) -> Block {
    Block::Facts(Facts {
        title: None,
        event: None,
        facts,
    })
}

/// The first section: what was found, without an opinion.
pub(super) fn summary(report: &Report) -> Section {
    let subject = &report.subject;
    let population = &report.population;
    let mut found = vec![
        ("Environment", Cell::text(&subject.environment)),
        ("Database", Cell::text(&subject.database)),
        ("Kind of database", Cell::text(&subject.engine)),
        ("Ledger", Cell::Code(subject.ledger.to_string())),
        ("Events", Cell::Number(subject.events)),
        ("Root over them", Cell::Code(subject.root.to_string())),
        ("First event", Cell::time(subject.first_event_at)),
        ("Newest event", Cell::time(subject.newest_event_at)),
        ("Period", Cell::text(report.period.words())),
        ("Changes in the period", Cell::Number(population.changes)),
        ("Exceptions", Cell::Number(report.exceptions.len() as u64)),
        ("Made by", Cell::text(&subject.tool)),
    ];
    for (outcome, count) in &population.outcomes {
        found.push((outcome.text(), Cell::Number(*count)));
    }
    if let Some(framework) = report.framework {
        found.push(("Framework", Cell::Word(framework.title())));
    }
    section(
        "summary",
        "Summary",
        "This report repeats what the ledger's events say and what was verified of them. It holds no \
         opinion, and it was made from the events alone: the newest one is its date, and the same events \
         give the same report."
            .to_owned(),
        vec![facts(found)],
    )
}

/// What was verified, and how far that reaches.
pub(super) fn verification(report: &Report) -> Section {
    let verification = &report.verification;
    let errors = count(&verification.findings, Severity::Error);
    let warnings = count(&verification.findings, Severity::Warning);
    let checked = &verification.checked;
    let found = vec![
        (
            "Result",
            if errors == 0 {
                Cell::Word("intact")
            } else {
                Cell::Alert("not intact")
            },
        ),
        ("Errors", Cell::Number(errors)),
        ("Warnings", Cell::Number(warnings)),
        ("Completeness", Cell::text(completeness(report))),
        (
            "First key",
            Cell::Word(if verification.trusted {
                "known from outside of the ledger"
            } else {
                "taken on trust: nothing from outside of the ledger says whose it is"
            }),
        ),
        ("Events checked", Cell::Number(checked.events)),
        ("Signatures checked", Cell::Number(checked.signatures)),
        ("Stored objects checked", Cell::Number(checked.objects)),
        ("Files checked", Cell::Number(checked.files)),
        (
            "Schema fingerprints compared",
            Cell::Number(checked.schemas),
        ),
        ("Head", Cell::Code(verification.head.to_string())),
        ("Root", Cell::Code(verification.root.to_string())),
    ];
    let columns = [
        ("code", "Finding", 22),
        ("severity", "Severity", 10),
        ("seq", "Event", 8),
        ("message", "What was found", 60),
    ]
    .map(|(key, label, width)| Column {
        key,
        label,
        overview: true,
        width,
    });
    let rows = verification.findings.iter().map(|finding| {
        let cells = vec![
            Cell::Word(finding.code.as_str()),
            match finding.severity {
                Severity::Error => Cell::Alert("error"),
                Severity::Warning => Cell::Word("warning"),
            },
            Cell::event(finding.seq),
            Cell::text(&finding.message),
        ];
        (finding.seq, cells)
    });
    let findings = tables::table("findings", "Nothing was found.", &columns, rows);
    section(
        "verification",
        "What was verified",
        "Every event's form, place, signature and key, and whether it can follow from those before it. \
         The record is tamper-evident: a change to it shows; it is not prevented."
            .to_owned(),
        vec![facts(found), Block::Table(findings)],
    )
}

fn count(findings: &[Finding], severity: Severity) -> u64 {
    let found = findings.iter().filter(|one| one.severity == severity);
    found.count() as u64
}

/// Never says more than is known.
fn completeness(report: &Report) -> String {
    let size = report.verification.anchored_size;
    match report.verification.anchored_to {
        Anchor::Nothing => {
            "anchored to nothing: events may be missing at the end without a trace, since \
                            no checkpoint that was kept elsewhere was compared"
                .to_owned()
        }
        Anchor::RememberedHead => format!(
            "anchored to the head that the computer which made this report remembers, {size} events"
        ),
        Anchor::Checkpoint => {
            format!("anchored to a checkpoint that was kept elsewhere, {size} events")
        }
    }
}

/// What to look at first.
pub(super) fn exceptions(report: &Report) -> Section {
    section(
        "exceptions",
        "Exceptions",
        "Everything in the period that left the usual way. What concerns the ledger as a whole (keys, \
         forks, rewinds, erased objects, clocks that went back, findings of the verification) is listed \
         whatever the period. An exception is not yet a fault: the reasons stand as people gave them."
            .to_owned(),
        vec![
            Block::Table(tables::exception_counts(&report.population.exceptions)),
            Block::Table(tables::exceptions(&report.exceptions)),
        ],
    )
}

/// The full population.
pub(super) fn changes(report: &Report) -> Section {
    let population = &report.population;
    section(
        "changes",
        "Changes: the full population",
        format!(
            "A change is an attempt to apply a migration or to roll it back, whatever became of it, or a \
             person's word that one counts as applied or not. Selected are all {} of the {} changes of the \
             ledger whose last event {}. Times are claims of the computers that \
             ran the tool; the order of events is proven, and clocks that went back are exceptions.",
            population.changes,
            population.in_ledger,
            report.period.choice()
        ),
        vec![
            facts(vec![
                ("Changes", Cell::Number(population.changes)),
                ("First event", Cell::event(population.first_seq)),
                ("Last event", Cell::event(population.last_seq)),
            ]),
            Block::Table(tables::changes(&report.changes).overview()),
        ],
    )
}

/// What was drawn, and how to draw it again.
pub(super) fn sample(report: &Report, sample: &Sample) -> Section {
    let population = &report.population;
    section(
        "sample",
        "How the sample was drawn",
        "For each change of the population the SHA-256 is computed of the seed, a line feed and the number of \
         its event in decimal digits. The changes with the smallest digests are the sample, so that anybody \
         who has the list of events draws the same one: `printf '%s\\n%s' SEED EVENT | sha256sum`."
            .to_owned(),
        vec![
            facts(vec![
                ("Population is each change whose last event", Cell::text(report.period.choice())),
                ("Seed", Cell::text(&sample.seed)),
                ("Asked for", Cell::Number(sample.asked)),
                ("Drawn", Cell::Number(sample.drawn.len() as u64)),
                ("Population", Cell::Number(population.changes)),
                ("First event", Cell::event(population.first_seq)),
                ("Last event", Cell::event(population.last_seq)),
            ]),
            Block::Table(tables::sample(sample)),
        ],
    )
}

/// How many changes a page tells in full, at most: all of each of them is in the tables and in JSON.
const TOLD_IN_FULL: usize = 1_000;

/// All that is known of each change.
pub(super) fn details(report: &Report) -> Option<Section> {
    if report.changes.is_empty() {
        return None;
    }
    let left_out = report.changes.len().saturating_sub(TOLD_IN_FULL);
    let changes = report.changes.iter().skip(left_out);
    Some(section(
        "details",
        "Each change in full",
        "The planned script is the one that the approved plan names, the script the one whose bytes ran, \
         both by their SHA-256. The schema is fingerprinted at the start and at the end of a run, not \
         between its changes. Approvals are those of the plan that were in force when its run began. What \
         is left out is not known, or did not happen."
            .to_owned()
            + &beyond(left_out),
        changes
            .map(|change| Block::Facts(change_facts(change)))
            .collect(),
    ))
}

fn beyond(left_out: usize) -> String {
    if left_out == 0 {
        return String::new();
    }
    format!(
        " Told here are the newest {TOLD_IN_FULL} changes; the {left_out} before them stand in full in the \
         report's JSON (report.json) and CSV (changes.csv), or in a report on a shorter period."
    )
}

/// Who did what.
pub(super) fn duties(report: &Report) -> Section {
    section(
        "duties",
        "Separation of duties",
        "How many changes each person wrote, approved and ran, and what else they did. People are told \
         apart by the names of their keys; authors, whom headers name, are matched to them by name, with \
         or without what follows an `@`. A change that one person approved and also wrote or ran stands \
         with its event."
            .to_owned(),
        vec![Block::Table(tables::duties(&report.duties))],
    )
}

/// Keys and roles over time.
pub(super) fn keys(report: &Report) -> Section {
    section(
        "keys",
        "Keys and roles over time",
        "Every key that the ledger ever let in. A key counts for the events after the one that added it, \
         up to the one that retired it."
            .to_owned(),
        vec![Block::Table(tables::keys(&report.keys).overview())],
    )
}

/// Backups, and whether they were tried.
pub(super) fn backups(report: &Report) -> Section {
    section(
        "backups",
        "Backups and restores",
        "Backups that were taken, tested, restored or removed in the period, with the last time of each."
            .to_owned(),
        vec![Block::Table(tables::backups(&report.backups).overview())],
    )
}

/// What no report of this kind can show.
pub(super) fn limits() -> Section {
    let limits = [
        "That a clock was right: times are what the computers said; the order of events is proven.",
        "That a key was in the hands of the person whose name it has.",
        "That nobody changed data by other means; changes of the schema by other means show where a run \
         compared its fingerprint.",
        "That an approval was given with care, or that a reason was a good one.",
        "That nothing is missing at the end, unless completeness is anchored to something that was kept \
         outside of the database.",
    ];
    section(
        "limits",
        "What this report does not show",
        "What no list of events can show by itself.".to_owned(),
        vec![Block::Sentences(limits.map(str::to_owned).to_vec())],
    )
}
