//! How long a migration may take, from the header and from how large the tables are.

use std::collections::BTreeMap;

use super::super::change::Change;
use super::super::dialect::Locks;
use super::super::subject::{Analysed, Subject};
use super::super::{Context, Found, Rule, TableSize, rule};

/// How many bytes are read in a millisecond where all rows are looked at: 100 MB in a second, as from a
/// modest disk with nothing in memory.
const READ: u64 = 100_000;

/// The same where all rows are written anew or sorted into an index: 25 MB in a second.
const WRITE: u64 = 25_000;

/// The same where rows are deleted or updated one by one, with their indexes and the log of it: 10 MB in a
/// second.
const BY_ROW: u64 = 10_000;

/// Rules about what is held or written for as long as a table is large, or is gone with it.
static ABOUT_SIZE: &[&Rule] = &[
    &rule::DESTRUCTIVE_NO_WAY_BACK,
    &rule::DROP_TABLE,
    &rule::DROP_COLUMN,
    &rule::TRUNCATE_TABLE,
    &rule::INDEX_LOCKS_WRITES,
    &rule::CONSTRAINT_LOCKS,
    &rule::UNIQUE_LOCKS,
    &rule::TYPE_CHANGE,
    &rule::NOT_NULL_SCANS,
    &rule::DEFAULT_REWRITES,
    &rule::TABLE_COPIED,
    &rule::ALGORITHM_NOT_STATED,
    &rule::UPDATE_EVERYTHING,
    &rule::DELETE_EVERYTHING,
];

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let Some(limit) = context.settings.max_duration else {
        return;
    };
    let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let stated = subject.migration.metadata.estimated_duration;
    if let Some(stated) = stated.filter(|stated| *stated > limit) {
        let message =
            format!("the header expects {stated} ms, and `max_duration` allows {limit} ms");
        found.push(Found::whole(&rule::TAKES_TOO_LONG, message));
        return;
    }
    let costs = costs(context, subject);
    let total = total(&costs);
    if total <= limit {
        return;
    }
    // told where most of the time goes
    if let Some(cost) = costs.iter().max_by_key(|cost| cost.ms) {
        let message = "by an estimate the script takes longer than `max_duration` allows";
        let mut one = Found::at(&rule::TAKES_TOO_LONG, cost.statement, message);
        one.today = vec![
            format!(
                "about {total} ms, {} ms of them here, and {limit} ms are allowed",
                cost.ms
            ),
            told(&cost.table, cost.size),
        ];
        found.push(one);
    }
}

/// Returns about how long the up script takes, as far as whole tables of known size are read or written.
pub(in super::super) fn estimate(context: &Context<'_>, subject: &Subject<'_>) -> u64 {
    total(&costs(context, subject))
}

/// Adds to what was found how large the tables are that are locked or written anew.
pub(in super::super) fn tell_sizes(
    context: &Context<'_>,
    subject: &Subject<'_>,
    found: &mut [Found],
) {
    for one in found {
        if !ABOUT_SIZE.contains(&one.rule) {
            continue;
        }
        let statements = &subject.up.statements;
        let statement = statements
            .iter()
            .find(|statement| Some(statement.index) == one.statement);
        let changes = statement.and_then(|statement| statement.changes.as_deref());
        let mut sizes: BTreeMap<String, String> = BTreeMap::new();
        for table in changes.unwrap_or_default().iter().filter_map(Change::table) {
            if let Some(size) = context.sizes.get(&table.key()) {
                sizes.insert(table.key(), told(&table.0, *size));
            }
        }
        one.today.extend(sizes.into_values());
    }
}

/// What a statement costs because of how large a table is.
struct Cost<'a> {
    statement: &'a Analysed,
    table: String,
    size: TableSize,
    ms: u64,
}

/// Returns what each statement costs that reads or writes a whole table; once for each table of a
/// statement, since a server does so once for all that the statement changes.
fn costs<'a>(context: &Context<'_>, subject: &'a Subject<'_>) -> Vec<Cost<'a>> {
    let mut costs: Vec<Cost<'a>> = Vec::new();
    for (statement, change) in subject.up.changes() {
        let Some(table) = change.table() else {
            continue;
        };
        let (Some(size), Some(rate)) = (
            context.sizes.get(&table.key()),
            bytes_per_ms(change, context.dialect.locks),
        ) else {
            continue;
        };
        let cost = Cost {
            statement,
            table: table.to_string(),
            size: *size,
            ms: size.bytes / rate,
        };
        let known = costs
            .iter_mut()
            .find(|known| known.statement.index == statement.index && known.table == cost.table);
        match known {
            Some(known) => known.ms = known.ms.max(cost.ms),
            None => costs.push(cost),
        }
    }
    costs
}

fn total(costs: &[Cost<'_>]) -> u64 {
    costs
        .iter()
        .fold(0, |sum, cost| sum.saturating_add(cost.ms))
}

/// Returns how fast a change goes through all of its table, if it does.
fn bytes_per_ms(change: &Change, locks: Locks) -> Option<u64> {
    match change {
        Change::SetNotNull { .. } => Some(READ),
        Change::CreateIndex { .. }
        | Change::AlterType { .. }
        | Change::AddKeys { .. }
        | Change::CopyTable { .. } => Some(WRITE),
        Change::DropColumn { .. } if locks != Locks::Transaction => Some(WRITE),
        Change::Delete { .. } | Change::Update { .. } => Some(BY_ROW),
        _ => None,
    }
}

fn told(table: &str, size: TableSize) -> String {
    let bytes = in_units(size.bytes);
    match size.rows {
        Some(rows) => format!("`{table}` has about {rows} rows in {bytes}"),
        None => format!("`{table}` has about {bytes}"),
    }
}

fn in_units(bytes: u64) -> String {
    match bytes {
        0..0x2800 => format!("{bytes} bytes"),
        0x2800..0xa0_0000 => format!("{} KiB", bytes >> 10),
        0xa0_0000..0x2_8000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use crate::lint::{POSTGRES, Report, Review, SQLITE, Settings, Sizes, TableSize};
    use crate::migration::source::{self, Options};
    use crate::migration::split;

    /// One gigabyte of orders, and a script about them.
    fn report(script: &str, seconds: u64) -> Report {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1_orders.sql"), script).unwrap();
        let files = source::read(folder.path(), &Options::default(), &split::POSTGRES).unwrap();
        let review = Review::load(&files, &split::POSTGRES, &POSTGRES, &|_| true).unwrap();
        let settings = Settings {
            max_duration: Some(Duration::from_secs(seconds)),
            ..Settings::default()
        };
        let size = TableSize {
            rows: Some(5_000_000),
            bytes: 1_000_000_000,
        };
        let asked = review.tables();
        let known = |table: &&String| table.eq_ignore_ascii_case("orders");
        let sizes: Sizes = asked
            .iter()
            .filter(known)
            .map(|table| (table.to_ascii_lowercase(), size))
            .collect();
        review.report(&settings, &sizes)
    }

    fn message(report: &Report, rule: &str) -> Option<String> {
        let found = report.findings.iter().find(|finding| finding.rule == rule);
        found.map(|finding| finding.message.clone())
    }

    #[test]
    fn what_goes_through_a_whole_table_is_estimated() {
        for (script, ms) in [
            (
                "ALTER TABLE orders ALTER COLUMN total SET NOT NULL;",
                10_000,
            ),
            ("CREATE INDEX idx_orders_total ON Orders (total);", 40_000),
            ("UPDATE orders SET total = 0;", 100_000),
            ("ALTER TABLE orders ADD COLUMN note text;", 0),
            ("INSERT INTO orders VALUES (1);", 0),
            ("UPDATE customers SET name = '';", 0),
            // it is made here, so what a database has of that name is another one
            (
                "CREATE TABLE orders (total int);\nCREATE INDEX i ON orders (total);",
                0,
            ),
            // once for all that one statement does, and again for the next
            (
                "ALTER TABLE orders ALTER COLUMN total TYPE bigint, ALTER COLUMN paid TYPE bigint;\n\
                 UPDATE orders SET total = 0;",
                140_000,
            ),
        ] {
            let report = report(script, 1_000);
            assert_eq!(report.estimated_ms, ms, "{script}");
            assert_eq!(message(&report, "takes-too-long"), None, "{script}");
        }
    }

    #[test]
    fn rules_about_locks_say_the_size_and_the_sum_is_compared() {
        let report = report(
            "CREATE INDEX idx_orders_total ON orders (total);\nUPDATE orders SET total = 0;",
            120,
        );
        let size = "`orders` has about 5000000 rows in 953 MiB";
        let locks = message(&report, "index-locks-writes").unwrap();
        assert!(locks.ends_with(size), "{locks}");
        let long = message(&report, "takes-too-long").unwrap();
        for part in [
            "by an estimate",
            "140000 ms, 100000 ms of them here",
            size,
            "120000 ms are allowed",
        ] {
            assert!(long.contains(part), "{part}: {long}");
        }
        let finding = report
            .findings
            .iter()
            .find(|one| one.rule == "takes-too-long");
        assert_eq!(finding.unwrap().line, Some(2));
        assert_eq!(report.tables.len(), 1);
    }

    #[test]
    fn without_sizes_nothing_is_said_of_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1_a.sql"), "DELETE FROM orders;").unwrap();
        let files = source::read(folder.path(), &Options::default(), &split::SQLITE).unwrap();
        let review = Review::load(&files, &split::SQLITE, &SQLITE, &|_| true).unwrap();
        let report = review.report(&Settings::default(), &Sizes::new());
        assert_eq!((report.estimated_ms, report.tables.len()), (0, 0));
        let message = message(&report, "destructive-no-way-back").unwrap();
        assert!(!message.contains("rows in"), "{message}");
    }
}
