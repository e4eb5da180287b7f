#![expect(clippy::unwrap_used, reason = "tests")]

use super::super::split::{MYSQL, POSTGRES, SQLITE};
use super::*;

/// The statements before the line `-- rest` are done.
fn after(text: &str, rules: &'static LexRules) -> Result<Vec<String>, (u64, String)> {
    let script = Script::sections(text, 0..text.len(), None);
    let rest = text.find("-- rest").unwrap();
    let done = Script::sections(&text[..rest], 0..rest, None);
    let done = done.statements(rules).filter(|statement| {
        let statement = statement.as_ref().unwrap();
        !statement.frames()
    });
    carried(&script, rules, done.count() as u64)
}

#[track_caller]
fn lost(text: &str, rules: &'static LexRules, line: u64, what: &str) {
    assert_eq!(after(text, rules), Err((line, what.to_owned())), "{text}");
}

#[track_caller]
fn replayed(text: &str, rules: &'static LexRules, statements: &[&str]) {
    assert_eq!(after(text, rules).unwrap(), statements, "{text}");
}

#[test]
fn constants_are_set_again_in_order() {
    replayed(
        "SET NAMES utf8mb4; USE shop; CREATE TABLE a (b INT); SET @x = 1, sql_mode = ''; SET @y := @x;\n\
         SET foreign_key_checks = OFF, @@session.time_zone = DEFAULT;\n-- rest\nSELECT @x, @y; SET @z = 1;",
        &MYSQL,
        &[
            "SET NAMES utf8mb4",
            "USE shop",
            "SET @x = 1, sql_mode = ''",
            "SET @y := @x",
            "SET foreign_key_checks = OFF, @@session.time_zone = DEFAULT",
        ],
    );
    replayed(
        "SET statement_timeout = 0; SET search_path TO a, \"b\"; SET LOCAL x.y = 1; RESET ROLE;\n\
         SELECT pg_catalog.set_config('search_path', '', false);\n-- rest\nSELECT 1;",
        &POSTGRES,
        &[
            "SET statement_timeout = 0",
            "SET search_path TO a, \"b\"",
            "RESET ROLE",
            "SELECT pg_catalog.set_config('search_path', '', false)",
        ],
    );
    replayed(
        "PRAGMA recursive_triggers = 1; CREATE TABLE a (b); ATTACH 'x' AS x;\n-- rest\nSELECT 1;",
        &SQLITE,
        &["PRAGMA recursive_triggers = 1", "ATTACH 'x' AS x"],
    );
    replayed(
        "SET a = 1; DISCARD ALL; SET b = 2;\n-- rest\n",
        &POSTGRES,
        &["SET b = 2"],
    );
}

/// The variables of a dump keep what the session had before; a new session has it too.
#[test]
fn a_dump_goes_on() {
    replayed(
        "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n\
         /*!40101 SET @saved_cs_client     = @@character_set_client */;\n\
         /*!40101 SET character_set_client = utf8 */;\nCREATE TABLE a (b INT);\n\
         /*!40101 SET character_set_client = @saved_cs_client */;\n\
         LOCK TABLES a WRITE; INSERT INTO a VALUES (1); UNLOCK TABLES;\n-- rest\n\
         /*!40101 SET SQL_MODE=@OLD_SQL_MODE */;",
        &MYSQL,
        &[
            "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */",
            "/*!40101 SET @saved_cs_client     = @@character_set_client */",
            "/*!40101 SET character_set_client = utf8 */",
            "/*!40101 SET character_set_client = @saved_cs_client */",
        ],
    );
}

#[test]
fn what_was_computed_is_named_where_it_is_used() {
    for made in [
        "SET @x = (SELECT 1)",
        "SET @x = NOW()",
        "SET @x = CURRENT_TIMESTAMP",
        "SET @x = 1; SET @x = @y + RAND()",
        "SELECT @x := 1",
        "SELECT 1 INTO @x",
        "CALL p(@x)",
        "CALL p()",
        "SET @x = 1; CALL p()",
        "SELECT @y := 1; SET @x = @y",
    ] {
        lost(
            &format!("{made};\n-- rest\nSELECT 1;\nSELECT @X;"),
            &MYSQL,
            4,
            "the variable `@x`",
        );
        lost(
            &format!("{made};\n-- rest\nSELECT 1;\nINSERT INTO t (a) VALUES (@x);"),
            &MYSQL,
            4,
            "the variable `@x`",
        );
        // set by the rest itself before it is used, or not used
        assert!(after(&format!("{made};\n-- rest\nSET @x = 1; SELECT @x;"), &MYSQL).is_ok());
        assert!(after(&format!("{made};\n-- rest\nSELECT 'x', a.x;"), &MYSQL).is_ok());
    }
    lost(
        "SELECT @x := 1;\n-- rest\nSET @x = @x + 1;",
        &MYSQL,
        3,
        "the variable `@x`",
    );
    // nothing has set it
    assert!(after("SELECT 1;\n-- rest\nSELECT @x;", &MYSQL).is_ok());
    assert!(after("SELECT @x;\n-- rest\nSELECT @x;", &MYSQL).is_ok());
    lost(
        "SELECT 1;\nSET sql_mode = CONCAT(@@sql_mode, ',ANSI');\n-- rest\nSELECT 1;",
        &MYSQL,
        2,
        "the settings that `SET sql_mode = CONCAT(@@sql_mode, ',ANSI` computed",
    );
}

#[test]
fn what_lives_as_long_as_the_session_is_named_where_it_is_used() {
    for (made, used, what, rules) in [
        (
            "CREATE TEMPORARY TABLE IF NOT EXISTS t (a INT)",
            "INSERT INTO b SELECT * FROM `T`",
            "the temporary table `t`",
            &MYSQL,
        ),
        (
            "PREPARE s FROM 'SELECT 1'",
            "EXECUTE s",
            "the prepared statement `s`",
            &MYSQL,
        ),
        (
            "CREATE TEMP TABLE t (a int)",
            "DROP TABLE pg_temp.t",
            "the temporary table `t`",
            &POSTGRES,
        ),
        (
            "SELECT 1 AS a INTO TEMP t",
            "DO $$ BEGIN PERFORM a FROM t; END $$",
            "the temporary table `t`",
            &POSTGRES,
        ),
        (
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "FETCH c",
            "the cursor `c`",
            &POSTGRES,
        ),
        (
            "CREATE TABLE temp.t (a)",
            "SELECT * FROM t",
            "the temporary object `t`",
            &SQLITE,
        ),
    ] {
        lost(&format!("{made};\n-- rest\n{used};"), rules, 3, what);
        let unused = format!("{made};\n-- rest\nSELECT 1 AS temporary;");
        replayed(&unused, rules, &[]);
    }
    replayed(
        "CREATE TEMP TABLE t (a int); DISCARD ALL;\n-- rest\nSELECT * FROM t;",
        &POSTGRES,
        &[],
    );
    replayed(
        "CREATE TEMP TABLE t (a int);\n-- rest\nCREATE TEMP TABLE t (a int); SELECT * FROM t;",
        &POSTGRES,
        &[],
    );
}

#[test]
fn what_tells_of_earlier_statements_is_named() {
    lost(
        "INSERT INTO a VALUES (1);\n-- rest\nINSERT INTO b VALUES (last_insert_id());",
        &MYSQL,
        3,
        "`last_insert_id()`",
    );
    lost(
        "INSERT INTO a VALUES (1);\n-- rest\n\nSELECT currval('s');",
        &POSTGRES,
        4,
        "`currval()`",
    );
    let own =
        "INSERT INTO a VALUES (1);\n-- rest\nINSERT INTO a VALUES (2); SELECT LAST_INSERT_ID();";
    replayed(own, &MYSQL, &[]);
    let stored = "INSERT INTO a VALUES (1);\n-- rest\nCREATE FUNCTION f() RETURNS INT RETURN LAST_INSERT_ID();";
    replayed(stored, &MYSQL, &[]);
}

#[test]
fn locks_and_what_nobody_can_tell_are_lost() {
    lost(
        "SELECT GET_LOCK('a', 1);\n-- rest\nSELECT 1;",
        &MYSQL,
        1,
        "the lock that `GET_LOCK` took",
    );
    lost(
        "SELECT pg_advisory_lock(1);\n-- rest\nSELECT 1;",
        &POSTGRES,
        1,
        "the lock that `pg_advisory_lock` took",
    );
    lost(
        "DO $$ BEGIN PERFORM set_config('a.b', 'c', false); END $$;\n-- rest\nSELECT 1;",
        &POSTGRES,
        1,
        "what `DO $$ BEGIN PERFORM set_config('a.b', 'c` left in its session",
    );
}

#[test]
fn a_transaction_around_all_of_it_is_not_counted() {
    replayed(
        "BEGIN; SET NAMES utf8; SET @a = 1;\n-- rest\nSELECT @a; COMMIT;",
        &MYSQL,
        &["SET NAMES utf8", "SET @a = 1"],
    );
}
