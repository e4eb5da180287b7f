//! Changelogs in Liquibase's formatted SQL: read, run, rolled back, and taken over from its table.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::adopt::{Verdict, Whereabouts, find};
use mledger::report::State;
use mledger::request::{Adopt, Back};

use crate::place::{begin, on_every_engine, writer};
use crate::shop::{Shop, refused};

const SHOP: &str = "\
--liquibase formatted sql

--changeset dana:1 labels:first
--comment: the table of users
-- a remark
CREATE TABLE users (
\tid INTEGER,
  name TEXT -- the name
);
--rollback DROP TABLE users;

--changeset dana:2 splitStatements:false
CREATE TABLE a (id INTEGER);
/* a block
   comment */
--rollback DROP TABLE a;

-- between
--changeset \"dana w\":three endDelimiter:GO
CREATE TABLE b (id INTEGER)
GO
CREATE TABLE c (id INTEGER)
GO
--changeset dana:view runOnChange:true
DROP VIEW IF EXISTS v;
CREATE VIEW v AS SELECT 1 AS \"é\";
--rollback DROP VIEW v;
";

/// What Liquibase 4.28.1 recorded of `SHOP`, but for the first sum, which is that of another text.
const ROWS: &str = "
CREATE TABLE DATABASECHANGELOG (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) NOT
    NULL, DATEEXECUTED TIMESTAMP NOT NULL, ORDEREXECUTED INT NOT NULL, EXECTYPE VARCHAR(10) NOT NULL, MD5SUM
    VARCHAR(35), DESCRIPTION VARCHAR(255), COMMENTS VARCHAR(255), TAG VARCHAR(255), LIQUIBASE VARCHAR(20), CONTEXTS
    VARCHAR(255), LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10));
CREATE TABLE DATABASECHANGELOGLOCK (ID INT NOT NULL PRIMARY KEY, LOCKED BOOLEAN NOT NULL, LOCKGRANTED TIMESTAMP NULL,
    LOCKEDBY VARCHAR(255));
INSERT INTO DATABASECHANGELOGLOCK VALUES (1, TRUE, '2026-11-21 13:56:40', 'laptop');
INSERT INTO DATABASECHANGELOG (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, EXECTYPE, MD5SUM) VALUES
    ('1', 'dana', 'ch/001-shop.sql', '2026-11-21 13:56:40', 1, 'EXECUTED', '9:00000000000000000000000000000000'),
    ('2', 'dana', 'ch/001-shop.sql', '2026-11-21 13:56:40', 2, 'EXECUTED', '9:29b25e1e751753c3df20f3e442139bfa'),
    ('three', 'dana w', 'ch/001-shop.sql', '2026-11-21 13:56:40', 3, 'EXECUTED', '8:76008f36aefc0a1a53155ff2c5c0ab78'),
    ('view', 'dana', 'ch/001-shop.sql', '2026-11-21 13:56:40', 4, 'RERAN', '9:c4a3ffc4209c37649c6fc64d753a22fb');
CREATE TABLE a (id INTEGER);
CREATE TABLE users (id INTEGER, name TEXT);
";

#[tokio::test(flavor = "multi_thread")]
async fn changesets_run_and_are_rolled_back_one_by_one() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        shop.write("001-shop.sql", SHOP);
        assert_eq!(shop.up().await.unwrap().applied, 4);
        let status = shop.status().await;
        let versions: Vec<&str> = status
            .migrations
            .iter()
            .map(|one| one.version.as_str())
            .collect();
        assert_eq!(versions, ["001.1", "001.2", "001.3", "R:dana:view"]);
        assert_eq!(
            status.migrations[0].description.as_deref(),
            Some("the table of users")
        );
        let more = "--changeset dana:5\nCREATE TABLE d (id INTEGER);\n--rollback DROP TABLE d;\n";
        let grown = SHOP.replace("SELECT 1 AS", "SELECT 2 AS");
        shop.write("001-shop.sql", &format!("{grown}\n{more}"));
        assert_eq!(shop.state("R:dana:view").await, Some(State::Pending));
        assert_eq!(shop.up().await.unwrap().applied, 2, "the file may grow");
        // the file is gone: what was recorded of the changeset undoes it
        shop.write("001-shop.sql", &grown);
        assert_eq!(shop.down(Back::Steps(1)).await.unwrap().rolled_back, 1);
        refused(shop.down(Back::Steps(1)).await, "irreversible", 3);
        Shop::assert_intact(&shop.verify().await);
        let edited = grown.replace("name TEXT", "name VARCHAR(9)");
        shop.write("001-shop.sql", &edited);
        refused(shop.up().await, "file-changed", 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_liquibase_is_taken_over_once_its_lock_is_free() {
    on_every_engine(async |_, database| {
        let shop = Shop::new(database);
        let more = "--changeset dana:5\nCREATE TABLE d (id INTEGER);\n";
        shop.write("001-shop.sql", &format!("{SHOP}\n{more}"));
        shop.database.run(ROWS).unwrap();
        let migrator = shop.migrator();
        let forced = Adopt {
            force: Some("looked at it".to_owned()),
            ..Adopt::default()
        };
        refused(migrator.adopt(&forced).await, "adoption-in-use", 3);
        shop.database
            .run("UPDATE DATABASECHANGELOGLOCK SET LOCKED = FALSE;")
            .unwrap();
        let report = migrator.plan_adopt(&Adopt::default()).await.unwrap();
        assert!(report.lock_free, "it was asked for");
        assert_eq!(report.refusals[0].code, "adoption-checksum-mismatch");
        let report = migrator.adopt(&forced).await.unwrap();
        let verdicts: Vec<(&str, Verdict)> = report
            .migrations
            .iter()
            .map(|one| (one.version.as_str(), one.verdict))
            .collect();
        assert_eq!(
            verdicts,
            [
                ("001.1", Verdict::Mismatch),
                ("001.2", Verdict::Match),
                ("001.3", Verdict::NoChecksum),
                ("R:dana:view", Verdict::Match),
            ]
        );
        assert_eq!((report.tool.as_str(), report.pending), ("liquibase", 1));
        assert_eq!(shop.up().await.unwrap().applied, 1);
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_holds_its_lock_is_not_disturbed() {
    on_every_engine(async |kind, database| {
        let Some(take) = kind.takes_lock else { return };
        let shop = Shop::new(database);
        shop.write("1_a.sql", "CREATE TABLE a (id INTEGER);\n");
        shop.database
            .run(
                "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL);
                 INSERT INTO schema_migrations VALUES (1, FALSE);",
            )
            .unwrap();
        let tool = find("golang-migrate").unwrap();
        let mut other = writer(&*shop.database).await;
        let (database, schema) = other.whereabouts().await.unwrap();
        let locks = tool.locks(&Whereabouts {
            database: &database,
            schema: &schema,
            table: &"schema_migrations".parse().unwrap(),
        });
        let taking = locks.iter().find_map(take).unwrap();
        other.begin(&begin()).await.unwrap();
        other.execute(&taking).await.unwrap();
        let migrator = shop.migrator();
        refused(migrator.adopt(&Adopt::default()).await, "adoption-in-use", 3);
        other.close().await.unwrap();
        let report = migrator.adopt(&Adopt::default()).await.unwrap();
        assert!(report.lock_free && report.marked == 1);
    })
    .await;
}
