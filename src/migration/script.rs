//! A script's bytes, read when they are needed and only if they are the ones that were hashed.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ledger::Digest;

use super::directives::Directives;
use super::layout::{self, Kind};
use super::problem::Problem;
use super::split::{Class, Control, LexRules, Pieces, Statement};
use super::{Form, path_of};

/// Where a script is, and what its bytes hash to; the text itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFile {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the exact bytes of the whole file.
    pub digest: Digest,
    /// The size of the whole file in bytes.
    pub size: u64,
    /// The bytes of the file that are this script.
    pub section: Range<usize>,
    /// The bytes of the file that are queries to verify it by.
    pub verify: Option<Range<usize>>,
    /// What the script asks for.
    pub directives: Directives,
}

impl ScriptFile {
    /// Reads the file again.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when it cannot be read, or when its bytes are not those that were hashed.
    pub fn load(&self) -> Result<Script, Problem> {
        let bytes = fs::read(&self.path).map_err(|error| {
            Problem::new(
                "file-unreadable",
                &self.path,
                format!("the file cannot be read: {error}"),
                "check its permissions",
            )
        })?;
        if Digest::of(&bytes) != self.digest {
            return Err(Problem::new(
                "file-changed-while-running",
                &self.path,
                "the file was changed after it was read for the first time",
                "run again when nothing writes to the folder",
            ));
        }
        Ok(Script {
            text: utf8(bytes, &self.path)?,
            path: self.path.clone(),
            section: self.section.clone(),
            verify: self.verify.clone(),
            directives: self.directives.clone(),
        })
    }
}

/// A script's text, in memory once.
#[derive(Debug)]
pub struct Script {
    text: String,
    path: PathBuf,
    section: Range<usize>,
    verify: Option<Range<usize>>,
    directives: Directives,
}

/// A place in a file, as people find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line's text.
    pub text: &'a str,
}

/// What one reading of a script tells about how it can run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many statements it has, without a BEGIN and COMMIT around all of them.
    pub statements: u64,
    /// A BEGIN and a COMMIT stand around all of it.
    pub own_transaction: bool,
    /// The first other statement that begins or ends a transaction: its line and first word.
    pub transaction_control: Option<(u64, String)>,
    /// Which statements cannot run in a transaction, from 1.
    pub not_in_transaction: Vec<u64>,
    /// A statement changes the session.
    pub changes_session: bool,
}

impl Script {
    /// Returns the down script in bytes that were recorded when a migration was applied.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when the bytes cannot be read as such a script any more.
    pub fn recorded(
        bytes: Vec<u8>,
        label: &str,
        form: Form,
        rules: &'static LexRules,
    ) -> Result<Self, Problem> {
        let path = path_of(label);
        let text = utf8(bytes, &path)?;
        let section = match form {
            Form::Pair => layout::read(&text, Kind::PairDown, &path, rules)?.own,
            Form::Single => layout::read(&text, Kind::Single, &path, rules)?
                .down
                .ok_or_else(|| {
                    Problem::new(
                        "irreversible",
                        &path,
                        "the recorded file has no section `-- DOWN`",
                        "write a new migration that undoes it",
                    )
                })?,
        };
        Ok(Self {
            text,
            path,
            section: section.range,
            verify: None,
            directives: section.directives,
        })
    }

    /// Returns the exact bytes of the whole file.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Returns what the script asks for.
    pub fn directives(&self) -> &Directives {
        &self.directives
    }

    /// Yields the statements one by one, without holding all of them.
    pub fn statements(
        &self,
        rules: &'static LexRules,
    ) -> impl Iterator<Item = Result<Statement<'_>, Problem>> + use<'_> {
        self.statements_in(self.section.clone(), rules)
    }

    /// Yields the queries of the VERIFY section.
    pub fn verifications(
        &self,
        rules: &'static LexRules,
    ) -> impl Iterator<Item = Result<Statement<'_>, Problem>> + use<'_> {
        let end = self.text.len();
        self.statements_in(self.verify.clone().unwrap_or(end..end), rules)
    }

    fn statements_in(
        &self,
        section: Range<usize>,
        rules: &'static LexRules,
    ) -> impl Iterator<Item = Result<Statement<'_>, Problem>> + use<'_> {
        let mut counted = 0;
        let mut line = 1;
        let mut index = 0;
        Pieces::new(&self.text, section, rules).filter_map(move |piece| {
            let piece = match piece {
                Ok(piece) => piece,
                Err(unterminated) => {
                    let place = self.line_of(unterminated.offset);
                    return Some(Err(Problem {
                        code: "unterminated",
                        path: self.path.clone(),
                        line: Some(place.line),
                        column: Some(place.column),
                        message: format!(
                            "expected the end of {}, found the end of the script",
                            unterminated.what
                        ),
                        hint: "close it".to_owned(),
                    }));
                }
            };
            let range = piece.statement?;
            line += newlines(&self.text.as_bytes()[counted..range.start]);
            counted = range.start;
            index += 1;
            Some(Ok(Statement {
                text: &self.text[range.clone()],
                offset: range.start,
                line,
                index,
                class: piece.class,
            }))
        })
    }

    /// Reads the script once and tells how it can run.
    ///
    /// # Errors
    ///
    /// A [`Problem`] when it cannot be cut into statements.
    pub fn check(&self, rules: &'static LexRules) -> Result<Summary, Problem> {
        let mut summary = Summary::default();
        let mut controls: Vec<(u64, Control, u64, String)> = Vec::new();
        for statement in self.statements(rules) {
            let statement = statement?;
            summary.statements = statement.index;
            summary.changes_session |= statement.class.changes_session();
            match statement.class {
                Class::TransactionControl(control) if controls.len() < 3 => {
                    let word = statement.text.split_whitespace().next().unwrap_or_default();
                    let word = word.to_ascii_uppercase();
                    controls.push((statement.index, control, statement.line as u64, word));
                }
                Class::NotInTransaction => summary.not_in_transaction.push(statement.index),
                _ => {}
            }
        }
        let last = summary.statements;
        match controls.as_slice() {
            [(1, Control::Begin, ..), (end, Control::Commit, ..)] if *end == last => {
                summary.own_transaction = true;
                summary.statements -= 2;
            }
            [(1, Control::Begin, ..), second, ..] => {
                summary.transaction_control = Some((second.2, second.3.clone()));
            }
            [first, ..] => summary.transaction_control = Some((first.2, first.3.clone())),
            [] => {}
        }
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
        let words: String = words.join(" ").chars().take(40).collect();
        Problem::new(
            "verify-not-a-query",
            &self.path,
            format!("expected a query in the section `-- VERIFY`, found `{words}`"),
            "each statement there only reads, and returns one row whose first column is true",
        )
        .at_line(found.line)
    }

    /// Returns where byte `offset` of the file is.
    pub fn line_of(&self, offset: usize) -> Place<'_> {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let text = self.text[start..].lines().next().unwrap_or_default();
        Place {
            line: newlines(before.as_bytes()) + 1,
            column: before[start..].chars().count() + 1,
            text,
        }
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// Takes bytes as text, or says at which byte they are not.
pub(super) fn utf8(bytes: Vec<u8>, path: &Path) -> Result<String, Problem> {
    let marks: [(&[u8], &str); 2] = [(b"\xff\xfe", "UTF-16LE"), (b"\xfe\xff", "UTF-16BE")];
    for (mark, name) in marks {
        if bytes.starts_with(mark) {
            return Err(Problem::new(
                "encoding-invalid",
                path,
                format!("expected UTF-8, found {name}"),
                "save the file as UTF-8",
            ));
        }
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        Problem::new(
            "encoding-invalid",
            path,
            format!(
                "expected UTF-8, found another encoding at byte {}",
                error.utf8_error().valid_up_to()
            ),
            "save the file as UTF-8",
        )
    })?;
    if let Some(at) = text.find('\0') {
        let line = newlines(&text.as_bytes()[..at]) + 1;
        return Err(Problem::new(
            "encoding-invalid",
            path,
            format!("expected text, found a NUL at byte {at}"),
            "take it out",
        )
        .at_line(line));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::split::SQLITE;
    use super::*;

    fn script(text: &str) -> Script {
        Script {
            text: text.to_owned(),
            path: PathBuf::from("1_x.sql"),
            section: 0..text.len(),
            verify: None,
            directives: Directives::default(),
        }
    }

    #[test]
    fn statements_know_their_lines() {
        let script = script("-- é\nSELECT 1;\n\n  SELECT\n 2;");
        let lines: Vec<_> = script
            .statements(&SQLITE)
            .map(|statement| statement.unwrap())
            .map(|statement| (statement.index, statement.line, statement.text))
            .collect();
        assert_eq!(lines, [(1, 2, "SELECT 1"), (2, 4, "SELECT\n 2")]);
        let place = script.line_of(script.text.find('2').unwrap());
        assert_eq!((place.line, place.column, place.text), (5, 2, " 2;"));
        assert_eq!(script.line_of(5).column, 5);
    }

    #[test]
    fn a_transaction_around_all_of_it_is_left_out_and_any_other_refused() {
        let summary = |text: &str| script(text).check(&SQLITE).unwrap();
        let wrapped = summary("BEGIN; SELECT 1;\nSELECT 2; COMMIT;");
        assert!(wrapped.own_transaction);
        assert_eq!((wrapped.statements, wrapped.transaction_control), (2, None));
        assert!(summary("begin transaction; end transaction").own_transaction);
        for (text, line, word) in [
            ("SELECT 1;\nCOMMIT;\nSELECT 2;", 2, "COMMIT"),
            ("BEGIN;\nSELECT 1;", 1, "BEGIN"),
            ("BEGIN;\nCOMMIT;\nSELECT 1;", 2, "COMMIT"),
            ("BEGIN; SELECT 1;\nROLLBACK;", 2, "ROLLBACK"),
            ("BEGIN; SAVEPOINT a;\nRELEASE a; COMMIT;", 1, "SAVEPOINT"),
            ("SELECT 1;\n\nEND;", 3, "END"),
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
    fn only_queries_verify() {
        let check = |query: &str| {
            let text = format!("CREATE TABLE t (x);\n-- VERIFY\nSELECT 1;\n{query};\n");
            let mut script = script(&text);
            let verify = text.find("-- VERIFY").unwrap();
            script.section = 0..verify;
            script.verify = Some(verify..text.len());
            script.check(&SQLITE)
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

    #[test]
    fn other_encodings_are_named() {
        let refused = |bytes: &[u8]| utf8(bytes.to_vec(), Path::new("x")).unwrap_err().message;
        assert_eq!(refused(b"\xff\xfeS\0"), "expected UTF-8, found UTF-16LE");
        assert_eq!(refused(b"\xfe\xff\0S"), "expected UTF-8, found UTF-16BE");
        assert_eq!(
            refused(b"-- caf\xe9"),
            "expected UTF-8, found another encoding at byte 6"
        );
        assert_eq!(refused(b"a\0"), "expected text, found a NUL at byte 1");
    }
}
