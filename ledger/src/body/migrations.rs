//! Migrations and their steps.

use super::{Cause, Direction, Marked, Metadata, Mode, Sorted, StepResolution};
use crate::hash::Digest;

members! {
    /// A migration is about to run; committed before its first statement.
    MigrationStarted {
        /// Counts the tries of this version, from 1.
        attempt: u64,
        /// The batch that it will be part of.
        batch: Option<u64>,
        /// The digest of the script's text without byte order mark and with LF line ends.
        checksum: Digest,
        /// Which way it runs.
        direction: Direction,
        /// How its statements are committed.
        mode: Mode,
        /// The migration's name.
        name: String,
        /// The digest of the exact bytes that run.
        script: Digest,
        /// The steps that commit by themselves, counted from 1.
        self_committing: Sorted<u64>,
        /// The number of its statements.
        statements: u64,
        /// The migration's version, as in its file name.
        version: String,
    }

    /// One step of a stepwise migration took effect.
    MigrationStepApplied {
        /// Which way the migration runs.
        direction: Direction,
        /// How long the step took, in milliseconds.
        duration_ms: u64,
        /// The digest of the statement's text, without delimiter, white space and comments
        /// around it.
        statement: Digest,
        /// The step, counted from 1.
        step: u64,
        /// The migration's version.
        version: String,
    }

    /// A person answered whether a step took effect.
    MigrationStepResolved {
        /// The answer.
        r#as: StepResolution,
        /// Which way the migration runs.
        direction: Direction,
        /// How the person knows.
        reason: String,
        /// The digest of the statement's text.
        statement: Digest,
        /// The step, counted from 1.
        step: u64,
        /// The migration's version.
        version: String,
    }

    /// A migration is applied.
    MigrationApplied {
        /// Counts the tries of this version, from 1.
        attempt: u64,
        /// The batch that it is part of.
        batch: u64,
        /// The digest of the script's text without byte order mark and with LF line ends.
        checksum: Digest,
        /// The digest of the exact bytes of the down script known at the time.
        down_script: Option<Digest>,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// The script's header as parsed.
        metadata: Metadata,
        /// The migration's name.
        name: String,
        /// The digest of the exact bytes that ran.
        script: Digest,
        /// The number of its statements.
        statements: u64,
        /// The migration's version.
        version: String,
    }

    /// A migration is rolled back.
    MigrationRolledBack {
        /// Why.
        cause: Cause,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// The migration's name.
        name: String,
        /// The digest of the exact bytes that ran.
        script: Digest,
        /// The migration's version.
        version: String,
    }

    /// What a server or the tool said about a failure.
    ErrorDetail {
        /// The server's code, as an SQLSTATE.
        code: Option<String>,
        /// The column in the script, counted from 1.
        column: Option<u64>,
        /// The line in the script, counted from 1.
        line: Option<u64>,
        /// The message, without secrets.
        message: String,
        /// The statement, counted from 1.
        statement: Option<u64>,
    }

    /// A migration failed; the outcome is `failure`.
    MigrationFailed {
        /// Whether nothing of it remains.
        clean: bool,
        /// Which way it ran.
        direction: Direction,
        /// What went wrong.
        error: ErrorDetail,
        /// The number of steps that took effect.
        steps_applied: u64,
        /// The migration's version.
        version: String,
    }

    /// A start that is proven to have left nothing was closed.
    MigrationAborted {
        /// Which way it was to run.
        direction: Direction,
        /// What proves it.
        reason: String,
        /// The migration's version.
        version: String,
    }

    /// A person declared a migration applied or pending; nothing ran.
    MigrationMarked {
        /// What it counts as from here on.
        r#as: Marked,
        /// The checksum of its script.
        checksum: Option<Digest>,
        /// Why, in a person's words.
        reason: String,
        /// The migration's version.
        version: String,
    }

    /// A person accepted that an applied migration's script is another one now.
    MigrationAccepted {
        /// The checksum from here on.
        new_checksum: Digest,
        /// The checksum that was recorded.
        old_checksum: Digest,
        /// Why, in a person's words.
        reason: String,
        /// The digest of the new script's exact bytes.
        script: Digest,
        /// The migration's version.
        version: String,
    }

    /// Older files were replaced by one.
    HistorySquashed {
        /// The version of the one that replaces them.
        into: String,
        /// Why, in a person's words.
        reason: String,
        /// The last version that it replaces.
        through: String,
    }

    /// Another tool's history was taken over.
    HistoryAdopted {
        /// The digest of the report.
        digest: Digest,
        /// The number of rows that were read.
        rows: u64,
        /// The table that they were read from.
        table: String,
        /// The last version that the other tool had applied.
        through: String,
        /// The other tool.
        tool: String,
    }
}

nested!(ErrorDetail);
