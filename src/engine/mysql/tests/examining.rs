//! What a person is shown who must say whether a statement took effect.

use super::*;

async fn said(session: &mut dyn Session, sql: &str) -> String {
    session.examine(sql).await.unwrap().join("\n")
}

#[tokio::test]
async fn the_objects_of_a_statement_are_looked_for() {
    let place = Place::new().await;
    let mut session = place.writer().await;
    let create = "CREATE TABLE `a b` (id INT PRIMARY KEY, x INT) ENGINE = InnoDB";
    assert_eq!(
        said(&mut *session, create).await,
        "the table `a b` is not there"
    );
    all(
        &mut *session,
        &[
            create,
            "CREATE VIEW v AS SELECT 1 AS x",
            "CREATE INDEX i ON `a b` (x, id)",
            "CREATE PROCEDURE p() BEGIN END",
            "CREATE TRIGGER t BEFORE INSERT ON `a b` FOR EACH ROW BEGIN END",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM `a b`",
            "INSERT INTO `a b` VALUES (1, 1), (2, 2)",
        ],
    )
    .await;
    let name = &place.name;
    let qualified = format!("DROP TABLE IF EXISTS {name}.`a b`, missing /* x */ CASCADE");
    for (sql, expected) in [
        (create, "the table `a b` is there, made at "),
        ("DROP VIEW v", "the table `v` is there"),
        (&qualified, &format!("the table `{name}.a b` is there")),
        (&qualified, "the table `missing` is not there"),
        (
            "RENAME TABLE old TO `a b`, x TO y",
            "the table `old` is not there\nthe table `a b` is there",
        ),
        ("RENAME TABLE old TO `a b`, x TO y", "the table `y` is not"),
        (
            "ALTER TABLE `a b` ADD y INT",
            "the table `a b` is now: CREATE TABLE `a b` (\n  `id` int",
        ),
        (
            "ALTER TABLE gone ADD y INT",
            "the table `gone` is not there",
        ),
        ("TRUNCATE `a b`", "the table `a b` has 2 rows"),
        ("TRUNCATE TABLE gone", "the table `gone` is not there"),
        (
            "CREATE UNIQUE INDEX i ON `a b` (x)",
            "the index `i` of `a b` is there, on `x`, `id`",
        ),
        (
            "DROP INDEX j ON `a b`",
            "the index `j` of `a b` is not there",
        ),
        (
            "CREATE DEFINER=`root`@`%` PROCEDURE p() BEGIN END",
            "the routine `p` is there",
        ),
        ("DROP FUNCTION IF EXISTS f", "the routine `f` is not there"),
        ("DROP TRIGGER t", "the trigger `t` is there"),
        (
            "CREATE OR REPLACE TRIGGER u BEFORE INSERT ON t FOR EACH ROW BEGIN END",
            "the trigger `u` is not there",
        ),
        ("ALTER EVENT e DISABLE", "the event `e` is there"),
        (
            "DROP DATABASE nowhere_at_all",
            "the schema `nowhere_at_all` is not",
        ),
    ] {
        let said = said(&mut *session, sql).await;
        assert!(said.contains(expected), "{sql}: {said}");
    }
    assert_eq!(said(&mut *session, "INSERT INTO t VALUES (1)").await, "");
}

#[tokio::test]
async fn who_still_executes_a_statement_is_named() {
    let place = Place::new().await;
    let mut worker = place.writer().await;
    let mut reader = place.reader().await;
    let sql = "SELECT SLEEP(3) /* long */";
    let work = tokio::spawn(async move { worker.execute(sql).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let said = said(&mut *reader, sql).await;
    assert!(said.contains("has been executing this statement"), "{said}");
    work.await.unwrap().unwrap();
}
