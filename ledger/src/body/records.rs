//! Approvals, releases, drift, and what auditors record.

use super::{AnchorMethod, SchemaState};
use crate::hash::Digest;
use crate::time::Timestamp;

members! {
    /// A plan was approved.
    ApprovalGranted {
        /// What the approver says about it.
        comment: Option<String>,
        /// When the approval ends.
        expires: Option<Timestamp>,
        /// The digest of the plan.
        plan: Digest,
    }

    /// The approvals of a plan were taken back.
    ApprovalRevoked {
        /// The digest of the plan.
        plan: Digest,
        /// Why, in a person's words.
        reason: String,
    }

    /// A release's name was tied to a migration.
    VersionTagged {
        /// What the release manager says about it.
        message: Option<String>,
        /// The version of the last migration that it holds.
        migration: String,
        /// The release, a semantic version.
        release: String,
        /// The schema at the time.
        schema: Option<SchemaState>,
    }

    /// A release was published.
    ReleaseCreated {
        /// The release's title.
        name: String,
        /// The digest of its notes.
        notes: Option<Digest>,
        /// The release, a semantic version.
        release: String,
    }

    /// The schema is not what the last run left; the outcome is `failure`.
    DriftDetected {
        /// The number of differences.
        changes: u64,
        /// The digest of the report.
        digest: Digest,
        /// The fingerprint that was expected.
        expected: Digest,
        /// The fingerprint that was found.
        found: Digest,
    }

    /// A schema that was changed out of band was accepted.
    DriftAccepted {
        /// The fingerprint that is accepted.
        found: Digest,
        /// Why, in a person's words.
        reason: String,
    }

    /// A stored object's bytes were erased; its digest stays.
    ObjectRedacted {
        /// The object.
        digest: Digest,
        /// Why, in a person's words.
        reason: String,
    }

    /// The history was exported.
    HistoryExported {
        /// The digest of the bundle's manifest.
        manifest: Digest,
        /// The Merkle root over the exported entries.
        root: Digest,
        /// The number of exported entries.
        size: u64,
    }

    /// A checkpoint was put out of the reach of the database's administrators.
    AnchorRecorded {
        /// The digest of the evidence.
        digest: Digest,
        /// Where it was put.
        method: AnchorMethod,
        /// The checkpoint's root.
        root: Digest,
        /// The checkpoint's size.
        size: u64,
    }

    /// Somebody wrote something down.
    NoteAdded {
        /// The seq of the event that it is about.
        about: Option<u64>,
        /// What was written.
        text: String,
    }
}
