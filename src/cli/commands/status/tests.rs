use ledger::Digest;
use mledger::report::{DatabaseView, MigrationView};

use super::*;

pub(super) fn migration(version: &str, state: State) -> MigrationView {
    let applied = state == State::Applied;
    MigrationView {
        version: version.to_owned(),
        name: "add_users".to_owned(),
        state,
        batch: applied.then_some(1),
        applied_at: applied.then_some(Timestamp::from_micros(1_767_225_600_000_000)),
        duration_ms: applied.then_some(12),
        checksum: Digest::of(version.as_bytes()),
        applied_by: applied.then(|| "dana\u{1b}[31m".to_owned()),
        release: None,
        description: None,
        attempts: 0,
        steps: None,
        dependencies: Vec::new(),
    }
}

fn status(migrations: Vec<MigrationView>, counts: Counts) -> Status {
    Status {
        format: None,
        environment: "staging".to_owned(),
        database: DatabaseView {
            engine: "sqlite".to_owned(),
            name: "/srv/shop.db".to_owned(),
        },
        ledger: None,
        current: None,
        counts,
        migrations,
        lock: None,
        last_failure: None,
        warnings: Vec::new(),
        as_of: None,
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn the_table_gives_columns_up_until_it_fits() {
    let now = Timestamp::from_micros(1_767_225_660_000_000);
    let migrations = [
        migration("1", State::Applied),
        migration("20250101120000", State::Unknown),
    ];
    let table = |width| table::bordered(&migrations, now, true, width).map(|table| plain(&table));
    for width in 44..200 {
        let table = table(width).unwrap_or_default();
        assert!(table.contains("unknown"), "{width}: {table}");
        assert!(
            !table.contains("\u{1b}"),
            "an actor's name steers the terminal"
        );
        for line in table.lines() {
            let found = unicode_width::UnicodeWidthStr::width(line);
            assert!(found <= width, "{width}: {line}");
        }
    }
    assert!(
        table(200)
            .unwrap_or_default()
            .contains("1 min ago, 2026-01-01 00:00:00Z")
    );
    assert!(!table(80).unwrap_or_default().contains("00:00:00Z"));
    assert_eq!(table(20), None);
}

#[test]
fn a_pipe_gets_lines_that_line_up() {
    let now = Timestamp::from_micros(1_767_225_660_000_000);
    let migrations = [
        migration("1", State::Applied),
        migration("2", State::RolledBack),
    ];
    assert_eq!(
        table::plain(&migrations, now, false),
        [
            "VERSION  NAME       STATE        BATCH  APPLIED                          TOOK   BY",
            "1        add_users  applied      1      1 min ago, 2026-01-01 00:00:00Z  12 ms  dana\u{fffd}[31m",
            "2        add_users  rolled back  -      -                                -      -",
        ]
    );
}

#[test]
fn counts_that_are_zero_are_left_out() {
    let mut counts = Counts {
        applied: 12,
        pending: 2,
        ..Counts::default()
    };
    assert_eq!(plain(&summary(&counts)), "12 applied · 2 pending");
    counts.missing = 1;
    assert_eq!(
        plain(&summary(&counts)),
        "12 applied · 2 pending · 1 missing"
    );
}

#[test]
fn the_most_pressing_thing_is_said_first() {
    let counts = Counts {
        pending: 1,
        ..Counts::default()
    };
    let pending = migration("2", State::Pending);
    let next_of =
        |migrations: Vec<MigrationView>| next(&status(migrations, counts)).unwrap_or_default();
    assert_eq!(
        next_of(vec![pending.clone()]),
        "`mledger up` applies 1 migration"
    );
    assert!(next_of(vec![pending.clone(), migration("3", State::Unknown)]).contains("resolve 3"));
    assert!(next_of(vec![pending, migration("1", State::Changed)]).contains("--accept-change"));
    assert_eq!(
        next(&status(
            vec![migration("1", State::Applied)],
            Counts::default()
        )),
        None
    );
}

#[test]
fn every_difference_counts_for_the_exit_code() {
    let with = |change: fn(&mut Counts)| {
        let mut counts = Counts {
            applied: 3,
            ..Counts::default()
        };
        change(&mut counts);
        differs(&counts)
    };
    assert!(!with(|_| ()));
    assert!(with(|counts| counts.pending = 1));
    assert!(with(|counts| counts.missing = 1));
    assert!(with(|counts| counts.changed = 1));
    assert!(with(|counts| counts.unknown = 1));
}
