//! How MySQL reads a script, as far as telling schema changes from other statements needs it.

use crate::migration::split::{BlockComments, Class, Control, LexRules, LineComment, Quote, Term};

/// MySQL and MariaDB.
pub(super) const RULES: LexRules = LexRules {
    line_comments: &[
        LineComment {
            opens: "--",
            needs_space: true,
        },
        LineComment {
            opens: "#",
            needs_space: false,
        },
    ],
    block_comments: BlockComments {
        nested: false,
        end_of_text_closes: false,
    },
    quotes: &[
        quoted(b'\'', true, "a string, which ends in `'`"),
        quoted(b'"', true, "a string, which ends in `\"`"),
        quoted(b'`', false, "a name in backquotes"),
    ],
    bodies: &[],
    classes: &[
        (
            &[Term::One(&["BEGIN", "START"])],
            Class::TransactionControl(Control::Begin),
        ),
        (
            &[Term::One(&["COMMIT"])],
            Class::TransactionControl(Control::Commit),
        ),
        (
            &[Term::One(&["ROLLBACK"])],
            Class::TransactionControl(Control::Rollback),
        ),
        (
            &[Term::One(&["SET", "USE"])],
            Class::SessionNotInTransaction,
        ),
        (
            &[Term::One(&[
                "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "CALL",
            ])],
            Class::NotInTransaction,
        ),
    ],
    client_commands: &["\\"],
    queries: &["SELECT", "VALUES", "SHOW", "TABLE"],
    named_queries: "WITH",
    writes: &["INSERT", "REPLACE", "UPDATE", "DELETE"],
};

const fn quoted(quote: u8, backslash: bool, name: &'static str) -> Quote {
    Quote {
        open: quote,
        close: quote,
        doubled: true,
        backslash,
        name,
    }
}
