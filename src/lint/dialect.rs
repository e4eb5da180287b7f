//! How a database's SQL is judged, as data.

use sqlparser::dialect::{Dialect as Grammar, MySqlDialect, PostgreSqlDialect, SQLiteDialect};

/// What a rule needs to know about a kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How statements are parsed.
    pub(super) grammar: Syntax,
    /// Which changes lock or rewrite a table.
    pub(super) locks: Locks,
    /// What becomes of a column that is added as NOT NULL without a default.
    pub(super) required_column: RequiredColumn,
    /// A foreign key gets its index by itself.
    pub(super) indexes_foreign_keys: bool,
    /// Other tables' references follow a table that is renamed.
    pub(super) references_follow_rename: bool,
    /// Schema changes take part in transactions.
    pub(super) transactional: bool,
    /// `DROP INDEX IF EXISTS` and `CREATE INDEX IF NOT EXISTS` are statements.
    pub(super) repeatable_indexes: bool,
}

/// The grammar of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Sqlite,
    Postgres,
    MySql,
}

/// Which changes lock or rewrite a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locks {
    /// One writer at a time anyway: none is worth a word.
    SingleWriter,
    /// Each change takes a lock that is held to the end of the transaction; some read all rows.
    Transaction,
    /// A change is made in place or by a copy of the table, as `ALGORITHM` and `LOCK` say.
    Algorithm,
}

/// What becomes of a column that is added as NOT NULL without a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequiredColumn {
    /// Refused, whatever rows there are.
    Refused,
    /// Refused where there is a row.
    RefusedWithRows,
    /// Filled with a value that nobody chose.
    Filled,
}

impl Syntax {
    /// Returns the parser's own form of it.
    pub(super) fn grammar(self) -> &'static dyn Grammar {
        match self {
            Self::Sqlite => &SQLiteDialect {},
            Self::Postgres => &PostgreSqlDialect {},
            Self::MySql => &MySqlDialect {},
        }
    }
}

/// SQLite.
pub const SQLITE: Dialect = Dialect {
    grammar: Syntax::Sqlite,
    locks: Locks::SingleWriter,
    required_column: RequiredColumn::Refused,
    indexes_foreign_keys: false,
    references_follow_rename: true,
    transactional: true,
    repeatable_indexes: true,
};

/// PostgreSQL.
pub const POSTGRES: Dialect = Dialect {
    grammar: Syntax::Postgres,
    locks: Locks::Transaction,
    required_column: RequiredColumn::RefusedWithRows,
    indexes_foreign_keys: false,
    references_follow_rename: false,
    transactional: true,
    repeatable_indexes: true,
};

/// MySQL and MariaDB.
pub const MYSQL: Dialect = Dialect {
    grammar: Syntax::MySql,
    locks: Locks::Algorithm,
    required_column: RequiredColumn::Filled,
    indexes_foreign_keys: true,
    references_follow_rename: false,
    transactional: false,
    repeatable_indexes: false,
};
