//! How a file says which half is which: by our own markers, by those of another tool, or not at all.

use super::marker::Marker;

/// The marks of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Style {
    /// `-- UP`, `-- DOWN`, `-- VERIFY`.
    #[default]
    Ours,
    /// `-- +goose Up`, `-- +goose Down`.
    Goose,
    /// `-- migrate:up`, `-- migrate:down`.
    Dbmate,
    /// `-- Up Migration`, `-- Down Migration`.
    NodePgMigrate,
    /// None: every line is what it is for the database.
    Plain,
}

/// What a comment line means where another tool's marks hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// A section begins, in no transaction where that is true.
    Section(Marker, bool),
    /// No section of the file runs in a transaction.
    NoTransaction,
    /// Nothing.
    Remark,
    /// What cannot be done here: what was expected and found, and what to do.
    Refused(String, &'static str),
}

/// The first line of a script of sqlx that is to run in no transaction.
const SQLX_NO_TRANSACTION: &str = "-- no-transaction";

impl Style {
    /// Returns the style of which a text has the first mark; ours where it has none.
    pub(super) fn of(text: &str) -> Self {
        Self::marked(text).unwrap_or_default()
    }

    /// Returns the style of which a text has the first mark; none where it has none.
    pub(super) fn marked(text: &str) -> Option<Self> {
        for line in text.lines() {
            let line = line.trim_start_matches('\u{feff}').trim_end();
            if !line.starts_with("--") {
                continue;
            }
            if [Marker::Up, Marker::Down]
                .iter()
                .any(|marker| marker.written() == line)
            {
                return Some(Self::Ours);
            }
            for style in [Self::Goose, Self::Dbmate, Self::NodePgMigrate] {
                if matches!(style.mark(line), Mark::Section(..)) {
                    return Some(style);
                }
            }
        }
        None
    }

    /// Returns the name of the format that has these marks.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "mledger",
            Self::Goose => "goose",
            Self::Dbmate => "dbmate",
            Self::NodePgMigrate => "node-pg-migrate",
            Self::Plain => "plain SQL",
        }
    }

    /// Returns a marker as it is written.
    pub(super) fn written(self, marker: Marker) -> &'static str {
        match (self, marker) {
            (Self::Goose, Marker::Up) => "-- +goose Up",
            (Self::Goose, Marker::Down) => "-- +goose Down",
            (Self::Dbmate, Marker::Up) => "-- migrate:up",
            (Self::Dbmate, Marker::Down) => "-- migrate:down",
            (Self::NodePgMigrate, Marker::Up) => "-- Up Migration",
            (Self::NodePgMigrate, Marker::Down) => "-- Down Migration",
            _ => marker.written(),
        }
    }

    /// Says whether a file without sections is none of this style.
    pub(super) fn needs_sections(self) -> bool {
        matches!(self, Self::Goose | Self::Dbmate)
    }

    /// Says whether the text asks by its first bytes to run in no transaction.
    pub(super) fn has_no_transaction(self, text: &str) -> bool {
        let line = || text.lines().next().unwrap_or_default().trim_end();
        self == Self::Ours && line() == SQLX_NO_TRANSACTION
    }

    /// Says what a line comment means, given with the characters that begin it.
    pub(super) fn mark(self, comment: &str) -> Mark {
        let content = comment.trim_start_matches('-').trim();
        match self {
            Self::Goose => goose(content),
            Self::Dbmate => dbmate(content),
            Self::NodePgMigrate => node_pg_migrate(content),
            Self::Ours | Self::Plain => Mark::Remark,
        }
    }
}

fn goose(content: &str) -> Mark {
    let Some(annotation) = content.strip_prefix("+goose") else {
        return Mark::Remark;
    };
    let words: Vec<String> = annotation
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["up"] => Mark::Section(Marker::Up, false),
        ["down"] => Mark::Section(Marker::Down, false),
        ["no", "transaction"] => Mark::NoTransaction,
        // statements are cut by reading them, so these lines have nothing to say
        ["statementbegin" | "statementend"] | ["envsub", "off"] => Mark::Remark,
        ["envsub", "on"] => Mark::Refused(
            "expected a script that is the same everywhere, found `-- +goose ENVSUB ON`".to_owned(),
            "write the values into the script: what ran must be what is recorded",
        ),
        _ => Mark::Refused(
            format!(
                "expected `Up`, `Down`, `StatementBegin`, `StatementEnd` or `NO TRANSACTION` after \
                 `+goose`, found `{}`",
                annotation.trim()
            ),
            "correct the line",
        ),
    }
}

fn dbmate(content: &str) -> Mark {
    let Some(block) = content.strip_prefix("migrate:") else {
        return Mark::Remark;
    };
    let mut words = block.split_whitespace();
    let marker = match words.next() {
        Some("up") => Marker::Up,
        Some("down") => Marker::Down,
        _ => return Mark::Remark,
    };
    let mut no_transaction = false;
    for option in words {
        match option {
            "transaction:false" => no_transaction = true,
            "transaction:true" => no_transaction = false,
            other => {
                return Mark::Refused(
                    format!(
                        "expected `transaction:true` or `transaction:false` after `migrate:`, found \
                         `{other}`"
                    ),
                    "correct the line",
                );
            }
        }
    }
    Mark::Section(marker, no_transaction)
}

/// What stands behind the two words is a remark.
fn node_pg_migrate(content: &str) -> Mark {
    let mut words = content.split_whitespace().map(str::to_ascii_lowercase);
    let (first, second) = (words.next(), words.next());
    if !second.is_some_and(|word| word.starts_with("migration")) {
        return Mark::Remark;
    }
    match first.as_deref() {
        Some("up") => Mark::Section(Marker::Up, false),
        Some("down") => Mark::Section(Marker::Down, false),
        _ => Mark::Remark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_style_of_its_first_mark() {
        for (text, style) in [
            ("CREATE TABLE a (b INT);", Style::Ours),
            ("-- UP\nA;\n-- +goose Up\n", Style::Ours),
            ("-- a remark\n-- +goose Up\nA;", Style::Goose),
            ("\u{feff}-- +goose up\r\nA;", Style::Goose),
            ("-- migrate:up transaction:false\nA;", Style::Dbmate),
            ("-- migrate the users\nA;", Style::Ours),
            ("-- Up Migration\nA;", Style::NodePgMigrate),
            ("--- up migrations of may\nA;", Style::NodePgMigrate),
            ("-- upper migration\nA;", Style::Ours),
        ] {
            assert_eq!(Style::of(text), style, "{text}");
        }
    }

    #[test]
    fn each_mark_of_other_tools_is_known() {
        let up = |no_transaction| Mark::Section(Marker::Up, no_transaction);
        assert_eq!(Style::Goose.mark("-- +goose Up"), up(false));
        assert_eq!(
            Style::Goose.mark("-- +goose NO TRANSACTION"),
            Mark::NoTransaction
        );
        assert_eq!(Style::Goose.mark("-- +goose StatementBegin"), Mark::Remark);
        assert_eq!(Style::Goose.mark("-- goose up"), Mark::Remark);
        for refused in ["-- +goose ENVSUB ON", "-- +goose Upp", "-- +goose"] {
            assert!(
                matches!(Style::Goose.mark(refused), Mark::Refused(..)),
                "{refused}"
            );
        }
        assert_eq!(Style::Dbmate.mark("-- migrate:up"), up(false));
        assert_eq!(
            Style::Dbmate.mark("--migrate:up transaction:false"),
            up(true)
        );
        assert!(matches!(
            Style::Dbmate.mark("-- migrate:down transactions:false"),
            Mark::Refused(..)
        ));
        assert_eq!(Style::Plain.mark("-- UP"), Mark::Remark);
    }
}
