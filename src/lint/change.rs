//! What a statement changes, in the words of the rules: plain data, without a database's grammar.

/// A name as it was written, without its quotes and without the schema before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(pub(super) String);

impl Name {
    /// Says whether two names mean one object; capitals do not tell two apart in most databases.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// Returns the name as it is compared.
    pub(super) fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A column of a table, as far as rules ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: Name,
    /// It refuses NULL.
    pub(super) not_null: bool,
    /// It has a default, or computes its value.
    pub(super) has_default: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ForeignKey {
    /// The constraint's name, where it was given one.
    pub(super) name: Option<Name>,
    /// Its columns.
    pub(super) columns: Vec<Name>,
    /// The table it refers to.
    pub(super) parent: Name,
}

/// What a table has besides its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// The columns of each primary key, unique constraint and index.
    pub(super) indexed: Vec<Vec<Name>>,
    /// The foreign keys.
    pub(super) foreign: Vec<ForeignKey>,
}

/// A kind of object that is made or dropped by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// Anything else.
    Other,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A table is made.
    CreateTable {
        /// Its name.
        table: Name,
        /// Nothing happens where it is there.
        if_not_exists: bool,
        /// It ends with the session.
        temporary: bool,
        /// Its columns.
        columns: Vec<Column>,
        /// Its keys.
        keys: Keys,
    },
    /// An index is made.
    CreateIndex {
        /// Its name, where it was given one.
        name: Option<Name>,
        /// Its table.
        table: Name,
        /// Its columns; empty where one of them is an expression.
        columns: Vec<Name>,
        /// Nothing happens where it is there.
        if_not_exists: bool,
        /// The statement says how the table is locked meanwhile.
        online: bool,
        /// Only some rows are in it.
        partial: bool,
    },
    /// An object is dropped.
    Drop {
        /// What it is.
        kind: Kind,
        /// Its name.
        name: Name,
        /// Nothing happens where it is not there.
        if_exists: bool,
    },
    /// A table gets another name.
    RenameTable {
        /// The name before.
        from: Name,
        /// The name after.
        to: Name,
    },
    /// A column is added.
    AddColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Column,
        /// What the column's own constraints bring.
        keys: Keys,
    },
    /// A column is dropped.
    DropColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Name,
    },
    /// A column gets another name.
    RenameColumn {
        /// The table.
        table: Name,
        /// The name before.
        from: Name,
    },
    /// A column gets another definition.
    AlterType {
        /// The table.
        table: Name,
        /// The column.
        column: Name,
    },
    /// A column refuses NULL from now on.
    SetNotNull {
        /// The table.
        table: Name,
        /// The column.
        column: Name,
    },
    /// Keys are added to a table.
    AddKeys {
        /// The table.
        table: Name,
        /// The keys.
        keys: Keys,
    },
    /// The table is copied, and the statement is one that cannot do without.
    CopyTable {
        /// The table.
        table: Name,
        /// What copies it.
        what: &'static str,
    },
    /// How a change to the table is made was said.
    Online {
        /// The table.
        table: Name,
    },
    /// Anything else of the table is changed.
    AlterTable {
        /// The table.
        table: Name,
    },
    /// All rows go.
    Truncate {
        /// The table.
        table: Name,
    },
    /// Rows go.
    Delete {
        /// The table.
        table: Name,
        /// Only some.
        filtered: bool,
    },
    /// Rows are changed.
    Update {
        /// The table.
        table: Name,
        /// Only some.
        filtered: bool,
        /// The columns that get a value.
        columns: Vec<Name>,
    },
    /// Rows come.
    Insert {
        /// The table.
        table: Name,
    },
    /// An object that is no table or index is made.
    CreateOther,
}

impl Change {
    /// Returns the table that the change is about.
    pub(super) fn table(&self) -> Option<&Name> {
        match self {
            Self::CreateTable { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::AlterType { table, .. }
            | Self::SetNotNull { table, .. }
            | Self::AddKeys { table, .. }
            | Self::CopyTable { table, .. }
            | Self::Online { table }
            | Self::AlterTable { table }
            | Self::Truncate { table }
            | Self::Delete { table, .. }
            | Self::Update { table, .. }
            | Self::Insert { table } => Some(table),
            Self::RenameTable { from, .. } => Some(from),
            Self::Drop {
                kind: Kind::Table,
                name,
                ..
            } => Some(name),
            Self::Drop { .. } | Self::CreateOther => None,
        }
    }

    /// Returns what it does, in a few words.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::CreateTable { .. } => "create table",
            Self::CreateIndex { .. } => "create index",
            Self::Drop { kind, .. } => match kind {
                Kind::Table => "drop table",
                Kind::Index => "drop index",
                Kind::View => "drop view",
                Kind::Other => "drop",
            },
            Self::RenameTable { .. } => "rename table",
            Self::AddColumn { .. } => "add column",
            Self::DropColumn { .. } => "drop column",
            Self::RenameColumn { .. } => "rename column",
            Self::AlterType { .. } => "change column",
            Self::SetNotNull { .. } => "set not null",
            Self::AddKeys { .. } => "add keys",
            Self::CopyTable { .. } => "copy table",
            Self::Online { .. } => "alter online",
            Self::AlterTable { .. } => "alter table",
            Self::Truncate { .. } => "truncate",
            Self::Delete { .. } => "delete rows",
            Self::Update { .. } => "update rows",
            Self::Insert { .. } => "insert rows",
            Self::CreateOther => "create",
        }
    }

    /// Says whether it changes rows and not the schema.
    pub(super) fn is_of_rows(&self) -> bool {
        matches!(
            self,
            Self::Truncate { .. } | Self::Delete { .. } | Self::Update { .. } | Self::Insert { .. }
        )
    }
}
