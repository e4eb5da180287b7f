//! The fingerprint: the same for the same schema, and another one for another.

use std::process::Command;
use std::time::Instant;

use ledger::Digest;

use super::{Place, psql};

/// One of each kind of definition.
const SCHEMA: &str = r#"
CREATE EXTENSION pg_trgm;
CREATE SCHEMA "Shop";
CREATE TYPE mood AS ENUM ('fine', 'so; so');
ALTER TYPE mood ADD VALUE 'bad' BEFORE 'so; so';
CREATE DOMAIN mail AS text COLLATE "C" DEFAULT 'x@y' CHECK (VALUE LIKE '%@%');
CREATE TYPE pair AS (a int, b mood);
CREATE TYPE span AS RANGE (subtype = int8);
CREATE TABLE people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gone int,
    name text COLLATE "C" NOT NULL DEFAULT 'it''s',
    mail mail UNIQUE,
    at timestamptz DEFAULT '2026-01-01 00:00+02',
    upper text GENERATED ALWAYS AS (upper(name)) STORED,
    CHECK (length(name) > 0)
) WITH (fillfactor = 70);
ALTER TABLE people DROP COLUMN gone;
ALTER TABLE people ADD COLUMN later int DEFAULT 7;
CREATE TABLE "Shop".notes (
    person bigint REFERENCES people ON DELETE CASCADE DEFERRABLE,
    n serial, words text, EXCLUDE USING gist (int8range(n, n) WITH &&)
);
ALTER TABLE "Shop".notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON "Shop".notes FOR SELECT TO PUBLIC USING (n > 0);
CREATE INDEX CONCURRENTLY notes_words ON "Shop".notes USING gin (words gin_trgm_ops) WHERE n > 1;
CREATE TABLE events (at date NOT NULL, who bigint REFERENCES people, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_rest (who bigint, at date NOT NULL);
ALTER TABLE events ATTACH PARTITION events_rest DEFAULT;
CREATE INDEX ON events (who);
CREATE TABLE parent (a int, b int CHECK (b > 0));
CREATE TABLE child (c int) INHERITS (parent);
ALTER TABLE parent ADD COLUMN d int;
CREATE VIEW seen WITH (security_barrier) AS SELECT p.name, count(*) AS n FROM people p GROUP BY 1;
CREATE MATERIALIZED VIEW kept AS SELECT '2026-01-01'::date + 1 AS day, 1.5::float8 AS f;
CREATE FUNCTION twice(x int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT x + x; END;
CREATE PROCEDURE "Shop".p() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq, commutator = ===);
CREATE TRIGGER t BEFORE UPDATE OF name ON people FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION touch();
CREATE TRIGGER e AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE people ENABLE ALWAYS TRIGGER t;
CREATE RULE keep AS ON DELETE TO parent DO INSTEAD NOTHING;
CREATE SEQUENCE numbers START 5 INCREMENT 3 CYCLE MAXVALUE 100;
CREATE STATISTICS related ON name, later FROM people;
CREATE TEXT SEARCH CONFIGURATION words (COPY = english);
CREATE PUBLICATION shared FOR TABLE people;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION watch();
COMMENT ON TABLE people IS 'who; they are';
COMMENT ON COLUMN people.name IS 'é';
COMMENT ON CONSTRAINT people_pkey ON people IS 'key';
COMMENT ON SCHEMA "Shop" IS 'shop';
INSERT INTO people (name, mail) SELECT 'n' || x, x || '@y' FROM generate_series(1, 200) x;
INSERT INTO events SELECT '2026-01-01'::date + x FROM generate_series(1, 50) x;
SELECT nextval('numbers');
"#;

async fn fingerprint(place: &Place) -> Digest {
    place.reader().await.fingerprint().await.unwrap().digest
}

#[tokio::test]
async fn the_same_schema_has_the_same_fingerprint_wherever_it_is() {
    let place = Place::with_store().await;
    place.ask(SCHEMA);
    let first = place.reader().await.fingerprint().await.unwrap();
    assert_eq!(first.format, 1);
    let major = place.ask("SELECT current_setting('server_version_num')::int / 10000");
    assert_eq!(first.server, major);

    place.ask(
        "ANALYZE; VACUUM FULL; REINDEX SCHEMA public; UPDATE people SET later = 3; VACUUM; \
               CLUSTER people USING people_pkey; ALTER TABLE people SET WITHOUT CLUSTER; \
               SELECT nextval('numbers'); REFRESH MATERIALIZED VIEW kept",
    );
    assert_eq!(fingerprint(&place).await, first.digest, "after maintenance");
    place.ask(&format!(
        "ALTER DATABASE {0} SET search_path = \"Shop\", public; \
         ALTER DATABASE {0} SET DateStyle = 'German'; ALTER DATABASE {0} SET TimeZone = 'Asia/Tokyo'; \
         ALTER DATABASE {0} SET IntervalStyle = 'iso_8601'; \
         ALTER DATABASE {0} SET extra_float_digits = -3; \
         ALTER DATABASE {0} SET quote_all_identifiers = on",
        place.name
    ));
    assert_eq!(
        fingerprint(&place).await,
        first.digest,
        "in a session of other settings"
    );

    let dump = Command::new("pg_dump")
        .arg("--exclude-schema=mledger")
        .arg(place.url())
        .output()
        .unwrap();
    assert!(dump.status.success());
    let copy = Place::new();
    psql(&copy.url(), &String::from_utf8(dump.stdout).unwrap()).unwrap();
    assert_eq!(
        fingerprint(&copy).await,
        first.digest,
        "in a copy, which has no ledger"
    );
}

#[tokio::test]
async fn a_change_of_any_definition_changes_the_fingerprint() {
    let place = Place::new();
    place.ask(SCHEMA);
    let mut before = fingerprint(&place).await;
    for change in [
        "ALTER TABLE people ALTER name DROP NOT NULL",
        "ALTER TABLE people ALTER name SET DEFAULT 'y'",
        "ALTER TABLE people ALTER later TYPE bigint",
        "ALTER TABLE \"Shop\".notes ALTER words TYPE text COLLATE \"POSIX\"",
        "ALTER TABLE people ALTER id SET GENERATED BY DEFAULT",
        "DROP STATISTICS related",
        "ALTER TABLE people DROP COLUMN later CASCADE",
        "ALTER TABLE people RESET (fillfactor)",
        "ALTER TABLE parent SET UNLOGGED",
        "ALTER TABLE people ADD CHECK (length(name) < 9) NOT VALID",
        "ALTER TABLE \"Shop\".notes DISABLE ROW LEVEL SECURITY",
        "ALTER POLICY mine ON \"Shop\".notes USING (n > 1)",
        "DROP INDEX \"Shop\".notes_words",
        "ALTER TABLE events DETACH PARTITION events_rest",
        "ALTER TABLE child NO INHERIT parent",
        "CREATE OR REPLACE VIEW seen AS SELECT p.name, count(*) AS n FROM people p WHERE true GROUP BY 1",
        "CREATE OR REPLACE PROCEDURE \"Shop\".p() LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$",
        "ALTER FUNCTION touch() SECURITY DEFINER",
        "ALTER TABLE people DISABLE TRIGGER t",
        "DROP RULE keep ON parent",
        "ALTER SEQUENCE numbers INCREMENT 4",
        "ALTER TYPE mood ADD VALUE 'new'",
        "ALTER TYPE mood RENAME VALUE 'new' TO 'newer'",
        "ALTER DOMAIN mail DROP DEFAULT",
        "ALTER DOMAIN mail DROP CONSTRAINT mail_check",
        "ALTER TYPE pair ADD ATTRIBUTE c int",
        "DROP AGGREGATE total (int)",
        "DROP OPERATOR === (int, int)",
        "ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR word",
        "ALTER PUBLICATION shared DROP TABLE people",
        "ALTER EVENT TRIGGER watching DISABLE",
        "COMMENT ON COLUMN people.name IS 'other'",
        "DROP EXTENSION pg_trgm",
        "CREATE SCHEMA other",
    ] {
        place.ask(change);
        let after = fingerprint(&place).await;
        assert_ne!(after, before, "{change}");
        before = after;
    }
    for no_change in [
        "INSERT INTO people (name, mail) VALUES ('x', 'z@z')",
        "GRANT SELECT ON people TO PUBLIC",
        "CREATE TEMP TABLE t (x int)",
    ] {
        place.ask(no_change);
        assert_eq!(fingerprint(&place).await, before, "{no_change}");
    }
}

#[tokio::test]
async fn a_thousand_tables_are_read_at_once() {
    let place = Place::with_store().await;
    place.ask(
        "DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE TABLE t_%s (id bigint PRIMARY KEY, \
         a text, b int CHECK (b > 0), c timestamptz DEFAULT now(), UNIQUE (a))', i); END LOOP; END $$",
    );
    let mut session = place.reader().await;
    let began = Instant::now();
    session.fingerprint().await.unwrap();
    // an order of magnitude above what it takes, so that a busy machine does not fail it
    assert!(began.elapsed().as_millis() < 4000, "{:?}", began.elapsed());
}
