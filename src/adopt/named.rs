//! Tools that keep a row for each of their files, under its name: knex, node-pg-migrate, db-migrate, yoyo
//! and ActiveRecord of Ruby on Rails, whose names are versions and nothing else. Most of their migrations
//! are programs; where one is SQL, its version is the number that its name begins with.

use super::program::{self, Divided, Entry};
use super::{Lock, Revision, Row, Table, Tool, Whereabouts, lock};
use crate::migration::format::yoyo;
use crate::migration::{Migration, Version};

/// One such tool.
#[derive(Debug)]
pub(super) struct Named {
    name: &'static str,
    places: &'static [(Option<&'static str>, &'static str)],
    columns: &'static [&'static str],
    /// The column of the name.
    name_column: &'static str,
    /// The column of the time, where there is one.
    at_column: Option<&'static str>,
    /// A table that is kept beside its own, where another tool's is called the same and has the same columns.
    witness: Option<&'static str>,
    /// The version that a name is.
    version: fn(&str) -> Option<Version>,
    /// The locks that it takes.
    locks: fn(&Whereabouts<'_>) -> Vec<Lock>,
}

pub(super) const KNEX: Named = Named {
    name: "knex",
    places: &[(None, "knex_migrations")],
    columns: &["name", "batch", "migration_time"],
    name_column: "name",
    at_column: Some("migration_time"),
    witness: None,
    version: program::leading_version,
    locks: lock::knex,
};

pub(super) const NODE_PG_MIGRATE: Named = Named {
    name: "node-pg-migrate",
    places: &[(None, "pgmigrations")],
    columns: &["name", "run_on"],
    name_column: "name",
    at_column: Some("run_on"),
    witness: None,
    version: program::leading_version,
    locks: lock::node_pg_migrate,
};

pub(super) const DB_MIGRATE: Named = Named {
    name: "db-migrate",
    places: &[(None, "migrations")],
    columns: &["name", "run_on"],
    name_column: "name",
    at_column: Some("run_on"),
    witness: None,
    version: after_a_slash,
    locks: |_| Vec::new(),
};

pub(super) const YOYO: Named = Named {
    name: "yoyo",
    places: &[(None, "_yoyo_migration")],
    columns: &["migration_hash", "migration_id", "applied_at_utc"],
    name_column: "migration_id",
    at_column: Some("applied_at_utc"),
    witness: None,
    version: yoyo::version,
    locks: lock::yoyo,
};

pub(super) const RAILS: Named = Named {
    name: "rails",
    places: &[(None, "schema_migrations")],
    columns: &["version"],
    name_column: "version",
    at_column: None,
    witness: Some("ar_internal_metadata"),
    version: program::leading_version,
    locks: lock::rails,
};

impl Named {
    fn divided(&self, table: &Table, files: &[Migration]) -> Divided {
        let entries = table
            .records()
            .map(|row| {
                let name = row.text(self.name_column).to_owned();
                Entry {
                    version: (self.version)(&name),
                    name,
                    at: self.at_column.and_then(|column| row.some(column)),
                }
            })
            .collect();
        program::divide(entries, files)
    }
}

impl Tool for Named {
    fn name(&self) -> &'static str {
        self.name
    }

    fn places(&self) -> &'static [(Option<&'static str>, &'static str)] {
        self.places
    }

    fn columns(&self) -> &'static [&'static str] {
        self.columns
    }

    /// One that is known by a table beside it has no other columns either.
    fn recognises(&self, table: &Table) -> bool {
        let has_all = self.columns.iter().all(|column| table.has(column));
        has_all && (self.witness.is_none() || table.columns.len() == self.columns.len())
    }

    fn witness(&self) -> Option<&'static str> {
        self.witness
    }

    fn rows(&self, table: &Table, files: &[Migration]) -> Result<Vec<Row>, String> {
        Ok(self.divided(table, files).rows)
    }

    fn revisions(&self, table: &Table, files: &[Migration]) -> Vec<Revision> {
        self.divided(table, files).revisions
    }

    fn locks(&self, at: &Whereabouts<'_>) -> Vec<Lock> {
        (self.locks)(at)
    }
}

/// db-migrate keeps the path from its folder: `/20240131120000-users`.
fn after_a_slash(name: &str) -> Option<Version> {
    program::leading_version(name.rsplit('/').next()?)
}
