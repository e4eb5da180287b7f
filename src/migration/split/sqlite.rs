//! How SQLite reads a script (`https://sqlite.org/lang.html`), as data.

use super::head::Term;
use super::rules::{Backslash, BlockComments, Body, BodyForm, Carry, LexRules, LineComment, Quote};
use super::{Class, Control};

/// SQLite.
pub const SQLITE: LexRules = LexRules {
    line_comments: &[LineComment {
        opens: "--",
        needs_space: false,
    }],
    block_comments: BlockComments {
        nested: false,
        end_of_text_closes: true,
        code: &[],
    },
    quotes: &[
        Quote::doubled(b'\'', "a string, which ends in `'`"),
        Quote::doubled(b'"', "a name in `\"`"),
        Quote::doubled(b'`', "a name in backquotes"),
        Quote {
            prefix: "",
            open: b'[',
            close: b']',
            doubled: false,
            backslash: Backslash::Plain,
            continued: false,
            name: "a name in `[` and `]`",
        },
    ],
    dollar_quotes: false,
    backslash_escapes: false,
    escapes: &[],
    parentheses_hold: false,
    delimiter_command: "",
    bodies: &[Body {
        head: &[
            Term::Maybe(&["EXPLAIN"]),
            Term::Maybe(&["QUERY"]),
            Term::Maybe(&["PLAN"]),
            Term::One(&["CREATE"]),
            Term::Maybe(&["TEMP", "TEMPORARY"]),
            Term::One(&["TRIGGER"]),
        ],
        form: BodyForm::UntilEnd,
        stored: true,
    }],
    classes: CLASSES,
    mentions: &[],
    user_variables: false,
    inline_code: &[],
    edges: &[],
    client: "`sqlite3`",
    client_commands: &[".", "\\"],
    client_escapes: None,
    client_remarks: &[],
    queries: &["SELECT", "VALUES"],
    named_queries: "WITH",
    writes: &["INSERT", "REPLACE", "UPDATE", "DELETE"],
    carry: CARRY,
    non_transactional: &[],
};

const PRAGMA: Term = Term::One(&["PRAGMA"]);
const CREATE: Term = Term::One(&["CREATE"]);
const VALUE: Term = Term::One(&["=", "("]);

const CARRY: Carry = Carry {
    nothing: &[],
    resets: &[],
    sets: &[&[Term::One(&["PRAGMA", "ATTACH", "DETACH"])]],
    computes: &[],
    makes: &[
        (
            &[
                CREATE,
                Term::One(&["TEMP", "TEMPORARY"]),
                Term::One(&["TABLE", "VIEW", "TRIGGER"]),
                Term::Maybe(&["IF"]),
                Term::Maybe(&["NOT"]),
                Term::Maybe(&["EXISTS"]),
            ],
            "temporary object",
        ),
        (
            &[
                CREATE,
                Term::Maybe(&["UNIQUE", "VIRTUAL"]),
                Term::One(&["TABLE", "VIEW", "TRIGGER", "INDEX"]),
                Term::Maybe(&["IF"]),
                Term::Maybe(&["NOT"]),
                Term::Maybe(&["EXISTS"]),
            ],
            "temporary object",
        ),
    ],
    opaque: &[],
    locks: &[],
    recalls: &["LAST_INSERT_ROWID", "CHANGES", "TOTAL_CHANGES"],
};

/// What SQLite answers to each of them inside a transaction that has written.
const CLASSES: &[(&[Term], Class)] = &[
    (
        &[Term::One(&["BEGIN"])],
        Class::TransactionControl(Control::Begin),
    ),
    (
        &[Term::One(&["COMMIT", "END"])],
        Class::TransactionControl(Control::Commit),
    ),
    (
        &[Term::One(&["ROLLBACK"])],
        Class::TransactionControl(Control::Rollback),
    ),
    (
        &[Term::One(&["SAVEPOINT"])],
        Class::TransactionControl(Control::Savepoint),
    ),
    (
        &[Term::One(&["RELEASE"])],
        Class::TransactionControl(Control::Release),
    ),
    // an error, and nothing of it stays with the session
    (&[Term::One(&["VACUUM"])], Class::NotInTransaction),
    (
        &[PRAGMA, Term::Qualifier, Term::Name(&["wal_checkpoint"])],
        Class::NotInTransaction,
    ),
    // an error, or without effect and without a word
    (&[Term::One(&["DETACH"])], Class::SessionNotInTransaction),
    (
        &[
            PRAGMA,
            Term::Qualifier,
            Term::Name(&[
                "journal_mode",
                "synchronous",
                "page_size",
                "auto_vacuum",
                "temp_store",
            ]),
            VALUE,
        ],
        Class::SessionNotInTransaction,
    ),
    // without effect inside a transaction
    (
        &[
            PRAGMA,
            Term::Qualifier,
            Term::Name(&["foreign_keys"]),
            VALUE,
        ],
        Class::ForeignKeys,
    ),
    // a question
    (
        &[PRAGMA, Term::Qualifier, Term::Any, Term::End],
        Class::Ordinary,
    ),
    // kept in the file, asked of it, or over with the transaction
    (
        &[
            PRAGMA,
            Term::Qualifier,
            Term::Name(&[
                "application_id",
                "user_version",
                "defer_foreign_keys",
                "optimize",
                "incremental_vacuum",
                "integrity_check",
                "quick_check",
                "foreign_key_check",
                "foreign_key_list",
                "table_info",
                "table_xinfo",
                "table_list",
                "index_list",
                "index_info",
                "index_xinfo",
            ]),
        ],
        Class::Ordinary,
    ),
    (&[PRAGMA], Class::Session),
    (&[Term::One(&["ATTACH"])], Class::Session),
    (&[CREATE, Term::One(&["TEMP", "TEMPORARY"])], Class::Session),
    (
        &[
            CREATE,
            Term::Maybe(&["UNIQUE", "VIRTUAL"]),
            Term::One(&["TABLE", "VIEW", "TRIGGER", "INDEX"]),
            Term::Maybe(&["IF"]),
            Term::Maybe(&["NOT"]),
            Term::Maybe(&["EXISTS"]),
            Term::Name(&["temp"]),
            Term::One(&["."]),
        ],
        Class::Session,
    ),
];
