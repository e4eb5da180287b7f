//! Against PostgreSQL: a superuser, whom the catalogue belongs to as well.

use super::{Attacker, Column, ValueKind};
use crate::support::engines::Database;

pub(super) struct Postgres;

/// Triggers that are off, columns that take NULL, checks that nobody makes; all in one transaction.
const WEAKEN: &str = "
CREATE TEMP TABLE filled ON COMMIT DROP AS
    SELECT attrelid, attnum FROM pg_attribute WHERE attnotnull AND attnum > 0
    AND attrelid IN ('mledger.events'::regclass, 'mledger.objects'::regclass, 'mledger.lease'::regclass);
ALTER TABLE mledger.events DISABLE TRIGGER ALL;
ALTER TABLE mledger.objects DISABLE TRIGGER ALL;
ALTER TABLE mledger.lease DISABLE TRIGGER ALL;
UPDATE pg_attribute SET attnotnull = false
    WHERE (attrelid, attnum) IN (SELECT attrelid, attnum FROM filled);
UPDATE pg_class SET relchecks = 0 WHERE relnamespace = 'mledger'::regnamespace;
";

const MEND: &str = "
UPDATE pg_class SET relchecks = (
    SELECT count(*) FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'c')
    WHERE relnamespace = 'mledger'::regnamespace;
UPDATE pg_attribute SET attnotnull = true
    WHERE (attrelid, attnum) IN (SELECT attrelid, attnum FROM filled);
DO $$
DECLARE
    guard record;
BEGIN
    FOR guard IN
        SELECT tgname, tgrelid::regclass AS guarded FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = 'mledger'::regnamespace AND NOT tgisinternal
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.guarded, guard.tgname);
    END LOOP;
END $$;
";

impl Attacker for Postgres {
    fn words(&self, sql: &str) -> String {
        ["events", "objects", "lease"]
            .iter()
            .fold(sql.replace("X'", "'\\x"), |sql, table| {
                sql.replace(&format!("mledger_{table}"), &format!("mledger.{table}"))
            })
    }

    fn columns(&self, table: &str) -> String {
        let table = table.trim_start_matches("mledger_");
        format!(
            "SELECT column_name, data_type FROM information_schema.columns \
             WHERE table_schema = 'mledger' AND table_name = '{table}' ORDER BY ordinal_position"
        )
    }

    fn tables(&self) -> &'static str {
        "SELECT 'mledger_' || tablename FROM pg_tables WHERE schemaname = 'mledger'"
    }

    fn shown(&self, column: &Column) -> String {
        let name = &column.name;
        match column.kind {
            ValueKind::Integer => format!("\"{name}\"::text"),
            ValueKind::Text => format!("encode(convert_to(\"{name}\", 'UTF8'), 'hex')"),
            ValueKind::Bytes => format!("encode(\"{name}\", 'hex')"),
        }
    }

    fn unguarded(&self, place: &dyn Database, sql: &str) -> Result<(), String> {
        place.run(&format!("{WEAKEN}{sql};{MEND}"))
    }

    fn removable(&self) -> &'static str {
        "SELECT tgname, format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger
         WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'mledger'::regnamespace)
             AND NOT tgisinternal
         UNION ALL
         SELECT viewname, format('DROP VIEW mledger.%I CASCADE', viewname) FROM pg_views
         WHERE schemaname = 'mledger'
         UNION ALL
         SELECT proname, format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc
         WHERE pronamespace = 'mledger'::regnamespace
         UNION ALL
         SELECT conname, format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
         FROM pg_constraint
         WHERE connamespace = 'mledger'::regnamespace AND contype IN ('u', 'c')"
    }

    fn hollow(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "events_no_change",
                "CREATE OR REPLACE FUNCTION mledger.events_no_change() RETURNS trigger
                 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
                 'BEGIN RETURN coalesce(NEW, OLD); END'",
            ),
            (
                "events_no_change",
                "ALTER TABLE mledger.events DISABLE TRIGGER events_no_change",
            ),
            (
                "events_no_truncate",
                "ALTER TABLE mledger.events DISABLE TRIGGER ALL",
            ),
            (
                "events_no_change",
                "ALTER TABLE mledger.events ENABLE TRIGGER events_no_change",
            ),
            (
                "events_no_change",
                "ALTER TABLE mledger.events ENABLE REPLICA TRIGGER events_no_change",
            ),
            (
                "events_no_change",
                "DROP TRIGGER events_no_change ON mledger.events;
                 CREATE TRIGGER events_no_change BEFORE UPDATE ON mledger.events
                     FOR EACH ROW EXECUTE FUNCTION mledger.events_no_change();
                 ALTER TABLE mledger.events ENABLE ALWAYS TRIGGER events_no_change",
            ),
            (
                "events_no_change",
                "DROP TRIGGER events_no_change ON mledger.events;
                 CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON mledger.events
                     FOR EACH ROW WHEN (OLD.seq < 0) EXECUTE FUNCTION mledger.events_no_change();
                 ALTER TABLE mledger.events ENABLE ALWAYS TRIGGER events_no_change",
            ),
            (
                "events_no_change",
                "DROP TRIGGER events_no_change ON mledger.events;
                 CREATE TRIGGER events_no_change BEFORE UPDATE OF seq OR DELETE ON mledger.events
                     FOR EACH ROW EXECUTE FUNCTION mledger.events_no_change();
                 ALTER TABLE mledger.events ENABLE ALWAYS TRIGGER events_no_change",
            ),
            (
                "migration_versions",
                "DROP VIEW mledger.migration_versions;
                 CREATE VIEW mledger.migration_versions AS SELECT 'all is well' AS state",
            ),
        ]
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "TRUNCATE mledger.events",
            "TRUNCATE mledger.objects",
            "TRUNCATE mledger.lease",
            "TRUNCATE mledger.events, mledger.objects, mledger.lease CASCADE",
            "SET session_replication_role = replica; UPDATE mledger.events SET line = line",
            "SET session_replication_role = replica; DELETE FROM mledger.events",
            "SET session_replication_role = replica; TRUNCATE mledger.events",
            "SET session_replication_role = replica; DELETE FROM mledger.objects",
            "SET session_replication_role = replica; UPDATE mledger.objects SET content = ''",
            "SET session_replication_role = replica; DELETE FROM mledger.lease",
            "SET session_replication_role = replica;
             INSERT INTO mledger.events SELECT seq + 1000, line, signature, hash, prev
             FROM mledger.events",
            "INSERT INTO mledger.events SELECT * FROM mledger.events WHERE seq = 3
             ON CONFLICT (seq) DO UPDATE SET line = ''",
            "INSERT INTO mledger.objects SELECT * FROM mledger.objects
             ON CONFLICT (digest) DO UPDATE SET content = '', size = 0",
            "CREATE TEMP TABLE events (seq bigint); SET search_path = pg_temp, mledger;
             UPDATE mledger.events SET line = line",
        ]
    }

    fn dropping(&self, tables: &[&str]) -> String {
        let drops = tables
            .iter()
            .map(|table| format!("DROP TABLE {} CASCADE;", self.words(table)));
        drops.collect()
    }

    fn dropping_the_rest(&self) -> &'static str {
        "DROP SCHEMA mledger CASCADE"
    }

    fn swallowing(&self) -> &'static str {
        "CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RETURN NULL; END';
         CREATE TRIGGER a_swallow BEFORE INSERT ON mledger.events
             FOR EACH ROW EXECUTE FUNCTION public.swallow()"
    }

    fn harmless(&self) -> &'static [&'static str] {
        &[
            "VACUUM FULL mledger.events",
            "VACUUM ANALYZE",
            "REINDEX SCHEMA mledger",
            "CLUSTER mledger.events USING events_hash_key",
            "ALTER TABLE mledger.events ALTER COLUMN line SET STORAGE EXTERNAL",
        ]
    }
}
