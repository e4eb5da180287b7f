//! What a migration is: a versioned change with an up script, perhaps a down script, and a header.
//!
//! [`source::read`] turns a folder into [`Migration`]s without keeping any script's text. A
//! [`ScriptFile`] is read again when it runs, and refused when its bytes are not those that were
//! hashed; a [`Script`] then yields its [`Statement`]s one by one.

mod carry;
mod changeset;
mod check;
pub mod create;
mod directives;
mod folder;
pub mod format;
mod header;
mod layout;
mod marker;
mod metadata;
mod name;
mod problem;
mod script;
pub mod source;
pub mod split;
mod style;
mod version;

use std::path::PathBuf;

use ledger::Digest;

pub use self::carry::carried;
pub use self::changeset::sql as changeset_sql;
pub use self::check::Summary;
pub use self::directives::Directives;
pub use self::metadata::Metadata;
pub use self::problem::Problem;
pub use self::script::{Place, Script, ScriptFile};
pub use self::split::{Class, Control, Statement};
pub use self::version::{Version, VersionError};

/// How a migration's scripts lie in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Both in one file, under `-- UP` and `-- DOWN`.
    Single,
    /// Each in a file of its own.
    Pair,
}

/// A versioned change, as the folder has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The version, as in the file name.
    pub version: Version,
    /// The name, as in the file name.
    pub name: String,
    /// How the scripts lie in files.
    pub form: Form,
    /// SHA-256 of the text of the file that holds the up script, without a leading byte order mark
    /// and with CRLF turned into LF (docs/format.md section 9).
    pub checksum: Digest,
    /// The up script.
    pub up: ScriptFile,
    /// The down script.
    pub down: Option<ScriptFile>,
    /// The header.
    pub metadata: Metadata,
    /// It stands for all up to its version on a database that has none of them, and for nothing on any
    /// other.
    pub baseline: bool,
    /// What the tool of its form knows it by, where that is more than version and name.
    pub identity: Option<String>,
    /// What is odd about it and stops nothing.
    pub warnings: Vec<Problem>,
}

/// Returns the checksum of a script's text: without a leading byte order mark, CRLF turned into LF.
pub fn checksum(text: &str) -> Digest {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut hasher = ledger::Hasher::new();
    let mut rest = text;
    while let Some(at) = rest.find("\r\n") {
        hasher.update(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
    }
    hasher.update(rest.as_bytes());
    hasher.finish()
}

/// Returns where a path is, for messages.
pub(crate) fn path_of(label: &str) -> PathBuf {
    PathBuf::from(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_does_not_see_line_ends_nor_a_byte_order_mark() {
        let unix = checksum("CREATE TABLE a (\n  b\n);\n");
        assert_eq!(unix, checksum("CREATE TABLE a (\r\n  b\r\n);\r\n"));
        assert_eq!(unix, checksum("\u{feff}CREATE TABLE a (\n  b\n);\n"));
        assert_eq!(unix, Digest::of(b"CREATE TABLE a (\n  b\n);\n"));
        assert_ne!(unix, checksum("CREATE TABLE a (\n  b\n);"));
        // a lone carriage return is data
        assert_ne!(checksum("a\rb"), checksum("a\nb"));
        assert_eq!(checksum("a\r\r\nb"), Digest::of(b"a\r\nb"));
    }
}
