//! The tables of a report, each with its columns; spreadsheets and pages show the same ones.

use super::model::{Backup, Change, Duties, Exception, ExceptionKind, Key};
use super::period::Period;
use super::sample::{Drawn, Sample};
use super::table::{Cell, Column, Row, Table};

const fn column(key: &'static str, label: &'static str, width: u16) -> Column {
    Column {
        key,
        label,
        overview: false,
        width,
    }
}

/// A column that also stands in the overview of a page.
const fn shown(key: &'static str, label: &'static str, width: u16) -> Column {
    Column {
        overview: true,
        ..column(key, label, width)
    }
}

const CHANGES: &[Column] = &[
    shown("seq", "Event", 8),
    shown("time", "Time", 28),
    column("environment", "Environment", 14),
    shown("version", "Version", 18),
    shown("name", "Name", 24),
    column("description", "Description", 40),
    shown("ticket", "Ticket", 14),
    shown("author", "Author", 20),
    column("direction", "Direction", 10),
    shown("outcome", "Outcome", 18),
    column("detail", "Detail", 40),
    shown("approved_by", "Approved by", 24),
    column("approved_at", "Approved at", 28),
    column("approval_events", "Approval events", 12),
    column("approver_keys", "Approvers' keys", 52),
    column("approvals_required", "Approvals required", 10),
    shown("ran_by", "Ran by", 20),
    column("actor", "Actor", 24),
    column("host", "Host", 18),
    column("key", "Key", 52),
    column("run", "Run", 38),
    column("command", "Command", 12),
    column("pipeline", "Pipeline", 40),
    column("plan", "Plan", 66),
    column("planned_script", "Planned script", 66),
    column("script", "Script", 66),
    column("scripts_agree", "Scripts agree", 8),
    column("validation", "Validation", 26),
    column("checks", "Checks", 26),
    column("started_at", "Started", 28),
    column("ended_at", "Ended", 28),
    column("duration_ms", "Duration (ms)", 12),
    column("rolled_back_by", "Rolled back by event", 10),
    column("forced", "Forced, with reasons", 40),
    column("emergency", "Emergency", 10),
    column("backup", "Backup taken first", 38),
    column("schema_before", "Schema before its run", 66),
    column("schema_after", "Schema after its run", 66),
    shown("exceptions", "Exceptions", 30),
];

/// Returns all that is known of changes.
pub(super) fn changes(changes: &[Change]) -> Table {
    table(
        "changes",
        "There is no change in the period.",
        CHANGES,
        changes
            .iter()
            .map(|change| (Some(change.seq), change_row(change))),
    )
}

fn change_row(change: &Change) -> Vec<Cell> {
    let approvals =
        |cell: fn(&super::model::Approval) -> Cell| Cell::list(change.approvals.iter().map(cell));
    let ran = &change.ran;
    vec![
        Cell::Event(change.seq),
        Cell::time(change.ended_at.or(change.started_at)),
        Cell::text(&change.environment),
        Cell::text(&change.version),
        Cell::text(&change.name),
        Cell::text(&change.description),
        Cell::text(&change.ticket),
        Cell::text(&change.author),
        Cell::Word(change.direction.as_str()),
        Cell::Word(change.outcome.text()),
        Cell::text(&change.detail),
        approvals(|one| Cell::text(&one.by)),
        approvals(|one| Cell::Time(one.time)),
        approvals(|one| Cell::Event(one.seq)),
        approvals(|one| Cell::Code(one.key.to_string())),
        Cell::number(change.approvals_required),
        Cell::text(&ran.by),
        Cell::text(&ran.actor),
        Cell::text(&ran.host),
        Cell::Code(ran.key.to_string()),
        Cell::Code(ran.run.to_string()),
        Cell::text(ran.command.as_deref().unwrap_or_default()),
        ran.pipeline.as_ref().map_or(Cell::Nothing, |pipeline| {
            Cell::list([&pipeline.provider, &pipeline.commit, &pipeline.url].map(Cell::text))
        }),
        Cell::code(ran.plan),
        Cell::code(change.scripts.planned),
        Cell::code(change.scripts.actual),
        match change.scripts.agree {
            None => Cell::Nothing,
            Some(true) => Cell::Flag(true),
            Some(false) => Cell::Alert("no"),
        },
        Cell::text(validation(change)),
        Cell::list(
            change.tests.checks.iter().map(|check| {
                Cell::Text(format!("{} {}: {}", check.name, check.when, check.outcome))
            }),
        ),
        Cell::time(change.started_at),
        Cell::time(change.ended_at),
        Cell::number(change.duration_ms),
        Cell::event(change.rolled_back_by),
        Cell::list(
            change
                .forced
                .iter()
                .map(|forced| Cell::Text(format!("{}: {}", forced.finding, forced.reason))),
        ),
        Cell::Flag(change.emergency),
        Cell::code(change.backup),
        Cell::code(change.schema_before),
        Cell::code(change.schema_after),
        Cell::list(
            change
                .exceptions
                .iter()
                .map(|kind| Cell::Alert(kind.as_str())),
        ),
    ]
}

fn validation(change: &Change) -> String {
    change
        .tests
        .validation
        .as_ref()
        .map_or_else(String::new, |validation| {
            format!(
                "{} errors, {} warnings (event {})",
                validation.errors, validation.warnings, validation.seq
            )
        })
}

/// Returns what is out of the ordinary.
pub(super) fn exceptions(exceptions: &[Exception]) -> Table {
    let columns = &[
        shown("exception", "Exception", 18),
        shown("meaning", "What it means", 40),
        shown("seq", "Event", 8),
        shown("time", "Time", 28),
        shown("change", "Change", 8),
        shown("version", "Version", 18),
        shown("actor", "Actor", 24),
        shown("detail", "Detail, reasons as they were given", 60),
    ];
    let row = |exception: &Exception| {
        vec![
            Cell::Alert(exception.kind.as_str()),
            Cell::Word(exception.kind.text()),
            Cell::event(exception.seq),
            Cell::time(exception.time),
            Cell::event(exception.change),
            Cell::text(exception.version.as_deref().unwrap_or_default()),
            Cell::text(exception.actor.as_deref().unwrap_or_default()),
            Cell::text(&exception.detail),
        ]
    };
    table(
        "exceptions",
        "There is no exception in the period.",
        columns,
        exceptions.iter().map(|one| (one.seq, row(one))),
    )
}

/// Returns how many exceptions of each sort there are.
pub(super) fn exception_counts(counts: &std::collections::BTreeMap<ExceptionKind, u64>) -> Table {
    let columns = &[
        shown("exception", "Exception", 18),
        shown("meaning", "What it means", 40),
        shown("count", "Count", 8),
    ];
    let row = |(kind, count): (&ExceptionKind, &u64)| {
        let cells = vec![
            Cell::Alert(kind.as_str()),
            Cell::Word(kind.text()),
            Cell::Number(*count),
        ];
        (None, cells)
    };
    table(
        "exception counts",
        "There is none.",
        columns,
        counts.iter().map(row),
    )
}

/// Returns what was drawn, and by which rank.
pub(super) fn sample(sample: &Sample) -> Table {
    let columns = &[
        shown("seq", "Event", 8),
        shown("rank", "SHA-256 of seed, line feed and event", 66),
    ];
    let row = |drawn: &Drawn| {
        let cells = vec![Cell::Event(drawn.seq), Cell::Code(drawn.rank.to_string())];
        (Some(drawn.seq), cells)
    };
    table(
        "sample",
        "Nothing was drawn.",
        columns,
        sample.drawn.iter().map(row),
    )
}

/// Returns the keys over time.
pub(super) fn keys(keys: &[Key]) -> Table {
    let columns = &[
        shown("name", "Name", 24),
        shown("roles", "Roles", 24),
        shown("added_at", "Added", 28),
        column("added_seq", "Added by event", 8),
        shown("added_by", "Added by", 24),
        shown("retired_at", "Retired", 28),
        column("retired_seq", "Retired by event", 8),
        column("retired_by", "Retired by", 24),
        shown("reason", "Reason", 40),
        shown("suspect_from", "Suspect from event", 10),
        shown("signatures", "Signatures", 10),
        shown("key", "Key", 52),
    ];
    let row = |key: &Key| {
        vec![
            Cell::text(&key.name),
            Cell::list(key.roles.iter().map(|role| Cell::Word(role.as_str()))),
            Cell::Time(key.added_at),
            Cell::Event(key.added_seq),
            Cell::text(&key.added_by),
            Cell::time(key.retired_at),
            Cell::event(key.retired_seq),
            Cell::text(key.retired_by.as_deref().unwrap_or_default()),
            Cell::text(key.reason.as_deref().unwrap_or_default()),
            Cell::event(key.suspect_from),
            Cell::Number(key.signatures),
            Cell::Code(key.fingerprint.to_string()),
        ]
    };
    table(
        "keys",
        "No key was ever let in.",
        columns,
        keys.iter().map(|key| (None, row(key))),
    )
}

/// Returns who did what.
pub(super) fn duties(duties: &[Duties]) -> Table {
    let columns = &[
        shown("person", "Person", 24),
        shown("roles", "Roles of their keys", 24),
        shown("authored", "Wrote", 8),
        shown("approved", "Approved", 8),
        shown("ran", "Ran", 8),
        shown("released", "Released", 8),
        shown("audited", "Audited", 8),
        shown("conflicts", "Approved own changes", 20),
        shown("may_run_and_approve", "Keys may run and approve", 12),
    ];
    let row = |duties: &Duties| {
        vec![
            Cell::text(&duties.person),
            Cell::list(duties.roles.iter().map(|role| Cell::Word(role.as_str()))),
            Cell::Number(duties.authored),
            Cell::Number(duties.approved),
            Cell::Number(duties.ran),
            Cell::Number(duties.released),
            Cell::Number(duties.audited),
            Cell::list(duties.conflicts.iter().map(|seq| Cell::Event(*seq))),
            Cell::Flag(duties.may_run_and_approve),
        ]
    };
    table(
        "duties",
        "Nobody did anything in the period.",
        columns,
        duties.iter().map(|duties| (None, row(duties))),
    )
}

/// Returns the backups and what became of them.
pub(super) fn backups(backups: &[Backup]) -> Table {
    let columns = &[
        shown("seq", "Event", 8),
        shown("name", "Name", 24),
        shown("taken_at", "Taken", 28),
        shown("taken_by", "Taken by", 24),
        shown("encrypted", "Encrypted", 10),
        shown("verified_at", "Last tested", 28),
        shown("restored_at", "Last restored", 28),
        shown("removed", "Removed", 8),
        shown("size", "Bytes", 12),
        column("id", "Id", 38),
        column("sha256", "SHA-256", 66),
    ];
    let row = |backup: &Backup| {
        vec![
            Cell::Event(backup.seq),
            Cell::text(&backup.name),
            Cell::Time(backup.taken_at),
            Cell::text(&backup.taken_by),
            Cell::Flag(backup.encrypted),
            Cell::time(backup.verified_at),
            Cell::time(backup.restored_at),
            Cell::Flag(backup.removed),
            Cell::Number(backup.size),
            Cell::Code(backup.id.to_string()),
            Cell::Code(backup.sha256.to_string()),
        ]
    };
    table(
        "backups",
        "No backup was taken, tested, restored or removed in the period.",
        columns,
        backups.iter().map(|backup| (Some(backup.seq), row(backup))),
    )
}

/// Returns how the bounds of a period were chosen.
pub(super) fn period(period: &Period) -> Table {
    let columns = &[
        shown("bound", "Bound", 10),
        shown("release", "Release", 18),
        shown("event", "Event", 8),
        shown("time", "Time", 28),
    ];
    let times = [("since", period.since), ("until", period.until)];
    let releases = [("from", &period.from), ("to", &period.to)];
    let times = times.into_iter().filter_map(|(name, time)| {
        let cells = [
            Cell::Word(name),
            Cell::Nothing,
            Cell::Nothing,
            Cell::Time(time?),
        ];
        Some((None, cells.to_vec()))
    });
    let releases = releases.into_iter().filter_map(|(name, bound)| {
        let bound = bound.as_ref()?;
        let cells = [
            Cell::Word(name),
            Cell::text(&bound.release),
            Cell::Event(bound.seq),
            Cell::Time(bound.tagged_at),
        ];
        Some((Some(bound.seq), cells.to_vec()))
    });
    table(
        "period",
        "The period is the whole history.",
        columns,
        times.chain(releases),
    )
}

/// Returns a table of rows and the events that they are about.
pub(super) fn table(
    name: &'static str,
    empty: &'static str,
    columns: &[Column],
    rows: impl Iterator<Item = (Option<u64>, Vec<Cell>)>,
) -> Table {
    Table {
        name,
        empty,
        columns: columns.to_vec(),
        rows: rows.map(|(event, cells)| Row { event, cells }).collect(),
    }
}
