//! How MySQL and MariaDB read a script (`https://mariadb.com/kb/en/comment-syntax/`,
//! `https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html`, and their client for where a statement
//! ends), as data.

use super::class::Effect;
use super::head::Term::{self, Any, Definer, End, Holds, Maybe, One, Skip};
use super::rules::{
    Backslash, BlockComments, Body, BodyForm, Carry, Edge, Header, LexRules, LineComment, Mention,
    Quote,
};
use super::{Class, Control};

/// MySQL and MariaDB.
///
/// A backslash in a string escapes until the script sets a `sql_mode` with `NO_BACKSLASH_ESCAPES`; that
/// the server's configuration does is not seen, nor is `ANSI_QUOTES`.
pub const MYSQL: LexRules = LexRules {
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
        code: &["/*!", "/*M!"],
    },
    quotes: &[
        string(b'\'', "a string, which ends in `'`"),
        string(b'"', "a string, which ends in `\"`"),
        Quote::doubled(b'`', "a name in backquotes"),
    ],
    dollar_quotes: false,
    backslash_escapes: true,
    escapes: ESCAPES,
    parentheses_hold: false,
    delimiter_command: "DELIMITER",
    bodies: BODIES,
    classes: CLASSES,
    mentions: &[
        alone(&[], "INTO", "OUTFILE"),
        alone(&[], "INTO", "DUMPFILE"),
        // in a transaction they commit it, or are an error
        alone(&[SET], "", "AUTOCOMMIT"),
        alone(&[SET], "", "SQL_LOG_BIN"),
        alone(&[SET], "", "BINLOG_FORMAT"),
        alone(&[SET], "", "GTID_NEXT"),
        Mention {
            head: &[],
            before: ":",
            word: "=",
            effect: Effect::Session,
        },
        Mention {
            head: &[],
            before: "",
            word: "GET_LOCK",
            effect: Effect::Session,
        },
    ],
    user_variables: true,
    inline_code: &[],
    edges: &[
        (&[One(&["LOCK"]), TABLES], Edge::Lock),
        (&[One(&["UNLOCK"]), TABLES], Edge::Unlock),
        (
            &[
                SET,
                Skip,
                AUTOCOMMIT,
                Maybe(&[":"]),
                EQUALS,
                One(&["0", "OFF", "FALSE"]),
            ],
            Edge::AutocommitOff,
        ),
        (
            &[SET, Skip, AUTOCOMMIT, Maybe(&[":"]), EQUALS],
            Edge::AutocommitOn,
        ),
        (&[One(&["COMMIT", "ROLLBACK"])], Edge::Commit),
    ],
    client: "`mariadb`",
    client_commands: &[
        "\\",
        "source",
        "system",
        "tee",
        "notee",
        "pager",
        "nopager",
        "connect",
        "prompt",
        "quit",
        "exit",
        "ego",
        "go",
        "edit",
        "rehash",
        "status",
        "charset",
        "warnings",
        "nowarning",
    ],
    client_escapes: Some(b"N"),
    client_remarks: &[],
    queries: &["SELECT", "VALUES", "TABLE"],
    named_queries: "WITH",
    writes: &["INSERT", "UPDATE", "DELETE", "REPLACE"],
    carry: CARRY,
    non_transactional: &[
        "MYISAM",
        "ARIA",
        "MEMORY",
        "HEAP",
        "CSV",
        "ARCHIVE",
        "MERGE",
        "MRG_MYISAM",
        "FEDERATED",
        "BLACKHOLE",
        "DEFAULT_STORAGE_ENGINE",
        "STORAGE_ENGINE",
    ],
};

const fn string(quote: u8, name: &'static str) -> Quote {
    Quote {
        backslash: Backslash::AsSet,
        ..Quote::doubled(quote, name)
    }
}

const fn alone(head: &'static [Term], before: &'static str, word: &'static str) -> Mention {
    Mention {
        head,
        before,
        word,
        effect: Effect::Alone,
    }
}

const SET: Term = One(&["SET"]);
const CREATE: Term = One(&["CREATE"]);
const TABLES: Term = One(&["TABLE", "TABLES"]);
const TEMPORARY: Term = One(&["TEMPORARY"]);
const AUTOCOMMIT: Term = One(&["AUTOCOMMIT"]);
const SQL_MODE: Term = One(&["SQL_MODE"]);
const EQUALS: Term = One(&["="]);
const AT: Term = One(&["@"]);
const SCOPE: Term = Maybe(&["SESSION", "LOCAL"]);
const NO_ESCAPES: Term = Holds("NO_BACKSLASH_ESCAPES");

const ESCAPES: &[(&[Term], bool)] = &[
    (
        &[
            SET,
            SCOPE,
            Maybe(&["@"]),
            Maybe(&["@"]),
            SCOPE,
            Maybe(&["."]),
            SQL_MODE,
            Maybe(&[":"]),
            EQUALS,
            Maybe(&["CONCAT"]),
            Maybe(&["("]),
            Skip,
            NO_ESCAPES,
        ],
        false,
    ),
    // as dumps keep what was set before
    (
        &[
            SET,
            AT,
            Any,
            EQUALS,
            AT,
            AT,
            SQL_MODE,
            One(&[","]),
            SQL_MODE,
            EQUALS,
            NO_ESCAPES,
        ],
        false,
    ),
    (
        &[
            SET,
            SCOPE,
            Maybe(&["@"]),
            Maybe(&["@"]),
            SCOPE,
            Maybe(&["."]),
            SQL_MODE,
        ],
        true,
    ),
];

const BODIES: &[Body] = &[
    stored(
        &[
            CREATE,
            Maybe(&["OR"]),
            Maybe(&["REPLACE"]),
            Definer,
            Maybe(&["AGGREGATE"]),
            One(&["PROCEDURE", "FUNCTION", "PACKAGE"]),
        ],
        Header::Parameters,
    ),
    stored(
        &[
            CREATE,
            Maybe(&["OR"]),
            Maybe(&["REPLACE"]),
            Definer,
            One(&["TRIGGER"]),
        ],
        Header::Until("ROW"),
    ),
    stored(
        &[
            One(&["CREATE", "ALTER"]),
            Maybe(&["OR"]),
            Maybe(&["REPLACE"]),
            Definer,
            One(&["EVENT"]),
        ],
        Header::Until("DO"),
    ),
    executed(&[One(&["BEGIN"]), One(&["NOT"]), One(&["ATOMIC"])]),
    executed(&[One(&["IF", "CASE", "LOOP", "REPEAT", "WHILE", "FOR"])]),
];

const fn stored(head: &'static [Term], header: Header) -> Body {
    Body {
        head,
        form: BodyForm::Compound(header),
        stored: true,
    }
}

const fn executed(head: &'static [Term]) -> Body {
    Body {
        head,
        form: BodyForm::Compound(Header::None),
        stored: false,
    }
}

/// A statement that ends the transaction in a way that no end of a script's own transaction is.
const OTHER_END: Class = Class::TransactionControl(Control::Rollback);

const CARRY: Carry = Carry {
    nothing: &[
        &[SET, One(&["TRANSACTION", "STATEMENT", "GLOBAL", "PERSIST"])],
        &[One(&["UNLOCK", "LOCK", "DEALLOCATE"])],
        &[One(&["DROP"]), One(&["TEMPORARY", "PREPARE"])],
        &[One(&["FLUSH"])],
    ],
    resets: &[],
    sets: &[&[One(&["SET", "USE"])]],
    computes: &[
        "(",
        "CURRENT_DATE",
        "CURRENT_ROLE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "UTC_DATE",
        "UTC_TIME",
        "UTC_TIMESTAMP",
    ],
    makes: &[
        (
            &[
                CREATE,
                Maybe(&["OR"]),
                Maybe(&["REPLACE"]),
                TEMPORARY,
                One(&["TABLE", "SEQUENCE"]),
                Maybe(&["IF"]),
                Maybe(&["NOT"]),
                Maybe(&["EXISTS"]),
            ],
            "temporary table",
        ),
        (&[One(&["PREPARE"])], "prepared statement"),
        (&[One(&["HANDLER"])], "handler"),
    ],
    opaque: &[&[One(&[
        "BEGIN", "CALL", "CASE", "EXECUTE", "FOR", "IF", "LOAD", "LOOP", "REPEAT", "WHILE",
    ])]],
    locks: &["GET_LOCK"],
    recalls: &["LAST_INSERT_ID", "ROW_COUNT", "FOUND_ROWS"],
};

/// Whether each of them commits, and what of it stays with the session.
const CLASSES: &[(&[Term], Class)] = &[
    (
        &[One(&["START"]), One(&["TRANSACTION"])],
        Class::TransactionControl(Control::Begin),
    ),
    (
        &[One(&["BEGIN"]), Maybe(&["WORK"]), End],
        Class::TransactionControl(Control::Begin),
    ),
    (
        &[
            One(&["COMMIT"]),
            Maybe(&["WORK"]),
            One(&["AND"]),
            One(&["CHAIN"]),
        ],
        OTHER_END,
    ),
    (&[One(&["COMMIT"]), Skip, One(&["RELEASE"]), End], OTHER_END),
    (
        &[One(&["COMMIT"])],
        Class::TransactionControl(Control::Commit),
    ),
    (&[One(&["ROLLBACK"])], OTHER_END),
    (
        &[One(&["SAVEPOINT", "XA"])],
        Class::TransactionControl(Control::Savepoint),
    ),
    (
        &[One(&["RELEASE"])],
        Class::TransactionControl(Control::Release),
    ),
    // nothing is committed
    (
        &[CREATE, Maybe(&["OR"]), Maybe(&["REPLACE"]), TEMPORARY],
        Class::Session,
    ),
    (&[One(&["DROP"]), TEMPORARY], Class::Session),
    (&[One(&["DROP"]), One(&["PREPARE"])], Class::Session),
    (
        &[SET, One(&["PASSWORD", "DEFAULT"])],
        Class::NotInTransaction,
    ),
    // an error in a transaction, or what another statement does
    (
        &[SET, One(&["TRANSACTION", "STATEMENT"])],
        Class::SessionNotInTransaction,
    ),
    (&[SET], Class::Session),
    (
        &[One(&["LOCK", "UNLOCK", "BACKUP"])],
        Class::SessionNotInTransaction,
    ),
    (
        &[
            One(&["FLUSH"]),
            Skip,
            One(&["WITH"]),
            One(&["READ"]),
            One(&["LOCK"]),
        ],
        Class::SessionNotInTransaction,
    ),
    (
        &[One(&["FLUSH"]), Skip, One(&["FOR"]), One(&["EXPORT"])],
        Class::SessionNotInTransaction,
    ),
    (
        &[One(&["USE", "PREPARE", "DEALLOCATE", "HANDLER"])],
        Class::Session,
    ),
    (
        &[
            One(&["ANALYZE"]),
            Maybe(&["LOCAL", "NO_WRITE_TO_BINLOG"]),
            TABLES,
        ],
        Class::NotInTransaction,
    ),
    (
        &[One(&[
            "ALTER",
            "BEGIN",
            "BINLOG",
            "CACHE",
            "CALL",
            "CASE",
            "CHANGE",
            "CHECK",
            "CLONE",
            "CREATE",
            "DROP",
            "EXECUTE",
            "FLUSH",
            "FOR",
            "GRANT",
            "IF",
            "IMPORT",
            "INSTALL",
            "LOAD",
            "LOOP",
            "OPTIMIZE",
            "PURGE",
            "RENAME",
            "REPAIR",
            "REPEAT",
            "RESET",
            "RESTART",
            "REVOKE",
            "SHUTDOWN",
            "START",
            "STOP",
            "TRUNCATE",
            "UNINSTALL",
            "WHILE",
        ])],
        Class::NotInTransaction,
    ),
];
