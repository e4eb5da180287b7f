//! The fingerprint: what changes it, and what does not.

use std::process::{Command, Stdio};

use super::*;

/// A schema with one of everything.
const EVERYTHING: &[&str] = &[
    "CREATE TABLE customers (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, \
     email VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'a''b\\\\c' \
     COMMENT 'O''Neill', born DATE NULL DEFAULT '2000-01-01', \
     made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, \
     low VARCHAR(190) AS (LOWER(email)) VIRTUAL, kind ENUM('a', 'b''c') DEFAULT 'a', \
     UNIQUE KEY email (email), KEY born (born DESC, email(10)), \
     CONSTRAINT grown CHECK (born < '2020-01-01')) ENGINE = InnoDB COMMENT = 'people'",
    "CREATE TABLE orders (id INT PRIMARY KEY, customer INT UNSIGNED, body JSON, \
     FULLTEXT KEY words (body), \
     CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id) \
     ON DELETE CASCADE ON UPDATE SET NULL) ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
    "CREATE TABLE log (day INT NOT NULL, x INT) ENGINE = InnoDB PARTITION BY RANGE (day) \
     (PARTITION early VALUES LESS THAN (10), PARTITION late VALUES LESS THAN MAXVALUE)",
    "CREATE VIEW spend AS SELECT c.email, COUNT(*) AS n FROM customers c \
     JOIN orders o ON o.customer = c.id GROUP BY c.email",
    "CREATE VIEW early AS SELECT * FROM log WHERE day < 10 WITH LOCAL CHECK OPTION",
    "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW BEGIN \
     IF NEW.id < 0 THEN SET NEW.id = 0; END IF; -- no less\n END",
    "CREATE FUNCTION f(a INT, b VARCHAR(20)) RETURNS INT DETERMINISTIC \
     COMMENT 'adds' BEGIN DECLARE x INT DEFAULT 1; RETURN a + x; END",
    "CREATE PROCEDURE p(IN a INT, OUT b INT) BEGIN SELECT COUNT(*) INTO b FROM customers; END",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE \
     DO DELETE FROM log WHERE day < 0",
];

async fn fingerprint(place: &Place) -> Digest {
    let found = place.reader().await.fingerprint().await.unwrap();
    assert_eq!(found.format, 1);
    assert!(found.server.contains(' '), "{}", found.server);
    assert!(found.lacking.is_empty(), "{:?}", found.lacking);
    found.digest
}

async fn made(statements: &[&str]) -> Place {
    let place = Place::new().await;
    let mut session = place.writer().await;
    all(&mut *session, statements).await;
    session.close().await.unwrap();
    place
}

/// Runs one of the server's own clients on a database; `input` is what it reads.
fn client(program: &str, options: &[&str], database: &str, input: &str) -> String {
    use std::io::Write;
    let url = server();
    let (_, place) = url.rsplit_once('@').unwrap();
    let (host, port) = place.rsplit_once(':').unwrap();
    let mut child = Command::new(program)
        .args(["--no-defaults", "--protocol=tcp", "--user=root"])
        .args([&format!("--host={host}"), &format!("--port={port}")])
        .args(options)
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_dump_that_is_restored_under_another_name_is_equal() {
    let place = made(EVERYTHING).await;
    place.create_store().await;
    let before = fingerprint(&place).await;
    let options = [
        "--routines",
        "--triggers",
        "--events",
        "--single-transaction",
    ];
    let dump = client("mariadb-dump", &options, &place.name, "");
    let copy = Place::new().await;
    client("mariadb", &[], &copy.name, &dump);
    assert_eq!(fingerprint(&copy).await, before);
    // the store came with it, and is whole
    let store = copy.reader().await.store().await.unwrap();
    let crate::engine::Store::Present { missing_guards, .. } = store else {
        panic!("expected a store, found {store:?}");
    };
    assert_eq!(missing_guards, Vec::<String>::new());
}

#[tokio::test]
async fn content_and_statistics_and_the_store_change_nothing() {
    let place = made(EVERYTHING).await;
    let before = fingerprint(&place).await;
    place.create_store().await;
    assert_eq!(fingerprint(&place).await, before, "the store");
    let mut session = place.writer().await;
    for sql in [
        "INSERT INTO customers (id, email) VALUES (7, 'x'), (9, 'y')",
        "INSERT INTO orders (id, customer, body) VALUES (1, 7, '{}')",
        "INSERT INTO log VALUES (1, 1), (100, 1)",
        "ANALYZE TABLE customers, orders, log",
        "OPTIMIZE TABLE customers, log",
        "DELETE FROM customers",
    ] {
        session.execute(sql).await.unwrap();
        assert_eq!(fingerprint(&place).await, before, "{sql}");
    }
    all(&mut *session, &["CREATE TABLE passing (x INT)"]).await;
    assert_ne!(fingerprint(&place).await, before);
    all(&mut *session, &["DROP TABLE passing"]).await;
    assert_eq!(fingerprint(&place).await, before);
}

#[tokio::test]
async fn every_definition_counts() {
    let place = made(EVERYTHING).await;
    let mut seen = vec![fingerprint(&place).await];
    let mut session = place.writer().await;
    for sql in [
        "ALTER TABLE customers ADD COLUMN c INT",
        "ALTER TABLE customers MODIFY c INT NOT NULL",
        "ALTER TABLE customers MODIFY c INT NOT NULL DEFAULT 3",
        "ALTER TABLE customers MODIFY c BIGINT NOT NULL DEFAULT 3 AFTER id",
        "ALTER TABLE customers MODIFY c BIGINT NOT NULL DEFAULT 3 COMMENT 'x' AFTER id",
        "ALTER TABLE customers ADD KEY c (c)",
        "ALTER TABLE customers DROP KEY c, ADD UNIQUE KEY c (c)",
        "ALTER TABLE customers DROP CONSTRAINT grown",
        "ALTER TABLE customers COMMENT = 'others'",
        "ALTER TABLE orders DROP FOREIGN KEY of_customer",
        "ALTER TABLE orders ADD CONSTRAINT of_customer FOREIGN KEY (customer) \
         REFERENCES customers (id) ON DELETE RESTRICT",
        "ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "ALTER TABLE log REORGANIZE PARTITION late INTO \
         (PARTITION mid VALUES LESS THAN (20), PARTITION late VALUES LESS THAN MAXVALUE)",
        "CREATE OR REPLACE VIEW early AS SELECT * FROM log WHERE day < 11 WITH LOCAL CHECK OPTION",
        "CREATE OR REPLACE VIEW early AS SELECT * FROM log WHERE day < 11",
        "CREATE OR REPLACE SQL SECURITY INVOKER VIEW early AS SELECT * FROM log WHERE day < 11",
        "DROP TRIGGER t",
        "CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW SET @x = 1",
        "DROP FUNCTION f",
        "CREATE FUNCTION f(a INT, b VARCHAR(21)) RETURNS INT DETERMINISTIC RETURN 1",
        "ALTER PROCEDURE p SQL SECURITY INVOKER",
        "ALTER EVENT e ON SCHEDULE EVERY 2 DAY STARTS '2030-01-01 00:00:00'",
        "ALTER EVENT e ENABLE",
        "RENAME TABLE orders TO purchases",
    ] {
        session
            .execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let now = fingerprint(&place).await;
        assert!(!seen.contains(&now), "{sql}");
        seen.push(now);
    }
}

#[tokio::test]
async fn tables_that_cannot_be_rolled_back_are_known() {
    let place = Place::with_store().await;
    let mut session = place.writer().await;
    all(
        &mut *session,
        &[
            "CREATE TABLE a (x INT) ENGINE = InnoDB",
            "CREATE VIEW v AS SELECT * FROM a",
        ],
    )
    .await;
    assert!(session.tables_are_transactional().await.unwrap());
    all(&mut *session, &["CREATE TABLE b (x INT) ENGINE = MyISAM"]).await;
    assert!(!session.tables_are_transactional().await.unwrap());
    all(
        &mut *session,
        &["DROP TABLE b", "SET default_storage_engine = Aria"],
    )
    .await;
    assert!(!session.tables_are_transactional().await.unwrap());
}
