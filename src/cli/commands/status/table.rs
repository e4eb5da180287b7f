//! The table of migrations, as rich as the terminal is wide.

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use ledger::Timestamp;
use mledger::report::{MigrationView, State};
use unicode_width::UnicodeWidthStr;

use crate::cli::words;

/// A longer name is cut: it still stands in the plain list and in JSON.
const LONGEST: usize = 48;

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Version,
    Name,
    State,
    Batch,
    /// How long ago, and when.
    Applied,
    /// How long ago.
    Ago,
    Took,
    By,
    Checksum,
    Description,
}

/// What is given up in turn until the table fits.
const GIVEN_UP: [(Column, Option<Column>); 7] = [
    (Column::Applied, Some(Column::Ago)),
    (Column::Description, None),
    (Column::Took, None),
    (Column::Checksum, None),
    (Column::By, None),
    (Column::Batch, None),
    (Column::Ago, None),
];

/// Returns a table with borders and colours that fits into `width` columns of a terminal, unless it
/// would lose too much.
pub(super) fn bordered(
    migrations: &[MigrationView],
    now: Timestamp,
    verbose: bool,
    width: usize,
) -> Option<String> {
    let mut columns = columns(verbose);
    let mut given_up = GIVEN_UP.iter();
    while needed(migrations, &columns, now) > width {
        let (column, instead) = given_up.next()?;
        columns = columns
            .into_iter()
            .filter_map(|kept| {
                if kept == *column {
                    *instead
                } else {
                    Some(kept)
                }
            })
            .collect();
    }
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .enforce_styling();
    let header = columns
        .iter()
        .map(|column| Cell::new(column.title()).add_attribute(Attribute::Bold));
    table.set_header(header);
    for migration in migrations {
        table.add_row(columns.iter().map(|column| {
            let cell = Cell::new(words::cut(&column.text(migration, now), LONGEST));
            if *column == Column::State {
                cell.fg(color(migration.state))
            } else {
                cell
            }
        }));
    }
    Some(table.to_string())
}

/// Returns lines whose columns line up, for pipes and narrow terminals.
pub(super) fn plain(migrations: &[MigrationView], now: Timestamp, verbose: bool) -> Vec<String> {
    let columns = columns(verbose);
    let titles = columns
        .iter()
        .map(|column| column.title().to_uppercase())
        .collect();
    let mut rows: Vec<Vec<String>> = vec![titles];
    rows.extend(migrations.iter().map(|migration| {
        let cell = |column: &Column| {
            let text = column.text(migration, now);
            if text.is_empty() {
                "-".to_owned()
            } else {
                text
            }
        };
        columns.iter().map(cell).collect()
    }));
    words::columns(&rows)
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Version => "Version",
            Self::Name => "Name",
            Self::State => "State",
            Self::Batch => "Batch",
            Self::Applied | Self::Ago => "Applied",
            Self::Took => "Took",
            Self::By => "By",
            Self::Checksum => "Checksum",
            Self::Description => "Description",
        }
    }

    fn text(self, migration: &MigrationView, now: Timestamp) -> String {
        let optional = |text: &Option<String>| words::line(text.as_deref().unwrap_or_default());
        match self {
            Self::Version => words::line(&migration.version),
            Self::Name => words::line(&migration.name),
            Self::State => state(migration),
            Self::Batch => migration
                .batch
                .map_or_else(String::new, |batch| batch.to_string()),
            Self::Applied => migration.applied_at.map_or_else(String::new, |time| {
                format!("{}, {}", words::ago(now, time), words::time(time))
            }),
            Self::Ago => migration
                .applied_at
                .map_or_else(String::new, |time| words::ago(now, time)),
            Self::Took => migration
                .duration_ms
                .map_or_else(String::new, words::duration),
            Self::By => optional(&migration.applied_by),
            Self::Checksum => words::short(&migration.checksum),
            Self::Description => optional(&migration.description),
        }
    }
}

fn columns(verbose: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::Version,
        Column::Name,
        Column::State,
        Column::Batch,
        Column::Applied,
        Column::Took,
        Column::By,
    ];
    if verbose {
        columns.extend([Column::Checksum, Column::Description]);
    }
    columns
}

/// Returns how many columns of a terminal a table needs, borders and padding included.
fn needed(migrations: &[MigrationView], columns: &[Column], now: Timestamp) -> usize {
    let width = |column: &Column| {
        let texts = migrations
            .iter()
            .map(|migration| column.text(migration, now).width().min(LONGEST));
        texts.chain([column.title().width()]).max().unwrap_or(0) + 3
    };
    columns.iter().map(width).sum::<usize>() + 1
}

/// The state in words, and how far a script came that stopped in the middle.
fn state(migration: &MigrationView) -> String {
    let name = migration.state.as_str().replace('_', " ");
    match migration.steps {
        Some(steps) => format!("{name} {}/{}", steps.done, steps.of),
        None => name,
    }
}

fn color(state: State) -> Color {
    match state {
        State::Applied => Color::DarkGreen,
        State::Pending | State::RolledBack => Color::DarkYellow,
        State::OutOfOrder => Color::DarkMagenta,
        State::Failed | State::Partial | State::Unknown | State::Changed | State::Missing => {
            Color::DarkRed
        }
    }
}
