//! How the scripts of MySQL and MariaDB are cut.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn statements(text: &str) -> Vec<&str> {
    Pieces::new(text, 0..text.len(), &MYSQL)
        .filter_map(|piece| piece.unwrap().statement)
        .map(|range| &text[range])
        .collect()
}

fn class(text: &str) -> Class {
    let mut pieces = Pieces::new(text, 0..text.len(), &MYSQL);
    let class = pieces.next().unwrap().unwrap().class;
    assert!(pieces.next().is_none(), "one statement: {text}");
    class
}

/// The statements and blocks, and which of them are blocks.
fn units(text: &str) -> Vec<(&str, bool)> {
    Units::new(text, 0..text.len(), &MYSQL)
        .map(|unit| unit.unwrap())
        .map(|(range, class)| (&text[range], class == Class::Block))
        .collect()
}

#[track_caller]
fn is_one(text: &str) {
    assert_eq!(
        statements(&format!("{text};\nSELECT 1;")),
        [text, "SELECT 1"]
    );
    assert_eq!(
        statements(&format!("delimiter //\n{text}//\nDELIMITER ;\nSELECT 1")),
        [text, "SELECT 1"]
    );
}

#[test]
fn comments_are_those_of_the_client() {
    assert_eq!(
        statements("# ;\nSELECT 1 -- ;\n; /* /* ; */ SELECT 2; --\t;\nSELECT 3 --\n; --"),
        ["SELECT 1", "SELECT 2", "SELECT 3"]
    );
    assert_eq!(
        statements("SELECT 1--1; SELECT 2"),
        ["SELECT 1--1", "SELECT 2"]
    );
    // no statement begins with a sign
    assert_eq!(
        statements("--first;\nSELECT 1; --second;\nSELECT 2"),
        ["SELECT 1", "SELECT 2"]
    );
}

#[test]
fn strings_escape_and_names_do_not() {
    is_one(r#"SELECT 'a\';', "b\";", `c\`, 'it''s;', "d"";", N'\\', `e``;`"#);
    for off in [
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
        "SET SESSION sql_mode='ANSI,NO_BACKSLASH_ESCAPES'",
        "SET @@session.sql_mode := CONCAT(@@sql_mode, ',no_backslash_escapes')",
        "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES' */",
    ] {
        let text = format!("{off}; SELECT '\\'; SET sql_mode = ''; SELECT '\\';'");
        assert_eq!(statements(&text).len(), 4, "{text}");
    }
}

#[test]
fn comments_that_are_executed_are_code() {
    assert_eq!(
        statements(
            "/*!40101 SET NAMES utf8 */;\n/*! SELECT ';*/' , 1; */ /*M!100100 , 2 */;SELECT 1 /* ! ; */"
        ),
        [
            "/*!40101 SET NAMES utf8 */",
            "/*! SELECT ';*/' , 1; */ /*M!100100 , 2 */",
            "SELECT 1"
        ]
    );
    assert_eq!(
        statements("/*!999999\\- it's the sandbox */\nSELECT 1; /*M!999999\\- enable */"),
        ["SELECT 1"]
    );
    let open = "SELECT 1; /*!40101 SET NAMES utf8;";
    let last = Pieces::new(open, 0..open.len(), &MYSQL).last().unwrap();
    assert_eq!(last.unwrap_err().offset, 10);
}

#[test]
fn a_script_chooses_its_delimiter() {
    for delimiter in ["//", "$$", ";;", "|", "^", "END_OF_IT", "é"] {
        let text = format!(
            "SELECT 0; Delimiter {delimiter} -- rest\r\nSELECT 1; SELECT '{delimiter}'{delimiter}SELECT \
             2{delimiter} -- x {delimiter}\n\nDELIMITER ;\nSELECT 3;SELECT 4"
        );
        let first = format!("SELECT 1; SELECT '{delimiter}'");
        assert_eq!(
            statements(&text),
            ["SELECT 0", &first, "SELECT 2", "SELECT 3", "SELECT 4"],
            "{text}"
        );
    }
    assert_eq!(
        statements("-- DELIMITER //\n/*\nDELIMITER //\n*/ SELECT 1; SELECT 2"),
        ["SELECT 1", "SELECT 2"]
    );
    // a name, where no statement begins
    is_one("CREATE TABLE t (\ndelimiter varchar(1))");
    for text in [
        "SELECT 1;\nDELIMITER\nSELECT 2;",
        "DELIMITER \\\n",
        "DELIMITER ';'",
    ] {
        assert!(Pieces::new(text, 0..text.len(), &MYSQL).any(|piece| piece.is_err()));
    }
}

#[test]
fn routines_are_cut_without_a_delimiter() {
    for routine in [
        "CREATE PROCEDURE p() BEGIN END",
        "CREATE DEFINER=`a`@`%` PROCEDURE p(a INT) BEGIN SELECT 1; SELECT 2; END",
        "CREATE OR REPLACE DEFINER = root@localhost FUNCTION f(a VARCHAR(9)) RETURNS VARCHAR(9) CHARACTER \
         SET utf8 DETERMINISTIC COMMENT 'BEGIN' BEGIN RETURN IF(a, 1, 2); END",
        "CREATE DEFINER=CURRENT_USER() AGGREGATE FUNCTION f(a INT) RETURNS INT BEGIN LOOP FETCH GROUP NEXT \
         ROW; END LOOP; RETURN 1; END",
        "CREATE FUNCTION f() RETURNS INT RETURN CASE WHEN 1 THEN IF(1, 2, 3) ELSE 4 END",
        "CREATE PROCEDURE p() SELECT IF(1, 2, 3), REPEAT('a', 3), CASE 1 WHEN 2 THEN 3 END",
        "CREATE PROCEDURE IF NOT EXISTS p() BEGIN IF 1 THEN SELECT 1; ELSEIF (2) THEN SELECT 2; ELSE IF (3) \
         THEN SELECT 3; END IF; END IF; END",
        "CREATE PROCEDURE p() l: BEGIN x: LOOP IF a THEN LEAVE x; END IF; END LOOP x; REPEAT SET a = 1; \
         UNTIL a > IF(1, 2, 3) END REPEAT; WHILE a DO SET a = 0; END WHILE; END l",
        "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION, 1062 BEGIN ROLLBACK; END; DECLARE \
         CONTINUE HANDLER FOR NOT FOUND SET a = IF(1, 2, 3); CASE a WHEN 1 THEN SELECT 1; ELSE BEGIN END; END \
         CASE; SELECT CASE WHEN a THEN IF(1,2,3) END; END",
        "CREATE PROCEDURE p() BEGIN DROP TABLE IF EXISTS t; CREATE TABLE IF NOT EXISTS t (a INT); IF EXISTS \
         (SELECT 1) THEN SELECT REPLACE('a', 'b', 'c'); END IF; FOR i IN 1..3 DO SELECT i; END FOR; END",
        "CREATE PROCEDURE p() BEGIN SELECT (CASE a WHEN 1 THEN 2 END) AS `end`; INSERT INTO t VALUES (1) ON \
         DUPLICATE KEY UPDATE a = REPEAT('a', 2); END",
        "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET NEW.a = IF(NEW.a, 1, 2)",
        "CREATE TRIGGER t AFTER UPDATE ON u FOR EACH ROW FOLLOWS v BEGIN SET @a = 1; SET @b = 2; END",
        "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW IF NEW.a THEN SET NEW.b = 1; END IF",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; DELETE FROM u; END",
        "CREATE EVENT IF NOT EXISTS e ON SCHEDULE AT CURRENT_TIMESTAMP DO DELETE FROM t",
        "ALTER EVENT e ON COMPLETION PRESERVE DO BEGIN DELETE FROM t; END",
        "CREATE PACKAGE p AS PROCEDURE a(); FUNCTION b RETURN INT; END",
        "CREATE PACKAGE BODY p AS c INT := 1; PROCEDURE a() AS d INT; BEGIN SELECT 1; END; FUNCTION b RETURN \
         INT AS BEGIN RETURN 1; END b; BEGIN SET c = 2; END",
        "CREATE PROCEDURE p AS a INT; BEGIN <<l>> LOOP EXIT l; END LOOP; a := 1; EXCEPTION WHEN NO_DATA_FOUND \
         THEN SELECT 1; END",
        "BEGIN NOT ATOMIC IF 1 THEN SELECT 1; END IF; END",
        "IF 1 THEN SELECT 1; ELSE SELECT 2; END IF",
        "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t BEFORE INSERT ON u FOR EACH ROW \
         BEGIN SET NEW.a = 1; END */",
    ] {
        is_one(routine);
    }
    for other in [
        "CREATE TABLE begin (if INT, case_ INT)",
        "DROP PROCEDURE IF EXISTS p",
        "CREATE VIEW v AS SELECT CASE 1 WHEN 1 THEN 2 END",
        "INSERT INTO t VALUES (IF(1, 2, 3))",
        "BEGIN",
        "XA BEGIN 'a'",
    ] {
        is_one(other);
    }
    let open = "SELECT 1; CREATE PROCEDURE p() BEGIN SELECT 1;";
    let last = Pieces::new(open, 0..open.len(), &MYSQL).last().unwrap();
    assert_eq!(last.unwrap_err().offset, 10);
}

#[test]
fn first_words_tell_about_transactions() {
    use Control::{Begin, Commit, Release, Rollback, Savepoint};
    for (text, control) in [
        ("BEGIN", Begin),
        ("BEGIN WORK", Begin),
        ("START TRANSACTION READ ONLY", Begin),
        ("COMMIT", Commit),
        ("COMMIT AND NO CHAIN NO RELEASE", Rollback),
        ("COMMIT AND CHAIN", Rollback),
        ("COMMIT RELEASE", Rollback),
        ("ROLLBACK", Rollback),
        ("SAVEPOINT a", Savepoint),
        ("RELEASE SAVEPOINT a", Release),
        ("XA START 'a'", Savepoint),
    ] {
        assert_eq!(class(text), Class::TransactionControl(control), "{text}");
    }
}

#[test]
fn words_tell_what_commits_by_itself() {
    for text in [
        "CREATE TABLE t (a INT)",
        "ALTER TABLE t ADD b INT",
        "DROP TABLE IF EXISTS t",
        "RENAME TABLE t TO u",
        "TRUNCATE t",
        "GRANT ALL ON *.* TO 'a'@'%', b@localhost",
        "CREATE USER 'a'@'%' IDENTIFIED BY 'x'",
        "SET PASSWORD = 'x'",
        "ANALYZE LOCAL TABLE t",
        "OPTIMIZE TABLE t",
        "CACHE INDEX t IN c",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "FLUSH PRIVILEGES",
        "INSTALL SONAME 'x'",
        "CALL p(1)",
        "EXECUTE s",
        "START SLAVE",
        "BEGIN NOT ATOMIC SELECT 1; END",
        "SELECT 1 INTO OUTFILE 'x'",
        "/*!40000 ALTER TABLE `t` DISABLE KEYS */",
        "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET \
         @x = 1 */",
        "CREATE VIEW v AS SELECT @@version",
    ] {
        assert_eq!(class(text), Class::NotInTransaction, "{text}");
    }
    for text in [
        "INSERT INTO t VALUES ('@x')",
        "REPLACE INTO t VALUES (1)",
        "SELECT @@sql_mode, 'a'",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "DO SLEEP(0)",
        "DELETE FROM t",
        "ANALYZE SELECT 1",
        "SHOW TABLES",
    ] {
        assert_eq!(class(text), Class::Ordinary, "{text}");
    }
}

#[test]
fn words_tell_what_changes_the_session() {
    for text in [
        "SET NAMES utf8",
        "SET @a = 1",
        "SET GLOBAL x = 1",
        "/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */",
        "USE d",
        "PREPARE s FROM 'SELECT 1'",
        "DEALLOCATE PREPARE s",
        "DROP PREPARE s",
        "HANDLER t OPEN",
        "CREATE TEMPORARY TABLE t (a INT)",
        "DROP TEMPORARY TABLE t",
        "SELECT @a",
        "SELECT 1 INTO @a",
        "SELECT @a := 1",
        "INSERT INTO t VALUES (@`a b`)",
        "SELECT GET_LOCK('a', 1)",
    ] {
        assert_eq!(class(text), Class::Session, "{text}");
    }
    for text in [
        "CALL p(@a)",
        "EXECUTE s USING @a",
        "LOCK TABLES t WRITE",
        "UNLOCK TABLES",
        "SET autocommit = 1",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET sql_log_bin = 0",
        "FLUSH TABLES WITH READ LOCK",
        "CREATE TABLE t AS SELECT @a",
    ] {
        assert_eq!(class(text), Class::SessionNotInTransaction, "{text}");
    }
}

#[test]
fn locked_tables_are_a_block() {
    let block = "LOCK TABLES `t` WRITE;\n/*!40000 ALTER TABLE `t` DISABLE KEYS */;\nINSERT INTO t VALUES \
                 (';');\n/*!40000 ALTER TABLE `t` ENABLE KEYS */;\nUNLOCK TABLES";
    let text = format!("SELECT 1; -- x\n{block};\n/*!40101 SET NAMES utf8 */;");
    assert_eq!(
        units(&text),
        [
            ("SELECT 1", false),
            (block, true),
            ("/*!40101 SET NAMES utf8 */", false)
        ]
    );
    assert_eq!(statements(block).len(), 5);
    // to the end of the script
    let open = "LOCK TABLES t READ; SELECT 1; SELECT 2";
    assert_eq!(units(open), [(open, true)]);
    let again = "LOCK TABLES t READ; LOCK TABLES u READ; UNLOCK TABLES";
    assert_eq!(units(again), [(again, true)]);
}

#[test]
fn what_is_written_without_autocommit_is_a_block() {
    let block = "SET autocommit=0; INSERT INTO t VALUES (1); COMMIT; SET autocommit=1";
    assert_eq!(
        units(&format!("{block}; COMMIT")),
        [(block, true), ("COMMIT", false)]
    );
    // a dump that never sets it back
    let one = "LOCK TABLES t WRITE;\nset autocommit=0;\nINSERT INTO t VALUES (1);\nUNLOCK TABLES;\ncommit";
    let two = one.replace(" t ", " u ");
    let text = format!("{one};\nCREATE TABLE u (a INT);\n{two};\n/*!40101 SET NAMES utf8 */;");
    assert_eq!(
        units(&text),
        [
            (one, true),
            ("CREATE TABLE u (a INT)", false),
            (two.as_str(), true),
            ("/*!40101 SET NAMES utf8 */", false)
        ]
    );
    let kept = "/*M!100616 SET @OLD=@@AUTOCOMMIT, @@AUTOCOMMIT=0 */; DELETE FROM t; COMMIT; SET \
                AUTOCOMMIT=@OLD";
    assert_eq!(units(kept), [(kept, true)]);
    let twice = "SET autocommit=0; DELETE FROM t; COMMIT; DELETE FROM u; COMMIT; SET autocommit = 1; SELECT 1";
    assert_eq!(
        units(twice),
        [
            ("SET autocommit=0; DELETE FROM t; COMMIT", true),
            ("DELETE FROM u; COMMIT; SET autocommit = 1", true),
            ("SELECT 1", false)
        ]
    );
}

#[test]
fn a_block_is_read_again_as_it_was_read() {
    let inside = "LOCK TABLES t WRITE;\nDELIMITER //\nSELECT 1; //\nDELIMITER ;\nUNLOCK TABLES";
    assert_eq!(units(inside), [(inside, true)]);
    let around = "DELIMITER //\nLOCK TABLES t WRITE//\nSELECT 1//\nUNLOCK TABLES//";
    assert!(Units::new(around, 0..around.len(), &MYSQL).any(|unit| unit.is_err()));
}
