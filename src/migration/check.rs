//! What a script does, found in one reading before any of it runs.

use super::problem::Problem;
use super::script::Script;
use super::split::{Class, Control, LexRules, Statement};

/// How many characters of a statement a message shows.
const SHOWN: usize = 40;

/// What one reading of a script tells about how it can run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many statements it has, without the BEGIN and COMMIT of a transaction of its own.
    pub statements: u64,
    /// All of it stands between a BEGIN and a COMMIT, or in several such transactions one after the
    /// other, but for statements that switch the enforcement of foreign keys. They are not counted.
    pub own_transaction: bool,
    /// The first other statement that begins or ends a transaction: its line and first word.
    pub transaction_control: Option<(u64, String)>,
    /// Which statements cannot run in a transaction, from 1.
    pub not_in_transaction: Vec<u64>,
    /// A statement changes the session.
    pub changes_session: bool,
    /// A statement chooses a storage without transactions, or the storage that others have.
    pub outside_transactions: bool,
    /// Which statements write rows and can run in a transaction, from 1; empty where every storage has
    /// transactions.
    pub writes: Vec<u64>,
}

impl Script {
    /// Reads the script once and tells how it can run.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when it cannot be cut into statements, or when its verification is not made of
    /// queries.
    pub fn check(&self, rules: &'static LexRules) -> Result<Summary, Problem> {
        let mut summary = Summary::default();
        let mut frame = Frame::default();
        let mut frames = 0;
        // each place with the number of frames before it, which do not count where they are left out
        let mut alone = Vec::new();
        let mut writing = Vec::new();
        for statement in self.statements(rules) {
            let statement = statement?;
            summary.statements = statement.index;
            summary.changes_session |= statement.class.changes_session();
            if !statement.class.runs_in_transaction() {
                alone.push((statement.index, frames));
            }
            summary.outside_transactions |= chooses_storage(&statement, rules);
            if writes(&statement, rules) {
                writing.push((statement.index, frames));
            }
            frames += u64::from(statement.frames());
            frame.take(&statement);
        }
        match frame.end() {
            Ok(whole) => {
                summary.own_transaction = whole;
                summary.statements -= if whole { frames } else { 0 };
            }
            Err(offender) => summary.transaction_control = Some(offender),
        }
        let counted =
            |(index, frames): (u64, u64)| index - if summary.own_transaction { frames } else { 0 };
        summary.not_in_transaction = alone.into_iter().map(counted).collect();
        summary.writes = writing.into_iter().map(counted).collect();
        for query in self.verifications(rules) {
            let query = query?;
            if !rules.only_reads(query.text) {
                return Err(self.not_a_query(&query));
            }
        }
        Ok(summary)
    }

    fn not_a_query(&self, found: &Statement<'_>) -> Problem {
        let words: Vec<&str> = found.text.split_whitespace().take(3).collect();
        let words: String = words.join(" ").chars().take(SHOWN).collect();
        Problem::new(
            "verify-not-a-query",
            self.path(),
            format!("expected a query in the section `-- VERIFY`, found `{words}`"),
            "each statement there only reads, and returns one row whose first column is true",
        )
        .at_line(found.line)
    }
}

/// Says whether a statement may choose a storage without transactions; rows are not looked at.
fn chooses_storage(statement: &Statement<'_>, rules: &LexRules) -> bool {
    let words = rules.non_transactional;
    let is_one = |found: &str| words.iter().any(|word| word.eq_ignore_ascii_case(found));
    !words.is_empty()
        && statement.class != Class::Ordinary
        && statement
            .text
            .split(|one: char| !one.is_alphanumeric() && one != '_')
            .any(is_one)
}

fn writes(statement: &Statement<'_>, rules: &'static LexRules) -> bool {
    !rules.non_transactional.is_empty()
        && match statement.class {
            Class::Ordinary => !rules.only_reads(statement.text),
            Class::Session => rules.writes_rows(statement.text),
            _ => false,
        }
}

/// A statement of transaction control: its line and first word.
type Offender = (u64, String);

/// The transaction that a script may open and close around all of it.
#[derive(Debug, Default)]
enum Frame {
    /// No transaction control yet, and nothing but switches of foreign keys.
    #[default]
    Empty,
    /// No transaction control yet, and something else.
    Plain,
    /// Opened, and not closed yet.
    Open(Offender),
    /// Closed, and nothing but switches of foreign keys since.
    Closed(Offender),
    /// Transaction control that does not fit.
    Broken(Offender),
}

impl Frame {
    fn take(&mut self, statement: &Statement<'_>) {
        let control = match statement.class {
            // without effect inside of the run's own transaction
            Class::ForeignKeys => return,
            Class::TransactionControl(control) => Some(control),
            _ => None,
        };
        let here = || {
            let word = statement.text.split_whitespace().next().unwrap_or_default();
            (statement.line as u64, word.to_ascii_uppercase())
        };
        *self = match (std::mem::take(self), control) {
            (Self::Empty | Self::Plain, None) => Self::Plain,
            (Self::Empty, Some(Control::Begin)) => Self::Open(here()),
            (Self::Open(opened), None) => Self::Open(opened),
            (Self::Open(_), Some(Control::Commit)) => Self::Closed(here()),
            // one transaction after the other, and nothing in between
            (Self::Closed(_), Some(Control::Begin)) => Self::Open(here()),
            // a COMMIT with statements after it is what cuts the script in two
            (Self::Closed(offender) | Self::Broken(offender), _) => Self::Broken(offender),
            (Self::Empty | Self::Plain | Self::Open(_), Some(_)) => Self::Broken(here()),
        };
    }

    /// Says whether a transaction stands around all of the script, or what breaks it in two.
    fn end(self) -> Result<bool, Offender> {
        match self {
            Self::Empty | Self::Plain => Ok(false),
            Self::Closed(_) => Ok(true),
            Self::Open(offender) | Self::Broken(offender) => Err(offender),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::split::{MYSQL, POSTGRES, SQLITE};
    use super::*;

    fn check(text: &str) -> Result<Summary, Problem> {
        Script::sections(text, 0..text.len(), None).check(&SQLITE)
    }

    fn summary(text: &str) -> Summary {
        check(text).unwrap()
    }

    #[test]
    fn a_transaction_around_all_of_it_is_left_out() {
        for (text, statements) in [
            ("BEGIN; SELECT 1;\nSELECT 2; COMMIT;", 2),
            ("begin transaction; end transaction", 0),
            (
                "BEGIN; SELECT 1; COMMIT;\nBEGIN; SELECT 2; SELECT 3; COMMIT",
                3,
            ),
            (
                "-- rebuild\nbegin immediate;\nCREATE TABLE t (x);\nEND TRANSACTION",
                1,
            ),
            (
                "PRAGMA foreign_keys=off; BEGIN; CREATE TABLE t (x); COMMIT; PRAGMA foreign_keys = ON;",
                3,
            ),
            (
                "PRAGMA main.foreign_keys(0); BEGIN; PRAGMA foreign_key_check; COMMIT;",
                2,
            ),
        ] {
            let summary = summary(text);
            assert!(summary.own_transaction, "{text}");
            assert_eq!(summary.statements, statements, "{text}");
            assert_eq!(summary.transaction_control, None, "{text}");
            assert!(!summary.changes_session, "{text}");
        }
    }

    #[test]
    fn transaction_control_anywhere_else_is_named() {
        for (text, line, word) in [
            ("SELECT 1;\nCOMMIT;\nSELECT 2;", 2, "COMMIT"),
            ("BEGIN;\nSELECT 1;", 1, "BEGIN"),
            ("BEGIN;\nCOMMIT;\nSELECT 1;", 2, "COMMIT"),
            ("BEGIN;\nCOMMIT;\nBEGIN;\nCOMMIT;\nSELECT 1;", 4, "COMMIT"),
            ("BEGIN;\nCOMMIT;\nSELECT 1;\nBEGIN;\nCOMMIT;", 2, "COMMIT"),
            ("BEGIN; SELECT 1;\nROLLBACK;", 2, "ROLLBACK"),
            ("BEGIN; SAVEPOINT a;\nRELEASE a; COMMIT;", 1, "SAVEPOINT"),
            ("BEGIN;\nBEGIN;\nCOMMIT;", 2, "BEGIN"),
            ("SELECT 1;\n\nEND;", 3, "END"),
            ("SELECT 1;\nBEGIN;\nCOMMIT;", 2, "BEGIN"),
            ("PRAGMA cache_size = 9;\nBEGIN;\nCOMMIT;", 2, "BEGIN"),
        ] {
            let found = summary(text);
            assert!(!found.own_transaction, "{text}");
            assert_eq!(
                found.transaction_control,
                Some((line, word.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn words_of_a_transaction_inside_other_statements_are_no_control() {
        for text in [
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END;",
            "CREATE TABLE t(\"commit\", [rollback]); INSERT INTO t VALUES('; COMMIT;', 1)",
            "EXPLAIN COMMIT",
            "SELECT 1 -- COMMIT;\n; /* ROLLBACK; */",
        ] {
            assert_eq!(summary(text).transaction_control, None, "{text}");
        }
    }

    #[test]
    fn what_cannot_run_in_a_transaction_is_found() {
        for (text, alone) in [
            ("VACUUM", &[1][..]),
            ("SELECT 1; VACUUM; SELECT 1", &[2]),
            ("pragma main.journal_mode = wal", &[1]),
            ("PRAGMA \"journal_mode\"('wal')", &[1]),
            ("PRAGMA wal_checkpoint", &[1]),
            ("PRAGMA page_size = 8192; PRAGMA auto_vacuum = 1", &[1, 2]),
            ("PRAGMA journal_mode", &[]),
            ("PRAGMA main.synchronous;", &[]),
            ("PRAGMA foreign_keys = OFF", &[]),
        ] {
            assert_eq!(summary(text).not_in_transaction, alone, "{text}");
        }
    }

    #[test]
    fn what_changes_the_session_is_found() {
        for (text, changes) in [
            ("PRAGMA recursive_triggers = 1", true),
            ("PRAGMA recursive_triggers", false),
            ("PRAGMA foreign_keys = ON", false),
            ("PRAGMA user_version = 7", false),
            ("PRAGMA synchronous = OFF", true),
            ("ATTACH ':memory:' AS x", true),
            ("DETACH x", true),
            ("VACUUM", false),
            ("PRAGMA wal_checkpoint(TRUNCATE)", false),
            ("CREATE TEMP TABLE t(a)", true),
            ("create table if not exists temp.t(a)", true),
            ("create unique index \"temp\".i on t(a)", true),
            ("CREATE VIRTUAL TABLE [temp].t USING fts5(a)", true),
            ("CREATE TABLE temperatures(a)", false),
            ("CREATE TABLE temp(a)", false),
        ] {
            assert_eq!(summary(text).changes_session, changes, "{text}");
        }
    }

    #[test]
    fn a_storage_without_transactions_is_found() {
        let check = |text: &str, rules| {
            let summary = Script::sections(text, 0..text.len(), None).check(rules);
            let summary = summary.unwrap();
            (summary.outside_transactions, summary.writes)
        };
        for text in [
            "CREATE TABLE t (a INT) ENGINE=MyISAM",
            "CREATE TABLE t (a INT) engine = 'memory'",
            "CREATE TEMPORARY TABLE t (a INT) ENGINE=`Aria`",
            "ALTER TABLE t ENGINE ARCHIVE",
            "SET SESSION default_storage_engine = x",
            "/*!40101 SET storage_engine=x */",
            "PREPARE s FROM 'CREATE TABLE t (a INT) ENGINE=CSV'",
            "LOCK TABLES t WRITE; ALTER TABLE t ENGINE=MyISAM; UNLOCK TABLES",
        ] {
            assert!(check(text, &MYSQL).0, "{text}");
            assert_eq!(check(text, &POSTGRES), (false, vec![]), "{text}");
        }
        for text in [
            "CREATE TABLE t (a INT) ENGINE=InnoDB",
            "INSERT INTO t VALUES ('MyISAM', 1) -- memory",
            "CREATE TABLE memory_ (in_memory INT)",
        ] {
            assert!(!check(text, &MYSQL).0, "{text}");
        }
        let text = "SET @a = 1; INSERT INTO t VALUES (@a); SELECT 1; DELETE FROM t; CREATE TABLE u (a INT); \
                    WITH a AS (SELECT 1) SELECT @b FROM a; WITH a AS (SELECT @b) DELETE FROM t; SELECT @b";
        assert_eq!(check(text, &MYSQL), (false, vec![2, 4, 7]));
    }

    #[test]
    fn only_queries_verify() {
        let check = |query: &str| {
            let text = format!("CREATE TABLE t (x);\n-- VERIFY\nSELECT 1;\n{query};\n");
            let verify = text.find("-- VERIFY").unwrap();
            Script::sections(&text, 0..verify, Some(verify..text.len())).check(&SQLITE)
        };
        for query in [
            "select count(*) = 0 from t",
            "VALUES (1)",
            "WITH a AS (SELECT 1), b(x) AS (VALUES (2)) SELECT replace('a', 'b', 'c') FROM a, b",
            "WITH \"insert\"(x) AS (SELECT 1) SELECT x FROM \"insert\"",
            "/* DELETE */ SELECT 1 -- COMMIT",
        ] {
            assert!(check(query).is_ok(), "{query}");
        }
        for query in [
            "COMMIT",
            "ROLLBACK",
            "SAVEPOINT a",
            "PRAGMA query_only = OFF",
            "ATTACH 'x' AS x",
            "VACUUM",
            "EXPLAIN SELECT 1",
            "INSERT INTO t VALUES (1) RETURNING 1",
            "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a RETURNING 1",
            "WITH a AS (SELECT 1) DELETE FROM t RETURNING 1",
            "CREATE TABLE u (x)",
            "(SELECT 1)",
        ] {
            let problem = check(query).unwrap_err();
            assert_eq!(
                (problem.code, problem.line),
                ("verify-not-a-query", Some(4)),
                "{query}"
            );
        }
    }
}
