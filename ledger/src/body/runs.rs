//! Locks, runs and checks.

use uuid::Uuid;

use super::When;
use crate::hash::Digest;
use crate::time::Timestamp;

members! {
    /// The lease was taken.
    LockAcquired {
        /// The lease's token.
        token: Uuid,
        /// How long it was waited for, in milliseconds.
        wait_ms: u64,
    }

    /// The lease was given back.
    LockReleased {
        /// How long it was held, in milliseconds.
        held_ms: u64,
        /// The lease's token.
        token: Uuid,
    }

    /// Who held a lease.
    Holder {
        /// The holder's actor.
        actor: String,
        /// The holder's host.
        host: String,
        /// The holder's run.
        run: Uuid,
        /// Since when it was held.
        since: Timestamp,
    }

    /// The lease was taken from a holder that is gone or whose time is over.
    LockBroken {
        /// Who held it.
        holder: Holder,
        /// Why it was taken.
        reason: String,
        /// The token of the lease that was broken.
        token: Uuid,
    }

    /// The pipeline that a run is part of, as it says itself.
    Ci {
        /// The commit that it runs for.
        commit: String,
        /// The pipeline's provider.
        provider: String,
        /// Where its log is.
        url: String,
    }

    /// A finding that somebody decided to go on in spite of.
    Forced {
        /// The finding's code.
        finding: String,
        /// Why, in a person's words.
        reason: String,
    }

    /// A fingerprint of a database's schema; only equal formats and servers are compared.
    SchemaState {
        /// The fingerprint.
        digest: Digest,
        /// The version of the fingerprint's rules.
        format: u64,
        /// The server's major version.
        server: String,
    }

    /// A run began.
    RunStarted {
        /// The batch that it applies.
        batch: Option<u64>,
        /// The pipeline that it is part of.
        ci: Option<Ci>,
        /// The command's name.
        command: String,
        /// What it goes on in spite of.
        forced: Vec<Forced>,
        /// The digest of its plan.
        plan: Digest,
        /// The digest of the rules in force.
        policy: Digest,
        /// The schema before its first step.
        schema: Option<SchemaState>,
        /// The number of the plan's steps.
        steps: u64,
        /// The change request that it belongs to.
        ticket: Option<String>,
    }

    /// A run was refused before it began; the outcome is `denied`.
    RunRefused {
        /// The command's name.
        command: String,
        /// The digest of the plan that was refused.
        plan: Option<Digest>,
        /// The codes of what spoke against it.
        reasons: Vec<String>,
    }

    /// A run ended; the outcome says how.
    RunFinished {
        /// The number of steps that were done.
        done: u64,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// The number of steps that failed.
        failed: u64,
        /// The schema after its last step.
        schema: Option<SchemaState>,
    }

    /// The migrations were validated.
    ValidationFinished {
        /// The digest of the report.
        digest: Digest,
        /// The number of errors.
        errors: u64,
        /// The number of warnings.
        warnings: u64,
    }

    /// A check of a run was made; the outcome says how it ended.
    CheckFinished {
        /// What it found.
        detail: Option<String>,
        /// The check's name.
        name: String,
        /// On which side of the migrations it stands.
        when: When,
    }
}

nested!(Holder, Ci, Forced, SchemaState);
