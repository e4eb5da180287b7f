//! Tools that keep a row for each of their files, under its name: knex, node-pg-migrate, db-migrate and
//! yoyo. Most of their migrations are programs; where one is SQL, its version is the number that its name
//! begins with.

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
    /// The column of the time.
    at_column: &'static str,
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
    at_column: "migration_time",
    version: program::leading_version,
    locks: lock::knex,
};

pub(super) const NODE_PG_MIGRATE: Named = Named {
    name: "node-pg-migrate",
    places: &[(None, "pgmigrations")],
    columns: &["name", "run_on"],
    name_column: "name",
    at_column: "run_on",
    version: program::leading_version,
    locks: lock::node_pg_migrate,
};

pub(super) const DB_MIGRATE: Named = Named {
    name: "db-migrate",
    places: &[(None, "migrations")],
    columns: &["name", "run_on"],
    name_column: "name",
    at_column: "run_on",
    version: after_a_slash,
    locks: |_| Vec::new(),
};

pub(super) const YOYO: Named = Named {
    name: "yoyo",
    places: &[(None, "_yoyo_migration")],
    columns: &["migration_hash", "migration_id", "applied_at_utc"],
    name_column: "migration_id",
    at_column: "applied_at_utc",
    version: yoyo::version,
    locks: lock::yoyo,
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
                    at: row.some(self.at_column),
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
