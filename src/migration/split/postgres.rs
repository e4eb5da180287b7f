//! How PostgreSQL reads a script (`https://www.postgresql.org/docs/current/sql-syntax-lexical.html`, and
//! `psql` for where a statement ends), as data.

use super::class::Effect;
use super::head::Term::{self, Any, End, Maybe, Name, Object, One, Qualifier, Skip};
use super::rules::{
    Backslash, BlockComments, Body, BodyForm, Carry, LexRules, LineComment, Mention, Quote,
};
use super::{Class, Control};

/// PostgreSQL.
///
/// A backslash in a plain string is itself until the script sets `standard_conforming_strings` off; that
/// the server's configuration does is not seen.
pub const POSTGRES: LexRules = LexRules {
    line_comments: &[LineComment {
        opens: "--",
        needs_space: false,
    }],
    block_comments: BlockComments {
        nested: true,
        end_of_text_closes: false,
        code: &[],
    },
    quotes: &[
        prefixed("E", Backslash::Escapes),
        prefixed("B", Backslash::Plain),
        prefixed("X", Backslash::Plain),
        prefixed("N", Backslash::AsSet),
        prefixed("", Backslash::AsSet),
        Quote::doubled(b'"', "a name in `\"`"),
    ],
    dollar_quotes: true,
    backslash_escapes: false,
    escapes: &[
        (&[SET, SCOPE, STRINGS, TO, OFF], true),
        (&[SET, SCOPE, STRINGS], false),
        (
            &[RESET, One(&["ALL", "STANDARD_CONFORMING_STRINGS"])],
            false,
        ),
        (&[One(&["DISCARD"]), One(&["ALL"])], false),
    ],
    parentheses_hold: true,
    delimiter_command: "",
    bodies: &[Body {
        head: &[
            CREATE,
            Maybe(&["OR"]),
            Maybe(&["REPLACE"]),
            One(&["FUNCTION", "PROCEDURE"]),
        ],
        form: BodyForm::Atomic,
        stored: true,
    }],
    classes: CLASSES,
    mentions: &[
        session("", "SET_CONFIG"),
        session("", "PG_ADVISORY_LOCK"),
        session("", "PG_ADVISORY_LOCK_SHARED"),
        session("", "PG_TRY_ADVISORY_LOCK"),
        session("", "PG_TRY_ADVISORY_LOCK_SHARED"),
        session("INTO", "TEMP"),
        session("INTO", "TEMPORARY"),
        Mention {
            head: &[One(&["COPY"])],
            before: "FROM",
            word: "STDIN",
            effect: Effect::Data,
        },
    ],
    user_variables: false,
    inline_code: &[One(&["DO"])],
    edges: &[],
    client: "`psql`",
    client_commands: &["\\"],
    client_escapes: Some(&[]),
    client_remarks: &["\\restrict", "\\unrestrict"],
    queries: &["SELECT", "VALUES", "TABLE"],
    named_queries: "WITH",
    writes: &["INSERT", "UPDATE", "DELETE", "MERGE"],
    carry: CARRY,
    non_transactional: &[],
};

/// A string with this word right before it.
const fn prefixed(prefix: &'static str, backslash: Backslash) -> Quote {
    Quote {
        prefix,
        backslash,
        continued: true,
        ..Quote::doubled(b'\'', "a string, which ends in `'`")
    }
}

const fn session(before: &'static str, word: &'static str) -> Mention {
    Mention {
        head: &[],
        before,
        word,
        effect: Effect::Session,
    }
}

const CREATE: Term = One(&["CREATE"]);
const ALTER: Term = One(&["ALTER"]);
const SET: Term = One(&["SET"]);
const RESET: Term = One(&["RESET"]);
const SCOPE: Term = Maybe(&["SESSION", "LOCAL"]);
const STRINGS: Term = Name(&["STANDARD_CONFORMING_STRINGS"]);
const TO: Term = One(&["=", "TO"]);
const OFF: Term = Name(&[
    "OFF", "OF", "FALSE", "FALS", "FAL", "FA", "F", "NO", "N", "0",
]);
const CONCURRENTLY: Term = One(&["CONCURRENTLY"]);
const TEMPORARY: Term = One(&["TEMP", "TEMPORARY"]);
const CHAIN: &[&str] = &["CHAIN"];

/// A statement that ends the transaction in a way that no end of a script's own transaction is.
const OTHER_END: Class = Class::TransactionControl(Control::Rollback);

const CARRY: Carry = Carry {
    nothing: &[
        &[SET, One(&["TRANSACTION"])],
        &[One(&["DEALLOCATE", "DISCARD"])],
    ],
    resets: &[&[One(&["DISCARD"]), One(&["ALL"])]],
    sets: &[
        &[One(&["SET", "RESET", "LISTEN", "UNLISTEN", "LOAD"])],
        &[
            One(&["SELECT"]),
            Qualifier,
            One(&["SET_CONFIG"]),
            One(&["("]),
            Any,
            One(&[","]),
            Any,
            One(&[","]),
            One(&["FALSE"]),
            One(&[")"]),
            End,
        ],
    ],
    computes: &[
        "CURRENT_CATALOG",
        "CURRENT_DATE",
        "CURRENT_ROLE",
        "CURRENT_SCHEMA",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "SESSION_USER",
        "SYSTEM_USER",
    ],
    makes: &[
        (
            &[
                CREATE,
                Maybe(&["OR"]),
                Maybe(&["REPLACE"]),
                Maybe(&["GLOBAL", "LOCAL"]),
                TEMPORARY,
                Maybe(&["RECURSIVE"]),
                One(&["TABLE", "VIEW", "SEQUENCE"]),
                Maybe(&["IF"]),
                Maybe(&["NOT"]),
                Maybe(&["EXISTS"]),
            ],
            "temporary table",
        ),
        (
            &[
                CREATE,
                Maybe(&["OR"]),
                Maybe(&["REPLACE"]),
                Maybe(&["UNLOGGED"]),
                One(&["TABLE", "VIEW", "SEQUENCE", "FUNCTION", "PROCEDURE", "TYPE"]),
                Maybe(&["IF"]),
                Maybe(&["NOT"]),
                Maybe(&["EXISTS"]),
            ],
            "temporary object",
        ),
        (
            &[Skip, One(&["INTO"]), TEMPORARY, Maybe(&["TABLE"])],
            "temporary table",
        ),
        (&[One(&["PREPARE"])], "prepared statement"),
        (&[One(&["DECLARE"])], "cursor"),
    ],
    opaque: &[],
    locks: &[
        "PG_ADVISORY_LOCK",
        "PG_ADVISORY_LOCK_SHARED",
        "PG_TRY_ADVISORY_LOCK",
        "PG_TRY_ADVISORY_LOCK_SHARED",
    ],
    recalls: &["LASTVAL", "CURRVAL"],
};

/// What PostgreSQL answers to each of them inside a transaction.
const CLASSES: &[(&[Term], Class)] = &[
    (
        &[One(&["BEGIN"])],
        Class::TransactionControl(Control::Begin),
    ),
    (
        &[One(&["START"]), One(&["TRANSACTION"])],
        Class::TransactionControl(Control::Begin),
    ),
    (
        &[One(&["COMMIT", "ROLLBACK"]), One(&["PREPARED"])],
        OTHER_END,
    ),
    (&[One(&["PREPARE"]), One(&["TRANSACTION"])], OTHER_END),
    (
        &[
            One(&["COMMIT", "END"]),
            Maybe(&["WORK", "TRANSACTION"]),
            One(&["AND"]),
            One(CHAIN),
        ],
        OTHER_END,
    ),
    (
        &[One(&["COMMIT", "END"])],
        Class::TransactionControl(Control::Commit),
    ),
    (&[One(&["ROLLBACK", "ABORT"])], OTHER_END),
    (
        &[One(&["SAVEPOINT"])],
        Class::TransactionControl(Control::Savepoint),
    ),
    (
        &[One(&["RELEASE"])],
        Class::TransactionControl(Control::Release),
    ),
    // an error
    (
        &[CREATE, Maybe(&["UNIQUE"]), One(&["INDEX"]), CONCURRENTLY],
        Class::NotInTransaction,
    ),
    (
        &[One(&["DROP"]), One(&["INDEX"]), CONCURRENTLY],
        Class::NotInTransaction,
    ),
    (
        &[One(&["REINDEX"]), Skip, CONCURRENTLY],
        Class::NotInTransaction,
    ),
    (
        &[One(&["REINDEX"]), One(&["DATABASE", "SYSTEM", "SCHEMA"])],
        Class::NotInTransaction,
    ),
    (
        &[
            One(&["REINDEX"]),
            One(&["("]),
            Skip,
            One(&[")"]),
            One(&["DATABASE", "SYSTEM", "SCHEMA"]),
        ],
        Class::NotInTransaction,
    ),
    (&[One(&["VACUUM"])], Class::NotInTransaction),
    (
        &[
            One(&["CREATE", "DROP"]),
            One(&["DATABASE", "TABLESPACE", "SUBSCRIPTION"]),
        ],
        Class::NotInTransaction,
    ),
    (&[ALTER, One(&["SYSTEM"])], Class::NotInTransaction),
    (
        &[ALTER, One(&["SUBSCRIPTION"]), Any, One(&["REFRESH"])],
        Class::NotInTransaction,
    ),
    (
        &[
            ALTER,
            One(&["SUBSCRIPTION"]),
            Any,
            One(&["SET", "ADD", "DROP"]),
            One(&["PUBLICATION"]),
        ],
        Class::NotInTransaction,
    ),
    (
        &[ALTER, One(&["DATABASE"]), Any, SET, One(&["TABLESPACE"])],
        Class::NotInTransaction,
    ),
    (
        &[
            ALTER,
            One(&["TABLE"]),
            Skip,
            One(&["DETACH"]),
            One(&["PARTITION"]),
            Object,
            CONCURRENTLY,
        ],
        Class::NotInTransaction,
    ),
    (
        &[One(&["CLUSTER"]), Maybe(&["VERBOSE"]), End],
        Class::NotInTransaction,
    ),
    (
        &[One(&["CLUSTER"]), One(&["("]), Skip, One(&[")"]), End],
        Class::NotInTransaction,
    ),
    (
        &[One(&["DISCARD"]), One(&["ALL"])],
        Class::SessionNotInTransaction,
    ),
    // over with the transaction
    (&[SET, One(&["LOCAL", "CONSTRAINTS"])], Class::Ordinary),
    (
        &[One(&[
            "SET",
            "RESET",
            "DISCARD",
            "PREPARE",
            "DEALLOCATE",
            "LISTEN",
            "UNLISTEN",
            "LOAD",
        ])],
        Class::Session,
    ),
    (
        &[
            CREATE,
            Maybe(&["OR"]),
            Maybe(&["REPLACE"]),
            Maybe(&["GLOBAL", "LOCAL"]),
            TEMPORARY,
        ],
        Class::Session,
    ),
    (
        &[
            CREATE,
            Maybe(&["OR"]),
            Maybe(&["REPLACE"]),
            Maybe(&["UNLOGGED"]),
            One(&["TABLE", "VIEW", "SEQUENCE", "FUNCTION", "PROCEDURE", "TYPE"]),
            Maybe(&["IF"]),
            Maybe(&["NOT"]),
            Maybe(&["EXISTS"]),
            Name(&["pg_temp"]),
            One(&["."]),
        ],
        Class::Session,
    ),
    (
        &[
            One(&["DECLARE"]),
            Any,
            Maybe(&["BINARY"]),
            Maybe(&["ASENSITIVE", "INSENSITIVE"]),
            Maybe(&["NO"]),
            Maybe(&["SCROLL"]),
            One(&["CURSOR"]),
            One(&["WITH"]),
            One(&["HOLD"]),
        ],
        Class::Session,
    ),
];
