//! Each tool's rows, as it writes them and as it does not.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::super::{Cell, TOOLS, find};
use super::*;
use crate::migration::source;
use crate::migration::split::SQLITE;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn files(folder: &tempfile::TempDir) -> Vec<Migration> {
    source::read(folder.path(), &source::Options::default(), &SQLITE).unwrap()
}

/// The bytes of a file, as the migrator gives them.
fn bytes(file: &Migration) -> Result<Vec<u8>, Problem> {
    file.up.load().map(|script| script.bytes().to_vec())
}

fn table(columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    Table {
        name: "history".parse().unwrap(),
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        rows,
    }
}

#[test]
fn a_baseline_stands_for_what_is_older_and_needs_no_file() {
    let folder = folder(&["V1__a.sql", "V2__a.sql", "V4__a.sql"].map(|name| (name, "SELECT 1;\n")));
    let flyway = find("flyway").unwrap();
    let cells = ["1", "3", "<< >>", "BASELINE", "<< >>", "", "2024", "1"];
    let table = table(
        flyway.columns(),
        vec![cells.map(|text| Cell::Text(text.to_owned())).to_vec()],
    );
    let mut never = |_: &Migration| Ok(Vec::new());
    let adoption = judge(flyway, &table, &files(&folder), None, &mut never).unwrap();
    let found: Vec<(&str, Verdict)> = adoption
        .judged
        .iter()
        .map(|judged| (judged.version.as_str(), judged.verdict))
        .collect();
    assert_eq!(found, [("1", Verdict::Assumed), ("2", Verdict::Assumed)]);
    assert_eq!(adoption.rows, 1);
}

#[test]
fn line_ends_become_one_kind() {
    assert_eq!(with_line_ends(b"a\r\nb\nc\rd", b"\n"), b"a\nb\nc\rd");
    assert_eq!(with_line_ends(b"a\r\nb\nc", b"\r\n"), b"a\r\nb\r\nc");
}

/// How a tool that records checksums keeps one migration.
struct Kept {
    tool: &'static str,
    /// What stands beside the file.
    beside: &'static [(&'static str, &'static str)],
    file: &'static str,
    text: &'static str,
    /// The columns of its row, of which `SUM` is its checksum.
    row: &'static [(&'static str, &'static str)],
}

const SUM: &str = "SUM";
/// Stands for what a tool that names its migrations by a sum calls this one.
const ID: &str = "ID";

/// The checksums themselves are those that the tools recorded, in the tests beside each.
const KEPT: &[Kept] = &[
    Kept {
        tool: "sqlx",
        beside: &[],
        file: "1_a.sql",
        text: "CREATE TABLE a (\n  id INTEGER\n);\n",
        row: &[
            ("version", "1"),
            ("description", "a"),
            ("success", "1"),
            ("checksum", SUM),
        ],
    },
    Kept {
        tool: "flyway",
        beside: &[],
        file: "V1__a.sql",
        text: "CREATE TABLE a (\n  id INTEGER\n);\n",
        row: &[
            ("installed_rank", "1"),
            ("version", "1"),
            ("description", "a"),
            ("type", "SQL"),
            ("script", "V1__a.sql"),
            ("checksum", SUM),
            ("installed_on", "2024"),
            ("success", "1"),
        ],
    },
    Kept {
        tool: "refinery",
        beside: &[],
        file: "V1__a.sql",
        text: "CREATE TABLE a (\n  id INTEGER\n);\n",
        row: &[
            ("version", "1"),
            ("name", "a"),
            ("applied_on", "2024"),
            ("checksum", SUM),
        ],
    },
    Kept {
        tool: "prisma",
        beside: &[],
        file: "20240131120000_a/migration.sql",
        text: "-- CreateTable\nCREATE TABLE a (\n  id INTEGER\n);\n",
        row: &[
            ("checksum", SUM),
            ("finished_at", "2024"),
            ("migration_name", "20240131120000_a"),
            ("rolled_back_at", ""),
            ("started_at", "2024"),
        ],
    },
    Kept {
        tool: "drizzle",
        beside: &[("meta/_journal.json", "{}")],
        file: "0000_a.sql",
        text: "CREATE TABLE a (\n  id INTEGER\n);\n--> statement-breakpoint\nSELECT 1;",
        row: &[("hash", SUM), ("created_at", "1706702400000")],
    },
    Kept {
        tool: "liquibase",
        beside: &[],
        file: "001-shop.sql",
        text: "--liquibase formatted sql\n\n--changeset dana:1\nCREATE TABLE a (\n  id INTEGER\n);\n",
        row: &[
            ("id", "1"),
            ("author", "dana"),
            ("filename", "ch/001-shop.sql"),
            ("orderexecuted", "1"),
            ("exectype", "EXECUTED"),
            ("md5sum", SUM),
        ],
    },
    Kept {
        tool: "sqitch",
        beside: &[(
            "sqitch.plan",
            "%syntax-version=1.0.0\n%project=p\n\na 2024-01-31T12:00:00Z M <m@e> # first\n",
        )],
        file: "deploy/a.sql",
        text: "-- Deploy\nCREATE TABLE a (\n  id INTEGER\n);\n",
        row: &[
            ("change_id", ID),
            ("script_hash", SUM),
            ("change", "a"),
            ("project", "p"),
            ("committed_at", "2024"),
        ],
    },
];

impl Kept {
    fn folder(&self, text: &str) -> tempfile::TempDir {
        folder(&[self.beside, &[(self.file, text)]].concat())
    }

    /// The checksum that the tool records of a text; of those that depend on its build the first.
    fn sum(&self, text: &str) -> String {
        let folder = self.folder(text);
        let file = &files(&folder)[0];
        let sums = find(self.tool).unwrap().checksums(&File {
            version: &file.version,
            name: &file.name,
            text: &bytes(file).unwrap(),
        });
        sums[0].clone()
    }

    /// The verdict on a file of this text where the tool recorded this checksum.
    fn verdict(&self, text: &str, recorded: &str) -> Verdict {
        let tool = find(self.tool).unwrap();
        let columns: Vec<&str> = self.row.iter().map(|(column, _)| *column).collect();
        let folder = self.folder(text);
        let files = files(&folder);
        let cell = |&(_, value): &(&str, &str)| match value {
            "" => Cell::Null,
            ID => Cell::Text(files[0].identity.clone().unwrap()),
            SUM if self.tool == "sqlx" => Cell::Bytes(
                (0..recorded.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&recorded[at..at + 2], 16).unwrap())
                    .collect(),
            ),
            SUM => Cell::Text(recorded.to_owned()),
            value => Cell::Text(value.to_owned()),
        };
        let table = table(&columns, vec![self.row.iter().map(cell).collect()]);
        assert!(tool.recognises(&table), "{}", self.tool);
        let adoption = judge(tool, &table, &files, None, &mut bytes).unwrap();
        assert_eq!(adoption.judged.len(), 1, "{}", self.tool);
        adoption.judged[0].verdict
    }
}

#[test]
fn one_byte_makes_another_checksum_and_line_ends_do_not() {
    for kept in KEPT {
        let (tool, text) = (kept.tool, kept.text);
        let recorded = kept.sum(text);
        assert_eq!(kept.verdict(text, &recorded), Verdict::Match, "{tool}");
        for (from, to) in [("TABLE a", "TABLE b"), ("id", "iD"), ("INTEGER", "INTEGeR")] {
            let other = text.replace(from, to);
            let found = kept.verdict(&other, &recorded);
            assert_eq!(found, Verdict::Mismatch, "{tool}: {other}");
        }
        // a checksum of which one digit was changed; the last one is never the sign
        let (rest, last) = recorded.split_at(recorded.len() - 1);
        let other = format!("{rest}{}", if last == "1" { "2" } else { "1" });
        assert_eq!(kept.verdict(text, &other), Verdict::Mismatch, "{tool}");
        let windows = text.replace('\n', "\r\n");
        for (found, of) in [
            (kept.verdict(&windows, &recorded), "a checkout with CRLF"),
            (kept.verdict(text, &kept.sum(&windows)), "recorded of CRLF"),
        ] {
            assert!(
                matches!(found, Verdict::Match | Verdict::LineEndsDiffer),
                "{tool}, {of}: {found:?}"
            );
        }
    }
}

#[test]
fn every_tool_that_records_checksums_is_tried() {
    let version = "1".parse().unwrap();
    let file = File {
        version: &version,
        name: "a",
        text: b"SELECT 1;",
    };
    let with: Vec<&str> = TOOLS
        .iter()
        .filter(|tool| !tool.checksums(&file).is_empty())
        .map(|tool| tool.name())
        .collect();
    let mut tried: Vec<&str> = KEPT.iter().map(|kept| kept.tool).collect();
    tried.sort_by_key(|tool| with.iter().position(|with| with == tool));
    assert_eq!(tried, with);
}

fn any_cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Null),
        "[ -~é]{0,12}".prop_map(Cell::Text),
        prop::sample::select(&["1", "0", "-1", "t", "1_a", "EXECUTED", "R__a.sql"][..])
            .prop_map(|text| Cell::Text(text.to_owned())),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Cell::Bytes),
    ]
}

proptest! {
    /// Rows of any content are judged or refused with a sentence, and nothing is taken over of a row that
    /// has no version.
    #[test]
    fn rows_of_any_content_are_judged_or_refused(
        at in 0..TOOLS.len(),
        cells in prop::collection::vec(prop::collection::vec(any_cell(), 8), 0..3),
    ) {
        let tool = TOOLS[at];
        let width = tool.columns().len();
        let rows = cells.into_iter().map(|mut row| { row.truncate(width); row }).collect();
        let folder = folder(&[("1_a.sql", "SELECT 1;")]);
        match judge(tool, &table(tool.columns(), rows), &files(&folder), None, &mut bytes) {
            Ok(adoption) => prop_assert!(adoption.marked(true).all(|one| one.version.as_str() == "1")),
            Err(Unreadable::Rows(message)) => prop_assert!(message.contains("history"), "{}", message),
            Err(Unreadable::File(problem)) => prop_assert!(false, "{:?}", problem),
        }
    }
}
