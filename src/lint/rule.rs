//! The rules: a stable code, how much a finding of it weighs, why, and the safe way as steps.

use ledger::Severity;

/// One rule. `docs/rules.md` shows each with a bad and a good example.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable name, in kebab case.
    pub code: &'static str,
    /// How much a finding weighs unless the project says otherwise; `None` is off.
    pub severity: Option<Severity>,
    /// What is found, in a few words.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The safe way, step by step.
    pub steps: &'static [&'static str],
}

macro_rules! rules {
    ($($name:ident $code:literal $severity:expr, $title:literal, $why:literal, $steps:expr;)+) => {
        $(
            #[doc = $title]
            pub(super) static $name: Rule = Rule {
                code: $code,
                severity: $severity,
                title: $title,
                why: $why,
                steps: &$steps,
            };
        )+

        /// Every rule.
        pub static ALL: &[&Rule] = &[$(&$name),+];
    };
}

const ERROR: Option<Severity> = Some(Severity::Error);
const WARNING: Option<Severity> = Some(Severity::Warning);
const OFF: Option<Severity> = None;

/// Returns the rule with this code.
pub fn named(code: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.code == code).copied()
}

rules! {
    DOWN_MISSING "down-missing" WARNING,
        "no way back",
        "a migration without a down script can be undone only by a new migration, written in a hurry",
        ["write the statements that undo it under `-- DOWN`",
         "where nothing can undo it, say so: waive this rule with the reason"];
    METADATA_MISSING "metadata-missing" WARNING,
        "author or description missing",
        "the header is recorded with the migration: who reads the history later has nothing else",
        ["add `author` and `description` to the header `-- @metadata { … }`",
         "`mledger validate --fix` writes a header where there is none"];
    METADATA_CONTRADICTORY "metadata-contradictory" ERROR,
        "the header contradicts itself or the script",
        "reviewers and rules rely on the header",
        ["correct the member that is wrong"];
    BREAKING_NOT_MARKED "breaking-not-marked" WARNING,
        "a breaking change that is not marked",
        "what runs against the old schema fails once this is applied, and nobody was told",
        ["set `\"breakingChange\": true` in the header",
         "deploy code that no longer uses the old name or column first"];
    DEPENDENCY_MISSING "dependency-missing" ERROR,
        "a dependency that does not exist",
        "the migration can never run",
        ["correct the version in `dependencies`, or add the file that is missing"];
    DEPENDENCY_CIRCLE "dependency-circle" ERROR,
        "dependencies that form a circle",
        "a migration runs after those that it depends on, so one that waits for itself can never run",
        ["take one of them out of `dependencies`"];
    FILE_NAME "file-name" WARNING,
        "a file name that is not in lower snake case",
        "names that differ in their capitals are one file on some systems and two on others",
        ["rename the file while the migration is pending; `mledger validate --fix` does it"];
    SEVERAL_CHANGES "several-changes" WARNING,
        "several changes in one file",
        "if one of them fails, the others stop with it or stay behind, and they cannot be rolled back one by one",
        ["split the file: one migration for each table that is changed"];
    ROWS_AND_SCHEMA "rows-and-schema" WARNING,
        "rows and the schema changed in one migration",
        "the lock of the schema change is held until the last row is written",
        ["change the schema in one migration",
         "fill the rows in the next one, in portions"];
    DESTRUCTIVE_NO_WAY_BACK "destructive-no-way-back" ERROR,
        "a destructive statement without a way back",
        "the statement destroys data, there is no down script, and the header does not say that this is meant",
        ["rename the table or column away first, and drop it in a later migration",
         "or write a down script that makes it again",
         "or state that it is meant: `\"breakingChange\": true`, or `rollbackStrategy` with what to do instead"];
    DROP_TABLE "drop-table" WARNING,
        "a table is dropped",
        "its rows are gone; a down script can make the table again, not what was in it",
        ["stop all code from using the table",
         "take a backup, or rename the table and drop it in a later migration"];
    DROP_COLUMN "drop-column" WARNING,
        "a column is dropped",
        "its values are gone, and code that still names the column fails",
        ["deploy code that no longer names the column",
         "drop it in a later migration"];
    TRUNCATE_TABLE "truncate-table" WARNING,
        "a table is emptied",
        "all its rows are gone; on some databases that cannot even be rolled back",
        ["delete only the rows that are meant, with a WHERE"];
    DELETE_EVERYTHING "delete-everything" WARNING,
        "DELETE without WHERE",
        "all rows of the table are gone",
        ["say which rows are meant, with a WHERE"];
    UPDATE_EVERYTHING "update-everything" WARNING,
        "UPDATE without WHERE",
        "all rows are written, their old values are gone, and on a large table others wait for long",
        ["say which rows are meant, with a WHERE",
         "write many rows in portions"];
    RENAME_TABLE "rename-table" WARNING,
        "a table is renamed",
        "code that runs while the migration is applied still uses the old name",
        ["make a table, or a view, of the new name",
         "deploy code that uses the new one",
         "drop the old one in a later migration"];
    RENAME_COLUMN "rename-column" WARNING,
        "a column is renamed",
        "code that runs while the migration is applied still uses the old name",
        ["add a column with the new name, and write to both",
         "copy the values in portions",
         "deploy code that uses the new one, then drop the old one in a later migration"];
    INDEX_LOCKS_WRITES "index-locks-writes" WARNING,
        "an index made without CONCURRENTLY",
        "nobody can write to the table until the index is built",
        ["write `CREATE INDEX CONCURRENTLY`",
         "in a file of its own: it cannot run in a transaction"];
    INDEX_DROP_LOCKS "index-drop-locks" WARNING,
        "an index dropped without CONCURRENTLY",
        "nobody can use the table while the statement waits for those who do",
        ["write `DROP INDEX CONCURRENTLY`, in a file of its own"];
    CONSTRAINT_LOCKS "constraint-locks" WARNING,
        "a constraint added without NOT VALID",
        "all rows are checked while nobody can write to the table",
        ["add the constraint with `NOT VALID`",
         "`VALIDATE CONSTRAINT` in a later migration: it lets others write meanwhile"];
    UNIQUE_LOCKS "unique-locks" WARNING,
        "a key that builds its index under a lock",
        "nobody can use the table until the index is built",
        ["`CREATE UNIQUE INDEX CONCURRENTLY` in a file of its own",
         "then `ADD CONSTRAINT … UNIQUE USING INDEX` in a later migration"];
    TYPE_CHANGE "type-change" WARNING,
        "a column's type is changed",
        "the whole table may be written anew, while nobody can use it",
        ["add a column of the new type, and write to both",
         "copy the values in portions",
         "deploy code that uses the new one, then drop the old one"];
    NOT_NULL_SCANS "not-null-scans" WARNING,
        "NOT NULL set on a column of an existing table",
        "all rows are read while nobody can use the table",
        ["add `CHECK (column IS NOT NULL) NOT VALID`",
         "`VALIDATE CONSTRAINT` in a later migration",
         "then `SET NOT NULL`, which finds the constraint and reads no rows, and drop the constraint"];
    NOT_NULL_NO_DEFAULT "not-null-without-default" WARNING,
        "a NOT NULL column added without a default",
        "rows that are there have no value for it: the statement fails, or fills in one that nobody chose",
        ["add the column with a default, or as one that may be NULL",
         "fill it, then set NOT NULL"];
    DEFAULT_REWRITES "default-rewrites" WARNING,
        "a default that is computed for each row",
        "the whole table is written anew, while nobody can use it",
        ["add the column without a default",
         "set the default for new rows",
         "fill the rows that are there in portions"];
    TABLE_COPIED "table-copied" WARNING,
        "a change that copies the table or keeps writers out",
        "nobody can write to the table until the copy is made",
        ["state `ALGORITHM=INPLACE, LOCK=NONE`: the server then refuses what it cannot do so",
         "else use a tool that changes tables online"];
    ALGORITHM_NOT_STATED "algorithm-not-stated" OFF,
        "ALGORITHM and LOCK are not stated",
        "the server chooses, and may choose to copy the table",
        ["add `ALGORITHM=INPLACE, LOCK=NONE`: the server then refuses what it cannot do so"];
    REBUILD_LOSES_ROWS "rebuild-loses-rows" ERROR,
        "a table is dropped while foreign keys are enforced",
        "dropping a table first deletes its rows, and with them the rows of others that refer to it with ON DELETE CASCADE",
        ["take out `-- mledger:foreign-keys on`: without it the rebuild keeps them, and is checked before it commits"];
    REBUILD_MOVES_REFERENCES "rebuild-moves-references" WARNING,
        "a table is renamed away and made anew",
        "the references of other tables follow the old table, and lead nowhere once it is dropped",
        ["make the new table under another name",
         "copy the rows, drop the old table",
         "rename the new table to the old name"];
    FOREIGN_KEY_NO_INDEX "foreign-key-without-index" WARNING,
        "a foreign key without an index",
        "each delete or update of a row that is referred to reads the whole table that refers",
        ["add an index that begins with the columns of the foreign key"];
    NAME_TABLE "name-table" WARNING,
        "a table whose name is not as agreed",
        "names that follow one rule can be written without looking them up or quoting them",
        ["name it as `[naming]` in mledger.toml says; the default is lower_snake_case"];
    NAME_INDEX "name-index" WARNING,
        "an index whose name is not as agreed",
        "an index that is named after its table and columns need not be looked up",
        ["name it as `[naming]` in mledger.toml says; the default is `idx_{table}_{columns}`"];
    NAME_FOREIGN_KEY "name-foreign-key" WARNING,
        "a foreign key whose name is not as agreed",
        "an error of the database shows the constraint's name and little else",
        ["name it as `[naming]` in mledger.toml says; the default is `fk_{table}_{columns}`"];
    DROP_NO_IF_EXISTS "drop-without-if-exists" WARNING,
        "a down script that drops without IF EXISTS",
        "a rollback of something that is half done stops at what is not there",
        ["write `IF EXISTS`; `mledger validate --fix` does it"];
    NOT_REPEATABLE "not-repeatable" WARNING,
        "a statement that cannot be repeated",
        "the script commits statement by statement: after a failure it begins with what is there already",
        ["write `IF NOT EXISTS`; `mledger validate --fix` does it"];
    SECRET_IN_SQL "secret-in-sql" ERROR,
        "a secret in the script",
        "scripts are kept in the version control, and recorded in the ledger for good",
        ["change the secret: it is known to all who can read this file",
         "set it outside of migrations, from a secret store"];
    TAKES_TOO_LONG "takes-too-long" WARNING,
        "more time than is allowed",
        "the migration is expected to take longer than `max_duration`",
        ["split it, or work in portions",
         "or allow more in mledger.toml"];
    WAIVER_UNUSED "waiver-unused" WARNING,
        "a waiver that waives nothing",
        "the next finding of the rule would pass unseen, with a reason that was written for another",
        ["take the line out"];
    WAIVER_UNKNOWN "waiver-unknown" WARNING,
        "a waiver of a rule that does not exist",
        "it waives nothing",
        ["correct the code; docs/rules.md lists them"];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_every_rule_has_a_way_out() {
        let codes: BTreeSet<&str> = ALL.iter().map(|rule| rule.code).collect();
        assert_eq!(codes.len(), ALL.len());
        for rule in ALL {
            assert!(!rule.steps.is_empty(), "{}", rule.code);
            assert!(
                rule.code
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                rule.code
            );
        }
    }
}
