//! The histories of other tools: what their tables say, and what of it can be taken over.
//!
//! Pure: a [`Table`] that was read and the folder's migrations go in, an [`Adoption`] comes out, with a
//! verdict on each row. A [`Tool`] is one file that knows one tool's table and how that tool makes its
//! checksums. The tables themselves are read through the engine seam and never written.

mod alembic;
mod checksum;
mod dbmate;
mod diesel;
mod drizzle;
mod flyway;
mod golang_migrate;
mod goose;
mod leave;
mod liquibase;
mod lock;
mod named;
mod prisma;
mod program;
mod record;
mod refinery;
mod sqitch;
mod sqlx_migrate;
mod table;
mod verdict;

use std::fmt;

pub use self::leave::{Departure, LEAVING_FOR, Leaving, Unfit, Writing, leave, unread_by};
pub use self::lock::{Lock, LockState, Whereabouts};
pub use self::program::Revision;
pub use self::table::{Cell, Table, TableName};
pub use self::verdict::{Adoption, Judged, Unreadable, Verdict, judge};
use crate::migration::{Migration, Version};

/// A tool whose history can be taken over.
pub trait Tool: fmt::Debug + Sync {
    /// Returns the name by which people ask for it.
    fn name(&self) -> &'static str;

    /// Returns where it keeps its table unless it was told otherwise: schema and name, the likeliest
    /// first.
    fn places(&self) -> &'static [(Option<&'static str>, &'static str)];

    /// Returns the columns without which the table is not its own.
    fn columns(&self) -> &'static [&'static str];

    /// Says whether a table has the columns of this tool's own.
    fn recognises(&self, table: &Table) -> bool {
        self.columns().iter().all(|column| table.has(column))
    }

    /// Returns the name of a table that it keeps beside its own, by which it is told apart from tools whose
    /// table has the same name and columns; none where there is no such tool.
    fn witness(&self) -> Option<&'static str> {
        None
    }

    /// Returns what the rows say, in any order, each version once. `files` are the folder's migrations in
    /// order, for a tool whose rows do not name theirs.
    ///
    /// # Errors
    ///
    /// A sentence that says which row was not as expected.
    fn rows(&self, table: &Table, files: &[Migration]) -> Result<Vec<Row>, String>;

    /// Returns what else it applied, of which no file of the folder carries the name, in order of names: for
    /// a tool whose migrations are programs.
    fn revisions(&self, _table: &Table, _files: &[Migration]) -> Vec<Revision> {
        Vec::new()
    }

    /// Returns the checksums that the tool would record of a file, as [`Row::checksum`] has them: more
    /// than one where that depends on how it was built, none where it records none.
    fn checksums(&self, _file: &File<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Returns the locks of which it holds one while it writes its table; none where it takes none.
    fn locks(&self, _at: &Whereabouts<'_>) -> Vec<Lock> {
        Vec::new()
    }
}

/// What one row says of one migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The version.
    pub version: Version,
    /// What the tool calls it, where it has a name.
    pub name: String,
    /// What became of it.
    pub said: Said,
    /// The recorded checksum in the tool's own form, as text.
    pub checksum: Option<String>,
    /// When, in the words of the database.
    pub at: Option<String>,
    /// What of the row, besides a checksum, the file is not.
    pub differs: Option<String>,
}

impl Row {
    /// Returns what a row says that has no more than a version.
    fn of(version: Version, said: Said) -> Self {
        Self {
            version,
            name: String::new(),
            said,
            checksum: None,
            at: None,
            differs: None,
        }
    }
}

/// What a tool says became of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It was applied.
    Applied,
    /// It was applied in the place of all that are older.
    AppliedForOlder,
    /// It and all that are older were applied, of which the tool keeps no rows.
    AppliedThrough,
    /// A person declared that it and all that are older need not run.
    Baseline,
    /// It failed, or was never finished: the words say how the table tells.
    Failed(&'static str),
    /// The same, and all that are older were applied, of which the tool keeps no rows.
    FailedAfter(&'static str),
    /// It was undone.
    Undone,
}

/// A migration's file, for a checksum.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// The version, as in the file's name.
    pub version: &'a Version,
    /// The migration's name, as in the file's name.
    pub name: &'a str,
    /// The bytes.
    pub text: &'a [u8],
}

/// Every tool that is known, in the order in which a database is searched for them.
pub const TOOLS: &[&dyn Tool] = &[
    &sqlx_migrate::Sqlx,
    &golang_migrate::GolangMigrate,
    &goose::Goose,
    &dbmate::Dbmate,
    &flyway::Flyway,
    &refinery::Refinery,
    &diesel::Diesel,
    &prisma::Prisma,
    &drizzle::Drizzle,
    &liquibase::Liquibase,
    &sqitch::Sqitch,
    &alembic::Alembic,
    &named::RAILS,
    &named::KNEX,
    &named::NODE_PG_MIGRATE,
    &named::DB_MIGRATE,
    &named::YOYO,
];

/// Returns the tool of this name.
pub fn find(name: &str) -> Option<&'static dyn Tool> {
    TOOLS.iter().copied().find(|tool| tool.name() == name)
}

/// Returns the names of all tools, for messages.
pub fn names() -> String {
    let names: Vec<String> = TOOLS
        .iter()
        .map(|tool| format!("`{}`", tool.name()))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_is_found_by_its_name() {
        for tool in TOOLS {
            assert_eq!(find(tool.name()).map(Tool::name), Some(tool.name()));
            assert!(!tool.places().is_empty() && !tool.columns().is_empty());
        }
        assert!(find("mledger").is_none());
    }
}
