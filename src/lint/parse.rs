//! From a statement's text to what it changes.

use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableAlgorithm, AlterTableLock, AlterTableOperation,
    AssignmentTarget, ColumnDef, ColumnOption, CreateIndex, CreateTable, Expr, FromTable, Ident,
    IndexColumn, ObjectName, ObjectType, RenameTableNameKind, Statement, TableConstraint,
    TableFactor, TableObject,
};
use sqlparser::parser::Parser;

use super::change::{Change, Column, ForeignKey, Keys, Kind, Name};
use super::dialect::Syntax;

/// A parser's tree is many times the size of its text.
pub(super) const LONGEST: usize = 64 * 1024;

/// From how many bytes on rows that are written are not looked at: they tell rules nothing, and a dump
/// is made of them.
const ROWS: usize = 1024;

/// Returns what a statement changes, or nothing where it cannot be parsed.
pub(super) fn changes(statement: &str, syntax: Syntax) -> Option<Vec<Change>> {
    if statement.len() > ROWS && begins_with(statement, &["INSERT", "REPLACE", "COPY"]) {
        return Some(Vec::new());
    }
    if statement.len() > LONGEST {
        return None;
    }
    let parsed = Parser::parse_sql(syntax.grammar(), statement)
        .ok()
        .or_else(|| {
            let plain = without_concurrently(statement)?;
            Parser::parse_sql(syntax.grammar(), &plain).ok()
        })?;
    Some(parsed.iter().flat_map(of_statement).collect())
}

/// Says whether one of the words is a statement's first.
pub(super) fn begins_with(statement: &str, words: &[&str]) -> bool {
    let first = statement
        .split(|one: char| !one.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    words.iter().any(|word| word.eq_ignore_ascii_case(first))
}

/// The parser knows the word in CREATE INDEX alone.
fn without_concurrently(statement: &str) -> Option<String> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let begins = ["DROP", "INDEX", "CONCURRENTLY"]
        .iter()
        .zip(&words)
        .all(|(expected, found)| expected.eq_ignore_ascii_case(found));
    (begins && words.len() > 3).then(|| format!("DROP INDEX {}", words[3..].join(" ")))
}

fn of_statement(statement: &Statement) -> Vec<Change> {
    match statement {
        Statement::CreateTable(table) => vec![create_table(table)],
        Statement::CreateIndex(index) => vec![create_index(index)],
        Statement::AlterTable(alter) => alter_table(alter),
        Statement::RenameTable(renames) => renames
            .iter()
            .map(|rename| Change::RenameTable {
                from: name(&rename.old_name),
                to: name(&rename.new_name),
            })
            .collect(),
        Statement::Drop {
            object_type,
            if_exists,
            names,
            ..
        } => {
            let kind = match object_type {
                ObjectType::Table => Kind::Table,
                ObjectType::Index => Kind::Index,
                ObjectType::View | ObjectType::MaterializedView => Kind::View,
                _ => Kind::Other,
            };
            names
                .iter()
                .map(|dropped| Change::Drop {
                    kind,
                    name: name(dropped),
                    if_exists: *if_exists,
                })
                .collect()
        }
        Statement::Truncate(truncate) => truncate
            .table_names
            .iter()
            .map(|target| Change::Truncate {
                table: name(&target.name),
            })
            .collect(),
        Statement::Delete(delete) => {
            let tables = match &delete.from {
                FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables,
            };
            let filtered = delete.selection.is_some()
                || delete.limit.is_some()
                || delete.using.is_some()
                || tables.iter().any(|table| !table.joins.is_empty());
            tables
                .iter()
                .filter_map(|table| factor(&table.relation))
                .map(|table| Change::Delete { table, filtered })
                .collect()
        }
        Statement::Update(update) => {
            let columns = update
                .assignments
                .iter()
                .flat_map(|assignment| match &assignment.target {
                    AssignmentTarget::ColumnName(column) => vec![name(column)],
                    AssignmentTarget::Tuple(columns) => columns.iter().map(name).collect(),
                })
                .collect();
            let filtered = update.selection.is_some()
                || update.limit.is_some()
                || update.from.is_some()
                || !update.table.joins.is_empty();
            factor(&update.table.relation)
                .map(|table| Change::Update {
                    table,
                    filtered,
                    columns,
                })
                .into_iter()
                .collect()
        }
        Statement::Insert(insert) => match &insert.table {
            TableObject::TableName(table) => vec![Change::Insert { table: name(table) }],
            _ => Vec::new(),
        },
        Statement::CreateView(_)
        | Statement::CreateTrigger(_)
        | Statement::CreateFunction(_)
        | Statement::CreateSchema { .. }
        | Statement::CreateSequence { .. }
        | Statement::CreateType { .. } => vec![Change::CreateOther],
        _ => Vec::new(),
    }
}

fn create_table(table: &CreateTable) -> Change {
    let mut keys = Keys::default();
    for column in &table.columns {
        column_keys(column, &mut keys);
    }
    for constraint in &table.constraints {
        constraint_keys(constraint, &mut keys);
    }
    Change::CreateTable {
        table: name(&table.name),
        if_not_exists: table.if_not_exists,
        temporary: table.temporary,
        columns: table.columns.iter().map(column).collect(),
        keys,
    }
}

fn create_index(index: &CreateIndex) -> Change {
    let online = index.alter_options.iter().any(says_how);
    Change::CreateIndex {
        name: index.name.as_ref().map(name),
        table: name(&index.table_name),
        columns: index_columns(&index.columns).unwrap_or_default(),
        if_not_exists: index.if_not_exists,
        online,
        partial: index.predicate.is_some(),
    }
}

fn alter_table(alter: &AlterTable) -> Vec<Change> {
    let table = name(&alter.name);
    let mut changes: Vec<Change> = alter
        .operations
        .iter()
        .flat_map(|operation| of_operation(&table, operation))
        .collect();
    if changes.is_empty() {
        changes.push(Change::AlterTable { table });
    }
    changes
}

fn of_operation(table: &Name, operation: &AlterTableOperation) -> Vec<Change> {
    let table = table.clone();
    match operation {
        AlterTableOperation::AddColumn { column_def, .. } => {
            let mut keys = Keys::default();
            column_keys(column_def, &mut keys);
            vec![Change::AddColumn {
                table,
                column: column(column_def),
                keys,
            }]
        }
        AlterTableOperation::AddConstraint { constraint, .. } => {
            let mut keys = Keys::default();
            constraint_keys(constraint, &mut keys);
            vec![Change::AddKeys { table, keys }]
        }
        AlterTableOperation::DropColumn { column_names, .. } => column_names
            .iter()
            .map(|column| Change::DropColumn {
                table: table.clone(),
                column: ident(column),
            })
            .collect(),
        AlterTableOperation::RenameColumn {
            old_column_name, ..
        } => vec![Change::RenameColumn {
            table,
            from: ident(old_column_name),
        }],
        AlterTableOperation::RenameTable { table_name } => {
            let (RenameTableNameKind::As(to) | RenameTableNameKind::To(to)) = table_name;
            vec![Change::RenameTable {
                from: table,
                to: name(to),
            }]
        }
        AlterTableOperation::ChangeColumn {
            old_name, new_name, ..
        } => {
            let mut changes = vec![Change::AlterType {
                table: table.clone(),
                column: ident(old_name),
            }];
            if !ident(old_name).is(&ident(new_name)) {
                changes.push(Change::RenameColumn {
                    table,
                    from: ident(old_name),
                });
            }
            changes
        }
        AlterTableOperation::ModifyColumn { col_name, .. } => vec![Change::AlterType {
            table,
            column: ident(col_name),
        }],
        AlterTableOperation::AlterColumn { column_name, op } => {
            let column = ident(column_name);
            vec![match op {
                AlterColumnOperation::SetNotNull => Change::SetNotNull { table, column },
                AlterColumnOperation::SetDataType { .. } => Change::AlterType { table, column },
                _ => Change::AlterTable { table },
            }]
        }
        AlterTableOperation::DropPrimaryKey { .. } => vec![Change::CopyTable {
            table,
            what: "DROP PRIMARY KEY",
        }],
        AlterTableOperation::Algorithm { algorithm, .. } => vec![match algorithm {
            AlterTableAlgorithm::Copy => Change::CopyTable {
                table,
                what: "ALGORITHM=COPY",
            },
            AlterTableAlgorithm::Default => Change::AlterTable { table },
            _ => Change::Online { table },
        }],
        AlterTableOperation::Lock { lock, .. } => vec![match lock {
            AlterTableLock::Exclusive | AlterTableLock::Shared => Change::CopyTable {
                table,
                what: "a LOCK that keeps writers out",
            },
            AlterTableLock::Default => Change::AlterTable { table },
            AlterTableLock::None => Change::Online { table },
        }],
        _ => vec![Change::AlterTable { table }],
    }
}

/// Says whether an option of a statement tells how the table is locked meanwhile.
fn says_how(operation: &AlterTableOperation) -> bool {
    matches!(
        operation,
        AlterTableOperation::Algorithm { .. } | AlterTableOperation::Lock { .. }
    )
}

fn column(column: &ColumnDef) -> Column {
    let has =
        |is: fn(&ColumnOption) -> bool| column.options.iter().any(|option| is(&option.option));
    let kind = column.data_type.to_string().to_ascii_uppercase();
    Column {
        name: ident(&column.name),
        not_null: has(|option| matches!(option, ColumnOption::NotNull)),
        has_default: kind.contains("SERIAL")
            || has(|option| match option {
                ColumnOption::DialectSpecific(tokens) => tokens
                    .iter()
                    .any(|token| token.to_string().to_ascii_uppercase().starts_with("AUTO")),
                option => matches!(
                    option,
                    ColumnOption::Default(_)
                        | ColumnOption::Generated { .. }
                        | ColumnOption::Identity(_)
                ),
            }),
    }
}

fn column_keys(column: &ColumnDef, keys: &mut Keys) {
    let own = || vec![ident(&column.name)];
    for option in &column.options {
        match &option.option {
            ColumnOption::PrimaryKey(_) | ColumnOption::Unique(_) => keys.indexed.push(own()),
            ColumnOption::ForeignKey(key) => keys.foreign.push(ForeignKey {
                name: option.name.as_ref().or(key.name.as_ref()).map(ident),
                columns: own(),
                parent: name(&key.foreign_table),
            }),
            _ => {}
        }
    }
}

fn constraint_keys(constraint: &TableConstraint, keys: &mut Keys) {
    let columns = match constraint {
        TableConstraint::Unique(unique) => index_columns(&unique.columns),
        TableConstraint::PrimaryKey(primary) => index_columns(&primary.columns),
        TableConstraint::Index(index) => index_columns(&index.columns),
        TableConstraint::ForeignKey(key) => {
            keys.foreign.push(ForeignKey {
                name: key.name.as_ref().map(ident),
                columns: key.columns.iter().map(ident).collect(),
                parent: name(&key.foreign_table),
            });
            None
        }
        _ => None,
    };
    keys.indexed.extend(columns);
}

/// The columns of an index; none where one of them is an expression.
fn index_columns(columns: &[IndexColumn]) -> Option<Vec<Name>> {
    columns
        .iter()
        .map(|column| match &column.column.expr {
            Expr::Identifier(column) => Some(ident(column)),
            _ => None,
        })
        .collect()
}

fn factor(factor: &TableFactor) -> Option<Name> {
    match factor {
        TableFactor::Table { name: table, .. } => Some(name(table)),
        _ => None,
    }
}

fn name(name: &ObjectName) -> Name {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.map(ident).unwrap_or_default()
}

fn ident(ident: &Ident) -> Name {
    Name(ident.value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_parsed_is_nothing() {
        assert_eq!(changes("CREATE TABEL a (b)", Syntax::Sqlite), None);
        assert_eq!(changes("SELECT 1", Syntax::Sqlite), Some(Vec::new()));
        let long = format!("DELETE FROM a WHERE b = '{}'", "x".repeat(LONGEST));
        assert_eq!(changes(&long, Syntax::MySql), None);
        let rows = format!("INSERT INTO a VALUES ('{}')", "x".repeat(LONGEST));
        assert_eq!(changes(&rows, Syntax::MySql), Some(Vec::new()));
    }

    #[test]
    fn names_lose_quotes_and_schema() {
        for statement in [
            "DROP TABLE \"public\".\"Users\"",
            "DROP TABLE public.\"Users\"",
        ] {
            let found = changes(statement, Syntax::Postgres).unwrap_or_default();
            assert!(
                matches!(found.as_slice(), [Change::Drop { name, .. }] if name.0 == "Users"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_change_with_several_parts_is_several_changes() {
        let found = changes(
            "ALTER TABLE a CHANGE COLUMN b c BIGINT NOT NULL, DROP COLUMN d, ALGORITHM=COPY",
            Syntax::MySql,
        )
        .unwrap_or_default();
        let table = Name("a".to_owned());
        assert_eq!(
            found,
            [
                Change::AlterType {
                    table: table.clone(),
                    column: Name("b".to_owned())
                },
                Change::RenameColumn {
                    table: table.clone(),
                    from: Name("b".to_owned())
                },
                Change::DropColumn {
                    table: table.clone(),
                    column: Name("d".to_owned())
                },
                Change::CopyTable {
                    table,
                    what: "ALGORITHM=COPY"
                },
            ]
        );
    }
}
